#!/usr/bin/env python3
"""Traces of what never was in the queue: delivered at once, refused at RCPT; with correioctl, as an administrator looks."""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from mail import submit, text                                            # noqa: E402
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
        found = wait_for("the trace", lambda: traces(server, user), 5)
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
        wait_for("the traces", lambda: len(traces(server, "--outcome", "refused")) == 2, 5)
        found = traces(server, "nobody@example.test")
        same([t["outcome"] for t in found], ["refused"])
        shown = server.ctl("trace", "show", found[0]["id"]).stdout
        assert "No such user" in shown, shown

    @case("one recipient here and one elsewhere: one trace tells of both")
    def _():
        sender, user = next(USERS), next(USERS)
        ident = submit(server, sender, [user, "far@remote.test"])
        shown = wait_for("the trace", lambda: json.loads(server.ctl("trace", "show", ident, "--json").stdout), 5)
        same(sorted((r["address"], r["outcome"]) for r in shown["recipients"]), [("far@remote.test", "waiting"), (user, "delivered")])

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
