# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 4787 REQ-9, RFC 5382 REQ-8, RFC 5508 REQ-7: inside hosts that meet at our external address.

XDP leaves these to TC, which translates twice.
"""
from esp import delta
from gateway import ENDPOINT_INDEPENDENT, EVENTS, ID_CALL, ID_NONE, OPEN_MAPPING, PUNT_TRANSLATE, STATIC_MAPPING
from packets import (A, B, C, D, E, IP, LAN1, S, T, WAN, Raw, device_mac, esp, gre0, gre1, icmp_error, ping, proto, tcp,
                     udp)
from rows import case


@case
def to_a_forward(g):
    """REQ-9a: the source is the external address and port; the answer comes back"""
    g.forward(17, 80, B, 8080)
    g.lan(udp(A, 4000, E, 80), sent=udp(E, 4000, B, 8080), leave=True)
    g.lan(udp(B, 8080, E, 4000), sent=udp(E, 80, A, 4000), leave=True)
    g.lan(udp(A, 4000, E, 80), sent=udp(E, 4000, B, 8080), leave=True)


@case
def tcp_to_a_forward(g):
    """RFC 5382 REQ-8: a whole connection"""
    g.forward(6, 80, B, 8080)
    g.lan(tcp(A, 5000, E, 80), sent=tcp(E, 5000, B, 8080), leave=True)
    g.lan(tcp(B, 8080, E, 5000, "SA"), sent=tcp(E, 80, A, 5000, "SA"), leave=True)
    g.lan(tcp(A, 5000, E, 80, "A"), sent=tcp(E, 5000, B, 8080, "A"), leave=True)
    for length in range(5):
        g.lan(tcp(B, 8080, E, 5000, "PA", bytes(length)), sent=tcp(E, 80, A, 5000, "PA", bytes(length)), leave=True)


@case
def across_lans(g):
    """REQ-9: from another LAN interface"""
    g.forward(17, 80, B, 8080)
    g.lan(udp(D, 4000, E, 80), device=LAN1, sent=udp(E, 4000, B, 8080), leave=True)
    g.lan(udp(B, 8080, E, 4000), sent=udp(E, 80, D, 4000), leave=True)


@case
def itself(g):
    """REQ-9: a host to its own forward"""
    g.forward(17, 80, A, 8080)
    g.lan(udp(A, 4000, E, 80), sent=udp(E, 4000, A, 8080), leave=True)
    g.lan(udp(A, 8080, E, 4000), sent=udp(E, 80, A, 4000), leave=True)


@case
def mapping_open_filter(g):
    """REQ-9: to a mapping, endpoint-independent filtering"""
    g.config(filtering_udp=ENDPOINT_INDEPENDENT)
    g.lan(udp(B, 4002, S, 53), sent=udp(E, 4002, S, 53))
    g.lan(udp(A, 4000, E, 4002), sent=udp(E, 4000, B, 4002), leave=True)
    g.lan(udp(B, 4002, E, 4000), sent=udp(E, 4002, A, 4000), leave=True)


@case
def mapping_punched(g):
    """REQ-9: both send first, as hole punching does, address-dependent filtering"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(udp(B, 4002, S, 53), sent=udp(E, 4002, S, 53))
    g.run("inside", 11, bytes(12) + b"\x08\0" + bytes(udp(A, 4000, E, 4002)))
    g.lan(udp(B, 4002, E, 4000), sent=udp(E, 4002, A, 4000), leave=True)
    g.lan(udp(A, 4000, E, 4002), sent=udp(E, 4000, B, 4002), leave=True)


@case
def source_port_taken(g):
    """REQ-9a: the source is the mapping's, whatever its port became"""
    g.forward(17, 80, B, 8080)
    g.lan(udp(D, 4000, S, 53), device=LAN1, sent=udp(E, 4000, S, 53))
    port = g.lan(udp(A, 4000, S, 53), sent=lambda p: udp(E, p, S, 53)).port
    g.lan(udp(A, 4000, E, 80), sent=udp(E, port, B, 8080), leave=True)


@case
def no_mapping(g):
    """Our address and a port that is nobody's is the gateway itself"""
    g.lan(udp(A, 4000, E, 80), stack="to_gateway")
    assert not g.records("orig")


@case
def error(g):
    """RFC 5508 REQ-7: an error about a hairpinned packet reaches its sender, quoted as it was sent"""
    g.forward(17, 80, B, 8080)
    g.lan(udp(A, 4000, E, 80), sent=udp(E, 4000, B, 8080), leave=True)
    g.lan(icmp_error(B, E, udp(E, 4000, B, 8080), 3, 3), sent=icmp_error(E, A, udp(A, 4000, E, 80), 3, 3), leave=None)


