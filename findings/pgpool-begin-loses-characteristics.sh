#!/usr/bin/env bash
# Pgpool-II 4.3.5 (Debian 12), PostgreSQL 15, pg 8.23.1.
# `begin isolation level serializable read only` through Pgpool-II in streaming replication mode, where it has not found out which
# server is the primary (no `sr_check_user`): the transaction is "read committed" and writes. Pgpool-II sends a plain BEGIN,
# which is meant for standbys, and in one text with other statements it drops these as well. `repeatable read` arrives, and
# so does `begin; set transaction isolation level serializable`.
# Seen: "serializable, on" directly, "read committed, off" through Pgpool-II; of "begin isolation level serializable; select 7" no row.
# Needs `pgpool` and a PostgreSQL server on 127.0.0.1:5432 with a superuser `postgres` that needs no password.
set -euo pipefail
source "$(dirname "$0")/lib/with-pgpool.sh"
cat > "$folder/probe.mjs" <<'JS'
import pg from "pg";
const client = new pg.Client(process.argv[2]);
await client.connect();
const state = async (begin) => {
  await client.query(begin);
  const { rows } = await client.query("select current_setting('transaction_isolation') || ',' || current_setting('transaction_read_only') as state");
  await client.query("rollback");
  return rows[0].state;
};
const plain = await state("begin isolation level serializable read only");
const apart = await state("begin; set transaction isolation level serializable, read only");
const results = [await client.query("begin isolation level serializable; select 7 as seven")].flat();
await client.query("rollback");
const seven = results.some(({ rows }) => rows.length === 1);
await client.end();
console.log([plain, apart, seven].join("|"));
JS
direct=$(probe "$direct_url")
start_pgpool streaming_replication
through=$(probe "$pgpool_url")
echo "direct: $direct; through Pgpool-II: $through"
[ "$direct" = "serializable,on|serializable,on|true" ] && [ "$through" = "read committed,off|serializable,on|false" ]
