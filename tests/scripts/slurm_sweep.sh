#!/usr/bin/env bash
# scripts/sweep.sh --engine slurm on a real cluster of one node, which scripts/dev/slurm_local.sh starts (scripts/test.sh
# slurm).  The files are those of xargs; a failed cell is listed, a diverged one is a result; cells are packed into the elements
# that there are; a stopped sweep leaves no job, and goes on.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
ln -s "$skipnet" sn
export SKIPNET=./sn # relative, and jobs begin in another directory

sweep() { # ARGUMENT...
    status=0
    "$source_dir/scripts/sweep.sh" tiny.json "$@" --no-plot >out 2>err </dev/null || status=$?
}

for engine in slurm xargs; do
    sweep --grid network.depth=3,4 --grid network.skip=none,add --seeds 3 --engine $engine --out "it's $engine/runs"
    want "$engine: exit status" 0 "$status"
    want "$engine: runs" 12 "$(find "it's $engine" -name final.safetensors | wc -l)"
    without_wall_s "it's $engine/runs/runs.csv" | sed "s|it's $engine|DIR|" >"$engine.csv"
done
want_equal slurm.csv xargs.csv
for run in "it's slurm"/runs/depth=*; do
    for file in config.json loss.csv gradients.csv final.safetensors; do
        want_equal "$run/$file" "it's xargs/runs/${run##*/}/$file"
    done
done
compared() { # DIRECTORY: the rows of runs that the dependent comparison printed
    grep -cE "^[^ ].* (done|diverged) " "$1/sweep-log/slurm-compare.out"
}
want "the dependent comparison ran" 12 "$(compared "it's slurm/runs")"

cat >points.csv <<'END'
network.order,network.skip.kind,network.activation,train.lr
pre,none,tanh,0.01
post,concat,tanh,0.01
pre,none,relu,1e30
END
sweep --points points.csv --engine slurm --out mixed
want "a failure: exit status" 1 "$status"
want_like "a failure: its reason" "*sweep: 1 of 3 cells failed:
  order=post,skip.kind=concat,activation=tanh,lr=0.01: exit status 2
      --set network.order=post: network.order: order post needs *" "$(cat err)"
want "a failure: the comparison ran all the same" 2 "$(compared mixed)"

# 100 cells are 40 elements, more the cluster does not take; what is done is not done again.
steps=(--set train.steps=0 --set report.train_eval=0)
"$skipnet" cells tiny.json --seeds 60 "${steps[@]}" --out packed >/dev/null
sh packed/cells.txt >/dev/null
find packed -name run.json -printf '%p %T@\n' | sort >before
sweep --seeds 100 "${steps[@]}" --engine slurm --out packed
want "packed: exit status" 0 "$status"
want_like "packed: elements" "sweep: array * of 40 elements; *" "$(cat err)"
want "packed: runs" 100 "$(grep -lE '^  "status": "done"' packed/*/run.json | wc -l)"
find packed -name run.json -printf '%p %T@\n' | sort >after
want "packed: what was done is not done again" 60 "$(comm -12 before after | wc -l)"

# Ctrl-C, which goes to the whole process group, and a signal to the script alone: the prompt is there within a second,
# the cluster needs longer, and in the end no job is left.  The longest cell, depth 5, begins first.
nothing_is_queued() { [[ -z $(squeue -h) ]]; }
stop_sweep() { # WHAT SIGNAL STEPS
    local begin
    set -m
    env --default-signal=INT,TERM "$source_dir/scripts/sweep.sh" tiny.json --grid network.depth=3,4,5 \
        --set train.steps="$3" --engine slurm --out stopped --no-plot >out 2>err </dev/null &
    pid=$!
    set +m
    started+=("$pid")
    touch began
    await "$1: a cell that runs" grows_after began
    begin=${EPOCHREALTIME/./}
    if [[ $1 == Ctrl-C ]]; then kill -s "$2" -- "-$pid"; else kill -s "$2" "$pid"; fi
    status=0
    wait "$pid" || status=$?
    want "$1: within a second, or two where the machine is busy" 1 $((${EPOCHREALTIME/./} - begin < 2000000))
    want "$1: exit status" "$2" "$(kill -l $((status - 128)))"
    want_like "$1: the message" "*sweep: stopped by a signal; call it again to go on" "$(cat err)"
    await "$1: no job is left" nothing_is_queued
    want "$1: the cell closed itself" '  "status": "interrupted",' "$(grep '^  "status"' stopped/depth=5/run.json)"
}
grows_after() { # FILE
    [[ stopped/depth=5/loss.csv -nt $1 ]] && has_rows stopped/depth=5/loss.csv 2
}
stop_sweep Ctrl-C INT 100000000
stop_sweep "a signal" INT 100000000
stop_sweep "another signal" TERM 100000000
rm -r stopped
stop_sweep "to go on" INT 100000
sweep --grid network.depth=3,4,5 --set train.steps=100000 --engine slurm --jobs 1 --out stopped
want "stopped, again" "0 3" "$status $(grep -lE '^  "status": "done"' stopped/*/run.json | wc -l)"
finish 50
