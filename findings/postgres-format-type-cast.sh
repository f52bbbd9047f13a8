#!/usr/bin/env bash
# PostgreSQL 15: the name that `format_type(oid, null)` gives for the type of a `char(n)` column is no type to cast to. It says
# "character", and a cast to that means char(1) and cuts in silence: 'FR' becomes 'F'. The same with "bit". With -1 in place
# of null it says "bpchar" and "\"bit\"", which cut nothing. Seen:
#   null: character -> F, bit -> 1
#   -1:   bpchar -> FR, "bit" -> 1010
# Exits with another code than 0 if that changes. Needs a server on 127.0.0.1:5432 that trusts postgres.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" pg@8.23.1 >/dev/null
cat > "$folder/run.mjs" <<'PROGRAM'
import pg from "pg";
const client = new pg.Client("postgresql://postgres@127.0.0.1:5432/postgres");
await client.connect();
const lines = [];
for (const modifier of ["null", "-1"]) {
  const parts = [];
  for (const [type, value] of [["bpchar", "FR"], ["bit", "1010"]]) {
    const { rows: [{ name }] } = await client.query(`select format_type('${type}'::regtype, ${modifier}) as name`);
    const { rows: [{ cast }] } = await client.query(`select (('{${value}}'::text[]::${name}[])[1])::text as cast`);
    parts.push(`${name} -> ${cast}`);
  }
  lines.push(parts.join(", "));
}
await client.end();
console.log(`null: ${lines[0]}\n-1:   ${lines[1]}`);
process.exitCode = lines[0] === "character -> F, bit -> 1" && lines[1] === 'bpchar -> FR, "bit" -> 1010' ? 0 : 1;
PROGRAM
node "$folder/run.mjs"
