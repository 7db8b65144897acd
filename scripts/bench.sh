#!/usr/bin/env bash
# Runs the benchmarks and keeps what they print in bench/RESULTS.md.
set -euo pipefail
cd "$(dirname "$0")/.."
for name in chromium-headless-shell chromium google-chrome; do
  if command -v "$name" >/dev/null; then PICTIFYD_TEST_CHROME=$(command -v "$name"); break; fi
done
export PICTIFYD_TEST_CHROME
mkdir -p bench
run() { # title, package, pattern, further flags
  echo "## $1"
  echo
  echo '```text'
  go test -run '^$' -bench "$3" -benchtime "${4:-1x}" -timeout 30m "$2" | grep -E '^(Benchmark|cpu|  )' || true
  echo '```'
  echo
}
{
  echo "# Figures"
  echo
  echo "Printed by \`make bench\` on $(nproc) cores, $(go version | cut -d' ' -f3), $("$PICTIFYD_TEST_CHROME" --version 2>/dev/null | tail -n 1 || echo Chromium)."
  echo "Runs differ by a tenth or two; compare within one run."
  echo
  run "A change in the file to new bytes under /b/…, at rest" ./daemon '^BenchmarkChangeToBytes$' 100x
  run "A reading of 10,000 rows of which 10 changed" ./daemon '^BenchmarkReading$' 20x
  run "A batch of 1,000 rows, accepted to completed" ./daemon '^BenchmarkBatch$' 3x
  run "The pool beside the tutorial's loop (a new tab for each image)" ./render/chrome '^BenchmarkRender' 60x
  run "Resolving and printing a row of the product card, beside html/template" ./template '^BenchmarkRow$' 1s
  run "Checking 50,000 rows of the product card on all cores, beside decoding them with encoding/json on one" ./template '^BenchmarkCheck50000Rows$' 3x
} | tee bench/RESULTS.md
