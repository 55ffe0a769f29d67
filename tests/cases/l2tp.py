# SPDX-License-Identifier: GPL-2.0-or-later
"""L2TP: RFC 2661 over UDP port 1701, RFC 3931 on protocol 115; WireGuard and OpenVPN, which are only named."""
from gateway import CLASSES
from packets import A, B, E, S, T, proto, tcp, udp
from rows import case


@case
def two_clients(g):
    """RFC 2661: both from 1701 to one server: two ports, both answered"""
    g.lan(udp(A, 1701, S, 1701), sent=udp(E, 1701, S, 1701))
    port = g.lan(udp(B, 1701, S, 1701), sent=lambda p: udp(E, p, S, 1701)).port
    assert port >= 1024 and port % 2 == 1
    g.wan(udp(S, 1701, E, port), sent=udp(S, 1701, B, 1701))
    g.wan(udp(S, 1701, E, 1701), sent=udp(S, 1701, A, 1701))


@case
def responder_port(g):
    """RFC 2661 8.1: the server may answer from another port"""
    g.lan(udp(A, 1701, S, 1701), sent=udp(E, 1701, S, 1701))
    g.wan(udp(S, 40123, E, 1701), sent=udp(S, 40123, A, 1701))
    g.lan(udp(A, 1701, S, 40123), sent=udp(E, 1701, S, 40123))
    g.wan(udp(T, 40123, E, 1701), drop="filtered")


@case
def version_3(g):
    """RFC 3931 4.1.1: on IP, one client a server"""
    g.lan(proto(A, S, 115), sent=proto(E, S, 115))
    g.wan(proto(S, E, 115), sent=proto(S, A, 115))
    g.lan(proto(B, S, 115), punt="server_taken")
    g.lan(proto(B, T, 115), sent=proto(E, T, 115))


def class_of(g, protocol):
    return [r["class"] for r in g.records("orig", protocol=protocol)]


@case
def classes(g):
    """Each session knows its class"""
    rows = [(udp(A, 9, S, 1701), "l2tp"), (udp(A, 1701, S, 9), "l2tp"), (udp(A, 9, S, 500), "ipsec"),
            (udp(A, 9, S, 4500), "ipsec"), (udp(A, 500, S, 9), "ipsec"), (udp(A, 9, S, 51820), "wireguard"),
            (udp(A, 9, S, 1194), "openvpn"), (udp(A, 9, S, 53), "plain"), (tcp(A, 9, S, 1194), "openvpn"),
            (tcp(A, 9, S, 443), "plain"), (udp(A, 9, S, 7, b"\1\0\0\0" + bytes(144)), "wireguard"),
            (udp(A, 9, S, 7, b"\2\0\0\0" + bytes(144)), "plain"), (udp(A, 9, S, 7, b"\1\0\0\0" + bytes(143)), "plain"),
            (proto(A, S, 115), "l2tp"), (proto(A, S, 4), "tunnel"), (proto(A, S, 200), "plain")]
    for packet, wanted in rows:
        g.reset()
        external = packet.copy()
        external.src = E
        g.lan(packet, sent=external)
        assert class_of(g, packet.proto) == [CLASSES[wanted]], (packet, wanted)
