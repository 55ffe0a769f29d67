#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs every test program, adds up the TAP that they print, and shows progress.

tap.py [--fast]     from the top of the repository; usually by tests/run

Programs run side by side, one more than there are processors, for most of them wait
most of the time: LANES says otherwise. A result is printed when it is known.
The last line is always "N passed, N failed, N skipped"; exit status 1 when
anything failed. A skip says what is missing; with CI set, the lab may skip nothing.
"""
import argparse
import contextlib
import glob
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

RESULT = re.compile(r"^(not )?ok\b\s*(?:\d+)?\s*-?\s*([^#]*)(?:#\s*(SKIP|TODO)\b\s*(.*))?", re.I)
PLAN = re.compile(r"^1\.\.(\d+)")
TIMED = re.compile(r"\s*\((\d+\.\d) s\)\s*$")
MAKE = ["make", "-s", "-j2"]


class Suite:
    """A program that prints TAP, or (tap=False) whose exit status is its one result.

    It runs when the suites named in @after have passed.
    """

    def __init__(self, name, command, tap=True, env=None, limit_s=600, may_skip=True, after=("build",)):
        self.name, self.command, self.tap = name, command, tap
        self.env, self.limit_s, self.may_skip, self.after = env or {}, limit_s, may_skip, after


class Report:
    """What has been seen so far, and how it looks. Of all lanes: a call prints whole lines."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.tty = sys.stdout.isatty()
        self.colour = self.tty and "NO_COLOR" not in os.environ
        self.lock, self.names = threading.RLock(), []

    def paint(self, word, code):
        return "\033[%sm%s\033[0m" % (code, word) if self.colour else word

    def line(self, word, code, name, seconds, note="", details=()):
        clear = "\r\033[K" if self.tty else ""
        print("%s%s %-64s %6.1f s%s" % (clear, self.paint("%-4s" % word, code), name, seconds, note), flush=True)
        for text in details:
            print("     " + text.rstrip(), flush=True)
        self.show_running()

    def show_running(self):
        if self.tty and self.names:
            print("\r\033[K...  %s" % ", ".join(self.names)[:100], end="", flush=True)

    @contextlib.contextmanager
    def running(self, name):
        with self.lock:
            self.names.append(name)
            self.show_running()
        try:
            yield
        finally:
            with self.lock:
                self.names.remove(name)

    def add_pass(self, name, seconds):
        with self.lock:
            self.passed += 1
            self.line("ok", "32", name, seconds)

    def add_fail(self, name, seconds, why="", details=()):
        with self.lock:
            self.failed += 1
            self.line("FAIL", "31", name, seconds, "  " + why if why else "", details)

    def add_skip(self, name, seconds, why):
        with self.lock:
            self.skipped += 1
            self.line("skip", "33", name, seconds, "  missing: " + (why or "not said"))

    def summary(self):
        print("%d passed, %d failed, %d skipped" % (self.passed, self.failed, self.skipped), flush=True)


class Run:
    """One suite being run: its program, and the results counted from its output."""

    def __init__(self, suite, report):
        self.suite, self.report = suite, report
        self.seen = self.planned = self.failures = 0
        self.last, self.said = time.monotonic(), ""
        self.failure, self.details = None, []  # told when what explains it has been read
        self.process, self.timed_out, self.stopped = None, False, False

    def elapsed(self):
        now = time.monotonic()
        seconds, self.last = now - self.last, now
        return seconds

    # --- what it prints ------------------------------------------------------------------
    def fail(self, name, seconds, why=""):
        self.failures += 1
        self.failure = (name, seconds, why)

    def tell_failure(self):
        if self.failure:
            self.report.add_fail(*self.failure, self.details)
            self.failure, self.details = None, []

    def result(self, match):
        bad, title, directive, reason = match.groups()
        timed = TIMED.search(title)
        seconds = float(timed.group(1)) if timed else self.elapsed()
        name = "%s: %s" % (self.suite.name, TIMED.sub("", title).strip())
        self.seen += 1
        self.tell_failure()
        if (directive or "").upper() == "SKIP":
            if self.suite.may_skip:
                self.report.add_skip(name, seconds, reason or self.said)
            else:
                self.fail(name, seconds, "skipped: " + (reason or self.said))
        elif bad:
            self.fail(name, seconds)
        else:
            self.report.add_pass(name, seconds)

    def output(self, line):
        match, plan = RESULT.match(line), PLAN.match(line)
        if match:
            self.result(match)
        elif plan:
            self.planned += int(plan.group(1))
        elif self.failure or line.startswith("Bail out!"):
            self.details.append(line)
        else:
            self.said = line.strip("# \n")  # cmocka's skip gives no reason: tests print it before

    # --- the program ---------------------------------------------------------------------
    def start(self, errors):
        env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", **self.suite.env)
        env.pop("MAKEFLAGS", None)  # of a make above: not for the makes below
        self.process = subprocess.Popen(self.suite.command, stdout=subprocess.PIPE, stderr=errors, text=True,
                                        errors="replace", env=env, stdin=subprocess.DEVNULL, start_new_session=True)

    def stop(self):
        """Lets the program clean up after itself before it is killed. From any thread."""
        self.stopped = True
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(30)
                return
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue

    def expire(self):
        self.timed_out = True
        self.stop()

    def execute(self, errors):
        """Its exit status, when it has ended."""
        alarm = threading.Timer(self.suite.limit_s, self.expire)
        try:
            self.start(errors)
        except OSError as error:
            errors.write("%s\n" % error)
            return 127
        alarm.start()
        try:
            for line in self.process.stdout:
                if self.suite.tap:
                    self.output(line)
                else:
                    errors.write(line)
            return self.process.wait()
        finally:
            alarm.cancel()

    def conclude(self, status):
        """Failures that no single result tells: a crash, a missing result."""
        name, seconds = self.suite.name, self.elapsed()
        if self.timed_out:
            self.tell_failure()
            self.fail(name, seconds, "stopped after %d s" % self.suite.limit_s)
        elif not self.suite.tap and not status:
            self.report.add_pass(name, seconds)
        elif not self.suite.tap:
            self.fail(name, seconds)
        elif self.seen < self.planned or not self.seen:
            self.tell_failure()
            self.fail(name, seconds, "%d of %d results, exit status %d" % (self.seen, self.planned, status))
        elif status and not self.failures:
            self.fail(name, seconds, "exit status %d after its last test" % status)

    def run(self):
        """Whether all of it passed."""
        with tempfile.TemporaryFile("w+") as errors, self.report.running(self.suite.name):
            status = self.execute(errors)
            if self.stopped and not self.timed_out:
                return False
            self.conclude(status)
            if self.failures:
                errors.seek(0)
                self.details += errors.read().splitlines()[-40:]
                self.tell_failure()
        return not self.failures


