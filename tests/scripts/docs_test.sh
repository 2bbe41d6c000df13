#!/usr/bin/env bash
# The docs say what the program says: docs/reference.md is up to date, the README's config loads, run.json is described,
# the plan that docs/engine.md draws is the one that is printed now; and everything in them can be found: the README is
# short, links lead somewhere, scripts and configs are there.
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

fail() { # MESSAGE
    echo "$1" >&2
    exit 1
}

cd "$SKIPNET_SOURCE"
words=$(wc -w <README.md)
((words > 300 && words <= 1200)) || fail "the README has $words words: at most 1200, what is more goes into a page of docs/"

# Links "](TARGET)" of the README and the docs, relative to the page; the README names every page.
n_links=0
for page in README.md docs/*.md; do
    [[ $page == README.md ]] || grep -qF "($page)" README.md || fail "the README does not name $page"
    while IFS= read -r target; do
        n_links=$((n_links + 1))
        [[ -e $(dirname "$page")/${target%%#*} ]] || fail "$page: no $target"
    done < <(grep -oE '\]\([^)]+\)' "$page" | sed 's/^](//; s/)$//' | grep -vE '^(https?:|#)')
done
((n_links >= 40)) || fail "only $n_links links were found"
grep -oE '(^|[^a-z/])(scripts|configs)/[a-z0-9_/-]+\.(sh|py|json|csv)' README.md docs/*.md |
    sed 's/:[^a-z]/:/' | sort -u >"$scratch/named"
(($(wc -l <"$scratch/named") >= 20)) || fail "hardly a script or config is named"
while IFS=: read -r page file; do
    [[ -e $file ]] || fail "$page: no $file"
done <"$scratch/named"

# docs/runs.md has each key of run.json.
"$SKIPNET_BIN" train spirals --set train.steps=3 --out "$scratch/run" -q 2>/dev/null
sed '/^  "summary"/q' "$scratch/run/run.json" | sed -n 's/^ \{2,4\}"\([a-z_]*\)":.*/\1/p' >"$scratch/keys"
(($(wc -l <"$scratch/keys") >= 30)) || fail "hardly a key in run.json"
while IFS= read -r key; do
    grep -qE "[\`*]${key}[\`*]" docs/runs.md || fail "docs/runs.md does not say what $key is"
done <"$scratch/keys"

# A block of docs/engine.md under "A step, drawn": the JSON, or the one that begins with a line like the pattern.
# awk reads to the end: sed would be ended by a broken pipe.
engine_block() { # BEGIN-PATTERN
    sed -n '/^## A step, drawn$/,/^## The step$/p' "$SKIPNET_SOURCE/docs/engine.md" |
        awk -v begin="$1" '/^```/ { is_over = on; next } !is_over && $0 ~ begin { on = 1 } on && !is_over'
}
engine_block '^[{]"name"' >"$scratch/two-blocks.json"
engine_block '^  time  pass' >"$scratch/drawn"
[[ -s $scratch/drawn ]]
"$SKIPNET_BIN" check "$scratch/two-blocks.json" --plan --threads 1 | sed -n '/^  time  pass/,$p' >"$scratch/plan"
if ! diff -u "$scratch/drawn" "$scratch/plan"; then
    echo "docs/engine.md draws another plan than the program prints" >&2
    exit 1
fi
