# SPDX-License-Identifier: GPL-2.0-or-later
"""One end of a hashed TCP stream: stream.py send|receive ADDRESS PORT BYTES.

Prints the SHA-256 of what was sent or received.
"""

import hashlib
import random
import socket
import sys

PIECE_BYTES = 1 << 20


def pieces(size):
    """The same bytes in every run, no two pieces alike."""
    source = random.Random(size)
    for _ in range(size // PIECE_BYTES):
        yield source.randbytes(PIECE_BYTES)


def send(address, size):
    digest = hashlib.sha256()
    with socket.create_connection(address, timeout=30) as peer:
        for piece in pieces(size):
            digest.update(piece)
            peer.sendall(piece)
    return digest


def receive(address, size):
    digest = hashlib.sha256()
    with socket.create_server(address) as server:
        print("listening", flush=True)
        server.settimeout(30)
        peer, _ = server.accept()
        with peer:
            peer.settimeout(30)
            while piece := peer.recv(PIECE_BYTES):
                digest.update(piece)
    return digest


if __name__ == "__main__":
    role, host, port, size = sys.argv[1:]
    end = send if role == "send" else receive
    print(end((host, int(port)), int(size)).hexdigest())
