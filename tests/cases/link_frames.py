# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames as links carry them: priority tags and other VLANs."""
from packets import A, E, LAN0, S, WAN, Ether, device_mac, udp
from rows import case

OUT, BACK = udp(A, 4000, S, 53), udp(S, 53, E, 4000)


def frame(packet, device, tags=b"", destination=None):
    head = bytes(Ether(dst=destination or device_mac(device), src="52:54:00:00:99:99", type=0x800))
    return head[:12] + tags + head[12:] + bytes(packet)


def tag(vlan, priority=5, kind=b"\x81\x00"):
    return kind + (priority << 13 | vlan).to_bytes(2, "big")


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
