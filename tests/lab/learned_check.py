#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers that change their mind about ports, or cannot tell clients behind one port apart.

learned_check.py LAN-NS WAN-NS GATEWAY-NS SETTINGS RUN-DIR BUILD    prints TAP; usually by learned.sh
"""
import select
import signal
import sys
import threading
import time

import l2tp_peer as l2tp
from ownership_check import HELLO, S, Pairs, sccrq, udp
from ike_peers import INFORMATIONAL, INITIATOR, ike
from pairing_check import LAN, WAN, Check, Daemon, drops, show

GIVES_UP_S = 8


class Server(threading.Thread):
    """L2TP at 1701, whose ways can be changed while it runs.

    insists: answers only what comes from port 1701. elsewhere: answers from a port of its own, and only
    what does not come from port 1701. one: takes all that comes from one address and port for one client,
    and answers the newest tunnel there until that has been silent for some seconds. ends: the same, and it
    tells the former tunnel so.
    """

    def __init__(self):
        super().__init__(daemon=True)
        self.sockets = [udp(WAN, S, 1701), udp(WAN, S, 40123)]
        self.insists = self.elsewhere = self.one = self.ends = False
        self.count, self.tunnels, self.heard, self.newest = 900, {}, {}, {}
        self.start()

    def run(self):
        while True:
            for sock in select.select(self.sockets, [], [])[0]:
                packet, sender = sock.recvfrom(65536)
                self.handle(l2tp.Message(2, packet), sender)

    def say(self, packet, sender):
        self.sockets[1 if self.elsewhere else 0].sendto(packet, sender)

    def handle(self, message, sender):
        if (self.insists and sender[1] != 1701) or (self.elsewhere and sender[1] == 1701):
            return
        if message.kind == l2tp.SCCRQ:
            self.accept(message.ids[9], sender)
        elif message.to in self.tunnels:
            self.heard[message.to] = time.monotonic()
            theirs = self.known_as(message.to, sender)
            if message.kind == HELLO:
                self.say(l2tp.acknowledgment(theirs), sender)
            elif message.kind is None and not message.empty:
                self.say(l2tp.data(2, theirs, message.payload), sender)

    def known_as(self, mine, sender):
        """The client's id of the tunnel, as this server believes."""
        newest = self.newest.get(sender)
        if self.one and newest and time.monotonic() - self.heard[newest] < GIVES_UP_S:
            return self.tunnels[newest][0]
        return self.tunnels[mine][0]

    def accept(self, theirs, sender):
        mine = next((m for m, t in self.tunnels.items() if t == (theirs, sender)), None)
        if not mine:
            former = self.newest.get(sender)
            if self.ends and former:
                self.say(l2tp.control(2, self.tunnels[former][0], l2tp.STOPCCN, l2tp.number(2, 9, former)), sender)
            self.count += 1
            mine = self.count
            self.tunnels[mine] = (theirs, sender)
        self.newest[sender], self.heard[mine] = mine, time.monotonic()
        self.say(l2tp.control(2, theirs, l2tp.SCCRP, l2tp.number(2, 9, mine)), sender)


