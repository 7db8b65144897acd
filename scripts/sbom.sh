#!/usr/bin/env bash
# Writes what pictifyd is made of as CycloneDX: the Go modules of the binary, and the
# npm packages of the studio that is embedded in it. scripts/sbom.sh FOLDER VERSION
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-out}
version=${2:-$(git describe --tags --always)}
mkdir -p "$out"
out=$(cd "$out" && pwd)
.cache/bin/cyclonedx-gomod app -json -licenses -std -noserial -main cmd/pictifyd -output "$out/sbom-go.cdx.json" .
python3 scripts/sbom.py "$out" "$version"
