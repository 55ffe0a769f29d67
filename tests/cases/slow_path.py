# SPDX-License-Identifier: GPL-2.0-or-later
"""What the daemon gets and hands back; sizes; neighbours and routes that change; devices without Ethernet header."""
import struct

from gateway import PUNT_DOWN, PUNT_TRANSLATE, PUNT_TRANSMIT
from packets import A, B, E, LAN0, N, P, PPP, Q, ROUTER, S, TAP, UNRESOLVED, WAN, Ether, device_mac, neighbour_mac, tcp, udp
from rows import case

NO_RECORD = 0xffffffff


def record(action, side, ifindex, index=0):
    """struct punt of core/abi.h."""
    return struct.pack("=BBBBII", action, 0, side, 0, index, ifindex)


def tap(g, head, packet):
    return g.turned(g.frame(g.prefix + "tap", TAP, head + b"\x08\0" + bytes(packet)))


def sent(answer, expected, device, neighbour):
    expected.ttl = 63
    head = bytes(Ether(dst=neighbour_mac(neighbour), src=device_mac(device), type=0x800))
    assert answer.verdict == "forward", answer
    assert answer.frame == head + bytes(expected), (answer.frame.hex(), (head + bytes(expected)).hex())


@case
def punt_record(g):
    """The record in place of the MAC addresses: action, reason, side, session, interface"""
    frame = bytes(12) + b"\x08\0" + bytes(tcp(A, 5000, S, 1723))
    answer = g.run("inside", LAN0, frame)
    action, _, side, _, index, ifindex = struct.unpack("=BBBBII", answer.frame[:12])
    assert (action, side, ifindex) == (PUNT_DOWN, 0, LAN0), answer
    assert any(r["record"] == index for r in g.records("orig")), index
    answer = g.run("outside", WAN, bytes(12) + b"\x08\0" + bytes(tcp(S, 1723, E, 5000, "SA")))
    action, _, side, _, index, ifindex = struct.unpack("=BBBBII", answer.frame[:12])
    assert (action, side, ifindex) == (PUNT_DOWN, 1, WAN), answer
    assert any(r["record"] == index for r in g.records("reply")), index


@case
def translate(g):
    """PUNT_TRANSLATE: through the same translation, but not to the daemon again"""
    out, back = tcp(A, 5000, S, 1723, "PA", b"data"), tcp(S, 1723, E, 5000, "PA", b"data")
    g.lan(tcp(A, 5000, S, 1723), punt="to_helper")
    sent(tap(g, record(PUNT_TRANSLATE, 0, LAN0), out), tcp(E, 5000, S, 1723, "PA", b"data"), WAN, ROUTER)
    sent(tap(g, record(PUNT_TRANSLATE, 1, WAN), back), tcp(S, 1723, A, 5000, "PA", b"data"), LAN0, A)


@case
def translate_new(g):
    """PUNT_TRANSLATE of a flow without a session begins one, by the rules of its side"""
    sent(tap(g, record(PUNT_TRANSLATE, 0, LAN0), udp(A, 4000, S, 53)), udp(E, 4000, S, 53), WAN, ROUTER)
    assert tap(g, record(PUNT_TRANSLATE, 1, WAN), udp(S, 54, E, 4001)).verdict == "drop"


@case
def transmit(g):
    """PUNT_TRANSMIT: as it is, to a next hop"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    (orig,) = g.records("orig")
    packet = udp(E, 9, S, 9)
    answer = tap(g, record(PUNT_TRANSMIT, 0, 0, orig["next_hop"]), packet)
    head = bytes(Ether(dst=neighbour_mac(ROUTER), src=device_mac(WAN), type=0x800))
    assert answer.verdict == "forward" and answer.frame == head + bytes(packet), answer


@case
def hairpinned_control_message(g):
    """RFC 2637 by our own address, also at another port: each of its two halves is handed out, once"""
    g.forward(6, 1724, B, 1723)
    g.lan(tcp(A, 5000, E, 1724), punt="to_helper")
    assert tap(g, record(PUNT_TRANSLATE, 0, LAN0), tcp(A, 5000, E, 1724)).verdict == "punt"
    sent(tap(g, record(PUNT_TRANSLATE, 1, LAN0), tcp(E, 5000, E, 1724)), tcp(E, 5000, B, 1723), LAN0, B)


@case
def nonsense_on_the_tap(g):
    """Other actions, next hops that are none"""
    for head in (record(0, 0, LAN0), record(PUNT_DOWN, 0, LAN0), record(8, 0, LAN0), record(255, 1, WAN),
                 record(PUNT_TRANSMIT, 0, 0, 0), record(PUNT_TRANSMIT, 0, 0, 4095), record(PUNT_TRANSMIT, 0, 0, 4096),
                 record(PUNT_TRANSMIT, 0, 0, NO_RECORD)):
        answer = tap(g, head, udp(A, 4000, S, 53))
        assert answer.verdict == "drop", (head.hex(), answer)


@case
def no_tap(g):
    """Without a slow path what needs it is dropped, counted under its own reason"""
    g.config(tap_ifindex=0)
    answer = g.run("inside", LAN0, bytes(12) + b"\x08\0" + bytes(tcp(A, 5000, S, 1723)))
    assert answer.verdict == "drop" and "to_helper" in answer.counters, answer


@case
def too_big_outbound(g):
    """RFC 4787 REQ-13: with DF the kernel tells, without it the packet is cut"""
    g.mtu(WAN, 1400)
    g.lan(udp(A, 4000, S, 53, bytes(1373), flags="DF"), stack="too_big_outbound")
    g.lan(udp(A, 4000, S, 53, bytes(1373)), cut=udp(E, 4000, S, 53, bytes(1373)))
    g.lan(udp(A, 4000, S, 53, bytes(1372), flags="DF"), sent=udp(E, 4000, S, 53, bytes(1372), flags="DF"))


@case
def too_big_inbound(g):
    """RFC 4787 REQ-13: the daemon tells the sender, or it is cut"""
    g.mtu(LAN0, 1400)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(udp(S, 53, E, 4000, bytes(1373), flags="DF"), punt="too_big_inbound")
    g.wan(udp(S, 53, E, 4000, bytes(1373)), cut=udp(S, 53, A, 4000, bytes(1373)))
    g.wan(udp(S, 53, E, 4000, bytes(1372)), sent=udp(S, 53, A, 4000, bytes(1372)))


@case(only=("tc",))
def gso(g):
    """A super-packet counts by its segments, not by its length"""
    g.lan(tcp(A, 5000, S, 80), sent=tcp(E, 5000, S, 80))
    data = bytes(3000)
    g.lan(tcp(A, 5000, S, 80, "A", data), sent=tcp(E, 5000, S, 80, "A", data), segment=1460)


@case
def route_changed(g):
    """A new generation of routes: the next hop is chosen again, the flow goes on"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))
    g.config(route_generation=2)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))
    assert all(r["route_generation"] == 2 for r in g.records("reply"))


