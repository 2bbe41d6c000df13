#!/usr/bin/env bash
# skipnet compare of more runs than a terminal shows: counts instead of rows, files complete, figures known by hand.
# The time for ten thousand runs is not measured here; tests/cli/make_runs.sh tells how.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

n_widths=15
"$source_dir/tests/cli/make_runs.sh" "$skipnet" many $n_widths 5
want "runs made" $((n_widths * 10)) "$(find many -name run.json | wc -l)"
does compare many --out files
want "nothing on stderr" "" "$(cat err)"
want "counts by status" "150 runs: 150 done" "$(head -n 1 out)"
want "no row per run" 0 "$(grep -c width= out)"
want "a row per grid point" $((n_widths * 2)) "$(sed '1,/^ *width/d' out | wc -l)"
want "runs.csv: rows" $((n_widths * 10 + 1)) "$(wc -l <files/runs.csv)"
want "summary.csv: rows" $((n_widths * 2 * 18 + 1)) "$(wc -l <files/summary.csv)"
want "differences.csv: rows" $((n_widths * 18 + 1)) "$(wc -l <files/differences.csv)"
want "profiles.csv: rows" $((n_widths * 10 * 2 * 6 + 1)) "$(wc -l <files/profiles.csv)"
# Test losses are width + seed / 8: mean width + 3/8, sd sqrt(10 / 4) / 8.
want "summary.csv: a figure" "7,add,test_loss,5,0,7.375,0.19764235376052372,7.375,7.125,7.625" \
    "$(grep ^7,add,test_loss, files/summary.csv | cut -d, -f1-10)"
want "differences.csv: a figure" "15,add - none,test_loss,5,0,0,0,0,0,0,0,0,0,0,0,0" \
    "$(grep '^15,add - none,test_loss,' files/differences.csv)"

# Of many runs those that are not done have a row.
sed -i 's/"status": "done"/"status": "diverged"/' "many/width=3,skip=add,seed=2/run.json"
sed -i 's/"status": "done"/"status": "interrupted"/' "many/width=9,skip=none,seed=4/run.json"
echo '{' >"many/width=11,skip=none,seed=1/run.json"
does compare many --out files
want "counts of several kinds" "150 runs: 147 done, 1 diverged, 1 interrupted, 1 unreadable; those that are not done:" \
    "$(head -n 1 out)"
want "rows of those that are not done" "many/width=3,skip=add,seed=2 diverged many/width=9,skip=none,seed=4 interrupted \
many/width=11,skip=none,seed=1 unreadable" "$(sed -n '3,5p' out | awk '{ print $1, $2 }' | xargs)"
want "rows of those that are not done: no more" "" "$(sed -n 6p out)"

# Of many warnings the first are told.
for run in many/width=*,skip=none,seed=*; do rm "$run/loss.csv"; done
does compare many
want "many warnings: lines" 21 "$(wc -l <err)"
want "many warnings: the rest is counted" "(54 more warnings)" "$(tail -n 1 err)"
finish 16
