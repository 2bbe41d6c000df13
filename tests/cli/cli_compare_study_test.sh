#!/usr/bin/env bash
# skipnet compare over a grid with seeds: varied keys, means, differences, profiles, the data package, expectations;
# cut and broken files, and runs that should not be compared.  Means are recomputed here from the runs' own files.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
for depth in 4 10; do
    for skip in none add; do
        for seed in 1 2 3; do
            does train tiny.json -q --threads 1 --set network.depth=$depth --set network.skip.kind=$skip \
                --set seed=$seed --out "all/depth=$depth,skip=$skip,seed=$seed"
        done
    done
done
squeezed() { sed 's/^ *//; s/   */  /g' "$1"; }
keys=network.depth,network.skip.kind
stats=n_runs,n_diverged,mean,sd,median,min,max,ci95_low,ci95_high,n_unfinished,n_missing,n_failed,n_running

does compare all --out all
want "nothing on stderr" "" "$(cat err)"
want_like "table: keys are columns" "run  status  depth  skip.kind  seed  steps  *" "$(squeezed out | head -n 1)"
want_like "table: a run" "all/depth=4,skip=add,seed=2  done  4  add  2  10  *" "$(squeezed out | sed -n 3p)"
want "table: means" "mean over the seeds +- half the 95% interval (Student's t); n finished runs:" "$(sed -n 15p out)"
want_like "table: means: header" "depth  skip.kind  n  train loss  *" "$(squeezed out | sed -n 16p)"
want "table: means: points in order" "4 none 3,4 add 3,10 none 3,10 add 3" \
    "$(sed -n '17,$p' out | awk '{ print $1, $2, $3 }' | paste -sd,)"
want_like "table: means: a row" "4  none  3  0.* +- 0.*" "$(squeezed out | sed -n 17p)"

# The files: headers, rows, and figures recomputed.
want_like "runs.csv: header" "run,$keys,seed,status,steps,train_loss,*,decades_per_layer_start,frozen_share_start,frozen_share_end,reason,equal_to" \
    "$(head -n 1 all/runs.csv)"
want "runs.csv: rows" 13 "$(wc -l <all/runs.csv)"
want "profiles.csv: header" "run,$keys,seed,$gradients_header" "$(head -n 1 all/profiles.csv)"
# Counted from the end of the line: the run's path has commas.
figure_of() { # RUN COLUMN FORMAT
    awk -F, -v run="\"$1\"," -v name="$2" -v format="$3" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) back = NF - i }
        index($0, run) == 1 { printf format, $(NF - back) }' all/runs.csv
}
for run in "all/depth=4,skip=add,seed=1" "all/depth=10,skip=none,seed=3"; do
    grep -F "\"$run\"," all/profiles.csv | sed 's/^"[^"]*",[0-9]*,[a-z]*,[0-9]*,//' >profile
    grep -E '^(0|9),' "$run/gradients.csv" >wanted
    want_equal wanted profile
    first=$(awk -F, '$1 == 9 && $5 == "hidden" { printf "%.9f", log($20) / log(10); exit }' "$run/gradients.csv")
    want "$run: delta of the first layer" "$first" \
        "$(figure_of "$run" log10_delta_first_end "%.9f")"
    want "$run: stalled share" "$(row_of "$run/loss.csv" stalled_frac 9)" \
        "$(figure_of "$run" stalled_frac_end "%.9g")"
done
want "profiles.csv: rows" $((6 * 2 * (5 + 11) + 1)) "$(wc -l <all/profiles.csv)"

