#!/bin/bash
# SQLite 3 (of better-sqlite3 13.2.0): whether sum() of integers is exact or an error depends on the order in which the rows come. The
# same three integers, whose sum fits 64 bits, give the sum in one order and "integer overflow" in another, although the total
# never changes; an index that gives the rows in another order is enough.
#
# Output seen:
#   large, minus, one: 5
#   large, one, minus: integer overflow
#   through an index:  5
#
# Installs the driver and Node.js 24.21.0 in a temporary folder. Exits with 1 when the order makes no difference.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" node@24.21.0 >/dev/null
export PATH="$folder/node_modules/.bin:$PATH"
npm install --silent --no-audit --no-fund --prefix "$folder" better-sqlite3@13.2.0 >/dev/null
cat > "$folder/run.cjs" <<'JS'
const db = new (require("better-sqlite3"))(":memory:");
const large = 9223372036854775807n;
const sum = (values) => {
  db.exec("drop table if exists t; create table t (id integer primary key, v integer)");
  for (const value of values) db.prepare("insert into t (v) values (?)").run(value);
  return ask("select sum(v) as s from t");
};
const ask = (sql) => {
  try {
    return String(db.prepare(sql).safeIntegers().get().s);
  } catch (error) {
    return error.message;
  }
};
const one = sum([large, -large, 5n]);
const other = sum([large, 5n, -large]);
db.exec("create index i on t (v)");
const indexed = ask("select sum(v) as s from t indexed by i where v < 9223372036854775807 or v = 9223372036854775807");
console.log("large, minus, one:", one);
console.log("large, one, minus:", other);
console.log("through an index: ", indexed);
process.exitCode = one === "5" && other === "integer overflow" && indexed === "5" ? 0 : 1;
JS
node "$folder/run.cjs"
