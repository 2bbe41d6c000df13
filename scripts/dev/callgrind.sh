#!/usr/bin/env bash
# Instructions of one training step of a fixed small network, counted by valgrind: a figure without noise, to be watched
# from change to change.
#
#   scripts/dev/callgrind.sh [BINARY] [--twice]
#
# Two runs that differ in the number of plain steps only are counted; their difference, divided by the steps between
# them, is what a step takes: start-up, data, evaluation and observed steps cancel.  valgrind knows no AVX-512, so the
# AVX2 path and OpenBLAS's kernels for Haswell are counted, on one thread.  --twice counts again and fails where the two
# figures differ by more than one instruction in ten thousand.
set -euo pipefail
export LC_ALL=C SKIPNET_SIMD=avx2 OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1

few=20 many=60 # steps
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=scripts/plot/group.sh
. "$root/scripts/plot/group.sh"
call_in_group "$@"
skipnet=$root/build/release/skipnet
is_twice=0
for argument; do
    case $argument in
    -h | --help) sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" || exit 4 && exit 0 ;;
    --twice) is_twice=1 ;;
    -*) echo "callgrind.sh: unknown option $argument (see --help)" >&2 && exit 2 ;;
    *) skipnet=$argument ;;
    esac
done
[[ -x $skipnet ]] || { echo "callgrind.sh: $skipnet is no program (build it, or name one)" >&2 && exit 2; }
command -v valgrind >/dev/null || { echo "callgrind.sh: valgrind is missing" >&2 && exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# No epoch ends within the steps, and the schedule falls on none: rows 0, 1, 2, N-1 and N in either run.
cat >"$work/config.json" <<'END'
{
  "name": "callgrind",
  "data": {"kind": "gaussian", "in_dim": 64, "samples": 4096},
  "network": {"depth": 8, "width": 32, "skip": "add"},
  "train": {"batch_size": 32},
  "report": {"schedule": {"kind": "linear", "every": 1000000}, "train_eval": 32}
}
END

count() { # STEPS: instructions of a run of so many steps
    rm -rf "$work/run"
    valgrind --tool=callgrind --callgrind-out-file="$work/out" "$skipnet" train "$work/config.json" -q --threads 1 \
        --set "train.steps=$1" --out "$work/run" >"$work/log" 2>&1 || { cat "$work/log" >&2 && return 1; }
    sed -n 's/^summary: //p' "$work/out"
}

per_step() {
    local less more
    less=$(count $few)
    more=$(count $many)
    echo $(((more - less) / (many - few)))
}

first=$(per_step)
echo "$first instructions in a step"
((is_twice)) || exit 0
second=$(per_step)
echo "$second instructions in a step"
difference=$((first > second ? first - second : second - first))
if ((difference * 10000 > first)); then
    echo "callgrind.sh: the two figures differ" >&2
    exit 1
fi
