#!/usr/bin/env bash
# A run that diverges: exit status 3, the fault named with its step and tensor, rows up to and with that step, and a
# finished run afterwards.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
diverge=(train tiny.json --threads 1 --set network.activation=relu --set report.schedule.kind=linear
    --set train.steps=50)

# At once: weights of 1e29 after the first update; the second layer's product is the first that is not finite.
run "${diverge[@]}" --set train.lr=1e30 --out once
want "exit status" 3 "$status"
want "message" "diverged: the activation (output) of hidden2 is not finite in step 1" "$(cat err)"
want_like "summary" "tiny: diverged, 1 step in *not finite: the activation (output) of hidden2 is not finite in step 1*
results: once" "$(cat out)"
cp out first
want "status" '"diverged"' "$(value_of once/run.json status)"
want "fault" '"the activation (output) of hidden2 is not finite in step 1"' "$(value_of once/run.json fault)"
want "files" "config.json datapackage.json final.safetensors gradients.csv loss.csv run.json" \
    "$(find once -mindepth 1 -printf '%f\n' | sort | paste -sd' ')"
want_csvs once
want "rows of loss.csv" "0 1" "$(row_of once/loss.csv step)"
want "rows of gradients.csv" "0 0 0 0 0 1 1 1 1 1" "$(row_of once/gradients.csv step)"
want "the last row tells the loss" "nan" "$(column once/loss.csv batch_loss 1 | sed 's/^-*inf$/nan/')"
want_like "and counts" "[1-9]*" "$(column once/loss.csv nonfinite 1)"
want "before it all was finite" 0 "$(column once/loss.csv nonfinite 0)"
want "what the layers gave, in forward order" "1 2" \
    "$(row_of once/gradients.csv preact_rms 1 | awk '{ print ($1 ~ /^[0-9]/) + 0, ($2 ~ /inf|nan/) * 2 }')"
want "no update was made" "- - - - -" "$(row_of once/gradients.csv update_norm 1)"

# Again, however it is asked for: its summary, and the same exit status.
fault="diverged: the activation (output) of hidden2 is not finite in step 1"
run "${diverge[@]}" --set train.lr=1e30 --out once
want "again: exit status" 3 "$status"
want "again: stderr" "once holds this run, finished"$'\n'"$fault" "$(cat err)"
want_equal first out
for how in -q --resume "-q --resume" --json; do
    # shellcheck disable=SC2086 # words
    run "${diverge[@]}" --set train.lr=1e30 --out once $how
    want "again, $how: exit status" 3 "$status"
    want_like "again, $how: stderr" "*$fault" "$(cat err)"
done
refuses 2 "once holds a run of another config; they differ in: train.lr (take another --out, or --force to replace it)" \
    "${diverge[@]}" --set train.lr=0.1 --out once

# Slowly, and with a log schedule: the failing step has a row though it is not on the schedule.
slow=(train tiny.json --threads 1 --set network.activation=identity --set network.width=16 --set train.steps=2000
    --set network.init.gain=2 --set train.loss=softmax_cross_entropy --set train.optimizer.weight_decay=40
    --set train.lr=0.1 --set report.schedule.per_decade=1)
run "${slow[@]}" --out slow --json
want "slowly: exit status" 3 "$status"
want_like "slowly: message" "diverged: * is not finite in step *" "$(cat err)"
step=$(sed -n 's/.* step \([0-9]*\)$/\1/p' err)
((step > 2)) || { echo "it diverged in step $step already" && exit 1; }
want_like "slowly: --json" '{*"status": "diverged"*"fault": "*in step '"$step"'"*"steps": '"$step"',*}' "$(cat out)"
want_csvs slow
want "slowly: the last row" "$step" "$(column slow/loss.csv step | tail -n 1)"
want "slowly: the last rows of layers" "$step" "$(column slow/gradients.csv step | tail -n 1)"
want "slowly: steps count up" "" "$(column slow/loss.csv step | awk 'NR > 1 && $1 <= last { print } { last = $1 }')"
want_like "slowly: counted" "[1-9]*" "$(column slow/loss.csv nonfinite "$step")"
want "slowly: finite before" "0" "$(column slow/loss.csv nonfinite | sed '$d' | sort -u)"
does compare once slow
want "compare" "diverged diverged" "$(sed 1d out | awk '{ print $2 }' | paste -sd' ')"

# -q keeps the fault on stderr; other precisions and thread counts find the same.
run "${diverge[@]}" --set train.lr=1e30 --out quiet -q --threads 2
want "-q: exit status" 3 "$status"
want "-q" "diverged: the activation (output) of hidden2 is not finite in step 1" "$(cat out err)"
for file in loss.csv gradients.csv final.safetensors; do want_equal once/$file quiet/$file; done
does "${diverge[@]}" --set train.lr=1e30 --set precision=float64 --set train.steps=1 --out double -q
run "${diverge[@]}" --set train.lr=1e200 --set precision=float64 --out double200 -q
want "float64: exit status" 3 "$status"
want_like "float64" "diverged: the activation (output) of * is not finite in step 1" "$(cat err)"
sed -i '/"fault"/d' quiet/run.json
run "${diverge[@]}" --set train.lr=1e30 --out quiet -q --resume
want "without its fault" "3 diverged: its run.json does not say where" "$status $(cat err)"
finish 40
