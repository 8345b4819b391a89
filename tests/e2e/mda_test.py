#!/usr/bin/env python3
"""Mailboxes outside PostgreSQL: Maildir, mbox, programs, LMTP, .forward, each with the real program and with trouble."""
import fcntl
import getpass
import glob
import mailbox
import os
import pty
import pwd
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from mail import inbox                                                   # noqa: E402
from server import Server                                                # noqa: E402
from sink import wait_for                                                # noqa: E402

RETRY = {"CORREIO_QUEUE_RETRY_SCHEDULE": "1s"}


class UnixUser:
    """A Unix user of the test's own when root runs it, else the caller."""

    def __init__(self):
        self.made = os.getuid() == 0
        if not self.made:
            self.name = getpass.getuser()
            self.home = tempfile.mkdtemp(prefix="corhome", dir="/tmp")
            return
        self.name = f"cort{os.getpid()}"
        self.home = tempfile.mkdtemp(prefix="corhome", dir="/tmp")
        subprocess.run(["useradd", "-M", "-d", self.home, "-s", "/bin/sh", "-K", "UID_MIN=20000", "-K", "MAIL_DIR=/nonexistent",
                        self.name], check=True, capture_output=True)
        os.chown(self.home, self.uid, self.gid)
        os.chmod(self.home, 0o700)

    @property
    def uid(self):
        return pwd.getpwnam(self.name).pw_uid

    @property
    def gid(self):
        return pwd.getpwnam(self.name).pw_gid

    def run(self, *args, **kw):
        """A program as this user."""
        who = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.made else {}
        env = {"HOME": self.home, "USER": self.name, "LOGNAME": self.name, "PATH": os.environ["PATH"], "TERM": "xterm"}
        return subprocess.run(args, capture_output=True, text=True, env=env, cwd=self.home, **who, **kw)

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.home, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        if self.made:
            os.chown(path, self.uid, self.gid)
        return path

    def path(self, name):
        return os.path.join(self.home, name)

    def remove(self):
        if self.made:
            subprocess.run(["userdel", self.name], check=False, capture_output=True)
        shutil.rmtree(self.home, ignore_errors=True)


NAMES = iter([f"m{n:02}" for n in range(60)])


def place(server, target, user, name=None, more=""):
    """An account that lives at target; its address."""
    address = f"{name or next(NAMES)}@example.test"
    unix = f"'{user.name}'" if user else "NULL"
    server.sql(f"UPDATE account SET delivery = '{target}', delivery_user = {unix} WHERE address = '{address}'")
    return address


def send(server, to, sender="x@elsewhere.test", message="Subject: hello\r\n\r\nhello\r\n", more=""):
    talk = server.connect("SMTP")
    talk.reply()
    talk.command("EHLO client.test")
    same(talk.command(f"MAIL FROM:<{sender}>")[:3], "250")
    same(talk.command(f"RCPT TO:<{to}>{more}")[:3], "250")
    same(talk.command("DATA")[:3], "354")
    talk.send(message + ".\r\n")
    answer = talk.reply()[-1]
    same(answer[:3], "250")
    talk.close()
    return answer.rsplit(" ", 1)[1]


def script(server, to, text):
    """The active Sieve script of an account."""
    server.sql(f"""DELETE FROM sieve_script WHERE account_id = (SELECT id FROM account WHERE address = '{to}');
        INSERT INTO sieve_script (account_id, name, content, hash, active)
        SELECT id, 'test', $sieve${text}$sieve$, sha256(convert_to($sieve${text}$sieve$, 'UTF8')), true FROM account WHERE address = '{to}'""")


def waiting(server, to):
    """The reply for which the recipient waits; '' when it does not."""
    rows = server.sql(f"SELECT coalesce(last_reply, '') FROM queue_recipient WHERE recipient = '{to}' ORDER BY queue_id")
    return rows[0][0] if rows else ""


def is_queued(server, to):
    return server.value(f"SELECT count(*) FROM queue_recipient WHERE recipient = '{to}'") != "0"


def messages(path):
    out = []
    for name in sorted(glob.glob(path + "/new/*") + glob.glob(path + "/cur/*")):
        with open(name, newline="") as f:
            out.append(f.read())
    return out


def wait_gone(server, to):
    wait_for(f"the job of {to}", lambda: not is_queued(server, to), 30)


