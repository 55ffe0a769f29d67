# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 6888: one host cannot starve the others; full means refuse."""
from packets import A, B, E, S, T, ping, quick, tcp, udp
from rows import case


@case
def sessions(g):
    """REQ-4: as many sessions as one host may have; other hosts are not concerned"""
    g.config(sessions_per_host=3)
    for port in (53, 54, 55):
        g.lan(udp(A, 4000, S, port), sent=udp(E, 4000, S, port))
    g.lan(udp(A, 4000, S, 56), punt="host_sessions")
    g.lan(tcp(A, 4000, S, 56), drop="host_sessions")
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(udp(B, 4002, S, 56), sent=udp(E, 4002, S, 56))


@case
def mappings(g):
    """REQ-4: as many ports as one host may hold; sessions of the ones it has still begin"""
    g.config(mappings_per_host=2)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(tcp(A, 4000, S, 53), sent=tcp(E, 4000, S, 53))
    g.lan(udp(A, 4002, S, 53), punt="host_mappings")
    g.lan(ping(A, S, 7), drop="host_mappings")
    g.lan(udp(A, 4000, T, 53), sent=udp(E, 4000, T, 53))
    g.lan(udp(B, 4002, S, 53), sent=udp(E, 4002, S, 53))


@case
def rate(g):
    """REQ-4: new sessions a second; what has begun goes on, the next second brings more"""
    g.config(new_per_second=5, hz=100000)  # so slow a clock that the case itself takes no time
    for port in range(5):
        g.lan(udp(A, 4000, S, 53 + port), sent=udp(E, 4000, S, 53 + port))
    g.lan(udp(A, 4000, S, 60), punt="host_rate")
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(udp(B, 4002, S, 60), sent=udp(E, 4002, S, 60))
    g.at(101)
    for port in range(60, 65):
        g.lan(udp(A, 4000, S, port), sent=udp(E, 4000, S, port))
    g.lan(udp(A, 4000, S, 65), punt="host_rate")


@case
def rate_refills_partly(g):
    """REQ-4: a fifth of a second brings a fifth"""
    g.config(new_per_second=5, hz=100000)
    for port in range(5):
        g.lan(udp(A, 4000, S, 53 + port), sent=udp(E, 4000, S, 53 + port))
    g.at(21)
    g.lan(udp(A, 4000, S, 60), sent=udp(E, 4000, S, 60))
    g.lan(udp(A, 4000, S, 61), punt="host_rate")


@case
def rate_from_outside(g):
    """REQ-4: sessions that the WAN opens through a forward count too"""
    g.config(new_per_second=2, hz=100000)
    g.forward(17, 80, A, 8080)
    g.wan(udp(S, 1, E, 80), sent=udp(S, 1, A, 8080))
    g.wan(udp(S, 2, E, 80), sent=udp(S, 2, A, 8080))
    g.wan(udp(S, 3, E, 80), drop="host_rate")


@case
def table_full(g):
    """REQ-11: a full table refuses what is new and keeps what is there"""
    g.config(set_mask=3)  # 32 records
    kept, refused = [], 0
    for port in range(64):
        answer = g.run("inside", 11, bytes(12) + b"\x08\0" + bytes(udp(A, 4000, S, 1000 + port)))
        if answer.verdict == "forward":
            kept.append(1000 + port)
        else:
            assert "table_full" in answer.counters, answer
            refused += 1
    assert len(kept) >= 8 and refused, (len(kept), refused)
    for port in kept:
        g.lan(udp(A, 4000, S, port), sent=udp(E, 4000, S, port))
        g.wan(udp(S, port, E, 4000), sent=udp(S, port, A, 4000))


@case
def table_full_leaves_nothing(g):
    """REQ-11: a refused session leaves no half behind"""
    g.config(set_mask=3)
    for port in range(64):
        g.run("inside", 11, bytes(12) + b"\x08\0" + bytes(udp(A, 4000, S, 1000 + port)))
    assert len(g.records("orig")) == len(g.records("reply"))


@case
def other_hosts_in_a_full_gateway(g):
    """REQ-4: one host that takes all it may leaves ports and sessions to the others"""
    g.config(sessions_per_host=100, mappings_per_host=100)
    refused = sum(g.quick(quick(A, 2000 + n, S, 53))[0].verdict != "forward" for n in range(1000))
    assert refused == 900, refused
    for n in range(100):
        g.lan(udp(B, 4000 + n, S, 53), sent=udp(E, 4000 + n, S, 53))


@case
def limit_of_all_sessions(g):
    """REQ-5: as many sessions as the gateway may have in all; running ones go on, REQ-11d"""
    g.config(sessions_limit=3)
    for port in (53, 54, 55):
        g.lan(udp(A, 4000, S, port), sent=udp(E, 4000, S, port))
    g.lan(udp(B, 4002, S, 56), punt="table_full")
    for port in (53, 54, 55):
        g.wan(udp(S, port, E, 4000), sent=udp(S, port, A, 4000))


@case
def refusals_are_told(g):
    """REQ-11b, RFC 5508 REQ-8: who is refused for want of room is told, once a second, whatever is refused to others"""
    g.config(sessions_per_host=0, hz=100000)
    for second in (0, 101):  # so slow a clock that the case itself takes no time
        g.at(second)
        for host in (A, B):
            g.lan(udp(host, 4000, S, 53), punt="host_sessions")
            for _ in range(3):
                g.lan(udp(host, 4000, S, 53), drop="host_sessions")
                g.lan(tcp(host, 4000, S, 53), drop="host_sessions")


@case
def refusals_of_the_wan_are_silent(g):
    """RFC 5508 REQ-9: nobody outside is told"""
    g.config(sessions_per_host=0)
    g.forward(17, 80, A, 8080)
    g.wan(udp(S, 1, E, 80), drop="host_sessions")


@case
def ports_are_used_up(g):
    """REQ-13: of the 511 even ports below 1024 nine tenths are given before one is refused"""
    g.config(mappings_per_host=60000, sessions_per_host=60000)
    given = set()
    for n in range(505):
        for host in (A, B):
            answer, port = g.quick(quick(host, 2 + 2 * n, S, 53))
            if answer.verdict != "forward":
                assert "ports_exhausted" in answer.counters, answer
                assert len(given) >= 460, len(given)
                return
            assert port not in given
            given.add(port)
    raise AssertionError("more even ports than there are below 1024")


@case
def refused_then_accepted(g):
    """A refusal is not remembered"""
    g.config(sessions_per_host=0)
    g.lan(udp(A, 4000, S, 53), punt="host_sessions")
    g.config(sessions_per_host=1)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))


@case
def ports_exhausted(g):
    """RFC 4787 REQ-3: no port is left of this kind: refused, none is shared"""
    for port in range(2, 1024, 2):
        g.insert("mapping_external", protocol=17, id_type=1, local=E, local_id=port, new_local=B, new_id=port)
    g.lan(udp(A, 600, S, 53), punt="ports_exhausted")
    g.lan(udp(A, 601, S, 53), sent=udp(E, 601, S, 53))
    g.lan(tcp(A, 600, S, 53), sent=tcp(E, 600, S, 53))
