#!/usr/bin/env bash
# scripts/dev/break.sh: a few cases of each kind pass, the same ones each time; what fails is told, kept and can be
# repeated; every kind sees a program that is broken on purpose.
set -euo pipefail
export LC_ALL=C

source=${SKIPNET_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
[[ -x ${SKIPNET_BIN:-} ]] || { echo "SKIPNET_BIN names no program" && exit 77; }
command -v python3 >/dev/null || { echo "needs python3" && exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work

try() { # ARGUMENT...: fills out and $status
    status=0
    "$source/scripts/dev/break.sh" "$@" >"$work/out" 2>&1 || status=$?
}

want() { # WHAT STATUS PATTERN...: each in a line of out
    local pattern
    for pattern in "${@:3}"; do
        grep -Eq "$pattern" "$work/out" || { echo "$1: no line like $pattern" >&2 && cat "$work/out" >&2 && exit 1; }
    done
    ((status == $2)) || { echo "$1: exit status $status" >&2 && cat "$work/out" >&2 && exit 1; }
}

try --binary "$SKIPNET_BIN" --cases 2
want "two of each" 0 '^valid: 2 passed, 0 failed, comparisons' '^configs: 2 passed' '^directories: 2 passed, .*calls 8' \
    '^signals: 2 passed' '^8 passed, 0 failed$'

try --binary "$SKIPNET_BIN" --cases 6 --only configs
cp "$work/out" "$work/first"
try --binary "$SKIPNET_BIN" --cases 6 --only configs
cmp "$work/first" "$work/out"

# A break that a kind sees: told, kept, and there again in the case alone.
# shellcheck disable=SC2016 # the stand-in's own
printf '#!/bin/sh\n[ "$1" != check ] || kill -ABRT $$\nexec "%s" "$@"\n' "$SKIPNET_BIN" >"$work/broken"
chmod +x "$work/broken"
try --binary "$work/broken" --cases 2 --only configs --seed 5 --keep "$work/kept"
want "a crash" 1 '^FAILED configs 5: skipnet check config.json: exit status -6' '^FAILED configs 6' '^0 passed, 2 failed$' \
    "again: .*break.sh --binary $work/broken --cases 1 --only configs --seed 6"
cmp <(grep -h again: "$work/kept/"*/failure.txt) <(sed -n 's/^  again/again/p' "$work/out" | sort)
for file in config.json commands.txt stderr.txt; do
    [[ -e $work/kept/configs-5/$file ]] || { echo "$file was not kept" >&2 && exit 1; }
done

try --binary "$SKIPNET_BIN" --self-test
want "self-test" 0 '^valid: byte: seen' '^directories: outside: seen: .*touched outside/mine.txt' \
    '^configs: mute: seen: .*without a message' '^signals: hang: seen: hangs' '^27 passed, 0 failed$'
echo "break.sh passes, repeats, keeps and sees"
