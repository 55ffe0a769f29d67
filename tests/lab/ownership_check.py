#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What one inside host holds, attacked by another: L2TP, IKE, ESP, GRE with keys, PPTP.

ownership_check.py LAN-NS WAN-NS GATEWAY-NS SETTINGS RUN-DIR BUILD    prints TAP; usually by ownership.sh
"""
import select
import signal
import socket
import struct
import threading
import time

import l2tp_peer as l2tp
import pptp_wire as pptp
from ike_peers import CREATE_CHILD, INFORMATIONAL, INITIATOR, SA_INIT, Namespace, World, header, ike
from pairing_check import LAN, WAN, Check, Daemon, counter, drops, show

A, B, S, T, EXTERNAL = "10.0.0.11", "10.0.0.12", "203.0.113.9", "203.0.113.10", "203.0.113.1"
HELLO = 6


def udp(namespace, address, port):
    with Namespace(namespace):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((address, port))
    return made


def heard(sock, seconds=1.0):
    """All that arrives: [(packet, sender)]; ends when nothing has come for so long."""
    got = []
    while select.select([sock], [], [], seconds)[0]:
        got.append(sock.recvfrom(65536))
        seconds = min(seconds, 0.2)
    return got


# --- L2TP ------------------------------------------------------------------------------------
def sccrq(tunnel):
    return l2tp.control(2, 0, l2tp.SCCRQ, l2tp.number(2, 9, tunnel))


def payloads(sock, tunnel):
    """The data that has come, and all under this tunnel id."""
    messages = [l2tp.Message(2, packet) for packet, _ in heard(sock)]
    data = [m for m in messages if m.kind is None and not m.empty]
    assert all(m.to == tunnel for m in data), "under tunnel ids %s" % [m.to for m in data]
    return [m.payload for m in data]


class Tunnels:
    """A server at 1701 that answers whom the test wants answered, and two clients, both from 1701."""

    def __init__(self):
        self.server, self.a, self.b = udp(WAN, S, 1701), udp(LAN, A, 1701), udp(LAN, B, 1701)

    def ask(self, client, tunnel):
        """A request, and what of it arrives at the server: (where from, id outside), or None."""
        client.sendto(sccrq(tunnel), (S, 1701))
        for packet, sender in heard(self.server):
            message = l2tp.Message(2, packet)
            if message.kind == l2tp.SCCRQ:
                return sender, message.ids[9]
        return None

    def answer(self, peer, outside, mine):
        self.server.sendto(l2tp.control(2, outside, l2tp.SCCRP, l2tp.number(2, 9, mine)), peer)

    def open(self, client, tunnel, mine):
        """A whole set-up; mine is the server's own id. (where from, id outside)."""
        peer, outside = self.ask(client, tunnel)
        self.answer(peer, outside, mine)
        answers = [l2tp.Message(2, packet) for packet, _ in heard(client)]
        assert [m.to for m in answers if m.kind == l2tp.SCCRP] == [tunnel], "SCCRP does not arrive: %s" % drops()
        client.sendto(l2tp.control(2, mine, l2tp.SCCCN), (S, 1701))
        heard(self.server)
        return peer, outside

    def check_data(self, outside, text, port=1701):
        """Data for a tunnel of A's goes to A and to nobody else."""
        self.server.sendto(l2tp.data(2, outside, text), (EXTERNAL, port))
        at_a, at_b = payloads(self.a, 257), [m for m, _ in heard(self.b, 0.3)]
        assert at_a == [text] and not at_b, "of A's data A got %s, B %s" % (at_a, at_b)


def a_neighbour_repeats_nothing():
    """B names A's tunnel id once, on a port of its own; other requests get that port shared."""
    world.open(world.a, 257, 900)
    world.check_data(257, b"before")
    assert world.ask(world.b, 257)[0][1] != 1701
    time.sleep(1.9)
    world.ask(world.b, 1000)
    time.sleep(0.5)
    world.peer, world.outside = world.ask(world.b, 1001)
    assert world.peer == (EXTERNAL, 1701), "B's port is not shared: the test tests nothing"
    world.check_data(257, b"after it")


