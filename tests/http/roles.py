# SPDX-License-Identifier: GPL-2.0-or-later
"""http/openapi.yaml against the running server: every route, every method, every role."""
import gateway
import yaml
from gateway import Client, admin

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD", "PROPFIND", "CONNECT"]
ROLES = ["public", "read-only", "admin"]
# what a right request without effect gives: not the guard's 401 and 403
HARMLESS = {"POST /api/v1/restart": {"what": "nothing"}, "POST /api/v1/rollback": {"steps": 999},
            "PUT /api/v1/backup": {}, "PATCH /api/v1/config": {"values": {}}}


def description():
    with open(gateway.TOP + "/http/openapi.yaml") as handle:
        return yaml.safe_load(handle)


def operations():
    for path, item in description()["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def concrete(path):
    return path.replace("{key}", "none-of-this-name").replace("{id}", "none")


def clients():
    root = admin()
    made = {role: root.post("/api/v1/tokens", {"name": "roles " + role, "role": role}).json for role in ROLES[1:]}
    yield "public", lambda: Client()
    for role in ROLES[1:]:
        yield role, lambda role=role: Client(token=made[role]["token"])
    for token in made.values():
        assert root.ask("DELETE", "/api/v1/tokens/" + token["id"]).status == 204


def first_answer(client, method, path):
    """Streams never end: their status line is enough."""
    if path == "/api/v1/events":
        connection = client.connect()
        connection.request(method, path, None, client.headers({}))
        status = connection.getresponse().status
        connection.close()
        return status, None
    answer = client.ask(method, concrete(path), HARMLESS.get("%s %s" % (method, path), {} if method != "GET" else None))
    return answer.status, answer


def check_all_routes_times_all_roles():
    for role, client in clients():
        for method, path, operation in operations():
            status, _ = first_answer(client(), method, path)
            where = "%s %s as %s: %d" % (method, path, role, status)
            if ROLES.index(role) >= ROLES.index(operation["x-role"]):
                assert status not in (403,) and (status != 401 or path == "/api/v1/session"), where
                assert status < 500, where
            else:
                assert status == (401 if role == "public" else 403), where


def check_answers_are_those_described():
    client = Client(token=admin().post("/api/v1/tokens", {"name": "shapes", "role": "admin"}).json["token"])
    for method, path, operation in operations():
        status, answer = first_answer(client, method, path)
        described = operation["responses"]
        known = {str(status)} & (set(described) | {"400", "401", "403", "404", "409", "415"})
        assert known, "%s %s: %d is not described" % (method, path, status)
        if answer is not None and status < 300 and path.startswith("/api/v1/") and not path.endswith("yaml"):
            shape_check(described[str(status)], answer, method + " " + path)


def resolve(node):
    while "$ref" in node:
        target = description()
        for part in node["$ref"].split("/")[1:]:
            target = target[part]
        node = target
    return node


def shape_check(response, answer, where):
    content = resolve(response).get("content")
    if not content:
        assert not answer.body, where
        return
    schema = resolve(content["application/json"]["schema"])
    for name in schema.get("required", []):
        assert name in answer.json, "%s lacks %s" % (where, name)
    for name in schema.get("properties", {}):
        if name in answer.json:
            type_check(resolve(schema["properties"][name]), answer.json[name], where + " " + name)


def type_check(schema, value, where):
    types = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list}
    assert "type" not in schema or isinstance(value, types[schema["type"]]), where
    assert "enum" not in schema or value in schema["enum"], where


def check_no_other_method_answers():
    client, described = admin(), {}
    for method, path, _ in operations():
        described.setdefault(path, set()).add(method)
    for path, methods in described.items():
        for method in set(METHODS) - methods - {"CONNECT"}:
            answer = client.ask(method, concrete(path))
            assert answer.status in (405, 501), "%s %s: %d" % (method, path, answer.status)
            if answer.status == 405:
                assert set(answer.headers["Allow"].split(", ")) == methods, path


def check_no_other_path_answers():
    client = admin()
    for path in ("/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/status", "/api/v1/status/", "/api/v1/statuss",
                 "/api/v1/STATUS", "/api/v1//status", "/api/v1/forwards/a/b", "/api/v1/tokens/", "/index.html/x", "/../etc/passwd",
                 "/%2e%2e/etc/passwd", "/api/v1/../../etc/passwd", "/.git/config", "/web.json", "/metrics/", "//",
                 "/api/v1/status%00", "/api/v1/config;a", "/x" * 500):
        for method in ("GET", "POST", "DELETE"):
            answer = client.ask(method, path)
            assert answer.status in (404, 405), "%s %s: %d" % (method, path, answer.status)


def check_a_read_only_token_sees_no_secret():
    root = admin()
    token = root.post("/api/v1/tokens", {"name": "eyes", "role": "read-only"}).json["token"]
    text = b"".join(Client(token=token).get("/api/v1/" + path).body
                    for path in ("status", "config", "sessions", "vpn", "devices", "counters", "version", "session"))
    with open(gateway.DIR + "/run/web.json") as handle:
        kept = handle.read()
    for secret in (root.cookie, root.csrf, token):
        assert secret.encode() not in text and secret not in kept
    assert b"argon2" not in text and b"PRIVATE KEY" not in text


def check_a_revoked_token_is_dead_at_once():
    root = admin()
    made = root.post("/api/v1/tokens", {"name": "short", "role": "admin"}).json
    assert made["token"].startswith("wl_") and len(made["token"]) == 46
    client = Client(token=made["token"])
    assert client.get("/api/v1/config").status == 200
    listed = [t for t in root.get("/api/v1/tokens").json["items"] if t["id"] == made["id"]]
    assert len(listed) == 1 and "token" not in listed[0] and "hash" not in listed[0]
    root.ask("DELETE", "/api/v1/tokens/" + made["id"])
    assert client.get("/api/v1/config").status == 401
    for bad in ("", "wl_", made["token"][:-1], made["token"] + "x", "x" * 9000):
        assert Client(token=bad).get("/api/v1/config").status == 401


def check_names_and_roles_of_tokens():
    root = admin()
    for name, role in (("", "admin"), ("x" * 65, "admin"), ("a\nb", "admin"), ("ok", "root"), ("ok", None), (5, "admin")):
        assert root.post("/api/v1/tokens", {"name": name, "role": role}).status == 400, (name, role)
