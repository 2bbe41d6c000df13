#!/usr/bin/env bash
# The rules of a run directory: what train does where there is nothing, a finished run, an unfinished one, another
# config's, somebody else's files, or a process that is at work; default names; --force.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
seven="checkpoint.safetensors config.json datapackage.json final.safetensors gradients.csv loss.csv run.json"
files() { find "$1" -mindepth 1 -printf '%f\n' | sort | paste -sd' '; }
state() { find "$1" -mindepth 1 -printf '%f %s %T@ %i\n' | sort; }

# Default names.
does train tiny.json -q
does train tiny.json -q --set network.depth=6 --set network.skip.kind=add
does train tiny.json -q --set seed=2
does train tiny.json -q --set data.seed=2 --set train.optimizer.momentum=0.5
does train tiny.json -q --set name=other --set train.lr=0.1
does train tiny.json -q --set name=a/b --set network.skip=none
want "default names" "a_b,skip=none
other,lr=0.1
tiny
tiny,data.seed=2,momentum=0.5
tiny,depth=6,skip.kind=add
tiny,seed=2" "$(find runs -mindepth 1 -maxdepth 1 -printf '%f\n' | sort)"
for dir in runs/*; do want "$dir: files" "$seven" "$(files "$dir")"; done

# Absent, empty.
does train tiny.json -q --out absent/below
want "absent" "$seven" "$(files absent/below)"
mkdir empty
does train tiny.json --out empty
want "empty" "$seven" "$(files empty)"
sed 's/^tiny: done, .*/tiny: done/' out >summary

# Finished with the same config: its summary again, and nothing is touched.  Name, comment, report and threads are no
# part of the meaning, nor are written-out defaults.
before=$(state empty)
for more in "" "--threads 3" "--set report.train_eval=7" "--set name=new" "--set train.optimizer.momentum=0"; do
    read -ra words <<<"$more"
    does train tiny.json --out empty "${words[@]}"
    want "finished $more: stderr" "empty holds this run, finished" "$(cat err)"
    sed 's/^tiny: done, .*/tiny: done/' out >again
    want_equal summary again
done
want "finished: nothing touched" "$before" "$(state empty)"

# Finished with another config, or other data.
refuses 2 "empty holds a run of another config; they differ in: seed, train.lr (take another --out, or --force to \
replace it)" train tiny.json --out empty --set seed=3 --set train.lr=0.1
refuses 2 "empty holds a run of another config; they differ in: network.depth (take another --out, or --force to \
replace it)" train tiny.json --out empty --set network.depth=3
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 60; i++) print i % 7 "," i % 5 "," i % 2 }' >data.csv
sed 's/"data": {.*}/"data": {"kind": "csv", "path": "data.csv"}/' tiny.json >csv.json
does train csv.json -q --out csv
sed -i '2s/0/1/' data.csv
refuses 2 "csv holds a run of another config; they differ in: the data or the initial weights (take another --out, or --force to replace it)" \
    train csv.json --out csv
cp -r empty unreadable
echo '{' >unreadable/config.json
refuses 2 "unreadable holds a run of another config; they differ in: its config.json cannot be read (take another \
--out, or --force to replace it)" train tiny.json --out unreadable --set seed=3
want "refused: nothing touched" "$before" "$(state empty)"

# run.json that is none.
cp -r empty broken
echo '{"status": "done", "config_hash": "0"}' >broken/run.json
refuses 2 "broken/run.json: not a run.json of format version 1 (take another --out, or --force)" \
    train tiny.json --out broken
echo '{"status": ' >broken/run.json
run train tiny.json --out broken
want "cut run.json: exit status" 2 "$status"
want_like "cut run.json: message" "broken/run.json:*:*: *" "$(cat err)"
does train tiny.json --out broken -q --force
want_equal empty/loss.csv broken/loss.csv

