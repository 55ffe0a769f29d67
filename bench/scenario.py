# SPDX-License-Identifier: GPL-2.0-or-later
"""One kind of traffic, sent through a gateway, measured and checked."""

import json
import os
from dataclasses import dataclass

from gateways import BUILD, ESP, GRE, station
from network import MACS, run_in

GENERATOR = os.path.join(BUILD, "bench", "generator")
TCP, UDP = 6, 17
LEAST_DELIVERED = 0.98
VERIFIED_FRAMES = 100000
NEW_FRAMES = 300000
NEW_FIRST_FLOW = 1 << 24  # flows that no other scenario uses
MILLION = "limits: {sessions: 1048576}"  # the default with 16 GiB of memory and more


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    protocol: int
    flows: int  # 0: every frame a new one
    both_ways: bool = False
    servers_bits: int = 6  # an inside socket talks to that many servers (logarithm)
    settings: str = ""  # more than Wayleave's defaults


SCENARIOS = [
    Scenario("udp_1", "UDP, 1 flow", UDP, 1),
    Scenario("udp_1000", "UDP, 1,000 flows", UDP, 1000),
    Scenario("esp_1000", "ESP, 1,000 tunnels", ESP, 1000),
    Scenario("gre_1000", "GRE, 1,000 PPTP calls", GRE, 1000),
    Scenario("tcp_1000", "TCP, 1,000 flows", TCP, 1000),
    Scenario("both_1000", "UDP there and back, 1,000", UDP, 1000, both_ways=True),
    Scenario("udp_100000", "UDP, 100,000 flows", UDP, 100000),
    Scenario("new", "UDP, each frame a new flow", UDP, 0),
    Scenario("udp_1000000", "UDP, 1,000,000 flows", UDP, 1000000, settings=MILLION),
]


def lower_quartile(values):
    """What others do on the machine only adds, and not to every slice."""
    return sorted(values)[len(values) // 4]


class Undelivered(Exception):
    """The gateway loses or spoils frames: its figures would be worth nothing."""


class Measurement:
    """A scenario on a gateway that is up."""

    def __init__(self, gateway, scenario, options):
        self.gateway, self.scenario, self.options = gateway, scenario, options
        self.shape = [
            "--protocol", scenario.protocol, "--flows", scenario.flows,
            "--servers-bits", scenario.servers_bits, "--frame-bytes", options.frame_bytes,
        ]  # fmt: skip
        if not scenario.flows:
            self.shape += ["--first-flow", NEW_FIRST_FLOW, "--sequential"]

    def sinks(self, checking):
        """Stands sinks at both ends; the tallies of all that a frame passes."""
        last = "verify" if checking else "sink"
        shape = self.shape + (["--external", self.gateway.external] if self.gateway.external else [])
        if not self.scenario.both_ways:
            return [station(*self.gateway.far, last, *shape)]
        back = station("gen", "g0", last, "--inside", *shape)
        return [station(*self.gateway.far, "reflect"), back]

    def generate(self, tallies, *more):
        words = ["nice", "-n", "-5", GENERATOR, "--interface", "g0", "--source-mac", MACS["g0"],
                 "--destination-mac", MACS["lan"], "--processor", self.options.processor,
                 *self.shape, *more]  # fmt: skip
        for tally in tallies:
            words += ["--tally", tally]
        result = json.loads(run_in("gen", *map(str, words)))
        result["delivered"] = result["sinks"][-1]["frames"] if tallies else 0
        return result

    def warm(self):
        """Every flow once, so that none is new in the measured run."""
        frames = self.scenario.flows + self.scenario.flows // 8
        if self.scenario.protocol in (ESP, GRE):
            self.gateway.arm(self.scenario.protocol, self.scenario.flows)
        self.generate([], "--sequential", "--frames", frames)

    def checked(self, result, what):
        bad = sum(sink["bad"] for sink in result["sinks"])
        if bad or result["delivered"] < LEAST_DELIVERED * result["sent"]:
            raise Undelivered(
                f"{what}: {result['sent']} frames sent, {result['delivered']} delivered, "
                f"{bad} of them bad. {self.gateway.explain()}"
            )

    def verify(self):
        """An extra run in which the last sink looks at every frame."""
        result = self.generate(self.sinks(checking=True), "--frames", VERIFIED_FRAMES)
        self.checked(result, "checked run")
        return result["delivered"]

    def run_known(self):
        self.warm()
        tallies = self.sinks(checking=False)
        before = self.gateway.busy_ns()
        result = self.generate(tallies, "--measure", self.options.seconds)
        result["daemon_ns"] = self.gateway.busy_ns() - before
        result["verified"] = self.verify()
        return result

    def run_new(self):
        before = self.gateway.busy_ns()
        result = self.generate(self.sinks(checking=False), "--frames", NEW_FRAMES)
        result["daemon_ns"] = self.gateway.busy_ns() - before
        self.shape[self.shape.index("--first-flow") + 1] += NEW_FRAMES
        result["verified"] = self.verify()
        return result

    def run(self):
        """One round: nanoseconds per delivered frame, and what they come from."""
        result = self.run_known() if self.scenario.flows else self.run_new()
        self.checked(result, "measured run")
        result["ns"] = lower_quartile([ns for ns in result["slices_ns"] if ns])
        return result
