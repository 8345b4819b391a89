#!/usr/bin/env python3
"""Traces of what never was in the queue: delivered at once, refused at RCPT; with correioctl, as an administrator looks."""
import json
import os
import smtplib
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from mail import submission, submit, text                                            # noqa: E402
from server import Server                                                # noqa: E402
from sink import wait_for                                                # noqa: E402

USERS = iter([f"t{i:02}@example.test" for i in range(20)])


def smtp(server):
    talk = server.connect("SMTP")
    talk.reply()
    talk.command("EHLO client.test")
    return talk


def traces(server, *words):
    """What `correioctl trace list` prints, as objects."""
    out = server.ctl("trace", "list", *words, "--json").stdout
    return [json.loads(line) for line in out.splitlines() if line]


def with_server(server):
    @case("delivered at once: found by its recipient, with the mailbox, under the id of the reply")
    def _():
        user = next(USERS)
        talk = smtp(server)
        talk.command("MAIL FROM:<joe@elsewhere.test>")
        talk.command(f"RCPT TO:<{user}>")
        talk.command("DATA")
        ident = talk.command(text("joe@elsewhere.test", user, "seen at once").decode() + ".").rsplit(" ", 1)[1]
        found = wait_for("the trace", lambda: traces(server, user))
        same([(t["id"], t["outcome"], t["sender"], t["subject"]) for t in found],
             [(ident, "delivered", "joe@elsewhere.test", "seen at once")])
        shown = server.ctl("trace", "show", ident).stdout
        assert "delivered to INBOX" in shown, shown

    @case("refused at RCPT: found by recipient and outcome, with the reply")
    def _():
        talk = smtp(server)
        talk.command("MAIL FROM:<joe@elsewhere.test>")
        same(talk.command("RCPT TO:<nobody@example.test>")[:9], "550 5.1.1")
        same(talk.command("RCPT TO:<x@remote.test>")[:9], "550 5.7.1")
        wait_for("the traces", lambda: len(traces(server, "--outcome", "refused")) == 2)
        found = traces(server, "nobody@example.test")
        same([t["outcome"] for t in found], ["refused"])
        shown = server.ctl("trace", "show", found[0]["id"]).stdout
        assert "No such user" in shown, shown

    def refused(server, reason, **given):
        """The one refusal of that reason: its list entry and what `trace show` says."""
        query = [word for name, value in given.items() for word in ("--" + name, value)]
        def look():
            found = []
            for row in traces(server, "--outcome", "refused", *query):
                shown = json.loads(server.ctl("trace", "show", row["id"], "--json").stdout)
                if any(event.get("reason") == reason for event in shown["events"]):
                    found.append((row, shown))
            return found
        return wait_for(f"a refusal: {reason}", look)[0]

    def data(talk, message):
        talk.command("DATA")
        return talk.command(message + "\r\n.")

    @case("refused at MAIL: too large, with the limit in the reply")
    def _():
        talk = smtp(server)
        same(talk.command("MAIL FROM:<large@elsewhere.test> SIZE=999999999999")[:9], "552 5.3.4")
        row, shown = refused(server, "too-large", sender="large@elsewhere.test")
        assert "may have" in shown["events"][0]["reply"], shown

    @case("refused at RCPT: the mailbox is full")
    def _():
        user = next(USERS)
        server.ctl("account", "set", user, "--quota-messages", "1")
        talk = smtp(server)
        talk.command("MAIL FROM:<one@elsewhere.test>")
        talk.command(f"RCPT TO:<{user}>")
        same(data(talk, text("one@elsewhere.test", user).decode().rstrip())[:3], "250")
        wait_for("the figures to be a second old", lambda: talk.command("RSET") and talk.command("MAIL FROM:<two@elsewhere.test>")
                 and talk.command(f"RCPT TO:<{user}>").startswith("452 4.2.2"), 5)
        row, shown = refused(server, "mailbox-full", sender="two@elsewhere.test")
        same(row["recipient"], user)

    @case("refused at the end of the data: a loop, with subject, Message-ID, size and the id of the message")
    def _():
        user = next(USERS)
        talk = smtp(server)
        talk.command("MAIL FROM:<loop@elsewhere.test>")
        talk.command(f"RCPT TO:<{user}>")
        hops = "Received: from a by b; Fri, 21 Nov 1997 15:55:00 +0000\r\n" * 51
        same(data(talk, hops + "Message-ID: <round@elsewhere.test>\r\nSubject: round and round\r\n\r\nx")[:9], "554 5.4.6")
        row, shown = refused(server, "loop", sender="loop@elsewhere.test")
        same((row["subject"], row["message_id"], row["recipient"]), ("round and round", "round@elsewhere.test", user))
        assert row["size"] > 2000, row

    @case("refused by a person's filter, with its words")
    def _():
        user = next(USERS)
        server.ctl("account", "filter", "put", user, "main", "-", input='require "reject"; reject "not for me";')
        server.ctl("account", "filter", "activate", user, "main")
        talk = smtp(server)
        talk.command("MAIL FROM:<pest@elsewhere.test>")
        talk.command(f"RCPT TO:<{user}>")
        same(data(talk, text("pest@elsewhere.test", user, "offer").decode().rstrip())[:9], "550 5.7.1")
        row, shown = refused(server, "recipient-filter", sender="pest@elsewhere.test")
        same(row["subject"], "offer")
        assert "not for me" in shown["events"][0]["reply"], shown

    @case("delivered by a filter: the trace names mailbox and rule")
    def _():
        user = next(USERS)
        server.ctl("account", "filter", "put", user, "sorting", "-", input='require ["fileinto", "mailbox"];\nfileinto :create "Lists";')
        server.ctl("account", "filter", "activate", user, "sorting")
        talk = smtp(server)
        talk.command("MAIL FROM:<list@elsewhere.test>")
        talk.command(f"RCPT TO:<{user}>")
        ident = data(talk, text("list@elsewhere.test", user, "news").decode().rstrip()).rsplit(" ", 1)[1]
        wait_for("the trace", lambda: traces(server, ident))
        events = json.loads(server.ctl("trace", "show", ident, "--json").stdout)["events"]
        same([(e.get("mailbox"), e.get("rule")) for e in events if e["kind"] == "attempt"], [("Lists", "sorting, line 2")])

    @case("a failed sign-in, under the name that was given")
    def _():
        try:
            submission(server, next(USERS), password="wrong").quit()
        except smtplib.SMTPAuthenticationError:
            pass
        refused(server, "auth-failed")

    @case("a sender who is not the account's")
    def _():
        client = submission(server, next(USERS))
        same(client.mail("somebody@elsewhere.test")[0], 553)
        client.quit()
        refused(server, "sender-not-yours", sender="somebody@elsewhere.test")

    @case("above ten a second from one network, refusals are counted")
    def _():
        sent = []

        def flood():                                                     # again, where 18 took more than a second
            talk = smtp(server)
            sent.append(talk.command("MAIL FROM:<flood@elsewhere.test>"))
            talk.send("".join(f"RCPT TO:<nobody{i}@example.test>\r\n" for i in range(18)))
            sent.extend(talk.reply()[-1] for _ in range(18))
            talk.close()
            return [t for t in traces(server, "--outcome", "refused", "--ip", "127.0.0.1") if t["sender"] == ""]
        wait_for("the note", flood)
        assert len(traces(server, "--outcome", "refused", "--sender", "flood@elsewhere.test")) < sum(line[0] == "5" for line in sent)

    @case("searched by each of its marks: addresses whole and either way round, subject, Message-ID, id, client, time")
    def _():
        user = next(USERS)
        talk = smtp(server)
        talk.command("MAIL FROM:<Searched@Elsewhere.test>")
        talk.command(f"RCPT TO:<{user}>")
        message = f"From: <x@y.test>\r\nMessage-ID: <mark@y.test>\r\nSubject: Zebra Crossing 7\r\n\r\nx"
        ident = data(talk, message).rsplit(" ", 1)[1]
        wait_for("the trace", lambda: traces(server, ident))
        local = user.split("@")[0] + "@"
        for words in ([ident], ["mark@y.test"], ["<mark@y.test>"], ["zebra"], ["searched"], ["searched@"], ["searched@elsewhere.test"], [user],
                      ["--sender", "searched@elsewhere.TEST"], ["--sender", "searched@"], ["--sender", "@elsewhere.test", "--subject", "zebra"],
                      ["--recipient", user], ["--recipient", local], ["--recipient", "@example.test", "--subject", "ZEBRA cross"],
                      ["--message-id", "mark@y.test"], ["--ip", "127.0.0.1", "--subject", "crossing 7"],
                      ["--since", "1h", "--until", "-0s", "--subject", "zebra"] ):
            assert ident in [t["id"] for t in traces(server, *words)], words
        for words in (["--sender", "arched@elsewhere.test"], ["--recipient", "@elsewhere.test", "--subject", "zebra"],
                      ["--ip", "127.0.0.2", "--subject", "zebra"], ["--until", "2020-01-01T00:00:00Z", "--subject", "zebra"]):
            same(traces(server, *words), [])

    @case("one recipient here and one elsewhere: one trace tells of both")
    def _():
        sender, user = next(USERS), next(USERS)
        ident = submit(server, sender, [user, "far@remote.test"])
        shown = wait_for("the trace", lambda: json.loads(server.ctl("trace", "show", ident, "--json").stdout))
        same(sorted((r["address"], r["outcome"]) for r in shown["recipients"]), [("far@remote.test", "waiting"), (user, "delivered")])

    @case("messages to very many of a domain: none hides the others")
    def _():
        sender, other, many = next(USERS), next(USERS), [f"n{i}@many.test" for i in range(100)]
        older = submit(server, other, many[:1], text(other, many[0], "older than all"))
        sent = sorted(submit(server, sender, many) for _ in range(21))
        wait_for("the traces", lambda: len(traces(server, "--sender", sender)) == 21)
        ids = lambda *words: sorted(t["id"] for t in traces(server, *words))
        same(ids("--recipient", "@many.test", "--limit", "21"), sent)
        same(ids("--recipient", "@many.test"), sorted(sent + [older]))
        same(ids("--recipient", "@many.test", "--sender", other), [older])
        same(ids("many.test"), sorted(sent + [older]))
        same(ids("many.test", "--sender", other), [older])
        same(ids("older than", "--recipient", "@many.test"), [older])
        same(ids("many.test", "--since", "1h", "--sender", other), [older])
        same(ids("many.test", "--outcome", "refused"), [])

    @case("what was accepted a moment before the end is traced all the same")
    def _():
        user = next(USERS)
        talk = smtp(server)
        talk.command("MAIL FROM:<last@elsewhere.test>")
        talk.command(f"RCPT TO:<{user}>")
        talk.command("DATA")
        same(talk.command(text("last@elsewhere.test", user).decode() + ".")[:3], "250")
        server.stop()
        server.start()
        same([t["sender"] for t in traces(server, user)], ["last@elsewhere.test"])


def main():
    with Server(env={"CORREIO_DNS_SERVERS": "127.0.0.1:9"}) as server:
        server.accounts([f"t{i:02}" for i in range(20)])
        with_server(server)
        harness.run()


main()
