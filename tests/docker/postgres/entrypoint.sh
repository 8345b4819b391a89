#!/bin/bash
# As the official image's: makes the cluster from POSTGRES_* once, runs /docker-entrypoint-initdb.d, then the server, which
# listens everywhere and wants a password.
set -euo pipefail
as_postgres=(setpriv --reuid=postgres --regid=postgres --init-groups)
chown postgres:postgres "$PGDATA"
chmod 700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  install -m 600 -o postgres "$POSTGRES_PASSWORD_FILE" /tmp/password
  "${as_postgres[@]}" initdb -D "$PGDATA" --username="$POSTGRES_USER" --pwfile=/tmp/password \
    --auth-local=trust --auth-host=scram-sha-256 $POSTGRES_INITDB_ARGS
  rm /tmp/password
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  "${as_postgres[@]}" pg_ctl -D "$PGDATA" -w -o '-c listen_addresses=' start
  "${as_postgres[@]}" psql -qU "$POSTGRES_USER" postgres -c "CREATE DATABASE $POSTGRES_DB"
  for script in /docker-entrypoint-initdb.d/*.sh; do "${as_postgres[@]}" bash "$script"; done
  "${as_postgres[@]}" pg_ctl -D "$PGDATA" -w stop
fi
exec "${as_postgres[@]}" "$@" "-clisten_addresses=*"
