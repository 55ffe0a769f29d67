#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Bursts on new sockets, from two processors at once: the two ends.

burst_peers.py server ADDRESS           counts what arrives, until it is ended
burst_peers.py client ADDRESS ROUNDS    exit status 1 when a packet was lost or a socket had two ports outside
"""
import mmap
import os
import socket
import struct
import sys

PORT, ASK_PORT, FIRST_PORT, EACH = 7000, 7001, 20000, 64
BOTH = 2 * EACH
TIMEOUT_S, ASKS = 0.1, 20


def udp(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    return s


def server(address):
    """A datagram is a round and a number; a question is a round."""
    arrivals, questions, seen = udp(address, PORT), udp(address, ASK_PORT), {}
    arrivals.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)  # SO_RCVBUFFORCE
    arrivals.setblocking(False)
    print("ready", flush=True)
    while True:
        question, asker = questions.recvfrom(64)
        try:
            while True:
                data, source = arrivals.recvfrom(64)
                turn, number = struct.unpack("!II", data)
                numbers, ports = seen.setdefault(turn, (set(), set()))
                numbers.add(number)
                ports.add(source[1])
        except BlockingIOError:
            pass
        numbers, ports = seen.get(struct.unpack("!I", question)[0], ((), ()))
        questions.sendto(struct.pack("!II", len(numbers), len(ports)), asker)


class Crew:
    """Two processes, each on its processor, that begin at the same moment."""

    def __init__(self):
        self.memory = mmap.mmap(-1, 8)

    def _send(self, member, burst, turn):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[member]})
        packets = [struct.pack("!II", turn, EACH * member + i) for i in range(EACH)]
        self.memory[member] = 1
        while not self.memory[1 - member]:
            pass
        for packet in packets:
            burst.send(packet)
        os._exit(0)

    def send(self, burst, turn):
        self.memory[0] = self.memory[1] = 0
        children = []
        for member in range(2):
            children.append(os.fork())
            if not children[-1]:
                self._send(member, burst, turn)
        for child in children:
            os.waitpid(child, 0)


def counted(asker, turn):
    """What the server has of a round: packets and ports."""
    answer = 0, 0
    for _ in range(ASKS):
        asker.send(struct.pack("!I", turn))
        try:
            answer = struct.unpack("!II", asker.recv(64))
        except socket.timeout:
            continue
        if answer[0] == BOTH:
            break
    return answer


def client(address, rounds):
    crew, asker = Crew(), udp("", FIRST_PORT - 1)
    asker.connect((address, ASK_PORT))
    asker.settimeout(TIMEOUT_S)
    lost = rounds_of_loss = split = 0
    for turn in range(rounds):
        with udp("", FIRST_PORT + turn) as burst:
            burst.connect((address, PORT))
            crew.send(burst, turn)
        packets, ports = counted(asker, turn)
        lost += BOTH - packets
        rounds_of_loss += packets != BOTH
        split += ports != 1
    print("%d rounds of %d packets: %d lost in %d rounds; %d sockets without exactly one port outside"
          % (rounds, BOTH, lost, rounds_of_loss, split))
    return bool(lost or split)


if __name__ == "__main__":
    if sys.argv[1] == "server":
        server(sys.argv[2])
    sys.exit(client(sys.argv[2], int(sys.argv[3])))
