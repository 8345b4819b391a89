#!/usr/bin/env python3
"""Bad input against a whole server: each gets its protocol's answer, the next client is served, nothing is half stored.

Malformed commands, over-long lines, NUL and bare CR or LF are in tests/wire."""
import base64
import os
import socket
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from mail import imap, inbox                                             # noqa: E402
from server import Lines, Server                                         # noqa: E402
from sink import wait_for                                                # noqa: E402

NAMES = iter([f"i{n:02}@example.test" for n in range(60)])


def smtp(server, hello=True):
    talk = server.connect("SMTP")
    assert talk.reply()[-1].startswith("220"), "no greeting"
    if hello:
        talk.command("EHLO client.test")
    return talk


def begin(talk, user, *params):
    same(talk.command("MAIL FROM:<x@elsewhere.test>" + "".join(" " + p for p in params))[:3], "250")
    same(talk.command(f"RCPT TO:<{user}>")[:3], "250")
    same(talk.command("DATA")[:3], "354")


def quick_mail(server, user):
    """A whole delivery; its time in seconds."""
    start = time.monotonic()
    talk = smtp(server)
    begin(talk, user)
    same(talk.command("Subject: quick\r\n\r\nhello\r\n.")[:3], "250")
    talk.close()
    return time.monotonic() - start


def with_smtp(server):
    @case("a connection cut in DATA: nothing is stored, and the next client is served")
    def _():
        user, workers = next(NAMES), server.pids("smtp")
        for piece in ("Subject: cut\r\n", "Subject: cut\r\n\r\nhalf a li", "Subject: cut\r\n\r\n" + "x\r\n" * 200000, "Subject: cut\r\n\r\nend\r\n."):
            talk = smtp(server)
            begin(talk, user)
            talk.send(piece)
            talk.close()
        quick_mail(server, user)
        same((len(inbox(server, user)), server.pids("smtp")), (1, workers))

    @case("a client that resets its connection in DATA")
    def _():
        user = next(NAMES)
        talk = smtp(server)
        begin(talk, user)
        talk.send("Subject: reset\r\n\r\n")
        talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        talk.close()
        quick_mail(server, user)
        same(len(inbox(server, user)), 1)

    @case("slow clients hold nobody up")
    def _():
        user, slow = next(NAMES), []
        for _ in range(50):
            talk = smtp(server)
            begin(talk, user)
            talk.send("Subject: slow\r\n\r\n")
            slow.append(talk)
        times = []
        for i in range(20):
            for talk in slow:
                talk.send(b"x")
            times.append(quick_mail(server, next(NAMES)))
        assert max(times) < 2, times
        for talk in slow:
            same(talk.command("\r\n.")[:3], "250")
            talk.close()
        raws = inbox(server, user)
        same((len(raws), {raw.split(b"\r\n\r\n", 1)[1] for raw in raws}), (50, {b"x" * 20 + b"\r\n"}))

    @case("a message that is too large: at MAIL by its SIZE, else behind its end, and the session goes on")
    def _():
        user = next(NAMES)
        server.setting("smtp.max_message_size", "64 KiB")
        wait_for("the setting", lambda: "250-SIZE 65536" in announced(server))
        talk = smtp(server)
        same(talk.command("MAIL FROM:<x@elsewhere.test> SIZE=65537")[:9], "552 5.3.4")
        begin(talk, user)
        talk.send("Subject: big\r\n\r\n" + "x" * 70 + "\r\n")
        for _ in range(40):
            talk.send(("y" * 70 + "\r\n") * 1000)
        same(talk.command(".")[:9], "552 5.3.4")
        begin(talk, user)
        same(talk.command("Subject: small\r\n\r\nok\r\n.")[:3], "250")
        talk.close()
        same(len(inbox(server, user)), 1)
        server.setting("smtp.max_message_size", "50 MiB")
        wait_for("the setting", lambda: "250-SIZE 52428800" in announced(server))

    @case("too many recipients: 452 4.5.3, those before it get the message")
    def _():
        server.setting("smtp.max_recipients", "100")
        users = [f"h{n:03}@example.test" for n in range(101)]

        def answers():
            talk = smtp(server)
            talk.command("MAIL FROM:<x@elsewhere.test>")
            return talk, [talk.command(f"RCPT TO:<{u}>")[:9] for u in users]
        talk, got = wait_for("the setting", lambda: (lambda t, v: (t, v) if v[-1][0] == "4" else None)(*answers()))
        same(got, ["250 2.1.5"] * 100 + ["452 4.5.3"])
        same(talk.command("DATA")[:3], "354")
        same(talk.command("Message-ID: <hundred@client.test>\r\n\r\nhello\r\n.")[:3], "250")
        same(server.value("SELECT count(*) FROM email WHERE message_id = 'hundred@client.test'"), "100")
        server.setting("smtp.max_recipients", "1000")

    @case("too much for all recipients together: at RCPT with SIZE, at DATA without")
    def _():
        server.setting("smtp.max_transaction_size", "1 MiB")
        users = [next(NAMES) for _ in range(4)]

        def third():
            talk = smtp(server)
            talk.command("MAIL FROM:<x@elsewhere.test> SIZE=400000")
            return [talk.command(f"RCPT TO:<{u}>")[:9] for u in users[:3]]
        wait_for("the setting", lambda: third()[2] != "250 2.1.5")
        same(third(), ["250 2.1.5", "250 2.1.5", "452 4.5.3"])
        talk = smtp(server)
        talk.command("MAIL FROM:<x@elsewhere.test>")
        for u in users:
            same(talk.command(f"RCPT TO:<{u}>")[:3], "250")
        talk.command("DATA")
        same(talk.command("Subject: much\r\n\r\n" + ("z" * 70 + "\r\n") * 6000 + ".")[:9], "452 4.3.1")
        same([len(inbox(server, u)) for u in users], [0] * 4)
        server.setting("smtp.max_transaction_size", "256 MiB")

    @case("a flood of errors ends with 421, and costs nobody else")
    def _():
        talk = smtp(server, hello=False)
        answers = []
        while not answers or answers[-1][:3] != "421":
            answers.append(talk.command("NONSENSE"))
            assert len(answers) < 100, answers[-1]
        try:
            raise AssertionError(talk.line())
        except (EOFError, ConnectionResetError): # reset: a last command crossed with the 421
            pass
        quick_mail(server, next(NAMES))


