# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP bulk through a gateway: iperf3 between the outer namespaces, GSO on.

Milliseconds of processor time per gigabit: both iperf3 processes, in whose
context most soft interrupts run, and ksoftirqd. Rates depend on what else runs
on the machine. A stream of its own is hashed at both ends.
"""

import json
import os
import subprocess
import sys
import time

from network import inside, run, run_in
from scenario import Undelivered

SERVER = "198.18.0.1"
PORT = "5201"
SECONDS = 2
HASHED_BYTES = 64 << 20
STREAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stream.py")


def softirq_ns():
    """Processor time of all ksoftirqd threads so far."""
    total = 0
    for line in run("pgrep", "ksoftirqd").split():
        with open(f"/proc/{line}/schedstat") as file:
            total += int(file.read().split()[0])
    return total


def stream(role):
    return [sys.executable, STREAM, role, SERVER, PORT, str(HASHED_BYTES)]


def check_stream(gateway):
    """The same bytes have to come out."""
    receiver = subprocess.Popen(
        inside("snk", *stream("receive")), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        receiver.stdout.readline()  # it listens
        sent = run_in("gen", *stream("send")).strip()
        received = receiver.communicate(timeout=30)[0].strip()
    finally:
        receiver.kill()
        receiver.wait()
    if sent != received:
        raise Undelivered(f"TCP stream: sent {sent}, received {received}. {gateway.explain()}")


def wait_for_listener():
    deadline = time.monotonic() + 5
    while PORT not in run_in("snk", "ss", "-Hltn", f"sport = {PORT}"):
        if time.monotonic() > deadline:
            raise RuntimeError("iperf3 does not listen")
        time.sleep(0.02)


def transfer():
    """One iperf3 run: Gbit/s and milliseconds of processor time per Gbit."""
    server = subprocess.Popen(
        inside("snk", "taskset", "-c", "1", "iperf3", "-s", "-1", "-p", PORT),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        wait_for_listener()
        before = softirq_ns()
        end = json.loads(run_in("gen", "taskset", "-c", "0", "iperf3", "-J", "-c", SERVER, "-p", PORT,
                                "-t", str(SECONDS), "--connect-timeout", "3000"))["end"]  # fmt: skip
        softirq_s = (softirq_ns() - before) / 1e9
    finally:
        server.kill()
        server.wait()
    rate = end["sum_received"]["bits_per_second"] / 1e9
    share = end["cpu_utilization_percent"]
    busy_s = (share["host_total"] + share["remote_total"]) / 100 * end["sum_sent"]["seconds"] + softirq_s
    gigabits = end["sum_received"]["bytes"] * 8 / 1e9
    return {"gbit_s": rate, "ms_a_gbit": busy_s * 1000 / gigabits}


def measure(gateway):
    """One round. Undelivered where bytes change."""
    check_stream(gateway)
    return transfer()
