# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 9293 3.7.1: the MSS option of SYN segments, lowered to what the WAN carries."""

from packets import A, E, S, tcp
from rows import case

NOP = ("NOP", None)


def mss(value, before=0, after=0):
    return [NOP] * before + [("MSS", value)] + [NOP] * after


def syn(source, sport, destination, dport, options, flags="S"):
    return tcp(source, sport, destination, dport, flags, options=options)


@case
def lowered(g):
    """Both directions of the opening, to the WAN's MTU less 40"""
    g.config(wan_mtu=1492)
    g.lan(syn(A, 5000, S, 80, mss(1460)), sent=syn(E, 5000, S, 80, mss(1452)))
    g.wan(syn(S, 80, E, 5000, mss(1460), "SA"), sent=syn(S, 80, A, 5000, mss(1452), "SA"))


@case
def odd_offsets(g):
    """At every offset, also across two words of the checksum"""
    g.config(wan_mtu=1492)
    for before in range(17):
        options = mss(1460, before, (4 - before) % 4)
        expected = mss(1452, before, (4 - before) % 4)
        g.lan(syn(A, 5000, S, 80, options), sent=syn(E, 5000, S, 80, expected))


@case
def among_others(g):
    """Behind the options that systems really send"""
    g.config(wan_mtu=1400)
    common = [("SAckOK", b""), ("Timestamp", (1, 0)), NOP, ("WScale", 7)]
    g.lan(syn(A, 5000, S, 80, common + [("MSS", 1460)]), sent=syn(E, 5000, S, 80, common + [("MSS", 1360)]))
    g.lan(syn(A, 5000, S, 80, [("MSS", 1460)] + common), sent=syn(E, 5000, S, 80, [("MSS", 1360)] + common))


@case
def never_raised(g):
    """A smaller one stays; one that just fits stays"""
    g.config(wan_mtu=1492)
    for value in (0, 536, 1400, 1452):
        g.lan(syn(A, 5000, S, 80, mss(value)), sent=syn(E, 5000, S, 80, mss(value)))


@case
def every_value(g):
    """The checksum holds whatever the value was"""
    g.config(wan_mtu=1400)
    for value in range(1361, 65536, 1777):
        g.lan(syn(A, 5000, S, 80, mss(value, 1, 3)), sent=syn(E, 5000, S, 80, mss(1360, 1, 3)))


@case
def fixed(g):
    """A value of the administrator's"""
    g.config(mss_clamp=1200)
    g.lan(syn(A, 5000, S, 80, mss(1460)), sent=syn(E, 5000, S, 80, mss(1200)))


@case
def off(g):
    """Switched off"""
    g.config(mss_clamp=0, wan_mtu=1400)
    g.lan(syn(A, 5000, S, 80, mss(1460)), sent=syn(E, 5000, S, 80, mss(1460)))


@case
def only_syn(g):
    """The option means nothing in other segments"""
    g.config(wan_mtu=1400)
    g.lan(syn(A, 5000, S, 80, []), sent=syn(E, 5000, S, 80, []))
    g.lan(syn(A, 5000, S, 80, mss(1460), "A"), sent=syn(E, 5000, S, 80, mss(1460), "A"))
    g.lan(syn(A, 5000, S, 80, mss(1460), "FA"), sent=syn(E, 5000, S, 80, mss(1460), "FA"))


@case
def broken_options(g):
    """CVE-2026-43452: options that end in the middle or lie about their length stay as they are"""
    g.config(wan_mtu=1400)
    base = bytes(tcp(A, 5000, S, 80, "S", options=mss(1460)))
    for option in (b"\x02\x04\x05", b"\x02\x03\x05\xb4", b"\x02\x05\x05\xb4", b"\x03\x00\x02\x04", b"\x08\xff\x02\x04",
                   b"\x00\x02\x04\x05", b"\x01\x01\x01\x02", b"\x01\x01\x02\x04", b"\x01\x02\x04\x05"):
        option = option.ljust(4, b"\0")
        sent = tcp(A, 5000, S, 80, "S", options=mss(1460))
        g.lan(raw_options(sent, option), sent=lambda _, o=option: raw_options(tcp(E, 5000, S, 80), o))
    assert len(base) == 44


def raw_options(packet, option):
    """A SYN with these four bytes as its options."""
    from packets import IP, TCP, Raw
    plain = tcp(packet.src, packet.sport, packet.dst, packet.dport, "S")
    plain[TCP].dataofs = 6
    return IP(src=plain.src, dst=plain.dst, id=0x1234) / plain[TCP].copy() / Raw(option)
