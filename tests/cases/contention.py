# SPDX-License-Identifier: GPL-2.0-or-later
"""Two processors see first packets of the same inside socket at the same moment."""
from packets import A, B, E, LAN0, S, T, WAN, quick
from rows import case

ROUNDS = 200


def port_of(frame):
    return int.from_bytes(frame[34:36], "big")


def race(g, first, second):
    """Both frames, and both once more: what lost is counted, and the sender repeats it. The ports.

    Both may lose: each half of a session is won by itself, and who has won one only gives it back.
    """
    answers, counters = g.race("inside", LAN0, first, second)
    verdicts = [verdict for verdict, _ in answers]
    lost = counters.get("insert_race", (0,))[0]
    assert set(verdicts) <= {"forward", "drop"}, (verdicts, counters)
    assert lost == len(verdicts) - verdicts.count("forward"), (verdicts, counters)
    ports = {port_of(frame) for verdict, frame in answers if verdict == "forward"}
    for data in (first, second):
        answer, port = g.quick(data)
        assert answer.verdict == "forward", answer
        ports.add(port)
    return ports, lost > 0


def begin(g):
    """Room, and next hops that are there: of two that make the same one, the second is told next_hops_full."""
    g.config(sessions_per_host=100000, mappings_per_host=100000)
    for host in (A, B):
        for remote in (S, T):
            g.quick(quick(host, 9999, remote, 53))
    return [len(g.records(kind)) for kind in ("mapping_external", "mapping_inside", "orig", "reply")]


def rounds(g, frames, sessions):
    """frames(socket): the two that race. One mapping with one port each time, and no session twice."""
    before, lost = begin(g), 0
    for socket in range(10000, 10000 + ROUNDS):
        ports, collided = race(g, *frames(socket))
        assert len(ports) == 1, (socket, ports)
        lost += collided
    print("# %d of %d rounds collided" % (lost, ROUNDS))
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
        assert {verdict for verdict, _ in answers} <= {"forward", "drop"}, answers
        assert all(v == "forward" for v, _ in answers) or "insert_race" in counters, counters
    assert len(g.records("mapping_external")) == mappings + ROUNDS
