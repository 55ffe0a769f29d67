#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One PPTP call through the gateway, byte by byte (RFC 2637).

  daemon_pptp.py server            waits on TCP 1723, answers one call, echoes its GRE
  daemon_pptp.py client SERVER ID  opens a call with call id ID; GRE both ways; prints
                                   what it saw and exits 0 when all of it was right
"""
import socket
import sys

import pptp_wire as wire

SERVER_CALL = 0x4242


def server():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", 1723))
    listener.listen()
    raw = wire.gre_socket("0.0.0.0")
    print("ready", flush=True)
    stream, peer = listener.accept()
    while True:
        kind, body = wire.read_message(stream)
        if kind is None:
            return
        if kind == wire.START:
            stream.sendall(wire.start_reply())
        if kind == wire.CALL:
            call = wire.ids(body)[0]
            print("call", call, flush=True)
            stream.sendall(wire.call_reply(SERVER_CALL, call))
            raw.settimeout(5)
            source, seen, _ = wire.gre_receive(raw)
            print("gre", source, seen, flush=True)
            raw.sendto(wire.gre_packet(call, b"pong"), peer)
        if kind == wire.CLEAR:
            stream.sendall(wire.disconnect_notify(SERVER_CALL))


def client(address, call):
    raw = wire.gre_socket("0.0.0.0")
    raw.settimeout(5)
    stream = socket.create_connection((address, 1723), timeout=5)
    stream.sendall(wire.start_request())
    assert wire.read_message(stream)[0] == wire.START_REPLY, "no Start-Control-Connection-Reply"
    stream.sendall(wire.call_request(call))
    kind, body = wire.read_message(stream)
    assert kind == wire.CALL_REPLY, "no Outgoing-Call-Reply"
    server_call, mine = wire.ids(body)
    print("reply names", mine, "server's is", server_call)
    assert mine == call, "the reply does not name our call id"
    raw.sendto(wire.gre_packet(server_call, b"ping"), (address, 0))
    source, seen, _ = wire.gre_receive(raw)
    print("gre from", source, "with", seen)
    assert (source, seen) == (address, call), "GRE came back wrong"
    if len(sys.argv) > 4:
        print("up", flush=True)
        sys.stdin.readline()
    stream.sendall(wire.clear_request(call))
    assert wire.read_message(stream)[0] == wire.DISCONNECT, "no Call-Disconnect-Notify"


if sys.argv[1] == "server":
    server()
else:
    client(sys.argv[2], int(sys.argv[3]))
