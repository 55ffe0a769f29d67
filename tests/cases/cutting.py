# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets without DF that are too big for their next hop (RFC 791 2.3, 3.2; RFC 4787 REQ-13, REQ-14).

The core translates them once, as any packet; tc_cut makes the pieces, which only the kernel's programs can show.
"""
import struct

from gateway import PUNT_CUT, PUNT_REST
from packets import (A, B, E, IP, LAN0, ROUTER, S, TAP, WAN, Ether, IPOption, Raw, base, built, device_mac, neighbour_mac,
                     udp)
from rows import case

DATA = bytes(range(256)) * 32


def whole_of(source, sport, destination, dport, size, **ip):
    return built(udp(source, sport, destination, dport, DATA[:size], **ip))


def part(whole, start, end, more):
    """Bytes start to end of a packet's payload, as a piece of it."""
    raw, head = bytes(whole), IP(bytes(whole)[:20])
    return base(head.src, head.dst, {"proto": head.proto, "id": head.id, "ttl": head.ttl, "flags": "MF" if more else 0,
                                     "frag": start // 8}) / Raw(raw[20 + start:20 + end])


def cut(g, frame):
    """A frame that the core has sent to the cutter: its pieces, each as it goes on."""
    action, _, _, _, hop, _ = struct.unpack("=BBBBII", frame[:12])
    assert action == PUNT_CUT, frame[:12].hex()
    found, gone, record = [], 0, frame[:12]
    length = int.from_bytes(frame[16:18], "big")
    while True:
        answer = g.frame("tc_cut", TAP, record + frame[12:])
        assert answer.verdict == "forward", (answer.verdict, answer.counters)
        piece = IP(answer.frame[14:])
        found.append((answer.frame[:14], answer.frame[14:]))
        gone += piece.len - 4 * piece.ihl
        if gone >= length - 4 * piece.ihl:
            return found
        # the copy that comes round again has all the bytes, and the id
        frame = frame[:14] + rechecked(frame[14:18] + answer.frame[18:20] + frame[20:])
        record = struct.pack("=BBBBII", PUNT_REST, 0, 0, 0, hop, gone)


def rechecked(raw):
    """With a right header checksum."""
    packet = bytearray(raw)
    header = (packet[0] & 15) * 4
    packet[10:12] = b"\0\0"
    total = sum(struct.unpack(">%dH" % (header // 2), packet[:header]))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    packet[10:12] = (~total & 0xffff).to_bytes(2, "big")
    return bytes(packet)


def is_right(raw):
    return rechecked(raw) == raw


def sent_to_cutter(g, side, device, packet):
    answer = g.run(side, device, bytes(12) + b"\x08\0" + bytes(packet), leave=None)
    assert answer.verdict == "cut", (answer.verdict, answer.counters)
    return answer.frame


def joined(pieces, mtu, whole):
    """Checks that pieces follow each other and make the translated packet again."""
    data, ids = b"", set()
    for number, raw in enumerate(pieces):
        piece, last = IP(raw), number == len(pieces) - 1
        assert is_right(raw) and piece.len == len(raw) <= mtu, piece
        assert piece.frag * 8 == len(data) and bool(piece.flags.MF) != last, piece
        assert last or piece.len + 8 > mtu, piece
        data += raw[4 * piece.ihl:]
        ids.add(piece.id)
    assert data == bytes(whole)[20:] and len(ids) == 1, (len(data), ids)
    return ids.pop()


@case
def first_piece_too_big(g):
    """A first piece that is too big for the WAN is translated once, in full; its later pieces pass, also twice as late"""
    g.mtu(WAN, 1492)
    whole, expected = whole_of(A, 4000, S, 4500, 2000), whole_of(E, 4000, S, 4500, 2000)
    g.lan(part(whole, 0, 1480, True), cut=part(expected, 0, 1480, True))
    g.lan(part(whole, 0, 1480, True), drop="fragment_overlap", leave=True)
    g.lan(part(whole, 1480, 2008, False), sent=part(expected, 1480, 2008, False), leave=True)
    assert not g.records("fragment")


@case
def later_piece_too_big(g):
    """... and a later piece that is too big, inbound too"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.mtu(LAN0, 1400)
    whole, expected = whole_of(S, 53, E, 4000, 2400), whole_of(S, 53, A, 4000, 2400)
    g.config(route_generation=2)
    g.wan(part(whole, 0, 800, True), sent=part(expected, 0, 800, True), leave=True)
    g.wan(part(whole, 800, 2200, True), cut=part(expected, 800, 2200, True))
    g.wan(part(whole, 2200, 2408, False), sent=part(expected, 2200, 2408, False), leave=True)


@case
def not_noted_before_the_verdict(g):
    """What is not sent on leaves no trace: a piece whose time to live ran out, or with DF too big, comes again and passes"""
    g.mtu(WAN, 1400)
    whole, expected = whole_of(A, 4000, S, 53, 1392), whole_of(E, 4000, S, 53, 1392)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    first = part(whole, 0, 1392, True)
    refused = first.copy()
    refused.flags = "MF+DF"
    g.lan(refused, stack="too_big_outbound", leave=None)
    refused = first.copy()
    refused.ttl = 1
    g.lan(refused, stack="ttl_exceeded_outbound", leave=None)
    assert not g.records("fragment")
    g.lan(first, cut=part(expected, 0, 1392, True))
    g.lan(part(whole, 1392, 1400, False), sent=part(expected, 1392, 1400, False), leave=True)


@case(only=("tc", "xdp"))
def pieces(g):
    """Every size around the limits: the pieces fit, follow each other and make the same packet"""
    g.mtu(WAN, 1492)
    for size in (1465, 1472, 1473, 1480, 2936, 2937, 2945, 3300):
        frame = sent_to_cutter(g, "inside", LAN0, whole_of(A, 4000, S, 53, size))
        found = cut(g, frame)
        head = bytes(Ether(dst=neighbour_mac(ROUTER), src=device_mac(WAN), type=0x800))
        assert all(mac == head for mac, _ in found), found
        joined([raw for _, raw in found], 1492, whole_of(E, 4000, S, 53, size))


@case(only=("tc", "xdp"))
def pieces_of_a_piece(g):
    """RFC 791 2.3: a piece of a piece goes on where that began and keeps its "more"; the sender's id stays"""
    g.mtu(WAN, 800)
    whole = whole_of(A, 4000, S, 53, 3000, id=4711)
    for start, end, more in ((0, 1480, True), (1480, 2960, True), (2960, 3008, False)):
        answer = g.run("inside", LAN0, bytes(12) + b"\x08\0" + bytes(part(whole, start, end, more)))
        parts = cut(g, answer.frame) if answer.verdict == "cut" else [(b"", answer.frame[14:])]
        for number, (_, raw) in enumerate(parts):
            piece = IP(raw)
            assert is_right(raw) and piece.id == 4711 and piece.len <= 800, piece
            assert bool(piece.flags.MF) == (more or number < len(parts) - 1), piece
            assert piece.frag * 8 == start and bytes(raw[20:]) == bytes(whole_of(E, 4000, S, 53, 3000))[20 + start:][:len(raw) - 20]
            start += len(raw) - 20
        assert start == end


@case(only=("tc", "xdp"))
def ids(g):
    """RFC 6864 4.3: two hosts with one IP id towards one remote: 2,000 packets, no id twice; inbound the sender's stays"""
    g.mtu(WAN, 1400)
    frames = [sent_to_cutter(g, "inside", LAN0, whole_of(host, 4000, S, 53, 1400, id=77)) for host in (A, B)]
    seen = {g.frame("tc_cut", TAP, frame).frame[18:20] for _ in range(1000) for frame in frames}
    assert len(seen) == 2000, len(seen)
    g.mtu(LAN0, 1300)
    g.config(route_generation=2)
    port = g.records("orig", local=A)[0]["new_id"]
    frame = sent_to_cutter(g, "outside", WAN, whole_of(S, 53, E, port, 1340, id=99))
    assert joined([raw for _, raw in cut(g, frame)], 1300, whole_of(S, 53, A, 4000, 1340)) == 99


@case(only=("tc", "xdp"))
def options(g):
    """RFC 791 3.1: options with the copied flag go into each piece, the others only into the first"""
    g.mtu(WAN, 1400)
    for copied, first_only in ((b"\x94\x04\0\0", b"\x07\x07\x04\0\0\0\0"), (b"\x94\x04\x12\x34", b"")):
        raw = copied + first_only
        raw += bytes(-len(raw) % 4)
        packet = whole_of(A, 4000, S, 53, 3000)
        packet = built(IP(bytes(packet)).copy())
        packet.options, packet.ihl, packet.len, packet.chksum = [IPOption(raw)], None, None, None
        found = [piece for _, piece in cut(g, sent_to_cutter(g, "inside", LAN0, packet))]
        assert len(found) == 3
        for number, piece in enumerate(found):
            assert is_right(piece), piece.hex()
            header = (piece[0] & 15) * 4
            wanted = raw if not number else copied + b"\x01" * len(first_only) + bytes(-len(copied + first_only) % 4)
            assert piece[20:header] == wanted, (piece[20:header].hex(), wanted.hex())
        data = b"".join(piece[(piece[0] & 15) * 4:] for piece in found)
        assert data == bytes(whole_of(E, 4000, S, 53, 3000))[20:]


@case(only=("tc", "xdp"))
def nonsense(g):
    """What no frame of ours would say: other actions, next hops that are none, a next hop whose MTU is nothing"""
    whole = bytes(whole_of(E, 4000, S, 53, 3000))
    for action, hop, gone in ((0, 1, 0), (255, 1, 0), (PUNT_CUT, 0, 0), (PUNT_CUT, 4096, 0), (PUNT_REST, 0, 8),
                              (PUNT_REST, 1, 0xffffffff), (PUNT_REST, 1, 65536)):
        answer = g.frame("tc_cut", TAP, struct.pack("=BBBBII", action, 0, 0, 0, hop, gone) + b"\x08\0" + whole)
        assert answer.verdict == "drop", (action, hop, gone, answer.verdict)
    for short in (b"", b"\x45", bytes(19), b"\x65" + bytes(30)):
        answer = g.frame("tc_cut", TAP, struct.pack("=BBBBII", PUNT_CUT, 0, 0, 0, 1, 0) + b"\x08\0" + short + bytes(20 - min(20, len(short))))
        assert answer.verdict == "drop", short
