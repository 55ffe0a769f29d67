#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Eight clients with plain ESP and one server, through a real gateway; every byte on both sides is compared.

pairing_check.py LAN-NS WAN-NS GATEWAY-NS SETTINGS RUN-DIR BUILD    prints TAP; usually by pairing.sh
"""
import json
import random
import signal
import subprocess
import sys
import time

from ike_peers import CREATE_CHILD, INFORMATIONAL, SA_INIT, World, ike

LAN, WAN, GATEWAY, SETTINGS, RUN_DIR, BUILD = sys.argv[1:7]
SERVER, INSISTENT, EXTERNAL = "203.0.113.9", "203.0.113.10", "203.0.113.1"
CLIENTS = ["10.0.0.%d" % n for n in range(11, 19)]
COPIES_AT_MOST, LOST_AT_MOST = 24, 8
LOG = open(RUN_DIR + ".log", "ab")


class Daemon:
    """wayleaved, which ends and starts again while everything goes on."""

    def __init__(self):
        self.process = None

    def start(self):
        self.process = subprocess.Popen(["ip", "netns", "exec", GATEWAY, BUILD + "/wayleaved", "-c", SETTINGS],
                                        stderr=LOG)
        end = time.monotonic() + 120
        while subprocess.run([BUILD + "/wayleave", "-r", RUN_DIR, "status"], capture_output=True).returncode not in (0, 6):
            if time.monotonic() > end:
                raise TimeoutError("wayleaved does not translate")
            time.sleep(0.05)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait()

    def again(self, number=signal.SIGTERM):
        self.stop(number)
        self.start()

    def teardown(self):
        subprocess.run(["ip", "netns", "exec", GATEWAY, BUILD + "/wayleaved", "-c", SETTINGS, "--teardown"],
                       check=True, stderr=LOG)


def show(what):
    out = subprocess.run([BUILD + "/wayleave", "-r", RUN_DIR, "show", what, "--json"], capture_output=True,
                         check=True).stdout
    return json.loads(out)


def counter(name):
    return sum(c["count"] for c in show("counters") if c["name"] == name)


def drops():
    return {c["name"]: c["count"] for c in show("counters") if c["count"] and c["kind"] == "drop"}


class Check:
    """Numbered results."""

    def __init__(self):
        self.number = 0

    def __call__(self, name, function):
        self.number += 1
        try:
            function()
            print("ok %d - %s" % (self.number, name), flush=True)
        except (AssertionError, OSError, TimeoutError, subprocess.CalledProcessError) as error:
            print("not ok %d - %s\n# %s" % (self.number, name, str(error).replace("\n", "\n# ")), flush=True)


def talk(world, peers, child=None):
    """Packet and answer through each tunnel, in turn, until each has gone three times to its own client alone, or long.

    A copy at another client is harmless, as it has no key for it; a guess that is wrong may cost a few packets.
    """
    clean, lost = dict.fromkeys(peers, 0), dict.fromkeys(peers, 0)
    for _ in range(COPIES_AT_MOST):
        for peer in random.sample(peers, len(peers)):
            arrived, wrong = world.into(peer, 1, child)
            lost[peer] += not arrived
            assert lost[peer] <= LOST_AT_MOST, "%s lost %d: %s" % (peer.name, lost[peer], drops())
            assert world.out(peer, 1, child) == 1, "%s does not reach the server" % peer.name
            clean[peer] = clean[peer] + 1 if arrived and not wrong else 0
        if min(clean.values()) >= 3:
            return
    print("# copied still: %s" % ", ".join(p.name for p, n in clean.items() if n < 3), flush=True)


def reach(world, peer):
    """A guess may be wrong for some packets, but not for good."""
    in_a_row = 0
    for _ in range(COPIES_AT_MOST):
        in_a_row = in_a_row + 1 if world.into(peer, 1)[0] else 0
        if in_a_row == 3:
            return
        world.out(peer, 1)
    raise AssertionError("%s is not reached on the server's new SA: %s" % (peer.name, drops()))


def settled(world, peers):
    """All goes to its own client, though nobody answers; what was settled wrongly is settled again."""
    for peer in peers:
        for _ in range(4):
            arrived, wrong = world.into(peer, 5)
            if (arrived, wrong) == (5, 0):
                break
            reach(world, peer)
            talk(world, [peer])
        else:
            assert arrived == 5, "%s: %d of 5 arrived, %d at others" % (peer.name, arrived, wrong)
            print("# %s: all arrives, and %d of 5 is copied still" % (peer.name, wrong), flush=True)


def bound(world, peers):
    """What was settled stays so."""
    for peer in peers:
        arrived, wrong = world.into(peer, 5)
        assert (arrived, wrong) == (5, 0), "%s: %d of 5 arrived, %d at others" % (peer.name, arrived, wrong)


def one_after_another(world):
    for peer in world.peers:
        assert world.dial(peer), peer.name + " cannot dial"
        talk(world, [peer])
    settled(world, world.peers)


def at_once(world):
    """All exchanges interleaved, message by message; then all speak, and the server answers in another order."""
    order = world.peers[:]
    for exchange, protected in ((SA_INIT, False), (35, True)):
        random.shuffle(order)
        for peer in order:
            if exchange == SA_INIT:
                peer.spi_i, peer.spi_r, peer.message_id, peer.server_id = random.getrandbits(64), 0, 0, 0
                peer.children = []
            assert world.ask(peer, exchange, protected), peer.name
    from ike_peers import Child
    for peer in order:
        peer.children = [Child()]
    for peer in random.sample(order, len(order)):
        assert world.out(peer, 1) == 1, peer.name
    talk(world, order)
    settled(world, order)


def client_rekeys(world):
    for peer in world.peers:
        assert world.rekey_by_client(peer), peer.name
        assert world.out(peer, 1) == 1, peer.name
    talk(world, world.peers)
    settled(world, world.peers)


def server_rekeys(world):
    """RFC 7296 2.8: the one who asked may speak first, so the new inbound SPI comes before the outbound one."""
    for peer in world.peers:
        assert world.rekey_by_server(peer), peer.name
        world.into(peer, 1)
        talk(world, [peer])
    talk(world, world.peers)
    settled(world, world.peers)


def many_children(world):
    """Several CHILD_SAs of one client at a time"""
    peer = world.peers[3]
    for _ in range(4):
        assert world.rekey_by_client(peer)
        assert world.out(peer, 1) == 1
        talk(world, [peer])
    for child in peer.children[-5:]:
        assert world.out(peer, 2, child) == 2
        assert world.into(peer, 2, child)[0] == 2, "an older SA"


def restarted(world, daemon, number):
    daemon.again(number)
    settled(world, world.peers)
    talk(world, world.peers)
    client_rekeys(world)


def rebooted(world, daemon):
    """Nothing is left in the kernel; only state_dir is"""
    daemon.stop()
    daemon.teardown()
    daemon.start()
    settled(world, world.peers)
    server_rekeys(world)


def dead_daemon(world, daemon):
    """Bound pairs and key exchange go on without it"""
    settled(world, world.peers)
    daemon.stop(signal.SIGKILL)
    bound(world, world.peers)
    # config.daemon_until runs out, then IKE passes by itself
    assert world.ask_from_server(world.peers[0], INFORMATIONAL, tries=8), "IKE does not pass"
    daemon.start()
    talk(world, world.peers)


def stranger(world, other):
    """A server that nobody inside uses reaches nobody, and not the daemon"""
    before = counter("unsolicited")
    for i in range(20):
        other.server.send_esp(EXTERNAL, 0x1000 + i, 1, b"stranger")
    assert world.wait_for(lambda: counter("unsolicited") >= before + 20)
    assert not any(b"stranger" in p[3] for h in world.hosts for p in h.esp_in)


def settle(world, peers):
    """Talks until each one's pair is settled, not only bound."""
    for _ in range(10):
        talk(world, peers)
        pairs = {p["spi_in"] for v in show("vpn") for p in v["detail"].get("pairs", []) if p["state"] == "settled"}
        if all(peer.child.spi_in in pairs for peer in peers):
            return
        world.wait_for(lambda: False, 1)
    raise AssertionError("not settled: %s" % [p.name for p in peers if p.child.spi_in not in pairs])


