#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Many PPTP calls between many clients and servers, each with bytes of its own.

  pptp_calls.py server ADDRESS...    answers on TCP 1723 at each ADDRESS; prints what each says;
                                     "deaf" before an ADDRESS: no GRE there, so its kernel refuses it
  pptp_calls.py client               takes commands on standard input, a line of answer each:
      open NAME SOURCE SERVER PORT [ID COUNT]   a control connection, with outgoing calls
      call NAME ID [COUNT]           outgoing calls with the ids from ID on
      incoming NAME ID               asks the server to call; our call id is ID
      gre [NAME]                     bytes of its own through every call (of NAME), both ways, all at once
      silent NAME                    no GRE of NAME passes any more
      clear NAME ID                  Call-Clear-Request
      stop|close|reset NAME          Stop-Control-Connection, FIN, RST
      grace NAME                     as stop, and GRE that is on its way then still passes
      refused NAME                   GRE brings an ICMP error that quotes our packet as we sent it
      stray SOURCE SERVER ID         GRE to a call that nobody set up
      over NAME                      waits until the connection is reset by the other end
    The answer is the command followed by "done", or by "failed" and why.

Servers all give the same call ids, and clients may. A call carries its serial number
in each GRE packet: the server drops GRE that came to another call's id.
"""
import select
import socket
import struct
import sys
import threading
import time

import pptp_wire as wire

FIRST_SERVER_CALL = 0x4242
WAIT_S = 20  # for one answer


class Server:
    """One address; one thread a control connection."""

    def __init__(self, address, deaf=False):
        self.address, self.next_call, self.lock = address, FIRST_SERVER_CALL, threading.Lock()
        self.calls = {}  # our id: (peer's address, peer's id, serial)
        self.listener = socket.create_server((address, wire.PORT), backlog=200)
        if not deaf:
            self.raw = wire.gre_socket(address)
            threading.Thread(target=self.serve_gre, daemon=True).start()
        threading.Thread(target=self.serve, daemon=True).start()

    def say(self, *words):
        print(self.address, *words, flush=True)

    def serve_gre(self):
        while True:
            source, call, payload = wire.gre_receive(self.raw)
            peer, theirs, serial = self.calls.get(call, (None, 0, None))
            if source != peer or payload[:2] != struct.pack("!H", serial):
                self.say("wrong GRE from", source, "to", call)
                continue
            self.raw.sendto(wire.gre_packet(theirs, payload), (peer, 0))

    def serve(self):
        while True:
            stream, peer = self.listener.accept()
            threading.Thread(target=self.serve_control, args=(stream, peer[0]), daemon=True).start()

    def new_call(self, peer, theirs, serial):
        with self.lock:
            mine = self.next_call
            self.next_call += 1
        self.calls[mine] = (peer, theirs, serial)
        return mine

    def end_call(self, peer, theirs):
        for mine in [m for m, (p, t, _) in list(self.calls.items()) if (p, t) == (peer, theirs)]:
            del self.calls[mine]
            return mine
        return 0

    def serve_control(self, stream, peer):
        try:
            while self.take(stream, peer, *wire.read_message(stream)):
                pass
        except OSError as error:
            self.say("connection ended:", error)
        stream.close()

    def take(self, stream, peer, kind, body):
        if kind == wire.START:
            stream.sendall(wire.start_reply())
        elif kind == wire.ECHO:
            if body == b"call":  # our clients' way to ask for an incoming call
                mine = self.new_call(peer, 0, 0)
                stream.sendall(wire.in_call_request(mine, mine))
            else:
                stream.sendall(wire.echo_reply(body[:4]))
        elif kind == wire.CALL:
            theirs, serial = wire.ids(body)
            stream.sendall(wire.call_reply(self.new_call(peer, theirs, serial), theirs))
        elif kind == wire.IN_CALL_REPLY:
            theirs, mine = wire.ids(body)
            self.calls[mine] = (peer, theirs, mine)
            stream.sendall(wire.in_call_connected(theirs))
        elif kind == wire.CLEAR:
            stream.sendall(wire.disconnect_notify(self.end_call(peer, wire.ids(body)[0])))
        elif kind == wire.STOP:
            stream.sendall(wire.stop_reply())
        return kind is not None


class Connection:
    """A control connection and its calls: our id to (server's id, serial)."""

    def __init__(self, source, server, port, raw):
        self.source, self.server, self.raw, self.calls = source, server, raw, {}
        self.stream = socket.create_connection((server, port), timeout=WAIT_S, source_address=(source, 0))
        self.ask(wire.start_request(), wire.START_REPLY)

    def ask(self, request, wanted):
        self.stream.sendall(request)
        kind, body = wire.read_message(self.stream)
        if kind != wanted:
            raise AssertionError("message %s in place of %d" % (kind, wanted))
        return body

    def call(self, ident, serial):
        theirs, mine = wire.ids(self.ask(wire.call_request(ident, serial), wire.CALL_REPLY))
        if mine != ident:
            raise AssertionError("the reply to call %d names %d" % (ident, mine))
        self.calls[ident] = (theirs, serial)

    def incoming(self, ident):
        theirs, serial = wire.ids(self.ask(wire.message(wire.ECHO, b"call"), wire.IN_CALL))
        mine, _ = wire.ids(self.ask(wire.in_call_reply(ident, theirs), wire.IN_CALL_CONNECTED))
        if mine != ident:
            raise AssertionError("connected names %d" % mine)
        self.calls[ident] = (theirs, serial)

    def clear(self, ident):
        named, _ = wire.ids(self.ask(wire.clear_request(ident), wire.DISCONNECT))
        if named != self.calls[ident][0]:
            raise AssertionError("Call-Disconnect-Notify names %d" % named)
        del self.calls[ident]

    def packets(self):
        """What each call sends and wants back: {(server, our id): (packet, payload)}."""
        found = {}
        for ident, (theirs, serial) in self.calls.items():
            payload = struct.pack("!H", serial) + ("%s %d " % (self.source, ident)).encode() * 8
            found[self.server, ident] = (wire.gre_packet(theirs, payload), payload)
        return found


class Client:
    """All connections, and a raw socket for each source address."""

    def __init__(self):
        self.connections, self.raws, self.serial, self.seen = {}, {}, 0, set()

    def open(self, name, source, server, port, first="0", count="0"):
        raw = self.raws.get(source) or self.raws.setdefault(source, wire.gre_socket(source))
        self.connections[name] = Connection(source, server, int(port), raw)
        self.call(name, first, count)

    def call(self, name, first, count="1"):
        for ident in range(int(first), int(first) + int(count)):
            self.serial += 1
            self.connections[name].call(ident, self.serial)

    def incoming(self, name, ident):
        self.connections[name].incoming(int(ident))

    def waiting(self, names):
        """{(source, server, our id, payload): (raw socket, packet)}"""
        found = {}
        for name in names:
            one = self.connections[name]
            for (server, ident), (packet, payload) in one.packets().items():
                if (one.source, server, ident, payload) in found:
                    raise AssertionError("two calls alike")
                found[one.source, server, ident, payload] = (one.raw, packet)
        return found

    def came(self, waits, seconds):
        """Strikes off what arrives; what belongs to no call of ours is wrong."""
        until = time.monotonic() + seconds
        while waits and time.monotonic() < until:
            for raw in select.select(list(self.raws.values()), [], [], 0.1)[0]:
                server, ident, payload = wire.gre_receive(raw)
                key = (raw.getsockname()[0], server, ident, payload)
                if waits.pop(key, None) is None and key not in self.seen:
                    raise AssertionError("GRE out of nothing: %s" % (key,))
                self.seen.add(key)

    def gre(self, *names):
        waits = self.waiting(names or self.connections)
        for _ in range(10):
            for (_, server, *_), (raw, packet) in waits.items():
                raw.sendto(packet, (server, 0))
            self.came(waits, 1)
            if not waits:
                return
        raise AssertionError("no GRE came back for %d calls: %s" % (len(waits), list(waits)[:3]))

    def silent(self, name):
        """Until one try a second brings nothing back."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            waits = self.waiting([name])
            sent = len(waits)
            for (_, server, *_), (raw, packet) in waits.items():
                raw.sendto(packet, (server, 0))
            self.came(waits, 0.5)
            if len(waits) == sent:
                return
        raise AssertionError("GRE still passes")

    def clear(self, name, ident):
        self.connections[name].clear(int(ident))

    def stop(self, name):
        self.connections[name].ask(wire.stop_request(), wire.STOP_REPLY)

    def grace(self, name):
        self.stop(name)
        waits = self.waiting([name])
        for (_, server, *_), (raw, packet) in waits.items():
            raw.sendto(packet, (server, 0))
        self.came(waits, WAIT_S)
        if waits:
            raise AssertionError("%d packets that were on their way are lost" % len(waits))

    def refused(self, name):
        """RFC 792, RFC 5508 REQ-4: Protocol Unreachable, about a packet with our address and the server's call id."""
        one = self.connections[name]
        ident, (theirs, _) = next(iter(one.calls.items()))
        errors = wire.icmp_socket(one.source)
        for _ in range(WAIT_S):
            one.raw.sendto(one.packets()[one.server, ident][0], (one.server, 0))
            if select.select([errors], [], [], 1)[0]:
                got = wire.icmp_receive(errors)
                if got != (one.server, 3, 2, one.source, one.server, theirs):
                    raise AssertionError("the error says %s" % (got,))
                return
        raise AssertionError("no ICMP error came")

    def stray(self, source, server, ident):
        wire.gre_socket(source).sendto(wire.gre_packet(int(ident), b"stray"), (server, 0))

    def close(self, name):
        self.connections[name].stream.close()

    def reset(self, name):
        stream = self.connections[name].stream
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()

    def over(self, name):
        try:
            if wire.read_message(self.connections[name].stream)[0] is not None:
                raise AssertionError("a message in place of a reset")
        except ConnectionResetError:
            del self.connections[name]
            return
        raise AssertionError("closed in order, not reset")

    def forget(self, name):
        del self.connections[name]

    def serve(self):
        for line in sys.stdin:
            words = line.split()
            try:
                getattr(self, words[0])(*words[1:])
                print(line.strip(), "done", flush=True)
            except (AssertionError, OSError, KeyError) as error:
                print(line.strip(), "failed:", repr(error), flush=True)


if sys.argv[1] == "server":
    for before, own in zip(sys.argv[1:], sys.argv[2:]):
        if own != "deaf":
            Server(own, before == "deaf")
    print("ready", flush=True)
    threading.Event().wait()
else:
    Client().serve()