class Lanes:
    """Suites side by side: each lane takes the first whose predecessors have passed."""

    def __init__(self, suites, report, count):
        self.waiting, self.report, self.passed, self.runs = list(suites), report, set(), []
        self.change = threading.Condition()
        self.threads = [threading.Thread(target=self.lane) for _ in range(count)]

    def ready(self):
        return next((suite for suite in self.waiting if self.passed.issuperset(suite.after)), None)

    def take(self):
        """A run to do now, or None: nothing will come any more."""
        with self.change:
            while not self.ready():
                if not self.runs:
                    return None
                self.change.wait()
            suite = self.ready()
            self.waiting.remove(suite)
            run = Run(suite, self.report)
            self.runs.append(run)
            return run

    def done(self, run, good):
        with self.change:
            self.runs.remove(run)
            if good:
                self.passed.add(run.suite.name)
            self.change.notify_all()

    def lane(self):
        while run := self.take():
            good = False
            try:
                good = run.run()
            finally:
                self.done(run, good)

    def stop(self):
        with self.change:
            self.waiting, runs = [], list(self.runs)
        for run in runs:
            if run.process:
                run.stop()

    def run(self):
        for thread in self.threads:
            thread.start()
        try:
            for thread in self.threads:
                thread.join()
        except KeyboardInterrupt:
            self.stop()
            raise


# --- what there is to run ----------------------------------------------------------------
TEST_PROGRAMS = ("build", "build of test programs")
# Those that want more than the daemon; nothing but that build makes what they share
BUILT = {"cases", "evidence", "simulation", "survival", "fuzz-smoke"}


def make_has(target):
    return subprocess.run(["make", "-n", target], capture_output=True, check=False).returncode == 0


def units():
    """Names come from the sources: the programs are there only after the build."""
    for source in sorted(glob.glob("tests/unit/test_*.c")):
        name = os.path.basename(source)[:-2]
        yield Suite(name, ["build/san/tests/unit/" + name], after=TEST_PROGRAMS)


def programs(fast):
    """Folders bring a program `run` that prints TAP; --fast asks for its user-space part."""
    for path in sorted(glob.glob("tests/*/run")):
        if os.access(path, os.X_OK):
            name = path.split("/")[1]
            yield Suite(name, [path] + (["--fast"] if fast else []), after=TEST_PROGRAMS if name in BUILT else ("build",))


# One scenario of each protocol, and those that move most bytes
WITH_OFFLOADS = ["base", "pptp2", "l2tp2", "esp-natt2", "wireguard", "openvpn-udp", "openvpn-tcp", "openconnect",
                 "own-connections", "forwards", "bulk"]


def lab():
    """Every scenario through TC and through XDP, one of each protocol with offloads on; in parts, so that lanes share them."""
    must, prefix, letters = bool(os.environ.get("CI")), "t%d" % (os.getpid() % 100000), iter("abcdefghijk")
    parts = [["all:%d/4" % n] for n in range(1, 5)]
    for gateway, offloads, chosen in (("wayleave-tc", "off", parts), ("wayleave-xdp", "off", parts),
                                      ("wayleave-tc", "on", [WITH_OFFLOADS])):
        for names in chosen:
            yield Suite("lab", ["tests/lab/lab", "run", *names], limit_s=1500, may_skip=not must,
                        env={"GATEWAY": gateway, "LAB_OFFLOADS": offloads, "PFX": prefix + next(letters)})