def flood(world):
    """Unknown SPIs of a server in use: bounded; settled tunnels lose nothing, and afterwards new ones come up"""
    settle(world, world.peers)
    for i in range(20000):  # five seconds' worth
        world.server.send_esp(EXTERNAL, 0x20000000 + i, 1 + i % 3, b"flood")
    bound(world, world.peers)
    assert counter("tunnel_rate") > 0
    world.wait_for(lambda: False, 11)  # what came once and not again is weighed no more
    assert world.rekey_by_client(world.peers[0])
    assert world.out(world.peers[0], 1) == 1
    reach(world, world.peers[0])
    settle(world, world.peers)


def thief(world):
    """A host that sends on SPIs of its own just when another's exchange ends gains nothing"""
    victim, robber = world.peers[1], world.peers[6]
    assert world.rekey_by_server(victim)
    for _ in range(3):
        robber.host.send_esp(SERVER, random.randrange(0x100, 1 << 32), 1, b"mine")
    arrived, _ = world.into(victim, 5)
    assert arrived == 5, "%d of 5 at the victim" % arrived
    for _ in range(10):
        arrived, _ = world.into(victim, 1)
        assert arrived == 1 and world.out(victim, 1) == 1, "the victim's tunnel has stopped"
    assert world.into(robber, 3)[0] == 3, "the robber's own tunnel has stopped"
    assert world.rekey_by_client(victim), "the victim cannot ask for new keys"
    talk(world, [victim])


