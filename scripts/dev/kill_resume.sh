#!/usr/bin/env bash
# Kills runs at random moments and resumes them, until all have the very bytes of runs that were never interrupted.
set -euo pipefail
export LC_ALL=C

usage() {
    cat <<'END'
usage: scripts/dev/kill_resume.sh [--kills N] [--seed S]

Trains small and larger networks (both precisions; momentum, running averages, dropout, learning-rate schedules,
clipping; generated data and CSV; some of them made longer in the middle), saves them after every step or every few,
and sends SIGKILL after random times, N times in all (200).  Every run is resumed with a random number of threads until
it is done.  Then all CSVs, final.safetensors and the summary have to be those of a run that nothing
interrupted.  The last lines count where the kills struck.

The program is $SKIPNET, else build/release/skipnet.  Exit status: 0 all equal, 1 not, 2 usage.
END
}

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=scripts/parts/group.sh
. "$root/scripts/parts/group.sh"
call_in_group "$@"
skipnet=${SKIPNET:-$root/build/release/skipnet}
kills=200 seed=1

die() {
    echo "kill_resume: $1" >&2
    exit 2
}

while (($#)); do
    case $1 in
    -h | --help) usage || exit 4 && exit 0 ;;
    --kills | --seed)
        [[ ${2:-} =~ ^[0-9]+$ ]] || die "$1 wants a number (see --help)"
        printf -v "${1#--}" '%s' "$2"
        shift
        ;;
    -*) die "unknown option $1 (see --help)" ;;
    *) die "unexpected argument $1 (see --help)" ;;
    esac
    shift
done
[[ -x $skipnet ]] || die "no program $skipnet: build it (scripts/demo.sh does), or set SKIPNET to the program"
skipnet=$(readlink -f "$skipnet")
RANDOM=$seed

work=$(mktemp -d)
pid=''
clean_up() {
    [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
cd "$work"

# Kinds of runs.  A run that grows has half its steps at first.
names=(momentum csv-double wide rows layers)
declare -A steps=([momentum]=60 [csv-double]=150 [wide]=16 [rows]=20 [layers]=160) grows=([momentum]=1 [layers]=1)

write_configs() {
    cat >momentum.json <<'END'
{"data": {"kind": "spirals", "samples": 100, "test_samples": 40},
 "network": {"depth": 4, "width": 8, "skip": "add", "norm": "batch"},
 "train": {"lr": 0.05, "batch_size": 16, "optimizer": {"momentum": 0.9, "nesterov": true, "weight_decay": 0.001},
           "lr_schedule": {"kind": "step", "every": 50, "warmup_steps": 10}, "checkpoint": {"every_steps": 1}}}
END
    awk 'BEGIN { print "a,b,y"; for (i = 0; i < 90; i++) print i % 7 "," i * i % 11 "," (i % 7) / (1 + i % 5) }' >data.csv
    cat >csv-double.json <<'END'
{"precision": "float64",
 "data": {"kind": "csv", "path": "data.csv", "task": "regression"},
 "network": {"depth": 3, "width": 9, "skip": "concat"},
 "train": {"loss": "mean_squared_error", "batch_size": 20, "optimizer": {"momentum": 0.5}, "clip_norm": 0.5,
           "lr_schedule": "cosine", "checkpoint": {"every_steps": 7}}}
END
    cat >wide.json <<'END'
{"data": {"kind": "gaussian", "in_dim": 64, "samples": 128, "test_samples": 64},
 "network": {"depth": 10, "width": 320, "skip": "add"},
 "train": {"batch_size": 32, "optimizer": {"momentum": 0.9}, "checkpoint": {"every_steps": 1}}}
END
    cat >rows.json <<'END'
{"data": {"kind": "spirals", "samples": 100, "test_samples": 40},
 "network": {"depth": 700, "width": 4, "skip": "add"}, "report": {"schedule": {"kind": "linear"}, "exponents": true},
 "train": {"batch_size": 16, "checkpoint": {"every_steps": 3}}}
END
    cat >layers.json <<'END'
{"precision": "float64",
 "data": {"kind": "spirals", "samples": 120, "test_samples": 40},
 "network": {"layers": [{"op": "linear", "units": 12}, {"op": "batch_norm"}, {"op": "tanh"},
                        {"op": "dropout", "rate": 0.2}, {"op": "linear", "units": 12}, {"op": "relu"},
                        {"op": "linear", "units": 2}]},
 "train": {"batch_size": 50, "optimizer": {"momentum": 0.9}, "checkpoint": {"every_steps": 2},
           "lr_schedule": {"kind": "milestones", "at": [150], "warmup_lr": 0.02, "warmup_until_error": 0.45}}}
END
}

threads() { echo $((RANDOM % 3 + 1)); }

# The summary without the time it took.
summary_of() { # DIRECTORY
    sed -n '/^  "summary"/,$p' "$1/run.json" | grep -v wall_seconds
}

# References, with the milliseconds that each took.
declare -A milliseconds
train_references() {
    local name start
    for name in "${names[@]}"; do
        start=$(date +%s%N)
        "$skipnet" train "$name.json" --set train.steps="${steps[$name]}" --out "whole/$name" -q
        milliseconds[$name]=$((($(date +%s%N) - start) / 1000000))
        summary_of "whole/$name" >"whole/$name.summary"
    done
}

declare -A struck=([before]=0 [between]=0 [write]=0 [row]=0 [over]=0)
n_kills=0 n_late=0 n_runs=0

# Where the kill struck: files tell.
place_of() { # DIRECTORY
    if grep -qs '"status": "done"' "$1/run.json"; then
        echo over
    elif [[ -n $(find "$1" -name 'checkpoint*.tmp' 2>/dev/null) ]]; then
        echo write
    elif [[ -n $(find "$1" -name '*.csv' -size +0 -exec tail -qc 1 {} + 2>/dev/null | tr -d '\n') ]]; then
        echo row
    elif [[ -e $1/checkpoint.safetensors ]]; then
        echo between
    else
        echo before
    fi
}

# Resumes the run and kills it after a random part of the time that all of it takes; false where that came too late.
kill_once() { # NAME DIRECTORY STEPS
    local delay status=0 place
    delay=$((RANDOM * (milliseconds[$1] * $3 * 3 / (4 * steps[$1]) + 20) / 32768))
    "$skipnet" train "$1.json" --set train.steps="$3" --out "$2" --threads "$(threads)" --resume -q >/dev/null 2>"$2.err" &
    pid=$!
    sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || status=$?
    pid=''
    case $status in
    137)
        n_kills=$((n_kills + 1)) place=$(place_of "$2")
        struck[$place]=$((struck[$place] + 1))
        ;;
    0) n_late=$((n_late + 1)) && return 1 ;;
    *) cat "$2.err" >&2 && exit 1 ;;
    esac
}

