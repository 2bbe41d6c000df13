#!/usr/bin/env bash
# skipnet cells: what it writes and prints; that a cell's run is, to the byte, the one that train makes by hand; options
# and directories that are refused.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
cells=$work/sweep/cells.txt

does cells tiny.json --grid network.depth=3,4 --grid network.skip.kind=none,concat --seeds 2 --set train.steps=6 \
    --out sweep
want "where it says" "8 cells: $cells" "$(cat out)"
want "nothing on stderr" "" "$(cat err)"
want "the lines" 8 "$(wc -l <"$cells")"
want "the first line" "$skipnet train $work/sweep/config.json --set network.depth=3 --set network.skip.kind=none \
--set seed=1 --resume --threads 1 --out $work/sweep/depth=3,skip.kind=none,seed=1" "$(head -n 1 "$cells")"
want "the order" "3none1 3none2 3concat1 3concat2 4none1 4none2 4concat1 4concat2" \
    "$(sed 's/.*depth=\([0-9]\),skip.kind=\([a-z]*\),seed=/\1\2/' "$cells" | paste -sd' ')"
want "nothing else is written, nothing is run" "cells.txt config.json" "$(find sweep -mindepth 1 -printf '%f\n' |
    sort | paste -sd' ')"

# The runs, from another directory, twice: the second finds them done.
(cd / && sh "$cells" >/dev/null)
want "the runs" 8 "$(find sweep -name final.safetensors | wc -l)"
(cd / && sh "$cells" 2>"$work/again" >/dev/null)
want "the second time they are done" 8 "$(grep -c "holds this run, finished" again)"
does train tiny.json -q --set network.depth=4 --set network.skip.kind=concat --set seed=2 --set train.steps=6 --out hand
for file in config.json loss.csv gradients.csv datapackage.json final.safetensors; do
    want_equal "hand/$file" "sweep/depth=4,skip.kind=concat,seed=2/$file"
done
want "the same run" "$(value_of hand/run.json config_hash)" \
    "$(value_of "sweep/depth=4,skip.kind=concat,seed=2/run.json" config_hash)"

# The same sweep with more seeds leaves the directory's runs alone; standard input; threads.
want "more seeds, from standard input" "12 cells: $cells" "$("$skipnet" cells - --grid network.depth=3,4 \
    --grid network.skip.kind=none,concat --seeds 3 --set train.steps=6 --out sweep --threads 2 <tiny.json)"
want "threads" 12 "$(grep -c -- "--resume --threads 2 --out" "$cells")"

# A cell that is finished there under another name takes that run; a sweep can be made longer, and keeps its names.
does cells tiny.json --grid network.depth=3,4 --out grown
sh grown/cells.txt >/dev/null
does cells tiny.json --grid network.depth=3,4 --seeds 2 --out grown
want "twins: told" "2 cells are finished already under another name in $work/grown: they are not trained again" "$(cat err)"
want "twins: the lines" "depth=3 depth=3,seed=2 depth=4 depth=4,seed=2" "$(sed 's|.*/||' grown/cells.txt | paste -sd' ')"
sh grown/cells.txt >/dev/null 2>&1
want "twins: none is trained again" 4 "$(find grown -name run.json | wc -l)"
does cells tiny.json --grid network.depth=3,4 --seeds 2 --set train.steps=14 --resume --out grown
want "longer: the lines" "depth=3 depth=3,seed=2 depth=4 depth=4,seed=2" "$(sed 's|.*/||' grown/cells.txt | paste -sd' ')"
sh grown/cells.txt >/dev/null 2>&1
want "longer: all are" 4 "$(grep -l '^    "steps": 14,' grown/*/run.json | wc -l)"
does train tiny.json -q --threads 1 --set network.depth=4 --set seed=2 --set train.steps=14 --out at-once
want_equal at-once/final.safetensors grown/depth=4,seed=2/final.safetensors
does cells tiny.json --grid name=a --out named
sh named/cells.txt >/dev/null
does cells tiny.json --grid name=a,b --out named
want "another name of the run is another cell" " name=a name=b" "$(cat err) $(sed 's|.*/||' named/cells.txt | paste -sd' ')"

# What the program is called: a word where the PATH has it, else the path.
mkdir bin
ln -s "$skipnet" bin/skipnet
(PATH=$work/bin:$PATH && skipnet cells tiny.json --seeds 1 --out word >/dev/null)
want_like "a word" "skipnet train *" "$(cat word/cells.txt)"
./bin/skipnet cells tiny.json --seeds 1 --out path >/dev/null
want_like "a path" "$work/bin/skipnet train *" "$(cat path/cells.txt)"

