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
import threading
import time

RESULT = re.compile(r"^(not )?ok\b\s*(?:\d+)?\s*-?\s*([^#]*)(?:#\s*(SKIP|TODO)\b\s*(.*))?", re.I)
PLAN = re.compile(r"^1\.\.(\d+)")
TIMED = re.compile(r"\s*\((\d+\.\d) s\)\s*$")
MAKE = ["make", "-s", "-j2"]
PLACES = 2  # suites that run at a time


class Suite:
    """A program that prints TAP, or (tap=False) whose exit status is its one result.

    places: how many of PLACES it takes; all of them for one that keeps both processors busy by itself.
    """

    def __init__(self, name, command, tap=True, env=None, limit_s=300, may_skip=True, places=1):
        self.name, self.command, self.tap = name, command, tap
        self.env, self.limit_s, self.may_skip, self.places = env or {}, limit_s, may_skip, places


class Screen:
    """One suite at a time has it; what the others say meanwhile comes when it is their turn."""

    def __init__(self):
        self.lock, self.waiting = threading.Lock(), []

    def enter(self, page):
        with self.lock:
            self.waiting.append(page)

    def say(self, page, text):
        with self.lock:
            page.held.append(text)
            self.show()

    def leave(self, page):
        with self.lock:
            page.ended = True
            self.show()

    def show(self):
        while self.waiting:
            first = self.waiting[0]
            sys.stdout.write("".join(first.held))
            sys.stdout.flush()
            first.held.clear()
            if not first.ended:
                return
            self.waiting.pop(0)


class Report:
    """What one suite has shown so far, and how it looks."""

    def __init__(self, screen):
        self.passed = self.failed = self.skipped = 0
        self.tty = sys.stdout.isatty()
        self.colour = self.tty and "NO_COLOR" not in os.environ
        self.screen, self.held, self.ended = screen, [], False
        screen.enter(self)

    def paint(self, word, code):
        return "\033[%sm%s\033[0m" % (code, word) if self.colour else word

    def line(self, word, code, name, seconds, note=""):
        clear = "\r\033[K" if self.tty else ""
        self.screen.say(self, "%s%s %-64s %6.1f s%s\n" % (clear, self.paint("%-4s" % word, code), name, seconds, note))

    def running(self, name):
        if self.tty:
            self.screen.say(self, "\r\033[K...  %s" % name)

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
        self.screen.say(self, "     " + text.rstrip() + "\n")


class Run:
    """One suite being run: its program, and the results counted from its output."""

    def __init__(self, suite, report):
        self.suite, self.report = suite, report
        self.seen = self.planned = 0
        self.process = None
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

    def stop(self):
        """Lets the program clean up after itself before it is killed."""
        process = self.process
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
            self.process = subprocess.Popen(self.suite.command, stdout=subprocess.PIPE, stderr=errors, text=True,
                                            errors="replace", env=env, stdin=subprocess.DEVNULL, start_new_session=True)
        except OSError as error:
            errors.write("%s\n" % error)
            return 127
        self.report.running(self.suite.name)
        timer = threading.Timer(self.suite.limit_s, self.expired)
        timer.daemon = True
        timer.start()
        for line in self.process.stdout:
            if self.suite.tap:
                self.output(line)
            else:
                errors.write(line)
        status = self.process.wait()
        timer.cancel()
        return status

    def expired(self):
        self.timed_out = True
        self.stop()

    def conclude(self, status):
        """Failures that no single result tells: a crash, a missing result."""
        name, seconds = self.suite.name, self.elapsed()
        if self.timed_out:
            self.report.add_fail(name, seconds, "stopped after %d s" % self.suite.limit_s)
        elif not self.suite.tap:
            (self.report.add_fail if status else self.report.add_pass)(name, seconds)
        elif self.seen < self.planned or not self.seen:
            self.report.add_fail(name, seconds, "%d of %d results, exit status %d" % (self.seen, self.planned, status))
        elif status and not self.report.failed:
            self.report.add_fail(name, seconds, "exit status %d after its last test" % status)

    def run(self):
        with tempfile.TemporaryFile("w+") as errors:
            try:
                self.conclude(self.execute(errors))
                if self.report.failed:
                    self.tell(errors)
            finally:
                self.report.screen.leave(self.report)

    def tell(self, errors):
        errors.seek(0)
        for line in errors.read().splitlines()[-40:]:
            self.report.detail(line)


