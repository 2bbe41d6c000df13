#!/usr/bin/env bash
# The command line itself: help, verbs, options, lists, schema, version; standard output that is full, closed or gone.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

version=$(sed -n 's/^project(skipnet VERSION \([0-9.]*\).*/\1/p' "$source_dir/CMakeLists.txt")
for call in version --version -V; do
    does "$call"
    want_like "$call" "skipnet $version (commit *)" "$(cat out)" # which one: tests/scripts/commit_test.sh
    want "$call: nothing on stderr" "" "$(cat err)"
done

# Every verb stands in the help with its line, and `help VERB`, `VERB --help` and `VERB -h` are one text.
does help
cp out help
want "help: nothing on stderr" "" "$(cat err)"
want "help: first line" "skipnet $version: what depth does to the gradient, and what skip connections do about it" \
    "$(head -n 1 help)"
for call in --help -h; do
    does "$call"
    want_equal help out
done
want "help: the verbs" "train check cells compare eval gradcheck bench list schema help version" \
    "$(sed -n '/^usage/,/^skipnet/s/^  \([a-z]*\) .*/\1/p' help | paste -sd' ')"
for verb in train check cells compare eval gradcheck bench list schema help version; do
    does help "$verb"
    cp out "help.$verb"
    want "help $verb: nothing on stderr" "" "$(cat err)"
    want_like "help $verb" "usage: skipnet $verb*options:*-h, --help*" "$(cat out)"
    for call in --help -h; do
        does "$verb" "$call"
        want_equal "help.$verb" out
    done
done
does train --help missing.json --set x
want_equal help.train out
want "train: usage" "usage: skipnet train CONFIG [--set KEY=VALUE]... [--out DIR] [--threads N] [--resume] [--force] \
[--quiet] [--json]" "$(head -n 1 help.train)"

does # nothing was asked for: what there is, as cargo, docker and gh do
want_equal help out
refuses 2 'skipnet: no verb "trian", did you mean "train"? (see skipnet help)' trian
refuses 2 'skipnet: no verb "" (see skipnet help)' ""
refuses 2 'skipnet: no verb "-q", options stand after the verb (see skipnet help)' -q
refuses 2 'skipnet help: no verb "trian", did you mean "train"? (see skipnet help)' help trian
refuses 2 'skipnet help: does not know what to do with check (see skipnet help --help)' help train check
refuses 2 'skipnet train: wants CONFIG (see skipnet train --help)' train
refuses 2 'skipnet check: wants CONFIG (see skipnet check --help)' check
refuses 2 'skipnet compare: wants RUN|DIR... (see skipnet compare --help)' compare
refuses 2 'skipnet train: does not know what to do with b (see skipnet train --help)' train a b
refuses 2 'skipnet version: does not know what to do with now (see skipnet version --help)' version now
refuses 2 'skipnet schema: does not know what to do with all (see skipnet schema --help)' schema all
for verb in train check cells compare eval gradcheck bench list schema help version; do
    refuses 2 "skipnet $verb: unknown option --bogus (see skipnet $verb --help)" "$verb" a --bogus
done
refuses 2 'skipnet train: unknown option --bogus=3 (see skipnet train --help)' train --bogus=3 a
refuses 2 'skipnet train: unknown option -Z (see skipnet train --help)' train a -Z
refuses 2 'skipnet train: unknown option -Z (see skipnet train --help)' train -Zq a
refuses 2 'skipnet train: unknown option -Z (see skipnet train --help)' train -qZ a
refuses 2 'skipnet check: unknown option --out, an option of train, cells, compare (see skipnet check --help)' check a --out b
refuses 2 'skipnet compare: unknown option --set, an option of train, check, cells, gradcheck, bench (see skipnet compare --help)' compare a --set seed=1
refuses 2 'skipnet train: no value goes with --force=yes (see skipnet train --help)' train a --force=yes
refuses 2 'skipnet train: an argument is missing after --set (see skipnet train --help)' train a --set
refuses 2 'skipnet train: an argument is missing after --out (see skipnet train --help)' train a --out
refuses 2 'skipnet train: --out wants a directory (see skipnet train --help)' train a --out ""
for n in 0 -1 1025 abc 2x "" 1e2 99999999999999999999; do
    refuses 2 "skipnet train: --threads wants a whole number from 1 to 1024${n:+, got $n} (see skipnet train --help)" \
        train a --threads "$n"
