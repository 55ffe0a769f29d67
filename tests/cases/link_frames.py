# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames as links carry them: priority tags, other VLANs, other stations, groups."""
from packets import A, D, E, LAN0, S, WAN, Ether, device_mac, udp
from rows import case

OUT, BACK = udp(A, 4000, S, 53), udp(S, 53, E, 4000)


def frame(packet, device, tags=b"", destination=None):
    head = bytes(Ether(dst=destination or device_mac(device), src="52:54:00:00:99:99", type=0x800))
    return head[:12] + tags + head[12:] + bytes(packet)


def tag(vlan, priority=5, kind=b"\x81\x00"):
    return kind + (priority << 13 | vlan).to_bytes(2, "big")


def stopped(g, side, packet, destination, verdict, reason):
    device = LAN0 if side == "inside" else WAN
    answer = g.run(side, device, frame(packet, device, destination=destination))
    assert answer.verdict == verdict and reason in answer.counters, (destination, answer)


@case(only=("tc", "xdp"))
def priority_tag(g):
    """IEEE 802.1Q 9.6: VLAN id 0 is no VLAN: translated as without a tag, and leaves without one"""
    g.lan(OUT, sent=udp(E, 4000, S, 53))
    plain = g.run("inside", LAN0, frame(OUT, LAN0)).frame
    back = g.run("outside", WAN, frame(BACK, WAN)).frame
    for kind in (b"\x81\x00", b"\x88\xa8"):
        for priority in (0, 1, 7):
            answer = g.run("inside", LAN0, frame(OUT, LAN0, tag(0, priority, kind)))
            assert (answer.verdict, answer.frame) == ("forward", plain), answer
            answer = g.run("outside", WAN, frame(BACK, WAN, tag(0, priority, kind)))
            assert (answer.verdict, answer.frame) == ("forward", back), answer


@case(only=("tc", "xdp"))
def other_vlans(g):
    """Another VLAN's frames are another device's, also behind a priority tag"""
    g.lan(OUT, sent=udp(E, 4000, S, 53))
    for tags in (tag(1), tag(5), tag(4095), tag(5, 0), tag(0) + tag(5)):
        for side, device, packet in (("inside", LAN0, OUT), ("outside", WAN, BACK)):
            answer = g.run(side, device, frame(packet, device, tags))
            assert answer.verdict == "stack", (tags, answer)


@case(only=("tc", "xdp"))
def group_addresses(g):
    """RFC 1812 5.3.4: what came to a group of stations is not forwarded; RFC 1122 3.3.6: not taken from the WAN either"""
    g.lan(OUT, sent=udp(E, 4000, S, 53))
    for group in ("ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"):
        stopped(g, "inside", OUT, group, "stack", "other_station")
        stopped(g, "inside", udp(A, 138, "10.0.0.255", 138), group, "stack", "other_station")
        stopped(g, "inside", udp(D, 4000, S, 53), group, "drop", "spoofed_source")
        stopped(g, "outside", BACK, group, "drop", "group_frame")
    (session,) = g.records("reply")
    assert session["packets"] == 0, session


@case(only=("tc", "xdp"))
def packets_for_groups(g):
    """What is for a group on all layers goes the way it always did"""
    for destination, group in (("255.255.255.255", "ff:ff:ff:ff:ff:ff"), ("224.0.0.251", "01:00:5e:00:00:fb")):
        stopped(g, "inside", udp(A, 5353, destination, 5353), group, "stack", "to_gateway")
        stopped(g, "inside", udp(D, 5353, destination, 5353), group, "drop", "spoofed_source")
        stopped(g, "outside", udp(S, 67, destination, 68), group, "stack", "link_protocol")


@case(only=("tc", "xdp"))
def other_stations(g):
    """RFC 1812 5.3.4: what came for another station is not forwarded, though a promiscuous device hears it"""
    g.lan(OUT, sent=udp(E, 4000, S, 53))
    for station in ("52:54:00:77:77:77", device_mac(12), device_mac(11)[:-1] + "a"):
        stopped(g, "inside", OUT, station, "stack", "other_station")
        stopped(g, "outside", BACK, station, "stack", "other_station")
    assert not g.records("orig", local=A, remote_id=54)


@case(only=("tc", "xdp"))
def further_address(g):
    """RFC 9568 section 7.3: a virtual router's frames are for us while we have its address, on its interface"""
    virtual = "00:00:5e:00:01:33"
    stopped(g, "inside", OUT, virtual, "stack", "other_station")
    g.config(further_mac=virtual, further_ifindex=LAN0)
    answer = g.run("inside", LAN0, frame(OUT, LAN0, destination=virtual))
    assert answer.verdict == "forward", answer
    stopped(g, "outside", BACK, virtual, "stack", "other_station")


@case()
def interface_in_another_namespace(g):
    """The kernel leaves our programs on an interface that is moved there: they drop and translate nothing any more"""
    g.lan(OUT, sent=udp(E, 4000, S, 53))
    g.leaves(LAN0)
    g.lan(OUT, stack="interface_elsewhere")
    g.lan(udp(A, 4001, S, 53), stack="interface_elsewhere")
    assert len(g.records("orig")) == 1, g.records("orig")
