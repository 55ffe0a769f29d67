#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks the page for a restart, as its browser would.

page_restart.py ADDRESS SOURCE CODE services|machine
    CODE is what `wayleave setup` shows, or anything once there is a password
"""
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "http"))
# what the client does not need: the gateway is somebody else's
os.environ.update(WH_NAME="", WH_DIR="", WH_TOP=TOP, WH_GATEWAY="0")
from gateway import Client, PASSWORD  # noqa: E402


def logged_in(address, source, code):
    client = Client(source, address)
    if client.get("/api/v1/session").json["setup_needed"]:
        answer = client.post("/api/v1/setup", {"code": code, "password": PASSWORD})
    else:
        answer = client.log_in()
    assert answer.status == 200, answer.body
    return client


def restart(client, what):
    answer = client.post("/api/v1/restart", {"what": what})
    if answer.status == 202:
        answer = client.post("/api/v1/restart", {"what": what, "confirmation": answer.json["confirmation"]})
    print(answer.status, answer.body.decode())
    return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    ADDRESS, SOURCE, CODE, WHAT = sys.argv[1:]
    sys.exit(restart(logged_in(ADDRESS, SOURCE, CODE), WHAT))
