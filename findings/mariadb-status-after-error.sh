#!/bin/bash
# The connector mariadb 3.5.4 with MariaDB 10.11: `connection.info.status` is the server's status, and its bit 1 says that a
# transaction is open. After any error the connector sets that bit by itself, since the server sends no status with an error:
# a connection that has never begun a transaction seems to be in one until its next answer, and so does one whose transaction
# was committed by a `create table` that then failed.
#
# Output seen:
#   fresh: 0, after an error: 1, after the next statement: 0
#   begun: 1, after a create table that failed: 1, after the next statement: 0
#
# Needs MariaDB on 127.0.0.1:3306 (root, no password); installs the connector in a temporary folder, and drops its database.
# Exits with 1 when that changes.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" mariadb@3.5.4 >/dev/null
cat > "$folder/run.cjs" <<'JS'
const mariadb = require("mariadb");
(async () => {
  const connection = await mariadb.createConnection({ host: "127.0.0.1", user: "root" });
  const name = `finding_${process.pid}`;
  const status = () => connection.info.status & 1;
  const failing = (sql) => connection.query(sql).catch(() => {});
  await connection.query(`create database ${name}`);
  try {
    await connection.query(`use ${name}`);
    await connection.query("create table t (id int)");
    const seen = [status()];
    await failing("select nonsense");
    seen.push(status());
    await connection.query("select 1");
    seen.push(status());
    console.log(`fresh: ${seen[0]}, after an error: ${seen[1]}, after the next statement: ${seen[2]}`);
    await connection.query("start transaction");
    await connection.query("insert into t values (1)");
    seen.push(status());
    await failing("create table t (id int)");
    seen.push(status());
    await connection.query("select 1");
    seen.push(status());
    console.log(`begun: ${seen[3]}, after a create table that failed: ${seen[4]}, after the next statement: ${seen[5]}`);
    process.exitCode = seen.join("") === "010110" ? 0 : 1;
  } finally {
    await connection.query(`drop database ${name}`);
    await connection.end();
  }
})();
JS
node "$folder/run.cjs"
