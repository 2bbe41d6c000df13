#!/usr/bin/env bash
# Predicted and measured: the tables of docs/theory.md, redone with the program from configs/theory.
set -euo pipefail
export LC_ALL=C

usage() {
    cat <<'END'
usage: scripts/theory.sh [--seeds "1 2 3 4 5 6 7 8"] [--out DIR] [--threads N]

Measures the networks of configs/theory at their initialisation, once per seed, into DIR (runs/theory in the source
tree), prints what theory predicts beside mean and standard deviation over the seeds, and draws three plain networks with
scripts/plot.sh, DIR/plain/gradients.png.  A measurement that is there is not repeated.  The weights of these runs are
not kept.

The program is $SKIPNET, else build/release/skipnet.
END
}

# shellcheck source=scripts/study/runs.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/study/runs.sh"
study_seeds="1 2 3 4 5 6 7 8"

# Measures every seed: NAME,seed=N.
measure() { # NAME CONFIG [SET]...
    local seed set sets=()
    for set in "${@:3}"; do sets+=(--set "$set"); done
    for seed in $study_seeds; do
        study_train "$1,seed=$seed" "theory/$2" "${sets[@]}" --set "seed=$seed"
        rm -f "$study_out/$1,seed=$seed/final.safetensors"
    done
}

mean_and_sd() { # the numbers on stdin; DIGITS
    awk -v digits="$1" '
        { sum += $1; squares += $1 * $1; n++ }
        END {
            mean = sum / n
            variance = n > 1 ? (squares - n * mean * mean) / (n - 1) : 0
            printf "%.*f (%.3f)", digits, mean, sqrt(variance > 0 ? variance : 0)
        }'
}

# The last column of loss.csv that is asked for, over all seeds.
ratios() { # NAME
    local seed
    for seed in $study_seeds; do study_last "$1,seed=$seed" loss.csv log10_delta_ratio; done
}

# log10 of out_grad_rms of the first hidden layer over that of the last, over all seeds.
carried_ratios() { # NAME
    local seed
    for seed in $study_seeds; do
        study_column "$1,seed=$seed" gradients.csv out_grad_rms role=hidden |
            awk 'NR == 1 { first = $1 } END { printf "%.9g\n", log(first / $1) / log(10) }'
    done
}

# |dh|^2 after hidden layer LAYER over that of the last, over all seeds.
dense_ratios() { # NAME LAYER
    local seed
    for seed in $study_seeds; do
        study_column "$1,seed=$seed" gradients.csv out_grad_rms role=hidden |
            awk -v layer="$2" '
                { square = $1 * $1 * (512 + 32 * (NR - 1)) }
                NR == layer { first = square }
                END { printf "%.9g\n", first / square }'
    done
}

plain() { # NAME TITLE PREDICTION PHI SW SB
    measure "$1" mean-field "network.activation=$4" "network.init.gain=$5" "network.bias_init.std=$6"
    printf '| %s | %s | %s |\n' "$2" "$3" "$(ratios "$1" | mean_and_sd 4)"
}

residual() { # NAME TITLE PREDICTION CONFIG [SET]...
    measure "$1" "${@:4}"
    printf '| %s | %s | %s |\n' "$2" "$3" "$(carried_ratios "$1" | mean_and_sd 4)"
}

study() {
    local layer sqrt2=1.4142135623730951

    printf '%s\n' "| plain, L = 50, N = 512 | predicted log10 delta ratio | measured: mean (sd) |" "|---|---|---|"
    plain tanh-1.3 "tanh, sw 1.3, sb 0.3" -0.8107 tanh 1.3 0.3
    plain tanh-0.5 "tanh, sw 0.5, sb 0.3" -16.7397 tanh 0.5 0.3
    plain tanh-1 "tanh, sw 1, sb 0" -0.9174 tanh 1 0
    plain relu-he "relu, sw sqrt 2, sb 0" 0 relu "$sqrt2" 0
    plain relu-1 "relu, sw 1, sb 0" -7.3752 relu 1 0
    plain linear "linear, sw 1, sb 0" 0 identity 1 0
    plain sigmoid "sigmoid, sw 1, sb 0" -30.7722 sigmoid 1 0

    printf '%s\n' "" "| residual, N = 512 | predicted backward log10 | measured: mean (sd) |" "|---|---|---|"
    residual resid-20 "h + W relu(h), 20 blocks" 3.0103 residual network.depth=21 network.skip.branch_scale=1
    residual resid-50 "a = 1/sqrt(50), 50 blocks" 0.2150 residual
    residual resid-200 "a = 1/sqrt(200), 200 blocks" 0.2166 residual network.depth=201
    residual tanh-50 "h + tanh(W h), 50 blocks" 1.5670 residual-tanh
    residual two-20 "h + W2 relu(W1 h), 20 blocks" 4.7712 residual-two

    printf '%s\n' "" "| dense, 512 + 32 a block, \|dh\|^2 over that of the end | predicted | measured: mean (sd) |" "|---|---|---|"
    measure dense dense
    for layer in 1 11 21 31 41; do
        printf '| after hidden%d | 1 | %s |\n' "$layer" "$(dense_ratios dense "$layer" | mean_and_sd 4)"
    done

    echo
    study_draw plain "relu-1,seed=${study_seeds%% *}" "relu-he,seed=${study_seeds%% *}" "tanh-1.3,seed=${study_seeds%% *}"
}

study_parse "$@"
in_group study
