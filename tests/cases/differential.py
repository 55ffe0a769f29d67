# SPDX-License-Identifier: GPL-2.0-or-later
"""The same random frames through user space and through the kernel: verdict, reason and bytes must agree.

Source ports differ between hosts, so that the only thing that is drawn by lot,
a substitute port, never comes up.
"""
import random

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


def broken(dice, raw):
    """Now and then a byte is another, or the end is missing."""
    raw = bytearray(raw)
    if dice.random() < 0.1:
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
    return bytes(raw[:dice.randrange(20, len(raw) + 1)] if dice.random() < 0.05 else raw)


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
    return ("inside", HOSTS[host]) if outbound else ("outside", WAN), broken(dice, bytes(packet))


def run(backend, seed, count):
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
            (side, device), raw = frame(dice)
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
