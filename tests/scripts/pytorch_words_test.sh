#!/usr/bin/env bash
# The fuzzer against PyTorch and scripts/dev/break.sh (tests/pytorch) know every op, init, skip ... of the program: one that they
# do not would silently not be tested.
set -euo pipefail
export LC_ALL=C

source=${SKIPNET_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
[[ -x ${SKIPNET_BIN:-} ]] || { echo "SKIPNET_BIN names no program" && exit 77; }
command -v python3 >/dev/null || { echo "needs python3" && exit 77; }
PYTHONDONTWRITEBYTECODE=1 python3 "$source/tests/pytorch/check_words.py" "$SKIPNET_BIN"