def with_maildir(server, user):
    @case("maildir: one file in new, Return-Path and Delivered-To in front, LF, mode 600, nothing in tmp")
    def _():
        box = user.path("Maildir")
        to = place(server, f"maildir:{box}", user)
        send(server, to, message="Subject: hello\r\n\r\n.. two dots\r\nhello\r\n")
        wait_gone(server, to)
        got = messages(box)
        same(len(got), 1)
        assert got[0].startswith(f"Return-Path: <x@elsewhere.test>\nDelivered-To: {to}\nReceived: "), got[0]
        assert "\r" not in got[0] and got[0].endswith("\n\n. two dots\nhello\n"), got[0]
        name, = glob.glob(box + "/new/*")
        same((os.stat(name).st_mode & 0o777, os.stat(name).st_uid), (0o600, user.uid))
        same(os.listdir(box + "/tmp"), [])


    @case("maildir: folders of fileinto as Maildir++, flags in cur, what may not be a folder goes to the inbox")
    def _():
        box = user.path("Folders")
        to = place(server, f"maildir:{box}", user)
        script(server, to, 'require ["fileinto", "imap4flags"]; addflag ["\\\\Flagged", "\\\\Seen"]; fileinto "Lists/C.h";')
        send(server, to)
        wait_gone(server, to)
        for folder in ("Gr\u00fc\u00dfe", "../../x", "inbox"):
            script(server, to, f'require "fileinto"; fileinto "{folder}";')
            send(server, to)
        wait_gone(server, to)
        same([os.path.basename(n).rsplit(":", 1)[1] for n in glob.glob(box + "/.Lists.C_h/cur/*")], ["2,FS"])
        same(os.path.exists(box + "/.Lists.C_h/maildirfolder"), True)
        same(len(messages(box + "/.Gr&APwA3w-e")), 1)
        same(len(messages(box + "/.__.__.x")), 1)
        same(len(messages(box)), 1)

    @case("maildir: a missing directory above it, no permission: it waits, and comes when they are put right")
    def _():
        lost = place(server, f"maildir:{user.path('not/there')}", user)
        send(server, lost)
        wait_for("a reason", lambda: "No such file or directory" in waiting(server, lost))
        same(waiting(server, lost)[:9], "451 4.3.0")
        os.mkdir(user.path("not"))
        os.chown(user.path("not"), user.uid, user.gid)
        wait_gone(server, lost)
        same(len(messages(user.path("not/there"))), 1)
        if not user.made:
            return
        os.mkdir(user.path("roots"), 0o700)
        denied = place(server, f"maildir:{user.path('roots/box')}", user)
        send(server, denied)
        wait_for("a reason", lambda: "Permission denied" in waiting(server, denied))
        os.chown(user.path("roots"), user.uid, user.gid)
        wait_gone(server, denied)
        same(os.stat(user.path("roots/box/new")).st_uid, user.uid)

    @case("maildir: a full disk: it waits, leaves nothing behind, and comes when there is room")
    def _():
        if not user.made:
            return
        disk = user.path("disk")
        os.mkdir(disk)
        r = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=64k,uid={user.uid},mode=700", "tmpfs", disk], capture_output=True)
        if r.returncode:
            print("     (no tmpfs here)")
            return
        try:
            to = place(server, f"maildir:{disk}/box", user)
            send(server, to, message="Subject: large\r\n\r\n" + "0123456789\r\n" * 20000)
            wait_for("a reason", lambda: "No space left" in waiting(server, to))
            same(waiting(server, to)[:9], "451 4.2.2")
            same(os.listdir(disk + "/box/tmp") + os.listdir(disk + "/box/new"), [])
            subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
            wait_gone(server, to)
            same(len(messages(disk + "/box")), 1)
        finally:
            subprocess.run(["umount", disk], check=True)

    @case("users: one that mda.users does not name, one that there is not, none, root: it waits and says why")
    def _():
        for unix, why in (("'nobody-of-us'", "not named in mda.users"), ("NULL", "no Unix user is named"),
                          ("'root'", "not named in mda.users"), ("'ghost-user'", "there is no such user")):
            to = place(server, f"maildir:{user.path('nobodys')}", user)
            server.sql(f"UPDATE account SET delivery_user = {unix} WHERE address = '{to}'")
            send(server, to)
            wait_for("a reason", lambda: why in waiting(server, to))
            same(waiting(server, to)[:9], "451 4.3.5")
        same(os.path.exists(user.path("nobodys")), False)

    @case("a domain's target: %u and %d; a local part that must not stand in a path waits")
    def _():
        server.sql(f"UPDATE domain SET delivery = 'maildir:{user.path('of')}-%u', delivery_user = '{user.name}'")
        to = f"{next(NAMES)}@example.test"
        send(server, to)
        wait_gone(server, to)
        same(len(messages(user.path(f"of-{to.split('@')[0]}"))), 1)
        server.accounts(["../etc"])
        send(server, '"../etc"@example.test')
        wait_for("a refusal", lambda: "must not stand" in waiting(server, '"../etc"@example.test'))
        server.sql("UPDATE domain SET delivery = 'store', delivery_user = NULL")
        same(os.path.exists(user.path("of-../etc")), False)

    @case("a mailbox that is in PostgreSQL by now: the message comes there")
    def _():
        to = place(server, f"maildir:{user.path('none/of/it')}", user)
        send(server, to)
        wait_for("a reason", lambda: waiting(server, to) != "")
        server.sql(f"UPDATE account SET delivery = NULL WHERE address = '{to}'")
        wait_for("it in the inbox", lambda: len(inbox(server, to)) == 1, 30)


