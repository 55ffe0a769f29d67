# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateway's control socket, as docs/control-protocol.md has it."""

import json
import socket

WINDOW = 64  # requests on their way at once


class Control:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r")

    def send(self, request):
        self.socket.sendall(json.dumps(request).encode() + b"\n")

    def receive(self):
        answer = json.loads(self.lines.readline())
        if not answer.get("ok"):
            raise RuntimeError(f"the gateway refuses: {answer}")
        return answer["result"]

    def ask(self, request):
        self.send(request)
        return self.receive()

    def ask_all(self, requests):
        """Answers to many requests, several of them under way at a time."""
        waiting, answers = 0, []
        for request in requests:
            self.send(request)
            waiting += 1
            if waiting == WINDOW:
                answers.append(self.receive())
                waiting -= 1
        return answers + [self.receive() for _ in range(waiting)]

    def counters(self):
        items = self.ask({"request": "show", "what": "counters"})["items"]
        return {item["name"]: item["count"] for item in items if item["count"]}

    def close(self):
        self.lines.close()
        self.socket.close()
