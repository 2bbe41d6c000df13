#!/usr/bin/env bash
# skipnet eval on runs that are not done: a checkpoint's numbers are those of a run that ends at its step, the step is
# told, and what is no sound checkpoint of the run is not taken.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
steps=1000000000
step_of() { # CHECKPOINT
    head -c 4096 "$1" | grep -ao '"step":"[0-9]*"' | tr -dc 0-9
}

note() { # RUN STEP STATUS [STEPS]
    echo "warning: $1: evaluating the checkpoint of step $2 of ${4:-$steps} (run is $3)"
}

# A run like those that are started below, ended at the step; what eval says of both is the same, but for the run.
want_as_ended() { # RUN STEP ARGUMENT...: the arguments of the run
    rm -rf ended
    does train tiny.json -q --threads 1 "${@:3}" --set train.steps="$2" --out ended
    for split in test train; do
        does eval ended --split $split --predictions ended.csv --threads 1
        sed 1,2d out >ended.out
        does eval "$1" --split $split --predictions this.csv --threads 2
        sed 1,2d out >this.out
        want_equal ended.csv this.csv
        want_equal ended.out this.out
    done
    does eval ended --json
    grep -v '^  "\(run\|status\|planned_steps\|weights\)"' out >ended.json
    does eval "$1" --json
    want "$1: JSON, step" "$2" "$(value_of out step)"
    grep -v '^  "\(run\|status\|planned_steps\|weights\)"' out >this.json
    want_equal ended.json this.json
}

# Killed at some step; with optimizer state and running averages in the checkpoint, too.
k=0
for options in "" "--set precision=float64 --set train.optimizer.momentum=0.9" \
    "--set network.norm=batch --set train.optimizer.momentum=0.5"; do
    killed=killed$((k++))
    read -ra more <<<"$options"
    start_long $killed "${more[@]}" --set 'train.checkpoint={"every_steps": 9}'
    await "a checkpoint of $killed" test -e $killed/checkpoint.previous.safetensors
    sleep 0.$((RANDOM % 5))
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null || true
    step=$(step_of $killed/checkpoint.safetensors)
    want "$killed: run.json knows nothing of it" '"running"' "$(value_of $killed/run.json status)"
    before=$(find $killed -type f -exec sha256sum {} + | sort)
    does eval $killed
    want "$killed: told" "$(note $killed "$step" interrupted)" "$(cat err)"
    want "$killed: heading" "run       $killed (interrupted, step $step of $steps)
weights   $killed/checkpoint.safetensors" "$(head -n 2 out)"
    want_as_ended $killed "$step" "${more[@]}"
    want "$killed: nothing in it is touched" "$before" "$(find $killed -type f -exec sha256sum {} + | sort)"
done
does eval killed0 --json
want "JSON: the run" "\"killed0\" \"interrupted\" $(step_of killed0/checkpoint.safetensors) $steps \"killed0/checkpoint.safetensors\"" \
    "$(for key in run status step planned_steps weights; do value_of out $key; done | paste -sd' ')"

# Killed before the first checkpoint; other weights can still be evaluated, and are of no step.
start_long bare --set report.save_initial=true
refuses 2 "bare: the run is not finished (status running) and has no checkpoint yet (SIGUSR1 makes it save one; \
--weights FILE takes other weights)" eval bare
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
refuses 2 "bare: the run is not finished (status interrupted) and has no checkpoint yet (train --resume brings it to \
its end; --weights FILE takes other weights)" eval bare
does eval bare --weights bare/initial.safetensors
want "bare, --weights: nothing is told" "" "$(cat err)"
want "bare, --weights: heading" "run       bare (interrupted)
weights   bare/initial.safetensors" "$(head -n 2 out)"
does eval bare --weights bare/initial.safetensors --json
want "bare, --weights: JSON" "null $steps" "$(value_of out step) $(value_of out planned_steps)"

# At work: each look gives the state of one step, a later one no earlier step.
start_long busy --set 'train.checkpoint={"every_steps": 50}'
await "a checkpoint of busy" test -e busy/checkpoint.safetensors
last=50
for ((i = 0; i < 20; i++)); do
    does eval busy --threads 1
    step=$(sed -n 's/^run .*, step \([0-9]*\) of .*/\1/p' out)
    want "busy: told" "$(note busy "$step" running)" "$(cat err)"
    want "busy: a step with a checkpoint, no earlier one than before" "1 0" "$((step >= last)) $((step % 50))"
    last=$step
done
cp out busy.out
want "busy: it is still at work" '"running"' "$(value_of busy/run.json status)"
kill -0 "$pid"
kill -TERM "$pid"
wait "$pid" 2>/dev/null || true
does train tiny.json -q --threads 1 --set train.steps="$last" --out idle
does eval idle
want "busy: as a run that ends there" "$(sed 1,2d out)" "$(sed 1,2d busy.out)"