def with_mbox(server, user):
    @case("mbox: mboxrd with a From_ line; mutt and mail read what was written")
    def _():
        box = user.path("mbox")
        to = place(server, f"mbox:{box}", user)
        send(server, to, message="Subject: one\r\n\r\nFrom here\r\n>From there\r\nfrom\r\n")
        wait_gone(server, to)
        send(server, to, sender="", message="Subject: two\r\n\r\nno line end at the end\r\n")
        wait_gone(server, to)
        with open(box) as f:
            text = f.read()
        assert text.startswith("From x@elsewhere.test "), text
        assert "\n\n>From here\n>>From there\nfrom\n\nFrom MAILER-DAEMON " in text, text
        assert text.endswith("no line end at the end\n\n"), text
        same(os.path.exists(box + ".lock"), False)
        same([m["Subject"] for m in mailbox.mbox(box)], ["one", "two"])
        config = user.write("muttrc", "set header_cache=\nset wait_key=no\nset quit=yes\nset move=no\nset pipe_split=yes\n")
        keys = "push '<tag-pattern>~A<enter><tag-prefix><pipe-message>cat >> seen<enter><exit>'"
        on_screen(user, "mutt", "-n", "-F", config, "-f", box, "-e", keys)
        with open(user.path("seen")) as f:
            seen = f.read()
        assert "Subject: one" in seen and "Subject: two" in seen, seen
        same("two" in on_screen(user, "alpine", "-p", user.write("pinerc", ""), "-f", box, until="two"), True)
        listed = user.run("mail", "-N", "-f", box, input="h\np 1\np 2\nx\n")
        assert "one" in listed.stdout and "no line end at the end" in listed.stdout, listed

    @case("mbox: locked by fcntl, by a dotlock, by a dead one's dotlock")
    def _():
        box = user.write("locked", "")
        to = place(server, f"mbox:{box}", user)
        with open(box, "r+") as f:
            fcntl.lockf(f, fcntl.LOCK_EX)
            send(server, to)
            same(hold(lambda: os.path.getsize(box) == 0), True)
        wait_gone(server, to)
        once = os.path.getsize(box)
        user.write("locked.lock", str(os.getpid()))
        send(server, to)
        same(hold(lambda: os.path.getsize(box) == once), True)
        os.unlink(box + ".lock")
        wait_gone(server, to)
        dead = subprocess.Popen(["true"])
        dead.wait()
        user.write("locked.lock", str(dead.pid))
        send(server, to)
        wait_gone(server, to)
        same(len(mailbox.mbox(box)), 3)
        same(os.path.exists(box + ".lock"), False)

    @case("mbox: a full disk leaves it as it was; a link, another's file: it waits")
    def _():
        link = user.path("link")
        os.symlink("/etc/passwd", link)
        to = place(server, f"mbox:{link}", user)
        send(server, to)
        wait_for("a reason", lambda: waiting(server, to) != "")
        if not user.made:
            return
        disk = user.path("mdisk")
        os.mkdir(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=64k,uid={user.uid},mode=700", "tmpfs", disk],
                          capture_output=True).returncode:
            print("     (no tmpfs here)")
            return
        try:
            to = place(server, f"mbox:{disk}/box", user)
            send(server, to)
            wait_gone(server, to)
            with open(disk + "/box") as f:
                before = f.read()
            send(server, to, message="Subject: large\r\n\r\n" + "0123456789\r\n" * 20000)
            wait_for("a reason", lambda: "No space left" in waiting(server, to))
            wait_for("the cut", lambda: open(disk + "/box").read() == before)
            subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
            wait_gone(server, to)
            same(len(mailbox.mbox(disk + "/box")), 2)
        finally:
            subprocess.run(["umount", disk], check=True)


