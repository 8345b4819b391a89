#!/usr/bin/env python3
"""Speaks the transcripts of tests/wire/*/*.txt to a running server.

  port NAME     which listener (first line); "tls" behind it: the handshake comes first
  C: text       is sent with CR LF; {user} and {other} are this transcript's own accounts, their password
                is "secret"; {plain} and {plain-wrong} are SASL PLAIN for {user}, the second with a wrong password
  C\\ text       is sent as it is, with Python's escapes (\\r\\n, \\x00)
  S: pattern    the next line; * stands for anything
  S* pattern    lines are read until one matches
  TLS           the handshake
  EOF           the server closes
  # text        a remark
A transcript is one connection; "port" inside it closes the old one and opens another.
"""
import base64
import fnmatch
import glob
import os
import re
import socket
import ssl
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                  # noqa: E402
from server import Lines, Server                # noqa: E402


class Talk:
    def __init__(self, server, user, other):
        self.server, self.user, self.other, self.conn = server, user, other, None

    def open(self, words):
        if self.conn:
            self.conn.close()
        sock = socket.create_connection(("127.0.0.1", self.server.port(words[0])), 20)
        if "tls" in words[1:]:
            sock = self.context().wrap_socket(sock, server_hostname="localhost")
        self.conn = Lines(sock)

    @staticmethod
    def context():
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def fill(self, text):
        for name, password in (("{plain}", "secret"), ("{plain-wrong}", "wrong")):
            text = text.replace(name, base64.b64encode(f"\0{self.user}\0{password}".encode()).decode())
        return text.replace("{user}", self.user).replace("{other}", self.other)

    def matches(self, line, pattern):
        return fnmatch.fnmatchcase(line, re.sub(r"\[", "[[]", self.fill(pattern)))

    def step(self, line):
        if line.startswith("port "):
            self.open(line.split()[1:])
        elif line.startswith("C: ") or line == "C:":
            self.conn.send(self.fill(line[3:]) + "\r\n")
        elif line.startswith("C\\ "):
            self.conn.send(self.fill(line[3:]).encode().decode("unicode_escape").encode("latin-1"))
        elif line.startswith("S: ") or line == "S:":
            got = self.conn.line()
            if not self.matches(got, line[3:]):
                raise AssertionError(f"want {self.fill(line[3:])!r}, got {got!r}")
        elif line.startswith("S* "):
            seen = []
            while not seen or not self.matches(seen[-1], line[3:]):
                try:
                    seen.append(self.conn.line())
                except (EOFError, OSError) as e:
                    raise AssertionError(f"want {self.fill(line[3:])!r}, got {seen} and {e!r}")
        elif line == "TLS":
            self.conn = Lines(self.context().wrap_socket(self.conn.sock, server_hostname="localhost"))
        elif line == "EOF":
            try:
                raise AssertionError(f"want the end, got {self.conn.line()!r}")
            except (EOFError, ConnectionResetError):
                pass
        else:
            raise AssertionError("not a step")


def play(path, server, user, other):
    talk = Talk(server, user, other)
    with open(path) as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            try:
                talk.step(line)
            except Exception as e:
                raise AssertionError(f"{os.path.relpath(path, HERE)}:{number}: {line}: {e}") from None
    talk.conn.close()


def main():
    paths = sorted(glob.glob(os.path.join(HERE, "*", "*.txt")))
    with Server() as server:
        server.accounts([f"{letter}{i:03}" for i in range(len(paths)) for letter in "wx"])
        for i, path in enumerate(paths):
            name = os.path.relpath(path, HERE)
            addresses = [f"{letter}{i:03}@example.test" for letter in "wx"]
            harness.case(name)(lambda path=path, addresses=addresses: play(path, server, *addresses))
        try:
            harness.run()
        finally:
            if any("-v" == a for a in sys.argv):
                print(server.tail())


if __name__ == "__main__":
    main()
