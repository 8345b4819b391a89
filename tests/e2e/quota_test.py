#!/usr/bin/env python3
"""Quotas: at RCPT and at the end of the data, by each setting; of domains; behind aliases; warnings; recounts; IMAP."""
import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from mail import imap, inbox, queue_of, text                             # noqa: E402
from server import Server                                                # noqa: E402
from sink import wait_for                                                # noqa: E402

NAMES = iter([f"q{n:02}@example.test" for n in range(40)])
MESSAGE = "Subject: hello\r\n\r\n" + "x" * 70 + "\r\n"


def smtp(server):
    talk = server.connect("SMTP")
    talk.reply()
    talk.command("EHLO client.test")
    return talk


def send(server, *recipients, sender="x@elsewhere.test", size=None, message=MESSAGE, options=""):
    """The answers to RCPT, and the one to the message when somebody was accepted; without a message to RCPT alone."""
    talk = smtp(server)
    same(talk.command(f"MAIL FROM:<{sender}>" + (f" SIZE={size}" if size else ""))[:3], "250")
    got = [talk.command(f"RCPT TO:<{r}>{options}")[:9] for r in recipients]
    if message and any(g.startswith("250") for g in got):
        same(talk.command("DATA")[:3], "354")
        got.append(talk.command(message + ".")[:9])
    talk.close()
    return got


def state(server, user, **columns):
    values = ", ".join(f"{k} = {v}" for k, v in columns.items())
    server.sql(f"UPDATE account_state SET {values} WHERE account_id = (SELECT id FROM account WHERE address = '{user}')")


def used(server, user):
    return int(server.value("SELECT used_bytes FROM account_state s JOIN account a ON a.id = s.account_id "
                            f"WHERE a.address = '{user}'"))


def setting(server, key, value, follows):
    """Sets it, and waits until `follows` is true."""
    server.setting(key, value)
    wait_for(f"{key} in force", follows)


def alias(server, address, *members):
    server.ctl("alias", "add", address, *members)


def at_rcpt_and_at_the_end(server):
    @case("over quota: 452 4.2.2, or by setting 552 5.2.2, at RCPT with SIZE and at the end without it")
    def _():
        user = next(NAMES)
        state(server, user, quota_bytes=100)
        same(send(server, user, size=1000), ["452 4.2.2"])
        same(send(server, user), ["250 2.1.5", "452 4.2.2"])
        setting(server, "quota.full_reply", "552", lambda: send(server, user, size=1000) == ["552 5.2.2"])
        same(send(server, user), ["250 2.1.5", "552 5.2.2"])
        setting(server, "quota.full_reply", "452", lambda: send(server, user, size=1000) == ["452 4.2.2"])
        same((used(server, user), inbox(server, user)), (0, []))

    @case("a grace: one message over, and no other")
    def _():
        user = next(NAMES)
        state(server, user, quota_bytes=100)
        setting(server, "quota.grace", "1 KiB", lambda: send(server, user, size=1000)[0] == "250 2.1.5")
        same(len(inbox(server, user)), 1)
        wait_for("the full mailbox", lambda: send(server, user) == ["452 4.2.2"])
        other = next(NAMES)
        state(server, other, quota_bytes=100)
        setting(server, "quota.grace", "0", lambda: send(server, other, size=1000, message=None) == ["452 4.2.2"])

    @case("Junk and Trash apart: what is there refuses nothing")
    def _():
        user = next(NAMES)
        same(send(server, user), ["250 2.1.5", "250 2.0.0"])
        box = imap(server, user)
        same(box._simple_command("CREATE", "Trash", "(USE (\\Trash))")[0], "OK")
        box.select("INBOX")
        same(box._simple_command("MOVE", "1", "Trash")[0], "OK")
        state(server, user, quota_bytes=used(server, user) + 10)
        wait_for("the full mailbox", lambda: send(server, user, size=500) == ["452 4.2.2"])
        setting(server, "quota.apart", "true", lambda: send(server, user, size=200)[0] == "250 2.1.5")

        def root():
            typ, data = box._simple_command("GETQUOTAROOT", "Trash")
            return box._untagged_response(typ, data, "QUOTAROOT")
        wait_for("the quota root that IMAP names", lambda: root() == ("OK", [b'"Trash" "Trash"']))
        box.logout()
        setting(server, "quota.apart", "false", lambda: send(server, user, size=500) == ["452 4.2.2"])

    @case("IMAP says OVERQUOTA")
    def _():
        user = next(NAMES)
        same(send(server, user), ["250 2.1.5", "250 2.0.0"])
        state(server, user, quota_messages=1)
        box = imap(server, user)
        box.select("INBOX")
        typ, data = box.append("INBOX", None, None, text("x@example.test", user))
        same((typ, b"[OVERQUOTA]" in data[0]), ("NO", True))
        typ, data = box.copy("1", "INBOX")
        same((typ, b"[OVERQUOTA]" in data[0]), ("NO", True))
        typ, data = box.getquota('""')
        same((typ, data), ("OK", [b'"" (MESSAGE 1 1)']))
        box.logout()


