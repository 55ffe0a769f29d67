#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Both ends of L2TP, byte by byte: version 2 over UDP (RFC 2661), version 3 over IP (RFC 3931).

l2tp_peer.py serve VERSION ADDRESS [insist] [other-port] [one-id]
    insist: answers only what comes from port 1701; other-port: answers from another
    port of its own; one-id: a tunnel is known by the peer's address and id, whatever
    its port, as xl2tpd has it. Prints a line per request. Echoes data.
l2tp_peer.py dial VERSION SERVER ID [PORT]
    Opens a connection that it calls ID from port PORT (1701), and with version 3 a session.
    Prints "up"; for each line on its input "echo" when data came back right, else
    "lost"; ends the connection when its input ends.
"""
import select
import socket
import struct
import sys
import time

PORT, PROTOCOL = 1701, 115
SCCRQ, SCCRP, SCCCN, STOPCCN, ICRQ, ICRP, ICCN = 1, 2, 3, 4, 10, 11, 12
CONNECTION, LOCAL, REMOTE = {2: 9, 3: 61}, 63, 64
RETRY_S = (1, 2, 3, 3, 3)


def avp(kind, value):
    return struct.pack("!HHH", 0x8000 | (6 + len(value)), 0, kind) + value


def number(version, kind, value):
    return avp(kind, struct.pack("!H" if version == 2 else "!I", value))


def control(version, connection, kind, *avps):
    body = avp(0, struct.pack("!H", kind)) + b"".join(avps)
    head = struct.pack("!HH", 0xC800 | version, 12 + len(body))
    head += struct.pack("!HH", connection, 0) if version == 2 else struct.pack("!I", connection)
    return (bytes(4) if version == 3 else b"") + head + bytes(4) + body


def acknowledgment(connection):
    """RFC 2661 5.8: a header alone, for the first message."""
    return struct.pack("!HHHHHH", 0xC802, 12, connection, 0, 0, 1)


def data(version, ident, payload):
    if version == 3:
        return struct.pack("!I", ident) + payload
    return struct.pack("!HHHH", 0x4002, 8 + len(payload), ident, 1) + payload


class Message:
    """A control message, or data (kind None)."""

    def __init__(self, version, packet):
        self.kind, self.ids, self.empty = None, {}, False
        if version == 3:
            (self.to,), packet = struct.unpack("!I", packet[:4]), packet[4:]
            if self.to:
                self.payload = packet
                return
        elif not packet[0] & 0x80:
            self.to, self.payload = struct.unpack("!H", packet[4:6])[0], packet[8:]
            return
        self.to = struct.unpack("!H" if version == 2 else "!I", packet[4:6 if version == 2 else 8])[0]
        self.empty = len(packet) == 12
        self._read(packet[12:])

    def _read(self, body):
        while len(body) >= 6:
            flags, _, kind = struct.unpack("!HHH", body[:6])
            value = int.from_bytes(body[6:flags & 1023], "big")
            if kind == 0:
                self.kind = value
            self.ids[kind] = value
            body = body[flags & 1023:]


class Wire:
    """The socket, UDP's or IP's."""

    def __init__(self, version, address="", port=PORT):
        self.version = version
        if version == 2:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind((address, port))
        else:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, PROTOCOL)

    def send(self, packet, to):
        self.socket.sendto(packet, to)

    def receive(self, wait_s=None):
        """(message, sender), or None when time is up."""
        if not select.select([self.socket], [], [], wait_s)[0]:
            return None
        packet, sender = self.socket.recvfrom(65536)
        if self.version == 3:
            packet = packet[(packet[0] & 15) * 4:]
        return Message(self.version, packet), sender


# --- server --------------------------------------------------------------------------------
class Server:
    def __init__(self, version, address, options):
        self.version, self.options = version, options
        self.wire = Wire(version, address)
        self.answers = Wire(version, address, 0) if "other-port" in options else self.wire
        self.count, self.peers, self.requests = 0, {}, {}

    def accept(self, message, sender):
        """A request that comes again is the same one: known by sender and the peer's id."""
        theirs = message.ids[CONNECTION[self.version]]
        print("request", sender[0], sender[1], theirs, flush=True)
        if "insist" in self.options and sender[1] != PORT:
            return
        others = [peer for peer, ident in self.requests if ident == theirs and peer[0] == sender[0] and peer != sender]
        if "one-id" in self.options and others:
            self.answers.send(acknowledgment(theirs), sender)
            return
        if (sender, theirs) not in self.requests:
            self.count += 1
            self.requests[sender, theirs] = self.count
            self.peers[self.count] = (sender, theirs)
        mine = self.requests[sender, theirs]
        self.answers.send(control(self.version, theirs, SCCRP, number(self.version, CONNECTION[self.version], mine)),
                          sender)

    def open_session(self, message):
        """The session's id is the connection's and a thousand: one each."""
        sender, theirs = self.peers[message.to]
        mine = message.to + 1000
        self.peers[mine] = (sender, message.ids[LOCAL])
        print("session", sender[0], message.ids[LOCAL], flush=True)
        self.answers.send(control(self.version, theirs, ICRP, number(3, LOCAL, mine),
                                  number(3, REMOTE, message.ids[LOCAL])), sender)

    def handle(self, message, sender):
        if message.kind == SCCRQ:
            self.accept(message, sender)
        elif message.to not in self.peers:
            print("unknown", message.to, flush=True)
        elif message.kind == ICRQ:
            self.open_session(message)
        elif message.kind == STOPCCN:
            print("stop", message.ids[CONNECTION[self.version]], flush=True)
            self.requests = {request: mine for request, mine in self.requests.items() if mine != message.to}
        elif message.kind is None:
            to, theirs = self.peers[message.to]
            self.answers.send(data(self.version, theirs, message.payload), to)

    def run(self):
        print("ready", flush=True)
        while True:
            wires = {self.wire.socket: self.wire, self.answers.socket: self.answers}
            for ready in select.select(list(wires), [], [])[0]:
                self.handle(*wires[ready].receive())


