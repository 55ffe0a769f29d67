#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers of first.sh.

serve PORT 4|6           echoes whole lines of every connection; 6: a socket of IPv6 that takes IPv4
session ADDRESS PORT     one connection, idle until a line comes on standard input
once FROM ADDRESS PORT   connects, asks, is answered: exit status 0
"""
import socket
import sys
import threading


def echo(connection):
    with connection, connection.makefile("rw") as lines:
        for line in lines:
            lines.write("echo " + line)
            lines.flush()


def serve(port, family):
    six = family == "6"
    listener = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if six:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::" if six else "0.0.0.0", int(port)))
    listener.listen()
    print("ready", flush=True)
    while True:
        threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()


def session(address, port):
    with socket.create_connection((address, int(port)), timeout=5) as connection, connection.makefile("rw") as lines:
        connection.settimeout(None)
        print("open", flush=True)
        for line in sys.stdin:
            lines.write(line)
            lines.flush()
            print(lines.readline().strip(), flush=True)


def once(source, address, port):
    with socket.create_connection((address, int(port)), timeout=1.5, source_address=(source, 0)) as connection:
        connection.sendall(b"hello\n")
        assert connection.recv(100) == b"echo hello\n"


{"serve": serve, "session": session, "once": once}[sys.argv[1]](*sys.argv[2:])
