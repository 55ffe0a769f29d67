# SPDX-License-Identifier: GPL-2.0-or-later
"""Passthrough switches on live flows: off blocks both ways at once with its own reason, on continues them."""
from packets import A, E, S, T, esp, gre0, gre1, proto, tcp, udp
from rows import case
from gre import arm_call

# class, reason, an outbound packet and its answer
FLOWS = [("pptp", "blocked_pptp", tcp(A, 5000, S, 1723), tcp(S, 1723, A, 5000, "SA")),
         ("l2tp", "blocked_l2tp", udp(A, 1701, S, 1701), udp(S, 1701, A, 1701)),
         ("l2tp", "blocked_l2tp", proto(A, S, 115), proto(S, A, 115)),
         ("ipsec", "blocked_ipsec", udp(A, 500, S, 500), udp(S, 500, A, 500)),
         ("ipsec", "blocked_ipsec", udp(A, 4500, S, 4500), udp(S, 4500, A, 4500)),
         ("ipsec", "blocked_ipsec", esp(A, S, 7), esp(S, A, 8))]


def changed(packet, **fields):
    other = packet.copy()
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def passes(g, out, back):
    g.lan(out, sent=changed(out, src=E))
    g.wan(changed(back, dst=E), sent=back)


@case
def live_flows(g):
    """On, off, on again: each class, both ways, its reason; the session is still the same"""
    g.switch(on=())
    for kind, reason, out, back in FLOWS:
        passes(g, out, back)
        before = g.records("orig")
        g.switch(off=[kind], on=())
        g.lan(out, drop=reason)  # silently: some clients hang up at an ICMP error
        g.wan(changed(back, dst=E), drop=reason)
        assert [r["packets"] for r in g.records("orig")] == [r["packets"] for r in before]
        g.switch(on=())
        passes(g, out, back)


@case
def new_flows(g):
    """Off: nothing of the class begins; the LAN is told, so the daemon gets it"""
    for kind, reason, out, _ in FLOWS:
        g.switch(off=[kind], on=())
        g.lan(out, punt=reason)
        assert not g.records("orig")
    g.switch(off=["pptp"], on=())
    g.lan(gre1(A, S, 7), punt="blocked_pptp")
    g.switch(off=["ipsec"], on=())
    g.lan(proto(A, S, 51), punt="blocked_ipsec")


@case
def one_switch_at_a_time(g):
    """Off for one class leaves the others alone"""
    g.switch(on=())
    for kind, _, _, _ in FLOWS:
        g.switch(off=[kind], on=())
        for other, _, out, back in FLOWS:
            if other != kind:
                passes(g, out, back)
        g.lan(gre0(A, T), sent=gre0(E, T))
        g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))


@case
def armed_call(g):
    """PPTP off stops a call's data too"""
    arm_call(g, A, 100, 40000, S, 7)
    g.lan(gre1(A, S, 7), sent=gre1(E, S, 7))
    g.switch(off=["pptp"])
    g.lan(gre1(A, S, 7), drop="blocked_pptp")
    g.wan(gre1(S, E, 40000), drop="blocked_pptp")
    g.switch()
    g.wan(gre1(S, E, 40000), sent=gre1(S, A, 100))


@case
def no_call_beside_version_0(g):
    """PPTP off: its data does not go by the session of GRE version 0 with the same server"""
    g.lan(gre0(A, S), sent=gre0(E, S))
    g.switch(off=["pptp"], on=())
    g.lan(gre1(A, S, 7), punt="blocked_pptp")
    g.wan(gre1(S, E, 9), drop="gre_no_call")
    passes(g, gre0(A, S), gre0(S, A))


@case
def forwards_blocked(g):
    """Off blocks a VPN server inside, whatever its outside port"""
    g.switch(off=["pptp", "l2tp", "ipsec"], on=())
    g.forward(6, 7777, A, 1723)
    g.forward(17, 7778, A, 500)
    g.forward(17, 1701, A, 1701)
    g.wan(tcp(S, 9000, E, 7777), drop="blocked_pptp")
    g.wan(udp(S, 9000, E, 7778), drop="blocked_ipsec")
    g.wan(udp(S, 9000, E, 1701), drop="blocked_l2tp")


@case
def local_ports(g):
    """Off blocks what comes from the class's port as well: an L2TP server inside, an IKE responder"""
    g.switch(off=["l2tp", "ipsec"], on=())
    g.lan(udp(A, 1701, S, 9), punt="blocked_l2tp")
    g.lan(udp(A, 500, S, 9), punt="blocked_ipsec")
    g.lan(udp(A, 4500, S, 9), punt="blocked_ipsec")


@case
def icmp_about_blocked(g):
    """An error about a blocked flow is of its class"""
    from packets import icmp_error
    g.lan(udp(A, 500, S, 500), sent=udp(E, 500, S, 500))
    g.switch(off=["ipsec"])
    g.wan(icmp_error(S, E, udp(E, 500, S, 500)), drop="blocked_ipsec")


@case
def wireguard_and_openvpn_are_not_blocked(g):
    """No switch touches them"""
    g.switch(off=["pptp", "l2tp", "ipsec"])
    for port in (51820, 1194):
        g.lan(udp(A, 9, S, port), sent=udp(E, 9, S, port))
        g.wan(udp(S, port, E, 9), sent=udp(S, port, A, 9))


@case
def assisted_control_is_read(g):
    """on: every segment of a PPTP control connection goes to the helper, both ways"""
    g.switch(on=("pptp",))
    g.lan(tcp(A, 5000, S, 1723), punt="to_helper")
    g.wan(tcp(S, 1723, E, 5000, "SA"), punt="to_helper")
    g.lan(tcp(A, 5000, S, 1723, "A"), punt="to_helper")
    g.lan(tcp(A, 5000, S, 1723, "PA", b"control"), punt="to_helper")
    g.wan(tcp(S, 1723, E, 5000, "PA", b"control"), punt="to_helper")
    g.lan(tcp(A, 5000, S, 1723, "FA"), punt="to_helper")


@case
def nat_only_control_is_not_read(g):
    """nat-only: as any connection"""
    g.switch(on=())
    for flags, data in (("S", b""), ("PA", b"control"), ("FA", b"")):
        g.lan(tcp(A, 5000, S, 1723, flags, data), sent=tcp(E, 5000, S, 1723, flags, data))


@case
def nat_only_is_for_new_connections(g):
    """A connection keeps the way it began"""
    g.switch(on=())
    g.lan(tcp(A, 5000, S, 1723), sent=tcp(E, 5000, S, 1723))
    g.switch(on=("pptp",))
    g.lan(tcp(A, 5000, S, 1723, "PA", b"x"), sent=tcp(E, 5000, S, 1723, "PA", b"x"))
    g.lan(tcp(A, 5002, S, 1723), punt="to_helper")
