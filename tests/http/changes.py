# SPDX-License-Identifier: GPL-2.0-or-later
"""Settings, port forwards, backup, history, and the audit log that tells of them."""
import json
import os
import random

import gateway
from gateway import Client, FullDisk, Traffic, admin, console

HOSTILE = ["$(reboot)", "; reboot", "`id`", "a%0ab", "<svg onload=alert(1)>", "\"'><script>", "../../etc/passwd", "x\ny",
           "\u202egnp", "{{7*7}}", "%n%s%x", "A" * 300, "\u0000", "name: evil\nwan: {interface: lo}"]


def settings():
    with open(gateway.DIR + "/settings.yaml") as handle:
        return handle.read()


def switch(client, **values):
    return client.ask("PATCH", "/api/v1/config", {"values": {"passthrough." + k: v for k, v in values.items()}})


def check_several_switches_are_one_change():
    client = admin()
    before = len(client.get("/api/v1/config").json["generations"])
    assert switch(client, pptp="off", l2tp="nat-only").json == {"confirm_within_s": 0}
    state = client.get("/api/v1/status").json["passthrough"]
    assert state == {"pptp": "off", "l2tp": "nat-only", "ipsec": "on"}
    assert len(client.get("/api/v1/config").json["generations"]) in (before + 1, 10)
    assert console("status")["passthrough"] == state


def check_all_or_nothing():
    client, before = admin(), settings()
    answer = switch(client, ipsec="off", pptp="maybe")
    assert answer.status == 400 and answer.json["error"]["field"] == "passthrough.pptp"
    answer = client.ask("PATCH", "/api/v1/config", {"values": {"passthrough.ipsec": "off", "no.such": "1"}})
    assert answer.status == 404 and settings() == before
    assert client.get("/api/v1/status").json["passthrough"]["ipsec"] == "on"


def check_rollback():
    client = admin()
    switch(client, pptp="on", l2tp="on")
    switch(client, pptp="off")
    assert client.post("/api/v1/rollback", {"steps": 1}).status == 200
    assert client.get("/api/v1/status").json["passthrough"]["pptp"] == "on"
    assert client.post("/api/v1/rollback", {"steps": 99}).status == 404


def check_a_change_can_wait_for_confirmation():
    client = admin()
    answer = client.ask("PATCH", "/api/v1/config", {"values": {"timeouts.udp": "301"}, "confirm": True})
    assert 0 < answer.json["confirm_within_s"] <= 60
    assert switch(client, pptp="off").status == 409
    assert client.post("/api/v1/confirm").json == {"confirm_within_s": 0}
    before = client.get("/api/v1/config").json["generations"]
    client.ask("PATCH", "/api/v1/config", {"values": {"timeouts.udp": "302"}, "confirm": True})
    assert client.post("/api/v1/rollback").status == 200
    # as if it had not been: the next step back goes to what was before it
    assert client.get("/api/v1/config").json["generations"][:9] == before[:9]
    assert client.get("/api/v1/config").json["settings"]["timeouts"]["udp"] == 301


def check_port_forwards():
    client = admin()
    forward = {"protocol": "tcp", "port": 8080, "to": "192.168.77.2", "name": "web/cam #1"}
    assert client.post("/api/v1/forwards", {"forward": forward}).status == 200
    assert client.post("/api/v1/forwards", {"forward": forward}).status == 400
    assert client.post("/api/v1/forwards", {"forward": dict(forward, port=0, name="x")}).json["error"]["field"] == "port"
    names = [f["name"] for f in client.get("/api/v1/config").json["settings"]["port_forwards"]]
    assert names == ["web/cam #1"]
    # a name with a slash is no path of ours; its position is
    assert client.ask("DELETE", "/api/v1/forwards/2").status == 404
    assert client.ask("DELETE", "/api/v1/forwards/1").status == 200
    client.post("/api/v1/forwards", {"forward": dict(forward, name="cam")})
    assert client.ask("DELETE", "/api/v1/forwards/cam").status == 200


def check_a_forward_that_could_not_work_is_refused():
    client, before = admin(), settings()
    for to, why in (("192.168.77.1", "this gateway itself"), ("203.0.113.1", "this gateway itself"),
                    ("203.0.113.77", "on no LAN"), ("192.168.77.255", "not the address of one device")):
        answer = client.post("/api/v1/forwards", {"forward": {"protocol": "tcp", "port": 443, "to": to}})
        assert answer.status == 400 and why in answer.json["error"]["message"], (to, answer.body)
        assert answer.json["error"]["field"].endswith(".to")
    assert settings() == before


