#!/bin/bash
# postgres 3.4.9 (postgres.js), PostgreSQL 15: a text for a parameter of type jsonb is made JSON once more, so valid JSON text is stored
# as a JSON string, without an error. The type is the one that the server infers, so the same text through `$1::text::jsonb` is stored as
# the value that it says. pg 8.23.1 sends the text as it is in both.
#
# Output seen (type of what arrives for the text {"a":1}):
#   postgres.js $1::jsonb: string, $1::text::jsonb: object
#   pg $1::jsonb: object, $1::text::jsonb: object
#
# Needs a PostgreSQL server on 127.0.0.1:5432 (postgres, trust); reads only. Exits with 1 when a type is another.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" node@24.21.0 postgres@3.4.9 pg@8.23.1 >/dev/null
export PATH="$folder/node_modules/.bin:$PATH"
cat > "$folder/run.cjs" <<'JS'
const postgres = require("postgres");
const { Client } = require("pg");
const url = "postgresql://postgres@127.0.0.1:5432/postgres";
const queries = ["select jsonb_typeof($1::jsonb) as type", "select jsonb_typeof($1::text::jsonb) as type"];
const text = '{"a":1}';
(async () => {
  const sql = postgres(url, { max: 1 });
  const client = new Client(url);
  await client.connect();
  const theirs = [];
  const pgs = [];
  for (const query of queries) {
    theirs.push((await sql.unsafe(query, [text]))[0].type);
    pgs.push((await client.query(query, [text])).rows[0].type);
  }
  await sql.end();
  await client.end();
  console.log(`postgres.js $1::jsonb: ${theirs[0]}, $1::text::jsonb: ${theirs[1]}`);
  console.log(`pg $1::jsonb: ${pgs[0]}, $1::text::jsonb: ${pgs[1]}`);
  process.exitCode = [...theirs, ...pgs].join() === "string,object,object,object" ? 0 : 1;
})();
JS
node "$folder/run.cjs"
