# SPDX-License-Identifier: GPL-2.0-or-later
"""Process 1 of a machine of our own: runs a daemon, and writes that it was asked to restart, as
by Ctrl-Alt-Del. Then all in there ends with it.

init.py MARK PROGRAM ARGUMENT..."""
import os
import signal
import subprocess
import sys


def told(*_):
    with open(sys.argv[1], "w") as mark:
        mark.write("SIGINT")
    os._exit(0)


signal.signal(signal.SIGINT, told)
daemon = subprocess.Popen(sys.argv[2:])
daemon.wait()
