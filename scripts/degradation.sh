#!/usr/bin/env bash
# The degradation problem and its cure: the table of docs/degradation.md, run by run.
set -euo pipefail
export LC_ALL=C

usage() {
    cat <<'END'
usage: scripts/degradation.sh [--seeds "1 2 3"] [--out DIR] [--threads N]

Trains configs/degradation/{plain,resid,dense}.json at the depths, rates, scales and activations of the table in
docs/degradation.md into DIR (runs/degradation in the source tree) and prints the table: the final loss over all training
samples and the final test accuracy, a value per seed.  A run that is finished is not repeated, one that was broken off
is started anew: call it again to go on.  A run that diverges is a result.

The program is $SKIPNET, else build/release/skipnet.
END
}

# shellcheck source=scripts/study/runs.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/study/runs.sh"
study_seeds="1 2 3"

# One value per seed; a diverged run says where it ended.
results() { # ROW COLUMN
    local seed
    for seed in $study_seeds; do
        if [[ $(study_status "$1,seed=$seed") == diverged ]]; then
            echo "diverged at $(study_last "$1,seed=$seed" loss.csv step)"
        else
            printf '%.4f\n' "$(study_last "$1,seed=$seed" loss.csv "$2")"
        fi
    done | paste -sd , | sed 's/,/, /g'
}

# A row of the table: trains every seed, then prints.
row() { # TITLE CONFIG LR EPOCHS [SET]...
    local seed set row="$2,lr=$3,epochs=$4" sets=(--set "train.lr=$3" --set "train.epochs=$4")
    for set in "${@:5}"; do
        sets+=(--set "$set")
        row+=",${set#network.}"
    done
    for seed in $study_seeds; do
        study_train "$row,seed=$seed" "degradation/$2" "${sets[@]}" --set "seed=$seed"
    done
    printf '| %s | %s, %s | %s | %s |\n' "$1" "$3" "$4" "$(results "$row" train_loss)" "$(results "$row" test_accuracy)"
}

study_parse "$@"
echo "| net | lr, epochs | train loss | test accuracy |"
echo "|---|---|---|---|"
row "plain, depth 9" plain 0.01 5 network.depth=9
row "plain, depth 49" plain 0.01 5
row "resid, depth 49" resid 0.01 5
row "resid, depth 49" resid 0.05 5
row "dense, depth 49" dense 0.05 5
row "plain sigmoid, depth 49" plain 0.05 2 network.activation=sigmoid
row "resid sigmoid, depth 49" resid 0.05 5 network.activation=sigmoid
row "resid, depth 49, a = 1" resid 0.05 5 network.skip.branch_scale=1
row "plain, depth 49" plain 0.05 5
row "plain, depth 49" plain 0.1 5
