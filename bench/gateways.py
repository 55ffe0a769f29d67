# SPDX-License-Identifier: GPL-2.0-or-later
"""What can stand between the two wires. Each is set up in a fresh namespace."""

import os
import shutil
import subprocess
import tempfile
import time

from control import Control
from network import EXTERNAL, MACS, inside, run_in

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("BUILD", os.path.join(TOP, "build"))
STATION = os.path.join(BUILD, "bench", "station")
MASQUERADE = "table ip bench { chain out { type nat hook postrouting priority srcnat; oif wan masquerade; }; }"
ESP, GRE = 50, 47
PAIRS = 1 << 17  # bench/traffic.h: SERVERS_MOST_BITS


def station(space, interface, program, *options):
    """Puts a station on an interface; the id of its tally."""
    words = [STATION, "--interface", interface, "--program", program, *map(str, options)]
    return int(run_in(space, *words))


class Gateway:
    """Nothing in between: generator and sink alone, on one wire."""

    title = "no gateway"
    far = ("gw", "lan")  # where the sink stands
    external = None  # what sources become; None: they stay

    def __init__(self, settings="", bulk=False):
        """settings: more lines for Wayleave's file. bulk: for TCP with GSO, not for frames."""
        self.settings, self.bulk = settings, bulk

    def up(self):
        pass

    def arm(self, protocol, flows):
        """Lets tunnels pass as if their control traffic had been seen."""

    def poll_for_skbs(self):
        """The gateway's ends poll, so that they take XDP frames for TC and the stack.

        Without it veth drops them; with it veth's GSO is off.
        """
        if not self.bulk:
            for interface in ("lan", "wan"):
                station("gw", interface, "pass")

    def busy_ns(self):
        """Processor time of the gateway's own processes so far."""
        return 0

    def explain(self):
        """Why frames may be missing, for an error message."""
        return ""

    def down(self):
        pass


class Redirect(Gateway):
    title = "bare XDP redirect"
    far = ("snk", "s0")
    program = "redirect"

    def up(self):
        for interface, out, peer in (("lan", "wan", "s0"), ("wan", "lan", "g0")):
            station("gw", interface, self.program, "--out", out, "--source-mac", MACS[out],
                    "--destination-mac", MACS[peer])  # fmt: skip


class RedirectTc(Redirect):
    title = "bare TC redirect"
    program = "redirect_tc"

    def up(self):
        self.poll_for_skbs()
        super().up()


class Forward(Gateway):
    title = "plain forwarding"
    far = ("snk", "s0")

    def up(self):
        self.poll_for_skbs()


class Masquerade(Forward):
    title = "nft masquerade"
    external = EXTERNAL

    def up(self):
        super().up()
        run_in("gw", "nft", MASQUERADE)


class Wayleave(Gateway):
    """build/wayleaved with default settings."""

    far = ("snk", "s0")
    external = EXTERNAL
    dataplane = "xdp"
    title = "Wayleave, XDP"

    def up(self):
        self.folder = tempfile.mkdtemp(prefix="wayleave-bench-")
        settings = os.path.join(self.folder, "bench.yaml")
        with open(settings, "w") as file:
            file.write(
                "wan: {interface: wan}\nlan: {interfaces: [lan]}\n"
                f"dataplane: {self.dataplane}\nrun_dir: {self.folder}/run\n{self.settings}\n"
            )
        self.log = open(os.path.join(self.folder, "log"), "w+")
        self.daemon = subprocess.Popen(
            inside("gw", os.path.join(BUILD, "wayleaved"), "-c", settings),
            stdout=self.log, stderr=self.log)  # fmt: skip
        self.control = self.wait()

    def wait(self):
        """The control connection, once packets are translated."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.daemon.poll() is None:
            try:
                control = Control(f"{self.folder}/run/control.sock")
                if control.ask({"request": "status"})["translating"]:
                    return control
                control.close()
            except (OSError, ValueError):
                pass
            time.sleep(0.02)
        self.log.seek(0)
        raise RuntimeError("wayleaved does not translate: " + self.log.read()[:400])

    def arm(self, protocol, flows):
        self.control.ask_all(tunnel_request(protocol, pair, flows) for pair in range(min(flows, PAIRS)))

    def busy_ns(self):
        with open(f"/proc/{self.daemon.pid}/schedstat") as file:
            return int(file.read().split()[0])

    def explain(self):
        return str(self.control.counters())

    def down(self):
        if hasattr(self, "control"):
            self.control.close()
        self.daemon.terminate()
        try:
            self.daemon.wait(10)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class WayleaveTc(Wayleave):
    dataplane = "tc"
    title = "Wayleave, TC"

    def up(self):
        self.poll_for_skbs()
        super().up()


def tunnel_request(protocol, pair, flows):
    """The tunnels of one pair of addresses, as flow_of_tunnel() in bench/flow.h has them."""
    first = 0x01000000 + pair * 16 if protocol == ESP else 1 + pair % 4096 * 8
    return {
        "request": "arm",
        "kind": "esp" if protocol == ESP else "pptp",
        "inside": f"10.1.{(pair & 1023) >> 8}.{pair & 255}",
        "remote": f"198.{18 + (pair >> 16)}.{pair >> 8 & 255}.{pair & 255}",
        "inside_id": first,
        "external_id": first,
        "remote_id": first,
        "count": (flows - pair + PAIRS - 1) // PAIRS,
    }


GATEWAYS = {
    "direct": Gateway,
    "xdp_redirect": Redirect,
    "tc_redirect": RedirectTc,
    "forward": Forward,
    "nft": Masquerade,
    "wayleave_xdp": Wayleave,
    "wayleave_tc": WayleaveTc,
}
