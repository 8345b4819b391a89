#!/usr/bin/env python3
"""correio-sendmail: its options, who may be which sender, and the programs that call it: mail, mutt, cron's way."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from elsewhere import UnixUser                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from mail import inbox                                                   # noqa: E402
from server import PREFIX, Server                                        # noqa: E402
from sink import wait_for                                                # noqa: E402

SENDMAIL = PREFIX + "/sbin/correio-sendmail"
HOST = "mail.example.test"
BOB = "bob@example.test"


def arrived(server, to, before):
    wait_for("the message", lambda: len(inbox(server, to)) > before, 30)
    return inbox(server, to)[-1].decode()


def field(message, name):
    lines = message.replace("\r\n\t", " ").split("\r\n\r\n")[0].split("\r\n")
    return [line.split(": ", 1)[1] for line in lines if line.lower().startswith(name.lower() + ": ")]


def cases(server, user, plain):
    def call(who, *words, text="Subject: hello\n\nhello\n"):
        env = {"HOME": who.home, "PATH": os.environ["PATH"], "CORREIO_HOME": server.home, "LANG": "C.UTF-8"}
        ids = {"user": who.uid, "group": who.gid, "extra_groups": []} if who.made else {}
        return subprocess.run([SENDMAIL, *words], input=text, capture_output=True, text=True, env=env, timeout=60, **ids)

    def root(*words, text="Subject: hello\n\nhello\n"):
        return subprocess.run([SENDMAIL, *words], input=text, capture_output=True, text=True, timeout=60,
                              env={"PATH": os.environ["PATH"], "CORREIO_HOME": server.home})

    @case("a user with an account sends as that: From, Date and Message-ID are made")
    def _():
        before = len(inbox(server, BOB))
        r = call(user, "-oi", "-F", 'Alice "A" Souza', BOB, text="Subject: hello\n\n.\nhello\n")
        same((r.returncode, r.stderr), (0, ""))
        m = arrived(server, BOB, before)
        same((field(m, "Return-Path"), field(m, "From")), (["<alice@example.test>"], ['"Alice \\"A\\" Souza" <alice@example.test>']))
        same((len(field(m, "Date")), len(field(m, "Message-ID"))), (1, 1))
        assert m.endswith("\r\n\r\n.\r\nhello\r\n"), m

    @case("-t: To, Cc and Bcc; Bcc is not shown; names without domain are Unix users; without -i a dot ends")
    def _():
        before = [len(inbox(server, a)) for a in (BOB, "carol@example.test", "alice@example.test")]
        r = call(user, "-t", text=f"To: Bob <{BOB}>, {user.name}\nBcc: carol@example.test\nSubject: all\n\none\n.\ntwo\n")
        same((r.returncode, r.stderr), (0, ""))
        for address, n in zip((BOB, "carol@example.test", "alice@example.test"), before):
            m = arrived(server, address, n)
            assert "Bcc" not in m and m.endswith("\r\n\r\none\r\n"), m
        same(call(user, "-t", text="Subject: nobody\n\nx\n").returncode, 64)

    @case("-f: an account's user only its own addresses, others only user@host, root any; -f <> is the null sender")
    def _():
        r = call(user, "-f", "boss@elsewhere.test", BOB)
        same(r.returncode, 77)
        assert "553 5.7.1" in r.stderr, r.stderr
        same(call(user, "-falice+x@example.test", BOB).returncode, 0)
        if user.made:
            same(call(plain, "-f", "alice@example.test", BOB).returncode, 77)
            before = len(inbox(server, BOB))
            same(call(plain, BOB).returncode, 0)
            same(field(arrived(server, BOB, before), "Return-Path"), [f"<{plain.name}@{HOST}>"])
            before = len(inbox(server, BOB))
            same(root("-f", "list-owner@elsewhere.test", "--", BOB).returncode, 0)
            same(field(arrived(server, BOB, before), "Return-Path"), ["<list-owner@elsewhere.test>"])
        before = len(inbox(server, BOB))
        same(call(user, "-f", "<>", BOB).returncode, 0)
        same(field(arrived(server, BOB, before), "Return-Path"), ["<>"])

    @case("a Unix user of several accounts is none of them")
    def _():
        server.sql(f"UPDATE account SET delivery_user = '{user.name}' WHERE address = 'bob@example.test'")
        same(call(user, "-f", "alice@example.test", BOB).returncode, 77)
        server.sql("UPDATE account SET delivery_user = NULL WHERE address = 'bob@example.test'")
        same(call(user, "-f", "alice@example.test", BOB).returncode, 0)

    @case("what is refused: an unknown user, an unknown option, no recipient; nobody gets half of it")
    def _():
        before = len(inbox(server, BOB))
        r = call(user, BOB, "nobody@example.test")
        same(r.returncode, 67)
        assert "nobody@example.test" in r.stderr and "5.1.1" in r.stderr, r.stderr
        same(call(user, "-Z", BOB).returncode, 64)
        same(call(user).returncode, 64)
        same(call(user, "a b@example.test\r\nDATA").returncode, 64)
        same(call(user, f"{BOB}>\r\nRSET").returncode, 64)
        same(len(inbox(server, BOB)), before)

    @case("8-bit bodies and headers, long lines, no line end, an empty message, a From_ line in front")
    def _():
        for text, end in (("Subject: Grüße\n\nação", "ação\r\n"), ("Subject: x\n\n" + "y" * 50000, "y\r\n"), ("", "\r\n"),
                          ("From alice Mon Jan  1 00:00:00 2024\nSubject: x\n\nz\n", "z\r\n"), ("no header at all\n", "no header at all\r\n")):
            before = len(inbox(server, BOB))
            r = call(user, "-i", BOB, text=text)
            same((r.returncode, r.stderr), (0, ""))
            m = arrived(server, BOB, before)
            assert m.endswith(end) and "\r\nFrom alice" not in m, m

    @case("-bs speaks SMTP; -bp and -q ask correioctl; the server is away: 75")
    def _():
        before = len(inbox(server, BOB))
        r = call(user, "-bs", text=f"EHLO x\r\nMAIL FROM:<alice@example.test>\r\nRCPT TO:<{BOB}>\r\nDATA\r\nFrom: alice@example.test\r\n"
                 "Subject: bs\r\n\r\nbs\r\n.\r\nQUIT\r\n")
        same(r.returncode, 0)
        assert "250 2.0.0 Ok: queued" in r.stdout and "221 2.0.0" in r.stdout, r.stdout
        same(field(arrived(server, BOB, before), "Subject"), ["bs"])
        same((root("-bp").returncode, root("-q").returncode, root("-bi").returncode), (0, 0, 0))
        env = {"PATH": os.environ["PATH"], "CORREIO_HOME": "/nonexistent"}
        same(subprocess.run([SENDMAIL, BOB], input="x", text=True, env=env, capture_output=True).returncode, 75)

    @case("mail(1) and mutt send by it")
    def _():
        rc = user.write(".mailrc", f"set sendmail={SENDMAIL}\n")
        before = len(inbox(server, BOB))
        r = user.run("mail", "-s", "by mail", BOB, input="text\n", more={"CORREIO_HOME": server.home, "MAILRC": rc})
        same(r.returncode, 0)
        same(field(arrived(server, BOB, before), "Subject"), ["by mail"])
        muttrc = user.write("muttrc", f'set sendmail="{SENDMAIL} -oem -oi"\nset record=\nset from=alice@example.test\nset copy=no\n'
                            "set use_envelope_from=yes\nset charset=utf-8\n")
        before = len(inbox(server, BOB))
        r = user.run("mutt", "-n", "-F", muttrc, "-s", "by mutt: ação", BOB, input="texto\n", more={"CORREIO_HOME": server.home})
        same((r.returncode, r.stderr), (0, ""))
        m = arrived(server, BOB, before)
        same(field(m, "Return-Path"), ["<alice@example.test>"])

    @case("cron's call: sendmail -FCronDaemon -i -B8BITMIME -oem user, From: root (Cron Daemon)")
    def _():
        text = ("From: root (Cron Daemon)\nTo: {0}\nSubject: Cron <{0}@host> job\nMIME-Version: 1.0\nContent-Type: text/plain; "
                "charset=UTF-8\nX-Cron-Env: <SHELL=/bin/sh>\n\noutput: ação\n.\nmore\n").format(user.name)
        before = len(inbox(server, "alice@example.test"))
        r = call(user, "-FCronDaemon", "-i", "-B8BITMIME", "-oem", user.name, text=text)
        same((r.returncode, r.stderr), (0, ""))
        m = arrived(server, "alice@example.test", before)
        same(field(m, "From"), ['"CronDaemon" <alice@example.test>'])
        assert m.endswith("output: ação\r\n.\r\nmore\r\n"), m
        if user.made:
            before = len(inbox(server, "carol@example.test"))
            r = root("-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root", text=text)
            same((r.returncode, r.stderr), (0, ""))
            same(field(arrived(server, "carol@example.test", before), "Return-Path"), [f"<root@{HOST}>"])


def main():
    user, plain = UnixUser(), UnixUser("p")
    try:
        with Server(env={"CORREIO_DNS_SERVERS": "127.0.0.1:9", "CORREIO_SERVER_HOSTNAME": HOST}) as server:
            server.accounts(["alice", "bob", "carol"])
            server.sql(f"UPDATE account SET delivery_user = '{user.name}' WHERE address = 'alice@example.test'")
            server.sql("UPDATE account SET role = 2 WHERE address = 'carol@example.test'")
            cases(server, user, plain)
            harness.run()
    finally:
        user.remove()
        plain.remove()


main()
