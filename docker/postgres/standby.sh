#!/bin/bash
# Entry point of the standby: the first start copies the cluster of `db` and makes its replication slot; "$@" is the server.
set -euo pipefail
as_postgres=(setpriv --reuid=postgres --regid=postgres --init-groups)
mkdir -p "$PGDATA"
chown postgres:postgres "$PGDATA"
chmod 700 "$PGDATA"
if [ ! -e "$PGDATA/standby.copied" ]; then
  # a copy that was not finished is begun again
  find "$PGDATA" -mindepth 1 -delete
  export PGPASSWORD
  PGPASSWORD=$(cat /run/secrets/db_password)
  psql -qAt -h db -U correio_owner -d correio -c \
    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'standby' AND NOT active" >/dev/null
  "${as_postgres[@]}" pg_basebackup -d "host=db user=correio_owner application_name=standby" -D "$PGDATA" --write-recovery-conf \
    --create-slot --slot=standby --wal-method=stream --checkpoint=fast
  touch "$PGDATA/standby.copied"
  unset PGPASSWORD
fi
exec "${as_postgres[@]}" "$@"
