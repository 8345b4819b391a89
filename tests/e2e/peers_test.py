#!/usr/bin/env python3
"""With other mail servers: Debian's Postfix, both ways, and a second correiod."""
import json
import os
import re
import smtplib
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from internet import Internet                                            # noqa: E402
from mail import Report, inbox, submit, text, wait_inbox, wait_report, wait_sent  # noqa: E402
from postfix import Postfix                                              # noqa: E402
from server import Server                                                # noqa: E402
from sink import wait_for                                                # noqa: E402

ZONE = "postfix MX 10 mx30\nmx30 A 127.0.1.30\npeer MX 10 mx31\nmx31 A 127.0.1.31\nhome MX 10 mx32\nmx32 A 127.0.1.32\n"
POSTFIX, PEER, HOME = "postfix.remote.test", "peer.remote.test", "home.remote.test"
USERS = iter([f"p{i:02}" for i in range(30)])
ODD = "Subject: odd\r\n\r\n.\r\n..x\r\nü – ñ\r\n" + "y" * 900 + "\r\n\r\nend\r\n"


def user():
    return f"{next(USERS)}@{HOME}"


def received(raw):
    """The Received fields, unfolded, newest first."""
    head = raw.replace(b"\r\n", b"\n").split(b"\n\n")[0].decode("utf-8", "replace")
    return re.findall(r"^Received: (.*)$", re.sub(r"\n[ \t]+", " ", head), re.M)


def with_postfix(server, postfix, port):
    @case("to Postfix: delivered, under TLS, and said so in Received")
    def _():
        sender = user()
        submit(server, sender, f"ann@{POSTFIX}", text(sender, "ann", "to postfix", "hello ann\r\n"))
        raw = postfix.wait_mails("ann")[0]
        assert b"hello ann" in raw
        assert re.search(r"using TLSv1\.[23]", received(raw)[0]), received(raw)
        assert "with ESMTPSA" in received(raw)[1] and "TLSv1." in received(raw)[1], received(raw)
        wait_sent(server, sender)

    @case("to Postfix: an unknown user comes back as one notice with its words")
    def _():
        sender = user()
        submit(server, sender, [f"nobody@{POSTFIX}", f"ann@{POSTFIX}"])
        r = wait_report(server, sender).recipients
        same([(str(x["Final-Recipient"]), str(x["Action"]), str(x["Status"])) for x in r],
             [(f"rfc822;nobody@{POSTFIX}", "failed", "5.1.1")])
        assert "User unknown" in r[0]["Diagnostic-Code"], r[0]["Diagnostic-Code"]

    @case("a probe of Postfix: what it says to RCPT, under TLS, and it gets no message")
    def _():
        before = len(postfix.log().splitlines())
        for name, verdict, code, said in (("ann", "ok", 250, "Ok"), ("nobody", "refused", 550, "User unknown")):
            sender = user()
            told = server.ctl("explain", "delivery", "--from", sender, "--account", sender, "--to", f"{name}@{POSTFIX}", "--probe", "--json")
            step = [x for x in json.loads(told.stdout)["steps"] if x["step"] == "probe"]
            same([(x["verdict"], x["args"]["host"], x["reply"]["code"]) for x in step], [(verdict, "mx30.remote.test", code)])
            assert said in step[0]["reply"]["text"], step
        wait_for("two sessions", lambda: sum("disconnect from" in line for line in postfix.log().splitlines()[before:]) == 2)
        seen = "\n".join(postfix.log().splitlines()[before:])
        assert "qmgr" not in seen and "cleanup" not in seen, seen

    @case("from Postfix: into the mailbox, under TLS, and said so in Received")
    def _():
        to = user()
        smtp = smtplib.SMTP("127.0.1.30", port)
        same(smtp.sendmail(f"ann@{POSTFIX}", [to], b"Subject: from postfix\r\n\r\nhello\r\n"), {})
        smtp.quit()
        raw = wait_inbox(server, to)[0]
        assert raw.startswith(f"Return-Path: <ann@{POSTFIX}>\r\n".encode()), raw[:80]
        assert "with ESMTPS" in received(raw)[0] and "TLSv1." in received(raw)[0], received(raw)

    @case("from Postfix: our 550 at RCPT comes back to our user as Postfix's notice")
    def _():
        sender = user()
        smtp = smtplib.SMTP("127.0.1.30", port)
        same(smtp.sendmail(sender, [f"nobody@{HOME}"], b"Subject: lost\r\n\r\nhello\r\n"), {})
        smtp.quit()
        raw = wait_inbox(server, sender)[0]
        assert b"5.1.1" in raw and b"No such user" in raw, raw.decode(errors="replace")

    @case("there and back: 8-bit, dots, long lines and 10 MB are as they were")
    def _():
        sender, back = user(), f"back@{HOME}"
        big = "".join(f"{i:08} " + "." * (i % 60) + "\r\n" for i in range(260000))
        for n, body in enumerate((ODD, "Subject: big\r\n\r\n" + big), 1):
            submit(server, sender, f"loop@{POSTFIX}", (f"From: <{sender}>\r\n" + body).encode(), ["BODY=8BITMIME"])
            raw = wait_inbox(server, back, n, 40)[-1]
            assert raw.split(b"\r\n\r\n", 1)[1] == body.encode().split(b"\r\n\r\n", 1)[1], "the body differs"


