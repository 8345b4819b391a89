#!/usr/bin/env python3
"""BDAT with real sizes: long messages byte for byte, limits, cut connections, and where a binary message cannot go."""
import os
import random
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from internet import free_port, make_certificate                         # noqa: E402
from mail import inbox, wait_report, wait_sent                           # noqa: E402
from server import Server                                                # noqa: E402
from sink import EXTENSIONS, Sink, wait_for                              # noqa: E402

NAMES = iter([f"c{n:02}@example.test" for n in range(20)])


def smtp(server):
    talk = server.connect("SMTP")
    assert talk.reply()[-1].startswith("220"), "no greeting"
    talk.send("EHLO client.test\r\n")
    talk.offers = talk.reply()
    return talk


def begin(talk, user, *params, sender="x@elsewhere.test"):
    same(talk.command(f"MAIL FROM:<{sender}>" + "".join(" " + p for p in params))[:3], "250")
    same(talk.command(f"RCPT TO:<{user}>")[:3], "250")


def bdat(talk, data, last=False):
    talk.send(f"BDAT {len(data)}{' LAST' if last else ''}\r\n".encode() + data)
    return talk.reply()[-1]


def stored(server, user):
    """The messages without our two trace fields."""
    return [raw.split(b"\r\n", 1)[1].partition(b"\r\nSubject:")[2] for raw in inbox(server, user)]


def with_sizes(server):
    @case("five MiB in pipelined chunks of all sizes, as lines and as any bytes")
    def _():
        user, rand = next(NAMES), random.Random(3030)
        lines = b"Subject: lines\r\n\r\n" + b"".join(b"." * rand.randrange(70) + b"\r\n" for _ in range(150000))
        binary = b"Subject: binary\r\nContent-Transfer-Encoding: binary\r\n\r\n" + rand.randbytes(5 << 20)
        for message, body in ((lines, "8BITMIME"), (binary, "BINARYMIME")):
            talk = smtp(server)
            begin(talk, user, "BODY=" + body)
            at, group, chunks = 0, b"", 0
            while at < len(message):
                size = min(rand.choice((1, 2, 777, 8192, 300000)), len(message) - at)
                group += f"BDAT {size}\r\n".encode() + message[at:at + size]
                at, chunks = at + size, chunks + 1
                if len(group) > 100000 or at == len(message):
                    talk.send(group)
                    same({talk.reply()[-1][:9] for _ in range(chunks)}, {"250 2.0.0"})
                    group, chunks = b"", 0
            same(bdat(talk, b"", last=True)[:9], "250 2.0.0")
            talk.close()
        got = stored(server, user)
        same([g == m.partition(b"Subject:")[2] for g, m in zip(got, (lines, binary))], [True, True])

    @case("a chunk that passes the largest size: 552 behind its bytes, at once or summed up, and the session goes on")
    def _():
        user = next(NAMES)
        server.setting("smtp.max_message_size", "64 KiB")
        server.setting("smtp.max_recipients", "100")
        talk = wait_for("the settings", lambda: (lambda t: t if {"250-SIZE 65536", "250-LIMITS RCPTMAX=100"} <= set(t.offers) else
                                                 t.close())(smtp(server)), 3)
        begin(talk, user)
        same(bdat(talk, b"QUIT\r\n" * 20000)[:9], "552 5.3.4")
        same(bdat(talk, b"QUIT\r\n" * 20000)[:9], "503 5.5.1")
        same(bdat(talk, b"QUIT\r\n", last=True)[:9], "503 5.5.1")
        begin(talk, user)
        same(bdat(talk, b"Subject: just\r\n\r\n")[:3], "250")
        same(bdat(talk, b"x" * (65536 - 17) + b"\r\n")[:9], "552 5.3.4")
        same(talk.command("RSET")[:3], "250")
        begin(talk, user)
        same(bdat(talk, b"Subject: just\r\n\r\n")[:3], "250")
        same(bdat(talk, b"x" * (65536 - 17 - 2) + b"\r\n", last=True)[:3], "250")
        begin(talk, user)
        same(bdat(talk, b"y" * 65537, last=True)[:9], "552 5.3.4")
        same(talk.command("NOOP")[:3], "250")
        talk.close()
        same([len(m) for m in stored(server, user)], [65536 - len("Subject:")])
        server.setting("smtp.max_message_size", "50 MiB")
        server.setting("smtp.max_recipients", "1000")

    @case("connections cut between and in chunks: nothing is stored, the processes live")
    def _():
        user, workers = next(NAMES), server.pids("smtp")
        for piece in (b"", b"BDAT 10", b"BDAT 10\r\n", b"BDAT 10\r\nhalf", b"BDAT 4\r\nhalf", b"BDAT 4\r\nhalfBDAT 4 LAST\r\nhal",
                      b"BDAT 3000000\r\n" + b"x" * 2500000):
            talk = smtp(server)
            begin(talk, user)
            talk.send(piece)
            talk.close()
        talk = smtp(server)
        begin(talk, user)
        same(bdat(talk, b"Subject: whole\r\n\r\n", last=True)[:3], "250")
        talk.close()
        same((len(inbox(server, user)), server.pids("smtp")), (1, workers))


