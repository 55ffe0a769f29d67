#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A busy resolver: 20 questions a second, each from a socket of its own, as resolvers ask.

resolver.py answer              answers at port 53
resolver.py ask ADDRESS FILE    asks until it is killed; FILE: "ASKED ANSWERED", written anew each second
"""
import os
import select
import socket
import sys
import time

PER_SECOND, PATIENCE_S = 20, 5


def answer():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", 53))
    while True:
        question, who = server.recvfrom(512)
        server.sendto(question, who)


def write(path, *numbers):
    with open(path + ".new", "w", encoding="ascii") as file:
        print(*numbers, file=file)
    os.replace(path + ".new", path)


def ask(address, path):
    """Asked are those that have been answered or have waited for too long."""
    open_ones, asked, answered = {}, 0, 0
    for number in range(1 << 31):
        question = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        question.connect((address, 53))
        question.send(b"question %d" % number)
        open_ones[question] = time.monotonic()
        end = time.monotonic() + 1 / PER_SECOND
        while (left := end - time.monotonic()) > 0:
            for ready in select.select(list(open_ones), [], [], left)[0]:
                try:
                    ready.recv(512)
                    answered += 1
                except OSError:
                    pass
                asked += 1
                del open_ones[ready]
                ready.close()
        for old in [s for s, since in open_ones.items() if time.monotonic() - since > PATIENCE_S]:
            asked += 1
            del open_ones[old]
            old.close()
        if number % PER_SECOND == 0:
            write(path, asked, answered)


if __name__ == "__main__":
    sys.exit(answer() if sys.argv[1] == "answer" else ask(*sys.argv[2:4]))