# Two-pass mean and standard deviation, Student's t for 2 degrees of freedom (4.302652729749).
recompute() { # VALUE...
    printf '%s\n' "$@" | awk '{ x[NR] = $1; sum += $1 } END {
        mean = sum / NR
        for (i = 1; i <= NR; i++) squares += (x[i] - mean) ^ 2
        sd = sqrt(squares / (NR - 1)); half = 4.302652729749464 * sd / sqrt(NR)
        printf "%.9g %.9g %.9g %.9g\n", mean, sd, mean - half, mean + half }'
}
figures() { # FILE PREFIX: mean sd low high of the row that begins so
    grep -F "$2," "$1" | awk -F, -v n="$(tr -cd , <<<"$2" | wc -c)" \
        '{ printf "%.9g %.9g %.9g %.9g\n", $(n + 4), $(n + 5), $(n + 9), $(n + 10) }'
}
ratio() { value_of "all/depth=$1,skip=$2,seed=$3/run.json" log10_delta_ratio; }
minus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.17g\n", a - b }'; }
want "summary.csv: header" "$keys,metric,$stats" "$(head -n 1 all/summary.csv)"
want "summary.csv: rows" $((4 * 18 + 1)) "$(wc -l <all/summary.csv)"
want "summary.csv: metrics" "train_loss train_accuracy test_loss test_accuracy log10_delta_ratio decades_per_layer \
frozen_layers_start frozen_layers_end stalled_frac_start stalled_frac_end log10_delta_first_start \
log10_delta_first_end log10_delta_ratio_start decades_per_layer_start frozen_share_start frozen_share_end steps \
wall_s" "$(sed -n '2,19p' all/summary.csv | cut -d, -f3 | paste -sd' ')"
want "summary.csv: a row" "$(recompute "$(ratio 10 none 1)" "$(ratio 10 none 2)" "$(ratio 10 none 3)")" \
    "$(figures all/summary.csv 10,none,log10_delta_ratio)"
want "differences.csv: header" "$keys,metric,$stats" "$(head -n 1 all/differences.csv)"
want "differences.csv: points" "4,add - none 10,add - none" "$(sed 1d all/differences.csv | cut -d, -f1,2 | uniq | paste -sd' ')"
want "differences.csv: a row" "$(recompute "$(minus "$(ratio 4 add 1)" "$(ratio 4 none 1)")" \
    "$(minus "$(ratio 4 add 2)" "$(ratio 4 none 2)")" "$(minus "$(ratio 4 add 3)" "$(ratio 4 none 3)")")" \
    "$(figures all/differences.csv "4,add - none,log10_delta_ratio")"
