#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares what entered a NAT gateway with what left it, from two captures.

compare.py [--offloads] [--resets] [--tunnel-ids] [--pieces] [--own udp/53,...] --lan-mac M --wan-mac M
           --lan-net N --wan-address A  LAN.pcap WAN.pcap

Every packet that the gateway sent must be one that it received, with nothing
changed but what NAT changes: inside address, port or id, PPTP call ids, IP id,
a lowered TCP MSS; with --tunnel-ids those of L2TP too. TTL is decremented exactly once, checksums are valid, and no
LAN address is seen outside. Exit status 0 when all of that holds.
"""
import argparse
import collections
import ipaddress
import struct
import sys

from scapy.utils import RawPcapReader

ICMP, TCP, UDP, GRE, ESP = 1, 6, 17, 47, 50
ICMP_ERRORS = (3, 11, 12)
PPTP_PORT, PPTP_MAGIC = 1723, 0x1A2B3C4D
GRE_PPTP = 0x880B
L2TP_PORT = 1701
TUNNEL_IDS = False  # set by the option
WHOLE_FRAME = 1514
ADDRESS = "inside address"  # stands for what NAT may change


def checksum(data):
    """RFC 1071 sum; 0 over data that carries a valid checksum."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


class Packet:
    """An IPv4 packet of a capture; addresses are bytes, ports integers."""

    def __init__(self, frame, time):
        self.frame_length, self.time = len(frame), time
        self.source_mac, self.ip = frame[6:12], frame[14:]
        header = (self.ip[0] & 15) * 4
        self.header = self.ip[:header]
        total = struct.unpack("!H", self.ip[2:4])[0] or len(self.ip)
        self.payload = self.ip[header:total]
        self.tos, self.ttl, self.protocol = self.ip[1], self.ip[8], self.ip[9]
        self.fragment = struct.unpack("!H", self.ip[6:8])[0]
        self.source, self.target = self.ip[12:16], self.ip[16:20]

    @property
    def is_fragment(self):
        return self.fragment & 0x3FFF != 0

    @property
    def has_ports(self):
        return self.protocol in (TCP, UDP) and not self.fragment & 0x1FFF and len(self.payload) >= 8

    @property
    def ports(self):
        return struct.unpack("!HH", self.payload[:4]) if self.has_ports else (None, None)

    @property
    def is_icmp_error(self):
        return self.protocol == ICMP and not self.is_fragment and self.payload[0] in ICMP_ERRORS

    def quoted(self):
        """The packet that an ICMP error quotes."""
        return Packet(bytes(14) + self.payload[8:], self.time)

    @property
    def is_reset(self):
        return self.protocol == TCP and self.has_ports and self.payload[13] & 4 != 0

    def tcp_data(self):
        return self.payload[(self.payload[12] >> 4) * 4:]

    def tcp_segment(self):
        return struct.unpack("!I", self.payload[4:8])[0], self.tcp_data()

    def __str__(self):
        source, target = (str(ipaddress.IPv4Address(a)) for a in (self.source, self.target))
        ports = self.ports
        return "%.6f proto %d %s:%s > %s:%s ttl %d length %d" % (
            self.time, self.protocol, source, ports[0], target, ports[1], self.ttl, len(self.ip))


# --- what NAT must leave alone -------------------------------------------------------
def mask(data, *spans):
    data = bytearray(data)
    for start, end in spans:
        data[start:end] = bytes(len(data[start:end]))
    return bytes(data)


def pptp_masked(data):
    """Control messages without the call ids of types 7 to 15 (RFC 2637 section 2)."""
    out, rest = b"", data
    while len(rest) >= 16 and struct.unpack("!I", rest[4:8])[0] == PPTP_MAGIC:
        length, kind = struct.unpack("!H", rest[:2])[0], struct.unpack("!H", rest[8:10])[0]
        message = rest[:max(length, 16)]
        out += mask(message, (12, 16)) if 7 <= kind <= 15 else message
        rest = rest[len(message):]
    return out + rest


def options_masked(options):
    """TCP options without the value of the MSS, which may be clamped."""
    at = 0
    options = bytearray(options)
    while at + 1 < len(options) and options[at] != 0:
        if options[at] == 1:
            at += 1
            continue
        if options[at] == 2:
            options[at + 2:at + 4] = b"\0\0"
        at += max(options[at + 1], 2)
    return bytes(options)


def tcp_kept(packet):
    header = packet.payload[:(packet.payload[12] >> 4) * 4]
    data = packet.tcp_data()
    if PPTP_PORT in packet.ports:
        data = pptp_masked(data)
    return header[4:16], header[18:20], options_masked(header[20:]), data


