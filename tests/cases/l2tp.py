# SPDX-License-Identifier: GPL-2.0-or-later
"""L2TP: RFC 2661 over UDP port 1701, RFC 3931 on protocol 115; WireGuard and OpenVPN, which are only named."""
from esp import delta, quote
from gateway import CLASSES, ID_CONTROL, ID_SESSION, ID_TUNNEL, PUNT_SESSION, SHARED_SESSION, STATIC_SESSION, TIMEOUT_GRE, WATCHED_SESSION
from packets import A, B, E, LAN0, ROUTER, S, T, WAN, icmp_error, proto, tcp, udp
from pairing import assisted, l2tp, share, two_on_one_port
from rows import case
from slow_path import record, sent, tap


def control(tunnel):
    """RFC 2661 3.1: a control message's header."""
    return b"\xc8\x02\0\x0c" + tunnel.to_bytes(2, "big") + bytes(6)


def control_3(connection, data=b""):
    """RFC 3931 4.1.1.2: session 0, then the header of a control message."""
    return bytes(4) + b"\xc8\x03\0\x0c" + connection.to_bytes(4, "big") + bytes(4) + data


def data_3(session):
    return session.to_bytes(4, "big") + b"frame of a pseudowire"


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


@case
def version_3_short(g):
    """RFC 3931 4.1.1: no session id, or a control message without its header"""
    for size in (0, 1, 3):
        g.lan(proto(A, S, 115, bytes(size)), drop="malformed_transport")
    for size in (4, 8, 15):
        g.lan(proto(A, S, 115, bytes(size)), drop="malformed_transport")
    assert not g.records("orig")


@case
def version_3_static(g):
    """Pseudowires without control messages (Linux `ip l2tp`): one-to-one, whichever ids"""
    for session in (1, 2, 0xffffffff):
        g.lan(proto(A, S, 115, data_3(session)), sent=proto(E, S, 115, data_3(session)))
        g.wan(proto(S, E, 115, data_3(session + 7 & 0xffffffff)), sent=proto(S, A, 115, data_3(session + 7 & 0xffffffff)))
    g.lan(proto(B, S, 115, data_3(9)), punt="server_taken")


@case
def version_3_control_is_followed(g):
    """RFC 3931: control messages that no record knows go to the daemon; without it, one-to-one"""
    assisted(g, "l2tp")
    g.lan(proto(A, S, 115, control_3(0)), punt="to_pairing", leave=True)
    g.wan(proto(S, E, 115, control_3(7)), drop="unsolicited")
    assert not g.records("orig")
    g.at(4)
    g.lan(proto(A, S, 115, control_3(0)), sent=proto(E, S, 115, control_3(0)))
    g.wan(proto(S, E, 115, control_3(7)), sent=proto(S, A, 115, control_3(7)))


def arm_3(g, id_type, inside, own, others, **more):
    """As the daemon arms it: the receiver's id, unchanged."""
    common = {"protocol": 115, "id_type": id_type, "remote": S, "class": CLASSES["l2tp"], "timeout": TIMEOUT_GRE,
              "flags": STATIC_SESSION, **more}
    g.pair(g.insert("orig", local=inside, id=others, new_local=E, address_delta=delta(inside, E), **common),
           g.insert("reply", local=E, id=own, new_local=inside, address_delta=delta(E, inside), **common))


@case
def version_3_sessions(g):
    """RFC 3931 4.1.1: two clients of one server, by session and control connection ids"""
    for host, own, others in ((A, 0x11111111, 0x91111111), (B, 0x22222222, 0x92222222)):
        arm_3(g, ID_SESSION, host, own, others)
        arm_3(g, ID_CONTROL, host, own + 1, others + 1)
    for host, own, others in ((A, 0x11111111, 0x91111111), (B, 0x22222222, 0x92222222)):
        g.lan(proto(host, S, 115, data_3(others)), sent=proto(E, S, 115, data_3(others)))
        g.wan(proto(S, E, 115, data_3(own)), sent=proto(S, host, 115, data_3(own)))
        g.lan(proto(host, S, 115, control_3(others + 1)), sent=proto(E, S, 115, control_3(others + 1)))
        g.wan(proto(S, E, 115, control_3(own + 1)), sent=proto(S, host, 115, control_3(own + 1)))
    g.wan(proto(S, E, 115, data_3(0x33333333)), drop="unsolicited")
    g.wan(proto(T, E, 115, data_3(0x11111111)), drop="unsolicited")