@case
def ttl(g):
    """One router, not two; and one with TTL 1 does not pass"""
    g.forward(17, 80, B, 8080)
    g.lan(udp(A, 4000, E, 80, ttl=2), sent=udp(E, 4000, B, 8080), ttl=1, leave=True)
    answer = g.run("inside", 11, bytes(12) + b"\x08\0" + bytes(udp(A, 4000, E, 80, ttl=1)))
    assert answer.verdict != "forward", answer


@case
def expired(g):
    """A silent hairpin session goes on from either side"""
    g.forward(17, 80, B, 8080)
    g.lan(udp(A, 4000, E, 80), sent=udp(E, 4000, B, 8080), leave=True)
    g.at(1000)
    g.lan(udp(A, 4000, E, 80), sent=udp(E, 4000, B, 8080), leave=True)


# --- protocols without ports: two hosts, one external address, and no port that tells them apart ------------

def whole(g, protocol, inside):
    """A forward of a protocol without ports."""
    g.insert("mapping_external", protocol=protocol, id_type=ID_NONE, local=E, new_local=inside,
             flags=STATIC_MAPPING | OPEN_MAPPING)


def stopped(g, packet, reason):
    """It ends at the second translation: the frame is not the one that came."""
    answer = g.run("inside", 11, bytes(12) + b"\x08\0" + bytes(packet))
    moved = {k for k in answer.counters if k not in EVENTS}
    assert answer.verdict == "drop" and moved == {reason}, answer


def there_and_back(g, first, there, answer, back):
    """Twice: what begins the session and what hits it."""
    for _ in range(2):
        g.lan(first, sent=there, leave=True)
        g.lan(answer, sent=back, leave=True)


@case
def protocols_without_ports(g):
    """REQ-9 for IPIP, 6in4, EtherIP, L2TPv3 and any other protocol: to the server, and its answer to the sender"""
    for number in (4, 41, 97, 115, 200):
        whole(g, number, B)
        data = (7).to_bytes(4, "big") * 6
        there_and_back(g, proto(A, E, number, data), proto(E, B, number, data),
                       proto(B, E, number, data), proto(E, A, number, data))


@case
def protocols_without_ports_once(g):
    """One host at a time: the second is refused, not led astray, and loses nothing of the first one's"""
    whole(g, 4, B)
    there_and_back(g, proto(A, E, 4), proto(E, B, 4), proto(B, E, 4), proto(E, A, 4))
    g.lan(proto(C, E, 4), punt="server_taken", leave=True)
    there_and_back(g, proto(A, E, 4), proto(E, B, 4), proto(B, E, 4), proto(E, A, 4))


@case
def protocols_without_ports_and_outside(g):
    """The same server has a caller outside, and the same client a server outside"""
    whole(g, 4, B)
    there_and_back(g, proto(A, E, 4), proto(E, B, 4), proto(B, E, 4), proto(E, A, 4))
    g.wan(proto(S, E, 4), sent=proto(S, B, 4))
    g.lan(proto(B, S, 4), sent=proto(E, S, 4))
    g.lan(proto(A, T, 4), sent=proto(E, T, 4))
    g.wan(proto(T, E, 4), sent=proto(T, A, 4))
    there_and_back(g, proto(A, E, 4), proto(E, B, 4), proto(B, E, 4), proto(E, A, 4))


@case
def protocols_across_lans(g):
    """From another LAN interface"""
    whole(g, 4, B)
    g.lan(proto(D, E, 4), device=LAN1, sent=proto(E, B, 4), leave=True)
    g.lan(proto(B, E, 4), sent=proto(E, D, 4), leave=True)


@case
def plain_gre(g):
    """GRE version 0 without keys"""
    whole(g, 47, B)
    there_and_back(g, gre0(A, E), gre0(E, B), gre0(B, E), gre0(E, A))


@case
def keyed_gre(g):
    """RFC 2890: several hosts by their keys, also where both ends of one use the same"""
    whole(g, 47, B)
    there_and_back(g, gre0(A, E, 7), gre0(E, B, 7), gre0(B, E, 7), gre0(E, A, 7))
    there_and_back(g, gre0(C, E, 8), gre0(E, B, 8), gre0(B, E, 8), gre0(E, C, 8))
    there_and_back(g, gre0(A, E, 7), gre0(E, B, 7), gre0(B, E, 7), gre0(E, A, 7))


