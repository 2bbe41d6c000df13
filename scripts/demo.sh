#!/usr/bin/env bash
# From nothing to pictures: installs what is missing, builds, trains a 50-layer network and its two twins with skip
# connections, compares and plots them.  A second call finds everything done and only shows it again.
set -euo pipefail
user_locale=${LC_ALL-} # the bar charts take what the terminal shows
export LC_ALL=C

usage() {
    cat <<'END'
usage: scripts/demo.sh [--out DIR] [-- TRAIN_OPTION...]

Trains configs/deep50.json, deep50-add.json and deep50-concat.json into DIR (runs/demo in the source tree)
and draws the comparison into DIR/plots.  What stands after -- goes to every `skipnet train`
(-- --set train.steps=50 is a quicker look).
END
}

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
# shellcheck source=scripts/parts/group.sh
. "$root/scripts/parts/group.sh"
out=$root/runs/demo
names=(deep50 deep50-add deep50-concat)
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
train() { # NAME
    LC_ALL=$user_locale "$root/build/release/skipnet" train "$root/configs/$1.json" --out "$out/$1" --resume \
        "${train_options[@]}"
}

# What one run shows, in one line, from its own files: the columns are found by name.
finding() { # NAME
    awk -F, -v run="$1" '
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
        printf "%-14s at step 0 layer 1 gets %s of the gradient of layer %d (by its weights: rms %.1e); ",
               run ":", power(ratio), layers, first
        printf "after %d steps: %d of %d layers frozen, train loss %.3f, test accuracy %.1f %%\n", steps, frozen,
               layers, loss, 100 * accuracy
    }' "$out/$1/gradients.csv" "$out/$1/loss.csv"
}

show() {
    local name
    say "What it shows"
    for name in "${names[@]}"; do
        finding "$name"
    done
    say "Where everything lies"
    printf '%s\n' "pictures    $out/plots" "CSV files   $out/{deep50,deep50-add,deep50-concat}/{loss,gradients}.csv" \
        "comparison  $out/runs.csv" "program     $root/build/release/skipnet"
    say "What to try next"
    sed "s|^ *||; s|SCRIPTS|$root/scripts|; s|SKIPNET|$root/build/release/skipnet|; s|CONFIGS|$root/configs|" <<'END'
    a skip over two layers:   SKIPNET train CONFIGS/deep50-add.json --set network.skip.layers_per_block=2
    the 1e-31 case:           SKIPNET train CONFIGS/sigmoid50.json
    depth by skip kind:       SCRIPTS/sweep.sh CONFIGS/deep50.json --grid network.depth=5,10,20,50 --grid network.skip=none,add,concat
    all that a config takes:  SKIPNET list keys
END
}

train_and_show() {
    local name
    for name in "${names[@]}"; do
        say "Train $name"
        train "$name"
    done
    say "Compare"
    cd "$out"
    "$root/build/release/skipnet" compare "${names[@]}" --out .
    "$root/scripts/plot.sh" "${names[@]}" --out plots >/dev/null
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