def behind_aliases(server):
    @case("an alias whose members are all full refuses; a full one among others waits, and its end is told to no stranger")
    def _():
        full, other = next(NAMES), next(NAMES)
        state(server, full, quota_messages=0)
        alias(server, "all@example.test", full)
        alias(server, "some@example.test", full, other)
        same(send(server, "all@example.test"), ["452 4.2.2"])
        for n, options in enumerate(["", " NOTIFY=SUCCESS,FAILURE"]):
            sender = f"stranger{n}@elsewhere.test"
            same(send(server, "some@example.test", sender=sender, options=options), ["250 2.1.5", "250 2.0.0"])
            same(server.sql("SELECT r.recipient, r.notify FROM queue_recipient r JOIN queue_message m ON m.id = r.queue_id "
                            f"WHERE m.reverse_path = '{sender}' AND r.recipient = '{full}'"), [[full, "1"]])
        tried = f"SELECT count(*) FROM queue_recipient WHERE recipient = '{full}' AND attempts > 0 AND lease_by IS NULL"
        wait_for("the first attempts", lambda: server.value(tried) == "2")
        server.sql("UPDATE queue_message SET expires_at = now(); UPDATE queue_recipient SET due_at = now(); "
                   "UPDATE queue_destination SET due_at = now(); NOTIFY queue")
        wait_for("the end of its time", lambda: not [r for r, _ in queue_of(server, "stranger0@elsewhere.test") if r == full])
        told = ("SELECT recipient, subject FROM trace t JOIN trace_recipient r ON r.trace_id = t.id AND r.at = t.at "
                "WHERE sender = '' AND recipient <> ''")
        wait_for("the DSN that was asked for", lambda: server.sql(told))  # of the other member's copy
        same(server.sql(told), [["stranger1@elsewhere.test", "Your message was delivered"]])


def of_domains(server):
    @case("a domain's limit bounds the sum of its accounts")
    def _():
        first, second, else_where = "a@bounded.test", "b@bounded.test", next(NAMES)
        server.accounts(["a", "b"], domain="bounded.test")
        state(server, first, used_bytes=900000, quota_bytes="NULL")
        server.sql("UPDATE domain SET quota_bytes = 1000000 WHERE name = 'bounded.test'")
        for pid in server.pids("smtp"):
            os.kill(pid, signal.SIGKILL)  # the next one sums at once
        wait_for("the next smtp process", lambda: answers(server))
        wait_for("the sum", lambda: send(server, second, size=200000) == ["452 4.2.2"])
        same(send(server, second, size=50000), ["250 2.1.5", "250 2.0.0"])
        same(send(server, else_where, size=200000), ["250 2.1.5", "250 2.0.0"])
        same(send(server, first, else_where, size=200000), ["452 4.2.2", "250 2.1.5", "250 2.0.0"])


def answers(server):
    try:
        smtp(server).close()
        return True
    except (OSError, EOFError):
        return False


def recounts(server):
    @case("doctor finds counters that are wrong, and puts them right")
    def _():
        user = next(NAMES)
        same(send(server, user), ["250 2.1.5", "250 2.0.0"])
        right = used(server, user)
        server.ctl("doctor", "--repair", check=False)  # what other cases wrote
        state(server, user, used_bytes=7)
        server.sql(f"UPDATE mailbox SET unseen = 9 WHERE account_id = (SELECT id FROM account WHERE address = '{user}')")
        for _ in range(2):
            out = server.ctl("doctor", check=False)
            same((out.returncode, user in out.stdout, "INBOX unseen 9/1" in out.stdout), (9, True, True))
        out = server.ctl("doctor", "--repair", check=False).stdout
        assert f"bytes 7/{right}" in out, out
        same(used(server, user), right)
        out = server.ctl("doctor", check=False).stdout
        assert user not in out and "counters" in out, out
        same(server.value(f"SELECT count(*) FROM audit WHERE action = 'account.recount' AND '{user}' = ANY (objects)"), "1")


def main():
    with Server(env={"CORREIO_DNS_SERVERS": "127.0.0.1:9"}) as server:
        server.accounts([f"q{n:02}" for n in range(40)])
        at_rcpt_and_at_the_end(server)
        behind_aliases(server)
        of_domains(server)
        recounts(server)
        harness.run()


main()
