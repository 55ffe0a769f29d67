#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Replays captures through a running gateway, a packet at a time.

replay.py LAN-NAMESPACE WAN-NAMESPACE GATEWAY-LAN-MAC GATEWAY-WAN-MAC RUN_DIR WAYLEAVE TABLE CAPTURE...

Both namespaces hold an eth0 that the gateway reaches all hosts by: the LAN's are
10.0.N.x and the WAN's 198.18.N.x for the Nth capture. Of two addresses in a capture
the one that sends first is inside. Addresses, checksums and, of what comes back, the
external port are rewritten; everything else stays as captured, cut frames too.

After each packet there has to be one of two things within LIMIT_S: the packet itself
on the other side (compare.py says what may differ), or a counter that says why not.
TABLE names the reasons of each capture that are expected; no other may be counted.
Prints a line "ok CAPTURE: ..." or "not ok CAPTURE: ..." for each, and what was wrong.
"""
import collections
import ctypes
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

import compare
from captures import ARP, IPV4, frames

LIMIT_S = 8.0  # for an answer of the daemon on a busy machine
SOON_S = 0.02  # before the counters are asked
EXTERNAL = socket.inet_aton("203.0.113.1")
TCP, UDP, ICMP, GRE, ESP = 6, 17, 1, 47, 50
REFUSED, KEPT = "drop", {"ttl_exceeded_outbound", "too_big_outbound", "no_route", "to_gateway", "local_flow"}
PACKET_OUTGOING = 4


# --- rewriting ------------------------------------------------------------------------------
def put(data, at, value):
    data[at:at + len(value)] = value


def with_sum(data, at, total):
    put(data, at, struct.pack("!H", total))


def pseudo(ip, length):
    return bytes(ip[12:20]) + struct.pack("!BBH", 0, ip[9], length)


def delta(check, old, new):
    """RFC 1624: the checksum after @old has become @new."""
    words = struct.unpack("!%dH" % (len(old) // 2), old), struct.unpack("!%dH" % (len(new) // 2), new)
    total = (~check & 0xFFFF) + sum(~w & 0xFFFF for w in words[0]) + sum(words[1])
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Ip:
    """An IPv4 packet to be rewritten; too short or odd ones keep what they have."""

    def __init__(self, data):
        self.data = bytearray(data)
        self.header = (data[0] & 15) * 4 if len(data) >= 20 else 0
        self.good = len(data) >= 20 and 20 <= self.header <= len(data) and data[0] >> 4 == 4
        self.total = struct.unpack("!H", data[2:4])[0] if self.good else 0
        self.offset = struct.unpack("!H", data[6:8])[0] & 0x1FFF if self.good else 0
        self.piece = self.good and struct.unpack("!H", data[6:8])[0] & 0x3FFF != 0

    @property
    def protocol(self):
        return self.data[9]

    @property
    def ends(self):
        return bytes(self.data[12:16]), bytes(self.data[16:20])

    @property
    def payload(self):
        return self.data[self.header:self.total]

    @property
    def check_at(self):
        """Where the transport's checksum is; None: there is none."""
        at = {TCP: 16, UDP: 6}.get(self.protocol)
        return self.header + at if at and not self.offset and len(self.payload) >= at + 2 else None

    @property
    def ids(self):
        """(source's, destination's) of TCP, UDP; ICMP's id twice; else nothing."""
        if self.offset or len(self.payload) < 8:
            return 0, 0
        if self.protocol in (TCP, UDP):
            return struct.unpack("!HH", self.payload[:4])
        return struct.unpack("!H", self.payload[4:6]) * 2 if self.protocol == ICMP else (0, 0)

    def move(self, source, target, port=None):
        """Other ends, and another destination port; checksums as before, or right where all of it is here."""
        old = bytes(self.data[12:20])
        put(self.data, 12, source + target)
        new = bytes(self.data[12:20])
        if port is not None and self.ids != (0, 0):
            at = self.header + (4 if self.protocol == ICMP else 2)
            old, new = old + self.data[at:at + 2], new + struct.pack("!H", port)
            put(self.data, at, struct.pack("!H", port))
        self.sums(bytes(old), bytes(new))

    def sums(self, old, new):
        put(self.data, 10, b"\0\0")
        with_sum(self.data, 10, compare.checksum(bytes(self.data[:self.header])))
        at, length = self.check_at, self.total - self.header
        whole = not self.piece and self.total <= len(self.data)
        if self.protocol == ICMP and whole and length >= 8:
            self.sum_whole(self.header + 2, b"")
        elif at and (self.protocol == TCP or self.data[at:at + 2] != b"\0\0"):
            if whole and (self.protocol == TCP or self.data[at - 2:at] == struct.pack("!H", length)):
                self.sum_whole(at, pseudo(self.data, length))
            else:
                with_sum(self.data, at, delta(struct.unpack("!H", self.data[at:at + 2])[0], old, new))

    def sum_whole(self, at, before):
        put(self.data, at, b"\0\0")
        total = compare.checksum(before + bytes(self.payload))
        with_sum(self.data, at, total or (0xFFFF if self.protocol == UDP else 0))


