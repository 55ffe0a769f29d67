# SPDX-License-Identifier: GPL-2.0-or-later
"""The network of the packet cases, and packets as rows write them.

      A B C 10.0.0.0/24 -- lan0 +---------+
      D     10.0.1.0/24 -- lan1 | gateway | wan0 -- 198.51.100.1 -- S T 203.0.113.0/24, Q 8.0.0.5
      P     8.0.1.0/24  -- ppp0 +---------+           N on the link

E is the gateway's external address. Checksums are always scapy's own.
"""
import ipaddress
import logging
import struct

logging.getLogger("scapy").setLevel(logging.ERROR)  # it looks for interfaces and complains

# pylint: disable=wrong-import-position
from scapy.config import conf
from scapy.layers.inet import GRE, ICMP, IP, TCP, UDP, IPOption  # noqa: F401
from scapy.layers.l2 import Ether
from scapy.packet import Raw

conf.ipv6_enabled = False

LAN0, LAN1, WAN, PPP, TAP = 11, 12, 13, 14, 15
DEVICES = {LAN0: "lan0", LAN1: "lan1", WAN: "wan0", PPP: "ppp0", TAP: "tap0"}

A, B, C, UNRESOLVED = "10.0.0.10", "10.0.0.11", "10.0.0.12", "10.0.0.99"
D, P = "10.0.1.10", "8.0.1.10"
E, ROUTER, N = "198.51.100.2", "198.51.100.1", "198.51.100.77"
S, T, Q = "203.0.113.5", "203.0.113.6", "8.0.0.5"
GATEWAY_LAN = "10.0.0.1"

# destination, device, next hop (None: on the link); device 0: this machine itself
ROUTES = [("10.0.0.1/32", 0, None), ("10.0.1.1/32", 0, None), ("198.51.100.2/32", 0, None),
          ("127.0.0.0/8", 0, None),
          ("10.0.0.0/24", LAN0, None), ("10.0.1.0/24", LAN1, None), ("8.0.1.0/24", PPP, None),
          ("198.51.100.0/24", WAN, None), ("0.0.0.0/0", WAN, ROUTER)]

SYN, ACK, FIN, RST, SYNACK = "S", "A", "FA", "R", "SA"


def route_of(address):
    """(device, neighbour) that the routing table has for an address."""
    for prefix, device, hop in ROUTES:
        if ipaddress.ip_address(address) in ipaddress.ip_network(prefix):
            return device, hop or address
    raise KeyError(address)


def device_mac(ifindex):
    return "52:54:00:00:00:%02x" % ifindex


def for_device(data, ifindex):
    """A frame whose destination is left open (zeros) is for the device that it comes in by."""
    data = bytes(data)
    return data if any(data[:6]) or len(data) < 14 else bytes.fromhex(device_mac(ifindex).replace(":", "")) + data[6:]


def neighbour_mac(address):
    if address == UNRESOLVED:
        return "00:00:00:00:00:00"
    return "52:54:%02x:%02x:%02x:%02x" % tuple(ipaddress.ip_address(address).packed)


# --- packets; `ip` holds fields of the IP header ---------------------------------------
def base(source, destination, ip=None):
    return IP(src=source, dst=destination, **{"id": 0x1234, **(ip or {})})


def udp(source, sport, destination, dport, data=b"payload", chksum=None, **ip):
    return base(source, destination, ip) / UDP(sport=sport, dport=dport, chksum=chksum) / Raw(data)


def tcp(source, sport, destination, dport, flags=SYN, data=b"", options=(), seq=1000, ack=7, **ip):
    segment = TCP(sport=sport, dport=dport, flags=flags, seq=seq, ack=ack if "A" in flags else 0, options=options)
    return base(source, destination, ip) / segment / Raw(data)


def ping(source, destination, ident, kind="echo-request", seq=1, data=b"ping", **ip):
    return base(source, destination, ip) / ICMP(type=kind, id=ident, seq=seq) / Raw(data)


def pong(source, destination, ident, **more):
    return ping(source, destination, ident, kind="echo-reply", **more)


def esp(source, destination, spi, seq=1, data=b"ciphertext" * 4, **ip):
    return base(source, destination, {"proto": 50, **ip}) / Raw(spi.to_bytes(4, "big") + seq.to_bytes(4, "big") + data)


def proto(source, destination, number, data=b"0123456789abcdef", **ip):
    """Any protocol without ports."""
    return base(source, destination, {"proto": number, **ip}) / Raw(data)


def gre0(source, destination, key=None, data=b"inner packet", **ip):
    return base(source, destination, ip) / GRE(proto=0x800, key_present=int(key is not None), key=key) / Raw(data)


def gre1(source, destination, call, seq=1, data=b"ppp frame", **ip):
    """RFC 2637 4.1: flags with key and sequence, version 1."""
    header = bytes.fromhex("3001880b") + len(data).to_bytes(2, "big") + call.to_bytes(2, "big")
    return base(source, destination, {"proto": 47, **ip}) / Raw(header + seq.to_bytes(4, "big") + data)


def icmp_error(source, destination, quoted, kind=3, code=1, size=None, **ip):
    """About `quoted`, which is cut to `size` bytes where one is given."""
    quote = bytes(quoted)[:size]
    return base(source, destination, ip) / ICMP(type=kind, code=code) / Raw(quote)


def quick(source, sport, destination, dport, protocol=17, flags=2, seq=1000):
    """A UDP datagram or a TCP segment as a frame, for cases of thousands: scapy would take minutes."""
    transport = struct.pack("!HHHH", sport, dport, 8, 0)
    if protocol == 6:
        transport = struct.pack("!HHIIBBHHH", sport, dport, seq, 0, 0x50, flags, 8192, 0, 0)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(transport), 0x1234, 0, 64, protocol, 0)
    head += ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    checksum = ~((total & 0xffff) + (total >> 16)) & 0xffff
    return bytes(12) + b"\x08\0" + head[:10] + checksum.to_bytes(2, "big") + head[12:] + transport


def built(packet):
    """The packet as its bytes say, so that every field has its value."""
    return IP(bytes(packet))