def chosen_twice(world):
    """Two clients with the same SPI: it is said"""
    from ike_peers import Child
    first, second = world.peers[0], world.peers[5]
    assert world.ask(second, CREATE_CHILD)
    second.children.append(Child(spi_in=first.child.spi_in))
    world.out(second, 2)
    world.into(second, 1)
    log = RUN_DIR + ".log"
    assert world.wait_for(lambda: "have chosen the same SPI" in open(log, encoding="utf-8").read()), "it is not said"


def shown(world):
    def items():
        return [v for v in show("vpn") if v["kind"] == "ipsec" and v["server"] == SERVER]
    assert world.wait_for(lambda: len(items()) == 8, 15), "%d of 8 tunnels" % len(items())
    for item in items():
        pairs = item["detail"].get("pairs", [])
        assert pairs and all(p["evidence"] for p in pairs if p["state"] != "open"), item


def insistent(world):
    """A server that answers nobody but port 500: all eight clients, from source port 500"""
    world.insists = True
    for peer in world.peers:
        assert world.dial(peer), peer.name + " cannot dial"
        assert peer.at == (EXTERNAL, 500), peer.at
        talk(world, [peer])
    settled(world, world.peers)


def insistent_rekey(world):
    """IKE SAs with new SPIs that nobody could read: the server speaks first on them"""
    for peer in world.peers:
        assert world.rekey_ike(peer), peer.name
        assert world.ask_from_server(peer, INFORMATIONAL), "%s is not reached on its new IKE SA" % peer.name
        assert world.ask(peer, INFORMATIONAL), peer.name
    talk(world, world.peers)


def insistent_unprotected(world):
    """A host that answers INVALID_IKE_SPI to what was not its own is not listened to"""
    peer = world.peers[2]
    assert world.rekey_ike(peer)
    request = ike(peer.spi_i, peer.spi_r, INFORMATIONAL, 0, 0)
    world.server.send_ike((EXTERNAL, 500), request)
    assert peer.wait_ike(peer.spi_i, 2)
    for other in world.peers:
        if other is not peer and other.wait_ike(peer.spi_i, 0.5):
            other.host.send_ike((INSISTENT, 500), ike(peer.spi_i, peer.spi_r, INFORMATIONAL, 0x28, 0, False))
    assert not world.server_hears(peer.spi_i, 0.3), "an unprotected answer passed"
    assert world.ask_from_server(peer, INFORMATIONAL)


def main():
    check, daemon = Check(), Daemon()
    daemon.start()
    try:
        plain = World(LAN, WAN, SERVER, CLIENTS, EXTERNAL)
        check("eight clients, one after another", lambda: one_after_another(plain))
        check("their tunnels are shown with evidence", lambda: shown(plain))
        check("eight clients at once", lambda: at_once(plain))
        check("rekeys that the clients begin", lambda: client_rekeys(plain))
        check("rekeys that the server begins: inbound first", lambda: server_rekeys(plain))
        check("several SAs of one client", lambda: many_children(plain))
        check("a host that sends at the right moment gains nothing", lambda: thief(plain))
        check("a flood of unknown SPIs", lambda: flood(plain))
        check("the daemon is restarted", lambda: restarted(plain, daemon, signal.SIGTERM))
        check("the daemon is killed and starts again", lambda: restarted(plain, daemon, signal.SIGKILL))
        check("the daemon is dead: tunnels and key exchange go on", lambda: dead_daemon(plain, daemon))
        check("nothing but state_dir is left: the tunnels go on", lambda: rebooted(plain, daemon))
        check("two clients with one SPI", lambda: chosen_twice(plain))
        for host in set(plain.by_socket.values()):
            host.udp.close()
        strict = World(LAN, WAN, INSISTENT, CLIENTS, EXTERNAL)
        check("a stranger's ESP", lambda: stranger(plain, strict))
        check("a server that insists on port 500: eight clients", lambda: insistent(strict))
        check("their IKE SAs are rekeyed", lambda: insistent_rekey(strict))
        check("answers that are not protected do not count", lambda: insistent_unprotected(strict))
        check("restart with a shared port", lambda: (daemon.again(signal.SIGKILL), insistent_rekey(strict)))
        print("1..%d" % check.number)
    finally:
        daemon.stop()


if __name__ == "__main__":
    main()
