# SPDX-License-Identifier: GPL-2.0-or-later
"""ESP and AH: RFC 4303, RFC 3715 2.1, RFC 2663; bare IPsec without NAT-T."""
from gateway import CLASSES, ID_SPI, STATIC_SESSION, TIMEOUT_ESP
from packets import A, B, D, E, LAN1, S, T, esp, icmp_error, proto, udp
from rows import case

HOUR = 3600


def arm(g, inside, server, spi_in):
    """A pair as the daemon makes it once it knows the inside host's SPI: inbound by SPI, outbound to the server."""
    common = {"protocol": 50, "remote": server, "class": CLASSES["ipsec"], "timeout": TIMEOUT_ESP,
              "flags": STATIC_SESSION, "route_generation": 0}
    reply = g.insert("reply", id_type=ID_SPI, id=spi_in, local=E, new_local=inside, address_delta=delta(E, inside),
                     **common)
    return reply


def quote(g, half, inside, **key):
    """What an error about an armed tunnel quotes: a copy of its inbound half under the far end's id."""
    (reply,) = [r for r in g.records(half) if r["new_local"] == inside]
    g.insert("quoted", local=E, new_local=inside, new_id=reply["new_id"], address_delta=delta(E, inside),
             next_hop=reply["next_hop"], timeout=reply["timeout"], flags=STATIC_SESSION,
             **{"class": reply["class"]}, **key)


def delta(old, new):
    """RFC 1624 3: what a sum takes when an address changes, in memory's byte order."""
    total = 0
    for address, flip in ((old, 0xffff), (new, 0)):
        octets = [int(x) for x in address.split(".")]
        for low, high in ((octets[0], octets[1]), (octets[2], octets[3])):
            total += (low | high << 8) ^ flip
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


@case
def one_client(g):
    """RFC 2663: addresses only; SPIs of both directions differ"""
    g.lan(esp(A, S, 0xaaaa0001), sent=esp(E, S, 0xaaaa0001))
    g.wan(esp(S, E, 0xbbbb0001), sent=esp(S, A, 0xbbbb0001))
    g.lan(esp(A, S, 0xaaaa0002), sent=esp(E, S, 0xaaaa0002))
    g.wan(esp(S, E, 0xbbbb0002), sent=esp(S, A, 0xbbbb0002))


@case
def lengths(g):
    """Every length, whatever it carries"""
    for length in (0, 1, 2, 3, 16, 17, 1000, 1472):
        g.lan(esp(A, S, 0xaaaa0001, data=bytes(length)), sent=esp(E, S, 0xaaaa0001, data=bytes(length)))
        g.wan(esp(S, E, 0xbbbb0001, data=bytes(length)), sent=esp(S, A, 0xbbbb0001, data=bytes(length)))


@case
def server_taken(g):
    """RFC 3715 2.1: a second client of one server is refused, the first goes on"""
    g.lan(esp(A, S, 0xaaaa0001), sent=esp(E, S, 0xaaaa0001))
    g.lan(esp(B, S, 0xcccc0001), punt="server_taken")
    g.lan(esp(D, S, 0xdddd0001), device=LAN1, punt="server_taken")
    g.lan(esp(A, S, 0xaaaa0001), sent=esp(E, S, 0xaaaa0001))
    g.wan(esp(S, E, 0xbbbb0001), sent=esp(S, A, 0xbbbb0001))


@case
def another_server(g):
    """RFC 3715 2.1: the second client has another server"""
    g.lan(esp(A, S, 0xaaaa0001), sent=esp(E, S, 0xaaaa0001))
    g.lan(esp(B, T, 0xaaaa0001), sent=esp(E, T, 0xaaaa0001))
    g.wan(esp(T, E, 0xbbbb0001), sent=esp(T, B, 0xbbbb0001))
    g.wan(esp(S, E, 0xbbbb0001), sent=esp(S, A, 0xbbbb0001))


@case
def unsolicited(g):
    """Nobody has spoken with this server"""
    g.wan(esp(S, E, 0xbbbb0001), drop="unsolicited")
    g.lan(esp(A, S, 0xaaaa0001), sent=esp(E, S, 0xaaaa0001))
    g.wan(esp(T, E, 0xbbbb0001), drop="unsolicited")


@case
def spi_zero(g):
    """RFC 4303 2.1: SPI 0 is never on the wire"""
    g.lan(esp(A, S, 0), drop="malformed_transport")
    g.wan(esp(S, E, 0), drop="malformed_transport")


