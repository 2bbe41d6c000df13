#!/usr/bin/env bash
# loss.csv and gradients.csv of whole runs: headers, which steps have rows, which cells are empty, digits, and that
# datapackage.json describes what is there.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
updates="update_norm update_ratio unchanged_frac stalled_frac applied_ratio"

want_no_update() { # DIRECTORY STEP: the last row, where nothing is updated any more
    local name
    for name in lr update_norm stalled_frac frozen_layers; do
        want "$1: no $name in row $2" "-" "$(row_of "$1/loss.csv" "$name" "$2")"
    done
    for name in $updates; do
        want "$1: no $name of layers in row $2" "-" "$(row_of "$1/gradients.csv" "$name" "$2" | tr ' ' '\n' | sort -u)"
    done
    for name in grad_norm weight_norm delta_rms preact_rms bias_grad_norm; do
        want "$1: $name of layers in row $2" "" "$(column "$1/gradients.csv" "$name" "$2" | grep -v '^[0-9]' || true)"
    done
}

# Log schedule: 7 steps an epoch, so 100 steps have evaluations at 0, 7, 14, ... and at the end.
does train tiny.json --set train.steps=100 --set report.schedule.per_decade=3 --threads 1 -q --out log
want_csvs log
want "log: steps" "0 1 2 5 7 10 14 21 22 28 35 42 46 49 56 63 70 77 84 91 98 99 100" "$(row_of log/loss.csv step)"
want "log: steps with evaluations" "0 7 14 21 28 35 42 49 56 63 70 77 84 91 98 100" \
    "$(awk -F, 'NR > 1 && $5 != "" && $6 != "" && $7 != "" && $8 != "" { print $1 }' log/loss.csv | paste -sd' ')"
want "log: evaluated in part" "" "$(awk -F, 'NR > 1 { n = ($5 != "") + ($6 != "") + ($7 != "") + ($8 != "") }
    n % 4' log/loss.csv)"
want "log: epochs" "0 1 2 14 14.2857143" \
    "$(awk -F, '$1 == 0 || $1 == 7 || $1 == 14 || $1 == 98 || $1 == 100 { print $2 }' log/loss.csv | paste -sd' ')"
want "log: rows of the same steps in both files" "$(column log/loss.csv step)" \
    "$(column log/gradients.csv step | uniq)"
want "log: layers of a step" "hidden1 hidden2 hidden3 hidden4 output" "$(row_of log/gradients.csv label 5)"
want "log: their numbers" "1 2 3 4 5" "$(row_of log/gradients.csv layer 5)"
want "log: ops" "linear linear linear linear linear" "$(row_of log/gradients.csv op 5)"
want "log: roles" "hidden hidden hidden hidden output" "$(row_of log/gradients.csv role 5)"
want "log: depth" "0 0.333333333 0.666666667 1 -" "$(row_of log/gradients.csv depth_frac 5)"
want "log: parameters" "24 72 72 72 18" "$(row_of log/gradients.csv n_params 5)"
want "log: saturation where the input is an activation" "- 1 1 1 1" \
    "$(row_of log/gradients.csv in_saturated_frac 0 | sed 's/[0-9][^ ]*/1/g')"
want "log: rows have updates but for the last" "" "$(awk -F, 'NR > 1 && $1 < 100 && ($9 == "" || $11 == "" ||
    $12 == "" || $16 == "")' log/loss.csv)"
want "log: updates of layers" "" "$(column log/gradients.csv update_norm 99 | grep -v '^[0-9]' || true)"
want_no_update log 100
want "log: nothing was not finite" "0" "$(column log/loss.csv nonfinite | sort -u)"

# Linear schedules: every step, every third; N-1 and N too.
does train tiny.json --set report.schedule.kind=linear --threads 1 -q --out every
want_csvs every
want "linear 1: steps" "0 1 2 3 4 5 6 7 8 9 10" "$(row_of every/loss.csv step)"
want_no_update every 10
does train tiny.json --set report.schedule.kind=linear --set report.schedule.every=3 --set train.steps=17 \
    --threads 1 -q --out third
want "linear 3: steps" "0 1 2 3 6 7 9 12 14 15 16 17" "$(row_of third/loss.csv step)"
want "how long a run is and what it reports do not change its rows" "$(sed -n 2,5p every/loss.csv)" \
    "$(sed -n 2,5p third/loss.csv)"

# Epochs: whole ones, the last batch short.  2 epochs of 7 steps; the learning rate of a schedule is in its column.
does train tiny.json --set train.steps=null --set train.epochs=2 --set train.lr_schedule.kind=step \
    --set train.lr_schedule.every=5 --set report.schedule.kind=linear --threads 1 -q --out epochs
want "epochs: steps" "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14" "$(row_of epochs/loss.csv step)"
want "epochs: lr" "0.05 0.05 0.05 0.05 0.05 0.005 0.005 0.005 0.005 0.005 0.0005 0.0005 0.0005 0.0005 -" \
    "$(row_of epochs/loss.csv lr)"
want "epochs: the short batch has 4 samples" 1 \
    "$(column epochs/loss.csv batch_accuracy 6 | grep -cE '^(0|0.25|0.5|0.75|1)$')"

