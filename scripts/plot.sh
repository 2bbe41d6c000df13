#!/usr/bin/env bash
# Draws the CSV files of one or more runs with gnuplot.  Installed as skipnet-plot.
#
# awk (plot/*.awk) picks columns by name, sorts zeros and non-finite values apart and takes the logarithms; gnuplot only
# ever sees finite numbers on linear axes with ticks of our own, so nothing can fall off a log axis unseen.  What the
# pictures are made of is in plot/parts.sh, the pictures in plot/pictures.sh.
# shellcheck disable=SC2154,SC2034 # work is group.sh's, force is of words.sh
set -euo pipefail
shopt -s nullglob
export LC_ALL=C

self=${0##*/} # plot.sh, or skipnet-plot where it is installed

usage() {
    sed "s/plot\.sh/$self/g" <<'END'
usage: plot.sh RUN... [--out DIR] [--steps A,B,C] [--force]
       plot.sh DIR [--out DIR] [--x KEY] [--band range|ci95] [--force]

The first draws, as SVG and PNG, for the run directories RUN (loss.csv, gradients.csv):
  loss            loss of the batch, the training set and the test set over the steps
  gradients       delta_rms, out_grad_rms and grad_rms by layer at chosen steps
  heatmap         log10 of delta_rms, layer by step; one picture per run (heatmap-NAME for several), one scale for all
  frozen          stalled_frac by layer at chosen steps, and which layers are frozen

Exact zeros stand on a marked floor below the log axis, values that are not finite on a marked ceiling, and a curve
breaks where nothing was measured.

The second draws a comparison, DIR holding runs.csv, summary.csv and profiles.csv of `skipnet compare --out DIR`:
  loss, accuracy, delta, ratio, frozen
                  final loss and accuracy, delta_rms of the first hidden layer, that over the last one's, and the share
                  of frozen layers, over a varied key; a curve for each combination of the others, a band over seeds
  profiles        delta_rms over depth at step 0 and the last update
  map             where two numeric keys make a grid: four metrics over both; map-1, map-2 ... for combinations of the others
and writes pictures.csv, a list of them.  A point of which a seed diverged stands outside of its curve, marked.

  --out DIR       where the pictures go; made when missing.  Default: the run directory for one run, else the
                  directory `plots` beside the first run; of a comparison DIR/plots
  --steps A,B,C   the steps to show in gradients and frozen; of each the nearest measured one is taken.
                  Default: the first and the last measured before the final row, which has no update
  --x KEY         the varied key on x, or the end of its name.  Default: network.depth where it varies, else the numeric
                  key with most values, else the first key
  --band WHAT     range: curves are medians, bands from the least to the greatest run (default); ci95: means and their
                  95 % intervals by Student's t
  --force         replace files that plot.sh did not write

A run is called as in its config.json, or after its directory where that tells more or runs would share a name.
A picture that cannot be drawn is told of on stderr; the others are drawn all the same.
Exit status: 0 done, 1 a picture could not be drawn, 2 usage or the runs are at fault, 4 cannot write or gnuplot is missing.
END
}

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
runs=() names=() chosen=() out='' steps='' lib='' x='' band='' force='' command=''

fail() { # STATUS MESSAGE
    echo "${self%.sh}: $2" >&2
    exit "$1"
}

parse() {
    while (($#)); do
        case $1 in
        -h | --help) usage 2>/dev/null || fail 4 "cannot write standard output" && exit 0 ;;
        --out | --steps | --x | --band)
            [[ -n ${2:-} ]] || fail 2 "$1 wants a value (see --help)"
            printf -v "${1#--}" '%s' "$2"
            shift
            ;;
        --force) force=1 ;;
        -*) fail 2 "unknown option $1 (see --help)" ;;
        *) runs+=("${1%/}") ;;
        esac
        shift
    done
    ((${#runs[@]})) || fail 2 "no run given (see --help)"
    [[ -z $steps || $steps =~ ^[0-9]{1,15}(,[0-9]{1,15})*$ ]] || fail 2 "--steps wants step numbers, as in 0,100,468"
    [[ -z $band || $band == range || $band == ci95 ]] || fail 2 "--band wants range or ci95"
}

is_comparison() {
    ((${#runs[@]} == 1)) && [[ -f ${runs[0]}/runs.csv && ! -f ${runs[0]}/loss.csv ]]
}

check_inputs() {
    local run file files=(loss.csv gradients.csv) what="not a run of skipnet train"
    if is_comparison; then
        files=(runs.csv summary.csv profiles.csv)
        what="write it with skipnet compare ${runs[0]} --out ${runs[0]}"
        [[ -z $steps ]] || fail 2 "--steps is for runs, ${runs[0]} is a comparison"
    elif [[ -n $x$band ]]; then
        fail 2 "--x and --band are for a comparison: no runs.csv in ${runs[0]}, or more than that given"
    fi
    for run in "${runs[@]}"; do
        [[ -d $run ]] || fail 2 "no run directory $run"
        for file in "${files[@]}"; do
            [[ -f $run/$file && -r $run/$file ]] || fail 2 "cannot read $run/$file: $what"
        done
    done
}

check() {
    check_inputs
    command -v gnuplot >/dev/null || fail 4 "gnuplot is missing: install the package gnuplot-nox"
    for lib in "$here/plot" "$here/../share/skipnet/plot"; do
        [[ -f $lib/columns.awk ]] && break
    done
    [[ -f $lib/columns.awk ]] || fail 1 "the directory plot is missing beside this script, and $lib too"
    if [[ -z $out ]]; then
        out=${runs[0]}
        ((${#runs[@]} == 1)) || out=$(dirname "${runs[0]}")/plots
        ! is_comparison || out=${runs[0]}/plots
        [[ $out != */plots || ! -L $out ]] || fail 4 "$out is a link to another place: say --out $out to write there"
    fi
    mkdir -p -- "$out" 2>/dev/null || fail 4 "cannot make the directory $out"
    [[ -w $out ]] || fail 4 "cannot write into $out"
}

# Sets names; they tell the runs apart as long as their paths do.
name_runs() {
    local i run name base shared=()
    for run in "${runs[@]}"; do
        base=$(basename "$(readlink -f "$run")")
        name=$(config_text "$run/config.json" name) || true
        [[ -n $name && $base != "$name",* ]] || name=$base # runs/deep50,depth=100 is more than deep50
        names+=("$(as_name "$name")")
    done
    find_shared
    for i in "${shared[@]}"; do names[i]=$(as_name "$(basename "$(readlink -f "${runs[i]}")")"); done
    find_shared
    for i in "${shared[@]}"; do names[i]=$(as_name "${runs[i]}"); done
}

# On one line, and no longer than there is room for: its beginning and its end.
as_name() { # TEXT
    local text
    text=$(printf '%s' "${1//[$'\001'-$'\037'$'\177']/ }" | utf8)
    ((${#text} <= 100)) || text=$(printf '%s…%s' "${text:0:60}" "${text: -37}" | utf8)
    echo "$text"
}

# Sets shared: the numbers of the names that another run has too.
find_shared() {
    local i name
    declare -A count=()
    for name in "${names[@]/#/=}"; do count[$name]=$((${count[$name]:-0} + 1)); done
    shared=()
    for i in "${!names[@]}"; do
        name="=${names[i]}"
        ((${count[$name]} == 1)) || shared+=("$i")
    done
}

# By stdin: awk takes an argument such as depth=5/loss.csv for an assignment.
columns() { # FILE COLUMN...
    NAME=$1 awk -v wanted="${*:2}" -v text=role -f "$lib/csv.awk" -f "$lib/records.awk" -f "$lib/columns.awk" <"$1" || exit 2
}

# Makes the tables $work/RUN.loss and $work/RUN.gradients, RUN being the number of a run; sets chosen (the steps to
# show of every run), n_chosen and last_layer.
read_runs() {
    local i
    for i in "${!runs[@]}"; do
        columns "${runs[i]}/loss.csv" step batch_loss train_loss test_loss lr grad_norm >"$work/$i.loss"
        columns "${runs[i]}/gradients.csv" step layer role delta_rms out_grad_rms grad_rms stalled_frac \
            unchanged_frac >"$work/$i.gradients"
        chosen[i]=$(choose_steps "$i")
    done
    last_layer=$(cat "$work"/*.gradients | awk '$2 > last { last = $2 } END { print last }')
    n_chosen=$(printf '%s\n' "${chosen[@]}" | awk 'NF > n { n = NF } END { print n }')
}

# The steps to show of a run; as many as asked for, in that order.
choose_steps() { # RUN
    awk -v wanted="$steps" '
        NR == 1 || $1 != last { step[n++] = last = $1 }
        END {
            if (wanted == "") {
                print step[0] (n > 2 ? " " step[n - 2] : "")
                exit
            }
            for (n_wanted = split(wanted, want, ","); ++w <= n_wanted;) {
                best = step[0]
                for (i = 1; i < n; i++)
                    if ((step[i] - want[w]) ^ 2 < (best - want[w]) ^ 2) best = step[i]
                printf "%s%s", (w > 1 ? " " : ""), best
            }
        }' "$work/$1.gradients"
}

draw_runs() {
    # shellcheck source=scripts/plot/pictures.sh
    . "$lib/pictures.sh"
    name_runs
    read_runs
    attempt draw_loss
    attempt draw_gradients
    draw_heatmaps
    attempt draw_frozen
}

draw_comparison() { # DIR
    local part
    check_replaced "$out/pictures.csv" "$out/pictures.csv" "$list_mark"
    : "${band:=range}"
    for part in comparison comparison_curves comparison_profiles comparison_maps; do
        # shellcheck source=/dev/null
        . "$lib/$part.sh"
    done
    read_comparison "$1"
    draw_comparison_curves
    attempt draw_comparison_profiles "$1"
    draw_comparison_maps "$1"
    publish_list
}

# The command as it can be given again, which then replaces files of its own.
call_of() { # ARGUMENT...
    local word name=$self
    [[ $name != plot.sh ]] || name=scripts/plot.sh
    for word; do [[ $word == --force ]] || name+=" $(quoted "$word")"; done
    echo "$name"
}

draw() {
    if is_comparison; then draw_comparison "${runs[0]}"; else draw_runs; fi
    [[ ! -e $work/failed ]] || exit 1
}

main() {
    local part
    parse "$@"
    check
    for part in words group parts; do
        # shellcheck source=/dev/null
        . "$lib/$part.sh"
    done
    # shellcheck disable=SC2034 # comparison.sh uses it
    command=$(call_of "$@")
    begin_work plot
    in_group draw
}

main "$@"
