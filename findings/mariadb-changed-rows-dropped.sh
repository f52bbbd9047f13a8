#!/bin/bash
# mariadb 3.5.4 (the connector for Node.js), MariaDB 10.11: the server answers an update with the text "Rows matched: 2  Changed: 1",
# and with `foundRows` (the default) its number of affected rows is that of the rows matched. The driver reads past the text, so no
# member of the result says how many rows have changed; mysql2 has `changedRows` for it. Only the driver's log of packets shows it.
#
# Output seen:
#   result: {"affectedRows":2,"insertId":"0","warningStatus":0}
#   text of the packet: Rows matched: 2  Changed: 1  Warnings: 0
#
# Needs a MariaDB server on 127.0.0.1:3306 (root, no password), where it makes and drops a database. Exits with 1 when the result has
# the number, or when the server sends no such text.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" node@24.21.0 mariadb@3.5.4 >/dev/null
export PATH="$folder/node_modules/.bin:$PATH"
cat > "$folder/run.cjs" <<'JS'
const mariadb = require("mariadb");
const database = `findings_${process.pid}`;
(async () => {
  let log = "";
  const connection = await mariadb.createConnection({
    host: "127.0.0.1",
    port: 3306,
    user: "root",
    charset: "utf8mb4",
    debug: true,
    debugLen: 1024,
    logger: { network: (text) => { log += text; }, query() {}, error() {}, warning() {} },
  });
  await connection.query(`create database ${database}`);
  try {
    await connection.query(`create table ${database}.t (id int primary key, n int)`);
    await connection.query(`insert into ${database}.t values (1, 1), (2, 2)`);
    log = "";
    const result = await connection.query(`update ${database}.t set n = 1`);
    const shown = JSON.stringify(result, (_, value) => (typeof value === "bigint" ? String(value) : value));
    console.log(`result: ${shown}`);
    // The log is a dump in hexadecimal: 16 bytes a line.
    const bytes = [...log.matchAll(/^\|\s*((?:[0-9A-F]{2}\s+)+)\|/gm)].flatMap(([, line]) => line.trim().split(/\s+/));
    const text = Buffer.from(bytes.join(""), "hex").toString("latin1");
    const found = /Rows matched: \d+ +Changed: \d+ +Warnings: \d+/.exec(text)?.[0];
    console.log(`text of the packet: ${found}`);
    const isSilent = Object.values(result).every((value) => Number(value) !== 1);
    process.exitCode = found?.includes("Changed: 1") === true && isSilent ? 0 : 1;
  } finally {
    await connection.query(`drop database ${database}`);
    await connection.end();
  }
})();
JS
node "$folder/run.cjs"