@case
def keyed_gre_with_two_keys(g):
    """Each end has its own key: the server's answer is for the only host that has GRE with it"""
    whole(g, 47, B)
    there_and_back(g, gre0(A, E, 3), gre0(E, B, 3), gre0(B, E, 8), gre0(E, A, 8))
    there_and_back(g, gre0(A, E, 13), gre0(E, B, 13), gre0(B, E, 18), gre0(E, A, 18))


@case
def keyed_gre_of_two_with_two_keys(g):
    """With two such hosts nobody knows whose it is; it is not led back to the server"""
    whole(g, 47, B)
    for host, key in ((A, 3), (C, 4)):
        g.lan(gre0(host, E, key), sent=gre0(E, B, key), leave=True)
    stopped(g, gre0(B, E, 9), "gre_key_unknown")


@case
def pptp_data_without_helper(g):
    """RFC 2637 data, the helper switched off: as GRE without keys"""
    g.switch(on=())
    whole(g, 47, B)
    there_and_back(g, gre1(A, E, 7), gre1(E, B, 7), gre1(B, E, 9), gre1(E, A, 9))


@case
def pptp_data(g):
    """RFC 2637: calls that the helper has armed for both ends; each packet is translated twice"""
    def half(kind, remote, local, call, new_local, new_id=0):
        return g.insert(kind, protocol=47, id_type=ID_CALL, remote=remote, local=local, local_id=call, flags=0x0c,
                        **{"class": 1}, new_local=new_local, new_id=new_id, next_hop=hop,
                        address_delta=delta(local, new_local))
    whole(g, 47, C)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(udp(B, 4001, S, 53), sent=udp(E, 4001, S, 53))
    for inside, ours, theirs, own in ((A, 100, 200, 1), (B, 200, 100, 2)):
        hop = next(r for r in g.records("reply") if r["new_local"] == inside)["next_hop"]
        g.pair(half("orig", E, inside, theirs, E), half("reply", E, E, ours, inside, own))
    there_and_back(g, gre1(A, E, 200), gre1(E, B, 2), gre1(B, E, 100), gre1(E, A, 1))


@case
def esp_to_a_forward(g):
    """ESP: with and without pairing, with the daemon dead or alive, it is one host's; nothing is asked of the daemon"""
    for number, on in enumerate(((), ("ipsec",))):
        g.switch(on=on)
        g.daemon_lives()
        if number == 0:
            whole(g, 50, B)
        there_and_back(g, esp(A, E, 0x1111), esp(E, B, 0x1111), esp(B, E, 0x2222), esp(E, A, 0x2222))
    g.lan(esp(A, E, 0x3333), sent=esp(E, B, 0x3333), leave=True)
    g.lan(esp(C, E, 0x3333), punt="server_taken", leave=True)


@case
def esp_with_pairing_first(g):
    """RFC 4303: it begins while the daemon pairs ESP; other hosts' tunnels outside go on being paired"""
    g.switch(on=("ipsec",))
    g.daemon_lives()
    whole(g, 50, B)
    there_and_back(g, esp(A, E, 0x1111), esp(E, B, 0x1111), esp(B, E, 0x2222), esp(E, A, 0x2222))
    g.lan(esp(A, S, 0x1111), punt="to_pairing", leave=True)


@case
def ike(g):
    """RFC 7296 on 500 and 4500: nothing of it is asked of the daemon, and the sender's port is its mapping's"""
    g.switch(on=("ipsec",))
    g.daemon_lives()
    for port in (500, 4500):
        g.forward(17, port, B, port)
        ours = g.lan(udp(A, port, E, port), sent=lambda p, port=port: udp(E, p, B, port), leave=True).packet.sport
        assert ours != port
        there_and_back(g, udp(A, port, E, port), udp(E, ours, B, port), udp(B, port, E, ours), udp(E, port, A, port))


@case
def l2tp_over_udp(g):
    """RFC 2661: a server inside, dialled by our external address"""
    g.switch(on=("l2tp",))
    g.daemon_lives()
    g.forward(17, 1701, B, 1701)
    data = bytes.fromhex("c802000c00000000 00000000".replace(" ", ""))
    ours = g.lan(udp(A, 1701, E, 1701, data), sent=lambda p: udp(E, p, B, 1701, data), leave=True).packet.sport
    there_and_back(g, udp(A, 1701, E, 1701, data), udp(E, ours, B, 1701, data),
                   udp(B, 1701, E, ours, data), udp(E, 1701, A, 1701, data))