# --- PPTP's call ids (RFC 2637), which the servers of a capture know as they came out ------------
OWN_ID, PEER_ID = {7: 12, 8: 12, 9: 12, 10: 12}, {8: 14, 10: 14, 11: 12, 14: 12, 15: 12}


def pptp_ids(data, places):
    """(offset, id) of each message in @data that has one there."""
    at = 0
    while len(data) >= at + 16 and data[at + 4:at + 8] == struct.pack("!I", compare.PPTP_MAGIC):
        length, kind = struct.unpack("!H", data[at:at + 2])[0], struct.unpack("!H", data[at + 8:at + 10])[0]
        if kind in places:
            place = at + places[kind]
            yield place, bytes(data[place:place + 2])
        at += max(length, 16)


class Calls:
    """Call ids of inside hosts as they are outside."""

    def __init__(self):
        self.outside = {}

    def learn(self, sent, came):
        pairs = zip(pptp_ids(sent.tcp_data(), OWN_ID), pptp_ids(came.tcp_data(), OWN_ID))
        self.outside.update((inside[1], outside[1]) for inside, outside in pairs)

    def move(self, ip):
        """What comes from outside names them as they went out; before the checksums are made."""
        if ip.piece:
            return
        if ip.protocol == GRE and compare.gre_kept(bytes(ip.payload)) != ip.payload:
            at = ip.header + 6
            put(ip.data, at, self.outside.get(bytes(ip.data[at:at + 2]), ip.data[at:at + 2]))
        elif ip.protocol == TCP and 1723 in ip.ids and len(ip.payload) >= 20:
            start = ip.header + (ip.payload[12] >> 4) * 4
            for at, call in pptp_ids(ip.data[start:ip.total], PEER_ID):
                put(ip.data, start + at, self.outside.get(call, call))


# --- who is inside --------------------------------------------------------------------------
class Hosts:
    """The stage's addresses for those of one capture."""

    def __init__(self, number):
        self.number, self.first, self.known = number, {}, {}

    def place(self, network, address):
        """As it is when it is no host's: multicast, reserved."""
        if address[0] >= 224:
            return address
        of = self.known.setdefault(network, {})
        of.setdefault(address, len(of) + 1)
        return bytes((*network, self.number, of[address]))

    def inside(self, address):
        return self.place((10, 0), address)

    def remote(self, address):
        return self.place((198, 18), address)

    def outbound(self, ip):
        """Whether it is the one of the two that spoke first."""
        source, target = ip.ends
        ids = ip.ids if source == target else (0, 0)
        mine = source, ids[0]
        return self.first.setdefault(frozenset((mine, (target, ids[1]))), mine) == mine

    def move(self, ip, translation, calls):
        """Rewrites @ip; whether it is from inside."""
        source, target = ip.ends
        out = self.outbound(ip)
        if ip.protocol == ICMP and len(ip.payload) >= 36 and ip.payload[0] in compare.ICMP_ERRORS and not ip.piece:
            self.move_quote(ip, out)
        if out:
            ip.move(self.inside(source), self.remote(target))
        else:
            to = self.inside(target)
            calls.move(ip)
            ip.move(self.remote(source), EXTERNAL, translation.get((ip.protocol, to, ip.ids[1])))
        return out

    def move_quote(self, ip, out):
        """The quoted packet went the other way."""
        quote = Ip(ip.data[ip.header + 8:])
        if quote.good:
            source, target = quote.ends
            quote.move(*((self.remote(source), self.inside(target)) if out else (EXTERNAL, self.remote(target))))
            put(ip.data, ip.header + 8, quote.data)


def identity(packet, out):
    """As compare.py has it; what is too short to have one is itself."""
    try:
        return compare.identity(packet, out)
    except (IndexError, struct.error):
        return packet.protocol, packet.fragment, packet.payload


# --- the wires ------------------------------------------------------------------------------
def enter(namespace):
    with open("/run/netns/" + namespace, "rb") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")


