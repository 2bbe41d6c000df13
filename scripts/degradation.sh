#!/usr/bin/env bash
# The degradation problem and its cure: the tables of docs/degradation.md, run by run.
set -euo pipefail
export LC_ALL=C

usage() {
    cat <<'END'
usage: scripts/degradation.sh [--seeds "1 2 3"] [--out DIR] [--threads N]

Trains configs/degradation/{plain,resid,dense}.json at the depths, rates, scales and activations of docs/degradation.md
into DIR (runs/degradation in the source tree) and prints its tables: the final loss over all training samples and the
final test accuracy, a value per seed, beside the figures of a program in PyTorch; then the same with other initial
output weights.  A run that is finished is not repeated, one that was broken off is started anew: call it again to go on,
or call it with --seeds 1, --seeds 2 and so on at the same time, and then for all.  A run that diverges is a result.

The program is $SKIPNET, else build/release/skipnet.
END
}

# shellcheck source=scripts/study/runs.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/study/runs.sh"
study_seeds="1 2 3"

# Trains a config once per seed; sets run, to which ,seed=N belongs.
trained() { # CONFIG LR EPOCHS [SET]...
    local seed set sets=(--set "train.lr=$2" --set "train.epochs=$3")
    run="$1,lr=$2,epochs=$3"
    for set in "${@:4}"; do
        sets+=(--set "$set")
        run+=",${set#network.}"
    done
    for seed in $study_seeds; do
        study_train "$run,seed=$seed" "degradation/$1" "${sets[@]}" --set "seed=$seed"
    done
}

joined() {
    paste -sd , | sed 's/,/, /g'
}

# One value per seed, the last one; of a diverged run what is asked for, or the step where it ended.
final() { # COLUMN [WHERE-DIVERGED]
    local seed
    for seed in $study_seeds; do
        if [[ $(study_status "$run,seed=$seed") == diverged ]]; then
            echo "${2:-diverged at $(study_last "$run,seed=$seed" loss.csv step)}"
        else
            printf '%.4f\n' "$(study_last "$run,seed=$seed" loss.csv "$1")"
        fi
    done | joined
}

first_losses() {
    local seed
    for seed in $study_seeds; do
        printf '%.1e\n' "$(study_column "$run,seed=$seed" loss.csv batch_loss step=0)"
    done | joined
}

# A row of the first table; what PyTorch got stands behind it.
row() { # TITLE PYTORCH-LOSS PYTORCH-ACCURACY CONFIG LR EPOCHS [SET]...
    trained "${@:4}"
    printf '| %s | %s, %s | %s | %s | %s | %s |\n' "$1" "$5" "$6" "$(final train_loss)" "$(final test_accuracy -)" \
        "$2" "$3"
}

table_of_nets() {
    echo "| net | lr, epochs | train loss | test accuracy | PyTorch: train loss | test accuracy |"
    echo "|---|---|---|---|---|---|"
    row "plain, depth 9" ".3465 .3472 .3397" ".849-.853" plain 0.01 5 network.depth=9
    row "plain, depth 49" ".7085 .5121 .5252" ".70-.79" plain 0.01 5
    row "resid, depth 49" ".3622 .3668 .3629" ".850-.853" resid 0.01 5
    row "resid, depth 49" ".2941 .2938 .2914" ".865-.868" resid 0.05 5
    row "dense, depth 49" ".2717 .2778 .2619" ".866-.874" dense 0.05 5
    row "plain sigmoid, depth 49" "2.305-2.308" "exactly .1000" plain 0.05 2 network.activation=sigmoid
    row "resid sigmoid, depth 49" ".4185 .4209 .4190" ".835-.838" resid 0.05 5 network.activation=sigmoid
    row "resid, depth 49, a = 1" "NaN after the start" "" resid 0.05 5 network.skip.branch_scale=1
    row "plain, depth 49" "NaN in 2 of 3" "" plain 0.05 5
    row "plain, depth 49" "NaN in 3 of 3" "" plain 0.1 5
}

# A row of the second table: final train losses, and of the residual network with a = 1 the loss before any step.
output_row() { # TITLE [SET]...
    printf '| %s |' "$1"
    trained plain 0.01 5 network.depth=9 "${@:2}" && printf ' %s |' "$(final train_loss)"
    trained resid 0.01 5 "${@:2}" && printf ' %s |' "$(final train_loss)"
    trained resid 0.05 5 network.activation=sigmoid "${@:2}" && printf ' %s |' "$(final train_loss)"
    trained plain 0.05 5 "${@:2}" && printf ' %s |' "$(final train_loss)"
    trained resid 0.05 5 network.skip.branch_scale=1 "${@:2}" && printf ' %s |\n' "$(first_losses)"
}

table_of_output_weights() {
    echo "| output weights | plain, depth 9, lr 0.01 | resid, 0.01 | resid sigmoid, 0.05 | plain, depth 49, 0.05 |" \
        "a = 1: first loss |"
    echo "|---|---|---|---|---|---|"
    output_row "He, variance 2/fan_in" network.output_init=he_normal
    output_row "1/fan_in, as above"
    output_row "PyTorch's default, 1/(3 fan_in)" network.output_init=pytorch network.bias_init=zeros
    echo "| the program in PyTorch | .3465 .3472 .3397 | .3622 .3668 .3629 | .4185 .4209 .4190 | NaN in 2 of 3 |" \
        "8e6 to 4e7 |"
}

study() {
    table_of_nets
    echo
    table_of_output_weights
}

study_parse "$@"
in_group study
