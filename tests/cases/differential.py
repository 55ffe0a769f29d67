# SPDX-License-Identifier: GPL-2.0-or-later
"""The same random frames through user space and through the kernel: verdict, reason and bytes must agree.

Source ports differ between hosts, so that the only thing that is drawn by lot,
a substitute port, never comes up.

Wild frames are any bytes behind a packet's addresses: lengths that lie, headers over headers, pieces of pieces.
They are one host's, whose port nobody else has; those with a port that no host may keep are left out.
"""
import random

from scapy.utils import checksum

from gateway import ADDRESS_AND_PORT_DEPENDENT, Failed, Gateway
from packets import (A, B, C, D, E, GATEWAY_LAN, LAN0, LAN1, N, S, T, WAN, esp, gre0, gre1, icmp_error, ping, pong, proto, tcp,
                     udp)

HEAD = bytes(12) + b"\x08\0"
HOSTS = {A: LAN0, B: LAN0, C: LAN0, D: LAN1}
REMOTES = [S, T, N, S, T, N, E, GATEWAY_LAN, "127.0.0.1", "224.0.0.1"]
FLAGS = ["S", "A", "SA", "FA", "R", "PA"]


def transport(dice, source, destination, ours, outbound):
    """A packet of any protocol; `ours` is the port of our side."""
    theirs = dice.choice([53, 500, 1701, 1723, 4500, 80])
    sport, dport = (ours, theirs) if outbound else (theirs, ours)
    data = bytes(dice.randrange(256) for _ in range(dice.randrange(40)))
    ip = {"ttl": dice.choice([64, 64, 64, 2, 1, 0])}
    made = [lambda: udp(source, sport, destination, dport, data, **ip),
            lambda: tcp(source, sport, destination, dport, dice.choice(FLAGS), data, **ip),
            lambda: (ping if outbound else pong)(source, destination, ours, data=data, **ip),
            lambda: esp(source, destination, dice.randrange(3), data=data, **ip),
            lambda: gre0(source, destination, dice.choice([None, 7]), data, **ip),
            lambda: gre1(source, destination, dice.randrange(3), data=data, **ip),
            lambda: proto(source, destination, dice.choice([4, 51, 115, 200]), data, **ip)]
    return dice.choice([*made[:2] * 3, *made])()


def broken(dice, raw, outbound):
    """Now and then a byte is another, or the end is missing; never our socket: it would be another host's."""
    raw, ours = bytearray(raw), {*range(12, 16), 20, 21} if outbound else set()
    if dice.random() < 0.1:
        raw[dice.choice([at for at in range(len(raw)) if at not in ours])] ^= 1 << dice.randrange(8)
    return bytes(raw[:dice.randrange(20, len(raw) + 1)] if dice.random() < 0.05 else raw)


def splice(dice, raw, at):
    """Some bytes gone, there twice, or others; the addresses stay where they are."""
    end = min(len(raw), at + dice.randrange(1, 24))
    change = dice.randrange(4)
    if change == 0:
        return raw[:at] + raw[end:]
    if change == 1:
        return raw[:end] + raw[at:end] + raw[end:]
    return raw[:at] + bytes(dice.choice([0, 255, dice.randrange(256)]) for _ in range(end - at)) + raw[end:]


def havoc(dice, raw):
    """Any bytes; the header's sum is right again in most."""
    for _ in range(dice.randrange(1, 5)):
        at = dice.randrange(12) if dice.random() < 0.4 else 20 + dice.randrange(max(1, len(raw) - 20))
        if at < 12:
            raw = raw[:at] + bytes([raw[at] ^ 1 << dice.randrange(8)]) + raw[at + 1:]
        else:
            raw = splice(dice, raw, at)
    raw = raw[:1500]
    header = (raw[0] & 15) * 4
    if dice.random() < 0.9 and 20 <= header <= len(raw):
        clean = raw[:10] + b"\0\0" + raw[12:]
        raw = clean[:10] + checksum(clean[:header]).to_bytes(2, "big") + clean[12:]
    if dice.random() < 0.7:  # and the length that there is
        raw = length_mended(raw)
    return raw


def length_mended(raw):
    old, new = int.from_bytes(raw[2:4], "big"), len(raw)
    total = (~int.from_bytes(raw[10:12], "big") & 0xffff) + (~old & 0xffff) + new
    total = (total & 0xffff) + (total >> 16)
    total = ~((total & 0xffff) + (total >> 16)) & 0xffff
    return raw[:2] + new.to_bytes(2, "big") + raw[4:10] + total.to_bytes(2, "big") + raw[12:]


def keeps_its_port(raw):
    header = (raw[0] & 15) * 4
    port = int.from_bytes(raw[header:header + 2], "big") if len(raw) >= header + 2 else 1
    return raw[9] not in (6, 17) or 0 < port < 64512


def wild_frame(dice):
    """(side, interface, bytes)"""
    while True:
        outbound, remote, ours = dice.random() < 0.5, dice.choice(REMOTES), 4000 + 2 * dice.randrange(8)
        packet = transport(dice, A, remote, ours, True) if outbound else transport(dice, remote, E, ours, False)
        if dice.random() < 0.3:
            about = transport(dice, E, remote, ours, True) if not outbound else transport(dice, remote, A, ours, False)
            packet = icmp_error(T, E, about) if not outbound else icmp_error(A, remote, about)
        raw = bytes(packet)
        raw = havoc(dice, raw) if dice.random() < 0.7 else raw
        if not outbound or keeps_its_port(raw):
            return ("inside", LAN0) if outbound else ("outside", WAN), raw


def frame(dice):
    """(side, interface, bytes)"""
    host = dice.choice(list(HOSTS))
    ours = 4000 + 16 * list(HOSTS).index(host) + 2 * dice.randrange(8)
    remote, outbound = dice.choice(REMOTES), dice.random() < 0.5
    if outbound:
        packet = transport(dice, host, remote, ours, True)
    else:
        packet = transport(dice, remote, E, ours, False)
    if dice.random() < 0.1:
        about = transport(dice, E, remote, ours, True) if not outbound else transport(dice, remote, host, ours, False)
        packet = icmp_error(T, E, about) if not outbound else icmp_error(host, remote, about)
    return ("inside", HOSTS[host]) if outbound else ("outside", WAN), broken(dice, bytes(packet), outbound)


def run(backend, seed, count, make=frame):
    """None, or where the two went apart."""
    both = [Gateway("memory"), Gateway(backend)]
    dice = random.Random(seed)
    try:
        for gateway in both:
            gateway.reset()
            gateway.config(filtering_udp=seed % 3, filtering_tcp=ADDRESS_AND_PORT_DEPENDENT)
        for number in range(count):
            if number % 200 == 199:
                for gateway in both:
                    gateway.at(number // 200 * 190 + 190)  # no timer is near a multiple of this
            (side, device), raw = make(dice)
            expected, got = (g.run(side, device, HEAD + raw) for g in both)
            if not same(expected, got):
                return "frame %d, %s %s\nmemory %s\n%s %s" % (number, side, raw.hex(), show(expected), backend, show(got))
    except Failed as error:
        return str(error)
    finally:
        for gateway in both:
            gateway.close()
    return None


def same(expected, got):
    """A punt record names its session by an index that differs; what is behind it does not."""
    head = 12 if expected.verdict == "punt" else 0
    return (expected.verdict, expected.counters, expected.frame[head:]) == (got.verdict, got.counters, got.frame[head:])


def show(answer):
    return "%s %s %s" % (answer.verdict, answer.frame.hex(), answer.counters)
