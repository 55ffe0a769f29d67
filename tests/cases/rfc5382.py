# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 5382 and RFC 7857: TCP through a NAT."""
from gateway import ADDRESS_AND_PORT_DEPENDENT, ADDRESS_DEPENDENT, ENDPOINT_INDEPENDENT, ID_PORTS
from packets import A, ACK, B, D, E, FIN, LAN1, N, RST, S, SYN, SYNACK, T, icmp_error, quick, tcp
from rows import case

ESTABLISHED, TRANSITORY = 7440, 240  # seconds, by default


def opened(g, sport=5000):
    """A connection from A to S:80, established."""
    g.lan(tcp(A, sport, S, 80), sent=tcp(E, sport, S, 80))
    g.wan(tcp(S, 80, E, sport, SYNACK), sent=tcp(S, 80, A, sport, SYNACK))
    g.lan(tcp(A, sport, S, 80, ACK), sent=tcp(E, sport, S, 80, ACK))


def passes_out(g, flags=ACK):
    g.lan(tcp(A, 5000, S, 80, flags, b"out"), sent=tcp(E, 5000, S, 80, flags, b"out"))


def passes_in(g, flags=ACK):
    g.wan(tcp(S, 80, E, 5000, flags, b"in"), sent=tcp(S, 80, A, 5000, flags, b"in"))


def expired_in(g):
    g.wan(tcp(S, 80, E, 5000, ACK, b"in"), drop="session_expired")


@case
def connection(g):
    """REQ-1: opening, data both ways with options and every small length, closing"""
    opened(g)
    stamps = [("NOP", None), ("NOP", None), ("Timestamp", (12345, 67890))]
    for length in range(20):
        data = bytes(range(length))
        g.lan(tcp(A, 5000, S, 80, ACK, data, stamps), sent=tcp(E, 5000, S, 80, ACK, data, stamps))
        g.wan(tcp(S, 80, E, 5000, ACK, data, stamps), sent=tcp(S, 80, A, 5000, ACK, data, stamps))
    passes_out(g, FIN)
    passes_in(g, FIN)
    passes_out(g)


