#!/usr/bin/env bash
# --resume makes a finished run longer, to the bytes of a run of that length; what cannot become longer says why.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json # 7 steps are an epoch

summary_of() { # DIRECTORY: all but times
    sed -n '/^  "summary"/,$p' "$1/run.json" | grep -v wall_seconds
}

# From some length over others to the last.  7, 35 and 49 steps end with an epoch; row 48 is in no schedule of rows, nor
# is row 27 of four epochs.
grows() { # ARGUMENTS LENGTH...
    local words length last=${*: -1}
    read -ra words <<<"$1"
    rm -rf whole grown
    does train tiny.json "${words[@]}" --set "train.$last" --out whole -q
    for length in "${@:2}"; do
        does train tiny.json "${words[@]}" --set "train.$length" --out grown --resume
        [[ $length == "$2" ]] || want_like "$1, $length: it says so" "grown: resumed at step * of *, made longer" "$(cat err)"
        want_csvs grown
    done
    want_equal whole/loss.csv grown/loss.csv
    want_equal whole/gradients.csv grown/gradients.csv
    want_equal whole/final.safetensors grown/final.safetensors
    want_equal whole/config.json grown/config.json
    want "$*: summary" "$(summary_of whole)" "$(summary_of grown)"
    want "$*: config_hash" "$(value_of whole/run.json config_hash)" "$(value_of grown/run.json config_hash)"
    want "$*: planned_steps" "$(value_of whole/run.json planned_steps)" "$(value_of grown/run.json planned_steps)"
    want "$*: files" "$(cd whole && find . | sort)" "$(cd grown && find . | sort)"
}
grows "" steps=49 steps=100
grows "" steps=0 steps=1 steps=2 steps=3 steps=4 steps=60
grows "--set train.optimizer.momentum=0.9 --set network.norm=batch" steps=7 steps=48 steps=49 steps=50 steps=333
grows "--set precision=float64 --set train.optimizer.momentum=0.9 --set train.clip_norm=0.2" steps=49 steps=333
grows "--set report.schedule={\"kind\":\"linear\",\"every\":10} --set report.save_initial=true" steps=35 steps=41 steps=85
grows "--set train.lr_schedule={\"kind\":\"step\",\"every\":30,\"warmup_steps\":40}" steps=20 steps=49 steps=100
sed -i 's/, "steps": 10//' tiny.json
grows "--set train.checkpoint.every_steps=4" epochs=2 epochs=3 epochs=20
grows "" epochs=4 steps=50
want "whole: the row before the shorter one's end is gone" "" "$(grep '^27,' whole/loss.csv)"
does train tiny.json --set train.epochs=4 --out four -q
want "four: it has that row" 1 "$(grep -c '^27,' four/loss.csv)"
does train tiny.json --set train.epochs=3 --out three -q

# The same length said otherwise is the same run.
does train tiny.json --set train.steps=21 --out three --resume
want "as long" "three holds this run, finished" "$(cat err)"

# Broken off before and after it became longer, killed and interrupted.
does train tiny.json --set train.steps=200000 --set train.checkpoint.every_steps=20000 --out long-whole -q --threads 1
does train tiny.json --set train.steps=5000 --out long -q --threads 1
for signal in KILL INT; do
    env --default-signal=INT "$skipnet" train tiny.json --set train.steps=200000 --out long --resume --threads 1 \
        >/dev/null 2>bg.err </dev/null &
    pid=$!
    started+=("$pid")
    await "long goes on" grep -q resumed bg.err
    sleep 0.1
    kill "-$signal" "$pid"
    wait "$pid" 2>/dev/null || true
    want_like "$signal: unfinished" '"[ri]*"' "$(value_of long/run.json status)"
    want "$signal: no final weights of the shorter run" "" "$(find long -name 'final*')"
done
refuses 2 "long holds a run of 200000 steps, here it is to have 5000: a run can be made longer, not shorter (take \
another --out, or --force to replace it)" train tiny.json --set train.steps=5000 --out long --resume
does train tiny.json --set train.steps=200000 --out long -q --resume --threads 1
want_equal long-whole/loss.csv long/loss.csv
want_equal long-whole/gradients.csv long/gradients.csv
want_equal long-whole/final.safetensors long/final.safetensors

# What cannot: shorter, learning rates that know the end, diverged, another key besides, no checkpoint, no --resume.
before=$(find three -type f -exec md5sum {} + | sort)
refuses 2 "three holds a run of 21 steps, here it is to have 14: a run can be made longer, not shorter (take another \
--out, or --force to replace it)" train tiny.json --set train.epochs=2 --out three --resume
refuses 2 "three holds a run of another config; they differ in: train.epochs (--resume makes it longer, or take another \
--out, or --force to replace it)" train tiny.json --set train.epochs=4 --out three
refuses 2 "three holds a run of another config; they differ in: train.epochs (take another --out, or --force to replace \
it)" train tiny.json --set train.epochs=2 --out three
refuses 2 "three holds a run of another config; they differ in: seed, train.epochs (take another --out, or --force to \
replace it)" train tiny.json --set train.epochs=4 --set seed=2 --out three --resume
run train tiny.json --set train.epochs=4 --set report.train_eval=3 --out three --resume
want "other rows: exit status" 2 "$status"
want_like "other rows" "three/checkpoint.safetensors was saved with report.train_eval 10000, here it is 3: *" "$(cat err)"
mv three/checkpoint.safetensors .
refuses 2 "three holds this run, finished, but no checkpoint that it could go on from (take another --out, or --force to \
train anew)" train tiny.json --set train.epochs=4 --out three --resume
mv checkpoint.safetensors three
want "refused: nothing touched" "$before" "$(find three -type f -exec md5sum {} + | sort)"
does train tiny.json --set train.lr_schedule=cosine --out cosine -q
refuses 2 "cosine holds a run of 7 steps whose learning rates depend on that length (train.lr_schedule cosine): it cannot \
be made longer (take another --out, or --force to replace it)" \
    train tiny.json --set train.lr_schedule=cosine --set train.epochs=4 --out cosine --resume
diverge=(train tiny.json --set network.activation=relu --set train.lr=1e30 --out diverged)
run "${diverge[@]}" -q
want "diverged: exit status" 3 "$status"
want "diverged: no checkpoint stays" "" "$(find diverged -name 'checkpoint*')"
fault="diverged: the activation (output) of hidden2 is not finite in step 1"
for longer in "" "--set train.epochs=4"; do
    # shellcheck disable=SC2086 # words
    run "${diverge[@]}" $longer --resume
    want "diverged, --resume $longer: exit status" 3 "$status"
    want "diverged, --resume $longer: it stays" "diverged holds this run, finished"$'\n'"$fault" "$(cat err)"
done

# Without --out: the run under the name that it has without its length, unless there is one of that length.
does train tiny.json -q --set seed=5
does train tiny.json --set seed=5 --set train.epochs=2 --resume
want "default name: what it says" "runs/tiny,seed=5: resumed at step 7 of 14, made longer" "$(cat err)"
want "default name" "runs/tiny,seed=5" "$(echo runs/*)"
does train tiny.json -q --set train.epochs=2
does train tiny.json --set train.epochs=2 --set train.lr=0.5 -q --resume
does train tiny.json --set train.epochs=2 --resume
want "default names" "tiny,epochs=2 tiny,epochs=2,lr=0.5 tiny,seed=5" "$(cd runs && echo *)"
finish 250
