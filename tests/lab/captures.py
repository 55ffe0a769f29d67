# SPDX-License-Identifier: GPL-2.0-or-later
"""The frames of captures of any format, as Ethernet would have them; imported."""
import glob
import logging
import os

logging.getLogger("scapy").setLevel(logging.ERROR)

# pylint: disable=wrong-import-position
from scapy.utils import RawPcapReader

ETHERNET, LOOPBACK, SLL, RAW = 1, 0, 113, (12, 14, 101, 228)
IPV4, ARP, VLAN = b"\x08\x00", b"\x08\x06", b"\x81\x00"


def ethernet(link, data):
    """The frame as Ethernet would have it, or None."""
    if link == ETHERNET:
        return data if len(data) >= 14 else None
    if link == LOOPBACK:
        return bytes(12) + IPV4 + data[4:]
    if link == SLL:
        return bytes(12) + data[14:]
    return bytes(12) + IPV4 + data if link in RAW else None


def frames(path):
    """All of a capture; a tagged frame once more as an interface of that VLAN hands it over."""
    reader = RawPcapReader(path)
    for data, meta in reader:
        link = getattr(meta, "linktype", None)
        # the upper half of a link type says how long its FCS is
        frame = ethernet((reader.linktype if link is None else link) & 0xFFFF, data)
        if frame:
            yield frame
            while frame[12:14] == VLAN:
                frame = frame[:12] + frame[16:]
                yield frame


def in_folder(folder):
    """Paths of the captures in it."""
    return sorted(p for end in ("*.pcap", "*.pcapng", "*.gz") for p in glob.glob(os.path.join(folder, end)))
