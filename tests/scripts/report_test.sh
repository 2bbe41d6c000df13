#!/usr/bin/env bash
# scripts/report.sh on a comparison written by hand: one file, well-formed, with nothing from elsewhere, every id once,
# every text escaped; the result, what it says of keys, statuses and figures; many runs; and every error with its exit
# status.
# shellcheck source=tests/scripts/plot_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/plot_lib.sh"
# shellcheck source=tests/scripts/comparison_fixture.sh
. "$source/tests/scripts/comparison_fixture.sh"
plot=$source/scripts/report.sh

# An XML reader is stricter than any browser.
want_page() { # WHAT FILE
    want "$1: exit status" 0 "$status"
    want "$1: nothing on stderr" "" "$(cat err)"
    python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$2"
    want "$1: no script, nothing from elsewhere" "" \
        "$(grep -niE '<script|javascript:|https?:|src=|@import|<(link|iframe|object)|xlink|<\?xml |on(load|click)=' "$2" || true)"
    want "$1: ids are there, and each once" "some " \
        "$(grep -oE ' id=("[^"]*"|'"'[^']*'"')' "$2" | tr -d "\"'" | sort >ids && [[ -s ids ]] && echo some) $(uniq -d ids)"
    grep -oE '(href="#[^"]*|href=.#[^'"'"'"]*|url\(#[^)]*)' "$2" | sed 's/.*#//' | sort -u | while read -r id; do
        grep -qxF " id=$id" ids || { echo "$1: nothing is called $id" && exit 1; }
    done
}

says() { # PATTERN: a line of the page has it
    grep -qE -- "$1" "$page" || { echo "the page does not say: $1" && exit 1; }
}

says_not() { # PATTERN
    ! grep -qE -- "$1" "$page" || { echo "the page says: $1" && exit 1; }
}

make_run() { # DIR NAME SKIP STATUS
    mkdir -p "$1"
    cat >"$1/config.json" <<END_OF_CONFIG
{
  "comment": "Does <depth> \\"kill\\" gradients & why?",
  "name": "$2",
  "seed": 1,
  "network": {
    "depth": 10,
    "width": 32,
    "activation": {"kind": "tanh"},
    "skip": {"kind": "$3"$([[ $3 != add ]] || echo ', "branch_scale": 0.5')},
    "widths": [4, 5]
  },
  "report": {
    "train_eval": 100
  }
}
END_OF_CONFIG
    printf '{\n  "status": "%s",\n  "program": "skipnet 0.1.0",\n  "cpu": "A <b> & c",\n  "simd": "avx2"\n}\n' "$4" >"$1/run.json"
}

copy_files() { # FROM TO: what compare writes
    cp "$1"/{runs,summary,profiles,layers}.csv "$1/datapackage.json" "$2"
}

make_comparison c
for skip in add none; do
    for depth in 10 100; do
        for seed in 1 2; do make_run "c/depth=$depth,skip=$skip,seed=$seed" "a<b>&c" "$skip" "done"; done
    done
done
echo "skipnet train 'a & b.json'" >c/cells.txt
run c
page=c/report.html
want_page "page" "$page"
want "says where" c/report.html "$(cat out)"
want "pictures are drawn" 6 "$(grep -c '<svg viewBox' "$page")"
says '<h1>a&lt;b&gt;&amp;c</h1>'
says 'class="result">The training accuracy is highest with 0\.625 at add, depth = 10 \(95 % interval -0\.96 to 2\.21 by Student'
says '<details><summary>What is equal: [0-9]* keys</summary>'
want "the result, its picture and table come first" "accuracy|train loss|warning|Final loss|log10 delta" \
    "$(grep -oE '<title>Final (accuracy|loss)|<th scope="col">(train loss|log10 delta)|class="warning"' "$page" |
        sed 's/.*>//; s/Final accuracy/accuracy/; s/class="\(.*\)"/\1/' | awk '!seen[$0]++' | paste -sd'|')"
