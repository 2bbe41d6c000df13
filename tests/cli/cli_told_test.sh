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
is_idle train.optimizer.decays=all "train.optimizer.weight_decay is 0"
is_idle train.optimizer.decays=all "train.optimizer.weight_decay is 0" --set train.optimizer.kind=adam
does check plain.json --set train.optimizer=adamw --set train.optimizer.decays=all
want "a default that is not 0 does not rule" "" "$(cat err)"
idle_rate() { # ENTRY PATTERN LR_SCALE [ARGUMENT]...
    told "train.lr_scale[$1] has no effect: all that \"$2\" matches is held by train.freeze, or matched by a later pattern" \
        check plain.json --set "train.lr_scale=$3" "${@:4}"
}
idle_rate 0 hidden1 '[{"labels": "hidden1", "factor": 2}, {"labels": "*", "factor": 3}]'
idle_rate 1 '*.bias' '[{"labels": "*", "factor": 2}, {"labels": "*.bias", "factor": 3}]' --set 'train.freeze=["*.bias"]'
does check plain.json --set 'train.lr_scale=[{"labels": "*", "factor": 2}, {"labels": "*.bias", "factor": 3}]' \
    --set 'train.freeze=["hidden1"]'
want "rates that something moves by" "" "$(cat err)"
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

# Keys that have none because of what another one says, here or elsewhere.
is_idle_among() { # KEY=VALUE REASON ARGUMENT...: among other lines
    run check plain.json "${@:3}" --set "$1"
    want_like "$1" "*warning: --set $1: ${1%%=*} has no effect: $2*" "$(cat err)"
}
is_idle_among data.width=5 "data.depth is 0" --set data.kind=teacher --set data.depth=0 \
    --set train.loss=mean_squared_error
printf 'a,b\n1,x\n2,y\n' >two.csv
is_idle_among data.seed=4 "data.test_fraction is 0" --set data.kind=csv --set data.path=two.csv \
    --set data.test_fraction=0
for key in data.seed=4 data.test_fraction=0.5; do
    is_idle_among "$key" "data.test_path is given" --set data.kind=csv --set data.path=two.csv \
        --set data.test_path=two.csv
done
does train plain.json --set report.save_initial=true --set network.skip=highway --quiet --out gates
is_idle network.skip.gate_bias=-3 "network.weights is given" --set network.skip=highway \
    --set network.weights=gates/initial.safetensors
for key in init output_init bias_init; do
    is_idle "network.$key=zeros" "network.weights is given" --set network.skip=highway \
        --set network.weights=gates/initial.safetensors
done
cat >biases.json <<'END'
{"data": {"kind": "spirals", "samples": 100, "test_samples": 40}, "train": {"batch_size": 16, "steps": 3},
 "network": {"layers": [{"op": "linear", "units": 2, "bias": false, "bias_init": "zeros"}]}}
END
told "biases.json:2:69: network.layers[0].bias_init has no effect: network.layers[0].bias is false" check biases.json
does check biases.json --set network.layers.0.bias=true
want "a --set of the ruler is meant to rule" "" "$(cat err)"
sed -i 's/"bias": false, "bias_init": "zeros"/"init": "zeros"/' biases.json
does train biases.json --set report.save_initial=true --quiet --out biases
sed 's/"network": {/&"weights": "biases\/initial.safetensors", /' biases.json >loaded.json
told "loaded.json:2:95: network.layers[0].init has no effect: network.weights is given" check loaded.json
does train biases.json --set network.skip.growth=3 --set network.depth=7 --set network.depth=8 --set network.activation.slope=2 --set seed=2 --quiet
want "what stands below a key without effect is in no name" "biases,seed=2" "$(cd runs && echo biases*)"

# In cells what has none in all of them.
told "--set data.path=x: data.path has no effect: data.kind is spirals" cells plain.json --grid network.depth=2,3 \
    --set data.path=x --set report.save_initial=true --out shared
does cells plain.json --grid network.skip.kind=none,concat --set network.skip.growth=3 --out kinds
want "what some cells use is not told" "" "$(cat err)"
# Of many the first hundred are told and the others counted, of cells those that have none in all, whichever is first.
{
    echo '{"data": {"kind": "spirals", "samples": 100, "test_samples": 40}, "network": {"layers": ['
    for ((i = 0; i < 150; i++)); do
        echo '{"op": "linear", "units": 2, "bias": false, "bias_init": "zeros"}'"$( ((i < 149)) && echo ,)"
    done
    echo ']}, "train": {"lr_schedule": {"kind": "constant", "every": 3}}}'
} >many.json
counted() { # TOLD MORE ARGUMENT...
    does "${@:3}"
    want "skipnet ${*:3}: told" "$1" "$(grep -c 'bias_init has no effect' err)"
    want "skipnet ${*:3}: counted" "warning: $2 more keys of many.json have no effect" "$(grep more err)"
}
counted 100 51 check many.json
counted 100 51 cells many.json --grid train.lr=1,2 --out many
counted 100 50 cells many.json --grid train.lr_schedule.kind=constant,step --out many2
counted 100 50 cells many.json --grid train.lr_schedule.kind=step,constant --out many3

