#!/usr/bin/env bash
# mariadb 3.5.4 (the connector), MariaDB 10.11: a Date given as a parameter is sent in the local time of the process, though
# the option `timezone: "Z"` says that the session is in UTC; both with `query` and with `execute`. What comes back is text
# here (`dateStrings`), so the shift is the parameter's. Seen with TZ=America/New_York for 2026-07-01T12:00:00.000Z:
#   execute: 2026-07-01 08:00:00
#   query:   2026-7-1 8:0:0
# Exits with another code than 0 if that changes. Needs a server on 127.0.0.1:3306 with root and no password.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" mariadb@3.5.4 >/dev/null
cat > "$folder/run.mjs" <<'PROGRAM'
import mariadb from "mariadb";
const connection = await mariadb.createConnection({ host: "127.0.0.1", user: "root", timezone: "Z", dateStrings: true });
const noon = new Date("2026-07-01T12:00:00.000Z");
const [[executed], [queried]] = [
  await connection.execute("select cast(? as char) as sent", [noon]),
  await connection.query("select cast(? as char) as sent", [noon]),
];
await connection.end();
console.log(`execute: ${executed.sent}\nquery:   ${queried.sent}`);
process.exitCode = executed.sent === "2026-07-01 08:00:00" && queried.sent === "2026-7-1 8:0:0" ? 0 : 1;
PROGRAM
TZ=America/New_York node "$folder/run.mjs"
