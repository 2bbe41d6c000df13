#!/usr/bin/env bash
# skipnet train on the command line: what goes to stdout and what to stderr, files that cannot be read or written,
# standard input, --json and -q, a full disk, a reader that goes away, a terminal.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
mkdir here && cd here
cp ../tiny.json .

# Results on stdout, no talk on stderr, and no control characters off a terminal.
does train tiny.json
want "nothing on stderr" "" "$(cat err)"
want_like "summary" "tiny: done, 10 steps in *log10_delta_ratio*
results: runs/tiny" "$(cat out)"
want "no control characters" "" "$(tr -d '\n\40-\176' <out)"
want "files" "checkpoint.safetensors config.json datapackage.json final.safetensors gradients.csv loss.csv run.json" \
    "$(find runs/tiny -mindepth 1 -printf '%f\n' | sort | paste -sd' ')"
want_csvs runs/tiny
LC_ALL=C.UTF-8 "$skipnet" train tiny.json --out unicode >out 2>err
want "no control characters in UTF-8" 0 "$(LC_ALL=C.UTF-8 grep -c '[[:cntrl:]]' out || true)"
want_like "blocks in UTF-8" "*█*" "$(cat out)"

# A terminal: a progress line on stderr and colours on stdout; NO_COLOR, -q and a pipe do without.
if has_terminal; then
    escape=$'\033'
    long="'$skipnet' train tiny.json --threads 1 --set train.steps=10000 --set network.depth=20"
    terminal "$long --out t1 >t1.out"
    want "the progress line is drawn, and wiped at the end" 1 \
        "$(tail -c 4 shown | grep -c "^.$escape\[K" || true)"
    want_like "progress line" "*$escape\[Kstep */10000  *[0-9]/s  ETA *loss *acc *ratio *" "$(cat shown)"
    want "stdout has none of it" "" "$(tr -d '\n\40-\176' <t1.out)"
    terminal "'$skipnet' train tiny.json --out t2 2>t2.err"
    want "stderr off the terminal: nothing" "" "$(cat t2.err)"
    want_like "colours on a terminal" "*$escape\[[0-9]*m*" "$(cat shown)"
    terminal "NO_COLOR=1 '$skipnet' train tiny.json --out t2 --force 2>t2.err"
    want "NO_COLOR" 0 "$(grep -c "$escape" shown || true)"
    terminal "NO_COLOR= '$skipnet' train tiny.json --out t3 2>t3.err"
    want_like "an empty NO_COLOR is none" "*$escape\[[0-9]*m*" "$(cat shown)"
    on_tty "$long --out t4 -q" >shown
    want "-q on a terminal" "" "$(cat shown)"
    want_equal t1/final.safetensors t4/final.safetensors
else
    echo "no pseudo-terminal to be had here: what a terminal shows is not compared"
fi

# --json: one object and nothing else; -q: nothing.
does train tiny.json --out json --json
want "--json: nothing on stderr" "" "$(cat err)"
want_like "--json" '{*"name": "tiny"*"status": "done"*"steps": 10,*}' "$(cat out)"
if command -v python3 >/dev/null; then
    want "--json: one object, the one of run.json" "True dict" "$(python3 -c '
import json
printed = json.load(open("out"))
print(printed == json.load(open("json/run.json"))["summary"], type(printed).__name__)')"
fi
cp out first
does train tiny.json --out json --json
want_equal first out
want "--json: talk on stderr" "json holds this run, finished" "$(cat err)"
does train tiny.json --out quiet -q
want "-q" "" "$(cat out err)"
does train tiny.json --out quiet --quiet
want "--quiet, finished" "" "$(cat out err)"

# Files that cannot be read, places that cannot be written.
refuses 4 'cannot open missing.json: No such file or directory' train missing.json
refuses 4 'cannot read runs: Is a directory' train runs
refuses 2 'hidden1.weight: its init gives values that are not finite in float32 (take smaller ones, or precision float64)' \
    train tiny.json --out huge --set 'network.init={"kind": "uniform", "low": 1e39, "high": 1e40}'
refuses 4 'cannot make the directory tiny.json/x: Not a directory' train tiny.json --out tiny.json/x
refuses 4 'cannot make the directory /proc/x: No such file or directory' train tiny.json --out /proc/x
run train tiny.json --out tiny.json
want "--out is a file" 4 "$status"
want_like "--out is a file: message" "cannot * tiny.json*: *" "$(cat err)"
want_equal ../tiny.json tiny.json

# A disk that is full from the start, and one that fills in mid-run: said, and the run counts as failed.
mkdir full
ln -s /dev/full full/loss.csv
refuses 2 "full is not empty and holds no run (there is loss.csv); take another --out, or --force to replace what is \
called like a run's files" train tiny.json --out full
status=0
(
    trap '' XFSZ
    ulimit -f 20
    exec "$skipnet" train tiny.json --out filled --threads 1 --set train.steps=500 \
        --set report.schedule.kind=linear
) >out 2>err || status=$?
want "disk fills: exit status and message" "4 cannot write filled/gradients.csv: File too large" "$status $(cat err)"
want "disk fills: status" '"failed"' "$(value_of filled/run.json status)"
want "disk fills: no weights" "" "$(find filled -name '*.safetensors' -o -name '*.tmp' -o -name run.lock)"
refuses 2 "filled holds an unfinished run of this config (status failed); --resume continues it, --force starts it anew" \
    train tiny.json --out filled --set train.steps=500

# Standard output full: the run is kept, the exit status tells.  More than the stream buffers, and less.
for set in network.depth=60 network.depth=4; do
    status=0
    "$skipnet" train tiny.json --set "$set" --threads 1 --out "full,$set" >/dev/full 2>err || status=$?
    want "stdout full, $set" "4 cannot write standard output: No space left on device" "$status $(cat err)"
    want "stdout full, $set: the run is whole" '"done"' "$(value_of "full,$set/run.json" status)"
done
status=0
"$skipnet" train tiny.json --out closed >&- 2>err || status=$?
want "stdout closed" "4 cannot write standard output: Bad file descriptor" "$status $(cat err)"
for depth in 60 4; do
    { "$skipnet" train tiny.json --threads 1 --set network.depth=$depth --out "gone$depth" 2>err && echo "0" >code; } |
        true
    want "a reader that went away: exit status and stderr" "0 " "$(cat code) $(cat err)"
    want_csvs "gone$depth"
    rm code
done

# Standard input as config: relative paths are those of the working directory, and the name is made up.
status=0
grep -v '"name"' tiny.json | "$skipnet" train - -q 2>err || status=$?
want "stdin: exit status" "0 " "$status $(cat err)"
want_equal runs/tiny/loss.csv runs/stdin/loss.csv
grep -v '"name"' tiny.json >my.own.json
does train my.own.json -q
want_equal runs/tiny/loss.csv runs/my.own/loss.csv
finish 70
