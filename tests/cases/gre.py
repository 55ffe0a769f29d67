# SPDX-License-Identifier: GPL-2.0-or-later
"""GRE: version 0 (RFC 2784, RFC 2890) as a tunnel, version 1 (RFC 2637) as PPTP's data; other tunnels one-to-one."""
from gateway import CLASSES, ID_CALL, ID_KEY, STATIC_SESSION, TIMEOUT_GRE
from esp import delta, quote
from packets import A, B, C, E, S, T, Raw, base, gre0, gre1, icmp_error, proto
from rows import case


@case
def version_0(g):
    """RFC 2784: one-to-one, one client a server"""
    g.lan(gre0(A, S), sent=gre0(E, S))
    g.wan(gre0(S, E), sent=gre0(S, A))
    g.lan(gre0(B, S), punt="server_taken")
    g.lan(gre0(B, T), sent=gre0(E, T))
    g.wan(gre0(T, E), sent=gre0(T, B))


@case
def version_0_key(g):
    """RFC 2890: a key stays as it is, whichever"""
    for key in (1, 0xffffffff, 0):
        g.lan(gre0(A, S, key), sent=gre0(E, S, key))
        g.wan(gre0(S, E, key), sent=gre0(S, A, key))


@case
def keys(g):
    """RFC 2890 2.1: many hosts, one server, told apart by the key; the same key again is refused"""
    for host, key in ((A, 1), (B, 2), (C, 0), (A, 0xffffffff)):
        g.lan(gre0(host, S, key), sent=gre0(E, S, key))
        g.wan(gre0(S, E, key), sent=gre0(S, host, key))
    for host, key in ((A, 1), (B, 2), (C, 0), (A, 0xffffffff)):
        g.wan(gre0(S, E, key), sent=gre0(S, host, key))
    g.lan(gre0(B, S, 1), punt="server_taken")
    g.lan(gre0(B, T, 1), sent=gre0(E, T, 1))
    g.wan(gre0(S, E, 3), drop="gre_key_unknown")
    g.wan(gre0(T, E, 1), sent=gre0(T, B, 1))


@case
def keys_of_two_kinds(g):
    """RFC 2890 2.2: the ends use different keys: the host's that has GRE with this server alone"""
    g.lan(gre0(A, S, 1), sent=gre0(E, S, 1))
    g.wan(gre0(S, E, 2), sent=gre0(S, A, 2))
    g.wan(gre0(T, E, 2), drop="unsolicited")
    g.lan(gre0(B, S, 3), sent=gre0(E, S, 3))
    g.wan(gre0(S, E, 2), sent=gre0(S, A, 2))  # goes on
    g.wan(gre0(S, E, 4), drop="gre_key_unknown")
    g.lan(gre0(B, S, 2), punt="server_taken")
    g.lan(gre0(C, T), sent=gre0(E, T))
    g.wan(gre0(T, E, 9), sent=gre0(T, C, 9))


@case
def keys_and_none(g):
    """RFC 2784 without a key beside RFC 2890 with keys: each its own flow"""
    g.lan(gre0(A, S), sent=gre0(E, S))
    g.lan(gre0(B, S, 7), sent=gre0(E, S, 7))
    g.wan(gre0(S, E), sent=gre0(S, A))
    g.wan(gre0(S, E, 7), sent=gre0(S, B, 7))
    g.wan(gre0(S, E, 8), drop="gre_key_unknown")
    g.lan(gre0(B, S), punt="server_taken")


@case
def keys_introduced(g):
    """A server that makes up keys gets no further than a few sessions"""
    g.lan(gre0(A, S, 1), sent=gre0(E, S, 1))
    for key in range(100, 116):
        g.wan(gre0(S, E, key), sent=gre0(S, A, key))
    g.wan(gre0(S, E, 116), drop="gre_key_unknown")
    g.wan(gre0(S, E, 1), sent=gre0(S, A, 1))


@case
def keys_host_gone(g):
    """The first host has been silent for its timer: the next one is alone"""
    g.lan(gre0(A, S, 1), sent=gre0(E, S, 1))
    g.at(3601)
    g.wan(gre0(S, E, 5), drop="unsolicited")
    g.lan(gre0(B, S, 2), sent=gre0(E, S, 2))
    g.wan(gre0(S, E, 5), sent=gre0(S, B, 5))


