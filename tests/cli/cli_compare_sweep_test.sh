#!/usr/bin/env bash
# skipnet compare of a sweep: equal runs count once, what is missing, failed or at work is told in table and files, a run
# whose process is gone is interrupted, rows can be sorted, and a table fits its terminal.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
squeezed() { sed 's/^ *//; s/   */  /g' out; }

# Depths 3 and 4 with the config's own seed, then with three seeds under other names: the first is there twice.
does cells tiny.json --grid network.depth=3,4 --out twins
sh twins/cells.txt >/dev/null
for seed in 1 2 3; do
    does train tiny.json -q --threads 1 --set network.depth=3 --set seed=$seed --out "twins/again,seed=$seed"
done
does compare twins --out twins
want "equal runs: told in one line" \
    "warning: twins/depth=3 is the same run as twins/again,seed=1 (equal config hash): it counts once" "$(cat err)"
want "equal runs: the mean" "3" "$(grep ^3,train_loss, twins/summary.csv | cut -d, -f3)"
want "equal runs: the row says it" '"twins/again,seed=1"' "$(grep ^twins/depth=3, twins/runs.csv | sed 's/.*,,//')"
want "equal runs: the others do not" 4 "$(sed 1d twins/runs.csv | grep -c ',,$')"
sed -i 's/"status": "done"/"status": "interrupted"/' "twins/again,seed=1/run.json"
does compare twins --out twins
want_like "equal runs: the finished one counts" "warning: twins/again,seed=1 is the same run as twins/depth=3 *" "$(cat err)"
for seed in 2 3; do does train tiny.json -q --threads 1 --set network.depth=4 --set seed=$seed --out "twins/x$seed"; done
for depth in 3 4; do does train tiny.json -q --threads 1 --set network.depth=$depth --out "twins/y$depth"; done
does compare twins
want_like "equal runs: one line for many" "warning: 3 runs are the same as others (equal config hash), * and so on: each \
counts once" "$(cat err)"

# Cells that are not there yet: one is done, one failed, one is at work, five are missing.
does cells tiny.json --grid network.depth=3,4 --grid network.skip=none,add --seeds 2 --out sweep
sed -n 1p sweep/cells.txt | sh >/dev/null
mkdir -p sweep/sweep-log/failed
printf 'exit status 2\nwarning: a trifle\nno such\tthing, at all\n' >"sweep/sweep-log/failed/depth=4,skip=none,seed=1"
"$skipnet" train tiny.json -q --threads 1 --set network.depth=4 --set network.skip=none --set seed=2 \
    --set train.steps=1000000000 --out "sweep/depth=4,skip=none,seed=2" &
pid=$!
started+=("$pid")
await "rows of the run at work" has_rows "sweep/depth=4,skip=none,seed=2/loss.csv" 12
does compare sweep --out sweep
status_of() { # NAME
    grep -F "\"sweep/$1\"," sweep/runs.csv | grep -oE ',(done|running|interrupted|failed|missing),' | tr -d ,
}
want "missing: a row each" 8 "$(sed 1d sweep/runs.csv | wc -l)"
want "missing: states" "done missing failed running" "$(for cell in depth=3,skip=none,seed=1 depth=3,skip=add,seed=1 \
    depth=4,skip=none,seed=1 depth=4,skip=none,seed=2; do status_of "$cell"; done | paste -sd' ')"
want "missing: the count" "8 runs: 1 done, 1 running, 5 missing, 1 failed" "$(grep '^8 runs' out)"
want "missing: points" "3 none 10 1  1 1 0 0
3 add 10 0  2 2 0 0
4 none 10 0  1 0 1 0
4 none 1000000000 0  1 0 0 1
4 add 10 0  2 2 0 0" "$(awk -F, '$4 == "train_loss" { print $1, $2, $3, $5, $7, $14, $15, $16, $17 }' sweep/summary.csv)"
want "missing: points in the table" "3 none 1 one run, 1 missing
3 add 0 2 missing
4 none 0 1 failed
4 none 0 1 running
4 add 0 2 missing" "$(sed '1,/^mean over/d; s/^ *//; s/   */|/g' out | awk -F'|' 'NR > 1 { print $1, $2, $4, $NF }')"
want "missing: keys" 5 "$(grep -cE '",[34],(none|add),10,[12],missing,,' sweep/runs.csv)"
want "missing: why one failed" "failed: sweep/depth=4,skip=none,seed=1: exit status 2: no such thing, at all" \
    "$(grep ^failed: out)"
want_like "missing: the reason in the file" '*,failed,*,"exit status 2: no such thing, at all",' \
    "$(grep ,failed, sweep/runs.csv)"
