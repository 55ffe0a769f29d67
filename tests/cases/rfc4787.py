# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 4787: unicast UDP through a NAT."""
from gateway import ADDRESS_AND_PORT_DEPENDENT, ADDRESS_DEPENDENT, ENDPOINT_INDEPENDENT
from packets import A, B, E, LAN1, D, S, T, N, IPOption, udp
from rows import case


@case
def port_preserved(g):
    """4.2.1: the inside port where it is free, and answers come back"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))


@case
def eim(g):
    """REQ-1: one socket keeps its port whatever the remote, also when another has taken the same"""
    g.lan(udp(B, 4000, S, 53), sent=udp(E, 4000, S, 53))
    port = g.lan(udp(A, 4000, S, 53), sent=lambda p: udp(E, p, S, 53)).port
    assert port != 4000
    g.lan(udp(A, 4000, S, 54), sent=udp(E, port, S, 54))
    g.lan(udp(A, 4000, T, 53), sent=udp(E, port, T, 53))
    g.lan(udp(A, 4000, N, 53), sent=udp(E, port, N, 53))
    g.wan(udp(T, 53, E, port), sent=udp(T, 53, A, 4000))
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, B, 4000))


@case
def never_shared(g):
    """REQ-3: a port belongs to one socket, also towards different remotes"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    port = g.lan(udp(B, 4000, T, 53), sent=lambda p: udp(E, p, T, 53)).port
    assert port != 4000
    assert g.lan(udp(D, 4000, N, 53), device=LAN1, sent=lambda p: udp(E, p, N, 53)).port not in (4000, port)


@case
def collision_parity(g):
    """REQ-4: the substitute of an even port is even, of an odd one odd; REQ-3a: of the same range"""
    for low, wanted in ((4000, 0), (4001, 1), (40000, 0), (40001, 1)):
        g.lan(udp(A, low, S, 53), sent=udp(E, low, S, 53))
        port = g.lan(udp(B, low, S, 53), sent=lambda p: udp(E, p, S, 53)).port
        assert port % 2 == wanted and 1024 <= port < 64512, port


@case
def collision_class(g):
    """REQ-3a: a port below 1024 gets a substitute below 1024"""
    for low in (123, 600, 601, 1023):
        g.lan(udp(A, low, S, 53), sent=udp(E, low, S, 53))
        port = g.lan(udp(B, low, S, 53), sent=lambda p: udp(E, p, S, 53)).port
        assert 0 < port < 1024 and port % 2 == low % 2, port


@case
def collision_ike(g):
    """REQ-3a, deviation: the substitute of 500 is an even port above 1023"""
    g.lan(udp(A, 500, S, 500), sent=udp(E, 500, S, 500))
    port = g.lan(udp(B, 500, S, 500), sent=lambda p: udp(E, p, S, 500)).port
    assert port >= 1024 and port % 2 == 0, port
    g.wan(udp(S, 500, E, port), sent=udp(S, 500, B, 500))


@case
def own_range(g):
    """The gateway's own ports 64512 to 65535 are never given away"""
    for source in (64512, 65535, 65000):
        port = g.lan(udp(A, source, S, 53), sent=lambda p: udp(E, p, S, 53)).port
        assert 1024 <= port < 64512 and port % 2 == source % 2, port
    g.lan(udp(A, 64511, S, 53), sent=udp(E, 64511, S, 53))


@case
def filter_address_dependent(g):
    """REQ-8: address-dependent: another port of a contacted host may begin, another host may not"""
    g.config(filtering_udp=ADDRESS_DEPENDENT)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(udp(S, 99, E, 4000), sent=udp(S, 99, A, 4000))
    g.wan(udp(T, 53, E, 4000), drop="filtered")
    g.lan(udp(A, 4000, T, 99), sent=udp(E, 4000, T, 99))
    g.wan(udp(T, 53, E, 4000), sent=udp(T, 53, A, 4000))


@case
def filter_endpoint_independent(g):
    """REQ-8: endpoint-independent: any host may begin towards a mapped port"""
    g.config(filtering_udp=ENDPOINT_INDEPENDENT)
    g.wan(udp(T, 53, E, 4000), drop="unsolicited")
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(udp(T, 53, E, 4000), sent=udp(T, 53, A, 4000))
    g.lan(udp(A, 4000, T, 53), sent=udp(E, 4000, T, 53))


