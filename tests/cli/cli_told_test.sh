#!/usr/bin/env bash
# What is told besides and what leads out of a mistake: keys without effect, verbs, options and keys that are misspelt
# or stand in the wrong place.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

cat >plain.json <<'END'
{"data": {"kind": "spirals", "samples": 100, "test_samples": 40},
 "network": {"depth": 3, "width": 8},
 "train": {"batch_size": 16, "steps": 3}}
END

# One line for each key without effect, in every verb that takes a config, with --quiet too, and in no name of a run.
told() { # LINE ARGUMENT...
    does "${@:2}"
    want "skipnet ${*:2}: told" "warning: $1" "$(cat err)"
}
scale="--set network.skip.branch_scale=0.5: network.skip.branch_scale has no effect: network.skip.kind is none"
told "$scale" check plain.json --set network.skip.branch_scale=0.5
told "$scale" gradcheck plain.json --set network.skip.branch_scale=0.5 --samples 5
told "$scale" bench plain.json --set network.skip.branch_scale=0.5 --steps 2 --threads 1
told "$scale" train plain.json --set network.skip.branch_scale=0.5 --set network.depth=4 --quiet
want "the run is called by what has an effect" "plain,depth=4" "$(ls runs)"
is_idle() { # KEY=VALUE REASON [ARGUMENT]...
    told "--set $1: ${1%%=*} has no effect: $2" check plain.json "${@:3}" --set "$1"
}
is_idle train.lr_schedule.every=10 "train.lr_schedule.kind is constant"
is_idle data.path=x "data.kind is spirals"
is_idle network.activation.slope=0.1 "network.activation.kind is tanh"
is_idle network.skip.growth=4 "network.skip.kind is add" --set network.skip=add
is_idle report.schedule.every=3 "report.schedule.kind is log"
is_idle network.init.std=1 "network.init.kind is pytorch"
is_idle train.epochs=4 "train.steps is given"
told "train.batch_size is 101, the data have 100 training samples: every step takes all" check plain.json \
    --set train.batch_size=101
told "network.skip.layers_per_block is 3, network.depth leaves 2 layers for blocks: there is one, of 2" check plain.json \
    --set network.skip=add --set network.skip.layers_per_block=3
told "network.skip has no effect: network.depth is 1, and blocks begin after the first layer" check plain.json \
    --set network.skip=add --set network.depth=1
sed 's/"depth": 3, "width": 8/"depth": 3, "layers": [{"op": "linear", "units": 2}]/' plain.json >list.json
told "list.json:2:14: network.depth has no effect: network.layers is given" check list.json
does check plain.json --set train.batch_size=100 --set network.skip=add --set network.skip.layers_per_block=2
want "what fits is not told" "" "$(cat err)"
does check runs/plain,depth=4/config.json
want "a resolved config has no key without effect" "" "$(cat err)"

# In a file that chooses no kind it is an error; --set, and a sweep over the kinds, choose one.
sed 's/"width": 8/"skip": {"layers_per_block": 2}/' plain.json >unchosen.json
refuses 2 'unchosen.json:2:35: network.skip.layers_per_block: has no effect: no skip is chosen here, which means "none"; '\
'the key belongs to "add", "concat", "highway" (add "kind": "add")' check unchosen.json
does check unchosen.json --set network.skip.kind=add
want "chosen by --set" "" "$(cat err)"
does cells unchosen.json --grid network.skip.kind=none,add --out sweep --dry-run
echo '{"data": {"target": "species"}}' >data.json
refuses 2 'data.json:1:11: data.target: has no effect: no data source is chosen here, which means "fashion-mnist"; '\
'the key belongs to "csv" (add "kind": "csv")' train data.json

