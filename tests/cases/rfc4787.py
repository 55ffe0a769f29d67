# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 4787: unicast UDP through a NAT."""
from gateway import ADDRESS_AND_PORT_DEPENDENT, ADDRESS_DEPENDENT, ENDPOINT_INDEPENDENT, ID_PORTS
from packets import A, B, E, LAN1, D, S, T, N, IPOption, icmp_error, quick, udp
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
def parity_of_1000_ports(g):
    """REQ-4, REQ-3a: 1,000 ports in a row that another host holds: same parity, same range"""
    for wanted in range(2000, 3000):
        g.insert("mapping_external", protocol=17, id_type=ID_PORTS, local=E, local_id=wanted, new_local=B, new_id=wanted)
    for wanted in range(2000, 3000):
        answer, port = g.quick(quick(A, wanted, S, 53))
        assert answer.verdict == "forward", answer
        assert port != wanted and port % 2 == wanted % 2 and 1024 <= port < 64512, (wanted, port)


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
def ports_of_vpns_are_not_drawn(g):
    """What is drawn names no VPN: its flows would get the VPN's timer and switch; who has the port inside keeps it"""
    hosts = ["10.0.0.%d" % n for n in range(20, 250)]
    drawn = set()
    for source in (124, 126):
        for host in hosts:  # privileged ones stay privileged (REQ-3a): 510 for 460 sockets
            answer, port = g.quick(quick(host, source, S, 53))
            assert answer.verdict == "forward" and port < 1024, answer
            drawn.add(port)
    assert len(drawn) == 460 and 500 not in drawn, drawn
    g.lan(udp(A, 500, S, 53), sent=udp(E, 500, S, 53))
    g.lan(udp(A, 1701, S, 53), sent=udp(E, 1701, S, 53))


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


REMOTES = ["203.0.113.%d" % n for n in range(1, 101)]


@case
def filter_many_remotes(g):
    """REQ-8: address-dependent: who was contacted is known of many remotes, who was not is not"""
    for remote in REMOTES:
        g.quick(quick(A, 4000, remote, 53))
    admitted = [r for r in REMOTES if g.run("outside", 13, quick(r, 99, E, 4000)).verdict == "forward"]
    # a remote that finds no room in its permit record has to answer from the port that was asked
    assert len(admitted) >= 95, len(admitted)
    for remote in REMOTES:
        assert g.run("outside", 13, quick(remote, 53, E, 4000)).verdict == "forward", remote
    g.wan(udp(N, 99, E, 4000), drop="filtered")


@case
def filter_forgets_with_mapping(g):
    """REQ-8: whom the last owner of a port has contacted says nothing for the next one"""
    g.at(10)
    for remote in REMOTES[:20]:
        g.quick(quick(A, 4000, remote, 53))
    noted = [r for r in REMOTES[:20] if g.run("outside", 13, quick(r, 99, E, 4000)).verdict == "forward"]
    (external,), (inside,) = g.records("mapping_external"), g.records("mapping_inside")
    g.change(inside["partner"], created=external["created"] + 5000)  # begun anew, the permits of before not swept
    admitted = [r for r in REMOTES[:20] if g.run("outside", 13, quick(r, 98, E, 4000)).verdict == "forward"]
    assert len(noted) == 20 and len(admitted) == 4, (noted, admitted)  # those in the record itself went with it
    g.at(20)
    g.quick(quick(A, 4000, REMOTES[19], 54))
    admitted = [r for r in REMOTES[:20] if g.run("outside", 13, quick(r, 97, E, 4000)).verdict == "forward"]
    assert len(admitted) == 5, admitted


def kind_of_nat(g, socket):
    """What a prober would call this NAT, by one fresh socket: mapping, ports, filtering."""
    answers = [g.quick(quick(A, socket, remote, port)) for remote, port in ((S, 53), (S, 54), (T, 53))]
    if any(answer.verdict != "forward" for answer, _ in answers):
        reasons = [reason for answer, _ in answers for reason in answer.counters if reason != "forwarded"]
        return "refused: " + " ".join(sorted(set(reasons) - {"session_created", "mapping_created"}))
    ports = {port for _, port in answers}
    inbound = [g.run("outside", 13, quick(remote, port, E, min(ports))).verdict
               for remote, port in ((S, 53), (S, 99), (N, 53))]
    return "%s %s %s" % ("one port" if len(ports) == 1 else "ports", "kept" if ports == {socket} else "changed", inbound)


@case
def deterministic(g):
    """REQ-11: the same behaviour with the table empty, half and nearly full; where none is left, refused, not other"""
    g.config(set_mask=127, sessions_per_host=100000, mappings_per_host=100000)  # 1024 records
    first = kind_of_nat(g, 4000)
    assert first == "one port kept ['forward', 'forward', 'drop']", first
    seen, refused = [], 0
    for filler in range(400):
        refused += g.quick(quick(B, 10000 + filler, S, 53))[0].verdict != "forward"
        if filler % 20 == 0:
            seen.append(kind_of_nat(g, 20000 + filler))
    assert refused and len(g.records()) > 900, (refused, len(g.records()))
    assert set(seen[:6]) == {first}, seen
    full = {"refused:", "table_full", "ports_exhausted"}
    assert all(kind == first or set(kind.split()) <= full for kind in seen), set(seen)
    assert kind_of_nat(g, 4000) == first


@case
def every_icmp_message(g):
    """REQ-12: no ICMP message of any type and code ends a mapping or its session, from a router or from the remote"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    message = bytearray(bytes(12) + b"\x08\0" + bytes(icmp_error(N, E, udp(E, 4000, S, 53), 0, 0)))
    checksum = int.from_bytes(message[36:38], "big")
    for kind in range(256):
        for code in range(17):
            message[34:36] = bytes((kind, code))
            total = checksum - (kind << 8 | code)
            message[36:38] = (total % 0xffff).to_bytes(2, "big")
            g.run("outside", 13, bytes(message))
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))
    g.lan(udp(A, 4000, T, 53), sent=udp(E, 4000, T, 53))


@case
def no_helper_reads_udp(g):
    """REQ-10: no gateway level application for UDP: SIP, TFTP and STUN payloads with inside addresses pass as they are"""
    for port, data in ((5060, b"INVITE sip:b@c SIP/2.0\r\nContact: <sip:a@10.0.0.10:4000>\r\n\r\nc=IN IP4 10.0.0.10\r\n"),
                       (69, b"\0\1file\0octet\0"), (3478, bytes(20) + b"\x0a\0\0\x0a")):
        g.lan(udp(A, 4000, S, port, data), sent=udp(E, 4000, S, port, data))
        g.wan(udp(S, port, E, 4000, data), sent=udp(S, port, A, 4000, data))


@case
def timer_of_two_minutes(g):
    """REQ-5: also at the smallest setting a mapping idle for 119 s lives, and after it ends within a tenth of it"""
    g.config(timeout_udp=120 * 1000, filtering_udp=ADDRESS_AND_PORT_DEPENDENT)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.at(119)
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))
    g.at(119 + 121)
    g.wan(udp(S, 53, E, 4000), drop="session_expired")


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
    """REQ-6: each packet going out keeps the session, also where the filter would not let it begin again"""
    g.config(filtering_udp=ADDRESS_AND_PORT_DEPENDENT)
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
