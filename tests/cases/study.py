# SPDX-License-Identifier: GPL-2.0-or-later
"""What a tunnel is up by: data, told from set-up by headers in clear; and what ICMP says of it."""
from esp import quote
from fragments import pieces
from gateway import CLASSES, ID_CALL, STATIC_SESSION, STUDIED_SESSION
from gre import arm_call
from packets import A, B, E, S, T, ROUTER, SYN, SYNACK, ACK, gre1, icmp_error, proto, tcp, udp
from rows import case

CARRIED, MOVED = 0x40, 0x80
ESP, IKE_INIT, IKE_AUTH, IKE_INFO = b"\xc0\xff\xee\1" + bytes(40), 34, 35, 37
IP_IN_PPP, IP_SHORT, MPPE = b"\xff\3\0\x21" + bytes(40), b"\x21" + bytes(40), b"\0\xfd" + bytes(40)
LCP_REQUEST, LCP_ECHO = b"\xff\3\xc0\x21\1" + bytes(20), b"\xc0\x21\x09" + bytes(20)
CHAP, IPCP, CCP = b"\xff\3\xc2\x23\4" + bytes(20), b"\x80\x21\1" + bytes(20), b"\x80\xfd\1" + bytes(20)


def ike(exchange):
    return bytes(4) + bytes(range(1, 17)) + b"\x2e\x20" + bytes([exchange]) + bytes(40)


def l2tp(flags, ppp, extra=b""):
    """RFC 2661 3.1: flags and version, then tunnel and session (and what the flags add)."""
    return flags.to_bytes(2, "big") + extra + ppp


IDS = b"\0\7\0\1"


def state(g, kind, **wanted):
    (record,) = g.records(kind, **wanted)
    return record["class"] & (CARRIED | MOVED)


def both(g):
    return state(g, "orig"), state(g, "reply")


def out_in(g, port, out=(), back=()):
    """Datagrams of A with a server's port."""
    for data in out:
        g.lan(udp(A, port, S, port, data), sent=udp(E, port, S, port, data))
    for data in back:
        g.wan(udp(S, port, E, port, data), sent=udp(S, port, A, port, data))


@case
def ike_is_no_data(g):
    """RFC 3948 2.2: on port 4500 four zero bytes are IKE, one byte is a keepalive; neither is the tunnel's data"""
    out_in(g, 4500, [ike(IKE_AUTH), b"\xff", ike(IKE_INFO)], [ike(IKE_AUTH), b"\xff", ike(IKE_INFO)])
    assert both(g) == (0, 0)
    out_in(g, 4500, [ESP])
    assert both(g) == (CARRIED | MOVED, 0)
    out_in(g, 4500, [], [ESP])
    assert both(g) == (CARRIED | MOVED, CARRIED | MOVED)


@case
def ike_begins_anew(g):
    """RFC 7296 1.2: another IKE_AUTH is another tunnel, which has carried nothing yet"""
    out_in(g, 4500, [ike(IKE_AUTH), ESP], [ESP])
    looked(g)
    out_in(g, 4500, [ike(IKE_INFO)], [ike(IKE_INFO)])
    assert both(g) == (CARRIED, CARRIED)
    out_in(g, 4500, [ike(IKE_AUTH)])
    assert both(g) == (0, 0)


def looked(g):
    """The daemon has taken note."""
    for record in g.records("orig") + g.records("reply"):
        g.change(record["record"], **{"class": record["class"] & ~MOVED})


@case
def looked_at_again(g):
    """After the daemon's look the next data is noted anew, in its direction alone"""
    out_in(g, 4500, [ESP], [ESP])
    looked(g)
    assert both(g) == (CARRIED, CARRIED)
    out_in(g, 4500, [ike(IKE_INFO)], [ike(IKE_INFO)])
    assert both(g) == (CARRIED, CARRIED)
    out_in(g, 4500, [ESP])
    assert both(g) == (CARRIED | MOVED, CARRIED)


@case
def ike_on_500(g):
    """On port 500 there is IKE alone"""
    g.lan(udp(A, 500, S, 500, b"\1" + bytes(60)), sent=udp(E, 500, S, 500, b"\1" + bytes(60)))
    assert state(g, "orig") == 0


