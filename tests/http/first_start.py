# SPDX-License-Identifier: GPL-2.0-or-later
"""No default password, and none but who has the console's code sets the first one."""
import hashlib
import os
import re
import ssl
import stat
import subprocess

import qr
from gateway import ADDRESS, DIR, PASSWORD, TOP, Client, console, log, until

SCREEN = DIR + "/run/setup.issue"


def fingerprint():
    """Of what the page's port really shows."""
    shown = hashlib.sha256(ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((ADDRESS, 443)))).hexdigest().upper()
    return ":".join(shown[i:i + 2] for i in range(0, 64, 2))


def browser(**headers):
    return Client(port=80, tls=False).get("/", Accept="text/html,*/*;q=0.8", **headers)


def screen():
    with open(SCREEN) as handle:
        return handle.read()


def printed(*words):
    return subprocess.run([TOP + "/build/wayleave", "-r", DIR + "/run", "setup", *words], capture_output=True,
                          text=True, check=True).stdout


def check_listens_on_the_lan_and_says_where():
    until(lambda: "the page is at https://%s" % ADDRESS in log())
    assert console("setup")["addresses"] == ["https://192.168.77.1", "https://192.168.78.1"]


def check_http_only_sends_to_https():
    answer = Client(port=80, tls=False).get("/x?y=1")
    assert answer.status == 308 and answer.headers["Location"] == "https://192.168.77.1/x", answer.headers
    assert Client(port=80, tls=False).get("/", Host="evil.example").status == 421
    assert Client(port=80, tls=False).post("/api/v1/session", {"password": "x"}).status == 308


def check_a_browser_on_http_is_told_of_the_warning_first():
    answer, text = browser(), browser().body.decode()
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert 'href="https://192.168.77.1/"' in text and "Your browser will warn you" in text
    assert fingerprint() in text and fingerprint().replace(":", "").lower() in text
    assert "above the login prompt" in text
    assert browser(Host="evil.example").status == 421


def check_that_page_has_no_script_no_cookie_and_a_strict_policy():
    answer = browser()
    policy, text = answer.headers["Content-Security-Policy"], answer.body.decode()
    style = ssl.base64.b64encode(hashlib.sha256(re.search("<style>(.*)</style>", text, re.S)[1].encode()).digest())
    assert policy == ("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; "
                      "frame-ancestors 'none'" % style.decode()), policy
    assert "<script" not in text and "<form" not in text and answer.headers["Set-Cookie"] is None
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Frame-Options"] == "DENY"
    link = Client(port=80, tls=False).get("/a%22%3E%3Cscript%3Ex%26", Accept="text/html").body.decode()
    assert "<script" not in link and 'href="https://192.168.77.1/"' in link


def check_that_page_speaks_german_to_who_prefers_it():
    for languages, german in (("de-AT,de;q=0.9,en;q=0.8", True), ("en-GB,de;q=0.5", False), ("fr, de", True),
                              ("der", False), ("", False)):
        text = browser(**{"Accept-Language": languages}).body.decode()
        assert ('lang="de"' in text and "Ihr Browser wird warnen" in text) == german, languages


def check_the_console_says_where_what_and_the_code():
    setup, text = console("setup"), printed()
    assert setup["fingerprint"] == fingerprint()
    assert setup["code"] in text and fingerprint()[:47] in text and fingerprint()[48:] in text
    assert "\u2588" not in text and "The code works once" in text


def check_the_qr_code_leads_to_the_page_with_the_code_where_no_server_sees_it():
    text = printed("--qr")
    code = text.split("For a phone on this network:\n")[1]
    assert qr.read(code) == "https://192.168.77.1/#/setup/" + console("setup")["code"]


def check_the_login_screen_shows_it_to_root_alone():
    setup, mode = console("setup"), os.stat(SCREEN)
    assert stat.S_IMODE(mode.st_mode) == 0o600 and mode.st_uid == 0
    for part in (setup["code"], setup["addresses"][0], setup["addresses"][1], fingerprint()[:47], fingerprint()[48:]):
        assert part in screen(), part
    assert "\\" not in screen() and max(len(line) for line in screen().splitlines()) < 80


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
    assert not os.path.exists(SCREEN) and "works once" not in printed("--qr")
    assert "above the login prompt" not in browser().body.decode()


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
