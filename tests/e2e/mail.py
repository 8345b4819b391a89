"""Sending and reading mail for the tests of this folder."""
import email
import email.policy
import imaplib
import smtplib
import ssl

from sink import wait_for


def tls_context():
    """The servers' certificates are self-signed."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def submission(server, user, password="secret", tls=True):
    smtp = smtplib.SMTP("127.0.0.1", server.port("SUBMISSION"), timeout=30)
    if tls:
        smtp.starttls(context=tls_context())
    smtp.login(user, password)
    return smtp


def text(sender, to, subject="hello", body="hello\r\n"):
    return f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n\r\n{body}".encode()


def submit(server, sender, to, message=None, mail_options=(), rcpt_options=()):
    """Submits one message to one or several; the id of our answer."""
    to = [to] if isinstance(to, str) else to
    smtp = submission(server, sender)
    try:
        smtp.ehlo_or_helo_if_needed()
        code, reply = smtp.mail(sender, list(mail_options))
        assert code == 250, (code, reply)
        for address in to:
            code, reply = smtp.rcpt(address, list(rcpt_options))
            assert code == 250, (address, code, reply)
        code, reply = smtp.data(message if message is not None else text(sender, to[0]))
        assert code == 250, (code, reply)
        return reply.decode().rsplit(" ", 1)[1]
    finally:
        smtp.close()


def imap(server, user, password="secret"):
    box = imaplib.IMAP4("127.0.0.1", server.port("IMAP"), timeout=30)
    box.login(user, password)
    return box


def inbox(server, user, name="INBOX"):
    """All messages of a mailbox, as bytes."""
    box = imap(server, user)
    box.select(name, readonly=True)
    _, data = box.fetch("1:*", "(BODY.PEEK[])")
    box.logout()
    return [d[1] for d in data if isinstance(d, tuple)]


def wait_inbox(server, user, n=1, seconds=20):
    return wait_for(f"{n} messages of {user}", lambda: (lambda v: v if len(v) >= n else None)(inbox(server, user)), seconds)


def queue_of(server, sender):
    """Recipients that wait, and how often they were tried."""
    return server.sql("SELECT r.recipient, r.attempts FROM queue_recipient r JOIN queue_message m ON m.id = r.queue_id "
                      f"WHERE m.reverse_path = '{sender}' ORDER BY r.n")


def wait_sent(server, sender, seconds=20):
    """Until nothing of the sender waits any more."""
    wait_for(f"an empty queue of {sender}", lambda: not queue_of(server, sender), seconds)


class Report:
    """A delivery status notification (RFC 3464, RFC 6522)."""

    def __init__(self, raw):
        self.raw = raw
        self.mail = m = email.message_from_bytes(raw, policy=email.policy.default)
        assert m.get_content_type() == "multipart/report", m.get_content_type()
        assert m.get_param("report-type") == "delivery-status"
        assert m["Auto-Submitted"].startswith("auto-"), m["Auto-Submitted"]
        self.text, self.status, self.original = m.get_payload()
        assert self.text.get_content_type() == "text/plain"
        assert self.status.get_content_type() in ("message/delivery-status", "message/global-delivery-status")
        blocks = self.status.get_payload()
        if self.status.get_content_type() == "message/global-delivery-status":  # RFC 6533, which Python takes for a message
            whole = blocks[0].as_bytes().replace(b"\r\n", b"\n").decode()
            blocks = [email.message_from_string(b, policy=email.policy.default) for b in whole.strip().split("\n\n")]
        self.per_message, self.recipients = blocks[0], blocks[1:]
        assert self.per_message["Reporting-MTA"].startswith("dns;")

    def words(self):
        return self.text.get_content()


def wait_report(server, user, seconds=20):
    """The only message in the mailbox, which is a report to the user."""
    messages = wait_inbox(server, user, 1, seconds)
    assert len(messages) == 1, f"{len(messages)} messages instead of one report"
    report = Report(messages[0])
    assert messages[0].startswith(b"Return-Path: <>\r\n"), messages[0][:80]
    assert report.mail["To"] == f"<{user}>" or report.mail["To"] == user, report.mail["To"]
    return report
