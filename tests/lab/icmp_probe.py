#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP datagrams, and the ICMP errors that come back for them.

icmp_probe.py ask PORT ADDRESS PORT TTL BYTES DF [ANSWER-TTL ANSWER-BYTES ANSWER-DF [SECONDS-LATER]]
    Sends one datagram from a port. Prints "answer BYTES", "TYPE CODE FROM INFO" or "silence".
icmp_probe.py serve ADDRESS PORT
    Prints "got BYTES"; answers as the datagram asks, and prints the error that this brings.
"""
import select
import socket
import struct
import sys
import time

IP_RECVERR, IP_MTU_DISCOVER, PMTUDISC_DONT, PMTUDISC_PROBE = 11, 10, 0, 3
WAIT_S = 1.5


def open_socket(address, port):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    udp.bind((address, port))
    return udp


def send(udp, to, ttl, size, dont_fragment, text=b""):
    udp.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
    udp.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE if dont_fragment else PMTUDISC_DONT)
    udp.sendto(text.ljust(size, b"\0"), to)


def error(udp):
    """struct sock_extended_err and the address behind it (ip(7))."""
    _, messages, _, _ = udp.recvmsg(2048, 512, socket.MSG_ERRQUEUE)
    data = messages[0][2]
    _, _, kind, code, _, info, _ = struct.unpack_from("=IBBBBII", data)
    return "%d %d %s %d" % (kind, code, socket.inet_ntoa(data[20:24]), info)


def events(udp, wait_s=None):
    """What poll(2) says, until nothing happens for so long."""
    poll = select.poll()
    poll.register(udp, select.POLLIN)
    while True:
        ready = poll.poll(wait_s and wait_s * 1000)
        if not ready:
            return
        yield ready[0][1]


def ask(port, address, to_port, *numbers):
    udp = open_socket("", int(port))
    ttl, size, dont_fragment, *answer = map(int, numbers)
    send(udp, (address, int(to_port)), ttl, size, dont_fragment, b" ".join(b"%d" % n for n in answer))
    for event in events(udp, WAIT_S):
        print(error(udp) if event & select.POLLERR else "answer %d" % len(udp.recv(65536)))
        return
    print("silence")


def answer_one(udp):
    data, sender = udp.recvfrom(65536)
    print("got %d" % len(data), flush=True)
    wanted = [int(word) for word in data.rstrip(b"\0").split()]
    if wanted:
        time.sleep(sum(wanted[3:]))
        send(udp, sender, *wanted[:3])


def serve(address, port):
    udp = open_socket(address, int(port))
    print("ready", flush=True)
    for event in events(udp):
        if event & select.POLLERR:
            print(error(udp), flush=True)
        else:
            answer_one(udp)


if __name__ == "__main__":
    {"ask": ask, "serve": serve}[sys.argv[1]](*sys.argv[2:])
