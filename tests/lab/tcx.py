#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tcx.py INTERFACE ingress|egress: ids of the programs that tcx has there, one a line.
tcx.py INTERFACE ingress|egress fill: programs that pass everything on, until tcx takes no more.

Debian 12's tc and bpftool do not show them. Nothing before Linux 6.6.
"""
import ctypes
import errno
import os
import socket
import struct
import sys

NR_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
BPF_PROG_LOAD, BPF_PROG_ATTACH, BPF_PROG_QUERY, MOST = 5, 8, 16, 16
SCHED_CLS, PASS_ON = 3, bytes.fromhex("b7000000ffffffff" "9500000000000000")
HOOKS = {"ingress": 46, "egress": 47}


def bpf(command, words):
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(NR_BPF, command, ctypes.create_string_buffer(words, 128), 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), "bpf %d" % command)
    return result


def fill(interface, hook):
    code, licence = ctypes.create_string_buffer(PASS_ON), ctypes.create_string_buffer(b"GPL")
    for _ in range(1000):
        program = bpf(BPF_PROG_LOAD, struct.pack("@IIQQ", SCHED_CLS, 2, ctypes.addressof(code),
                                                 ctypes.addressof(licence)))
        try:
            bpf(BPF_PROG_ATTACH, struct.pack("@IIII", socket.if_nametoindex(interface), program, HOOKS[hook], 0))
        except OSError as error:
            sys.exit(error.errno != errno.ERANGE)
    sys.exit(1)


def main(interface, hook, *more):
    if more == ("fill",):
        fill(interface, hook)
    ids = (ctypes.c_uint32 * MOST)()
    # union bpf_attr: ifindex, hook, two flags, array, its size; the kernel writes behind it
    words = struct.pack("@IIIIQI", socket.if_nametoindex(interface), HOOKS[hook], 0, 0,
                        ctypes.addressof(ids), MOST)
    attributes = ctypes.create_string_buffer(words, 128)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(NR_BPF, BPF_PROG_QUERY, attributes, 128) < 0:
        if ctypes.get_errno() in (errno.EINVAL, errno.ENOENT):
            return
        raise OSError(ctypes.get_errno(), "BPF_PROG_QUERY")
    for program in ids:
        if program:
            print(program)


if __name__ == "__main__":
    main(*sys.argv[1:])
