# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 7857: what it adds to the three older documents. More of it is in rfc5382 (2.1) and fragments (10)."""
from gateway import ADDRESS_DEPENDENT, ENDPOINT_INDEPENDENT, ID_PORTS, LAN0, WAN
from packets import A, ACK, B, E, FIN, N, Q, RST, S, SYN, SYNACK, T, icmp_error, ping, pong, quick, tcp, udp
from rows import case

ESTABLISHED, TRANSITORY = 7440, 240  # seconds, by default


def opened(g, first=1000):
    """A to S:80, established; the next sequence number of both sides is first + 1."""
    numbers = {"seq": first, "ack": first + 1}
    g.lan(tcp(A, 5000, S, 80, SYN, seq=first), sent=tcp(E, 5000, S, 80, SYN, seq=first))
    g.wan(tcp(S, 80, E, 5000, SYNACK, **numbers), sent=tcp(S, 80, A, 5000, SYNACK, **numbers))
    numbers["seq"] += 1
    g.lan(tcp(A, 5000, S, 80, ACK, **numbers), sent=tcp(E, 5000, S, 80, ACK, **numbers))


def reset_in(g, seq, flags=RST):
    return g.wan(tcp(S, 80, E, 5000, flags, seq=seq), sent=tcp(S, 80, A, 5000, flags, seq=seq))


def reset_out(g, seq, flags=RST):
    return g.lan(tcp(A, 5000, S, 80, flags, seq=seq), sent=tcp(E, 5000, S, 80, flags, seq=seq))


def data_in(g, seq, data=b"in", ack=1001, flags=ACK):
    numbers = {"seq": seq, "ack": ack}
    return g.wan(tcp(S, 80, E, 5000, flags, data, **numbers), sent=tcp(S, 80, A, 5000, flags, data, **numbers))


def is_established(g):
    """After most of the long timer the other side's data still comes in."""
    g.at(ESTABLISHED - 1)
    data_in(g, 90000)


def is_transitory(g, now=0):
    """After the short timer it does not."""
    g.at(now + TRANSITORY + 1)
    g.wan(tcp(S, 80, E, 5000, ACK, b"in"), drop="session_expired")


# --- 2.1: timers ---------------------------------------------------------------------------
@case
def opening_and_closing_are_apart(g):
    """2.1: a connection that opens has one timer, one that both sides have closed another"""
    g.config(timeout_opening=60 * 1000, timeout_closing=900 * 1000)
    opened(g)
    reset_in(g, 1001)
    g.lan(tcp(B, 6000, S, 80), sent=tcp(E, 6000, S, 80))
    g.at(61)
    g.wan(tcp(S, 80, E, 6000, SYNACK), drop="session_expired")
    g.at(899)
    g.wan(tcp(S, 80, E, 5000, "RA", seq=1001), sent=tcp(S, 80, A, 5000, "RA", seq=1001))


# --- 2.2: TCP RST ------------------------------------------------------------------------
@case
def reset_of_the_remote(g):
    """2.2: exactly in sequence: translated, the session stays four minutes"""
    opened(g)
    assert "rst_out_of_sequence" not in reset_in(g, 1001).counters
    is_transitory(g)


@case
def reset_of_the_inside(g):
    """2.2: the same from the inside"""
    opened(g)
    assert "rst_out_of_sequence" not in reset_out(g, 1001).counters
    is_transitory(g)


@case
def reset_out_of_sequence(g):
    """2.2, notes: any other sequence number passes, is counted and changes nothing: off-path attacks"""
    opened(g)
    for seq in (0, 1, 999, 1000, 1002, 1003, 5000, 66536, 0x80000000, 0x80001001, 0xffffffff):
        assert "rst_out_of_sequence" in reset_in(g, seq).counters, seq
        assert "rst_out_of_sequence" in reset_out(g, seq).counters, seq
    is_established(g)


@case
def reset_after_data(g):
    """2.2: exactly behind the last byte that its sender sent, a retransmission or not"""
    opened(g)
    data_in(g, 1001, b"12345")
    data_in(g, 1001, b"12")
    for seq in (1001, 1003, 1005):
        assert "rst_out_of_sequence" in reset_in(g, seq).counters, seq
    assert "rst_out_of_sequence" not in reset_in(g, 1006).counters
    is_transitory(g)


@case
def reset_after_the_numbers_wrap(g):
    """2.2: sequence numbers are modulo 2^32"""
    opened(g, 0xfffffffc)
    data_in(g, 0xfffffffd, b"12345", ack=0xfffffffd)
    assert "rst_out_of_sequence" in reset_in(g, 0xfffffffd).counters
    assert "rst_out_of_sequence" not in reset_in(g, 2).counters
    is_transitory(g)


@case
def reset_with_acknowledgment(g):
    """2.2: with ACK as without, on an open connection only the sequence counts"""
    opened(g)
    assert "rst_out_of_sequence" in reset_in(g, 7, "RA").counters
    for _ in range(2):  # what was not believed once is not in sequence the second time
        assert "rst_out_of_sequence" in reset_in(g, 1101, "RA").counters
    assert "rst_out_of_sequence" not in reset_in(g, 1001, "RA").counters
    is_transitory(g)


