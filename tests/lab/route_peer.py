#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Datagrams that tell which line they went by.

route_peer.py line NAME ADDRESS...          answers each datagram to port 7 of those addresses with NAME
route_peer.py ask ADDRESS [TOS [PORT]]      a datagram from PORT (a new one each time): the NAME, or "nothing"
route_peer.py talk ADDRESS FILE             asks from one port, ten times a second, and writes each answer to FILE
route_peer.py error ADDRESS MTU             answers the next ping of ADDRESS with "fragmentation needed", and ends
route_peer.py size ADDRESS BYTES            a datagram of BYTES (IP header included) with DF: NAME, "too big: MTU", or "nothing"
"""
import errno
import selectors
import socket
import struct
import sys
import time

IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, IP_MTU, IP_RECVERR, MSG_ERRQUEUE = 10, 3, 14, 11, 0x2000


def udp(address=None, port=0, wait_s=0.4):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", port))
    if address:
        s.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        s.connect((address, 7))
    s.settimeout(wait_s)
    return s


def line(name, *addresses):
    """An answer comes from the address that was asked."""
    with selectors.DefaultSelector() as waiting:
        for address in addresses:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((address, 7))
            waiting.register(s, selectors.EVENT_READ)
        print("ready", flush=True)
        while True:
            for key, _ in waiting.select():
                _, peer = key.fileobj.recvfrom(2048)
                try:
                    key.fileobj.sendto(name.encode(), peer)
                except OSError as e:
                    print("to %s: %s" % (peer, e), flush=True)


def answer(s, data=b"?"):
    try:
        s.send(data)
        return s.recv(100).decode()
    except socket.timeout:
        return "nothing"
    except OSError as e:
        return "unreachable" if e.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES) else str(e)


def ask(address, tos="0", port="0"):
    s = udp(address, int(port))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, int(tos, 0))
    for _ in range(3):
        said = answer(s)
        if said != "nothing":
            break
    print(said)


def talk(address, path):
    s = udp(address, wait_s=0.5)
    with open(path, "w", buffering=1) as out:
        while True:
            out.write(answer(s) + "\n")
            time.sleep(0.1)


def reported(s):
    """The MTU of an ICMP error that has come for @s."""
    _, ancillary, _, _ = s.recvmsg(2048, 512, MSG_ERRQUEUE)
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, IP_RECVERR):
            return int.from_bytes(data[8:12], sys.byteorder)
    return 0


def size(address, size_bytes):
    s = udp(address)
    s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)
    data, said = bytes(int(size_bytes) - 28), "nothing"
    for _ in range(3):
        try:
            s.send(data)
            said = s.recv(100).decode()
        except socket.timeout:
            continue
        except OSError as e:
            said = "too big: %d" % reported(s) if e.errno == errno.EMSGSIZE else str(e)
        break
    print(said)


def error(address, mtu):
    """RFC 1191 section 4, about a packet that was there."""
    seen = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    print("ready", flush=True)
    while True:
        packet = seen.recv(2048)
        if packet[9] == socket.IPPROTO_ICMP and packet[16:20] == socket.inet_aton(address):
            break
    message = struct.pack("!BBHHH", 3, 4, 0, 0, int(mtu)) + packet[:28]
    words = sum(struct.unpack("!18H", message))
    words = (words & 0xffff) + (words >> 16)
    message = message[:2] + struct.pack("!H", ~(words + (words >> 16)) & 0xffff) + message[4:]
    out.sendto(message, (socket.inet_ntoa(packet[12:16]), 0))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