def gre_kept(payload):
    """RFC 2637 section 4.1: bytes 6 and 7 are the receiver's call id."""
    if len(payload) >= 8 and payload[1] & 7 == 1 and struct.unpack("!H", payload[2:4])[0] == GRE_PPTP:
        return mask(payload, (6, 8))
    return payload


def l2tp_masked(data, outbound):
    """RFC 2661: outbound the value of AVP 9 in a control message, inbound the header's tunnel id."""
    if len(data) < 12 or data[1] & 15 != 2:
        return data
    if not outbound:
        at = 4 if data[0] & 0x40 else 2
        return mask(data, (at, at + 2))
    at = 12
    while data[0] & 0x80 and at + 6 <= len(data):
        length, _, kind = struct.unpack("!HHH", data[at:at + 6])
        if kind == 9:
            data = mask(data, (at + 6, at + 8))
        at += max(length & 1023, 6)
    return data


def icmp_kept(packet, outbound):
    if not packet.is_icmp_error:
        return mask(packet.payload, (2, 4), (4, 6))
    quoted = packet.quoted()
    remote, port = (quoted.source, quoted.ports[0]) if outbound else (quoted.target, quoted.ports[1])
    return packet.payload[:2], quoted.protocol, remote, port


def piece_kept(packet):
    """Of a first piece all but ports or id and the checksum."""
    if packet.fragment & 0x1FFF:
        return packet.payload
    spans = {TCP: ((0, 4), (16, 18)), UDP: ((0, 4), (6, 8)), ICMP: ((2, 6),)}
    return mask(packet.payload, *spans.get(packet.protocol, ()))


def kept(packet, outbound):
    """The part of a packet's transport that must come out as it went in."""
    remote_port = packet.ports[1 if outbound else 0]
    if packet.is_fragment:
        return packet.fragment & 0x3FFF, piece_kept(packet)
    if packet.protocol == TCP:
        return remote_port, tcp_kept(packet)
    if packet.protocol == UDP:
        no_checksum = packet.payload[6:8] == b"\0\0"
        data = packet.payload[8:]
        if TUNNEL_IDS and remote_port == L2TP_PORT:
            data = l2tp_masked(data, outbound)
        return remote_port, no_checksum, packet.payload[4:6], data
    if packet.protocol == ICMP:
        return icmp_kept(packet, outbound)
    return gre_kept(packet.payload) if packet.protocol == GRE else packet.payload


def identity(packet, outbound, hairpin=False):
    remote = packet.target if outbound else packet.source
    if hairpin:
        transport = kept(packet, outbound)
        return packet.protocol, packet.tos, transport[1:] if packet.has_ports else transport
    return packet.protocol, remote, packet.tos, packet.fragment & 0x4000, kept(packet, outbound)


def transport_valid(packet):
    """True when the UDP or TCP checksum is right, absent, or spread over fragments."""
    if packet.is_fragment or not packet.has_ports:
        return packet.protocol != ICMP or packet.is_fragment or checksum(packet.payload) == 0
    if packet.protocol == UDP and packet.payload[6:8] == b"\0\0":
        return True
    pseudo = packet.source + packet.target + struct.pack("!BBH", 0, packet.protocol, len(packet.payload))
    return checksum(pseudo + packet.payload) == 0


# --- datagrams in pieces -----------------------------------------------------------------
def first_only(packet):
    return packet.fragment & 0x1FFF == 0


def joined(pieces):
    """The datagram of these pieces of one; None: some are missing."""
    pieces, at, data = sorted(pieces, key=lambda p: p.fragment & 0x1FFF), 0, b""
    for piece in pieces:
        start = (piece.fragment & 0x1FFF) * 8
        if start > at:
            return None
        data = data[:start] + piece.payload
        at = len(data)
    if pieces[-1].fragment & 0x2000 or not first_only(pieces[0]):
        return None
    first = pieces[0]
    head = bytearray(first.header)
    head[2:4] = struct.pack("!H", len(head) + len(data))
    head[6:8] = struct.pack("!H", first.fragment & 0x4000)
    head[10:12] = b"\0\0"
    head[10:12] = struct.pack("!H", checksum(bytes(head)))
    whole = Packet(bytes(6) + first.source_mac + b"\x08\0" + bytes(head) + data, pieces[-1].time)
    whole.frame_length = first.frame_length
    return whole


