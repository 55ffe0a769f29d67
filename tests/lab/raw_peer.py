#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""raw_peer.py echo PROTOCOL | ask PROTOCOL ADDRESS: packets of an IP protocol without ports.

echo sends back what comes, with "answer " before it; ask sends one and waits for that.
"""
import socket
import sys


def payload(packet):
    return packet[(packet[0] & 15) * 4:]


def echo(raw):
    print("ready", flush=True)
    while True:
        packet, (sender, _) = raw.recvfrom(2048)
        raw.sendto(b"answer " + payload(packet), (sender, 0))


def ask(raw, address):
    raw.settimeout(1)
    raw.sendto(b"question", (address, 0))
    while True:
        packet, (sender, _) = raw.recvfrom(2048)
        if sender == address and payload(packet) == b"answer question":
            return


def main(what, protocol, *address):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, int(protocol))
    if what == "echo":
        echo(raw)
    ask(raw, *address)


if __name__ == "__main__":
    main(*sys.argv[1:])
