#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Which lines of the parsers and of the core are run by tests: coverage.py BUILD OUT

BUILD holds programs that have run with gcc's --coverage (unit tests, rows) and
BUILD/fuzz/*.profdata with the fuzz targets beside them (clang). Writes the table OUT.
A line counts when both compilers that saw its file have code for it (they put a
function's beginning in different places); it is reached when any of the runs came by. Exit status 1 below what is asked for.
"""
import collections
import glob
import json
import os
import subprocess
import sys

PARSERS = {
    "core/parse.h": "the data plane: IPv4 and what it carries",
    "core/icmp_error.h": "ICMP errors and what they quote",
    "core/mss.h": "TCP options",
    "helper/cursor.h": "reading of bytes",
    "helper/pptp_wire.c": "PPTP's control messages",
    "helper/pptp_reader.c": "their stream",
    "helper/tcp_stream.c": "TCP's segments",
    "helper/l2tp_wire.c": "L2TP's control messages",
    "conf/lines.c": "the settings file as YAML",
    "conf/document.c": "its names and shape",
    "conf/check.c": "its values",
    "conf/field.c": "one setting",
    "conf/forward.c": "port forwards",
    "conf/restore.c": "a backup as JSON",
    "http/host.c": "Host and Origin",
    "ctl/request.c": "requests to the daemon",
    "pairing/ike_port.c": "IKE messages: whose they are",
}
PARSER_LEAST, CORE_LEAST = 95, 85


class Lines:
    """{file: {line: times}} of both compilers."""

    def __init__(self):
        self.gcc, self.clang = (collections.defaultdict(collections.Counter) for _ in range(2))

    def lines(self, path):
        seen = [set(side[path]) for side in (self.gcc, self.clang) if side.get(path)]
        return set.intersection(*seen) if seen else set()

    def missed(self, path):
        return sorted(n for n in self.lines(path) if not self.gcc[path][n] and not self.clang[path][n])

    def of(self, path):
        """(lines, reached)"""
        total = len(self.lines(path))
        return total, total - len(self.missed(path))


def relative(path):
    return os.path.relpath(os.path.abspath(path)) if path else ""


def read_gcc(lines, build):
    for data in glob.glob(os.path.join(build, "san", "**", "*.gcda"), recursive=True):
        run = subprocess.run(["gcov", "--json-format", "--stdout", data], capture_output=True, text=True, check=False)
        if run.returncode:
            continue
        for part in run.stdout.splitlines():
            for file in json.loads(part)["files"]:
                counts = lines.gcc[relative(file["file"])]
                for line in file["lines"]:
                    counts[line["line_number"]] += line["count"]


def read_clang(lines, build):
    for data in glob.glob(os.path.join(build, "fuzz", "*.profdata")):
        run = subprocess.run(["llvm-cov", "export", "-format=lcov", "-instr-profile=" + data, data[:-len(".profdata")]],
                             capture_output=True, text=True, check=True)
        path = ""
        for word in run.stdout.splitlines():
            if word.startswith("SF:"):
                path = relative(word[3:])
            elif word.startswith("DA:"):
                number, count = word[3:].split(",")[:2]
                lines.clang[path][int(number)] += int(count)


def percent(total, reached):
    return 100 * reached / total if total else 0


def row(lines, path, what):
    total, reached = lines.of(path)
    return "| `%s` | %s | %d | %.0f %% |" % (path, what, total, percent(total, reached))


def document(lines, core):
    total, reached = (sum(n) for n in zip(*map(lines.of, core)))
    yield "# Lines that tests run"
    yield ""
    yield "Made by `make coverage` (tests/coverage): unit tests, the packet cases in user space, and the fuzzers over their corpus and seeds."
    yield "At least %d %% of each parser of hostile bytes and %d %% of the core are asked for." % (PARSER_LEAST, CORE_LEAST)
    yield ""
    yield "| parser | of | lines | reached |"
    yield "|---|---|---:|---:|"
    for path, what in PARSERS.items():
        yield row(lines, path, what)
    yield ""
    yield "| core | lines | reached |"
    yield "|---|---:|---:|"
    for path in core:
        yield "| `%s` | %d | %.0f %% |" % (path, *(lambda t, r: (t, percent(t, r)))(*lines.of(path)))
    yield "| all of it | %d | %.1f %% |" % (total, percent(total, reached))


def too_low(lines, core):
    for path in PARSERS:
        if percent(*lines.of(path)) < PARSER_LEAST:
            yield path
    if percent(*(sum(n) for n in zip(*map(lines.of, core)))) < CORE_LEAST:
        yield "core/"


def main():
    build, out = sys.argv[1:3]
    lines = Lines()
    read_gcc(lines, build)
    read_clang(lines, build)
    core = sorted(p for p in glob.glob("core/*.h") if lines.of(p)[0])
    with open(out, "w", encoding="utf-8") as file:
        file.write("\n".join(document(lines, core)) + "\n")
    low = list(too_low(lines, core))
    for path in low:
        print("too low: %s, lines not reached: %s" % (path, " ".join(map(str, lines.missed(path)))))
    return bool(low)


if __name__ == "__main__":
    sys.exit(main())
