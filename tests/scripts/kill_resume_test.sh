#!/usr/bin/env bash
# scripts/dev/kill_resume.sh with a few kills: it compares, and this asserts that kills struck where they hurt.
set -euo pipefail
export LC_ALL=C

source=${SKIPNET_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
[[ -x ${SKIPNET_BIN:-} ]] || { echo "SKIPNET_BIN names no program" && exit 77; }
out=$(mktemp)
trap 'rm -f "$out"' EXIT
SKIPNET=$SKIPNET_BIN "$source/scripts/dev/kill_resume.sh" --kills 20 | tee "$out"
grep -Eq '^20 kills in [0-9]+ runs, all of which ended' "$out"
between=$(sed -n 's/.*between checkpoints \([0-9]*\), inside the writing of one \([0-9]*\).*/\1 + \2/p' "$out")
((between > 0)) || { echo "no kill struck after a checkpoint" && exit 1; }
