#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Seeds for fuzz_core: make_core_seeds.py OUT CAPTURES

The IPv4 packets of each capture as raw steps of the fuzzer's input, once as
they came and once with their ends moved to the fuzzer's addresses, so that they
make sessions. Without captures: a few made stories.
"""
import glob
import logging
import os
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)

# pylint: disable=wrong-import-position
from scapy.layers.inet import IP
from scapy.utils import rdpcap

A, E, S = "10.0.0.10", "198.51.100.2", "203.0.113.5"
RAW, TIME, ANSWER = 4, 5, 7
LONGEST = 255


def raw(out, packet):
    data = bytes(packet)[:LONGEST]
    return bytes([RAW, out, len(data)]) + data


def moved(packet, source, destination):
    """The same from one of ours to one of theirs; scapy computes the checksums anew."""
    copy = packet.copy()
    copy.src, copy.dst = source, destination
    del copy.chksum
    for layer in ("TCP", "UDP"):
        if copy.haslayer(layer):
            del copy[layer].chksum
    return IP(bytes(copy))


def story(packets):
    plain = b"".join(raw(n & 1, p) for n, p in enumerate(packets))
    ours, data = packets[0].src, b""
    for packet in packets:
        out = packet.src == ours
        data += raw(out, moved(packet, A, S) if out else moved(packet, S, E)) + bytes([TIME, 3])
    return plain, data + bytes(8)


def made():
    """Forged packets of every kind with their answers and errors."""
    for kind in range(8):
        step = bytes([0, kind, 0, 0x24, 7, 2, 9, 20])
        yield step + bytes([ANSWER, 0, ANSWER, 1]) + step + bytes([TIME, 20]) + step + bytes(8)


def main():
    out, captures = sys.argv[1:3]
    os.makedirs(out, exist_ok=True)
    seeds = dict(("made-%d" % n, data) for n, data in enumerate(made()))
    paths = sorted(glob.glob(os.path.join(captures, "*.pcap*")))
    if not paths:
        print("# SKIP seeds from captures: none in %s" % captures)
    for path in paths:
        packets = [p[IP] for p in rdpcap(path, 40) if p.haslayer(IP)]
        if packets:
            name = os.path.basename(path).split(".")[0]
            seeds[name + "-raw"], seeds[name + "-moved"] = story(packets)
    for name, data in seeds.items():
        with open(os.path.join(out, name), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    main()
