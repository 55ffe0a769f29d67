#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The wire between a bridge and the gateway, with what real wires do to frames.

relay.py [--tag] [--delay MS] [--reorder PERCENT] [--bare MTU MAC GATEWAY-NAMESPACE DEVICE ADDRESS,...] PORT WIRE

Makes the tap device PORT, for the bridge, and carries frames between it and the device
WIRE, an end of a veth pair. All frames are MS late; of PERCENT the next ones go first.
--tag: towards the gateway frames carry the tag of VLAN 0, which has a priority and no
VLAN (IEEE 802.1Q section 9.6). --bare: WIRE is "-"; the gateway's end is a tun device
without Ethernet, as pppd makes one, made here in its namespace. Its station at the bridge
has MAC and the addresses, answers ARP for them, and as a provider's router would it
cuts or refuses what is larger than the MTU.

Prints "ready", and runs until it is killed.
"""
import argparse
import collections
import ctypes
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import sys
import time

from compare import checksum

TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI = 0x400454CA, 1, 2, 0x1000
PACKET_OUTGOING = 4
IPV4, ARP = b"\x08\x00", b"\x08\x06"
PRIORITY_TAG = b"\x81\x00" + struct.pack("!H", 3 << 13)
ETHERNET_ARP = struct.pack("!HHBB", 1, 0x0800, 6, 4)
PROVIDER = socket.inet_aton("203.0.113.254")
WAITING_MOST = 64  # packets for a neighbour that has not said its MAC


def tun_open(name, kind):
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), kind | IFF_NO_PI))
    os.set_blocking(tun, False)
    return tun


def write(fd, data):
    try:
        os.write(fd, data)
    except OSError:
        pass  # down, or full: a wire loses it


class Wire:
    """The veth end whose other end is the gateway's interface."""

    def __init__(self, device, tag):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)
        self.socket.bind((device, 3))
        self.tag = tag

    def fileno(self):
        return self.socket.fileno()

    def receive(self):
        frame, address = self.socket.recvfrom(65535)
        return [frame] if address[2] != PACKET_OUTGOING else []

    def send(self, frame):
        if self.tag:
            frame = frame[:12] + PRIORITY_TAG + frame[12:]
        try:
            self.socket.send(frame)
        except OSError:
            pass
        return []


def icmp_too_big(packet, mtu):
    quote = packet[:(packet[0] & 15) * 4 + 8]
    message = struct.pack("!BBHHH", 3, 4, 0, 0, mtu) + quote
    message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(message), 0, 0, 64, 1, 0) + PROVIDER + packet[12:16]
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + message


