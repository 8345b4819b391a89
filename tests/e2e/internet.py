"""An internet on loopback: a real DNS server (knot) and mail servers that answer by a script.

    with Internet("pref MX 10 mx1\n" "mx1 A 127.0.1.2\n") as net:
        sink = net.sink(2, answers={"RCPT bob@pref.remote.test": "550 5.1.1 No such user"})
        with Server(env=net.env()) as s: ...

The zone is remote.test; names in the text are relative to it.  broken.test is a zone that cannot be read: SERVFAIL.
All mail servers listen on one port (CORREIO_RELAY_PORT), each on an address 127.0.1.N.
"""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

from sink import Sink, wait_for


def free_port(hosts=("127.0.0.1",)):
    """A port that is free on each of the addresses."""
    while True:
        sockets = []
        try:
            for i, host in enumerate(hosts):
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                sockets.append(socket.socket(family))
                sockets[-1].bind((host, sockets[0].getsockname()[1] if i else 0))
            return sockets[0].getsockname()[1]
        except OSError:
            continue
        finally:
            for s in sockets:
                s.close()


def make_certificate(directory, name="sink.test"):
    """Self-signed; paths of certificate and key."""
    cert, key = os.path.join(directory, name + ".pem"), os.path.join(directory, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                    "3", "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:" + name, "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


class Internet:
    def __init__(self, zone, has_ipv6=True, further=()):
        """zone: records of remote.test; further: other zones as (name, records)."""
        self.dir = tempfile.mkdtemp(prefix="net", dir="/tmp")
        os.chmod(self.dir, 0o755)
        self.has_ipv6 = has_ipv6 and self.ipv6_works()
        self.port = free_port(["127.0.0.1"] + [f"127.0.1.{i}" for i in range(1, 41)] + (["::1"] if self.has_ipv6 else []))
        self.dns_port = self.free_dns_port()
        self.cert, self.key = make_certificate(self.dir)
        self.sinks, self.knot = [], None
        self.write("remote.test.zone", "$ORIGIN remote.test.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 5\n@ NS ns\n"
                   "ns A 127.0.0.1\n" + zone)
        for name, records in further:
            self.write(f"{name}.zone", f"$ORIGIN {name}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 5\n@ NS ns.remote.test.\n" + records)
        self.write("broken.test.zone", "this is no zone\n")
        user = "knot" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.write("knot.conf", f"server:\n  rundir: {self.dir}/run\n  user: {user}\n  listen: 127.0.0.1@{self.dns_port}\n"
                   f"log:\n  - target: stderr\n    any: warning\ndatabase:\n  storage: {self.dir}/db\n"
                   f"template:\n  - id: default\n    storage: {self.dir}\n    zonefile-sync: -1\n    journal-content: none\n"
                   "zone:\n  - domain: remote.test\n    file: remote.test.zone\n"
                   "  - domain: broken.test\n    file: broken.test.zone\n" +
                   "".join(f"  - domain: {name}\n    file: {name}.zone\n" for name, _ in further))
        for name in ("run", "db"):
            os.mkdir(f"{self.dir}/{name}")
            shutil.chown(f"{self.dir}/{name}", user)

    @staticmethod
    def ipv6_works():
        try:
            with socket.socket(socket.AF_INET6) as s:
                s.bind(("::1", 0))
            return True
        except OSError:
            return False

    @staticmethod
    def free_dns_port():
        while True:
            port = free_port()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                try:
                    s.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    continue

    def write(self, name, text):
        with open(f"{self.dir}/{name}", "w") as f:
            f.write(text)
        return f"{self.dir}/{name}"

    def env(self, **more):
        return {"CORREIO_DNS_SERVERS": f"127.0.0.1:{self.dns_port}", "CORREIO_RELAY_PORT": str(self.port), **more}

    def sink(self, n, **script):
        sink = Sink(f"127.0.1.{n}" if isinstance(n, int) else n, self.port, self.cert, self.key, **script)
        self.sinks.append(sink)
        return sink

    def answers_dns(self):
        """Does the zone answer?  SOA remote.test, by hand: the standard library has no resolver for it."""
        if self.knot.poll() is not None:
            with open(f"{self.dir}/knot.log") as f:
                raise RuntimeError("knotd did not start:\n" + f.read())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            s.connect(("127.0.0.1", self.dns_port))
            try:
                s.send(b"\x12\x34\0\0\0\1\0\0\0\0\0\0\6remote\4test\0\0\6\0\1")
                return s.recv(512)[3] & 15 == 0
            except OSError:
                return False

    def __enter__(self):
        with open(f"{self.dir}/knot.log", "w") as log:
            self.knot = subprocess.Popen(["knotd", "-c", f"{self.dir}/knot.conf"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_for("the DNS server", self.answers_dns)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        for sink in self.sinks:
            sink.close()
        if self.knot.poll() is None:
            self.knot.send_signal(signal.SIGTERM)
        try:
            self.knot.wait(10)
        except subprocess.TimeoutExpired:
            self.knot.kill()
            self.knot.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
