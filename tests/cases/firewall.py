# SPDX-License-Identifier: GPL-2.0-or-later
"""What never passes, and what stays on its link: martians, spoofed sources, source routes, the default deny."""
from packets import (A, B, D, E, GATEWAY_LAN, LAN0, LAN1, N, ROUTER, S, UNRESOLVED, WAN, Ether, IPOption, Raw, base, esp, gre0, ping, pong,
                     proto, tcp, udp)
from rows import case

IMPOSSIBLE_SOURCES = ["0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "224.0.0.1", "239.1.2.3", "240.0.0.1",
                      "255.255.255.255"]


def ethertype(g, program, kind, payload):
    frame = Ether(dst="52:54:00:00:00:01", src="52:54:00:00:99:99", type=kind) / payload
    return g.run(program, LAN0 if program == "inside" else WAN, bytes(frame), True)


@case
def default_deny(g):
    """RFC 4787 REQ-8: nothing that was not asked for, of any protocol"""
    for packet in (udp(S, 53, E, 4000), tcp(S, 80, E, 5000), ping(S, E, 7), pong(S, E, 7), esp(S, E, 7), gre0(S, E),
                   proto(S, E, 4), proto(S, E, 115), proto(S, E, 200), proto(S, E, 51), udp(S, 9, E, 500),
                   udp(S, 9, E, 4500), tcp(S, 9, E, 22), udp(S, 9, E, 64512), udp(ROUTER, 9, E, 53)):
        g.wan(packet, drop="unsolicited")
    assert not g.records()


@case
def not_for_gateway(g):
    """Arrived on the WAN for somebody else"""
    g.wan(udp(S, 53, N, 4000), drop="not_for_gateway")
    g.wan(tcp(S, 53, A, 4000), drop="not_for_gateway")
    g.wan(udp(S, 53, GATEWAY_LAN, 53), drop="not_for_gateway")
    g.wan(ping(S, "10.0.1.1", 1), drop="not_for_gateway")


@case
def inside_address_from_wan(g):
    """A packet straight to an inside host, with and without a session of it"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(udp(S, 53, A, 4000), drop="not_for_gateway")


@case
def multicast_from_wan(g):
    """224/4 and broadcast from the WAN"""
    for destination in ("224.0.0.1", "239.255.255.250", "255.255.255.255", "198.51.100.255"):
        g.wan(udp(ROUTER, 1900, destination, 1900), drop="not_for_gateway")


@case
def martian_source_inside(g):
    """RFC 6890: a source that cannot be one, from the LAN"""
    for source in IMPOSSIBLE_SOURCES:
        g.lan(udp(source, 4000, S, 53), drop="martian_source")
    assert not g.records()


@case
def martian_source_outside(g):
    """RFC 6890: from the WAN, ourselves included; also to an open port"""
    g.forward(17, 80, A, 8080)
    for source in IMPOSSIBLE_SOURCES:
        g.wan(udp(source, 4000, E, 81), drop="martian_source")
        g.wan(udp(source, 4000, E, 80), drop="martian_source")


@case
def own_address_from_wan(g):
    """RFC 6890: our own address as a source from the WAN is no hairpin"""
    g.wan(udp(E, 4000, E, 81), drop="martian_source")
    g.forward(17, 80, A, 8080)
    g.wan(udp(E, 4000, E, 80), drop="martian_source")


@case
def martian_destination(g):
    """RFC 6890, RFC 3927 7: destinations that no router serves"""
    for destination in ("0.0.0.0", "169.254.1.1", "240.0.0.1"):
        g.lan(udp(A, 4000, destination, 53), drop="martian_destination")
    assert not g.records("orig")


@case
def multicast_from_lan(g):
    """224/4 and broadcast are the link's own"""
    for destination in ("224.0.0.251", "239.255.255.250", "255.255.255.255"):
        g.lan(udp(A, 5353, destination, 5353), stack="to_gateway")
    assert not g.records("orig")


@case
def spoofed_inside(g):
    """RFC 2827: a source that is not behind this interface"""
    for source in ("192.0.2.1", D, S, E, ROUTER, GATEWAY_LAN):
        g.lan(udp(source, 4000, S, 53), drop="spoofed_source")
    g.lan(udp(A, 4000, S, 53), device=LAN1, drop="spoofed_source")
    assert not g.records("orig")


def neighbours_packets():
    """Of a host that has sessions: what another LAN's host may send in its name."""
    return (udp(A, 4000, S, 53), tcp(A, 5000, S, 80, "A", seq=1001), tcp(A, 5000, S, 80, "R", seq=1001), ping(A, S, 7),
            esp(A, S, 0x1001), gre0(A, S, 9), proto(A, S, 4),
            udp(A, 6000, S, 53, bytes(1000), flags="MF", id=5))


