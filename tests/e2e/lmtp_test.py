#!/usr/bin/env python3
"""LMTP with each recipient's own answer, by TCP and by a Unix socket; aliases of several levels, loops and limits."""
import os
import re
import smtplib
import socket
import stat
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from mail import inbox, queue_of, text                                   # noqa: E402
from server import Lines, Server                                         # noqa: E402
from sink import wait_for                                                # noqa: E402

NAMES = iter([f"l{n:02}@example.test" for n in range(80)])


def lmtp(server):
    talk = server.connect("LMTP")
    assert talk.reply()[-1].startswith("220"), "no greeting"
    assert talk.command("LHLO client.test").startswith("250"), "no LHLO"
    return talk


def smtp(server):
    talk = server.connect("SMTP")
    talk.reply()
    talk.command("EHLO client.test")
    return talk


def begin(talk, sender, *recipients):
    """The answers to RCPT."""
    same(talk.command(f"MAIL FROM:<{sender}>")[:3], "250")
    return [talk.command(f"RCPT TO:<{r}>")[:9] for r in recipients]


def finish(talk, answers, message="Subject: hello\r\n\r\nhello\r\n"):
    """So many answers to the message, and not one more."""
    same(talk.command("DATA")[:3], "354")
    talk.send(message + ".\r\nNOOP\r\n")
    got = [talk.reply()[-1] for _ in range(answers)]
    same(talk.reply()[-1], "250 2.0.0 Ok")
    return got


def send(talk, sender, *recipients, message="Subject: hello\r\n\r\nhello\r\n"):
    got = begin(talk, sender, *recipients)
    same(got, ["250 2.1.5"] * len(recipients))
    return finish(talk, len(recipients), message)


def quota(server, user, column, value):
    server.sql(f"UPDATE account_state SET {column} = {value} WHERE account_id = (SELECT id FROM account WHERE address = '{user}')")


def alias(server, address, *members):
    local, domain = address.split("@")
    rows = ", ".join(f"({i}, '{m}')" for i, m in enumerate(members))
    server.sql(f"""
        WITH d AS (SELECT id FROM domain WHERE name = '{domain}'),
        a AS (INSERT INTO alias (tenant_id, domain_id, address) SELECT 1, id, '{address}' FROM d RETURNING id),
        m AS (INSERT INTO alias_member SELECT a.id, v.n, v.address FROM a, (VALUES {rows}) AS v(n, address))
        INSERT INTO address (domain_id, localpart, alias_id) SELECT d.id, '{local}', a.id FROM d, a""")


def count(server, user):
    return int(server.value("SELECT count(*) FROM message m JOIN account a ON a.id = m.account_id "
                            f"WHERE a.address = '{user}'"))


