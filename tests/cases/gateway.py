# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway under test: a back end in a process, and the rows' verbs.

A row sends one packet and says what must come of it:

    g.lan(packet, sent=expected)       translated; every byte as scapy builds it
    g.wan(packet, sent=lambda port: expected)   the same, the gateway chose the port
    g.lan(packet, drop="reason")       and stack=, punt=

An expected packet's TTL is one less than the packet's, unless ttl= says more.
"""
import collections
import os
import re
import subprocess
import tempfile

import network
from packets import (E, LAN0, LAN1, PPP, ROUTES, TAP, WAN, Ether, IP, built, device_mac, for_device, neighbour_mac,
                     route_of)

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = os.path.join(TOP, "build/san/tests/cases")


def events():
    """Reasons that are counted beside a verdict."""
    with open(os.path.join(TOP, "core/reason.def"), encoding="utf-8") as file:
        return set(re.findall(r"^REASON\((\w+), EVENT,", file.read(), re.M))


EVENTS = events()
NO_RECORD = 0xffffffff
HZ = 1000

# the enums of core/abi.h
KINDS = {"orig": 1, "reply": 2, "mapping_inside": 3, "mapping_external": 4, "permit": 5, "host": 6, "next_hop": 7,
         "quoted": 8, "fragment": 9, "shared": 11, "claim": 12, "remote": 13, "station": 14}
CLASSES = {"plain": 0, "pptp": 1, "l2tp": 2, "ipsec": 3, "wireguard": 4, "openvpn": 5, "tunnel": 6}
DEVICES = [LAN0, LAN1, WAN, PPP]  # by slot
ID_NONE, ID_PORTS, ID_SPI, ID_CALL, ID_KEY, ID_IKE, ID_TUNNEL, ID_SESSION, ID_CONTROL = range(9)
TIMEOUT_ESP, TIMEOUT_GRE = 5, 6
STATIC_MAPPING, OPEN_MAPPING = 1, 2
HELPER_SESSION, STATIC_SESSION, WATCHED_SESSION, SHARED_SESSION, STUDIED_SESSION = 1, 8, 0x20, 0x40, 0x80
WAN_DEVICE, LAN_DEVICE, BARE_DEVICE, XDP_DEVICE = 1, 2, 4, 8
ENDPOINT_INDEPENDENT, ADDRESS_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT = range(3)
PUNT_DOWN, PUNT_TRANSLATE, PUNT_TRANSMIT, PUNT_SESSION, PUNT_CUT, PUNT_REST = 2, 4, 6, 8, 10, 12

Answer = collections.namedtuple("Answer", "verdict frame counters")


class Failed(AssertionError):
    """A row that came out differently."""


class BackendDied(Exception):
    """The back end's process ended: a crash or a sanitizer's report."""


class Result:
    """What became of a packet: `packet` as it left, `port` of our side in it, `counters` that moved."""

    def __init__(self, frame, counters, outbound):
        self.frame, self.counters = frame, counters
        self.packet = IP(frame[14:]) if len(frame) > 34 else None
        self.outbound = outbound

    @property
    def port(self):
        layer = self.packet.payload
        if self.packet.proto == 1:
            return layer.id
        return layer.sport if self.outbound else layer.dport


class Process:
    """The back end's program and its line protocol (case_protocol.h)."""

    def __init__(self, program):
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0", UBSAN_OPTIONS="print_stacktrace=1")
        # a file: a verifier's complaint is longer than a pipe, and read only in the end
        self.errors = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen([os.path.join(PROGRAMS, program)], stdin=subprocess.PIPE, env=env,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True)

    def ask(self, *words):
        """The lines before "ok", and the words after it."""
        self._write(words)
        return self._answer(words)

    def ask_many(self, questions):
        """The answers of many, asked before the first is read: a pipe holds 64 KiB."""
        for words in questions:
            self._write(words)
        return [self._answer(words) for words in questions]

    def _write(self, words):
        try:
            self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def _answer(self, words):
        lines = []
        for line in self.process.stdout:
            if line.startswith("ok"):
                return lines, line.split()[1:]
            if line.startswith("error"):
                raise Failed("%s: %s" % (" ".join(str(w) for w in words)[:200], line.strip()))
            lines.append(line)
        self.process.wait(10)
        self.errors.seek(0)
        raise BackendDied(self.errors.read()[-3000:])

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


