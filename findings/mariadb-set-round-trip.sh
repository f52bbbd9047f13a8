#!/usr/bin/env bash
# mariadb 3.5.4 (the connector), MariaDB 10.11: a column of type `set` is read as an array, and an array given as a parameter
# is sent as JSON, so what was read cannot be written back. Seen:
#   read ["Trailers","Deleted Scenes"], written back: Data truncated for column 'features' at row 1
# `array.join(",")` is what the server takes. Exits with another code than 0 if that changes. Needs a server on 127.0.0.1:3306
# with root and no password.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" mariadb@3.5.4 >/dev/null
cat > "$folder/run.mjs" <<'PROGRAM'
import mariadb from "mariadb";
const connection = await mariadb.createConnection({ host: "127.0.0.1", user: "root" });
await connection.query("create database if not exists finding_set");
await connection.query("use finding_set");
let told = "nothing";
let read;
try {
  await connection.query("set sql_mode = 'STRICT_ALL_TABLES'");
  await connection.query("create table film (id int primary key, features set('Trailers', 'Deleted Scenes'))");
  await connection.query("insert into film values (1, 'Trailers,Deleted Scenes')");
  [{ features: read }] = await connection.execute("select features from film");
  told = await connection.execute("insert into film values (2, ?)", [read]).then(() => "stored", ({ sqlMessage }) => sqlMessage);
} finally {
  await connection.query("drop database finding_set");
  await connection.end();
}
console.log(`read ${JSON.stringify(read)}, written back: ${told}`);
process.exitCode = Array.isArray(read) && /Data truncated/.test(told) ? 0 : 1;
PROGRAM
node "$folder/run.mjs"
