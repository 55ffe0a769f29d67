#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Both ends of what the gateway itself speaks.

own_peer.py serve PORT                    UDP: answers TEXT with "TEXT ADDRESS PORT", as it sees the sender
own_peer.py mute PORT                     UDP: answers nothing
own_peer.py serve-raw NUMBER...           any protocols: sends back what comes
own_peer.py ask PORT ADDRESS PORT TEXT [SECONDS]    UDP from a port: prints the answer, or "no answer"
own_peer.py ask-raw NUMBER ADDRESS HEX    a protocol: "the same", or "no answer"
own_peer.py hold PORT                     a UDP socket on the port, until it is ended
"""
import select
import socket
import sys
import time


def udp(port):
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind(("", int(port)))
    return opened


def raw(number):
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, int(number))


def payload(packet):
    return packet[(packet[0] & 15) * 4:]


def serve(port):
    server = udp(port)
    print("ready", flush=True)
    while True:
        text, sender = server.recvfrom(2048)
        server.sendto(b"%s %s %d" % (text, sender[0].encode(), sender[1]), sender)


def hold(port):
    held = udp(port)
    print("ready", flush=True)
    while True:
        held.recv(2048)


def serve_raw(*numbers):
    sockets = [raw(number) for number in numbers]
    print("ready", flush=True)
    while True:
        for ready in select.select(sockets, [], [])[0]:
            packet, sender = ready.recvfrom(2048)
            ready.sendto(payload(packet), sender)


def ask(port, address, to_port, text, seconds="2"):
    asked = udp(port)
    asked.settimeout(float(seconds))
    asked.sendto(text.encode(), (address, int(to_port)))
    try:
        print(asked.recv(2048).decode(), flush=True)
    except socket.timeout:
        print("no answer")


def ask_raw(number, address, text):
    asked, wanted = raw(number), bytes.fromhex(text)
    end = time.monotonic() + 2
    asked.sendto(wanted, (address, 0))
    while time.monotonic() < end:
        if not select.select([asked], [], [], 0.1)[0]:
            continue
        packet, sender = asked.recvfrom(2048)
        if sender[0] == address and payload(packet) == wanted:
            print("the same")
            return
    print("no answer")


if __name__ == "__main__":
    {"serve": serve, "mute": hold, "hold": hold, "serve-raw": serve_raw, "ask": ask,
     "ask-raw": ask_raw}[sys.argv[1]](*sys.argv[2:])