class Crew:
    """Runs suites side by side as far as they allow it; begins them in order."""

    def __init__(self):
        self.screen, self.runs = Screen(), []
        self.free, self.changed = PLACES, threading.Condition()

    def begin(self, suite):
        with self.changed:
            while self.free < suite.places:
                self.changed.wait(1)  # not for ever: a signal has to come through
            self.free -= suite.places
        run = Run(suite, Report(self.screen))
        self.runs.append(run)
        threading.Thread(target=self.work, args=(run,)).start()

    def work(self, run):
        try:
            run.run()
        except Exception as error:  # pylint: disable=broad-except
            run.report.add_fail(run.suite.name, 0, repr(error))
        finally:
            with self.changed:
                self.free += run.suite.places
                self.changed.notify_all()

    def finish(self):
        with self.changed:
            while self.free < PLACES:
                self.changed.wait(1)

    def run(self, suites):
        """All of them; True when none failed."""
        for suite in suites:
            self.begin(suite)
        self.finish()
        return not self.count("failed")

    def interrupt(self):
        for run in self.runs:
            if run.process and run.process.poll() is None:
                run.stop()
        self.finish()

    def count(self, what):
        return sum(getattr(run.report, what) for run in self.runs)


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
    must = bool(os.environ.get("CI"))
    for letter, gateway, offloads, names in (("a", "wayleave-tc", "off", ["all"]), ("b", "wayleave-xdp", "off", ["all"]),
                                             ("c", "wayleave-tc", "on", WITH_OFFLOADS)):
        prefix = "t%d%s" % (os.getpid() % 100000, letter)
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
    scripts = ["tests/run", "tools/install-deps", "tools/demo", "tests/lab/lab", "tests/lab/guest-init",
               "tests/lab/kernel-6.1", "tests/lab/demo",
               *glob.glob("tests/lab/*.sh"), *glob.glob("tests/lab/scenarios/*.sh"), "tests/web/run", "tests/web/lab.sh"]
    yield from lab()
    yield Suite("shellcheck", ["shellcheck", "-x", *scripts], tap=False)
    yield Suite("kernel-6.1", ["tests/lab/kernel-6.1"])
    yield Suite("demo", ["tests/lab/demo"])
    yield Suite("daemon", ["tests/lab/daemon.sh"])
    yield Suite("survival", ["tests/lab/survival.sh"])
    yield Suite("natdiscovery", ["tests/lab/natdiscovery.sh"])
    yield Suite("icmp", ["tests/lab/icmp.sh"])
    yield Suite("pptp", ["tests/lab/pptp.sh"])
    yield Suite("keepalive", ["tests/lab/keepalive.sh"])
    yield from examples()
    if make_has("fuzz-smoke"):
        yield Suite("fuzz-smoke", [*MAKE, "fuzz-smoke"], tap=False)


def builds(fast):
    """All that a suite would make, for two of them must not make the same thing at once."""
    yield Suite("build", [*MAKE, "all"], tap=False, limit_s=600)
    yield Suite("build of tests", [*MAKE, "tests-fast" if fast else "tests"], tap=False, limit_s=600)


def run_all(fast, crew):
    """Old programs say nothing about new sources: a failed build ends it."""
    if all([crew.run([suite]) for suite in builds(fast)]):
        crew.run(suites(fast))


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    fast, crew, ended = "--fast" in sys.argv[1:], Crew(), 0
    # of this run alone; kept when something failed, for the captures in it
    os.environ["TMPDIR"] = folder = tempfile.mkdtemp(prefix="wayleave-test.")
    try:
        run_all(fast, crew)
        if not crew.count("failed"):
            shutil.rmtree(folder)
    except KeyboardInterrupt:
        ended = 1
        crew.interrupt()
        print("FAIL interrupted")
    failed = crew.count("failed") + ended
    print("%d passed, %d failed, %d skipped" % (crew.count("passed"), failed, crew.count("skipped")), flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
