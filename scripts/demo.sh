#!/usr/bin/env bash
# Runs the quickstart: the daemon, and a receiver that prints its webhooks.
set -euo pipefail
cd "$(dirname "$0")/.."
export PORT=${PORT:-8080} HOOK_PORT=${HOOK_PORT:-8081}
go build -o bin/receiver ./examples/quickstart/receiver
bin/receiver &
receiver=$!
daemon=
stop() {
  trap - INT TERM EXIT
  [ -z "$daemon" ] || { kill "$daemon" 2>/dev/null && wait "$daemon" || true; }
  kill "$receiver" 2>/dev/null || true
}
trap stop INT TERM EXIT
bin/pictifyd run -c examples/quickstart/pictifyd.yaml &
daemon=$!
cat <<TEXT

  The studio:      http://127.0.0.1:$PORT/
  The gallery:     http://127.0.0.1:$PORT/studio/images
  Now change one price in examples/quickstart/products.csv and watch its card:
  one image is rendered, one webhook is printed here. A change of the column
  stock, which the template does not use, renders nothing.
  Ctrl-C ends it.

TEXT
wait "$daemon"
