#!/usr/bin/env bash
# Configs that are called by name: where they are looked for and what is told of it, every verb that takes a CONFIG, the
# list of them.  And the first one that a newcomer trains learns.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

shipped=$source_dir/configs
told() { # NAME [DIRECTORY]
    want "$1: told" "config $1: ${2:-$shipped}/$1.json" "$(cat err)"
}

# What --help recommends: the run of the file, called by its name, and it learns.
recommended=$("$skipnet" help | sed -n 's/.*A run in a minute: skipnet train //p')
want "help: recommends" spirals "$recommended"
does train "$recommended" --threads 1
want "the run's place" "results: runs/spirals" "$(tail -n 1 out)"
told spirals
accuracy=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "test_accuracy") c = i; next }
    $c != "" { last = $c } END { print last }' runs/spirals/loss.csv)
want "spirals: test accuracy $accuracy is at least 0.95" yes \
    "$(awk -v a="$accuracy" 'BEGIN { print (a >= 0.95 && a <= 1) ? "yes" : "no" }')"
does train spirals -q
want "-q: nothing is told" "" "$(cat err)"
does train "$shipped/spirals.json" --threads 1 --out file -q
want_equal runs/spirals/final.safetensors file/final.safetensors
want_equal runs/spirals/config.json file/config.json

# Every verb that takes a CONFIG.
does check studies/depth
told studies/depth
does check deep50 --set network.depth=3
told deep50
does gradcheck spirals --set network.depth=2 --samples 2 --threads 1
told spirals
does bench spirals --set network.depth=2 --steps 2 --threads 1
told spirals
does cells studies/depth --grid seed=1,2 --set data=spirals --out sweep
told studies/depth
want "cells: lines" 2 "$(wc -l <sweep/cells.txt)"
want "cells: the name" '"depth"' "$(value_of sweep/config.json name)"
does train spirals --set train.steps=2 --threads 1 --json
want "with --set" "runs/spirals,steps=2" "$(echo runs/spirals,*)"

# The list: every shipped config with what it shows, each can be called.
does list configs
cp out list
want "list: nothing on stderr" "" "$(cat err)"
want "list: the names" "$(cd "$shipped" && find . -name '*.json' | sed 's|^\./||; s|\.json$||' | sort)" \
    "$(sed 's/ .*//' list | sort)"
want "list: each says what it shows" "" "$(awk 'NF < 4' list)"
want_like "list: a first sentence" "spirals *Two spirals and a residual network of 20 layers: * 0.99." "$(grep ^spirals list)"
want "list: order" "deep50 deep50-add" "$(sed 's/ .*//' list | head -n 2 | paste -sd' ')"
while read -r name _; do # one of each folder: most of them read data
    other=()
    [[ $name != conv/* ]] || other=(--set data.kind=textures) # the photographs are not here
    does check "$name" "${other[@]}"
    told "$name"
done < <(awk '{ folder = $1; sub(/[^\/]*$/, "", folder) } !seen[folder]++' list)

# What lies here wins: a file, and a directory (which is no config).
cp "$shipped/spirals.json" spirals
does check spirals
want "a file of that name: nothing is told" "" "$(cat err)"
want_like "a file of that name: its stem is not asked" "*20 hidden + output*" "$(cat out)"
rm spirals
mkdir spirals
run check spirals
want "a directory of that name" "4 " "$status $(cat out)"
want_like "a directory of that name: message" "*spirals*irectory*" "$(cat err)"
rmdir spirals

# SKIPNET_CONFIGS comes before, in its order; what is no config in it is none.
mkdir -p mine/deeper other
write_tiny mine/spirals.json
write_tiny mine/deeper/tiny.json
write_tiny other/spirals.json
write_tiny other/only.json
echo 'no JSON' >other/broken.json
echo '{"comment": 1}' >other/odd.json
touch mine/notes.txt
ln -s .. mine/deeper/up
export SKIPNET_CONFIGS=nowhere::$work/mine:$work/other
does check spirals
told spirals "$work/mine"
does check only
told only "$work/other"
does check deeper/tiny
told deeper/tiny "$work/mine"
does check deep50
told deep50
does list configs
want "list: mine first, a name once, what cannot be read by its name" "spirals deeper/tiny broken odd only deep50" \
    "$(awk '{ print $1 }' out | head -n 6 | paste -sd' ')"
want "list: a name once" 1 "$(grep -c '^spirals' out)"
unset SKIPNET_CONFIGS

# What names a place is looked for there only.
none="no such file, and no config of that name comes with skipnet (see skipnet list configs)"
refuses 4 "cannot read spirls: $none" train spirls
refuses 4 "cannot read studies: $none" check studies
refuses 4 "cannot read x/spirals: $none" check x/spirals
for place in spirals.json ./spirals "$work/spirals" ../spirals studies/../spirals; do
    refuses 4 "cannot open $place: No such file or directory" check "$place"
done
refuses 4 "cannot open : No such file or directory" check ""
finish 75