for file in runs profiles summary differences layers; do
    # The package's fields are the CSV's header.
    awk -v file="$file" '$1 == "\"name\":" && $2 ~ "\"" file "\"" { on = 1 }
        on && /\{"name": / { sub(/.*\{"name": "/, ""); sub(/".*/, ""); print }
        /"primaryKey"/ { on = 0 }' all/datapackage.json | paste -sd, >fields
    want "datapackage.json: $file.csv" "$(head -n 1 "all/$file.csv")" "$(cat fields)"
done
# layers.csv: the median layer of the three seeds, by hand; a row per hidden layer at two steps.
want "layers.csv: header" "$keys,step,layer,depth_frac,$stats" "$(head -n 1 all/layers.csv)"
want "layers.csv: rows" $((2 * 2 * (4 + 10) + 1)) "$(wc -l <all/layers.csv)"
median=$(for seed in 1 2 3; do
    awk -F, '$1 == 9 && $2 == 3 { printf "%.9f\n", log($20) / log(10) }' "all/depth=10,skip=none,seed=$seed/gradients.csv"
done | sort -g | sed -n 2p)
want "layers.csv: a median" "$median" "$(awk -F, '$1 == 10 && $2 == "none" && $3 == 9 && $4 == 3 { printf "%.9f", $10 }' all/layers.csv)"
want "layers.csv: the last layer" "1 1" "$(awk -F, '$1 == 4 && $4 == 4 { print $5 }' all/layers.csv | head -n 2 | paste -sd' ')"
want "a share" "$(awk -v n="$(row_of "all/depth=4,skip=add,seed=1/loss.csv" frozen_layers 9)" 'BEGIN { print n / 4 }')" \
    "$(figure_of "all/depth=4,skip=add,seed=1" frozen_share_end %s)"
want "datapackage.json: values in order" '"network.depth": ["4", "10"],"network.skip.kind": ["none", "add"],"seed": ["1", "2", "3"]' \
    "$(sed -n '/^  "values"/,/^  }/p' all/datapackage.json | grep -v 'values\|}' | sed 's/^ *//' | paste -sd '' | sed 's/,$//')"
want "datapackage.json: axes" '  "axes": ["network.depth"]' "$(grep '"axes"' all/datapackage.json)"
want "datapackage.json: types of keys" "integer string integer" "$(grep -E '"name": "(network\.|seed)' all/datapackage.json |
    sed -n '1,3s/.*"type": "\([a-z]*\)".*/\1/p' | paste -sd' ')"
want "the same again, and its own files are no runs" "$(cksum <all/summary.csv)" \
    "$("$skipnet" compare all --out all >/dev/null && cksum <all/summary.csv)"

# Expectations.
cat >holds.csv <<'END'
network.depth,network.skip.kind,metric,statistic,op,value
10,none,log10_delta_ratio,mean,<,-2
,add - none,log10_delta_ratio,mean,>,0.5
,,train_loss,n_runs,==,3
END
does compare all --expect holds.csv
want "expectations that hold" "holds.csv: 3 expectations hold, 7 figures compared" "$(tail -n 1 out)"
sed 's/<,-2/<,-20/; s/==,3/==,2/' holds.csv >fails.csv
run compare all --expect fails.csv --out new
want "failed expectations: exit status" 1 "$status"
want_like "failed expectations: the table is there" "run  status  *" "$(squeezed out | head -n 1)"
want "failed expectations: the files are there" 6 "$(find new -type f | wc -l)"
mean=$(grep -F 10,none,log10_delta_ratio, all/summary.csv | cut -d, -f6)
want_like "failed expectations: all are told" \
    "fails.csv:2: network.depth=10, network.skip.kind=none: mean of log10_delta_ratio is ${mean:0:12}*, expected < -20
fails.csv:4: network.depth=4, network.skip.kind=none: n_runs of train_loss is 3, expected == 2
fails.csv:4: network.depth=4, network.skip.kind=add: n_runs of train_loss is 3, expected == 2
fails.csv:4: network.depth=10, network.skip.kind=none: n_runs of train_loss is 3, expected == 2
fails.csv:4: network.depth=10, network.skip.kind=add: n_runs of train_loss is 3, expected == 2" "$(cat err)"

refuses_file() { # MESSAGE: of what stands in bad.csv
    run compare all --expect bad.csv
    want "$1: exit status" 2 "$status"
    want "$1: message" "$1" "$(cat err)"
}
printf 'network.dept,seed,metric,statistic,op,value\n4,1,train_loss,mean,<,1\n' >bad.csv
refuses_file 'bad.csv:1: no run has a key "network.dept", did you mean "network.depth"?
bad.csv:1: seed cannot be chosen: figures are over the seeds'
printf 'network.skip,depth,kind,pth,metric,statistic,op,value\nadd,4,add,1,train_loss,mean,<,1\n' >bad.csv
refuses_file 'bad.csv:1: no run has a key "network.skip", did you mean "network.skip.kind"?
bad.csv:1: no run has a key "depth", did you mean "network.depth"?
bad.csv:1: no run has a key "kind", did you mean "network.skip.kind"?
bad.csv:1: no run has a key "pth"'
printf 'network.depth,metric,statistic,op,value\n5,train_loss,mean,<,1\n' >bad.csv
printf '"4",train_loss,average,<,1\n4,log10_deltaratio,mean,=<,1e\n4,train_loss\n' >>bad.csv
refuses_file 'bad.csv:3: unknown statistic "average"
bad.csv:4: unknown metric "log10_deltaratio", did you mean "log10_delta_ratio"?
bad.csv:4: unknown op "=<" (one of: <, <=, >, >=, ==, !=)
bad.csv:4: the value "1e" is not a number
bad.csv:5: 2 cells, the header has 5'
printf 'network.depth,network.skip.kind,network.width,metric,statistic,op,value\n5,,,train_loss,mean,<,1\n' >bad.csv
printf ',none - add,8,train_loss,mean,<,1\n,,8,train_loss,mean,<,1\n' >>bad.csv
refuses_file 'bad.csv:2: matches no grid point: none has network.depth=5 (there are: 4, 10)
bad.csv:3: matches no difference: none has network.skip.kind=none - add (there are: add - none)'
printf 'network.depth,metric\n' >bad.csv
refuses_file 'bad.csv:1: the header should be keys of the configs, then metric,statistic,op,value'
printf 'metric,statistic,op,value\n' >bad.csv
refuses_file 'bad.csv:1: nothing but a header: there is nothing to expect'
refuses 4 "cannot open nowhere.csv: No such file or directory" compare all --expect nowhere.csv

# A diverged run, an unfinished one, a single one.
cp -R all mixed
sed -i 's/"status": "done"/"status": "diverged"/' "mixed/depth=4,skip=none,seed=2/run.json"
sed -i 's/"status": "done"/"status": "interrupted"/' "mixed/depth=10,skip=none,seed=2/run.json"
rm -r "mixed/depth=10,skip=add,seed="[23]
does compare mixed --out mixed
want "mixed: nothing on stderr" "" "$(cat err)"
want "mixed: words" "4 none 3 1 of 3 diverged,10 none 2 1 unfinished,10 add 1 one run" "$(sed -n '/^mean/,$p' out |
    sed -n 's/^ *\([0-9]*\) *\([a-z]*\) *\([0-9]\) .*  \([^ ].*[a-z]\)$/\1 \2 \3 \4/p' | paste -sd,)"
