#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbered packets both ways through the gateway, to count each that is lost.

  survival_traffic.py server FOLDER ADDRESS EXTERNAL    answers at ADDRESS; EXTERNAL is the gateway's
  survival_traffic.py client FOLDER ADDRESS             the inside host

Each end sends one packet per flow and tick: UDP, ESP, GRE version 1 and TCP. The
number in a packet is the sender's tick. The client also begins a new UDP flow every
tenth of a second. FOLDER/ready appears once every flow has been answered. Both end
when FOLDER/stop appears, and leave FOLDER/client.json and FOLDER/server.json for
survival_check.py.
"""
import json
import os
import select
import socket
import struct
import sys
import time

TICK_S = 0.005
NEW_FLOW_TICKS = 20
SETTLE_S = 1.0  # packets on their way when the senders stop
UDP_PORT, NEW_PORT, TCP_PORT = 7000, 7001, 7100
UDP_FLOWS, TUNNELS, STREAMS = 8, 3, 2
ESP, GRE = 50, 47
# as survival.sh arms them: the client's id, the id on the WAN, the server's id
CLIENT_SPI = WAN_SPI = 0x1000
SERVER_SPI = 0x2000
CLIENT_CALL, WAN_CALL, SERVER_CALL = 100, 5000, 200
HELLO = 0xFFFFFFFF
RECORD = struct.Struct("!II200x")  # flow, tick; padding
RETRANSMITS_AT = 100  # tcp_info.tcpi_total_retrans of linux/tcp.h


def big_buffers(sock):
    """A busy machine must not lose packets in front of us."""
    sock.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE
    sock.setblocking(False)
    return sock


def datagram_socket(address=("0.0.0.0", 0)):
    sock = big_buffers(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.bind(address)
    return sock


def raw_socket(protocol, address):
    sock = big_buffers(socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol))
    sock.bind((address, 0))
    return sock


def esp_packet(spi, flow, tick):
    """RFC 4303 section 2: SPI, sequence number, what would be ciphertext."""
    return struct.pack("!II", spi, (tick + 1) & HELLO) + RECORD.pack(flow, tick)


def gre_packet(call, flow, tick):
    """RFC 2637 section 4.1: key and sequence number present, version 1."""
    return struct.pack("!HHHHI", 0x3001, 0x880B, RECORD.size, call, tick) + RECORD.pack(flow, tick)


class Ticks:
    """Ticks of one sender that have arrived."""

    def __init__(self):
        self.seen = bytearray()

    def add(self, tick):
        if tick >= len(self.seen):
            self.seen.extend(bytes(tick + 1000 - len(self.seen)))
        self.seen[tick] = 1

    def runs(self):
        """[first, end) of each unbroken run."""
        found, at = [], self.seen.find(1)
        while at >= 0:
            end = self.seen.find(0, at)
            end = len(self.seen) if end < 0 else end
            found.append([at, end])
            at = self.seen.find(1, end)
        return found


class Stream:
    """One TCP connection with numbered records."""

    def __init__(self, sock, flow):
        self.sock, self.flow, self.rest, self.out = sock, flow, b"", b""
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, tick):
        self.out += RECORD.pack(self.flow, tick)
        try:
            self.out = self.out[self.sock.send(self.out):]
        except BlockingIOError:
            pass

    def receive(self):
        """(flow, tick) of each complete record."""
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return []
        self.rest += data
        whole = len(self.rest) // RECORD.size * RECORD.size
        records, self.rest = self.rest[:whole], self.rest[whole:]
        return list(RECORD.iter_unpack(records))

    def retransmits(self):
        info = self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        return struct.unpack_from("=I", info, RETRANSMITS_AT)[0]


class End:
    """What both ends do: send a packet per flow and tick, note what comes."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.poll = select.epoll()
        self.readers = {}
        self.tick, self.began = 0, time.monotonic()
        self.sent, self.received, self.refused = {}, {}, {}
        self.late_s = 0.0
        self.streams = []

    def watch(self, sock, reader):
        self.readers[sock.fileno()] = (sock, reader)
        self.poll.register(sock, select.EPOLLIN)

    def note(self, name, tick):
        if tick != HELLO:
            self.received.setdefault(name, Ticks()).add(tick)

    def emit(self, name, send, *arguments):
        """One numbered packet. The kernel's refusal is noted: that packet never left."""
        self.sent.setdefault(name, [self.tick, 0])[1] = self.tick + 1
        try:
            send(*arguments)
        except OSError as error:
            self.refused.setdefault(name, []).append([self.tick, error.errno])

    def serve(self, until):
        while True:
            wait = until - time.monotonic()
            for number, _ in self.poll.poll(max(wait, 0)):
                sock, reader = self.readers[number]
                try:
                    reader(sock)
                except BlockingIOError:
                    pass
                except ConnectionRefusedError:
                    pass
            if wait <= 0:
                return

    def run(self):
        while not os.path.exists(os.path.join(self.folder, "stop")):
            self.step()
            self.tick += 1
            due = self.began + self.tick * TICK_S
            self.late_s = max(self.late_s, time.monotonic() - due)
            self.serve(due)
        self.serve(time.monotonic() + SETTLE_S)
        self.save()

    def save(self):
        document = {"began": self.began, "tick_s": TICK_S, "ticks": self.tick, "late_s": self.late_s,
                    "sent": self.sent, "refused": self.refused,
                    "received": {name: ticks.runs() for name, ticks in self.received.items()},
                    "retransmits": sum(s.retransmits() for s in self.streams), **self.more()}
        with open(os.path.join(self.folder, self.name + ".json"), "w", encoding="ascii") as file:
            json.dump(document, file)

    def more(self):
        return {}

    def step(self):
        raise NotImplementedError

    def read_stream(self, stream):
        for flow, tick in stream.receive():
            self.note("tcp/%d" % flow, tick)


