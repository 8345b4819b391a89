#!/usr/bin/env python3
"""ManageSieve: sieve-connect, and the dialogues of Roundcube's (Net_Sieve) and Thunderbird's clients."""
import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from mail import imap, submit, text, tls_context                         # noqa: E402
from server import Server                                                # noqa: E402
from sink import wait_for                                                # noqa: E402

ALICE, BOB, CAROL = "alice@example.test", "bob@example.test", "carol@example.test"
SCRIPT = 'require ["fileinto", "vacation"];\r\nif header :contains "subject" "[list]" {\r\n  fileinto "Lists";\r\n}\r\n'


class Refused(Exception):
    def __init__(self, status, code, text):
        super().__init__(f"{status} ({code}) {text}")
        self.status, self.code, self.text = status, code, text


class Client:
    """RFC 5804 as both programs speak it: TLS first, PLAIN with an initial response, non-synchronizing literals."""

    def __init__(self, server, tls=True):
        self.sock = socket.create_connection(("127.0.0.1", server.port("SIEVE")), 20)
        self.file = self.sock.makefile("rb")
        self.capabilities = self.read_capabilities()
        if tls:
            self.command("STARTTLS")
            self.sock = tls_context().wrap_socket(self.sock, server_hostname="localhost")
            self.file = self.sock.makefile("rb")
            self.capabilities = self.read_capabilities()

    def token(self, line):
        """The next word of a line and the rest of it; a literal takes more from the connection."""
        if line.startswith(b'"'):
            m = re.match(rb'"((?:[^"\\]|\\.)*)"', line)
            return re.sub(rb"\\(.)", rb"\1", m.group(1)), line[m.end():].lstrip(b" ")
        m = re.match(rb"\{(\d+)\}$", line)
        if m:
            return self.file.read(int(m.group(1))), self.file.readline().rstrip(b"\r\n").lstrip(b" ")
        word, _, rest = line.partition(b" ")
        return word, rest

    def answer(self):
        """Data lines up to the completion; NO and BYE are raised."""
        rows = []
        while True:
            line = self.file.readline()
            if not line.endswith(b"\r\n"):
                raise EOFError(line)
            line = line[:-2]
            m = re.match(rb"(OK|NO|BYE)(?: \(([^)]*)\))?(?: |$)", line, re.I)
            if m:
                text = self.token(line[m.end():])[0].decode() if line[m.end():] else ""
                status, code = m.group(1).decode().upper(), (m.group(2) or b"").decode()
                if status != "OK":
                    raise Refused(status, code, text)
                return rows, code, text
            row = []
            while line:
                word, line = self.token(line)
                row.append(word.decode())
            rows.append(row)

    def read_capabilities(self):
        return {row[0].upper(): row[1] if len(row) > 1 else None for row in self.answer()[0]}

    def send(self, data):
        self.sock.sendall(data)

    @staticmethod
    def quoted(text):
        return b'"' + text.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'

    def command(self, verb, *args, literal=None):
        words = [verb.encode()] + [str(a).encode() if isinstance(a, int) else self.quoted(a) for a in args]
        line = b" ".join(words)
        if literal is not None:
            line += b" {%d+}\r\n" % len(literal) + literal
        self.send(line + b"\r\n")
        return self.answer()

    def sign_in(self, user, password="secret"):
        return self.command("AUTHENTICATE", "PLAIN", base64.b64encode(f"\0{user}\0{password}".encode()).decode())

    def scripts(self):
        return [(row[0], row[1:] == ["ACTIVE"]) for row in self.command("LISTSCRIPTS")[0]]


def refused(code, fn, *args, **kw):
    try:
        fn(*args, **kw)
    except Refused as e:
        same((e.status, e.code), ("NO", code))
        return e.text
    raise AssertionError("it was not refused")


def count(server, user, mailbox):
    with imap(server, user) as box:
        return int(box.select(mailbox, readonly=True)[1][0])