@case
def l2tp_over_ip(g):
    """RFC 3931: control messages and data; not followed, for between inside hosts nothing is to be told apart"""
    g.switch(on=("l2tp",))
    g.daemon_lives()
    whole(g, 115, B)
    control = bytes(4) + bytes.fromhex("c803001400000000") + bytes(8)
    there_and_back(g, proto(A, E, 115, control), proto(E, B, 115, control),
                   proto(B, E, 115, control), proto(E, A, 115, control))
    data = (77).to_bytes(4, "big") + b"frame"
    there_and_back(g, proto(A, E, 115, data), proto(E, B, 115, data), proto(B, E, 115, data), proto(E, A, 115, data))


@case
def query(g):
    """RFC 5508: who asks our external address by ICMP asks the gateway"""
    g.lan(ping(A, E, 7), stack="to_gateway")
    assert not g.records("orig")


@case
def error_about_a_protocol_without_ports(g):
    """RFC 5508 REQ-7: the error finds the sender without a port, both ways"""
    whole(g, 4, B)
    there_and_back(g, proto(A, E, 4), proto(E, B, 4), proto(B, E, 4), proto(E, A, 4))
    g.lan(icmp_error(B, E, proto(E, B, 4), 3, 2), sent=icmp_error(E, A, proto(A, E, 4), 3, 2), leave=True)
    g.lan(icmp_error(A, E, proto(E, A, 4), 3, 4), sent=icmp_error(E, B, proto(B, E, 4), 3, 4), leave=True)


@case
def error_about_keyed_gre_and_esp(g):
    """RFC 5508 REQ-7: whose id is the far end's"""
    whole(g, 47, B)
    whole(g, 50, B)
    there_and_back(g, gre0(A, E, 7), gre0(E, B, 7), gre0(B, E, 7), gre0(E, A, 7))
    g.lan(icmp_error(B, E, gre0(E, B, 7), 3, 3), sent=icmp_error(E, A, gre0(A, E, 7), 3, 3), leave=True)
    there_and_back(g, esp(A, E, 5), esp(E, B, 5), esp(B, E, 6), esp(E, A, 6))
    g.lan(icmp_error(B, E, esp(E, B, 5), 3, 3), sent=icmp_error(E, A, esp(A, E, 5), 3, 3), leave=True)


@case
def own_address_from_outside(g):
    """RFC 6890: our own address, or an inside host's, as a source from the WAN is no hairpin, whatever goes on inside"""
    whole(g, 4, B)
    there_and_back(g, proto(A, E, 4), proto(E, B, 4), proto(B, E, 4), proto(E, A, 4))
    g.wan(proto(E, E, 4), drop="martian_source")
    for inside in (A, B):
        answer = g.run("outside", WAN, bytes(12) + b"\x08\0" + bytes(proto(inside, E, 4)))
        assert answer.verdict == "drop", (inside, answer)


# --- RFC 5780 section 3.4: to a mapping, no forward ---------------------------------------------------------

@case
def own_mapping(g):
    """A host tests its NAT: to its own mapping from another socket and from the same, default filtering"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(udp(A, 4002, E, 4000), sent=udp(E, 4002, A, 4000), leave=True)
    g.lan(udp(A, 4000, E, 4002), sent=udp(E, 4000, A, 4002), leave=True)
    g.lan(udp(A, 4000, E, 4000), sent=udp(E, 4000, A, 4000), leave=True)
    g.at(1000)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(udp(A, 4002, E, 4000), sent=udp(E, 4002, A, 4000), leave=True)


@case
def own_mapping_of_a_connection(g):
    """The same for TCP"""
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    g.lan(tcp(A, 5002, E, 5000), sent=tcp(E, 5002, A, 5000), leave=True)


@case
def another_hosts_mapping(g):
    """RFC 4787 REQ-8: a mapping's filter is the same for its neighbours as for the world, and is what is counted"""
    g.lan(udp(B, 4002, S, 53), sent=udp(E, 4002, S, 53))
    stopped(g, udp(A, 4000, E, 4002), "filtered")
    g.lan(tcp(B, 5002, S, 80), sent=tcp(E, 5002, S, 80))
    stopped(g, tcp(A, 5000, E, 5002), "filtered")


# --- fragments --------------------------------------------------------------------------------------------

