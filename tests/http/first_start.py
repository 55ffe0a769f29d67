# SPDX-License-Identifier: GPL-2.0-or-later
"""No default password, and none but who has the console's code sets the first one."""
import os
import stat

from gateway import ADDRESS, DIR, PASSWORD, TOP, Client, console, log, until


def check_listens_on_the_lan_and_says_where():
    until(lambda: "the page is at https://%s" % ADDRESS in log())
    assert console("setup")["addresses"] == ["https://192.168.77.1", "https://192.168.78.1"]


def check_http_only_sends_to_https():
    answer = Client(port=80, tls=False).get("/x?y=1")
    assert answer.status == 308 and answer.headers["Location"] == "https://192.168.77.1/x", answer.headers
    assert Client(port=80, tls=False).get("/", Host="evil.example").status == 421
    assert Client(port=80, tls=False).post("/api/v1/session", {"password": "x"}).status == 308


def check_nothing_works_before_there_is_a_password():
    client = Client()
    assert client.get("/api/v1/session").json == {"setup_needed": True, "logged_in": False, "language": "auto",
                                                  "name": client.get("/api/v1/session").json["name"]}
    for path in ("status", "config", "backup", "tokens", "vpn"):
        assert client.get("/api/v1/" + path).status == 401
    assert client.post("/api/v1/session", {"password": "admin"}).status == 409


def check_setup_wants_the_code():
    client = Client("192.168.77.10")
    assert client.post("/api/v1/setup", {"code": "AAAA-AAAA", "password": PASSWORD}).status == 401
    assert client.post("/api/v1/setup", {"password": PASSWORD}).status == 400


def check_other_hosts_wrong_codes_hold_nobody_up():
    before = console("setup")["code"]
    for i in range(10):
        answers = [Client("192.168.77.%d" % (11 + i)).post("/api/v1/setup", {"code": "BBBB-BBBB", "password": PASSWORD})
                   for _ in range(2)]
        assert [answer.status for answer in answers] == [401, 401]
    for i in range(11):
        answer = Client("192.168.77.40").post("/api/v1/setup", {"code": "BBBB-BBBB", "password": PASSWORD})
        assert answer.status == (429 if i == 10 else 401), (i, answer.status)
    assert Client().post("/api/v1/setup", {"code": "CCCC-CCCC", "password": PASSWORD}).status == 401
    assert console("setup")["code"] == before
    console("setup", "unlock")
    assert Client("192.168.77.40").post("/api/v1/setup", {"code": "BBBB-BBBB", "password": PASSWORD}).status == 401


def check_setup_wants_a_password_of_twelve():
    code = console("setup")["code"]
    for password in ("", "short", "elevenchars", "x" * 257, "ääääää", None, 5):
        answer = Client().post("/api/v1/setup", {"code": code, "password": password})
        assert answer.status == 400 and answer.json["error"]["field"] == "password", password


def check_the_code_sets_it_once():
    client, code = Client(), console("setup")["code"]
    answer = client.post("/api/v1/setup", {"code": code.lower().replace("-", " "), "password": PASSWORD})
    assert answer.status == 200 and answer.json["logged_in"] and answer.json["role"] == "admin", answer.body
    assert Client().post("/api/v1/setup", {"code": code, "password": PASSWORD}).status == 409
    assert "code" not in console("setup") and console("setup")["password_set"]
    assert client.get("/api/v1/status").json["translating"]


def check_secrets_are_roots_alone_and_hashed():
    path = DIR + "/run/web.json"
    mode = os.stat(path)
    assert stat.S_IMODE(mode.st_mode) == 0o600 and mode.st_uid == 0
    with open(path) as handle:
        text = handle.read()
    assert PASSWORD not in text and "$argon2id$" in text and "BEGIN PRIVATE KEY" in text
    assert PASSWORD not in log()


def check_the_program_has_no_key_in_it():
    with open(TOP + "/build/wayleaved", "rb") as handle:
        assert b"BEGIN PRIVATE KEY" not in handle.read()