@case
def version_3_watched(g):
    """Armed connections go by the daemon, their data does not"""
    assisted(g, "l2tp")
    arm_3(g, ID_CONTROL, A, 7, 9, flags=STATIC_SESSION | WATCHED_SESSION)
    arm_3(g, ID_SESSION, A, 5, 6)
    g.lan(proto(A, S, 115, control_3(9)), punt="to_watch", leave=True)
    g.wan(proto(S, E, 115, control_3(7)), punt="to_watch", leave=True)
    sent(tap(g, record(4, 1, WAN), proto(S, E, 115, control_3(7))), proto(S, A, 115, control_3(7)), LAN0, A)
    g.lan(proto(A, S, 115, data_3(6)), sent=proto(E, S, 115, data_3(6)))
    g.wan(proto(S, E, 115, data_3(5)), sent=proto(S, A, 115, data_3(5)))


@case
def version_3_error(g):
    """RFC 5508 REQ-4: an error about a session's packet, which quotes the server's id"""
    arm_3(g, ID_SESSION, A, 5, 6)
    g.lan(proto(A, S, 115, data_3(6)), sent=proto(E, S, 115, data_3(6)))
    g.wan(proto(S, E, 115, data_3(5)), sent=proto(S, A, 115, data_3(5)))
    quote(g, "reply", A, protocol=115, id_type=ID_SESSION, remote=S, id=6)
    g.wan(icmp_error(T, E, proto(E, S, 115, data_3(6)), 3, 4),
          sent=icmp_error(T, A, proto(A, S, 115, data_3(6)), 3, 4))


@case
def dialling_is_watched(g):
    """RFC 2661 8.1: control messages of a new flow go by the daemon, data and a dead daemon's flows do not"""
    assisted(g, "l2tp")
    g.lan(udp(A, 1701, S, 1701, control(0)), punt="to_watch", leave=True)
    sent(tap(g, record(4, 0, LAN0), udp(A, 1701, S, 1701, control(0))), udp(E, 1701, S, 1701, control(0)), WAN, ROUTER)
    g.wan(udp(S, 1701, E, 1701, control(7)), punt="to_watch", leave=True)
    g.lan(udp(A, 1701, S, 1701, l2tp(9)), sent=udp(E, 1701, S, 1701, l2tp(9)))
    g.wan(udp(S, 1701, E, 1701, l2tp(7)), sent=udp(S, 1701, A, 1701, l2tp(7)))
    g.lan(udp(A, 1701, S, 1701, b""), sent=udp(E, 1701, S, 1701, b""))
    g.at(4)
    g.lan(udp(A, 1701, S, 1701, control(0)), sent=udp(E, 1701, S, 1701, control(0)))


@case
def nat_only_is_not_watched(g):
    """passthrough.l2tp: nat-only looks at nothing"""
    assisted(g)
    g.lan(udp(A, 1701, S, 1701, control(0)), sent=udp(E, 1701, S, 1701, control(0)))
    g.lan(proto(A, S, 115, control_3(0)), sent=proto(E, S, 115, control_3(0)))