does cells tiny.json --grid network.skip=none,add --grid network.skip.branch_scale=1,2 --out left
want "left out" "1 left out: they resolve to the same config as another cell (a key without effect there, or one value \
written in two ways)" "$(cat err)"

does cells tiny.json --grid network.depth=3,4 --seeds 5 --out dry --dry-run
want_like "dry run" "cells  10: 2 points of 5 seeds
time   * on one core, * on the * here; the longest cell takes *
       (steps of 2 cells were timed on one thread, the others follow by their FLOPs)
disk   * kB" "$(cat out)"
want "dry run: nothing is written" "" "$(find . -name 'dry*')"
run cells tiny.json --grid network.order=post --grid network.skip=concat --out dry --dry-run
want_like "dry run: builds the networks" "2 --grid network.order=post: network.order: order post needs *" "$status $(cat err)"

# Expectations: all that can be known before the runs, in the words of compare; then nothing is written.
expect_refuses() { # MESSAGE LINE...: of a file of expectations
    printf '%s\n' "${@:2}" >broken.csv
    refuses 2 "broken.csv:$1" cells tiny.json --grid network.depth=3,4 --grid network.skip=none,add --seeds 2 \
        --out foreseen --expect broken.csv
}
header=network.depth,metric,statistic,op,value
expect_refuses "1: the header should be keys of the configs, then metric,statistic,op,value" depth,metric,op,value \
    1,2,3,4