def with_lmtp(server):
    @case("smtplib by TCP and by the Unix socket")
    def _():
        user, path = next(NAMES), server.endpoints["LMTP_SOCKET"]
        for place in (("127.0.0.1", server.port("LMTP")), (path, 0)):
            client = smtplib.LMTP(*place)
            same(client.sendmail("x@elsewhere.test", [user], text("x@elsewhere.test", user)), {})
            client.quit()
        tcp, unix = inbox(server, user)
        assert b"\r\nReceived: from" in tcp and b"[127.0.0.1]" in tcp and b"with LMTP " in tcp, tcp
        assert b"\r\nReceived: from [127.0.0.1] by mail.example.test with LMTP " in unix, unix  # its LHLO alone
        mode = os.stat(path).st_mode
        same((stat.S_ISSOCK(mode), stat.S_IMODE(mode)), (True, 0o660))

    @case("STARTTLS is offered by TCP alone")
    def _():
        offers = {}
        for name in ("tcp", "unix"):
            sock = socket.socket(socket.AF_UNIX if name == "unix" else socket.AF_INET)
            sock.connect(server.endpoints["LMTP_SOCKET"] if name == "unix" else ("127.0.0.1", server.port("LMTP")))
            talk = Lines(sock)
            talk.reply()
            talk.send("LHLO x\r\n")
            offers[name] = "250-STARTTLS" in talk.reply()
            talk.close()
        same(offers, {"tcp": True, "unix": False})

    @case("one mailbox is full: its answer is 452, the others have the message, and nothing waits")
    def _():
        users, sender = [next(NAMES) for _ in range(3)], "mixed@elsewhere.test"
        quota(server, users[1], "quota_bytes", 100)  # RCPT without SIZE cannot know
        talk = lmtp(server)
        for message in ("Subject: hello\r\n\r\nhello\r\n" + "x\r\n" * 50, "Subject: large\r\n\r\n" + "y" * 60 + "\r\n" * 1000000):
            got = send(talk, sender, *users, message=message)
            same([g[:9] for g in got], ["250 2.1.5", "452 4.2.2", "250 2.1.5"])
            same([f"<{u}>" in g for u, g in zip(users, got)], [True] * 3)
        same(([count(server, u) for u in users], queue_of(server, sender)), ([2, 0, 2], []))
        same(talk.command(f"MAIL FROM:<{sender}> SIZE=1000")[:3], "250")
        same(talk.command(f"RCPT TO:<{users[1]}>")[:9], "452 4.2.2")
        talk.close()

    @case("all mailboxes are full: 452 for each, and nothing is stored")
    def _():
        users, sender = [next(NAMES) for _ in range(2)], "full@elsewhere.test"
        for user in users:
            quota(server, user, "quota_bytes", 10)
        talk = lmtp(server)
        same([g[:9] for g in send(talk, sender, *users)], ["452 4.2.2"] * 2)
        same(([count(server, u) for u in users], queue_of(server, sender)), ([0, 0], []))
        for user in users:
            quota(server, user, "quota_bytes", "NULL")
        same([g[:9] for g in send(talk, sender, *users)], ["250 2.1.5"] * 2)
        talk.close()

    @case("many full mailboxes in one message do not end the session")
    def _():
        users = [next(NAMES) for _ in range(25)]
        for user in users:
            quota(server, user, "quota_bytes", 10)
        talk = lmtp(server)
        same({g[:9] for g in send(talk, "many@elsewhere.test", *users)}, {"452 4.2.2"})
        same(talk.command("NOOP")[:3], "250")
        talk.close()

    @case("an alias has the worst answer of its members; what another RCPT reaches is stored once")
    def _():
        good, full, sender = next(NAMES), next(NAMES), "worst@elsewhere.test"
        alias(server, "worst@example.test", good, full)
        quota(server, full, "quota_bytes", 100)
        talk = lmtp(server)
        got = send(talk, sender, "worst@example.test", good, message="Subject: hello\r\n\r\n" + "x" * 100 + "\r\n")
        same([g[:9] for g in got], ["452 4.2.2", "250 2.1.5"])
        same((count(server, good), count(server, full), queue_of(server, sender)), (1, 0, []))
        quota(server, full, "quota_messages", 0)
        time_of_recent_look_ups()
        same(begin(talk, sender, "worst@example.test", good), ["452 4.2.2", "250 2.1.5"])
        talk.close()

    @case("relay domains and an alias's remote members are queued, anywhere else is refused")
    def _():
        user, sender = next(NAMES), "relay@elsewhere.test"
        server.domain("backup.test", "--relay", "--to", "127.0.0.1:9")
        alias(server, "away@example.test", "bob@remote.test")
        talk = lmtp(server)
        same(begin(talk, sender, user, "x@backup.test", "away@example.test", "x@remote.test"),
             ["250 2.1.5", "250 2.1.5", "250 2.1.5", "550 5.7.1"])
        same([g[:9] for g in finish(talk, 3)], ["250 2.1.5"] * 3)
        same((count(server, user), [r[0] for r in queue_of(server, sender)]), (1, ["x@backup.test"]))
        rewritten = server.value("SELECT reverse_path FROM queue_message m JOIN queue_recipient r ON r.queue_id = m.id "
                                 "WHERE r.recipient = 'bob@remote.test'")
        assert re.fullmatch(r"SRS0=[a-z2-7]{6}=[a-z2-7]{2}=elsewhere.test=relay@example.test", rewritten), rewritten
        talk.close()

    @case("a connection cut in the data: nothing is stored, the next client is served")
    def _():
        user = next(NAMES)
        talk = lmtp(server)
        begin(talk, "cut@elsewhere.test", user)
        same(talk.command("DATA")[:3], "354")
        talk.send("Subject: cut\r\n\r\nhalf")
        talk.close()
        talk = lmtp(server)
        same([g[:3] for g in send(talk, "cut@elsewhere.test", user)], ["250"])
        same(count(server, user), 1)
        talk.close()


def time_of_recent_look_ups():
    """Accounts that were looked up a moment ago are remembered for a second."""
    end = time.monotonic() + 1.1
    wait_for("the next look-up", lambda: time.monotonic() > end)


