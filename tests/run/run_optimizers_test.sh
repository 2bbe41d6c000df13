#!/usr/bin/env bash
# Every optimizer that the program lists: the same bytes for any number of threads, whatever is observed, and after a
# run that was made longer; its state in the checkpoint; what it refuses.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
does list optimizers
# Names begin their lines; keys are indented.
mapfile -t kinds < <(awk '/^[a-z]/ && $1 != "name" { print $1 }' out)
want "optimizers" "sgd adam adamw rmsprop lion" "${kinds[*]}"

# With all that a kind can keep for an element.
declare -A keys=([sgd]='"momentum":0.9' [adam]='"amsgrad":true,"weight_decay":0.1' [adamw]='"decays":"all"'
    [rmsprop]='"centered":true,"momentum":0.5' [lion]='"weight_decay":0.1')
declare -A slots=([sgd]=momentum_buffer [adam]='exp_avg exp_avg_sq max_exp_avg_sq' [adamw]='exp_avg exp_avg_sq'
    [rmsprop]='square_avg momentum_buffer grad_avg' [lion]=exp_avg)

want_same() { # DIRECTORY DIRECTORY
    local file
    for file in loss.csv gradients.csv final.safetensors; do want_equal "$1/$file" "$2/$file"; done
}

for kind in "${kinds[@]}"; do
    for precision in float32 float64; do
        more=(--set "train.optimizer={\"kind\":\"$kind\",${keys[$kind]}}" --set "precision=$precision" --set train.lr=0.002
            --set train.batch_size=50 --force -q)
        does train tiny.json --out whole --threads 1 "${more[@]}"
        want_csvs whole
        for threads in 2 3; do
            does train tiny.json --out again --threads $threads "${more[@]}"
            want_same whole again
        done
        does train tiny.json --out again "${more[@]}" --set report.schedule.kind=linear
        want_equal whole/final.safetensors again/final.safetensors
        does train tiny.json --out short "${more[@]}" --set train.steps=6
        want_other whole/final.safetensors short/final.safetensors
        does train tiny.json --out short "${more[@]:0:8}" -q --resume
        want_same whole short
        for slot in ${slots[$kind]}; do
            want "$kind keeps $slot" 1 "$(grep -ac "\"hidden1.weight.$slot\"" short/checkpoint.safetensors)"
        done
    done
done

# Adam's first step is lr in every element, but for eps.
does train tiny.json --out adam -q --set train.optimizer=adam --set train.lr=0.001 --set precision=float64
want "the first step of adam" "3 of 3" "$(column adam/gradients.csv update_norm 0 |
    awk 'NR > 1 && NR < 5 { n++; whole += $1 / 0.008 > 0.999 && $1 / 0.008 <= 1 } END { print whole " of " n }')"

# A root that is exactly 0 is below any eps, though the square of this one is 0.
does train tiny.json --out zeros -q --set network.activation=relu --set precision=float64 \
    --set 'train.optimizer={"kind":"adam","eps":1e-200}'
want "eps_frac: zeros" "$(column zeros/gradients.csv grad_zero_frac 0)" "$(column zeros/gradients.csv eps_frac 0)"
want "eps_frac: there are some" 1 "$(column zeros/gradients.csv eps_frac 0 | awk '$1 > 0 { n = 1 } END { print n }')"

# What is held does not move, and is not called frozen; what has a rate of its own moves by it.
does train tiny.json --out held -q --set 'train.freeze=["hidden[12]", "output.bias"]' --set report.save_initial=true
want "held: updates" 2 "$(column held/gradients.csv update_norm 0 | head -n 2 | grep -c '^$')"
want "held: the others move" 3 "$(column held/gradients.csv update_norm 0 | tail -n 3 | grep -c .)"
want "held: frozen layers" 0 "$(column held/loss.csv frozen_layers 0)"
want "held: the norm stays" 1 "$(column held/gradients.csv weight_norm | awk 'NR % 5 == 1' | sort -u | wc -l)"
does train tiny.json --out features --set 'train.freeze=["hidden*"]'
want "held: nothing is known of hidden layers" "" "$(column features/loss.csv frozen_layers 0)"
want "held: the output moves" 1 "$(column features/loss.csv update_norm 0 | grep -c '[1-9]')"
want "held: what is said" "whether layers are frozen was not measured: no update of them followed step 9" \
    "$(grep ^whether out)"
