#!/bin/bash
# Read by PostgreSQL's image when it makes the cluster: a standby of the same network may connect (compose.standby.yaml).
set -e
echo 'host replication correio_owner samenet scram-sha-256' >>"$PGDATA/pg_hba.conf"