differs() { # NAME DIRECTORY WHAT
    echo "kill_resume: $2 ($1): $3 differs from that of a run that nothing interrupted" >&2
    exit 1
}

# Runs to the end what has been killed, and compares.
end_run() { # NAME DIRECTORY
    local file
    "$skipnet" train "$1.json" --set train.steps="${steps[$1]}" --out "$2" --threads "$(threads)" --resume -q 2>"$2.err" ||
        { cat "$2.err" && exit 1; }
    for file in loss.csv gradients.csv exponents.csv final.safetensors; do
        [[ $file != exponents.csv || $1 == rows ]] || continue
        cmp "whole/$1/$file" "$2/$file" || differs "$1" "$2" "$file"
    done
    summary_of "$2" | cmp - "whole/$1.summary" || differs "$1" "$2" "the summary"
    for file in checkpoint.previous.safetensors '*.tmp' run.lock; do
        [[ -z $(find "$2" -name "$file") ]] || { echo "kill_resume: $2: $file was left" >&2 && exit 1; }
    done
    rm -r "$2"
    n_runs=$((n_runs + 1))
}

write_configs
train_references
for ((turn = 0; n_kills < kills; turn++)); do
    name=${names[turn % ${#names[@]}]} run=run$turn length=${steps[$name]}
    [[ -z ${grows[$name]:-} ]] || length=$((steps[$name] / 2))
    for ((i = 0; i < 6 && n_kills < kills; i++)); do
        ((i < 2)) || length=${steps[$name]}
        kill_once "$name" "$run" "$length" || ((i < 2)) || break
    done
    end_run "$name" "$run"
done

echo "$n_kills kills in $n_runs runs, all of which ended as if nothing had happened ($n_late more came after the end)"
printf 'before the first checkpoint %d, between checkpoints %d, inside the writing of one %d, inside a row %d, ' \
    "${struck[before]}" "${struck[between]}" "${struck[write]}" "${struck[row]}"
echo "after run.json said done ${struck[over]}"
