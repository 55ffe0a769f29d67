# SPDX-License-Identifier: GPL-2.0-or-later
"""The process behind the page: what it is, that it comes back, and the two restarts."""
import os
import signal
import ssl
import subprocess
import sys

import gateway
from gateway import ADDRESS, PASSWORD, Client, admin, console, until
from live import Stream

INIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "init.py")


def status(pid):
    with open("/proc/%d/status" % pid) as handle:
        return dict(line.rstrip("\n").split(":\t", 1) for line in handle if ":\t" in line)


def check_it_has_no_privilege():
    state = status(gateway.web_pid())
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(state[name], 16) == 0, name
    assert state["Seccomp"] == "2" and state["NoNewPrivs"] == "1" and state["Groups"].strip() == ""
    assert "0" not in state["Uid"].split() and "0" not in state["Gid"].split()


def check_it_has_only_sockets():
    folder = "/proc/%d/fd" % gateway.web_pid()
    kinds = {os.readlink(folder + "/" + name).split(":")[0] for name in os.listdir(folder)}
    assert kinds <= {"socket", "anon_inode"}, kinds


def check_it_maps_nothing_that_is_shared():
    with open("/proc/%d/maps" % gateway.web_pid()) as handle:
        assert not [line for line in handle if line.split()[1].endswith("s")]


def check_it_comes_back_when_it_dies():
    client, pid = admin(), gateway.web_pid()
    os.kill(pid, signal.SIGKILL)
    until(lambda: gateway.web_pid() not in (None, pid))

    def answers():
        try:
            return client.get("/api/v1/session").status == 200
        except OSError:
            return False
    until(answers)
    assert client.get("/api/v1/status").status == 401  # sessions are in memory alone
    assert Client().log_in().status == 200


def check_the_control_socket_has_none_of_its_requests():
    for request in ("web-state", "web-keep", "web-claim", "web-note"):
        assert gateway.control(request=request)["error"]["code"] == "not-allowed"


def check_addresses_are_followed():
    name = gateway.NAME
    subprocess.run(["ip", "-n", name + "-g", "addr", "add", "192.168.77.3/24", "dev", "lan0"], check=True)
    until(lambda: "https://192.168.77.3" in console("setup")["addresses"])
    assert Client(address="192.168.77.3").get("/api/v1/session").status == 200
    subprocess.run(["ip", "-n", name + "-g", "addr", "del", "192.168.77.3/24", "dev", "lan0"], check=True)
    until(lambda: "https://192.168.77.3" not in console("setup")["addresses"])
    assert Client().get("/api/v1/session").status == 200


def check_ports_and_switch_are_followed():
    console("set", "web.https_port", "8443")
    assert console("setup")["addresses"][0] == "https://192.168.77.1:8443"
    answer = Client(port=80, tls=False).get("/")
    assert answer.headers["Location"] == "https://192.168.77.1:8443/"
    assert Client(port=8443).get("/api/v1/session", Host=ADDRESS + ":8443").status == 200
    console("set", "web.https_port", "443")
    console("set", "web.enabled", "off")
    until(lambda: gateway.web_pid() is None)
    assert console("setup")["addresses"] == [] and not console("setup")["enabled"]
    console("set", "web.enabled", "on")
    until(gateway.web_pid)
    assert Client().get("/api/v1/session").status == 200


def certificate():
    return ssl.get_server_certificate((ADDRESS, 443))


def installed(path, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=" + name, "-keyout", path + ".key", "-out", path + ".pem"], check=True,
                   capture_output=True)
    with open(path + ".pem") as handle:
        return handle.read()


def has(text):
    def same():
        try:
            return certificate().strip() == text.strip()
        except OSError:
            return False
    return same


