#!/usr/bin/env bash
# The docs say what the program says: docs/reference.md is up to date, the README's config loads, and the plan that
# docs/engine.md draws is the one that is printed now.
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

# A block of docs/engine.md under "A step, drawn": the JSON, or the one that begins with a line like the pattern.
engine_block() { # BEGIN-PATTERN
    sed -n '/^## A step, drawn$/,/^## The step$/p' "$SKIPNET_SOURCE/docs/engine.md" |
        awk -v begin="$1" '/^```/ { if (on) exit; next } $0 ~ begin { on = 1 } on'
}
engine_block '^[{]"name"' >"$scratch/two-blocks.json"
engine_block '^  time  pass' >"$scratch/drawn"
[[ -s $scratch/drawn ]]
"$SKIPNET_BIN" check "$scratch/two-blocks.json" --plan --threads 1 | sed -n '/^  time  pass/,$p' >"$scratch/plan"
if ! diff -u "$scratch/drawn" "$scratch/plan"; then
    echo "docs/engine.md draws another plan than the program prints" >&2
    exit 1
fi
