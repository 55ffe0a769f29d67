# SPDX-License-Identifier: GPL-2.0-or-later
"""The network namespace in which the BPF programs find devices, routes and neighbours.

Devices have the indices that the rows use. They are veth pairs with generic
receive offload, for a frame can come to XDP only from a device with XDP queues.
"""
import os
import subprocess
import sys

from packets import A, B, C, D, DEVICES, E, N, PPP, ROUTER, device_mac, neighbour_mac, route_of

MARK = "WAYLEAVE_CASES_NETWORK"
ADDRESSES = {"lan0": "10.0.0.1/24", "lan1": "10.0.1.1/24", "wan0": E + "/24"}
SPEC_HOST = "10.0.0.13"  # the specification has four hosts side by side
created = False


def is_inside():
    return os.environ.get(MARK) == "1"


def enter():
    """This program again, in a network namespace that ends with it."""
    os.environ[MARK] = "1"
    os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])


def ip(text):
    subprocess.run(["ip", *text.split()], check=True)


def sysctl(name, value):
    with open("/proc/sys/net/" + name, "w", encoding="ascii") as file:
        file.write(value)


def create():
    """Idempotent: the first of several back ends makes it."""
    global created
    if created:
        return
    created = True
    sysctl("ipv6/conf/all/disable_ipv6", "1")
    sysctl("ipv6/conf/default/disable_ipv6", "1")
    sysctl("ipv4/ip_forward", "1")
    ip("link set lo up")
    for index, name in DEVICES.items():
        ip("link add %s index %d address %s type veth peer name %s-far index %d" % (
            name, index, device_mac(index), name, index + 50))
        subprocess.run(["ethtool", "-K", name, "gro", "on"], check=True)
        ip("link set %s up" % name)
        ip("link set %s-far up" % name)
    addresses()


def addresses():
    for name, address in ADDRESSES.items():
        ip("address add %s dev %s" % (address, name))
    ip("route add 8.0.1.0/24 dev %s" % DEVICES[PPP])
    ip("route add default via %s" % ROUTER)
    for host in (A, B, C, SPEC_HOST, D, N, ROUTER):
        ip("neighbour add %s lladdr %s dev %s nud permanent" % (host, neighbour_mac(host), DEVICES[route_of(host)[0]]))


def route_add(prefix, ifindex, hop, stack_mtu=1500):
    locked = " mtu lock %d" % stack_mtu if stack_mtu != 1500 else ""
    ip("route add %s via %s dev %s%s" % (prefix, hop, DEVICES[ifindex], locked))


RULES = []  # their tables


def rule_add(selectors, ifindex, hop):
    table = 100 + len(RULES)
    ip("route add %s table %d" % ("default via %s dev %s" % (hop, DEVICES[ifindex]) if ifindex else "unreachable default", table))
    ip("rule add %s lookup %d pref %d" % (selectors, table, table))
    RULES.append(table)


def rules_delete():
    while RULES:
        table = RULES.pop()
        ip("rule delete pref %d" % table)
        ip("route flush table %d" % table)


def route_delete(prefix):
    ip("route delete %s" % prefix)


def set_mtu(ifindex, value):
    ip("link set %s mtu %d" % (DEVICES[ifindex], value))
