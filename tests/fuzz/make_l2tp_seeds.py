#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Seeds for fuzz_l2tp_wire and fuzz_l2tp: make_l2tp_seeds.py OUT.

Writes OUT/l2tp_wire/* (one control message each) and OUT/l2tp/* (conversations in
the input format of fuzz_l2tp.c).
"""
import os
import struct
import sys

OUT, IN = 0, 1


def avp(kind, value, flags=0x8000):
    return struct.pack("!HHH", flags | (6 + len(value)), 0, kind) + value


def ids_of(version, ids):
    numbers, size = ((9, 14), "!H") if version == 2 else ((61, 63, 64), "!I")
    return b"".join(avp(n, struct.pack(size, i)) for n, i in zip(numbers, ids) if i is not None)


def message(version, connection, kind, *ids, more=b""):
    body = avp(0, struct.pack("!H", kind)) + ids_of(version, ids) + more if kind else b""
    head = struct.pack("!HH", 0xC800 | version, 12 + len(body))
    head += struct.pack("!HH", connection, 0) if version == 2 else struct.pack("!I", connection)
    return head + bytes(4) + body


def said(way, data):
    return bytes([way]) + struct.pack("!H", len(data)) + data


MESSAGES = {
    "sccrq-2": message(2, 0, 1, 7), "sccrp-2": message(2, 7, 2, 9), "empty": message(2, 7, 0),
    "icrq-2": message(2, 9, 10, None, 3), "stop-2": message(2, 9, 4, 7),
    "hidden": message(2, 0, 1, more=avp(36, b"random") + avp(9, b"hidden!!", 0xC000)),
    "sccrq-3": message(3, 0, 1, 0x11223344), "sccrp-3": message(3, 0x11223344, 2, 0x55667788),
    "icrq-3": message(3, 0x55667788, 10, None, 5, 0), "icrp-3": message(3, 0x11223344, 11, None, 6, 5),
    "digest": message(3, 0, 1, 1, more=avp(59, bytes(17))), "ack": message(3, 1, 20),
}
VERSION_2 = [(OUT, message(2, 0, 1, 7)), (IN, message(2, 7, 2, 9)), (OUT, message(2, 9, 3)), (IN, message(2, 7, 0)),
             (OUT, message(2, 9, 6)), (OUT, message(2, 9, 4, 7))]
VERSION_3 = [(OUT, message(3, 0, 1, 7)), (IN, message(3, 7, 2, 9)), (OUT, message(3, 9, 3)),
             (OUT, message(3, 9, 10, None, 3, 0)), (IN, message(3, 7, 11, None, 4, 3)),
             (OUT, message(3, 9, 12, None, 3, 4)), (IN, message(3, 7, 14, None, 4, 3)), (OUT, message(3, 9, 4, 7))]


def write(folder, name, data):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def main():
    out = sys.argv[1]
    for name, data in MESSAGES.items():
        write(out + "/l2tp_wire", name, data)
    write(out + "/l2tp", "version-2", b"\0" + b"".join(said(*m) for m in VERSION_2))
    write(out + "/l2tp", "version-2-own", b"\4" + b"".join(said(*m) for m in (VERSION_2[0],) + tuple(VERSION_2)))
    write(out + "/l2tp", "version-3", b"\1" + b"".join(said(*m) for m in VERSION_3))


main()
