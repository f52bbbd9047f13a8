#!/bin/bash
# node:sqlite (Node.js 24.21.0): `run`, `get` and `all` take an object in the first place for named parameters, whatever its class. So
# a Date as the only value is read as no names at all, and the placeholder is null; a Date in the second place is an error.
# `prepare` compiles the first statement of a text and drops the rest without an error, where `exec` runs all of it.
#
# Output seen:
#   only value: null
#   second value: ERR_INVALID_ARG_TYPE
#   rows after prepare("insert …; insert …").run(): 1
#   rows after exec of the same text: 3
#
# Installs Node.js 24.21.0 in a temporary folder. Exits with 1 when this has changed.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" node@24.21.0 >/dev/null
export PATH="$folder/node_modules/.bin:$PATH"
cat > "$folder/run.cjs" <<'JS'
const { DatabaseSync } = require("node:sqlite");
const db = new DatabaseSync(":memory:");
const date = new Date(0);
const only = db.prepare("select ? as value").get(date).value;
console.log(`only value: ${only}`);
let code;
try {
  db.prepare("select ? as one, ? as value").get(1, date);
} catch (error) {
  code = error.code;
}
console.log(`second value: ${code}`);
db.exec("create table t (n)");
const text = "insert into t values (1); insert into t values (2)";
const count = () => db.prepare("select count(*) as n from t").get().n;
db.prepare(text).run();
const prepared = count();
console.log(`rows after prepare("insert …; insert …").run(): ${prepared}`);
db.exec(text);
console.log(`rows after exec of the same text: ${count()}`);
process.exitCode = only === null && code === "ERR_INVALID_ARG_TYPE" && prepared === 1 && count() === 3 ? 0 : 1;
JS
node --no-warnings "$folder/run.cjs"
