# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows by their names, module/case, for tools that look at single ones."""
import importlib

import gateway
from rows import cases_of


def case_named(name):
    """ValueError: there is none."""
    module, _, case = name.partition("/")
    try:
        cases = cases_of(importlib.import_module(module))
    except ModuleNotFoundError:
        cases = []
    for candidate in cases:
        if candidate.name == case:
            return candidate
    raise ValueError("no row %s" % name)


def row_passes(name, g):
    """Whether a row passes on a gateway; what that gateway is worth afterwards is open."""
    case = case_named(name)
    try:
        g.reset()
        case.function(g)
        g.check_records()
        return True
    except (AssertionError, gateway.BackendDied, ValueError, KeyError, IndexError):
        return False
