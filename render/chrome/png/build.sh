#!/usr/bin/env bash
# Builds encoder.wasm out of encoder/*.c: build.sh [OUT [FLAG…]]. The same
# compiler, 19.1.7, makes the same bytes in any folder; a test holds them against
# the file that is checked in. Needs Debian's packages clang-19 and lld-19.
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-encoder.wasm}
[ $# -eq 0 ] || shift
clang-19 --target=wasm32 -std=c17 -O3 -msimd128 -mbulk-memory -ffreestanding -nostdlib \
  -Wall -Wextra -Wconversion -Wno-sign-conversion -Werror -fno-ident -ffile-prefix-map="$PWD=." \
  -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=65536 -Wl,--stack-first "$@" -o "$out" encoder/*.c
