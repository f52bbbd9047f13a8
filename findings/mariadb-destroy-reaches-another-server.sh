#!/bin/bash
# The npm package mariadb 3.5.4: `connection.destroy()`, while a result is being read, does not just close its socket. It
# makes another connection to the same address and sends `KILL <thread id>` there. Behind a balancer that is another server
# every other time (here HAProxy with two servers of MariaDB 10.11), where the same number is another client's connection.
#
# Output seen: the other client's connection was killed: true
#
# Starts two servers and a balancer of its own in a temporary folder, and leaves nothing behind. Exits with 1 when the other
# client's connection lives on.
set -eu
folder=$(mktemp -d /tmp/destroy-XXXXXX)
user=(); if [ "$(id -u)" = 0 ]; then chown mysql "$folder"; user=(--user=mysql); fi
pids=()
finish() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done; rm -rf "$folder"; }
trap finish EXIT
free() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }

npm install --silent --no-fund --no-audit --prefix "$folder" mariadb@3.5.4 >/dev/null
ports=()
for name in a b; do
  port=$(free); ports+=("$port")
  mariadb-install-db --no-defaults "${user[@]}" --datadir="$folder/$name" --auth-root-authentication-method=normal \
    --skip-test-db >/dev/null 2>&1
  mariadbd --no-defaults "${user[@]}" --datadir="$folder/$name" --socket="$folder/$name.sock" --pid-file="$folder/$name.pid" \
    --port="$port" --bind-address=127.0.0.1 --innodb-buffer-pool-size=16M >"$folder/$name.log" 2>&1 & pids+=($!)
done
balancer=$(free)
cat >"$folder/haproxy" <<CONF
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
listen all
  bind 127.0.0.1:$balancer
  balance roundrobin
  server a 127.0.0.1:${ports[0]}
  server b 127.0.0.1:${ports[1]}
CONF
cat >"$folder/try.mjs" <<'JS'
import { createConnection } from "mariadb";

const [a, b, balancer] = process.argv.slice(2).map(Number);
const open = (port) => createConnection({ host: "127.0.0.1", port, user: "root", database: "mysql" });
const pause = () => new Promise((resolve) => setTimeout(resolve, 100));
async function reach(port) {
  for (let tries = 0; tries < 300; tries++) {
    const connection = await open(port).catch(() => undefined);
    if (connection !== undefined) return connection;
    await pause();
  }
  throw new Error(`nothing answers on ${port}`);
}
for (const port of [a, b, balancer]) await (await reach(port)).end();
// The numbers of server a are ahead, so that a connection to b can still get the same.
for (let burnt = 0; burnt < 50; burnt++) await (await open(a)).end();
let reading;
for (;;) {
  reading = await open(balancer);
  const [{ port }] = await reading.query("select @@port as port");
  if (Number(port) === a) break;
  await reading.end();
}
let other = await open(b);
while (other.threadId < reading.threadId) {
  await other.end();
  other = await open(b);
}
if (other.threadId !== reading.threadId) throw new Error("the numbers do not meet");
let killed = false;
other.on("error", () => {});
other.on("end", () => { killed = true; });

const rows = reading.queryStream("select seq from seq_1_to_20000000");
rows.on("error", () => {});
for await (const _ of rows) break;
reading.on("error", () => {});
reading.destroy();
for (let tries = 0; tries < 50 && !killed; tries++) await pause();
console.log("the other client's connection was killed:", killed);
process.exit(killed ? 0 : 1);
JS
haproxy -db -f "$folder/haproxy" >"$folder/haproxy.log" 2>&1 & pids+=($!)
node "$folder/try.mjs" "${ports[@]}" "$balancer"
