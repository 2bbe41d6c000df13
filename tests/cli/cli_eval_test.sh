#!/usr/bin/env bash
# skipnet eval: to the last digit what the run's own last row says, the table by class recounted from the predictions,
# and every kind of directory that is no run.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
value() { sed -n "s/^$1 *//p" out; }

# Loss and accuracy are the last row's, in both precisions and for any number of threads; the training split as far as
# the run's own pass went.
for precision in float32 float64; do
    run=runs.$precision
    does train tiny.json -q --threads 1 --set precision=$precision --set data.samples=300 --set report.train_eval=250 \
        --out "$run"
    does eval "$run" --threads 2
    want "$run: nothing on stderr" "" "$(cat err)"
    want "$run: heading" "run       $run (done, step 10 of 10)
weights   $run/final.safetensors
split     test, 40 of 40 samples" "$(head -n 3 out)"
    want "$run: loss" "$(column "$run/loss.csv" test_loss 10)" "$(value loss)"
    want "$run: accuracy" "$(column "$run/loss.csv" test_accuracy 10)" "$(value accuracy)"
    cp out two
    does eval "$run" --threads 1
    want_equal two out
    does eval "$run" --split train --limit 250
    want "$run: train, split" "train, 250 of 300 samples" "$(value split)"
    want "$run: train, loss" "$(column "$run/loss.csv" train_loss 10)" "$(value loss)"
    want "$run: train, accuracy" "$(column "$run/loss.csv" train_accuracy 10)" "$(value accuracy)"
    does eval "$run" --split train
    want "$run: all of it" "train, 300 of 300 samples" "$(value split)"
done
run=runs.float32
want_like "nine digits" "0.?????????" "$(column $run/loss.csv test_loss 10)"

# The files of the run are as before, but for predictions nothing is made.
want "files" "checkpoint.safetensors config.json datapackage.json final.safetensors gradients.csv loss.csv run.json" \
    "$(find $run -type f -printf '%f\n' | sort | paste -sd' ')"

# The table by class, recounted from the rows of --predictions; three classes, one without test samples.
printf 'x,y,label\n' >points.csv
awk 'BEGIN { for (i = 0; i < 90; i++) printf "%.3f,%.3f,%d\n", sin(i * 1.7), cos(i * 0.9) + (i % 3), i % 3 }' >>points.csv
printf 'x,y,label\n' >test.csv
awk 'BEGIN { for (i = 0; i < 31; i++) printf "%.3f,%.3f,%d\n", sin(i * 0.7), cos(i * 1.9) + (i % 2), i % 2 }' >>test.csv
cat >points.json <<'END'
{
  "data": {"kind": "csv", "path": "points.csv", "test_path": "test.csv"},
  "network": {"depth": 3, "width": 8}, "train": {"lr": 0.1, "batch_size": 16, "epochs": 3}
}
END
does train points.json -q --threads 1 --out points
does eval points --predictions p.csv
want "classes: header" "class  samples  correct   accuracy  precision  most often taken for" "$(sed -n 7p out)"
want "predictions: header" "index,label,predicted,p0,p1,p2,row" "$(head -n 1 p.csv)"
want "predictions: rows" "$(seq 0 30 | paste -sd' ')" "$(row_of p.csv index)"
want "predictions: labels are those of the file" "$(sed 1d test.csv | cut -d, -f3 | paste -sd' ')" \
    "$(row_of p.csv label)"
want "predictions: probabilities, the predicted one is the largest" 31 "$(awk -F, 'NR > 1 {
    best = 4; for (i = 5; i <= 6; i++) if ($i > $best) best = i
    sum = $4 + $5 + $6
    if (best - 4 == $3 && sum > 1 - 1e-8 && sum < 1 + 1e-8) n++ } END { print n }' p.csv)"
want "classes: recounted" "$(awk -F, 'NR > 1 { n[$2]++; right[$2] += $2 == $3; taken[$3]++; as[$2, $3]++ }
    END { for (c = 0; c < 3; c++) {
        most = -1
        for (k = 0; k < 3; k++) if (k != c && as[c, k] > (most < 0 ? 0 : as[c, most])) most = k
        print c, n[c] + 0, right[c] + 0, n[c] ? sprintf("%.4f", right[c] / n[c]) : "-",
            taken[c] ? sprintf("%.4f", right[c] / taken[c]) : "-", most < 0 ? "-" : most " (" as[c, most] ")" } }' p.csv)" \
    "$(sed -n '8,$p' out | tr -s ' ' | sed 's/^ //')"
want "accuracy: recounted" "$(awk -F, 'NR > 1 { n++; right += $2 == $3 } END { printf "%.9g", right / n }' p.csv)" \
    "$(value accuracy)"
want "loss: recounted" 1 "$(awk -F, -v loss="$(value loss)" 'NR > 1 { n++; sum -= log($($2 + 4)) }
    END { d = sum / n - loss; print (d < 1e-7 && d > -1e-7) }' p.csv)"
