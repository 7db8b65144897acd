#!/usr/bin/env bash
# Switches each cure of internal/cures off in turn and expects the test that it
# names to fail: a test that passes without its cure proves nothing. Runs inside
# scripts/test.sh, which starts the servers. Names of cures as arguments run those alone.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0
for file in internal/cures/*_off.go; do
  [ -e "$file" ] || { echo "internal/cures has no switch" >&2; exit 1; }
  cure=$(basename "$file" _off.go)
  if [ $# -gt 0 ] && [[ " $* " != *" $cure "* ]]; then continue; fi
  read -r package name < <(sed -n 's/^\/\/ Fails: //p' "$file")
  if ! go test -c -tags "cure_${cure}_off" -o "$work/test" "$package" >"$work/out" 2>&1; then
    cat "$work/out" >&2
    echo "$cure: does not build without it"
    wrong=1
  elif (cd "$package" && "$work/test" -test.run "^$name\$" -test.timeout 5m >"$work/out" 2>&1); then
    echo "$cure: $name passes without it"
    wrong=1
  elif ! grep -qE "^(--- FAIL|panic|fatal error)" "$work/out"; then
    tail -20 "$work/out" >&2
    echo "$cure: $name did not run"
    wrong=1
  else
    echo "$cure: $name fails without it"
  fi
done
exit $wrong
