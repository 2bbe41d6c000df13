#!/usr/bin/env bash
# Trains one config by both programs: a job of same_bytes.sh, in its working directory.
#
#   train.sh CONFIG SIMD PRECISION [TRAIN_OPTION...]
#
# Leaves runs/CONFIG/SIMD-PRECISION/{old,new} with the same names + .log and .status beside them.
set -euo pipefail

config=$1 simd=$2 precision=$3
group=runs/$config/$simd-$precision
mkdir -p "$group"
for side in old new; do
    status=0
    # Braces, so that the shell's word of a program that crashes goes to the log.
    { SKIPNET_SIMD=$simd "./$side" train "$config.json" -q --threads 1 --set "precision=$precision" "${@:4}" \
        --out "$group/$side"; } >"$group/$side.log" 2>&1 || status=$?
    echo "$status" >"$group/$side.status"
    # Some are 100 MB, and their hash stands in run.json.
    rm -f "$group/$side"/*.safetensors
done
