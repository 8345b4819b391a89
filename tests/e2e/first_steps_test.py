#!/usr/bin/env python3
"""From an empty home to a message that arrived, as the page's first steps ask for it: what the server says is done, and what not."""
import imaplib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from server import Server                                                # noqa: E402

PASSWORD = "a quiet place by the sea"
ANA = "ana@example.test"


class Page:
    """The administrator's browser, with its cookie and token."""

    def __init__(self, server):
        self.base = server.endpoints["HTTP_URL"]
        self.headers = {"Origin": self.base, "Sec-Fetch-Site": "same-origin"}

    def ask(self, method, path, body=None, **headers):
        """(status, headers, JSON)"""
        data = None if body is None else json.dumps(body).encode()
        more = {} if body is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(self.base + "/api/v1" + path, data=data, method=method, headers={**self.headers, **more, **headers})
        try:
            with urllib.request.urlopen(request) as answer:
                text = answer.read()
                return answer.status, answer.headers, json.loads(text) if text else None
        except urllib.error.HTTPError as e:
            return e.code, e.headers, json.loads(e.read())

    def good(self, method, path, body=None, status=200, **headers):
        got, _, answer = self.ask(method, path, body, **headers)
        same((got, answer if got != status else None), (status, None))
        return answer

    def use_link(self, token):
        status, headers, session = self.ask("POST", "/session/link", {"token": token})
        same(status, 200)
        self.headers["Cookie"] = headers["Set-Cookie"].split(";")[0]
        self.headers["X-CSRF-Token"] = session["csrf_token"]
        self.good("PUT", "/me/password", {"password": PASSWORD}, 204)

    def done(self):
        return {step["id"] for step in self.good("GET", "/status")["checklist"] if step["done"]}

    def until_done(self, wanted):
        """What the status says may be two seconds old, and so may a setting be."""
        end = time.monotonic() + 8
        while self.done() != wanted and time.monotonic() < end:
            time.sleep(0.1)
        same(self.done(), wanted)


def arrive(server):
    """The page of the first administrator, who came by the link."""
    link = subprocess.run([server.prefix + "/sbin/correiod", "admin-link"], env=server.env, capture_output=True, text=True, check=True)
    page = Page(server)
    page.use_link(link.stdout.strip().split("#link=")[1])
    return page


def make_ana(page):
    page.good("PUT", "/domains/example.test", {"kind": "local"}, 201)
    page.good("PUT", f"/accounts/{ANA}", {"name": "Ana", "password": PASSWORD}, 201)


def cases(server, silent):
    @case("from the link of an empty server to a message that arrived: the checklist is what is so")
    def _():
        page = arrive(server)
        same(page.done(), set())
        same(page.good("GET", "/status")["checklist_shown"], True)
        version = page.good("GET", "/settings/server.hostname")["version"]
        page.good("PUT", "/settings/server.hostname", {"value": "mail.example.test"}, **{"If-Match": f'"{version}"'})
        page.until_done({"hostname"})
        make_ana(page)
        page.until_done({"hostname", "domain", "account"})
        checklist = {step["id"]: step for step in page.good("GET", "/status")["checklist"]}
        same(checklist["dns"], {"id": "dns", "done": False, "domain": "example.test"})

        sent = page.good("POST", f"/accounts/{ANA}/test-message")
        same((sent["to"], sent["accepted"], sent["code"]), (ANA, True, 250))
        page.until_done({"hostname", "domain", "account", "message"})
        imap = imaplib.IMAP4("127.0.0.1", server.port("IMAP"))
        imap.login(ANA, PASSWORD)
        imap.select("INBOX")
        header = imap.fetch("1", "(BODY[HEADER])")[1][0][1].decode()
        imap.logout()
        for line in ("Subject: Test message", "<MAILER-DAEMON@mail.example.test>", "Auto-Submitted: auto-generated", f"To: <{ANA}>"):
            same((line, line in header), (line, True))

    @case("without the local socket the answer says so")
    def _():
        page = arrive(silent)
        make_ana(page)
        answer = page.good("POST", f"/accounts/{ANA}/test-message")
        same(answer, {"to": ANA, "accepted": False, "trace": None, "code": None, "text": "nobody answers at the local socket"})
        page.until_done({"domain", "account"})


def main():
    node = {"CORREIO_SERVER_NODE": "vm1"}
    with Server(env=node) as server, Server(env={**node, "CORREIO_LISTEN_LOCAL": "off"}) as silent:
        cases(server, silent)
        harness.run()


main()
