#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tcx.py INTERFACE ingress|egress: ids of the programs that tcx has there, one a line.
tcx.py INTERFACE ingress|egress detach: takes them off.
tcx.py INTERFACE ingress|egress fill: programs that pass everything on, until tcx takes no more.

Debian 12's tc and bpftool know nothing of tcx. Nothing before Linux 6.6.
"""
import ctypes
import errno
import os
import socket
import struct
import sys

NR_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
BPF_PROG_LOAD, BPF_PROG_ATTACH, BPF_PROG_DETACH, BPF_PROG_GET_FD_BY_ID, BPF_PROG_QUERY, MOST = 5, 8, 9, 13, 16, 16
SCHED_CLS, PASS_ON = 3, bytes.fromhex("b7000000ffffffff" "9500000000000000")
LIBC = ctypes.CDLL(None, use_errno=True)
HOOKS = {"ingress": 46, "egress": 47}


def bpf(command, words):
    """The kernel writes behind what it is given."""
    attributes = ctypes.create_string_buffer(words, 128)
    result = LIBC.syscall(NR_BPF, command, attributes, 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), "bpf(%d)" % command)
    return result


def programs(interface, hook):
    ids = (ctypes.c_uint32 * MOST)()
    try:
        # union bpf_attr: ifindex, hook, two flags, array, its size
        bpf(BPF_PROG_QUERY, struct.pack("@IIIIQI", interface, hook, 0, 0, ctypes.addressof(ids), MOST))
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOENT):
            raise
    return [program for program in ids if program]


def fill(interface, hook):
    code, licence = ctypes.create_string_buffer(PASS_ON), ctypes.create_string_buffer(b"GPL")
    for _ in range(1000):
        program = bpf(BPF_PROG_LOAD, struct.pack("@IIQQ", SCHED_CLS, 2, ctypes.addressof(code),
                                                 ctypes.addressof(licence)))
        try:
            bpf(BPF_PROG_ATTACH, struct.pack("@IIII", interface, program, hook, 0))
        except OSError as error:
            sys.exit(error.errno != errno.ERANGE)
    sys.exit(1)


def main(interface, hook, what="show"):
    interface, hook = socket.if_nametoindex(interface), HOOKS[hook]
    if what == "fill":
        fill(interface, hook)
    for program in programs(interface, hook):
        if what == "show":
            print(program)
            continue
        fd = bpf(BPF_PROG_GET_FD_BY_ID, struct.pack("@III", program, 0, 0))
        bpf(BPF_PROG_DETACH, struct.pack("@IIII", interface, fd, hook, 0))
        os.close(fd)


if __name__ == "__main__":
    main(*sys.argv[1:])