# In a file that chooses no kind it is an error; --set, and a sweep over the kinds, choose one.
sed 's/"width": 8/"skip": {"layers_per_block": 2}/' plain.json >unchosen.json
refuses 2 'unchosen.json:2:35: network.skip.layers_per_block: has no effect: no skip is chosen here, which means "none"; '\
'the key belongs to "add", "concat", "highway" (add "kind": "add")' check unchosen.json
does check unchosen.json --set network.skip.kind=add
want "chosen by --set" "" "$(cat err)"
does cells unchosen.json --grid network.skip.kind=none,add --out sweep --dry-run
echo '{"data": {"path": "two.csv"}}' >data.json
refuses 4 "fashion-mnist: $PWD/two.csv is a file, where data.path names the directory of the IDX files (for a table "\
'set data.kind to "csv")' train data.json
echo '{"data": {"target": "species"}}' >data.json
refuses 2 'data.json:1:11: data.target: has no effect: no data source is chosen here, which means "fashion-mnist"; '\
'the key belongs to "csv" (add "kind": "csv")' train data.json

# What was guessed is told again when a run's own config.json is read, until somebody says it.
printf '1,2,a\n3,4,b\n5,6,a\n7,8,b\n9,1,a\n' >table.csv
echo '{"data": {"kind": "csv", "path": "table.csv"}, "network": {"depth": 1, "width": 2},
  "train": {"steps": 2, "batch_size": 2}}' >table.json
header="$PWD/table.csv: row 1 is taken as a header though 2 of its 3 cells are numbers"
header+=": set data.header to false if it is data (true says that it is none)"
told "$header" train table.json --quiet --out table
want "guesses are recorded" '  "guessed": ["data.header", "data.task"]' "$(grep guessed table/config.json)"
told "$header" train table/config.json --quiet --out again
want "resolved again" "$(cat table/config.json)" "$(cat again/config.json)"
told "$header" train table/config.json --quiet --out table --set train.steps=3 --resume
told "$header" eval table
does check table/config.json --set data.header=true
want "what is said is no guess" "" "$(cat err)"
does train table.json --set data.header=true --set data.task=classes --quiet --out said
want "nothing was guessed" "" "$(grep guessed said/config.json)"
run check table.json --set 'guessed=[1]'
want_like "a list of texts" "*guessed*expected a string*" "$(cat err)"

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
as_option "a key of the config: --set train.lr=-0.5" --lr -0.5
as_option "a key of the config: --set network.activation=relu" --activaton relu
refuses 2 'skipnet check: unknown option --output (see skipnet check --help)' check plain.json --output x
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
leads train.every_steps train.checkpoint.every_steps
leads momentun train.optimizer.momentum
leads train.seed 'seed" or "data.seed'

# Numbers as `seq -w` writes them, homes of a shell, labels.
refuses 2 '--set network.depth=08: cannot read the value (value:1:1: bad number, JSON has no leading zeros: write 8)' \
    check plain.json --set network.depth=08
refuses 2 '--set network.weights=~/w: network.weights: ~ is not expanded here: write the home directory out '\
'(or ./~ for a file of that name)' check plain.json --set 'network.weights=~/w'
# shellcheck disable=SC2088 # no shell expands it: that is what is tried
refuses 2 'skipnet check: cannot take ~/a.json (~ is expanded by the shell only, and where a word begins with it; '\
'write $HOME) (see skipnet check --help)' check '~/a.json'
refuses 2 '--set data.path=~me/x: data.path: ~ is not expanded here: write the home directory out '\
'(or ./~ for a file of that name)' check plain.json --set data.kind=fashion-mnist --set 'data.path=~me/x'
gzip -c plain.json >packed.json
for verb in check train gradcheck bench; do
    refuses 2 'packed.json:1:1: this is no JSON text but gzip data (unpack it first: gunzip -c FILE >NEW)' "$verb" \
        packed.json
done
gzip -c gates/initial.safetensors >packed.safetensors
want_like "packed weights" "*packed.safetensors: gzip data (unpack it first: gunzip*" \
    "$("$skipnet" check plain.json --set network.weights=packed.safetensors 2>&1 || true)"
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
finish 180
