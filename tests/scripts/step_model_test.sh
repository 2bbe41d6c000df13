#!/usr/bin/env bash
# scripts/dev/step_model.py: its work is the program's own count, its times follow from the machine's figures as by hand,
# and --check measures.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"
command -v python3 >/dev/null || { echo "no python3 here" && exit 77; }
model=$source_dir/scripts/dev/step_model.py

status=0
run_model() { # ARGUMENT...
    status=0
    python3 "$model" --skipnet "$skipnet" "$@" >out 2>err || status=$?
}
machine() { # FILE KEY=VALUE...: a machine of 1 GFLOP/s where all else costs nothing
    python3 -c '
import json, sys
figures = dict(rate=1e9, l2_bytes=1e15, l3_bytes=1e15, l2_rate=1e18, l3_rate=1e18, memory_rate=1e18,
               memory_rate_of_all=1e18, element_s=0, layer_s=0, barrier_s=0)
figures.update((k, float(v)) for k, v in (a.split("=") for a in sys.argv[2:]))
json.dump(figures, open(sys.argv[1], "w"))' "$@"
}
cells() { # ROW: the cells of the first row of the table that begins so
    grep -m 1 "^| $1 |" out | tr -d '|' | xargs
}

# At 1 GFLOP/s a step takes as many nanoseconds as it has FLOPs: the program's count is the other opinion.
machine work.json
for kind in add highway concat; do
    cat >config.json <<END
{"data": {"kind": "gaussian", "in_dim": 784, "samples": 64},
 "network": {"depth": 6, "width": 32, "skip": "$kind"}, "train": {"batch_size": 32}}
END
    flops=$("$skipnet" bench config.json --json --seconds 0.01 --threads 1 | sed -n 's/.*"flops": \([0-9]*\),.*/\1/p')
    run_model --machine work.json --blocks 5 --width 32 --batch 32 --skip "$kind"
    want "work of $kind" "$(awk -v f="$flops" 'BEGIN { printf "%.3g", f / 1e6 }')" "$(cells yours | cut -d ' ' -f 2)"
done

# By hand: inputs 784, three layers of 16 (784, 16, 10 wide outputs: hidden1, one block, output), batch 32 = 2 panels.
# Walk of a panel: 2 x 16 x (784 x 16 + 2 x 16 x 16 + 2 x 16 x 10) FLOP = 428032; items: 2 x 32 x (12544 + 256 + 160),
# the 13 of hidden1 (64 columns at most) have 61755 each. One core: 2 x 428032 + 829440 = 1685504 ns. Two: 428032 + the
# items dealt, longest first: 13 x 61755, 16384, 10240: 7 x 61755. Four: 428032 + 4 x 61755.
run_model --machine work.json --blocks 1 --width 16 --batch 32
want "1, 2 and 4 cores by hand" "1.69 0.86 0.675" "$(cells yours | cut -d ' ' -f 2-4)"
machine barriers.json barrier_s=0.001
run_model --machine barriers.json --blocks 1 --width 16 --batch 32
want "three barriers, growing with the cores" "1.69 3.86 6.68 12.6" "$(cells yours | cut -d ' ' -f 2-5)"
want_like "where it ends" "* 1 barriers" "$(cells yours)"
machine small.json element_s=1e-6
run_model --machine small.json --blocks 1 --width 16 --batch 32
want_like "panels" "yours * 2 2 panels" "$(cells yours)"
machine slow.json l2_bytes=1 l3_bytes=1 memory_rate=1e6
run_model --machine slow.json --blocks 1 --width 16 --batch 32
want_like "memory" "yours * every core reads all weights" "$(cells yours)"

run_model --check --only "50 of 16" --rounds 1 --seconds 0.02 --json measured.json
want_like "measured" "0 A core: * GFLOP/s of products; *" "$status $(head -n 1 out)"
want_like "the error is told" "| 50 of 16 | 1 | * | * | * % |" "$(grep '^| 50 of 16 | 1 ' out)"
want_like "its mean, too" "Mean error * %, greatest * %." "$(tail -n 1 out)"
run_model --machine measured.json --only "50 of 16"
want_like "figures are read again" "0 A core: *" "$status $(head -n 1 out)"

run_model --machine missing.json
want_like "no such machine" "1 missing.json: * (a file that --json wrote)" "$status $(cat err)"
run_model --only "7 of 7"
want_like "no such network" "2 *no network '7 of 7' (one of: 50 of 64; *" "$status $(tail -n 1 err)"
run_model --width 0
want_like "no width" "2 *numbers are above 0" "$status $(tail -n 1 err)"
run_model --width 32 --check
want_like "nothing to check" "2 *a network of your own goes with neither --only nor --check" "$status $(tail -n 1 err)"
finish 15
