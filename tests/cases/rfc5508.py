# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 5508: ICMP through a NAT: queries, and errors in both directions."""
from packets import A, B, E, N, ROUTER, S, T, Raw, built, esp, for_device, icmp_error, ping, pong, proto, tcp, udp
from rows import case

R = "203.0.113.99"  # a router on the way, that no inside host has ever contacted
DATA = b"0123456789abcdef0123"


@case
def query(g):
    """REQ-1: request out, reply in, the identifier preserved where it is free"""
    g.lan(ping(A, S, 77), sent=ping(E, S, 77))
    g.wan(pong(S, E, 77), sent=pong(S, A, 77))


@case
def query_ids(g):
    """REQ-1: equal identifiers of two hosts are told apart, endpoint-independently"""
    g.lan(ping(A, S, 77), sent=ping(E, S, 77))
    port = g.lan(ping(B, S, 77), sent=lambda p: ping(E, S, p)).port
    assert port != 77
    g.lan(ping(B, T, 77), sent=ping(E, T, port))
    g.wan(pong(S, E, port), sent=pong(S, B, 77))
    g.wan(pong(S, E, 77), sent=pong(S, A, 77))
    g.wan(pong(T, E, port), sent=pong(T, B, 77))


@case
def query_zero(g):
    """REQ-1: identifier 0 and 65535 are identifiers"""
    for ident in (0, 65535, 64512):
        g.lan(ping(A, S, ident), sent=ping(E, S, ident))
        g.wan(pong(S, E, ident), sent=pong(S, A, ident))


@case
def query_timestamp(g):
    """REQ-1: timestamp queries"""
    g.lan(ping(A, S, 5, "timestamp-request"), sent=ping(E, S, 5, "timestamp-request"))
    g.wan(ping(S, E, 5, "timestamp-reply"), sent=ping(S, A, 5, "timestamp-reply"))


@case
def query_lengths(g):
    """Payloads of odd and even length"""
    for length in range(24):
        g.lan(ping(A, S, 77, data=bytes(length)), sent=ping(E, S, 77, data=bytes(length)))


@case
def query_timer(g):
    """REQ-2: 60 seconds"""
    g.lan(ping(A, S, 77), sent=ping(E, S, 77))
    g.at(59)
    g.wan(pong(S, E, 77), sent=pong(S, A, 77))
    g.at(59 + 61)
    g.wan(pong(S, E, 77), drop="session_expired")


@case
def query_filter(g):
    """4.1: only the queried host may answer, and nobody may begin"""
    g.lan(ping(A, S, 77), sent=ping(E, S, 77))
    g.wan(pong(T, E, 77), drop="filtered")
    g.wan(ping(S, E, 78), drop="unsolicited")
    g.wan(pong(S, E, 78), drop="unsolicited")


# --- errors about what an inside host has sent -----------------------------------------
@case
def error_udp(g):
    """REQ-4: from the host itself; the quoted packet is as its sender knows it"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(icmp_error(S, E, udp(E, 4000, S, 53, ttl=60), 3, 3), sent=icmp_error(S, A, udp(A, 4000, S, 53, ttl=60), 3, 3))


@case
def error_from_router(g):
    """REQ-4: from a router on the way, whose address stays"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for kind, code in ((3, 0), (3, 1), (3, 4), (3, 13), (11, 0), (11, 1), (12, 0)):
        g.wan(icmp_error(R, E, udp(E, 4000, S, 53), kind, code), sent=icmp_error(R, A, udp(A, 4000, S, 53), kind, code))


@case
def error_translated_port(g):
    """REQ-4: with another port outside than inside"""
    g.lan(udp(B, 4000, S, 53), sent=udp(E, 4000, S, 53))
    port = g.lan(udp(A, 4000, S, 53), sent=lambda p: udp(E, p, S, 53)).port
    g.wan(icmp_error(R, E, udp(E, port, S, 53)), sent=icmp_error(R, A, udp(A, 4000, S, 53)))


@case
def error_lengths(g):
    """REQ-4: quotes of every length from 8 bytes behind the header on"""
    whole = udp(E, 4000, S, 53, DATA)
    g.lan(udp(A, 4000, S, 53, DATA), sent=whole)
    for size in range(28, len(whole) + 1):
        g.wan(icmp_error(R, E, whole, size=size), sent=icmp_error(R, A, udp(A, 4000, S, 53, DATA), size=size))


@case
def error_udp_without_checksum(g):
    """REQ-4: a quoted checksum of zero stays zero"""
    g.lan(udp(A, 4000, S, 53, chksum=0), sent=udp(E, 4000, S, 53, chksum=0))
    g.wan(icmp_error(R, E, udp(E, 4000, S, 53, chksum=0)), sent=icmp_error(R, A, udp(A, 4000, S, 53, chksum=0)))