class Client:
    """From port 1701; repeats what is not answered as RFC 2661 5.8 has it."""

    def __init__(self, address):
        self.address, self.socket = address, udp(LAN, address, 1701)
        self.ident, self.theirs, self.to = 256, None, (S, 1701)
        self.ended = False

    def receive(self, seconds):
        """(message, sender) or None"""
        if not select.select([self.socket], [], [], max(seconds, 0))[0]:
            return None
        packet, sender = self.socket.recvfrom(65536)
        message = l2tp.Message(2, packet)
        self.ended |= message.kind == l2tp.STOPCCN and message.to == self.ident
        return message, sender

    def ask(self, packet, fits, waits):
        """Whether an answer that fits has come to one of the repetitions."""
        for wait_s in waits:
            self.socket.sendto(packet, self.to)
            end = time.monotonic() + wait_s
            while (left := end - time.monotonic()) > 0:
                got = self.receive(left)
                if got and got[0].to == self.ident and fits(got[0]):
                    return got
        return None

    def dial(self, waits=(1, 2, 3, 4, 4, 4)):
        self.ident, self.to, self.ended = self.ident + 1, (S, 1701), False
        got = self.ask(sccrq(self.ident), lambda m: m.kind == l2tp.SCCRP, waits)
        if not got:
            return False
        self.theirs, self.to = got[0].ids[9], got[1]
        self.socket.sendto(l2tp.control(2, self.theirs, l2tp.SCCCN), self.to)
        return True

    def echo(self, waits=(1, 1)):
        payload = b"%s %f" % (self.address.encode(), time.monotonic())
        return bool(self.ask(l2tp.data(2, self.theirs, payload), lambda m: m.kind is None and not m.empty and
                             m.payload == payload, waits))

    def hello(self, waits=(1, 1, 1, 1)):
        return bool(self.ask(l2tp.control(2, self.theirs, HELLO), lambda m: m.empty, waits))

    def chatter(self, seconds):
        """Goes on sending data, on a thread of its own, whether it is answered or not."""
        def go_on():
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                self.socket.sendto(l2tp.data(2, self.theirs, b"chatter"), self.to)
                time.sleep(0.3)
        threading.Thread(target=go_on, daemon=True).start()

    def hang_up(self):
        self.socket.sendto(l2tp.control(2, self.theirs, l2tp.STOPCCN, l2tp.number(2, 9, self.ident)), self.to)


def habit(kind, member):
    """What the gateway knows of a server, as `show vpn` says it."""
    time.sleep(6)  # the list of tunnels is made every five seconds
    return {v["detail"].get(member) for v in show("vpn") if v["kind"] == kind}


def outside_port(address):
    """Where the client's session with the server leaves from."""
    return [d["external_port"] for v in show("vpn") if v["device"] == address and v["kind"] == "l2tp"
            for d in v["detail"]["sessions"] if d.get("server_port") == 1701]


# --- L2TP ------------------------------------------------------------------------------------
def it_answers_any_port():
    assert a.dial() and b.dial(), "%s" % drops()
    assert a.echo() and b.echo()
    assert habit("l2tp", "l2tp_port") == {"any"}


def it_insists_by_now():
    b.hang_up()
    server.insists = True
    assert b.dial() or b.dial(), "B is not answered: %s" % drops()
    assert a.echo() and b.echo()
    assert habit("l2tp", "l2tp_port") == {"insists"}


def so_after_a_restart():
    daemon.again(signal.SIGTERM)
    assert a.echo() and b.echo()
    assert habit("l2tp", "l2tp_port") == {"insists"}
    assert c.dial((1,)), "C has to be moved with its first message: %s" % drops()
    assert c.echo() and a.echo() and b.echo()


def it_answers_from_another_port_by_now():
    """What comes from 1701 it does not answer at all any more: B goes back to a port of its own."""
    b.hang_up()
    c.hang_up()
    server.insists, server.elsewhere = False, True
    assert b.dial() or b.dial(), "B is not answered: %s" % drops()
    assert b.echo()


def nobody_goes_by_what_was_true():
    assert c.dial() or c.dial(), "C is not answered: %s" % drops()
    assert c.echo() and "insists" not in habit("l2tp", "l2tp_port")


def it_tells_nobody_apart():
    """D has a tunnel; E is moved to its port; what is D's comes under E's id. D notices by its HELLO, we by D's."""
    anew("insists")
    server.elsewhere, server.insists, server.one = False, True, True
    assert d.dial() and d.echo(), "%s" % drops()
    assert e.dial(), "%s" % drops()
    e.chatter(30)
    d.echo((0.5,))
    assert not d.hello(), "this server tells D and E apart: the test tests nothing"
    time.sleep(GIVES_UP_S)
    assert d.hello() and d.echo(), "D's tunnel has not come back: %s" % drops()


