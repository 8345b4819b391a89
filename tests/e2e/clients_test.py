#!/usr/bin/env python3
"""Real clients: curl, mbsync, mutt."""
import email
import email.policy
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from mail import imap, inbox, submit, text, wait_inbox                   # noqa: E402
from server import Server                                                # noqa: E402

ALICE, BOB = "alice@example.test", "bob@example.test"


def run(*words, input=None, env=None, status=0):
    r = subprocess.run([str(w) for w in words], input=input, capture_output=True, timeout=60,
                       stdin=subprocess.DEVNULL if input is None else None, env=env)
    assert r.returncode == status, f"{words[0]}: exit {r.returncode}: {(r.stderr + r.stdout).decode(errors='replace')[-2000:]}"
    return r.stdout


def url(server, scheme, path="", listener=None):
    return f"{scheme}://127.0.0.1:{server.port(listener or scheme.upper())}/{path}"


def with_curl(server, work):
    cert = server.endpoints["CERTIFICATE"]
    mail = os.path.join(work, "mail.eml")
    with open(mail, "wb") as f:
        f.write(b"From: <alice@example.test>\r\nTo: <bob@example.test>\r\nSubject: by curl\r\n\r\nhello\r\n.\r\n..end\r\n")

    def curl(user, *words, status=0):
        return run("curl", "-sS", "--fail", "--max-time", 30, "--cacert", cert, *(["-u", f"{user}:secret"] if user else []), *words,
                   status=status)

    def send(user, *words, status=0):
        curl(user, "--mail-from", ALICE, "--mail-rcpt", BOB, "-T", mail, *words, status=status)

    @case("a newcomer's first steps: correioctl makes a domain and an account, curl sends and reads")
    def _():
        server.domain("new.test")
        server.account("first@new.test", "correct horse battery")
        curl(None, "--mail-from", "me@example.net", "--mail-rcpt", "first@new.test", "-T", mail, url(server, "smtp"))
        got = curl(None, "-u", "first@new.test:correct horse battery", url(server, "imap", "INBOX;MAILINDEX=1"))
        assert got.endswith(b"\r\n\r\nhello\r\n.\r\n..end\r\n"), got

    @case("curl: smtp, submission with STARTTLS, smtps")
    def _():
        before = len(inbox(server, BOB))
        send(None, url(server, "smtp"))
        send(ALICE, "--ssl-reqd", "--connect-to", f"localhost:{server.port('SUBMISSION')}:127.0.0.1:", "--login-options", "AUTH=PLAIN",
             f"smtp://localhost:{server.port('SUBMISSION')}/")
        send(ALICE, f"smtps://localhost:{server.port('SMTPS')}/")
        got = wait_inbox(server, BOB, before + 3)[before:]
        for raw in got:
            assert raw.endswith(b"\r\n\r\nhello\r\n.\r\n..end\r\n"), raw
        same([re.search(rb"with (ESMTP\w*)", raw).group(1) for raw in got], [b"ESMTP", b"ESMTPSA", b"ESMTPSA"])

    @case("curl: refused without or with a wrong password")
    def _():
        send(None, url(server, "smtp", listener="SUBMISSION"), status=55)
        curl(None, "-u", f"{ALICE}:wrong", url(server, "imap", "INBOX"), status=67)
        curl(None, "-u", f"{ALICE}:wrong", url(server, "pop3"), status=67)

    @case("curl: imap, imaps, STARTTLS: list, fetch, search, append, flags")
    def _():
        submit(server, ALICE, BOB, text(ALICE, BOB, "for curl", "body of curl\r\n"))
        for base, words in ((url(server, "imap"), []), (f"imaps://localhost:{server.port('IMAPS')}/", []),
                            (f"imap://localhost:{server.port('IMAP')}/", ["--ssl-reqd"])):
            assert b"INBOX" in curl(BOB, *words, base), "list"
            found = curl(BOB, *words, base + "INBOX?SUBJECT%20%22for%20curl%22").decode()
            uid = found.split()[2]
            raw = curl(BOB, *words, f"{base}INBOX;UID={uid}")
            assert raw.endswith(b"body of curl\r\n"), raw
            assert b"body of curl" not in curl(BOB, *words, f"{base}INBOX;UID={uid};SECTION=HEADER")
            curl(BOB, *words, "-T", mail, base + "INBOX")
            curl(BOB, *words, base + "INBOX", "-X", f"UID STORE {uid} +FLAGS (\\Flagged)")

    @case("curl: pop3, pop3s, STLS: list, retrieve, delete")
    def _():
        for base, words in ((url(server, "pop3"), []), (f"pop3s://localhost:{server.port('POP3S')}/", []),
                            (f"pop3://localhost:{server.port('POP3')}/", ["--ssl-reqd"])):
            listed = curl(BOB, *words, base).decode().split("\r\n")
            n = len([line for line in listed if line])
            assert n, listed
            assert b"\r\n\r\n" in curl(BOB, *words, f"{base}{n}")
            curl(BOB, *words, f"{base}{n}", "-X", "DELE", "-I")
            same(len([line for line in curl(BOB, *words, base).decode().split("\r\n") if line]), n - 1)


