#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Seeds from captures: make_capture_seeds.py OUT FOLDER

All frames of all captures in FOLDER, and the IKE messages FOLDER/seeds/*.dat, for the
targets that they fit, each in its input format: OUT/core (every IPv4 packet, as it came
and between the fuzzer's own addresses), OUT/pptp_wire and OUT/l2tp_wire (each control
message), OUT/pptp and OUT/l2tp (conversations), OUT/ike_port and OUT/esp_pairing (who said
what when). A story that is too long for one input goes on in the next.
"""
import glob
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))

# pylint: disable=wrong-import-position
import captures
from replay import Ip

TCP, UDP, ESP = 6, 17, 50
A, E, S = bytes((10, 0, 0, 10)), bytes((198, 51, 100, 2)), bytes((203, 0, 113, 5))
OUT, IN = 0, 1
LONGEST, PACKET_MOST = 4000, 1600
EXCHANGES = {34: 0, 35: 1, 36: 2, 37: 3, 2: 4, 4: 5, 5: 6, 32: 7}


class Story:
    """Packets of a capture; the first sender is inside."""

    def __init__(self, path):
        self.packets = [Ip(f[14:]) for f in captures.frames(path) if f[12:14] == captures.IPV4]
        self.good = [p for p in self.packets if p.good]
        self.ours = self.good[0].ends[0] if self.good else b""
        self.hosts, self.servers = [], []

    def is_out(self, ip):
        return ip.ends[0] == self.ours

    def ends(self, ip):
        """Small numbers for the inside host and the server."""
        inside, server = ip.ends if self.is_out(ip) else ip.ends[::-1]
        for known, address in ((self.hosts, inside), (self.servers, server)):
            if address not in known:
                known.append(address)
        return self.hosts.index(inside), self.servers.index(server)


def parts(pieces):
    """Joined to inputs of at most LONGEST bytes."""
    data = b""
    for piece in pieces:
        if data and len(data) + len(piece) > LONGEST:
            yield data
            data = b""
        data += piece
    if data:
        yield data


# --- fuzz_core -------------------------------------------------------------------------------
def raw(out, data):
    data = bytes(data)[:PACKET_MOST]
    return bytes([4, out]) + struct.pack("!H", len(data)) + data


def moved(ip, out):
    copy = Ip(ip.data)
    copy.move(*((A, S) if out else (S, E)))
    return copy.data


def core(story):
    alive = bytes([9, 15])
    yield from parts(raw(n & 1, p.data) for n, p in enumerate(story.packets))
    for data in parts(raw(story.is_out(p), moved(p, story.is_out(p))) + bytes([5, 3]) for p in story.good):
        yield data + bytes(10)
        yield alive + data + bytes(10)


# --- the readers of control messages -----------------------------------------------------------
def tcp_data(ip):
    return bytes(ip.payload[(ip.payload[12] >> 4) * 4:]) if len(ip.payload) >= 20 else b""


def control(story, protocol, port):
    return [p for p in story.good if p.protocol == protocol and not p.piece and port in p.ids]


def pptp_segment(story, ip):
    data = tcp_data(ip)[:255]
    return bytes([(OUT if story.is_out(ip) else IN) | 2, ip.payload[13] & 0x17, 0, len(data)]) + data


def pptp(story):
    yield from parts(pptp_segment(story, p) for p in control(story, TCP, 1723))


def pptp_wire(story):
    yield from filter(None, map(tcp_data, control(story, TCP, 1723)))


def l2tp_wire(story):
    return (bytes(p.payload[8:]) for p in control(story, UDP, 1701))


def l2tp(story):
    said = (bytes([OUT if story.is_out(p) else IN]) + struct.pack("!H", len(p.payload) - 8) + bytes(p.payload[8:])
            for p in control(story, UDP, 1701))
    for data in parts(said):
        yield b"\0" + data


# --- who said what ------------------------------------------------------------------------------
def ike_header(ip):
    """The header's bytes, or None."""
    data = bytes(ip.payload[8:])
    if 4500 in ip.ids and data[:4] == bytes(4):
        data = data[4:]
    return data if len(data) >= 28 else None


def ike_byte(header):
    return (EXCHANGES.get(header[18], 0) | (8 if header[17] >> 4 == 1 else 0) | (header[0] & 15) << 4,
            (header[1] & 7) << 5 | (16 if header[16] in (46, 53) else 0) | (8 if header[19] & 0x20 else 0) |
            (4 if header[19] & 1 else 0) | header[23] & 3)


def ike_step(out, host, server, header):
    responder = 0 if header[8:16] == bytes(8) else 1 + header[8] % 3
    kind, flags = ike_byte(header)
    return bytes([0 if out else 1, host & 7 | 16 | responder << 6, server & 3, kind, flags])


def ike_port(story):
    yield from parts(ike_step(story.is_out(p), *story.ends(p), ike_header(p))
                     for port in (500, 4500) for p in control(story, UDP, port) if ike_header(p))


def esp_step(story, ip):
    host, server = story.ends(ip)
    if ip.protocol == ESP:
        return bytes([0 if story.is_out(ip) else 1, host & 7 if story.is_out(ip) else ip.payload[7], server & 3,
                      ip.payload[3]])
    header = ike_header(ip)
    kind, flags = ike_byte(header)
    return bytes([2, host & 7 | (header[0] & 31) << 3, kind & 15 | (0 if story.is_out(ip) else 32) | (flags & 16), flags])


def esp_pairing(story):
    wanted = [p for p in story.good if not p.piece and len(p.payload) >= 8 and (
        p.protocol == ESP or p.protocol == UDP and {500, 4500} & set(p.ids) and ike_header(p))]
    yield from parts(esp_step(story, p) for p in wanted)


TARGETS = (core, pptp, pptp_wire, l2tp, l2tp_wire, ike_port, esp_pairing)


def udp(source, target, data):
    """An IPv4 packet from and to port 500."""
    header = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(data), 0, 0, 64, UDP, 0) + source + target
    ip = Ip(header + struct.pack("!HHHH", 500, 500, 8 + len(data), 1) + data)
    ip.move(source, target)
    return bytes(ip.data)


def messages(folder):
    """The IKE messages that lie there alone: {target: inputs}."""
    found = {"core": [], "ike_port": []}
    for path in sorted(glob.glob(os.path.join(folder, "seeds", "*.dat"))):
        with open(path, "rb") as file:
            data = file.read()[:1400]
        found["core"].append(bytes([9, 15]) + raw(1, udp(A, S, data)) + raw(0, udp(S, E, data)) + bytes(10))
        if len(data) >= 28:
            found["ike_port"].append(ike_step(True, 1, 1, data) + ike_step(False, 1, 1, data))
    return found


def write(out, target, name, data):
    folder = os.path.join(out, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def main():
    out, folder = sys.argv[1:3]
    paths = captures.in_folder(folder)
    if not paths:
        print("# SKIP seeds from captures: none in %s" % folder)
    for path in paths:
        story, name = Story(path), os.path.basename(path).split(".")[0]
        for target in TARGETS:
            for number, data in enumerate(target(story)):
                write(out, target.__name__, "%s-%d" % (name, number), data)
    for target, inputs in messages(folder).items():
        for number, data in enumerate(inputs):
            write(out, target, "message-%d" % number, data)


if __name__ == "__main__":
    main()