expect_refuses "3: 4 cells, the header has 5" $header '"4",test_loss,mean,<,9' 4,test_loss,mean,9
expect_refuses " row 2: a blank line" $header "" 4,test_loss,mean,"<",9
expect_refuses "1: nothing but a header: there is nothing to expect" $header
expect_refuses '2: unknown metric "test_los", did you mean "test_loss"?' $header 4,test_los,mean,'<',9
expect_refuses '2: unknown statistic "meen", did you mean "mean"?' $header 4,test_loss,meen,'<',9
expect_refuses '2: unknown op "=" (one of: <, <=, >, >=, ==, !=)' $header 4,test_loss,mean,=,9
expect_refuses '2: the value "nine" is not a number' $header 4,test_loss,mean,'<',nine
expect_refuses '1: no run has a key "depth", did you mean "network.depth"?' depth,${header#*,} ,test_loss,mean,'<',9
expect_refuses '1: seed cannot be chosen: figures are over the seeds' seed,${header#*,} ,test_loss,mean,'<',9
expect_refuses '2: matches no grid point: none has network.depth=5 (there are: 3, 4)' $header 5,test_loss,mean,'<',9
expect_refuses '2: matches no difference: none has network.skip.kind=none - add (there are: add - none)' \
    network.skip.kind,${header#*,} 'none - add,test_loss,mean,<,9'
refuses 4 "cannot open missing.csv: No such file or directory" cells tiny.json --seeds 2 --out foreseen \
    --expect missing.csv
want "broken expectations: nothing is made" "" "$(find . -name 'foreseen*')"
# Those that fit, whatever the figures will be; of keys that do not vary too, and of runs of an earlier launch.
printf '\357\273\277network.depth , "network.skip.kind",train.steps,metric,statistic,op,value\r\n%s\r\n%s\r\n\r\n' \
    ',add - none,,test_loss,mean,<,-1' '3,,5,test_loss,mean,<,-1' >fitting.csv
does cells tiny.json --grid network.depth=3,4 --grid network.skip=none,add --set train.steps=5 --out foreseen \
    --expect fitting.csv
want "expectations that fit: the cells" 4 "$(wc -l <foreseen/cells.txt)"
refuses 2 "fitting.csv:2: matches no difference: there is none
fitting.csv:3: matches no grid point: none has network.depth=3 (there are: 5)" \
    cells tiny.json --grid network.depth=5 --set train.steps=5 --out foreseen --expect fitting.csv
sh -e foreseen/cells.txt >run.out 2>run.err
does cells tiny.json --grid network.depth=5 --set train.steps=5 --out foreseen --expect fitting.csv
want "expectations of earlier runs: the cells" 1 "$(wc -l <foreseen/cells.txt)"

# What a run of a wide net leaves on the disk, within a quarter: weights, checkpoint and initial weights are most of it.
near() { # ESTIMATE-IN-MB BYTES
    awk -v mb="$1" -v bytes="$2" 'BEGIN { r = mb * 1e6 / bytes; print (r > 0.75 && r < 1.25 ? "near" : mb " MB of " bytes) }'
}
for momentum in 0 0.9; do
    for initial in false true; do
        sets=(--set network.width=400 --set "train.optimizer.momentum=$momentum"
            --set "report.save_initial=$initial"
            --set train.steps=2 --out "wide-$momentum-$initial")
        does cells tiny.json "${sets[@]}" --seeds 1 --dry-run
        estimate=$(sed -n 's/^disk *\(.*\) MB$/\1/p' out)
        does train tiny.json -q --threads 1 "${sets[@]}"
        want "disk with momentum $momentum, initial weights $initial" near \
            "$(near "$estimate" "$(find "wide-$momentum-$initial" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')")"
    done
done

refuses 2 "skipnet cells: --out DIR is missing (see skipnet cells --help)" cells tiny.json --seeds 2
refuses 2 "skipnet cells: --points wants a file (see skipnet cells --help)" cells tiny.json --points "" --out x
for n in 0 -1 2x "" 1000001; do
    refuses 2 "skipnet cells: --seeds wants a whole number from 1 to 1000000${n:+, got $n} (see skipnet cells --help)" \
        cells tiny.json --seeds "$n" --out x
done
refuses 4 "cannot open missing.json: No such file or directory" cells missing.json --seeds 2 --out x
refuses 4 "cannot open missing.csv: No such file or directory" cells tiny.json --points missing.csv --out x
refuses 2 '--set network.dept=3: unknown key "network.dept", did you mean "network.depth"?' \
    cells tiny.json --seeds 2 --set network.dept=3 --out x
refuses 2 '--grid network.skip=ad: network.skip: unknown value "ad", did you mean "add"? (one of: none, add, concat, '\
'highway)' cells tiny.json --grid network.skip=none,ad --out x
refuses 2 "$work/hand holds a run: cells need a directory of their own" cells tiny.json --seeds 2 --out hand
refuses 2 "$work/sweep/config.json belongs to a sweep of another config; they differ in: train.steps (--resume makes \
its runs longer, or take another --out, or remove $work/sweep with all that was made from it)" \
    cells tiny.json --grid network.depth=3,4 --seeds 2 --set train.steps=7 --out sweep
refuses 2 "$work/sweep/config.json belongs to a sweep of longer runs (train.steps): runs can be made longer, not shorter \
(take another --out)" cells tiny.json --grid network.depth=3,4 --seeds 2 --set train.steps=5 --resume --out sweep
refuses 2 "$work/sweep/config.json belongs to a sweep of another config; they differ in: train.lr, train.steps (take \
another --out, or remove $work/sweep with all that was made from it)" \
    cells tiny.json --grid network.depth=3,4 --seeds 2 --set train.steps=7 --set train.lr=1 --resume --out sweep
want "refused: the list is as it was" 12 "$(wc -l <"$cells")"
want "refused: nothing is made" "" "$(find . -name x)"
echo '{' >sweep/config.json
run cells tiny.json --seeds 2 --out sweep
want_like "a broken config.json" "2 $work/sweep/config.json:2:1: *cannot be read as a config of these cells*" \
    "$status $(cat err)"

# The longest first: by the FLOPs of all steps and passes, seeds and cells of equal work in their order; never a fault.
longest() { # ARGUMENT...: the cells in their order
    rm -rf longest
    does cells tiny.json --longest-first "$@" --out longest
    sed 's|.*/longest/||' longest/cells.txt | paste -sd' '
}
want "by depth" "depth=9,seed=1 depth=9,seed=2 depth=4,seed=1 depth=4,seed=2 depth=3,seed=1 depth=3,seed=2" \
    "$(longest --grid network.depth=3,9,4 --seeds 2)"
want "by steps before depth" "depth=3,steps=900 depth=4,steps=90" "$(printf '%s\n' network.depth,train.steps 4,90 3,900 \
    >p.csv && longest --points p.csv)"
want "equal work" "lr=0.1 lr=0.3 lr=0.2" "$(longest --grid train.lr=0.1,0.3,0.2)"
want "by the passes" "train_eval=90 train_eval=50 train_eval=1" \
    "$(longest --grid report.train_eval=1,90,50 --set train.steps=1)"
want "data that are not here" "depth=3 depth=4" \
    "$(longest --grid network.depth=3,4 --set data.kind=csv --set data.path=nowhere.csv)"
want "data that are not here: not a word" "" "$(grep -v ' has no effect: ' err)"

mkdir gone
run_gone() { # in a working directory that is no more
    cd gone
    rmdir ../gone
    status=0
    "$skipnet" cells "$work/tiny.json" --seeds 2 --out x >"$work/out" 2>"$work/err" </dev/null || status=$?
    cd "$work"
}
run_gone
want "no working directory" "4 cannot make the directory x: No such file or directory" "$status $(cat err)"
finish 80
