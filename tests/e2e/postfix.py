"""Debian's Postfix in a directory of its own: takes mail for its domain into maildirs, sends all else on to one host."""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile

from sink import wait_for

MASTER = """\
{address}:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
smtp unix - - n - - smtp
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
MAIN = """\
compatibility_level = 3.6
queue_directory = {dir}/spool
data_directory = {dir}/data
maillog_file = {dir}/log
maillog_file_prefixes = {dir}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = {name}
mydestination =
alias_maps =
local_recipient_maps =
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:{dir}/etc/mailboxes
virtual_alias_maps = texthash:{dir}/etc/aliases
virtual_mailbox_base = {dir}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 100
relayhost = [{next_host}]:{next_port}
smtpd_tls_security_level = may
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_tls_received_header = yes
smtp_tls_security_level = may
smtp_host_lookup = native
message_size_limit = 52428800
mailbox_size_limit = 0
virtual_mailbox_limit = 0
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
in_flow_delay = 0
"""


class Postfix:
    """Needs root: Postfix changes users."""

    def __init__(self, address, port, domain, users, next_hop, cert, key, aliases=None):
        self.dir = tempfile.mkdtemp(prefix="pfx", dir="/tmp")
        os.chmod(self.dir, 0o755)
        for name in ("etc", "spool", "data", "mail"):
            os.mkdir(f"{self.dir}/{name}")
        nobody = pwd.getpwnam("nobody")
        shutil.chown(f"{self.dir}/data", "postfix")
        os.chown(f"{self.dir}/mail", nobody.pw_uid, nobody.pw_gid)
        values = {"dir": self.dir, "address": address, "port": port, "name": f"mx.{domain}", "domain": domain, "uid": nobody.pw_uid,
                  "gid": nobody.pw_gid, "next_host": next_hop[0], "next_port": next_hop[1], "cert": cert, "key": key}
        self.write("main.cf", MAIN.format(**values))
        self.write("master.cf", MASTER.format(**values))
        self.write("mailboxes", "".join(f"{u}@{domain} {u}/\n" for u in users))
        self.write("aliases", "".join(f"{k} {v}\n" for k, v in (aliases or {}).items()))

    def write(self, name, text):
        with open(f"{self.dir}/etc/{name}", "w") as f:
            f.write(text)

    def __enter__(self):
        r = subprocess.run(["postfix", "-c", f"{self.dir}/etc", "start"], capture_output=True, text=True)
        if r.returncode:
            log = self.log() if os.path.exists(f"{self.dir}/log") else ""
            shutil.rmtree(self.dir, ignore_errors=True)
            raise RuntimeError("Postfix did not start: " + r.stderr + r.stdout + log)
        return self

    def __exit__(self, *exc):
        subprocess.run(["postfix", "-c", f"{self.dir}/etc", "stop"], capture_output=True)
        try:
            with open(f"{self.dir}/spool/pid/master.pid") as f:
                pid = int(f.read())
            wait_for("Postfix to end", lambda: not os.path.exists(f"/proc/{pid}"), 10)
        except (FileNotFoundError, ValueError):
            pass
        except AssertionError:
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)

    def log(self):
        with open(f"{self.dir}/log", errors="replace") as f:
            return f.read()

    def mails(self, user):
        path = f"{self.dir}/mail/{user}/new"
        names = os.listdir(path) if os.path.isdir(path) else []
        out = []
        for name in sorted(names):
            with open(f"{path}/{name}", "rb") as f:
                out.append(f.read())
        return out

    def wait_mails(self, user, n=1, seconds=20):
        try:
            return wait_for(f"{n} mails of {user}", lambda: (lambda v: v if len(v) >= n else None)(self.mails(user)), seconds)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.log()[-3000:]}") from None
