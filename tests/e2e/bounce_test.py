#!/usr/bin/env python3
"""What cannot be sent at once: retries on the schedule, and the notices of RFC 3464 with what RFC 3461 asks for."""
import os
import re
import smtplib
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from internet import Internet                                            # noqa: E402
from mail import (Report, inbox, queue_of, submission, submit, text, wait_inbox, wait_report,  # noqa: E402
                  wait_sent)
from server import Server                                                # noqa: E402
from sink import DROP, wait_for                                          # noqa: E402

ZONE = "".join(f"mx{i} A 127.0.1.{i}\nhost{i} MX 10 mx{i}\n" for i in range(1, 41)) + "dead MX 10 mx39\n"
USERS = iter([f"b{i:02}@example.test" for i in range(50)])
NUMBERS = iter(range(1, 39))
PHASES = ("GREETING", "EHLO", "MAIL", "RCPT", "DATA", "END")


def attempts(server, user):
    """Results of the attempts for the user's only message: 0 relayed, 1 delivered, 2 deferred, 3 bounced."""
    return [r[0] for r in server.sql("SELECT e.result FROM trace_event e JOIN trace t ON t.id = e.trace_id AND t.at = e.at "
                                     f"WHERE t.sender = '{user}' AND e.kind = 1 ORDER BY e.happened_at, e.n")]


def notices_to(server, user):
    return int(server.value("SELECT count(*) FROM trace t JOIN trace_recipient r ON r.trace_id = t.id AND r.at = t.at "
                            f"WHERE t.sender = '' AND r.recipient = '{user}'"))


def expire(server, user):
    server.sql(f"UPDATE queue_message SET expires_at = now() WHERE reverse_path = '{user}'")


def no_report(server, user):
    wait_sent(server, user)
    same((notices_to(server, user), inbox(server, user)), (0, []))


def retries(net, server):
    for phase in PHASES:
        @case(f"a 4xx or a lost connection at {phase}: tried again on the schedule, sent once")
        def _(phase=phase):
            user, n = next(USERS), next(NUMBERS)
            good = {"GREETING": "220 sink.test", "EHLO": "250 sink.test", "DATA": "354 go on"}.get(phase, "250 2.0.0 ok")
            sink = net.sink(n, answers={phase: ["451 4.3.0 later", DROP, good]} if phase != "EHLO" else {"EHLO": "421 4.3.0 later"})
            submit(server, user, f"bob@host{n}.remote.test")
            if phase == "EHLO":
                wait_for("an attempt", lambda: "2" in attempts(server, user))
                sink.answers = {}
            sink.wait()
            wait_sent(server, user)
            same(len(sink.messages), 1)
            got = attempts(server, user)
            same((got[0], got[-1], inbox(server, user)), ("2", "0", []))
            gaps = server.sql("SELECT extract(epoch FROM happened_at - lag(happened_at) OVER (ORDER BY happened_at)) >= 0.9 FROM "
                              f"trace_event e JOIN trace t ON t.id = e.trace_id AND t.at = e.at WHERE sender = '{user}' AND e.kind = 1")
            same({g[0] for g in gaps[1:]}, {"t"})

    @case("a server that talks without end is left, and the message waits")
    def _():
        user, n = next(USERS), next(NUMBERS)
        endless = "250-" + "x" * 2000 + "\r\n"
        sink = net.sink(n, answers={"EHLO": endless * 2000 + "250 end"})
        submit(server, user, f"bob@host{n}.remote.test", rcpt_options=["NOTIFY=NEVER"])
        wait_for("an attempt", lambda: "2" in attempts(server, user))
        sink.answers = {}
        sink.wait()
        wait_sent(server, user)

    @case("nobody listens: it waits, and is returned when its time is over")
    def _():
        user = next(USERS)
        submit(server, user, "bob@dead.remote.test")
        wait_for("two attempts", lambda: attempts(server, user)[:2] == ["2", "2"])
        same(inbox(server, user), [])
        expire(server, user)
        report = wait_report(server, user)
        same([(r["Action"], r["Status"]) for r in report.recipients], [("failed", "4.4.7")])
        same((notices_to(server, user), queue_of(server, user)), (1, []))

    @case("a late message is told of once")
    def _():
        user, n = next(USERS), next(NUMBERS)
        sink = net.sink(n, answers={"RCPT": "450 4.2.0 greylisted"})
        server.setting("queue.delay_notice", "1s")
        submit(server, user, f"bob@host{n}.remote.test", mail_options=["ENVID=late"])
        report = wait_report(server, user)
        same([(r["Action"], r["Status"]) for r in report.recipients], [("delayed", "4.2.0")])
        assert report.recipients[0]["Will-Retry-Until"]
        tried = len(attempts(server, user))
        wait_for("two more attempts", lambda: len(attempts(server, user)) >= tried + 2)
        same(notices_to(server, user), 1)
        server.setting("queue.delay_notice", "0s")
        sink.answers = {}
        sink.wait()
        wait_sent(server, user)
        same(len(inbox(server, user)), 1)