@case
def shared_ids_that_collide(g):
    """RFC 2661 3.1: two hosts call their tunnel 1; outside the second one goes by another number"""
    own, other = two_on_one_port(g, 1701)
    share(g, ID_TUNNEL, 1, own)
    share(g, ID_TUNNEL, 0x4100, other, new_id=1)
    for length in (True, False):
        g.wan(udp(S, 1701, E, 1701, l2tp(1, length)), sent=udp(S, 1701, A, 1701, l2tp(1, length)), leave=True)
        g.wan(udp(S, 1701, E, 1701, l2tp(0x4100, length)), sent=udp(S, 1701, B, 1701, l2tp(1, length)), leave=True)
    g.wan(udp(S, 1701, E, 1701, l2tp(0x4100), chksum=0), sent=udp(S, 1701, B, 1701, l2tp(1), chksum=0), leave=True)
    g.lan(udp(B, 1701, S, 1701, l2tp(9)), sent=lambda p: udp(E, p, S, 1701, l2tp(9)))


@case
def own_port_ids_that_collide(g):
    """RFC 2661 3.1: a server that knows a tunnel by address and id: B's goes by another, on a port of its own"""
    g.lan(udp(A, 1701, S, 1701, l2tp(9)), sent=udp(E, 1701, S, 1701, l2tp(9)))
    port = g.lan(udp(B, 1701, S, 1701, l2tp(8)), sent=lambda p: udp(E, p, S, 1701, l2tp(8))).port
    (other,) = g.records("reply", local_id=port)
    g.change(other["record"], flags=other["flags"] | SHARED_SESSION)
    share(g, ID_TUNNEL, 0x4100, other["record"], new_id=1)
    for length in (True, False):
        g.wan(udp(S, 1701, E, 1701, l2tp(1, length)), sent=udp(S, 1701, A, 1701, l2tp(1, length)), leave=False)
        g.wan(udp(S, 1701, E, port, l2tp(0x4100, length)), sent=udp(S, 1701, B, 1701, l2tp(1, length)), leave=True)
    g.lan(udp(B, 1701, S, 1701, l2tp(8)), sent=udp(E, port, S, 1701, l2tp(8)))
    (first,) = g.records("reply", local_id=1701)
    share(g, ID_TUNNEL, 3, first["record"])
    for tunnel in (2, 3):  # one that nobody translates, and one of A's: the port says whose it is
        g.wan(udp(S, 1701, E, port, l2tp(tunnel)), sent=udp(S, 1701, B, 1701, l2tp(tunnel)), leave=True)
    g.wan(udp(S, 1701, E, port, control_3_udp(7 << 16)), sent=udp(S, 1701, B, 1701, control_3_udp(7 << 16)), leave=True)


def control_3_udp(connection):
    """RFC 3931 4.1.2.1: over UDP the header of a control message alone."""
    return control_3(connection)[4:]


@case
def version_3_over_udp(g):
    """RFC 3931 4.1.2: two clients, two ports, told apart by these; no id is looked at"""
    g.lan(udp(A, 1701, S, 1701, control_3_udp(0)), sent=udp(E, 1701, S, 1701, control_3_udp(0)))
    port = g.lan(udp(B, 1701, S, 1701, control_3_udp(0)), sent=lambda p: udp(E, p, S, 1701, control_3_udp(0))).port
    for host, outside in ((A, 1701), (B, port)):
        g.wan(udp(S, 1701, E, outside, control_3_udp(7)), sent=udp(S, 1701, host, 1701, control_3_udp(7)))


@case
def version_3_over_udp_behind_a_shared_port(g):
    """Its ids are no tunnel ids, though they lie where one would be: the daemon gives it to the port's owner"""
    own, other = two_on_one_port(g, 1701)
    share(g, ID_TUNNEL, 7, other)
    g.wan(udp(S, 1701, E, 1701, control_3_udp(7 << 16)), drop="tunnel_unknown", leave=True)
    g.daemon_lives()
    g.wan(udp(S, 1701, E, 1701, control_3_udp(7 << 16)), punt="to_pairing", leave=True)
    sent(tap(g, record(PUNT_SESSION, 1, WAN, own), udp(S, 1701, E, 1701, control_3_udp(7 << 16))),
         udp(S, 1701, A, 1701, control_3_udp(7 << 16)), LAN0, A)


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
