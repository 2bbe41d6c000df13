# shellcheck shell=bash
# What the shell tests of the program share: they source this file first.  It stands them into an empty directory of
# their own, runs the binary and compares exact output and exit status.  At the end of a test stands `finish N`: at
# least N comparisons were made, so that none passes by comparing nothing.
set -euo pipefail
export LC_ALL=C
unset NO_COLOR SKIPNET_DATA # SKIPNET_SIMD stays: all of this holds on each path
export SKIPNET_CACHE= # nothing is written beside the test's own directory

# shellcheck disable=SC2034 # the tests use it
source_dir=${SKIPNET_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
skipnet=${SKIPNET_BIN:-}
[[ -x $skipnet ]] || { echo "SKIPNET_BIN names no program" && exit 77; }
work=$(mktemp -d)
started=()
n_wanted=0

clean_up() {
    local pid
    for pid in "${started[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap clean_up EXIT
cd "$work"

finish() { # AT-LEAST
    ((n_wanted >= $1)) || { echo "only $n_wanted comparisons were made, $1 are meant" && exit 1; }
    echo "$n_wanted comparisons, all as expected"
}

want() { # WHAT EXPECTED ACTUAL
    n_wanted=$((n_wanted + 1))
    [[ $2 == "$3" ]] && return
    printf '%s\n  wanted: %s\n  got:    %s\n' "$@"
    [[ -s err ]] && sed 's/^/  stderr: /' err
    exit 1
}

want_like() { # WHAT PATTERN ACTUAL: a pattern of bash
    n_wanted=$((n_wanted + 1))
    # shellcheck disable=SC2053 # the pattern is meant as one
    [[ $3 == $2 ]] && return
    printf '%s\n  wanted a text like: %s\n  got: %.2000s\n' "$@"
    exit 1
}

want_equal() { # FILE FILE...: all are there, not empty, and equal
    local first=$1 file
    shift
    [[ -s $first ]] || { echo "$first is missing or empty" && exit 1; }
    for file in "$@"; do
        n_wanted=$((n_wanted + 1))
        cmp "$first" "$file" || exit 1
    done
}

want_other() { # FILE FILE: both are there, and differ
    n_wanted=$((n_wanted + 1))
    [[ -s $1 && -s $2 ]] || { echo "$1 or $2 is missing or empty" && exit 1; }
    if cmp -s "$1" "$2"; then echo "$1 and $2 are equal" && exit 1; fi
}

run() { # ARGUMENT...: fills out, err and $status
    status=0
    "$skipnet" "$@" >out 2>err </dev/null || status=$?
}

does() { # ARGUMENT...: runs, and exits with 0
    run "$@"
    want "skipnet $*: exit status" 0 "$status"
}

refuses() { # STATUS MESSAGE ARGUMENT...: the message on stderr and nothing else
    run "${@:3}"
    want "skipnet ${*:3}: exit status" "$1" "$status"
    want "skipnet ${*:3}: message" "$2" "$(cat err)"
    want "skipnet ${*:3}: nothing on stdout" "" "$(cat out)"
}

# A config that runs in a moment and needs no file: 100 samples in batches of 16 are 7 steps an epoch.
write_tiny() { # FILE
    cat >"$1" <<'END'
{
  "name": "tiny",
  "data": {"kind": "spirals", "samples": 100, "test_samples": 40},
  "network": {"depth": 4, "width": 8, "skip": "add"},
  "train": {"lr": 0.05, "batch_size": 16, "steps": 10}
}
END
}

await() { # WHAT COMMAND...: until the command succeeds
    local what=$1 i
    shift
    for ((i = 0; i < 600; i++)); do
        "$@" && return
        sleep 0.05
    done
    echo "waited in vain: $what"
    exit 1
}

has_rows() { # FILE N: besides the header
    [[ -f $1 ]] && (($(wc -l <"$1") > $2))
}

# Starts a run that would last for days, in the background, its signals as a shell would leave them; waits until it has
# rows.  Its process is $pid.
start_long() { # DIRECTORY ARGUMENT...
    env --default-signal=INT,TERM,HUP "$skipnet" train tiny.json --set train.steps=1000000000 --threads 1 \
        --out "$@" >long.out 2>long.err </dev/null &
    pid=$!
    started+=("$pid")
    await "rows of $1" has_rows "$1/loss.csv" 2
}

value_of() { # FILE KEY: the first "KEY": VALUE of an indented JSON file, quotes kept
    sed -n "s/^ *\"$2\": \(.*[^,]\),*\$/\1/p" "$1" | head -n 1
}

loss_header=step,epoch,batch_loss,batch_accuracy,train_loss,train_accuracy,test_loss,test_accuracy,lr,grad_norm
loss_header+=,update_norm,stalled_frac,nonfinite,log10_delta_ratio,decades_per_layer,frozen_layers
gradients_header=step,layer,label,op,role,depth_frac,n_params,grad_norm,grad_rms,grad_mean_abs,grad_max_abs
gradients_header+=,grad_zero_frac,grad_denormal_frac,weight_norm,update_norm,update_ratio,unchanged_frac,stalled_frac
gradients_header+=,applied_ratio,delta_rms,out_grad_rms,preact_mean,preact_rms,in_mean,in_rms,in_saturated_frac
gradients_header+=,bias_grad_norm,grad_ratio,out_grad_ratio,dead_unit_frac,eps_frac

# Both CSVs of a run: the header, at least one row each, as many cells in each row, whole lines, and nothing but numbers
# where numbers belong.
want_csvs() { # DIRECTORY
    want "$1/loss.csv: header" "$loss_header" "$(head -n 1 "$1/loss.csv")"
    want "$1/gradients.csv: header" "$gradients_header" "$(head -n 1 "$1/gradients.csv")"
    local file
    for file in "$1/loss.csv" "$1/gradients.csv"; do
        has_rows "$file" 0 || { echo "$file has no rows" && exit 1; }
        want "$file: the last line is whole" 1 "$(tail -c 1 "$file" | wc -l)"
        want "$file: faults" "" "$(awk -F, '
            NR == 1 { n = NF; for (i = 1; i <= n; i++) is_text[i] = $i ~ /^(label|op|role)$/; next }
            NF != n { print "line " NR ": " NF " cells of " n }
            { for (i = 1; i <= NF; i++)
                if (!is_text[i] && $i !~ /^(-?[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?|nan|-?inf)?$/)
                    print "line " NR ": \"" $i "\"" }' "$file")"
    done
}

column() { # FILE NAME [STEP]: the cells of a column, one per line; those of one step
    awk -F, -v name="$2" -v step="${3-}" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i; next }
        !c { print "no column " name; exit }
        step == "" || $1 == step { print $c }' "$1"
}

# A comparison's runs.csv without the one column that is of no two runs the same.  (Cells before it may hold commas.)
without_wall_s() { # FILE
    awk -F, '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == "wall_s") back = NF - i }
        { for (i = 1; i <= NF; i++) if (i != NF - back) printf "%s%s", (i > 1 ? "," : ""), $i; print "" }' "$1"
}

row_of() { # FILE NAME [STEP]: the same on one line, "-" for an empty cell
    column "$@" | sed 's/^$/-/' | paste -sd' '
}

# A pseudo-terminal, where script(1) of util-linux can make one.
has_terminal() {
    script --version 2>/dev/null | grep -q util-linux && script --quiet --command true /dev/null </dev/null >/dev/null 2>&1
}
on_tty() { # COMMAND
    script --quiet --return --command "$1" /dev/null 0</dev/null
}
terminal() { # COMMAND: runs it on a terminal, what that shows goes to the file shown
    on_tty "$1" >shown || { echo "on a terminal: $1" && cat shown && exit 1; }
    [[ -s shown ]] || { echo "nothing on the terminal: $1" && exit 1; }
}
