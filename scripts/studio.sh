#!/usr/bin/env bash
# The studio's application: "build" makes studio/dist of studio/app; "test" checks
# the sources, that the committed build is theirs, and drives it in a browser over
# bin/pictifyd.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

# Vite and Playwright want a newer Node than some Debians have; npm brings one.
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
  [ -x .cache/node/node_modules/node/bin/node ] || npm install --prefix .cache/node --no-audit --no-fund --loglevel=error node@22.21.1
  export PATH=$root/.cache/node/node_modules/node/bin:$PATH
fi

cd studio/app
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --prefer-offline --no-audit --no-fund --loglevel=error
fi

case "${1:-build}" in
build)
  npm run --silent build
  ;;
test)
  shift
  npm run --silent check
  built=$(mktemp -d)
  trap 'rm -rf "$built"' EXIT
  npx vite build --logLevel error --outDir "$built" --emptyOutDir
  diff -r "$built" ../dist >&2 || {
    echo "studio/dist is not what studio/app gives: run make studio and commit it" >&2
    exit 1
  }
  npx playwright test "$@"
  ;;
*)
  echo "studio.sh build | test [PLAYWRIGHT'S ARGUMENTS]" >&2
  exit 2
  ;;
esac
