# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets cut off at every length, and headers that lie: dropped with a reason, never a crash."""
from gateway import Failed
from packets import (A, E, LAN0, S, WAN, IP, IPOption, built, esp, gre0, gre1, icmp_error, ping, proto, tcp, udp)
from rows import case

STAMPS = [("MSS", 1460), ("Timestamp", (1, 2)), ("NOP", None), ("WScale", 7)]

# what there is of each kind, and the bytes behind the IP header without which it says nothing
KINDS = [("udp", udp(A, 4000, S, 53), 8), ("tcp", tcp(A, 5000, S, 80), 20),
         ("tcp options", tcp(A, 5000, S, 80, options=STAMPS), 40), ("icmp query", ping(A, S, 7), 8),
         ("icmp error", icmp_error(A, S, udp(S, 53, A, 4000)), 36), ("esp", esp(A, S, 7), 8), ("gre 0", gre0(A, S), 4),
         ("gre 0 key", gre0(A, S, 9), 8), ("gre 1", gre1(A, S, 7), 8), ("ipip", proto(A, S, 4), 0),
         ("udp behind options", udp(A, 4000, S, 53, options=[IPOption(b"\x94\x04\x00\x00")]), 8)]
HEAD = bytes(12) + b"\x08\0"


def turned(packet):
    """The same from the WAN."""
    other = built(packet)
    other.src, other.dst = S, E
    del other.chksum
    return other


def sides(packet):
    return (("inside", LAN0, packet), ("outside", WAN, turned(packet)))


def dropped(answer, what):
    if answer.verdict != "drop" or len(answer.counters) != 1:
        raise Failed("%s: %s" % (what, answer))


@case
def cut_off(g):
    """Every length of a frame that ends before its packet does"""
    shortest = {"memory": 0, "xdp": 1, "tc": 20}[g.backend]  # the kernel makes no shorter test frames
    for name, packet, _ in KINDS:
        for side, device, whole in sides(packet):
            for length in range(shortest, len(whole)):
                answer = g.run(side, device, HEAD + bytes(whole)[:length])
                dropped(answer, "%s %s %d" % (name, side, length))


def shortened(packet, length):
    """The IP header says `length`, the frame is as long as before."""
    raw = bytearray(bytes(packet))
    raw[2:4] = length.to_bytes(2, "big")
    raw[10:12] = b"\0\0"
    header = (raw[0] & 15) * 4
    raw[10:12] = IP(bytes(IP(bytes(raw[:header]), chksum=None))).chksum.to_bytes(2, "big")
    return bytes(raw)


def checksummed(raw):
    """IP header checksum of hand-made bytes."""
    raw = bytearray(raw)
    raw[10:12] = b"\0\0"
    total = sum(int.from_bytes(raw[i:i + 2], "big") for i in range(0, (raw[0] & 15) * 4, 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    raw[10:12] = (total ^ 0xffff).to_bytes(2, "big")
    return bytes(raw)


@case
def short_packet_in_padded_frame(g):
    """The transport header must end before the packet does; Ethernet padding is no header"""
    wrong = []
    for name, packet, least in KINDS:
        for side, device, whole in sides(packet):
            header = built(whole).ihl * 4
            for length in range(header + least):
                raw = bytearray(bytes(whole))
                raw[2:4] = length.to_bytes(2, "big")
                answer = g.run(side, device, HEAD + checksummed(raw))
                if answer.verdict != "drop":
                    wrong.append("%s %s %d: %s" % (name, side, length, answer.verdict))
    if wrong:
        raise Failed("%d lengths passed:\n%s" % (len(wrong), "\n".join(wrong[:8])))


@case
def padding_is_harmless(g):
    """A whole packet in a padded frame passes, and the padding with it"""
    for packet, expected in ((udp(A, 4000, S, 53, b"x"), udp(E, 4000, S, 53, b"x")),
                             (tcp(A, 5000, S, 80), tcp(E, 5000, S, 80)), (ping(A, S, 7), ping(E, S, 7))):
        answer = g.run("inside", LAN0, HEAD + bytes(packet) + bytes(20))
        expected.ttl = 63
        assert answer.verdict == "forward" and answer.frame[14:] == bytes(expected) + bytes(20), answer


@case
def ip_header(g):
    """RFC 791: other versions, header lengths below 20, total lengths below the header"""
    raw = bytes(udp(A, 4000, S, 53))
    for first in (0x05, 0x35, 0x55, 0x65, 0xf5, 0x40, 0x41, 0x44):
        g.lan(bytes([first]) + raw[1:], drop="malformed_ip")
    for length in (0, 1, 19):
        changed = bytearray(raw)
        changed[2:4] = length.to_bytes(2, "big")
        g.lan(checksummed(changed), drop="malformed_ip")
    g.lan(checksummed(b"\x4f" + raw[1:]), drop="malformed_ip")


@case
def checksum_with_options(g):
    """RFC 1812 5.2.2: a wrong header checksum, where there are options too"""
    for options in (b"\x01\x01\x01\x01", b"\x44\x08\x05\x00\x00\x00\x00\x00", bytes([1] * 40)):
        packet = bytes(udp(A, 4000, S, 53, options=[IPOption(options)]))
        assert g.run("inside", LAN0, HEAD + packet).verdict == "forward", options
        for at in (1, 10, 20, 20 + len(options) - 1):
            g.lan(packet[:at] + bytes([packet[at] ^ 0x20]) + packet[at + 1:], drop="malformed_ip")


@case
def tcp_offset(g):
    """RFC 9293 3.1: a data offset below 5, or past the end"""
    raw = bytes(tcp(A, 5000, S, 80))
    for offset in (0, 1, 4, 6, 15):
        g.lan(raw[:32] + bytes([offset << 4]) + raw[33:], drop="malformed_transport")


@case
def udp_length(g):
    """RFC 768: a length below 8 or past the packet's end"""
    wrong = []
    for length in (0, 1, 7, 16, 65535):
        raw = bytearray(bytes(udp(A, 4000, S, 53, b"payload", chksum=0)))
        raw[24:26] = length.to_bytes(2, "big")
        answer = g.run("inside", LAN0, HEAD + bytes(raw))
        if answer.verdict != "drop":
            wrong.append(length)
    assert not wrong, "UDP lengths %s of 15 passed" % wrong


@case
def empty_frame(g):
    """A frame of nothing but its Ethernet header"""
    if g.backend == "memory":
        dropped(g.run("inside", LAN0, HEAD), "nothing")
