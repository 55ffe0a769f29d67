# SPDX-License-Identifier: GPL-2.0-or-later
"""What may be handed to the daemon: per purpose, per sender, with a part that strangers never get (core/budget.h).

Each row floods one budget and looks at what is left for others. A packet costs a random amount, so a row knows about
how many pass. The kernel's clock goes on, so a row that counts is quick.
"""
from fragments import datagram, numbered, piece, pieces
from packets import A, B, E, LAN0, S, T, WAN, esp, tcp, udp
from rows import case


def frame(packet):
    return bytes(12) + b"\x08\0" + bytes(packet)


def sent_of(g, side, device, frames):
    """How many of them were handed to the daemon."""
    return sum(answer.verdict == "punt" for answer in g.many(side, device, frames, 64))


def host(number):
    return "10.0.0.%d" % number


@case
def lone_pieces_of_strangers(g):
    """A WAN stranger's later piece: no session with him, no token, no record; nor a LAN host's to where nobody talks"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    flood = list(numbered(pieces(datagram(T, 53, E, 4000))[1], range(1, 501)))
    assert sent_of(g, "outside", WAN, flood) == 0
    out = list(numbered(pieces(datagram(B, 53, T, 4000))[1], range(1, 501)))
    assert sent_of(g, "inside", LAN0, out) == 0
    assert not g.records("fragment")
    g.wan(pieces(datagram(T, 53, E, 4000))[1], drop="fragment_stray", leave=True)
    g.lan(pieces(datagram(B, 53, T, 4000))[1], drop="fragment_stray", leave=True)
    g.wan(pieces(datagram(S, 53, E, 4000))[1], punt="fragment_early", leave=True)
    g.lan(pieces(datagram(A, 4000, S, 53))[1], punt="fragment_early", leave=True)


@case
def lone_pieces_of_one_contact(g):
    """Who has a session floods his own share; another's early pieces are held, and come in order they pass without one"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(udp(B, 4002, T, 53), sent=udp(E, 4002, T, 53))
    flood = list(numbered(pieces(datagram(S, 53, E, 4000))[1], range(1, 501)))
    assert 20 < sent_of(g, "outside", WAN, flood) < 100
    parts, expected = pieces(datagram(T, 53, E, 4002)), pieces(datagram(T, 53, B, 4002))
    g.wan(parts[2], punt="fragment_early", leave=True)
    for index in (0, 1, 2):
        g.wan(parts[index], sent=expected[index], leave=True)


@case
def contacts_are_forgotten(g):
    """Ten minutes after the last packet of a session its remote is a stranger again; a session that goes on is not"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for seconds in range(100, 1000, 100):
        g.at(seconds)
        g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(piece(datagram(S, 53, E, 4000, id=1), 512, 1024, True), punt="fragment_early", leave=True)
    g.at(900 + 602)
    g.wan(piece(datagram(S, 53, E, 4000, id=2), 512, 1024, True), drop="fragment_stray", leave=True)


@case
def waiting_leaves_room_for_known(g):
    """RFC 4787 REQ-14a: with all the room taken that waiting pieces may have, datagrams in order still pass"""
    g.config(set_mask=255)  # 64 datagrams, 32 of them waiting
    for number in range(16):
        remote = "203.0.113.%d" % (100 + number)
        g.lan(udp(A, 4000 + number, remote, 53), sent=udp(E, 4000 + number, remote, 53))
        flood = numbered(pieces(datagram(remote, 53, E, 4000 + number))[1], range(1, 9))
        sent_of(g, "outside", WAN, list(flood))
    assert 8 < len(g.records("fragment")) <= 32
    g.lan(udp(B, 5002, S, 53), sent=udp(E, 5002, S, 53))
    for part, expected in zip(pieces(datagram(S, 53, E, 5002)), pieces(datagram(S, 53, B, 5002))):
        g.wan(part, sent=expected, leave=True)


@case
def errors_of_one_remote(g):
    """SAD DNS: errors about packets whose time ran out: one remote has its own few, whatever others have used"""
    for remote in (S, T):
        g.lan(udp(A, 4000, remote, 53), sent=udp(E, 4000, remote, 53))
    flood = [frame(udp(S, 53, E, 4000, ttl=1))] * 1000
    assert 0 < sent_of(g, "outside", WAN, flood) < 60
    assert sent_of(g, "outside", WAN, [frame(udp(T, 53, E, 4000, ttl=1))] * 5) >= 4


@case
def errors_are_not_exact(g):
    """... and how many is not to be known: two remotes, two second's worth, different numbers"""
    counts = set()
    for number in range(12):
        remote = "203.0.113.%d" % (100 + number)
        g.at(10 * number)
        g.lan(udp(A, 4000, remote, 53), sent=udp(E, 4000, remote, 53))
        counts.add(sent_of(g, "outside", WAN, [frame(udp(remote, 53, E, 4000, ttl=1))] * 64))
    assert len(counts) > 2, counts


@case
def other_purposes(g):
    """A flood of a class that is off take nothing from first packets of tunnels, of early pieces or of errors"""
    g.switch(off=["pptp"], on=["ipsec"])
    g.daemon_lives(60)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    flood = [frame(tcp(host(50 + n % 150), 5000, S, 1723, "S")) for n in range(1200)]
    assert sent_of(g, "inside", LAN0, flood) < 600
    for spi in range(0x1000, 0x1008):
        g.lan(esp(A, S, spi), punt="to_pairing", leave=True)
    g.wan(pieces(datagram(S, 53, E, 4000))[1], punt="fragment_early", leave=True)
    g.wan(udp(S, 53, E, 4000, ttl=1), punt="ttl_exceeded_inbound", leave=None)


@case
def reserve_of_known_hosts(g):
    """First packets of tunnels: a host that invents addresses leaves half to hosts that have sessions"""
    g.switch(on=["ipsec"])
    g.daemon_lives(60)
    g.lan(udp(B, 4000, S, 53), sent=udp(E, 4000, S, 53))
    flood = [frame(esp(host(20 + n % 200), T, 0x10000 + n)) for n in range(1000)]
    sent_of(g, "inside", LAN0, flood)
    for spi in range(0x1000, 0x1008):
        g.lan(esp(B, S, spi), punt="to_pairing", leave=True)


@case
def control_of_one_session(g):
    """Messages of one PPTP connection without end: another's are read"""
    g.switch(on=["pptp"])
    g.lan(tcp(A, 5000, S, 1723, "S"), punt="to_helper")
    g.lan(tcp(B, 5001, S, 1723, "S"), punt="to_helper")
    flood = [frame(tcp(A, 5000, S, 1723, "A"))] * 1000
    assert 100 < sent_of(g, "inside", LAN0, flood) < 1000
    for _ in range(20):
        g.lan(tcp(B, 5001, S, 1723, "A"), punt="to_helper")