@case
def keys_host_still_there(g):
    """The first host began long ago and goes on: the next one is not alone, sweeper or not"""
    g.lan(gre0(A, S, 1), sent=gre0(E, S, 1))
    g.at(3590)
    g.lan(gre0(A, S, 1), sent=gre0(E, S, 1))
    g.at(3700)
    g.lan(gre0(B, S, 2), sent=gre0(E, S, 2))
    g.wan(gre0(S, E, 5), drop="gre_key_unknown")
    for host, key in ((A, 1), (B, 2)):
        g.wan(gre0(S, E, key), sent=gre0(S, host, key))


@case
def keys_checksum(g):
    """RFC 2784 2.1: behind a checksum the key lies four bytes on"""
    def packet(source, destination, key):
        header = bytes.fromhex("a0000800beef0000") + key.to_bytes(4, "big")
        return base(source, destination, {"proto": 47}) / Raw(header + b"inner packet")
    for host, key in ((A, 1), (B, 2)):
        g.lan(packet(host, S, key), sent=packet(E, S, key))
        g.wan(packet(S, E, key), sent=packet(S, host, key))
    g.wan(gre0(S, E, 2), sent=gre0(S, B, 2))


@case
def keys_error(g):
    """RFC 5508 REQ-4: an error about a keyed tunnel's packet reaches its host"""
    for host, key in ((A, 1), (B, 2)):
        g.lan(gre0(host, S, key), sent=gre0(E, S, key))
    for host, key in ((A, 1), (B, 2)):
        g.wan(icmp_error(T, E, gre0(E, S, key), 3, 4), sent=icmp_error(T, host, gre0(host, S, key), 3, 4))
    g.wan(icmp_error(T, E, gre0(E, S, 3), 3, 4), drop="icmp_no_session")


@case
def version_0_unsolicited(g):
    """Nobody has spoken with this server"""
    g.wan(gre0(S, E), drop="unsolicited")
    g.wan(gre0(S, E, 7), drop="unsolicited")


@case
def version_0_timer(g):
    """Idle for an hour"""
    g.lan(gre0(A, S), sent=gre0(E, S))
    g.at(3599)
    g.wan(gre0(S, E), sent=gre0(S, A))
    g.at(2 * 3600 + 10)
    g.wan(gre0(S, E), drop="session_expired")


@case
def version_1_no_call(g):
    """RFC 2637 4.1: no data without a call, either way"""
    g.lan(gre1(A, S, 7), drop="gre_no_call")
    g.wan(gre1(S, E, 7), drop="gre_no_call")


@case
def version_1_nat_only(g):
    """nat-only: as any protocol, one client a server, call ids untouched"""
    g.switch(on=())
    g.lan(gre1(A, S, 7), sent=gre1(E, S, 7))
    g.wan(gre1(S, E, 9), sent=gre1(S, A, 9))
    g.lan(gre1(B, S, 7), punt="server_taken")
    g.lan(gre1(A, S, 8), sent=gre1(E, S, 8))
    g.wan(gre1(T, E, 9), drop="gre_no_call")


def arm_call(g, inside, inside_call, external_call, server, server_call):
    """A call as the daemon arms it: GRE carries the receiver's call id."""
    common = {"protocol": 47, "id_type": ID_CALL, "remote": server, "class": CLASSES["pptp"],
              "timeout": TIMEOUT_GRE, "flags": STATIC_SESSION}
    g.pair(g.insert("orig", local=inside, local_id=server_call, new_local=E, new_id=server_call,
                    address_delta=delta(inside, E), **common),
           g.insert("reply", local=E, local_id=external_call, new_local=inside, new_id=inside_call,
                    address_delta=delta(E, inside), **common))


@case
def armed_call(g):
    """RFC 2637: the server's id goes out as it is, ours comes back translated"""
    arm_call(g, A, 100, 40000, S, 7)
    g.lan(gre1(A, S, 7), sent=gre1(E, S, 7))
    g.wan(gre1(S, E, 40000), sent=gre1(S, A, 100))
    g.wan(gre1(S, E, 100), drop="gre_no_call")
    g.lan(gre1(A, S, 8), drop="gre_no_call")


@case
def two_armed_calls(g):
    """RFC 2637: two clients of one server with the same call id each"""
    arm_call(g, A, 100, 40000, S, 7)
    arm_call(g, B, 100, 40001, S, 8)
    g.lan(gre1(A, S, 7), sent=gre1(E, S, 7))
    g.lan(gre1(B, S, 8), sent=gre1(E, S, 8))
    g.wan(gre1(S, E, 40000), sent=gre1(S, A, 100))
    g.wan(gre1(S, E, 40001), sent=gre1(S, B, 100))


