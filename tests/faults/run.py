#!/usr/bin/env python3
"""The ledger: nothing acknowledged is lost, nothing is doubled, whatever dies.

Senders write down every id before DATA and what was answered.  Meanwhile processes are killed: at every fault
point in turn, then each kind of worker and PostgreSQL at random.  A new try of a message has a new id.  At the end

  answered 250          exactly once in its mailbox, by SQL and by IMAP
  answered 5xx          nowhere
  no answer, or 4xx     at most once

CORREIO_PREFIX must be a build with fault points.
"""
import imaplib
import os
import random
import re
import signal
import socket
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
import harness                                  # noqa: E402
import imports                                  # noqa: E402
import outside                                  # noqa: E402
import remote                                   # noqa: E402
from internet import Internet                   # noqa: E402
from server import Lines, Server                # noqa: E402

ROOT = os.path.join(HERE, "..", "..")
USERS = [f"f{i:02}" for i in range(8)]
LOAD_S = float(os.environ.get("FAULT_SECONDS", "3"))
random.seed(4711)


def fault_points(folders, pattern=""):
    """Every fault_point("name") in the sources of these folders."""
    names = set()
    for folder in folders:
        path = os.path.join(ROOT, "daemon", folder)
        for name in os.listdir(path):
            if name.endswith(".c"):
                with open(os.path.join(path, name)) as f:
                    names.update(re.findall(r'fault_point\("(' + pattern + r'[a-z0-9-]+)"\)', f.read()))
    return sorted(names)


class Ledger:
    def __init__(self):
        self.lock, self.answers, self.to = threading.Lock(), {}, {}

    def begin(self, name, users):
        with self.lock:
            self.answers[name], self.to[name] = "none", users

    def end(self, name, code):
        with self.lock:
            self.answers[name] = code

    def count(self, code):
        return sum(1 for c in self.answers.values() if c == code)


def send_some(server, ledger, sender, until):
    n = 0
    while time.monotonic() < until:
        try:
            talk = Lines(socket.create_connection(("127.0.0.1", server.port("SMTP")), 20))
            talk.sock.settimeout(20)
            talk.reply()
            talk.command("EHLO ledger")
            for _ in range(10):
                n += 1
                send_one(talk, ledger, f"id-{os.getpid()}-{sender}-{n}-x", random.sample(USERS, random.choice([1, 1, 2, 3])))
            talk.close()
        except (OSError, EOFError):
            time.sleep(0.02)


def send_one(talk, ledger, name, users):
    if not talk.command("MAIL FROM:<ledger@example.org>").startswith("250"):
        time.sleep(0.05)
        talk.command("RSET")
        return
    good = [u for u in users if talk.command(f"RCPT TO:<{u}@example.test>").startswith("250")]
    if not good:
        talk.command("RSET")
        return
    ledger.begin(name, good)
    if not talk.command("DATA").startswith("354"):
        ledger.end(name, "4xx")
        talk.command("RSET")
        return
    big = "x" * 70 + "\r\n"
    answer = talk.command(f"Subject: {name}\r\nMessage-ID: <{name}@ledger>\r\n\r\n{big * random.choice([1, 5, 300])}.")
    ledger.end(name, {"2": "250", "4": "4xx", "5": "5xx"}[answer[0]])


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def under_load(server, ledger, trouble):
    until = time.monotonic() + LOAD_S
    threads = [threading.Thread(target=send_some, args=(server, ledger, f"{random.random()}", until)) for _ in range(4)]
    for t in threads:
        t.start()
    trouble(until)
    for t in threads:
        t.join()


def wait_until_served(server):
    end = time.monotonic() + 60
    while True:
        try:
            server.sql("SELECT 1")
            talk = server.connect("SMTP")
            talk.reply()
            talk.command("EHLO probe")
            ok = talk.command("MAIL FROM:<probe@example.org>").startswith("250") and \
                talk.command(f"RCPT TO:<{USERS[0]}@example.test>").startswith("250")
            talk.close()
            if ok:
                return
        except (OSError, EOFError, RuntimeError):
            pass
        if time.monotonic() > end:
            raise AssertionError("the server did not come back:\n" + server.tail())
        time.sleep(0.1)


def found_by_imap(server, user):
    box = imaplib.IMAP4("127.0.0.1", server.port("IMAP"))
    box.login(f"{user}@example.test", "secret")
    box.select("INBOX", readonly=True)
    _, data = box.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    box.logout()
    return re.findall(r"Subject: (\S+)", " ".join(d[1].decode() for d in data if isinstance(d, tuple)))


