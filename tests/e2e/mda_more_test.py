#!/usr/bin/env python3
"""Mailboxes outside PostgreSQL: LMTP, .forward, a crash and a stop while something is delivered."""
import mailbox
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from elsewhere import ACCOUNTS, UnixUser, is_queued, messages, place, send, server_for, wait_gone, waiting  # noqa: E402
from harness import case, same                                           # noqa: E402
from mail import inbox                                                   # noqa: E402
from server import Server                                                # noqa: E402
from sink import wait_for                                                # noqa: E402


def with_lmtp(server, user):
    @case("lmtp: one transaction, one answer for each recipient; a socket that is away: it waits")
    def _():
        with Server() as other:
            other.accounts(["m10", "m11", "m12"])
            path = other.endpoints["LMTP_SOCKET"]
            os.chmod(path, 0o666)
            names = [place(server, f"lmtp:{path}", None, n) for n in ("m10", "m11", "m12", "m13")]
            other.sql("UPDATE account_state SET quota_messages = 0 WHERE account_id = (SELECT id FROM account WHERE address = 'm11@example.test')")
            for to in names:
                send(server, to)
            wait_for("all but one", lambda: [is_queued(server, n) for n in names] == [False, True, False, False], 30)
            same([len(inbox(other, n)) for n in ("m10@example.test", "m12@example.test")], [1, 1])
            assert waiting(server, "m11@example.test").startswith("452 4.2.2"), waiting(server, "m11@example.test")
            place(server, f"lmtp:127.0.0.1:{other.port('LMTP')}", None, "m14")
            other.accounts(["m14"])
            send(server, "m14@example.test")
            wait_gone(server, "m14@example.test")
        send(server, "m14@example.test")
        wait_for("a reason", lambda: "could not connect" in waiting(server, "m14@example.test"))


DOVECOT = """base_dir = {0}/run
protocols = lmtp
log_path = {0}/log
ssl = no
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
mail_location = maildir:~/Maildir
postmaster_address = postmaster@example.test
passdb {{
  driver = passwd-file
  args = {0}/users
}}
userdb {{
  driver = passwd-file
  args = {0}/users
}}
service lmtp {{
  unix_listener {0}/lmtp.sock {{
    mode = 0666
  }}
}}
"""