class Side:
    """eth0 of a namespace, and what the gateway has sent there that nobody has claimed yet."""

    def __init__(self, namespace, gateway_mac, network):
        enter(namespace)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)
        self.socket.bind(("eth0", 3))
        self.mac = self.socket.getsockname()[4]
        self.gateway = bytes.fromhex(gateway_mac.replace(":", ""))
        self.network, self.arrived, self.odd = network, [], []

    def send(self, kind, payload):
        self.socket.send((self.gateway + self.mac + kind + payload).ljust(60, b"\0"))

    def is_replayed(self, frame):
        return frame[12:14] == IPV4 and len(frame) >= 34 and any(
            frame[at:at + 2] == self.network for at in (26, 30))

    def receive(self):
        while select.select([self.socket], [], [], 0)[0]:
            frame, address = self.socket.recvfrom(65535)
            if address[2] == PACKET_OUTGOING:
                continue
            if frame[12:14] not in (IPV4, ARP):
                self.odd.append(frame)
            elif self.is_replayed(frame):
                self.arrived.append(compare.Packet(frame, time.monotonic()))


class Gateway:
    def __init__(self, run_dir, program):
        self.command = [program, "-r", run_dir, "--json"]
        self.kinds = {}

    def ask(self, *words):
        run = subprocess.run([*self.command, *words], capture_output=True, text=True, check=False)
        if run.returncode:
            sys.exit("wayleave %s: %s" % (" ".join(words), run.stderr))
        return json.loads(run.stdout)

    def counters(self):
        """Packets by reason, of those that answer what became of one."""
        rows = self.ask("show", "counters")
        self.kinds.update((r["name"], r["kind"]) for r in rows)
        return collections.Counter({r["name"]: r["count"] for r in rows})