def dirty():
    """Some scenarios on networks like real ones."""
    yield Suite("dirty lab", ["tests/lab/lab", "dirty", "sample"], limit_s=900, may_skip=not os.environ.get("CI"),
                env={"PFX": "t%dx" % (os.getpid() % 100000)})


def examples():
    """The settings files that we show have to be good ones."""
    for path in sorted(glob.glob("examples/*.yaml") + glob.glob("packaging/*.yaml")):
        yield Suite("settings " + path, ["build/wayleaved", "-c", path, "--check"], tap=False)


SCRIPTS = ["tests/run", "tools/install-deps", "tools/demo", "http/embed", "tests/http/run", "tests/lab/lab", "tests/lab/guest-init", "tests/lab/guest-host",
           "tests/lab/kernel-6.1", "tests/lab/demo", "tests/lab/*.sh", "tests/lab/scenarios/*.sh", "tests/web/run", "tests/prove/run",
           "tests/web/lab.sh"]


# One a line, so that two changes do not meet
ALONE = (
    "survival",
    "replay",
    "pairing",
    "daemon",
    "keepalive",
    "line",
    "natdiscovery",
    "pptp",
    "l2tp",
    "icmp",
    "spoof",
    "flood",
    "burst",
    "own",
    "invented",
    "changes",
    "network",
    "routes",
    "macs",
    "offload",
    "tcx_full",
    "first",
    "trial",
    "whole",
)


def alone():
    """What needs root and is not in a folder of its own."""
    for name in ALONE:
        yield Suite(name, ["tests/lab/%s.sh" % name], after=TEST_PROGRAMS if name in BUILT else ("build",))
    yield Suite("ownership", ["tests/lab/ownership.sh"])
    yield Suite("learned", ["tests/lab/learned.sh"])
    yield Suite("states", ["tests/lab/lab", "run", "states"], env={"GATEWAY": "wayleave-tc", "PFX": "t%ds" % (os.getpid() % 100000)},
                may_skip=not os.environ.get("CI"))
    for dataplane in ("tc", "xdp"):
        yield Suite("links", ["tests/lab/links.sh"], env={"DATAPLANE": dataplane})
    yield Suite("demo", ["tests/lab/demo"])
    yield Suite("kernel-6.1", ["tests/lab/kernel-6.1"])
    yield Suite("bench's frames", ["build/bench/steps", "hit", "100"], tap=False, after=TEST_PROGRAMS)
    if make_has("fuzz-smoke"):
        yield Suite("fuzz-smoke", [*MAKE, "fuzz-smoke"], tap=False, after=TEST_PROGRAMS)
    yield Suite("shellcheck", ["shellcheck", "-x", *itertools.chain(*map(glob.glob, SCRIPTS))], tap=False, after=())


def suites(fast):
    """The longest first, so that the lanes end together."""
    if not fast:
        yield from lab()
        yield from dirty()
    yield from programs(fast)
    if not fast:
        yield from alone()
        yield from examples()
    yield from units()


def builds(fast):
    """Old programs say nothing about new sources: what needs them runs after these."""
    targets = ["unit", "cases-memory", "spec-build", "build/tests/simulation/simulation"]
    yield Suite("build", [*MAKE, "all"], tap=False, after=())
    yield Suite("build of test programs", [*MAKE, *targets, *([] if fast else ["cases-bpf", "spec-bpf-build", "build/bench/steps"])], tap=False)


def lanes():
    return int(os.environ.get("LANES") or (os.cpu_count() or 1) + 1)


@contextlib.contextmanager
def namespaces_kept():
    """The first namespace makes /run/netns a mount, the last one takes it away: not while others begin."""
    name, mounted = "tests-%d" % os.getpid(), os.path.ismount("/run/netns")
    ip = shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if os.geteuid() or not ip:
        yield
        return
    subprocess.run([ip, "netns", "add", name], check=False)
    try:
        yield
    finally:
        subprocess.run([ip, "netns", "del", name], check=False)
        if not mounted and os.path.ismount("/run/netns") and not os.listdir("/run/netns"):
            subprocess.run(["umount", "/run/netns"], check=False)
            os.rmdir("/run/netns")


def run_all(fast, report):
    with namespaces_kept():
        Lanes([*builds(fast), *suites(fast)], report, lanes()).run()


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fast", action="store_true", help="only what needs no root and no lab")
    fast, report = parser.parse_args().fast, Report()
    # of this run alone; kept when something failed, for the captures in it
    os.environ["TMPDIR"] = folder = tempfile.mkdtemp(prefix="wayleave-test.")
    try:
        run_all(fast, report)
        if not report.failed:
            shutil.rmtree(folder)
    except KeyboardInterrupt:
        report.add_fail("interrupted", 0)
    report.summary()
    return report.failed > 0


if __name__ == "__main__":
    sys.exit(main())