says '<p class="question">Does &lt;depth&gt; &quot;kill&quot; gradients &amp; why\?</p>'
says '8 runs: 7 done, 1 diverged\.'
says 'class="warning">Of 8 runs not all are done: 1 diverged\.'
says_not 'Runs differ in'
says '<code>network\.depth</code></th><td>10, 100</td>'
says '<code>network\.skip\.kind</code></th><td>none, add</td>'
says '<code>seed</code></th><td>1, 2</td>'
says '<code>network\.width</code></th><td>32</td>'
says '<code>network\.activation\.kind</code></th><td>tanh</td>'
says '<code>network\.widths\.1</code></th><td>5</td>'
says '<code>network\.skip\.branch_scale</code></th><td>0\.5 <small>\(where it applies\)</small></td>'
says_not '<code>(name|comment|report\.train_eval|network\.depth)</code></th><td>[^1]'
says 'From <a href="./summary\.csv">summary\.csv</a> by <code>scripts/plot\.sh c</code>'
says '<code>cpu</code></th><td>A &lt;b&gt; &amp; c</td>'
says 'cells\.txt</a> has a command for each of 1 runs'
says "skipnet train 'a &amp; b\\.json'"
says '^skipnet compare c --out c$|<pre>skipnet compare c --out c$'

# Figures: points in the order of the keys' values; mean and half the interval; a diverged one's median, marked.
says '<th scope="row">10</th><th scope="row">none</th><td>2</td><td>2\.25<small> ± 3\.2</small></td><td>2</td>'
says '<th scope="row">100</th><th scope="row">add</th><td>2 \(1 diverged\)</td><td>450\.5†</td><td>450\.8†</td>'
want "order of the points" "10 none|10 add|100 none|100 add" \
    "$(grep -oE '<tr><th scope="row">[0-9]*</th><th scope="row">(none|add)' "$page" | sed 's/<[^>]*>/ /g; s/^ *//; s/  */ /g' | head -n 4 | paste -sd'|')"
says '<td>-inf</td>'
says '<tr class="not-done"><th scope="row"><a href="\./depth=100,skip=add,seed=2/">depth=100,[^<]*</a></th><td>diverged</td>'