want_like "mixed: no mean where a run diverged" "4,none,train_loss,3,1,,,0.*,0.*,0.*,,,0,0,0,0" "$(sed -n 2p mixed/summary.csv)"
want_like "mixed: the unfinished run does not count" "10,none,train_loss,2,0,0.*,1,0,0,0" "$(grep 10,none,train_loss mixed/summary.csv)"
want_like "mixed: no mean of one" "10,add,train_loss,1,0,,,0.*,0.*,0.*,,,0,0,0,0" "$(grep 10,add,train_loss mixed/summary.csv)"
want_like "mixed: pairs" "4,add - none,train_loss,3,1,,,*,,,0,0,0,0" "$(sed -n 2p mixed/differences.csv)"
printf 'network.depth,network.skip.kind,metric,statistic,op,value\n4,none,train_loss,mean,<,9\n' >empty.csv
refuses_later() {
    run compare mixed --expect empty.csv
    want "an empty figure: exit status" 1 "$status"
    want "an empty figure: message" "$1" "$(cat err)"
}
refuses_later "empty.csv:2: network.depth=4, network.skip.kind=none: mean of train_loss is empty (1 of 3 runs diverged), expected < 9"

# Cut and broken files.
name() { echo "broken/depth=4,skip=none,seed=$1"; }
mkdir broken
cp -R "all/depth=4,skip="* broken
cut_file() { head -c "$2" "$1" >rest && mv rest "$1"; }
cut_file "$(name 1)/config.json" 40
cut_file "$(name 2)/run.json" 60
cut_file "$(name 3)/loss.csv" 30
grep -vE '^(9|10),' "$(name 3)/gradients.csv" >rest && mv rest "$(name 3)/gradients.csv"
add=broken/depth=4,skip=add,seed=
rm "${add}1/loss.csv"
echo nonsense >"${add}1/gradients.csv"
sed -i 's/,linear,/,linear,x,/' "${add}2/gradients.csv"
printf '0,nope' >>"${add}3/loss.csv" # a line that is not whole yet
sed -i '$d' "${add}3/gradients.csv"
does compare broken --out broken
want "broken: status" "done done done done unreadable done" "$(sed -n '2,7p' out | awk '{ print $2 }' | paste -sd' ')"
want "broken: warnings" "warning: $(name 1)/config.json:4:3: the string does not end, expected a closing quote (so its \
keys are not known, and it is in no summary)
warning: $(name 2)/run.json:4:11: the string does not end, expected a closing quote
warning: cannot open ${add}1/loss.csv: No such file or directory
warning: ${add}1/gradients.csv: its header is not that of a run
warning: ${add}2/gradients.csv: a row is not one of its header's columns
warning: $(name 3)/loss.csv: it has no header
warning: $(name 3)/gradients.csv: it has no rows of the last update" "$(cat err)"
want "broken: no keys without a config" "\"$(name 1)\",,,done" "$(grep -F "$(name 1)" broken/runs.csv | cut -d, -f1-6)"
want "broken: empty cells" ",,,,," "$(grep -F "${add}1\"" broken/runs.csv | grep -o ',,,,,$')"
want "broken: what is whole is kept" "10 5" "$(for run in "${add}3" "$(name 3)"; do
    grep -cF "\"$run\"," broken/profiles.csv; done | paste -sd' ')"

