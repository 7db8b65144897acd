"""Finishes the lists of what pictifyd is made of: scripts/sbom.sh calls it.

That of the studio is made of its package-lock.json: npm can write one itself from
version 10 on, which not every machine has.
"""

import base64
import json
import os
import sys
from datetime import datetime, timezone
from urllib.parse import quote

out, version = sys.argv[1:]
when = int(os.environ.get("SOURCE_DATE_EPOCH") or datetime.now(timezone.utc).timestamp())
timestamp = datetime.fromtimestamp(when, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def component(path, package):
    """One npm package of a lock file."""
    name = path.rpartition("node_modules/")[2]
    group, _, short = name.rpartition("/")
    purl = "pkg:npm/" + "/".join(quote(part, safe="") for part in name.split("/")) + "@" + package["version"]
    made = {"type": "library", "bom-ref": purl, "name": short, "version": package["version"], "purl": purl, "scope": "required"}
    if group:
        made["group"] = group
    if "license" in package:
        made["licenses"] = [{"license": {"id": package["license"]}}]
    algorithm, _, digest = package.get("integrity", "").partition("-")
    if algorithm == "sha512":
        made["hashes"] = [{"alg": "SHA-512", "content": base64.b64decode(digest).hex()}]
    return made


def studio():
    with open("studio/app/package-lock.json") as f:
        packages = json.load(f)["packages"]
    parts = [component(path, p) for path, p in packages.items() if path and not p.get("dev") and not p.get("link")]
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": sorted(parts, key=lambda c: c["bom-ref"])}


def write(name, bom, least):
    parts = bom.get("components", [])
    if bom.get("bomFormat") != "CycloneDX" or len(parts) < least:
        sys.exit(f"{name} names only {len(parts)} components")
    bom.pop("serialNumber", None)  # the same commit gives the same bytes
    metadata = bom.setdefault("metadata", {})
    metadata["timestamp"] = timestamp
    metadata.setdefault("component", {"type": "application", "name": "pictifyd"})["version"] = version
    with open(f"{out}/{name}.cdx.json", "w") as f:
        json.dump(bom, f, indent=1, sort_keys=True)
        f.write("\n")
    print(f"{name}.cdx.json: {len(parts)} components")


with open(f"{out}/sbom-go.cdx.json") as f:
    write("sbom-go", json.load(f), 50)
write("sbom-studio", studio(), 1)
