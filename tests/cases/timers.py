# SPDX-License-Identifier: GPL-2.0-or-later
"""Deadlines hold at the hit, with no daemon to sweep; the clock may wrap."""
from gateway import ENDPOINT_INDEPENDENT
from packets import A, E, S, T, esp, gre0, ping, pong, proto, udp
from rows import case


@case
def inbound_keeps_alive(g):
    """RFC 4787 REQ-6: the gateway's choice: packets of a live session refresh it both ways"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    for second in (250, 500, 750):
        g.at(second)
        g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))


@case
def outbound_keeps_the_filter(g):
    """RFC 4787 REQ-6: what goes out keeps the mapping and its filter open for other ports of the contacted host"""
    for second in (0, 250, 500, 750, 1000):
        g.at(second)
        g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.at(1299)
    g.wan(udp(S, 99, E, 4000), sent=udp(S, 99, A, 4000))


@case
def settings(g):
    """RFC 4787 REQ-5: timers are settings, effective at once"""
    g.config(timeout_udp=10000, timeout_icmp=5000, timeout_other=20000)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(ping(A, S, 7), sent=ping(E, S, 7))
    g.lan(proto(A, S, 200), sent=proto(E, S, 200))
    g.at(6)
    g.wan(pong(S, E, 7), drop="session_expired")
    g.at(11)
    g.wan(udp(S, 53, E, 4000), drop="session_expired")
    g.at(19)
    g.wan(proto(S, E, 200), sent=proto(S, A, 200))
    g.at(40)
    g.wan(proto(S, E, 200), drop="session_expired")


# A VPN's flow: its inside port, its remote port, its timer
VPN_FLOWS = ((500, 500, 7200), (4500, 4500, 7200), (40000, 4500, 7200), (1701, 1701, 3600), (40002, 51820, 3600), (40004, 1194, 3600))


@case
def vpns_have_their_own(g):
    """RFC 4787 REQ-5: IKE, NAT-T, L2TP, WireGuard and OpenVPN over UDP outlive their clients' pauses, no more"""
    for inside, remote, _ in VPN_FLOWS:
        g.lan(udp(A, inside, S, remote), sent=udp(E, inside, S, remote))
    g.lan(proto(A, S, 115, b"\0\0\0\7"), sent=proto(E, S, 115, b"\0\0\0\7"))
    g.at(3599)
    g.wan(proto(S, E, 115, b"\0\0\0\7"), sent=proto(S, A, 115, b"\0\0\0\7"))
    for begin in (0, 3600):
        for inside, remote, timer in VPN_FLOWS:
            if timer == begin + 3600:
                g.at(begin + 3599)
                g.wan(udp(S, remote, E, inside), sent=udp(S, remote, A, inside))
                g.at(begin + 3599 + timer + 1)
                g.wan(udp(S, remote, E, inside), drop="session_expired")


@case
def vpn_timers_are_settings(g):
    """RFC 4787 REQ-5b: each by itself"""
    g.config(timeout_ike=130000, timeout_l2tp=140000, timeout_wireguard=150000, timeout_openvpn=160000)
    timers = {500: 130, 1701: 140, 51820: 150, 1194: 160}
    for remote, seconds in timers.items():
        g.lan(udp(A, remote, S, remote), sent=udp(E, remote, S, remote))
        g.lan(udp(A, remote, T, remote), sent=udp(E, remote, T, remote))
    for remote, seconds in timers.items():
        g.at(seconds - 1)
        g.wan(udp(T, remote, E, remote), sent=udp(T, remote, A, remote))
        g.at(seconds + 1)
        g.wan(udp(S, remote, E, remote), drop="session_expired")


