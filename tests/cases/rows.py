# SPDX-License-Identifier: GPL-2.0-or-later
"""How a file of rows says what its cases are."""


class Case:
    """A function of rows. Its name and its first line of documentation name it."""

    def __init__(self, function, only):
        self.function, self.only = function, only
        self.name = function.__name__
        self.title = (function.__doc__ or "").strip().split("\n")[0]

    def runs_on(self, backend):
        return self.only is None or backend in self.only


def case(function=None, only=None):
    """Marks a case; only: the back ends that can show it."""
    if function is None:
        return lambda f: Case(f, only)
    return Case(function, only)


def cases_of(module):
    """In the order of the file."""
    return [value for value in vars(module).values() if isinstance(value, Case)]
