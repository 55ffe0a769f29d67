#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Seeds for fuzz_pptp_wire and fuzz_pptp: make_pptp_seeds.py OUT.

Writes OUT/pptp_wire/* (one message each) and OUT/pptp/* (sessions in the
input format of fuzz_pptp.c). Those of captures: make_capture_seeds.py.
"""
import os
import struct
import sys

LENGTHS = [0, 156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24]
RESULT_AT = {2: 14, 4: 12, 6: 16, 8: 16, 10: 16, 13: 14}
SYN, ACK = 2, 16
OUT, IN = 0, 1


def message(kind, at12=0, at14=0, result=1):
    body = bytearray(LENGTHS[kind])
    struct.pack_into("!HHIHHHH", body, 0, len(body), 1, 0x1A2B3C4D, kind, 0, at12, at14)
    if kind in RESULT_AT:
        body[RESULT_AT[kind]] = result
    return bytes(body)


def segment(way, flags, payload=b"", repeat=True):
    return bytes([way | (2 if repeat else 0), flags, 0, len(payload)]) + payload


def connected(opener):
    return segment(opener, SYN) + segment(1 - opener, SYN | ACK)


def session(opener, said):
    data = connected(opener)
    data += segment(opener, ACK, message(1)) + segment(1 - opener, ACK, message(2))
    for way, *fields in said:
        data += segment(way, ACK, message(*fields))
    return data


SESSIONS = {
    "outgoing-pns-inside": session(OUT, [
        (OUT, 7, 1), (IN, 8, 9, 0x4100), (OUT, 15, 9), (IN, 15, 0x4100), (IN, 14, 0x4100),
        (OUT, 12, 1), (IN, 13, 9), (OUT, 3), (IN, 4)]),
    "incoming-pns-inside": session(OUT, [
        (IN, 9, 9), (OUT, 10, 1, 9), (IN, 11, 0x4100), (OUT, 12, 1), (IN, 13, 9)]),
    "outgoing-pac-inside": session(IN, [
        (IN, 7, 9), (OUT, 8, 1, 9), (IN, 15, 0x4100), (IN, 12, 9), (OUT, 13, 1)]),
    "incoming-pac-inside": session(OUT, [
        (OUT, 9, 1), (IN, 10, 9, 0x4100), (OUT, 11, 9), (OUT, 14, 9), (OUT, 13, 1)]),
    "echo-and-refusal": session(OUT, [
        (OUT, 5), (IN, 6), (OUT, 7, 0), (IN, 8, 0, 0x4100, 4), (OUT, 7, 0), (OUT, 7, 1)]),
    "byte-by-byte": connected(OUT) + b"".join(
        segment(OUT, ACK, bytes([b])) for b in message(1)) + segment(IN, ACK, message(2))
        + b"".join(segment(OUT, ACK, bytes([b])) for b in message(7, 0x1234)[:40]),
    "http": connected(OUT) + segment(OUT, ACK, b"POST / HTTP/1.1\r\n\r\n") + segment(
        OUT, ACK, message(7, 1)),
}


def write(folder, name, data):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def main():
    out = sys.argv[1]
    for kind in range(1, 16):
        write(out + "/pptp_wire", f"type-{kind}", message(kind, 0xA1B2, 0xC3D4))
    for name, data in SESSIONS.items():
        write(out + "/pptp", name, data)


main()