def with_programs(server, user):
    @case("pipe: the envelope in the environment and in the arguments, nothing else of ours, a fixed PATH, no network")
    def _():
        script = user.write("show", "#!/bin/sh\nenv > env; echo \"$@\" > args; cat > message; ls /proc/self/fd > fds\n"
                            "id -u > id; python3 -c 'import socket; socket.socket(socket.AF_INET)' 2>net; exit 0\n", 0o700)
        to = place(server, f'pipe:{script} -x "two words" $EXTENSION $USER a$USER', user)
        send(server, to.replace("@", "+lists@"), more=" ORCPT=rfc822;first+2Bone@example.test")
        wait_gone(server, to.replace("@", "+lists@"))
        env = dict(line.split("=", 1) for line in open(user.path("env")).read().splitlines())
        want = {"SENDER": "x@elsewhere.test", "RECIPIENT": to.replace("@", "+lists@"), "EXTENSION": "lists",
                "ORIGINAL_RECIPIENT": "first+one@example.test", "LOCAL": to.split("@")[0], "DOMAIN": "example.test",
                "USER": user.name, "HOME": user.home, "PATH": "/usr/local/bin:/usr/bin:/bin"}
        same({k: env.get(k) for k in want}, want)
        same([k for k in env if "CORREIO" in k or "PG" in k], [])
        same(open(user.path("args")).read(), f"-x two words lists {user.name} a$USER\n")
        assert "X-Original-To: first+one@example.test\n" in open(user.path("message")).read()
        same(open(user.path("id")).read().strip(), str(user.uid))
        same([int(f) for f in open(user.path("fds")).read().split() if int(f) > 3], [])
        assert "PermissionError" in open(user.path("net")).read(), open(user.path("net")).read()

    @case("pipe: what the status means; a bounce has the program's first line")
    def _():
        for status, outcome in ((75, "451 4.3.0 word of it"), (67, None), (77, None), (1, None)):
            script = user.write(f"exit{status}", f"#!/bin/sh\necho word of it\necho more >&2\nexit {status}\n", 0o700)
            to = place(server, f"pipe:{script}", user)
            sender = f"m59@example.test"
            before = len(inbox(server, sender))
            send(server, to, sender=sender)
            if outcome:
                wait_for("a reason", lambda: waiting(server, to) == outcome)
                continue
            wait_gone(server, to)
            wait_for("the bounce", lambda: len(inbox(server, sender)) > before, 30)
            notice = inbox(server, sender)[-1].decode()
            assert "word of it" in notice and {67: "5.1.1", 77: "5.7.1", 1: "5.3.0"}[status] in notice, notice

    @case("pipe: ended by a signal, too slow, not there: it waits; what hangs is ended with its children")
    def _():
        for name, text, why in (("kills", "kill -9 $$", "signal 9"), ("slow", "sleep 1000 & echo $! > child; wait", "did not end in 5 s"),
                                ("stops", "kill -STOP $PPID; kill -9 $$", "did not end in 5 s")):
            to = place(server, f"pipe:{user.write(name, '#!/bin/sh' + chr(10) + text + chr(10), 0o700)}", user)
            send(server, to)
            wait_for(f"a reason ({name})", lambda: why in waiting(server, to), 20)
        child = int(open(user.path("child")).read())
        wait_for("the end of the child", lambda: not os.path.exists(f"/proc/{child}"))
        to = place(server, f"pipe:{user.path('absent')} x", user)
        send(server, to)
        wait_for("a reason", lambda: "No such file" in waiting(server, to))

    @case("procmail: procmail -a $EXTENSION -d $USER sorts by its rules")
    def _():
        user.write(".procmailrc", f"LOCKSLEEP=1\nMAILDIR={user.home}\nDEFAULT=$MAILDIR/proc-default\n"
                   ":0:\n* ^Subject: sorted\nproc-sorted\n\nARG = $1\n:0:\n* ARG ?? ^^lists^^\nproc-lists\n")
        to = place(server, "pipe:/usr/bin/procmail -a $EXTENSION -d $USER", user)
        send(server, to, message="Subject: sorted\r\n\r\nx\r\n")
        send(server, to, message="Subject: other\r\n\r\nx\r\n")
        send(server, to.replace("@", "+lists@"))
        for address in (to, to.replace("@", "+lists@")):
            wait_gone(server, address)
        same([len(mailbox.mbox(user.path("proc-" + n))) for n in ("sorted", "default", "lists")], [1, 1, 1])

    @case("maildrop: delivers by .mailfilter, its own refusal bounces, its trouble waits")
    def _():
        subprocess.run(["maildirmake.maildrop" if shutil.which("maildirmake.maildrop") else "maildirmake", user.path("Drop")],
                       check=True)
        subprocess.run(["chown", "-R", f"{user.uid}:{user.gid}", user.path("Drop")], check=True)
        user.write(".mailfilter", f'if (/^Subject: *refuse/)\n{{\n  echo "not this one"\n  EXITCODE=77\n  exit\n}}\nto "{user.path("Drop")}"\n')
        to = place(server, "pipe:/usr/bin/maildrop", user)
        send(server, to)
        wait_gone(server, to)
        same(len(messages(user.path("Drop"))), 1)
        before = len(inbox(server, "m58@example.test"))
        send(server, to, sender="m58@example.test", message="Subject: refuse\r\n\r\nx\r\n")
        wait_gone(server, to)
        wait_for("the bounce", lambda: len(inbox(server, "m58@example.test")) > before, 30)
        assert "not this one" in inbox(server, "m58@example.test")[-1].decode()

    @case("mda.programs: an alias's program runs as its user; one that is not named waits")
    def _():
        for name in ("robot", "other"):
            server.ctl("alias", "add", f"{name}@example.test", "|robot" if name == "robot" else "m01@example.test")
        server.sql("UPDATE alias_member SET address = '|other' WHERE alias_id = (SELECT id FROM alias WHERE address = 'other@example.test')")
        send(server, "robot@example.test")
        wait_gone(server, "robot@example.test")
        assert "Delivered-To: robot@example.test" in open(user.path("robot.out")).read()
        send(server, "other@example.test")
        wait_for("a reason", lambda: 'no program "other"' in waiting(server, "other@example.test"))


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
        server.setting("mda.time_limit", "60s")
        to = place(server, f"pipe:{script}", user)
        wait_for("the setting", lambda: True)
        send(server, to)
        wait_for("the program", lambda: os.path.exists(flag), 30)
        server.stop()
        same(server.status, 0)
        server.start()
        wait_gone(server, to)
        assert "Subject: hello" in open(user.path("stop.out")).read()


