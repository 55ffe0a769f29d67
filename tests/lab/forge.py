#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames that an honest host does not send, from eth0; and what comes in there.

forge.py udp MAC SOURCE PORT DESTINATION PORT TEXT [tag]   in anybody's name; tag: with a VLAN tag of 0
forge.py ping MAC SOURCE DESTINATION [tag]
forge.py proto MAC NUMBER SOURCE DESTINATION HEX           any protocol's payload
forge.py pieces MAC SOURCE PORT DESTINATION PORT TEXT      a datagram in two pieces, the last one first
forge.py router                  a router advertisement: a prefix and a default route
forge.py arp SOURCE ADDRESS      asks all for an address
forge.py watch                   one line for each frame that comes in, until it is ended
"""
import socket
import struct
import sys

IPV4, IPV6, ARP, VLAN = 0x800, 0x86dd, 0x806, 0x8100


def link():
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    packets.bind(("eth0", 0))
    return packets


def own_mac():
    with open("/sys/class/net/eth0/address", encoding="ascii") as file:
        return mac_bytes(file.read().strip())


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def send(mac, kind, payload, tag=""):
    head = mac_bytes(mac) + own_mac() + (struct.pack("!HH", VLAN, 0) if tag else b"")
    link().send(head + struct.pack("!H", kind) + payload)


def checksum(data):
    total = sum(struct.unpack("!%dH" % ((len(data) + 1) // 2), data + bytes(len(data) % 2)))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def ipv4(protocol, source, destination, payload, fragment=0):
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0x77, fragment, 64, protocol, 0)
    return head[:10] + struct.pack("!H", checksum(head + ends)) + ends + payload


def datagram(sport, dport, text):
    return struct.pack("!HHHH", int(sport), int(dport), 8 + len(text), 0) + text


def udp(mac, source, sport, destination, dport, text, tag=""):
    send(mac, IPV4, ipv4(17, source, destination, datagram(sport, dport, text.encode())), tag)


def pieces(mac, source, sport, destination, dport, text):
    whole = datagram(sport, dport, text.encode().ljust(64, b"."))
    send(mac, IPV4, ipv4(17, source, destination, whole[32:], 4))
    send(mac, IPV4, ipv4(17, source, destination, whole[:32], 0x2000))


def ping(mac, source, destination, tag=""):
    message = struct.pack("!BBHHH", 8, 0, 0, 7, 1) + b"a ping  "
    message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
    send(mac, IPV4, ipv4(1, source, destination, message), tag)


def proto(mac, number, source, destination, payload):
    send(mac, IPV4, ipv4(int(number), source, destination, bytes.fromhex(payload)))


def router():
    """RFC 4861 section 4.2: of high preference, for half an hour; 4.6.2: with a prefix"""
    source, group = socket.inet_pton(socket.AF_INET6, "fe80::66"), socket.inet_pton(socket.AF_INET6, "ff02::1")
    prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xc0, 86400, 86400, 0) + socket.inet_pton(socket.AF_INET6, "2001:db8:66::")
    message = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0x08, 1800, 0, 0) + prefix
    pseudo = source + group + struct.pack("!II", len(message), 58)
    message = message[:2] + struct.pack("!H", checksum(pseudo + message)) + message[4:]
    head = struct.pack("!IHBB", 6 << 28, len(message), 58, 255) + source + group
    send("33:33:00:00:00:01", IPV6, head + message)


def arp(source, address):
    ends = own_mac() + socket.inet_aton(source) + bytes(6) + socket.inet_aton(address)
    send("ff:ff:ff:ff:ff:ff", ARP, struct.pack("!HHBBH", 1, IPV4, 6, 4, 1) + ends)


def line(frame):
    kind, = struct.unpack_from("!H", frame, 12)
    if kind == ARP:
        operation, = struct.unpack_from("!H", frame, 20)
        return "arp %s %s" % (socket.inet_ntoa(frame[28:32]), "asks" if operation == 1 else "answers")
    if kind != IPV4:
        return "ethertype %#x" % kind
    ip = frame[14:14 + int.from_bytes(frame[16:18], "big")]
    text = "".join(chr(byte) for byte in ip[20:] if 32 < byte < 127)
    return "proto %d %s > %s %s" % (ip[9], socket.inet_ntoa(ip[12:16]), socket.inet_ntoa(ip[16:20]), text)


def watch():
    packets = link()
    print("ready", flush=True)
    while True:
        frame, address = packets.recvfrom(65536)
        if address[2] != socket.PACKET_OUTGOING:
            print(line(frame), flush=True)


if __name__ == "__main__":
    {"udp": udp, "ping": ping, "proto": proto, "pieces": pieces, "router": router, "arp": arp,
     "watch": watch}[sys.argv[1]](*sys.argv[2:])