# Unfinished: killed in mid-run.
start_long killed
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
want "killed: status" '"running"' "$(value_of killed/run.json status)"
want "killed: the lock file stays" 1 "$(grep -cx "pid $pid on $(uname -n)" killed/run.lock)"
before=$(state killed)
killed=(train tiny.json --set train.steps=1000000000 --out killed)
refuses 2 "killed holds an unfinished run of this config (status interrupted); --resume continues it, --force starts it anew" "${killed[@]}"
refuses 2 "killed holds a run of another config; they differ in: train.steps (take another --out, or --force to \
replace it)" train tiny.json --out killed
want "killed: the run stays" "$(grep -v run.lock <<<"$before")" "$(state killed | grep -v run.lock)"
want "killed: the dead lock is gone" "" "$(find killed -name run.lock)"

# --resume: an unfinished run is taken up, a finished one stays, nothing there is no obstacle.
does train tiny.json --out resumed -q --resume
want_equal empty/loss.csv resumed/loss.csv
sed -i 's/"status": "done"/"status": "interrupted"/' resumed/run.json
does train tiny.json --out resumed -q --resume
want "resumed" '"done"' "$(value_of resumed/run.json status)"
want_equal empty/loss.csv resumed/loss.csv
does train tiny.json --out resumed --resume
want "finished, --resume: stderr" "resumed holds this run, finished" "$(cat err)"

# --force replaces a run, and only that.
echo mine >killed/notes.txt
mkdir killed/plots
does train tiny.json --out killed -q --force
want "--force: files" "checkpoint.safetensors config.json datapackage.json final.safetensors gradients.csv loss.csv \
notes.txt plots run.json" \
    "$(files killed)"
want "--force: others' files" "mine" "$(cat killed/notes.txt)"
want_equal empty/loss.csv killed/loss.csv
does train tiny.json --out killed -q --force --set report.save_initial=true
does train tiny.json --out killed -q --force
want "--force: no initial weights of the run before" "" "$(find killed -name 'initial*')"
before=$(state killed)
run train tiny.json --out killed --force --set network.width=9 --set network.weights=empty/final.safetensors
want "--force with a config that cannot run: exit status" 2 "$status"
want "--force with a config that cannot run: the run stays" "$before" "$(state killed)"
does train tiny.json --out killed -q --force --set network.weights=killed/final.safetensors
want_other empty/final.safetensors killed/final.safetensors

# Somebody else's files.
mkdir foreign
echo mine >foreign/letter.txt
refuses 2 "foreign is not empty and holds no run (there is letter.txt); take another --out, or --force to replace \
what is called like a run's files" train tiny.json --out foreign
want "foreign: untouched" "letter.txt" "$(files foreign)"
does train tiny.json --out foreign -q --force
want "foreign, --force" "checkpoint.safetensors config.json datapackage.json final.safetensors gradients.csv \
letter.txt loss.csv run.json" \
    "$(files foreign)"

# What should be a file of the run is a FIFO that nobody feeds: no verb waits for it.
for file in run.json config.json; do
    rm -rf fifo
    cp -r empty fifo
    rm "fifo/$file"
    mkfifo "fifo/$file"
    for call in "train tiny.json --out fifo" "train tiny.json --out fifo --resume --set train.steps=99" \
        "train tiny.json --out fifo --set seed=9" "eval fifo" "compare fifo"; do
        read -ra words <<<"$call"
        status=0
        timeout 60 "$skipnet" "${words[@]}" >out 2>err </dev/null || status=$?
        ((status != 124)) || want "$call, $file a FIFO" "no waiting" "status $status"
    done
    does train tiny.json -q --out fifo --force
    want_equal empty/final.safetensors fifo/final.safetensors
done

# A process at work.
start_long busy
busy=(train tiny.json --set train.steps=1000000000 --out busy)
message="busy/run.lock: in use by another process (pid $pid on $(uname -n)); wait for it or stop it"
refuses 2 "$message" "${busy[@]}"
refuses 2 "$message" "${busy[@]}" --force
refuses 2 "$message" train tiny.json --out busy
kill -0 "$pid"
rows=$(wc -l <busy/loss.csv)
await "rows of the run that goes on" has_rows busy/loss.csv "$rows"
want "busy: still running" '"running"' "$(value_of busy/run.json status)"
kill -TERM "$pid"
wait "$pid" || true
want "busy: closed in the end" '"interrupted"' "$(value_of busy/run.json status)"
want_csvs busy
want "busy: the lock is gone" "" "$(find busy -name run.lock)"
finish 72
