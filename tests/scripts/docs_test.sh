#!/usr/bin/env bash
# The docs say what the program says: docs/reference.md is up to date, and the README's config loads.
set -euo pipefail
export LC_ALL=C

: "${SKIPNET_BIN:?path of the binary}" "${SKIPNET_SOURCE:?source tree}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$SKIPNET_SOURCE/scripts/dev/make_docs.sh" "$SKIPNET_BIN" >"$scratch/reference.md"
if ! diff -u "$SKIPNET_SOURCE/docs/reference.md" "$scratch/reference.md"; then
    echo "docs/reference.md is out of date: scripts/dev/make_docs.sh > docs/reference.md" >&2
    exit 1
fi

sed -n '/^```json$/,/^```$/{/^```/d;p}' "$SKIPNET_SOURCE/README.md" >"$scratch/readme.json"
[[ -s $scratch/readme.json ]]
"$SKIPNET_BIN" check "$scratch/readme.json" >"$scratch/out"
grep -q '50 hidden + output = 51 weight layers' "$scratch/out"

# Every config that the README's table names is there, and every one that is there is named.
for config in "$SKIPNET_SOURCE"/configs/*.json; do
    name=$(basename "$config" .json)
    grep -q "\`$name\`" "$SKIPNET_SOURCE/README.md" || { echo "the README does not name $name" >&2; exit 1; }
done
for folder in "$SKIPNET_SOURCE"/configs/*/; do
    name=configs/$(basename "$folder")
    grep -q "$name" "$SKIPNET_SOURCE/README.md" || { echo "the README does not name $name" >&2; exit 1; }
done
