#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A host that invents addresses, and one that does not; from eth0.

invented.py udp|pptp|esp|way MAC SERVER ADDRESSES COUNT   COUNT new flows of each of ADDRESSES neighbours of 10.1.0.0/16
invented.py serve                    the server: UDP port 7 answers, TCP port 1723 takes connections
invented.py ask SERVER COUNT         COUNT datagrams to port 7, each from a port of its own: how many were answered
invented.py dial SERVER COUNT        COUNT connections to port 1723: how many were made
"""
import select
import socket
import struct
import sys

from forge import IPV4, checksum, datagram, ipv4, link, mac_bytes, own_mac


def syn(source, server, port):
    ends = socket.inet_aton(source) + socket.inet_aton(server)
    head = struct.pack("!HHIIBBHHH", port, 1723, 1000, 0, 0x50, 2, 8192, 0, 0)
    return head[:16] + struct.pack("!HH", checksum(ends + struct.pack("!HH", 6, len(head)) + head), 0)


PAYLOADS = {
    "udp": (17, lambda source, server, n: datagram(1024 + n, 6881, b"x")),
    "way": (17, lambda source, server, n: datagram(1024 + n, 6881, b"x")),
    "pptp": (6, lambda source, server, n: syn(source, server, 1024 + n)),
    "esp": (50, lambda source, server, n: struct.pack("!II", 0x10000 + n + (int(source.split(".")[-1]) << 20), 1)),
}


def flood(kind, mac, server, addresses, count):
    protocol, payload = PAYLOADS[kind]
    packets, head = link(), mac_bytes(mac) + own_mac() + struct.pack("!H", IPV4)
    for n in range(int(count)):
        for i in range(int(addresses)):
            source = "10.1.%d.%d" % (i // 250, 1 + i % 250)
            packets.send(head + ipv4(protocol, source, server, payload(source, server, n)))


def serve():
    echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    echo.bind(("", 7))
    calls, kept = socket.socket(), []
    calls.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    calls.bind(("", 1723))
    calls.listen(64)
    print("ready", flush=True)
    while True:
        for ready in select.select([echo, calls], [], [])[0]:
            if ready is echo:
                echo.sendto(*echo.recvfrom(2000))
            else:
                kept.append(calls.accept())


def ask(server, count):
    answered = 0
    for _ in range(int(count)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.5)
            s.sendto(b"ask", (server, 7))
            try:
                answered += s.recv(100) == b"ask"
            except OSError:
                pass
    print(answered)


def dial(server, count):
    made = []
    for _ in range(int(count)):
        try:
            made.append(socket.create_connection((server, 1723), 1.5))
        except OSError:
            pass
    print(len(made))


if __name__ == "__main__":
    {"serve": serve, "ask": ask, "dial": dial}.get(sys.argv[1], lambda *words: flood(sys.argv[1], *words))(*sys.argv[2:])
