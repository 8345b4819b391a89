#!/usr/bin/env python3
"""Accounts from a file and to one, by correioctl."""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from server import Server                                                # noqa: E402

DOMAIN = "example.test"


def with_programs(server):
    @case("correioctl: what a dry run says, and links for new accounts")
    def _():
        text = f"address,name\nnew@{DOMAIN},New\nold@{DOMAIN},There\n"
        dry = server.ctl("account", "import", "-", "--dry-run", input=text, check=False)
        same(dry.returncode, 6)
        assert "line 3, address: There is an account" in dry.stderr and f"new@{DOMAIN}" in dry.stdout, dry.stdout + dry.stderr
        same(server.value(f"SELECT count(*) FROM account WHERE address = 'new@{DOMAIN}'"), "0")
        report = json.loads(server.ctl("account", "import", "-", "--dry-run", "--json", "--update", input=text).stdout)
        same([report["created"], report["updated"], report["failed"]], [1, 1, 0])
        done = server.ctl("account", "import", "-", "--update", input=text)
        assert "1 created, 1 changed, 0 as they were, 0 not done." in done.stderr, done.stderr
        assert "/sign-in#link=" in done.stdout, done.stdout
        exported = server.ctl("account", "export", "--q", "new@").stdout
        assert exported.startswith("address,name,role,state,") and f"\nnew@{DOMAIN},New,account,invited," in exported, exported
        same(json.loads(server.ctl("account", "export", "--format", "jsonl", "--q", "new@").stdout)["name"], "New")
        same(server.ctl("account", "import", "-", input=exported, check=False).returncode, 6)


def main():
    with Server() as server:
        server.accounts(["old"])
        with_programs(server)
        harness.run()


main()
