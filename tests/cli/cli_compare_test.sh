#!/usr/bin/env bash
# skipnet compare: runs and directories of runs, those without a result told apart, runs.csv equal to run.json.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
for depth in 4 10; do does train tiny.json -q --threads 1 --set network.depth=$depth --out "all/depth=$depth"; done
does train tiny.json -q --threads 1 --set network.skip=none --out "all/deeper/skip=none,\"quoted\""

header="run  status  steps  train loss  train acc  test loss  test acc  log10 ratio  decades/layer  hidden"
header+="  frozen at 0  frozen at end  seconds"
runs_header=run,network.depth,status,steps,train_loss,train_accuracy,test_loss,test_accuracy,log10_delta_ratio,decades_per_layer
runs_header+=,n_hidden,frozen_layers_start,frozen_layers_end,wall_s,stalled_frac_start,stalled_frac_end
runs_header+=,log10_delta_first_start,log10_delta_first_end,log10_delta_ratio_start,decades_per_layer_start
runs_header+=,frozen_share_start,frozen_share_end,reason,equal_to
squeezed() { sed 's/   */  /g' out; }

does compare all/depth=10
want "one run: nothing on stderr" "" "$(cat err)"
want "one run: header" "$header" "$(squeezed | head -n 1)"
want_like "one run: row" "all/depth=10  done  10  0.*" "$(squeezed | sed -n 2p)"
want "one run: no more" 2 "$(wc -l <out)"
want "one run: aligned" 1 "$(awk '{ print length }' out | sort -u | wc -l)"

does compare all
want "a directory: nothing on stderr" "" "$(cat err)"
want "a directory: runs by name, numbers by value" 'all/deeper/skip=none,"quoted" all/depth=4 all/depth=10' \
    "$(sed 1d out | awk '{ print $1 }' | paste -sd' ')"
want "a directory: no files without --out" "" "$(find . -name runs.csv)"
does compare all/depth=10 all/depth=4
want "several runs: as given" "all/depth=10 all/depth=4" "$(sed 1d out | awk '{ print $1 }' | paste -sd' ')"

# runs.csv: the numbers of run.json, to the last digit.
cp out table
does compare all/depth=10 all/depth=4 --out new/place
want_equal table out
want "runs.csv: header" "$runs_header" "$(head -n 1 new/place/runs.csv)"
want "runs.csv: rows" "all/depth=10 all/depth=4" "$(column new/place/runs.csv run | paste -sd' ')"
for run in all/depth=10 all/depth=4; do
    for pair in steps:steps train_loss:train_loss train_accuracy:train_accuracy test_loss:test_loss \
        test_accuracy:test_accuracy log10_delta_ratio:log10_delta_ratio decades_per_layer:decades_per_layer \
        n_hidden:n_hidden frozen_layers_start:frozen_start frozen_layers_end:frozen_end wall_s:wall_seconds; do
        number=$(value_of $run/run.json "${pair#*:}")
        [[ $number =~ ^-?[0-9] ]] || { echo "$run: ${pair#*:} is no number: $number" && exit 1; }
        want "$run: ${pair%:*}" "$number" \
            "$(awk -F, -v run="$run" 'NR == 1 || $1 == run' new/place/runs.csv | column - "${pair%:*}")"
    done
done
does compare all --out new/place
want "runs.csv: replaced, cells quoted where they must" '"all/deeper/skip=none,""quoted"""' \
    "$(sed -n 's/,4,none,done,.*//p' new/place/runs.csv | head -n 1)"

# A run that is found several times counts once, under the path it was found by first; operands may be links.
does compare all/deeper all/deeper/ "$PWD/all/deeper/skip=none,\"quoted\""
want "found again: rows" 1 "$(sed 1d out | wc -l)"
want "found again: said once" "warning: 2 finds of a run that was found before: each counts once" "$(cat err)"
cp -R all linked
ln -s . linked/loop
ln -s ../all/depth=4 linked/other
ln -s linked link
does compare linked
want "links below are not followed" 'linked/deeper/skip=none,"quoted" linked/depth=4 linked/depth=10' \
    "$(sed 1d out | awk '{ print $1 }' | paste -sd' ')"
want "links below: nothing on stderr" "" "$(cat err)"
does compare link link/depth=4
want "a link as operand" 'link/deeper/skip=none,"quoted" link/depth=4 link/depth=10' \
    "$(sed 1d out | awk '{ print $1 }' | paste -sd' ')"
want "a run beside its directory: said" "warning: 1 find of a run that was found before: each counts once" "$(cat err)"

# Unfinished, broken, not a run at all.
mkdir -p odd/{broken,empty,foreign,old}
echo '{"format_version": 1, "status": "do' >odd/broken/run.json
echo '{"format_version": 999, "status": "done"}' >odd/old/run.json
: >odd/empty/run.json
echo '{}' >odd/foreign/config.json
start_long odd/unfinished
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
does train tiny.json -q --threads 1 --out odd/whole
does compare odd --out odd
want "unfinished and broken: told apart" "odd/broken unreadable
odd/empty unreadable
odd/old unreadable
odd/unfinished interrupted
odd/whole done" "$(sed 1d out | awk '{ print $1, $2 }')"
want_like "unfinished: what it has" "odd/unfinished  interrupted  [1-9]*  0.*  0.*  0.*" "$(squeezed | sed -n 5p)"
want "broken: nothing measured" "- - - - - - - - - - -" \
    "$(sed -n '2,4p' out | awk '{ $1 = $2 = $3 = ""; print }' | sort -u | xargs)"
no_config() { echo "warning: cannot open odd/$1/config.json: No such file or directory (so its keys are not known, and it \
is in no summary)"; }
want "unfinished and broken: warnings" "warning: odd/broken/run.json:1:33: the string does not end on its line, expected a closing quote
$(no_config broken)
warning: odd/empty/run.json:1:1: the text is empty, expected a value
$(no_config empty)
warning: odd/old/run.json: not a run.json of format version 1
$(no_config old)" "$(cat err)"
want "runs.csv: empty cells" "odd/broken,,unreadable,,,,,,,,,,,,,,,,,,,,," "$(sed -n 2p odd/runs.csv)"
want "summary.csv: a point without a finished run is counted and has no figure" "0,0,,,,,,,,1,0,0,0" \
    "$(grep train_loss, odd/summary.csv | grep -oE '0,0,,.*')"

mkdir bare
refuses 2 "bare: no run here or below (a run directory holds a run.json)" compare bare
refuses 2 "bare: no run here or below (a run directory holds a run.json)" compare all bare
refuses 4 "cannot read directory missing: No such file or directory" compare missing
refuses 4 "cannot read directory tiny.json: Not a directory" compare all tiny.json
refuses 4 "cannot make the directory tiny.json/x: Not a directory" compare all --out tiny.json/x
mkdir taken
mkdir taken/runs.csv
run compare all --out taken
want "runs.csv is a directory" "4 " "$status $(cat out)"
want "no temporary files" "" "$(find . -name '*.tmp')"

# A run is one line of the table, whatever its directory is called.
mkdir lines
cp -r all/*/ lines/
mv "$(find lines -mindepth 1 -maxdepth 1 -type d | head -n 1)" $'lines/a\nb\tc'
does compare lines
want "a strange name: on its line" 1 "$(grep -c '^lines/a.x0ab.x09c  ' out)"
finish 63
