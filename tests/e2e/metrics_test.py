#!/usr/bin/env python3
"""What monitoring asks: /healthz, /readyz, and /metrics as promtool and docs/grafana.json want it."""
import json
import os
import re
import signal
import smtplib
import subprocess
import sys
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from mail import imap, text                                              # noqa: E402
from server import Server                                                # noqa: E402
from sink import wait_for                                                # noqa: E402

ALICE = "alice@example.test"


def get(server, path):
    try:
        with urllib.request.urlopen(server.endpoints["HTTP_URL"] + path, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def metrics(server):
    """{"name{labels}": value}."""
    status, body = get(server, "/metrics")
    same(status, 200)
    return {m[1]: float(m[2]) for m in re.finditer(r"^([a-z]\S*) (\S+)$", body, re.M)}


@case("what happened is counted, over all processes")
def counted(server):
    before = metrics(server)
    with smtplib.SMTP("127.0.0.1", server.port("SMTP"), timeout=30) as smtp:
        smtp.sendmail("joe@elsewhere.test", [ALICE], text("joe@elsewhere.test", ALICE))
        same(smtp.docmd("RCPT TO:<nobody@example.test>")[0] // 100, 5)
    box = imap(server, ALICE)
    try:
        imap(server, ALICE, "wrong")
        raise AssertionError("the wrong password was taken")
    except Exception as e:
        assert "AUTHENTICATIONFAILED" in str(e), e
    now = metrics(server)

    def grown(name):
        return now[name] - before[name]

    same(grown("correio_commit_messages_total"), 1)
    same(grown("correio_commit_seconds_count"), 1)
    same(now['correio_commit_seconds_bucket{le="+Inf"}'], now["correio_commit_seconds_count"])
    same(grown('correio_connections_total{listener="smtp"}'), 1)
    same(grown('correio_connections_total{listener="imap"}'), 2)
    same(now['correio_connections{listener="imap"}'] >= 1, True)
    same(grown('correio_smtp_replies_total{listener="smtp",code="5xx"}'), 1)
    same(grown('correio_smtp_replies_total{listener="smtp",code="2xx"}') >= 4, True)
    same(grown('correio_auth_total{protocol="imap",result="ok"}'), 1)
    same(grown('correio_auth_total{protocol="imap",result="denied"}'), 1)
    box.logout()
    wait_for("the end of the session", lambda: metrics(server)['correio_connections{listener="imap"}'] == 0)


@case("a process that dies takes no count along")
def kept(server):
    before = metrics(server)
    with smtplib.SMTP("127.0.0.1", server.port("SMTP"), timeout=30):
        pid = server.pids("smtp")[0]
        os.kill(pid, signal.SIGKILL)
    wait_for("another smtp process", lambda: server.pids("smtp")[0] not in (0, pid))
    with smtplib.SMTP("127.0.0.1", server.port("SMTP"), timeout=30) as smtp:
        smtp.noop()
        now = metrics(server)
    same(now['correio_connections_total{listener="smtp"}'], before['correio_connections_total{listener="smtp"}'] + 2)
    same(now['correio_connections{listener="smtp"}'], 1)


@case("promtool finds nothing to say about /metrics")
def promtool(server):
    r = subprocess.run([os.path.join(HERE, "..", "support", "promtool"), "check", "metrics"], input=get(server, "/metrics")[1],
                       capture_output=True, text=True)
    if r.returncode == 127:
        print("     without promtool: it is not installed, and Debian's archive does not answer")
        return
    same((r.returncode, r.stdout + r.stderr), (0, ""))


@case("the dashboard of docs/grafana.json asks for metrics that are there")
def grafana(server):
    with open(os.path.join(HERE, "..", "..", "docs", "grafana.json")) as f:
        dashboard = json.load(f)
    there = {re.sub(r"\{.*", "", name) for name in metrics(server)}
    asked = set(re.findall(r"correio_\w+", " ".join(t["expr"] for p in dashboard["panels"] for t in p["targets"])))
    assert len(asked) >= 12, asked
    same(sorted(asked - there), [])


@case("healthz lives without the database, readyz says what is missing")
def database(server):
    same(get(server, "/healthz"), (200, '{"status":"ok"}'))
    same(get(server, "/readyz")[0], 200)
    same(server.ctl("ready", "--quiet").stdout, "ready\n")
    pid = int(server.endpoints["POSTGRES_PIDS"])
    os.kill(pid, signal.SIGSTOP)                                          # its sessions go on: end them, too
    try:
        children = open(f"/proc/{pid}/task/{pid}/children").read().split()
        for child in children:
            os.kill(int(child), signal.SIGSTOP)
        same(get(server, "/healthz")[0], 200)
        same(get(server, "/readyz")[0], 503)
        same(metrics(server)["correio_db_up"], 0)
        same(server.ctl("ready", "--quiet", check=False).returncode, 7)
    finally:
        for child in children:
            os.kill(int(child), signal.SIGCONT)
        os.kill(pid, signal.SIGCONT)
    wait_for("readiness", lambda: get(server, "/readyz")[0] == 200, 60)


with Server() as s:
    s.accounts(["alice"])
    harness.run(s)