def hold(condition, seconds=1.5):
    """Is it true all the time?"""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not condition():
            return False
        time.sleep(0.05)
    return True


def on_screen(user, *words, until=None, seconds=30):
    """A program of the screen on a terminal of its own, until it ends or shows a text; what it showed."""
    ours, its = pty.openpty()
    who = {"user": user.uid, "group": user.gid, "extra_groups": []} if user.made else {}
    env = {"HOME": user.home, "USER": user.name, "LOGNAME": user.name, "PATH": os.environ["PATH"], "TERM": "vt100", "LANG": "C.UTF-8"}
    process = subprocess.Popen(words, stdin=its, stdout=its, stderr=its, env=env, cwd=user.home, start_new_session=True, **who)
    os.close(its)
    screen, end = b"", time.monotonic() + seconds
    try:
        while time.monotonic() < end and not (until and until.encode() in screen):
            if select.select([ours], [], [], 0.2)[0]:
                screen += os.read(ours, 65536)
    except OSError:  # EIO: the program has closed its terminal
        pass
    finally:
        os.close(ours)
        if until or time.monotonic() >= end:
            process.kill()
        process.wait()
    return screen.decode("utf-8", "replace")


def main():
    user = UnixUser()
    try:
        robot = f"robot={user.name}:/bin/sh -c 'cat > $HOME/robot.out'"
        with Server(env={**RETRY, "CORREIO_DNS_SERVERS": "127.0.0.1:9",
                         "CORREIO_MDA_USERS": user.name + " ghost-user", "CORREIO_MDA_PROGRAMS": robot, "CORREIO_MDA_FORWARD_FILES": "true",
                         "CORREIO_LOG_LEVEL": "debug"}) as server:
            server.setting("mda.time_limit", "5s")
            server.accounts([f"m{n:02}" for n in range(60)])
            for part in (with_maildir, with_mbox, with_programs, with_lmtp, with_forward, with_crash):
                part(server, user)
            try:
                harness.run()
            except SystemExit as e:
                if e.code:
                    print(server.tail(60))
                raise
    finally:
        user.remove()


main()
