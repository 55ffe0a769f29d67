#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP peers that say hello once and are then silent.

  keepalive_peers.py serve ADDRESS PORT...   prints each datagram; "call PORT" on standard
                                             input sends to whoever spoke last at PORT
  keepalive_peers.py ask ADDRESS PORT...     says hello to each PORT, from the same one, and prints what comes
"""
import select
import socket
import sys


def datagram_socket(address, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, port))
    return sock


def watch(sockets, more, react):
    while True:
        for ready in select.select([*sockets.values(), *more], [], [])[0]:
            if ready in more:
                react(ready.readline().split())
                continue
            data, peer = ready.recvfrom(2000)
            port = ready.getsockname()[1]
            peers[port] = peer
            print("%d %s %s:%d" % (port, data.hex() if len(data) == 1 else data.decode(), *peer), flush=True)


def serve(address, ports):
    sockets = {port: datagram_socket(address, port) for port in ports}
    print("ready", flush=True)
    watch(sockets, [sys.stdin], lambda words: sockets[int(words[1])].sendto(b"call", peers[int(words[1])]))


def ask(address, ports):
    sockets = {port: datagram_socket("0.0.0.0", port) for port in ports}
    for port, sock in sockets.items():
        sock.sendto(b"hello", (address, port))
    watch(sockets, [], None)


peers = {}
{"serve": serve, "ask": ask}[sys.argv[1]](sys.argv[2], [int(port) for port in sys.argv[3:]])