@case
def timers_of_protocols_without_ports(g):
    """RFC 4787 REQ-5 by analogy: ESP, GRE, L2TPv3 and any other have one each"""
    g.config(timeout_esp=130000, timeout_gre=140000, timeout_l2tp=150000, timeout_other=160000)
    kept, over = T, S
    packets = {130: lambda a, b: esp(a, b, 7), 140: gre0, 150: lambda a, b: proto(a, b, 115, b"\0\0\0\7"),
               160: lambda a, b: proto(a, b, 200)}
    for packet in packets.values():
        for remote in (kept, over):
            g.lan(packet(A, remote), sent=packet(E, remote))
    for seconds, packet in packets.items():
        g.at(seconds - 1)
        g.wan(packet(kept, E), sent=packet(kept, A))
        g.at(seconds + 1)
        g.wan(packet(over, E), drop="session_expired")


@case
def natt_keepalives(g):
    """RFC 3948 2.3, RFC 4787 REQ-6: one byte 0xff every 20 s, never answered, without a checksum, keeps the mapping"""
    g.config(timeout_ike=120000)
    for second in range(0, 1200, 20):
        g.at(second)
        g.lan(udp(A, 4500, S, 4500, b"\xff", chksum=0), sent=udp(E, 4500, S, 4500, b"\xff", chksum=0))
    g.at(1180 + 119)
    g.wan(udp(S, 4500, E, 4500, b"esp"), sent=udp(S, 4500, A, 4500, b"esp"))


@case
def mapping_expires(g):
    """RFC 4787 REQ-5: a mapping without a live session lets nobody in, also before it is swept"""
    g.config(filtering_udp=ENDPOINT_INDEPENDENT)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.at(3600)
    answer = g.run("outside", 13, bytes(12) + b"\x08\0" + bytes(udp(T, 53, E, 4000)))
    assert answer.verdict == "drop", answer


@case
def permit_expires(g):
    """RFC 4787 REQ-8: so does the leave of a contacted address"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.at(3600)
    g.wan(udp(S, 99, E, 4000), drop="filtered")


@case
def clock_wraps(g):
    """32 bits of ticks: a wrap in between changes nothing"""
    g.process.ask("clock", 0xffffffff - 5000)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.process.ask("clock", 100000)
    g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))
    g.process.ask("clock", 500000)
    g.wan(udp(S, 53, E, 4000), drop="session_expired")


@case
def counted(g):
    """Packets and bytes of each direction, layer 3"""
    for _ in range(3):
        g.lan(udp(A, 4000, S, 53, b"1234"), sent=udp(E, 4000, S, 53, b"1234"))
    g.wan(udp(S, 53, E, 4000, b"12"), sent=udp(S, 53, A, 4000, b"12"))
    (orig,), (reply,) = g.records("orig"), g.records("reply")
    assert (orig["packets"], orig["bytes"]) == (3, 96), orig
    assert (reply["packets"], reply["bytes"]) == (1, 30), reply


@case
def handshakes_are_counted(g):
    """What renews a tunnel's keys and says so in clear: WireGuard's initiation, OpenVPN's soft reset; each direction"""
    initiation, data = b"\1\0\0\0" + bytes(144), b"\4\0\0\0" + bytes(144)
    soft, other = b"\x18" + bytes(40), b"\x48" + bytes(40)
    for port, rekey, plain in ((51820, initiation, data), (51820, initiation, initiation[:-1]), (1194, soft, other)):
        g.reset()
        for payload in (plain, rekey, plain, rekey, plain):
            g.lan(udp(A, 9, S, port, payload), sent=udp(E, 9, S, port, payload))
        g.wan(udp(S, port, E, 9, plain), sent=udp(S, port, A, 9, plain))
        g.wan(udp(S, port, E, 9, rekey), sent=udp(S, port, A, 9, rekey))
        assert [r["rekeys"] for r in g.records("orig")] == [2]
        assert [r["rekeys"] for r in g.records("reply")] == [1]
    g.lan(udp(A, 9, S, 7, soft), sent=udp(E, 9, S, 7, soft))
    assert [r["rekeys"] for r in g.records("orig", remote_id=7)] == [0]