class Client(End):
    """Begins every flow; says ready once all of them are answered."""

    def __init__(self, folder, address):
        super().__init__(folder, "client")
        self.address, self.waiting, self.asked = address, set(), {}
        self.new_begun = self.new_answered = 0
        self.numbered = 0
        self.flows = []
        for flow in range(UDP_FLOWS):
            self.add_udp(flow)
        self.esp, self.gre = raw_socket(ESP, "0.0.0.0"), raw_socket(GRE, "0.0.0.0")
        self.watch(self.esp, self.esp_came)
        self.watch(self.gre, self.gre_came)
        for flow in range(TUNNELS):
            self.add_tunnels(flow)
        for flow in range(STREAMS):
            self.add_stream(flow)
        self.waiting = {name for name, _ in self.flows}

    def add_udp(self, flow):
        sock, to = datagram_socket(), (self.address, UDP_PORT)
        self.watch(sock, self.udp_came)
        self.flows.append(("udp/%d" % flow, lambda t: sock.sendto(RECORD.pack(flow, t), to)))

    def add_tunnels(self, flow):
        to = (self.address, 0)
        self.flows.append(("esp/%d" % flow, lambda t: self.esp.sendto(esp_packet(SERVER_SPI + flow, flow, t), to)))
        self.flows.append(("gre/%d" % flow, lambda t: self.gre.sendto(gre_packet(SERVER_CALL + flow, flow, t), to)))

    def add_stream(self, flow):
        stream = Stream(socket.create_connection((self.address, TCP_PORT), timeout=5), flow)
        self.streams.append(stream)
        self.watch(stream.sock, lambda _: self.stream_came(stream))
        self.flows.append(("tcp/%d" % flow, stream.send))

    def answered(self, name, tick):
        self.note(name, tick)
        self.waiting.discard(name)

    def udp_came(self, sock):
        flow, tick = RECORD.unpack(sock.recv(2000))
        self.answered("udp/%d" % flow, tick)

    def esp_came(self, sock):
        packet = sock.recv(2000)[20:]
        flow, tick = RECORD.unpack(packet[8:])
        if struct.unpack_from("!I", packet)[0] == CLIENT_SPI + flow:
            self.answered("esp/%d" % flow, tick)

    def gre_came(self, sock):
        packet = sock.recv(2000)[20:]
        if len(packet) < 12 + RECORD.size:
            return  # of the PPTP call beside us
        flow, tick = RECORD.unpack(packet[12:12 + RECORD.size])
        if struct.unpack_from("!H", packet, 6)[0] == CLIENT_CALL + flow:
            self.answered("gre/%d" % flow, tick)

    def stream_came(self, stream):
        for flow, tick in stream.receive():
            self.answered("tcp/%d" % flow, tick)

    def new_flow(self):
        sock = datagram_socket()
        self.watch(sock, self.new_came)
        self.asked[sock.fileno()] = (sock, time.monotonic())
        try:
            sock.sendto(b"new", (self.address, NEW_PORT))
        except OSError:
            pass
        self.new_begun += 1

    def new_came(self, sock):
        sock.recv(100)
        self.new_answered += 1
        self.new_end(sock)

    def new_end(self, sock):
        number = sock.fileno()
        self.poll.unregister(sock)
        del self.readers[number], self.asked[number]
        sock.close()

    def new_give_up(self):
        limit = time.monotonic() - SETTLE_S
        for sock, begun in list(self.asked.values()):
            if begun < limit:
                self.new_end(sock)

    def ready(self):
        if not self.numbered and not self.waiting:
            self.numbered = 1
            open(os.path.join(self.folder, "ready"), "w", encoding="ascii").close()
        return self.numbered

    def hello(self):
        """Until each flow is answered; not in every tick, for first packets are punted or queued."""
        if self.tick % 10:
            return
        for name, send in self.flows:
            if name in self.waiting:
                send(HELLO)

    def step(self):
        if not self.ready():
            self.hello()
            return
        for name, send in self.flows:
            self.emit(name, send, self.tick)
        if self.tick % NEW_FLOW_TICKS == 0:
            self.new_flow()
            self.new_give_up()

    def more(self):
        return {"waiting": sorted(self.waiting), "new_begun": self.new_begun, "new_answered": self.new_answered}