class Mbsync:
    """A two-way sync of all mailboxes with a maildir."""

    def __init__(self, server, work, user):
        self.dir = os.path.join(work, "sync")
        os.makedirs(self.dir + "/state")
        os.makedirs(self.dir + "/mail")
        self.config = self.dir + "/mbsyncrc"
        with open(self.config, "w") as f:
            f.write(f"IMAPAccount a\nHost localhost\nPort {server.port('IMAP')}\nUser {user}\nPass secret\nSSLType STARTTLS\n"
                    f"SystemCertificates no\nCertificateFile {server.endpoints['CERTIFICATE']}\nTimeout 30\n\n"
                    "IMAPStore far\nAccount a\n\n"
                    f"MaildirStore near\nPath {self.dir}/mail/\nInbox {self.dir}/mail/INBOX\nSubFolders Verbatim\n\n"
                    f"Channel c\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nRemove Both\nExpunge Both\nSync All\n"
                    f"SyncState {self.dir}/state/\n")

    def sync(self):
        return run("mbsync", "-c", self.config, "-a")

    def files(self, box):
        path = f"{self.dir}/mail/{box}"
        return sorted(f"{path}/{d}/{n}" for d in ("cur", "new") if os.path.isdir(f"{path}/{d}") for n in os.listdir(f"{path}/{d}"))


def flags_of(server, user, mailbox):
    box = imap(server, user)
    box.enable("UTF8=ACCEPT") if "UTF8=ACCEPT" in box.capabilities else None
    same(box.select(f'"{mailbox}"', readonly=True)[0], "OK")
    _, data = box.fetch("1:*", "(FLAGS)")
    box.logout()
    return [set(re.search(rb"FLAGS \(([^)]*)\)", d).group(1).decode().split()) - {"\\Recent"} for d in data if d]


def with_mbsync(server, work):
    user = "sync@example.test"
    first = {}

    @case("mbsync: takes several mailboxes home, one with a name in UTF-8")
    def _():
        box = imap(server, user)
        for name in ("Archive", "Archive/2026", "&AMk-t&AOk-"):          # Été
            same(box.create(name)[0], "OK")
        for i in range(30):
            box.append("INBOX", "(\\Seen)" if i % 3 == 0 else None, None, text(user, user, f"m{i}", f"body {i}\r\n"))
        box.append("Archive/2026", "(\\Flagged \\Answered)", None, text(user, user, "old"))
        box.append("&AMk-t&AOk-", None, None, text(user, user, "summer"))
        box.logout()
        first["m"] = m = Mbsync(server, work, user)
        m.sync()
        same([len(m.files(n)) for n in ("INBOX", "Archive", "Archive/2026", "&AMk-t&AOk-")], [30, 0, 1, 1])
        same(sum(f.endswith(":2,S") for f in m.files("INBOX")), 10)
        assert m.files("Archive/2026")[0].endswith(":2,FRS") or m.files("Archive/2026")[0].endswith(":2,FR"), m.files("Archive/2026")

    @case("mbsync: changes of both sides meet: flags, deletes, new mail, a new mailbox")
    def _():
        m = first["m"]
        files = m.files("INBOX")
        by_subject = {re.search(rb"Subject: (\w+)", open(f, "rb").read()).group(1).decode(): f for f in files}
        os.unlink(by_subject["m1"])
        os.rename(by_subject["m2"], m.dir + "/mail/INBOX/cur/" + os.path.basename(by_subject["m2"]).split(":")[0] + ":2,FS")
        os.makedirs(m.dir + "/mail/Made here/cur"), os.makedirs(m.dir + "/mail/Made here/new"), os.makedirs(m.dir + "/mail/Made here/tmp")
        with open(m.dir + "/mail/Made here/new/1.near", "wb") as f:
            f.write(text(user, user, "near", "from near\r\n").replace(b"\r\n", b"\n"))
        box = imap(server, user)
        box.select("INBOX")
        _, found = box.search(None, "SUBJECT", "m4")
        box.store(found[0].split()[0], "+FLAGS", "\\Deleted")
        box.expunge()
        _, found = box.search(None, "SUBJECT", "m5")
        box.store(found[0].split()[0], "+FLAGS", "\\Flagged")
        box.logout()
        submit(server, ALICE, user, text(ALICE, user, "fresh"))
        m.sync()
        same(len(m.files("INBOX")), 30 - 2 + 1)
        subjects = [re.search(rb"Subject: (\w+)", raw).group(1) for raw in inbox(server, user)]
        assert b"m1" not in subjects and b"m4" not in subjects and b"fresh" in subjects, subjects
        assert sum("\\Flagged" in f for f in flags_of(server, user, "INBOX")) == 2
        assert any(f.endswith(":2,F") for f in m.files("INBOX")), m.files("INBOX")
        same(len(flags_of(server, user, "Made here")), 1)

    @case("mbsync: a further run changes nothing")
    def _():
        m = first["m"]
        before = {n: m.files(n) for n in ("INBOX", "Archive/2026", "Made here", "&AMk-t&AOk-")}
        modseq = server.sql("SELECT name, highestmodseq FROM mailbox ORDER BY account_id, id")
        m.sync()
        same({n: m.files(n) for n in before}, before)
        same(server.sql("SELECT name, highestmodseq FROM mailbox ORDER BY account_id, id"), modseq)


