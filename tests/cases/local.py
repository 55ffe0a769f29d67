# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateway's own connections: recorded on their way out, answered to its stack, nothing else."""

from fragments import datagram, pieces
from packets import A, E, GATEWAY_LAN, S, T, esp, icmp_error, ping, pong, proto, tcp, udp
from rows import case

LOCAL_MAPPING = 4


@case
def answers(g):
    """UDP, TCP, ping and ESP of its own: the answer goes up, untouched"""
    for out, back in ((udp(E, 65000, S, 53), udp(S, 53, E, 65000)), (tcp(E, 65001, S, 443), tcp(S, 443, E, 65001, "SA")),
                      (ping(E, S, 7), pong(S, E, 7)), (esp(E, S, 7), esp(S, E, 8)),
                      (proto(E, S, 200), proto(S, E, 200))):
        g.wan(back, drop="unsolicited")
        g.local(out)
        g.wan(back, stack="local_flow")


@case
def answer_in_pieces(g):
    """RFC 4787 REQ-14: every piece of an answer goes up, in order and the last before the middle one"""
    g.local(udp(E, 65000, S, 53))
    for number, order in enumerate(((0, 1, 2), (0, 2, 1))):
        parts = pieces(datagram(S, 53, E, 65000, id=100 + number))
        for index in order:
            g.wan(parts[index], stack="local_flow", leave=True)
    assert not g.records("fragment")


@case
def only_the_answer(g):
    """Other ports, hosts and protocols stay out"""
    g.local(udp(E, 65000, S, 53))
    g.wan(udp(S, 54, E, 65000), drop="unsolicited")
    g.wan(udp(T, 53, E, 65000), drop="unsolicited")
    g.wan(tcp(S, 53, E, 65000), drop="unsolicited")
    g.wan(udp(S, 53, E, 65001), drop="unsolicited")


@case
def open_filter_opens_no_local_port(g):
    """CVE-2021-3773: open filtering is for mappings of the LAN"""
    g.config(filtering_udp=0)
    g.local(udp(E, 5353, S, 53))
    g.wan(udp(T, 53, E, 5353), drop="unsolicited")


@case
def port_shadow(g):
    """CVE-2021-3773: a port that the gateway itself uses is given to no host"""
    g.local(udp(E, 4000, S, 53))
    port = g.lan(udp(A, 4000, S, 53), sent=lambda p: udp(E, p, S, 53)).port
    assert port != 4000
    g.wan(udp(S, 53, E, 4000), stack="local_flow")
    g.wan(udp(S, 53, E, port), sent=udp(S, 53, A, 4000))


@case
def host_first(g):
    """A port that a host holds stays the host's when the gateway happens to use it too"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.local(udp(E, 4000, S, 53))
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))


@case
def answers_expire(g):
    """As long as it speaks itself, and its timer longer"""
    g.local(udp(E, 65000, S, 53))
    g.at(290)
    g.local(udp(E, 65000, S, 53))
    g.at(580)
    g.wan(udp(S, 53, E, 65000), stack="local_flow")
    g.at(1200)
    g.wan(udp(S, 53, E, 65000), drop="session_expired")


@case
def error(g):
    """ICMP errors about its own packets go up"""
    g.local(udp(E, 65000, S, 53))
    g.wan(icmp_error(T, E, udp(E, 65000, S, 53), 3, 4), stack="local_flow")
    g.wan(icmp_error(T, E, udp(E, 65000, T, 53), 3, 4), drop="icmp_no_session")


@case
def ttl_of_answers(g):
    """An answer with TTL 1 has arrived"""
    g.local(udp(E, 65000, S, 53))
    g.wan(udp(S, 53, E, 65000, ttl=1), stack="local_flow")


@case
def multicast_is_no_flow(g):
    """What it sends to a group records nothing"""
    g.local(udp(E, 1900, "239.255.255.250", 1900))
    g.local(udp(E, 67, "255.255.255.255", 68))
    assert not g.records()


@case
def own_server(g):
    """Its answers to the LAN side are no flows of the WAN"""
    g.lan(udp(A, 4000, GATEWAY_LAN, 53), stack="to_gateway")
    assert not g.records("reply")


@case
def blocked_class_of_its_own(g):
    """The gateway's own VPN is not the passthrough's business"""
    g.switch(off=["ipsec"])
    g.local(udp(E, 500, S, 500))
    g.wan(udp(S, 500, E, 500), stack="local_flow")
