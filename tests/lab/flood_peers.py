#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The ends of flood.sh, on raw sockets.

flood_peers.py serve ADDRESS GATEWAY     answers what `ask` sends
flood_peers.py ask ADDRESS SERVER        ESP, pieces and errors while others flood
flood_peers.py flood KIND RATE SECONDS LAN-MAC WAN-MAC
"""
import itertools
import random
import socket
import struct
import sys
import time

UDP_PORT, ASK_PORT, ESP = 6000, 5000, 50


def checksum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(source, destination, protocol, payload, ttl=64, ident=0, fragment=0):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, fragment, ttl, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(destination))
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def udp(sport, dport, payload):
    return struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload


def raw_sender():
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


# --- the server ---------------------------------------------------------------------------
def pieces_send(sender, address, gateway, port, ident):
    """A datagram of 1,600 bytes whose last piece comes first."""
    whole = udp(UDP_PORT, port, ident.to_bytes(8, "big") * 200)
    sender.sendto(ipv4(address, gateway, 17, whole[800:], ident=ident, fragment=100), (gateway, 0))
    time.sleep(0.02)
    sender.sendto(ipv4(address, gateway, 17, whole[:800], ident=ident, fragment=0x2000), (gateway, 0))


def errors_count(sender, icmp, address, gateway, port):
    """How many of four packets whose time runs out in the gateway are told."""
    told = 0
    for _ in range(4):
        sender.sendto(ipv4(address, gateway, 17, udp(UDP_PORT, port, b"late"), ttl=1), (gateway, 0))
        try:
            while icmp.recv(2000)[20] != 11:
                pass
            told += 1
        except TimeoutError:
            pass
        time.sleep(0.15)
    return told


def serve(address, gateway):
    esp = socket.socket(socket.AF_INET, socket.SOCK_RAW, ESP)
    icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender = raw_sender()
    icmp.settimeout(0.5)
    esp.setblocking(False)
    asked.bind((address, UDP_PORT))
    asked.settimeout(0.01)
    print("ready", flush=True)
    seen = set()
    while True:
        try:
            data = esp.recv(2000)
            spi, number = struct.unpack(">II", data[20:28])
            seen.add(spi)
            sender.sendto(ipv4(address, gateway, ESP, struct.pack(">II", spi + 0x10000000, number) + bytes(64)),
                          (gateway, 0))
        except BlockingIOError:
            pass
        try:
            word, (_, port) = asked.recvfrom(2000)
        except TimeoutError:
            continue
        if word == b"esp":
            asked.sendto(b"%d" % len(seen), (gateway, port))
        elif word.startswith(b"piece"):
            pieces_send(sender, address, gateway, port, 1000 + int(word[5:]))
        elif word == b"errors":
            told = errors_count(sender, icmp, address, gateway, port)
            asked.sendto(b"%d" % told, (gateway, port))


# --- the client ---------------------------------------------------------------------------
def answer_of(link, word, seconds=6):
    link.settimeout(seconds)
    link.send(word)
    try:
        return link.recv(4000)
    except TimeoutError:
        return b""


def esp_ask(address, server):
    esp = socket.socket(socket.AF_INET, socket.SOCK_RAW, ESP)
    esp.bind((address, 0))
    esp.settimeout(0.01)
    base, back = random.randrange(0x1000, 0x8000000), set()
    for number in range(8):
        esp.sendto(struct.pack(">II", base + number * 7919, 1) + bytes(64), (server, 0))
        end = time.monotonic() + 0.25
        while time.monotonic() < end:
            try:
                back.add(struct.unpack(">I", esp.recv(2000)[20:24])[0])
            except TimeoutError:
                pass
    return len(back)


def ask(address, server):
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.bind((address, ASK_PORT))
    link.connect((server, UDP_PORT))
    back = esp_ask(address, server)
    print("esp out: %s of 8" % answer_of(link, b"esp").decode())
    print("esp in: %d of 8" % back)
    whole = sum(len(answer_of(link, b"piece%d" % n, 1)) == 1600 for n in range(8))
    print("pieces: %d of 8" % whole)
    print("errors: %s of 4" % answer_of(link, b"errors").decode())


# --- the flooder --------------------------------------------------------------------------
def frames_of(kind, macs):
    """Of some hundred forged senders."""
    head = bytes.fromhex(macs[kind[0] == "s"].replace(":", "")) + b"\x02\0\0\0\0\x99\x08\0"
    for number in range(500):
        stranger = "%d.%d.%d.%d" % tuple(random.choices(range(11, 99), k=4))
        if kind == "s-lone":
            packet = ipv4(stranger, "203.0.113.1", 17, bytes(30), ident=number, fragment=100)
        elif kind == "s-ttl":
            packet = ipv4("203.0.113.9", "203.0.113.1", 17, udp(UDP_PORT + 1, 1024 + number * 100, b"x"), ttl=1)
        else:
            syn = struct.pack(">HHIIBBHHH", 1024 + number, 1723, 0, 0, 0x50, 2, 1000, 0, 0)
            packet = ipv4("10.0.0.%d" % (3 + number % 200), "203.0.113.9", 6, syn)
        yield head + packet


def flood(kind, rate, seconds, *macs):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind(("eth0", 0))
    frames = itertools.cycle(list(frames_of(kind, macs)))
    begun, sent = time.monotonic(), 0
    while time.monotonic() < begun + seconds:
        while sent < (time.monotonic() - begun) * rate:
            try:
                link.send(next(frames))
            except OSError:
                pass
            sent += 1
        if int((time.monotonic() - begun) * 2) != int((time.monotonic() - begun - 0.001) * 2):
            print("%s: %d sent, %d a second" % (kind, sent, sent / (time.monotonic() - begun)), flush=True)
        time.sleep(0.001)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:4])
    elif sys.argv[1] == "ask":
        ask(*sys.argv[2:4])
    else:
        flood(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:7])
