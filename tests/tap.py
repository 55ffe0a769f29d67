#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs every test program, adds up the TAP that they print, and shows progress.

tap.py [--fast]     from the top of the repository; usually by tests/run

The last line is always "N passed, N failed, N skipped"; exit status 1 when
anything failed. A skip says what is missing; with CI set, the lab may skip nothing.
"""
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

RESULT = re.compile(r"^(not )?ok\b\s*(?:\d+)?\s*-?\s*([^#]*)(?:#\s*(SKIP|TODO)\b\s*(.*))?", re.I)
PLAN = re.compile(r"^1\.\.(\d+)")
TIMED = re.compile(r"\s*\((\d+\.\d) s\)\s*$")
MAKE = ["make", "-s", "-j2"]


class Suite:
    """A program that prints TAP, or (tap=False) whose exit status is its one result."""

    def __init__(self, name, command, tap=True, env=None, limit_s=300, may_skip=True):
        self.name, self.command, self.tap = name, command, tap
        self.env, self.limit_s, self.may_skip = env or {}, limit_s, may_skip


class Report:
    """What has been seen so far, and how it looks."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.tty = sys.stdout.isatty()
        self.colour = self.tty and "NO_COLOR" not in os.environ

    def paint(self, word, code):
        return "\033[%sm%s\033[0m" % (code, word) if self.colour else word

    def line(self, word, code, name, seconds, note=""):
        clear = "\r\033[K" if self.tty else ""
        print("%s%s %-64s %6.1f s%s" % (clear, self.paint("%-4s" % word, code), name, seconds, note), flush=True)

    def running(self, name):
        if self.tty:
            print("\r\033[K...  %s" % name, end="", flush=True)

    def add_pass(self, name, seconds):
        self.passed += 1
        self.line("ok", "32", name, seconds)

    def add_fail(self, name, seconds, why=""):
        self.failed += 1
        self.line("FAIL", "31", name, seconds, "  " + why if why else "")

    def add_skip(self, name, seconds, why):
        self.skipped += 1
        self.line("skip", "33", name, seconds, "  missing: " + (why or "not said"))

    def detail(self, text):
        print("     " + text.rstrip(), flush=True)

    def summary(self):
        print("%d passed, %d failed, %d skipped" % (self.passed, self.failed, self.skipped), flush=True)


