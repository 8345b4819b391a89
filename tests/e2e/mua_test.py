#!/usr/bin/env python3
"""Python's smtplib, imaplib and poplib as further mail programs; the steps that those of clients_test.py do not take."""
import os
import poplib
import re
import select
import smtplib
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from mail import imap, submit, text, tls_context                         # noqa: E402
from server import Server                                                # noqa: E402

USERS = [f"m{i:02}" for i in range(20)]
NAMES = iter([f"{u}@example.test" for u in USERS])
ANN = "ann@example.test"


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


def uids(box, *criteria):
    return ok(box.uid("SEARCH", *criteria))[0].split()


class Idle:
    """IMAP IDLE (RFC 2177): imaplib of this Python has no words for it."""

    def __init__(self, box):
        self.box, self.tag = box, box._new_tag()
        box.send(self.tag + b" IDLE\r\n")
        assert box.readline().startswith(b"+"), "no continuation"

    def wait(self, pattern, seconds=10):
        """Lines until one matches; the socket may hold some in its buffer."""
        end = time.monotonic() + seconds
        seen = []
        while time.monotonic() < end:
            if self.box.file.peek(1) or select.select([self.box.sock], [], [], 0.1)[0]:
                seen.append(self.box.readline().decode())
                if re.search(pattern, seen[-1]):
                    return seen[-1]
        raise AssertionError(f"no {pattern} in {seen}")

    def done(self):
        self.box.send(b"DONE\r\n")
        while not self.box.readline().startswith(self.tag):
            pass


