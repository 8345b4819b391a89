#!/usr/bin/env python3
"""Filters on the way in: stored, sent on, answered, refused; what they leave behind, and what happens when they fail."""
import email
import email.policy
import imaplib
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from internet import Internet                                            # noqa: E402
from mail import imap, inbox, queue_of, submit, text, wait_inbox, wait_report   # noqa: E402
from server import Server                                                # noqa: E402
from sink import EXTENSIONS, wait_for                                                # noqa: E402

ZONE = "".join(f"mx{i} A 127.0.1.{i}\nhost{i} MX 10 mx{i}\n" for i in range(1, 20))
USERS = iter([f"s{i:02}@example.test" for i in range(80)])
HOSTS = iter(range(1, 20))
SENDER = "joe@elsewhere.test"


def put_script(server, owner, script, name="main", place=0, active=True):
    """owner: an account's address, "@domain", or "" for the server."""
    account = f"(SELECT id FROM account WHERE address = '{owner}')" if "@" in owner[1:] else "NULL"
    domain = f"(SELECT id FROM domain WHERE name = '{owner[1:]}')" if owner.startswith("@") else "NULL"
    server.sql(f"INSERT INTO sieve_script (account_id, domain_id, place, name, content, hash, active) VALUES ({account}, {domain}, "
               f"{place}, '{name}', $sieve${script}$sieve$, sha256(convert_to($sieve${script}$sieve$, 'UTF8')), {active})")


def take_away(server, name):
    server.sql(f"DELETE FROM sieve_script WHERE name = '{name}'")


def smtp(server, listener="SMTP"):
    talk = server.connect(listener)
    talk.reply()
    talk.command("LHLO client.test" if listener == "LMTP" else "EHLO client.test")
    return talk


def send(server, to, message=None, sender=SENDER, listener="SMTP"):
    """The lines of the answer to the data; in LMTP of each answer."""
    to = [to] if isinstance(to, str) else to
    talk = smtp(server, listener)
    same(talk.command(f"MAIL FROM:<{sender}>")[:3], "250")
    for one in to:
        same(talk.command(f"RCPT TO:<{one}>")[:3], "250")
    talk.command("DATA")
    talk.send((message or text(sender, to[0])).decode() + ".\r\n")
    answers = [talk.reply() for _ in (to if listener == "LMTP" else [0])]
    talk.close()
    return answers if listener == "LMTP" else answers[0]


def mailboxes(server, user):
    """Subjects by mailbox, with flags where there are some."""
    box = imap(server, user)
    out = {}
    for line in box.list()[1]:
        name = re.search(rb'"?([^"]+)"?$', line).group(1).decode()
        if box.select(f'"{name}"', readonly=True)[0] != "OK":
            continue
        data = box.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        got = []
        for d in data:
            if isinstance(d, tuple):
                flags = sorted(f.decode() for f in imaplib.ParseFlags(d[0]) if f != b"\\Recent")
                got.append(" ".join([d[1].decode().strip().removeprefix("Subject: ")] + flags))
        if got:
            out[name] = got
    box.logout()
    return out


def message(subject="hello", headers="", body="hello\r\n", to="x@example.test", sender=SENDER):
    return f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n{headers}\r\n{body}".encode()