@case
def error_udp_checksum_restored(g):
    """REQ-4: every quoted checksum comes back as it was sent, also 0xffff"""
    for word in range(0, 65536, 4099):
        restored(g, word.to_bytes(2, "big"))
    restored(g, built(udp(A, 4000, S, 53, b"\0\0"))["UDP"].chksum.to_bytes(2, "big"))


def restored(g, data):
    g.lan(udp(A, 4000, S, 53, data), sent=udp(E, 4000, S, 53, data))
    g.wan(icmp_error(R, E, udp(E, 4000, S, 53, data)), sent=icmp_error(R, A, udp(A, 4000, S, 53, data)))


@case
def error_tcp(g):
    """REQ-4: TCP, whole segments and the least that is quoted; half a checksum cannot be restored"""
    port = 5000
    g.lan(tcp(A, port, S, 80), sent=tcp(E, port, S, 80))
    for size in (28, 29, 36, 38, 39, 40):
        g.wan(icmp_error(R, E, tcp(E, port, S, 80), 11, 0, size), sent=icmp_error(R, A, tcp(A, port, S, 80), 11, 0, size))


@case
def error_query(g):
    """REQ-4: about a query, with another identifier outside"""
    g.lan(ping(B, S, 77), sent=ping(E, S, 77))
    ident = g.lan(ping(A, S, 77), sent=lambda p: ping(E, S, p)).port
    g.wan(icmp_error(R, E, ping(E, S, ident), 11, 0), sent=icmp_error(R, A, ping(A, S, 77), 11, 0))


@case
def error_esp(g):
    """REQ-4: about ESP: its client hears that the tunnel's packets are too big"""
    g.lan(esp(A, S, 0x1111), sent=esp(E, S, 0x1111))
    g.wan(icmp_error(R, E, esp(E, S, 0x1111), 3, 4), sent=icmp_error(R, A, esp(A, S, 0x1111), 3, 4))


@case
def error_other_protocol(g):
    """REQ-4: about a protocol without ports"""
    g.lan(proto(A, S, 115), sent=proto(E, S, 115))
    g.wan(icmp_error(R, E, proto(E, S, 115)), sent=icmp_error(R, A, proto(A, S, 115)))


@case
def error_quoted_options(g):
    """REQ-3: options of the quoted packet are skipped"""
    from packets import IPOption
    options = [IPOption(b"\x94\x04\x00\x00")]
    g.lan(udp(A, 4000, S, 53, options=options), sent=udp(E, 4000, S, 53, options=options))
    g.wan(icmp_error(R, E, udp(E, 4000, S, 53, options=options)),
          sent=icmp_error(R, A, udp(A, 4000, S, 53, options=options)))


# --- errors that inside hosts send ---------------------------------------------------------
@case
def error_outbound(g):
    """REQ-5: port unreachable about an answer: quoted as it came from outside, source is ours"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))
    g.lan(icmp_error(A, S, udp(S, 53, A, 4000, ttl=60), 3, 3), sent=icmp_error(E, S, udp(S, 53, E, 4000, ttl=60), 3, 3))


@case
def error_outbound_translated_port(g):
    """REQ-5: with another port outside than inside; TCP too"""
    g.forward(6, 80, A, 8080)
    g.wan(tcp(S, 7000, E, 80), sent=tcp(S, 7000, A, 8080))
    g.lan(icmp_error(A, S, tcp(S, 7000, A, 8080), 3, 3), sent=icmp_error(E, S, tcp(S, 7000, E, 80), 3, 3))


@case
def error_outbound_query(g):
    """REQ-5: about the answer to a query"""
    g.lan(ping(B, S, 77), sent=ping(E, S, 77))
    ident = g.lan(ping(A, S, 77), sent=lambda p: ping(E, S, p)).port
    g.wan(pong(S, E, ident), sent=pong(S, A, 77))
    g.lan(icmp_error(A, S, pong(S, A, 77), 3, 2), sent=icmp_error(E, S, pong(S, E, ident), 3, 2))


@case
def error_outbound_without_session(g):
    """REQ-5: about nothing that came in: dropped"""
    g.lan(icmp_error(A, S, udp(S, 53, A, 4000), 3, 3), drop="icmp_no_session")


# --- errors that are none ----------------------------------------------------------------------
@case
def error_no_session(g):
    """REQ-4: about nothing that was sent: dropped silently"""
    g.wan(icmp_error(S, E, udp(E, 4000, S, 53)), drop="icmp_no_session")
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(icmp_error(S, E, udp(E, 4000, T, 53)), drop="icmp_no_session")
    g.wan(icmp_error(S, E, udp(E, 4001, S, 53)), drop="icmp_no_session")
    g.wan(icmp_error(S, E, tcp(E, 4000, S, 53)), drop="icmp_no_session")


@case
def error_bad_inner_checksum(g):
    """REQ-3: the quoted header's checksum counts, the quoted transport's does not"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(icmp_error(S, E, udp(E, 4000, S, 53, chksum=None, ttl=9) / Raw(b"")), sent=icmp_error(S, A, udp(A, 4000, S, 53, ttl=9)))
    bad = bytearray(bytes(udp(E, 4000, S, 53)))
    bad[10] ^= 0x55
    g.wan(icmp_error(S, E, bytes(bad)), drop="icmp_malformed")


