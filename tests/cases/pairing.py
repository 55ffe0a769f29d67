# SPDX-License-Identifier: GPL-2.0-or-later
"""Tunnels that the daemon tells apart: what reaches it, what it says, and what passes when it is dead."""
from gateway import (CLASSES, ID_IKE, ID_NONE, ID_SPI, ID_TUNNEL, PUNT_SESSION, SHARED_SESSION, STATIC_SESSION, TIMEOUT_ESP,
                     WATCHED_SESSION)
from packets import A, B, D, E, LAN0, ROUTER, S, WAN, esp, udp
from rows import case
from slow_path import NO_RECORD, record, sent, tap

COOKIE_A, COOKIE_B = bytes.fromhex("1111111122222222"), bytes.fromhex("aaaaaaaabbbbbbbb")


def ike(spi, response=b"\0" * 8, exchange=34, flags=8):
    """RFC 7296 3.1: the header alone."""
    return spi + response + bytes([0, 0x20, exchange, flags]) + bytes(4) + (28).to_bytes(4, "big")


def l2tp(tunnel, length=True):
    """RFC 2661 3.1: a data message."""
    return (b"\x40\x02\0\x0a" if length else b"\0\x02") + tunnel.to_bytes(2, "big") + b"\0\1data"


def xored(spi):
    return int.from_bytes(spi[:4], "big") ^ int.from_bytes(spi[4:], "big")


def assisted(g, *classes):
    g.switch(on=classes)
    g.daemon_lives()


def claim(g, remote, protocol=50):
    return g.insert("claim", protocol=protocol, remote=remote, local=E)


@case
def esp_out_asks(g):
    """RFC 4303 2.1: nothing in the packet says which answers belong to it, so the daemon has to see it"""
    assisted(g, "ipsec")
    g.lan(esp(A, S, 0xaaaa0001), punt="to_pairing", leave=True)
    g.lan(esp(B, S, 0xcccc0001), punt="to_pairing", leave=True)
    assert not g.records("orig") and not g.records("reply")


@case
def esp_in_asks_with_claim(g):
    """Unknown arrivals reach the daemon only from servers that an inside host uses"""
    assisted(g, "ipsec")
    g.wan(esp(S, E, 0xbbbb0001), drop="unsolicited")
    claim(g, S)
    g.wan(esp(S, E, 0xbbbb0001), punt="to_pairing", leave=True)
    g.wan(esp(D, E, 0xbbbb0001), drop="unsolicited")


@case
def esp_arrivals_are_limited(g):
    """A server that floods has its own rate, a second later the next ones are looked at"""
    assisted(g, "ipsec")
    index = claim(g, S)
    g.wan(esp(S, E, 0x1000), punt="to_pairing", leave=True)
    assert g.records("claim")[0]["tokens"] >= 2000 * 1024  # eight full tunnels, 250 a second each
    g.change(index, tokens=64 * 1024, refilled=1000000 + 1000)  # as if nothing came in for a second
    for spi in range(0x1000, 0x1040):
        g.wan(esp(S, E, spi), punt="to_pairing", leave=True)
    g.wan(esp(S, E, 0x2000), drop="tunnel_rate", leave=True)
    claim(g, D)
    g.wan(esp(D, E, 0x2000), punt="to_pairing", leave=True)
    g.at(2)
    g.wan(esp(S, E, 0x2000), punt="to_pairing", leave=True)


@case
def esp_bound_passes(g):
    """A bound SPI is forwarded without the daemon; both clients of one server"""
    assisted(g, "ipsec")
    for spi, inside in ((0xbbbb0001, A), (0xbbbb0002, B)):
        g.insert("reply", protocol=50, remote=S, local=E, id_type=ID_SPI, id=spi, new_local=inside,
                 address_delta=delta(E, inside), timeout=TIMEOUT_ESP, flags=STATIC_SESSION,
                 **{"class": CLASSES["ipsec"]})
        g.wan(esp(S, E, spi), sent=esp(S, inside, spi))
    g.daemon_lives(0)
    g.wan(esp(S, E, 0xbbbb0002), sent=esp(S, B, 0xbbbb0002))


