#!/usr/bin/env bash
# From nothing to pictures: installs what is missing, builds, trains a 50-layer network and its two twins with skip
# connections, and a convolutional network of 20 layers with and without, compares and plots them.  A second call finds
# everything done and only shows it again.
set -euo pipefail
user_locale=${LC_ALL-} # the bar charts take what the terminal shows
export LC_ALL=C

usage() {
    cat <<'END'
usage: scripts/demo.sh [--out DIR] [-- TRAIN_OPTION...]

Trains configs/deep50.json, deep50-add.json and deep50-concat.json into DIR (runs/demo in the source tree)
and draws the comparison into DIR/plots; then configs/conv/fashion-plain20.json and fashion-resnet20.json,
60 steps each, into DIR/conv.  What stands after -- goes to every `skipnet train`
(-- --set train.steps=50 is a quicker look).
END
}

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
# shellcheck source=scripts/parts/group.sh
. "$root/scripts/parts/group.sh"
out=$root/runs/demo
names=(deep50 deep50-add deep50-concat)
conv_names=(fashion-plain20 fashion-resnet20)
conv_options=(--set train.steps=60 --set data.test_limit=1000 --set report.train_eval=1000)
train_options=()

fail() { # MESSAGE
    echo "scripts/demo.sh: $1" >&2
    exit 2
}

parse() {
    while (($#)); do
        case $1 in
        -h | --help) usage || exit 4 && exit 0 ;;
        --out)
            (($# >= 2)) || fail "--out wants a directory (see --help)"
            out=$(realpath -m -- "$2")
            shift
            ;;
        --) shift && train_options=("$@") && break ;;
        -*) fail "unknown option $1 (see --help; options of skipnet train go after --)" ;;
        *) fail "unexpected argument $1 (see --help)" ;;
        esac
        shift
    done
}

say() {
    printf '\n== %s\n' "$1"
}

build() {
    cd "$root"
    cmake --preset release
    cmake --build --preset release
}

# A run that an earlier, interrupted demo left goes on.
train() { # CONFIG DIRECTORY OPTION...
    say "Train ${1##*/}"
    LC_ALL=$user_locale "$root/build/release/skipnet" train "$root/configs/$1.json" --out "$2/${1##*/}" --resume \
        "${@:3}" "${train_options[@]}"
}

# What one run shows, in one line, from its own files: the columns are found by name.
finding() { # DIRECTORY NAME
    awk -F, -v run="$2" '
    function power(x) { return x == "" ? "not measured" : sprintf("10^%+.1f", x) }
    FNR == 1 { for (i = 1; i <= NF; i++) column[FILENAME, $i] = i; next }
    function at(name) {
        if (!((FILENAME, name) in column)) {
            print "demo: no column " name " in " FILENAME >"/dev/stderr"
            exit failed = 1
        }
        return $(column[FILENAME, name])
    }
    FILENAME ~ /gradients.csv$/ {
        if (at("step") == 0 && at("role") == "hidden") {
            layers++
            if (at("layer") == 1) first = at("grad_rms")
        }
        next
    }
    function last(name, before) { return at(name) == "" ? before : at(name) } # empty: not measured at this step
    {
        steps = at("step")
        loss = last("train_loss", loss)
        accuracy = last("test_accuracy", accuracy)
        frozen = last("frozen_layers", frozen)
    }
    FNR == 2 { ratio = at("log10_delta_ratio") }
    END {
        if (failed) exit 1
        printf "%-17s at step 0 layer 1 gets %s of the gradient of layer %d (by its weights: rms %.1e); ",
               run ":", power(ratio), layers, first
        printf "after %d steps: %d of %d layers frozen, train loss %.3f, test accuracy %.1f %%\n", steps, frozen,
               layers, loss, 100 * accuracy
    }' "$1/$2/gradients.csv" "$1/$2/loss.csv"
}

show() {
    local name
    say "What it shows"
    for name in "${names[@]}"; do
        finding "$out" "$name"
    done
    for name in "${conv_names[@]}"; do
        finding "$out/conv" "$name"
    done
    say "Where everything lies"
    printf '%s\n' "pictures    $out/plots, $out/conv/plots" \
        "CSV files   $out/{deep50,deep50-add,deep50-concat}/{loss,gradients}.csv" \
        "            $out/conv/{fashion-plain20,fashion-resnet20}/{loss,gradients}.csv" \
        "comparison  $out/runs.csv, $out/conv/runs.csv" "program     $root/build/release/skipnet"
    say "What to try next"
    sed "s|^ *||; s|SCRIPTS|$root/scripts|; s|SKIPNET|$root/build/release/skipnet|; s|CONFIGS|$root/configs|" <<'END'
    a skip over two layers:   SKIPNET train CONFIGS/deep50-add.json --set network.skip.layers_per_block=2
    the 1e-31 case:           SKIPNET train CONFIGS/sigmoid50.json
    depth by skip kind:       SCRIPTS/sweep.sh CONFIGS/deep50.json --grid network.depth=5,10,20,50 --grid network.skip=none,add,concat
    all that a config takes:  SKIPNET list keys
END
}

compare() { # DIRECTORY NAME...
    say "Compare ${*:2}"
    cd "$1"
    "$root/build/release/skipnet" compare "${@:2}" --out .
    "$root/scripts/plot.sh" "${@:2}" --out plots >/dev/null
}

train_and_show() {
    local name
    for name in "${names[@]}"; do
        train "$name" "$out"
    done
    for name in "${conv_names[@]}"; do
        train "conv/$name" "$out/conv" "${conv_options[@]}"
    done
    compare "$out" "${names[@]}"
    compare "$out/conv" "${conv_names[@]}"
    show
}

main() {
    parse "$@"
    say "Build"
    trap_signals
    in_front "$root/scripts/install_packages.sh" build
    in_group build
    in_group train_and_show
}

main "$@"
