#!/usr/bin/env bash
# A schema registry for tests: Apicurio Registry, which has Confluent's interface under
# /apis/ccompat/v7 and keeps its schemas in memory.
#
#   registry.sh get        brings its artifact into .cache/registry
#   registry.sh start DIR  starts it on a free port of the loopback, waits until it
#                          answers, and prints its address
#   registry.sh stop DIR   ends it
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
version=3.0.9
home=$here/.cache/registry-$version

get() {
  [ -e "$home" ] && return
  local fresh=$home.$$
  mkdir -p "$fresh"
  mvn -q -B dependency:copy -Dartifact="io.apicurio:apicurio-registry-app:$version:tar.gz:all" -DoutputDirectory="$fresh" >&2
  tar -xzf "$fresh/apicurio-registry-app-$version-all.tar.gz" -C "$fresh"
  rm "$fresh/apicurio-registry-app-$version-all.tar.gz"
  [ -e "$home" ] || mv "$fresh" "$home"
  rm -rf "$fresh"
}

open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

running() {
  [ -e "$1/pid" ] && kill -0 "$(cat "$1/pid")" 2>/dev/null && ! grep -qs '^State:[[:space:]]*Z' "/proc/$(cat "$1/pid")/status"
}

# launch fails where the port was taken meanwhile.
launch() { # DIR, PORT
  (cd "$home" && exec java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$2" \
    -Dquarkus.log.level=WARN -Dquarkus.http.access-log.enabled=false -jar "apicurio-registry-app-$version-runner.jar") </dev/null >"$1/log" 2>&1 &
  echo $! >"$1/pid"
  for _ in $(seq 900); do
    running "$1" || return 1
    open "$2" && return
    sleep 0.1
  done
  return 1
}

start() { # DIR
  local port
  get
  mkdir -p "$1"
  for _ in 1 2 3; do
    port=$(shuf -i 12000-32000 -n 1)
    if ! open "$port" && launch "$1" "$port"; then
      echo "http://127.0.0.1:$port/apis/ccompat/v7"
      return
    fi
    stop "$1"
  done
  tail -n 20 "$1/log" >&2
  exit 3
}

stop() { # DIR
  running "$1" || return 0
  kill -KILL "$(cat "$1/pid")" 2>/dev/null || true
  while running "$1"; do sleep 0.02; done
}

case $1 in
  get) get ;;
  start) start "$2" ;;
  stop) stop "$2" ;;
  *) echo "registry.sh get | start DIR | stop DIR" >&2; exit 2 ;;
esac