def with_aliases(server):
    def chain(name, length, last):
        for i in range(length):
            alias(server, f"{name}{i}@example.test", f"{name}{i + 1}@example.test" if i + 1 < length else last)
        return f"{name}0@example.test"

    @case("eight aliases in a row lead to the mailbox, nine do not")
    def _():
        user = next(NAMES)
        talk = smtp(server)
        same(begin(talk, "x@elsewhere.test", chain("eight", 8, user), chain("nine", 9, user)), ["250 2.1.5", "550 5.4.6"])
        same(finish(talk, 1)[0][:3], "250")
        same(count(server, user), 1)
        talk.close()

    @case("two ways to one mailbox: one copy")
    def _():
        user, other = next(NAMES), next(NAMES)
        alias(server, "left@example.test", user, "end@example.test")
        alias(server, "right@example.test", "END@example.test", user)
        alias(server, "end@example.test", user, other)
        alias(server, "both@example.test", "left@example.test", "right@example.test")
        talk = lmtp(server)
        same([g[:3] for g in send(talk, "x@elsewhere.test", "both@example.test", "right@example.test", user)], ["250"] * 3)
        same((count(server, user), count(server, other)), (1, 1))
        talk.close()

    @case("loops: cut where they close, refused when nobody is in them, and never slow")
    def _():
        user = next(NAMES)
        alias(server, "ring1@example.test", "ring2@example.test")
        alias(server, "ring2@example.test", "ring1@example.test", user)
        alias(server, "self@example.test", *["self@example.test"] * 10)
        alias(server, "wide@example.test", *[f"wide{i}@example.test" for i in range(20)])
        for i in range(20):
            alias(server, f"wide{i}@example.test", *[f"wide{k}@example.test" for k in range(20)])
        talk, start = smtp(server), time.monotonic()
        same(begin(talk, "x@elsewhere.test", "ring1@example.test", "self@example.test", "wide@example.test"),
             ["250 2.1.5", "550 5.4.6", "550 5.4.6"])
        assert time.monotonic() - start < 10, "the loops took too long"
        same(finish(talk, 1)[0][:3], "250")
        same(count(server, user), 1)
        talk.close()

    @case("a full member of an alias waits in the queue, the other has the message; alone it is a temporary answer")
    def _():
        full, other = next(NAMES), next(NAMES)
        quota(server, full, "quota_messages", 0)
        alias(server, "busy@example.test", full, "nobody@example.test")
        alias(server, "team@example.test", full, other)
        talk = smtp(server)
        same(begin(talk, "x@elsewhere.test", full), ["452 4.2.2"])
        talk.command("RSET")
        same(begin(talk, "x@elsewhere.test", "busy@example.test"), ["452 4.2.2"])
        talk.command("RSET")
        same(begin(talk, "team@elsewhere.test", "team@example.test"), ["250 2.1.5"])
        same(finish(talk, 1)[0][:3], "250")
        same(count(server, other), 1)
        same(server.value(f"SELECT count(*) FROM queue_recipient WHERE recipient = '{full}'"), "1")
        talk.close()

    @case("an alias for too many: refused, or put off when it is not alone; nobody of it gets the message")
    def _():
        user, other = next(NAMES), next(NAMES)
        alias(server, "crowd@example.test", user, *[f"r{i}@remote.test" for i in range(1000)])
        alias(server, "tree@example.test", user, *[f"tree{i}@example.test" for i in range(100)])
        for i in range(100):
            alias(server, f"tree{i}@example.test", user)
        talk = smtp(server)
        same(begin(talk, "x@elsewhere.test", "crowd@example.test", "tree@example.test", other, "crowd@example.test"),
             ["550 5.2.4", "550 5.2.4", "250 2.1.5", "452 4.5.3"])
        same(finish(talk, 1)[0][:3], "250")
        same((count(server, user), count(server, other), queue_of(server, "x@elsewhere.test")), (0, 1, []))
        talk.close()


def with_a_stop(server):
    @case("the socket's name goes with the server, and comes again over one that was left")
    def _():
        path = server.endpoints["LMTP_SOCKET"]
        server.stop()
        same(os.path.exists(path), False)
        left = socket.socket(socket.AF_UNIX)
        left.bind(path)
        left.close()
        server.start()
        client = smtplib.LMTP(path, 0)
        same(client.noop()[0], 250)
        client.quit()
        server.stop()
        with open(path, "w") as f:
            f.write("somebody's file\n")
        try:
            server.start()
        except RuntimeError as e:
            assert "is there and is no socket" in str(e), e
        else:
            raise AssertionError("the server started over a file")
        with open(path) as f:
            same(f.read(), "somebody's file\n")


def main():
    with Server(env={"CORREIO_DNS_SERVERS": "127.0.0.1:9"}) as server:  # nobody answers there: what is for elsewhere waits
        server.accounts([f"l{n:02}" for n in range(80)])
        with_lmtp(server)
        with_aliases(server)
        with_a_stop(server)
        harness.run()


main()
