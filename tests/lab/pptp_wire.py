# SPDX-License-Identifier: GPL-2.0-or-later
"""PPTP messages (RFC 2637 section 2) and its GRE (section 4.1), for the lab's own peers."""
import socket
import struct

MAGIC = 0x1A2B3C4D
PORT, GRE = 1723, 47
START, START_REPLY, STOP, STOP_REPLY, ECHO, ECHO_REPLY = 1, 2, 3, 4, 5, 6
CALL, CALL_REPLY, IN_CALL, IN_CALL_REPLY, IN_CALL_CONNECTED, CLEAR, DISCONNECT = 7, 8, 9, 10, 11, 12, 13


def message(kind, body):
    return struct.pack("!HHIHH", 12 + len(body), 1, MAGIC, kind, 0) + body


def start_request():
    return message(START, struct.pack("!HHIIHH", 0x100, 0, 1, 1, 0, 0) + bytes(128))


def start_reply():
    return message(START_REPLY, struct.pack("!HBBIIHH", 0x100, 1, 0, 1, 1, 1, 1) + bytes(128))


def stop_request():
    return message(STOP, struct.pack("!BBH", 1, 0, 0))


def stop_reply():
    return message(STOP_REPLY, struct.pack("!BBH", 1, 0, 0))


def echo_request(ident):
    return message(ECHO, struct.pack("!I", ident))


def echo_reply(ident):
    return message(ECHO_REPLY, ident + struct.pack("!BBH", 1, 0, 0))


def call_request(call, serial=1):
    return message(CALL, struct.pack("!HHIIIIHHHH", call, serial, 300, 100000000, 3, 3, 64, 0, 0, 0) + bytes(128))


def call_reply(mine, theirs):
    return message(CALL_REPLY, struct.pack("!HHBBHIHHI", mine, theirs, 1, 0, 0, 64000, 64, 0, 0))


def in_call_request(call, serial=1):
    return message(IN_CALL, struct.pack("!HHIIHH", call, serial, 3, 1, 0, 0) + bytes(192))


def in_call_reply(mine, theirs):
    return message(IN_CALL_REPLY, struct.pack("!HHBBHHH", mine, theirs, 1, 0, 64, 0, 0))


def in_call_connected(theirs):
    return message(IN_CALL_CONNECTED, struct.pack("!HHIHHI", theirs, 0, 64000, 64, 0, 3))


def clear_request(call):
    return message(CLEAR, struct.pack("!HH", call, 0))


def disconnect_notify(call):
    return message(DISCONNECT, struct.pack("!HBBHH", call, 4, 0, 0, 0) + bytes(128))


def read_message(stream):
    """(type, body); (None, b"") at the end of the connection."""
    head = stream.recv(2, socket.MSG_WAITALL)
    if len(head) < 2:
        return None, b""
    rest = stream.recv(struct.unpack("!H", head)[0] - 2, socket.MSG_WAITALL)
    return struct.unpack_from("!H", rest, 6)[0], rest[10:]


def ids(body):
    """The two fields at offset 12 and 14 of a message."""
    return struct.unpack_from("!HH", body)


def gre_packet(call, payload):
    """Key and sequence number present, version 1."""
    return struct.pack("!HHHHI", 0x3001, 0x880B, len(payload), call, 0) + payload


def gre_receive(raw):
    """(source, call id, payload)"""
    packet = raw.recv(2000)
    header = (packet[0] & 15) * 4
    call = struct.unpack_from("!H", packet, header + 6)[0]
    return socket.inet_ntoa(packet[12:16]), call, packet[header + 12:]


def gre_socket(address):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE)
    raw.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE: a busy machine loses nothing in front of us
    raw.bind((address, 0))
    return raw


def icmp_socket(address):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    raw.bind((address, 0))
    return raw


def icmp_receive(raw):
    """(source, type, code, quoted source, quoted destination, quoted call id) of an error about GRE"""
    packet = raw.recv(2000)
    icmp = (packet[0] & 15) * 4
    quoted = icmp + 8
    call = struct.unpack_from("!H", packet, quoted + (packet[quoted] & 15) * 4 + 6)[0]
    return (socket.inet_ntoa(packet[12:16]), packet[icmp], packet[icmp + 1],
            socket.inet_ntoa(packet[quoted + 12:quoted + 16]), socket.inet_ntoa(packet[quoted + 16:quoted + 20]), call)
