# SPDX-License-Identifier: GPL-2.0-or-later
"""Port forwards: static mappings that any remote may begin."""
from gateway import ID_NONE
from packets import A, B, E, S, T, esp, gre0, gre1, tcp, udp
from rows import case


@case
def from_outside(g):
    """Any remote begins, the server answers from the forward's port"""
    g.forward(17, 80, A, 8080)
    for remote in (S, T):
        g.wan(udp(remote, 7000, E, 80), sent=udp(remote, 7000, A, 8080))
        g.lan(udp(A, 8080, remote, 7000), sent=udp(E, 80, remote, 7000))


@case
def from_inside(g):
    """The server's own flows leave from the forward's port: endpoint-independent mapping"""
    g.forward(17, 80, A, 8080)
    g.lan(udp(A, 8080, S, 7000), sent=udp(E, 80, S, 7000))
    g.wan(udp(S, 7000, E, 80), sent=udp(S, 7000, A, 8080))


@case
def owns_its_port(g):
    """RFC 4787 REQ-3: no other host gets the port"""
    g.forward(17, 4000, A, 8080)
    assert g.lan(udp(B, 4000, S, 53), sent=lambda p: udp(E, p, S, 53)).port != 4000


@case
def protocol(g):
    """A forward is of one protocol"""
    g.forward(6, 80, A, 8080)
    g.wan(udp(S, 7000, E, 80), drop="unsolicited")
    g.wan(tcp(S, 7000, E, 81), drop="unsolicited")
    g.wan(tcp(S, 7000, E, 80), sent=tcp(S, 7000, A, 8080))


@case
def many_remotes(g):
    """Each remote socket has a session of its own"""
    g.forward(6, 80, A, 8080)
    for port in range(7000, 7050):
        g.wan(tcp(S, port, E, 80), sent=tcp(S, port, A, 8080))
    assert len(g.records("orig")) == 50


@case
def never_expires(g):
    """It lives until the settings change"""
    g.forward(17, 80, A, 8080)
    g.at(100000)
    g.wan(udp(S, 7000, E, 80), sent=udp(S, 7000, A, 8080))


@case
def silent_remote_comes_again(g):
    """An expired session that is not swept yet does not keep its remote out"""
    g.forward(17, 80, A, 8080)
    g.wan(udp(S, 7000, E, 80), sent=udp(S, 7000, A, 8080))
    g.at(1000)
    g.wan(udp(S, 7000, E, 80), sent=udp(S, 7000, A, 8080))


@case
def closed_connection_opens_again(g):
    """RFC 9293 3.6.1: a remote may use its port again for a new connection"""
    g.forward(6, 80, A, 8080)
    g.wan(tcp(S, 7000, E, 80), sent=tcp(S, 7000, A, 8080))
    g.wan(tcp(S, 7000, E, 80, "R", seq=1001), sent=tcp(S, 7000, A, 8080, "R", seq=1001))
    g.at(1000)
    g.wan(tcp(S, 7000, E, 80), sent=tcp(S, 7000, A, 8080))


@case
def removed(g):
    """Without it the remote is unsolicited again"""
    g.forward(17, 80, A, 8080)
    (mapping,) = g.records("mapping_external")
    g.process.ask("kill", mapping["record"])
    g.wan(udp(S, 7000, E, 80), drop="unsolicited")


@case
def whole_protocol(g):
    """Protocols without ports: all of it to one host, as a VPN server inside wants it"""
    g.insert("mapping_external", protocol=50, id_type=ID_NONE, local=E, new_local=A, flags=3)
    g.wan(esp(S, E, 7), sent=esp(S, A, 7))
    g.lan(esp(A, S, 8), sent=esp(E, S, 8))
    g.wan(esp(T, E, 7), sent=esp(T, A, 7))


@case
def keyed_gre_inside(g):
    """RFC 2890: a forwarded GRE endpoint, with keys and without"""
    g.insert("mapping_external", protocol=47, id_type=ID_NONE, local=E, new_local=A, flags=3)
    g.wan(gre0(S, E, 7), sent=gre0(S, A, 7))
    g.wan(gre0(S, E), sent=gre0(S, A))
    g.wan(gre0(T, E, 7), sent=gre0(T, A, 7))
    g.lan(gre0(A, S, 7), sent=gre0(E, S, 7))
    g.lan(gre0(A, T, 8), sent=gre0(E, T, 8))


@case
def pptp_server_inside(g):
    """Control connection from outside: the helper reads it"""
    g.forward(6, 1723, A, 1723)
    g.wan(tcp(S, 7000, E, 1723), punt="to_helper")
    g.wan(gre1(S, E, 7), drop="gre_no_call")


@case
def ttl(g):
    """The first packet counts routers as all do"""
    g.forward(17, 80, A, 8080)
    g.wan(udp(S, 7000, E, 80, ttl=1), punt="ttl_exceeded_inbound")
    g.wan(udp(S, 7000, E, 80, ttl=2), sent=udp(S, 7000, A, 8080), ttl=1)