class Run:
    """One suite being run: its program, and the results counted from its output."""

    def __init__(self, suite, report):
        self.suite, self.report = suite, report
        self.seen = self.planned = 0
        self.failed_before = report.failed
        self.last, self.after_failure, self.said = time.monotonic(), False, ""
        self.timed_out = False

    def elapsed(self):
        now = time.monotonic()
        seconds, self.last = now - self.last, now
        return seconds

    def result(self, match):
        bad, title, directive, reason = match.groups()
        timed = TIMED.search(title)
        seconds = float(timed.group(1)) if timed else self.elapsed()
        name = "%s: %s" % (self.suite.name, TIMED.sub("", title).strip())
        self.seen += 1
        self.after_failure = False
        if (directive or "").upper() == "SKIP":
            if self.suite.may_skip:
                self.report.add_skip(name, seconds, reason or self.said)
            else:
                self.report.add_fail(name, seconds, "skipped: " + (reason or self.said))
        elif bad:
            self.after_failure = True
            self.report.add_fail(name, seconds)
        else:
            self.report.add_pass(name, seconds)
        self.report.running(self.suite.name)

    def output(self, line):
        match, plan = RESULT.match(line), PLAN.match(line)
        if match:
            self.result(match)
        elif plan:
            self.planned += int(plan.group(1))
        elif self.after_failure or line.startswith("Bail out!"):
            self.report.detail(line)
        else:
            self.said = line.strip("# \n")  # cmocka's skip gives no reason: tests print it before

    def stop(self, process):
        """Lets the program clean up after itself before it is killed."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(30)
                return
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue

    def execute(self, errors):
        env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", **self.suite.env)
        env.pop("MAKEFLAGS", None)  # of a make above: not for the makes below
        try:
            process = subprocess.Popen(self.suite.command, stdout=subprocess.PIPE, stderr=errors, text=True,
                                       errors="replace", env=env, stdin=subprocess.DEVNULL, start_new_session=True)
        except OSError as error:
            errors.write("%s\n" % error)
            return 127
        self.report.running(self.suite.name)

        def expired(*_):
            self.timed_out = True
            self.stop(process)
        signal.signal(signal.SIGALRM, expired)
        signal.alarm(self.suite.limit_s)
        try:
            for line in process.stdout:
                if self.suite.tap:
                    self.output(line)
                else:
                    errors.write(line)
            return process.wait()
        except KeyboardInterrupt:
            self.stop(process)
            raise
        finally:
            signal.alarm(0)

    def conclude(self, status):
        """Failures that no single result tells: a crash, a missing result."""
        name, seconds = self.suite.name, self.elapsed()
        if self.timed_out:
            self.report.add_fail(name, seconds, "stopped after %d s" % self.suite.limit_s)
        elif not self.suite.tap:
            (self.report.add_fail if status else self.report.add_pass)(name, seconds)
        elif self.seen < self.planned or not self.seen:
            self.report.add_fail(name, seconds, "%d of %d results, exit status %d" % (self.seen, self.planned, status))
        elif status and self.report.failed == self.failed_before:
            self.report.add_fail(name, seconds, "exit status %d after its last test" % status)

    def run(self):
        with tempfile.TemporaryFile("w+") as errors:
            self.conclude(self.execute(errors))
            if self.report.failed == self.failed_before:
                return True
            errors.seek(0)
            for line in errors.read().splitlines()[-40:]:
                self.report.detail(line)
        return False


# --- what there is to run ----------------------------------------------------------------
def make_has(target):
    return subprocess.run(["make", "-n", target], capture_output=True, check=False).returncode == 0


def units():
    """Names come from the sources: the programs are there only after the build."""
    for source in sorted(glob.glob("tests/unit/test_*.c")):
        name = os.path.basename(source)[:-2]
        yield Suite(name, ["build/san/tests/unit/" + name])


def programs(fast):
    """Folders bring a program `run` that prints TAP; --fast asks for its user-space part."""
    for path in sorted(glob.glob("tests/*/run")):
        if os.access(path, os.X_OK):
            yield Suite(path.split("/")[1], [path] + (["--fast"] if fast else []))


# One scenario of each protocol, and those that move most bytes
WITH_OFFLOADS = ["base", "pptp2", "l2tp2", "esp-natt2", "wireguard", "openvpn-udp", "openvpn-tcp", "openconnect",
                 "own-connections", "forwards", "bulk"]


def lab():
    """Every scenario through TC and through XDP, one of each protocol with offloads on."""
    must, prefix = bool(os.environ.get("CI")), "t%d" % (os.getpid() % 100000)
    for gateway, offloads, names in (("wayleave-tc", "off", ["all"]), ("wayleave-xdp", "off", ["all"]),
                                     ("wayleave-tc", "on", WITH_OFFLOADS)):
        yield Suite("lab", ["tests/lab/lab", "run", "-j2", *names], limit_s=1200, may_skip=not must,
                    env={"GATEWAY": gateway, "LAB_OFFLOADS": offloads, "PFX": prefix})


def examples():
    """The settings files that we show have to be good ones."""
    for path in sorted(glob.glob("examples/*.yaml") + glob.glob("packaging/*.yaml")):
        yield Suite("settings " + path, ["build/wayleaved", "-c", path, "--check"], tap=False)


def suites(fast):
    yield from units()
    yield from programs(fast)
    if fast:
        return
    scripts = ["tests/run", "tools/install-deps", "tools/demo", "http/embed", "tests/http/run", "tests/lab/lab", "tests/lab/guest-init",
               "tests/lab/kernel-6.1", "tests/lab/demo",
               *glob.glob("tests/lab/*.sh"), *glob.glob("tests/lab/scenarios/*.sh"), "tests/web/run", "tests/web/lab.sh"]
    yield Suite("shellcheck", ["shellcheck", "-x", *scripts], tap=False)
    yield Suite("kernel-6.1", ["tests/lab/kernel-6.1"])
    yield Suite("demo", ["tests/lab/demo"])
    yield Suite("daemon", ["tests/lab/daemon.sh"])
    yield Suite("survival", ["tests/lab/survival.sh"])
    yield Suite("natdiscovery", ["tests/lab/natdiscovery.sh"])
    yield Suite("icmp", ["tests/lab/icmp.sh"])
    yield Suite("l2tp", ["tests/lab/l2tp.sh"])
    yield Suite("pairing", ["tests/lab/pairing.sh"])
    yield Suite("pptp", ["tests/lab/pptp.sh"])
    yield Suite("keepalive", ["tests/lab/keepalive.sh"])
    yield from examples()
    if make_has("fuzz-smoke"):
        yield Suite("fuzz-smoke", [*MAKE, "fuzz-smoke"], tap=False)
    yield from lab()


def builds():
    yield Suite("build", [*MAKE, "all"], tap=False, limit_s=600)
    yield Suite("build of unit tests", [*MAKE, "unit"], tap=False, limit_s=600)


def run_all(fast, report):
    """Old programs say nothing about new sources: a failed build ends it."""
    if all([Run(suite, report).run() for suite in builds()]):
        for suite in suites(fast):
            Run(suite, report).run()


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    fast, report = "--fast" in sys.argv[1:], Report()
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
