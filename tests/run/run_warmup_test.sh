#!/usr/bin/env bash
# The recipe of He et al. 2015 (4.2): a small learning rate until the error falls below a bound, then milestones.  It
# goes on to the same bytes from checkpoints in the warm-up, at its end and after it; keys that do not go together say
# so.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

cat >he.json <<'END'
{
  "data": {"kind": "spirals", "samples": 600, "test_samples": 100},
  "network": {"depth": 6, "width": 16, "activation": "relu", "norm": "batch",
    "skip": {"kind": "add", "layers_per_block": 2}},
  "train": {
    "batch_size": 32, "steps": 400, "lr": 0.1, "optimizer": {"momentum": 0.9, "weight_decay": 1e-4},
    "lr_schedule": {"kind": "milestones", "at": [300, 360],
      "warmup_lr": 0.01, "warmup_until_error": 0.3}
  },
  "report": {"schedule": {"kind": "linear", "every": 1}}
}
END

does train he.json --out whole --threads 1
want_like "it tells the end" "whole: the warm-up of the learning rate ends before step *" "$(cat err)"
end=$(sed 's/.* step //' err)

# What the columns say: the error of every step, and from it where the warm-up has to end.
by_hand=$(awk -F, '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == "batch_accuracy") c = i; next }
    { error[NR - 2] = 1 - $c }
    NR > 100 {
        sum = 0
        for (s = NR - 101; s <= NR - 2; s++) sum += error[s]
        if (sum / 100 < 0.3) { print NR - 1; exit }
    }
    ' whole/loss.csv)
want "the mean error of 100 steps ends it" "$by_hand" "$end"
((end > 101 && end < 290)) || { echo "the warm-up ends at $end: where nothing is shown" && exit 1; }
want "learning rates" "0 0.01,$end 0.1,300 0.01,360 0.001," "$(awk -F, '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == "lr") c = i; next }
    $c != "" && $c != last { printf "%s %s,", $1, $c; last = $c }' whole/loss.csv)"

# Cut in the window, before it is full, just before, at and after the end, and behind a milestone.
for length in 1 50 99 100 $((end - 1)) "$end" $((end + 1)) $((end + 40)) 301; do
    does train he.json --set "train.steps=$length" --out "cut$length" -q --threads 2
    does train he.json --out "cut$length" --resume --threads 1
    want_like "$length: resumed" "cut$length: resumed at step $length of 400, made longer*" "$(cat err)"
    want_equal whole/loss.csv "cut$length/loss.csv"
    want_equal whole/gradients.csv "cut$length/gradients.csv"
    want_equal whole/final.safetensors "cut$length/final.safetensors"
done

# Over several lengths, and interrupted and killed where checkpoints fall.
for length in 30 80 $((end - 1)) $((end + 1)) 400; do
    does train he.json --set "train.steps=$length" --out grown --resume -q
done
want_equal whole/final.safetensors grown/final.safetensors
want_equal whole/loss.csv grown/loss.csv

# A run that never leaves it says so, however quiet it is to be.
does train he.json --set train.steps=99 --out short -q
want "short" "warning: short: all steps had train.lr_schedule.warmup_lr, 0.01: the warm-up has not ended (it takes 100 steps \
at least)" "$(cat err)"
does train he.json --set train.steps=0 --out none -q
want "no step, nothing to tell" "" "$(cat err)"
does train he.json --set train.steps=120 --set train.lr_schedule.warmup_until_error=0.001 --out never -q
want_like "never" "warning: never: all steps had train.lr_schedule.warmup_lr, 0.01: the warm-up has not ended (the mean \
error of the last 100 steps is 0.*, not below 0.001)" "$(cat err)"
does train he.json --set train.steps=0 --out none -q
want "no step had it" "" "$(cat err)"
does train he.json --set train.lr_schedule.kind=constant --out constant -q
want "constant: it left it" "" "$(grep warm-up err)"

# Learning rates that know the end cannot become longer, whatever the warm-up.
does train he.json --set train.lr_schedule.kind=linear --set train.steps=50 --out linear -q
run train he.json --set train.lr_schedule.kind=linear --out linear --resume
want "linear: status" 2 "$status"
want_like "linear" "*linear holds a run of 50 steps whose learning rates depend on that length (train.lr_schedule linear): \
it cannot be made longer (take another --out, or --force to replace it)" "$(cat err)"

# Keys that do not go together, each at its place.
place=he.json:8:
refuses 2 "${place}20: train.lr_schedule.warmup_lr: needs warmup_until_error beside it, the error at which that rate ends \
(or take warmup_steps)" check he.json --set train.lr_schedule.warmup_until_error=null
refuses 2 "${place}48: train.lr_schedule.warmup_until_error: needs warmup_lr beside it, the learning rate until then" \
    check he.json --set train.lr_schedule.warmup_lr=null
refuses 2 "--set train.lr_schedule.warmup_steps=5: train.lr_schedule.warmup_steps: a warm-up is by steps or by result, not \
both (leave out warmup_steps, or warmup_lr and warmup_until_error)" check he.json --set train.lr_schedule.warmup_steps=5
refuses 2 "${place}48: train.lr_schedule.warmup_until_error: needs class labels, whose errors it counts; these data have \
regression targets (take warmup_steps)" check he.json --set data=teacher --set train.loss=mean_squared_error
refuses 2 "--set train.lr_schedule.warmup_lr=0: train.lr_schedule.warmup_lr: 0 is too small (a number above 0 and \
at most 1e+300)" \
    check he.json --set train.lr_schedule.warmup_lr=0
refuses 2 "--set train.lr_schedule.warmup_until_error=1.5: train.lr_schedule.warmup_until_error: 1.5 is too large (a \
number above 0 and at most 1)" check he.json --set train.lr_schedule.warmup_until_error=1.5
refuses 2 "--set train.lr_schedule.at=[3,3,2]: train.lr_schedule.at[1]: milestones ascend, 3 stands before it (leave one of \
them out)
--set train.lr_schedule.at=[3,3,2]: train.lr_schedule.at[2]: milestones ascend, 3 stands before it (put them in order)" \
    check he.json --set "train.lr_schedule.at=[3,3,2]"
sed -i 's/\[300, 360\]/[300, 360, 359]/' he.json
refuses 2 "he.json:7:60: train.lr_schedule.at[2]: milestones ascend, 360 stands before it (put them in order)" \
    check he.json
finish 90
