#!/usr/bin/env python3
"""Outward mail against a fake internet: which host, with TLS or not, what is sent, what the trace keeps."""
import os
import re
import smtplib
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from internet import Internet                                            # noqa: E402
from mail import Report, submit, text, wait_inbox, wait_report, wait_sent  # noqa: E402
from server import Server                                                # noqa: E402
from sink import DROP, EXTENSIONS, wait_for                              # noqa: E402

ZONE = """
pref MX 20 mx2
pref MX 10 mx3
pref MX 30 mx4
equal MX 10 mx5
equal MX 10 mx6
equal MX 10 mx7
only-a A 127.0.1.8
only-aaaa AAAA ::1
alias CNAME aliased
aliased MX 10 mx9
chain MX 10 chained
chained CNAME mx10
null MX 0 .
loop MX 10 self
half MX 10 mx11
half MX 20 self
half MX 30 mx12
named MX 10 mail.example.test.
noaddress MX 10 nowhere
self A 127.0.0.1
smart A 127.0.1.13
backup MX 10 mx14
xn--mnchen-3ya MX 10 mx15
""" + "".join(f"mx{i} A 127.0.1.{i}\nhost{i} MX 10 mx{i}\n" for i in range(2, 40))
USERS = iter([f"r{i:02}@example.test" for i in range(40)])


def body_of(message):
    """What a sink took, without our Received field."""
    return re.sub(rb"\AReceived: [^\r]*\r\n(?:[ \t][^\r]*\r\n)*", b"", message.data)