@case
def pieces_are_not_read(g):
    """A later piece has no header: what lies in its place is not taken for ESP's"""
    def whole(source):
        return udp(source, 4500, S, 4500, ike(IKE_AUTH) + b"\xff" * 1300)
    for arrived, sent in zip(pieces(whole(A)), pieces(whole(E))):
        g.lan(arrived, sent=sent, leave=True)
    assert both(g) == (0, 0)


@case
def ppp_in_pptp(g):
    """RFC 1661 2: LCP, authentication, IPCP and CCP negotiate; IP and what MPPE wraps are data"""
    call(g, A, S)
    for data in (LCP_REQUEST, CHAP, IPCP, CCP, LCP_ECHO):
        pptp(g, data, data)
    assert both(g) == (0, 0)
    pptp(g, IP_IN_PPP, LCP_ECHO)
    assert both(g) == (CARRIED | MOVED, 0)
    pptp(g, LCP_ECHO, MPPE)
    assert both(g) == (CARRIED | MOVED, CARRIED | MOVED)
    looked(g)
    pptp(g, LCP_REQUEST, LCP_ECHO)
    assert both(g) == (0, 0)


@case
def ppp_compressed(g):
    """RFC 1661 6.5: a protocol field of one byte is odd"""
    call(g, A, S)
    pptp(g, IP_SHORT, b"\xfd" + bytes(20))
    assert both(g) == (CARRIED | MOVED, CARRIED | MOVED)


@case
def acknowledgment_alone(g):
    """RFC 2637 4.1: GRE without a sequence number carries nothing"""
    call(g, A, S)
    header = bytes.fromhex("2081880b0000") + (77).to_bytes(2, "big") + bytes(4) + b"\0\x21" + bytes(20)
    g.lan(proto(A, S, 47, header), sent=proto(E, S, 47, header))
    assert both(g) == (0, 0)


def call(g, inside, server):
    """A call as the daemon arms it."""
    arm_call(g, inside, 7, 5001, server, 77)
    for record in g.records("orig") + g.records("reply"):
        g.change(record["record"], flags=STATIC_SESSION | STUDIED_SESSION)


def pptp(g, out, back):
    g.lan(gre1(A, S, 77, data=out), sent=gre1(E, S, 77, data=out))
    g.wan(gre1(S, E, 5001, data=back), sent=gre1(S, A, 7, data=back))


@case
def ppp_in_l2tp(g):
    """RFC 2661 3.1: control messages and PPP's negotiations are set-up, whatever fields stand before them"""
    control = l2tp(0xc802, b"", bytes(10))
    heads = ((0x0002, b""), (0x4002, b"\0\x40"), (0x0802, b""), (0x4802, b"\0\x40"), (0x4a02, b"\0\x40"))
    for flags, length in heads:
        g.reset()
        head = length + IDS + (bytes(4) if flags & 0x0800 else b"") + (b"\0\2xx" if flags & 0x0200 else b"")
        for data in (control, l2tp(flags, LCP_REQUEST, head), l2tp(flags, CHAP, head), l2tp(flags, IPCP, head)):
            out_in(g, 1701, [data], [data])
        assert both(g) == (0, 0)
        out_in(g, 1701, [l2tp(flags, IP_IN_PPP, head)], [l2tp(flags, MPPE, head)])
        assert both(g) == (CARRIED | MOVED, CARRIED | MOVED)


@case
def wireguard(g):
    """Handshakes and, outbound, keepalives are no data; an inbound keepalive answers data"""
    initiation, response, keepalive = b"\1\0\0\0" + bytes(144), b"\2\0\0\0" + bytes(88), b"\4\0\0\0" + bytes(28)
    out_in(g, 51820, [initiation, keepalive], [response])
    assert both(g) == (0, 0)
    out_in(g, 51820, [keepalive + bytes(16)], [keepalive])
    assert both(g) == (CARRIED | MOVED, CARRIED | MOVED)


@case
def openvpn(g):
    """Its control channel is no data; P_DATA_V1 and V2 are; a client's hard reset begins anew"""
    out_in(g, 1194, [b"\x38" + bytes(13), b"\x20" + bytes(99)], [b"\x40" + bytes(25), b"\x28" + bytes(30)])
    assert both(g) == (0, 0)
    out_in(g, 1194, [b"\x48" + bytes(50)], [b"\x30" + bytes(50)])
    assert both(g) == (CARRIED | MOVED, CARRIED | MOVED)
    out_in(g, 1194, [b"\x38" + bytes(13)])
    looked(g)
    assert both(g) == (0, 0)


