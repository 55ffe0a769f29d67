# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs every check_* of the modules below, in their order, and prints TAP."""
import sys
import time
import traceback

import gateway

MODULES = ["first_start", "browser_guard", "roles", "changes", "live", "accounts", "slow", "process"]


def checks():
    for module in MODULES:
        for name, check in vars(__import__(module)).items():
            if name.startswith("check_"):
                yield "%s: %s" % (module, name[6:].replace("_", " ")), check


def run(number, name, check):
    begun = time.monotonic()
    try:
        check()
        print("ok %d - %s (%.1f s)" % (number, name, time.monotonic() - begun), flush=True)
    except Exception:  # a check that fails ends itself, not the others
        print("not ok %d - %s" % (number, name), flush=True)
        lines = traceback.format_exc() + gateway.log()[-1500:]
        print("".join("# %s\n" % line.encode("ascii", "replace").decode() for line in lines.splitlines()), flush=True)


def main():
    gateway.enter("a")
    wanted = [(name, check) for name, check in checks()
              if not sys.argv[1:] or any(word in name for word in sys.argv[1:])]
    for number, (name, check) in enumerate(wanted, 1):
        run(number, name, check)
    print("1..%d" % len(wanted))


main()
