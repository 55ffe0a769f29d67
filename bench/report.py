# SPDX-License-Identifier: GPL-2.0-or-later
"""Medians, ratios and conditions, as Markdown for people and JSON for programs."""

import os
import platform
import subprocess
import time
from statistics import median

from gateways import GATEWAYS, TOP

RATIOS = [  # gateway, against; share: percent of the other's speed, else how many times as fast
    ("wayleave_xdp", "nft", False),
    ("wayleave_xdp", "xdp_redirect", True),
    ("wayleave_tc", "nft", False),
    ("wayleave_tc", "tc_redirect", True),
]
SHORT = {
    "xdp_redirect": "XDP redirect",
    "tc_redirect": "TC redirect",
    "forward": "forwarding",
    "nft": "nft",
    "wayleave_xdp": "XDP",
    "wayleave_tc": "TC",
}


def processor_name():
    with open("/proc/cpuinfo") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()


def version():
    words = ["git", "-C", TOP, "describe", "--always", "--dirty"]
    done = subprocess.run(words, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def conditions(options):
    """What a figure is worth nothing without."""
    return {
        "processor": processor_name(),
        "kernel": platform.release(),
        "wayleave": version(),
        "date": time.strftime("%Y-%m-%d %H:%M %Z"),
        "frame_bytes": options.frame_bytes,
        "rounds": options.rounds,
        "load": round(os.getloadavg()[0], 1),
    }


def headline(about):
    return (
        f"{about['processor']}, Linux {about['kernel']}, Wayleave {about['wayleave']}, {about['date']}; "
        f"frames of {about['frame_bytes'] + 4} bytes\nwith check sequence, {about['rounds']} rounds, "
        f"machine's load {about['load']}."
    )


def table(head, rows):
    """Markdown with columns lined up, the first to the left."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]

    def row(cells):
        return "| " + " | ".join([cells[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(cells[1:], widths[1:])]) + " |"

    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([row(head), rule, *map(row, rows)])


class Results:
    """ns[gateway][scenario]: one figure per round."""

    def __init__(self, scenarios, gateways):
        self.scenarios, self.gateways = scenarios, gateways
        self.rounds = {gateway: {scenario.name: [] for scenario in scenarios} for gateway in gateways}
        self.bulk = {}

    def add(self, gateway, scenario, result):
        self.rounds[gateway][scenario.name].append(result)

    def ns(self, gateway, scenario):
        """Median, or None where nothing was measured."""
        rounds = self.rounds.get(gateway, {}).get(scenario.name)
        return median(r["ns"] for r in rounds) if rounds else None

    def cell(self, gateway, scenario):
        rounds = [r["ns"] for r in self.rounds[gateway][scenario.name]]
        if not rounds:
            return "-"
        return f"{median(rounds):.0f} ({min(rounds):.0f}-{max(rounds):.0f})"

    def ratio(self, gateway, against, scenario, share):
        ours, theirs = self.ns(gateway, scenario), self.ns(against, scenario)
        if not ours or not theirs:
            return "-"
        return f"{100 * theirs / ours:.0f} %" if share else f"{theirs / ours:.2f} x"

    def alone(self, gateway, scenario):
        """What the gateway adds to generator and sink."""
        ours, nothing = self.ns(gateway, scenario), self.ns("direct", scenario)
        return f"{ours - nothing:.0f}" if ours and nothing else "-"

    def times(self):
        head = ["ns per frame", *(GATEWAYS[gateway].title for gateway in self.gateways)]
        rows = [[s.title, *(self.cell(g, s) for g in self.gateways)] for s in self.scenarios]
        return table(head, rows)

    def ratios(self):
        """Speeds against each other, and what each gateway costs alone."""
        known = [r for r in RATIOS if r[0] in self.gateways and r[1] in self.gateways]
        alone = [g for g in self.gateways if g != "direct"] if "direct" in self.gateways else []
        head = ["speed"]
        head += [f"{SHORT[gateway]} {'of' if share else 'to'} {SHORT[against]}" for gateway, against, share in known]
        head += [f"{SHORT[gateway]} alone" for gateway in alone]
        rows = []
        for scenario in self.scenarios:
            cells = [self.ratio(gateway, against, scenario, share) for gateway, against, share in known]
            rows.append([scenario.title, *cells, *(self.alone(gateway, scenario) for gateway in alone)])
        return table(head, rows)

    def bulk_table(self):
        rows = []
        for gateway, rounds in self.bulk.items():
            costs = [r["ms_a_gbit"] for r in rounds]
            rates = [r["gbit_s"] for r in rounds]
            rows.append(
                [GATEWAYS[gateway].title, f"{median(costs):.1f} ({min(costs):.1f}-{max(costs):.1f})",
                 f"{median(rates):.1f} ({min(rates):.1f}-{max(rates):.1f})"])  # fmt: skip
        return table(["TCP bulk, GSO", "ms of processor per Gbit", "Gbit/s"], rows)

    def text(self, about):
        parts = [headline(about), self.times(), self.ratios()]
        if self.bulk:
            parts.append(self.bulk_table())
        return "\n\n".join(parts)

    def document(self, about):
        return {"conditions": about, "frames": self.rounds, "bulk": self.bulk}
