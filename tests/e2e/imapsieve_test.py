#!/usr/bin/env python3
"""imapsieve (RFC 6785): scripts on APPEND, COPY, MOVE and changes of flags; what they may do, and what they never do."""
import imaplib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from mail import imap, text, wait_inbox                                  # noqa: E402
from server import Server                                                # noqa: E402

imaplib.Commands["SETMETADATA"] = ("AUTH", "SELECTED")
NAMES = iter([f"s{n:02}@example.test" for n in range(40)])
ENTRY = "/shared/imapsieve/script"
REQUIRE = 'require ["imapsieve", "environment", "imap4flags", "fileinto", "copy", "editheader", "variables", "enotify", "mailbox"];\n'


def script(server, user, text, name="on change", require=REQUIRE):
    body = (require + text).replace("'", "''")
    owner = f"(SELECT id FROM account WHERE address = '{user}')" if user else "NULL"
    server.sql(f"INSERT INTO sieve_script (account_id, place, name, content, hash) VALUES ({owner}, {0 if user else 4}, '{name}', '{body}', "
               f"sha256(convert_to('{body}', 'UTF8')))")


class Box:
    """A session with a mailbox that has a script."""

    def __init__(self, server, text=None, mailbox="INBOX", name="on change", **more):
        self.server, self.user = server, next(NAMES)
        self.box = imap(server, self.user)
        if text is not None:
            script(server, self.user, text, name, **more)
            self.set(mailbox, f'"{name}"')
        self.box.select("INBOX")

    def command(self, *words):
        return self.box._simple_command(*words)

    def set(self, mailbox, value):
        same(self.command("SETMETADATA", mailbox if mailbox else '""', f"({ENTRY} {value})")[0], "OK")

    def create(self, *names):
        for name in names:
            same(self.box.create(name)[0], "OK")

    def append(self, mailbox="INBOX", flags=None, body="hello\r\n"):
        same(self.box.append(mailbox, flags, None, text("x@elsewhere.test", self.user, body=body))[0], "OK")

    def flags(self, mailbox="INBOX"):
        """The flags of each message, sorted, without \\Recent."""
        same(self.box.select(mailbox)[0], "OK")
        typ, data = self.box.fetch("1:*", "(FLAGS)") if self.box.response("EXISTS")[1] != [b"0"] else ("OK", [])
        return [sorted(f.decode() for f in line.split(b"FLAGS (")[1].rstrip(b")").split() if f != b"\\Recent")
                for line in data if line]

    def queue(self):
        return self.server.sql("SELECT r.recipient, m.reverse_path FROM queue_recipient r JOIN queue_message m ON m.id = r.queue_id "
                               f"WHERE m.account_id = (SELECT id FROM account WHERE address = '{self.user}') ORDER BY r.recipient")


def causes(server):
    @case("APPEND, COPY, MOVE and STORE each run the script, with their cause, mailbox and flags")
    def _():
        b = Box(server, '''set "f" ""; if environment :matches "imap.changedflags" "*" { set "f" "${1}"; }
            if environment :matches "imap.cause" "*" { set "c" "${1}"; }
            if environment :matches "imap.mailbox" "*" { set "m" "${1}"; }
            if environment :matches "imap.user" "*" { set "u" "${1}"; }
            if environment :is "location" "MS" { set "l" "MS"; }
            addheader "X-Event" "${c} ${m} ${u} ${l} [${f}]"; fileinto :copy "log";''', mailbox="")
        b.create("log", "a")
        b.append("INBOX", "(\\Draft)")
        b.box.select("INBOX")
        same(b.box.copy("1", "a")[0], "OK")
        same(b.box.store("1", "+FLAGS", "(\\Answered Work)")[0], "OK")
        same(b.box.store("1", "-FLAGS", "(\\Draft)")[0], "OK")
        same(b.box.store("1", "+FLAGS", "(\\Answered)")[0], "OK")  # no change, no event
        same(b.box.fetch("1", "(BODY[TEXT])")[0], "OK")            # \\Seen
        same(b.command("MOVE", "1", "a")[0], "OK")
        b.box.select("log")
        typ, data = b.box.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (X-Event)])")
        got = [d[1].decode().strip().split(": ", 1)[1] for d in data if isinstance(d, tuple)]
        same(got, [f"APPEND INBOX {b.user} MS []", f"COPY a {b.user} MS []", f"FLAG INBOX {b.user} MS [\\Answered Work]",
                   f"FLAG INBOX {b.user} MS [\\Draft]", f"FLAG INBOX {b.user} MS [\\Seen]", f"COPY a {b.user} MS []"])
        same(b.flags("a"), [["\\Draft"], ["Work", "\\Answered", "\\Seen"]])
        typ, data = b.box.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (X-Event)])")  # changes are not kept
        assert b"X-Event" not in b"".join(d[1] for d in data if isinstance(d, tuple)).split(b"{")[0], data

    @case("the mailbox's script counts, else the server's; an empty one and one that is not there are none")
    def _():
        b = Box(server)
        script(server, b.user, 'addflag "own";', name="own")
        script(server, None, 'addflag "common";', name="common")
        b.create("a", "b", "c")
        b.append()
        b.set("", '"common"')
        b.set("a", '"own"')
        b.set("b", '""')
        b.set("c", '"nobody wrote it"')
        for name in ("INBOX", "a", "b", "c"):
            b.append(name)
        same([b.flags(name) for name in ("INBOX", "a", "b", "c")], [[[], ["common"]], [["own"]], [[]], [[]]])
        b.set("", "NIL")
        b.append()
        same(b.flags()[-1], [])


