#!/usr/bin/env bash
# Trains one config over depths, skip kinds and seeds, then compares and plots the runs.  Installed as skipnet-sweep.
set -euo pipefail
export LC_ALL=C

usage() {
    cat <<'END'
usage: sweep.sh CONFIG [--depths "10 20 50"] [--skips "none add concat"] [--seeds "1"] [--out DIR] [--no-plot]
                [-- TRAIN_OPTION...]

Trains CONFIG once per depth, skip kind and seed into DIR/depth=D,skip=S,seed=N (DIR: runs/sweep-CONFIG), then writes
DIR/runs.csv with `skipnet compare` and draws DIR/plots.  What stands after -- goes to every `skipnet train`.

A run that is finished is not repeated, one that was broken off goes on: call the same sweep again to go on.
A run that diverges is a result.  Other failures are listed at the end; the rest of the sweep goes on.

The program is $SKIPNET, else skipnet beside this script, else build/release/skipnet, else the one on the PATH.
Exit status: 0 all runs are there, 1 some failed, 2 usage.
END
}

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
config='' depths="10 20 50" skips="none add concat" seeds=1 out='' plot=1
train_options=()
runs=()
failures=()

die() {
    echo "sweep: $1" >&2
    exit 2
}

parse() {
    while (($#)); do
        case $1 in
        -h | --help) usage && exit 0 ;;
        --depths | --skips | --seeds | --out)
            (($# >= 2)) || die "$1 wants a value (see --help)"
            printf -v "${1#--}" '%s' "$2"
            shift
            ;;
        --no-plot) plot=0 ;;
        --) shift && train_options=("$@") && break ;;
        -*) die "unknown option $1 (see --help)" ;;
        *)
            [[ -z $config ]] || die "one config at a time, not also $1 (options of train go after --)"
            config=$1
            ;;
        esac
        shift
    done
    [[ -n $config ]] || die "no config given (see --help)"
    [[ -r $config ]] || die "cannot read $config"
    [[ -n ${depths// /} && -n ${skips// /} && -n ${seeds// /} ]] || die "--depths, --skips and --seeds must not be empty"
    local stem=${config##*/}
    : "${out:=runs/sweep-${stem%.json}}"
}

# The first that can be run of: the variable's value, the files, the name on the PATH.
find_program() { # VALUE NAME FILE...
    local name=$2 file
    if [[ -n $1 ]]; then
        command -v "$1" || die "cannot run $1"
        return
    fi
    for file in "${@:3}"; do
        [[ -x $file && ! -d $file ]] && echo "$file" && return
    done
    command -v "$name" || die "no $name found: build it (scripts/demo.sh does), or set SKIPNET to the program"
}

is_unfinished() { # RUN
    [[ -f $1/run.json ]] && ! grep -Eq '"status": *"(done|diverged)"' "$1/run.json"
}

# The exit status decides; what the run said goes to the list of failures.
train() { # DEPTH SKIP SEED
    local name="depth=$1,skip=$2,seed=$3" status=0 start=$SECONDS
    local options=("${train_options[@]}")
    if is_unfinished "$out/$name" && [[ " ${options[*]} " != *" --force "* ]]; then options+=(--resume); fi
    "$skipnet" train "$config" --set network.depth="$1" --set network.skip.kind="$2" --set seed="$3" \
        --out "$out/$name" -q "${options[@]}" >/dev/null 2>"$log" || status=$?
    case $status in
    0) echo "$name: done, $((SECONDS - start)) s" ;;
    3) echo "$name: diverged, $((SECONDS - start)) s" ;;
    129 | 130 | 143) stop $((status - 128)) ;;
    *)
        echo "$name: failed, exit status $status"
        failures+=("$name: exit status $status" "$(sed 's/^/    /' "$log")")
        return
        ;;
    esac
    runs+=("$out/$name")
}

# The run has closed itself; the sweep dies of the same signal, so that a loop around it stops too.
stop() { # SIGNAL
    echo "sweep: stopped by a signal; call it again to go on" >&2
    rm -f "$log"
    trap - INT EXIT
    kill -s "$1" $$
    exit $((128 + $1)) # where that signal is ignored
}

parse "$@"
skipnet=$(find_program "${SKIPNET:-}" skipnet "$here/skipnet" "$here/../build/release/skipnet")
mkdir -p "$out"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'stop 2' INT

for depth in $depths; do
    for skip in $skips; do
        for seed in $seeds; do
            train "$depth" "$skip" "$seed"
        done
    done
done

status=0
if ((${#runs[@]})); then
    "$skipnet" compare "$out" --out "$out" || status=1
    if ((plot)); then
        plotter=$(find_program "${SKIPNET_PLOT:-}" skipnet-plot "$here/skipnet-plot" "$here/plot.sh")
        "$plotter" "${runs[@]}" --out "$out/plots" || status=1
    fi
fi
if ((${#failures[@]})); then
    {
        echo "sweep: $((${#failures[@]} / 2)) failed:"
        printf '  %s\n' "${failures[@]}"
    } >&2
    status=1
fi
exit "$status"
