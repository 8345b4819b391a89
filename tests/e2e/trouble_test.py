#!/usr/bin/env python3
"""Faults: storage that is unsafe, away, frozen or full; reload, drain; a home that is taken or too long; a bad configuration."""
import imaplib
import os
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from internet import make_certificate                                    # noqa: E402
from mail import imap, inbox, text, tls_context                          # noqa: E402
from server import Lines, Server                                         # noqa: E402
from sink import wait_for                                                # noqa: E402

ALICE = "alice@example.test"


def deliver(server, subject="x", body="hello\r\n"):
    """One message by port 25; the answer that ended it."""
    talk = server.connect("SMTP")
    try:
        talk.reply()
        for line in ("EHLO client.test", "MAIL FROM:<x@elsewhere.test>", f"RCPT TO:<{ALICE}>", "DATA"):
            answer = talk.command(line)
            if answer[0] not in "23":
                return answer
        return talk.command(f"Subject: {subject}\r\n\r\n{body}.")
    finally:
        talk.close()


def wait_served(server):
    def served():
        try:
            return deliver(server, "probe").startswith("250")
        except (OSError, EOFError):
            return False
    wait_for("mail to be taken", served, 90)


def subjects(server):
    return [line for raw in inbox(server, ALICE) for line in raw.decode().split("\r\n") if line.startswith("Subject: n")]


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()]


def signal_tree(pid, sig):
    """The process, then its children."""
    for p in [pid] + children(pid):
        try:
            os.kill(p, sig)
        except ProcessLookupError:
            pass


def with_database(server):
    @case("fsync=off: no mail is taken, reading goes on; put right, all is well")
    def _():
        same(deliver(server)[:3], "250")

        def set_fsync(sql):
            server.sql(sql)
            server.sql("SELECT pg_reload_conf()")
            for pid in server.pids("smtp") + server.pids("access"):     # they look at start and then once a minute
                os.kill(pid, signal.SIGKILL)
        set_fsync("ALTER SYSTEM SET fsync = off")
        try:
            wait_for("the refusal", lambda: (lambda a: a.startswith("451 4.3.0") and "fsync" in a)(deliver_or_none(server)), 20)
            box = wait_for("reading", lambda: reader(server), 20)
            same(box.select("INBOX")[0], "OK")
            answer = box.append("INBOX", None, None, text(ALICE, ALICE))
            assert answer[0] == "NO" and b"[UNAVAILABLE]" in answer[1][0], answer
            assert b"Subject" in box.fetch("1", "(BODY.PEEK[])")[1][0][1]
        finally:
            set_fsync("ALTER SYSTEM RESET fsync")
        wait_served(server)

    @case("PostgreSQL killed and away: 451, -ERR and NO; back again, everything is served")
    def _():
        idle = server.connect("SMTP")
        idle.reply()
        idle.command("EHLO idle.test")
        reading = imap(server, ALICE)
        reading.select("INBOX")
        workers = server.pids("smtp") + server.pids("access")
        master = int(server.read_endpoints()["POSTGRES_PIDS"])
        os.kill(server.process.pid, signal.SIGSTOP)                      # nobody starts it again
        try:
            signal_tree(master, signal.SIGKILL)
            wait_for("451", lambda: deliver(server).startswith("451 4.3.0"), 20)
            same(idle.command("MAIL FROM:<x@elsewhere.test>")[:3], "250")
            same(idle.command("RCPT TO:<bob@example.test>")[:9], "451 4.3.0")
            pop = server.connect("POP3")
            pop.line()
            pop.send(f"USER {ALICE}\r\nPASS secret\r\n")
            pop.line()
            answer = pop.line()
            assert answer.startswith("-ERR [SYS/TEMP]"), answer
            imap4 = server.connect("IMAP")
            imap4.line()
            imap4.send(f"a LOGIN {ALICE} secret\r\n")
            answer = imap4.line()
            assert answer.startswith("a NO [UNAVAILABLE]"), answer
            same(reading.fetch("1", "(BODY.PEEK[])")[0], "NO")
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        wait_served(server)
        same(idle.command("RCPT TO:<bob@example.test>")[:3], "250")
        wait_for("reading again", lambda: reading.fetch("1", "(BODY.PEEK[])")[0] == "OK")   # its process connects by itself
        same(server.pids("smtp") + server.pids("access"), workers)

    @case("the postmaster killed under a query that goes on: the query is ended, and everything is served again")
    def _():
        query = subprocess.Popen(["psql", "-qX", server.database.conninfo + " application_name=busy", "-c",
                                  "DO $$ BEGIN FOR i IN 1..2000000000 LOOP END LOOP; END $$"], stderr=subprocess.DEVNULL)
        seen = "SELECT pid FROM pg_stat_activity WHERE application_name = 'busy' AND state = 'active'"
        backend = wait_for("the query", lambda: server.value(seen), 20)
        master = server.read_endpoints()["POSTGRES_PIDS"]
        os.kill(int(master), signal.SIGKILL)
        wait_for("the next postmaster", lambda: server.read_endpoints().get("POSTGRES_PIDS", master) != master, 30)
        wait_served(server)
        assert query.wait(20) != 0 and not os.path.exists(f"/proc/{backend}/cwd")

    @case("asked to stop while PostgreSQL recovers from the death of a child: it stops, and recovers at the next start")
    def _():
        server.sql("CREATE TABLE filler (x text); CHECKPOINT; "
                   "INSERT INTO filler SELECT repeat(md5(i::text), 30) FROM generate_series(1, 300000) i")
        master = server.read_endpoints()["POSTGRES_PIDS"]
        os.kill(children(master)[0], signal.SIGKILL)
        wait_for("its recovery", lambda: any("startup recovering" in title(pid) for pid in children(master)))
        server.stop()
        same(server.status, 0)
        server.start()
        same(server.value("SELECT count(*) FROM filler"), "300000")
        server.sql("DROP TABLE filler")

    @case("PostgreSQL frozen for a moment: the answer comes late, and once")
    def _():
        master = int(server.read_endpoints()["POSTGRES_PIDS"])
        talk = server.connect("SMTP")
        talk.reply()
        for line in ("EHLO client.test", "MAIL FROM:<x@elsewhere.test>", f"RCPT TO:<{ALICE}>", "DATA"):
            talk.command(line)
        signal_tree(master, signal.SIGSTOP)
        try:
            talk.send("Message-ID: <frozen@client.test>\r\n\r\nhello\r\n.\r\n")
            talk.sock.settimeout(1)
            try:
                raise AssertionError("answered without the database: " + talk.line())
            except TimeoutError:
                pass
        finally:
            signal_tree(master, signal.SIGCONT)
        talk.sock.settimeout(20)
        talk.file = talk.sock.makefile("rb")                             # a file that timed out reads no more
        same(talk.reply()[-1][:3], "250")
        same(server.value("SELECT count(*) FROM email WHERE message_id = 'frozen@client.test'"), "1")


