#!/usr/bin/env bash
# Runs every test with the servers that it needs; with arguments, that command in
# place of them. Two passes: everything with
# the race detector on small data, then, without it, the tests that left what is
# large, slow or of other processes: those alone, each whole.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
chmod 755 "$work"
pg_pid= kafka_start= registry_start= s3_pid=
finish() {
  [ -z "$s3_pid" ] || { kill "$s3_pid" 2>/dev/null && wait "$s3_pid" 2>/dev/null; } || true
  [ -z "$kafka_start" ] || { kill "$kafka_start" 2>/dev/null; wait "$kafka_start" 2>/dev/null; } || true
  [ -z "$registry_start" ] || { kill "$registry_start" 2>/dev/null; wait "$registry_start" 2>/dev/null; } || true
  scripts/registry.sh stop "$work/registry" || true
  for dir in "$work"/kafka "$work"/pictifyd-kafka-*; do scripts/kafka.sh stop "$dir" || true; done # also those of tests that were cut off
  [ -z "$pg_pid" ] || { kill -INT "$pg_pid" 2>/dev/null && wait "$pg_pid" 2>/dev/null; } || true
  rm -rf "$work"
}
trap finish EXIT

free_port() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])' 2>/dev/null || shuf -i 20000-50000 -n 1; }

# --- Kafka: one broker, which starts while PostgreSQL does ---
scripts/kafka.sh get
scripts/kafka.sh start "$work/kafka" >"$work/kafka.address" &
kafka_start=$!
export PICTIFYD_TEST_FOLDER=$work

# --- a schema registry, which starts meanwhile too ---
scripts/registry.sh get
scripts/registry.sh start "$work/registry" >"$work/registry.address" &
registry_start=$!

# --- S3: a server over a folder of its own ---
mkdir -p "$work/s3/data" "$work/s3/meta"
s3_port=$(free_port)
.cache/bin/versitygw --quiet --keep-alive --port "127.0.0.1:$s3_port" --access pictifyd-test --secret pictifyd-test-secret \
  posix --sidecar "$work/s3/meta" "$work/s3/data" >"$work/s3.log" 2>&1 &
s3_pid=$!
for _ in $(seq 100); do
  (exec 3<>"/dev/tcp/127.0.0.1/$s3_port") 2>/dev/null && break
  kill -0 "$s3_pid" 2>/dev/null || { cat "$work/s3.log" >&2; exit 3; }
  sleep 0.1
done
export PICTIFYD_TEST_S3="s3://pictifyd-test:pictifyd-test-secret@127.0.0.1:$s3_port/?region=us-east-1"

# --- PostgreSQL, in a folder of its own, as an unprivileged user ---
pg_bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
pg_port=$(free_port)
as_pg=(env) # PostgreSQL refuses to run as root
[ "$(id -u)" != 0 ] || as_pg=(setpriv --reuid=postgres --regid=postgres --clear-groups)
mkdir "$work/pg"
[ "$(id -u)" != 0 ] || chown postgres: "$work/pg"
"${as_pg[@]}" "$pg_bin/initdb" -D "$work/pg/data" -U pictifyd -A trust -E UTF8 --locale=C.UTF-8 >"$work/initdb.log" 2>&1 || { cat "$work/initdb.log" >&2; exit 3; }
"${as_pg[@]}" "$pg_bin/postgres" -D "$work/pg/data" -p "$pg_port" -c listen_addresses=127.0.0.1 \
  -c unix_socket_directories="$work/pg" -c fsync=off -c max_connections=200 \
  -c wal_level=logical -c max_replication_slots=100 -c max_wal_senders=100 >"$work/postgres.log" 2>&1 &
pg_pid=$!
for _ in $(seq 100); do
  "$pg_bin/pg_isready" -q -h 127.0.0.1 -p "$pg_port" && break
  kill -0 "$pg_pid" 2>/dev/null || { cat "$work/postgres.log" >&2; exit 3; }
  sleep 0.1
done
export PICTIFYD_TEST_POSTGRES="postgres://pictifyd@127.0.0.1:$pg_port/postgres?sslmode=disable"

wait "$kafka_start" || exit 3
kafka_start=
PICTIFYD_TEST_KAFKA=$(cat "$work/kafka.address")
export PICTIFYD_TEST_KAFKA
wait "$registry_start" || exit 3
registry_start=
PICTIFYD_TEST_REGISTRY=$(cat "$work/registry.address")
export PICTIFYD_TEST_REGISTRY

# --- Chrome: the real binary behind Debian's wrapper is found by pictifyd itself ---
for name in chromium-headless-shell chromium google-chrome; do
  if command -v "$name" >/dev/null; then PICTIFYD_TEST_CHROME=$(command -v "$name"); break; fi
done
export PICTIFYD_TEST_CHROME
# A test whose service is missing must fail here, not be skipped.
export PICTIFYD_TEST_ALL=1

if [ $# -gt 0 ]; then
  "$@"
  exit
fi

minutes=40m
[ -z "${PICTIFYD_TEST_LONG:-}" ] || minutes=60m
# Tests that may run side by side wait for most of their time.
abreast=4
# SQLite in pure Go is 30 times slower where the race detector watches its every
# access. Its memory is not Go's, which is all that the detector knows: what is
# around it, with the driver, is watched.
unwatched=(-gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false)
left=$work/left # where tests note that they leave something (internal/campaign)
failed=
echo "== with the race detector =="
# shellcheck disable=SC2046
PICTIFYD_TEST_LEFT=$left go test -race "${unwatched[@]}" -short -parallel "$abreast" -timeout 40m $(go list ./...) || failed=1
[ -s "$left" ] || { echo "no test left anything for the second pass: that is not how it was" >&2; exit 1; }
echo "== what that left, without it =="
# shellcheck disable=SC2046
go test -parallel "$abreast" -timeout "$minutes" -run "^($(cut -f 2 "$left" | sort -u | paste -sd '|'))\$" $(cut -f 1 "$left" | sort -u) || failed=1
[ -z "$failed" ]
