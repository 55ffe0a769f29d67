# SPDX-License-Identifier: GPL-2.0-or-later
"""The bench's network: three namespaces, two wires.

    pf-gen            pf-gw               pf-snk
    g0 10.0.0.2 ----- lan 10.0.0.1
                      wan 203.0.113.1 --- s0 203.0.113.2
    hosts 10.1.0.0/16                     servers 198.18.0.0/15

Neighbours are static, IPv6 is off, so that nothing but the bench's frames is on
the wires. veth only carries XDP frames to an end that polls: both outer ends
have an XDP program (a sink) at all times.
"""

import subprocess

EXTERNAL = "203.0.113.1"
MACS = {
    "g0": "02:00:00:00:00:01",
    "lan": "02:00:00:00:00:02",
    "wan": "02:00:00:00:00:03",
    "s0": "02:00:00:00:00:04",
}
SPACES = {"gen": "pf-gen", "gw": "pf-gw", "snk": "pf-snk"}
HOME = {"g0": "gen", "lan": "gw", "wan": "gw", "s0": "snk"}
ADDRESSES = {
    "g0": "10.0.0.2/24",
    "lan": "10.0.0.1/24",
    "wan": EXTERNAL + "/24",
    "s0": "203.0.113.2/24",
}
NEIGHBOURS = [
    ("g0", "10.0.0.1", "lan"),
    ("lan", "10.0.0.2", "g0"),
    ("wan", "203.0.113.2", "s0"),
    ("s0", EXTERNAL, "wan"),
]
ROUTES = [
    ("gen", "default via 10.0.0.1"),
    ("gw", "default via 203.0.113.2"),
    ("gw", "10.1.0.0/16 via 10.0.0.2"),
    ("snk", "local 198.18.0.0/15 dev lo"),
    ("snk", "10.0.0.0/8 via " + EXTERNAL),
]


def run(*command, check=True):
    """Output of a command. RuntimeError with its words where it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()} {done.stdout.strip()}")
    return done.stdout


def inside(space, *command):
    """The command as it has to be started to run in one of the namespaces."""
    return ["nsenter", f"--net=/run/netns/{SPACES[space]}", *command]


def run_in(space, *command, check=True):
    return run(*inside(space, *command), check=check)


def down():
    """Takes everything away; quiet where there is nothing."""
    for space in SPACES.values():
        run("ip", "netns", "del", space, check=False)


def wire(end, other):
    run("ip", "link", "add", end, "netns", SPACES[HOME[end]], "type", "veth",
        "peer", "name", other, "netns", SPACES[HOME[other]])  # fmt: skip


def interface_up(name):
    space = HOME[name]
    run_in(space, "ip", "link", "set", name, "address", MACS[name])
    run_in(space, "ip", "addr", "add", ADDRESSES[name], "dev", name)
    run_in(space, "sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1", check=False)
    run_in(space, "sysctl", "-qw", f"net.ipv4.conf.{name}.rp_filter=0")
    run_in(space, "ip", "link", "set", name, "up")


def up():
    down()
    for space in SPACES:
        run("ip", "netns", "add", SPACES[space])
        run_in(space, "ip", "link", "set", "lo", "up")
        run_in(space, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0")
    run_in("gw", "sysctl", "-qw", "net.ipv4.ip_forward=1")
    wire("g0", "lan")
    wire("wan", "s0")
    for name in MACS:
        interface_up(name)
    for space, route in ROUTES:
        run_in(space, "ip", "route", "add", *route.split())
    for name, address, peer in NEIGHBOURS:
        run_in(HOME[name], "ip", "neigh", "replace", address, "lladdr", MACS[peer],
               "dev", name, "nud", "permanent")  # fmt: skip
