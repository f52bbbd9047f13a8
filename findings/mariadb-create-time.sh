#!/bin/bash
# MariaDB 10.11.x (mariadbd): information_schema.tables.create_time of an InnoDB table is no time of creation. It is the time at
# which the table's .frm file last changed in any way, rights included: a chmod of the file, without a statement, moves it, so
# every copy of the files and every change of their owner does so too. It is in whole seconds.
#
# Output seen with 10.11.19:
#   created  2026-11-30 23:13:05
#   chmod    2026-11-30 23:13:07
#
# Starts a server of its own in a temporary folder, and leaves nothing behind. Exits with 1 when create_time stays.
set -eu
folder=$(mktemp -d /tmp/create-time-XXXXXX)
user=(); if [ "$(id -u)" = 0 ]; then chown mysql "$folder"; user=(--user=mysql); fi
pid=
finish() { if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; fi; rm -rf "$folder"; }
trap finish EXIT
mariadb-install-db --no-defaults "${user[@]}" --datadir="$folder/data" --auth-root-authentication-method=normal --skip-test-db >/dev/null
mariadbd --no-defaults "${user[@]}" --datadir="$folder/data" --socket="$folder/socket" --pid-file="$folder/pid" --skip-networking \
  --innodb-buffer-pool-size=16M 2>"$folder/log" &
pid=$!
run() { mariadb --no-defaults -uroot -S "$folder/socket" -N -B -e "$1"; }
until run "select 1" >/dev/null 2>&1; do kill -0 "$pid"; sleep 0.1; done
run "create database d; create table d.t (id int) engine=innodb"
time_of() { run "flush tables; select create_time from information_schema.tables where table_schema = 'd' and table_name = 't'"; }
created=$(time_of); echo "created  $created"
sleep 2
chmod 600 "$folder/data/d/t.frm"
changed=$(time_of); echo "chmod    $changed"
[ "$created" != "$changed" ]
