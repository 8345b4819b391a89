#!/usr/bin/env python3
"""An outside PostgreSQL by TCP and passwords, whose owner is no superuser, and two nodes on it."""
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from mail import inbox, submit, wait_inbox                               # noqa: E402
from server import Server                                                # noqa: E402
from sink import wait_for                                                # noqa: E402

ALICE, ADMIN = "alice@example.test", "root@example.test"
KINDS = "auth smtp access relay mda api".split()


class Postgres:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="corpg", dir="/tmp")
        self.bin = sorted(os.listdir("/usr/lib/postgresql"), key=int)[-1]
        self.bin = f"/usr/lib/postgresql/{self.bin}/bin"
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.user:
            shutil.chown(self.dir, "postgres")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]

    def run(self, *args):
        subprocess.run([*self.user, *args], cwd="/", check=True, capture_output=True)

    def psql(self, *commands, database="postgres"):
        self.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.dir, "-p", str(self.port), "-U", "postgres", database,
                 *[a for c in commands for a in ("-c", c)])

    def __enter__(self):
        self.run(self.bin + "/initdb", "-D", self.dir + "/data", "--encoding=UTF8", "--locale=C", "--auth-local=trust",
                 "--auth-host=scram-sha-256", "--username=postgres")
        self.run(self.bin + "/pg_ctl", "-w", "-D", self.dir + "/data", "-l", self.dir + "/log", "-o",
                 f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self.dir} -c shared_buffers=32MB", "start")
        self.psql("CREATE ROLE correio_owner LOGIN CREATEROLE PASSWORD 'the owner''s own'", "CREATE DATABASE correio OWNER correio_owner",
                  )
        self.psql("ALTER SCHEMA public OWNER TO correio_owner", database="correio")
        return self

    def __exit__(self, *exc):
        subprocess.run([*self.user, self.bin + "/pg_ctl", "-D", self.dir + "/data", "-m", "immediate", "stop"], cwd="/", capture_output=True)
        shutil.rmtree(self.dir, ignore_errors=True)


def secret(server, kind):
    with open(f"{server.home}/secrets/correio_{kind}") as f:
        return f.read()


@case("the first administrator is made by address and password file, once")
def administrator(one, two):
    accounts = one.ctl("account", "list", "--json").stdout
    same((accounts.count(ADMIN), "active" in accounts), (1, True))
    submit(one, ADMIN, ADMIN)                                            # the password is the file's
    wait_inbox(two, ADMIN)


@case("each role's password is in a file that its process alone reads, and both nodes have the same")
def secrets(one, two):
    for kind in KINDS:
        st = os.stat(f"{one.home}/secrets/correio_{kind}")
        same(stat.S_IMODE(st.st_mode) & 0o037, 0)
        same(secret(one, kind), secret(two, kind))
        same(len(secret(one, kind)), 48)
    same(len({secret(one, kind) for kind in KINDS}), len(KINDS))
    with open(f"/proc/{one.pids('smtp')[0]}/environ") as f:
        assert "the owner's own" not in f.read()


@case("mail that one node takes is read at the other")
def shared(one, two):
    one.ctl("account", "add", ALICE, "--password-file", "-", input="secret\n")
    submit(two, ALICE, ALICE)
    wait_inbox(one, ALICE)
    submit(one, ALICE, ALICE)
    wait_inbox(two, ALICE, 2)


@case("a node that starts again keeps the others' passwords right")
def again(one, two):
    two.stop()
    two.start()
    for kind in ("access", "smtp", "auth"):
        pid = one.pids(kind)[0]
        os.kill(pid, 9)
        wait_for(f"another {kind} process", lambda: one.pids(kind)[0] not in (0, pid))
    wait_for("readiness", lambda: one.ctl("ready", check=False).returncode == 0)
    wait_for("mail", lambda: len(inbox(one, ALICE)) == 2)
    submit(one, ALICE, ALICE)
    wait_inbox(two, ALICE, 3)


@case("a password file that is not there is told, and nothing starts")
def missing(one, two):
    two.stop()
    try:
        two.start(CORREIO_DATABASE_PASSWORD_FILE="/nonexistent/password")
        raise AssertionError("it started")
    except RuntimeError as e:
        assert "/nonexistent/password" in str(e), e
        two.process = None
    two.start()


with Postgres() as postgres, tempfile.TemporaryDirectory(prefix="corsec", dir="/tmp") as secrets_dir:
    os.chmod(secrets_dir, 0o755)
    for name, text in (("owner", "the owner's own"), ("admin", "secret")):
        with open(f"{secrets_dir}/{name}", "w") as f:
            f.write(text + "\n")
        os.chmod(f.name, 0o600)
    env = {"CORREIO_DATABASE_URL": f"postgresql://correio_owner@127.0.0.1:{postgres.port}/correio?target_session_attrs=read-write",
           "CORREIO_DATABASE_PASSWORD_FILE": secrets_dir + "/owner", "CORREIO_ADMIN_ADDRESS": ADMIN,
           "CORREIO_ADMIN_PASSWORD_FILE": secrets_dir + "/admin"}
    with Server(env) as one, Server({**env, "CORREIO_SERVER_NODE": "mail2.example.test"}) as two:
        harness.run(one, two)
