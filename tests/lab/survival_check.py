#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What survival.sh asks about its runs.

  survival_check.py loss FOLDER [MOST]      packets that each side sent and the other did not get;
                                            exit status 1 when more than MOST (0) are missing
  survival_check.py back FOLDER [SECONDS [KIND]...]  every flow (of these kinds) passes both ways in the last SECONDS (1)
  survival_check.py silence FOLDER MS       no flow is silent for longer than that in one go
  survival_check.py same BEFORE AFTER PORT  the sessions of BEFORE are in AFTER, and what is new is
                                            towards PORT; no external id has two owners
  survival_check.py drops BEFORE AFTER      which counters of dropped packets have moved
  survival_check.py arm                     requests that arm the tunnels of survival_traffic.py
"""
import json
import os
import sys

KEY = ("protocol", "inside", "inside_id", "external", "external_id", "remote", "remote_id")


def load(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return json.load(file)


def gaps(first, end, runs):
    """[first, end) without the runs."""
    at = first
    for begin, stop in runs:
        if begin > at:
            yield at, min(begin, end)
        at = max(at, stop)
        if at >= end:
            return
    if at < end:
        yield at, end


def missing(sender, receiver):
    """(flow, gap, gap's end) of what was sent and did not arrive; a refused packet was not sent."""
    for name, (first, end) in sorted(sender["sent"].items()):
        refused = {tick for tick, _ in sender["refused"].get(name, [])}
        for begin, stop in gaps(first, end, receiver["received"].get(name, [])):
            if not refused.issuperset(range(begin, stop)):
                yield name, begin, stop


def way_report(word, sender, receiver):
    """Packets sent, packets lost; a line per gap."""
    sent = sum(end - first for first, end in sender["sent"].values())
    refused = sum(len(ticks) for ticks in sender["refused"].values())
    lost = 0
    for number, (name, begin, stop) in enumerate(missing(sender, receiver)):
        lost += stop - begin
        if number < 12:
            print("%s %s: %d lost, %.2f s after the start" % (word, name, stop - begin, begin * sender["tick_s"]))
    print("%s: %d sent, %d lost%s" % (word, sent, lost, ", %d refused by the sender's kernel" % refused if refused else ""))
    return sent, lost


def loss(folder, most="0"):
    client, server = load(folder, "client.json"), load(folder, "server.json")
    if client["waiting"]:
        print("never answered: %s" % " ".join(client["waiting"]))
        return 1
    out_sent, out_lost = way_report("to the WAN", client, server)
    in_sent, in_lost = way_report("to the LAN", server, client)
    new_lost = client["new_begun"] - client["new_answered"]
    print("new flows: %d begun, %d answered" % (client["new_begun"], client["new_answered"]))
    print("TCP segments sent again: %d" % (client["retransmits"] + server["retransmits"]))
    return out_lost + in_lost + new_lost > int(most) or not out_sent or not in_sent


def back(folder, seconds="1", *kinds):
    client, server = load(folder, "client.json"), load(folder, "server.json")
    wrong = 0
    for word, sender, receiver in (("to the WAN", client, server), ("to the LAN", server, client)):
        ticks = round(float(seconds) / sender["tick_s"])
        for name, begin, stop in missing(sender, receiver):
            asked = not kinds or name.split("/")[0] in kinds
            if asked and stop > sender["sent"][name][1] - ticks:
                print("%s %s: still silent at the end, since %.2f s" % (word, name, begin * sender["tick_s"]))
                wrong = 1
    return wrong


def silence(folder, milliseconds):
    client, server = load(folder, "client.json"), load(folder, "server.json")
    longest = {}
    for word, sender, receiver in (("to the WAN", client, server), ("to the LAN", server, client)):
        for name, begin, stop in missing(sender, receiver):
            span = round((stop - begin) * sender["tick_s"] * 1000)
            way = "%s %s" % (word, name.split("/")[0])
            longest[way] = max(longest.get(way, 0), span)
    for way, span in sorted(longest.items()):
        print("%s: silent for %d ms" % (way, span))
    return max(longest.values(), default=0) > int(milliseconds)


def keys(path):
    return {tuple(item.get(k) for k in KEY) for item in load(path)}


def owners_twice(found):
    """An external id that two inside sockets have towards one remote."""
    owner = {}
    for protocol, inside, inside_id, external, external_id, *_ in found:
        place, value = (protocol, external, external_id), (inside, inside_id)
        if external_id is not None and owner.setdefault(place, value) != value:
            yield place


def same(before, after, port):
    old, new = keys(before), keys(after)
    gone = old - new
    strange = {key for key in new - old if key[-1] != int(port)}
    twice = list(owners_twice(new))
    for word, found in (("gone", gone), ("unexpected", strange), ("two owners", twice)):
        for key in sorted(found, key=str)[:5]:
            print("%s: %s" % (word, " ".join(str(part) for part in key)))
    print("%d sessions before, %d after" % (len(old), len(new)))
    return bool(gone or strange or twice or not old)


def drops(before, after):
    old = {item["name"]: item for item in load(before)}
    for item in load(after):
        moved = item["count"] - old.get(item["name"], {"count": 0})["count"]
        if item.get("kind") == "drop" and moved:
            print("%s: %d" % (item["name"], moved))


def arm():
    for kind, inside_id, external_id, remote_id in (("esp", 0x1000, 0x1000, 0x2000), ("pptp", 100, 5000, 200)):
        print(json.dumps({"request": "arm", "kind": kind, "inside": "10.0.0.2", "remote": "198.51.100.9", "count": 3,
                          "inside_id": inside_id, "external_id": external_id, "remote_id": remote_id}))


if __name__ == "__main__":
    sys.exit(globals()[sys.argv[1]](*sys.argv[2:]))