# Verbs and options with a letter too few, too many or another one.
misspell() { # WORD: one way or another, by its length
    case $((${#1} % 3)) in
    0) echo "${1:1:1}${1:0:1}${1:2}" ;;
    1) echo "${1:0:2}x${1:2}" ;;
    2) echo "${1:0:2}x${1:3}" ;;
    esac
}
verbs=$("$skipnet" help | sed -n '/^usage/,/^skipnet/s/^  \([a-z]*\) .*/\1/p')
n_options=0
for verb in $verbs; do
    run "$(misspell "$verb")"
    want_like "misspelt verb" "skipnet: no verb \"$(misspell "$verb")\", did you mean \"$verb\"? (see skipnet help)" \
        "$(cat err)"
    for option in $("$skipnet" "$verb" --help | sed -n 's/^  .*  *--\([a-z-]*\).*/\1/p'); do
        run "$verb" x "--$(misspell "$option")"
        want "misspelt option: exit status" 2 "$status"
        want_like "misspelt option of $verb" "*unknown option --$(misspell "$option"), did you mean --$option?*" \
            "$(cat err)"
        n_options=$((n_options + 1))
    done
done
((n_options >= 40)) || { echo "only $n_options options" && exit 1; }
refuses 2 'skipnet: no verb "evaluate", did you mean "eval"? (see skipnet help)' evaluate
refuses 2 'skipnet: no verb "a.json", did you mean skipnet train a.json? (see skipnet help)' a.json
refuses 2 'skipnet: no verb "--quiet", options stand after the verb (see skipnet help)' --quiet train a.json

# A key that is given as an option.
as_option() { # ADVICE ARGUMENT...
    refuses 2 "skipnet train: unknown option $2, $1 (see skipnet train --help)" train plain.json "${@:2}"
}
as_option "a key of the config: --set network.activation=relu" --activation relu
as_option "a key of the config: --set train.lr=0.1" --lr=0.1
as_option "a key of the config: --set train.lr=0.1" --learning-rate 0.1
as_option "a key of the config: --set train.batch_size=32" --batch-size 32
as_option "the end of several keys of the config: --set data.depth=3, --set network.depth=3" --depth 3
refuses 2 'skipnet check: unknown option --out, an option of train, cells, compare (see skipnet check --help)' \
    check a --out b

# Keys without their path, or in a wrong one.
leads() { # KEY MEANT
    run check plain.json --set "$1=1"
    want_like "unknown key $1" "*unknown key \"*\", did you mean \"$2\"?" "$(cat err)"
}
leads lr train.lr
leads activation network.activation
leads train.momentum train.optimizer.momentum
leads optimizer.momentum train.optimizer.momentum
leads network.layers_per_block network.skip.layers_per_block
leads network.growth network.skip.growth
leads train.every_steps train.checkpoint.every_steps
leads momentun train.optimizer.momentum
leads train.seed 'seed" or "data.seed'

# Numbers as `seq -w` writes them, homes of a shell, labels.
refuses 2 '--set network.depth=08: cannot read the value (value:1:1: bad number, JSON has no leading zeros: write 8)' \
    check plain.json --set network.depth=08
refuses 2 '--set network.weights=~/w: network.weights: ~ is not expanded here: write the home directory out '\
'(or ./~ for a file of that name)' check plain.json --set 'network.weights=~/w'
want_like "--out=~" "*--out wants a directory (~ is expanded by the shell only*" \
    "$("$skipnet" train plain.json --out='~/runs' 2>&1 || true)"
cat >labels.json <<'END'
{"data": {"kind": "spirals"}, "network": {"layers": [
  {"op": "linear", "units": 2, "label": "first"},
  {"repeat": 2, "layers": [{"op": "tanh", "label": "t"}]},
  {"op": "add", "inputs": ["frist", "t"]}]}}
END
run check labels.json
want_like "near labels" '*no earlier entry has the label "frist", did you mean "first"?*
*no earlier entry has the label "t", did you mean "t.2"?*' "$(cat err)"
printf 'PK\003\004 torch' >w.pt
run check plain.json --set network.weights=w.pt
want "a file of torch: exit status" 2 "$status"
want_like "a file of torch" "*w.pt: a file of torch.save*safetensors.torch*save_file*torch.load*" "$(cat err)"
finish 150
