# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers that speak IKE's headers and ESP's, as a gateway sees them: what is encrypted is random or a mark.

RFC 7296 3.1 (header), 1.2, 1.3, 2.8 (who may speak first on a new SA), RFC 4303 2.1, 3.3.3 (SPI, sequence).
Each socket lives in the namespace that it was opened in; one process plays all peers.
"""
import collections
import ctypes
import os
import random
import select
import socket
import struct
import time

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
IKE = 500
AWAY = 0.01  # seconds from the gateway to the server and back: evidence is a matter of time too
SA_INIT, AUTH, CREATE_CHILD, INFORMATIONAL = 34, 35, 36, 37
INITIATOR, RESPONSE = 0x08, 0x20
SK, SA = 46, 33


class Namespace:
    """Sockets opened inside `with` live there."""

    def __init__(self, name):
        self.path = "/run/netns/" + name

    def __enter__(self):
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self._enter(os.open(self.path, os.O_RDONLY))

    def __exit__(self, *_):
        self._enter(self.home)

    @staticmethod
    def _enter(descriptor):
        if LIBC.setns(descriptor, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(descriptor)


class Host:
    """An address with a UDP socket on port 500 and a raw one for ESP."""

    def __init__(self, namespace, address):
        self.address = address
        self.esp_in = []  # (sender, spi, sequence, payload)
        self.ike_in = collections.deque()  # (sender, message)
        with Namespace(namespace):
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind((address, IKE))
            self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 50)
            self.raw.bind((address, 0))
            self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)

    def send_ike(self, to, message):
        self.udp.sendto(message, to)

    def send_esp(self, to, spi, sequence, payload):
        self.raw.sendto(struct.pack("!II", spi, sequence) + payload, (to, 0))

    def take(self, which):
        if which is self.udp:
            message, sender = self.udp.recvfrom(65536)
            self.ike_in.append((sender, message))
        else:
            packet, sender = self.raw.recvfrom(65536)
            body = packet[(packet[0] & 15) * 4:]
            spi, sequence = struct.unpack("!II", body[:8])
            self.esp_in.append((sender[0], spi, sequence, body[8:]))


def ike(spi_i, spi_r, exchange, flags, message_id, protected=True, size=120):
    body = os.urandom(size)
    return struct.pack("!QQBBBBII", spi_i, spi_r, SK if protected else SA, 0x20, exchange, flags, message_id,
                       28 + size) + body


def header(message):
    return struct.unpack("!QQBBBBII", message[:28])


class Child:
    """A CHILD_SA: the SPI that each end chose, and how far its sequence has come."""

    def __init__(self, spi_in=None, spi_out=None):
        self.spi_in = spi_in or random.randrange(0x100, 1 << 32)
        self.spi_out = spi_out or random.randrange(0x100, 1 << 32)
        self.sent_in = self.sent_out = 0


class Peer:
    """A client and its IKE SA with the server."""

    def __init__(self, world, host, name):
        self.world, self.host, self.name = world, host, name
        self.children, self.message_id, self.server_id = [], 0, 0
        self.spi_i = self.spi_r = 0
        self.at = None  # where the server sees it

    @property
    def child(self):
        return self.children[-1]

    def wait_ike(self, spi_i, seconds=5):
        return self.world.wait_for(lambda: self._take_ike(spi_i), seconds)

    def _take_ike(self, spi_i):
        for item in list(self.host.ike_in):
            if header(item[1])[0] == spi_i:
                self.host.ike_in.remove(item)
                return item[1]
        return None


class World:
    """All peers, and the loop that reads their sockets."""

    def __init__(self, lan, wan, server, clients, external):
        self.external = external
        self.server = Host(wan, server)
        self.hosts = [Host(lan, a) for a in clients]
        self.peers = [Peer(self, h, "client %d" % i) for i, h in enumerate(self.hosts)]
        self.insists = False
        self.by_socket = {}
        for host in [self.server, *self.hosts]:
            self.by_socket[host.udp] = self.by_socket[host.raw] = host

    def pump(self, seconds=0.0):
        """Reads what has arrived; waits at most this long for the first."""
        ready, _, _ = select.select(list(self.by_socket), [], [], seconds)
        for sock in ready:
            self.by_socket[sock].take(sock)
        return ready

    def wait_for(self, what, seconds=5):
        end = time.monotonic() + seconds
        while True:
            found = what()
            if found or time.monotonic() > end:
                return found
            self.pump(0.02)

    def travel(self):
        """What the server sends was on its way for a while; meanwhile the clients' sockets are read."""
        self.wait_for(lambda: False, AWAY)

    # --- IKE ------------------------------------------------------------------------------
    def server_take(self, spi_i):
        """The server's next message of this IKE SA: (sender, header)."""
        for item in list(self.server.ike_in):
            sender, message = item
            if self.insists and sender[1] != IKE:
                self.server.ike_in.remove(item)  # as some servers do: not a word
            elif header(message)[0] == spi_i:
                self.server.ike_in.remove(item)
                return sender, header(message)
        return None

    def server_hears(self, spi_i, seconds=5):
        return self.wait_for(lambda: self.server_take(spi_i), seconds)

    def ask(self, peer, exchange, protected=True, tries=12):
        """A request of the client, repeated until the server has answered; True when it was."""
        request = ike(peer.spi_i, peer.spi_r, exchange, INITIATOR, peer.message_id, protected)
        for _ in range(tries):
            peer.host.send_ike((self.server.address, IKE), request)
            heard = self.server_hears(peer.spi_i, 0.3)
            if heard:
                peer.at = heard[0]
                if exchange == SA_INIT:
                    peer.spi_r = random.getrandbits(64)
                self.travel()
                self.server.send_ike(peer.at, ike(peer.spi_i, peer.spi_r, exchange, RESPONSE, peer.message_id,
                                                  protected))
                if peer.wait_ike(peer.spi_i, 1):
                    peer.message_id += 1
                    return True
        return False

    def ask_from_server(self, peer, exchange, tries=6):
        """A request of the server that the client answers."""
        request = ike(peer.spi_i, peer.spi_r, exchange, 0, peer.server_id)
        for _ in range(tries):
            self.server.send_ike(peer.at, request)
            if peer.wait_ike(peer.spi_i, 1):
                peer.host.send_ike((self.server.address, IKE),
                                   ike(peer.spi_i, peer.spi_r, exchange, INITIATOR | RESPONSE, peer.server_id))
                heard = self.server_hears(peer.spi_i, 1)
                if heard:
                    peer.server_id += 1
                    return True
        return False

    def dial(self, peer):
        peer.spi_i, peer.spi_r, peer.message_id, peer.server_id = random.getrandbits(64), 0, 0, 0
        peer.children = [Child()]
        return self.ask(peer, SA_INIT, protected=False) and self.ask(peer, AUTH)

    def rekey_by_client(self, peer):
        if not self.ask(peer, CREATE_CHILD):
            return False
        peer.children.append(Child())
        return True

    def rekey_by_server(self, peer):
        if not self.ask_from_server(peer, CREATE_CHILD):
            return False
        peer.children.append(Child())
        return True

    def rekey_ike(self, peer):
        """RFC 7296 1.3.2: new SPIs, agreed under encryption; counters begin again."""
        if not self.ask(peer, CREATE_CHILD):
            return False
        peer.spi_i, peer.spi_r = random.getrandbits(64), random.getrandbits(64)
        peer.message_id = peer.server_id = 0
        return True

    # --- ESP ------------------------------------------------------------------------------
    def out(self, peer, count=1, child=None):
        """The client sends; how many arrived at the server as they were sent, from our one address."""
        child = child or peer.child
        wanted = []
        for _ in range(count):
            child.sent_out += 1
            payload = b"out %s %d " % (peer.name.encode(), child.sent_out) + os.urandom(40)
            wanted.append((self.external, child.spi_out, child.sent_out, payload))
            peer.host.send_esp(self.server.address, child.spi_out, child.sent_out, payload)
        self.wait_for(lambda: all(w in self.server.esp_in for w in wanted), 3)
        return sum(w in self.server.esp_in for w in wanted)

    def into(self, peer, count=1, child=None):
        """The server sends: (how many reached the client as they were sent, how many reached others)."""
        child = child or peer.child
        wanted = []
        self.travel()
        for _ in range(count):
            child.sent_in += 1
            payload = b"in %s %d " % (peer.name.encode(), child.sent_in) + os.urandom(40)
            wanted.append((self.server.address, child.spi_in, child.sent_in, payload))
            self.server.send_esp(self.external, child.spi_in, child.sent_in, payload)
        self.wait_for(lambda: all(w in peer.host.esp_in for w in wanted), 1)
        return (sum(w in peer.host.esp_in for w in wanted),
                sum(w in h.esp_in for h in self.hosts if h is not peer.host for w in wanted))
