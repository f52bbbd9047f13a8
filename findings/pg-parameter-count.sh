#!/usr/bin/env bash
# pg 8.23.1, PostgreSQL 15: a statement with more than 65,535 parameters is sent all the same, with a count that is cut to 16
# bits. The server then speaks of a message that the program never made, and never of the limit. Seen for 70,000:
#   08P01 bind message has 4464 parameter formats but 0 parameters
# and for 65,536: bind message supplies 0 parameters, but prepared statement "" requires 65536.
# 08P01 is of the class of lost connections, so that a layer above may take it for one and try again.
# Exits with another code than 0 if that changes. Needs a server on 127.0.0.1:5432 that trusts postgres.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" pg@8.23.1 >/dev/null
cat > "$folder/run.mjs" <<'PROGRAM'
import pg from "pg";
const client = new pg.Client("postgresql://postgres@127.0.0.1:5432/postgres");
await client.connect();
const outcome = async (count) => {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const text = `select 1 where 0 not in (${numbers.map((number) => `$${number}::int`).join(", ")})`;
  return client.query(text, numbers).then(({ rows }) => `${rows.length} row`, ({ code, message }) => `${code} ${message}`);
};
const seen = [await outcome(65_535), await outcome(65_536), await outcome(70_000)];
await client.end();
console.log(seen.join("\n"));
const [most, one, many] = seen;
process.exitCode =
  most === "1 row" && /^08P01 .*supplies 0 parameters/.test(one) && /^08P01 .*4464 parameter formats but 0/.test(many) ? 0 : 1;
PROGRAM
node "$folder/run.mjs"