does train tiny.json --out plain -q --set precision=float64
does train tiny.json --out scaled -q --set precision=float64 \
    --set 'train.lr_scale=[{"labels": "*", "factor": 2}, {"labels": "hidden2", "factor": 0.5}]'
want "rates of their own" "2 0.5 2 2 2" "$(paste <(column plain/gradients.csv update_norm 0) \
    <(column scaled/gradients.csv update_norm 0) | awk '{ printf "%s%g", (NR > 1 ? " " : ""), $2 / $1 }')"
does check tiny.json --set 'train.freeze=["hidden1"]'
want "check tells" "held           24 of them, by train.freeze" "$(grep ^held out)"
does train tiny.json --out clipped -q --set precision=float64 --set train.clip_norm=1e-3 --set 'train.freeze=["hidden1"]'
want "clipped: by the norm of what moves" 5e-05 "$(column clipped/loss.csv update_norm 0 | awk '{ printf "%.10g", $1 }')"
does train tiny.json --out all -q --set 'train.freeze=["*"]'
want "all held" "warning: train.freeze holds every parameter: none will move" "$(head -n 1 err)"

# Old configs keep their hash with the new keys at their defaults.
does train tiny.json --out plain2 -q --set precision=float64 --set 'train.freeze=[]' --set 'train.lr_scale=[]' \
    --set train.optimizer.decays=matrices
want "hash" "$(value_of plain/run.json config_hash)" "$(value_of plain2/run.json config_hash)"

refuses 2 '--set train.freeze=["hiden1"]: train.freeze[0]: "hiden1" matches no label of a node with parameters, did you mean "hidden1"?' \
    check tiny.json --set 'train.freeze=["hiden1"]'
refuses 2 '--set train.lr_scale=[{"labels":"x*","factor":2}]: train.lr_scale[0].labels: "x*" matches no label of a node with parameters (skipnet check lists them, the first is "hidden1")' \
    check tiny.json --set 'train.lr_scale=[{"labels":"x*","factor":2}]'
refuses 2 '--set train.optimizer={"kind":"adam","betas":[0.9]}: train.optimizer.betas: has 1 number, expected two: [beta1, beta2]' \
    check tiny.json --set 'train.optimizer={"kind":"adam","betas":[0.9]}'
refuses 2 '--set train.optimizer={"kind":"lion","betas":[0.9,1]}: train.optimizer.betas[1]: 1 is too large (a number, at least 0 and below 1)' \
    check tiny.json --set 'train.optimizer={"kind":"lion","betas":[0.9,1]}'
refuses 2 '--set train.optimizer.nesterov=true: train.optimizer.nesterov: needs a momentum above 0 (set train.optimizer.momentum)' \
    check tiny.json --set train.optimizer.nesterov=true

# A label may have characters that mean something else in a pattern: the remedy is one that matches.
cat >odd.json <<'END'
{"data": {"kind": "spirals", "samples": 100, "test_samples": 40},
 "network": {"layers": [{"op": "linear", "units": 4, "label": "a[1]"}, {"op": "tanh"},
                        {"op": "linear", "units": 2, "label": "b\\c"}]}}
END
escape="matches no label of a node with parameters: [ and \\ mean no characters there"
refuses 2 "--set train.freeze=[\"a[1]\"]: train.freeze[0]: \"a[1]\" $escape (write \"a[[]1]\")" \
    check odd.json --set 'train.freeze=["a[1]"]'
refuses 2 "--set train.freeze=[\"b\\\\c.bias\"]: train.freeze[0]: \"b\\c.bias\" $escape (write \"b\\\\c.bias\")" \
    check odd.json --set 'train.freeze=["b\\c.bias"]'
does check odd.json --set 'train.freeze=["a[[]1]", "b\\\\c.bias"]'
want "escaped" "held           14 of them, by train.freeze" "$(grep ^held out)"
finish 153
