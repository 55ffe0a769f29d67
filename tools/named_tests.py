# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests by the names that docs/rfc and docs/threats.md call them, run, with what they measured.

rfc4787/eim             a row of tests/cases
unit:test_X[/case]      tests/unit/test_X.c, all of it or one case
lab:NAME                tests/lab/NAME.sh, or a scenario of the lab
http:MODULE[/WORDS]     checks of tests/http/MODULE.py, or one of them
spec                    the executable specification

A program that prints `# figure NAME: TEXT` has measured something for the row NAME of a page.
"""
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP, "tests/cases"))

RESULT = re.compile(r"^(not )?ok\b\s*\d*\s*-?\s*([^#(]*)(.*SKIP)?")
FIGURE = re.compile(r"^# figure ([A-Za-z0-9]+): (.*)")
figures = {}  # by name, of all programs that have run


def tap(command, **env):
    """Results by name; a skipped test has none."""
    ran = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False, env={**os.environ, **env})
    found = {}
    for match in filter(None, map(FIGURE.match, ran.stdout.splitlines())):
        figures[match.group(1)] = match.group(2)
    for match in filter(None, map(RESULT.match, ran.stdout.splitlines())):
        if not match.group(3):
            found[match.group(2).strip()] = "FAILED" if match.group(1) else "passed"
    return found


def worst(results):
    results = list(results)
    if not results:
        return "not run"
    return "FAILED" if "FAILED" in results else "passed"


def build():
    made = subprocess.run(["make", "-s", "-j2", "unit", "cases-memory", "spec-build"], cwd=TOP, check=False,
                          capture_output=True, text=True)
    if made.returncode:
        sys.exit("Bail out! the tests do not build\n" + made.stderr)


def rows_in_memory(names):
    """The rows that are named, and no others."""
    import gateway  # pylint: disable=import-outside-toplevel
    import named  # pylint: disable=import-outside-toplevel
    g, results = gateway.Gateway("memory"), {}
    for name in names:
        try:
            results[name] = "passed" if named.row_passes(name, g) else "FAILED"
        except ValueError:
            results[name] = "MISSING"
        if g.process.process.poll() is not None:
            g = gateway.Gateway("memory")
    g.close()
    return results


def rows_everywhere(names):
    found = tap(["tests/cases/run", "memory", "tc", "xdp"])
    return {name: worst(found[key] for key in ("%s/%s" % (b, name) for b in ("memory", "tc", "xdp")) if key in found)
            for name in names}


def units(names):
    results, programs = {}, sorted({name.partition("/")[0] for name in names})
    found = {p: tap(["build/san/tests/unit/" + p], CMOCKA_MESSAGE_OUTPUT="TAP") for p in programs}
    for name in names:
        program, _, case = name.partition("/")
        wanted = [case] if case else found[program]
        results["unit:" + name] = worst(found[program].get(test, "FAILED") for test in wanted)
    return results


def lab(names):
    """Scenarios through TC, and scripts."""
    scripts = [n for n in names if os.path.exists(os.path.join(TOP, "tests/lab/%s.sh" % n))]
    scenarios = [n for n in names if n not in scripts]
    results = {"lab:" + n: worst(tap(["tests/lab/%s.sh" % n]).values()) for n in scripts}
    found = tap(["tests/lab/lab", "run", *scenarios], GATEWAY="wayleave-tc", PFX="ev%d" % (os.getpid() % 10000))
    for n in scenarios:
        results["lab:" + n] = worst(result for name, result in found.items() if name.split()[-1] == n)
    return results


def there(names):
    """As if each test passed that is there."""
    import named  # pylint: disable=import-outside-toplevel
    results = {"spec": "passed"}
    for name in names:
        if name.startswith("unit:"):
            program, _, case = name[5:].partition("/")
            path = os.path.join(TOP, "tests/unit/%s.c" % program)
            with open(path, encoding="utf-8") as file:
                results[name] = "passed" if "static void %s(" % case in file.read() or not case else "MISSING"
        elif "/" in name:
            try:
                results[name] = named.case_named(name) and "passed"
            except ValueError:
                results[name] = "MISSING"
    return results


def http(names):
    """Checks of the page's server; all that are wanted in one run."""
    if not names:
        return {}
    found, results = tap(["tests/http/run", *sorted({n.partition("/")[0] for n in names})]), {}
    for name in names:
        module, _, words = name.partition("/")
        results["http:" + name] = worst(r for n, r in found.items()
                                        if n.startswith(module) and words.replace("_", " ") in n)
    return results


def run(names, everything):
    """How each test ended; without @everything only what needs no root."""
    results = {}
    rows = [n for n in names if ":" not in n and n != "spec"]
    results.update((rows_everywhere if everything else rows_in_memory)(rows))
    results.update(units([n[5:] for n in names if n.startswith("unit:")]))
    if "spec" in names:
        backends = ["tc", "xdp"] if everything else []
        specification = subprocess.run(["tests/cases/run", "spec", *backends, "-k", "/spec"], cwd=TOP,
                                       capture_output=True, check=False)
        results["spec"] = "FAILED" if specification.returncode else "passed"
    if everything:
        results.update(lab([n[4:] for n in names if n.startswith("lab:")]))
        results.update(http([n[5:] for n in names if n.startswith("http:")]))
    return results


def exists(test):
    """Of a test of the lab or the page's server, which a check without root does not run."""
    kind, _, name = test.partition(":")
    if kind == "http":
        module, _, words = name.partition("/")
        path = os.path.join(TOP, "tests/http/%s.py" % module)
        return os.path.exists(path) and "def check_%s" % words in open(path, encoding="utf-8").read()
    if os.path.exists(os.path.join(TOP, "tests/lab/%s.sh" % name)):
        return True
    folder = os.path.join(TOP, "tests/lab/scenarios")
    return any(re.search(r"^sc_%s\(\)" % re.escape(name), open(os.path.join(folder, f), encoding="utf-8").read(), re.M)
               for f in os.listdir(folder))
