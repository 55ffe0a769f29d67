# SPDX-License-Identifier: GPL-2.0-or-later
"""What is live, what is for other programs, and the page's files."""
import gzip
import json
import re
import subprocess

import gateway
from gateway import Client, admin, console, until


class Stream:
    """Server-sent events, one after another."""

    def __init__(self, client):
        self.connection = client.connect()
        self.connection.request("GET", "/api/v1/events", None, client.headers({}))
        self.response = self.connection.getresponse()

    def next(self):
        event = {}
        while True:
            line = self.response.readline()
            if not line:
                return None
            line = line.decode().rstrip("\n")
            if not line and "data" in event:
                return event["event"], json.loads(event["data"])
            if ": " in line:
                name, value = line.split(": ", 1)
                event[name] = value

    def ended(self):
        while True:
            if self.next() is None:
                return True

    def close(self):
        self.connection.close()


def check_events_come():
    stream, seen = Stream(admin()), {}
    assert stream.response.headers["Content-Type"] == "text/event-stream"
    while len(seen) < 3 or len(seen["traffic"]) < 2:
        name, data = stream.next()
        seen.setdefault(name, []).append(data)
    stream.close()
    assert set(seen) == {"traffic", "status", "vpn"}
    assert seen["status"][0]["translating"] and seen["vpn"][0]["items"] == []
    first, second = seen["traffic"][:2]
    assert second["at_ms"] - first["at_ms"] > 500 and {"bytes_in", "bytes_out", "packets_in", "packets_out"} < set(first)


def check_a_stream_ends_with_its_session():
    client = admin("192.168.77.20")
    stream = Stream(client)
    assert stream.next()
    client.ask("DELETE", "/api/v1/session")
    assert stream.ended()


def check_a_stream_ends_with_its_token():
    root = admin()
    made = root.post("/api/v1/tokens", {"name": "stream", "role": "read-only"}).json
    stream = Stream(Client(token=made["token"]))
    assert stream.next()
    root.ask("DELETE", "/api/v1/tokens/" + made["id"])
    assert stream.ended()


def check_at_most_16_streams():
    client = admin()
    streams = [Stream(client) for _ in range(17)]
    assert [s.response.status for s in streams] == [200] * 16 + [429]
    for stream in streams:
        stream.close()

    def free():
        stream = Stream(client)
        stream.close()
        return stream.response.status == 200
    until(free)


def check_tokens_leave_streams_for_the_administrator():
    root = admin()
    made = [root.post("/api/v1/tokens", {"name": "streams %d" % n, "role": "read-only"}).json for n in range(3)]
    streams = [[Stream(Client(token=token["token"])) for _ in range(5)] for token in made]
    assert [s.response.status for s in streams[0]] == [200] * 4 + [429]
    assert [s.response.status for s in streams[1]] == [200] * 4 + [429]
    assert [s.response.status for s in streams[2]] == [429] * 5  # all tokens together
    own = [Stream(root) for _ in range(8)]
    assert [s.response.status for s in own] == [200] * 8
    for token in made:
        root.ask("DELETE", "/api/v1/tokens/" + token["id"])
    for stream in own:
        stream.close()


def check_metrics_have_their_own_switch():
    assert Client().get("/metrics").status == 404
    console("set", "web.metrics", "on")
    answer = Client().get("/metrics", Sec_Fetch_Site="cross-site")
    console("set", "web.metrics", "off")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    line = re.compile(r'^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z]+="[a-z0-9_-]*",?)+\})? \d+)$')
    lines = answer.body.decode().splitlines()
    assert all(line.match(l) for l in lines), [l for l in lines if not line.match(l)]
    assert "wayleave_up 1" in lines and any(l.startswith("wayleave_packets_by_reason_total{") for l in lines)
    assert Client().get("/metrics").status == 404


def check_files_are_gzipped_and_kept():
    client = Client()
    plain, packed = client.get("/api/v1/openapi.yaml"), client.get("/api/v1/openapi.yaml", Accept_Encoding="br, gzip")
    assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.body) == plain.body
    again = client.get("/api/v1/openapi.yaml", If_None_Match=plain.headers["ETag"])
    assert again.status == 304 and not again.body
    assert client.get("/api/v1/openapi.yaml", If_None_Match='"other"').status == 200


def check_the_first_view_is_small():
    client = Client()
    page = client.get("/")
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    parts = re.findall(r'(?:src|href)="([^"#:]+)"', page.body.decode())
    total = len(client.get("/", Accept_Encoding="gzip").body)
    for part in parts:
        answer = client.get("/" + part.lstrip("/"), Accept_Encoding="gzip")
        assert answer.status == 200, part
        total += len(answer.body)
    assert len(set(parts)) <= 3 and total < 100000, (parts, total)


def check_pages_of_lists():
    client = admin()
    counters = client.get("/api/v1/counters").json
    assert counters["cursor"] == 0 and all({"name", "sentence", "count"} <= set(c) for c in counters["items"])
    one = client.get("/api/v1/audit?limit=1").json
    two = client.get("/api/v1/audit?limit=1&cursor=%d" % one["cursor"]).json
    assert len(one["items"]) == len(two["items"]) == 1 and one["items"] != two["items"]
    for query in ("limit=0", "limit=1001", "limit=x", "cursor=-1", "inside=300.1.1.1", "limit=99999999999999999999"):
        assert client.get("/api/v1/sessions?" + query).status == 400, query


def check_version():
    version = admin().get("/api/v1/version").json
    assert version["version"] == console("status")["version"]
    if "candidate" in version:
        assert isinstance(version["newer"], bool) and version["checked_at"].endswith("Z")


def check_language():
    client = admin()
    assert client.ask("PATCH", "/api/v1/config", {"values": {"web.language": "de"}}).status == 200
    assert Client().get("/api/v1/session").json["language"] == "de"
    client.ask("PATCH", "/api/v1/config", {"values": {"web.language": "auto"}})


PHONE, LEFT = "192.168.77.70", []


def phone_address(action):
    subprocess.run(["ip", "-n", gateway.NAME + "-a", "addr", action, PHONE + "/24", "dev", "eth0"], check=True)


def phone_connections():
    return subprocess.run(["ip", "netns", "exec", gateway.NAME + "-g", "ss", "-Htn", "state", "established", "dst", PHONE],
                          capture_output=True, text=True, check=True).stdout


def phone_leave():
    """Opens streams and is gone, once; its time runs while other checks do."""
    if LEFT:
        return
    phone_address("add")
    client = admin(PHONE)
    LEFT.extend(Stream(client) for _ in range(3))
    assert phone_connections().count("\n") == 3
    phone_address("del")


def check_a_phone_leaves_in_the_middle_of_its_streams():
    phone_leave()
    assert phone_connections()