def rejoined(packets):
    """(packets with each datagram whole, pieces of those that are not all here)."""
    whole, groups, loose = [], {}, []
    for packet in packets:
        if not packet.is_fragment:
            whole.append(packet)
            continue
        key = packet.source, packet.target, packet.protocol, packet.ip[4:6]
        group = groups.setdefault(key, [])
        group.append(packet)
        datagram = joined(group)
        if datagram:
            whole.append(datagram)
            del groups[key]
    for group in groups.values():
        loose += group
    return whole, loose


class Bytes:
    """The payloads that entered, to find a loose piece's bytes at their place in one of them."""

    def __init__(self, packets, pieces):
        self.all = [(p.protocol, (p.fragment & 0x1FFF) * 8, piece_kept(p)) for p in packets + pieces]

    def hold(self, piece):
        start, bytes_in = (piece.fragment & 0x1FFF) * 8, piece_kept(piece)
        return any(protocol == piece.protocol and at <= start and data[start - at:start - at + len(bytes_in)] == bytes_in
                   for protocol, at, data in self.all)


# --- comparison -----------------------------------------------------------------------
class Arrivals:
    """Packets that entered the gateway in one direction, found by identity."""

    def __init__(self, packets, outbound, hairpin=False):
        self.outbound, self.hairpin, self.packets = outbound, hairpin, packets
        self.streams = collections.defaultdict(list)
        self.by_identity = collections.defaultdict(list)
        for packet in packets:
            self.by_identity[identity(packet, outbound, hairpin)].append(packet)

    def take(self, packet):
        """The arrival that `packet` is, once for each; None when there is none."""
        waiting = self.by_identity[identity(packet, self.outbound, self.hairpin)]
        for i, arrival in enumerate(waiting):
            if arrival.ttl == packet.ttl + 1:
                return waiting.pop(i)
        return waiting[0] if waiting else None

    def peer(self, packet):
        return (packet.target, packet.ports[1]) if self.outbound else (packet.source, packet.ports[0])

    def segments(self, peer):
        """(sequence number, bytes) of the TCP segments that arrived to or from a peer."""
        if not self.streams:
            for packet in self.packets:
                if packet.protocol == TCP and packet.has_ports and packet.tcp_data():
                    self.streams[self.peer(packet)].append(packet.tcp_segment())
        return self.streams[peer]

    def has_stream(self, packet):
        """Whether a merged or cut TCP segment's bytes all arrived at their places.
        A segment that arrived just like this, but under another header, is neither."""
        sequence, data = packet.tcp_segment()
        if (sequence, data) in self.segments(self.peer(packet)):
            return False
        found = bytearray(len(data))
        for arrived, bytes_in in self.segments(self.peer(packet)):
            at = (arrived - sequence + (1 << 31)) % (1 << 32) - (1 << 31)
            start, end = max(0, at), min(len(data), at + len(bytes_in))
            if start < end and data[start:end] == bytes_in[start - at:end - at]:
                found[start:end] = b"\1" * (end - start)
        return bool(data) and all(found)


