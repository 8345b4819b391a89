"""The ledger of mail for mailboxes outside PostgreSQL: what was acknowledged is in the Maildir and in the mbox file at least
once, whatever dies between the two."""
import glob
import mailbox
import os
import random
import re
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
from elsewhere import UnixUser                  # noqa: E402
from internet import wait_for                   # noqa: E402

NAMES = ["inmaildir", "inmbox"]
BODY = "body\r\n" * 12000 + "end"                # more than one write: a half of it is on the disk when the writer dies


def settings(user):
    return {"CORREIO_MDA_USERS": user.name}


def place(server, user):
    for name, target in zip(NAMES, (f"maildir:{user.path('Maildir')}", f"mbox:{user.path('mbox')}")):
        server.sql(f"UPDATE account SET delivery = '{target}', delivery_user = '{user.name}' WHERE address = '{name}@example.test'")


def send_some(connect, acknowledged, until):
    n = 0
    while time.monotonic() < until:
        try:
            talk = connect()
            talk.sock.settimeout(20)
            talk.reply()
            talk.command("EHLO ledger")
            for _ in range(3):
                n += 1
                name = f"box-{threading.get_ident()}-{n}-{random.getrandbits(32)}-x"
                talk.command("MAIL FROM:<>")
                for to in NAMES:
                    talk.command(f"RCPT TO:<{to}@example.test>")
                if not talk.command("DATA").startswith("354"):
                    talk.command("RSET")
                    continue
                if talk.command(f"Subject: {name}\r\n\r\n{BODY}\r\n.").startswith("250"):
                    acknowledged.add(name)
                time.sleep(0.05)
            talk.close()
        except (OSError, EOFError):
            time.sleep(0.02)


def check(server, user, acknowledged):
    wait_for("the mda's queue to be empty",
             lambda: server.value("SELECT count(*) FROM queue_recipient WHERE destination = '.mda'") == "0", 90)
    in_maildir, in_mbox = [], []
    for path in glob.glob(user.path("Maildir/new/*")):
        with open(path) as f:
            in_maildir += re.findall(r"^Subject: (box-\S+)$", f.read(), re.M)
    for message in mailbox.mbox(user.path("mbox")):
        if message.get_payload().endswith("end\n"):
            in_mbox.append(message["Subject"])
    for name, found in (("Maildir", in_maildir), ("mbox", in_mbox)):
        lost = acknowledged - set(found)
        assert not lost, f"{len(lost)} messages are not in the {name}: {sorted(lost)[:3]}"
    assert len(acknowledged) > 5, "too little was accepted for a test"
    print(f"     {len(acknowledged)} acknowledged, {len(in_maildir)} in the Maildir, {len(in_mbox)} in the mbox file")
