# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 4787 REQ-14: fragments in any order, both ways; RFC 1858, RFC 3128, RFC 5722: the tricks with them.

XDP leaves all of them to TC.
"""
import itertools


from gateway import LAN0, WAN
from packets import A, B, E, IP, IPOption, S, T, Raw, built, quick, tcp, udp
from rows import case

DATA = bytes(range(256)) * 6
SIZES = (0, 512, 1024)  # where the pieces begin


def piece(whole, start, end, more, ident=None):
    """Bytes start to end of a packet's payload, as a fragment."""
    raw = bytes(whole)
    head = IP(raw[:20])
    part = IP(src=head.src, dst=head.dst, proto=head.proto, id=head.id if ident is None else ident, ttl=head.ttl,
              flags="MF" if more else 0, frag=start // 8)
    return part / Raw(raw[20 + start:20 + end])


def pieces(whole):
    """Three of them."""
    end = len(bytes(whole)) - 20
    return [piece(whole, 0, 512, True), piece(whole, 512, 1024, True), piece(whole, 1024, end, False)]


def datagram(source, sport, destination, dport, **ip):
    return built(udp(source, sport, destination, dport, DATA[:1400], **ip))


@case
def in_order(g):
    """Both ways; the outbound IP id is kept where it is free"""
    for part, expected in zip(pieces(datagram(A, 4000, S, 53)), pieces(datagram(E, 4000, S, 53))):
        g.lan(part, sent=expected, leave=True)
    for part, expected in zip(pieces(datagram(S, 53, E, 4000)), pieces(datagram(S, 53, A, 4000))):
        g.wan(part, sent=expected, leave=True)


@case
def first_piece_first(g):
    """The later ones in any order"""
    for number, order in enumerate(itertools.permutations((1, 2))):
        parts = pieces(datagram(A, 4000, S, 53, id=100 + number))
        expected = pieces(datagram(E, 4000, S, 53, id=100 + number))
        for index in (0, *order):
            g.lan(parts[index], sent=expected[index], leave=True)


@case
def later_piece_first(g):
    """A later piece before the first one is held by the daemon, both ways"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    parts = pieces(datagram(A, 4000, S, 53))
    g.lan(parts[1], punt="fragment_early", leave=True)
    g.lan(parts[2], punt="fragment_early", leave=True)
    g.lan(parts[0], sent=pieces(datagram(E, 4000, S, 53))[0], leave=True)
    g.lan(parts[1], sent=pieces(datagram(E, 4000, S, 53))[1], leave=True)
    g.lan(parts[2], sent=pieces(datagram(E, 4000, S, 53))[2], leave=True)
    parts = pieces(datagram(S, 53, E, 4000))
    g.wan(parts[2], punt="fragment_early", leave=True)
    g.wan(parts[0], sent=pieces(datagram(S, 53, A, 4000))[0], leave=True)


@case
def unasked(g):
    """From outside a first piece is filtered like any packet"""
    g.wan(pieces(datagram(S, 53, E, 4000))[0], drop="unsolicited", leave=True)


@case
def equal_ids_of_two_hosts(g):
    """RFC 7857 9: two hosts' datagrams with one IP id towards one remote leave with two"""
    ours, theirs = pieces(datagram(A, 4000, S, 53, id=77)), pieces(datagram(B, 4002, S, 53, id=77))
    first = pieces(datagram(E, 4000, S, 53, id=77))
    g.lan(ours[0], sent=first[0], leave=True)
    answer = g.run("inside", 11, bytes(12) + b"\x08\0" + bytes(theirs[0]), leave=True)
    other = IP(answer.frame[14:]).id
    assert answer.verdict == "forward" and other != 77, answer
    g.lan(ours[1], sent=first[1], leave=True)
    expected = pieces(datagram(E, 4002, S, 53, id=other))
    g.lan(theirs[1], sent=expected[1], leave=True)
    g.lan(theirs[2], sent=expected[2], leave=True)
    g.lan(ours[2], sent=first[2], leave=True)


@case
def overlap(g):
    """RFC 5722, RFC 1858: overlapping pieces poison their datagram"""
    whole, expected = datagram(A, 4000, S, 53), datagram(E, 4000, S, 53)
    g.lan(piece(whole, 0, 512, True), sent=piece(expected, 0, 512, True), leave=True)
    g.lan(piece(whole, 256, 768, True), drop="fragment_overlap", leave=True)
    g.lan(piece(whole, 512, 1024, True), drop="fragment_overlap", leave=True)


@case
def overlap_inbound(g):
    """RFC 5722: from the WAN too, by one byte group at either end, and over the whole"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for number, (start, end) in enumerate(((504, 1024), (0, 520), (256, 264), (8, 1400))):
        whole, expected = (datagram(*ends, id=300 + number) for ends in ((S, 53, E, 4000), (S, 53, A, 4000)))
        g.wan(piece(whole, 0, 512, True), sent=piece(expected, 0, 512, True), leave=True)
        if start:
            g.wan(piece(whole, start, end, True), drop="fragment_overlap", leave=True)
        g.wan(piece(whole, 512, 1024, True), **({"sent": piece(expected, 512, 1024, True)} if end <= 512 or not start
                                               else {"drop": "fragment_overlap"}), leave=True)


@case
def with_options(g):
    """RFC 791 3.1: pieces whose header is longer, in order and out of order, both ways"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    options = [IPOption(b"\x94\x04\0\0")]  # router alert: copied into each piece

    def dressed(whole):
        parts = pieces(whole)
        for part in parts:
            part.options = options
        return parts
    out, expected = dressed(datagram(A, 4000, S, 53)), dressed(datagram(E, 4000, S, 53))
    for index in (0, 2, 1):
        g.lan(out[index], sent=expected[index], leave=True)
    back, expected = dressed(datagram(S, 53, E, 4000)), dressed(datagram(S, 53, A, 4000))
    g.wan(back[1], punt="fragment_early", leave=True)
    for index in (0, 1, 2):
        g.wan(back[index], sent=expected[index], leave=True)


@case
def equal_ids_inbound(g):
    """Datagrams of two remotes, of one remote in two protocols, and ours: one IP id, nothing is mixed up"""
    for remote, host, port in ((S, A, 4000), (T, B, 4002)):
        g.lan(udp(host, port, remote, 53), sent=udp(E, port, remote, 53))
    g.lan(tcp(A, 4000, S, 53), sent=tcp(E, 4000, S, 53))
    g.wan(tcp(S, 53, E, 4000, "SA"), sent=tcp(S, 53, A, 4000, "SA"))
    segments = [built(tcp(*ends, "PA", DATA[:1400], id=77)) for ends in ((S, 53, E, 4000), (S, 53, A, 4000))]
    flows = [(pieces(datagram(S, 53, E, 4000, id=77)), pieces(datagram(S, 53, A, 4000, id=77))),
             (pieces(datagram(T, 53, E, 4002, id=77)), pieces(datagram(T, 53, B, 4002, id=77))),
             tuple(pieces(segment) for segment in segments)]
    for index in (0, 2, 1):
        for got, expected in flows:
            g.wan(got[index], sent=expected[index], leave=True)
    g.lan(pieces(datagram(A, 4000, S, 53, id=77))[0], sent=pieces(datagram(E, 4000, S, 53, id=77))[0], leave=True)


@case
def repeated(g):
    """A piece twice is a copy made on the way: dropped, the others pass"""
    parts, expected = pieces(datagram(A, 4000, S, 53)), pieces(datagram(E, 4000, S, 53))
    g.lan(parts[0], sent=expected[0], leave=True)
    g.lan(parts[1], sent=expected[1], leave=True)
    g.lan(parts[1], drop="fragment_overlap", leave=True)
    g.lan(parts[2], sent=expected[2], leave=True)


@case
def behind_the_last(g):
    """RFC 5722: a piece behind the last one"""
    whole = datagram(A, 4000, S, 53)
    g.lan(piece(whole, 0, 512, True), sent=piece(datagram(E, 4000, S, 53), 0, 512, True), leave=True)
    g.lan(piece(whole, 512, 1000, False), sent=piece(datagram(E, 4000, S, 53), 512, 1000, False), leave=True)
    g.lan(piece(whole, 1000, 1104, True), punt="fragment_early", leave=True)


@case
def tcp_flags(g):
    """RFC 3128: a second piece that would overwrite TCP's flags"""
    whole = built(tcp(A, 5000, S, 80, "S", DATA[:64]))
    for start in (8,):
        g.lan(piece(whole, start, 40, True), drop="fragment_overlap")


@case
def tiny_first(g):
    """RFC 1858: a first piece without the whole transport header"""
    whole = built(tcp(A, 5000, S, 80, "S", DATA[:64]))
    g.lan(piece(whole, 0, 8, True), drop="malformed_transport")
    g.lan(piece(whole, 0, 16, True), drop="malformed_transport")


@case
def malformed(g):
    """RFC 791: pieces that are no multiple of eight, empty ones, ones past 64 KiB"""
    whole = datagram(A, 4000, S, 53)
    g.lan(piece(whole, 0, 500, True), drop="malformed_ip")
    g.lan(piece(whole, 512, 512, True), drop="malformed_ip")
    past = piece(whole, 0, 1024, False)
    past.frag = 8191
    g.lan(past, drop="malformed_ip")


@case
def other_protocols(g):
    """ESP in pieces: IKE's certificates are not the only thing that is too long"""
    from packets import esp
    whole, expected = built(esp(A, S, 7, data=DATA[:1000])), built(esp(E, S, 7, data=DATA[:1000]))
    g.lan(piece(whole, 0, 512, True), sent=piece(expected, 0, 512, True), leave=True)
    g.lan(piece(whole, 512, 1008, False), sent=piece(expected, 512, 1008, False), leave=True)


@case
def stale(g):
    """RFC 1122 3.3.2: a later piece two minutes after its first one belongs to another datagram"""
    parts = pieces(datagram(A, 4000, S, 53))
    g.lan(parts[0], sent=pieces(datagram(E, 4000, S, 53))[0], leave=True)
    g.at(130)
    answer = g.run("inside", 11, bytes(12) + b"\x08\0" + bytes(parts[1]), leave=True)
    assert answer.verdict != "forward", answer


@case
def switched_off(g):
    """A blocked class is blocked in pieces too"""
    whole = datagram(A, 500, S, 500)
    g.switch(off=["ipsec"])
    g.lan(pieces(whole)[0], punt="blocked_ipsec", leave=True)


def numbered(packet, numbers):
    """Frames of one packet with many IP ids, without scapy's help."""
    first = bytearray(bytes(12) + b"\x08\0" + bytes(packet))
    head = int.from_bytes(first[24:26], "big") + int.from_bytes(first[18:20], "big")
    for ident in numbers:
        first[18:20] = ident.to_bytes(2, "big")
        total = head - ident
        first[24:26] = ((total & 0xffff) + (total >> 16) & 0xffff).to_bytes(2, "big")
        yield bytes(first)


@case
def flood_of_first_pieces(g):
    """RFC 4787 REQ-14a: pieces without end of a contacted remote: whole packets, new sessions and others' pieces go on"""
    g.config(set_mask=255)  # 2048 records
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(udp(B, 4002, T, 53), sent=udp(E, 4002, T, 53))
    flood = [a for a in g.many("outside", WAN, list(numbered(pieces(datagram(S, 53, E, 4000))[0], range(1, 5001))), 16)
             if a.verdict == "forward"]
    assert 0 < len(flood) <= 8, len(flood)
    assert len(g.records("fragment")) == len(flood)
    for port in range(5000, 5100):
        g.lan(udp(B, port, S, 53), sent=udp(E, port, S, 53))
        g.wan(udp(S, 53, E, port), sent=udp(S, 53, B, port))
    for part, expected in zip(pieces(datagram(T, 53, E, 4002)), pieces(datagram(T, 53, B, 4002))):
        g.wan(part, sent=expected, leave=True)


@case
def flood_of_an_inside_host(g):
    """RFC 6888 REQ-5: one host's pieces leave room for another's; what ends makes room again"""
    g.config(set_mask=255)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    sent = [a.verdict for a in g.many("inside", LAN0, list(numbered(pieces(datagram(A, 4000, S, 53))[0], range(1, 501))), 16)]
    assert sent.count("forward") == 8 and set(sent[8:]) == {"drop"}, sent[:12]
    for part, expected in zip(pieces(datagram(B, 4002, S, 53)), pieces(datagram(E, 4002, S, 53))):
        g.lan(part, sent=expected, leave=True)
    whole = datagram(A, 4000, S, 53, id=1)  # the first of them becomes whole: another may begin
    for start, end, more in ((512, 1024, True), (1024, 1408, False)):
        assert g.run("inside", LAN0, bytes(12) + b"\x08\0" + bytes(piece(whole, start, end, more))).verdict == "forward"
    g.lan(pieces(datagram(A, 4000, S, 53, id=9999))[0], sent=pieces(datagram(E, 4000, S, 53, id=9999))[0], leave=True)
    g.lan(pieces(datagram(A, 4000, S, 53, id=9998))[0], drop="fragments_full", leave=True)


@case
def whole_ones_leave_room(g):
    """RFC 4787 REQ-14a: datagrams that become whole, more than the table has records, and no daemon that sweeps"""
    g.config(set_mask=255)  # 2048 records
    for host, port in ((A, 4000), (B, 4002)):
        g.lan(udp(host, port, S, 53), sent=udp(E, port, S, 53))
    small = built(udp(A, 4000, S, 53, DATA[:24])), built(udp(S, 53, E, 4002, DATA[:24]))
    for side, device, whole in (("inside", LAN0, small[0]), ("outside", WAN, small[1])):
        halves = [numbered(piece(whole, *part), range(1, 1501)) for part in ((0, 16, True), (16, 32, False))]
        frames = [frame for both in zip(*halves) for frame in both]
        sent = {answer.verdict for answer in g.many(side, device, frames, 16)}
        assert sent == {"forward"}, sent
    assert len(g.records("fragment")) == 0
    for port in range(5000, 5200):
        assert g.quick(quick(B, port, S, 53))[0].verdict == "forward"


@case
def session_gone(g):
    """A session that ended meanwhile, and whose record is another host's now, is not the pieces'"""
    g.lan(udp(B, 4002, S, 53), sent=udp(E, 4002, S, 53))
    parts, expected = pieces(datagram(A, 4000, S, 53)), pieces(datagram(E, 4000, S, 53))
    g.lan(parts[0], sent=expected[0], leave=True)
    (other,) = g.records("orig", local=B)
    (known,) = g.records("fragment")
    g.change(known["record"], session=other["record"])
    g.lan(parts[1], drop="slow_path_stale", leave=True)


@case
def flood_of_many_senders(g):
    """RFC 4787 REQ-14a: pieces of a whole network take a hundredth of the table at most"""
    records, frames = 8192 * 8, []
    for host in range(16, 240):
        frames += numbered(pieces(datagram("10.0.0.%d" % host, 4000, S, 53))[0], range(5 * host, 5 * host + 5))
    sent = [answer.verdict for answer in g.many("inside", LAN0, frames, 16)]
    assert sent.count("forward") <= records // 100, sent.count("forward")
    assert sent.count("forward") > records // 200, sent.count("forward")


@case
def datagrams_of_two_hosts(g):
    """RFC 7857 10: 10,000 datagrams of two hosts with the same IP ids, piece by piece in turn: none is mixed up"""
    count = 5000 if g.backend == "memory" else 500
    frames = []
    small = [[piece(whole, start, start + 16, start < 32) for start in (0, 16, 32)]
             for whole in (built(udp(host, port, S, 53, DATA[:40])) for host, port in ((A, 4000), (B, 4002)))]
    for first, second in zip(*(zip(*(numbered(p, range(1, count + 1)) for p in parts)) for parts in small)):
        frames += [frame for both in zip(first, second) for frame in both]
    ids = {}
    for n, answer in enumerate(g.many("inside", LAN0, frames, 16)):
        assert answer.verdict == "forward", answer
        ids.setdefault((n % 2, n // 6), set()).add(answer.frame[18:20])
    assert all(len(one) == 1 for one in ids.values())
    assert all(ids[0, n] != ids[1, n] for n in range(count))
