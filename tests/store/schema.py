#!/usr/bin/env python3
"""sql/schema.sql is what the migrations give; `schema.py --write` makes it anew."""
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PATH = os.path.join(ROOT, "sql", "schema.sql")


def dump():
    r = subprocess.run([os.environ["CORREIO_TEST_PGBIN"] + "/pg_dump", "--schema-only", "--no-owner", "--no-privileges",
                        "-d", os.environ["CORREIO_TEST_CONNINFO"]], capture_output=True, text=True, check=True)
    lines = [l for l in r.stdout.splitlines()
             if l and not l.startswith(("--", "SET ", "\\restrict", "\\unrestrict")) and "pg_catalog.set_config" not in l]
    text = "\n".join(lines) + "\n"
    return re.sub(r"\n{2,}", "\n", text)


def main():
    text = dump()
    if "--write" in sys.argv:
        with open(PATH, "w") as f:
            f.write(text)
        return
    with open(PATH) as f:
        kept = f.read()
    if kept != text:
        sys.exit("sql/schema.sql is not what the migrations give: run tests/support/with-postgres tests/store/schema.py --write")


main()