def still_after_hello():
    world.a.sendto(l2tp.control(2, 900, HELLO), (S, 1701))
    assert heard(world.server), "A's HELLO does not arrive"
    world.check_data(257, b"after HELLO")


def the_neighbour_gets_an_id_of_its_own():
    """The same number, asked for behind the shared port: translated, and both carry."""
    world.peer, world.outside = world.open(world.b, 257, 901)
    assert world.peer == (EXTERNAL, 1701) and world.outside != 257
    world.server.sendto(l2tp.data(2, world.outside, b"to B"), (EXTERNAL, 1701))
    assert payloads(world.b, 257) == [b"to B"] and not heard(world.a, 0.3)
    world.check_data(257, b"to A")


def the_owner_of_the_port_takes_no_id_either():
    """A has the port. It names the id that stands outside for B's tunnel."""
    peer, outside = world.ask(world.a, world.outside)
    assert peer == (EXTERNAL, 1701) and outside != world.outside, "A's request left under B's id"
    world.answer(peer, outside, 902)
    heard(world.a)
    world.server.sendto(l2tp.data(2, world.outside, b"still to B"), (EXTERNAL, 1701))
    assert payloads(world.b, 257) == [b"still to B"] and not heard(world.a, 0.3)


def nobody_ends_anothers_tunnel():
    """StopCCN to the server's id of another host's tunnel: behind one port the server cannot tell who sent it."""
    for client, theirs in ((world.b, 900), (world.a, 901)):
        before = counter("id_held")
        client.sendto(l2tp.control(2, theirs, l2tp.STOPCCN, l2tp.number(2, 9, 257)), (S, 1701))
        assert not heard(world.server), "StopCCN for another's tunnel arrives at the server"
        assert counter("id_held") == before + 1
    world.b.sendto(l2tp.control(2, 901, HELLO), (S, 1701))
    assert heard(world.server), "its own does not pass"
    world.check_data(257, b"after StopCCN")


def a_restart_changes_nothing():
    for number in (signal.SIGKILL, signal.SIGTERM):
        daemon.again(number)
        world.check_data(257, b"after a restart")
        world.server.sendto(l2tp.data(2, world.outside, b"B's after a restart"), (EXTERNAL, 1701))
        assert payloads(world.b, 257) == [b"B's after a restart"]


def why_is_counted():
    """A hidden tunnel id (RFC 2661 4.3) may not leave the shared port: for which reason, in all and of this device."""
    names = ("helper_dropped", "helper_hidden_id", "helper_refused")
    before = [counter(name) for name in names]
    hidden = struct.pack("!HHH", 0xC000 | 8, 0, 9) + b"\x12\x34"
    world.b.sendto(l2tp.control(2, 0, l2tp.SCCRQ, hidden), (S, 1701))
    assert not heard(world.server), "it has left"
    assert [counter(name) for name in names] == [before[0] + 1, before[1] + 1, before[2]], "%s" % drops()
    time.sleep(6)  # the list of tunnels is made every five seconds
    notes = [v["detail"].get("helper_notes", []) for v in show("vpn") if v["device"] == B and v["kind"] == "l2tp"]
    assert any("is hidden" in note for note in sum(notes, [])), "%s" % notes


# --- IKE and ESP -----------------------------------------------------------------------------
class Pairs(World):
    """A and B with one server that answers to port 500 only, plain ESP."""

    def __init__(self):
        super().__init__(LAN, WAN, T, [A, B], EXTERNAL)
        self.insists = True
        self.a, self.b = self.peers
        self.errors = raw(LAN, A, socket.IPPROTO_ICMP)

    def at(self, peer, spi_i):
        """How many messages of this IKE SA have come to the peer."""
        self.travel()
        return sum(header(message)[0] == spi_i for _, message in peer.host.ike_in)

    def check_ike_of_a(self):
        assert self.ask_from_server(self.a, INFORMATIONAL), "A does not get what the server asks of it: %s" % drops()
        assert not self.at(self.b, self.a.spi_i), "B has got a message of A's IKE SA"


