"""Imports of accounts whose process is killed in the middle: each line is done once, and none is lost."""
from harness import same
from internet import wait_for

DOMAIN = "import.example"
LINES = 12
KILLED_AT = 5       # of each process, when the account is made and the line is not done
FAULT = f"import-account=kill@{KILLED_AT}"
LAST = "(SELECT max(id) FROM operation WHERE action = 100)"


def run_import(server, text, *options):
    """Begins it by a program that loses its server; gives the operation at its end."""
    server.ctl("account", "import", "-", "--yes", *options, input=text, check=False)
    wait_for("the import's end", lambda: server.value(f"SELECT state FROM operation WHERE id = {LAST}") == "1", 120)
    return server.sql(f"SELECT o.total, o.done, o.changed, i.created, i.updated, i.unchanged, i.failed FROM operation o "
                      f"JOIN import i ON i.operation_id = o.id WHERE o.id = {LAST}")[0]


def outcomes(server):
    return server.sql(f"SELECT line, outcome, invited::int, code FROM import_line WHERE operation_id = {LAST} ORDER BY line")


def making(server):
    """Each account is made once, and those whose password is lost have a link instead."""
    rows = "".join(f"k{n:02}@{DOMAIN},K {n},k{n:02}x@{DOMAIN},{'a quiet place by the sea' if n % 2 else ''}\n" for n in range(LINES))
    same(run_import(server, "address,name,addresses,password\n" + rows),
         [str(LINES), str(LINES), str(LINES), str(LINES), "0", "0", "0"])
    same(server.value("SELECT count(*) FROM account WHERE address LIKE 'k__@%'"), str(LINES))
    same(server.value("SELECT count(*) FROM address WHERE localpart LIKE 'k__x'"), str(LINES))
    same(server.sql("SELECT objects[1], count(*) FROM audit WHERE action = 'account.create' AND objects[1] LIKE 'k__@%' "
                    "GROUP BY 1 HAVING count(*) <> 1"), [])
    # The first four lines are done with their passwords; a new process knows none.
    for n, (line, outcome, invited, code) in enumerate(outcomes(server)):
        has_password = n % 2 == 1 and n < KILLED_AT - 1
        lost = n % 2 == 1 and not has_password
        same((line, outcome, invited, code), (str(n + 2), "0", "0" if has_password else "1", "password-lost" if lost else ""))
        state = server.value(f"SELECT state FROM account WHERE address = 'k{n:02}@{DOMAIN}'")
        same(state, "1" if has_password else "0")
    same(server.value("SELECT count(*) FROM import_line WHERE body IS NOT NULL"), "0")
    links = server.sql(f"SELECT count(*) FROM import_line WHERE operation_id = {LAST} AND invited")[0][0]
    same(links, str(LINES - 2))


def changing(server):
    """Each account ends as the file says."""
    rows = "".join(f"k{n:02}@{DOMAIN},Changed {n},k{n:02}y@{DOMAIN}\n" for n in range(LINES))
    got = run_import(server, "address,name,addresses\n" + rows, "--update")
    same(got, [str(LINES), str(LINES), str(LINES), "0", str(LINES), "0", "0"])
    same(server.value("SELECT count(*) FROM account WHERE name LIKE 'Changed %'"), str(LINES))
    same(server.sql("SELECT substr(localpart, 4), count(*) FROM address WHERE localpart ~ '^k[0-9]{2}[xy]$' GROUP BY 1"),
         [["y", str(LINES)]])
    same(server.sql("SELECT objects[1] FROM audit WHERE action = 'account.update' GROUP BY 1 HAVING count(*) <> 1"), [])