@case
def another_lan_in_a_session(g):
    """RFC 2827: a host of another LAN, with the address and ports of one that has a session, says nothing in it"""
    g.switch(on=[])
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    g.wan(tcp(S, 80, E, 5000, "SA", seq=9, ack=1001), sent=tcp(S, 80, A, 5000, "SA", seq=9, ack=1001))
    for packet in neighbours_packets():
        if packet.proto != 6:
            g.lan(packet, sent=sent_by_e(packet), leave=packet.flags == "MF")
    before = g.records("orig")
    for _ in range(2):
        for packet in neighbours_packets():
            g.lan(packet, device=LAN1, drop="spoofed_source", leave=packet.flags == "MF")
        for r in before:
            assert r in g.records("orig"), "a stranger's packet has changed the session: %s" % r
        g.config(route_generation=2)
    first = udp(A, 6000, S, 53, bytes(1000), flags="MF", id=6)
    g.lan(first, sent=sent_by_e(first), leave=True)
    last = base(A, S, {"proto": 17, "frag": 126, "id": 6}) / Raw(bytes(16))
    g.lan(last, device=LAN1, drop="spoofed_source", leave=True)
    overlap = base(A, S, {"proto": 17, "frag": 120, "id": 6}) / Raw(bytes(16))
    g.lan(overlap, device=LAN1, drop="spoofed_source", leave=True)
    g.lan(last, sent=sent_by_e(last), leave=True)
    for packet in neighbours_packets()[3:-1]:
        g.lan(packet, sent=sent_by_e(packet))


def sent_by_e(packet):
    packet = packet.copy()
    packet.src = E
    return packet


@case
def another_lan_in_a_hairpin(g):
    """The same on the way to another inside host by the external address"""
    g.forward(17, 80, B, 8080)
    g.lan(udp(A, 4000, E, 80), sent=udp(E, 4000, B, 8080), leave=True)
    g.lan(udp(A, 4000, E, 80), device=LAN1, drop="spoofed_source", leave=None)
    g.lan(udp(A, 4000, E, 80), sent=udp(E, 4000, B, 8080), leave=True)
    g.config(route_generation=2)
    g.lan(udp(A, 4000, E, 80), device=LAN1, drop="spoofed_source", leave=None)
    g.lan(udp(A, 4000, E, 80), sent=udp(E, 4000, B, 8080), leave=True)


@case
def another_lan_to_the_helper(g):
    """What the helper reads is the host's own"""
    g.switch(on=["pptp"])
    g.lan(tcp(A, 5000, S, 1723), punt="to_helper")
    g.lan(tcp(A, 5000, S, 1723), device=LAN1, drop="spoofed_source")


@case
def host_moves_to_another_lan(g):
    """Routes change: the session goes on from where the host is now, and from nowhere else"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.detour("10.0.0.10/32", LAN1, D)
    g.config(route_generation=2)
    g.lan(udp(A, 4000, S, 53), drop="spoofed_source")
    g.lan(udp(A, 4000, S, 53), device=LAN1, sent=udp(E, 4000, S, 53))
    g.lan(udp(A, 4000, S, 53), drop="spoofed_source")
    g.lan(udp(A, 4000, S, 53), device=LAN1, sent=udp(E, 4000, S, 53))


@case
def server_answers_from_its_lan(g):
    """A session that the remote began: the inside host's answers count from its own interface only"""
    g.forward(17, 80, A, 8080)
    g.wan(udp(S, 5000, E, 80), sent=udp(S, 5000, A, 8080))
    g.lan(udp(A, 8080, S, 5000), device=LAN1, drop="spoofed_source")
    g.lan(udp(A, 8080, S, 5000), sent=udp(E, 80, S, 5000))


@case
def forged_source_to_gateway(g):
    """BCP 38: who is not of this LAN gets no answer from the gateway, its other addresses or another LAN"""
    for source in ("192.0.2.1", S, D, ROUTER, N, E, GATEWAY_LAN, "10.0.1.1", "169.254.7.7"):
        for destination in (GATEWAY_LAN, E, "10.0.1.1", D):
            g.lan(ping(source, destination, 1), drop="spoofed_source")
            g.lan(udp(source, 4000, destination, 53), drop="spoofed_source")
    g.lan(udp(A, 4000, GATEWAY_LAN, 53), device=LAN1, drop="spoofed_source")
    g.lan(udp(A, 4000, GATEWAY_LAN, 53), stack="to_gateway")
    g.lan(udp(A, 4000, D, 53), stack="to_gateway")


@case
def forged_source_to_all(g):
    """The same to groups and broadcast; who has no address yet may speak (RFC 2131 4.1, RFC 3927)"""
    for destination in ("224.0.0.251", "255.255.255.255"):
        for source in ("192.0.2.1", S, D, E, GATEWAY_LAN):
            g.lan(udp(source, 4000, destination, 53), drop="spoofed_source")
        for source in (A, "0.0.0.0", "169.254.7.7"):
            g.lan(udp(source, 68, destination, 67), stack="to_gateway")