def raw(namespace, address, protocol):
    with Namespace(namespace):
        made = socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)
        made.bind((address, 0))
    return made


def two_share_port_500():
    assert pairs.dial(pairs.a) and pairs.dial(pairs.b), "%s" % drops()
    assert pairs.a.at[1] == pairs.b.at[1] == 500
    pairs.check_ike_of_a()


def refused_at_500(spi_i, spi_r, exchange, protected):
    before = counter("id_held")
    pairs.b.host.send_ike((T, 500), ike(spi_i, spi_r, exchange, INITIATOR, 7, protected))
    assert not pairs.server_hears(spi_i, 1), "the server hears it"
    assert counter("id_held") == before + 1, "%s" % drops()
    pairs.check_ike_of_a()


def anothers_spi():
    refused_at_500(pairs.a.spi_i, pairs.a.spi_r, INFORMATIONAL, True)


def an_spi_that_is_found_alike():
    """The data plane finds an IKE SA by both halves of the initiator's SPI, xored."""
    refused_at_500(pairs.a.spi_i ^ 0x5500000055, 0, SA_INIT, False)


def settle(peer):
    for _ in range(30):
        pairs.out(peer)
        arrived, wrong = pairs.into(peer)
        if (arrived, wrong) == (1, 0):
            time.sleep(0.1)


def esp_pairs_stay():
    """B sends on A's outbound SPI, on a hundred of its own, and exchanges keys: A's SA stays A's."""
    settle(pairs.a)
    settle(pairs.b)
    pairs.b.host.send_esp(T, pairs.a.child.spi_out, 1, b"not mine")
    for spi in range(0x10000, 0x10000 + 100):
        pairs.b.host.send_esp(T, spi, 1, b"flood")
        time.sleep(0.005)
    pairs.ask(pairs.b, CREATE_CHILD)
    arrived, wrong = pairs.into(pairs.a, 10)
    assert (arrived, wrong) == (10, 0), "of A's 10 packets %d arrived, %d at B: %s" % (arrived, wrong, drops())


def summed(data, at):
    """With the Internet checksum (RFC 1071) at this offset."""
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return data[:at] + struct.pack("!H", ~total & 0xFFFF) + data[at + 2:]


def errors_about_esp_stay():
    """RFC 5508 REQ-4: what ICMP errors quote leads to A still, though B has sent on the same SPI and stopped."""
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 100, 1, 0, 60, 50, 0, socket.inet_aton(EXTERNAL), socket.inet_aton(T))
    quoted = summed(head, 10) + struct.pack("!II", pairs.a.child.spi_out, 1)
    body = summed(struct.pack("!BBHHH", 3, 4, 0, 0, 1400) + quoted, 2)
    heard(pairs.errors, 0.1)
    raw(WAN, T, socket.IPPROTO_ICMP).sendto(body, (EXTERNAL, 0))
    assert any(packet[20:22] == b"\3\4" for packet, _ in heard(pairs.errors)), "%s" % drops()


# --- GRE with keys -----------------------------------------------------------------------------
def keyed(key, text):
    return struct.pack("!HHI", 0x2000, 0x0800, key) + text


def texts(sock):
    return [packet[28:] for packet, _ in heard(sock, 0.5)]


def gre_keys_stay():
    """RFC 2890: a key is the host's that used it first with this server."""
    a, b, server = raw(LAN, A, 47), raw(LAN, B, 47), raw(WAN, S, 47)
    a.sendto(keyed(7, b"A's"), (S, 0))
    assert texts(server) == [b"A's"]
    before = counter("server_taken")
    for key, reaches in ((7, []), (9, [b"B's"]), (7, [])):
        b.sendto(keyed(key, b"B's"), (S, 0))
        assert texts(server) == reaches, "key %d" % key
    assert counter("server_taken") == before + 2
    server.sendto(keyed(7, b"to A"), (EXTERNAL, 0))
    assert (texts(a), texts(b)) == ([b"to A"], [])