def actions(server):
    @case("flags that a script sets are told before the command's end, and are no event of their own")
    def _():
        b = Box(server, 'addflag "again"; if hasflag "again" { addflag "\\\\Flagged"; removeflag "\\\\Answered"; }')
        b.append(flags="(\\Answered)")
        same(b.flags(), [["\\Flagged", "again"]])
        typ, data = b.box.store("1", "-FLAGS.SILENT", "(again)")
        same((typ, [b"again" in d for d in data if d]), ("OK", [True]))
        same(b.flags(), [["\\Flagged", "again"]])

    @case("more flags than a script can hold are not lost")
    def _():
        b = Box(server, 'addflag "\\\\Flagged";')
        for name in ("a", "b"):
            b.box.select("INBOX")
            if name == "a":
                b.append()
                b.box.select("INBOX")
            words = " ".join(name + f"{i:02}" * 20 for i in range(60))
            same(b.box.store("1", "+FLAGS.SILENT", f"({words})")[0], "OK")
        same([(len(f), "\\Flagged" in f) for f in b.flags()], [(121, True)])

    @case("without keep the message is \\\\Deleted, and stays: discard, fileinto, redirect")
    def _():
        b = Box(server, '''if header :contains "subject" "hello" { fileinto "there"; } ''')
        b.create("there")
        b.append()
        same((b.flags(), b.flags("there")), ([["\\Deleted"]], [[]]))
        b = Box(server, "discard;")
        b.append()
        same(b.flags(), [["\\Deleted"]])
        b = Box(server, "discard; keep;")
        b.append()
        same(b.flags(), [[]])
        b = Box(server, 'redirect "bob@remote.test"; redirect :copy "ann@remote.test";')
        b.append()
        same((b.flags(), b.queue()), ([["\\Deleted"]], [["ann@remote.test", b.user], ["bob@remote.test", b.user]]))

    @case("fileinto where nothing is leaves the message; with :create it is made; two mailboxes that point at each other do not loop")
    def _():
        b = Box(server, 'fileinto "nowhere";')
        b.append()
        same(b.flags(), [[]])
        b = Box(server, 'fileinto :create "made";')
        b.append()
        same((b.flags(), b.flags("made")), ([["\\Deleted"]], [[]]))
        b = Box(server)
        b.create("a", "b")
        for at, to in (("a", "b"), ("b", "a")):
            script(server, b.user, f'fileinto :copy "{to}";', name=at)
            b.set(at, f'"{at}"')
        b.append("a")
        same((b.flags("a"), b.flags("b")), ([[]], [[]]))

    @case("an account that may not send sends nothing by a script either")
    def _():
        b = Box(server, 'redirect "bob@remote.test";')
        server.sql(f"UPDATE account SET state = 2 WHERE address = '{b.user}'")
        b.box.logout()
        b.box = imap(server, b.user)
        b.append()
        same((b.flags(), b.queue()), ([[]], []))

    @case("notify sends, and the message is otherwise left alone")
    def _():
        b = Box(server, 'if environment :is "imap.cause" "FLAG" { notify :message "Look" "mailto:watch@remote.test"; }')
        b.append()
        b.box.select("INBOX")
        same(b.box.store("1", "+FLAGS", "(\\Flagged)")[0], "OK")
        same((b.flags(), b.queue()), ([["\\Flagged"]], [["watch@remote.test", ""]]))


def trouble(server):
    @case("what cannot be done leaves the message: a full mailbox, a script that fails; its owner is told once")
    def _():
        b = Box(server, 'fileinto "there";')
        b.create("there")
        server.sql("UPDATE account_state SET quota_messages = 1 WHERE account_id = (SELECT id FROM account WHERE "
                   f"address = '{b.user}')")
        b.append()
        same((b.flags(), b.flags("there")), ([[]], []))
        for bad in ('discard; if envelope "from" "x" { keep; }', 'discard; vacation "away";', "discard; reject \"no\";", "discard; what;"):
            b = Box(server, bad, require='require ["imapsieve", "envelope", "reject", "vacation"];\n')
            b.append()
            b.append()
            notices = [m for m in wait_inbox(server, b.user, 3) if b"on change" in m]
            same((len(notices), len(b.flags())), (1, 3))
            same([f for f in b.flags() if "\\Deleted" in f], [])

    @case("many messages at once, one of 3 MB among them")
    def _():
        b = Box(server, 'addflag "done"; if size :over 2M { fileinto :copy "large"; }', mailbox="")
        b.create("a", "large")
        for i in range(30):
            b.append(body="x" * 70 + "\r\n" if i != 7 else ("y" * 70 + "\r\n") * 45000)
        same(b.flags(), [["done"]] * 30)
        same(len(b.flags("large")), 1)
        b.box.select("INBOX")
        same(b.box.store("1:*", "FLAGS.SILENT", "()")[0], "OK")
        same((b.flags(), len(b.flags("large"))), ([["done"]] * 30, 2))


def main():
    with Server(env={"CORREIO_DNS_SERVERS": "127.0.0.1:9"}) as server:
        server.accounts([f"s{n:02}" for n in range(40)])
        causes(server)
        actions(server)
        trouble(server)
        harness.run()


main()
