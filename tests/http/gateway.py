# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateway under test, its console, and clients in namespaces that speak HTTPS to it."""
import ctypes
import errno
import http.client
import json
import os
import socket
import ssl
import subprocess
import time

NAME, DIR, TOP = os.environ["WH_NAME"], os.environ["WH_DIR"], os.environ["WH_TOP"]
GATEWAY = int(os.environ["WH_GATEWAY"])
ADDRESS = "192.168.77.1"
PASSWORD = "correct horse battery staple"
COOKIE = "__Host-wayleave"
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def enter(namespace):
    """This thread's sockets are made there from now on."""
    with open("/run/netns/%s-%s" % (NAME, namespace)) as handle:
        if LIBC.setns(handle.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def console(*words, fails=False):
    """`wayleave` as root on the gateway; its JSON."""
    run = subprocess.run([TOP + "/build/wayleave", "-r", DIR + "/run", "--json", *words],
                         capture_output=True, text=True)
    good = (0, 6) if words == ("status",) else (0,)  # 6: no default route
    assert fails or run.returncode in good, run.stderr
    return run.stderr if fails else json.loads(run.stdout)


def control(**request):
    """One request on the control socket, as root."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(DIR + "/run/control.sock")
        s.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(s.makefile().readline())


def log():
    with open(DIR + "/wayleaved.log") as handle:
        return handle.read()


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen: %s" % condition
        time.sleep(0.05)


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as handle:
        return [int(word) for word in handle.read().split()]


def web_pid():
    """The web process: the grandchild that has a listening socket's descriptor."""
    for keeper in children(GATEWAY):
        for child in children(keeper):
            with open("/proc/%d/limits" % child) as handle:
                if "Max open files            1280" in handle.read():
                    return child
    return None


class FullDisk:
    """Not a byte is free where the gateway keeps what it keeps."""
    PATH = DIR + "/filler"

    def __enter__(self):
        with open(self.PATH, "wb", buffering=0) as handle:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        handle.write(b"x" * size)
                except OSError as error:
                    assert error.errno == errno.ENOSPC, error

    def __exit__(self, *_):
        os.unlink(self.PATH)


class Traffic:
    """Something that passes through the gateway meanwhile, a packet each 10 ms; all of it has to."""
    SENT = "150"

    def __enter__(self):
        self.ping = subprocess.Popen(["ip", "netns", "exec", NAME + "-a", "ping", "-q", "-i", "0.01", "-c", self.SENT,
                                      "203.0.113.2"], stdout=subprocess.PIPE, text=True)

    def __exit__(self, *_):
        said = self.ping.communicate()[0]
        assert "%s packets transmitted, %s received" % (self.SENT, self.SENT) in said, said


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["error"]["code"]


class Client:
    """A browser's or a script's view: keeps cookie and CSRF token, or has an API token."""

    def __init__(self, source="192.168.77.2", address=ADDRESS, token=None, port=443, tls=True):
        self.source, self.address, self.token, self.port, self.tls = source, address, token, port, tls
        self.cookie = self.csrf = None

    def connect(self):
        context = ssl._create_unverified_context()
        if not self.tls:
            return http.client.HTTPConnection(self.address, self.port, timeout=20,
                                              source_address=(self.source, 0))
        return http.client.HTTPSConnection(self.address, self.port, timeout=20, context=context,
                                           source_address=(self.source, 0))

    def headers(self, more):
        headers = {"Host": self.address}
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        if self.cookie:
            headers["Cookie"] = "%s=%s" % (COOKIE, self.cookie)
        if self.csrf:
            headers["X-CSRF-Token"] = self.csrf
        headers.update(more)
        return {name: value for name, value in headers.items() if value is not None}

    def ask(self, method, path, body=None, raw=None, **more):
        """HEADER_NAME=value adds or (None) leaves out a header."""
        headers = self.headers({name.replace("_", "-"): value for name, value in more.items()})
        if body is not None:
            raw = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = self.connect()
        try:
            connection.request(method, path, raw, headers)
            response = connection.getresponse()
            answer = Answer(response, response.read())
        finally:
            connection.close()
        self.take_cookie(answer)
        return answer

    def take_cookie(self, answer):
        text = answer.headers.get("Set-Cookie", "")
        if text.startswith(COOKIE + "="):
            self.cookie = text[len(COOKIE) + 1:].split(";")[0] or None
            self.csrf = answer.json.get("csrf_token") if self.cookie else None

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.ask("POST", path, {} if body is None else body, **more)

    def log_in(self, password=PASSWORD):
        return self.post("/api/v1/session", {"password": password})


def admin(source="192.168.77.2"):
    """A client that is logged in; the first one sets the password."""
    client = Client(source)
    if client.get("/api/v1/session").json["setup_needed"]:
        answer = client.post("/api/v1/setup", {"code": console("setup")["code"], "password": PASSWORD})
    else:
        answer = client.log_in()
    assert answer.status == 200, answer.body
    return client