# --- client --------------------------------------------------------------------------------
class Client:
    def __init__(self, version, server, ident, port=PORT):
        self.version, self.ident = version, ident
        self.wire, self.to = Wire(version, port=port), (server, PORT if version == 2 else 0)
        self.theirs = self.their_session = None

    def ask(self, packet, wanted):
        """Sends until the message comes or is acknowledged; whatever names another's id is wrong."""
        acknowledged = False
        for wait_s in RETRY_S:
            if not acknowledged:
                self.wire.send(packet, self.to)
            end = time.monotonic() + wait_s
            while (left := end - time.monotonic()) > 0:
                got = self.wire.receive(left)
                if got is None:
                    continue
                message, sender = got
                if message.empty:
                    acknowledged = True
                if message.kind == wanted:
                    assert message.to == self.ident, "named %d, not %d" % (message.to, self.ident)
                    self.to = sender if self.version == 2 else self.to
                    return message
        sys.exit("no answer")

    def connect(self):
        kind = CONNECTION[self.version]
        request = control(self.version, 0, SCCRQ, number(self.version, kind, self.ident))
        self.theirs = self.ask(request, SCCRP).ids[kind]
        self.wire.send(control(self.version, self.theirs, SCCCN), self.to)
        if self.version == 2:
            return
        ask = control(3, self.theirs, ICRQ, number(3, LOCAL, self.ident + 1), number(3, REMOTE, 0))
        reply = self.ask(ask, ICRP)
        assert reply.ids[REMOTE] == self.ident + 1, "another's session"
        self.their_session = reply.ids[LOCAL]
        self.wire.send(control(3, self.theirs, ICCN, number(3, LOCAL, self.ident + 1),
                               number(3, REMOTE, self.their_session)), self.to)

    def echo(self, text):
        """Data out and back, to our own id and with our own payload."""
        mine, theirs = (self.ident, self.theirs) if self.version == 2 else (self.ident + 1, self.their_session)
        payload = ("%d %s" % (self.ident, text)).encode() * 20
        for _ in range(3):
            self.wire.send(data(self.version, theirs, payload), self.to)
            end = time.monotonic() + 2
            while (left := end - time.monotonic()) > 0:
                got = self.wire.receive(left)
                if got and got[0].kind is None and not got[0].empty:
                    assert got[0].to == mine, "data of tunnel %d" % got[0].to
                    if got[0].payload == payload:
                        return "echo"
        return "lost"

    def end(self):
        kind = CONNECTION[self.version]
        self.wire.send(control(self.version, self.theirs, STOPCCN, number(self.version, kind, self.ident)), self.to)


def serve(version, address, *options):
    Server(int(version), address, options).run()


def dial(version, server, ident, port=PORT):
    client = Client(int(version), server, int(ident), int(port))
    client.connect()
    print("up", flush=True)
    for line in sys.stdin:
        print(client.echo(line.strip()), flush=True)
    client.end()


if __name__ == "__main__":
    {"serve": serve, "dial": dial}[sys.argv[1]](*sys.argv[2:])
