# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions and passwords: what ends them, and what trying wrong ones costs. Idle and absolute
times are tests/unit/test_http_login.c's, which has a clock of its own."""
from gateway import DIR, PASSWORD, Client, admin, console

OTHER = "another long password"


def check_the_session_id_changes_at_login():
    client = Client()
    client.cookie = "A" * 43  # planted
    assert client.log_in().status == 200
    first = client.cookie
    assert first != "A" * 43
    assert client.log_in().status == 200 and client.cookie != first
    old = Client()
    old.cookie = first
    assert old.get("/api/v1/status").status == 401


def check_logout_ends_it_on_the_server():
    client = admin()
    old = Client()
    old.cookie, old.csrf = client.cookie, client.csrf
    answer = client.ask("DELETE", "/api/v1/session")
    assert answer.status == 204 and "Max-Age=0" in answer.headers["Set-Cookie"]
    assert old.get("/api/v1/status").status == 401 and old.post("/api/v1/confirm").status == 401


def check_another_password_ends_all_sessions():
    client, other = admin(), admin()
    assert client.ask("PUT", "/api/v1/password", {"old": "wrong wrong wrong", "new": OTHER}).status == 401
    assert client.ask("PUT", "/api/v1/password", {"old": PASSWORD, "new": "short"}).status == 400
    assert client.ask("PUT", "/api/v1/password", {"old": PASSWORD, "new": OTHER}).status == 204
    assert client.get("/api/v1/status").status == 401 and other.get("/api/v1/status").status == 401
    assert Client().log_in().status == 401
    client = Client()
    assert client.log_in(OTHER).status == 200
    assert client.ask("PUT", "/api/v1/password", {"old": OTHER, "new": PASSWORD}).status == 204
    console("setup", "unlock")


def check_no_other_password_is_right():
    for password in ("", "admin", PASSWORD + " ", PASSWORD[:-1], PASSWORD.upper(), "x" * 4000):
        answer = Client("192.168.77.21").log_in(password)
        assert answer.status == 401, (password, answer.body)
    for password in (None, 5, [], {}, PASSWORD + "\0"):
        assert Client("192.168.77.21").log_in(password).status == 400
    console("setup", "unlock")


def check_ten_wrong_ones_lock_the_source_out():
    assert Client().log_in().status == 200
    source = Client("192.168.77.22")
    answers = [source.log_in("wrong wrong %d" % i) for i in range(11)]
    assert [a.status for a in answers] == [401] * 10 + [429], [a.status for a in answers]
    assert 0 < int(answers[10].headers["Retry-After"]) <= 30
    assert source.log_in().status == 429  # the right one too


def check_and_the_account():
    assert Client("192.168.77.23").log_in().status == 429  # has tried nothing
    assert Client().log_in().status == 200  # has been here before, and ends it for the others
    assert Client("192.168.77.23").log_in().status == 200
    assert Client("192.168.77.22").log_in().status == 429  # not for the one that tried


def check_the_console_unlocks():
    assert Client("192.168.77.22").log_in().status == 429
    console("setup", "unlock")
    assert Client("192.168.77.22").log_in().status == 200


def check_a_forgotten_password_is_reset_at_the_console():
    client = admin()
    code = console("setup", "reset")["code"]
    assert client.get("/api/v1/status").status == 401 and Client().log_in().status == 409
    with open(DIR + "/run/setup.issue") as screen:
        assert code in screen.read()
    assert Client().post("/api/v1/setup", {"code": code, "password": PASSWORD}).status == 200


def check_at_most_32_tokens():
    root = admin()
    made = []
    while True:
        answer = root.post("/api/v1/tokens", {"name": "n%d" % len(made), "role": "read-only"})
        if answer.status != 201:
            break
        made.append(answer.json["id"])
    assert answer.status == 409 and len(root.get("/api/v1/tokens").json["items"]) == 32
    for token in made:
        root.ask("DELETE", "/api/v1/tokens/" + token)
