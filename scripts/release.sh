#!/usr/bin/env bash
# Makes a release in out/release: a static binary for each platform in an archive with
# what belongs to it, checksums, the list of what is in it (SBOM), and its notes.
# The same commit gives the same bytes, wherever it is made: the first platform is
# made twice and compared.
#
#   scripts/release.sh                 # of the tag that HEAD has, and of a clean tree
#   VERSION=v0.0.0-test scripts/release.sh   # a trial of the tree as it is
#   PLATFORMS="linux/amd64" …          # fewer of them
set -euo pipefail
cd "$(dirname "$0")/.."
platforms=${PLATFORMS:-linux/amd64 linux/arm64 darwin/arm64 darwin/amd64}
out=${OUT:-$PWD/out/release}

if [ -n "${VERSION:-}" ]; then
  version=$VERSION
else
  version=$(git describe --tags --exact-match 2>/dev/null) || { echo "HEAD has no tag: git tag vX.Y.Z, or VERSION=… for a trial" >&2; exit 2; }
  [ -z "$(git status --porcelain)" ] || { echo "the tree has changes that no commit has: $(git status --porcelain | head -n 3)" >&2; exit 2; }
fi
[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || { echo "$version is no version: vX.Y.Z" >&2; exit 2; }
commit=$(git rev-parse HEAD)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
grep -qE "^## \[?${version#v}\]?( |\$)" CHANGELOG.md || [ -n "${VERSION:-}" ] || { echo "CHANGELOG.md has no section ${version#v}" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out"
mkdir -p "$out"

# build PLATFORM FILE. Nothing of this machine is in it: no paths, no state of git
# beside what is said here.
build() {
  GOOS=${1%/*} GOARCH=${1#*/} CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -buildvcs=false \
    -ldflags "-s -w -buildid= -X main.version=$version -X main.commit=$commit -X main.date=$date" -o "$2" ./cmd/pictifyd
}

first=
for platform in $platforms; do
  name=pictifyd_${version#v}_${platform/\//_}
  mkdir -p "$work/$name"
  build "$platform" "$work/$name/pictifyd"
  if [ -z "$first" ]; then
    first=$platform
    build "$platform" "$work/again"
    cmp "$work/$name/pictifyd" "$work/again" || { echo "two builds of one commit differ" >&2; exit 1; }
  fi
  if [ "$platform" = "$(go env GOHOSTOS)/$(go env GOHOSTARCH)" ]; then
    "$work/$name/pictifyd" version
    "$work/$name/pictifyd" version | grep -qF "$version (commit ${commit:0:12}, $date," || { echo "the binary does not say what it is" >&2; exit 1; }
  fi
  cp LICENSE README.md CHANGELOG.md pictifyd.yaml "$work/$name/"
  if [ "${platform%/*}" = linux ]; then
    cp -r deploy/systemd deploy/apparmor deploy/seccomp.json "$work/$name/"
  fi
  tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" | gzip -9n >"$out/$name.tar.gz"
  printf '%-44s %5.1f MB, unpacked %5.1f MB\n' "$name.tar.gz" "$(stat -c %s "$out/$name.tar.gz" | awk '{print $1/1e6}')" "$(stat -c %s "$work/$name/pictifyd" | awk '{print $1/1e6}')"
done

scripts/sbom.sh "$out" "$version"

# The notes are the section of the changelog, a trial's the newest one.
awk -v version="${version#v}" '
  /^## / { if (on) exit; head = $2; gsub(/[][]/, "", head); on = (head == version) ; next }
  on { print }' CHANGELOG.md >"$out/NOTES.md"
[ -s "$out/NOTES.md" ] || awk '/^## / { if (on++) exit; next } on { print }' CHANGELOG.md >"$out/NOTES.md"

(cd "$out" && sha256sum -- *.tar.gz *.json | tee SHA256SUMS)
(cd "$out" && sha256sum --check --quiet SHA256SUMS)