@case
def reset_refuses(g):
    """2.2: the refusal of a connection (RFC 9293 3.10.7.1) is translated; the session ends with the short timer"""
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    g.wan(tcp(S, 80, E, 5000, "RA", seq=0, ack=1001), sent=tcp(S, 80, A, 5000, "RA", seq=0, ack=1001))
    is_transitory(g)


@case
def resets_by_guess(g):
    """2.2, notes: 65,535 resets, spread evenly over all sequence numbers, are no more than one: nothing changes"""
    opened(g)
    numbers = [(1001 + step * 65537) % 2**32 for step in range(1, 65536, 1 if g.backend == "memory" else 32)]
    believed = [a for a in g.many("outside", WAN, [quick(S, 80, E, 5000, 6, 4, n) for n in numbers])
                if a.verdict != "forward" or "rst_out_of_sequence" not in a.counters]
    assert not believed, believed[0]
    is_established(g)


@case
def reset_behind_forged_data(g):
    """2.2, notes: a data segment with a guessed number moves no mark, so the reset behind it is none either"""
    opened(g)
    for seq in (0x20000000, 0x7fffffff, 0xffe00000, 1001 + 0x200000):
        data_in(g, seq, b"forged")
        assert "rst_out_of_sequence" in reset_in(g, seq + 6).counters, seq
    for ack in (1002, 0x40000000, 0xc0000000, 0xff000000):  # near enough, but of what nobody sent
        data_in(g, 1001 + 100, b"forged", ack=ack)
        assert "rst_out_of_sequence" in reset_in(g, 1001 + 106).counters, ack
    is_established(g)


@case
def reset_behind_a_hole(g):
    """2.2: what was lost before us or overtakes moves the mark all the same, if it acknowledges what was sent"""
    opened(g)
    data_in(g, 1001 + 60000, b"later")
    data_in(g, 1001, b"lost, and sent again")
    assert "rst_out_of_sequence" not in reset_in(g, 1001 + 60005).counters
    is_transitory(g)


@case
def forged_syn_ack(g):
    """2.2: an answer to the SYN that does not acknowledge it moves no mark, so the server's own does"""
    g.lan(tcp(A, 5000, S, 80, SYN, seq=1000), sent=tcp(E, 5000, S, 80, SYN, seq=1000))
    data_in(g, 5, b"", ack=0x50000000, flags=SYNACK)
    data_in(g, 1000, b"", ack=1001, flags=SYNACK)
    assert "rst_out_of_sequence" in reset_in(g, 6).counters
    assert "rst_out_of_sequence" not in reset_in(g, 1001).counters


@case
def forged_fin(g):
    """RFC 5382 section 9: FINs with guessed numbers close nothing, the real ones do"""
    opened(g)
    data_in(g, 0x30000000, b"", flags=FIN)
    g.lan(tcp(A, 5000, S, 80, FIN, seq=1001, ack=1001), sent=tcp(E, 5000, S, 80, FIN, seq=1001, ack=1001))
    assert "fin_out_of_sequence" in data_in(g, 0x30000000, b"", ack=7, flags=FIN).counters
    g.at(TRANSITORY + 1)
    assert "fin_out_of_sequence" not in data_in(g, 1001, b"", ack=1002, flags=FIN).counters
    is_transitory(g, TRANSITORY + 1)


# --- 5, 6: protocols are apart -------------------------------------------------------------
@case
def mappings_are_of_one_protocol(g):
    """5: one socket number, three protocols, three mappings: none gives its port to another"""
    g.lan(udp(B, 5000, S, 80), sent=udp(E, 5000, S, 80))
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    g.lan(ping(A, S, 5000), sent=ping(E, S, 5000))
    port = g.lan(udp(A, 5000, S, 80), sent=lambda p: udp(E, p, S, 80)).port
    assert port != 5000
    g.wan(udp(S, 80, E, port), sent=udp(S, 80, A, 5000))
    g.wan(pong(S, E, 5000), sent=pong(S, A, 5000))


@case
def filters_are_of_one_protocol(g):
    """6: an open TCP mapping lets no UDP in, and the other way round"""
    g.config(filtering_udp=ENDPOINT_INDEPENDENT, filtering_tcp=ENDPOINT_INDEPENDENT)
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    g.lan(udp(A, 6000, S, 80), sent=udp(E, 6000, S, 80))
    g.wan(udp(T, 9, E, 5000), drop="unsolicited")
    g.wan(tcp(T, 9, E, 6000), drop="unsolicited")


# --- 7: what does not refresh ----------------------------------------------------------------
@case
def filtered_packets_do_not_refresh(g):
    """7: packets that the filter stops keep no mapping"""
    g.config(filtering_udp=ADDRESS_DEPENDENT)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for second in (100, 200, 290):
        g.at(second)
        g.wan(udp(T, 53, E, 4000), drop="filtered")
    g.at(310)
    g.wan(udp(S, 53, E, 4000), drop="session_expired")
    g.wan(udp(S, 99, E, 4000), drop="filtered")


