# Read by the other scripts: a folder with pg, a database, and a way to start Pgpool-II before it. All of it goes with the script.
folder=$(mktemp -d)
database=findings_$$
pgpool_pid=""
direct_url=postgresql://postgres@127.0.0.1:5432/$database
postgres=postgresql://postgres@127.0.0.1:5432/postgres

run_sql() { (cd "$folder" && node -e 'const pg = require("pg"); const c = new pg.Client(process.argv[1]); c.connect().then(() => c.query(process.argv[2])).then(() => c.end()).catch((e) => { console.error(e.message); process.exit(1); })' "$@"); }
probe() { (cd "$folder" && node probe.mjs "$1"); }
stop_pgpool() {
  [ -n "$pgpool_pid" ] || return 0
  kill -INT "$pgpool_pid"
  wait "$pgpool_pid" 2>/dev/null || true
  pgpool_pid=""
}
clean_up() {
  stop_pgpool
  run_sql "$postgres" "drop database if exists $database with (force)" || true
  rm -rf "$folder"
}
trap clean_up EXIT
npm install --silent --no-fund --no-audit --prefix "$folder" pg@8.23.1 >/dev/null
run_sql "$postgres" "create database $database"

free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }

# start_pgpool MODE [SETTING…]: MODE is a backend_clustering_mode, a SETTING a line of pgpool.conf.
start_pgpool() {
  stop_pgpool
  local port control as=""
  port=$(free_port); control=$(free_port)
  { printf '%s\n' "backend_clustering_mode = '$1'" "listen_addresses = '127.0.0.1'" "port = $port" "socket_dir = '$folder'" \
      "pcp_listen_addresses = '127.0.0.1'" "pcp_port = $control" "pcp_socket_dir = '$folder'" "pid_file_name = '$folder/pid'" \
      "logdir = '$folder'" "backend_hostname0 = '127.0.0.1'" "backend_port0 = 5432" "backend_flag0 = 'DISALLOW_TO_FAILOVER'" \
      "num_init_children = 4" "max_pool = 1"; shift; printf '%s\n' "$@"; } > "$folder/conf"
  : > "$folder/pcp"; : > "$folder/hba"
  if [ "$(id -u)" = 0 ]; then chown -R nobody "$folder"; chmod 755 "$folder"; as="setpriv --reuid=nobody --regid=nogroup --clear-groups"; fi
  $as pgpool -n -f "$folder/conf" -F "$folder/pcp" -a "$folder/hba" >"$folder/log" 2>&1 &
  pgpool_pid=$!
  pgpool_url=postgresql://postgres@127.0.0.1:$port/$database
  for _ in $(seq 100); do run_sql "$pgpool_url" "select 1" 2>/dev/null && return 0; sleep 0.1; done
  cat "$folder/log"; return 1
}
