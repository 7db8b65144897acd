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
(cd studio/app && npm sbom --sbom-format cyclonedx --omit dev --package-lock-only) >"$out/sbom-studio.cdx.json"
python3 - "$out" "$version" <<'P'
import json, os, sys
out, version = sys.argv[1:]
when = os.environ.get("SOURCE_DATE_EPOCH")
for name, least in ("sbom-go", 50), ("sbom-studio", 3):
    path = f"{out}/{name}.cdx.json"
    with open(path) as f:
        bom = json.load(f)
    parts = bom.get("components", [])
    if bom.get("bomFormat") != "CycloneDX" or len(parts) < least:
        sys.exit(f"{path} names only {len(parts)} components")
    if when: # the same commit gives the same bytes
        from datetime import datetime, timezone
        bom.setdefault("metadata", {})["timestamp"] = datetime.fromtimestamp(int(when), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        bom.pop("serialNumber", None)
    bom["metadata"].setdefault("component", {})["version"] = version
    with open(path, "w") as f:
        json.dump(bom, f, indent=1, sort_keys=True)
        f.write("\n")
    print(f"{name}: {len(parts)} components")
P
