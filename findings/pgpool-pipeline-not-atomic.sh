#!/usr/bin/env bash
# Pgpool-II 4.3.5 (Debian 12), PostgreSQL 15, pg 8.23.1.
# The extended protocol makes one transaction of all messages up to a Sync: if the second statement fails, what the first did
# is rolled back, and a setting made with `set_config(…, true)` holds for the second. Through Pgpool-II in raw mode each statement that is not
# an insert, update or delete is a transaction of its own: a function that inserts a row leaves it stored though the next
# statement fails, and the setting is gone.
# Seen: "0 rows stored, setting kept" directly, "1 row stored, setting lost" with backend_clustering_mode raw.
# Needs `pgpool` and a PostgreSQL server on 127.0.0.1:5432 with a superuser `postgres` that needs no password.
set -euo pipefail
source "$(dirname "$0")/lib/with-pgpool.sh"
cat > "$folder/probe.mjs" <<'JS'
import pg from "pg";
/** Sends another statement before its own, without a Sync in between. */
class Pipeline extends pg.Query {
  submit(connection) {
    connection.parse({ text: this.other, name: "", types: [] });
    connection.bind({});
    connection.execute({});
    return super.submit(connection);
  }
}
const client = new pg.Client(process.argv[2]);
await client.connect();
const pipeline = (other, text, values) =>
  new Promise((resolve) => {
    const query = new Pipeline(text, values, (error, results) => resolve(error ?? [results].flat().at(-1).rows[0]));
    query.other = other;
    client.query(query);
  });
await client.query("create table pipe (id int)");
await client.query("create function store() returns void language sql as 'insert into pipe values (1)'");
await pipeline("select 1 where store() is not null", "select $1::int / 0", [1]);
await client.query("rollback");
const { rows } = await client.query("select count(*)::int as n from pipe");
const set = "select 1 where set_config('work_mem', '4321kB', true) is null";
const { kept } = await pipeline(set, "select current_setting('work_mem') = $1 as kept", ["4321kB"]);
await client.query("drop function store; drop table pipe");
await client.end();
console.log(rows[0].n, kept ? "kept" : "lost");
JS
direct=$(probe "$direct_url")
start_pgpool streaming_replication
streaming=$(probe "$pgpool_url")
start_pgpool raw
raw=$(probe "$pgpool_url")
echo "direct: $direct; streaming replication: $streaming; raw: $raw (rows stored, setting)"
[ "$direct" = "0 kept" ] && [ "$raw" = "1 lost" ]