def first_packet(g, port):
    """Of a new flow; what became of it."""
    return g.run("inside", LAN0, bytes(12) + b"\x08\0" + bytes(udp(A, port, S, 53)))


@case
def known_route_changed(g):
    """What the kernel has lately answered counts no longer once the daemon has seen routes change: new flows, old ones"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.detour(S + "/32", WAN, N)
    sent(first_packet(g, 4001), udp(E, 4001, S, 53), WAN, ROUTER)  # nobody has seen it yet
    g.config(route_generation=2)
    sent(first_packet(g, 4002), udp(E, 4002, S, 53), WAN, N)
    sent(first_packet(g, 4000), udp(E, 4000, S, 53), WAN, N)


@case
def known_route_of_a_dead_daemon(g):
    """Nobody tells that routes have changed: a second later new flows go the new way all the same"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.detour(S + "/32", WAN, N)
    g.at(1.5)  # the kernel's clock has run since the route was noted
    sent(first_packet(g, 4001), udp(E, 4001, S, 53), WAN, N)


@case
def route_gone(g):
    """No way through the WAN any more: the kernel tells"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.config(route_generation=2, wan_ifindex=99)
    g.lan(udp(A, 4000, S, 53), stack="no_route")


@case(only=("tc", "xdp"))
def neighbour_unknown(g):
    """Before the neighbour's MAC address is known, TC lets the kernel find it"""
    frame = bytes(12) + b"\x08\0" + bytes(udp(UNRESOLVED, 4000, S, 53))
    answer = g.run("inside", LAN0, frame)
    assert answer.verdict == "forward", answer
    answer = g.run("outside", WAN, bytes(12) + b"\x08\0" + bytes(udp(S, 53, E, 4000)), leave=True)
    expected = udp(S, 53, UNRESOLVED, 4000)
    expected.ttl = 63
    assert answer.frame[14:] == bytes(expected), answer


# --- devices without Ethernet header -----------------------------------------------------------
@case(only=("memory", "tc"))
def bare_inside(g):
    """From a device without Ethernet header: one is put in front"""
    g.lan(udp(P, 4000, S, 53), device=PPP, bare=True, sent=udp(E, 4000, S, 53))
    g.lan(tcp(P, 5000, S, 80), device=PPP, bare=True, sent=tcp(E, 5000, S, 80))


@case
def bare_answer(g):
    """To one: the packet is whole"""
    g.frame(g.prefix + "inside_bare", PPP, bytes(udp(P, 4000, S, 53)))
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, P, 4000), leave=None)


@case(only=("memory", "tc"))
def bare_outside(g):
    """The WAN is one (PPP)"""
    g.lan(udp(A, 4000, Q, 53), sent=udp(E, 4000, Q, 53))
    g.wan(udp(Q, 53, E, 4000), bare=True, sent=udp(Q, 53, A, 4000))
    g.wan(udp(Q, 53, E, 4001), bare=True, drop="unsolicited")
    g.wan(udp(Q, 53, E, 4000, ttl=1), bare=True, punt="ttl_exceeded_inbound")


@case(only=("memory", "tc"))
def bare_stack(g):
    """What goes up goes as it came"""
    g.lan(udp(P, 4000, E, 443), device=PPP, bare=True, stack="to_gateway")
