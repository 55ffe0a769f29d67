# SPDX-License-Identifier: GPL-2.0-or-later
"""Port forwards: static mappings that any remote may begin."""
from esp import delta
from gateway import ID_NONE, ID_SPI, OPEN_MAPPING, PUNT_TRANSLATE, STATIC_MAPPING, STATIC_SESSION
from packets import A, B, C, E, Q, S, T, TAP, WAN, esp, gre0, gre1, proto, tcp, udp
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
def any_protocol(g):
    """IPIP, 6in4, AH, EtherIP and one without a name: all of it to one host, its answers and what it begins too"""
    for number in (4, 41, 51, 97, 200):
        g.insert("mapping_external", protocol=number, id_type=ID_NONE, local=E, new_local=A, flags=3)
        g.wan(proto(S, E, number), sent=proto(S, A, number))
        g.lan(proto(A, S, number), sent=proto(E, S, number))
        g.wan(proto(T, E, number), sent=proto(T, A, number))
        if number != 51:  # AH that begins inside is told at once that no NAT passes it
            g.lan(proto(A, Q, number), sent=proto(E, Q, number))
    g.wan(proto(S, E, 42), drop="unsolicited")


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


# --- live state goes first, the forward takes what nobody else has ------------------------------------------

def forwarded(g, protocol, inside):
    g.insert("mapping_external", protocol=protocol, id_type=ID_NONE, local=E, new_local=inside,
             flags=STATIC_MAPPING | OPEN_MAPPING)


@case
def esp_and_a_client(g):
    """ESP is forwarded to A; B has plain ESP with S: the daemon says whose it is, and what is nobody's is A's"""
    g.switch(on=("ipsec",))
    g.daemon_lives()
    forwarded(g, 50, A)
    g.lan(esp(B, S, 0xbbbb0001), punt="to_pairing")
    g.insert("claim", remote=S, local=E, protocol=50)
    g.wan(esp(S, E, 0xaaaa0001), punt="to_pairing", leave=None)
    g.wan(esp(T, E, 0xaaaa0001), sent=esp(T, A, 0xaaaa0001))
    handed_in = bytes([PUNT_TRANSLATE, 0, 1, 1]) + bytes(4) + WAN.to_bytes(4, "little") + b"\x08\0"
    answer = g.frame(g.prefix + "tap", TAP, handed_in + bytes(esp(S, E, 0xaaaa0002)))
    assert answer.verdict == "forward" and answer.frame[30:34] == bytes([10, 0, 0, 10]), answer
    g.wan(esp(S, E, 0xaaaa0003), punt="to_pairing", leave=None)


@case
def esp_and_a_client_whose_spi_is_known(g):
    """An SPI that is bound is its host's, whatever is forwarded and whether the daemon lives"""
    g.switch(on=("ipsec",))
    forwarded(g, 50, A)
    g.lan(udp(B, 4000, S, 53), sent=udp(E, 4000, S, 53))
    (reply,) = g.records("reply")
    g.insert("reply", protocol=50, id_type=ID_SPI, id=0xaaaa0001, remote=S, local=E, new_local=B, flags=STATIC_SESSION,
             next_hop=reply["next_hop"], address_delta=delta(E, B), **{"class": 3})
    for alive in (3, -1):
        g.daemon_lives(alive)
        g.wan(esp(S, E, 0xaaaa0001, seq=5), sent=esp(S, B, 0xaaaa0001, seq=5))


@case
def esp_and_a_client_daemon_dead(g):
    """Nobody says whose it is: then not the forward's, unless its own host alone has a tunnel with the remote"""
    g.switch(on=("ipsec",))
    forwarded(g, 50, A)
    g.insert("claim", remote=S, local=E, protocol=50, inside=B)
    g.insert("claim", remote=T, local=E, protocol=50, inside=A)
    g.wan(esp(S, E, 7), drop="tunnel_unknown")
    g.wan(esp(T, E, 7), sent=esp(T, A, 7))
    g.wan(esp(Q, E, 7), sent=esp(Q, A, 7))


@case
def esp_and_a_client_without_pairing(g):
    """Not assisted: a client's session with S is its own, S' other callers are the forward's"""
    g.switch(on=())
    forwarded(g, 50, A)
    g.lan(esp(B, S, 1), sent=esp(E, S, 1))
    g.wan(esp(S, E, 2), sent=esp(S, B, 2))
    g.wan(esp(T, E, 2), sent=esp(T, A, 2))


@case
def gre_and_a_client(g):
    """GRE is forwarded to A; B has GRE with S, with a key and an answer with another, and without any with T"""
    forwarded(g, 47, A)
    g.lan(gre0(B, S, 7), sent=gre0(E, S, 7))
    g.wan(gre0(S, E, 7), sent=gre0(S, B, 7))
    g.wan(gre0(S, E, 8), sent=gre0(S, B, 8))
    g.lan(gre0(B, T), sent=gre0(E, T))
    g.wan(gre0(T, E), sent=gre0(T, B))
    g.wan(gre0(Q, E, 7), sent=gre0(Q, A, 7))
    g.wan(gre0(Q, E), sent=gre0(Q, A))


@case
def gre_of_several_clients(g):
    """Two hosts have GRE with S: a key that neither has is the forward's"""
    forwarded(g, 47, A)
    g.lan(gre0(B, S, 7), sent=gre0(E, S, 7))
    g.lan(gre0(C, S, 8), sent=gre0(E, S, 8))
    g.wan(gre0(S, E, 9), sent=gre0(S, A, 9))
    g.wan(gre0(S, E, 7), sent=gre0(S, B, 7))
    g.wan(gre0(S, E, 8), sent=gre0(S, C, 8))


@case
def other_protocols_and_a_client(g):
    """IPIP, 6in4, AH, EtherIP, L2TPv3 and any number: a client's session goes first, and its end gives way"""
    for number in (4, 41, 97, 115, 200):
        g.at(0)
        forwarded(g, number, A)
        data = (7).to_bytes(4, "big") * 6
        g.lan(proto(B, S, number, data), sent=proto(E, S, number, data))
        g.wan(proto(S, E, number, data), sent=proto(S, B, number, data))
        g.wan(proto(T, E, number, data), sent=proto(T, A, number, data))
        g.lan(proto(A, T, number, data), sent=proto(E, T, number, data))


@case
def clients_session_over(g):
    """The client's session is over and not swept yet: it is not revived for it by what is the forward's by now"""
    forwarded(g, 4, A)
    g.lan(proto(B, S, 4), sent=proto(E, S, 4))
    g.at(10000)
    g.wan(proto(S, E, 4), drop="session_expired")


@case
def ah(g):
    """RFC 4302: a forward of it passes both ways; whether its signature then holds is between the ends"""
    forwarded(g, 51, A)
    g.wan(proto(S, E, 51), sent=proto(S, A, 51))
    g.lan(proto(A, S, 51), sent=proto(E, S, 51))
    g.lan(proto(B, S, 51), drop="ah_untranslatable")