class Server(End):
    """Sends to every flow that has said hello."""

    def __init__(self, folder, address, external):
        super().__init__(folder, "server")
        self.external, self.flows = external, {}
        self.udp = datagram_socket((address, UDP_PORT))
        self.esp, self.gre = raw_socket(ESP, address), raw_socket(GRE, address)
        self.watch(self.udp, self.udp_came)
        self.watch(datagram_socket((address, NEW_PORT)), self.new_came)
        self.watch(self.esp, self.esp_came)
        self.watch(self.gre, self.gre_came)
        self.listener = socket.create_server((address, TCP_PORT))
        self.watch(self.listener, self.connection_came)

    def udp_came(self, sock):
        data, peer = sock.recvfrom(2000)
        flow, tick = RECORD.unpack(data)
        self.flows["udp/%d" % flow] = lambda t: self.udp.sendto(RECORD.pack(flow, t), peer)
        self.note("udp/%d" % flow, tick)

    def new_came(self, sock):
        data, peer = sock.recvfrom(2000)
        sock.sendto(data, peer)

    def esp_came(self, sock):
        packet = sock.recv(2000)[20:]
        flow, tick = RECORD.unpack(packet[8:])
        to = (self.external, 0)
        self.flows["esp/%d" % flow] = lambda t: self.esp.sendto(esp_packet(WAN_SPI + flow, flow, t), to)
        self.note("esp/%d" % flow, tick)

    def gre_came(self, sock):
        packet = sock.recv(2000)[20:]
        if len(packet) < 12 + RECORD.size:
            return  # of the PPTP call beside us
        flow, tick = RECORD.unpack(packet[12:12 + RECORD.size])
        to = (self.external, 0)
        self.flows["gre/%d" % flow] = lambda t: self.gre.sendto(gre_packet(WAN_CALL + flow, flow, t), to)
        self.note("gre/%d" % flow, tick)

    def connection_came(self, listener):
        stream = Stream(listener.accept()[0], None)
        self.streams.append(stream)
        self.watch(stream.sock, lambda _: self.stream_came(stream))

    def stream_came(self, stream):
        for flow, tick in stream.receive():
            stream.flow = flow
            self.flows["tcp/%d" % flow] = stream.send
            self.note("tcp/%d" % flow, tick)

    def step(self):
        for name, send in list(self.flows.items()):
            self.emit(name, send, self.tick)


if sys.argv[1] == "server":
    Server(*sys.argv[2:5]).run()
else:
    Client(*sys.argv[2:4]).run()