def and_that_is_remembered():
    assert habit("l2tp", "l2tp_port") == {"one-client"}
    assert outside_port(e.address) != [1701], "E shares the port still"
    for number in (signal.SIGKILL, signal.SIGTERM):
        daemon.again(number)
        assert not f.dial((1, 2, 3)) and outside_port(f.address) != [1701]
        assert d.echo(), "%s" % drops()


def it_ends_the_former_tunnel():
    """RFC 2661 5.7: StopCCN for D's as soon as E comes from the same port. D dials again, and is not ended again."""
    anew("insists")
    server.one, server.ends = False, True
    server.newest.clear()
    assert d.dial() and d.echo(), "%s" % drops()
    e.dial((1,))
    d.receive(1)
    assert d.ended, "this server ends nothing: the test tests nothing"
    server.newest.clear()
    assert d.dial() and d.echo(), "%s" % drops()
    e.dial((1, 2, 3, 4))
    assert d.echo() and not d.ended, "D was ended again"


def anew(known):
    """A gateway without sessions, to which this much is known of the server."""
    daemon.stop()
    daemon.teardown()
    with open(STATE + "/l2tp_servers.json", "w", encoding="utf-8") as file:
        file.write('{"version":1,"servers":[{"server":"%s","strategy":"%s"}]}' % (S, known))
    daemon.start()


# --- IKE ------------------------------------------------------------------------------------
def ike_any_then_insists():
    """An answer at any port once; then the server insists, and the next IKE SA finds the way to port 500."""
    pairs.insists = False
    assert pairs.dial(pairs.a) and pairs.dial(pairs.b)
    assert pairs.b.at[1] != 500
    pairs.insists = True
    assert pairs.ask(pairs.a, INFORMATIONAL)
    assert pairs.dial(pairs.b) or pairs.dial(pairs.b), "%s" % drops()
    assert pairs.b.at[1] == 500


def ike_one_client():
    """The server hears A no more since B shares its port: B goes back, A goes on."""
    for _ in range(5):
        pairs.a.host.send_ike((pairs.server.address, 500),
                              ike(pairs.a.spi_i, pairs.a.spi_r, INFORMATIONAL, INITIATOR, pairs.a.message_id))
        time.sleep(0.3)
    pairs.server.ike_in.clear()
    pairs.insists = False
    assert pairs.ask(pairs.a, INFORMATIONAL) and pairs.a.at[1] == 500, "A: %s" % drops()
    assert habit("ipsec", "ike_port") == {"one-client"}
    assert pairs.ask(pairs.b, INFORMATIONAL) and pairs.b.at[1] != 500, "B: %s %s" % (pairs.b.at, drops())


def main():
    check("L2TP: a server that answers any port", it_answers_any_port)
    check("... insists on 1701 by now: who is not answered is moved there", it_insists_by_now)
    check("... that is known after a restart", so_after_a_restart)
    check("... answers from another port, and 1701 no more: who is not answered goes back", it_answers_from_another_port_by_now)
    check("... nobody is held to what was true once", nobody_goes_by_what_was_true)
    check("L2TP: a server that takes one port for one client: the first one's tunnel comes back", it_tells_nobody_apart)
    check("... nobody is moved there any more, over restarts", and_that_is_remembered)
    check("L2TP: a server that ends the former tunnel does so once", it_ends_the_former_tunnel)
    check("IKE: a server that answered any port insists by now", ike_any_then_insists)
    check("... and takes port 500 for one client: who has come last goes back", ike_one_client)
    print("1..%d" % check.number)


if __name__ == "__main__":
    STATE = sys.argv[5][:-len("run")] + "state"
    daemon, check = Daemon(), Check()
    daemon.start()
    server, pairs = Server(), Pairs()
    a, b, c, d, e, f = (Client("10.0.0.1%d" % n) for n in range(1, 7))
    main()
    daemon.stop()
