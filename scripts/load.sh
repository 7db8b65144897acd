#!/usr/bin/env bash
# Measures with vegeta, a load tool, how fast a daemon serves images, and what
# it does when it is asked for twice of what it can.
#
# The tool has one processor (-cpus 1, and by taskset the last one of the
# machine where that exists); the daemon may use all of them. The figures of
# both are printed, with the daemon's processor time for a request.
#
# LENGTH  of each attack (10s)
# RATE_IMAGES, RATE_UNCHANGED  requests a second that are asked for; 0 is as many
#         as WORKERS clients get, one after the other (0)
# WORKERS clients at the same time (32)
set -euo pipefail
cd "$(dirname "$0")/.."
LENGTH=${LENGTH:-10s} WORKERS=${WORKERS:-32} RATE_IMAGES=${RATE_IMAGES:-0} RATE_UNCHANGED=${RATE_UNCHANGED:-0}
vegeta=.cache/bin/vegeta
work=$(mktemp -d)
daemon=
finish() {
  [ -z "$daemon" ] || { kill -TERM "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null; } || true
  rm -rf "$work"
}
trap finish EXIT
tool=("$vegeta")
command -v taskset >/dev/null && tool=(taskset -c $(($(nproc) - 1)) "$vegeta")

cp -r examples/quickstart/templates "$work/templates"
printf 'sku,name,price,photo\nA,Mug,12,\n' >"$work/rows.csv"
cat >"$work/pictifyd.yaml" <<YAML
server: { listen: "127.0.0.1:0", limits: { uploads: 4, backlog: 200 } }
templates: templates
sources: { catalog: { kind: file, path: rows.csv, key: sku } }
bindings: [ { name: cards, source: catalog, template: product-card, map: { title: name }, public: true, outputs: [ { name: card, format: jpeg } ] } ]
YAML
bin/pictifyd run -c "$work/pictifyd.yaml" 2>"$work/log" &
daemon=$!
url=
for _ in $(seq 300); do
  url=$(sed -n 's/.*msg="pictifyd listens" url=\(http[^ ]*\)\/.*/\1/p' "$work/log")
  if [ -n "$url" ] && curl -fsS -o "$work/picture" "$url/b/cards/A.jpg" 2>/dev/null; then break; fi
  kill -0 "$daemon" 2>/dev/null || { cat "$work/log" >&2; exit 3; }
  sleep 0.2
done
[ -s "$work/picture" ] || { cat "$work/log" >&2; exit 3; }

# 65 KB that nothing compresses, under their hash: what a photo is to a server.
head -c 66560 /dev/urandom >"$work/big"
hash=$(sha256sum "$work/big" | cut -d' ' -f1)
mkdir -p "$work/data/images/${hash:0:2}/${hash:2:2}"
cp "$work/big" "$work/data/images/${hash:0:2}/${hash:2:2}/$hash"
tag=$(curl -fsSI "$url/b/cards/A.jpg" | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p')

cpu() { awk '{ print ($14 + $15) * 10000 }' "/proc/$daemon/stat"; } # microseconds, at 100 ticks a second
attack() { # title, rate, targets
  local before after
  printf '%s' "$3" | "${tool[@]}" -cpus 1 attack -duration 2s -rate "$2" -max-workers "$WORKERS" -workers "$WORKERS" -max-body 0 >/dev/null # warm
  before=$(cpu)
  printf '%s' "$3" | "${tool[@]}" -cpus 1 attack -duration "$LENGTH" -rate "$2" -max-workers "$WORKERS" -workers "$WORKERS" -max-body 0 >"$work/results"
  after=$(cpu)
  "$vegeta" report -type json <"$work/results" >"$work/report"
  python3 - "$1" "$work/report" $((after - before)) <<'PY'
import json, sys
title, path, cpu = sys.argv[1], sys.argv[2], int(sys.argv[3])
r = json.load(open(path))
l = r["latencies"]
print(f"{title:44} {r['throughput']:8.0f}/s  {cpu / r['requests']:5.0f} µs of the daemon's processor each  p50 {l['50th'] / 1e6:.2f} ms  p99 {l['99th'] / 1e6:.2f} ms  status {r['status_codes']}")
PY
}
echo "$(nproc) processors, one of them for the tool; $WORKERS clients, $LENGTH each"
attack "GET /images/HASH.jpg, 65 KB" "$RATE_IMAGES" "GET $url/images/$hash.jpg"$'\n'
attack "GET /b/cards/A.jpg, not changed: 304" "$RATE_UNCHANGED" "GET $url/b/cards/A.jpg"$'\n'"If-None-Match: $tag"$'\n'

# Twice of what it can: batches of 20 rows, first one after the other to see how
# many a second it can do, then twice as many, whether they are answered or not.
python3 scripts/load_batches.py "$vegeta" "$url" "$work" "${LENGTH%s}"