@case
def spoofed_outside(g):
    """RFC 2827: an inside address as source from the WAN, to an open port"""
    g.forward(17, 80, A, 8080)
    for source in (A, B, D, UNRESOLVED):
        g.wan(udp(source, 4000, E, 80), drop="spoofed_source")
    assert not g.records("orig")


@case
def source_route(g):
    """RFC 7126 4.3: loose and strict source routes are dropped, wherever they stand, both ways"""
    loose, strict = b"\x83\x07\x04\x0a\x00\x00\x0b", b"\x89\x07\x04\x0a\x00\x00\x0b"
    nop, alert = IPOption(b"\x01"), IPOption(b"\x94\x04\x00\x00")
    g.forward(17, 80, A, 8080)
    for route in (loose, strict):
        for options in ([IPOption(route)], [nop, IPOption(route)], [alert, nop, IPOption(route)],
                        [nop] * 30 + [IPOption(route)]):
            g.lan(udp(A, 4000, S, 53, options=options), drop="source_route")
            g.wan(udp(S, 53, E, 80, options=options), drop="source_route")


@case
def broken_options(g):
    """RFC 791: an option whose length is nonsense"""
    for option in (b"\x44\x00\x05\x00", b"\x44\x01\x05\x00"):
        g.lan(udp(A, 4000, S, 53, options=[IPOption(option)]), drop="malformed_ip")


@case
def option_past_header(g):
    """RFC 791: an option that ends behind the header"""
    packet = udp(A, 4000, S, 53, options=[IPOption(b"\x44\x28\x05\x00")])
    g.lan(packet, drop="malformed_ip")


@case
def to_gateway(g):
    """From the LAN for the gateway or another LAN: the kernel's"""
    g.lan(udp(A, 4000, GATEWAY_LAN, 53), stack="to_gateway")
    g.lan(tcp(A, 4000, E, 443), stack="to_gateway")
    g.lan(ping(A, E, 1), stack="to_gateway")
    g.lan(udp(A, 4000, D, 53), stack="to_gateway")
    g.lan(udp(A, 4000, B, 53), stack="to_gateway")
    assert not g.records("orig")


@case
def no_wan_address(g):
    """Before the WAN has an address"""
    g.config(external="0.0.0.0")
    g.lan(udp(A, 4000, S, 53), drop="no_wan_address")


@case
def dhcp(g):
    """RFC 2131 4.1: answers to the gateway's own DHCP client, and nothing that looks alike"""
    g.wan(udp(ROUTER, 67, E, 68), stack="link_protocol")
    g.wan(udp(ROUTER, 67, "255.255.255.255", 68), stack="link_protocol")
    g.wan(udp(ROUTER, 66, E, 68), drop="unsolicited")
    g.wan(udp(ROUTER, 67, E, 69), drop="unsolicited")
    g.wan(tcp(ROUTER, 67, E, 68), drop="unsolicited")


def link(g, program, kind, verdict, reason, payload=b"\0" * 46):
    answer = ethertype(g, program, kind, payload)
    counted = set(answer.counters) == ({reason} if reason else set())
    assert answer.verdict == verdict and counted, (hex(kind), answer)


@case(only=("tc", "xdp"))
def link_protocols(g):
    """ARP, PPPoE and 802.1X are the gateway's own link, on the WAN too"""
    for kind in (0x0806, 0x8863, 0x8864, 0x888e):
        link(g, "outside", kind, "stack", "link_protocol")
    for kind in (0x0806, 0x88cc, 0x1234):
        link(g, "inside", kind, "stack", "link_protocol")


@case(only=("tc", "xdp"))
def other_ethertypes(g):
    """Anything else on the WAN is dropped"""
    for kind in (0x88cc, 0x1234, 0x8847, 0x9000):
        link(g, "outside", kind, "drop", "ethertype")


def ipv6(destination):
    return bytes([0x60, 0, 0, 0, 0, 0, 59, 64]) + bytes(16) + destination + bytes(10)


@case(only=("tc", "xdp"))
def ipv6_dropped(g):
    """IPv6 is not forwarded; what stays on the LAN's link goes up"""
    world = bytes.fromhex("20010db8") + bytes(12)
    link(g, "inside", 0x86dd, "drop", "ipv6", ipv6(world))
    link(g, "outside", 0x86dd, "drop", "ipv6", ipv6(world))
    for local in ("fe80", "febf", "ff02"):
        link(g, "inside", 0x86dd, "stack", "to_gateway", ipv6(bytes.fromhex(local) + bytes(14)))
        link(g, "outside", 0x86dd, "drop", "ipv6", ipv6(bytes.fromhex(local) + bytes(14)))
    link(g, "inside", 0x86dd, "drop", "ipv6", ipv6(bytes.fromhex("fec0") + bytes(14)))


@case(only=("tc", "xdp"))
def vlan(g):
    """A tagged frame is another device's"""
    tagged = bytes.fromhex("00070800") + bytes(udp(A, 4000, S, 53))
    for kind in (0x8100, 0x88a8):
        for program in ("inside", "outside"):
            link(g, program, kind, "stack", None, tagged)