def parse(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


def storing(server):
    @case("fileinto: into what exists, into what it makes, and into the inbox when there is no such mailbox")
    def _():
        user = next(USERS)
        put_script(server, user, 'require ["fileinto", "mailbox"];\n'
                   'if header :contains "subject" "new" { fileinto :create "Lists/New"; }\n'
                   'elsif header :contains "subject" "junk" { fileinto "Junk"; }\n'
                   'elsif header :contains "subject" "lost" { fileinto "Nowhere"; }\n')
        for subject in ("new one", "junk mail", "lost", "plain", "new two"):
            same(send(server, user, message(subject))[0][:3], "250")
        same(mailboxes(server, user), {"INBOX": ["lost", "plain"], "Junk": ["junk mail"], "Lists/New": ["new one", "new two"]})

    @case("flags, keywords; keep and fileinto of one mailbox are one copy; two mailboxes share one body")
    def _():
        user = next(USERS)
        put_script(server, user, 'require ["fileinto", "imap4flags", "copy"];\n'
                   'fileinto :copy :flags ["\\\\Seen", "$Work"] "INBOX"; keep :flags "\\\\Flagged"; fileinto "Archive";\n')
        same(send(server, user, message("both"))[0][:3], "250")
        same(mailboxes(server, user), {"INBOX": ["both $Work \\Flagged \\Seen"], "Archive": ["both"]})
        same(server.value("SELECT count(DISTINCT m.email_id) || ' ' || count(*) || ' ' || (SELECT count(*) FROM blob b WHERE "
                          f"b.account_id = a.id) FROM message m JOIN account a ON a.id = m.account_id WHERE a.address = '{user}' "
                          "GROUP BY a.id"), "1 2 1")

    @case("discard: 250, and nothing is stored")
    def _():
        user = next(USERS)
        put_script(server, user, "discard;")
        same(send(server, user)[0][:3], "250")
        same(mailboxes(server, user), {})

    @case("editheader: the copy that is filed is changed, the other is as it came")
    def _():
        user = next(USERS)
        put_script(server, user, 'require ["editheader", "fileinto", "copy"];\n'
                   'fileinto :copy "Archive"; addheader "X-Seen-By" "filter"; deleteheader "Subject"; keep;\n')
        same(send(server, user, message("before"))[0][:3], "250")
        kept = inbox(server, user)[0]
        assert kept.startswith(b"Return-Path: <joe@elsewhere.test>\r\n"), kept[:60]
        same((parse(kept)["X-Seen-By"], parse(kept)["Subject"]), ("filter", None))
        same(mailboxes(server, user)["Archive"], ["before"])

    @case("a message of 3 MB: filed, kept and changed")
    def _():
        user, body = next(USERS), ("z" * 70 + "\r\n") * 42000
        put_script(server, user, 'require ["editheader", "fileinto", "copy"];\n'
                   'fileinto :copy "Archive"; addheader "X-Big" "yes";\n')
        same(send(server, user, message("big", body=body))[0][:3], "250")
        got = inbox(server, user)[0]
        same((parse(got)["X-Big"], got.endswith(body.encode())), ("yes", True))
        same(mailboxes(server, user), {"INBOX": ["big"], "Archive": ["big"]})

    @case("the server's and the domain's before and after, the person's between")
    def _():
        user = next(USERS)
        put_script(server, "", 'require ["editheader", "imap4flags"]; addheader "X-Order" "1"; keep;', "b-server", 1)
        put_script(server, "@example.test", 'require "editheader"; addheader :last "X-Order" "2"; keep;', "b-domain", 1)
        put_script(server, user, 'require ["editheader"]; addheader :last "X-Order" "3"; keep;')
        put_script(server, "@example.test", 'require ["editheader"]; addheader :last "X-Order" "4"; keep;', "a-domain", 2)
        put_script(server, "", 'require ["editheader", "fileinto"]; addheader :last "X-Order" "5";\n'
                   'if header :contains "subject" "away" { discard; }', "a-server", 2)
        same(send(server, user, message("in"))[0][:3], "250")
        same(send(server, user, message("away"))[0][:3], "250")
        for name in ("b-server", "b-domain", "a-domain", "a-server"):
            take_away(server, name)
        got = [parse(m) for m in inbox(server, user)]
        same([m.get_all("X-Order") for m in got], [["1", "2", "3", "4", "5"]])

    @case("include: personal and global, the domain's before the server's")
    def _():
        user = next(USERS)
        put_script(server, user, 'require "include"; include "mine"; include :global "ours"; keep;')
        put_script(server, user, 'require "editheader"; addheader "X-Mine" "yes";', "mine", active=False)
        put_script(server, "@example.test", 'require "editheader"; addheader "X-Ours" "domain";', "ours", 3)
        put_script(server, "", 'require "editheader"; addheader "X-Ours" "server";', "ours", 3)
        same(send(server, user)[0][:3], "250")
        m = parse(inbox(server, user)[0])
        same((m["X-Mine"], m["X-Ours"]), ("yes", "domain"))
        take_away(server, "ours")

    @case("duplicate: the second one is found, also over another connection")
    def _():
        user = next(USERS)
        put_script(server, user, 'require ["duplicate", "fileinto"]; if duplicate { fileinto "Trash"; }')
        for _ in range(2):
            same(send(server, user, message("twice", "Message-ID: <twice@elsewhere.test>\r\n"))[0][:3], "250")
        same(mailboxes(server, user), {"INBOX": ["twice"], "Trash": ["twice"]})

    @case("metadata, special use and external lists are asked of the database")
    def _():
        user = next(USERS)
        server.sql("WITH d AS (SELECT id FROM domain WHERE name = 'example.test'), l AS (INSERT INTO alias (tenant_id, domain_id, "
                   "address) SELECT 1, id, 'friends@example.test' FROM d RETURNING id, domain_id), m AS (INSERT INTO alias_member "
                   f"SELECT id, 0, '{SENDER}' FROM l) INSERT INTO address (domain_id, localpart, alias_id) SELECT domain_id, 'friends', id FROM l")
        server.sql(f"INSERT INTO annotation SELECT id, 0, '/private/mood', 'good' FROM account WHERE address = '{user}'")
        put_script(server, user, 'require ["extlists", "servermetadata", "special-use", "fileinto", "envelope", "imap4flags"];\n'
                   'if envelope :list "from" "alias:friends@example.test" { addflag "$Friend"; }\n'
                   'if servermetadata :is "/private/mood" "good" { addflag "$Good"; }\n'
                   'if specialuse_exists "\\\\Trash" { fileinto :specialuse "\\\\Trash" "Bin"; }\n')
        same(send(server, user)[0][:3], "250")
        same(mailboxes(server, user), {"Trash": ["hello $Friend $Good"]})


def refusing(server):
    @case("reject: the reply says it, in all its lines; nothing is stored")
    def _():
        user = next(USERS)
        put_script(server, user, 'require "reject"; reject text:\nNot today,\nplease.\n.\n;')
        same(send(server, user), ["550-5.7.1 Not today,", "550 5.7.1 please."])
        same((mailboxes(server, user), queue_of(server, "")), ({}, []))

    @case("reject beyond ASCII is an MDN, ereject a reply")
    def _():
        user, other, local = next(USERS), next(USERS), next(USERS)
        put_script(server, user, 'require "reject"; reject "não, obrigado";')
        put_script(server, other, 'require "ereject"; ereject "não, obrigado";')
        same(send(server, other)[0][:9], "550 5.7.1")
        same(send(server, user, sender=local)[0][:3], "250")
        m = parse(wait_inbox(server, local)[0])
        same((m.get_content_type(), m.get_param("report-type"), m["To"]),
             ("multipart/report", "disposition-notification", local))
        words, disposition, _ = m.get_payload()
        assert "não, obrigado" in words.get_content(), words.get_content()
        assert "MDN-sent-automatically; deleted" in disposition.as_string(), disposition.as_string()

    @case("one of two refuses: 250, the other has it, and a DSN tells of the refusal")
    def _():
        no, yes, local = next(USERS), next(USERS), next(USERS)
        put_script(server, no, 'require "ereject"; ereject "Nothing for me.";')
        same(send(server, [no, yes], sender=local)[0][:3], "250")
        same((len(inbox(server, yes)), len(inbox(server, no))), (1, 0))
        report = wait_report(server, local)
        same([(r["Final-Recipient"], r["Action"], r["Status"]) for r in report.recipients], [(f"rfc822;{no}", "failed", "5.7.1")])
        assert "Nothing for me." in report.words(), report.words()

    @case("both refuse: the reply; to the null sender nothing is told")
    def _():
        a, b = next(USERS), next(USERS)
        for user in (a, b):
            put_script(server, user, 'require "ereject"; ereject "no";')
        same(send(server, [a, b])[0], "550 5.7.1 no")
        c = next(USERS)
        same(send(server, [a, c], sender="")[0][:3], "250")
        same((len(inbox(server, c)), queue_of(server, "")), (1, []))

    @case("LMTP: each recipient has its own answer")
    def _():
        no, yes = next(USERS), next(USERS)
        put_script(server, no, 'require "reject"; reject "not me";')
        got = send(server, [no, yes], listener="LMTP")
        same([g[-1][:16] for g in got], ["550 5.7.1 not me", "250 2.1.5 <" + yes[:5]])


def sending(server, net):
    @case("redirect: sent on under a rewritten reverse-path with Delivered-To, and a bounce to it comes home")
    def _():
        user, n = next(USERS), next(HOSTS)
        sink = net.sink(n)
        put_script(server, user, f'redirect "bob@host{n}.remote.test";')
        same(send(server, user, message("onward"))[0][:3], "250")
        sink.wait()
        got = sink.messages[0]
        rewritten = re.search(r"<(.*?)>", got.mail).group(1)
        assert re.fullmatch(r"SRS0=[a-z2-7]{6}=[a-z2-7]{2}=elsewhere\.test=joe@example\.test", rewritten), got.mail
        assert got.data.startswith(f"Delivered-To: {user}\r\nReceived:".encode()), got.data[:200]
        same(mailboxes(server, user), {})
        talk = smtp(server)
        talk.command("MAIL FROM:<>")
        same(talk.command(f"RCPT TO:<{rewritten}>")[:3], "250")
        same(talk.command(f"RCPT TO:<{rewritten.replace('=', '=x', 1)}>")[:9], "550 5.1.1")
        talk.close()

    @case("redirect with a time goes on with it, and the envelope's own is seen")
    def _():
        user, n = next(USERS), next(HOSTS)
        sink = net.sink(n, extensions=[*EXTENSIONS, "DELIVERBY"])
        put_script(server, user, f"""require ["redirect-deliverby", "envelope", "envelope-deliverby", "envelope-dsn", "fileinto", "mailbox"];
if envelope ["bymode", "notify"] "R" {{ fileinto :create "urgent"; stop; }}
if envelope :contains "notify" "DELAY" {{ fileinto :create "asked"; stop; }}
redirect :bytimerelative 900 :bymode "return" "bob@host{n}.remote.test";""")
        same(send(server, user, message("onward"))[0][:3], "250")
        left = int(re.search(r" BY=(\d+);R$", sink.wait()[0].mail).group(1))
        assert 860 < left <= 900, left
        for by, notify in (" BY=60;R", ""), ("", " NOTIFY=FAILURE,DELAY"):
            talk = smtp(server)
            for line in f"MAIL FROM:<{SENDER}>{by}", f"RCPT TO:<{user}>{notify}":
                same(talk.command(line)[:3], "250")
            same((talk.command("DATA")[:3], talk.command(message((by + notify).strip()).decode() + ".")[:3]), ("354", "250"))
            talk.close()
        same(mailboxes(server, user), {"urgent": ["BY=60;R"], "asked": ["NOTIFY=FAILURE,DELAY"]})

    @case("redirect that would go in a ring is a keep")
    def _():
        user = next(USERS)
        put_script(server, user, 'redirect "bob@host1.remote.test";')
        same(send(server, user, message("ring", f"Delivered-To: {user}\r\n"))[0][:3], "250")
        same(mailboxes(server, user), {"INBOX": ["ring"]})

    @case("redirect :copy to an account here: its own filters run")
    def _():
        user, other = next(USERS), next(USERS)
        put_script(server, user, f'require "copy"; redirect :copy "{other}";')
        put_script(server, other, 'require "fileinto"; fileinto "Archive";')
        same(send(server, user, message("copied"))[0][:3], "250")
        wait_for("the copy", lambda: mailboxes(server, other) == {"Archive": ["copied"]})
        same(mailboxes(server, user), {"INBOX": ["copied"]})

    @case("vacation: once to each sender, never to lists, bounces or itself; its memory is in the database")
    def _():
        user, local = next(USERS), next(USERS)
        put_script(server, user, 'require "vacation"; vacation :days 7 :subject "Away" "I am away.";')
        to_me = lambda **more: message(to=user, sender=local, **more)
        same(send(server, user, to_me(subject="one"), sender=local)[0][:3], "250")
        answer = wait_inbox(server, local)[0]
        assert answer.startswith(b"Return-Path: <>\r\n"), answer[:40]
        m = parse(answer)
        same((m["Subject"], m["To"], m["Auto-Submitted"].split()[0]), ("Away", local, "auto-replied"))
        same(send(server, user, to_me(subject="two"), sender=local)[0][:3], "250")
        same(send(server, user, to_me(subject="list", headers="List-Id: <l.elsewhere.test>\r\n"), sender="list@elsewhere.test")[0][:3], "250")
        same(send(server, user, to_me(subject="bounce"), sender="")[0][:3], "250")
        same(send(server, user, message(to=user, sender=user), sender=user)[0][:3], "250")
        same(server.value(f"SELECT count(*) FROM sieve_mark k JOIN account a ON a.id = k.account_id WHERE a.address = '{user}' AND kind = 0"), "1")
        wait_for("nothing more in the queue", lambda: server.value("SELECT count(*) FROM queue_recipient WHERE destination = '.local'") == "0")
        same((len(inbox(server, local)), len(inbox(server, user))), (1, 5))

    @case("a frozen account sends nothing: a redirect is a keep, nobody is answered")
    def _():
        user, local = next(USERS), next(USERS)
        put_script(server, user, 'require ["vacation", "copy"]; vacation "Away."; redirect "bob@host1.remote.test";')
        server.sql(f"UPDATE account SET state = 2 WHERE address = '{user}'")
        same(send(server, user, message("cold", to=user, sender=local), sender=local)[0][:3], "250")
        same((mailboxes(server, user), mailboxes(server, local), queue_of(server, local)), ({"INBOX": ["cold"]}, {}, []))

    @case("vacation: many at once from one sender make one answer")
    def _():
        import threading
        user, local = next(USERS), next(USERS)
        put_script(server, user, 'require "vacation"; vacation "Away.";')
        threads = [threading.Thread(target=send, args=(server, user, message(to=user, sender=local), local)) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        wait_for("eight messages", lambda: len(inbox(server, user)) == 8)
        wait_for("nothing more in the queue", lambda: server.value("SELECT count(*) FROM queue_recipient WHERE destination = '.local'") == "0")
        same(len(inbox(server, local)), 1)

    @case("notify by mailto; fcc keeps a copy of an answer")
    def _():
        user, other, local = next(USERS), next(USERS), next(USERS)
        put_script(server, user, 'require ["enotify", "vacation", "fcc", "mailbox"];\n'
                   f'notify :message "New mail" "mailto:{other}"; vacation :fcc "Sent" "Away.";')
        same(send(server, user, message(to=user, sender=local), sender=local)[0][:3], "250")
        wait_inbox(server, other)
        wait_inbox(server, local)
        same((parse(inbox(server, other)[0])["Subject"], len(mailboxes(server, user)["Sent"])), ("New mail", 1))


def failing(server):
    @case("a script that fails keeps the message, and its owner is told once")
    def _():
        user = next(USERS)
        put_script(server, user, 'require ["include", "fileinto"]; fileinto "Trash"; include "missing";', "broken")
        for subject in ("one", "two"):
            same(send(server, user, message(subject))[0][:3], "250")
        wait_for("the notice", lambda: len(inbox(server, user)) >= 3)
        subjects = sorted(mailboxes(server, user)["INBOX"])
        same((subjects, mailboxes(server, user).get("Trash")), (["A mail filter failed", "one", "two"], None))
        notice = [m for m in inbox(server, user) if b"filter failed" in m][0]
        assert '"broken" stopped in line 1' in parse(notice).get_content(), notice

    @case("a script that does not compile is as if there were none, and its owner is told")
    def _():
        user = next(USERS)
        put_script(server, user, "this is no sieve", "bad")
        same(send(server, user, message("in"))[0][:3], "250")
        wait_for("the notice", lambda: len(inbox(server, user)) == 2)

    @case("a full mailbox: 452, nothing is stored, sent or remembered")
    def _():
        user, local = next(USERS), next(USERS)
        put_script(server, user, 'require ["vacation", "fileinto"]; vacation "Away."; fileinto "Archive";')
        server.sql(f"UPDATE account_state SET quota_messages = 0 WHERE account_id = (SELECT id FROM account WHERE address = '{user}')")
        talk = smtp(server)
        talk.command(f"MAIL FROM:<{local}>")
        same(talk.command(f"RCPT TO:<{user}>")[:9], "452 4.2.2")
        talk.close()

    @case("what waited for a full mailbox goes where the filter wanted, without running it again")
    def _():
        full, other = next(USERS), next(USERS)
        put_script(server, full, 'require ["fileinto", "imap4flags", "editheader"]; addheader "X-Run" "1"; fileinto :flags "\\\\Seen" "Archive";')
        server.sql("WITH d AS (SELECT id FROM domain WHERE name = 'example.test'), l AS (INSERT INTO alias (tenant_id, domain_id, "
                   "address) SELECT 1, id, 'pair@example.test' FROM d RETURNING id, domain_id), m AS (INSERT INTO alias_member "
                   f"SELECT id, n, a FROM l, (VALUES (0, '{full}'), (1, '{other}')) v(n, a)) INSERT INTO address (domain_id, localpart, alias_id) "
                   "SELECT domain_id, 'pair', id FROM l")
        quota = "UPDATE account_state SET quota_messages = {} WHERE account_id = (SELECT id FROM account WHERE address = '" + full + "')"
        server.sql(quota.format(0))
        same(send(server, "pair@example.test", message("waits"))[0][:3], "250")
        same((len(inbox(server, other)), mailboxes(server, full)), (1, {}))
        server.sql(quota.format("NULL"))
        server.sql("UPDATE queue_recipient SET due_at = now() WHERE destination = '.local'; UPDATE queue_destination SET due_at = now()")
        wait_for("the message", lambda: mailboxes(server, full) == {"Archive": ["waits \\Seen"]})
        box = imap(server, full)
        box.select("Archive", readonly=True)
        same(parse(box.fetch("1", "(BODY.PEEK[])")[1][0][1]).get_all("X-Run"), ["1"])
        box.logout()

    @case("mail from the queue is filtered: a DSN to a local sender")
    def _():
        user, n = next(USERS), next(HOSTS)
        put_script(server, user, 'require "fileinto"; if header :contains "subject" "could not be delivered" { fileinto "Archive"; }')
        submit(server, user, "nobody@gone.remote.test")
        wait_for("the DSN", lambda: len(mailboxes(server, user).get("Archive", [])) == 1)


def main():
    with Internet(ZONE) as net:
        with Server(env=net.env()) as server:
            server.accounts([f"s{i:02}" for i in range(80)])
            for name, use in (("Archive", 1), ("Junk", 3), ("Sent", 4), ("Trash", 5)):
                server.sql(f"INSERT INTO mailbox (account_id, name, uidvalidity, special_use) SELECT account_id, '{name}', {use}, {use} "
                           "FROM account_state")
            storing(server)
            refusing(server)
            sending(server, net)
            failing(server)
            harness.run()


main()
