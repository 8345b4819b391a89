#!/usr/bin/env python3
"""Every grant that a role has is in sql/roles.sql, and nothing else is: a surplus fails."""
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CONNINFO = os.environ["CORREIO_TEST_CONNINFO"]


def sql(text):
    r = subprocess.run(["psql", "-X", "-A", "-t", "-F", " ", CONNINFO, "-c", text], capture_output=True, text=True, check=True)
    return set(line for line in r.stdout.splitlines() if line)


def wanted():
    """The statements of roles.sql, spelt out one by one."""
    with open(os.path.join(ROOT, "sql", "roles.sql")) as f:
        text = re.sub(r"--.*", "", f.read())
    out = set()
    for what, on, to in re.findall(r"GRANT\s+(.*?)\s+ON\s+(.*?)\s+TO\s+(.*?);", text, re.S):
        if on.startswith("SCHEMA"):
            continue
        kind = "table"
        m = re.match(r"(SEQUENCE|FUNCTION)\s+(.*)", on, re.S)
        if m:
            kind, on = m.group(1).lower(), m.group(2)
        objects = [o.strip() for o in (re.findall(r"\w+\([^)]*\)", on) if kind == "function" else on.split(","))]
        rights = re.findall(r"(\w+)(?:\s*\(([^)]*)\))?", what)
        for role in (r.strip() for r in to.split(",")):
            for obj in objects:
                for right, columns in rights:
                    for column in (columns.split(",") if columns else [""]):
                        out.add(" ".join([role, right, kind, obj.split("(")[0], column.strip()]).strip())
    return out


def found():
    return sql("""
      SELECT grantee, privilege_type, 'table', table_name FROM information_schema.role_table_grants
       WHERE table_schema = 'public' AND grantee LIKE 'correio\\_%' AND grantee <> 'correio_owner'
      UNION ALL
      SELECT grantee, privilege_type, 'table', table_name || ' ' || column_name FROM information_schema.role_column_grants c
       WHERE table_schema = 'public' AND grantee LIKE 'correio\\_%' AND grantee <> 'correio_owner'
         AND NOT EXISTS (SELECT FROM information_schema.role_table_grants t WHERE t.grantee = c.grantee
           AND t.table_name = c.table_name AND t.table_schema = 'public' AND t.privilege_type = c.privilege_type)
      UNION ALL
      SELECT r.rolname, 'USAGE', 'sequence', c.relname FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
       WHERE c.relkind = 'S' AND r.rolname <> 'correio_owner' AND a.privilege_type = 'USAGE'
      UNION ALL
      SELECT r.rolname, 'EXECUTE', 'function', p.proname FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee
       WHERE p.pronamespace = 'public'::regnamespace AND r.rolname <> 'correio_owner'""")


def public():
    """What everybody may do: no function of ours, no table."""
    return sql("""
      SELECT 'PUBLIC', privilege_type, table_name FROM information_schema.role_table_grants
       WHERE table_schema = 'public' AND grantee = 'PUBLIC'
      UNION ALL
      SELECT 'PUBLIC', 'EXECUTE', proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
       AND (proacl IS NULL OR EXISTS (SELECT FROM aclexplode(proacl) a WHERE a.grantee = 0))""")


def main():
    want, got = wanted(), found()
    for line in sorted(got - want):
        print("surplus:", line)
    for line in sorted(want - got):
        print("missing:", line)
    everybody = public()
    for line in sorted(everybody):
        print("for everybody:", line)
    sys.exit(1 if want != got or everybody else 0)


main()
