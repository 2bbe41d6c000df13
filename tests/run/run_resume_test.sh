#!/usr/bin/env bash
# --resume: an interrupted run goes on to the very bytes of one that never was, whatever interrupted it; what cannot go
# on says why.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 90; i++) print i % 7 "," i * i % 11 "," i % 3 }' >data.csv
cat >layers.json <<'END'
{
  "name": "layers",
  "data": {"kind": "csv", "path": "data.csv"},
  "network": {"layers": [{"op": "linear", "units": 9}, {"op": "batch_norm"}, {"op": "tanh"},
                         {"op": "dropout", "rate": 0.2}, {"op": "linear", "units": 9}, {"op": "relu"},
                         {"op": "linear", "units": 3}]},
  "train": {"batch_size": 20, "optimizer": {"momentum": 0.9}}
}
END

# All but times.
summary_of() { # DIRECTORY
    sed -n '/^  "summary"/,$p' "$1/run.json" | grep -v wall_seconds
}

want_same_run() { # DIRECTORY DIRECTORY
    want_equal "$1/loss.csv" "$2/loss.csv"
    want_equal "$1/gradients.csv" "$2/gradients.csv"
    want_equal "$1/final.safetensors" "$2/final.safetensors"
    want "$2: summary" "$(summary_of "$1")" "$(summary_of "$2")"
    want "$2: weights_hash" "$(value_of "$1/run.json" weights_hash)" "$(value_of "$2/run.json" weights_hash)"
    want "$2: files" "checkpoint.safetensors config.json datapackage.json final.safetensors gradients.csv loss.csv run.json" \
        "$(find "$2" -mindepth 1 -printf '%f\n' | sort | paste -sd' ')"
}

start() { # ARGUMENT...: in the background, as $pid
    : >bg.err
    env --default-signal=INT,TERM,HUP,USR1 "$skipnet" "$@" >bg.out 2>bg.err </dev/null &
    pid=$!
    started+=("$pid")
}

end_by() { # SIGNAL: fills $status
    kill "-$1" "$pid" 2>/dev/null || true # it may have come to its end
    status=0
    wait "$pid" 2>/dev/null || status=$?
}

# Interrupted at some step, twice, and gone on with other numbers of threads.
options=("" "--set train.optimizer.momentum=0.9 --set train.optimizer.nesterov=true --set precision=float64"
    "--set network.norm=batch --set train.lr_schedule={\"kind\":\"step\",\"every\":300,\"warmup_steps\":50}"
    "--set train.clip_norm=0.1 --set train.lr_schedule=cosine --set precision=float64"
    "--set report.schedule={\"kind\":\"linear\",\"every\":100} --set report.save_initial=true")