@case
def armed_call_server_ids(g):
    """RFC 2637: one server may give two clients of ours any ids, one client may call two servers"""
    arm_call(g, A, 100, 40000, S, 7)
    arm_call(g, A, 101, 40001, T, 7)
    g.lan(gre1(A, T, 7), sent=gre1(E, T, 7))
    g.wan(gre1(T, E, 40001), sent=gre1(T, A, 101))
    g.wan(gre1(T, E, 40000), drop="gre_no_call")


@case
def armed_call_error(g):
    """RFC 5508 REQ-4: an error about a call's data reaches its client"""
    arm_call(g, A, 100, 40000, S, 7)
    g.lan(gre1(A, S, 7), sent=gre1(E, S, 7))
    g.wan(gre1(S, E, 40000), sent=gre1(S, A, 100))
    quote(g, "reply", A, protocol=47, id_type=ID_CALL, remote=S, local_id=7)
    g.wan(icmp_error(T, E, gre1(E, S, 7), 3, 4), sent=icmp_error(T, A, gre1(A, S, 7), 3, 4))


@case
def armed_call_error_from_inside(g):
    """RFC 5508 REQ-4: a complaint of the inside host quotes its own call id, its peer knows the external one"""
    arm_call(g, A, 100, 40000, S, 7)
    g.lan(gre1(A, S, 7), sent=gre1(E, S, 7))
    g.wan(gre1(S, E, 40000), sent=gre1(S, A, 100))
    (orig,) = g.records("orig")
    g.insert("quoted", remote=S, local=A, local_id=100, new_local=E, new_id=40000, address_delta=delta(A, E),
             next_hop=orig["next_hop"], protocol=47, id_type=ID_CALL, timeout=TIMEOUT_GRE, flags=STATIC_SESSION,
             **{"class": CLASSES["pptp"]})
    g.lan(icmp_error(A, S, gre1(S, A, 100), 3, 2), sent=icmp_error(E, S, gre1(S, E, 40000), 3, 2))


@case
def malformed(g):
    """RFC 2637 4.1: PPTP's data without its call id, or cut off before it; RFC 2890: a key that is not there"""
    for header in ("1001880b000a0007" + "00" * 10, "3001880b000a", "2000080000", "a00008000000000000"):
        packet = base(A, S, {"proto": 47}) / Raw(bytes.fromhex(header))
        g.lan(packet, drop="malformed_transport")


@case
def variants(g):
    """GRE of other versions and payloads is no flow that is known here, but nothing is wrong with it: one-to-one"""
    for header in ("20016400002e0700", "30010800000a0007", "3002880b000a0007", "3007880b000a0007", "00010800",
                   "20026400", "00070000"):
        g.reset()
        packet = Raw(bytes.fromhex(header) + b"ethernet frame" * 3)
        g.lan(base(A, S, {"proto": 47}) / packet, sent=base(E, S, {"proto": 47}) / packet)
        g.wan(base(S, E, {"proto": 47}) / packet, sent=base(S, A, {"proto": 47}) / packet)
        g.lan(base(B, S, {"proto": 47}) / packet, punt="server_taken")
        error = icmp_error(T, E, base(E, S, {"proto": 47}) / packet, 3, 4)
        g.wan(error, sent=icmp_error(T, A, base(A, S, {"proto": 47}) / packet, 3, 4))


@case
def source_route(g):
    """RFC 1701: with routing information the key lies where it does with a checksum"""
    for flags in ("6000", "e000"):
        packet = Raw(bytes.fromhex(flags + "0800" + "00000000" + "00000007" + "00000000") + b"inner packet")
        g.lan(base(A, S, {"proto": 47}) / packet, sent=base(E, S, {"proto": 47}) / packet)
        g.wan(base(S, E, {"proto": 47}) / packet, sent=base(S, A, {"proto": 47}) / packet)
    assert [r["id_type"] for r in g.records("orig")] == [ID_KEY]


@case
def other_tunnels(g):
    """IPIP, 6in4, EtherIP and unknown protocols: one-to-one, one client a server and protocol"""
    for number in (4, 41, 97, 132, 200, 255):
        g.lan(proto(A, S, number), sent=proto(E, S, number))
        g.wan(proto(S, E, number), sent=proto(S, A, number))
        g.lan(proto(B, S, number), punt="server_taken")
        g.wan(proto(T, E, number), drop="unsolicited")


@case
def empty(g):
    """A protocol without ports and without a payload"""
    g.lan(proto(A, S, 200, b""), sent=proto(E, S, 200, b""))
    g.wan(proto(S, E, 200, b"x"), sent=proto(S, A, 200, b"x"))
