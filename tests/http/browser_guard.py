# SPDX-License-Identifier: GPL-2.0-or-later
"""What other sites can make a browser do, and what the page forbids its browser."""
import socket
import ssl
import subprocess

from gateway import ADDRESS, NAME, Client, admin, console, enter, until

FOREIGN = ["evil.example", "192.168.77.99", "192.168.78.1", "192.168.77.1.evil.example", "localhost", "", "127.0.0.1",
           "192.168.77.1:abc", "192.168.77.1:", "[::1]", "[fe80::1]:443", "[::ffff:192.168.77.1]", "user@192.168.77.1",
           "0xc0a84d01", "192.168.77.1 evil.example", ".", "x" * 300]


def check_host_is_an_own_name_or_address():
    client = Client()
    for host in FOREIGN:
        answer = client.get("/api/v1/session", Host=host)
        assert answer.status in (421, 400), (host, answer.status)
    name = client.get("/api/v1/session").json["name"]
    for host in (ADDRESS, ADDRESS + ":443", name, name.upper() + ".lan", name + ".local.", name + ".home.arpa:443"):
        assert client.get("/api/v1/session", Host=host).status == 200, host
    console("set", "web.names", "fritz.lan,gate")
    assert client.get("/", Host="fritz.lan").status == 200
    console("set", "web.names", "localhost")  # the near end of ssh -L 8443:GATEWAY:443
    for host in ("localhost:8443", "LOCALHOST"):
        assert client.get("/api/v1/session", Host=host).status == 200, host
        for origin, refused in (("https://evil.example", True), ("https://" + host, False)):
            answer = client.post("/api/v1/session", {"password": "wrong password"}, Host=host, Origin=origin)
            assert (answer.status == 403) == refused, (origin, answer.status)
    assert client.get("/", Host="localhost.evil.example").status == 421
    console("set", "web.names", "")
    assert client.get("/", Host="fritz.lan").status == 421


def check_who_has_typed_another_name_is_shown_the_way():
    for host, path, link in (("evil.example", "/", "https://192.168.77.1/"), (ADDRESS, "/index.php", "/")):
        for client in (Client(), Client(port=80, tls=False)):
            answer = client.get(path, Host=host, Accept="text/html,*/*;q=0.8")
            if not client.tls and host == ADDRESS:  # told of the warning first, whatever the path
                assert answer.status == 200 and b'href="https://192.168.77.1/index.php"' in answer.body
                continue
            assert answer.status in (421, 404) and answer.headers["Content-Type"].startswith("text/html")
            assert answer.body.count(b' href="%s">' % link.encode()) == 2 and b"evil" not in answer.body, answer.body
            assert b'<div lang="de"><p>' in answer.body, answer.body
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert Client().get("/api/v1/nothing", Accept="text/html").code == "not-found"


def check_changes_of_other_sites_are_refused():
    client = admin()
    bad = [{"Origin": "https://evil.example"}, {"Origin": "https://[::1]"}, {"Origin": "https://%s.evil.example" % ADDRESS},
           {"Origin": "https://%s:444" % ADDRESS}, {"Origin": ""}, {"Origin": "null"}, {"Origin": "http://" + ADDRESS},
           {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}]
    for headers in bad:
        answer = client.post("/api/v1/confirm", **headers)
        assert answer.status == 403, headers
        assert Client().post("/api/v1/session", {"password": "x" * 12}, **headers).status == 403
    good = {"Origin": "https://" + ADDRESS, "Sec_Fetch_Site": "same-origin"}
    assert client.post("/api/v1/confirm", **good).status == 404  # nothing waits


def check_a_change_takes_the_sessions_own_csrf_token():
    client, other = admin(), admin("192.168.77.12")
    for token in (None, "", "x", other.csrf, client.csrf[:-1], client.csrf + "x", client.cookie):
        answer = client.ask("PATCH", "/api/v1/config", {"values": {"passthrough.pptp": "off"}}, X_CSRF_Token=token)
        assert answer.status == 403, token
    assert client.get("/api/v1/config").json["settings"]["passthrough"]["pptp"] == "on"


def check_the_body_has_to_be_json():
    client = admin()
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "application/jsonp", None):
        answer = client.ask("PATCH", "/api/v1/config", raw=b'{"values":{"passthrough.pptp":"off"}}', Content_Type=kind)
        assert answer.status == 415, kind
    for text in (b"", b"[]", b"{", b'"x"', b"\xff", b'{"a":1,"a":2}', b"[" * 5000):
        answer = client.ask("PATCH", "/api/v1/config", raw=text, Content_Type="application/json")
        assert answer.status == 400, text


def check_no_state_changes_by_get():
    client = admin()
    for path in ("setup", "password", "forwards", "confirm", "rollback", "restart"):
        answer = client.get("/api/v1/" + path)
        assert answer.status == 405 and "GET" not in answer.headers["Allow"], path


