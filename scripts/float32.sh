#!/usr/bin/env bash
# What float32 cannot see: the tables and pictures of docs/float32.md.
set -euo pipefail
export LC_ALL=C

usage() {
    cat <<'END'
usage: scripts/float32.sh [--out DIR] [--threads N]

Trains configs/deep50.json and configs/sigmoid50.json for a step, or a little longer, over depths and learning rates in
float32 and in float64, into DIR (runs/float32 in the source tree); prints the tables of docs/float32.md and draws its
pictures with scripts/plot.sh, DIR/stalled/frozen.png and DIR/zeros/gradients.png.  A run that is finished is not
repeated.

The program is $SKIPNET, else build/release/skipnet.
END
}

# shellcheck source=scripts/study/runs.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/study/runs.sh"

# One step, nothing evaluated: what a table of gradients and updates needs.
step() { # CONFIG DEPTH LR PRECISION [SEED]; sets run
    local seed=${5:-1}
    run=$1,depth=$2,lr=$3,$4
    ((seed == 1)) || run+=,seed=$seed
    study_train "$run" "$1" --set "network.depth=$2" --set "train.lr=$3" --set "precision=$4" --set "seed=$seed" \
        --set train.steps=1 --set report.train_eval=0 --set data.test_limit=0
}

# A column of gradients.csv in step 0 over the hidden layers, and what it shows.
hidden() { # COLUMN
    study_column "$run" gradients.csv "$1" step=0 role=hidden
}

count() { # CONDITION of awk on $1; empty cells do not count
    awk "\$1 != \"\" && ($1) { n++ } END { print n + 0 }"
}

frozen() { # CONFIG DEPTH LR PRECISION
    step "$@"
    study_last "$run" loss.csv frozen_layers step=0
}

# ---- where updates stall ----

stall_depths=(5 10 20 30 40 50 75 100)
stall_lrs=(1 0.1 0.01 0.001 0.0001 0.00001)

table_of_stalls() {
    local lr depth
    echo "Frozen layers in the first step, float32 (float64): configs/deep50.json, plain tanh, width 64"
    echo "| lr |$(printf ' depth %s |' "${stall_depths[@]}")"
    echo "|---|$(printf -- '---|%.0s' "${stall_depths[@]}")"
    for lr in "${stall_lrs[@]}"; do
        printf '| %s |' "$lr"
        for depth in "${stall_depths[@]}"; do
            printf ' %s (%s) |' "$(frozen deep50 "$depth" "$lr" float32)" "$(frozen deep50 "$depth" "$lr" float64)"
        done
        echo
    done
}

# Layers over seeds 1 to 5.
unchanged() { # DEPTH PRECISION
    local seed
    for seed in 1 2 3 4 5; do
        step sigmoid50 "$1" 0.1 "$2" "$seed"
        hidden unchanged_frac | tail -n +2 | count '$1 > 0.999'
    done | paste -sd , | sed 's/,/, /g'
}

table_of_unchanged() {
    local depth
    echo "Square layers of which over 99.9 % of the weights keep their bits in the first step, seeds 1 to 5:" \
        "configs/sigmoid50.json, lr 0.1"
    echo "| depth | square layers | float32 | float64 |"
    echo "|---|---|---|---|"
    for depth in 10 20 50; do
        printf '| %s | %s | %s | %s |\n' "$depth" "$((depth - 1))" "$(unchanged "$depth" float32)" \
            "$(unchanged "$depth" float64)"
    done
}

# ---- denormal and zero gradients ----

# Of the first layer: log10 |gW|, shares of denormal and zero elements; and the layers that get nothing at all.
gradient_of_first() {
    local norm
    norm=$(hidden grad_norm | awk 'NR == 1 { if ($1 > 0) printf "%.1f", log($1) / log(10); else printf "-inf" }')
    printf ' %s | %.3f | %.3f | %s |' "$norm" "$(hidden grad_denormal_frac | head -n1)" \
        "$(hidden grad_zero_frac | head -n1)" "$(hidden grad_zero_frac | count '$1 == 1')"
}

table_of_zeros() {
    local depth precision
    echo "First layer's gradient in the first step, configs/sigmoid50.json"
    echo "| depth | float32: log10 norm | denormal | zero | layers all zero | float64: log10 norm | denormal | zero | layers all zero |"
    echo "|---|---|---|---|---|---|---|---|---|"
    for depth in 20 50 55 58 60 62 65 70 80 100 500 600; do
        printf '| %s |' "$depth"
        for precision in float32 float64; do
            step sigmoid50 "$depth" 0.1 "$precision"
            gradient_of_first
        done
        echo
    done
}

# ---- does it matter ----

table_of_training() {
    local skip precision
    echo "configs/deep50.json, one epoch"
    echo "| skip | precision | frozen layers, first and last update | update_ratio of layer 1, first update | train loss |"
    echo "|---|---|---|---|---|"
    for skip in none add; do
        for precision in float32 float64; do
            run=deep50-epoch,skip=$skip,$precision
            study_train "$run" deep50 --set "network.skip.kind=$skip" --set "precision=$precision"
            printf '| %s | %s | %s, %s | %.1e | %.4f |\n' "$skip" "$precision" \
                "$(study_column "$run" loss.csv frozen_layers step=0)" "$(study_last "$run" loss.csv frozen_layers)" \
                "$(study_column "$run" gradients.csv update_ratio step=0 label=hidden1)" \
                "$(study_last "$run" loss.csv train_loss)"
        done
    done
}

study() {
    table_of_stalls
    echo
    table_of_unchanged
    echo
    table_of_zeros
    echo
    table_of_training
    echo
    study_draw stalled deep50,depth=50,lr={1,0.01,0.0001},float32 deep50,depth=50,lr=0.0001,float64
    study_draw zeros sigmoid50,depth=100,lr=0.1,float{32,64}
}

study_parse "$@"
in_group study