@case
def eim(g):
    """REQ-1: one inside socket, three remotes, one port, also after a collision"""
    g.lan(tcp(B, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    port = g.lan(tcp(A, 5000, S, 80), sent=lambda p: tcp(E, p, S, 80)).port
    assert port != 5000 and port % 2 == 0
    g.lan(tcp(A, 5000, S, 81), sent=tcp(E, port, S, 81))
    g.lan(tcp(A, 5000, T, 80), sent=tcp(E, port, T, 80))


@case
def independent_of_udp(g):
    """RFC 7857 5: a UDP and a TCP mapping of one port do not disturb each other"""
    from packets import udp
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    g.lan(udp(B, 5000, S, 80), sent=udp(E, 5000, S, 80))
    g.wan(tcp(S, 80, E, 5000, SYNACK), sent=tcp(S, 80, A, 5000, SYNACK))
    g.wan(udp(S, 80, E, 5000), sent=udp(S, 80, B, 5000))


@case
def simultaneous_open(g):
    """REQ-2: both sides send SYN, then SYN ACK"""
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    g.wan(tcp(S, 80, E, 5000), sent=tcp(S, 80, A, 5000))
    g.lan(tcp(A, 5000, S, 80, SYNACK), sent=tcp(E, 5000, S, 80, SYNACK))
    g.wan(tcp(S, 80, E, 5000, SYNACK), sent=tcp(S, 80, A, 5000, SYNACK))
    passes_out(g)
    g.at(ESTABLISHED - 1)
    passes_in(g)


@case
def simultaneous_open_without_the_last_syn(g):
    """REQ-2: the remote has not seen the first SYN and answers ours with an ACK: the long timer counts"""
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    g.wan(tcp(S, 80, E, 5000), sent=tcp(S, 80, A, 5000))
    g.lan(tcp(A, 5000, S, 80, SYNACK), sent=tcp(E, 5000, S, 80, SYNACK))
    passes_in(g)
    g.at(TRANSITORY + 1)
    passes_in(g)


@case
def forged_syn_establishes_nothing(g):
    """REQ-5: a SYN from the other side without an ACK, or with a wrong one, leaves a half-open connection its timer"""
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    for flags, ack in ((SYN, 0), (SYNACK, 0x40000000), (ACK, 0x80000000)):
        forged = {"flags": flags, "seq": 0x12345678, "ack": ack}
        g.wan(tcp(S, 80, E, 5000, **forged), sent=tcp(S, 80, A, 5000, **forged))
    g.at(TRANSITORY + 1)
    expired_in(g)


@case
def forged_syn_of_the_inside(g):
    """REQ-5: the same where the remote has begun, by a port forward"""
    g.forward(6, 80, A, 8080)
    g.wan(tcp(S, 7000, E, 80), sent=tcp(S, 7000, A, 8080))
    g.lan(tcp(A, 8080, S, 7000), sent=tcp(E, 80, S, 7000))
    g.at(TRANSITORY + 1)
    g.wan(tcp(S, 7000, E, 80, ACK), drop="session_expired")


@case
def answer_behind_a_forged_syn(g):
    """REQ-1: the server's own answer opens the connection all the same, and its reset in sequence ends it"""
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    g.wan(tcp(S, 80, E, 5000, seq=0x12345678), sent=tcp(S, 80, A, 5000, seq=0x12345678))
    answer = {"flags": SYNACK, "seq": 2000, "ack": 1001}
    g.wan(tcp(S, 80, E, 5000, **answer), sent=tcp(S, 80, A, 5000, **answer))
    g.at(TRANSITORY + 1)
    passes_in(g)
    g.wan(tcp(S, 80, E, 5000, RST, seq=2001), sent=tcp(S, 80, A, 5000, RST, seq=2001))
    g.at(2 * TRANSITORY + 3)
    expired_in(g)


@case
def filter_default(g):
    """REQ-3: address- and port-dependent by default"""
    opened(g)
    g.wan(tcp(S, 81, E, 5000), drop="filtered")
    g.wan(tcp(T, 80, E, 5000), drop="filtered")


@case
def filter_address_dependent(g):
    """REQ-3: address-dependent, set for TCP alone"""
    g.config(filtering_tcp=ADDRESS_DEPENDENT, filtering_udp=ADDRESS_AND_PORT_DEPENDENT)
    opened(g)
    g.wan(tcp(S, 81, E, 5000), sent=tcp(S, 81, A, 5000))
    g.wan(tcp(T, 80, E, 5000), drop="filtered")


@case
def filter_endpoint_independent(g):
    """REQ-3: endpoint-independent, set for TCP alone"""
    g.config(filtering_tcp=ENDPOINT_INDEPENDENT, filtering_udp=ADDRESS_AND_PORT_DEPENDENT)
    opened(g)
    g.wan(tcp(T, 80, E, 5000), sent=tcp(T, 80, A, 5000))
    g.lan(tcp(A, 5000, T, 80, SYNACK), sent=tcp(E, 5000, T, 80, SYNACK))


@case
def inbound_begins_with_syn(g):
    """REQ-2: from the WAN only a SYN can begin, also where filtering is open"""
    g.config(filtering_tcp=ENDPOINT_INDEPENDENT)
    opened(g)
    for flags in (ACK, SYNACK, FIN, RST, "PA", ""):
        g.wan(tcp(T, 80, E, 5000, flags), drop="tcp_no_syn")


@case
def unsolicited_syn(g):
    """REQ-4: not answered, not forwarded"""
    g.wan(tcp(S, 80, E, 5000), drop="unsolicited")


@case
def unsolicited_syn_six_seconds(g):
    """REQ-4, REQ-4a: a SYN nobody asked for is met with silence, in the first six seconds and after (policy: stealth)"""
    for second in (0, 1, 3, 5.9, 6.1, 9, 21):
        g.at(second)
        g.wan(tcp(S, 80, E, 5000), drop="unsolicited")
    assert not g.records()


@case
def unsolicited_syn_then_ours(g):
    """REQ-4: our own SYN within the six seconds: the first one stays dropped, the simultaneous open works"""
    g.wan(tcp(S, 80, E, 5000), drop="unsolicited")
    g.at(2)
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    g.at(3)
    g.wan(tcp(S, 80, E, 5000), sent=tcp(S, 80, A, 5000))
    g.lan(tcp(A, 5000, S, 80, SYNACK), sent=tcp(E, 5000, S, 80, SYNACK))
    g.wan(tcp(S, 80, E, 5000, SYNACK), sent=tcp(S, 80, A, 5000, SYNACK))
    g.at(ESTABLISHED - 1)
    passes_in(g)


@case
def never_shared(g):
    """REQ-7: a port belongs to one socket, also towards different remotes"""
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    port = g.lan(tcp(B, 5000, T, 80), sent=lambda p: tcp(E, p, T, 80)).port
    third = g.lan(tcp(D, 5000, N, 80), device=LAN1, sent=lambda p: tcp(E, p, N, 80)).port
    assert len({5000, port, third}) == 3
    g.wan(tcp(T, 80, E, port, SYNACK), sent=tcp(T, 80, B, 5000, SYNACK))


@case
def ports_exhausted(g):
    """REQ-7: no port is left of this kind: refused, none is shared"""
    for port in range(3, 1024, 2):
        g.insert("mapping_external", protocol=6, id_type=ID_PORTS, local=E, local_id=port, new_local=B, new_id=port)
    g.lan(tcp(A, 601, S, 80), punt="ports_exhausted")


@case
def parity_of_1000_ports(g):
    """RFC 4787 REQ-4, REQ-3a for TCP: 1,000 ports in a row that another host holds"""
    for wanted in range(2000, 3000):
        g.insert("mapping_external", protocol=6, id_type=ID_PORTS, local=E, local_id=wanted, new_local=B, new_id=wanted)
    for wanted in range(2000, 3000):
        answer, port = g.quick(quick(A, wanted, S, 80, 6))
        assert answer.verdict == "forward", answer
        assert port != wanted and port % 2 == wanted % 2 and 1024 <= port < 64512, (wanted, port)


@case
def unreachables(g):
    """REQ-9: each Destination Unreachable reaches the inside, quoted as it was sent, from the remote and from a router"""
    opened(g)
    for code in range(16):
        for source in (S, N):
            g.wan(icmp_error(source, E, tcp(E, 5000, S, 80, ACK), 3, code),
                  sent=icmp_error(source, A, tcp(A, 5000, S, 80, ACK), 3, code))
    g.lan(icmp_error(A, S, tcp(S, 80, A, 5000, ACK), 3, 3), sent=icmp_error(E, S, tcp(S, 80, E, 5000, ACK), 3, 3))


@case
def every_icmp_message(g):
    """REQ-10: no ICMP message of any type and code ends a connection or shortens its timer"""
    opened(g)
    message = bytearray(bytes(12) + b"\x08\0" + bytes(icmp_error(N, E, tcp(E, 5000, S, 80, ACK), 0, 0)))
    checksum = int.from_bytes(message[36:38], "big")
    for kind in range(256):
        for code in range(17):
            message[34:36] = bytes((kind, code))
            message[36:38] = ((checksum - (kind << 8 | code)) % 0xffff).to_bytes(2, "big")
            g.run("outside", 13, bytes(message))
    g.at(ESTABLISHED - 1)
    passes_in(g)


@case
def half_closed_ten_minutes(g):
    """REQ-2, RFC 7857 2.1: closed by one side, the other goes on sending after ten minutes of silence"""
    opened(g)
    passes_out(g, FIN)
    for minute in (10, 20, 30):
        g.at(minute * 60)
        passes_in(g)
        passes_out(g)
    passes_in(g, FIN)
    g.at(30 * 60 + TRANSITORY + 1)
    expired_in(g)


@case
def timer_settings(g):
    """REQ-5a: both timers are settings"""
    g.config(timeout_established=8000 * 1000, timeout_opening=300 * 1000, timeout_closing=300 * 1000)
    g.lan(tcp(B, 6000, S, 80), sent=tcp(E, 6000, S, 80))
    opened(g)
    g.at(299)
    g.wan(tcp(S, 80, E, 6000, SYNACK), sent=tcp(S, 80, B, 6000, SYNACK))
    g.at(7900)
    passes_in(g)


@case
def timer_established(g):
    """REQ-5: two hours and four minutes idle"""
    opened(g)
    g.at(ESTABLISHED - 1)
    passes_in(g)
    g.at(2 * ESTABLISHED + 1)
    expired_in(g)


@case
def timer_opening(g):
    """REQ-5: a half-open connection lives four minutes"""
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    g.at(TRANSITORY - 1)
    g.wan(tcp(S, 80, E, 5000, SYNACK), sent=tcp(S, 80, A, 5000, SYNACK))


@case
def timer_opening_over(g):
    """REQ-5: and no longer"""
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    g.at(TRANSITORY + 1)
    g.wan(tcp(S, 80, E, 5000, SYNACK), drop="session_expired")


@case
def timer_half_closed_inside(g):
    """RFC 7857 2.1: closed by the inside only, the other direction keeps the long timer"""
    opened(g)
    passes_out(g, FIN)
    g.at(ESTABLISHED - 1)
    passes_in(g)


@case
def timer_half_closed_remote(g):
    """RFC 7857 2.1: closed by the remote only"""
    opened(g)
    passes_in(g, FIN)
    g.at(ESTABLISHED - 1)
    passes_in(g)
    passes_out(g)


@case
def timer_closed(g):
    """REQ-5: four minutes after both FINs"""
    opened(g)
    passes_out(g, FIN)
    passes_in(g, FIN)
    g.at(TRANSITORY - 1)
    passes_in(g)
    g.at(2 * TRANSITORY)
    expired_in(g)


@case
def retransmitted_fin(g):
    """RFC 7857 2.1: the same side's FIN twice is still half-closed"""
    opened(g)
    passes_out(g, FIN)
    passes_out(g, FIN)
    g.at(ESTABLISHED - 1)
    passes_in(g)


@case
def rst_is_translated(g):
    """RFC 7857 2.2: RST goes through, the session stays four minutes"""
    opened(g)
    g.wan(tcp(S, 80, E, 5000, RST, seq=1001), sent=tcp(S, 80, A, 5000, RST, seq=1001))
    g.at(TRANSITORY - 1)
    g.lan(tcp(A, 5000, S, 80, RST, seq=1001), sent=tcp(E, 5000, S, 80, RST, seq=1001))


@case
def rst_then_silence(g):
    """RFC 7857 2.2: and not longer"""
    opened(g)
    g.wan(tcp(S, 80, E, 5000, RST, seq=1001), sent=tcp(S, 80, A, 5000, RST, seq=1001))
    g.at(TRANSITORY + 1)
    expired_in(g)


@case
def rst_then_data(g):
    """RFC 7857 2.1: data after a RST that nobody believed makes the connection whole again"""
    opened(g)
    g.wan(tcp(S, 80, E, 5000, RST, seq=1001), sent=tcp(S, 80, A, 5000, RST, seq=1001))
    passes_out(g)
    g.at(ESTABLISHED - 1)
    passes_in(g)


@case
def rst_out_of_sequence(g):
    """RFC 5961 3.2, RFC 7857 2.2: a RST that is not exactly in sequence goes through and changes nothing, both ways"""
    opened(g)
    for seq in (5000, 5000, 0, 1000, 1002, 1001 + 2**31, 2**32 - 1):
        for came in (g.wan(tcp(S, 80, E, 5000, RST, seq=seq), sent=tcp(S, 80, A, 5000, RST, seq=seq)),
                     g.lan(tcp(A, 5000, S, 80, RST, seq=seq), sent=tcp(E, 5000, S, 80, RST, seq=seq))):
            assert "rst_out_of_sequence" in came.counters, (seq, came)
    g.at(ESTABLISHED - 1)
    passes_in(g)


@case
def rst_opens_nothing(g):
    """A RST of no connection makes no session"""
    g.lan(tcp(A, 5000, S, 80, RST), drop="tcp_no_syn")
    assert not g.records("orig")


@case
def mid_stream(g):
    """A connection older than the gateway: picked up by the inside's segment, long timer after the next"""
    passes_out(g)
    passes_in(g)
    passes_out(g)
    g.at(ESTABLISHED - 1)
    passes_in(g)


@case
def mid_stream_alone(g):
    """Picked up but never answered: the short timer"""
    g.lan(tcp(A, 5000, S, 80, ACK), sent=tcp(E, 5000, S, 80, ACK))
    g.at(TRANSITORY + 1)
    expired_in(g)


@case
def reopened(g):
    """A closed pair of sockets opens again: the same port, the long timer"""
    opened(g)
    passes_out(g, FIN)
    passes_in(g, FIN)
    opened(g)
    g.at(ESTABLISHED - 1)
    passes_in(g)


@case
def reopened_unanswered(g):
    """REQ-5, RFC 7857 2.1: that opens again is opening: without an answer it lives four minutes"""
    opened(g)
    passes_out(g, FIN)
    passes_in(g, FIN)
    g.lan(tcp(A, 5000, S, 80, seq=9000), sent=tcp(E, 5000, S, 80, seq=9000))
    g.at(TRANSITORY + 1)
    g.wan(tcp(S, 80, E, 5000, SYNACK), drop="session_expired")


@case
def opened_from_outside(g):
    """RFC 7857 2.1: the remote's SYN first, by a port forward"""
    g.forward(6, 80, A, 8080)
    g.wan(tcp(S, 7000, E, 80), sent=tcp(S, 7000, A, 8080))
    g.lan(tcp(A, 8080, S, 7000, SYNACK), sent=tcp(E, 80, S, 7000, SYNACK))
    g.wan(tcp(S, 7000, E, 80, ACK), sent=tcp(S, 7000, A, 8080, ACK))
    g.at(ESTABLISHED - 1)
    g.wan(tcp(S, 7000, E, 80, ACK, b"x"), sent=tcp(S, 7000, A, 8080, ACK, b"x"))


@case
def opened_from_outside_unanswered(g):
    """RFC 7857 2.1: until it is answered the timer is the short one"""
    g.forward(6, 80, A, 8080)
    g.wan(tcp(S, 7000, E, 80), sent=tcp(S, 7000, A, 8080))
    g.at(TRANSITORY + 1)
    g.wan(tcp(S, 7000, E, 80, ACK), drop="session_expired")


@case
def scan_through_open_filter_is_bounded(g):
    """Each flag combination of an established connection passes unchanged"""
    opened(g)
    for flags in ("PA", "UA", "A", "PUA", "AE", "AC"):
        passes_out(g, flags)
        passes_in(g, flags)