class Comparison:
    def __init__(self, args):
        self.args, self.problems, self.counts = args, [], collections.Counter()
        self.lan = ipaddress.IPv4Network(args.lan_net)
        self.wan_address = ipaddress.IPv4Address(args.wan_address).packed
        self.own = [tuple(o.split("/")) for o in args.own.replace(",", " ").split()]

    def problem(self, what, packet):
        self.problems.append("%s: %s" % (what, packet))

    def is_lan(self, address):
        return ipaddress.IPv4Address(address) in self.lan

    def is_own(self, packet):
        """A packet that the gateway itself sent on the WAN, as the test announced."""
        name = {TCP: "tcp", UDP: "udp", ICMP: "icmp"}.get(packet.protocol)
        return (name, str(packet.ports[1])) in self.own or (name,) in self.own

    def check_wire(self, packet):
        if checksum(packet.header):
            self.problem("IP checksum", packet)
        if not self.args.offloads and packet.frame_length <= WHOLE_FRAME and not transport_valid(packet):
            self.problem("transport checksum", packet)

    def check_pieces(self, pieces, arrived, arrived_pieces, where):
        """Of datagrams that are not all here: each byte has arrived at its place."""
        known = Bytes(arrived, arrived_pieces)
        for piece in pieces:
            if not known.hold(piece):
                self.problem("%s: a piece that never arrived" % where, piece)
            if checksum(piece.header):
                self.problem("IP checksum", piece)
            self.counts[where + " in pieces"] += 1

    def check_leak(self, packet):
        inner = packet.quoted() if packet.is_icmp_error else packet
        if any(self.is_lan(a) for p in (packet, inner) for a in (p.source, p.target)):
            self.problem("LAN address on the WAN", packet)

    def check_departure(self, packet, arrivals, where):
        arrival = arrivals.take(packet)
        if arrival is None and where == "lan->wan" and self.is_own(packet):
            return
        if arrival is None:
            merged = packet.protocol == TCP and packet.has_ports and arrivals.has_stream(packet)
            # an SPI with several candidates is copied to each of them
            copied = packet.protocol == ESP and where == "wan->lan"
            reset = self.args.resets and where == "wan->lan" and packet.is_reset
            if not merged and not copied and not reset:
                self.problem("%s: never arrived like this" % where, packet)
                return
        elif arrival.ttl != packet.ttl + 1:
            self.problem("%s: TTL was %d" % (where, arrival.ttl), packet)
        self.check_wire(packet)
        self.counts[where] += 1

    def outbound(self, lan_in, wan_out):
        arrivals = Arrivals([p for p in lan_in if p.target != self.wan_address], True)
        for packet in wan_out:
            self.check_leak(packet)
            self.check_departure(packet, arrivals, "lan->wan")

    def inbound(self, wan_in, lan_out):
        arrivals = Arrivals(wan_in, False)
        for packet in lan_out:
            if not self.is_lan(packet.source) and packet.source != self.wan_address:
                self.check_departure(packet, arrivals, "wan->lan")

    def hairpin(self, lan_in, lan_out):
        arrivals = Arrivals([p for p in lan_in if p.target == self.wan_address or self.is_lan(p.target)], True, True)
        for packet in lan_out:
            # an error about a hairpinned packet is the gateway's own
            if packet.source == self.wan_address and not packet.is_icmp_error:
                self.check_departure(packet, arrivals, "hairpin")


def read(path):
    """IPv4 packets of a capture and the time of its last frame."""
    packets, last = [], 0
    for frame, meta in RawPcapReader(path):
        last = meta.sec + meta.usec / 1e6
        if frame[12:14] == b"\x08\x00" and len(frame) >= 34:
            packets.append(Packet(frame, last))
    return packets, last


def split(packets, gateway_mac, end):
    """Packets to and from the gateway; departures only until `end`, when both
    captures still ran, for their arrivals to be in the other one."""
    mac = bytes.fromhex(gateway_mac.replace(":", ""))
    arrived = [p for p in packets if p.source_mac != mac]
    return arrived, [p for p in packets if p.source_mac == mac and p.time <= end]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option in ("--lan-mac", "--wan-mac", "--lan-net", "--wan-address"):
        parser.add_argument(option, required=True)
    parser.add_argument("--offloads", action="store_true", help="checksums may be left to the NIC")
    parser.add_argument("--resets", action="store_true", help="the gateway may reset connections towards the LAN")
    parser.add_argument("--tunnel-ids", action="store_true", help="the gateway may replace L2TP tunnel ids")
    parser.add_argument("--pieces", action="store_true", help="datagrams may be cut or joined on the way; they are compared whole")
    parser.add_argument("--own", default="", help="the gateway's own traffic, as udp/53 or icmp")
    parser.add_argument("lan")
    parser.add_argument("wan")
    args = parser.parse_args()
    global TUNNEL_IDS
    TUNNEL_IDS = args.tunnel_ids
    (lan, lan_end), (wan, wan_end) = read(args.lan), read(args.wan)
    lan_in, lan_out = split(lan, args.lan_mac, min(lan_end, wan_end))
    wan_in, wan_out = split(wan, args.wan_mac, min(lan_end, wan_end))
    comparison = Comparison(args)
    if args.pieces:
        lan_in, lan_in_loose = rejoined(lan_in)
        lan_out, lan_out_loose = rejoined(lan_out)
        wan_in, wan_in_loose = rejoined(wan_in)
        wan_out, wan_out_loose = rejoined(wan_out)
        comparison.check_pieces(wan_out_loose, lan_in, lan_in_loose, "lan->wan")
        comparison.check_pieces(lan_out_loose, wan_in + lan_in, wan_in_loose + lan_in_loose, "wan->lan")
    comparison.outbound(lan_in, wan_out)
    comparison.inbound(wan_in, lan_out)
    comparison.hairpin(lan_in, lan_out)
    print("; ".join("%s %d" % c for c in sorted(comparison.counts.items())) or "nothing was forwarded")
    for line in comparison.problems[:20]:
        print(line)
    print("%d problems" % len(comparison.problems))
    return bool(comparison.problems)


if __name__ == "__main__":
    sys.exit(main())
