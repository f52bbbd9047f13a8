#!/bin/bash
# better-sqlite3 13.2.0: a whole JavaScript number is bound as floating point, whatever its value. An integer column hides it, since
# its affinity turns 5.0 into 5; within an expression nothing does: a division is no integer division, text has ".0", a JSON
# path with an index is invalid, and a sum with a 64-bit integer loses digits. Only a BigInt is bound as an integer.
#
# Output seen (number, then BigInt):
#   {"half":2.5,"text":"n5.0","next":9007199254740992}
#   {"half":2,"text":"n5","next":9007199254740994}
#
# Installs the driver and Node.js 24.21.0 in a temporary folder. Exits with 1 when a number is bound as an integer.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" node@24.21.0 >/dev/null
export PATH="$folder/node_modules/.bin:$PATH"
npm install --silent --no-audit --no-fund --prefix "$folder" better-sqlite3@13.2.0 >/dev/null
cat > "$folder/run.cjs" <<'JS'
const db = new (require("better-sqlite3"))(":memory:");
const ask = (five, two, one) =>
  db.prepare("select ? / ? as half, 'n' || ? as text, 9007199254740993 + ? as next").safeIntegers().get(five, two, five, one);
const shown = ({ half, text, next }) => `{"half":${half},"text":"${text}","next":${next}}`;
const numbers = ask(5, 2, 1);
const integers = ask(5n, 2n, 1n);
console.log(shown(numbers));
console.log(shown(integers));
const isAsSeen = numbers.half === 2.5 && numbers.text === "n5.0" && integers.half === 2n && integers.text === "n5";
process.exitCode = isAsSeen && integers.next === 9007199254740994n ? 0 : 1;
JS
node "$folder/run.cjs"