want "predictions: rows of the test file, from 2" "$(seq -s' ' 2 32)" "$(row_of p.csv row)"
does eval points --limit 5 --predictions p5.csv
want "the first five" "$(head -n 6 p.csv | cut -d, -f1-3)" "$(cut -d, -f1-3 p5.csv)"
does eval points --json
if command -v python3 >/dev/null; then
    want "JSON" "test 31 $(column points/loss.csv test_loss | tail -n 1) 31 None" "$(python3 - <<'END'
import json
r = json.load(open("out"))
print(r["split"], r["samples"], r["loss"], sum(c["samples"] for c in r["classes"]), r["classes"][2]["accuracy"])
END
)"
fi

# Classes are called as the file calls them, in the table, the predictions and run.json; each row says where it stands.
awk 'BEGIN { n = split("setosa|virginica|\"no, \"\"none\"\"\"|10.0", name, "|"); print "x,y,kind"
    for (i = 0; i < 60; i++) printf "%.3f,%.3f,%s\n", sin(i * 1.7), cos(i * 0.9) + (i % n), name[i % n + 1] }' >named.csv
sed 's/points.csv.*test.csv/named.csv/' points.json >named.json
does train named.json -q --threads 1 --out named
want "names: in run.json, sorted as texts" '["10.0", "no, \"none\"", "setosa", "virginica"]' "$(value_of named/run.json classes)"
mv named moved
for split in train test; do
    does eval moved --split $split --predictions of.$split.csv
    want "names, $split: heading" "     class  samples  correct   accuracy  precision  most often taken for" \
        "$(sed -n 7p out)"
    want "names, $split: classes" '10.0|no, "none"|setosa|virginica' "$(sed '1,7d; s/^ *//; s/   *.*//' out | paste -sd'|')"
    want "names, $split: all are labels of their rows" "" "$(awk 'NR == FNR { sub(/^[^,]*,[^,]*,/, ""); label[FNR] = $0; next }
        FNR > 1 { row = $0; sub(/.*,/, "", row); if (index($0, FNR - 2 "," label[row] ",") != 1) print }' named.csv of.$split.csv)"
done
want "names: rows of both splits are all rows" "$(seq 2 61)" "$(sed '1d; s/.*,//' of.train.csv of.test.csv | grep -v row | sort -n)"
does eval moved --json
want_like "names: JSON" '*{"class": 2, "name": "setosa", "samples": *"confused_with_name": *' "$(cat out)"
want "names: as numbers where all are numbers" '["9", "10.0"]' "$(awk 'BEGIN { print "x,y"
    for (i = 0; i < 20; i++) print sin(i) "," (i % 2 ? "10.0" : "9") }' >sorted.csv
    "$skipnet" train named.json -q --out sorted --set data.path=sorted.csv && value_of sorted/run.json classes)"

# The names of the run count: its weights stand for them.
sed -i 's/setosa/tulip/' named.csv
does eval moved
want "renamed: told" "warning: $work/named.csv: its class \"tulip\" is called \"setosa\" in the run, and here" "$(cat err)"
want_like "renamed: the run's name" "* setosa  *" "$(cat out)"

# In the table a name is cut after 40 characters, none of which a terminal obeys.
long=$(printf '\303\251%.0s' {1..45})
awk -v long="$long" 'BEGIN { print "x,y,kind"
    for (i = 0; i < 60; i++) printf "%.3f,%.3f,%s\n", sin(i * 1.7), cos(i * 0.9), i % 2 ? long : "t\033b\302\233c" }' >named.csv
does train named.json -q --threads 1 --out strange
does eval strange
want "strange names" "t?b?c|${long:0:80}...|" "$(sed '1,7d; s/^ *//; s/   *.*//' out | tr '\n' '|')"

# Regression: targets beside outputs; the loss is the mean of the squared rmse.
does train tiny.json -q --threads 1 --out teacher --set 'data={"kind":"teacher","out_dim":2,"samples":100,"test_samples":50}' \
    --set train.loss=mean_squared_error --set precision=float64
does eval teacher --predictions t.csv
want "regression: loss" "$(column teacher/loss.csv test_loss 10)" "$(value loss)"
want "regression: no accuracy" "" "$(value accuracy)"
want "regression: header" "index,t0,t1,y0,y1" "$(head -n 1 t.csv)"
want "regression: rows" 51 "$(wc -l <t.csv)"
want "regression: rmse recounted" "1 1" "$(awk -F, -v a="$(awk '$1 == "0" { print $2 }' out)" \
    -v b="$(awk '$1 == "1" { print $2 }' out)" 'NR > 1 { n++; x += ($4 - $2) ^ 2; y += ($5 - $3) ^ 2 }
    function near(p, q) { return p - q < 1e-14 && q - p < 1e-14 } END { print near(sqrt(x / n), a), near(sqrt(y / n), b) }' \
    t.csv)"
