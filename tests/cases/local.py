# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateway's own connections: recorded on their way out, answered to its stack, nothing else."""

import gre
from esp import arm
from fragments import datagram, pieces
from packets import A, B, E, GATEWAY_LAN, LAN0, Q, S, T, Raw, base, esp, gre0, gre1, icmp_error, ping, pong, proto, tcp, udp
from rows import case

LOCAL_MAPPING = 4
ALL_VPNS = ("pptp", "l2tp", "ipsec")


def l2tp3(session):
    """RFC 3931 4.1.1: a data message over IP; session 0: a control message, 4.1.2."""
    return session.to_bytes(4, "big") + bytes.fromhex("c80300100000000700000000" if not session else "00000000")


def tunnels():
    """Of each protocol what the gateway itself sends and what comes back; the receiver chooses its ids."""
    yield esp(E, S, 7), esp(S, E, 8)
    yield proto(E, S, 51), proto(S, E, 51)
    yield gre0(E, S), gre0(S, E)
    yield gre0(E, T, 5), gre0(T, E, 5)
    yield gre0(E, T, 5), gre0(T, E, 6)
    yield gre1(E, S, 7), gre1(S, E, 9)
    yield base(E, S, {"proto": 115}) / Raw(l2tp3(7)), base(S, E, {"proto": 115}) / Raw(l2tp3(9))
    yield base(E, T, {"proto": 115}) / Raw(l2tp3(0)), base(T, E, {"proto": 115}) / Raw(l2tp3(0))
    for number in (4, 41, 97, 200):
        yield proto(E, S, number), proto(S, E, number)
    for port in (500, 4500, 1701, 51820, 1194):
        yield udp(E, port, S, port), udp(S, port, E, port)
    yield tcp(E, 65001, S, 1723), tcp(S, 1723, E, 65001, "SA")
    yield ping(E, S, 7), pong(S, E, 7)


def passthroughs(g):
    """Each way that the switches may stand, with and without a daemon."""
    for off, on in (((), ()), ((), ALL_VPNS), (ALL_VPNS, ())):
        for alive in (False, True):
            g.reset()
            g.switch(off=off, on=on)
            if alive:
                g.daemon_lives()
            yield on, alive


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
def allowed_in(g):
    """wan.allow: the named sources begin with the gateway itself, on the named ports alone"""
    g.config(allowed_count=1, allowed_source="203.0.113.0", allowed_mask="255.255.255.0", allowed_first=22, allowed_last=25, allowed_protocol=6)
    for port in (22, 25):
        g.wan(tcp(S, 40000, E, port, "S"), stack="allowed_in")
    for packet in (tcp(S, 40000, E, 21, "S"), tcp(S, 40000, E, 26, "S"), tcp(Q, 40000, E, 22, "S"),
                   udp(S, 40000, E, 22)):
        g.wan(packet, drop="unsolicited")
    g.wan(tcp(S, 40000, B, 22, "S"), drop="not_for_gateway")
    # the gateway's answer makes it a flow of its own, which the end of the permission leaves alone
    g.wan(tcp(S, 40001, E, 22, "S"), stack="allowed_in")
    g.local(tcp(E, 22, S, 40001, "SA"))
    g.config(allowed_count=0)
    g.wan(tcp(S, 40001, E, 22, "A"), stack="local_flow")
    g.wan(tcp(S, 40002, E, 22, "S"), drop="unsolicited")


@case
def allowed_ports_are_no_inside_hosts(g):
    """A port that an inside host has is not the gateway's, whoever is allowed to reach the gateway there"""
    g.config(allowed_count=1, allowed_source="0.0.0.0", allowed_mask="0.0.0.0", allowed_first=1, allowed_last=65535, allowed_protocol=17)
    g.lan(udp(A, 5000, S, 53), sent=udp(E, 5000, S, 53))
    g.wan(udp(S, 53, E, 5000), sent=udp(S, 53, A, 5000))
    g.wan(tcp(S, 53, E, 5000, "S"), drop="unsolicited")
    g.wan(esp(S, E, 9), drop="unsolicited")


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
def tunnels_of_its_own(g):
    """Its own VPNs of every protocol, whatever the passthrough's switches say and whether the daemon lives"""
    for _ in passthroughs(g):
        for out, back in tunnels():
            g.local(out)
            g.wan(back, stack="local_flow")
            g.wan(icmp_error(T, E, out, 3, 4), stack="local_flow")


@case
def tunnels_nobody_asked_for(g):
    """The same arrivals without a flow of its own stay out"""
    for _ in passthroughs(g):
        for out, back in tunnels():
            answer = g.run("outside", 13, bytes(12) + b"\x08\0" + bytes(back))
            assert answer.verdict == "drop", (back.summary(), answer)


@case
def tunnel_beside_bound_ones(g):
    """Inside hosts' tunnels with the same server that are known by their ids go on; what is unknown is the gateway's"""
    g.switch(on=ALL_VPNS)
    g.daemon_lives()
    gre.arm_call(g, A, 7, 70, S, 700)
    arm(g, A, S, 0xaaaa0001)
    g.insert("claim", protocol=50, remote=S, local=E)
    g.local(gre1(E, S, 1))
    g.local(esp(E, S, 1))
    g.wan(gre1(S, E, 9), stack="local_flow")
    g.wan(gre1(S, E, 70), sent=gre1(S, A, 7))
    g.wan(esp(S, E, 0xbbbb0001), stack="local_flow")
    g.wan(esp(S, E, 0xaaaa0001, seq=2), sent=esp(S, A, 0xaaaa0001, seq=2))


