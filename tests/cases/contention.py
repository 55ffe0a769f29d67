# SPDX-License-Identifier: GPL-2.0-or-later
"""Two processors see first packets of the same inside socket at the same moment."""
from packets import A, B, E, LAN0, S, T, WAN, quick
from rows import case

ROUNDS = 200


def port_of(frame):
    return int.from_bytes(frame[34:36], "big")


def race(g, first, second):
    """Both frames pass: who loses uses what the other one has made. The ports that they leave with."""
    answers, counters = g.race("inside", LAN0, first, second)
    verdicts = [verdict for verdict, _ in answers]
    assert set(verdicts) == {"forward"}, (verdicts, counters)
    assert "insert_race" not in counters, counters
    return {port_of(frame) for _, frame in answers}


def begin(g):
    """Room, and the records that all rounds have in common."""
    g.config(sessions_per_host=100000, mappings_per_host=100000)
    for host in (A, B):
        for remote in (S, T):
            g.quick(quick(host, 9999, remote, 53))
    return [len(g.records(kind)) for kind in ("mapping_external", "mapping_inside", "orig", "reply")]


def rounds(g, frames, sessions):
    """frames(socket): the two that race. One mapping with one port each time, and no session twice."""
    before = begin(g)
    for socket in range(10000, 10000 + ROUNDS):
        ports = race(g, *frames(socket))
        assert ports == {socket}, (socket, ports)
    counts = [len(g.records(kind)) for kind in ("mapping_external", "mapping_inside", "orig", "reply")]
    made = [now - then for now, then in zip(counts, before)]
    assert made == [ROUNDS, ROUNDS, sessions, sessions], made


@case(only=("tc", "xdp"))
def one_mapping_for_two_remotes(g):
    """RFC 4787 REQ-1: UDP to two remotes at once: one external port"""
    rounds(g, lambda socket: (quick(A, socket, S, 53), quick(A, socket, T, 53)), 2 * ROUNDS)


@case(only=("tc", "xdp"))
def one_session_for_one_remote(g):
    """The same packet twice at once: one session"""
    rounds(g, lambda socket: (quick(A, socket, S, 53),) * 2, ROUNDS)


@case(only=("tc", "xdp"))
def one_mapping_for_tcp(g):
    """RFC 5382 REQ-1: two SYNs at once"""
    rounds(g, lambda socket: (quick(A, socket, S, 80, 6), quick(A, socket, T, 80, 6)), 2 * ROUNDS)


@case(only=("tc", "xdp"))
def a_port_has_one_owner(g):
    """RFC 4787 REQ-3: two hosts with the same source port at once: each keeps a port of its own"""
    begin(g)
    owners = {}
    for socket in range(10000, 10000 + ROUNDS):
        race_of = (quick(A, socket, S, 53), quick(B, socket, S, 53))
        race(g, *race_of)
        for host, data in zip((A, B), race_of):
            port = g.quick(data)[1]
            assert owners.setdefault(port, (host, socket)) == (host, socket), (port, owners[port], host)
    assert len(owners) == 2 * ROUNDS


@case(only=("tc", "xdp"))
def remote_and_inside_begin_together(g):
    """An answer that comes while the same session begins finds one mapping"""
    mappings = begin(g)[0]
    for socket in range(10000, 10000 + ROUNDS):
        remote = "203.0.113.%d" % (100 + socket % 100)  # one alone may not begin so many
        g.quick(quick(A, socket, remote, 53))
        first, second = quick(remote, 99, E, socket), quick(remote, 98, E, socket)
        answers, counters = g.race("outside", WAN, first, second)
        assert {verdict for verdict, _ in answers} == {"forward"}, (answers, counters)
    assert len(g.records("mapping_external")) == mappings + ROUNDS


@case(only=("tc", "xdp"))
def a_host_and_its_next_hops_are_new(g):
    """Host, station, quota and next hops are made by two at once: both packets pass, and each counts once"""
    for _ in range(ROUNDS // 4):
        g.reset()
        for host in (A, B):
            race(g, quick(host, 9999, S, 53), quick(host, 9999, T, 53))
        counts = [len(g.records(kind)) for kind in ("host", "mapping_external", "orig")]
        assert counts == [2, 2, 4], counts
        stations = g.records("station")
        assert sum(station["hosts"] for station in stations) == 2, stations
        assert sum(station["sessions"] for station in stations) == 4, stations