want_like "regression: seventeen digits" "*.????????????????*" "$(column t.csv y0 0)"

# Other weights; those of another network.
does train tiny.json -q --threads 1 --out saved --set report.save_initial=true
does eval saved --weights saved/initial.safetensors
want "initial weights: loss" "$(column saved/loss.csv test_loss 0)" "$(value loss)"
want "initial weights: of no step" "run       saved (done)" "$(head -n 1 out)"
run eval points --weights saved/final.safetensors
want "weights that do not fit: exit status" 2 "$status"
want "weights that do not fit: message" "\
$work/saved/final.safetensors: tensor \"output.weight\" has shape [2, 8], the network needs [3, 8]
$work/saved/final.safetensors: tensor \"output.bias\" has shape [2], the network needs [3]
$work/saved/final.safetensors: tensor \"hidden4.weight\" is not in the network
$work/saved/final.safetensors: tensor \"hidden4.bias\" is not in the network" "$(cat err)"
refuses 4 "cannot open $work/missing.safetensors: No such file or directory" eval saved --weights missing.safetensors

# No place for the predictions.
run eval saved --predictions nowhere/p.csv
want "no place: exit status, nothing on stdout" "4 " "$status $(cat out)"
want_like "no place: message" "cannot create nowhere/p.csv.*.tmp: No such file or directory" "$(cat err)"
mkdir taken
run eval saved --predictions taken
want "predictions onto a directory" "4 " "$status $(cat out)"
want "no temporary files" "" "$(find . -name '*.tmp')"

# No run, a broken one.
mkdir bare broken
refuses 2 "skipnet eval: saved/loss.csv belongs to the run (take another name for --predictions)" \
    eval saved --predictions saved/loss.csv
refuses 2 "skipnet eval: --predictions writes a file, not a stream (name one)" eval saved --predictions -
run eval saved --predictions missing/p.csv
want "predictions that cannot be written" 4 "$status"
want_like "predictions that cannot be written" "cannot create missing/p.csv*: No such file or directory" "$(cat err)"
refuses 2 "bare: no run here (a run directory holds a run.json)" eval bare
refuses 4 "cannot read directory missing: No such file or directory" eval missing
refuses 4 "cannot read directory tiny.json: Not a directory" eval tiny.json
echo '{"format_version": 999' >broken/run.json
refuses 2 "broken: its run.json is broken or of another format version (train it anew)" eval broken
for word in '' '\\u001b[31m' idle; do
    sed "s/\"status\": \"done\"/\"status\": \"$word\"/" saved/run.json >broken/run.json
    want_other saved/run.json broken/run.json
    refuses 2 "broken: its run.json is broken or of another format version (train it anew)" eval broken
done

# What changed since the run: data, config, weights.
cp -r saved changed
for edit in 's/"width": 8/"width": 9/' 's/"shortcut_scale": 1/"shortcut_scale": 0.5/'; do
    sed "$edit" saved/config.json >changed/config.json
    want_other saved/config.json changed/config.json
    refuses 2 "changed: its config.json is not the one of the run any more (its hash is not config_hash of run.json; \
train from it anew)" eval changed
done
sed 's/"samples": 100/"samples": 99/' saved/config.json >changed/config.json
want_other saved/config.json changed/config.json
run eval changed
want "generated data changed: exit status" 2 "$status"
want_like "generated data changed: message" "changed: the data (generated) are not those of the run: *" "$(cat err)"
cp saved/config.json changed/config.json
cp saved/initial.safetensors changed/final.safetensors
refuses 2 "changed/final.safetensors: not the weights that the run ended with (their hash is not weights_hash of \
run.json; --weights FILE takes any file)" eval changed
rm changed/final.safetensors
refuses 4 "cannot open $work/changed/final.safetensors: No such file or directory" eval changed
sed -i '2s/^./9/' test.csv
run eval points
want "other data: exit status" 2 "$status"
want_like "other data: message" "points: the data (*points.csv) are not those of the run: their checksum is \
????????????????, run.json has $(value_of points/run.json data_checksum | tr -d '"') (SKIPNET_DATA and data.path in *" \
    "$(cat err)"
rm test.csv
run eval points
want "no data: exit status" 4 "$status"
want_like "no data: message" "*test.csv*" "$(cat err)"

# A run that began with a file of weights, which is gone.
cp saved/final.safetensors start.safetensors
does train tiny.json -q --threads 1 --out continued --set network.weights=start.safetensors
rm start.safetensors
does eval continued
want "continued: loss" "$(column continued/loss.csv test_loss 10)" "$(value loss)"

# No test samples.
does train tiny.json -q --threads 1 --out untested --set data.test_samples=0
refuses 2 "untested: its data have no test samples (--split train)" eval untested
does eval untested --split train
finish 110
