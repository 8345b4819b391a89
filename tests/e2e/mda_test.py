#!/usr/bin/env python3
"""Mailboxes outside PostgreSQL: Maildir, mbox, programs, LMTP, .forward, each with the real program and with trouble."""
import fcntl
import glob
import mailbox
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from elsewhere import ACCOUNTS, NAMES, UnixUser, hold, is_queued, messages, on_screen, place, script, send, server_for, wait_gone, waiting  # noqa: E402
from harness import case, same                                           # noqa: E402
from mail import inbox                                                   # noqa: E402
from server import Server                                                # noqa: E402
from sink import wait_for                                                # noqa: E402

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
        config = user.write("muttrc", f"set folder={user.home}\nset record=\nset postponed=\nset header_cache=\nset wait_key=no\nset quit=yes\nset move=no\n\n")
        keys = "push '<first-entry><pipe-message>cat >> seen<enter><last-entry><pipe-message>cat >> seen<enter><exit>'"
        on_screen(user, "mutt", "-n", "-F", config, "-f", box, "-e", keys)
        with open(user.path("seen")) as f:
            seen = f.read()
        assert "Subject: one" in seen and "Subject: two" in seen, seen
        pinerc = user.write("pinerc", "user-domain=example.test\nlast-version-used=9.99\n")
        shown = on_screen(user, "alpine", "-p", pinerc, "-i", "-f", box, until="with 2 messages")
        assert "with 2 messages" in shown, shown
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
            server.ctl("alias", "add", f"{name}@example.test", "m01@example.test")
            server.sql(f"UPDATE alias_member SET address = '|{name}' WHERE alias_id = (SELECT id FROM alias WHERE address = '{name}@example.test')")
        send(server, "robot@example.test")
        wait_gone(server, "robot@example.test")
        assert "Delivered-To: robot@example.test" in open(user.path("robot.out")).read()
        send(server, "other@example.test")
        wait_for("a reason", lambda: 'no program "other"' in waiting(server, "other@example.test"))


    @case("filter: what the program makes of the message is stored where the script wants it; when it fails, the message itself")
    def _():
        to = "m56@example.test"
        head = 'require ["vnd.correio.filter", "fileinto", "mailbox", "imap4flags"];\n'
        script(server, to, head + 'filter "shout"; fileinto :create :flags "\\\\Seen" "Loud";')
        send(server, to, message="Subject: soft\r\n\r\nsoft words \xe9\r\n..\r\n")
        wait_gone(server, to)
        got, = inbox(server, to, "Loud")
        assert got.startswith(b"Return-Path: <x@elsewhere.test>\r\nX-Shouted: yes\r\nReceived: "), got
        assert got.endswith(b"Subject: soft\r\n\r\nSOFT WORDS \xc3\xa9\r\n.\r\n"), got
        same(server.value(f"SELECT flags FROM message WHERE account_id = (SELECT id FROM account WHERE address = '{to}')"), "1")
        for name in ("fails", "silent", "garbage", "endless"):
            script(server, to, head + f'filter "{name}";')
            before = len(inbox(server, to))
            send(server, to, message=f"Subject: {name}\r\n\r\nas it came\r\n")
            wait_for(f"the message ({name})", lambda: len(inbox(server, to)) == before + 1, 30)
            assert inbox(server, to)[-1].endswith(f"Subject: {name}\r\n\r\nas it came\r\n".encode()), inbox(server, to)[-1]

    @case("filter: a mailbox elsewhere has the program's message, too")
    def _():
        to = place(server, f"maildir:{user.path('filtered')}", user)
        script(server, to, 'require "vnd.correio.filter"; filter "shout";')
        send(server, to)
        wait_gone(server, to)
        got, = messages(user.path("filtered"))
        assert "X-Shouted: yes" in got and got.rstrip().endswith("HELLO"), got


LETTERS = "abcdefghijklmnopqrstuvwxyz"
SHOUT = f"#!/bin/sh\necho X-Shouted: yes\nexec sed '1,/^$/!y/{LETTERS}/{LETTERS.upper()}/'\n"
FILTERS = {"shout": SHOUT, "fails": "#!/bin/sh\ncat; exit 1\n", "silent": "#!/bin/sh\ncat >/dev/null\n",
           "garbage": "#!/bin/sh\necho no header here\n", "endless": "#!/bin/sh\nexec cat /dev/zero\n"}


def main():
    user = UnixUser()
    try:
        robot = f"robot={user.name}:/bin/sh -c 'cat > $HOME/robot.out'"
        for name, text in FILTERS.items():
            robot += f"; {name}={user.name}:{user.write(name + '.filter', text, 0o700)}"
        with Server(env=server_for(user, CORREIO_MDA_PROGRAMS=robot, CORREIO_MDA_TIME_LIMIT="5s", CORREIO_MDA_FORWARD_FILES="false")) as server:
            server.accounts(ACCOUNTS)
            for part in (with_maildir, with_mbox, with_programs):
                part(server, user)
            harness.run()
    finally:
        user.remove()


main()
