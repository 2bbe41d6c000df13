#!/usr/bin/env bash
# What data were taken for by a guess is told, one line each, by every verb that reads them, with --quiet, too; run.json
# keeps the lines, so that eval tells them of a run whose config.json has everything written out.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

config() { # NAME DATA: a small run on NAME.csv with further keys of data
    cat >"$1.json" <<END
{
  "data": {"kind": "csv", "path": "$1.csv"$2},
  "network": {"depth": 2, "width": 4}, "train": {"steps": 3, "batch_size": 8}
}
END
}

# Prices are read as classes, by a file without a header that loses its first row: two lines.
awk 'BEGIN { for (i = 0; i < 40; i++) printf "%.3f,%.3f,%.2f\n", sin(i * 1.7), cos(i * 0.9), 20 + i % 13 / 4 }' >prices.csv
sed -i '1s/.*/0.5,0.25,price/' prices.csv
config prices ""
header="warning: $work/prices.csv: row 1 is taken as a header though 2 of its 3 cells are numbers: set data.header to \
false if it is data (true says that it is none)"
numbers="warning: $work/prices.csv: column \"price\": 13 different numbers, not all of them whole, in 39 rows are taken as \
classes: set data.task to \"classes\" if they are, to \"regression\" if numbers are to be predicted"
told="$header
$numbers"
for verb in "train -q --out prices" "check" "gradcheck" "bench --steps 5"; do
    # shellcheck disable=SC2086 # a verb and its options
    run ${verb%% *} prices.json ${verb#"${verb%% *}"}
    want "$verb: status" 0 "$status"
    want "$verb: told" "$told" "$(cat err)"
done
does train prices.json -q --out prices
want "a finished run: told again" "$told" "$(cat err)"
does eval prices
want "eval: told" "$told" "$(cat err)"
mv prices moved
does eval moved --json
want "eval of a moved run: told" "$told" "$(cat err)"

# What the config says is no guess; a file that fails says what it was taken for before.
does train prices.json -q --set data.header=true --set data.task=classes --out said
want "said: nothing is told" "" "$(cat err)"
does eval said
want "said: nothing is told by eval" "" "$(cat err)"
does train prices.json -q --set train.loss=mean_squared_error --out squared
want "numbers as classes, with the loss of a regression: told" "$told
warning: $work/prices.csv: its numbers are taken as 13 classes, and mean_squared_error holds the outputs to 0 and 1: set \
data.task to \"classes\" if that is meant, to \"regression\" if the numbers are to be predicted" "$(cat err)"
does train prices.json -q --set train.loss=mean_squared_error --set data.task=classes --set data.header=true --out squared \
    --force
want "said to be classes, with that loss: nothing is told" "" "$(cat err)"
run train prices.json --set train.loss=hinge --set data.task=regression --out wrong
want "wrong loss: status" 2 "$status"
want_like "wrong loss: told, and the error" "$header
*hinge needs class labels*" "$(cat err)"

# A run of a version before this one has no list: what can be seen in the data is told.
awk 'BEGIN { print "id,x,y"; for (i = 1; i <= 40; i++) printf "%d,%.3f,%s\n", i, sin(i), i % 2 ? "up" : "down" }' >ids.csv
config ids ""
does train ids.json -q --out ids
ids=$(cat err)
want_like "ids" "warning: $work/ids.csv: column \"id\" counts the rows (1, 2, 3, ...)*" "$ids"
want "ids: in run.json" "[\"$(sed 's/^warning: //; s/["\\]/\\&/g' <<<"$ids")\"]" "$(value_of ids/run.json notes)"
sed -i '/^  "notes"/d; /^  "classes"/d' ids/run.json
does eval ids --predictions p.csv
want "old run: told by the data" "$ids" "$(cat err)"
want "old run: names of the file" "down up" "$(sed 1d p.csv | cut -d, -f2 | sort -u | paste -sd' ')"

# Targets far from 0 and 1: at the start, and where the run diverges.
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 40; i++) printf "%.3f,%.3f,%d\n", sin(i), cos(i * i), 58000 + 4000 * sin(i) }' >far.csv
config far ', "task": "regression"'
far="regression targets far from mean 0, sd 1"
run train far.json -q --set train.loss=mean_squared_error --set train.lr=10 --set train.steps=50 \
    --set network.activation=relu --out far
want "far: diverged" 3 "$status"
want_like "far: told twice" "warning: $work/far.csv: $far (mean 5[78]*, sd 2[5-9]*) are not scaled: *
diverged: * is not finite in step * ($far: mean 5[78]*, sd 2[5-9]*)" "$(cat err)"
want_like "far: in run.json" "\"* is not finite in step * ($far: *)\"" "$(value_of far/run.json fault)"

# Labels that are missing are an error that names rows.
sed '4s/[^,]*$/NA/; 9s/[^,]*$//' ids.csv >holes.csv
config holes ""
refuses 2 "$work/holes.csv: column \"y\": the label is missing in 2 of 40 rows (row 4: \"NA\", row 9: \"\"); give these \
rows a label or take them out of the file (a class that is called so needs another name)" train holes.json --out holes
finish 30