@case
def strangers_do_not_keep_the_door_open(g):
    """7: endpoint-independent: the inside silent for its timer, strangers' packets let no further stranger in"""
    g.config(filtering_udp=ENDPOINT_INDEPENDENT)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for second in (100, 200, 290):
        g.at(second)
        g.wan(udp(T, 53, E, 4000), sent=udp(T, 53, A, 4000))
    g.at(310)
    g.wan(udp(Q, 53, E, 4000), drop="filtered")


@case
def outbound_errors_do_not_refresh(g):
    """7.1: an ICMP error that answers an inbound packet keeps neither session nor mapping"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for second in (100, 200, 290):
        g.at(second)
        g.lan(icmp_error(A, S, udp(S, 53, A, 4000), 3, 3), sent=icmp_error(E, S, udp(S, 53, E, 4000), 3, 3))
    g.at(310)
    g.wan(udp(S, 53, E, 4000), drop="session_expired")


@case
def outbound_resets_do_not_refresh(g):
    """7.1: the resets by which an inside host refuses strangers keep its mapping open for no further one"""
    g.config(filtering_tcp=ENDPOINT_INDEPENDENT)
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    refusal = {"flags": "RA", "seq": 0, "ack": 1001}
    for second in (60, 120, 180, 225):
        for again in (0, 9):
            g.at(second + again)
            g.wan(tcp(T, 1000 + second, E, 5000), sent=tcp(T, 1000 + second, A, 5000))
            g.lan(tcp(A, 5000, T, 1000 + second, **refusal), sent=tcp(E, 5000, T, 1000 + second, **refusal))
        g.at(second + 14)
        g.lan(tcp(A, 5000, T, 1000 + second, **refusal), sent=tcp(E, 5000, T, 1000 + second, **refusal))
    g.at(TRANSITORY + 1)
    g.wan(tcp(Q, 80, E, 5000), drop="filtered")


@case
def resets_keep_no_session(g):
    """7.1: nor do resets keep the session that they have ended"""
    opened(g)
    reset_out(g, 1001)
    for second in (100, 200):
        g.at(second)
        reset_out(g, 1001)
        reset_out(g, 77)
    is_transitory(g)


# --- 9: port randomization ----------------------------------------------------------------------
SAMPLES, BUCKETS = 10000, 16
# A table of chi-square, 15 degrees of freedom: 55.7 is passed by chance once in 750,000 runs
CHI_SQUARE_LIMIT = 55.7


def substitutes(g):
    """SAMPLES ports given in place of taken ones, which lie evenly over the range."""
    count = SAMPLES * 11 // 10
    wanted = [1024 + n * (64512 - 1024) // count for n in range(count)]
    for port in wanted:
        g.insert("mapping_external", protocol=17, id_type=ID_PORTS, local=E, local_id=port, new_local=B, new_id=port)
    given = list(g.many("inside", LAN0, [quick(A, port, S, 53) for port in wanted]))
    ports = []
    for old, answer in zip(wanted, given):
        if answer.verdict != "forward":  # the table is nearly full by then
            assert "table_full" in answer.counters, answer
            continue
        ports.append(int.from_bytes(answer.frame[34:36], "big"))
        assert ports[-1] % 2 == old % 2, answer
    return ports[:SAMPLES]


def chi_square(ports):
    """Of the ports' places in 1024..64511 against an even spread."""
    counts = [0] * BUCKETS
    for port in ports:
        counts[(port - 1024) * BUCKETS // (64512 - 1024)] += 1
    expected = len(ports) / BUCKETS
    return sum((n - expected) ** 2 / expected for n in counts)


@case
def random_ports(g):
    """9, RFC 6888 REQ-15: substitutes are spread evenly (chi-square) and do not follow each other"""
    g.config(mappings_per_host=60000, sessions_per_host=60000)
    ports = substitutes(g)
    assert len(set(ports)) == SAMPLES
    assert chi_square(ports) < CHI_SQUARE_LIMIT, chi_square(ports)
    following = sum(abs(b - a) <= 8 for a, b in zip(ports, ports[1:]))
    assert following < SAMPLES // 100, following
    rising = sum(b > a for a, b in zip(ports, ports[1:]))
    assert 0.45 < rising / SAMPLES < 0.55, rising


# --- 11: query mappings ------------------------------------------------------------------------------
@case
def query_mapping_ends(g):
    """11: a query's mapping without a live session lets nothing in"""
    g.lan(ping(A, S, 77), sent=ping(E, S, 77))
    g.at(61)
    g.wan(pong(S, E, 77), drop="session_expired")
    assert g.run("outside", WAN, bytes(12) + b"\x08\0" + bytes(pong(T, E, 77))).verdict == "drop"
    assert g.run("inside", LAN0, bytes(12) + b"\x08\0" + bytes(pong(A, N, 77))).verdict == "drop"