def fields(values):
    return ["%s=%s" % item for item in values.items()]


class Gateway:
    """One back end through all cases; reset() before each."""

    def __init__(self, backend):
        self.backend = backend
        self.small_links, self.detours, self.ruled = set(), [], False
        self.gone = 0
        self.process = Process("case_run" if backend == "memory" else "case_run_bpf")
        self.prefix = "" if backend == "memory" else "tc_"
        self._interfaces()
        for prefix, device, hop in ROUTES:
            self._route(prefix, device, hop)

    def close(self):
        self._surroundings_end()  # the next back end is in the same network
        self.process.close()

    def _interfaces(self):
        flags = {LAN0: LAN_DEVICE | XDP_DEVICE, LAN1: LAN_DEVICE | XDP_DEVICE, WAN: WAN_DEVICE | XDP_DEVICE,
                 PPP: LAN_DEVICE | BARE_DEVICE}
        for slot, (ifindex, flag) in enumerate(flags.items()):
            self.process.ask("interface", slot, *fields(
                {"ifindex": ifindex, "mtu": 1500, "flags": flag, "mac": device_mac(ifindex)}))

    def _route(self, prefix, device, hop):
        """Neighbours differ in their MAC addresses, so each host has a route of its own in memory."""
        if self.backend != "memory":
            return
        network, length = prefix.split("/")
        if device and not hop:
            for host in (h for h in self.neighbours() if route_of(h)[0] == device):
                self.process.ask("route", host, 32, device, "0.0.0.0", device_mac(device), neighbour_mac(host))
        self.process.ask("route", network, length, device, hop or "0.0.0.0", device_mac(device),
                         neighbour_mac(hop) if hop else "00:00:00:00:00:00")

    @staticmethod
    def neighbours():
        import packets
        return [packets.A, packets.B, packets.C, packets.D, packets.N, packets.P]

    def mtu(self, ifindex, value):
        """Of a link, until the next reset."""
        self.small_links.add(ifindex)
        self.process.ask("interface", DEVICES.index(ifindex), "mtu=%d" % value)
        if self.backend == "memory":
            self.process.ask("mtu", ifindex, value)
        else:
            network.set_mtu(ifindex, value)

    def leaves(self, ifindex):
        """A link is in another network namespace now, with our programs, until the next reset."""
        self.process.ask("interface", DEVICES.index(ifindex), "ifindex=0")
        self.gone = ifindex
        self.config(elsewhere=ifindex, route_generation=100)

    def detour(self, prefix, device, hop, stack_mtu=1500):
        """The kernel's route to a prefix is another one now, until the next reset."""
        if self.backend == "memory":
            address, length = prefix.split("/")
            self.process.ask("route", address, length, device, hop, device_mac(device), neighbour_mac(hop))
            if stack_mtu != 1500:
                self.process.ask("stack_mtu", stack_mtu)
        else:
            network.route_add(prefix, device, hop, stack_mtu)
        self.detours.append(prefix)

    def rule(self, to, ip, **takes):
        """A rule of the kernel, until the next reset. @to: device and hop, None: unreachable. @ip: as ip-rule(8) says it;
        @takes: the same as fields of struct marked_route. As the daemon, the row says what is asked for."""
        device, hop = to or (0, "0.0.0.0")
        if self.backend == "memory":
            self.process.ask("rule", device, hop, *fields(takes))
        else:
            network.rule_add(ip, device, hop)
        self.ruled = True
        self.config(rules=1, asked_ends=2**64 - 1, asked_kind=2**64 - 1)

    def unrule(self):
        if self.backend == "memory":
            self.process.ask("unrule")
        else:
            network.rules_delete()
        self.ruled = False

    def route_mtu(self, index, **entry):
        """What the daemon has copied of a route."""
        self.process.ask("route_mtu", index, *fields(entry))
        self.config(route_mtus=index + 1)

    def marked_route(self, index, **rule):
        """What the daemon says of a rule by mark."""
        self.process.ask("marked_route", index, *fields(rule))
        self.config(marked_routes=index + 1)

    def _detour_end(self, prefix):
        if self.backend == "memory":
            self.process.ask("unroute")
        else:
            network.route_delete(prefix)

    # --- settings, time, records ---------------------------------------------------------
    def _surroundings_end(self):
        for ifindex in list(self.small_links):
            self.mtu(ifindex, 1500)
        self.small_links.clear()
        if self.gone:
            self.process.ask("interface", DEVICES.index(self.gone), "ifindex=%d" % self.gone)
            self.config(elsewhere=0)
            self.gone = 0
        if self.ruled:
            self.unrule()
        while self.detours:
            self._detour_end(self.detours.pop())

    def reset(self):
        self._surroundings_end()
        self.process.ask("reset")
        self.config(external=E, wan_ifindex=WAN, tap_ifindex=TAP, cut_ifindex=TAP)
        self.at(0)

    def config(self, **values):
        self.process.ask("config", *fields(values))

    def at(self, seconds):
        """Moves the data plane's clock; 0 is when the case began."""
        self.process.ask("clock", 1000000 + round(seconds * HZ))

    def switch(self, off=(), on=("pptp",)):
        """Passthrough: classes that are blocked, classes that are assisted."""
        self.config(blocked=sum(1 << CLASSES[c] for c in off), assisted=sum(1 << CLASSES[c] for c in on))

    def daemon_lives(self, seconds=3):
        """The daemon's heartbeat: it says until when it lives; `seconds` from the case's begin."""
        self.config(daemon_until=1000000 + round(seconds * HZ))

    def insert(self, kind, **values):
        """A record as the daemon would write it; its index."""
        return int(self.process.ask("insert", "kind=%d" % KINDS[kind], *fields(values))[1][0])

    def change(self, index, **values):
        self.process.ask("change", index, *fields(values))

    def pair(self, first, second):
        """Two inserted records become each other's partner."""
        self.change(first, partner=second)
        self.change(second, partner=first)

    def records(self, kind=None, **wanted):
        """LIVE records as dicts, those that match."""
        found = []
        for line in self.process.ask("records")[0]:
            values = dict(word.split("=", 1) for word in line.split())
            record = {k: int(v) if v.isdigit() else v for k, v in values.items()}
            if record["state"] != "live" or (kind and record["kind"] != KINDS[kind]):
                continue
            if all(record.get(k) == v for k, v in wanted.items()):
                found.append(record)
        return found

    def complaints(self):
        """What ICMP has said of tunnels (core/complaint.h), as dicts."""
        lines = self.process.ask("complaints")[0]
        found = [dict(word.split("=", 1) for word in line.split()) for line in lines]
        return [{k: int(v) if v.isdigit() else v for k, v in values.items()} for values in found]

    def forward(self, protocol, port, inside, inside_port):
        """A port forward, as the daemon makes one."""
        common = {"protocol": protocol, "id_type": ID_PORTS, "flags": STATIC_MAPPING | OPEN_MAPPING}
        self.pair(self.insert("mapping_inside", local=inside, local_id=inside_port, new_local=E, new_id=port, **common),
                  self.insert("mapping_external", local=E, local_id=port, new_local=inside, new_id=inside_port,
                              **common))

    # --- packets -----------------------------------------------------------------------------
    def lan(self, packet, device=LAN0, **expected):
        return self._row("inside", device, packet, expected)

    def wan(self, packet, device=WAN, **expected):
        return self._row("outside", device, packet, expected)

    def local(self, packet):
        """A packet of the gateway's own on its way out through the WAN."""
        return self._row("local", WAN, packet, {"stack": None})

    def frame(self, program, ifindex, data, segment=0):
        """Any bytes through one program."""
        return self._frame_answer(self.process.ask("frame", program, ifindex, segment, bytes(data).hex())[1])

    def many(self, side, device, frames, at_once=64):
        """Frames, one after the other, the way they would go; their answers."""
        program = ("xdp_" if self.backend == "xdp" else self.prefix) + side
        for start in range(0, len(frames), at_once):
            part = frames[start:start + at_once]
            asked = [("frame", program, device, 0, for_device(data, device).hex()) for data in part]
            for data, (_, words) in zip(part, self.process.ask_many(asked)):
                answer = self._frame_answer(words)
                yield self.frame("tc_" + side, device, for_device(data, device)) if answer.verdict == "leave" else answer

    def race(self, side, device, first, second):
        """Two frames at the same moment, on two processors: (verdict, frame) of each, counters of both."""
        program = ("xdp_" if self.backend == "xdp" else self.prefix) + side
        words = self.process.ask("race", program, device, *(for_device(data, device).hex() for data in (first, second)))[1]
        counters = self._frame_answer([words[0], *words[4:]]).counters
        return [(verdict, bytes.fromhex(text)) for verdict, text in (words[0:2], words[2:4])], counters

    @staticmethod
    def _frame_answer(words):
        text = words[1] if len(words) > 1 and "=" not in words[1] else ""
        counters = {}
        for word in words[1:]:
            if "=" in word:
                name, counts = word.split("=")
                counters[name] = tuple(int(n) for n in counts.split("/"))
        return Answer(words[0], bytes.fromhex(text), counters)

    def run(self, side, ifindex, data, leave=None, segment=0):
        """One frame the way it would go on this back end: XDP first where there is XDP.

        leave: True/False: XDP must or must not leave it to TC; None: either.
        """
        events = {}
        data = for_device(data, ifindex)
        if self.backend == "xdp" and side in ("inside", "outside"):
            answer = self.frame("xdp_" + side, ifindex, data)
            if answer.verdict != "leave":
                self._check(not leave, "XDP decided what it should leave to TC")
                return answer
            self._check(answer.frame == data, "XDP changed a frame that it left")
            self._check(leave in (None, True), "XDP left the frame to TC")
            events = answer.counters
        answer = self.turned(self.frame(self.prefix + side, ifindex, data, segment))
        return answer._replace(counters={**events, **answer.counters})

    def quick(self, data, side="inside", device=LAN0):
        """Of a frame of packets.quick(): answer, and source port as sent. No other byte is compared."""
        answer = self.run(side, device, data)
        return answer, int.from_bytes(answer.frame[34:36], "big")

    def turned(self, answer):
        """A hairpinned frame goes round by the tap and comes in again; only where it arrives counts."""
        if self.backend == "memory" or answer.verdict != "forward" or answer.frame[0] != PUNT_TRANSLATE:
            return answer
        again = self.frame("tc_tap", TAP, answer.frame)
        return again._replace(counters={**{k: v for k, v in answer.counters.items() if k in EVENTS}, **again.counters})

    @staticmethod
    def _check(good, message):
        if not good:
            raise Failed(message)

    def _row(self, side, device, packet, expected):
        bare = expected.pop("bare", False)
        raw = bytes(packet)
        head = b"" if bare else bytes(Ether(dst=device_mac(device), src="52:54:00:00:99:99", type=0x800))
        sent, segment, ttl = expected.pop("sent", None), expected.pop("segment", 0), expected.pop("ttl", None)
        leave = expected.pop("leave", self._leaves(raw, sent, expected))
        answer = self.run(side + ("_bare" if bare else ""), device, head + raw, leave, segment)
        result = Result(answer.frame, answer.counters, side == "inside")
        if sent is not None:
            self._sent(answer, result, raw, sent, ttl)
            return result
        if "cut" in expected:
            self._cut(answer, raw, expected["cut"])
            return result
        (verdict, reason), = expected.items()
        self._stopped(answer, verdict, reason, head + raw, bare)
        return result

    @staticmethod
    def _leaves(raw, sent, expected):
        """What XDP must do where the row does not say: it leaves ICMP errors that it would translate to TC."""
        if sent is None:
            return False if "drop" in expected else None
        return raw[9] == 1 and raw[(raw[0] & 15) * 4] in (3, 11, 12)

    def _sent(self, answer, result, raw, expected, ttl):
        self._verdict(answer, "forward", "forwarded", len(raw))
        if callable(expected):
            expected = expected(result.port)
        expected = expected.copy()
        expected.ttl = raw[8] - 1 if ttl is None else ttl
        expected = bytes(expected)
        device, hop = route_of(built(expected).dst)
        if device != PPP:
            head = bytes(Ether(dst=neighbour_mac(hop), src=device_mac(device), type=0x800))
            self._same(answer.frame[:14], head, "Ethernet header")
        self._same(answer.frame[14:], expected, "packet")

    def _cut(self, answer, raw, expected):
        """Translated whole; where it goes stands in place of the MAC addresses."""
        self._verdict(answer, "cut", "forwarded", len(raw))
        expected = expected.copy()
        expected.ttl = raw[8] - 1
        self._same(answer.frame[14:], bytes(expected), "packet")

    def _stopped(self, answer, verdict, reason, frame, bare):
        self._verdict(answer, verdict, reason, len(frame) - (0 if bare else 14))
        if verdict != "punt":
            self._same(answer.frame, frame, "frame that was not sent on")
            return
        head = 0 if bare else 14
        self._same(answer.frame[14:], frame[head:], "punted packet")
        self._check(answer.frame[0] == PUNT_DOWN, "punt record")

    def _verdict(self, answer, verdict, reason, length):
        moved = {k: v for k, v in answer.counters.items() if k not in EVENTS}
        wanted = {reason: (1, length)} if reason else {}
        if answer.verdict != verdict or moved != wanted:
            raise Failed("verdict %s %s, expected %s %s" % (answer.verdict, moved, verdict, wanted))

    @staticmethod
    def _same(got, expected, what):
        if got == expected:
            return
        text = "%s differs\n  got      %s\n  expected %s" % (what, got.hex(), expected.hex())
        if what == "packet":
            text += "\n  got      %s\n  expected %s" % (IP(got).__repr__(), IP(expected).__repr__())
        raise Failed(text)

    # --- what must hold after every case -----------------------------------------------------
    def check_records(self):
        """One LIVE record a key; both halves of a session; references are sessions."""
        live = self.records()
        by_index = {r["record"]: r for r in live}
        keys = collections.Counter(tuple(r[k] for k in ("kind", "protocol", "id_type", "remote", "local", "id"))
                                   for r in live)
        self._check(all(n == 1 for n in keys.values()), "two records with one key")
        for r in live:
            if r["kind"] == KINDS["orig"]:
                partner = by_index.get(r["partner"])
                self._check(partner and partner["kind"] == KINDS["reply"] and partner["partner"] == r["record"],
                            "a session with one half: %s" % r)
        self._check_references(live)

    def _check_references(self, live):
        def used(r):
            return r["protocol"], r["local"], r["local_id"]
        users = collections.Counter(used(r) for r in live if r["kind"] == KINDS["reply"] and
                                    r["partner"] != NO_RECORD and r["id_type"] != ID_KEY)
        for m in live:
            if m["kind"] == KINDS["mapping_external"]:
                sessions = 0 if m["id_type"] == ID_KEY else users[used(m)]
                self._check(m["references"] == sessions, "%d references, %d sessions" % (m["references"], sessions))
