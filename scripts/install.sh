#!/usr/bin/env bash
# Installs what a target needs, from Debian's packages, when it is missing.
# Without root it prints the one command to run.
set -euo pipefail

declare -a packages=()
have() { command -v "$1" >/dev/null 2>&1; }

chrome() {
  local found=
  for name in chromium-headless-shell chromium google-chrome; do have "$name" && found=1 && break; done
  [ -n "$found" ] || packages+=(chromium-headless-shell)
  local fonts
  fonts=$(fc-list 2>/dev/null || true)
  grep -qi 'noto sans' <<<"$fonts" || packages+=(fontconfig fonts-noto-core)
  grep -qi 'noto color emoji' <<<"$fonts" || packages+=(fonts-noto-color-emoji)
  grep -qi 'noto sans cjk' <<<"$fonts" || packages+=(fonts-noto-cjk)
}

services() {
  have node || packages+=(nodejs) # runs the examples that are scripts
  have npm || packages+=(npm) # brings what the TypeScript client is made with
  have python3 || packages+=(python3-minimal) # runs an example of the documents
  have patch || packages+=(patch) # checks our diffs
  have pdftoppm || packages+=(poppler-utils) # looks at our PDFs with other eyes
  have webpmux || packages+=(webp) # reads our animations
  have gcc || packages+=(gcc libc6-dev) # the race detector needs cgo
  have clang-19 || packages+=(clang-19) # builds the PNG encoder anew, to compare
  have wasm-ld-19 || packages+=(lld-19)
  have java || packages+=(default-jre-headless) # runs Kafka
  have mvn || packages+=(maven) # brings it
  ls -d /usr/lib/postgresql/*/bin >/dev/null 2>&1 || packages+=(postgresql)
}

bench() {
  have node || packages+=(nodejs)
  have npm || packages+=(npm) # brings the peers
}

load() {
  have python3 || packages+=(python3-minimal) # sends the batches
  have taskset || packages+=(util-linux)
}

"$1"
[ ${#packages[@]} -gt 0 ] || exit 0
if ! have apt-get; then
  echo "missing: ${packages[*]}. Install them with your system's package manager and run make again." >&2
  exit 3
fi
if [ "$(id -u)" != 0 ]; then
  echo "missing: ${packages[*]}. Run this, then make again:" >&2
  echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages[*]}" >&2
  exit 3
fi
echo "installing ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
