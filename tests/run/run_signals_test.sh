#!/usr/bin/env bash
# SIGINT, SIGTERM and SIGHUP in mid-run: the run is closed as interrupted, what was measured is kept, the process dies
# of the signal, and a loop of the shell stops.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
for pair in INT:130 TERM:143 HUP:129; do
    name=${pair%:*}
    start_long "$name"
    rows=$(wc -l <"$name/loss.csv")
    kill "-$name" "$pid"
    status=0
    wait "$pid" 2>/dev/null || status=$?
    want "$name: exit status" "${pair#*:}" "$status"
    want "$name: status" '"interrupted"' "$(value_of "$name/run.json" status)"
    want "$name: nothing on stderr" "" "$(cat long.err)"
    want_like "$name: summary" "tiny: interrupted, * steps in *
results: $name" "$(cat long.out)"
    want "$name: files" "checkpoint.safetensors config.json datapackage.json gradients.csv loss.csv run.json" \
        "$(find "$name" -mindepth 1 -printf '%f\n' | sort | paste -sd' ')"
    want_csvs "$name"
    want "$name: no row was lost" 1 "$(($(wc -l <"$name/loss.csv") >= rows))"
    steps=$(value_of "$name/run.json" steps)
    want "$name: it counts its steps" 1 "$((steps >= $(column "$name/loss.csv" step | tail -n 1)))"
    refuses 2 "$name holds an unfinished run of this config (status interrupted); --resume continues it, --force starts it anew" train tiny.json --set train.steps=1000000000 --out "$name"
done
does compare INT TERM HUP
want "compare" "interrupted interrupted interrupted" "$(sed 1d out | awk '{ print $2 }' | paste -sd' ')"

# --json and -q.
start_long json --json
kill -INT "$pid"
wait "$pid" 2>/dev/null || true
want_like "--json" '{*"status": "interrupted"*}' "$(cat long.out)"
start_long quiet -q
kill -INT "$pid"
wait "$pid" 2>/dev/null || true
want "-q" "" "$(cat long.out long.err)"

# What was ignored at the start stays so, as under nohup.
env --default-signal=INT,TERM --ignore-signal=HUP "$skipnet" train tiny.json --set train.steps=1000000000 --threads 1 \
    --out nohup -q >/dev/null 2>&1 &
pid=$!
started+=("$pid")
await "rows under nohup" has_rows nohup/loss.csv 2
kill -HUP "$pid"
rows=$(wc -l <nohup/loss.csv)
await "more rows after SIGHUP" has_rows nohup/loss.csv "$rows"
want "SIGHUP was ignored" '"running"' "$(value_of nohup/run.json status)"
kill -TERM "$pid"
status=0
wait "$pid" 2>/dev/null || status=$?
want "SIGTERM was not" 143 "$status"

# ^C in a loop of the shell goes to all of its process group; the loop does not go on.
cat >loop.sh <<'END'
for i in 1 2 3; do
    echo "turn $i"
    "$0" train tiny.json --set train.steps=1000000000 --threads 1 --out "loop$i" -q
done
echo "the end"
END
set -m # the loop gets a process group of its own
env --default-signal=INT,TERM,HUP bash -c "$(cat loop.sh)" "$skipnet" >turns 2>&1 </dev/null &
pid=$!
set +m
started+=("$pid" "-$pid")
await "rows of the loop" has_rows loop1/loss.csv 2
kill -INT -- "-$pid"
status=0
wait "$pid" 2>/dev/null || status=$?
want "loop: exit status" 130 "$status"
want "loop: turns" "turn 1" "$(cat turns)"
want "loop: status of its run" '"interrupted"' "$(value_of loop1/run.json status)"
want "loop: no other run" "" "$(find . -path './loop[23]*')"
want_csvs loop1
finish 50