@case
def esp_sequence_begins_anew(g):
    """RFC 4303 3.3.3: number 1 on a bound SPI may be another client's SA with the same SPI: asked while somebody answers"""
    assisted(g, "ipsec")
    g.insert("reply", protocol=50, remote=S, local=E, id_type=ID_SPI, id=7, new_local=A, address_delta=delta(E, A),
             timeout=TIMEOUT_ESP, flags=STATIC_SESSION | WATCHED_SESSION, **{"class": CLASSES["ipsec"]})
    g.wan(esp(S, E, 7, 2), sent=esp(S, A, 7, 2))
    g.wan(esp(S, E, 7, 1), punt="to_pairing", leave=True)
    g.at(4)
    g.wan(esp(S, E, 7, 1), sent=esp(S, A, 7, 1))


def delta(old, new):
    from esp import delta as of
    return of(old, new)


@case
def esp_without_daemon(g):
    """Nobody pairs: one client of a server, as without assistance; the second is refused"""
    assisted(g, "ipsec")
    g.at(4)
    g.lan(esp(A, S, 0xaaaa0001), sent=esp(E, S, 0xaaaa0001))
    g.wan(esp(S, E, 0xbbbb0001), sent=esp(S, A, 0xbbbb0001))
    g.lan(esp(B, S, 0xcccc0001), punt="server_taken")
    g.daemon_lives(9)  # it is back: what it does not know it asks for again
    g.lan(esp(A, S, 0xaaaa0001), punt="to_pairing", leave=True)
    claim(g, S)
    g.wan(esp(S, E, 0xbbbb0001), punt="to_pairing", leave=True)


@case
def esp_server_inside(g):
    """A port forward of the whole protocol: what arrives is the inside server's, packet after packet"""
    assisted(g, "ipsec")
    g.insert("mapping_external", protocol=50, id_type=ID_NONE, local=E, new_local=A, flags=3)
    for sequence in (1, 2, 3):
        g.wan(esp(S, E, 0xaaaa0001, sequence), sent=esp(S, A, 0xaaaa0001, sequence))
    g.lan(esp(A, S, 0xbbbb0001), punt="to_pairing", leave=True)
    g.wan(esp(S, E, 0xaaaa0001, 4), sent=esp(S, A, 0xaaaa0001, 4))


@case
def esp_nat_only(g):
    """nat-only: nothing is looked at, whether the daemon lives or not"""
    assisted(g)
    g.lan(esp(A, S, 0xaaaa0001), sent=esp(E, S, 0xaaaa0001))
    g.lan(esp(B, S, 0xcccc0001), punt="server_taken")


@case
def ike_is_watched(g):
    """Key exchange goes by the daemon while it lives, and by itself when it is dead"""
    assisted(g, "ipsec")
    out, back = udp(A, 500, S, 500, ike(COOKIE_A)), udp(S, 500, E, 500, ike(COOKIE_A, COOKIE_B))
    g.lan(out, punt="to_watch", leave=True)
    (orig,) = g.records("orig")
    assert orig["flags"] & WATCHED_SESSION, orig
    sent(tap(g, record(4, 0, LAN0), out), udp(E, 500, S, 500, ike(COOKIE_A)), WAN, ROUTER)
    g.wan(back, punt="to_watch", leave=True)
    sent(tap(g, record(4, 1, WAN), back), udp(S, 500, A, 500, ike(COOKIE_A, COOKIE_B)), LAN0, A)
    g.at(4)
    g.lan(out, sent=udp(E, 500, S, 500, ike(COOKIE_A)))
    g.wan(back, sent=udp(S, 500, A, 500, ike(COOKIE_A, COOKIE_B)))


@case
def nat_t_is_not_watched(g):
    """RFC 3947 4: once it has floated to 4500 ports tell the clients apart"""
    assisted(g, "ipsec")
    g.lan(udp(A, 4500, S, 4500, b"\0\0\0\0" + ike(COOKIE_A)), sent=udp(E, 4500, S, 4500, b"\0\0\0\0" + ike(COOKIE_A)))


def share(g, id_type, ident, session, **more):
    """The id leads to a reply record, for the host that the record is of unless another is named."""
    owner = [r["new_local"] for r in g.records("reply") if r["record"] == session]
    g.insert("shared", **{"protocol": 17, "remote": S, "local": E, "id_type": id_type, "id": ident, "session": session,
                          "inside": owner[0] if owner else A, **more})


def two_on_one_port(g, port):
    """A owns the port; B's session towards the same server has been moved to it. B's reply record."""
    g.lan(udp(A, port, S, port, b"12345678"), sent=udp(E, port, S, port, b"12345678"))
    g.lan(udp(B, port, S, port, b"12345678"), sent=lambda p: udp(E, p, S, port, b"12345678"))
    (own,) = g.records("reply", local_id=port)
    (other,) = [r for r in g.records("reply") if r["new_local"] == B]
    g.change(own["record"], flags=own["flags"] | SHARED_SESSION | STATIC_SESSION)
    return own["record"], other["record"]