def check_every_answer_has_the_headers():
    client = admin()
    for answer in (client.get("/"), client.get("/api/v1/status"), Client().get("/api/v1/status"),
                   client.get("/nothing"), client.get("/", Host="evil.example")):
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "http" not in policy and "*" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Strict-Transport-Security"] is None
        assert answer.headers["Access-Control-Allow-Origin"] is None
        assert answer.headers["Server"] is None


def check_the_cookie_is_the_browsers_and_this_hosts_alone():
    client = admin()
    text = Client().log_in().headers["Set-Cookie"]
    assert text.startswith("__Host-wayleave=") and "Domain" not in text
    for word in ("Path=/", "Secure", "HttpOnly", "SameSite=Strict"):
        assert word in text
    assert client.cookie not in str(client.get("/api/v1/session").json)


def tls(lowest, highest):
    context = ssl._create_unverified_context()
    context.minimum_version, context.maximum_version = lowest, highest
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection((ADDRESS, 443), 10) as raw, context.wrap_socket(raw) as secure:
        return secure.version()


def check_tls_1_2_and_1_3_and_nothing_older():
    version = ssl.TLSVersion
    assert tls(version.TLSv1_2, version.TLSv1_2) == "TLSv1.2"
    assert tls(version.TLSv1_3, version.TLSv1_3) == "TLSv1.3"
    for old in (version.TLSv1, version.TLSv1_1):
        try:
            seen = tls(old, old)
        except (ssl.SSLError, ConnectionError):
            continue
        raise AssertionError(seen)


def check_tls_is_not_negotiated_anew():
    """A client that asks for it, again and again, would cost a handshake each time: it is cut off."""
    with subprocess.Popen(["ip", "netns", "exec", NAME + "-a", "openssl", "s_client", "-tls1_2", "-connect", ADDRESS + ":443"],
                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as client:
        client.stdin.write(b"R\n")
        client.stdin.flush()
        client.wait(20)
        said = client.stderr.read()
    assert said.count(b"RENEGOTIATING") == 1 and b"verify" not in said.split(b"RENEGOTIATING")[1], said
    assert Client().get("/api/v1/session").status == 200


def refused(address, port):
    try:
        socket.create_connection((address, port), 0.4).close()
    except OSError:
        return True
    return False


def raw(text):
    """What comes back for these bytes, until the gateway ends the connection or is idle."""
    context = ssl._create_unverified_context()
    with socket.create_connection((ADDRESS, 443), 10) as plain, context.wrap_socket(plain) as secure:
        secure.sendall(text)
        secure.settimeout(2)
        answer = b""
        try:
            while piece := secure.recv(65536):
                answer += piece
        except TimeoutError:
            pass
        return answer


def check_a_request_is_not_hidden_in_another_ones_body():
    inner = b"GET /api/v1/session HTTP/1.1\r\nHost: %s\r\n\r\n" % ADDRESS.encode()
    for name in (b"Content-Length ", b"Content-Length\t", b"Content Length", b"\x80", b"a\"b", b"a(b"):
        answer = raw(b"POST /api/v1/session HTTP/1.1\r\nHost: %s\r\n%s: %d\r\n\r\n%s" % (
            ADDRESS.encode(), name, len(inner), inner))
        assert answer.count(b"HTTP/1.1 ") == 1 and answer.startswith(b"HTTP/1.1 400"), (name, answer[:300])


def check_a_path_without_a_slash_does_not_change_the_redirects_host():
    for path in (b".evil.example/", b"@evil.example/", b":444/"):
        with socket.create_connection((ADDRESS, 80), 10) as plain:
            plain.sendall(b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (path, ADDRESS.encode()))
            answer = b""
            while piece := plain.recv(65536):
                answer += piece
        assert b"evil" not in answer.split(b"\r\n\r\n")[0] and b":444" not in answer, answer


def check_the_page_is_on_the_lans_that_are_named():
    assert Client().get("/api/v1/session").status == 200
    console("set", "web.interfaces", "lan0")
    enter("b")
    try:
        until(lambda: refused("192.168.78.1", 443) and refused("192.168.78.1", 80))
    finally:
        enter("a")
    assert Client().get("/api/v1/session").status == 200
    assert "none of lan.interfaces" in console("set", "web.interfaces", "wan0", fails=True)
    assert "none of lan.interfaces" in console("set", "web.interfaces", "lan0,lan", fails=True)
    console("set", "web.interfaces", "")
    enter("b")
    try:
        until(lambda: not refused("192.168.78.1", 443))
    finally:
        enter("a")


def check_nothing_answers_outside():
    enter("w")
    try:
        for address in ("203.0.113.1", "192.168.77.1", "192.168.78.1"):
            assert refused(address, 443) and refused(address, 80), address
    finally:
        enter("a")


def check_each_lan_has_its_own_address():
    enter("b")
    try:
        assert Client("192.168.78.2", "192.168.78.1").get("/api/v1/session").status == 200
        assert refused("192.168.77.1", 443)  # bound to its interface
    finally:
        enter("a")
