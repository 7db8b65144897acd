#!/usr/bin/env bash
# Runs every fuzz target in turn, FUZZTIME each. With FUZZBUDGET=SECONDS those that
# come first in an order which the commit decides, FUZZTIME each, until so many
# seconds are over: each commit tries others, and a run can be repeated. FUZZTIME is a
# time, or a number of inputs as in 2000x. What breaks a
# target is written to its testdata/fuzz: commit it with the cure, and every later run of
# the tests tries it. The seeds themselves are tried by go test.
set -euo pipefail
cd "$(dirname "$0")/.."
budget=${FUZZBUDGET:-}
time=${FUZZTIME:-$([ -n "$budget" ] && echo 2000x || echo 1m)}
order() { if [ -n "$budget" ]; then shuf --random-source=<(seed); else cat; fi; }
seed() { local commit; commit=$(git rev-parse HEAD); while :; do printf '%s' "$commit"; done 2>/dev/null; }
began=$SECONDS ran=0 all=0
while read -r dir target; do
  all=$((all + 1))
  [ -z "$budget" ] || [ $((SECONDS - began)) -lt "$budget" ] || continue
  ran=$((ran + 1))
  echo "== $dir $target =="
  # What is new of a long seed is not made shorter for a minute: nothing else would be tried.
  go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 100x "$dir"
done < <(grep -rhoE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz[A-Za-z0-9_]+' . -H | sed -E 's|/[^/]*:func | |' | sort | order)
echo "$ran of $all targets"
[ "$ran" -gt 0 ]