def check_the_administrators_certificate():
    own, path = certificate(), gateway.DIR + "/page"
    text = installed(path, "first")
    values = {"web.certificate": path + ".pem", "web.key": path + ".key"}
    client = admin()
    stream = Stream(client)
    assert gateway.control(request="set", values=values)["ok"]
    until(has(text))
    assert stream.ended() and client.get("/api/v1/status").status == 200
    assert Client().get("/").headers["Strict-Transport-Security"]
    text = installed(path, "renewed")
    os.kill(gateway.GATEWAY, signal.SIGHUP)
    until(has(text))
    with open(path + ".pem", "a") as handle:
        handle.seek(0)
        handle.truncate()
        handle.write("-----BEGIN CERTIFICATE-----\nbroken\n")
    os.kill(gateway.GATEWAY, signal.SIGHUP)
    until(has(own))
    os.unlink(path + ".key")  # then its own serves
    os.kill(gateway.GATEWAY, signal.SIGHUP)
    until(has(own))
    assert Client().get("/").headers["Strict-Transport-Security"] is None
    assert gateway.control(request="set", values=dict.fromkeys(values, ""))["ok"]


def check_services_restart():
    client, pid = admin(), gateway.web_pid()
    before = console("status")
    assert client.post("/api/v1/restart", {"what": "services"}).json == {"restarting": "services"}

    def again():
        try:
            now = gateway.control(request="status")["result"]
        except OSError:
            return False
        return now["uptime_s"] <= before["uptime_s"] and now["translating"] and gateway.web_pid() not in (None, pid)
    until(again)
    assert console("status")["pid"] == before["pid"]
    assert Client().log_in().status == 200


def check_the_machine_does_not_restart_unless_allowed():
    answer = admin().post("/api/v1/restart", {"what": "machine"})
    assert answer.status == 403 and answer.json["error"]["field"] == "web.machine_restart"
    assert gateway.control(request="restart", what="machine")["error"]["code"] == "not-allowed"


def own_machine(mark):
    """The gateway again, where process 1 is ours."""
    os.kill(gateway.GATEWAY, signal.SIGTERM)
    until(lambda: not os.path.exists("/proc/%d/fd" % gateway.GATEWAY) or "Z" in status(gateway.GATEWAY)["State"])
    with open(gateway.DIR + "/settings.yaml") as handle:
        text = handle.read()
    with open(gateway.DIR + "/settings.yaml", "w") as handle:
        handle.write(text.replace("machine_restart: off", "machine_restart: on"))
    return subprocess.Popen(["ip", "netns", "exec", gateway.NAME + "-g", "unshare", "--pid", "--fork", "--kill-child",
                             sys.executable, INIT, mark, gateway.TOP + "/build/wayleaved", "-c",
                             gateway.DIR + "/settings.yaml"])


def check_the_machine_restarts_when_asked_twice():
    mark = gateway.DIR + "/init"
    machine = own_machine(mark)
    try:
        machine_restarts(mark)
    finally:
        machine.kill()  # and with it all that is in there
        machine.wait()


def machine_restarts(mark):
    until(lambda: subprocess.run([gateway.TOP + "/build/wayleave", "-r", gateway.DIR + "/run", "status"],
                                 capture_output=True).returncode in (0, 6))  # 6: no default route
    client = Client()
    until(lambda: reachable(client))
    assert client.log_in(PASSWORD).status == 200
    first = client.post("/api/v1/restart", {"what": "machine"})
    assert first.status == 202 and first.json["within_s"] == 30
    assert client.post("/api/v1/restart", {"what": "machine", "confirmation": "wrong"}).status == 202
    second = client.post("/api/v1/restart", {"what": "machine"}).json["confirmation"]
    assert client.post("/api/v1/restart", {"what": "machine", "confirmation": first.json["confirmation"]}).status == 202
    second = client.post("/api/v1/restart", {"what": "machine"}).json["confirmation"]
    assert not os.path.exists(mark)
    answer = client.post("/api/v1/restart", {"what": "machine", "confirmation": second})
    assert answer.json == {"restarting": "machine"}, answer.body
    until(lambda: os.path.exists(mark))


def reachable(client):
    try:
        return client.get("/api/v1/session").status == 200
    except OSError:
        return False
