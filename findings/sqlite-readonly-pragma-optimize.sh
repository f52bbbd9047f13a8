#!/bin/bash
# SQLite 3 (of better-sqlite3 13.2.0): sqlite3_stmt_readonly(), which better-sqlite3 shows as `statement.readonly`, is true for
# `pragma optimize`, and that writes to the file: it runs `analyze`, which stores statistics. So it does not tell which statements
# may run beside a writer.
#
# Output seen:
#   pragma optimize: readonly true, rows of statistics before 0, after 1
#
# Installs the driver in a temporary folder. Exits with 1 when that changes.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" better-sqlite3@13.2.0 >/dev/null
cat > "$folder/run.cjs" <<'JS'
const Database = require("better-sqlite3");
const path = `${__dirname}/test.db`;
const db = new Database(path);
db.exec("create table t (a integer); create index i on t (a)");
const insert = db.prepare("insert into t values (?)");
db.transaction(() => {
  for (let n = 0; n < 1000; n++) insert.run(n % 10);
})();
const statistics = () =>
  db.prepare("select count(*) from sqlite_schema where name = 'sqlite_stat1'").pluck().get() === 0
    ? 0
    : db.prepare("select count(*) from sqlite_stat1").pluck().get();
const before = statistics();
const optimize = db.prepare("pragma optimize = 0x10002");
optimize.all();
const after = statistics();
console.log(`pragma optimize: readonly ${optimize.readonly}, rows of statistics before ${before}, after ${after}`);
process.exitCode = optimize.readonly && before === 0 && after > 0 ? 0 : 1;
JS
node "$folder/run.cjs"
