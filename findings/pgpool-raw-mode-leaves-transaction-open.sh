#!/usr/bin/env bash
# Pgpool-II 4.3.5 (Debian 12), PostgreSQL 15, pg 8.23.1.
# A client sends `insert` with a parameter, outside of a transaction. Through Pgpool-II with `backend_clustering_mode = 'raw'` the
# answer is success, but ReadyForQuery says "T": Pgpool-II has begun a transaction of its own and leaves it open. Other
# clients do not see the row, and it is lost when the client disconnects. Directly, and in streaming replication mode, the
# row is stored at once.
# Seen: "direct: I, 1 stored", "raw: T, 0 stored, 0 after the client has left".
# Needs `pgpool` and a PostgreSQL server on 127.0.0.1:5432 with a superuser `postgres` that needs no password.
set -euo pipefail
source "$(dirname "$0")/lib/with-pgpool.sh"
cat > "$folder/probe.mjs" <<JS
import pg from "pg";
const connect = async (url) => {
  const client = new pg.Client(url);
  await client.connect();
  return client;
};
const watcher = await connect("$direct_url");
const stored = async () => (await watcher.query("select count(*)::int as n from entry")).rows[0].n;
await watcher.query("create table entry (id int)");
const client = await connect(process.argv[2]);
await client.query("insert into entry values (\$1)", [1]);
const status = client.getTransactionStatus();
const seen = await stored();
await client.end();
// The server connection is reset when Pgpool-II takes it back.
await new Promise((resolve) => setTimeout(resolve, 1000));
console.log(status, seen, await stored());
await watcher.query("drop table entry");
await watcher.end();
JS
direct=$(probe "$direct_url")
start_pgpool streaming_replication
streaming=$(probe "$pgpool_url")
start_pgpool raw
raw=$(probe "$pgpool_url")
echo "direct: $direct; streaming replication: $streaming; raw: $raw (status, rows stored, rows stored after the client has left)"
[ "$direct" = "I 1 1" ] && [ "$streaming" = "I 1 1" ] && [ "$raw" = "T 0 0" ]