def reports(net, server):
    for phase in PHASES[2:]:
        @case(f"a 5xx at {phase}: exactly one notice")
        def _(phase=phase):
            user, n = next(USERS), next(NUMBERS)
            sink = net.sink(n, answers={phase: "550-5.7.1 We do\r\n550 5.7.1 not like you"})
            submit(server, user, f"bob@host{n}.remote.test", mail_options=["ENVID=QQ314159"])
            report = wait_report(server, user)
            r = report.recipients[0]
            same(len(report.recipients), 1)
            same((r["Final-Recipient"], r["Action"], r["Status"]), (f"rfc822;bob@host{n}.remote.test", "failed", "5.7.1"))
            same(r["Remote-MTA"], f"dns;mx{n}.remote.test")
            assert r["Diagnostic-Code"].startswith("smtp;550 5.7.1 We do"), r["Diagnostic-Code"]
            assert r["Last-Attempt-Date"] and report.per_message["Arrival-Date"]
            same(report.per_message["Original-Envelope-Id"], "QQ314159")
            same((notices_to(server, user), queue_of(server, user), len(inbox(server, user)), sink.messages), (1, [], 1, []))
            same(attempts(server, user), ["3"])

    @case("ORCPT and RET: what comes back of the message")
    def _():
        n, answers = next(NUMBERS), {"RCPT": "550 5.1.1 No such user"}
        net.sink(n, answers=answers)
        for ret, kind in (("RET=FULL", "message/rfc822"), ("RET=HDRS", "text/rfc822-headers")):
            user = next(USERS)
            submit(server, user, f"bob@host{n}.remote.test", text(user, "bob", "back", "the body\r\n"), [ret],
                   ["ORCPT=rfc822;Bob+2BOld@remote.test", "NOTIFY=FAILURE,DELAY"])
            report = wait_report(server, user)
            same(report.recipients[0]["Original-Recipient"], "rfc822;Bob+Old@remote.test")
            same(report.original.get_content_type(), kind)
            same((b"the body" in report.raw, b"Subject: back" in report.raw), (ret == "RET=FULL", True))

    @case("recipients of one message with different answers")
    def _():
        user, n = next(USERS), next(NUMBERS)
        d = f"host{n}.remote.test"
        sink = net.sink(n, answers={f"RCPT b@{d}": "550 5.1.1 No such user", f"RCPT c@{d}": ["450 4.2.0 later", "250 2.1.5 ok"],
                                    f"RCPT d@{d}": "553 5.1.3 What?"})
        submit(server, user, [f"{x}@{d}" for x in "abcd"])
        wait_sent(server, user)
        messages = wait_inbox(server, user)
        failed = [str(r["Final-Recipient"]) for m in messages for r in Report(m).recipients]
        same(sorted(failed), [f"rfc822;b@{d}", f"rfc822;d@{d}"])
        same([[re.search("<(.)@", r).group(1) for r in m.rcpt] for m in sink.messages], [["a"], ["c"]])

    @case("NOTIFY=NEVER: no notice")
    def _():
        user, n = next(USERS), next(NUMBERS)
        net.sink(n, answers={"RCPT": "550 5.1.1 No such user"})
        submit(server, user, f"bob@host{n}.remote.test", rcpt_options=["NOTIFY=NEVER"])
        no_report(server, user)

    @case("NOTIFY=SUCCESS: delivered here, passed on to a host without DSN, left to one with it")
    def _():
        user, friend, n, m = next(USERS), next(USERS), next(NUMBERS), next(NUMBERS)
        net.sink(n, extensions=["PIPELINING"])
        able = net.sink(m)
        submit(server, user, [friend, f"bob@host{n}.remote.test", f"bob@host{m}.remote.test"], rcpt_options=["NOTIFY=SUCCESS"])
        same(able.wait()[0].rcpt, [f"RCPT TO:<bob@host{m}.remote.test> NOTIFY=SUCCESS"])
        wait_sent(server, user)
        got = [r for raw in wait_inbox(server, user, 2) for r in Report(raw).recipients]
        same({(str(r["Final-Recipient"]), str(r["Action"])) for r in got},
             {(f"rfc822;{friend}", "delivered"), (f"rfc822;bob@host{n}.remote.test", "relayed")})
        same((len(got), len(inbox(server, friend))), (2, 1))

    @case("a null reverse-path is never answered")
    def _():
        user, n = next(USERS), next(NUMBERS)
        net.sink(n, answers={"RCPT": "550 5.1.1 No such user"})
        smtp = submission(server, user)
        same(smtp.mail("")[0], 250)
        same(smtp.rcpt(f"bob@host{n}.remote.test", ["NOTIFY=FAILURE"])[0], 250)
        same(smtp.data(text(user, "bob"))[0], 250)
        smtp.quit()
        outcome = f"SELECT outcome FROM trace_recipient WHERE recipient = 'bob@host{n}.remote.test'"
        wait_for("the end", lambda: server.value(outcome) != "0")
        same((server.value(outcome), notices_to(server, ""), inbox(server, user)), ("3", 0, []))

    @case("a notice that is refused itself goes nowhere")
    def _():
        n = next(NUMBERS)
        domain = f"host{n}.remote.test"
        sink = net.sink(n, answers={f"RCPT bob@{domain}": "550 5.1.1 No such user", f"RCPT ann@{domain}": "550 5.1.1 gone"})
        server.setting("smtp.relay_networks", "127.0.0.0/8")

        def accepted():
            with smtplib.SMTP("127.0.0.1", server.port("SMTP")) as smtp:
                smtp.ehlo()
                return smtp.mail(f"ann@{domain}")[0] == smtp.rcpt(f"bob@{domain}")[0] == 250 and \
                    smtp.data(b"Subject: x\r\n\r\nx\r\n")[0] == 250
        wait_for("the network to be allowed", accepted)
        server.setting("smtp.relay_networks", "")
        wait_for("the notice's attempt", lambda: f"RCPT TO:<ann@{domain}>" in " ".join(sink.lines))
        wait_for("an empty queue", lambda: server.value(f"SELECT count(*) FROM queue_recipient WHERE recipient LIKE '%{domain}'") == "0")
        same(sink.lines.count("MAIL FROM:<>") + sum(line.startswith("MAIL FROM:<> ") for line in sink.lines), 1)

    @case("the notice is in the account's language")
    def _():
        user, n = next(USERS), next(NUMBERS)
        net.sink(n, answers={"RCPT": "550 5.1.1 No such user"})
        server.sql(f"UPDATE account SET language = 'pt-BR' WHERE address = '{user}'")
        submit(server, user, f"bob@host{n}.remote.test")
        report = wait_report(server, user)
        same((report.mail["Subject"], report.text["Content-Language"]), ("Sua mensagem não pôde ser entregue", "pt-BR"))
        assert "servidor" in report.words() and f"bob@host{n}.remote.test" in report.words(), report.words()