@case
def filter_address_and_port_dependent(g):
    """REQ-8: address- and port-dependent: only who was contacted"""
    g.config(filtering_udp=ADDRESS_AND_PORT_DEPENDENT)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(udp(S, 99, E, 4000), drop="filtered")
    g.wan(udp(T, 53, E, 4000), drop="filtered")
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))


@case
def filter_of_one_mapping(g):
    """REQ-8: what one socket has contacted says nothing for another"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(udp(B, 4002, T, 53), sent=udp(E, 4002, T, 53))
    g.wan(udp(T, 53, E, 4000), drop="filtered")
    g.wan(udp(S, 53, E, 4002), drop="filtered")


@case
def timer(g):
    """REQ-5: a mapping idle for 299 s still lets its answer in, after 301 s it does not"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.at(299)
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))
    g.at(299 + 301)
    g.wan(udp(S, 53, E, 4000), drop="session_expired")


@case
def refresh_outbound(g):
    """REQ-6: each packet going out keeps the mapping"""
    for second in (0, 250, 500, 750, 1000):
        g.at(second)
        g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.at(1299)
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))


@case
def expired_goes_on(g):
    """REQ-5: a silent session continues with the inside host's next packet, on the same port"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.at(400)
    g.wan(udp(S, 53, E, 4000), drop="session_expired")
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))


@case
def checksum_zero(g):
    """RFC 768: a checksum of zero stays zero, both ways"""
    g.lan(udp(A, 4000, S, 53, chksum=0), sent=udp(E, 4000, S, 53, chksum=0))
    g.wan(udp(S, 53, E, 4000, chksum=0), sent=udp(S, 53, A, 4000, chksum=0))


@case
def checksum_never_zero(g):
    """RFC 768: a checksum that computes to zero is sent as 0xffff"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for high in range(256):
        low = next_to_zero(udp(E, 4000, S, 53, bytes([high, 0])))
        data = bytes([high]) + bytes([0]) + low
        g.lan(udp(A, 4000, S, 53, data), sent=udp(E, 4000, S, 53, data))


def next_to_zero(packet):
    """Two bytes of payload behind the packet's own that make its checksum compute to zero."""
    longer = packet.copy()
    longer["Raw"].load += b"\0\0"
    value = int.from_bytes(bytes(longer)[26:28], "big")
    return value.to_bytes(2, "big")


@case
def ip_options(g):
    """RFC 791: options that are no source route stay, and ports are found behind them"""
    options = [IPOption(b"\x94\x04\x00\x00"), IPOption(b"\x01"), IPOption(b"\x01"), IPOption(b"\x01"), IPOption(b"\x00")]
    g.lan(udp(A, 4000, S, 53, options=options), sent=udp(E, 4000, S, 53, options=options))
    g.wan(udp(S, 53, E, 4000, options=options), sent=udp(S, 53, A, 4000, options=options))


@case
def lengths(g):
    """Payloads of every small length, and of the MTU"""
    for length in [*range(34), 500, 501, 1471, 1472]:
        data = bytes(range(256)) * 6
        g.lan(udp(A, 4000, S, 53, data[:length]), sent=udp(E, 4000, S, 53, data[:length]))
        g.wan(udp(S, 53, E, 4000, data[:length]), sent=udp(S, 53, A, 4000, data[:length]))


@case
def ttl(g):
    """RFC 1812 5.3.1: one less, once; the rest of the header stays"""
    for value in (2, 3, 64, 255):
        g.lan(udp(A, 4000, S, 53, ttl=value, tos=0xb8, flags="DF"),
              sent=udp(E, 4000, S, 53, tos=0xb8, flags="DF"), ttl=value - 1)
        g.wan(udp(S, 53, E, 4000, ttl=value, tos=0x03), sent=udp(S, 53, A, 4000, tos=0x03), ttl=value - 1)


@case
def other_lan(g):
    """Hosts behind two LAN interfaces, and their answers back to each"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(udp(D, 4002, S, 53), device=LAN1, sent=udp(E, 4002, S, 53))
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))
    g.wan(udp(S, 53, E, 4002), sent=udp(S, 53, D, 4002))