# The shortest runs: 0, 1 and 2 steps; batches larger than the data; no test samples; no training evaluation.
for n in 0 1 2; do
    does train tiny.json --set train.steps=$n --threads 1 -q --out "steps$n"
    want_csvs "steps$n"
    want "$n steps" "$(seq -s' ' 0 $n)" "$(row_of "steps$n/loss.csv" step)"
    want_no_update "steps$n" $n
done
want "0 steps: all of the layers" 5 "$(column steps0/gradients.csv step | wc -l)"
does train tiny.json --set train.batch_size=1000 --set data.test_samples=0 --set report.train_eval=0 --threads 1 -q \
    --out bare
want_csvs bare
want "large batch: an epoch is one step" "0 1 2 3 4 5 6 7 8 9 10" "$(row_of bare/loss.csv epoch)"
want "no evaluations at all" "" "$(awk -F, 'NR > 1 && $5 $6 $7 $8 != ""' bare/loss.csv)"

# Digits: as many as the precision needs to be read back, 9 and 17, never fixed-point.
digits() { # FILE: the most significant digits of a cell of grad_rms
    column "$1" grad_rms | sed 's/e.*//; s/^0\.0*//; s/\.//' | awk 'length > n { n = length } END { print n }'
}
does train tiny.json --set precision=float64 --threads 1 -q --out double
want_csvs double
want "float32: digits" 9 "$(digits log/gradients.csv)"
want "float64: digits" 17 "$(digits double/gradients.csv)"
want "float64: near float32" "" "$(paste -d, every/loss.csv double/loss.csv | awk -F, 'NR > 1 && $1 < 10 {
    d = $3 / $19 - 1; if (d > 1e-4 || d < -1e-4) print }')"
want "float64 in run.json" '"float64"' "$(value_of double/run.json precision)"
does train tiny.json --set network.depth=60 --set network.width=16 --set network.skip=none \
    --set network.init.kind=normal --set network.init.std=0.1 --set train.steps=0 --threads 1 -q --out small
want "tiny gradients are kept" 1 "$(column small/gradients.csv delta_rms 0 | head -n 1 | grep -cE '^[1-9].*e-[2-9][0-9]$')"

# Dead units are those of relus; a bias far below 0 kills all of them.
does train tiny.json --set network.activation=relu --set train.steps=0 --threads 1 -q --out relus
want "dead units where the input is a relu" "- 1 1 1 1" \
    "$(row_of relus/gradients.csv dead_unit_frac 0 | sed 's/[0-9][^ ]*/1/g')"
want "dead units nowhere else" "- - - - -" "$(row_of log/gradients.csv dead_unit_frac 0)"
does train tiny.json --set network.activation=relu --set network.bias_init.kind=constant \
    --set network.bias_init.value=-1000 --set train.steps=0 --threads 1 -q --out dead
want "all units are dead" "- 1 1 1 1" "$(row_of dead/gradients.csv dead_unit_frac 0)"
does train tiny.json --set 'train.optimizer={"kind":"adam","eps":0}' --set train.steps=1 --threads 1 -q --out adam
want "eps 0 holds nothing back" "0 0 0 0 0" "$(row_of adam/gradients.csv eps_frac 0)"
want "eps_frac after the last update" "- - - - -" "$(row_of adam/gradients.csv eps_frac 1)"
does train tiny.json --set 'train.optimizer={"kind":"rmsprop","eps":1e9}' --set train.steps=1 --threads 1 -q --out held
want "a large eps holds back all" "1 1 1 1 1" "$(row_of held/gradients.csv eps_frac 0)"
want "eps_frac of sgd" "- - - - -" "$(row_of log/gradients.csv eps_frac 0)"
want "grad_ratio is grad_norm over weight_norm; out_grad_ratio is 1 at the last hidden layer" "" "$(awk -F, '
    NR > 1 { q = $8 / $14 / $28; if (q < 0.999999 || q > 1.000001 || ($3 == "hidden4") != ($29 == 1)) print }
    ' log/gradients.csv)"

# datapackage.json names the columns of both files, in order, each with its description.
want "datapackage.json: columns" "$loss_header,$gradients_header" \
    "$(sed -n 's/^ *{"name": "\([a-z0-9_]*\)", "type".*/\1/p' log/datapackage.json | paste -sd,)"
if command -v python3 >/dev/null; then
    n_columns="$(tr , '\n' <<<"$loss_header" | wc -l) $(tr , '\n' <<<"$gradients_header" | wc -l)"
    want "JSON files are JSON; fields have a type and a description" "$n_columns" "$(python3 - <<'END'
import json
for name in ("config", "run"):
    json.load(open("log/%s.json" % name))
package = json.load(open("log/datapackage.json"))
fields = [resource["schema"]["fields"] for resource in package["resources"]]
assert [resource["path"] for resource in package["resources"]] == ["loss.csv", "gradients.csv"]
assert all(field[key] for some in fields for field in some for key in ("name", "type", "description"))
assert all("unit" in field for some in fields for field in some)
print(*map(len, fields))
END
)"
fi
finish 120
