#!/usr/bin/env python3
"""The log of writes: correioctl lists it, proves that it is whole, and finds what was changed in the database."""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from server import Server                                                # noqa: E402


def verify(server):
    done = server.ctl("audit", "verify", check=False)
    return done.returncode, done.stderr.strip()


def main():
    with Server() as server:
        server.domain("example.test")
        server.account("alice@example.test", "secret")
        server.ctl("account", "set", "alice@example.test", "--name", "Alice")

        @case("correioctl audit list: newest first, by object")
        def _():
            rows = [json.loads(line) for line in server.ctl("audit", "list", "--object", "alice@example.test", "--json").stdout.splitlines()]
            same(rows[0]["action"].split(".")[0], "account")
            same(rows[0]["after"]["name"], "Alice")
            same(len(server.ctl("audit", "list", "--action", "domain.", "--quiet").stdout.split()), 1)

        @case("correioctl audit verify: whole; a changed, a missing and a further row are found, exit status 9")
        def _():
            status, words = verify(server)
            same(status, 0)
            assert "follow from each other" in words, words
            for damage in ("UPDATE audit SET after = '{\"name\": \"Eve\"}' WHERE id = 3",
                           "DELETE FROM audit WHERE id = (SELECT max(id) - 1 FROM audit)",
                           "UPDATE audit SET hash = sha256('x') WHERE id = 1"):
                server.sql("CREATE TABLE kept AS TABLE audit")
                server.sql(damage)
                status, words = verify(server)
                same(status, 9)
                assert "not as it was written" in words, words
                server.sql("DELETE FROM audit; INSERT INTO audit OVERRIDING SYSTEM VALUE SELECT * FROM kept; DROP TABLE kept")
            same(verify(server)[0], 0)

        harness.run()


main()
