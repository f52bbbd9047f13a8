#!/usr/bin/env bash
# PostgreSQL 15, pg 8.23.1.
# The types of a prepared statement's parameters are those of the columns when it was prepared, and stay. After `alter column …
# type` the statement goes on without an error, and converts each value to the old type first: a column that was widened from
# real to double precision goes on to store the digits of a real, one that was changed from date to timestamp stores midnight,
# and one from integer to bigint refuses what is no integer. A connection that prepared the statement later stores the value.
# Seen: 0.10000000149011612 in place of 0.1, "2026-01-02 00:00:00" in place of "2026-01-02 03:04:05", error 22003 for 3000000000.
# Needs a PostgreSQL server on 127.0.0.1:5432 with a superuser `postgres` that needs no password.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-fund --no-audit --prefix "$folder" pg@8.23.1 >/dev/null
cat > "$folder/probe.mjs" <<'JS'
import pg from "pg";
const connect = async () => {
  const client = new pg.Client("postgresql://postgres@127.0.0.1:5432/postgres");
  await client.connect();
  return client;
};
const schema = `findings_${process.pid}`;
const [old, late] = await Promise.all([connect(), connect()]);
for (const client of [old, late]) await client.query(`set search_path to ${schema}`);
await old.query(`create schema ${schema}`);
try {
  const stored = async (client, from, to, first, second) => {
    await old.query(`drop table if exists t; create table t (v ${from})`);
    const insert = { name: `i_${from}`, text: "insert into t values ($1)" };
    await old.query({ ...insert, values: [first] });
    await old.query(`alter table t alter column v type ${to}`);
    await client.query({ ...insert, name: `${insert.name}_${client === old ? "" : "late"}`.replace(/_$/, ""), values: [second] });
    return (await old.query("select v::text from t order by ctid desc limit 1")).rows[0].v;
  };
  const kinds = [
    ["real", "double precision", "1", "0.1", "0.10000000149011612", "0.1"],
    ["date", "timestamp", "2026-01-01", "2026-01-02 03:04:05", "2026-01-02 00:00:00", "2026-01-02 03:04:05"],
    ["integer", "bigint", "1", "3000000000", "22003", "3000000000"],
  ];
  for (const [from, to, first, second, seen, right] of kinds) {
    const got = [];
    for (const client of [late, old]) got.push(await stored(client, from, to, first, second).catch((error) => error.code));
    console.log(`${from} to ${to}: prepared before ${got[1]}, prepared after ${got[0]}`);
    if (got[1] !== seen || got[0] !== right) process.exitCode = 1;
    await old.query("deallocate all");
  }
} finally {
  await old.query(`drop schema ${schema} cascade`);
  await Promise.all([old.end(), late.end()]);
}
JS
(cd "$folder" && node probe.mjs)
