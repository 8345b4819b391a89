"""The ledger of mail for elsewhere: what was acknowledged arrives at the remote server at least once, what the remote server
refuses comes back as exactly one DSN, whatever dies between the two."""
import os
import random
import re
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
from internet import wait_for                   # noqa: E402

SENDER = "sender"
ZONE = "good MX 10 mx1\nbad MX 10 mx1\nstay MX 10 mx1\nmx1 A 127.0.1.2\n"
BAD = "refused@bad.remote.test"
DELETED, RETURNED = "deleted@stay.remote.test", "returned@stay.remote.test"
STAY = "450 4.2.0 Later"
ANSWERS = {"RCPT " + BAD: "550 5.1.1 No such user", "RCPT " + DELETED: STAY, "RCPT " + RETURNED: STAY}


def settings():
    return {"CORREIO_SMTP_RELAY_NETWORKS": "127.0.0.0/8", "CORREIO_QUEUE_RETRY_SCHEDULE": "1s"}


def send_some(connect, acknowledged, going):
    """Messages to one good and, every third, one refused recipient; those that got a 250 are noted."""
    n = 0
    while going():
        try:
            talk = connect()
            talk.sock.settimeout(20)
            talk.reply()
            talk.command("EHLO ledger")
            for _ in range(5):
                n += 1
                name = f"out-{threading.get_ident()}-{n}-{random.getrandbits(32)}-x"
                talk.command(f"MAIL FROM:<{SENDER}@example.test>")
                good = talk.command("RCPT TO:<anybody@good.remote.test>").startswith("250")
                bad = n % 3 == 0 and talk.command(f"RCPT TO:<{BAD}>").startswith("250")  # 451: it is not of this message
                if not good or not talk.command("DATA").startswith("354"):
                    talk.command("RSET")
                    time.sleep(0.05)
                    continue
                if talk.command(f"Subject: {name}\r\n\r\nbody\r\n.").startswith("250"):
                    acknowledged[name] = bad
            talk.close()
        except (OSError, EOFError):
            time.sleep(0.02)


def send_to_remove(server, each):
    """Messages that stay in the queue, half of them for each of the two; {recipient: names}."""
    names = {DELETED: [], RETURNED: []}
    talk = server.connect("SMTP")
    talk.reply()
    talk.command("EHLO ledger")
    for to in names:
        for n in range(each):
            name = f"out-remove-{n}-{random.getrandbits(32)}-x"
            for line in f"MAIL FROM:<{SENDER}@example.test>", f"RCPT TO:<{to}>", "DATA", f"Subject: {name}\r\n\r\nbody\r\n.":
                answer = talk.command(line)
                assert answer[0] in "23", f"{line}: {answer}"
            names[to].append(name)
    talk.close()
    return names


def held(server):
    return int(server.value("SELECT count(*) FROM queue_recipient WHERE destination = 'stay.remote.test' AND state = 1"))


def remove(server, names):
    """Deletes and returns them as an administrator does, and lets the time for taking it back be over."""
    total = sum(len(v) for v in names.values())

    def hold():  # those that are being sent at the moment are refused as busy
        server.ctl("queue", "hold", "--yes", "--destination=stay.remote.test", check=False)
        return held(server) == total
    wait_for("all are held", hold, 30)
    server.ctl("queue", "delete", "--yes", f"--recipient={DELETED}")
    server.ctl("queue", "bounce", "--yes", f"--recipient={RETURNED}")
    assert held(server) == 0
    server.sql("UPDATE queue_recipient SET due_at = now() WHERE state IN (2, 4)")


def check_removed(server, sink, names):
    wait_for("an empty queue", lambda: server.value("SELECT count(*) FROM queue_message") == "0", 60)
    dsns = bounced(server)
    counts = {to: sorted({dsns.count(name) for name in v}) for to, v in names.items()}
    assert counts == {DELETED: [0], RETURNED: [1]}, f"DSNs: {counts}"
    for to, outcome, events in (DELETED, 5, 1), (RETURNED, 3, 0):
        rows = server.sql("SELECT t.subject, r.outcome, (SELECT count(*) FROM trace_event e WHERE e.at = t.at AND e.trace_id = t.id"
                          f" AND e.kind = 7) FROM trace t JOIN trace_recipient r ON r.at = t.at AND r.trace_id = t.id"
                          f" WHERE r.recipient = '{to}'")
        seen = {row[0]: (int(row[1]), int(row[2])) for row in rows}
        wrong = [(name, seen.get(name)) for name in names[to] if seen.get(name) != (outcome, events)]
        assert not wrong, f"{to}: {wrong[:3]}"
    came = [m for m in sink.messages if b"Subject: out-remove" in m.data]
    assert not came, f"{len(came)} arrived"


def bounced(server):
    """The ids of the messages whose DSN is in the sender's mailbox, one a DSN."""
    import imaplib
    box = imaplib.IMAP4("127.0.0.1", server.port("IMAP"))
    box.login(f"{SENDER}@example.test", "secret")
    box.select("INBOX", readonly=True)
    _, data = box.fetch("1:*", "(BODY.PEEK[])")
    box.logout()
    return [re.search(r"^Subject: (out-\S+)", d[1].decode(), re.M).group(1) for d in data if isinstance(d, tuple)]


def check(server, sink, acknowledged):
    wait_for("an empty queue", lambda: server.value("SELECT count(*) FROM queue_recipient") == "0", 90)
    wait_for("no message without recipients", lambda: server.value("SELECT count(*) FROM queue_message") == "0", 30)
    arrived = {}
    for m in list(sink.messages):
        name = re.search(rb"^Subject: (\S+)", m.data, re.M).group(1).decode()
        arrived[name] = arrived.get(name, 0) + 1
    lost = [n for n in acknowledged if n not in arrived]
    assert not lost, f"{len(lost)} acknowledged messages did not arrive, e.g. {lost[:3]}"
    dsns = bounced(server)
    want = {n for n, bad in acknowledged.items() if bad}
    missing, double = want - set(dsns), {n for n in dsns if dsns.count(n) > 1}
    assert not missing, f"{len(missing)} without a DSN, e.g. {list(missing)[:3]}"
    assert not double, f"{len(double)} with more than one DSN, e.g. {list(double)[:3]}"
    twice = sum(1 for n in arrived.values() if n > 1)
    print(f"     {len(acknowledged)} acknowledged, {len(want)} returned, {twice} arrived more than once")
    assert len(acknowledged) > 10, "too little was accepted for a test"
