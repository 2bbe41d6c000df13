#!/usr/bin/env bash
# What skipnet did not write it does not replace, and nothing that it writes goes through a link, into a FIFO or, as
# control characters, to a terminal.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
train=(train tiny.json --threads 1 -q --set report.exponents=true)

# ---- Files of the user's that are called like ours: in a directory without run.json they stay.
for name in config.json loss.csv gradients.csv exponents.csv datapackage.json final.safetensors checkpoint.safetensors; do
    mkdir mine
    echo "mine" >"mine/$name"
    for how in "" --resume; do
        # shellcheck disable=SC2086 # words
        refuses 2 "mine is not empty and holds no run (there is $name); take another --out, or --force to replace what is \
called like a run's files" "${train[@]}" --out mine $how
    done
    want "$name stays alone" "$name" "$(find mine -mindepth 1 -printf '%f\n')"
    want "$name stays" mine "$(cat "mine/$name")"
    does "${train[@]}" --out mine --force
    want "$name, --force: a run" '"done"' "$(value_of mine/run.json status)"
    rm -r mine
done

# The config that is being read.
mkdir here
cp tiny.json here/config.json
run train here/config.json --out here
want "its own config: exit status" 2 "$status"
want_equal tiny.json here/config.json

# ---- Links and FIFOs: nothing outside is touched, nothing waits.
does "${train[@]}" --out whole
for name in loss.csv gradients.csv exponents.csv config.json datapackage.json final.safetensors run.json; do
    cp -r whole linked
    echo "outside" >target
    ln -sf ../target "linked/$name"
    timeout 20 "$skipnet" "${train[@]}" --out linked --force >out 2>err </dev/null || echo "status $?" >>err
    want "--force, $name a link: the target stays" outside "$(cat target)"
    want "--force, $name a link: it is a file" "regular file" "$(stat -c %F "linked/$name")"
    rm -r linked

    cp -r whole piped
    rm "piped/$name"
    mkfifo "piped/$name"
    status=0
    timeout 20 "$skipnet" "${train[@]}" --out piped --force >out 2>err </dev/null || status=$?
    want "--force, $name a FIFO: exit status" 0 "$status"
    want "--force, $name a FIFO: it is a file" "regular file" "$(stat -c %F "piped/$name")"
    rm -r piped
done

# A run that goes on does not write through a link either.
does "${train[@]}" --out longer --set train.steps=5
mv longer/loss.csv target
cp target before
ln -s ../target longer/loss.csv
timeout 20 "$skipnet" "${train[@]}" --out longer --resume >out 2>err </dev/null || true
want_equal before target

# ---- A run that does not start leaves no directory, and only what was made for it goes.
echo "no weights" >bad.safetensors
run "${train[@]}" --set network.weights=bad.safetensors --out new/deep/run
want "refused weights: exit status" 2 "$status"
want "refused weights: no directory" "" "$(find . -name new)"
mkdir kept
run "${train[@]}" --set network.weights=bad.safetensors --out kept/run
want "refused weights: the parent stays" "kept" "$(find kept)"
mkdir kept/run
run "${train[@]}" --set network.weights=bad.safetensors --out kept/run
want "refused weights: a directory that was there stays" "kept kept/run" "$(find kept | paste -sd' ')"

# ---- Comparisons and predictions.
mkdir tables
echo "mine" >tables/runs.csv
refuses 2 "tables/runs.csv is not of a comparison (take another --out, or --force to replace it)" compare whole --out tables
want "runs.csv stays" mine "$(cat tables/runs.csv)"
does compare whole --out tables --force
does compare whole --out tables
echo "mine" >p.csv
refuses 2 "skipnet eval: p.csv is there and holds no predictions (take another name for --predictions, or --force to \
replace it)" eval whole --predictions p.csv
want "p.csv stays" mine "$(cat p.csv)"
does eval whole --predictions p.csv --force
does eval whole --predictions p.csv
ln -s ../target tables/p.csv
run eval whole --predictions tables/p.csv
want_equal before target
mkdir cells
echo "mine" >cells/cells.txt
refuses 2 "$work/cells/cells.txt is not of a sweep (take another --out)" \
    cells tiny.json --grid network.depth=2,3 --out cells
want "cells.txt stays" mine "$(cat cells/cells.txt)"

# ---- Control characters.
does train tiny.json --threads 1 --set 'name="red\u001b[31m\u009b"' --out red
want_like "a summary shows them" 'red\\x1b\[31m\\xc2\\x9b: done*' "$(cat out)"
run train tiny.json --set "$(printf 'net\033[5mwork=1')"
want "a message: exit status" 2 "$status"
want "a message shows them" "" "$(tr -d '\n\t -~' <err)"
mkdir "$(printf 'esc\033[2J')"
cp -r red "$(printf 'esc\033[2J')/"
does compare "$(printf 'esc\033[2J')" whole
want "a table shows them" "" "$(cat out err | tr -d '\n\t -~')"

# ---- Labels and copies are counted before they are made.
label=$(printf 'x%.0s' {1..300})
cat >long.json <<END
{"data": {"kind": "spirals"}, "network": {"layers": [{"op": "linear", "units": 2, "label": "$label"}]}}
END
run check long.json
want "a long label: exit status" 2 "$status"
want_like "a long label" 'long.json:1:*: network.layers?0?.label: a label of 300 bytes ("xxx*..."), at most 255 are possible' \
    "$(cat err)"
cat >copies.json <<'END'
{"data": {"kind": "spirals"}, "network": {"layers": [{"op": "linear", "units": 2, "label": "a"},
 {"repeat": 1000000, "layers": [{"op": "add", "inputs": ["a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a",
  "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a",
  "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a",
  "a", "a", "a", "a", "a", "a", "a", "a", "a"]}]}, {"op": "linear", "units": 2}]}}
END
run check copies.json
want "many copies: exit status" 2 "$status"
want_like "many copies" "copies.json:*: network.layers: the layers read 7e+07 inputs, at most 67108864 are possible" \
    "$(cat err)"
finish 90
