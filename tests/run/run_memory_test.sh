#!/usr/bin/env bash
# Allocations that fail, one by one, in every verb: a clear error and exit status 1, no crash, no leak (built with an
# address sanitizer it looks for those), and a run that was begun goes on with --resume.
#
#   tests/run/run_memory_test.sh [--all]    every allocation; else the first ones of each verb and a sample of the others
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"
faulty=${SKIPNET_SHORT_OF_MEMORY:-}
[[ -x $faulty ]] || { echo "SKIPNET_SHORT_OF_MEMORY names no program" && exit 77; }
wants_all=0 most=40
[[ ${1:-} != --all ]] || wants_all=1
[[ -z ${SKIPNET_PRELOAD_FIRST:-} ]] || most=8 # a sanitizer is there, and takes its time
n_failed=0 n_passed=0

short_of_memory() { # K ARGUMENT...: as run, and fills $n_calls; K may be empty
    status=0
    FAIL_ALLOCATION=$1 ALLOCATION_LOG=calls timeout -s KILL 60 "$faulty" "${@:2}" >out 2>err <input || status=$?
    n_calls=$(<calls)
    echo 0 >calls
}

judge() { # WHAT
    if ((status == 0)); then
        n_passed=$((n_passed + 1))
        want "$1: told all the same" "$(<expected)" "$(<out)"
        return
    fi
    n_failed=$((n_failed + 1))
    case $status in
    1) want_like "$1: message" "@(*out of memory*|cannot start 2 threads*)" "$(<err)" ;;
    4) want_like "$1: message" "cannot *: Cannot allocate memory" "$(<err)" ;;
    *) want "$1: exit status" 1 "$status" ;;
    esac
    [[ $1 == gradcheck* ]] || want "$1: nothing on stdout" "" "$(<out)" # that prints row by row
}

# What is left of a run is continued, or there is nothing.
judge_run() { # WHAT
    does train tiny.json --out run -q --resume --threads 1
    want "$1: bytes" "$reference" "$(cat run/{loss,gradients}.csv run/final.safetensors | sha256sum)"
    rm -rf run
}

sweep() { # STATUS ARGUMENT...
    local k n stride
    rm -rf run
    short_of_memory "" "${@:2}"
    want "${*:2}: exit status" "$1" "$status"
    cp out expected
    n=$n_calls
    want "${*:2}: it allocates" 1 "$((n > 0))"
    stride=$((wants_all || n <= most ? 1 : (n + most - 1) / most))
    for ((k = 1; k <= n; k += k < 10 ? 1 : stride)); do
        rm -rf run
        short_of_memory "$k" "${@:2}"
        [[ $1 == 2 && $status == 2 ]] || judge "${*:2}, allocation $k of $n"
        [[ ! -d run ]] || judge_run "${*:2}, allocation $k of $n"
        short_of_memory "$k-" "${@:2}"
        [[ $1 == 2 && $status == 2 ]] || judge "${*:2}, allocations from $k of $n"
        [[ ! -d run ]] || judge_run "${*:2}, allocations from $k of $n"
    done
}

write_tiny tiny.json
cp tiny.json input
awk 'BEGIN { print "x,y,class"; for (i = 0; i < 40; i++) print sin(i) "," cos(3 * i) ",\"c" i % 3 "\"" }' >data.csv
cat >graph.json <<'JSON'
{
  "data": {"kind": "csv", "path": "data.csv", "target": "class"},
  "network": {"layers": [
    {"op": "linear", "units": 6, "label": "first"},
    {"repeat": 2, "layers": [{"op": "batch_norm"}, {"op": "tanh"},
      {"op": "linear", "units": 6, "init": "orthogonal", "label": "next"}]},
    {"op": "add", "inputs": ["first", "next.2"], "label": "sum"},
    {"op": "dropout", "rate": 0.2}, {"op": "linear", "units": 3}]},
  "train": {"batch_size": 8, "steps": 4, "optimizer": {"momentum": 0.9}, "clip_norm": 1,
    "lr_schedule": {"kind": "cosine", "warmup_steps": 2}},
  "report": {"save_initial": true}
}
JSON
cat >wrong.json <<'JSON'
{"nam": "x", "data": {"kind": "spirals", "armz": 3}, "network": {"depth": -1, "skip": "ad", "layers": 3}, "seed": 1.5}
JSON
does train tiny.json --out runs/reference -q --threads 1
does train graph.json --out runs/graph -q --threads 1
reference=$(cat runs/reference/{loss,gradients}.csv runs/reference/final.safetensors | sha256sum)

sweep 0 train tiny.json --out run -q --threads 2
sweep 0 train - --out run -q --set train.lr=0.05 --threads 1
sweep 0 check graph.json
sweep 0 check graph.json --expand --set train.steps=7
sweep 0 check graph.json --plan
sweep 2 check wrong.json
sweep 0 compare runs --out .
sweep 0 eval runs/graph --predictions p.csv --threads 2
sweep 0 eval runs/reference --split train --json --threads 1
cp -r runs/graph unfinished
sed -i 's/"status": "done"/"status": "interrupted"/' unfinished/run.json
does eval unfinished
want_like "eval of a checkpoint: it is one" "warning: unfinished: evaluating the checkpoint of step 4 of 4 (*" "$(<err)"
sweep 0 eval unfinished --threads 1
sweep 0 gradcheck tiny.json --threads 1
sweep 0 train tiny.json --out runs/reference
sweep 2 train tiny.json --out runs/reference --set seed=9
sweep 0 list
sweep 0 list keys
sweep 0 schema
sweep 0 help train
sweep 2 train tiny.json --no-such-option
echo "$n_failed ended with an error, $n_passed did without"
finish 500