# Of loss.csv the rows that are used have to be rows of numbers too; what is no file is not waited for.
loss_of() { echo "garbled/depth=10,skip=none,seed=$1/loss.csv"; }
cp -R all garbled
sed -i '2s/^0,0,/0,1-2,/' "$(loss_of 1)"
sed -i '/^9,/s/$/,1/' "$(loss_of 2)"
sed -i '3s/^1,/1,1-2,/' "$(loss_of 3)" # a row that is not used
for i in 1 2 3; do
    file=garbled/depth=10,skip=add,seed=$i/gradients.csv
    case $i in
    1) rm "$file" && mkfifo "$file" ;;
    2) sed -i '/^9,/s/,[^,]*$/,1e/' "$file" ;;
    3) sed -i '/^9,/s/,[^,]*$/,-.5e-3/' "$file" ;;
    esac
done
run_within() { # SECONDS ARGUMENT...
    status=0
    timeout "$1" "$skipnet" "${@:2}" >out 2>err </dev/null || status=$?
}
run_within 60 compare garbled --out garbled
want "garbled: exit status" 0 "$status"
no_row="a row is not one of its header's columns"
want "garbled: warnings" "warning: garbled/depth=10,skip=add,seed=1/gradients.csv: not a regular file
warning: garbled/depth=10,skip=add,seed=2/gradients.csv: $no_row
warning: $(loss_of 1): $no_row
warning: $(loss_of 2): $no_row" "$(cat err)"
stalled() { awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "stalled_frac_end") back = NF - i }
    /depth=10,skip=none/ { print $(NF - back) == "" ? "-" : "some" }' garbled/runs.csv | paste -sd' '; }
want "garbled: nothing of it" "- - some" "$(stalled)"

# Runs that should not be compared, and runs that are the same.
cp -R all other
sed -i 's/"cpu": ".*"/"cpu": "Abacus"/; s/"program": ".*"/"program": "skipnet 9"/; s/"simd": ".*"/"simd": "beads"/
    s/"commit": ".*"/"commit": "0123456789"/' \
    "other/depth=4,skip=add,seed=1/run.json"
sed -i 's/"data_checksum": ".*"/"data_checksum": "0123456789abcdef"/' "other/depth=10,skip=none,seed=3/run.json"
cp -R "other/depth=4,skip=add,seed=3" other/twin
cpu=$(value_of all/depth=4,skip=none,seed=1/run.json cpu)
simd=$(value_of all/depth=4,skip=none,seed=1/run.json simd)
program=$(value_of all/depth=4,skip=none,seed=1/run.json program)
commit=$(value_of all/depth=4,skip=none,seed=1/run.json commit)
plain() { sed 's/^"//; s/"$//' <<<"$1"; }
does compare other
want "warnings of origins" "warning: runs differ in commit: 0123456789 (1 run), $(plain "$commit") (12 runs)
warning: runs differ in cpu: Abacus (1 run), $(plain "$cpu") (12 runs)
warning: runs differ in program: skipnet 9 (1 run), $(plain "$program") (12 runs)
warning: runs differ in simd: beads (1 run), $(plain "$simd") (12 runs)
warning: other/twin is the same run as other/depth=4,skip=add,seed=3 (equal config hash): it counts once
warning: other/depth=10,skip=none,seed=2 and other/depth=10,skip=none,seed=3 have the same keys and other data" \
    "$(sort <(grep differ err) && grep -v differ err)"

does train tiny.json -q --threads 1 --set precision=float64 --out precision/64
does train tiny.json -q --threads 1 --out precision/32
does compare precision
want "warning of precision" "warning: runs differ in precision: float32 (1 run), float64 (1 run)" "$(cat err)"
refuses 2 "all/depth=4,skip=add,seed=1 is a run itself: take another --out" compare all --out "all/depth=4,skip=add,seed=1"
finish 85
