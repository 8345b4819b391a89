"""A mail server that answers by a script and keeps what it got, byte for byte."""
import socket
import ssl
import threading
import time

EXTENSIONS = ["PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "SIZE 60000000", "ENHANCEDSTATUSCODES"]
DEFAULTS = {"GREETING": "220 sink.test ESMTP", "MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok", "DATA": "354 go on",
            "END": "250 2.0.0 taken", "AUTH": "235 2.7.0 welcome", "QUIT": "221 2.0.0 bye", "RSET": "250 2.0.0 ok",
            "STARTTLS": "220 2.0.0 go on", "HELO": "250 sink.test"}
DROP = None  # as an answer: the connection is closed instead


def wait_for(what, probe, seconds=20):
    """The first value of probe() that is true."""
    end = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}; last: {value!r}")
        time.sleep(0.02)


class Message:
    """What a sink took: the command lines, and the bytes between DATA and the last dot."""

    def __init__(self, session):
        self.session, self.mail, self.rcpt, self.wire = session.number, "", [], b""
        self.tls, self.auth, self.helo = session.tls, session.auth, session.helo

    @property
    def data(self):
        """As the sender meant it: RFC 5321, 4.5.2 undone."""
        return b"".join(line[1:] if line.startswith(b".") else line for line in self.wire.splitlines(True))


class Sink:
    """A mail server.  answers: what it says, by "GREETING", "EHLO", "MAIL", "RCPT", "RCPT address", "DATA", "END",
    "STARTTLS", "AUTH"; a list is used up, its last one repeats; a function is called; DROP closes.  extensions: after EHLO;
    None: 502."""

    def __init__(self, address, port, cert, key, answers=None, extensions=EXTENSIONS, starttls=False, broken_tls=False):
        self.address, self.answers = address, dict(answers or {})
        self.extensions = None if extensions is None else list(extensions) + (["STARTTLS"] if starttls or broken_tls else [])
        self.broken_tls = broken_tls
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.lock, self.messages, self.lines, self.sessions, self.open = threading.Lock(), [], [], 0, set()
        self.socket = socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            with self.lock:
                self.sessions += 1
                self.open.add(sock)
            threading.Thread(target=Session(self, sock, self.sessions).run, daemon=True).start()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)
        with self.lock:
            for sock in self.open:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def answer(self, *keys):
        with self.lock:
            given = next((self.answers[key] for key in keys if key in self.answers), DEFAULTS[keys[-1]])
            if isinstance(given, list):
                given = given.pop(0) if len(given) > 1 else given[0]
        return given() if callable(given) else given

    def wait(self, n=1, seconds=20):
        """The first n messages."""
        wait_for(f"{n} messages at {self.address}", lambda: len(self.messages) >= n, seconds)
        return self.messages[:n]


class Session:
    def __init__(self, sink, sock, number):
        self.sink, self.sock, self.number, self.tls, self.auth, self.helo = sink, sock, number, None, None, ""
        self.file, self.message = sock.makefile("rb"), None

    def run(self):
        try:
            self.sock.settimeout(30)
            if self.say(self.sink.answer("GREETING")):
                self.serve()
        except (OSError, ValueError):
            pass
        finally:
            with self.sink.lock:
                self.sink.open.discard(self.sock)
            self.file.close()
            self.sock.close()

    def say(self, text):
        """False: the script says that the connection ends."""
        if text is not DROP:
            self.sock.sendall((text + "\r\n").encode())
        return text is not DROP and not text.startswith("421")

    def serve(self):
        while True:
            line = self.file.readline()
            if not line:
                return
            line = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
            with self.sink.lock:
                self.sink.lines.append(line)
            verb = line.split(" ")[0].upper()
            if not getattr(self, "on_" + verb.lower(), self.on_other)(line):
                return
            if verb == "QUIT":
                return

    def on_ehlo(self, line):
        if self.sink.extensions is None:
            return self.say("502 5.5.1 what?")
        self.helo = line[5:]
        offered = [e for e in self.sink.extensions if not (self.tls and e == "STARTTLS")]
        lines = ["sink.test"] + offered
        return self.say(self.sink.answers.get("EHLO") or
                        "\r\n".join(f"250{'-' if i + 1 < len(lines) else ' '}{t}" for i, t in enumerate(lines)))

    def on_mail(self, line):
        self.message = Message(self)
        self.message.mail = line
        reply = self.sink.answer("MAIL")
        if reply is not DROP and not reply.startswith("2"):
            self.message = None
        return self.say(reply)

    def on_rcpt(self, line):
        if not self.message:
            return self.say("503 5.5.1 MAIL first")
        reply = self.sink.answer("RCPT " + line.split("<")[1].split(">")[0], "RCPT")
        if reply is not DROP and reply.startswith("2"):
            self.message.rcpt.append(line)
        return self.say(reply)

    def on_data(self, line):
        if not self.message or not self.message.rcpt:
            return self.say("554 5.5.1 no valid recipients")
        reply = self.sink.answer("DATA")
        if not self.say(reply) or not reply.startswith("354"):
            return reply is not DROP
        pieces = []
        for line in self.file:
            if line == b".\r\n":
                break
            pieces.append(line)
        else:
            return False
        self.message.wire = b"".join(pieces)
        reply = self.sink.answer("END")
        if reply is not DROP and reply.startswith("2"):
            with self.sink.lock:
                self.sink.messages.append(self.message)
        return self.say(reply)

    def on_starttls(self, line):
        if not self.say(self.sink.answer("STARTTLS")):
            return False
        if self.sink.broken_tls:
            self.sock.sendall(b"this is no handshake\r\n")
            return False
        self.file.close()
        plain, self.sock = self.sock, self.sink.context.wrap_socket(self.sock, server_side=True)
        with self.sink.lock:
            self.sink.open.discard(plain)
            self.sink.open.add(self.sock)
        self.file, self.tls = self.sock.makefile("rb"), self.sock.version()
        return True

    def on_auth(self, line):
        self.auth = line
        return self.say(self.sink.answer("AUTH"))

    def on_other(self, line):
        verb = line.split(" ")[0].upper()
        return self.say(self.sink.answer(verb) if verb in DEFAULTS else "500 5.5.2 what?")