def with_imap(server):
    @case("IDLE: mail that arrives is told at once, by SMTP, APPEND and another session's flags and expunge")
    def _():
        user = next(NAMES)
        box, other = imap(server, user), imap(server, user)
        box.select("INBOX")
        other.select("INBOX")
        idle = Idle(box)
        start = time.monotonic()
        submit(server, ANN, user)
        idle.wait(r"^\* 1 EXISTS")
        told = time.monotonic() - start
        ok(other.append("INBOX", None, None, text(user, user)))
        idle.wait(r"^\* 2 EXISTS")
        other.noop()
        ok(other.store("2", "+FLAGS", "\\Answered"))
        idle.wait(r"^\* 2 FETCH .*\\Answered")
        ok(other.store("1", "+FLAGS", "\\Deleted"))
        ok(other.expunge())
        idle.wait(r"^\* 1 EXPUNGE")
        idle.done()
        same(ok(box.search(None, "ALL")), [b"1"])
        assert told < 2, f"told after {told:.2f} s"

    @case("a big APPEND: 30 MB, byte for byte, whole and in parts")
    def _():
        user, box = next(NAMES), None
        box = imap(server, user)
        big = b"Subject: big\r\n\r\n" + b"".join(b"%09d %s\r\n" % (i, b"z" * (i % 80)) for i in range(610000))
        assert len(big) > 30_000_000
        ok(box.append("INBOX", "(\\Seen)", None, big))
        box.select("INBOX")
        _, data = box.fetch("1", "(RFC822.SIZE BODY.PEEK[])")
        assert data[0][1] == big, "it differs"
        assert b"RFC822.SIZE %d" % len(big) in data[0][0], data[0][0]
        _, data = box.fetch("1", "(BODY.PEEK[]<20000000.70000>)")
        assert data[0][1] == big[20000000:20070000], "a part differs"
        box.logout()

    @case("keywords and flags: set, replaced, removed, searched, kept by COPY and MOVE")
    def _():
        box = imap(server, next(NAMES))
        for name in ("Work", "Done"):
            ok(box.create(name))
        for i in range(3):
            ok(box.append("INBOX", None, None, text("a@b.test", "c@d.test", f"k{i}")))
        box.select("INBOX")
        ok(box.uid("STORE", "1:3", "+FLAGS", "($Important Blue)"))
        ok(box.uid("STORE", "2", "-FLAGS", "(Blue)"))
        ok(box.uid("STORE", "3", "FLAGS", "(\\Seen Green)"))
        same([uids(box, "KEYWORD", k) for k in ("$Important", "Blue", "Green", "blue")],
             [[b"1", b"2"], [b"1"], [b"3"], [b"1"]])
        same(uids(box, "UNKEYWORD", "$Important", "SEEN"), [b"3"])
        ok(box.uid("COPY", "1,3", "Work"))
        ok(box.uid("MOVE", "1:2", "Done"))
        same(uids(box, "ALL"), [b"3"])
        box.select("Work")
        same([uids(box, "KEYWORD", k) for k in ("Blue", "Green")], [[b"1"], [b"2"]])
        box.select("Done")
        same([uids(box, "KEYWORD", k) for k in ("$Important", "Blue")], [[b"1", b"2"], [b"1"]])
        ok(box.uid("STORE", "1", "+FLAGS", "(\\Deleted)"))
        ok(box.uid("EXPUNGE", "1"))
        same(uids(box, "ALL"), [b"2"])

    @case("SEARCH: words beyond ASCII in header and body, in any case and encoding")
    def _():
        box = imap(server, next(NAMES))
        ok(box.append("INBOX", None, None, b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= aus =?iso-8859-1?q?K=F6ln?=\r\n"
                      b"From: =?utf-8?b?Sm/Do28=?= <joao@example.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                      b"Content-Transfer-Encoding: base64\r\n\r\nQcOnw6NvIGUgcmVhw6fDo28K\r\n"))
        ok(box.append("INBOX", None, None, b"Subject: plain\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nna\xefve caf\xe9\r\n"))
        box.select("INBOX")
        for key, word, want in (("SUBJECT", "grüße", [b"1"]), ("SUBJECT", "KÖLN", [b"1"]), ("FROM", "João", [b"1"]),
                                ("BODY", "AÇÃO", [b"1"]), ("BODY", "café", [b"2"]), ("TEXT", "naïve", [b"2"]), ("BODY", "ñ", [])):
            box.literal = word.encode()
            same((word, uids(box, "CHARSET", "UTF-8", key)), (word, want))

    @case("mailboxes: create, rename with what is below, subscribe, delete, status")
    def _():
        box = imap(server, next(NAMES))
        for name in ("A", "A/B", "A/B/C"):
            ok(box.create(name))
        ok(box.append("A/B", None, None, text("a@b.test", "c@d.test")))
        ok(box.rename("A/B", "Moved"))
        names = [line.decode().rsplit(' "/" ', 1)[1].strip('"') for line in ok(box.list())]
        assert {"INBOX", "A", "Moved", "Moved/C"} <= set(names) and "A/B" not in names, names
        assert b"MESSAGES 1" in ok(box.status("Moved", "(MESSAGES UIDNEXT)"))[0]
        ok(box.delete("Moved/C"))
        same(box.select("Moved/C")[0], "NO")

    @case("two sessions on a mailbox: one expunges, the other's numbers hold until it may be told")
    def _():
        user = next(NAMES)
        one, two = imap(server, user), imap(server, user)
        for i in range(5):
            ok(one.append("INBOX", None, None, text("a@b.test", "c@d.test", f"n{i}")))
        one.select("INBOX")
        two.select("INBOX")
        ok(one.store("2,4", "+FLAGS", "\\Deleted"))
        ok(one.expunge())
        _, data = two.fetch("5", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")  # FETCH tells of no expunge (RFC 9051, 7.5.1)
        assert b"n4" in data[0][1], data
        ok(two.noop())
        same(ok(two.search(None, "ALL")), [b"1 2 3"])


def with_pop3(server):
    @case("POP3: STLS, UIDL stays the same over sessions, TOP, deletion at QUIT only")
    def _():
        user = next(NAMES)
        for i in range(3):
            submit(server, ANN, user, text(ANN, user, f"p{i}", "one\r\n.two\r\nthree\r\n"))

        def sign_in():
            pop = poplib.POP3("127.0.0.1", server.port("POP3"), timeout=20)
            pop.stls(tls_context())
            pop.user(user)
            pop.pass_("secret")
            return pop
        pop = sign_in()
        ids = pop.uidl()[1]
        same((len(ids), pop.stat()[0]), (3, 3))
        lines = pop.retr(2)[1]
        same((lines[-3:], [x for x in lines if x.startswith(b"Subject")]), ([b"one", b".two", b"three"], [b"Subject: p1"]))
        same(pop.top(2, 1)[1][-1], b"one")
        pop.dele(1)
        pop.close()                                                      # without QUIT: nothing is deleted
        pop = sign_in()
        same(pop.uidl()[1], ids)
        pop.dele(1)
        pop.rset()
        pop.dele(2)
        pop.quit()
        pop = sign_in()
        same([x.split()[1] for x in pop.uidl()[1]], [ids[0].split()[1], ids[2].split()[1]])
        pop.quit()

    @case("POP3: a second session is refused with [IN-USE]; IMAP goes on beside it")
    def _():
        user = next(NAMES)
        submit(server, ANN, user)
        pops = [poplib.POP3_SSL("127.0.0.1", server.port("POP3S"), timeout=20, context=tls_context()) for _ in range(2)]
        for pop in pops:
            pop.user(user)
        pops[0].pass_("secret")
        try:
            pops[1].pass_("secret")
            raise AssertionError("two sessions hold one mailbox")
        except poplib.error_proto as e:
            assert b"[IN-USE]" in e.args[0], e
        box = imap(server, user)
        same(ok(box.select("INBOX")), [b"1"])
        pops[0].dele(1)
        pops[0].quit()
        ok(box.noop())
        same(ok(box.search(None, "ALL")), [b""])


def with_smtp(server):
    @case("SMTP: one connection, many messages, a bad recipient among them")
    def _():
        user = next(NAMES)
        smtp = smtplib.SMTP_SSL("127.0.0.1", server.port("SMTPS"), context=tls_context(), timeout=20)
        smtp.login(user, "secret")
        for i in range(20):
            refused = smtp.sendmail(user, [user, f"nobody{i}@example.test"], text(user, user, f"s{i}"))
            same((list(refused), refused[f"nobody{i}@example.test"][0]), ([f"nobody{i}@example.test"], 550))
        smtp.quit()
        box = imap(server, user)
        same(ok(box.select("INBOX")), [b"20"])

    @case("SMTP: the sender and From must be the account's own")
    def _():
        user = next(NAMES)
        smtp = smtplib.SMTP_SSL("127.0.0.1", server.port("SMTPS"), context=tls_context(), timeout=20)
        smtp.login(user, "secret")
        same((smtp.mail(ANN)[0], smtp.rset()[0]), (553, 250))
        same((smtp.mail(user)[0], smtp.rcpt(user)[0]), (250, 250))
        code, reply = smtp.data(text(ANN, user))
        same((code, reply[:5]), (550, b"5.7.1"))
        smtp.quit()


def main():
    with Server() as server:
        server.accounts(USERS + ["ann"])
        with_imap(server)
        with_pop3(server)
        with_smtp(server)
        harness.run()


main()