@case
def timer(g):
    """Idle for an hour, then over"""
    g.lan(esp(A, S, 0xaaaa0001), sent=esp(E, S, 0xaaaa0001))
    g.at(HOUR - 1)
    g.wan(esp(S, E, 0xbbbb0001), sent=esp(S, A, 0xbbbb0001))
    g.at(2 * HOUR + 1)
    g.wan(esp(S, E, 0xbbbb0001), drop="session_expired")


@case
def ah(g):
    """RFC 3715 2.1: AH signs the addresses: refused, both ways"""
    g.lan(proto(A, S, 51), drop="ah_untranslatable")
    g.wan(proto(S, E, 51), drop="unsolicited")


@case
def armed_pair(g):
    """Two clients of one server, the second one's inbound SPI armed by the daemon"""
    g.lan(esp(A, S, 0xaaaa0001), sent=esp(E, S, 0xaaaa0001))
    orig = g.insert("orig", protocol=50, id_type=ID_SPI, id=0xcccc0001, remote=S, local=B, new_local=E,
                    address_delta=delta(B, E), timeout=TIMEOUT_ESP, flags=STATIC_SESSION,
                    **{"class": CLASSES["ipsec"]})
    g.pair(orig, arm(g, B, S, 0xbbbb0002))
    g.lan(esp(B, S, 0xcccc0001), sent=esp(E, S, 0xcccc0001))
    g.wan(esp(S, E, 0xbbbb0002), sent=esp(S, B, 0xbbbb0002))
    g.wan(esp(S, E, 0xbbbb0001), sent=esp(S, A, 0xbbbb0001))
    g.lan(esp(A, S, 0xaaaa0001), sent=esp(E, S, 0xaaaa0001))


@case
def armed_pair_stays(g):
    """An armed pair is the daemon's to end: silence does not expire it"""
    orig = g.insert("orig", protocol=50, id_type=ID_SPI, id=0xcccc0001, remote=S, local=B, new_local=E,
                    address_delta=delta(B, E), timeout=TIMEOUT_ESP, flags=STATIC_SESSION,
                    **{"class": CLASSES["ipsec"]})
    g.pair(orig, arm(g, B, S, 0xbbbb0002))
    g.at(3 * HOUR)
    g.wan(esp(S, E, 0xbbbb0002), sent=esp(S, B, 0xbbbb0002))
    g.wan(esp(T, E, 0xbbbb0002), drop="unsolicited")


@case
def armed_pair_error(g):
    """RFC 5508 REQ-4: an error about an armed pair's packet reaches its client"""
    orig = g.insert("orig", protocol=50, id_type=ID_SPI, id=0xcccc0001, remote=S, local=B, new_local=E,
                    address_delta=delta(B, E), timeout=TIMEOUT_ESP, flags=STATIC_SESSION,
                    **{"class": CLASSES["ipsec"]})
    g.pair(orig, arm(g, B, S, 0xbbbb0002))
    g.lan(esp(B, S, 0xcccc0001), sent=esp(E, S, 0xcccc0001))
    g.wan(esp(S, E, 0xbbbb0002), sent=esp(S, B, 0xbbbb0002))
    quote(g, "reply", B, protocol=50, id_type=ID_SPI, remote=S, id=0xcccc0001)
    g.wan(icmp_error(T, E, esp(E, S, 0xcccc0001), 3, 4), sent=icmp_error(T, B, esp(B, S, 0xcccc0001), 3, 4))


@case
def nat_t(g):
    """RFC 3948: ESP in UDP, keepalive of one byte, checksum zero: addresses and ports only"""
    g.lan(udp(A, 4500, S, 4500, b"\xff", chksum=0), sent=udp(E, 4500, S, 4500, b"\xff", chksum=0))
    port = g.lan(udp(B, 4500, S, 4500, b"\0\0\0\1ike"), sent=lambda p: udp(E, p, S, 4500, b"\0\0\0\1ike")).port
    g.wan(udp(S, 4500, E, port, b"x", chksum=0), sent=udp(S, 4500, B, 4500, b"x", chksum=0))
    g.wan(udp(S, 4500, E, 4500, b"y", chksum=0), sent=udp(S, 4500, A, 4500, b"y", chksum=0))


@case
def nat_t_keepalive(g):
    """RFC 3948 2.3: one keepalive every 20 s holds the mapping"""
    for second in range(0, 1000, 20):
        g.at(second)
        g.lan(udp(A, 4500, S, 4500, b"\xff"), sent=udp(E, 4500, S, 4500, b"\xff"))
    g.wan(udp(S, 4500, E, 4500), sent=udp(S, 4500, A, 4500))