def with_mutt(server, work):
    user = "mutt@example.test"
    rc = os.path.join(work, "muttrc")
    with open(rc, "w") as f:
        f.write(f"set smtp_url=smtp://{user.replace('@', '%40')}@localhost:{server.port('SUBMISSION')}/\nset smtp_pass=secret\n"
                f"set imap_user={user}\nset imap_pass=secret\nset ssl_force_tls=yes\nset ssl_starttls=yes\nset from={user}\nset realname=M\n"
                f"set use_from=yes\nset certificate_file={server.endpoints['CERTIFICATE']}\nset ssl_verify_host=yes\nset copy=no\n"
                "set charset=utf-8\nset send_charset=utf-8\nset confirmappend=no\nset delete=yes\nset mark_old=no\nset wait_key=no\nset quit=yes\n"
                f"set folder=imap://localhost:{server.port('IMAP')}/\nset header_cache=\nset record=\nset postponed=\nset move=no\n")
    env = {**os.environ, "HOME": work, "TERM": "vt100", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    folder = f"imap://localhost:{server.port('IMAP')}/"

    def mutt(*words, input=b""):
        return run("mutt", "-n", "-F", rc, *words, input=input, env=env)

    @case("mutt: sends through submission under TLS, with an attachment and words beyond ASCII")
    def _():
        attached = os.path.join(work, "attached.bin")
        with open(attached, "wb") as f:
            f.write(bytes(range(256)) * 1000)
        before = len(inbox(server, BOB))
        mutt("-s", "Grüße – olá", "-a", attached, "--", BOB, input="Corpo em português: ação\n".encode())
        raw = wait_inbox(server, BOB, before + 1)[-1]
        m = email.message_from_bytes(raw, policy=email.policy.default)
        same((m["Subject"], m.get_body().get_content().strip()), ("Grüße – olá", "Corpo em português: ação"))
        same([a.get_content() for a in m.iter_attachments()], [bytes(range(256)) * 1000])
        assert b"with ESMTPSA (TLSv1." in raw.replace(b"\r\n\t", b" "), raw[:400]

    @case("mutt: reads and changes a mailbox over IMAP: flag, delete, save")
    def _():
        box = imap(server, user)
        box.create("Kept")
        for name in ("one", "two", "three"):
            box.append("INBOX", None, None, text(ALICE, user, name))
        box.logout()
        keys = "<tag-pattern>~s one<enter><tag-prefix><flag-message><untag-pattern>.<enter><delete-pattern>~s two<enter>" \
               f"<tag-pattern>~s three<enter><tag-prefix><save-message>{folder}Kept<enter><sync-mailbox><exit>"
        with_terminal(["mutt", "-n", "-F", rc, "-f", folder + "INBOX", "-e", f"push '{keys}'"], env)
        subjects = [re.search(rb"Subject: (\w+)", raw).group(1) for raw in inbox(server, user)]
        same(subjects, [b"one"])
        same(["\\Flagged" in f for f in flags_of(server, user, "INBOX")], [True])
        same(len(flags_of(server, user, "Kept")), 1)


def with_terminal(words, env, seconds=30):
    """Runs a program of the screen on a terminal of its own."""
    ours, its = pty.openpty()
    process = subprocess.Popen(words, stdin=its, stdout=its, stderr=its, env=env, start_new_session=True)
    os.close(its)
    screen, end = b"", time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.2)[0]:
                screen += os.read(ours, 65536)
    except OSError:  # EIO: the program has closed its terminal
        pass
    finally:
        os.close(ours)
        if time.monotonic() >= end:
            process.kill()
    process.wait()
    assert process.returncode == 0, f"exit {process.returncode}: {screen[-2000:]!r}"


def main():
    work = tempfile.mkdtemp(prefix="cli", dir="/tmp")
    try:
        with Server() as server:
            server.accounts(["alice", "bob", "sync", "mutt"])
            with_curl(server, work)
            with_mbsync(server, work)
            with_mutt(server, work)
            harness.run()
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