# Ended by a signal: the step at which run.json says that it was.
step=$(value_of busy/run.json steps)
does eval busy
want "interrupted: told" "$(note busy "$step" interrupted)" "$(cat err)"
want_as_ended busy "$step"

# One that failed; one that is made longer and has not yet come further than it was.
cp -r busy failed
sed -i 's/"status": "interrupted"/"status": "failed"/' failed/run.json
does eval failed
want "failed: told" "$(note failed "$step" failed)" "$(cat err)"
does train tiny.json -q --out longer
does eval longer
sed 1,2d out >shorter.out
"$skipnet" train tiny.json --resume --set train.steps=$steps --out longer 2>long.err &
pid=$!
started+=("$pid")
await "longer goes on" grep -q resumed long.err
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
does eval longer
want "longer: told" "$(note longer 10 interrupted)" "$(cat err)"
want "longer: as it ended before" "$(cat shorter.out)" "$(sed 1,2d out)"

# Diverged: the weights that it ended with, where they are numbers.
run train tiny.json -q --out diverged --set train.lr=1e30 --set network.activation=relu --set train.steps=50
want "diverged: exit status" 3 "$status"
step=$(value_of diverged/run.json steps)
does eval diverged
want "diverged: nothing is told" "" "$(cat err)"
want "diverged: heading" "run       diverged (diverged, step $step of 50)
weights   diverged/final.safetensors" "$(head -n 2 out)"
run train tiny.json -q --out overflown --set train.lr=1e39 --set train.steps=50
want "overflown: exit status" 3 "$status"
run eval overflown
want "overflown: exit status" "2 " "$status $(cat out)"
want_like "overflown: message" "$work/overflown/final.safetensors: tensor \"*\" holds values that are not finite
*overflown: the run diverged: such are the weights that it ended with (--weights FILE takes other weights)" "$(cat err)"

# A checkpoint that is not sound is passed over for the one before; with none that is the run has no weights.  A run that
# was killed just when the newest took the place of the one before has that no more.
file=killed0/checkpoint.safetensors
[[ -e killed0/checkpoint.previous.safetensors ]] || cp $file killed0/checkpoint.previous.safetensors
size=$(stat -c %s $file)
before=$(step_of killed0/checkpoint.previous.safetensors)
none="damaged: the run is not finished (status interrupted) and has no sound checkpoint (train --resume brings it to its \
end; --weights FILE takes other weights)"
for fault in flip cut empty other precision fifo directory; do
    rm -rf damaged
    cp -r killed0 damaged
    file=damaged/checkpoint.safetensors
    case $fault in
    flip) printf '\x55\x56' | dd of=$file bs=1 seek=$((size - 9)) conv=notrunc status=none ;;
    cut) truncate -s $((size / 2)) $file ;;
    empty) : >$file ;;
    other) cp killed2/checkpoint.safetensors $file ;;
    precision) cp killed1/checkpoint.safetensors $file ;;
    fifo) rm $file && mkfifo $file ;;
    directory) rm $file && mkdir $file ;;
    esac
    does eval damaged
    want_like "$fault: the one before" "warning: $file: * (passed over)
$(note damaged "$before" interrupted)" "$(cat err)"
    want "$fault: heading" "weights   damaged/checkpoint.previous.safetensors" "$(sed -n 2p out)"
    [[ $fault != precision && $fault != other ]] || want_like "$fault: what is wrong" "*: a checkpoint of another run (*" \
        "$(cat err)"
    rm damaged/checkpoint.previous.safetensors
    run eval damaged
    want "$fault, alone: exit status" "2 " "$status $(cat out)"
    want_like "$fault, alone: message" "warning: $file: * (passed over)
$none" "$(cat err)"
done
rm -r damaged/checkpoint.safetensors
cp killed0/checkpoint.safetensors damaged/checkpoint.previous.safetensors
does eval damaged
want "only the one before is there" "$(note damaged "$(step_of killed0/checkpoint.safetensors)" interrupted)" "$(cat err)"

# Another precision than the run's.
cp -r killed0 precise
sed -i 's/"precision": "float32"/"precision": "float64"/' precise/config.json
want_other killed0/config.json precise/config.json
refuses 2 "precise: its config.json is not the one of the run any more (its hash is not config_hash of run.json; train \
from it anew)" eval precise

# Begun with a file of weights, which is gone.
does train tiny.json -q --out first
cp first/final.safetensors start.safetensors
start_long begun --set network.weights=start.safetensors --set 'train.checkpoint={"every_steps": 9}'
await "a checkpoint of begun" test -e begun/checkpoint.previous.safetensors
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
step=$(step_of begun/checkpoint.safetensors)
want_as_ended begun "$step" --set network.weights=start.safetensors
rm start.safetensors
does eval begun --predictions begun.csv --split train
want "begun: told" "$(note begun "$step" interrupted)" "$(cat err)"
want_equal this.csv begun.csv
finish 200