def check(server, ledger):
    wait_until_served(server)
    counts = {}
    for user in USERS:
        by_imap = found_by_imap(server, user)
        by_sql = [r[0] for r in server.sql(
            "SELECT e.message_id FROM message m JOIN email e ON e.account_id = m.account_id AND e.id = m.email_id JOIN account a "
            f"ON a.id = m.account_id WHERE a.address = '{user}@example.test' ORDER BY m.uid")]
        assert [f"{n}@ledger" for n in by_imap] == by_sql, f"{user}: IMAP and SQL differ"
        for name in by_imap:
            counts[name, user] = counts.get((name, user), 0) + 1
    wrong = []
    for name, answer in ledger.answers.items():
        for user in ledger.to[name]:
            n = counts.pop((name, user), 0)
            if (answer == "250" and n != 1) or (answer == "5xx" and n != 0) or n > 1:
                wrong.append((name, user, answer, n))
    assert not wrong, f"{len(wrong)} of {len(ledger.answers)} are wrong, e.g. {wrong[:5]}"
    assert not counts, f"strangers: {list(counts)[:5]}"
    harness.same(server.value(
        "SELECT count(*) FROM mailbox b WHERE (messages, bytes) IS DISTINCT FROM (SELECT (count(*), coalesce(sum(size), 0)::bigint) "
        "FROM message m WHERE m.account_id = b.account_id AND m.mailbox_id = b.id)"), "0")
    print(f"     {ledger.count('250')} acknowledged, {ledger.count('none')} without an answer, {ledger.count('4xx')} deferred")
    assert ledger.count("250") > 20, "too little was accepted for a test"


def restart_with(server, fault):
    server.stop()
    server.start(**({"CORREIO_FAULT": fault} if fault else {}))


def at_point(server, ledger, name, action):
    restart_with(server, f"{name}={action}")
    before = ledger.count("250") + ledger.count("none")
    under_load(server, ledger, lambda until: time.sleep(max(0, until - time.monotonic())))
    with open(server.log_path, errors="replace") as f:
        assert f"fault point {name}" in f.read(), "the point was never passed"
    assert ledger.count("250") + ledger.count("none") > before
    restart_with(server, None)
    check(server, ledger)


def kills(server, ledger, victims):
    restart_with(server, None)

    def trouble(until):
        while time.monotonic() < until:
            time.sleep(random.uniform(0.2, 0.6))
            for pid in victims():
                kill(pid)
    under_load(server, ledger, trouble)
    check(server, ledger)


def postgres_backends(server):
    """The postmaster, or one of its children."""
    server.read_endpoints()
    master = int(server.endpoints["POSTGRES_PIDS"])
    with os.popen(f"pgrep -P {master}") as f:
        children = [int(p) for p in f.read().split()]
    return [random.choice(children + [master])] if children else [master]


def away_for_a_while(server, ledger):
    """PostgreSQL stopped for some seconds: 451, not a lost session, and all is well afterwards."""
    restart_with(server, None)
    server.read_endpoints()
    master = int(server.endpoints["POSTGRES_PIDS"])

    def trouble(until):
        time.sleep(0.5)
        os.kill(master, signal.SIGQUIT)
        time.sleep(max(0, until - time.monotonic()))
    under_load(server, ledger, trouble)
    check(server, ledger)


def supervisor_killed(server, ledger):
    """kill -9 of the supervisor: the next start repairs all."""
    restart_with(server, None)

    def trouble(until):
        time.sleep(1)
        kill(server.process.pid)
        server.process.wait()
        try:
            os.unlink(server.home + "/run/endpoints")
        except FileNotFoundError:
            pass
        server.start()
        time.sleep(max(0, until - time.monotonic()))
    under_load(server, ledger, trouble)
    check(server, ledger)


def remote_under(server, sink, acknowledged, fault, victims):
    """Mail for elsewhere, with a fault point armed or processes killed at random."""
    restart_with(server, fault)
    until, enough = time.monotonic() + LOAD_S, len(acknowledged) + 12

    def going():  # on a slow machine PostgreSQL may be away for most of the time
        now = time.monotonic()
        return now < until or (len(acknowledged) < enough and now < until + 30)
    threads = [threading.Thread(target=remote.send_some, args=(lambda: server.connect("SMTP"), acknowledged, going))
               for _ in range(3)]
    for t in threads:
        t.start()
    while time.monotonic() < until:
        time.sleep(random.uniform(0.2, 0.5))
        for pid in victims():
            kill(pid)
    for t in threads:
        t.join()
    if fault:
        with open(server.log_path, errors="replace") as f:
            assert f"fault point {fault.split('=')[0]}" in f.read(), "the point was never passed"
    restart_with(server, None)
    wait_until_served(server)
    remote.check(server, sink, acknowledged)


