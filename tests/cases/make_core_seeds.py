#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Made seeds for fuzz_core: make_core_seeds.py OUT (those of captures: tests/fuzz/make_capture_seeds.py)"""
import os
import sys

FORGED, TIME, ANSWER, PIECE, DAEMON, KNOWN, OWN = 0, 5, 7, 8, 9, 10, 11


def made():
    """Forged packets of every kind with their answers and errors; pieces, shared ports, the gateway's own."""
    for kind in range(8):
        fields = bytes([kind, 0, 0x24, 7, 2, 9, 20])
        step = bytes([FORGED]) + fields
        yield step + bytes([ANSWER, 0, ANSWER, 1]) + step + bytes([TIME, 20]) + step + bytes(10)
        yield bytes([DAEMON, 15]) + step + bytes([KNOWN, 0, kind, KNOWN, 1, 0x80 | kind, ANSWER, 0]) + step + bytes(10)
        yield bytes([OWN]) + fields + bytes([FORGED, 0x80 | kind]) + fields[1:] + step + bytes(10)
        for order in ((0, 1, 2), (2, 1, 0), (1, 0, 1, 2)):
            pieces = (bytes([PIECE]) + fields[:6] + bytes([63, at * 2 | 0x10, 0x80 if at == 2 else 0]) for at in order)
            yield bytes([DAEMON, 15]) + b"".join(pieces) + bytes(10)


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    for number, data in enumerate(made()):
        with open(os.path.join(sys.argv[1], "made-%d" % number), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    main()