def silent_dns(dns):
    """A server whose DNS server never answers; its message is sent first and looked at last."""
    server = Server(env={"CORREIO_DNS_SERVERS": f"127.0.0.1:{dns.getsockname()[1]}", "CORREIO_QUEUE_RETRY_SCHEDULE": "1s"})

    @case("a DNS server that never answers: the message waits")
    def _():
        wait_for("the attempt", lambda: attempts(server, "silent@example.test")[:1] == ["2"], 30)
        same(server.sql("SELECT reason FROM queue_recipient"), [["dns-failed"]])
        assert dns.recv(512), "it was not asked"
    return server


def main():
    with Internet(ZONE) as net, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns:
        dns.bind(("127.0.0.1", 0))
        dns.settimeout(5)
        env = net.env(CORREIO_QUEUE_RETRY_SCHEDULE="1s 1s")
        with Server(env=env) as server, silent_dns(dns) as silent:
            silent.accounts(["silent"])
            submit(silent, "silent@example.test", "bob@anywhere.test")
            server.accounts([f"b{i:02}" for i in range(50)])
            server.setting("queue.delay_notice", "0s")
            retries(net, server)
            reports(net, server)
            harness.CASES.append(harness.CASES.pop(0))  # the silent DNS last
            harness.run()


main()