@case
def error_short_quote(g):
    """REQ-3: a quote of less than a header and eight bytes"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for size in range(28):
        g.wan(icmp_error(S, E, udp(E, 4000, S, 53), size=size), drop="icmp_malformed")


@case
def error_short_quote_padded(g):
    """REQ-3: the quote ends with the IP packet, not with the frame's padding"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    whole = bytes(udp(E, 4000, S, 53))
    for size in (20, 24, 27):
        message = bytes(icmp_error(S, E, whole, size=size))
        answer = g.run("outside", 13, bytes(12) + b"\x08\0" + message + whole[size:])
        assert answer.verdict == "drop" and "icmp_malformed" in answer.counters, answer


@case
def error_about_error(g):
    """RFC 1122 3.2.2: no error is about an error"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    inner = icmp_error(E, S, udp(S, 53, E, 4000))
    g.wan(icmp_error(S, E, inner), drop="icmp_malformed")


@case
def error_keeps_session(g):
    """REQ-6: an error neither ends nor refreshes"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.at(200)
    g.wan(icmp_error(S, E, udp(E, 4000, S, 53), 3, 3), sent=icmp_error(S, A, udp(A, 4000, S, 53), 3, 3))
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))
    g.at(490)
    g.wan(icmp_error(S, E, udp(E, 4000, S, 53), 3, 3), sent=icmp_error(S, A, udp(A, 4000, S, 53), 3, 3))
    g.at(510)
    g.wan(udp(S, 53, E, 4000), drop="session_expired")


@case
def error_spoofed(g):
    """RFC 2827: an error that claims to come from the inside does not come from the WAN"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(icmp_error(B, E, udp(E, 4000, S, 53)), drop="spoofed_source")


@case
def error_martian(g):
    """RFC 6890: nor from an address that can send nothing"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for source in ("0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", E):
        g.wan(icmp_error(source, E, udp(E, 4000, S, 53)), drop="martian_source")


@case
def error_for_somebody_else(g):
    """REQ-4: an error goes to who sent the quoted packet"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    answer = g.run("outside", 13, bytes(12) + b"\x08\0" + bytes(icmp_error(S, N, udp(E, 4000, S, 53))))
    assert answer.verdict == "drop", answer


@case
def not_forwarded(g):
    """REQ-11: redirects, source quench, router messages, whatever they quote"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for kind in (4, 5, 9, 10, 15, 16, 17, 18, 30, 40, 255):
        g.wan(icmp_error(ROUTER, E, udp(E, 4000, S, 53), kind), drop="icmp_type")
        g.lan(icmp_error(A, S, udp(S, 53, A, 4000), kind), drop="icmp_type")


@case
def ttl_of_errors(g):
    """Errors count routers too, and are not answered by errors"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(icmp_error(S, E, udp(E, 4000, S, 53), ttl=2), sent=icmp_error(S, A, udp(A, 4000, S, 53)), ttl=1)
    answer = g.run("outside", 13, bytes(12) + b"\x08\0" + bytes(icmp_error(S, E, udp(E, 4000, S, 53), ttl=1)))
    assert answer.verdict == "drop", answer


@case
def ttl_outbound(g):
    """REQ-10: TTL 1 and 0 on the way out: the kernel tells, nothing is remembered"""
    for ttl in (0, 1):
        g.lan(udp(A, 4000, S, 53, ttl=ttl), stack="ttl_exceeded_outbound")
    assert not g.records("orig")
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for ttl in (0, 1):
        g.lan(udp(A, 4000, S, 53, ttl=ttl), stack="ttl_exceeded_outbound")


@case
def ttl_inbound(g):
    """REQ-10: on the way in: the daemon tells"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for ttl in (0, 1):
        g.wan(udp(S, 53, E, 4000, ttl=ttl), punt="ttl_exceeded_inbound")


@case
def request_through_query_session(g):
    """4.1: an open query lets answers in, not new requests of the remote"""
    g.lan(ping(A, S, 77), sent=ping(E, S, 77))
    answer = g.run("outside", 13, bytes(12) + b"\x08\0" + bytes(ping(S, E, 77)))
    assert answer.verdict == "drop", answer


# --- extensions, checksums, refusals ---------------------------------------------------------
def frame(packet):
    return bytes(12) + b"\x08\0" + bytes(packet)