for ((k = 0; k < ${#options[@]} + 2; k++)); do
    config=tiny.json more=()
    ((k < ${#options[@]})) && read -ra more <<<"${options[k]}"
    ((k < ${#options[@]})) || config=layers.json
    ((k == ${#options[@]} + 1)) && more=(--set precision=float64)
    more=(train "$config" --set train.steps=4000 "${more[@]}")
    does "${more[@]}" --out whole -q --threads 1
    # An attempt counts where the signal came before the end.
    for ((attempt = 0; attempt < 20; attempt++)); do
        rm -rf cut
        start "${more[@]}" --out cut --threads 1 --resume
        for ((i = 0; i < 4000; i++)); do # await looks too rarely
            if has_rows cut/loss.csv 5; then break; fi
            sleep 0.002
        done
        end_by INT
        ((status == 130)) && [[ $(value_of cut/run.json status) == '"interrupted"' ]] && break
    done
    want "$k: interrupted" '"interrupted"' "$(value_of cut/run.json status)"
    want "$k: no final weights" "" "$(find cut -name 'final*')"
    start "${more[@]}" --out cut --threads 2 --resume
    await "the resumption of cut" grep -q resumed bg.err
    end_by TERM
    want_like "$k: what it says" "cut: resumed at step * of 4000" "$(cat bg.err)"
    does "${more[@]}" --out cut --threads 1 --resume
    find whole cut -name initial.safetensors -delete
    want_same_run whole cut
    rm -r whole cut
done

# SIGUSR1: saves and goes on; from there after a SIGKILL.
long=(train tiny.json --set train.steps=40000 --set train.optimizer.momentum=0.5)
does "${long[@]}" --out usr1-whole -q --threads 1
start "${long[@]}" --out usr1
await "rows of usr1" has_rows usr1/loss.csv 20
want "USR1: nothing is saved so soon" "" "$(find usr1 -name 'checkpoint*')"
kill -USR1 "$pid"
await "the checkpoint" test -e usr1/checkpoint.safetensors
rows=$(wc -l <usr1/loss.csv)
kill -0 "$pid"
await "more rows after SIGUSR1" has_rows usr1/loss.csv "$rows"
end_by KILL
want "USR1, KILL: status" '"running"' "$(value_of usr1/run.json status)"
printf '12345,' >>usr1/loss.csv # a row that was being written
does "${long[@]}" --out usr1 --resume
want_like "USR1, KILL: it goes on" "usr1: resumed at step * of 40000" "$(cat err)"
want_same_run usr1-whole usr1

# Killed before anything was saved.
start "${long[@]}" --out early
await "rows of early" has_rows early/loss.csv 5
end_by KILL
want "early: nothing is saved" "" "$(find early -name 'checkpoint*')"
touch early/run.json.999-3.tmp early/checkpoint.safetensors.7-0.tmp early/mine.7-0.tmp
does "${long[@]}" --out early --resume
want "early: it says so" "early has no checkpoint yet: its run starts anew" "$(cat err)"
want "early: remnants are gone, others' files are not" "mine.7-0.tmp" "$(find early -name '*tmp' -printf '%f\n')"
rm early/mine.7-0.tmp
want_same_run usr1-whole early

# A checkpoint that is broken: the one before; none is sound: anew.  The result is the same.
ten=(train tiny.json --set train.steps=400 --set train.optimizer.momentum=0.5)
does "${ten[@]}" --out whole -q
start "${ten[@]}" --set train.steps=1000000 --set 'train.checkpoint={"every_steps": 50}' --out base
await "rows of base" has_rows base/loss.csv 60
end_by INT
last=$(sed -n 's/.*"step":"\([0-9]*\)".*/\1/p' base/checkpoint.safetensors)
want "two checkpoints" 2 "$(find base -name 'checkpoint*' | wc -l)"
base=("${ten[@]}" --set train.steps=1000000 --resume)
go_on() { # DIRECTORY: some steps more, fills bg.err
    start "${base[@]}" --out "$1"
    await "$1 goes on" grep -q 'step\|anew\|force' bg.err
    end_by INT
}
size=$(stat -c %s base/checkpoint.safetensors)
for fault in flip header cut empty gone; do
    cp -r base "$fault"
    file=$fault/checkpoint.safetensors
    case $fault in
    flip) printf '\x55' | dd of="$file" bs=1 seek=$((size - 9)) conv=notrunc status=none ;;
    header) sed -i '1s/"step":"/"step":"9/' "$file" ;;
    cut) truncate -s $((size / 2)) "$file" ;;
    empty) : >"$file" ;;
    gone) rm "$file" ;;
    esac
    go_on "$fault"
    [[ $fault == gone ]] || want_like "$fault: warning" "warning: $file: * (passed over)
*" "$(cat bg.err)"
    resumed=$(sed -n 's/.*resumed at step \([0-9]*\) of.*/\1/p' bg.err)
    want "$fault: the one before" 1 "$((resumed > 0 && resumed % 50 == 0 && resumed <= last))"
    want_csvs "$fault"
done
cp -r base both
for file in both/checkpoint*; do truncate -s -8 "$file"; done
sed -i 's/"planned_steps": 1000000/"planned_steps": 400/' both/run.json # as if it were a shorter one
does "${ten[@]}" --out both --resume
want_like "both broken" "warning: both/checkpoint.safetensors: *
warning: both/checkpoint.previous.safetensors: *
warning: both has no sound checkpoint: its run starts anew" "$(cat err)"
want_same_run whole both

# CSVs that are not what the checkpoint counts on: nothing is touched.
for fault in shorter edited other gone; do
    rm -rf csv
    cp -r base csv
    case $fault in
    shorter) truncate -s 500 csv/loss.csv && what="csv/loss.csv: it has 500 bytes, *" ;;
    edited) sed -i '3s/0/1/' csv/gradients.csv && what="csv/gradients.csv: its first * bytes are not those that its run wrote" ;;
    other) sed -i '1s/,[a-z_]*$//' csv/gradients.csv && what="csv/gradients.csv: its columns are not those of this program (*" ;;
    gone) rm csv/loss.csv && what="csv/loss.csv: it is gone" ;;
    esac
    before=$(find csv -name '*.csv' -exec md5sum {} + | sort)
    run "${base[@]}" --out csv
    want "CSV $fault: exit status" 2 "$status"
    [[ $fault == other ]] || what+=$'\nput it back as it was, or --force to train anew'
    want_like "CSV $fault: message" "$what" "$(cat err)"
    want "CSV $fault: untouched" "$before" "$(find csv -name '*.csv' -exec md5sum {} + | sort)"
done

# What would not give the same bytes.
run "${base[@]}" --out base --set report.train_eval=7 --set 'report.schedule={"kind": "linear", "every": 3}'
want "other reports: exit status" 2 "$status"
want_like "other reports: message" 'base/checkpoint.safetensors was saved with report.schedule {"kind":"log","per_decade":20}, here it is {"kind":"linear","every":3}: the run would not go on to the same bytes (take that value, or --force to train anew)
base/checkpoint.safetensors was saved with report.train_eval 10000, here it is 7: *' "$(cat err)"
if [[ $(value_of base/run.json simd) != '"generic"' ]]; then
    status=0
    SKIPNET_SIMD=generic "$skipnet" "${base[@]}" --out base >out 2>err </dev/null || status=$?
    want "other SIMD path: exit status" 2 "$status"
    want_like "other SIMD path: message" "base/checkpoint.safetensors was saved with simd *, here it is generic: *(set SKIPNET_SIMD to that, or --force to train anew)*" "$(cat err)"
fi
want "refused: the run stays" '"interrupted"' "$(value_of base/run.json status)"
refuses 2 "base holds a run of another config; they differ in: train.lr (take another --out, or --force to replace it)" \
    "${base[@]}" --out base --set train.lr=1
refuses 2 "base holds a run of 1000000 steps, here it is to have 400: a run can be made longer, not shorter (take \
another --out, or --force to replace it)" "${ten[@]}" --out base --resume

# A finished run: its summary, whatever train.checkpoint says.
does "${ten[@]}" --out whole --resume --set 'train.checkpoint={"every_minutes": 0.5}'
want "finished" "whole holds this run, finished" "$(cat err)"
want_like "finished: summary" "tiny: done, 400 steps *" "$(cat out)"

# A second signal ends the process at once, whichever it is: the step takes long enough for two.
cat >slow.json <<'END'
{"data": {"kind": "gaussian", "samples": 4096}, "network": {"depth": 12, "width": 1024},
 "train": {"batch_size": 4096, "steps": 1000}, "report": {"train_eval": 0}}
END
for second in INT:130 HUP:129; do
    start train slow.json --out slow --threads 1
    await "the start of slow" grep -qs running slow/run.json
    await "the header of slow" has_rows slow/loss.csv -1
    kill -INT "$pid"
    sleep 0.05
    end_by "${second%:*}"
    want "INT, $second: exit status" "${second#*:}" "$status"
    want "INT, $second: it was not closed" '"running"' "$(value_of slow/run.json status)"
    rm -r slow
done
env --ignore-signal=USR1 "$skipnet" train tiny.json --set train.steps=1000000000 --out ignored --resume -q \
    >/dev/null 2>&1 </dev/null &
pid=$!
started+=("$pid")
await "rows of ignored" has_rows ignored/loss.csv 10
kill -USR1 "$pid"
rows=$(wc -l <ignored/loss.csv)
await "more rows" has_rows ignored/loss.csv "$rows"
want "USR1 stays ignored" "" "$(find ignored -name 'checkpoint*')"
end_by TERM
finish 150
