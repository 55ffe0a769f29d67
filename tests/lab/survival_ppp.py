#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One end of a link without Ethernet header, as pppd makes one.

  survival_ppp.py DEVICE ADDRESS PEER OWN OTHER

Makes the tun device DEVICE with ADDRESS and PEER, and carries its packets from the
Unix socket OWN to the other end's, OTHER. The device goes when this ends.
"""
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000


def tun_open(name):
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return tun


def socket_open(path):
    if os.path.exists(path):
        os.unlink(path)
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    line.bind(path)
    return line


def carry(tun, line, other):
    while True:
        for ready in select.select([tun, line], [], [])[0]:
            if ready is line:
                os.write(tun, line.recv(65536))
                continue
            packet = os.read(tun, 65536)
            try:
                line.sendto(packet, other)
            except (FileNotFoundError, ConnectionRefusedError):
                pass  # nobody at the other end


def main():
    name, address, peer, own, other = sys.argv[1:]
    tun, line = tun_open(name), socket_open(own)
    subprocess.run(["ip", "addr", "add", address, "peer", peer, "dev", name], check=True)
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
    carry(tun, line, other)


main()
