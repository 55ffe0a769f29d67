# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 4787 REQ-9, RFC 5382 REQ-8, RFC 5508 REQ-7: inside hosts that meet at our external address.

XDP leaves these to TC, which translates twice.
"""
from gateway import ENDPOINT_INDEPENDENT
from packets import A, B, D, E, LAN1, S, icmp_error, tcp, udp
from rows import case


@case
def to_a_forward(g):
    """REQ-9a: the source is the external address and port; the answer comes back"""
    g.forward(17, 80, B, 8080)
    g.lan(udp(A, 4000, E, 80), sent=udp(E, 4000, B, 8080), leave=True)
    g.lan(udp(B, 8080, E, 4000), sent=udp(E, 80, A, 4000), leave=True)
    g.lan(udp(A, 4000, E, 80), sent=udp(E, 4000, B, 8080), leave=True)


@case
def tcp_to_a_forward(g):
    """RFC 5382 REQ-8: a whole connection"""
    g.forward(6, 80, B, 8080)
    g.lan(tcp(A, 5000, E, 80), sent=tcp(E, 5000, B, 8080), leave=True)
    g.lan(tcp(B, 8080, E, 5000, "SA"), sent=tcp(E, 80, A, 5000, "SA"), leave=True)
    g.lan(tcp(A, 5000, E, 80, "A"), sent=tcp(E, 5000, B, 8080, "A"), leave=True)
    for length in range(5):
        g.lan(tcp(B, 8080, E, 5000, "PA", bytes(length)), sent=tcp(E, 80, A, 5000, "PA", bytes(length)), leave=True)


@case
def across_lans(g):
    """REQ-9: from another LAN interface"""
    g.forward(17, 80, B, 8080)
    g.lan(udp(D, 4000, E, 80), device=LAN1, sent=udp(E, 4000, B, 8080), leave=True)
    g.lan(udp(B, 8080, E, 4000), sent=udp(E, 80, D, 4000), leave=True)


@case
def itself(g):
    """REQ-9: a host to its own forward"""
    g.forward(17, 80, A, 8080)
    g.lan(udp(A, 4000, E, 80), sent=udp(E, 4000, A, 8080), leave=True)
    g.lan(udp(A, 8080, E, 4000), sent=udp(E, 80, A, 4000), leave=True)


@case
def mapping_open_filter(g):
    """REQ-9: to a mapping, endpoint-independent filtering"""
    g.config(filtering_udp=ENDPOINT_INDEPENDENT)
    g.lan(udp(B, 4002, S, 53), sent=udp(E, 4002, S, 53))
    g.lan(udp(A, 4000, E, 4002), sent=udp(E, 4000, B, 4002), leave=True)
    g.lan(udp(B, 4002, E, 4000), sent=udp(E, 4002, A, 4000), leave=True)


@case
def mapping_punched(g):
    """REQ-9: both send first, as hole punching does, address-dependent filtering"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(udp(B, 4002, S, 53), sent=udp(E, 4002, S, 53))
    g.run("inside", 11, bytes(12) + b"\x08\0" + bytes(udp(A, 4000, E, 4002)))
    g.lan(udp(B, 4002, E, 4000), sent=udp(E, 4002, A, 4000), leave=True)
    g.lan(udp(A, 4000, E, 4002), sent=udp(E, 4000, B, 4002), leave=True)


@case
def source_port_taken(g):
    """REQ-9a: the source is the mapping's, whatever its port became"""
    g.forward(17, 80, B, 8080)
    g.lan(udp(D, 4000, S, 53), device=LAN1, sent=udp(E, 4000, S, 53))
    port = g.lan(udp(A, 4000, S, 53), sent=lambda p: udp(E, p, S, 53)).port
    g.lan(udp(A, 4000, E, 80), sent=udp(E, port, B, 8080), leave=True)


@case
def no_mapping(g):
    """Our address and a port that is nobody's is the gateway itself"""
    g.lan(udp(A, 4000, E, 80), stack="to_gateway")
    assert not g.records("orig")


@case
def error(g):
    """RFC 5508 REQ-7: an error about a hairpinned packet reaches its sender, quoted as it was sent"""
    g.forward(17, 80, B, 8080)
    g.lan(udp(A, 4000, E, 80), sent=udp(E, 4000, B, 8080), leave=True)
    g.lan(icmp_error(B, E, udp(E, 4000, B, 8080), 3, 3), sent=icmp_error(E, A, udp(A, 4000, E, 80), 3, 3), leave=None)


@case
def ttl(g):
    """One router, not two; and one with TTL 1 does not pass"""
    g.forward(17, 80, B, 8080)
    g.lan(udp(A, 4000, E, 80, ttl=2), sent=udp(E, 4000, B, 8080), ttl=1, leave=True)
    answer = g.run("inside", 11, bytes(12) + b"\x08\0" + bytes(udp(A, 4000, E, 80, ttl=1)))
    assert answer.verdict != "forward", answer


@case
def expired(g):
    """A silent hairpin session goes on from either side"""
    g.forward(17, 80, B, 8080)
    g.lan(udp(A, 4000, E, 80), sent=udp(E, 4000, B, 8080), leave=True)
    g.at(1000)
    g.lan(udp(A, 4000, E, 80), sent=udp(E, 4000, B, 8080), leave=True)