def pieces(packet, mtu):
    header = (packet[0] & 15) * 4
    field, step = struct.unpack("!H", packet[6:8])[0], (mtu - header) & ~7
    payload = packet[header:]
    for at in range(0, len(payload), step):
        part, last = payload[at:at + step], at + step >= len(payload)
        flags = field & 0x2000 if last else 0x2000
        head = bytearray(packet[:header])
        head[2:4] = struct.pack("!H", header + len(part))
        head[6:8] = struct.pack("!H", flags | (field & 0x1FFF) + at // 8)
        head[10:12] = bytes(2)
        head[10:12] = struct.pack("!H", checksum(bytes(head)))
        yield bytes(head) + part


class Station:
    """A tun device as an Ethernet station with ARP."""

    def __init__(self, mtu, mac, namespace, device, addresses):
        self.mtu, self.mac = int(mtu), bytes.fromhex(mac.replace(":", ""))
        self.addresses = [socket.inet_aton(a) for a in addresses.split(",")]
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        with open("/run/netns/" + namespace, "rb") as there:
            ctypes.CDLL(None).setns(there.fileno(), 0x40000000)
        self.tun = tun_open(device, IFF_TUN)
        ctypes.CDLL(None).setns(home, 0x40000000)
        self.neighbours, self.waiting = {}, collections.defaultdict(list)

    def fileno(self):
        return self.tun

    def arp(self, operation, to_mac, to, own):
        return to_mac + self.mac + ARP + ETHERNET_ARP + struct.pack("!H", operation) + self.mac + own + (
            to_mac if operation == 2 else bytes(6)) + to

    def receive(self):
        packet = os.read(self.tun, 65535)
        if packet[0] >> 4 != 4:
            return []
        to = packet[16:20]
        if to in self.neighbours:
            return [self.neighbours[to] + self.mac + IPV4 + packet]
        if len(self.waiting[to]) < WAITING_MOST:
            self.waiting[to].append(packet)
        return [self.arp(1, b"\xff" * 6, to, self.addresses[0])]

    def heard(self, frame):
        """ARP from the bridge; what is to be said there now."""
        mac, who, asked = frame[22:28], frame[28:32], frame[38:42]
        self.neighbours[who] = mac
        out = [mac + self.mac + IPV4 + p for p in self.waiting.pop(who, [])]
        if frame[20:22] == b"\0\1" and asked in self.addresses:
            out.append(self.arp(2, mac, who, asked))
        return out

    def send(self, frame):
        """Towards the gateway; answers frames to go back to the bridge."""
        if frame[12:14] == ARP and len(frame) >= 42:
            return self.heard(frame)
        if frame[12:14] != IPV4 or frame[:6] != self.mac or len(frame) < 34:
            return []
        packet = frame[14:14 + struct.unpack("!H", frame[16:18])[0]]
        if len(packet) <= self.mtu:
            write(self.tun, packet)
        elif packet[6] & 0x40:
            return [frame[6:12] + self.mac + IPV4 + icmp_too_big(packet, self.mtu)]
        else:
            for piece in pieces(packet, self.mtu):
                write(self.tun, piece)
        return []


class Port:
    """The tap device at the bridge."""

    def __init__(self, name):
        self.tap = tun_open(name, IFF_TAP)

    def fileno(self):
        return self.tap

    def receive(self):
        return [os.read(self.tap, 65535)]

    def send(self, frame):
        write(self.tap, frame)
        return []


class Relay:
    def __init__(self, args, port, gateway):
        self.delay, self.reorder = args.delay / 1000, args.reorder
        self.other = {port: gateway, gateway: port}
        self.late, self.number = [], 0  # (when, number, frame, to)

    def carry(self, frame, to):
        for answer in to.send(frame):
            self.other[to].send(answer)

    def take(self, frame, to):
        """Now or later: one that is to be overtaken waits three times as long, 2 ms at least."""
        wait = self.delay
        if self.reorder and random.random() * 100 < self.reorder:
            wait = max(3 * wait, 0.002)
        if not wait:
            self.carry(frame, to)
            return
        self.number += 1
        heapq.heappush(self.late, (time.monotonic() + wait, self.number, frame, to))

    def release(self):
        while self.late and self.late[0][0] <= time.monotonic():
            _, _, frame, to = heapq.heappop(self.late)
            self.carry(frame, to)

    def run(self):
        while True:
            wait = max(self.late[0][0] - time.monotonic(), 0) if self.late else None
            for ready in select.select(list(self.other), [], [], wait)[0]:
                try:
                    frames = ready.receive()
                except (BlockingIOError, OSError):
                    time.sleep(0.01)  # the device is down
                    continue
                for frame in frames:
                    self.take(frame, self.other[ready])
            self.release()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tag", action="store_true")
    parser.add_argument("--delay", type=float, default=0, metavar="MS")
    parser.add_argument("--reorder", type=float, default=0, metavar="PERCENT")
    parser.add_argument("--bare", nargs=5, metavar=("MTU", "MAC", "NAMESPACE", "DEVICE", "ADDRESSES"))
    parser.add_argument("port")
    parser.add_argument("wire")
    args = parser.parse_args()
    gateway = Station(*args.bare) if args.bare else Wire(args.wire, args.tag)
    relay = Relay(args, Port(args.port), gateway)
    print("ready", flush=True)
    relay.run()


if __name__ == "__main__":
    sys.exit(main())
