#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scan.py INTERFACE ADDRESS: probes an address from outside.

Sends TCP (SYN, ACK, FIN, RST-less garbage), UDP, ICMP and bare protocols, and
exits 0 only when nothing at all came back.
"""
import sys

from scapy.all import (ICMP, IP, TCP, UDP, AsyncSniffer, Ether, Raw, conf, fragment, getmacbyip,
                       sendp)

TCP_PORTS = (*range(1, 1025), 1701, 1723, 3389, 8080, 8443, 40000, 65535)
UDP_PORTS = (7, 53, 67, 69, 123, 161, 500, 1194, 1701, 1900, 4500, 5060, 5351, 5353, 33434, 51820)
PROTOCOLS = (2, 4, 41, 47, 50, 51, 103, 112, 115, 132, 253)


def probes(address):
    """One packet of each kind, as IP layers."""
    ip = IP(dst=address)
    yield from (ip / TCP(sport=50000, dport=p, flags="S") for p in TCP_PORTS)
    yield from (ip / TCP(sport=50001, dport=p, flags=f) for p in (22, 80, 443) for f in ("A", "F", "SF", "FPU", ""))
    yield from (ip / UDP(sport=50000, dport=p) / Raw(b"probe" * 4) for p in UDP_PORTS)
    yield from (ip / ICMP(type=t) / Raw(b"probe" * 4) for t in (8, 13, 15, 17, 10))
    yield from (IP(dst=address, proto=p) / Raw(bytes(24)) for p in PROTOCOLS)
    yield ip / UDP(sport=50000, dport=33434, chksum=1) / Raw(b"bad sum")
    yield IP(dst=address, ttl=1) / UDP(sport=50000, dport=33434) / Raw(b"last hop")
    yield from fragment(ip / ICMP() / Raw(bytes(3000)), 1400)
    yield from fragment(ip / UDP(sport=50000, dport=53) / Raw(bytes(3000)), 1400)[:1]


def main():
    interface, address = sys.argv[1:]
    conf.iface, conf.verb = interface, 0
    mac = getmacbyip(address)
    sniffer = AsyncSniffer(iface=interface, filter="ip and src host %s" % address)
    sniffer.start()
    frames = [Ether(dst=mac) / p for p in probes(address)]
    sendp(frames, iface=interface)
    sniffer.join(timeout=1.5)  # answers come within milliseconds on this wire
    answers = sniffer.stop()
    print("%d probes, %d answers" % (len(frames), len(answers)))
    for answer in answers[:20]:
        print(answer.summary())
    return len(answers) > 0


if __name__ == "__main__":
    sys.exit(main())