@case
def openvpn_over_tcp(g):
    """The same behind a length; what a segment does not begin with is not looked for"""
    def message(opcode, size):
        return size.to_bytes(2, "big") + bytes([opcode]) + bytes(size - 1)
    g.lan(tcp(A, 4000, S, 1194, SYN, seq=1000), sent=tcp(E, 4000, S, 1194, SYN, seq=1000))
    g.wan(tcp(S, 1194, E, 4000, SYNACK, seq=7000, ack=1001), sent=tcp(S, 1194, A, 4000, SYNACK, seq=7000, ack=1001))
    seq = 1001
    for data, carried in ((message(0x38, 14), 0), (bytes(40) + message(0x48, 60), 0), (message(0x48, 60), CARRIED | MOVED)):
        g.lan(tcp(A, 4000, S, 1194, ACK, data, seq=seq, ack=7001), sent=tcp(E, 4000, S, 1194, ACK, data, seq=seq, ack=7001))
        seq += len(data)
        assert state(g, "orig") == carried
        assert state(g, "reply") == 0


@case
def plain_is_not_studied(g):
    """What is no tunnel keeps its byte"""
    g.lan(udp(A, 4000, S, 53, ESP), sent=udp(E, 4000, S, 53, ESP))
    assert state(g, "orig") == 0


# --- what ICMP says ---------------------------------------------------------------------------
@case
def complaints(g):
    """An error about a tunnel is kept with who said it, for show vpn; one about its packets' size is not"""
    g.lan(udp(A, 500, S, 500), sent=udp(E, 500, S, 500))
    g.wan(icmp_error(S, E, udp(E, 500, S, 500), 3, 4), sent=icmp_error(S, A, udp(A, 500, S, 500), 3, 4))
    assert g.complaints() == []
    g.wan(icmp_error(S, E, udp(E, 500, S, 500), 3, 3), sent=icmp_error(S, A, udp(A, 500, S, 500), 3, 3))
    (complaint,) = g.complaints()
    assert complaint["inside"] == A and complaint["remote"] == S and complaint["from"] == S, complaint
    assert (complaint["class"], complaint["type"], complaint["code"]) == (CLASSES["ipsec"], 3, 3)
    g.wan(icmp_error(T, E, udp(E, 500, S, 500), 3, 13), sent=icmp_error(T, A, udp(A, 500, S, 500), 3, 13))
    (complaint,) = g.complaints()
    assert complaint["from"] == T and complaint["code"] == 13, complaint


@case
def complaints_of_others(g):
    """None of what is no tunnel, of no session, or sent by the inside itself"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(icmp_error(S, E, udp(E, 4000, S, 53), 3, 3), sent=icmp_error(S, A, udp(A, 4000, S, 53), 3, 3))
    g.wan(icmp_error(S, E, udp(E, 500, S, 500), 3, 3), drop="icmp_no_session")
    g.lan(udp(B, 4500, S, 4500, ESP), sent=udp(E, 4500, S, 4500, ESP))
    g.wan(udp(S, 4500, E, 4500, ESP), sent=udp(S, 4500, B, 4500, ESP))
    g.lan(icmp_error(B, S, udp(S, 4500, B, 4500, ESP), 3, 3), sent=icmp_error(E, S, udp(S, 4500, E, 4500, ESP), 3, 3))
    assert g.complaints() == []


@case
def complaints_of_calls(g):
    """RFC 5508 REQ-4: of a call's GRE, by the id that its server chose"""
    call(g, A, S)
    g.lan(gre1(A, S, 77), sent=gre1(E, S, 77))
    g.wan(gre1(S, E, 5001), sent=gre1(S, A, 7))
    quote(g, "reply", A, protocol=47, id_type=ID_CALL, remote=S, local_id=77)
    g.wan(icmp_error(ROUTER, E, gre1(E, S, 77), 3, 2), sent=icmp_error(ROUTER, A, gre1(A, S, 77), 3, 2))
    (complaint,) = g.complaints()
    assert complaint["inside"] == A and complaint["class"] == CLASSES["pptp"] and complaint["code"] == 2, complaint

