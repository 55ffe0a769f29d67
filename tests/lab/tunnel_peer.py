#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tunnels without control messages: GRE with keys (protocol 47, RFC 2890), IPIP (4) and the like.

tunnel_peer.py serve PROTOCOL OFFSET    sends each packet back, with its key and OFFSET more
tunnel_peer.py ask PROTOCOL SERVER KEY-OUT KEY-IN    exits 0 when ten packets came back right
"""
import os
import select
import socket
import struct
import sys

GRE = 47
PACKETS, WAIT_S = 10, 1


def packet(protocol, key, payload):
    return (struct.pack("!HHI", 0x2000, 0x800, key) if protocol == GRE else b"") + payload


def take_apart(protocol, data):
    """(key, payload) of what a raw socket has read."""
    data = data[(data[0] & 15) * 4:]
    return (struct.unpack("!I", data[4:8])[0], data[8:]) if protocol == GRE else (0, data)


def serve(protocol, offset):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)
    print("ready", flush=True)
    while True:
        data, sender = raw.recvfrom(65536)
        key, payload = take_apart(protocol, data)
        raw.sendto(packet(protocol, key + offset, payload), sender)


def ask(protocol, server, key_out, key_in):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)
    for i in range(PACKETS):
        payload = b"%d %d " % (os.getpid(), i) * 50
        raw.sendto(packet(protocol, key_out, payload), (server, 0))
        if not select.select([raw], [], [], WAIT_S)[0]:
            sys.exit("silence")
        data, sender = raw.recvfrom(65536)
        if (sender[0], *take_apart(protocol, data)) != (server, key_in, payload):
            sys.exit("somebody else's packet")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]), int(sys.argv[3]))
    else:
        ask(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