def removed_under(server, sink, fault):
    """What an administrator deleted or returned goes once, though the relay dies when it is to go."""
    restart_with(server, None)
    names = remote.send_to_remove(server, 20)
    restart_with(server, f"{fault}=kill")
    remote.remove(server, names)
    remote.wait_for("the point", lambda: f"fault point {fault}" in open(server.log_path, errors="replace").read(), 20)
    restart_with(server, None)
    remote.check_removed(server, sink, names)


def import_under(server, body):
    restart_with(server, imports.FAULT)
    body(server)
    with open(server.log_path, errors="replace") as f:
        assert "fault point import-account" in f.read(), "the point was never passed"
    restart_with(server, None)


def outside_under(server, user, acknowledged, fault, victims):
    """Mail for mailboxes outside PostgreSQL, with a fault point armed or the mda killed at random."""
    restart_with(server, fault)
    until = time.monotonic() + LOAD_S
    threads = [threading.Thread(target=outside.send_some, args=(lambda: server.connect("SMTP"), acknowledged, until))
               for _ in range(2)]
    for t in threads:
        t.start()
    while time.monotonic() < until:
        time.sleep(random.uniform(0.2, 0.5))
        for pid in victims():
            kill(pid)
    for t in threads:
        t.join()
    restart_with(server, None)
    wait_until_served(server)
    outside.check(server, user, acknowledged)


def main():
    ledger, acknowledged, outside_acknowledged, user = Ledger(), {}, set(), outside.UnixUser()
    try:
        run_all(ledger, acknowledged, outside_acknowledged, user)
    finally:
        user.remove()


def run_all(ledger, acknowledged, outside_acknowledged, user):
    with Internet(remote.ZONE) as net, Server(env={**net.env(), **remote.settings(), **outside.settings(user)}) as server:
        sink = net.sink(2, answers=remote.ANSWERS)
        server.accounts(USERS + [remote.SENDER] + outside.NAMES)
        outside.place(server, user)
        for name in fault_points(["mda", "agent"]):
            harness.case(f"mail for files, killed at {name}")(
                lambda n=name: outside_under(server, user, outside_acknowledged, f"{n}=kill", lambda: []))
        harness.case("mail for files, mda killed")(
            lambda: outside_under(server, user, outside_acknowledged, None, lambda: server.pids("mda")))
        for name in fault_points(["store"], "queue-"):
            if name.endswith("-purge"):
                harness.case(f"mail that was deleted or returned, killed at {name}")(lambda n=name: removed_under(server, sink, n))
            else:
                harness.case(f"remote mail, killed at {name}")(
                    lambda n=name: remote_under(server, sink, acknowledged, f"{n}=kill@3", lambda: []))
        harness.case("remote mail, relay killed")(
            lambda: remote_under(server, sink, acknowledged, None, lambda: server.pids("relay")))
        harness.case("remote mail, PostgreSQL killed")(
            lambda: remote_under(server, sink, acknowledged, None, lambda: postgres_backends(server)))
        server.domain(imports.DOMAIN)
        harness.case("accounts are made from a file, killed twice")(lambda: import_under(server, imports.making))
        harness.case("accounts are changed from a file, killed twice")(lambda: import_under(server, imports.changing))
        for name in fault_points(["db", "deliver", "smtp"]):
            harness.case(f"killed at {name}")(lambda n=name: at_point(server, ledger, n, "kill@25"))
        harness.case("smtp killed")(lambda: kills(server, ledger, lambda: server.pids("smtp")))
        harness.case("auth and access killed")(lambda: kills(server, ledger, lambda: server.pids("auth") + server.pids("access")))
        harness.case("PostgreSQL killed")(lambda: kills(server, ledger, lambda: postgres_backends(server)))
        harness.case("PostgreSQL away")(lambda: away_for_a_while(server, ledger))
        harness.case("supervisor killed")(lambda: supervisor_killed(server, ledger))
        harness.run()


main()
