# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's rules and routes: what they ask for, what they move, and whose MTU a route's is."""
from gateway import PUNT_TRANSLATE
from packets import A, ACK, B, D, E, LAN0, LAN1, ROUTER, S, SYN, T, WAN, icmp_error, tcp, udp
from rows import case
from slow_path import record, tap

HOST, ALL = "255.255.255.255", "0.0.0.0"
R = "203.0.113.99"  # a router on the way
ELSEWHERE = (LAN1, D)


PORT = {A: 4000, B: 4500}  # each keeps its own outside


def passes(g, source, sport=None, dport=53, **ip):
    sport = sport or PORT[source]
    g.lan(udp(source, sport, S, dport, **ip), sent=udp(E, sport, S, dport, **ip))


@case
def rule_by_source(g):
    """ip rule from: one host goes elsewhere, also when another's way to the same server is known, and the other way round"""
    g.rule(ELSEWHERE, "from %s" % A, source=A, source_mask=HOST)
    passes(g, B)
    g.lan(udp(A, 4000, S, 53), stack="to_gateway")
    passes(g, B, 4501)
    g.lan(udp(A, 4001, S, 53), stack="to_gateway")


@case
def rule_by_interface(g):
    """ip rule iif: of each interface its own"""
    g.rule(ELSEWHERE, "iif lan0", ifindex=LAN0)
    g.lan(udp(A, 4000, S, 53), stack="to_gateway")
    g.lan(udp(D, 4000, S, 53), device=LAN1, sent=udp(E, 4000, S, 53))


@case
def rule_by_tos(g):
    """ip rule tos: the same host and server, another service"""
    g.rule(ELSEWHERE, "tos 0x10", tos=0x10, tos_mask=0x1c)
    passes(g, A)
    g.lan(udp(A, 4001, S, 53, tos=0x10), stack="to_gateway")
    passes(g, A, 4002)
    passes(g, A, 4003, tos=0x08)


@case
def rule_by_port(g):
    """ip rule ipproto dport: the same hosts, another port"""
    g.rule(ELSEWHERE, "ipproto udp dport 53", protocol=17, destination_first=53, destination_last=53)
    passes(g, A, dport=54)
    g.lan(udp(A, 4001, S, 53), stack="to_gateway")
    passes(g, A, 4002, dport=54)
    g.lan(tcp(A, 5000, S, 53), sent=tcp(E, 5000, S, 53))


@case
def rule_by_destination(g):
    """ip rule to"""
    g.rule(ELSEWHERE, "to %s" % T, destination=T, destination_mask=HOST)
    passes(g, A)
    g.lan(udp(A, 4000, T, 53), stack="to_gateway")


@case
def rule_refuses(g):
    """A table that says unreachable: the kernel tells, nothing goes by the WAN"""
    g.rule(None, "from %s" % A, source=A, source_mask=HOST)
    g.lan(udp(A, 4000, S, 53), stack="to_gateway")
    passes(g, B)


@case
def rule_moves_a_session(g):
    """A rule that comes later takes the running session away: nothing of it leaves; once the rule has gone it goes on"""
    passes(g, A)
    passes(g, B)
    g.rule(ELSEWHERE, "from %s" % A, source=A, source_mask=HOST)
    g.config(route_generation=2)
    for _ in range(2):
        g.lan(udp(A, 4000, S, 53), stack="no_route")
    (moved,) = g.records("orig", local=A)
    assert moved["next_hop"] == 0xf000, moved
    passes(g, B)
    g.unrule()
    g.config(route_generation=3, rules=0)
    passes(g, A)


@case
def route_away_is_no_rule(g):
    """Without rules a session outlives the time that its line is down: it keeps its next hop"""
    passes(g, A)
    (before,) = g.records("orig")
    g.config(route_generation=2, wan_ifindex=99)
    g.lan(udp(A, 4000, S, 53), stack="no_route")
    (after,) = g.records("orig")
    assert after["next_hop"] == before["next_hop"], after


@case
def rule_of_the_other_direction(g):
    """A rule about what comes from the WAN is asked for answers, and not for what goes out"""
    g.rule(ELSEWHERE, "iif wan0 to %s" % B, ifindex=WAN, destination=B, destination_mask=HOST)
    passes(g, A)
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))
    g.lan(udp(B, 4000, S, 53), drop="spoofed_source")


@case
def errors_of_a_flow_that_rules_let_out(g):
    """RFC 5508 REQ-4: an error about a flow is asked for as the flow is, not as ICMP of its host"""
    g.rule(None, "from %s ipproto icmp" % A, source=A, source_mask=HOST, protocol=1)
    passes(g, A)
    g.wan(icmp_error(R, E, udp(E, 4000, S, 53), 3, 4), sent=icmp_error(R, A, udp(A, 4000, S, 53), 3, 4))


@case
def forward_to_a_host_that_a_rule_moves(g):
    """What comes in for it is not let in: its answers would leave another way"""
    g.forward(17, 9000, A, 9000)
    g.forward(17, 9001, B, 9001)
    g.rule(ELSEWHERE, "from %s" % A, source=A, source_mask=HOST)
    g.wan(udp(S, 53, E, 9000), drop="answers_elsewhere")
    g.wan(udp(S, 53, E, 9001), sent=udp(S, 53, B, 9001))