# --- one capture ----------------------------------------------------------------------------
class Replay:
    def __init__(self, number, gateway, lan, wan):
        self.hosts, self.gateway, self.lan, self.wan = Hosts(number), gateway, lan, wan
        self.translation = {}  # (protocol, inside, id) -> external id
        self.calls = Calls()
        self.owner = {}  # (protocol, external id) -> inside
        self.flows, self.closed = set(), set()
        self.waiting = []  # pieces that the daemon keeps: (packet, out, ip)
        self.counts, self.problems = collections.Counter(), []
        self.counters = gateway.counters()

    def problem(self, text, *about):
        self.problems.append(" ".join((text, *map(str, about))))

    # --- a packet and its answer ---
    def note_flow(self, sent, came, out):
        if not out or sent.is_fragment and sent.fragment & 0x1FFF:
            return
        ip, translated = Ip(sent.ip), Ip(came.ip)
        self.translation[(sent.protocol, sent.source, ip.ids[0])] = translated.ids[0]
        self.owner[(sent.protocol, translated.ids[0])] = sent.source
        if sent.protocol == TCP and 1723 in ip.ids:  # the control connection of calls
            self.calls.learn(sent, came)
            self.flows.add((GRE, sent.source, sent.target))
            self.closed.add((GRE, sent.source, sent.target))
        if sent.protocol == TCP and sent.has_ports and len(sent.payload) > 13 and sent.payload[13] & 5:
            self.closed.add((sent.protocol, sent.source, sent.target))
        self.flows.add((sent.protocol, sent.source, sent.target))

    def claim(self, sent, out, to):
        """The arrival that @sent is; None: not there yet."""
        wanted = identity(sent, out)
        for number, came in enumerate((self.wan if out else self.lan).arrived):
            if came.protocol == sent.protocol and identity(came, out) == wanted:
                (self.wan if out else self.lan).arrived.pop(number)
                self.check(sent, came, out, to)
                return came
        return None

    def check(self, sent, came, out, to):
        if came.ttl != sent.ttl - 1:
            self.problem("TTL not one less:", came)
        if compare.checksum(came.header):
            self.problem("IP checksum:", came)
        if compare.transport_valid(sent) and not compare.transport_valid(came):
            self.problem("transport checksum:", came)
        if out and came.source != EXTERNAL:
            self.problem("not from the external address:", came)
        if not out and came.target != to:
            self.problem("reached the wrong host:", came)
        self.note_flow(sent, came, out)

    def claim_waiting(self):
        self.waiting = [w for w in self.waiting if not self.claim(*w)]

    def news(self):
        """Whether something was counted since the last look that answers what became of a packet."""
        now = self.gateway.counters()
        more, self.counters = now - self.counters, now
        self.counts.update(more)
        return any(map(self.is_answer, more))

    def is_answer(self, name):
        return self.gateway.kinds[name] == REFUSED or name in KEPT

    def answered(self, sent, out, to):
        """Waits for the packet or a counter; False: neither came."""
        end, soon = time.monotonic() + LIMIT_S, time.monotonic() + SOON_S
        while time.monotonic() < end:
            self.lan.receive()
            self.wan.receive()
            if self.claim(sent, out, to):
                return True
            if time.monotonic() > soon:
                if self.news():
                    return True
                if sent.is_fragment:
                    self.waiting.append((sent, out, to))
                    return True
                soon = time.monotonic() + 5 * SOON_S
            select.select([self.lan.socket, self.wan.socket], [], [], 0.001)
        return False

    def packet(self, ip):
        target = ip.ends[1]
        out = self.hosts.move(ip, self.translation, self.calls)
        to = self.owner.get((ip.protocol, ip.ids[1]), self.hosts.inside(target))
        (self.lan if out else self.wan).send(IPV4, bytes(ip.data))
        sent = compare.Packet(bytes(14) + bytes(ip.data), time.monotonic())
        if not self.answered(sent, out, to):
            self.problem("went nowhere and was not counted:", sent)
        self.claim_waiting()

    def frame(self, frame):
        ip = Ip(frame[14:])
        if frame[12:14] == IPV4 and ip.good:
            self.packet(ip)
        else:  # from both sides: whatever it is, it may not come out
            for side in (self.lan, self.wan):
                side.send(frame[12:14], frame[14:])

    # --- afterwards ---
    def settle(self):
        """What the daemon keeps comes out or is counted."""
        end = time.monotonic() + LIMIT_S
        while self.waiting and time.monotonic() < end and not self.news():
            self.lan.receive()
            self.wan.receive()
            self.claim_waiting()
            time.sleep(0.01)
        time.sleep(0.05)
        self.news()
        for side in (self.lan, self.wan):
            side.receive()

    def check_strays(self):
        """What came out and was nobody's: errors about what was refused are the gateway's answer."""
        for side in (self.lan, self.wan):
            for packet in side.arrived:
                if not packet.is_icmp_error:
                    self.problem("came out and was never sent like this:", packet)
            for frame in side.odd:
                self.problem("a frame of another protocol came out:", frame[:18].hex())
            side.arrived.clear()
            side.odd.clear()

    def check_sessions(self):
        number = {"tcp": TCP, "udp": UDP, "icmp": ICMP, "gre": GRE, "esp": ESP}
        seen = set()
        for s in self.gateway.ask("show", "sessions"):
            inside = socket.inet_aton(s["inside"])
            if inside[:3] != bytes((10, 0, self.hosts.number)):
                continue
            protocol = number.get(s["protocol"]) or int(s["protocol"])
            seen.add((protocol, inside, socket.inet_aton(s["remote"])))
        for flow in seen - self.flows:
            self.problem("a session that no packet asked for:", flow)
        for flow in self.flows - seen - self.closed:
            self.problem("no session of a flow that passed:", flow)

    def check_reasons(self, expected):
        found = set(filter(self.is_answer, self.counts))
        for name in sorted(found - expected):
            self.problem("counted %d and not expected:" % self.counts[name], name)
        for name in sorted(expected - found):
            self.problem("expected and not counted:", name)


def expectations(path):
    """{capture: reasons}; a line is a capture and its reasons, # begins a comment."""
    table = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            words = line.split("#")[0].split()
            if words:
                table[words[0]] = set(words[1:])
    return table


def replay(path, number, gateway, sides, expected):
    run, count = Replay(number, gateway, *sides), 0
    for frame in frames(path):
        run.frame(frame)
        count += 1
    run.settle()
    run.check_strays()
    run.check_sessions()
    run.check_reasons(expected)
    dropped = sum(c for n, c in run.counts.items() if gateway.kinds[n] == REFUSED)
    print("%sok %s: %d frames, %d refused, %d flows" % (
        "not " if run.problems else "", os.path.basename(path), count, dropped, len(run.flows)), flush=True)
    for line in run.problems[:12]:
        print("#   " + line)


def main():
    lan_ns, wan_ns, lan_mac, wan_mac, run_dir, program, table = sys.argv[1:8]
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    sides = Side(lan_ns, lan_mac, bytes((10, 0))), Side(wan_ns, wan_mac, bytes((198, 18)))
    ctypes.CDLL(None).setns(home, 0x40000000)
    expected = expectations(table)
    gateway = Gateway(run_dir, program)
    for number, path in enumerate(sys.argv[8:], 1):
        replay(path, number, gateway, sides, expected.get(os.path.basename(path), set()))


if __name__ == "__main__":
    main()
