#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A PPTP control connection (RFC 2637) that outlives the daemon, with several calls.

  survival_pptp.py server ADDRESS     answers calls, echoes their GRE
  survival_pptp.py client ADDRESS     takes commands on standard input, a line of answer each:
      call ID    Outgoing-Call-Request with that call id, then GRE both ways
      gre ID     GRE both ways in a call that is up
      clear ID   Call-Clear-Request
      echo       Echo-Request
    The answer is the command followed by "done", or by what was wrong.
"""
import select
import socket
import struct
import sys
import threading
import time

MAGIC = 0x1A2B3C4D
GRE = 47
WAIT_S = 30  # TCP repeats what was lost while the daemon was dead
START, START_REPLY, ECHO, ECHO_REPLY, CALL, CALL_REPLY, CLEAR, DISCONNECT = 1, 2, 5, 6, 7, 8, 12, 13


def message(kind, body):
    return struct.pack("!HHIHH", 12 + len(body), 1, MAGIC, kind, 0) + body


def read_message(stream):
    head = stream.recv(2, socket.MSG_WAITALL)
    if len(head) < 2:
        return None, b""
    rest = stream.recv(struct.unpack("!H", head)[0] - 2, socket.MSG_WAITALL)
    return struct.unpack_from("!H", rest, 6)[0], rest[10:]


def gre_packet(call, payload):
    return struct.pack("!HHHHI", 0x3001, 0x880B, len(payload), call, 0) + payload


def gre_receive(raw):
    """(source, call id, payload)"""
    packet = raw.recv(2000)
    header = (packet[0] & 15) * 4
    call = struct.unpack_from("!H", packet, header + 6)[0]
    return socket.inet_ntoa(packet[12:16]), call, packet[header + 12:]


class Server:
    """One control connection; its own call ids count from 0x4242."""

    def __init__(self, address):
        self.listener = socket.create_server((address, 1723))
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE)
        self.raw.bind((address, 0))
        self.calls, self.peer, self.next_call = {}, None, 0x4242

    def echo_gre(self):
        while True:
            _, call, payload = gre_receive(self.raw)
            if call in self.calls:
                self.raw.sendto(gre_packet(self.calls[call], payload), self.peer)

    def call_requested(self, stream, body):
        theirs, mine = struct.unpack_from("!H", body)[0], self.next_call
        self.next_call += 1
        self.calls[mine] = theirs
        stream.sendall(message(CALL_REPLY, struct.pack("!HHBBHIHHI", mine, theirs, 1, 0, 0, 64000, 64, 0, 0)))

    def clear_requested(self, stream, body):
        """RFC 2637 section 2.12: the message names the client's id, the answer ours."""
        theirs = struct.unpack_from("!H", body)[0]
        for mine in [m for m, t in self.calls.items() if t == theirs]:
            del self.calls[mine]
            stream.sendall(message(DISCONNECT, struct.pack("!HBBHH", mine, 4, 0, 0, 0) + bytes(128)))

    def serve(self):
        print("ready", flush=True)
        stream, self.peer = self.listener.accept()
        threading.Thread(target=self.echo_gre, daemon=True).start()
        while True:
            kind, body = read_message(stream)
            if kind is None:
                return
            if kind == START:
                stream.sendall(message(START_REPLY, struct.pack("!HBBIIHH", 0x100, 1, 0, 1, 1, 1, 1) + bytes(128)))
            elif kind == ECHO:
                stream.sendall(message(ECHO_REPLY, body[:4] + struct.pack("!BBH", 1, 0, 0)))
            elif kind == CALL:
                self.call_requested(stream, body)
            elif kind == CLEAR:
                self.clear_requested(stream, body)


class Client:
    """One control connection and its calls."""

    def __init__(self, address):
        self.address, self.calls = address, {}
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE)
        self.stream = socket.create_connection((address, 1723), timeout=WAIT_S)
        self.ask(START, START_REPLY, struct.pack("!HHIIHH", 0x100, 0, 1, 1, 0, 0) + bytes(128))

    def ask(self, kind, answer, body):
        self.stream.sendall(message(kind, body))
        came, body = read_message(self.stream)
        if came != answer:
            raise AssertionError("message %s came, not %d" % (came, answer))
        return body

    def call(self, ident):
        body = self.ask(CALL, CALL_REPLY, struct.pack("!HHIIIIHHHH", ident, 1, 300, 100000000, 3, 3, 64, 0, 0, 0) +
                        bytes(128))
        theirs, mine = struct.unpack_from("!HH", body)
        if mine != ident:
            raise AssertionError("the reply names call %d" % mine)
        self.calls[ident] = theirs
        self.gre(ident)

    def gre(self, ident):
        payload, wanted = b"call %d" % ident, (self.address, ident, b"call %d" % ident)
        self.drain()
        for _ in range(6):
            self.raw.sendto(gre_packet(self.calls[ident], payload), (self.address, 0))
            until = time.monotonic() + 0.5
            while time.monotonic() < until:
                if select.select([self.raw], [], [], 0.5)[0] and gre_receive(self.raw) == wanted:
                    return
        raise AssertionError("no GRE comes back")

    def drain(self):
        """GRE of other calls has filled the buffer meanwhile."""
        while select.select([self.raw], [], [], 0)[0]:
            self.raw.recv(2000)

    def clear(self, ident):
        body = self.ask(CLEAR, DISCONNECT, struct.pack("!HH", ident, 0))
        if struct.unpack_from("!H", body)[0] != self.calls[ident]:
            raise AssertionError("Call-Disconnect-Notify names another call")

    def echo(self):
        body = self.ask(ECHO, ECHO_REPLY, struct.pack("!I", 4711))
        if struct.unpack_from("!I", body)[0] != 4711:
            raise AssertionError("another Echo-Reply")

    def serve(self):
        for line in sys.stdin:
            words = line.split()
            try:
                getattr(self, words[0])(*(int(word) for word in words[1:]))
                print(line.strip(), "done", flush=True)
            except (AssertionError, OSError) as error:
                print(line.strip(), "failed:", error, flush=True)


if sys.argv[1] == "server":
    Server(sys.argv[2]).serve()
else:
    Client(sys.argv[2]).serve()