def check_a_dry_run_changes_nothing_and_says_whom_it_cuts_off():
    client = admin()
    config = lambda: client.get("/api/v1/config").json["settings"]
    before = config()
    answer = client.ask("PATCH", "/api/v1/config", {"values": {"passthrough.pptp": "nat-only", "web.enabled": "off"}, "dry_run": True})
    assert answer.status == 200 and answer.json["dry_run"], answer.body
    assert "web.enabled: on -> off" in answer.json["difference"]
    assert "This browser is cut off" in answer.json["you"] and answer.json["cuts"] == []
    answer = client.ask("PATCH", "/api/v1/config", {"values": {"web.interfaces": "lan1"}, "dry_run": True})
    assert "no page on lan0" in answer.json["you"], answer.body
    answer = client.ask("PATCH", "/api/v1/config", {"values": {"timeouts.udp": "5"}, "dry_run": True})
    assert answer.status == 400
    client.post("/api/v1/forwards", {"forward": {"protocol": "tcp", "port": 81, "to": "192.168.77.2", "name": "dry"}})
    assert client.ask("DELETE", "/api/v1/forwards/dry?dry_run=true").json["difference"]
    assert client.ask("PUT", "/api/v1/backup?dry_run=true", client.get("/api/v1/backup").json).json["dry_run"]
    assert client.post("/api/v1/rollback", {"steps": 1, "dry_run": True}).json["difference"]
    assert client.ask("DELETE", "/api/v1/forwards/dry").status == 200
    assert config() == before


def check_hostile_text_stays_text():
    client = admin()
    for text in HOSTILE:
        forward = {"protocol": "udp", "port": 9000, "to": "192.168.77.2", "name": text}
        answer = client.post("/api/v1/forwards", {"forward": forward})
        assert answer.headers["Content-Type"] == "application/json"
        if answer.status != 200:
            assert answer.status == 400, (text, answer.status)
            continue
        kept = client.get("/api/v1/config").json["settings"]["port_forwards"]
        assert [f["name"] for f in kept] == [text]
        assert console("show", "config")["settings"]["port_forwards"][0]["name"] == text
        assert client.ask("DELETE", "/api/v1/forwards/1").status == 200
    for text in HOSTILE:
        for name in ("web.names", "dataplane", "timeouts.udp", "passthrough.pptp"):
            answer = client.ask("PATCH", "/api/v1/config", {"values": {name: text}})
            assert answer.status == 400, (name, text, answer.status)


def check_the_page_points_the_daemon_at_no_file():
    client, before = admin(), settings()
    for name in ("web.certificate", "web.key", "run_dir", "state_dir", "control_group"):
        answer = client.ask("PATCH", "/api/v1/config", {"values": {"passthrough.pptp": "off", name: "/etc/shadow"}})
        assert answer.status == 403 and answer.json["error"]["field"] == name, answer.body
    assert settings() == before
    backup = client.get("/api/v1/backup").json
    backup["settings"]["web"].update(certificate="/etc/shadow", key="/etc/shadow")
    backup["settings"].update(state_dir="/etc", run_dir="/etc", control_group="games")
    assert client.ask("PUT", "/api/v1/backup", backup).status == 200
    now = client.get("/api/v1/config").json["settings"]
    assert now["web"]["certificate"] is None and now["state_dir"] is None and now["control_group"] is None
    assert now["run_dir"] == gateway.DIR + "/run"


def check_backup_comes_back():
    client = admin()
    switch(client, pptp="nat-only")
    client.post("/api/v1/forwards", {"forward": {"protocol": "tcp", "port": 81, "to": "192.168.77.2", "name": "kept"}})
    backup = client.get("/api/v1/backup").json
    assert backup["wayleave_backup"] == 1 and not {"password", "tokens", "key"} & set(backup)
    assert "argon2" not in json.dumps(backup) and "PRIVATE" not in json.dumps(backup)
    switch(client, pptp="on")
    client.ask("DELETE", "/api/v1/forwards/kept")
    assert client.ask("PUT", "/api/v1/backup", backup).status == 200
    now = client.get("/api/v1/config").json["settings"]
    assert now == backup["settings"] and now["port_forwards"][0]["name"] == "kept"
    client.ask("DELETE", "/api/v1/forwards/kept")
    switch(client, pptp="on")


