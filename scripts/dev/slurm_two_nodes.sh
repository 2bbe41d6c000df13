#!/usr/bin/env bash
# A sweep on two Slurm nodes, one of which is killed with all that runs on it: every cell comes out in the end, with the
# bytes of an undisturbed sweep.
set -euo pipefail
export LC_ALL=C

usage() {
    cat <<'END'
usage: scripts/dev/slurm_two_nodes.sh [--cells N] [--steps N]

Starts a throwaway cluster of two nodes (slurm_local.sh, needs root), runs N cells (12) of so many steps (30000) with
scripts/sweep.sh --engine slurm, kills the second node once it has finished a cell and works on another, and prints
how long it took until the cluster had the cells of the lost node run elsewhere.  The same cells are then run with
xargs, and all files compared.
END
}

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=scripts/parts/group.sh
. "$root/scripts/parts/group.sh"
call_in_group "$@"
n_cells=12 steps=30000

fail() { # MESSAGE
    echo "slurm_two_nodes: $1" >&2
    exit 2
}

parse() {
    while (($#)); do
        case $1 in
        -h | --help) usage || exit 4 && exit 0 ;;
        --cells | --steps)
            [[ ${2:-} =~ ^[1-9][0-9]{0,8}$ ]] || fail "$1 wants a number (see --help)"
            [[ $1 == --cells ]] && n_cells=$2 || steps=$2
            shift
            ;;
        -*) fail "unknown option $1 (see --help)" ;;
        *) fail "unexpected argument $1 (see --help)" ;;
        esac
        shift
    done
}

sweep() { # OUT ARGUMENT...
    "$root/scripts/sweep.sh" "$root/configs/spirals.json" --seeds "$n_cells" --set network.depth=10 \
        --set train.steps="$steps" --no-plot --out "$@"
}

# The processes that have SLURMD_NODENAME=NODE: batch scripts and cells.
processes_of() { # NODE
    grep -lzxF "SLURMD_NODENAME=$1" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3
}

# As a power cut would: the node's daemon, the daemons of its jobs (the parents of the batch scripts), then the cells.
kill_node() { # NODE
    local pid parent cells=() parents=()
    for pid in $(processes_of "$1"); do
        cells+=("$pid")
        parent=$(awk '{ print $4 }' "/proc/$pid/stat")
        [[ $(<"/proc/$parent/comm") != slurmstepd ]] || parents+=("$parent")
    done
    kill -KILL "$(<"$SLURM_LOCAL/$1.pid")" "${parents[@]}" "${cells[@]}"
    echo "killed $1: its daemon, ${#parents[@]} of its jobs and ${#cells[@]} processes of cells"
}

n_done() {
    grep -lE '"status": *"done"' "$work"/slurm/*/run.json 2>/dev/null | wc -l
}

await() { # WHAT COMMAND...
    local what=$1 end=$((SECONDS + 120))
    shift
    until "$@"; do
        ((SECONDS < end)) || { echo "waited in vain: $what" >&2 && return 1; }
        sleep 0.2
    done
}

is_in_middle() {
    (($(n_done) >= 2)) && [[ -n $(processes_of node2) ]]
}

compare_runs() {
    local run file
    for run in "$work"/slurm/seed=*; do
        for file in config.json loss.csv gradients.csv final.safetensors; do
            cmp "$run/$file" "$work/xargs/${run##*/}/$file"
        done
    done
    [[ $(find "$work/slurm" -name final.safetensors | wc -l) == "$n_cells" ]]
    echo "all files of $n_cells runs are equal to those of a sweep with xargs"
}

inside() {
    local start=$SECONDS killed sweep_pid
    work=$SLURM_LOCAL/sweep
    sweep "$work/slurm" --engine slurm >"$SLURM_LOCAL/sweep.out" &
    sweep_pid=$!
    await "a cell on node2" is_in_middle
    killed=$SECONDS
    echo "$((killed - start)) s: $(n_done) of $n_cells cells are done"
    kill_node node2
    wait "$sweep_pid"
    echo "$((SECONDS - start)) s: $(n_done) of $n_cells cells are done, $((SECONDS - killed)) s after the node was lost"
    sinfo -N -o '%N %T'
    sweep "$work/xargs" --engine xargs >/dev/null
    compare_runs
}

main() {
    parse "$@"
    if [[ -n ${SLURM_LOCAL:-} ]]; then
        inside
    else
        "$root/scripts/dev/slurm_local.sh" --nodes 2 --cpus 1 "$0" "$@"
    fi
}

main "$@"
