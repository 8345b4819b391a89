#!/usr/bin/env python3
"""Backup and restore of the embedded cluster: taken while mail comes in, everything destroyed, brought back; every message
that was accepted before the backup is read by IMAP, byte for byte, under its old UID."""
import os
import shutil
import signal
import smtplib
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from internet import make_certificate                                    # noqa: E402
from mail import imap, text                                              # noqa: E402
from server import Server                                                # noqa: E402

PEOPLE = ["alice@example.test", "bob@example.test"]


def run(server, program, *args, check=True):
    r = subprocess.run([f"{server.prefix}/sbin/correio-{program}", *args], env=server.env, capture_output=True, text=True)
    if check and r.returncode:
        raise RuntimeError(f"{program}: {r.returncode}: {r.stderr}{r.stdout}")
    return r


def send(server, first, n, until=None):
    """Messages first ... first + n - 1 to both people in turn, or fewer when `until` is set; how many were accepted."""
    smtp = smtplib.SMTP("127.0.0.1", server.port("SMTP"), timeout=30)
    sent = 0
    while sent < n and not (until and until.is_set()):
        to = PEOPLE[(first + sent) % 2]
        smtp.sendmail("joe@elsewhere.test", [to], text("joe@elsewhere.test", to, f"n{first + sent}", f"body {first + sent}\r\n" * 50))
        sent += 1
    smtp.quit()
    return sent


def mail_of(server):
    """{subject: (address, UIDVALIDITY, UID, flags, bytes)} of all INBOXes."""
    found = {}
    for address in PEOPLE:
        box = imap(server, address)
        box.select("INBOX", readonly=True)
        validity = box.response("UIDVALIDITY")[1][0]
        for part in box.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")[1]:
            if isinstance(part, tuple):
                uid = part[0].split(b"UID ")[1].split()[0]
                flags = part[0].split(b"FLAGS (")[1].split(b")")[0]
                subject = part[1].split(b"Subject: ")[1].split(b"\r\n")[0].decode()
                assert subject not in found, f"{subject} is there twice"
                found[subject] = (address, validity, uid, flags, part[1])
        box.logout()
    return found


def destroy(server):
    """As after a lost disk."""
    os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait()
    server.process = None
    server.log.close()
    subprocess.run(["bash", "-c", 'for p in $(cat "$1" 2>/dev/null | head -1); do while kill -0 $p 2>/dev/null; do sleep 0.05; done; done',
                    "-", server.home + "/pg/postmaster.pid"], check=True)
    for name in ("pg", "tls", "correio.conf", "certs", "run/endpoints"):
        path = os.path.join(server.home, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)


@case("what was accepted before a backup is there after a restore, with its UIDs and flags")
def whole(server):
    send(server, 0, 60)
    box = imap(server, PEOPLE[0])
    box.select("INBOX")
    box.uid("STORE", "1:5", "+FLAGS", "(\\Seen \\Flagged)")
    box.logout()
    server.ctl("queue", "list")
    before = mail_of(server)
    same(len(before), 60)
    stop = threading.Event()
    busy = threading.Thread(target=send, args=(server, 1000, 100000, stop))
    busy.start()
    try:
        run(server, "backup", server.home + "/backup")
    finally:
        stop.set()
        busy.join()
    same(os.stat(server.home + "/backup").st_mode & 0o777, 0o700)
    send(server, 200000, 5)

    destroy(server)
    run(server, "restore", server.home + "/backup")
    server.start()
    after = mail_of(server)
    for subject, stored in before.items():
        same(after.get(subject), stored)
    assert not any(s.startswith("n20000") for s in after), "what came after the backup is there"
    same(open(server.home + "/correio.conf").read().count("certificate"), 1)
    same(server.endpoints["CERTIFICATE"], server.home + "/certs/mail.example.test.pem")
    assert os.path.getsize(server.home + "/certs/mail.example.test.key") > 0
    # a run that was restored goes on as before
    send(server, 300000, 2)
    same(len([s for s in mail_of(server) if s.startswith("n30000")]), 2)


@case("a backup does not go over an earlier one")
def twice(server):
    r = run(server, "backup", server.home + "/backup", check=False)
    same((r.returncode, "is there already" in r.stderr), (1, True))


@case("a restore refuses a running server, half a backup and a damaged one")
def refused(server):
    r = run(server, "restore", server.home + "/backup", check=False)
    same((r.returncode, "stop it first" in r.stderr), (1, True))
    server.stop()
    shutil.copytree(server.home + "/backup", server.home + "/damaged")
    catalog = server.home + "/damaged/pg/global/pg_control"
    with open(catalog, "r+b") as f:
        f.seek(100)
        f.write(b"\xff" * 8)
    r = run(server, "restore", server.home + "/damaged", check=False)
    same((r.returncode, "is not whole" in r.stderr), (1, True))
    os.unlink(server.home + "/damaged/made-at")
    r = run(server, "restore", server.home + "/damaged", check=False)
    same((r.returncode, "is no whole backup" in r.stderr), (1, True))
    server.start()
    assert mail_of(server)


@case("a restore over what is there keeps it beside")
def beside(server):
    server.stop()
    run(server, "restore", server.home + "/backup")
    same(len([n for n in os.listdir(server.home) if n.startswith("pg.before-")]), 1)
    server.start()
    same(len([s for s in mail_of(server) if s.startswith("n30000")]), 0)


with Server(env={"CORREIO_AUTH_CLEARTEXT": "loopback"}) as s:
    s.stop()
    os.mkdir(s.home + "/certs", 0o755)
    make_certificate(s.home + "/certs", "mail.example.test")
    with open(s.home + "/correio.conf", "w") as f:
        f.write(f"[tls]\ncertificate = {s.home}/certs/mail.example.test.pem\nkey = {s.home}/certs/mail.example.test.key\n")
    s.start()
    s.accounts(["alice", "bob"])
    harness.run(s)