def parts(whole_packet):
    """Two pieces."""
    raw = bytes(whole_packet)
    head = IP(raw[:20])

    def part(start, end, more):
        return IP(src=head.src, dst=head.dst, proto=head.proto, id=head.id, ttl=head.ttl, flags="MF" if more else 0,
                  frag=start // 8) / Raw(raw[20 + start:20 + end])
    return part(0, 48, True), part(48, len(raw) - 20, False)


def held(g, packet):
    """A piece that the daemon holds: the frame that it hands in again later."""
    answer = g.run("inside", 11, bytes(12) + b"\x08\0" + bytes(packet))
    assert answer.verdict == "punt" and "fragment_early" in answer.counters, answer
    return bytes([PUNT_TRANSLATE]) + answer.frame[1:]


def handed_in(g, frame):
    answer = g.turned(g.frame(g.prefix + "tap", 15, frame))
    return answer.verdict, answer.frame[14:]


@case
def fragments_in_order(g):
    """RFC 4787 REQ-14: pieces of any protocol"""
    whole(g, 4, B)
    g.forward(17, 80, B, 8080)
    for sent, arrives in ((udp(A, 4000, E, 80, bytes(100)), udp(E, 4000, B, 8080, bytes(100))),
                          (proto(A, E, 4, bytes(100), id=9), proto(E, B, 4, bytes(100), id=9))):
        for piece, expected in zip(parts(sent), parts(arrives)):
            g.lan(piece, sent=expected, leave=True)


@case
def fragments_out_of_order(g):
    """The later piece is held before each of the two translations, and passes both"""
    whole(g, 4, B)
    g.forward(17, 80, B, 8080)
    for sent, arrives in ((udp(A, 4000, E, 80, bytes(100)), udp(E, 4000, B, 8080, bytes(100))),
                          (proto(A, E, 4, bytes(100), id=9), proto(E, B, 4, bytes(100), id=9))):
        early = held(g, parts(sent)[1])
        g.lan(parts(sent)[0], sent=parts(arrives)[0], leave=True)
        verdict, packet = handed_in(g, early)
        expected = parts(arrives)[1]
        expected.ttl -= 1
        assert verdict == "forward" and packet == bytes(expected), (verdict, IP(packet))


@case
def fragments_of_two_hosts(g):
    """RFC 7857 section 9: equal IP ids of two hosts at one server inside"""
    g.forward(17, 80, B, 8080)
    first, second = udp(A, 4000, E, 80, bytes(100)), udp(C, 4002, E, 80, bytes(100))
    g.lan(parts(first)[0], sent=parts(udp(E, 4000, B, 8080, bytes(100)))[0], leave=True)
    answer = g.run("inside", 11, bytes(12) + b"\x08\0" + bytes(parts(second)[0]))
    assert answer.verdict == "forward" and answer.frame[18:20] != bytes(parts(first)[0])[4:6], answer
    g.lan(parts(first)[1], sent=parts(udp(E, 4000, B, 8080, bytes(100)))[1], leave=True)


@case
def fragments_for_the_gateway(g):
    """To our own address and nobody's port: the gateway's, in any order; what was held comes by its interface again"""
    first, second = parts(ping(A, E, 7, data=bytes(100)))
    g.lan(first, stack="to_gateway", leave=True)
    g.lan(second, stack="to_gateway", leave=True)
    assert not g.records("fragment")
    first, second = parts(ping(A, E, 8, data=bytes(100), id=10))
    early = held(g, second)
    g.lan(first, stack="to_gateway", leave=True)
    again = g.frame(g.prefix + "tap", 15, early)
    assert again.frame[14:] == bytes(second), again
    if g.backend == "memory":
        assert again.verdict == "stack", again
    else:
        assert again.verdict == "forward" and again.frame[:6] == bytes.fromhex(device_mac(11).replace(":", "")), again


# --- no loops -----------------------------------------------------------------------------------------------

@case
def turns_are_bounded(g):
    """Whatever the daemon does with it, a frame passes the tap a few times only"""
    if g.backend == "memory":
        return
    g.forward(6, 1723, B, 1723)
    answer = g.run("inside", 11, bytes(12) + b"\x08\0" + bytes(tcp(A, 5000, E, 1723)))
    assert answer.verdict == "punt" and answer.frame[3] == 1, answer
    for passes, verdict in ((1, "punt"), (4, "punt"), (5, "drop"), (6, "drop"), (255, "drop")):
        frame = bytes([PUNT_TRANSLATE, 0, 0, passes]) + answer.frame[4:]
        again = g.turned(g.frame(g.prefix + "tap", 15, frame))
        assert again.verdict == verdict, (passes, again)


@case
def asked_once(g):
    """What the daemon hands in again is not handed to it a second time"""
    g.switch(on=("ipsec",))
    g.daemon_lives()
    answer = g.run("inside", 11, bytes(12) + b"\x08\0" + bytes(esp(A, S, 0x7777)))
    assert answer.verdict == "punt" and "to_pairing" in answer.counters, answer
    again = g.frame(g.prefix + "tap", 15, bytes([PUNT_TRANSLATE]) + answer.frame[1:])
    assert again.verdict == "drop" and "slow_path_stale" in again.counters, again