@case
def rule_by_mark(g):
    """Nobody here knows the mark: what the rule might take is refused, new flows and old, and nothing else"""
    g.lan(tcp(A, 5000, S, 80, SYN), sent=tcp(E, 5000, S, 80, SYN))
    g.marked_route(0, source=A, source_mask=HOST, destination="203.0.113.4", destination_mask="255.255.255.254")
    g.config(rules=1, asked_ends=2**64 - 1, asked_kind=2**64 - 1, route_generation=2)
    g.lan(udp(A, 4000, S, 53), punt="mark_rule")
    g.lan(udp(A, 4000, T, 53), sent=udp(E, 4000, T, 53))
    passes(g, B)
    g.lan(tcp(A, 5000, S, 80, ACK, seq=1001), drop="mark_rule")


@case
def rule_by_mark_of_an_interface(g):
    """With iif, ports and a protocol: all of it has to fit"""
    g.marked_route(0, ifindex=LAN0, protocol=17, destination_first=53, destination_last=60)
    g.config(rules=1, asked_ends=2**64 - 1, asked_kind=2**64 - 1)
    g.lan(udp(A, 4000, S, 53), punt="mark_rule")
    g.lan(udp(A, 4000, S, 60), punt="mark_rule")
    passes(g, A, dport=61)
    passes(g, A, dport=52)
    g.lan(tcp(A, 5000, S, 53), sent=tcp(E, 5000, S, 53))
    g.lan(udp(D, 4001, S, 53), device=LAN1, sent=udp(E, 4001, S, 53))


def route_mtu(g, index, prefix, mask, length, mtu, table=254):
    g.route_mtu(index, prefix=prefix, mask=mask, ifindex=WAN, next_hop=ROUTER, priority=0, table=table, mtu=mtu, length=length)


def carries(g, source, server, size):
    """What is a byte bigger is told of, what is not passes."""
    port = PORT[source]
    g.lan(udp(source, port, server, 53, bytes(size - 27), flags="DF"), punt="too_big_outbound")
    g.lan(udp(source, port, server, 53, bytes(size - 28), flags="DF"), sent=udp(E, port, server, 53, bytes(size - 28), flags="DF"))


@case
def mtu_of_one_route(g):
    """ip route mtu: of what the route leads to, though the next hop is the default route's"""
    g.daemon_lives()
    g.detour(S + "/32", WAN, ROUTER)
    route_mtu(g, 0, S, HOST, 32, 1300)
    carries(g, A, S, 1300)
    g.lan(udp(A, 4000, T, 53, bytes(1472), flags="DF"), sent=udp(E, 4000, T, 53, bytes(1472), flags="DF"))
    carries(g, B, S, 1300)


@case
def mtu_of_the_default_route(g):
    """A more specific route without an MTU of its own has its interface's; another table's smaller one counts"""
    g.daemon_lives()
    g.detour(T + "/32", WAN, ROUTER)
    route_mtu(g, 0, T, HOST, 32, 0)
    route_mtu(g, 1, ALL, ALL, 0, 1400)
    carries(g, A, S, 1400)
    g.lan(udp(A, 4000, T, 53, bytes(1472), flags="DF"), sent=udp(E, 4000, T, 53, bytes(1472), flags="DF"))
    route_mtu(g, 2, ALL, ALL, 0, 1200, table=255)
    g.config(route_generation=2)
    carries(g, A, S, 1200)


@case
def mtu_that_the_kernel_has_learned(g):
    """RFC 1191, forged or not: the gateway's own path MTU is not that of those it forwards, nor what they are told"""
    g.detour(S + "/32", WAN, ROUTER, stack_mtu=1300)
    g.daemon_lives()
    for server in (S, T):
        g.lan(udp(A, 4000, server, 53, bytes(1472), flags="DF"), sent=udp(E, 4000, server, 53, bytes(1472), flags="DF"))
    g.mtu(WAN, 1400)
    g.config(route_generation=2)
    g.lan(udp(A, 4000, S, 53, bytes(1373), flags="DF"), punt="too_big_outbound")
    g.config(daemon_until=0)  # of a dead daemon the kernel's own error is better than none
    g.lan(udp(A, 4000, S, 53, bytes(1373), flags="DF"), stack="too_big_outbound")


@case
def too_big_from_the_daemon(g):
    """RFC 4787 REQ-13: what the daemon hands in again cannot go up the stack: it is told of by the daemon"""
    g.lan(tcp(A, 5000, S, 1723), punt="to_helper")
    g.mtu(WAN, 1400)
    g.config(route_generation=2)
    packet = tcp(A, 5000, S, 1723, "PA", bytes(1361), seq=1001)
    packet.flags = "DF"
    answer = tap(g, record(PUNT_TRANSLATE, 0, LAN0), packet)
    assert answer.verdict == "punt" and "too_big_outbound" in answer.counters, answer
