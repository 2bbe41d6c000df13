#!/usr/bin/env bash
# skipnet bench: the standard case and a config, the table and JSON, what it refuses.  No time is compared.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
number='[0-9.e+-]+'
keys='network machine peak products step segments_thread_s ops_thread_s memory_bytes observed'

# A line of the table like a pattern of awk.
want_line() { # PATTERN
    want "a line like $1" 1 "$(grep -cE "$1" out)"
}

does bench tiny.json --steps 20 --threads 2
want "nothing on stderr" "" "$(cat err)"
want_line "^network    tiny: 5 weight layers, 258 parameters, batch 16, float32\$"
want_line '^machine    .*, 2 threads, [a-z0-9]+; OpenBLAS kernels for .+ \((serial|pthread|openmp)\)$'
want_line "^peak       $number GFLOP/s: 2 x $number, OpenBLAS's best product \(64: $number, .*1024: $number\)\$"
want_line "^products   $number GFLOP/s: 2 x $number, the ops' best product \((own kernel|OpenBLAS) 64: $number, .*1024: $number\)\$"
want_line "^step       $number ms \(median $number\), of 20 steps in 10 blocks\$"
want_line "^rate       $number GFLOP in a step, $number GFLOP/s, $number % of peak, $number % of the limit \((peak|products)\)\$"
want_line "^memory     $number MiB in the arena \(signals $number, parameters $number"
want_line "^observed   $number ms, [+-]$number % of a plain step; its rows: $number ms derived, $number ms formatted"
want "the parts" "walk forward,loss,walk backward,work items,waiting" \
    "$(sed -n '/^part of/,/^$/p' out | sed '1d;/^$/d' | cut -c1-24 | sed 's/ *$//' | paste -sd,)"
want "the shares of the parts add up to all" 1 \
    "$(awk '/^part of/ { on = 1; next } /^$/ { on = 0 } on { sum += $NF } END { print (sum > 99 && sum < 101) }' out)"
want "the ops" "add,input,linear,softmax_cross_entropy,tanh" \
    "$(sed -n '/^op (/,$p' out | awk 'NR > 1 { print $1 }' | sort | paste -sd,)"

# JSON is JSON: the config reader's own strict parser finds nothing wrong but the keys.
does bench tiny.json --steps 20 --threads 1 --json --set precision=float64
want "JSON: keys" "$keys" "$(sed -n 's/^  "\([a-z_]*\)".*/\1/p' out | paste -sd' ')"
want "JSON: precision and threads" "float64 1" \
    "$(sed -n 's/.*"precision": "\([a-z0-9]*\)".*/\1/p; s/.*"threads": \([0-9]*\).*/\1/p' out | paste -sd' ')"
cp out bench.json
run check bench.json
want "JSON: a strict reader only misses its own keys" "" "$(grep -v 'unknown key' err || true)"

# What the ops multiply by is the config's to say.
for products in own openblas; do
    does bench tiny.json --steps 1 --threads 1 --set train.products=$products
    [[ $products == own ]] && kernel='own kernel' || kernel=OpenBLAS
    want_line "^products   .* the ops' best product \($kernel 64: "
done

# The standard case, with --set and by time; observed steps write nothing.
does bench --steps 1 --threads 1
want_line "^network    standard: 52 weight layers, 258890 parameters, batch 128, float32\$"
want_line "of 1 steps in 1 blocks\$"
does bench --seconds 0.05 --threads 1 --set network.depth=3 --set network.skip.kind=concat
want_line "^network    standard: 4 weight layers, 52834 parameters"
want "nothing is written" "bench.json err out tiny.json" "$(find . -type f -printf '%P\n' | sort | paste -sd' ')"

for steps in 0 -1 x 1.5 ""; do
    refuses 2 "skipnet bench: --steps wants a whole number from 1 to 1000000000${steps:+, got $steps} (see skipnet bench --help)" \
        bench --steps "$steps"
done
for seconds in 0 -1 x nan 1e9 ""; do
    refuses 2 "skipnet bench: --seconds wants a number above 0 and up to 86400${seconds:+, got $seconds} (see skipnet bench --help)" \
        bench --seconds "$seconds"
done
refuses 2 "skipnet bench: give --steps or --seconds, not both" bench --steps 1 --seconds 1
refuses 2 "skipnet bench: does not know what to do with b (see skipnet bench --help)" bench a b
refuses 4 "cannot open missing.json: No such file or directory" bench missing.json
refuses 2 '--set network.depht=3: unknown key "network.depht", did you mean "network.depth"?' bench --set network.depht=3
refuses 3 "diverged: the updated parameter output.weight is not finite (take a smaller train.lr)" \
    bench tiny.json --steps 1 --threads 1 --set train.lr=1e300
finish 60
