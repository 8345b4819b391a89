"""A Correio server of a test's own: free ports, a home in /tmp, ended with everything that it started.

    with Server() as s:
        s.domain("example.test"); s.account("alice@example.test", "secret")
        s.port("SMTP")

The programs are those of the prefix in CORREIO_PREFIX (script/test installs each preset into one).  `server.py PREFIX` makes
PREFIX/home, which was started once: a server of that prefix whose name is the usual one begins with a copy of it.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from database import Connection

PREFIX = os.environ.get("CORREIO_PREFIX", "")
START_S = 90


def yescrypt(password):
    """The password's hash in the form that auth makes, by perl, which every Debian has."""
    r = subprocess.run(["perl", "-e", "print crypt($ARGV[0], '$y$jBT$' . 'correiotestsalt0')", password],
                       capture_output=True, text=True, check=True)
    return r.stdout


class Server:
    def __init__(self, env=None, prefix=None):
        self.prefix = prefix or PREFIX
        if not self.prefix:
            raise SystemExit("CORREIO_PREFIX names no installed build (script/test sets it)")
        self.home = tempfile.mkdtemp(prefix="cor", dir="/tmp")
        os.chmod(self.home, 0o755)
        self.log_path = os.path.join(self.home, "log")
        self.process = None
        self.database = Connection(f"host={self.home}/run user=correio_owner dbname=correio")
        listeners = "SMTP SUBMISSION SMTPS POP3 POP3S IMAP IMAPS SIEVE HTTP HTTPS".split()
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("CORREIO_")}
        self.env.update({f"CORREIO_LISTEN_{name}": "127.0.0.1:0" for name in listeners})
        self.env["CORREIO_LISTEN_LMTP"] = f"127.0.0.1:0, {self.home}/run/lmtp.sock"
        self.env.update({
            "CORREIO_HOME": self.home,
            "CORREIO_PATHS_LIBEXEC": self.prefix + "/libexec/correio",
            "CORREIO_PATHS_SQL": self.prefix + "/share/correio/sql",
            "CORREIO_PATHS_WEB": self.prefix + "/share/correio/web",
            "CORREIO_DATABASE_MEMORY": "64 MiB",
            "CORREIO_SERVER_NODE": "mail.example.test",
            "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1:detect_stack_use_after_return=0",
            "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        })
        self.env.update(env or {})
        named = any(key.startswith("CORREIO_SERVER_") for key in env or {})  # its certificate is for another name
        self.template = "" if named else self.prefix + "/home"

    # ---- life ----

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            shutil.rmtree(self.home, ignore_errors=True)
            raise
        return self

    def __exit__(self, *exc):
        self.stop()
        self.report_sanitizers()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self, **env):
        if os.path.isdir(self.template) and not os.path.exists(self.home + "/pg"):
            subprocess.run(["cp", "-a", self.template + "/.", self.home], check=True)
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen([self.prefix + "/sbin/correiod"], env={**self.env, **env}, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, start_new_session=True)
        end = time.monotonic() + START_S
        while not os.path.exists(self.home + "/run/endpoints"):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the server did not start:\n" + self.tail())
            time.sleep(0.02)
        self.read_endpoints()

    def read_endpoints(self):
        with open(self.home + "/run/endpoints") as f:
            self.endpoints = dict(line.strip().split("=", 1) for line in f if "=" in line)
        return self.endpoints

    def stop(self, sig=signal.SIGTERM):
        self.database.close()
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.status = self.process.returncode
        self.process = None
        self.log.close()

    def tail(self, n=40):
        with open(self.log_path, errors="replace") as f:
            return "".join(f.readlines()[-n:])

    def report_sanitizers(self):
        with open(self.log_path, errors="replace") as f:
            text = f.read()
        for sign in ("AddressSanitizer", "LeakSanitizer", "runtime error:"):
            if sign in text:
                at = text.index(sign)
                raise AssertionError("a sanitizer spoke:\n" + text[max(0, at - 500):at + 3000])

    # ---- access ----

    def port(self, name):
        return int(self.endpoints[name + "_PORT"])

    def pids(self, kind):
        self.read_endpoints()
        return [int(p) for p in self.endpoints["PIDS_" + kind.upper()].split(",") if p != "0"]

    def sql(self, text):
        """Rows of the last statement as lists of strings, as the owner of the schema."""
        return self.database.rows(text)

    def value(self, text):
        rows = self.sql(text)
        return rows[0][0] if rows else None

    def ctl(self, *args, input=None, check=True):
        r = subprocess.run([self.prefix + "/bin/correioctl", *args], capture_output=True, text=True, env=self.env,
                           input=input, stdin=None if input is not None else subprocess.DEVNULL)
        if check and r.returncode:
            raise RuntimeError(f"correioctl {' '.join(args)}: exit {r.returncode}: {r.stderr}{r.stdout}")
        return r

    def domain(self, name, *more):
        self.ctl("domain", "add", name, *more)

    def account(self, address, password):
        self.ctl("account", "add", address, "--password-file", "-", input=password + "\n")

    def accounts(self, names, password="secret", domain="example.test"):
        """Many accounts at once, straight into the database: one hash for all."""
        verifier = yescrypt(password)
        self.sql(f"""
            INSERT INTO domain (tenant_id, name) VALUES (1, '{domain}') ON CONFLICT DO NOTHING;
            DO $$ DECLARE a bigint; d bigint; n text; BEGIN
              SELECT id INTO d FROM domain WHERE name = '{domain}';
              FOREACH n IN ARRAY ARRAY[{",".join("'" + n + "'" for n in names)}] LOOP
                INSERT INTO account (tenant_id, domain_id, address) VALUES (1, d, n || '@{domain}') RETURNING id INTO a;
                INSERT INTO address (domain_id, localpart, account_id) VALUES (d, n, a);
                INSERT INTO account_state (account_id) VALUES (a);
                INSERT INTO mailbox (account_id, name, uidvalidity) VALUES (a, 'INBOX', extract(epoch FROM now())::bigint);
                INSERT INTO credential (account_id, kind, verifier) VALUES (a, 0, '{verifier}');
              END LOOP; END $$""")

    def setting(self, key, value):
        """Sets a runtime setting; every process follows within two seconds."""
        value = value.replace("'", "''")
        self.sql(f"INSERT INTO setting (key, value) VALUES ('{key}', to_jsonb('{value}'::text)) ON CONFLICT (key) DO UPDATE "
                 "SET value = excluded.value, version = setting.version + 1; NOTIFY setting")

    def connect(self, name):
        return Lines(socket.create_connection(("127.0.0.1", self.port(name)), 20))


class Lines:
    """A socket that speaks in CR LF lines."""

    def __init__(self, sock):
        self.sock = sock
        self.file = sock.makefile("rb")

    def send(self, text):
        self.sock.sendall(text if isinstance(text, bytes) else text.encode())

    def line(self):
        raw = self.file.readline()
        if not raw:
            raise EOFError("the server closed the connection")
        return raw.decode("utf-8", "replace").rstrip("\r\n")

    def reply(self):
        """All lines of an SMTP reply."""
        lines = []
        while True:
            line = self.line()
            lines.append(line)
            if len(line) < 4 or line[3] != "-":
                return lines

    def command(self, text):
        self.send(text + "\r\n")
        return self.reply()[-1]

    def close(self):
        self.file.close()
        self.sock.close()


if __name__ == "__main__":
    with Server(prefix=sys.argv[1]) as made:
        for name in ("correio", "template1"):  # or autovacuum does it in each copy
            database = Connection(f"host={made.home}/run user=correio_owner dbname={name}")
            database.rows("VACUUM (ANALYZE)")
            database.close()
        made.stop()
        subprocess.run(["cp", "-a", made.home, made.template], check=True)
        os.unlink(made.template + "/log")