def alias(server, domain, name, member):
    server.sql(f"""
        WITH d AS (SELECT id FROM domain WHERE name = '{domain}'),
        a AS (INSERT INTO alias (tenant_id, domain_id, address) SELECT 1, id, '{name}@{domain}' FROM d RETURNING id),
        m AS (INSERT INTO alias_member SELECT id, 0, '{member}' FROM a)
        INSERT INTO address (domain_id, localpart, alias_id) SELECT d.id, '{name}', a.id FROM d, a""")


def with_correio(home, peer):
    @case("to another correiod: under TLS, Return-Path kept, and the trace says so")
    def _():
        sender = user()
        submit(home, sender, f"ann@{PEER}")
        raw = wait_inbox(peer, f"ann@{PEER}")[-1]
        assert raw.startswith(f"Return-Path: <{sender}>\r\n".encode())
        assert re.search(r"with ESMTPS \(TLSv1\.[23]", received(raw)[0]), received(raw)
        wait_sent(home, sender)
        tls, reply = home.sql("SELECT e.tls, e.reply FROM trace_event e JOIN trace t ON t.id = e.trace_id AND t.at = e.at WHERE "
                              f"t.sender = '{sender}' AND t.outcome = 2 AND e.kind = 1")[0]
        assert tls.startswith("TLSv1.") and reply.startswith("250 2.0.0 Ok: queued as"), (tls, reply)

    @case("NOTIFY=SUCCESS travels along, and the peer's notice comes home")
    def _():
        sender = user()
        submit(home, sender, f"dsn@{PEER}", mail_options=["ENVID=there"], rcpt_options=["NOTIFY=SUCCESS", f"ORCPT=rfc822;dsn@{PEER}"])
        report = wait_report(home, sender)
        same((report.per_message["Original-Envelope-Id"], report.per_message["Reporting-MTA"]), ("there", "dns;mx31.remote.test"))
        same([str(r["Action"]) for r in report.recipients], ["delivered"])
        same(len(inbox(peer, f"dsn@{PEER}")), 1)

    @case("the peer dies and comes back: every message arrives once")
    def _():
        sender, to = user(), f"many@{PEER}"
        for i in range(20):
            if i == 5:
                peer.stop()
            submit(home, sender, to, text(sender, to, f"n{i}"))
        peer.start()
        wait_sent(home, sender, 40)
        same(sorted(re.search(rb"Subject: (n\d+)", m).group(1) for m in inbox(peer, to)), sorted(b"n%d" % i for i in range(20)))

    @case("two aliases that point at each other: the loop ends with one notice")
    def _():
        sender = user()
        alias(home, HOME, "ping", f"pong@{PEER}")
        alias(peer, PEER, "pong", f"ping@{HOME}")
        submit(home, sender, f"ping@{HOME}")
        report = wait_report(home, sender, 40)
        same([str(r["Status"]) for r in report.recipients], ["5.4.6"])
        for s in (home, peer):
            wait_for("an empty queue", lambda: s.value("SELECT count(*) FROM queue_recipient") == "0")
        same(len(inbox(home, sender)), 1)


def main():
    def env(n, name):
        return net.env(CORREIO_QUEUE_RETRY_SCHEDULE="1s 1s", CORREIO_SERVER_HOSTNAME=name,
                       CORREIO_LISTEN_SMTP=f"127.0.0.1:0,127.0.1.{n}:{net.port}")
    with Internet(ZONE) as net, Server(env=env(32, "mx32.remote.test")) as home, Server(env=env(31, "mx31.remote.test")) as peer:
        home.accounts([f"p{i:02}" for i in range(30)] + ["back"], domain=HOME)
        peer.accounts(["ann", "many", "dsn"], domain=PEER)
        with_correio(home, peer)
        if os.geteuid() != 0:
            print("skip Postfix: it changes users, which only root may")
            harness.run()
        with Postfix("127.0.1.30", net.port, POSTFIX, ["ann"], ("127.0.1.32", net.port), net.cert, net.key,
                     {f"loop@{POSTFIX}": f"back@{HOME}"}) as postfix:
            with_postfix(home, postfix, net.port)
            harness.run()


main()