done
for n in 0 -1 abc 2x "" ALL 99999999999999999999; do
    refuses 2 "skipnet gradcheck: --samples wants a whole number from 1 on, or all${n:+, got $n} (see skipnet gradcheck \
--help)" gradcheck a --samples "$n"
    refuses 2 "skipnet eval: --limit wants a whole number from 1 on${n:+, got $n} (see skipnet eval --help)" \
        eval a --limit "$n"
done
refuses 2 'skipnet eval: --split wants train or test, got valid (see skipnet eval --help)' eval a --split valid
refuses 2 'skipnet eval: --weights wants a file (see skipnet eval --help)' eval a --weights ""
refuses 2 'skipnet eval: --predictions wants a file (see skipnet eval --help)' eval a --predictions ""
refuses 2 'skipnet eval: wants RUN (see skipnet eval --help)' eval
refuses 2 'skipnet gradcheck: wants CONFIG (see skipnet gradcheck --help)' gradcheck
refuses 2 'skipnet train: --resume continues a run, --force replaces it: give one of them' train a --resume --force
want "nothing was made by refused calls" "" "$(find . -type d -name 'runs*' -o -name run.lock)"

# The lists: named by the plain verb, in the help of a wrong one, and each has lines.
does list
lists=$(sed -n 's/^skipnet list WHAT, where WHAT is one of: //p' out)
refuses 2 "skipnet list: nothing called \"op\" (one of: $lists)" list op
shown=0
for list in ${lists//,/}; do
    does list "$list"
    want "list $list: nothing on stderr" "" "$(cat err)"
    (($(wc -l <out) >= 1)) || { echo "list $list is empty" && exit 1; }
    cp out "list.$list"
    shown=$((shown + 1))
done
want "the lists were shown" "$(tr -cd ' ' <<<" $lists" | wc -c)" "$shown"
for word in ops:linear ops:concat activations:tanh inits:pytorch data:spirals networks:mlp optimizers:sgd \
    losses:mean_squared_error lr_schedules:cosine report_schedules:log; do
    want "list ${word%:*} has ${word#*:}" 1 "$(grep -c "^${word#*:} " "list.${word%:*}")"
done
# shellcheck disable=SC2016 # its own fields
want "list skips: as the pictures have them" "$(sed -n 's/^\([a-z]\+\) .*/\1/p' list.skips | paste -sd' ')" \
    "$(sed -n 's/^KINDS = (\(.*\)).*/\1/p' "$source_dir/scripts/skipnet_view/settings.py" | tr -d '",')"
want "list keys: one with its default" 1 "$(grep -cE '^train\.batch_size +whole number .* 128 ' list.keys)"
want "list metrics: the columns of the files" \
    "$loss_header,$gradients_header,step,layer,label,tensor,kind,exponent,count" \
    "$(awk '$1 ~ /\.csv$/ { print $2 }' list.metrics | paste -sd,)"

does schema
cp out schema
want "schema: nothing on stderr" "" "$(cat err)"
want_like "schema" '{"$schema":"https://json-schema.org/*"network"*}' "$(cat schema)"
if command -v python3 >/dev/null; then
    want "schema: JSON" "object" "$(python3 -c 'import json; print(json.load(open("schema"))["type"])')"
fi

# Standard output: full (buffered to the end or not), closed, gone.
full="cannot write standard output: No space left on device"
for call in version help schema "list keys"; do
    read -ra words <<<"$call"
    status=0
    "$skipnet" "${words[@]}" >/dev/full 2>err || status=$?
    want "$call to a full disk" "4 $full" "$status $(cat err)"
    status=0
    "$skipnet" "${words[@]}" >&- 2>err || status=$?
    want "$call to a closed stdout" "4 cannot write standard output: Bad file descriptor" "$status $(cat err)"
    mkfifo pipe
    "$skipnet" "${words[@]}" 2>err >pipe &
    : <pipe # a reader that opens and goes away
    status=0
    wait $! || status=$?
    rm pipe
    want "$call to a reader that went away" "0 " "$status $(cat err)"
done
finish 150