def announced(server):
    talk = server.connect("SMTP")
    talk.reply()
    talk.send("EHLO x\r\n")
    lines = talk.reply()
    talk.close()
    return lines


def with_imap(server):
    def signed_in(user):
        talk = server.connect("IMAP")
        talk.line()
        talk.send(f"a LOGIN {user} secret\r\n")
        return talk, until(talk, "a ")

    def until(talk, tag):
        while True:
            line = talk.line()
            if line.startswith((tag, "* BYE")):
                return line

    @case("IMAP: literals that are too large are refused before they are sent")
    def _():
        user = next(NAMES)
        talk, answer = signed_in(user)
        assert answer.startswith("a OK"), answer
        for line, want in (("b APPEND INBOX {99999999999}", "b NO [TOOBIG]"), ("b SELECT {9999999}", "b BAD"),
                           ("b APPEND INBOX {18446744073709551616}", "b BAD"), ("b LOGIN {4294967296} x", "b BAD")):
            talk.send(line + "\r\n")
            got = until(talk, "b ")
            assert got.startswith(want), (line, got)
        talk.send("c NOOP\r\n")
        assert until(talk, "c ").startswith("c OK")
        talk.send("d APPEND INBOX {99999999999+}\r\n")
        assert until(talk, "d ").startswith(("d NO [TOOBIG]", "* BYE")), "not refused"
        same(inbox(server, user), [])

    @case("IMAP: before sign-in even small literals are bounded, and an endless line takes no memory")
    def _():
        talk = server.connect("IMAP")
        talk.line()
        talk.send("a LOGIN {70000}\r\n")
        assert until(talk, "a ").startswith(("a BAD", "a NO")), "not refused"
        before = memory_kib(server.pids("access")[0])
        for _ in range(500):
            talk.send(b"x" * 65536)
        talk.send("\r\n")
        got = until(talk, "* ")
        assert "BAD" in got or "BYE" in got, got
        grown = memory_kib(server.pids("access")[0]) - before
        assert grown < 4096, f"{grown} KiB"
        talk.close()
        assert signed_in(next(NAMES))[1].startswith("a OK")


def memory_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(next(line for line in f if line.startswith("VmRSS:")).split()[1])


def with_passwords(server):
    def try_password(user, password, source="127.0.0.1"):
        talk = Lines(socket.create_connection(("127.0.0.1", server.port("SUBMISSION")), 20, (source, 0)))
        talk.reply()
        talk.command("EHLO x")
        answer = talk.command("AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode())
        talk.close()
        return answer

    @case("wrong passwords are slowed down, but never lock the owner out")
    def _():
        user = next(NAMES)
        answers = [try_password(user, f"wrong{i}")[:3] for i in range(9)]
        same(set(answers), {"535"})
        throttled = try_password(user, "secret")
        assert throttled.startswith(("454", "421")), throttled
        same(try_password(user, "secret", "127.0.2.1")[:3], "235")       # from another network at once
        wait_for("the owner's turn", lambda: try_password(user, "secret").startswith("235"), 10)
        same(len(imap(server, user).list()[1]) >= 1, True)

    @case("an account that does not exist is answered as a wrong password is")
    def _():
        same(try_password("nobody@example.test", "secret"), try_password(next(NAMES), "wrong"))


def with_settings(server):
    @case("settings: every process follows within two seconds")
    def _():
        def banner(listener):
            talk = server.connect(listener)
            line = talk.line()
            talk.close()
            return line
        server.setting("server.hostname", "renamed.example.test")
        wait_for("SMTP's greeting", lambda: banner("SMTP").startswith("220 renamed.example.test "))
        assert "LOGINDISABLED" not in banner("IMAP"), banner("IMAP")
        server.setting("auth.cleartext", "never")
        wait_for("IMAP", lambda: "LOGINDISABLED" in banner("IMAP"))
        wait_for("submission", lambda: try_auth(server)[:10] == "538 5.7.11")
        server.setting("auth.cleartext", "loopback")
        wait_for("IMAP", lambda: "LOGINDISABLED" not in banner("IMAP"))


def try_auth(server):
    talk = server.connect("SUBMISSION")
    talk.reply()
    talk.command("EHLO x")
    return talk.command("AUTH PLAIN AGEAYg==")


def main():
    with Server() as server:
        server.accounts([f"i{n:02}" for n in range(60)] + [f"h{n:03}" for n in range(101)])
        with_smtp(server)
        with_imap(server)
        with_passwords(server)
        with_settings(server)
        harness.run()


main()
