#!/usr/bin/env bash
# Instructions of a training step, counted by valgrind, of four fixed steps: figures without noise, to be watched from
# change to change.
#
#   scripts/dev/callgrind.sh [BINARY] [--before BINARY] [--only STEP] [--twice]
#
#   add         50 blocks of 64, batch 128
#   concat      50 of 64, growth 12, batch 128
#   small       50 of 16, batch 32
#   observed    as small, with the statistics of all columns and their rows
#
# Two runs that differ in the number of steps only are counted; their difference, divided by the steps between them, is
# what a step takes: start-up, data and evaluation cancel.  valgrind knows no AVX-512, so the AVX2 path and OpenBLAS's
# kernels for Haswell are counted, on one thread.  --before counts another binary, too, and tells the ratio.  --twice
# counts again and fails where the two figures differ by more than one instruction in ten thousand.
set -euo pipefail
export LC_ALL=C SKIPNET_SIMD=avx2 OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1

few=4 many=8 # steps; an epoch has one more
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=scripts/parts/group.sh
. "$root/scripts/parts/group.sh"
call_in_group "$@"

fail() { # STATUS TEXT
    echo "callgrind.sh: $2" >&2
    exit "$1"
}

skipnet=$root/build/release/skipnet
before=
steps=(add concat small observed)
is_twice=0
while (($#)); do
    case $1 in
    -h | --help) sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" || exit 4 && exit 0 ;;
    --twice) is_twice=1 ;;
    --before | --only)
        (($# > 1)) || fail 2 "$1 needs a value (see --help)"
        if [[ $1 == --before ]]; then before=$2; else steps=("$2"); fi
        shift
        ;;
    -*) fail 2 "unknown option $1 (see --help)" ;;
    *) skipnet=$1 ;;
    esac
    shift
done
case ${steps[0]} in
add | concat | small | observed) ;;
*) fail 2 "no step ${steps[0]} (one of: add, concat, small, observed)" ;;
esac
for binary in "$skipnet" ${before:+"$before"}; do
    [[ -x $binary ]] || fail 2 "$binary is no program (build it, or name one)"
done
command -v valgrind >/dev/null || fail 1 "valgrind is missing"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

config_of() { # STEP
    local width=64 batch=128 skip='"add"' every=1000000
    case $1 in
    concat) skip='{"kind": "concat", "growth": 12}' ;;
    small | observed) width=16 batch=32 ;;
    esac
    [[ $1 == observed ]] && every=1
    # No epoch ends within the steps.  But where all are observed rows fall on 0, 1, 2, N-1 and N in either run.
    cat <<END
{
  "name": "callgrind",
  "data": {"kind": "gaussian", "in_dim": 784, "samples": $(((many + 1) * batch))},
  "network": {"depth": 51, "width": $width, "skip": $skip},
  "train": {"batch_size": $batch},
  "report": {"schedule": {"kind": "linear", "every": $every}, "train_eval": 32}
}
END
}

count() { # BINARY STEPS: instructions of a run of so many steps
    rm -rf "$work/run"
    valgrind --tool=callgrind --callgrind-out-file="$work/out" "$1" train "$work/config.json" -q --threads 1 \
        --set "train.steps=$2" --out "$work/run" >"$work/log" 2>&1 || { cat "$work/log" >&2 && return 1; }
    sed -n 's/^summary: //p' "$work/out"
}

per_step() { # BINARY
    local less more
    less=$(count "$1" $few)
    more=$(count "$1" $many)
    echo $(((more - less) / (many - few)))
}

check_again() { # STEP FIRST: fails where counting again gives another figure
    local second difference
    second=$(per_step "$skipnet")
    difference=$(($2 > second ? $2 - second : second - $2))
    ((difference * 10000 <= $2)) || fail 1 "$1: $2 instructions, then $second"
}

if [[ -n $before ]]; then
    printf '%-10s%15s%15s%8s\n' step before instructions ratio
else
    printf '%-10s%15s\n' step instructions
fi
for step in "${steps[@]}"; do
    config_of "$step" >"$work/config.json"
    now=$(per_step "$skipnet")
    if [[ -n $before ]]; then
        then=$(per_step "$before")
        printf '%-10s%15d%15d%8.3f\n' "$step" "$then" "$now" "$((1000 * now / then))e-3"
    else
        printf '%-10s%15d\n' "$step" "$now"
    fi
    if ((is_twice)); then check_again "$step" "$now"; fi
done