@case
def error_with_extension(g):
    """REQ-3d: RFC 4884: padding and extension behind the quote are carried, not taken for the quoted packet"""
    g.lan(udp(A, 4000, S, 53, DATA), sent=udp(E, 4000, S, 53, DATA))
    extension = bytes.fromhex("2000dfff") + bytes.fromhex("000801010001d140")
    inside, outside = (bytes(udp(host, 4000, S, 53, DATA)).ljust(128, b"\0") + extension for host in (A, E))
    g.wan(icmp_error(R, E, outside, 11, 0), sent=icmp_error(R, A, inside, 11, 0))


@case
def error_bad_icmp_checksum(g):
    """REQ-3: a wrong ICMP checksum: dropped, wherever the broken bit is and however long the message"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for length in (0, 1, 28, 29, 63, 500, 1400):
        whole = frame(icmp_error(R, E, udp(E, 4000, S, 53, bytes(length))))
        assert g.run("outside", 13, whole).verdict == "forward", length
        for at in (36, 37, len(whole) - 1, len(whole) // 2):
            bad = bytearray(whole)
            bad[at] ^= 0x10
            answer = g.run("outside", 13, bytes(bad))
            assert answer.verdict == "drop" and answer.frame == for_device(bad, 13), (length, at, answer)


@case
def error_quoted_transport_checksum(g):
    """REQ-3c: a quoted transport checksum that is wrong does not stop the error, and stays as wrong as it was"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    ours, theirs = bytearray(bytes(udp(A, 4000, S, 53))), bytearray(bytes(udp(E, 4000, S, 53)))
    ours[26:28] = ((int.from_bytes(ours[26:28], "big") + 0x101) % 0xffff).to_bytes(2, "big")
    theirs[26:28] = ((int.from_bytes(theirs[26:28], "big") + 0x101) % 0xffff).to_bytes(2, "big")
    g.wan(icmp_error(R, E, bytes(theirs)), sent=icmp_error(R, A, bytes(ours)))


@case
def query_timer_setting(g):
    """REQ-2a: the timer is a setting"""
    g.config(timeout_icmp=200 * 1000)
    g.lan(ping(A, S, 77), sent=ping(E, S, 77))
    g.at(199)
    g.wan(pong(S, E, 77), sent=pong(S, A, 77))
    g.at(199 + 201)
    g.wan(pong(S, E, 77), drop="session_expired")


@case
def error_keeps_query(g):
    """REQ-6: an error about a query neither ends nor refreshes its session"""
    g.lan(ping(A, S, 77), sent=ping(E, S, 77))
    g.at(50)
    g.wan(icmp_error(R, E, ping(E, S, 77), 11, 0), sent=icmp_error(R, A, ping(A, S, 77), 11, 0))
    g.wan(pong(S, E, 77), sent=pong(S, A, 77))
    g.at(100)
    g.wan(icmp_error(R, E, ping(E, S, 77), 11, 0), sent=icmp_error(R, A, ping(A, S, 77), 11, 0))
    g.at(111)
    g.wan(pong(S, E, 77), drop="session_expired")


@case
def refused_by_policy(g):
    """REQ-8: what a switch blocks goes to the daemon, which tells the sender (type 3, code 13)"""
    g.switch(off=["ipsec", "l2tp", "pptp"])
    g.lan(udp(A, 500, S, 500), punt="blocked_ipsec")
    g.lan(udp(A, 1701, S, 1701), punt="blocked_l2tp")
    g.lan(tcp(A, 5000, S, 1723), punt="blocked_pptp")


@case
def fields_kept(g):
    """REQ-4b, REQ-5b: type, code, the MTU of RFC 1191 and the pointer stay"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for kind, code, rest in ((3, 4, b"\0\0\x05\x78"), (12, 0, b"\x14\0\0\0"), (11, 1, bytes(4))):
        outside = icmp_error(R, E, udp(E, 4000, S, 53), kind, code)
        inside = icmp_error(R, A, udp(A, 4000, S, 53), kind, code)
        for packet in (outside, inside):
            packet["ICMP"].fields.update(id=int.from_bytes(rest[:2], "big"), seq=int.from_bytes(rest[2:], "big"))
            raw = bytearray(bytes(packet))
            raw[24:28] = rest
            raw[22:24] = b"\0\0"
            packet.remove_payload()
            packet.add_payload(checked(bytes(raw[20:])))
            packet.proto = 1
        g.wan(outside, sent=inside)


def checked(message):
    """An ICMP message with its checksum."""
    total = sum(int.from_bytes(message[i:i + 2].ljust(2, b"\0"), "big") for i in range(0, len(message), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return Raw(message[:2] + (~total & 0xffff).to_bytes(2, "big") + message[4:])
