# SPDX-License-Identifier: GPL-2.0-or-later
"""Deadlines hold at the hit, with no daemon to sweep; the clock may wrap."""
from gateway import ENDPOINT_INDEPENDENT
from packets import A, E, S, T, ping, pong, proto, udp
from rows import case


@case
def inbound_keeps_alive(g):
    """RFC 4787 REQ-6: the gateway's choice: packets of a live session refresh it both ways"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for second in (250, 500, 750):
        g.at(second)
        g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))


@case
def outbound_keeps_the_filter(g):
    """RFC 4787 REQ-6: what goes out keeps the mapping and its filter open for other ports of the contacted host"""
    for second in (0, 250, 500, 750, 1000):
        g.at(second)
        g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.at(1299)
    g.wan(udp(S, 99, E, 4000), sent=udp(S, 99, A, 4000))


@case
def settings(g):
    """RFC 4787 REQ-5: timers are settings, effective at once"""
    g.config(timeout_udp=10000, timeout_icmp=5000, timeout_other=20000)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(ping(A, S, 7), sent=ping(E, S, 7))
    g.lan(proto(A, S, 200), sent=proto(E, S, 200))
    g.at(6)
    g.wan(pong(S, E, 7), drop="session_expired")
    g.at(11)
    g.wan(udp(S, 53, E, 4000), drop="session_expired")
    g.at(19)
    g.wan(proto(S, E, 200), sent=proto(S, A, 200))
    g.at(40)
    g.wan(proto(S, E, 200), drop="session_expired")


@case
def mapping_expires(g):
    """RFC 4787 REQ-5: a mapping without a live session lets nobody in, also before it is swept"""
    g.config(filtering_udp=ENDPOINT_INDEPENDENT)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.at(3600)
    answer = g.run("outside", 13, bytes(12) + b"\x08\0" + bytes(udp(T, 53, E, 4000)))
    assert answer.verdict == "drop", answer


@case
def permit_expires(g):
    """RFC 4787 REQ-8: so does the leave of a contacted address"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.at(3600)
    g.wan(udp(S, 99, E, 4000), drop="filtered")


@case
def clock_wraps(g):
    """32 bits of ticks: a wrap in between changes nothing"""
    g.process.ask("clock", 0xffffffff - 5000)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.process.ask("clock", 100000)
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))
    g.process.ask("clock", 500000)
    g.wan(udp(S, 53, E, 4000), drop="session_expired")


@case
def counted(g):
    """Packets and bytes of each direction, layer 3"""
    for _ in range(3):
        g.lan(udp(A, 4000, S, 53, b"1234"), sent=udp(E, 4000, S, 53, b"1234"))
    g.wan(udp(S, 53, E, 4000, b"12"), sent=udp(S, 53, A, 4000, b"12"))
    (orig,), (reply,) = g.records("orig"), g.records("reply")
    assert (orig["packets"], orig["bytes"]) == (3, 96), orig
    assert (reply["packets"], reply["bytes"]) == (1, 30), reply
