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

import pptp_wire as wire

WAIT_S = 150  # TCP repeats what was lost while the daemon was dead: after 60 s, 50 s later


class Server:
    """One control connection; its own call ids count from 0x4242."""

    def __init__(self, address):
        self.listener = socket.create_server((address, 1723))
        self.raw = wire.gre_socket(address)
        self.calls, self.peer, self.next_call = {}, None, 0x4242

    def echo_gre(self):
        while True:
            _, call, payload = wire.gre_receive(self.raw)
            if call in self.calls:
                self.raw.sendto(wire.gre_packet(self.calls[call], payload), self.peer)

    def call_requested(self, stream, body):
        theirs, mine = wire.ids(body)[0], self.next_call
        self.next_call += 1
        self.calls[mine] = theirs
        stream.sendall(wire.call_reply(mine, theirs))

    def clear_requested(self, stream, body):
        """RFC 2637 section 2.12: the message names the client's id, the answer ours."""
        theirs = wire.ids(body)[0]
        for mine in [m for m, t in self.calls.items() if t == theirs]:
            del self.calls[mine]
            stream.sendall(wire.disconnect_notify(mine))

    def serve(self):
        print("ready", flush=True)
        stream, self.peer = self.listener.accept()
        threading.Thread(target=self.echo_gre, daemon=True).start()
        while True:
            kind, body = wire.read_message(stream)
            if kind is None:
                return
            if kind == wire.START:
                stream.sendall(wire.start_reply())
            elif kind == wire.ECHO:
                stream.sendall(wire.echo_reply(body[:4]))
            elif kind == wire.CALL:
                self.call_requested(stream, body)
            elif kind == wire.CLEAR:
                self.clear_requested(stream, body)


class Client:
    """One control connection and its calls."""

    def __init__(self, address):
        self.address, self.calls = address, {}
        self.raw = wire.gre_socket("0.0.0.0")
        self.stream = socket.create_connection((address, 1723), timeout=WAIT_S)
        self.ask(wire.start_request(), wire.START_REPLY)

    def ask(self, request, answer):
        self.stream.sendall(request)
        came, body = wire.read_message(self.stream)
        if came != answer:
            raise AssertionError("message %s came, not %d" % (came, answer))
        return body

    def call(self, ident):
        body = self.ask(wire.call_request(ident), wire.CALL_REPLY)
        theirs, mine = wire.ids(body)
        if mine != ident:
            raise AssertionError("the reply names call %d" % mine)
        self.calls[ident] = theirs
        self.gre(ident)

    def gre(self, ident):
        payload, wanted = b"call %d" % ident, (self.address, ident, b"call %d" % ident)
        self.drain()
        for _ in range(6):
            self.raw.sendto(wire.gre_packet(self.calls[ident], payload), (self.address, 0))
            until = time.monotonic() + 0.5
            while time.monotonic() < until:
                if select.select([self.raw], [], [], 0.5)[0] and wire.gre_receive(self.raw) == wanted:
                    return
        raise AssertionError("no GRE comes back")

    def drain(self):
        """GRE of other calls has filled the buffer meanwhile."""
        while select.select([self.raw], [], [], 0)[0]:
            self.raw.recv(2000)

    def clear(self, ident):
        body = self.ask(wire.clear_request(ident), wire.DISCONNECT)
        if wire.ids(body)[0] != self.calls[ident]:
            raise AssertionError("Call-Disconnect-Notify names another call")

    def echo(self):
        body = self.ask(wire.echo_request(4711), wire.ECHO_REPLY)
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