want_like "at work: what it has" "*,running,[0-9]*,0.*,0.*,0.*" "$(grep ,running, sweep/runs.csv)"
want "missing: in the data package" 2 "$(grep -cE '"name": "(reason|equal_to)"' sweep/datapackage.json)"
printf 'network.depth,metric,statistic,op,value\n3,train_loss,n_unfinished,==,0\n' >whole.csv
run compare sweep --expect whole.csv
want_like "missing: expected not to be" "1 whole.csv:2: network.depth=3*: n_unfinished of train_loss is 1, expected == 0*" \
    "$status $(cat err)"
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
does compare sweep --out sweep
want "killed: interrupted" interrupted "$(status_of depth=4,skip=none,seed=2)"
sed -i 's/"status": "[a-z]*"/"status": "running"/' "sweep/depth=4,skip=none,seed=2/run.json"
for lock in link pipe directory stale; do
    path="sweep/depth=4,skip=none,seed=2/run.lock"
    rm -rf "$path"
    case $lock in
    link) ln -s "$work/tiny.json" "$path" ;;
    pipe) mkfifo "$path" ;;
    directory) mkdir "$path" ;;
    stale) echo "pid $$ on $(hostname)" >"$path" ;;
    esac
    does compare sweep --out sweep
    want "a lock that is a $lock: interrupted" interrupted "$(status_of depth=4,skip=none,seed=2)"
done
cp -R sweep moved
does compare moved
want "moved: the count" "8 runs: 1 done, 1 interrupted, 5 missing, 1 failed" "$(grep '^8 runs' out)"

# A failure is forgotten once the cell has run; a directory of nothing but missing cells is one.
does train tiny.json -q --threads 1 --set network.depth=4 --set network.skip=none --out "sweep/depth=4,skip=none,seed=1"
does compare sweep --out sweep
want "run after all" "done" "$(status_of depth=4,skip=none,seed=1)"
does cells tiny.json --seeds 2 --out none
does compare none
want "nothing there" "2 runs: 2 missing" "$(grep '^2 runs' out)"

# Digits: those of the interval.  Frozen layers 30, 40 and 42 have a mean of 37.33 and a half of 16.
cp -R twins digits
rm -r digits/depth=* digits/y* digits/x* digits/cells.txt
sed -i 's/"status": "interrupted"/"status": "done"/; s/"frozen_end": .*,/"frozen_end": 3,/; s/"n_hidden": .*/&/' \
    digits/again,seed=*/run.json
for pair in 1:30000000000.5 2:40 3:42; do
    sed -i "s/\"test_loss\": .*,/\"test_loss\": ${pair#*:},/; s/\"train_loss\": .*,/\"train_loss\": 37.${pair%:*}333333,/" \
        "digits/again,seed=${pair%:*}/run.json"
done
does compare digits
want_like "digits to match" "*  37.23 +- 0.25  *" "$(tail -n 1 out | sed 's/   */  /g')"
want_like "digits to match, large" "*  1.0e+10 +- 4.3e+10  *" "$(tail -n 1 out | sed 's/   */  /g')"

# Sorted.
first_cells() { sed -n '/^run /,/^$/p' out | sed '1d; /^$/d; /^[0-9]* runs/,$d' | awk '{ print $1 }' | paste -sd' '; }
does compare digits --sort test_loss
want "sorted" "digits/again,seed=2 digits/again,seed=3 digits/again,seed=1" "$(first_cells)"
does compare digits --sort "-test loss"
want "sorted, descending, by title" "digits/again,seed=1 digits/again,seed=3 digits/again,seed=2" "$(first_cells)"
does compare sweep --sort=-seed
want_like "sorted by a key" "sweep/depth=*,seed=2 * sweep/depth=*,seed=1" "$(first_cells)"
does compare sweep --sort train_loss
want "what has no value stands last" 3 "$(first_cells | tr ' ' '\n' | sed '4,$d' | while read -r run; do
    test -f "$run/run.json" && echo; done | wc -l)"
run compare sweep --sort tst_loss
want_like "a key that is none" '2 --sort: no column "tst_loss", did you mean "test_loss"? (one of: run, status, *)' \
    "$status $(cat err)"
run compare sweep --sort dpeth
want_like "the title of a key, misspelt" '2 --sort: no column "dpeth", did you mean "depth"? (one of: *)' "$status $(cat err)"

# On a terminal of 60 characters no line but the one that tells of it is longer; a pipe has all.
if command -v script >/dev/null; then
    for width in 60 90; do
        COLUMNS=$width script -qc "'$skipnet' compare sweep --sort wall_s" /dev/null </dev/null | tr -d '\r' >narrow
        want "a terminal of $width: no longer line" 0 \
            "$(grep -vE '^(\(too wide|failed:|mean over)' narrow | awk -v w=$width 'length > w' | wc -l)"
        want_like "a terminal of $width: told" "(too wide for the terminal, left out: *; a pipe and the files of --out have \
all)" "$(grep -m 1 '^(too wide' narrow)"
        want_like "a terminal of $width: the sorted column stays" "* seconds" "$(head -n 1 narrow)"
    done
fi
does compare sweep
want_like "a pipe: all" "run  status  depth  skip.kind  *seed  steps  *  frozen at end  seconds" "$(squeezed | head -n 1)"
finish 40