def with_clients(server):
    @case("Thunderbird's dialogue: TLS, capabilities, list, put, check, activate, rename, delete")
    def _():
        c = Client(server)
        assert "STARTTLS" not in c.capabilities, c.capabilities
        assert "OWNER" not in c.capabilities
        for name in ("fileinto", "vacation", "imap4flags", "include"):
            assert name in c.capabilities["SIEVE"].split(), c.capabilities
        c.sign_in(ALICE)
        c.command("CAPABILITY")
        same(c.scripts(), [])
        c.command("HAVESPACE", "filter", len(SCRIPT))
        c.command("PUTSCRIPT", "filter", literal=SCRIPT.encode())
        same(c.scripts(), [("filter", False)])
        same(c.command("GETSCRIPT", "filter")[0], [[SCRIPT]])
        text = refused("", c.command, "CHECKSCRIPT", literal=b'require "fileinto";\r\nfileinto 3;\r\n')
        assert text.startswith("line 2, column "), text
        c.command("SETACTIVE", "filter")
        c.command("RENAMESCRIPT", "filter", 'f\u00e9rias "2026"')
        same(c.scripts(), [('f\u00e9rias "2026"', True)])
        refused("ACTIVE", c.command, "DELETESCRIPT", 'f\u00e9rias "2026"')
        c.command("SETACTIVE", "")
        c.command("DELETESCRIPT", 'f\u00e9rias "2026"')
        same(c.scripts(), [])
        c.command("LOGOUT")
        same(c.file.read(), b"")

    @case("what Thunderbird changed is in the audit log, which is whole")
    def _():
        rows = [json.loads(line) for line in server.ctl("audit", "list", "--action", "filter.", "--json").stdout.splitlines()][::-1]
        old, new = f"{ALICE}/personal/filter", f'{ALICE}/personal/f\u00e9rias "2026"'
        same([(r["action"], r["objects"], r["after"]) for r in rows],
             [("filter.put", [old], {"size": len(SCRIPT)}), ("filter.change", [old], {"active": True}),
              ("filter.change", [old], {"name": 'f\u00e9rias "2026"'}), ("filter.change", [f"{ALICE}/personal/"], {"active": False}),
              ("filter.delete", [new], None)])
        for row in rows:
            same({k: row["actor"][k] for k in ("kind", "name", "via", "ip")},
                 {"kind": "session", "name": ALICE, "via": "managesieve", "ip": "127.0.0.1"})
        same(server.ctl("audit", "verify", check=False).returncode, 0)

    @case("Roundcube's dialogue: one script is read, changed, stored and made active, in sessions of their own")
    def _():
        for n in range(3):
            c = Client(server, tls=n > 0)
            c.sign_in(BOB)
            names = [name for name, _ in c.scripts()]
            if "roundcube" in names:
                same(c.command("GETSCRIPT", "roundcube")[0][0][0].count("# rule"), n)
            script = SCRIPT + "".join(f"# rule:[{i}]\r\nkeep;\r\n" for i in range(n + 1))
            c.command("PUTSCRIPT", "roundcube", literal=script.encode())
            c.command("SETACTIVE", "roundcube")
            c.command("LOGOUT")
        same(Client(server).capabilities["VERSION"], "1.0")

    @case("what was put and made active filters the next message; the one after SETACTIVE \"\" goes to the inbox")
    def _():
        with imap(server, CAROL) as box:
            box.create("Lists")
        c = Client(server)
        c.sign_in(CAROL)
        c.command("PUTSCRIPT", "main", literal=SCRIPT.encode())
        c.command("SETACTIVE", "main")
        submit(server, ALICE, CAROL, text(ALICE, CAROL, "[list] one"))
        wait_for("the message in Lists", lambda: count(server, CAROL, "Lists") == 1)
        c.command("SETACTIVE", "")
        submit(server, ALICE, CAROL, text(ALICE, CAROL, "[list] two"))
        wait_for("the message in INBOX", lambda: count(server, CAROL, "INBOX") == 1)
        same(count(server, CAROL, "Lists"), 1)
        c.command("DELETESCRIPT", "main")

    @case("each person has scripts of their own")
    def _():
        c = Client(server)
        c.sign_in(CAROL)
        same(c.scripts(), [])
        refused("NONEXISTENT", c.command, "GETSCRIPT", "roundcube")
        c.command("UNAUTHENTICATE")
        c.sign_in(BOB)
        same(c.scripts(), [("roundcube", True)])

    @case("the largest script is stored and comes back whole; a larger one is refused, and the session goes on")
    def _():
        c = Client(server)
        c.sign_in(ALICE)
        line = b"# " + b"x" * 77 + b"\n"
        big = (line * (2**20 // len(line) + 1))[:2**20 - 6] + b"\nkeep;"
        same(len(big), 2**20)
        c.command("PUTSCRIPT", "big", literal=big)
        same(c.command("GETSCRIPT", "big")[0][0][0].encode(), big)
        refused("QUOTA/MAXSIZE", c.command, "PUTSCRIPT", "big", literal=big + b"\n")
        refused("QUOTA/MAXSIZE", c.command, "PUTSCRIPT", "big", literal=big * 4)
        same(c.command("GETSCRIPT", "big")[0][0][0].encode(), big)
        c.command("DELETESCRIPT", "big")

    @case("one hundred scripts and no more")
    def _():
        c = Client(server)
        c.sign_in(CAROL)
        for i in range(100):
            c.command("PUTSCRIPT", f"s{i:03}", literal=b"keep;")
        refused("QUOTA/MAXSCRIPTS", c.command, "HAVESPACE", "one more", 10)
        refused("QUOTA/MAXSCRIPTS", c.command, "PUTSCRIPT", "one more", literal=b"keep;")
        c.command("HAVESPACE", "s000", 10)
        c.command("PUTSCRIPT", "s000", literal=b"discard;")
        same(len(c.scripts()), 100)

    @case("commands behind each other in one write; a lost peer in the middle of a script changes nothing")
    def _():
        c = Client(server)
        c.sign_in(ALICE)
        c.send(b'PUTSCRIPT "p" {5+}\r\nkeep;\r\nSETACTIVE "p"\r\nLISTSCRIPTS\r\nSETACTIVE ""\r\nDELETESCRIPT "p"\r\n')
        same([len(c.answer()[0]) for _ in range(5)], [0, 0, 1, 0, 0])
        c.command("PUTSCRIPT", "p", literal=b"keep;")
        c.send(b'PUTSCRIPT "p" {500+}\r\ndiscard;')
        c.sock.close()
        c = Client(server)
        c.sign_in(ALICE)
        same(c.command("GETSCRIPT", "p")[0], [["keep;"]])
        c.command("DELETESCRIPT", "p")

    @case("wrong passwords end the session")
    def _():
        c = Client(server)
        for _ in range(4):
            refused("", c.sign_in, "nobody@example.test", "wrong")
        try:
            c.sign_in("nobody@example.test", "wrong")
        except Refused as e:
            same(e.status, "BYE")
        same(c.file.read(), b"")

    @case("a password without TLS is refused where the setting says so")
    def _():
        server.setting("auth.cleartext", "never")
        try:
            end = time.monotonic() + 10
            while Client(server, tls=False).capabilities["SASL"] and time.monotonic() < end:
                time.sleep(0.1)
            c = Client(server, tls=False)
            same(c.capabilities["SASL"], "")
            refused("ENCRYPT-NEEDED", c.sign_in, ALICE)
            c = Client(server)
            same(c.capabilities["SASL"], "PLAIN LOGIN")
            c.sign_in(ALICE)
        finally:
            server.sql("DELETE FROM setting WHERE key = 'auth.cleartext'; NOTIFY setting")


def with_sieve_connect(server, work):
    local = os.path.join(work, "local.sieve")

    def connect(*words, user=ALICE, status=0):
        r = subprocess.run(["sieve-connect", "--server", "localhost", "--nosrv", "-4", "--port", str(server.port("SIEVE")), "--user", user,
                            "--passwordfd", "0", "--tlscafile", server.endpoints["CERTIFICATE"], *words], input="secret\n",
                           capture_output=True, text=True, timeout=60)
        assert (r.returncode == 0) == (status == 0), f"exit {r.returncode}: {r.stderr}{r.stdout}"
        return r.stdout + r.stderr

    @case("sieve-connect: upload, list, activate, download, delete")
    def _():
        with open(local, "w", newline="") as f:
            f.write(SCRIPT)
        connect("--upload", "--localsieve", local, "--remotesieve", "by sieve-connect")
        connect("--activate", "--remotesieve", "by sieve-connect")
        assert re.search(r'by sieve-connect.*ACTIVE', connect("--list")), "list"
        back = os.path.join(work, "back.sieve")
        connect("--download", "--remotesieve", "by sieve-connect", "--localsieve", back)
        with open(back, newline="") as f:
            same(f.read(), SCRIPT)
        connect("--checkscript", "--localsieve", local)
        connect("--delete", "--remotesieve", "by sieve-connect", status=1)
        connect("--deactivate")
        connect("--delete", "--remotesieve", "by sieve-connect")
        assert "by sieve-connect" not in connect("--list")

    @case("sieve-connect: a script with an error is refused, with its line")
    def _():
        with open(local, "w") as f:
            f.write("keep;\nnonsense;\n")
        said = connect("--upload", "--localsieve", local, "--remotesieve", "wrong", status=1)
        assert "line 2, column" in said, said


def with_shutdown(server):
    @case("a shutdown says BYE to those who wait")
    def _():
        c = Client(server)
        c.sign_in(ALICE)
        for pid in server.pids("access"):
            os.kill(pid, signal.SIGTERM)
        try:
            c.answer()
            raise AssertionError("no BYE")
        except Refused as e:
            same((e.status, e.code), ("BYE", "TRYLATER"))


def main():
    work = tempfile.mkdtemp(prefix="sieve", dir="/tmp")
    try:
        with Server() as server:
            server.accounts(["alice", "bob", "carol"])
            with_clients(server)
            with_sieve_connect(server, work)
            with_shutdown(server)
            harness.run()
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
