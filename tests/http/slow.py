# SPDX-License-Identifier: GPL-2.0-or-later
"""Many clients, slow clients, long requests: others get their answers all the same."""
import resource
import select
import socket
import ssl
import threading

import gateway
import live
from gateway import ADDRESS, Client, Traffic, admin, until

SLOW = 1000


def slow_open(source, port=443):
    s = socket.socket()
    s.bind((source, 0))
    s.setblocking(False)
    s.connect_ex((ADDRESS, port))
    return s


def drip(sockets):
    """Each sends a byte more of what never becomes a request."""
    for s in sockets:
        try:
            s.send(b"\x16")
        except OSError:
            pass


def check_1000_slow_connections_cost_no_packet_that_passes_through():
    client = admin()
    with Traffic():
        crowd = [slow_open("192.168.77.%d" % (10 + i % 50)) for i in range(SLOW)]
        drip(crowd)
        assert client.get("/api/v1/status").status == 200
        for s in crowd:
            s.close()


def check_1000_slow_connections_of_one_source():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    client, pid = admin(), gateway.web_pid()
    crowd = [slow_open("192.168.77.30") for _ in range(SLOW)]
    for _ in range(3):
        drip(crowd)
        assert client.get("/api/v1/status").status == 200
        assert Client("192.168.77.30").get("/api/v1/session").status == 200  # and for that source too
    for s in crowd:
        s.close()
    assert gateway.web_pid() == pid


def check_1000_slow_connections_of_many_sources():
    client = admin()
    crowd = [slow_open("192.168.77.%d" % (10 + i % 50)) for i in range(SLOW)]
    drip(crowd)
    for _ in range(3):
        assert client.get("/api/v1/status").status == 200
    for s in crowd:
        s.close()


def secure():
    raw = socket.create_connection((ADDRESS, 443), 20, ("192.168.77.31", 0))
    return ssl._create_unverified_context().wrap_socket(raw)


def check_a_request_that_never_ends_is_cut():
    s = secure()
    s.sendall(b"GET /api/v1/session HTTP/1.1\r\nHost: %s\r\nX-Slow: " % ADDRESS.encode())
    s.settimeout(40)

    def cut():
        try:
            s.send(b"x")
            s.settimeout(1)
            return s.recv(1) == b""
        except socket.timeout:
            return False
        except OSError:
            return True
    until(cut, 40)


def status_of(text):
    s = secure()
    try:
        s.settimeout(2)
        s.sendall(text)
        return s.recv(100).split(b" ")[1:2]
    except OSError:
        return []
    finally:
        s.close()


def said(text):
    """All that comes back until the end."""
    s, answer = secure(), b""
    try:
        s.settimeout(15)
        s.sendall(text)
        while True:
            more = s.recv(4096)
            if not more:
                return answer
            answer += more
    finally:
        s.close()


HIDDEN = b"GET /api/v1/status HTTP/1.1\r\nHost: %s\r\n\r\n" % ADDRESS.encode()


def check_a_request_within_a_request_is_not_read():
    head = b"POST /api/v1/session HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n" % ADDRESS.encode()
    for length in (b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   b"Transfer-Encoding: xchunked\r\n\r\n", b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
                   b"Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n", b"Content-Length: 0\r\nContent-Length: 70\r\n\r\n",
                   b"Content-Length: 0, 70\r\n\r\n", b"Content-Length: +0\r\n\r\n", b"Content-Length: 0x0\r\n\r\n"):
        answer = said(head + length + HIDDEN)
        assert answer.split(b" ")[1] in (b"400", b"411") and b" 401 " not in answer, (length, answer)
    # one after another, each for itself
    answer = said(HIDDEN + HIDDEN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert answer.count(b"HTTP/1.1 401") == 2


def check_who_goes_early_costs_nothing():
    pid, wanted = gateway.web_pid(), b"POST /api/v1/session HTTP/1.1\r\nHost: %s\r\nContent-Length: 100\r\n\r\n{" % ADDRESS.encode()
    for cut in range(0, len(wanted) + 1, 7):
        s = secure()
        s.sendall(wanted[:cut])
        s.close()
    for _ in range(20):
        slow_open("192.168.77.31").close()
    assert Client().get("/api/v1/session").status == 200 and gateway.web_pid() == pid


def unread_open(number):
    """Asks for the page's largest file, and again; returns when an answer is there, and takes nothing of it."""
    context = ssl._create_unverified_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # in 1.3 more than answers comes
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.bind(("192.168.77.%d" % (10 + number % 50), 0))
    s.settimeout(20)
    s.connect((ADDRESS, 443))
    s = context.wrap_socket(s)
    s.sendall(b"GET /app.js HTTP/1.1\r\nHost: %s\r\n\r\n" % ADDRESS.encode() * 20)
    select.select([s], [], [], 20)
    return s


def check_600_that_do_not_take_their_answers():
    crowd = []
    for number in range(600):
        try:
            crowd.append(unread_open(number))
        except OSError:
            pass  # its turn is over
    assert Client("192.168.77.2").get("/api/v1/session").status == 200
    for s in crowd:
        s.close()


def check_requests_that_are_none():
    host = b"Host: %s\r\n" % ADDRESS.encode()
    good = b"GET /api/v1/session HTTP/1.1\r\n" + host
    assert status_of(good + b"\r\n") == [b"200"]
    for text in (b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 100, b"GET /" + b"a" * 70000, b"G" * 70000,
                 good + b"X: " + b"y" * 70000 + b"\r\n\r\n", good + b"X: y\r\n" * 20000 + b"\r\n",
                 b"POST /api/v1/session HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n\r\n",
                 b"POST /api/v1/session HTTP/1.1\r\n" + host + b"Content-Length: 99999999999999999999\r\n\r\n",
                 b"POST /api/v1/session HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
                 good + b"Host: evil.example\r\n\r\n", b"GET /api/v1/session HTTP/1.1\r\n\r\n"):
        assert status_of(text) in ([], [b"400"], [b"411"], [b"413"], [b"414"], [b"421"], [b"431"], [b"505"]), text[:60]
    assert Client().get("/api/v1/session").status == 200


def check_many_at_once():
    token = admin().post("/api/v1/tokens", {"name": "many", "role": "read-only"}).json
    answers = []

    def ask(i):
        gateway.enter("a")
        answers.append(Client("192.168.77.%d" % (10 + i), token=token["token"]).get("/api/v1/status").status)
    threads = [threading.Thread(target=ask, args=(i,)) for i in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 40
    admin().ask("DELETE", "/api/v1/tokens/" + token["id"])


def check_the_streams_of_a_phone_that_has_left_have_ended():
    """It said nothing any more, and did not close them."""
    live.phone_leave()
    until(lambda: not live.phone_connections(), 40)
