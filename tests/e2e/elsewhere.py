"""Mailboxes outside PostgreSQL, for the tests of this folder: a Unix user of the test's own, accounts that live at a target,
sending to them and looking at what became of it."""
import fcntl
import getpass
import glob
import os
import pty
import pwd
import select
import shutil
import struct
import subprocess
import tempfile
import termios
import time

from harness import same
from sink import wait_for

class UnixUser:
    """A Unix user of the test's own when root runs it, else the caller."""

    def __init__(self, more=""):
        self.made = os.getuid() == 0
        if not self.made:
            self.name = getpass.getuser()
            self.home = tempfile.mkdtemp(prefix="corhome", dir="/tmp")
            return
        self.name = f"cort{more}{os.getpid()}"
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

    def run(self, *args, more=None, **kw):
        """A program as this user; more: of its environment."""
        who = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.made else {}
        env = {"HOME": self.home, "USER": self.name, "LOGNAME": self.name, "PATH": os.environ["PATH"], "TERM": "xterm",
               "LANG": "C.UTF-8", **(more or {})}
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
ACCOUNTS = [f"m{n:02}" for n in range(60)]


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
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
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


def server_for(user, **env):
    """The environment of a server that delivers as this user."""
    return {"CORREIO_QUEUE_RETRY_SCHEDULE": "1s", "CORREIO_DNS_SERVERS": "127.0.0.1:9", "CORREIO_MDA_USERS": user.name + " ghost-user",
            "CORREIO_MDA_FORWARD_FILES": "true", **env}
