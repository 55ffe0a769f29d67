#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a hit costs more in one build than in another, in nanoseconds.

against.py [--flows 1000] [--rounds 20] BEFORE AFTER     two `steps` programs

Each round starts both anew, so that each has another secret, other places in memory
and another JIT image, and takes of each the lowest of 200 runs of 20,000 hits. Who
begins changes from round to round. The result is the median of the rounds' paired
differences, with the interval that order statistics give for it, whatever the
distribution: of 20 differences the 6th to the 15th hold their median in 95.9 % of all
cases (binomial with p = 1/2). Exit status 1 when the median is above --most.
"""
import argparse
import math
import statistics
import subprocess
import sys


def hit(program, flows):
    run = subprocess.run([program, "hit", str(flows)], capture_output=True, text=True, check=False)
    if run.returncode or run.stderr:
        sys.exit("%s: %s" % (program, run.stderr.strip() or "exit status %d" % run.returncode))
    return int(run.stdout)


def interval(count, least=0.95):
    """(rank, coverage): from the rank-th lowest to the rank-th highest, the narrowest of at least that coverage."""
    below, best = 0, None
    for rank in range(1, count // 2 + 1):
        below += math.comb(count, rank - 1)
        coverage = 1 - 2 * below / 2 ** count
        if coverage < least:
            break
        best = rank, coverage
    return best


def rounds(args):
    pairs = []
    for number in range(args.rounds):
        programs = [args.before, args.after]
        turn = -1 if number % 2 else 1
        pairs.append([hit(program, args.flows) for program in programs[::turn]][::turn])
    return pairs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flows", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=20, help="at least 6")
    parser.add_argument("--most", type=float, default=3, help="ns that a hit may cost more")
    parser.add_argument("before")
    parser.add_argument("after")
    args = parser.parse_args()
    pairs = rounds(args)
    more = sorted(after - before for before, after in pairs)
    rank, coverage = interval(len(more))
    print("a hit, %d flows, %d rounds, a frame of the bench included: %.1f ns before, %.1f ns after (medians)" % (
        args.flows, len(pairs), *(statistics.median(side) for side in zip(*pairs))))
    print("more by %+.1f ns (median of the paired differences), %+d to %+d ns (%.1f %% interval)" % (
        statistics.median(more), more[rank - 1], more[-rank], coverage * 100))
    return statistics.median(more) > args.most


if __name__ == "__main__":
    sys.exit(main())