def title(pid):
    try:
        with open(f"/proc/{pid}/cmdline", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def deliver_or_none(server):
    try:
        return deliver(server)
    except (OSError, EOFError):
        return ""


def reader(server):
    try:
        return imap(server, ALICE)
    except (OSError, EOFError, imaplib.IMAP4.error):
        return None


def full_disk():
    @case("a full disk under PostgreSQL: refused with 4xx, nothing acknowledged is lost, and it goes on when there is room")
    def _():
        server = Server()
        os.mkdir(server.home + "/pg", 0o700)
        shutil.chown(server.home + "/pg", "correio-db", "correio-db")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m,mode=700,uid=correio-db", "tmpfs", server.home + "/pg"], check=True)
        try:
            with server:
                server.accounts(["alice"])
                fill_and_free(server)
        finally:
            subprocess.run(["umount", "-l", server.home + "/pg"], capture_output=True)
            shutil.rmtree(server.home, ignore_errors=True)


def fill_and_free(server):
    ballast, answers = server.home + "/pg/ballast", []
    room = os.statvfs(server.home + "/pg")
    with open(ballast, "wb") as f:
        os.posix_fallocate(f.fileno(), 0, room.f_bavail * room.f_frsize - (8 << 20))
    while answers.count("250") >= len(answers) - 10 and len(answers) < 400:
        body = "".join(os.urandom(36).hex() + "\r\n" for _ in range(3000))  # which no compression makes small
        try:
            answers.append(deliver(server, f"n{len(answers)}", body)[:3])
        except (OSError, EOFError):
            answers.append("none")
    assert answers[0] == "250" and set(answers) - {"250", "none"} <= {"451", "452"} and len(set(answers)) > 1, answers
    os.unlink(ballast)
    wait_served(server)
    wait_for("reading", lambda: reader(server))                          # each process finds the database by itself
    want = [f"Subject: n{i}" for i, a in enumerate(answers) if a == "250"]
    got = subjects(server)
    assert len(got) == len(set(got)) and set(want) <= set(got), (len(want), len(got))


def with_signals(work):
    certificate, key = make_certificate(work, "localhost")

    def peer_certificate(sock):
        return ssl.DER_cert_to_PEM_cert(sock.getpeercert(True))

    def imaps(server):
        sock = tls_context().wrap_socket(socket.create_connection(("127.0.0.1", server.port("IMAPS")), 20))
        return sock, Lines(sock)

    server = Server(env={"CORREIO_TLS_CERTIFICATE": certificate, "CORREIO_TLS_KEY": key})

    @case("SIGHUP: new connections see the new certificate, old ones go on")
    def _():
        sock, old = imaps(server)
        old.line()
        with open(certificate) as f:
            first = f.read()
        same(peer_certificate(sock).split(), first.split())
        make_certificate(work, "localhost")
        server.process.send_signal(signal.SIGHUP)
        with open(certificate) as f:
            second = f.read()
        assert first != second

        def seen():
            fresh, talk = imaps(server)                                  # no handshake fails meanwhile
            pem = peer_certificate(fresh)
            talk.close()
            return pem.split() == second.split()
        wait_for("the new certificate", seen)
        smtp = smtplib.SMTP("127.0.0.1", server.port("SMTP"))
        smtp.starttls(context=tls_context())
        same(peer_certificate(smtp.sock).split(), second.split())
        old.send(f"a LOGIN {ALICE} secret\r\n")
        assert old.line().startswith("a OK")

    @case("SIGTERM: what is under way is finished, idle sessions are told, then the server ends")
    def _():
        talks = {name: server.connect(name) for name in ("SMTP", "POP3", "IMAP", "SUBMISSION")}
        for name, talk in talks.items():
            talk.line()
        data = server.connect("SMTP")
        data.reply()
        for line in ("EHLO client.test", "MAIL FROM:<x@elsewhere.test>", f"RCPT TO:<{ALICE}>"):
            data.command(line)
        same(data.command("DATA")[:3], "354")
        data.send("Subject: n1\r\n\r\nhalf")
        server.process.send_signal(signal.SIGTERM)
        for name, want in (("SMTP", "421 4.3.2"), ("SUBMISSION", "421 4.3.2"), ("POP3", "-ERR"), ("IMAP", "* BYE")):
            got = talks[name].line()
            assert got.startswith(want), (name, got)
        same(data.command(" and half\r\n.")[:3], "250")
        got = data.line()
        assert got.startswith("421 4.3.2"), got
        server.stop()
        same((server.status, os.path.exists(server.home + "/run/endpoints")), (0, False))
        server.start()
        same(subjects(server), ["Subject: n1"])
    return server


def run_correiod(server, *words, **env):
    return subprocess.run([server.prefix + "/sbin/correiod", *words], env={**server.env, **env}, capture_output=True, text=True,
                          timeout=30, stdin=subprocess.DEVNULL)


def with_homes(server, other, work):
    @case("two servers side by side: the same address, each its own mail")
    def _():
        for s in (server, other):
            same(deliver(s, "n-" + os.path.basename(s.home))[:3], "250")
        same([subjects(s)[-1] for s in (server, other)], ["Subject: n-" + os.path.basename(s.home) for s in (server, other)])
        assert set(server.read_endpoints()["PIDS"].split(",")).isdisjoint(other.read_endpoints()["PIDS"].split(","))

    @case("a second supervisor in the same home is refused, and the first goes on")
    def _():
        r = run_correiod(server)
        same((r.returncode, r.stderr.strip().endswith("another server runs in " + server.home)), (1, True))
        same(deliver(server)[:3], "250")

    @case("a CORREIO_HOME that is too long for its sockets is refused with a sentence")
    def _():
        home = work + "/" + "h" * 90
        r = run_correiod(server, CORREIO_HOME=home)
        same((r.returncode, "CORREIO_HOME is too long" in r.stderr, os.path.exists(home)), (1, True, False))
        r = run_correiod(server, "check", CORREIO_HOME=home)
        same((r.returncode, "CORREIO_HOME is too long" in r.stderr), (2, True))

    @case("correiod check: every mistake with its file and line")
    def _():
        path = work + "/correio.conf"
        with open(path, "w") as f:
            f.write("[listen]\nsmtp = 127.0.0.1:0\n\n[relay]\nport = many\n\n[queue]\nexpire = soon\n[colour]\nred = 1\nnonsense\n")
        r = run_correiod(server, "check", CORREIO_CONFIG=path, CORREIO_LISTEN_SNMP="x")
        same(r.returncode, 2)
        lines = r.stderr.splitlines()
        for want in (f"{path}:5: [relay] port:", f"{path}:8: [queue] expire:", f"{path}:10: [colour] red:", f"{path}:11:",
                     "environment: CORREIO_LISTEN_SNMP:"):
            assert any(line.startswith(want) for line in lines), (want, lines)
        with open(path, "w") as f:
            f.write("[queue]\nexpire = 3d\n")
        same(run_correiod(server, "check", CORREIO_CONFIG=path).returncode, 0)

    @case("correiod links neither libpq nor OpenSSL nor json-c")
    def _():
        program = server.prefix + "/sbin/correiod"
        linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        symbols = subprocess.run(["nm", "-D", "--undefined-only", program], capture_output=True, text=True, check=True).stdout
        for name in ("libpq", "libssl", "libcrypto", "libjson", "libmicrohttpd"):
            assert name not in linked, linked
        for name in (" PQ", " SSL_", " EVP_", " json_"):
            assert name not in symbols, symbols


def main():
    work = tempfile.mkdtemp(prefix="trb", dir="/tmp")
    os.chmod(work, 0o755)
    try:
        server = with_signals(work)
        with server, Server() as second:                                 # side by side
            for s in (server, second):
                s.accounts(["alice", "bob"])
            with_homes(second, server, work)
            with_database(second)
            if os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0:
                full_disk()
            else:
                print("skip a full disk: only root may mount a small file system")
            harness.run()
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