# The same files, the same bytes; pictures are not drawn again, unless a CSV file is newer or a key is to change.
cp "$page" before
drawn=$(stat -c %Y.%i c/plots/loss.svg)
touch -d '1 minute ago' c/*.csv
run c
want "again: the same bytes" "" "$(cmp before "$page")"
want "again: nothing drawn" "$drawn" "$(stat -c %Y.%i c/plots/loss.svg)"
touch -d '1 minute' c/summary.csv
run c
want "newer: drawn" yes "$([[ $drawn != "$(stat -c %Y.%i c/plots/loss.svg)" ]] && echo yes)"

# Other words, another place; differences; a machine that differs; a run that is gone.
printf '%s\n' "network.depth,network.skip.kind,$statistics" \
    "10,add - none,train_loss,2,0,-1,0,-1,-1,-1,-1.25,-0.75,0,0,0,0" >c/differences.csv
sed -i 's/avx2/generic/' "c/depth=10,skip=add,seed=1/run.json"
rm -r "c/depth=10,skip=add,seed=2"
run c --question 'Is "1 < 2" & so on?' --title 'Study <1>' --out other.html
page=other.html
want_page "other" "$page"
says '<h2 id="differences">'
says '<title>Study &lt;1&gt;</title>'
says '<p class="question">Is &quot;1 &lt; 2&quot; &amp; so on\?</p>'
says '<th scope="row">10</th><th scope="row">add - none</th><td>2</td><td>-1<small> ± 0\.25</small></td>'
says 'class="result">At depth = 10 the training loss of add is lower than that of none by 1 \(95 % interval -1\.25 to -0\.75 by'
says 'class="warning">Runs differ in simd, '
says '<code>simd</code></th><td>avx2 \(6 runs\)</td>'
says 'class="warning">1 of 8 run directories are not where'
says '<th scope="row">c/depth=10,skip=add,seed=2</th><td>done</td>'

# Nothing but the three CSV files, below a name that needs care.
mkdir 'b & "c" <d>'
copy_files c 'b & "c" <d>'
mv c gone
run 'b & "c" <d>'
page='b & "c" <d>/report.html'
want_page "bare" "$page"
says '<h1>b &amp; &quot;c&quot; &lt;d&gt;</h1>'
says 'by <code>scripts/plot\.sh '"'b &amp; &quot;c&quot; &lt;d&gt;'"'</code>'
says 'class="warning">8 of 8 run directories are not where'
says_not 'What is equal'
says_not 'differences'
mv gone c

# Runs of two studies with equal names: each is found by its path, and the row says it; one name alone is enough.
mkdir -p both/s1 both/s2
copy_files c both
sed -e '1,2s/c\/depth=10,skip=add,seed=1/both\/s1\/run/; 3s/c\/depth=10,skip=add,seed=2/both\/s2\/run/' c/runs.csv |
    sed '4s/c\//elsewhere\//; 5,$d' >both/runs.csv
make_run both/s1/run one add "done"
make_run both/s2/run two add "done"
make_run both/run wrong concat "done"
make_run "both/depth=100,skip=add,seed=1" three add "done"
sed -i 's/avx2/wrong/' both/run/run.json
sed -i 's/avx2/right/' both/s2/run/run.json
run both
page=both/report.html
want_page "equal names" "$page"
says '<h1>one</h1>'
says '<code>simd</code></th><td>avx2 \(2 runs\)</td>'
says '<code>simd</code></th><td>right \(1 runs\)</td>'
says_not 'wrong'
says '<th scope="row">both/s1/run</th>'
says '<th scope="row">both/s2/run</th>'
says '<th scope="row"><a href="\./depth=100,skip=add,seed=1/">depth=100,'
says_not 'run directories are not where'

# A point without a finished run is counted in the tables, and in no picture.
mkdir awaited
copy_files c awaited
add_awaited awaited
run awaited
page=awaited/report.html
want_page "awaited" "$page"
says '<th scope="row">1000</th><th scope="row">add</th><td>0 \(2 missing, 1 failed, 1 running\)</td><td>–</td>'
says '<code>network\.depth</code></th><td>10, 100, 1000</td>'
want "awaited: pictures" 6 "$(grep -c '<svg viewBox' "$page")"

# Many runs: counts and those that failed.
mkdir many
copy_files c many
awk 'NR == 1 { print; next } { for (i = 0; i < 20; i++) { row = $0; sub(/seed=/, "seed=" i, row); print row } }' c/runs.csv \
    >many/runs.csv
run many
page=many/report.html
want_page "many" "$page"
says '160 runs: 140 done, 20 diverged\.'
says 'Too many to list; of the 20 that are not done:'
want "rows of those" 20 "$(grep -c 'class="not-done"' "$page")"

# As installed.
install_scripts
plot=$work/prefix/bin/skipnet-report
rm -r c/plots
run c
page=c/report.html
want_page "installed" "$page"
says 'by <code>skipnet-plot c</code>'
plot=$source/scripts/report.sh

# Errors.
want_error 2 "report: no directory given (see --help)"
want_error 2 "report: unknown option --wrong (see --help)" c --wrong
want_error 2 "report: --title wants a value (see --help)" c --title
want_error 2 "report: one directory at a time, not also d" c d
want_error 2 "report: no directory nowhere" nowhere
for file in runs summary profiles layers; do
    cp -r many broken
    rm broken/$file.csv
    want_error 2 "report: cannot read broken/$file.csv: write it with skipnet compare broken --out broken" broken
    rm -r broken
done
cp -r many broken
sed -i '2s/^/x,/' broken/runs.csv
touch broken/plots/pictures.csv
want_error 2 "broken/runs.csv: line 2: 25 cells, but the header has 24" broken
sed -i '2,$d' broken/runs.csv
touch broken/plots/pictures.csv
want_error 2 "broken/runs.csv: no rows: no run was compared" broken
want_error 4 "report: cannot write many/plots: a directory" many --out many/plots
want_error 4 "report: cannot write into nowhere" many --out nowhere/x.html
run --help
want "help: exit status" 0 "$status"
want "help: first line" "usage: report.sh DIR [--question TEXT] [--title TEXT] [--out FILE] [--force]" "$(head -n 1 out)"
