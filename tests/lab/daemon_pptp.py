#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One PPTP call through the gateway, byte by byte (RFC 2637).

  daemon_pptp.py server            waits on TCP 1723, answers one call, echoes its GRE
  daemon_pptp.py client SERVER ID  opens a call with call id ID; GRE both ways; prints
                                   what it saw and exits 0 when all of it was right
"""
import socket
import struct
import sys

MAGIC = 0x1A2B3C4D
SERVER_CALL = 0x4242
GRE = 47


def message(kind, body):
    return struct.pack("!HHIHH", 12 + len(body), 1, MAGIC, kind, 0) + body


def read_message(stream):
    head = stream.recv(2, socket.MSG_WAITALL)
    if len(head) < 2:
        return None, b""
    rest = stream.recv(struct.unpack("!H", head)[0] - 2, socket.MSG_WAITALL)
    return struct.unpack_from("!H", rest, 6)[0], rest[10:]


def gre_packet(call, payload):
    """RFC 2637 section 4.1: key and sequence number present, version 1."""
    return struct.pack("!HHHHI", 0x3001, 0x880B, len(payload), call, 0) + payload


def gre_receive(raw):
    packet = raw.recv(2000)
    header = (packet[0] & 15) * 4
    return socket.inet_ntoa(packet[12:16]), struct.unpack_from("!H", packet, header + 6)[0]


def server():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", 1723))
    listener.listen()
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE)
    print("ready", flush=True)
    stream, peer = listener.accept()
    while True:
        kind, body = read_message(stream)
        if kind is None:
            return
        if kind == 1:
            stream.sendall(message(2, struct.pack("!HBBIIHH", 0x100, 1, 0, 1, 1, 1, 1) + bytes(128)))
        if kind == 7:
            call = struct.unpack_from("!H", body)[0]
            print("call", call, flush=True)
            stream.sendall(message(8, struct.pack("!HHBBHIHHI", SERVER_CALL, call, 1, 0, 0,
                                                  64000, 64, 0, 0)))
            raw.settimeout(5)
            source, seen = gre_receive(raw)
            print("gre", source, seen, flush=True)
            raw.sendto(gre_packet(call, b"pong"), peer)
        if kind == 12:
            stream.sendall(message(13, struct.pack("!HBBHH", SERVER_CALL, 4, 0, 0, 0) + bytes(128)))


def client(address, call):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE)
    raw.settimeout(5)
    stream = socket.create_connection((address, 1723), timeout=5)
    stream.sendall(message(1, struct.pack("!HHIIHH", 0x100, 0, 1, 1, 0, 0) + bytes(128)))
    assert read_message(stream)[0] == 2, "no Start-Control-Connection-Reply"
    stream.sendall(message(7, struct.pack("!HHIIIIHHHH", call, 1, 300, 100000000, 3, 3, 64, 0,
                                          0, 0) + bytes(128)))
    kind, body = read_message(stream)
    assert kind == 8, "no Outgoing-Call-Reply"
    server_call, mine = struct.unpack_from("!HH", body)
    print("reply names", mine, "server's is", server_call)
    assert mine == call, "the reply does not name our call id"
    raw.sendto(gre_packet(server_call, b"ping"), (address, 0))
    source, seen = gre_receive(raw)
    print("gre from", source, "with", seen)
    assert (source, seen) == (address, call), "GRE came back wrong"
    if len(sys.argv) > 4:
        print("up", flush=True)
        sys.stdin.readline()
    stream.sendall(message(12, struct.pack("!HH", call, 0)))
    assert read_message(stream)[0] == 13, "no Call-Disconnect-Notify"


if sys.argv[1] == "server":
    server()
else:
    client(sys.argv[2], int(sys.argv[3]))