# --- PPTP ------------------------------------------------------------------------------------
class Calls:
    """A server that answers every call with an id of its own; two clients with the same id."""

    def __init__(self):
        with Namespace(WAN):
            self.listener = socket.create_server((S, 1723))
            self.gre = pptp.gre_socket(S)
        self.next, self.outside = 5000, {}
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            stream, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(stream,), daemon=True).start()

    def serve(self, stream):
        while True:
            kind, body = pptp.read_message(stream)
            if kind is None:
                return
            if kind == pptp.START:
                stream.sendall(pptp.start_reply())
            elif kind == pptp.CALL:
                self.next += 1
                self.outside[self.next] = pptp.ids(body)[0]
                stream.sendall(pptp.call_reply(self.next, self.outside[self.next]))

    def call(self, address, ident):
        """(control connection, GRE socket, the server's id of the call)"""
        with Namespace(LAN):
            gre = pptp.gre_socket(address)
            stream = socket.create_connection((S, 1723), 5, (address, 0))
        stream.sendall(pptp.start_request())
        assert pptp.read_message(stream)[0] == pptp.START_REPLY
        stream.sendall(pptp.call_request(ident))
        kind, body = pptp.read_message(stream)
        assert kind == pptp.CALL_REPLY and pptp.ids(body)[1] == ident, "%s" % drops()
        return stream, gre, pptp.ids(body)[0]


def gre_calls(sock):
    return [(call, text) for _, call, text in (pptp.gre_receive(sock) for _ in iter(
        lambda: bool(select.select([sock], [], [], 0.5)[0]), False))]


def pptp_calls_stay():
    """RFC 2637: the same call id, GRE into another's call, a connection that ends with calls of the same number."""
    a_stream, a, a_call = calls.call(A, 5)
    b_stream, b, b_call = calls.call(B, 5)
    assert calls.outside[a_call] != calls.outside[b_call], "both calls go by one id outside"
    before = counter("gre_no_call")
    gre_calls(calls.gre)
    b.sendto(pptp.gre_packet(a_call, b"B's into A's call"), (S, 0))
    assert not gre_calls(calls.gre), "B's packet for A's call has left"
    assert counter("gre_no_call") == before + 1, "%s" % drops()
    b_stream.sendall(pptp.clear_request(5))
    b_stream.close()
    time.sleep(4)
    calls.gre.sendto(pptp.gre_packet(calls.outside[a_call], b"to A"), (EXTERNAL, 0))
    assert (gre_calls(a), gre_calls(b)) == ([(5, b"to A")], [])
    a.sendto(pptp.gre_packet(a_call, b"A's"), (S, 0))
    assert [text for _, text in gre_calls(calls.gre)] == [b"A's"]
    a_stream.close()


def main():
    check("L2TP: a request that is not repeated takes no neighbour's tunnel", a_neighbour_repeats_nothing)
    check("... still so after the neighbour's HELLO", still_after_hello)
    check("... who asks for the same id behind the shared port gets another outside", the_neighbour_gets_an_id_of_its_own)
    check("... the port's owner does not get another's id either", the_owner_of_the_port_takes_no_id_either)
    check("... nobody ends another's tunnel", nobody_ends_anothers_tunnel)
    check("... a daemon killed or ended and started again", a_restart_changes_nothing)
    check("... what may not leave is counted for its reason", why_is_counted)
    check("IKE: two share port 500 towards a server that insists on it", two_share_port_500)
    check("... a message with another's SPI does not leave there", anothers_spi)
    check("... nor one whose SPI is found by the same number", an_spi_that_is_found_alike)
    check("ESP: pairs stay whose they are", esp_pairs_stay)
    check("... and the errors about them", errors_about_esp_stay)
    check("GRE: a key stays whose it is", gre_keys_stay)
    check("PPTP: calls stay whose they are", pptp_calls_stay)
    print("1..%d" % check.number)


if __name__ == "__main__":
    daemon, check = Daemon(), Check()
    daemon.start()
    world, pairs, calls = Tunnels(), Pairs(), Calls()
    main()
    daemon.stop()