@case
def esp_of_a_host_beside_its_own(g):
    """RFC 3715 2.1: what the server sends says nothing of whose it is, so a host's new ESP is refused, and it is told"""
    g.switch(on=["ipsec"])
    g.daemon_lives()
    g.lan(esp(A, T, 0xaaaa0001), punt="to_pairing", leave=True)
    g.local(esp(E, S, 7))
    g.lan(esp(A, S, 0xaaaa0001), punt="server_taken")
    g.lan(esp(A, T, 0xaaaa0001), punt="to_pairing", leave=True)
    g.wan(esp(S, E, 8), stack="local_flow")
    g.at(7300)  # it has been idle for its timer
    g.daemon_lives(7310)
    g.lan(esp(A, S, 0xaaaa0001), punt="to_pairing", leave=True)


@case
def tunnel_takes_the_server(g):
    """A host that has a protocol without ids with the server gives way; it is refused then, and told"""
    for out, back, inside in ((esp(E, S, 7), esp(S, E, 8), esp(A, S, 9)), (gre0(E, S), gre0(S, E), gre0(A, S)),
                              (gre0(E, S, 5), gre0(S, E, 5), gre0(A, S, 5)), (proto(E, S, 41), proto(S, E, 41), proto(A, S, 41)),
                              (gre1(E, S, 7), gre1(S, E, 8), gre1(A, S, 9))):
        g.reset()
        g.switch(on=())
        g.lan(inside, sent=sent_by_e(inside))
        given = g.local(out).counters
        assert "session_gave_way" in given, given
        g.wan(back, stack="local_flow")
        g.lan(inside, punt="server_taken")
        assert not g.records("orig")


def sent_by_e(packet):
    packet = packet.copy()
    packet.src = E
    return packet


@case
def key_of_another(g):
    """RFC 2890: GRE keys of inside hosts beside its own, with one server"""
    g.lan(gre0(A, S, 5), sent=gre0(E, S, 5))
    g.local(gre0(E, S, 6))
    g.wan(gre0(S, E, 5), sent=gre0(S, A, 5))
    g.wan(gre0(S, E, 6), stack="local_flow")
    g.lan(gre0(B, S, 6), punt="server_taken")


@case
def host_first(g):
    """CVE-2021-3773: of a port that a host holds already the gateway's own answer is the gateway's; the host gets another"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(udp(A, 4000, T, 53), sent=udp(E, 4000, T, 53))
    given = g.local(udp(E, 4000, S, 53)).counters
    assert given["session_gave_way"][0] == given["port_gave_way"][0] == 1
    g.wan(udp(S, 53, E, 4000), stack="local_flow")
    port = g.lan(udp(A, 4000, S, 53), sent=lambda p: udp(E, p, S, 53)).port
    assert port != 4000
    g.wan(udp(S, 53, E, port), sent=udp(S, 53, A, 4000))
    # what the gateway does not speak with stays as it was
    g.lan(udp(A, 4000, T, 53), sent=udp(E, 4000, T, 53))
    g.wan(udp(T, 53, E, 4000), sent=udp(T, 53, A, 4000))
    g.wan(udp(T, 54, E, 4000), drop="unsolicited")
    (host,) = g.records("host")
    assert host["sessions"] == 2 and host["mappings"] == 1, host


@case
def host_first_of_all_kinds(g):
    """The same of TCP connections, identifiers of pings, IKE and WireGuard"""
    flows = [(tcp(A, 5000, S, 443), tcp(E, 5000, S, 443), tcp(S, 443, E, 5000, "SA"))]
    flows.append((ping(A, S, 7), ping(E, S, 7), pong(S, E, 7)))
    for port in (123, 500, 4500, 1701, 51820):
        flows.append((udp(A, port, S, port), udp(E, port, S, port), udp(S, port, E, port)))
    for inside, own, back in flows:
        g.lan(inside, sent=own)
        assert "session_gave_way" in g.local(own).counters
        g.wan(back, stack="local_flow")
        result = g.run("inside", LAN0, bytes(12) + b"\x08\0" + bytes(inside))
        assert result.verdict == "forward" and result.frame[14:] != bytes(own)
        g.wan(back, stack="local_flow")


@case
def ping_answered_is_no_flow(g):
    """Its own answers to pings take no identifier"""
    g.lan(ping(A, S, 7), sent=ping(E, S, 7))
    g.local(pong(E, S, 7))
    g.wan(pong(S, E, 7), sent=pong(S, A, 7))


@case
def forward_stays(g):
    """A port forward is the settings' word: the gateway's own answers come, all else is the forward's"""
    g.forward(17, 4000, A, 8080)
    g.wan(udp(T, 53, E, 4000), sent=udp(T, 53, A, 8080))
    g.local(udp(E, 4000, S, 53))
    g.wan(udp(S, 53, E, 4000), stack="local_flow")
    g.wan(udp(T, 53, E, 4000), sent=udp(T, 53, A, 8080))
    g.lan(udp(A, 8080, S, 53), punt="server_taken")


@case
def port_stays_its_own(g):
    """As long as it speaks, its port is its own: nobody gets it when the daemon does not look"""
    g.local(udp(E, 4000, S, 53))
    (before,) = g.records("mapping_external", flags=LOCAL_MAPPING)
    g.at(100)
    g.local(udp(E, 4000, S, 53))
    (after,) = g.records("mapping_external", flags=LOCAL_MAPPING)
    assert after["last_seen"] - before["last_seen"] >= 99000  # the kernel's clock goes on between the two


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