def register(net, server):
    @case("MX: the lowest preference first, the next host when it does not answer or is busy")
    def _():
        user, best, second, third = next(USERS), None, net.sink(2), net.sink(4)
        submit(server, user, "bob@pref.remote.test")                     # 127.0.1.3 refuses the connection
        same(second.wait()[0].rcpt, ["RCPT TO:<bob@pref.remote.test>"])
        wait_sent(server, user)
        best = net.sink(3, answers={"GREETING": "421 4.3.2 busy"})
        submit(server, user, "ann@pref.remote.test")
        second.wait(2)
        same((best.sessions, third.sessions), (1, 0))

    @case("MX: equal preferences are shuffled")
    def _():
        user, sinks = next(USERS), [net.sink(i, answers={"QUIT": DROP}) for i in (5, 6, 7)]
        for i in range(40):
            submit(server, user, f"b{i}@equal.remote.test")
            wait_sent(server, user)
            if sum(1 for s in sinks if s.messages) >= 2:
                return
        raise AssertionError("40 messages went to one of three equal hosts")

    @case("without MX: the address itself, by A and by AAAA")
    def _():
        user, a = next(USERS), net.sink(8)
        submit(server, user, "bob@only-a.remote.test")
        a.wait()
        if net.has_ipv6:
            aaaa = net.sink("::1")
            submit(server, user, "bob@only-aaaa.remote.test")
            same(aaaa.wait()[0].rcpt, ["RCPT TO:<bob@only-aaaa.remote.test>"])

    @case("CNAME: of the domain, and of a mail server")
    def _():
        user, sink, chained = next(USERS), net.sink(9), net.sink(10)
        submit(server, user, ["bob@alias.remote.test"])
        same(sink.wait()[0].rcpt, ["RCPT TO:<bob@alias.remote.test>"])
        submit(server, user, ["bob@chain.remote.test"])
        chained.wait()

    @case("an international domain is looked up by its A-label")
    def _():
        user, sink = next(USERS), net.sink(15)
        submit(server, user, "bob@xn--mnchen-3ya.remote.test")
        sink.wait()

    @case("a host that lists us with a better preference: what is behind us is cut (RFC 5321, 5.1)")
    def _():
        user, before, behind = next(USERS), net.sink(11, answers={"MAIL": "451 4.3.0 later"}), net.sink(12)
        submit(server, user, "bob@half.remote.test", rcpt_options=["NOTIFY=NEVER"])
        wait_for("the attempt", lambda: before.sessions >= 2)
        same(behind.sessions, 0)
        server.sql(f"UPDATE queue_message SET expires_at = now() WHERE reverse_path = '{user}'")
        wait_sent(server, user)

    for domain, status, what in (("null", "5.1.10", "null MX (RFC 7505)"), ("missing", "5.1.2", "NXDOMAIN"),
                                 ("loop", "5.4.6", "the best MX is our address"), ("named", "5.4.6", "the best MX is our name"),
                                 ("noaddress", "5.4.4", "no MX has an address")):
        @case(f"bounced at once: {what}")
        def _(domain=domain, status=status):
            user = next(USERS)
            submit(server, user, f"bob@{domain}.remote.test")
            report = wait_report(server, user)
            same([r["Status"] for r in report.recipients], [status])
            same(report.recipients[0]["Remote-MTA"], None)

    @case("SERVFAIL is tried again, not bounced")
    def _():
        user = next(USERS)
        submit(server, user, "bob@broken.test")
        wait_for("two attempts", lambda: int(server.value(
            f"SELECT max(attempts) FROM queue_recipient r JOIN queue_message m ON m.id = r.queue_id WHERE reverse_path = '{user}'")) >= 2)
        same(server.sql(f"SELECT DISTINCT reason FROM queue_recipient r JOIN queue_message m ON m.id = r.queue_id WHERE "
                        f"reverse_path = '{user}'"), [["dns-failed"]])
        server.sql(f"UPDATE queue_message SET expires_at = now() WHERE reverse_path = '{user}'")
        same([r["Status"] for r in wait_report(server, user).recipients], ["4.4.7"])

    @case("STARTTLS is used when offered, and what was sent arrives")
    def _():
        user, sink, original = next(USERS), net.sink(16, starttls=True), b"From: <%s>\r\nDate: Mon, 2 Feb 2026 10:00:00 +0000\r\n" \
            b"Message-ID: <tls@example.test>\r\nSubject: tls\r\n\r\nbody\r\n"
        original = original % user.encode()
        submit(server, user, "bob@host16.remote.test", original)
        message = sink.wait()[0]
        assert message.tls.startswith("TLSv1."), message.tls
        same(body_of(message), original)
        wait_sent(server, user)
        assert server.value("SELECT tls FROM trace_event WHERE host = 'mx16.remote.test'").startswith("TLSv1."), "trace.tls"
        same(server.value("SELECT tls FROM trace_event WHERE host = 'mx16.remote.test'").split()[2], "none")

    @case("STARTTLS that is broken or refused: once more in clear")
    def _():
        user, broken = next(USERS), net.sink(17, broken_tls=True)
        refusing = net.sink(18, starttls=True, answers={"STARTTLS": "454 4.7.0 not now"})
        submit(server, user, ["bob@host17.remote.test", "bob@host18.remote.test"])
        same([m.tls for m in broken.wait() + refusing.wait()], [None, None])

    @case("EHLO refused: HELO, stepwise, no parameters")
    def _():
        user, sink = next(USERS), net.sink(19, extensions=None)
        submit(server, user, "bob@host19.remote.test", mail_options=["RET=HDRS", "ENVID=x"], rcpt_options=["NOTIFY=FAILURE"])
        same(sink.wait()[0].mail, f"MAIL FROM:<{user}>")
        same([line.split(" ")[0] for line in sink.lines[:2]], ["EHLO", "HELO"])

    @case("parameters are passed on: SIZE, BODY, RET, ENVID, NOTIFY, ORCPT")
    def _():
        user, sink = next(USERS), net.sink(20)
        submit(server, user, "bob@host20.remote.test", text(user, "bob", body="ü\r\n"), ["BODY=8BITMIME", "RET=FULL", "ENVID=e+2B1"],
               ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;old@remote.test"])
        message = sink.wait()[0]
        same(set(message.mail.split()[2:]) - {w for w in message.mail.split() if w.startswith("SIZE=")},
             {"BODY=8BITMIME", "RET=FULL", "ENVID=e+2B1"})
        same(re.search(r"SIZE=(\d+)", message.mail).group(1), str(len(message.data)))
        same(message.rcpt, ["RCPT TO:<bob@host20.remote.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;old@remote.test"])

    @case("BY: what is left of the time goes on; a host without DELIVERBY gets no mail that is to be back in time")
    def _():
        user, knows, lacks = next(USERS), net.sink(36, extensions=[*EXTENSIONS, "DELIVERBY 60"]), net.sink(37)
        submit(server, user, "bob@host36.remote.test", mail_options=["BY=600;RT"])
        left = int(re.search(r" BY=(\d+);RT$", knows.wait()[0].mail).group(1))
        assert 560 < left <= 600, left
        report = wait_report(server, user)                               # T: of each server that it passes
        same((report.recipients[0]["Action"], "Deliver-By-Date" in report.per_message), ("relayed", True))
        submit(server, user, "bob@host36.remote.test", mail_options=["BY=-120;N"])
        assert re.search(r" BY=-12\d;N$", knows.wait(2)[1].mail), knows.messages[1].mail
        other, third = next(USERS), next(USERS)
        submit(server, other, "bob@host37.remote.test", mail_options=["BY=600;R"])
        report = wait_report(server, other)
        same((report.recipients[0]["Action"], report.recipients[0]["Status"]), ("failed", "5.4.7"))
        submit(server, third, "bob@host37.remote.test", mail_options=["BY=600;N"])
        same(lacks.wait()[0].rcpt, ["RCPT TO:<bob@host37.remote.test> NOTIFY=FAILURE,DELAY"])
        same((" BY=" in lacks.messages[0].mail, wait_report(server, third).recipients[0]["Action"]), (False, "relayed"))

    @case("BY: after its time mail is back, or its sender told, whatever the schedule says")
    def _():
        user, other, busy = next(USERS), next(USERS), net.sink(38, extensions=[*EXTENSIONS, "DELIVERBY"],
                                                               answers={"MAIL": "451 4.3.0 busy"})
        submit(server, user, "bob@host38.remote.test", mail_options=["BY=2;R"])
        report = wait_report(server, user)
        same((report.recipients[0]["Action"], report.recipients[0]["Status"]), ("failed", "5.4.7"))
        submit(server, other, "bob@host38.remote.test", mail_options=["BY=2;N"])
        same(wait_report(server, other).recipients[0]["Action"], "delayed")
        busy.answers["MAIL"] = "250 2.1.0 ok"
        server.ctl("queue", "retry", "--yes", "--destination=host38.remote.test")
        assert re.search(r" BY=(0|-\d+);N$", busy.wait()[0].mail), busy.messages[0].mail
        same(len(busy.messages), 1)

    @case("dots, long lines and odd bytes arrive as they were")
    def _():
        user, sink = next(USERS), net.sink(21)
        body = b".\r\n..\r\n.leading\r\n" + b"x" * 990 + b"\r\n\x00\x01\x7f\t \r\n\r\n.\r\n\r\nend\r\n"
        original = b"From: <%s>\r\nDate: Mon, 2 Feb 2026 10:00:00 +0000\r\nMessage-ID: <dots@example.test>\r\n\r\n" % user.encode() + body
        submit(server, user, "bob@host21.remote.test", original)
        same(body_of(sink.wait()[0]), original)

    @case("20 MB arrive byte for byte")
    def _():
        user, sink = next(USERS), net.sink(22)
        lines = b"".join(b"%07d %s\r\n" % (i, b"." * (i % 70)) for i in range(460000))
        original = b"From: <%s>\r\nDate: Mon, 2 Feb 2026 10:00:00 +0000\r\nMessage-ID: <big@example.test>\r\n\r\n" % user.encode() + lines
        assert len(original) > 19_000_000
        submit(server, user, "bob@host22.remote.test", original)
        assert body_of(sink.wait(seconds=40)[0]) == original, "it differs"

    @case("8-bit to a host without 8BITMIME bounces (RFC 6152, 3); 7-bit goes")
    def _():
        user, sink = next(USERS), net.sink(23, extensions=["PIPELINING"])
        submit(server, user, "bob@host23.remote.test", text(user, "bob", body="plain\r\n"), ["BODY=8BITMIME"])
        sink.wait()
        submit(server, user, "bob@host23.remote.test", text(user, "bob", body="ü\r\n"), ["BODY=8BITMIME"])
        same([r["Status"] for r in wait_report(server, user).recipients], ["5.6.3"])
        same(len(sink.messages), 1)

    @case("SMTPUTF8 that is needed and not offered bounces; offered, it is used")
    def _():
        user = next(USERS)
        old, new = net.sink(24, extensions=["8BITMIME"]), net.sink(25)
        submit(server, user, "josé@host25.remote.test", mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        assert " SMTPUTF8" in new.wait()[0].mail
        submit(server, user, "josé@host24.remote.test", mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        report = Report(wait_inbox(server, user)[0])
        same((report.recipients[0]["Status"], len(old.messages)), ("5.6.7", 0))
        assert "josé" in str(report.recipients[0]["Final-Recipient"]), str(report.recipients[0])

    @case("several messages to one host go over one connection")
    def _():
        user, sink = next(USERS), net.sink(26, answers={"GREETING": ["421 4.3.2 busy", "220 sink.test ESMTP"]})
        for i in range(6):
            submit(server, user, f"b{i}@host26.remote.test", rcpt_options=["NOTIFY=NEVER"])
        sink.wait(6)
        assert len({m.session for m in sink.messages}) < 6, [m.session for m in sink.messages]

    @case("a remote copy and a local one of one submission")
    def _():
        user, friend, sink = next(USERS), next(USERS), net.sink(27)
        submit(server, user, [friend, "bob@host27.remote.test"])
        same(len(wait_inbox(server, friend)), 1)
        sink.wait()

    @case("relay.routes: a smart host with AUTH and a password file, by address without MX")
    def _():
        user, sink = next(USERS), net.sink(13, extensions=EXTENSIONS + ["AUTH PLAIN LOGIN"], starttls=True)
        path = net.write("smart-password", "open sesame\n")
        os.chmod(path, 0o644)
        server.setting("relay.routes", f"routed.test=[smart.remote.test]:{net.port},tls=must,user=us,password-file={path}")
        wait_for("the route", lambda: "routed.test" in server.value("SELECT value #>> '{}' FROM setting WHERE key = 'relay.routes'"))
        submit(server, user, "bob@routed.test")
        message = sink.wait(seconds=30)[0]
        same(message.auth, "AUTH PLAIN AHVzAG9wZW4gc2VzYW1l")
        assert message.tls, "no TLS"
        wait_sent(server, user)
        dialogue = str(server.sql("SELECT convert_from(dialogue, 'UTF8') FROM trace_event WHERE host = 'smart.remote.test'"))
        assert "AUTH PLAIN ****" in dialogue and "AHVzAG9wZW4" not in dialogue and "MAIL FROM" in dialogue, dialogue
        assert "250 2.0.0 taken" in dialogue, dialogue

    @case("a smart host that refuses the password, or has no TLS where it must: the mail waits, the password stays ours")
    def _():
        user, path = next(USERS), net.write("wrong-password", "hunter2\n")
        os.chmod(path, 0o644)
        no, clear = net.sink(29, extensions=["AUTH LOGIN"], answers={"AUTH": "535 5.7.8 no"}), net.sink(30, extensions=["AUTH PLAIN"])
        server.setting("relay.routes", f"no.test=[127.0.1.29]:{net.port},user=us,password-file={path} "
                       f"clear.test=[127.0.1.30]:{net.port},tls=must,user=us,password-file={path}")

        def reasons():
            return {tuple(r) for r in server.sql("SELECT recipient, r.reason FROM queue_recipient r JOIN queue_message m ON "
                                                 f"m.id = r.queue_id WHERE reverse_path = '{user}' AND attempts > 0")}
        submit(server, user, ["bob@no.test", "bob@clear.test"], rcpt_options=["NOTIFY=NEVER"])
        wait_for("both attempts", lambda: reasons() == {("bob@no.test", "auth-failed"), ("bob@clear.test", "tls-failed")})
        assert not any("AUTH" in line or "MAIL" in line for line in clear.lines), clear.lines
        assert no.lines.count("AUTH LOGIN") >= 1 and not any("MAIL" in line for line in no.lines), no.lines
        server.sql(f"UPDATE queue_message SET expires_at = now() WHERE reverse_path = '{user}'")
        wait_sent(server, user)
        kept = str(server.sql("SELECT convert_from(dialogue, 'UTF8'), reply FROM trace_event WHERE dialogue IS NOT NULL"))
        assert "hunter2" not in kept and "aHVudGVyMg" not in kept and "AUTH LOGIN" in kept

    @case("a host that does not answer holds no other mail up")
    def _():
        user, go_on = next(USERS), threading.Event()

        def late():
            go_on.wait(20)
            return "220 sink.test ESMTP"
        stuck, other = net.sink(31, answers={"GREETING": late}), net.sink(32)
        for i in range(30):
            submit(server, user, f"b{i}@host31.remote.test")
        submit(server, user, "bob@host32.remote.test")
        other.wait(seconds=5)
        same(stuck.messages, [])
        go_on.set()
        stuck.wait(30)
        wait_sent(server, user)
        same(len(stuck.messages), 30)

    @case("a relay domain: taken on port 25 from anybody, sent along its route")
    def _():
        sink = net.sink(14)
        server.sql(f"INSERT INTO domain (tenant_id, name, kind, route) VALUES (1, 'backup.test', 1, '[127.0.1.14]:{net.port}')")
        smtp = smtplib.SMTP("127.0.0.1", server.port("SMTP"))
        same(smtp.sendmail("x@elsewhere.test", ["any@backup.test"], b"Subject: relayed\r\n\r\nhi\r\n"), {})
        smtp.quit()
        same(sink.wait()[0].rcpt, ["RCPT TO:<any@backup.test>"])

    @case("smtp.relay_networks: their clients may send anywhere, others may not")
    def _():
        sink = net.sink(28)

        def try_it():
            smtp = smtplib.SMTP("127.0.0.1", server.port("SMTP"))
            smtp.ehlo()
            smtp.mail("printer@example.test")
            reply = smtp.rcpt("bob@host28.remote.test")
            if reply[0] == 250:
                smtp.data(b"Subject: scan\r\n\r\nhi\r\n")
            smtp.quit()
            return reply
        code, reply = try_it()
        same((code, reply[:5]), (550, b"5.7.1"))
        server.setting("smtp.relay_networks", "127.0.0.0/8")
        wait_for("the setting", lambda: try_it()[0] == 250)
        sink.wait()
        server.setting("smtp.relay_networks", "")
        wait_for("the setting", lambda: try_it()[0] == 550)


def main():
    with Internet(ZONE) as net:
        env = net.env(CORREIO_QUEUE_RETRY_SCHEDULE="1s 1s", CORREIO_LISTEN_SMTP=f"127.0.0.1:{net.port}")
        with Server(env=env) as server:
            server.accounts([f"r{i:02}" for i in range(40)])
            register(net, server)
            harness.run()


main()