def check_a_large_backup_fits_and_a_larger_one_does_not():
    client = admin()
    backup = client.get("/api/v1/backup").json
    plain = dict(backup["settings"])
    backup["settings"] = dict(plain, port_forwards=[{"protocol": "tcp", "port": 20000 + i, "to": "192.168.77.2",
                                                      "name": "forward number %d" % i} for i in range(1500)])
    assert client.ask("PUT", "/api/v1/backup", backup).status == 200
    assert len(client.get("/api/v1/config").json["settings"]["port_forwards"]) == 1500
    backup["settings"] = plain
    assert client.ask("PUT", "/api/v1/backup", backup).status == 200
    assert client.ask("PUT", "/api/v1/backup", raw=b"{" + b" " * 1100000, Content_Type="application/json").status == 413
    assert client.ask("POST", "/api/v1/forwards", raw=b"{" + b" " * 20000, Content_Type="application/json").status == 413


def mutant(text, rng):
    """Cut, doubled, or with other bytes."""
    data = bytearray(text)
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data[place] = rng.randrange(256)
        elif kind == 1:
            del data[place:place + rng.randint(1, 40)]
        elif kind == 2:
            data[place:place] = data[place:place + rng.randint(1, 40)]
        else:
            data[place:place] = rng.choice([b"null", b"-1", b"[]", b"{}", b'""', b"1e999", b"\\u0000", b"99999999999"])
        if not data:
            break
    return bytes(data)


def check_mutated_uploads_change_all_or_nothing():
    client, rng = admin(), random.Random(5)
    backup = client.get("/api/v1/backup").json
    backup["settings"]["port_forwards"] = [{"protocol": "tcp", "port": 90, "to": "192.168.77.2"}]
    text, pid = json.dumps(backup).encode(), gateway.web_pid()
    for _ in range(60):
        before = settings()
        answer = client.ask("PUT", "/api/v1/backup", raw=mutant(text, rng), Content_Type="application/json")
        assert answer.status in (200, 400, 409), answer.status
        assert answer.status == 200 or settings() == before
    backup["settings"]["port_forwards"] = []
    assert client.ask("PUT", "/api/v1/backup", backup).status == 200
    assert gateway.web_pid() == pid and os.path.exists("/proc/%d" % gateway.GATEWAY)


def check_a_full_disk_refuses_changes_and_nothing_else():
    client = admin()
    switch(client, l2tp="nat-only")
    before, tokens, file = client.get("/api/v1/config").json, client.get("/api/v1/tokens").json, settings()
    with FullDisk(), Traffic():
        answer = switch(client, ipsec="off")
        assert answer.status == 500 and "No space left" in answer.json["error"]["message"], answer.body
        assert client.post("/api/v1/forwards", {"forward": {"protocol": "tcp", "port": 82, "to": "192.168.77.2"}}).status == 500
        assert client.post("/api/v1/rollback", {"steps": 1}).status == 500
        assert client.post("/api/v1/tokens", {"name": "full", "role": "admin"}).status == 500
        assert client.ask("PUT", "/api/v1/password", {"old": gateway.PASSWORD, "new": gateway.PASSWORD + "!"}).status == 500
        assert client.get("/api/v1/config").json == before and settings() == file
        assert client.get("/api/v1/status").json["passthrough"]["ipsec"] == "on"
        assert Client().log_in(gateway.PASSWORD + "!").status == 401
        assert Client().log_in().status == 200
        assert client.get("/api/v1/audit?limit=1").json["items"][0]["action"] == "login"
    assert switch(client, l2tp="on").status == 200
    assert client.get("/api/v1/tokens").json == tokens
    console("setup", "unlock")


def check_the_audit_log_says_who_what_when():
    client = admin()
    token = client.post("/api/v1/tokens", {"name": "night job", "role": "admin"}).json["token"]
    switch(Client("192.168.77.15", token=token), pptp="off")
    console("set", "passthrough.pptp", "on")
    Client("192.168.77.16").post("/api/v1/session", {"password": "wrong password"})
    items = client.get("/api/v1/audit?limit=3").json["items"]
    assert items[0]["action"] == "login" and items[0]["result"] == "wrong" and items[0]["source"] == "192.168.77.16"
    assert items[1]["who"] == "uid 0" and items[1]["what"] == "passthrough.pptp: off -> on"
    assert items[2]["who"] == "token night job" and items[2]["source"] == "192.168.77.15"
    assert items[2]["what"] == "passthrough.pptp: on -> off" and items[2]["result"] == "ok"
    with open(gateway.DIR + "/run/audit.jsonl") as handle:
        last = json.loads(handle.read().splitlines()[-1])
    assert last == items[0]
    console("setup", "unlock")