class Dovecot:
    """Dovecot's LMTP with one mailbox, started by root."""

    def __init__(self, user, address):
        self.dir = tempfile.mkdtemp(prefix="cordov", dir="/tmp")
        os.chmod(self.dir, 0o755)
        self.socket, self.maildir = self.dir + "/lmtp.sock", user.path("dovecot/Maildir")
        with open(self.dir + "/conf", "w") as f:
            f.write(DOVECOT.format(self.dir))
        with open(self.dir + "/users", "w") as f:
            f.write(f"{address}:{{PLAIN}}x:{user.uid}:{user.gid}::{user.path('dovecot')}::\n")

    def __enter__(self):
        self.process = subprocess.Popen(["dovecot", "-F", "-c", self.dir + "/conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("Dovecot", lambda: os.path.exists(self.socket), 20)
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.dir, ignore_errors=True)


def with_dovecot(server, user):
    @case("lmtp: Dovecot has the message in its mailbox; whom it does not know bounces; stopped, it waits and comes later")
    def _():
        if not user.made:
            return
        os.mkdir(user.path("dovecot"), 0o700)
        os.chown(user.path("dovecot"), user.uid, user.gid)
        with Dovecot(user, "m20@example.test") as dovecot:
            known, unknown = (place(server, f"lmtp:{dovecot.socket}", None, n) for n in ("m20", "m21"))
            before = len(inbox(server, "m55@example.test"))
            send(server, known, sender="m55@example.test", message="Subject: to Dovecot\r\n\r\n.. dots\r\n")
            send(server, unknown, sender="m55@example.test")
            wait_gone(server, known)
            wait_gone(server, unknown)
            got, = messages(dovecot.maildir)
            assert "Subject: to Dovecot" in got and "Return-Path: <m55@example.test>" in got, got
            assert got.replace("\r", "").endswith("\n\n. dots\n"), got
            wait_for("the bounce", lambda: len(inbox(server, "m55@example.test")) > before, 30)
            assert "5.1.1" in inbox(server, "m55@example.test")[-1].decode()
            os.rename(dovecot.socket, dovecot.socket + ".away")
            send(server, known)
            wait_for("a reason", lambda: "could not connect" in waiting(server, known))
            os.rename(dovecot.socket + ".away", dovecot.socket)
            wait_gone(server, known)
            same(len(messages(dovecot.maildir)), 2)


def with_forward(server, user):
    @case(".forward: an address, a program, a file and the own mailbox; each once; a loop ends in the mailbox")
    def _():
        box = user.path("fwd")
        to = place(server, f"maildir:{box}", user)
        user.write("tee", f"#!/bin/sh\ncat > {user.home}/tee.out\n", 0o700)
        user.write(".forward", f'# mine\n\\{user.name}, m57@example.test\n"|{user.home}/tee"\n{user.home}/fwd.mbox\n')
        send(server, to)
        wait_gone(server, to)
        wait_for("the forwarded one", lambda: len(inbox(server, "m57@example.test")) == 1, 30)
        assert f"Delivered-To: {to}" in inbox(server, "m57@example.test")[0].decode()
        same((len(messages(box)), len(mailbox.mbox(user.path("fwd.mbox"))), os.path.exists(user.path("tee.out"))), (1, 1, True))
        send(server, to, message=f"Delivered-To: {to}\r\nSubject: back\r\n\r\nx\r\n")
        wait_gone(server, to)
        same((len(messages(box)), len(mailbox.mbox(user.path("fwd.mbox")))), (2, 1))

    @case(".forward: malformed, or others may write it: it waits, nothing is lost")
    def _():
        to = place(server, f"maildir:{user.path('fwd2')}", user)
        user.write(".forward", ":include:/etc/passwd\n")
        send(server, to)
        wait_for("a reason", lambda: "malformed in line 1" in waiting(server, to))
        user.write(".forward", "m57@example.test\n", 0o666)
        wait_for("a reason", lambda: "others may write" in waiting(server, to))
        os.unlink(user.path(".forward"))
        wait_gone(server, to)
        same(len(messages(user.path("fwd2"))), 1)


def with_crash(server, user):
    @case("kill -9 of the mda while it delivers: every message arrives at least once, none is lost")
    def _():
        script = user.write("slowly", f"#!/bin/sh\nsleep 0.2; cat > {user.home}/got/$$.$(date +%N)\n", 0o700)
        os.mkdir(user.path("got"))
        os.chown(user.path("got"), user.uid, user.gid)
        to = place(server, f"pipe:{script}", user)
        wanted = [f"number {n}" for n in range(12)]
        for subject in wanted:
            send(server, to, message=f"Subject: {subject}\r\n\r\nx\r\n")
        for _ in range(2):
            wait_for("one of them", lambda: len(os.listdir(user.path("got"))) > 0, 30)
            pid, = server.pids("mda")
            os.kill(pid, signal.SIGKILL)
            wait_for("another mda", lambda: server.pids("mda") not in ([], [pid]), 30)
        wait_gone(server, to)
        got = [line for name in os.listdir(user.path("got")) for line in open(f"{user.home}/got/{name}").read().splitlines()
               if line.startswith("Subject:")]
        same(sorted({g.split(": ", 1)[1] for g in got}), sorted(wanted))
        print(f"     ({len(got)} deliveries of {len(wanted)} messages)")

    @case("a stop of the server while a program runs: the message waits and comes afterwards")
    def _():
        flag = user.path("stop.flag")
        script = user.write("waits", f"#!/bin/sh\n[ -e {flag} ] || {{ touch {flag}; sleep 1000; }}\ncat > {user.home}/stop.out\n", 0o700)
        to = place(server, f"pipe:{script}", user)
        send(server, to)
        wait_for("the program", lambda: os.path.exists(flag), 30)
        server.stop()
        same(server.status, 0)
        server.start()
        wait_gone(server, to)
        assert "Subject: hello" in open(user.path("stop.out")).read()


def main():
    user = UnixUser()
    try:
        with Server(env=server_for(user)) as server:
            server.accounts(ACCOUNTS)
            for part in (with_lmtp, with_dovecot, with_forward, with_crash):
                part(server, user)
            harness.run()
    finally:
        user.remove()


main()