@case
def ike_port_shared(g):
    """RFC 3715 2.3: a server that insists on port 500 and two clients: told apart by the initiator's SPI"""
    own, other = two_on_one_port(g, 500)
    share(g, ID_IKE, xored(COOKIE_A), own)
    share(g, ID_IKE, xored(COOKIE_B), other)
    g.wan(udp(S, 500, E, 500, ike(COOKIE_A)), sent=udp(S, 500, A, 500, ike(COOKIE_A)), leave=True)
    g.wan(udp(S, 500, E, 500, ike(COOKIE_B)), sent=udp(S, 500, B, 500, ike(COOKIE_B)), leave=True)
    g.wan(udp(S, 500, E, 500, ike(bytes(8))), drop="tunnel_unknown", leave=True)
    g.daemon_lives()
    g.wan(udp(S, 500, E, 500, ike(bytes(8))), punt="to_pairing", leave=True)


@case
def ike_port_shared_too_short(g):
    """Nothing in it to tell by"""
    own, _ = two_on_one_port(g, 500)
    share(g, ID_IKE, 0, own)
    g.wan(udp(S, 500, E, 500, b"\xff"), drop="tunnel_unknown", leave=True)
    g.wan(udp(S, 500, E, 500, b""), drop="tunnel_unknown", leave=True)


@case
def l2tp_port_shared(g):
    """RFC 2661 8.1: a server that answers to port 1701 only: told apart by the tunnel id, length present or not"""
    own, other = two_on_one_port(g, 1701)
    share(g, ID_TUNNEL, 7, own)
    share(g, ID_TUNNEL, 9, other)
    for length in (True, False):
        g.wan(udp(S, 1701, E, 1701, l2tp(7, length)), sent=udp(S, 1701, A, 1701, l2tp(7, length)), leave=True)
        g.wan(udp(S, 1701, E, 1701, l2tp(9, length)), sent=udp(S, 1701, B, 1701, l2tp(9, length)), leave=True)
    g.wan(udp(S, 1701, E, 1701, l2tp(8)), drop="tunnel_unknown", leave=True)
    g.wan(udp(S, 1701, E, 1701, b"\x40\x03\0\x0a\0\7"), drop="tunnel_unknown", leave=True)


@case
def shared_session_gone(g):
    """An entry whose session has ended leads nowhere"""
    own, other = two_on_one_port(g, 500)
    share(g, ID_IKE, xored(COOKIE_B), own + other + 1)
    g.wan(udp(S, 500, E, 500, ike(COOKIE_B)), drop="tunnel_unknown", leave=True)


@case
def shared_session_is_anothers(g):
    """The place of an ended session is another host's by now: that one does not inherit its ids"""
    _, other = two_on_one_port(g, 1701)
    share(g, ID_TUNNEL, 7, other, inside=A)
    g.wan(udp(S, 1701, E, 1701, l2tp(7)), drop="tunnel_unknown", leave=True)


@case
def shared_ike_session_is_anothers(g):
    """The same behind port 500"""
    _, other = two_on_one_port(g, 500)
    share(g, ID_IKE, xored(COOKIE_A), other, inside=A)
    g.wan(udp(S, 500, E, 500, ike(COOKIE_A)), drop="tunnel_unknown", leave=True)


@case
def daemon_chooses(g):
    """PUNT_SESSION: by the reply that the record names, if it fits the packet"""
    own, other = two_on_one_port(g, 500)
    packet = udp(S, 500, E, 500, ike(bytes(8)))
    sent(tap(g, record(PUNT_SESSION, 1, WAN, other), packet), udp(S, 500, B, 500, ike(bytes(8))), LAN0, B)
    sent(tap(g, record(PUNT_SESSION, 1, WAN, own), packet), udp(S, 500, A, 500, ike(bytes(8))), LAN0, A)
    for head in (record(PUNT_SESSION, 1, WAN, NO_RECORD - 1), record(PUNT_SESSION, 0, LAN0, own),
                 record(PUNT_SESSION, 1, WAN, own ^ 1)):
        assert tap(g, head, packet).verdict == "drop", head.hex()
    assert tap(g, record(PUNT_SESSION, 1, WAN, own), udp(D, 500, E, 500)).verdict == "drop"