def with_remote(server, sink):
    @case("a message in chunks for elsewhere is sent as lines")
    def _():
        talk = smtp(server)
        begin(talk, "bob@away.test")
        same(bdat(talk, b"Subject: away\r\n\r\n.dot\r\nno end", last=True)[:3], "250")
        talk.close()
        same(sink.wait()[0].data.partition(b"Subject: ")[2], b"away\r\n\r\n.dot\r\nno end\r\n")

    @case("a binary message for elsewhere comes back with 5.6.3 and its header alone, the local copy is whole")
    def _():
        user = next(NAMES)
        talk = smtp(server)
        begin(talk, "bob@away.test", "BODY=BINARYMIME", "RET=FULL", sender=user)
        same(talk.command("RCPT TO:<c19@example.test>")[:3], "250")
        same(bdat(talk, b"Subject: binary\r\n\r\na\nb\0\r", last=True)[:3], "250")
        talk.close()
        report = wait_report(server, user)
        same((report.recipients[0]["Status"], report.original.get_content_type()), ("5.6.3", "text/rfc822-headers"))
        wait_sent(server, user)
        same((len(sink.messages), stored(server, "c19@example.test")), (1, [b" binary\r\n\r\na\nb\0\r"]))


def with_limits(server):
    """The last one: processes follow a setting each in its time."""
    @case("limits of a session: what EHLO says is kept")
    def _():
        server.setting("smtp.max_messages", "2")
        server.setting("smtp.max_recipient_domains", "1")
        line = "250-LIMITS RCPTMAX=1000 MAILMAX=2 RCPTDOMAINMAX=1"
        talk = wait_for("the settings", lambda: (lambda t: t if line in t.offers else t.close())(smtp(server)))
        begin(talk, next(NAMES))
        same(talk.command("RCPT TO:<x@elsewhere.test>")[:9], "452 4.5.3")
        same(bdat(talk, b"Subject: one\r\n\r\n", last=True)[:3], "250")
        begin(talk, next(NAMES))
        same(talk.command("RSET")[:3], "250")
        same(talk.command("MAIL FROM:<x@elsewhere.test>")[:9], "421 4.5.3")
        talk.close()


def main():
    with tempfile.TemporaryDirectory() as directory, Server() as server:
        cert, key = make_certificate(directory)
        sink = Sink("127.0.0.1", free_port(), cert, key, extensions=EXTENSIONS + ["CHUNKING", "BINARYMIME"])
        server.accounts([f"c{n:02}" for n in range(20)])
        server.domain("away.test", "--relay", "--to", f"127.0.0.1:{sink.socket.getsockname()[1]}")
        with_sizes(server)
        with_remote(server, sink)
        with_limits(server)
        try:
            harness.run()
        finally:
            sink.close()


main()
