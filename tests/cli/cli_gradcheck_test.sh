#!/usr/bin/env bash
# skipnet gradcheck: right gradients pass, what cannot be verified is no pass, always in double and on the first batch.
# That wrong gradients fail is shown by test_gradcheck, which can make some.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
rows() { sed -n '/^tensor /,/^$/p' out | sed '1d;/^$/d'; }
# Of each row: tensor, elements, checked, agreeing, differing, at kinks, below, verdict (errors are of the machine).
counts() { rows | sed 's/not verified/unverified/' | awk '{ print $1, $2, $3, $4, $5, $6, $7, $9 }'; }

does gradcheck tiny.json --threads 1
want "nothing on stderr" "" "$(cat err)"
want "first line" "float64, first batch of 16 samples, training mode" "$(head -n 1 out)"
want_like "second line" "loss 0.*, its noise [1-9]*e-1[5-9], limit of relative error 1e-05" "$(sed -n 2p out)"
want "rows" "\
hidden1.weight 16 16 16 0 0 0 pass
hidden1.bias 8 8 8 0 0 0 pass
hidden2.weight 64 20 20 0 0 0 pass
hidden2.bias 8 8 8 0 0 0 pass
hidden3.weight 64 20 20 0 0 0 pass
hidden3.bias 8 8 8 0 0 0 pass
hidden4.weight 64 20 20 0 0 0 pass
hidden4.bias 8 8 8 0 0 0 pass
output.weight 16 16 16 0 0 0 pass
output.bias 2 2 2 0 0 0 pass" "$(counts)"
want "end" "126 coordinates: 126 agree, 0 differ, 0 at kinks, 0 below the resolution of differences
10 tensors: 10 pass, 0 fail" "$(tail -n 2 out)"
want "a row has its worst coordinate" 10 "$(rows | grep -cE ' [0-9.e-]+ +pass +\[[0-9]+(,[0-9]+)?\]$')"
want "no files" "err out tiny.json" "$(find . -type f -printf '%f\n' | sort | paste -sd' ')"
cp out first

# Equal bytes: again, by other threads, in whatever precision the config asks for; other options of training do not enter.
for options in "--threads 3" "--set precision=float32" "--set precision=float64" "--set train.clip_norm=1e-6" \
    "--set train.optimizer.weight_decay=0.5" "--set train.optimizer.momentum=0.9" "--set train.lr=100"; do
    read -ra words <<<"$options"
    does gradcheck tiny.json "${words[@]}"
    want_equal first out
done
does gradcheck tiny.json --set seed=2
want_other first out
"$skipnet" gradcheck - <tiny.json >out 2>err
want_equal first out

# --samples.
does gradcheck tiny.json --samples all
want "all coordinates" "258 coordinates: 258" "$(tail -n 2 out | grep -o '^[0-9]* coordinates: [0-9]*')"
does gradcheck tiny.json --samples 3
want "three of each, two where there are no more" "29 coordinates: 29 agree" "$(tail -n 2 out |
    grep -o '^[0-9]* coordinates: [0-9]* agree')"

# JSON: the same counts.
does gradcheck tiny.json --json
if command -v python3 >/dev/null; then
    want "JSON" "float64 16 10 0 0 10 126 1e-05 True" "$(python3 - <<'END'
import json
r = json.load(open("out"))
t = r["tensors"]
print(r["precision"], r["samples"], r["pass"], r["fail"], r["unverified"], len(t), sum(x["agree"] for x in t),
      r["limit"], all(0 <= x["worst_error"] < 1e-5 and len(x["worst_at"]) in (1, 2) for x in t))
END
)"
fi

# Regression, skips, a norm, learned scales at their start: the branches have no gradient there, which is an exact 0.
does gradcheck tiny.json --set data.kind=teacher --set train.loss=mean_squared_error --set network.norm=layer
want_like "regression" "*18 tensors: 18 pass, 0 fail" "$(cat out)"
does gradcheck tiny.json --set 'network.skip={"kind":"add","branch_scale":{"learned":0}}'
want "scales at 0: the branches have exact zeros" "hidden2.weight 64 20 20 0 0 0 pass" "$(counts | sed -n 3p)"
want "scales at 0: the last line" "13 tensors: 13 pass, 0 fail" "$(tail -n 1 out)"

# An input that is exactly 0: its weight has a gradient of exactly 0, and moves nothing.
echo 1,0,0.1056 >one.csv
cat >zero.json <<'END'
{
  "data": {"kind": "csv", "path": "one.csv", "header": false, "test_fraction": 0, "scaling": "none",
           "task": "regression"},
  "network": {"layers": [{"op": "linear", "units": 1, "label": "out"}]},
  "train": {"loss": "mean_squared_error", "batch_size": 1}
}
END
does gradcheck zero.json
want "an input of 0" "\
out.weight 2 2 2 0 0 0 pass
out.bias 1 1 1 0 0 0 pass" "$(counts)"
want "an input of 0: no advice" "" "$(sed -n '/^2 tensors/q;/^out.bias/,$p' out | sed '1d;/^3 coord/d;/^$/d')"

# With relu and weights of zero every unit stands at its bend: kinks, reported and no pass.  What moves nothing agrees.
cat >bend.json <<'END'
{
  "data": {"kind": "gaussian", "in_dim": 3, "classes": 2, "samples": 9, "scaling": "none"},
  "network": {"layers": [
    {"op": "linear", "units": 4, "init": "zeros", "bias": false, "label": "a"}, {"op": "relu"},
    {"op": "linear", "units": 2, "label": "b"}]}
}
END
does gradcheck bend.json
want "kinks" "a.weight 12 12 0 0 12 0 unverified" "$(counts | head -n 1)"
want_like "kinks: the reason" "*not verified  kinks: differences of different steps do not agree*" "$(cat out)"
want "kinks: the end" "
Some differences are taken across kinks of the loss.  Fewer of them:
  a smaller batch (--set train.batch_size=) or
  smooth activations in network.layers.

22 coordinates: 10 agree, 0 differ, 12 at kinks, 0 below the resolution of differences
3 tensors: 2 pass, 0 fail, 1 could not be verified, which is no pass" "$(tail -n 7 out)"

# Gradients of 1e-17 are not to be seen in a loss of 1: nothing is verified.
cat >small.json <<'END'
{
  "data": {"kind": "gaussian", "in_dim": 3, "classes": 2, "samples": 9},
  "network": {"layers": [
    {"op": "linear", "units": 2, "label": "a"}, {"op": "tanh"}, {"op": "scale", "factor": 1e-17}]},
  "train": {"batch_size": 9}
}
END
run gradcheck small.json
want "nothing verified: exit status" 1 "$status"
want_like "nothing verified: message" "*nothing was verified: every coordinate is at a kink or below resolution" "$(cat err)"
want "nothing verified: the end" "\
a.weight         6        6       0       0      0      6  -            not verified  too small a gradient for the loss to show
a.bias           2        2       0       0      0      2  -            not verified  too small a gradient for the loss to show

Some gradients are too small for differences of this loss.  What makes them larger:
  larger initial weights (init) of the entries of network.layers.

8 coordinates: 0 agree, 0 differ, 0 at kinks, 8 below the resolution of differences
2 tensors: 0 pass, 0 fail, 2 could not be verified, which is no pass" "$(tail -n 8 out)"

# Advice names keys that the config has, and those that would change something.
advice() { sed -n '/^Some gradients\|^The network/,/^$/p' out | grep -o 'network\.[a-z_.]*[a-z]' | paste -sd' '; }
deep=(--set network.depth=40 --set network.skip=none --set network.activation=sigmoid --samples 2 --threads 1)
does gradcheck tiny.json "${deep[@]}"
want "advice: a family" "network.depth network.init.gain network.skip" "$(advice)"
does gradcheck tiny.json "${deep[@]}" --set 'network.init={"kind":"constant","value":0.01}' \
    --set network.output_init=pytorch
want "advice: an init without gain" "network.depth network.skip" "$(advice)"
does gradcheck tiny.json "${deep[@]}" --set network.skip=highway --set network.norm=layer --set network.depth=1
want "advice: none where nothing is small" "" "$(advice)"

# Norms one upon the other over features that hardly differ: nothing right is called wrong, and the reason is told.
cat >ill.json <<'END'
{
  "data": {"kind": "gaussian", "in_dim": 4, "classes": 3, "samples": 12},
  "network": {"layers": [
    {"op": "linear", "units": 5, "label": "a", "init": {"kind": "normal", "std": 1e-9},
     "bias_init": {"kind": "constant", "value": 0.7}},
    {"op": "batch_norm", "eps": 1e-14, "label": "n1"}, {"op": "layer_norm", "eps": 1e-14, "label": "n2"},
    {"op": "batch_norm", "eps": 1e-14, "label": "n3"}, {"op": "linear", "units": 3, "label": "b"}]}
}
END
does gradcheck ill.json --samples all --threads 1
want "ill-conditioned: the reason" \
    "a.weight 20 20 0 0 20 0 unverified ill-conditioned: differences of different steps do not agree" \
    "$(counts | head -n 1) $(rows | sed -n '1s/.*not verified  //p')"
want_like "ill-conditioned: the advice" "*The network is ill-conditioned, as with norms over features that hardly differ.  \
What helps:
  a larger eps of the norms in network.layers, or fewer of them.
*" "$(cat out)"
want_like "ill-conditioned: nothing is called wrong" "*
10 tensors: * pass, 0 fail, * could not be verified, which is no pass" "$(cat out)"
if command -v python3 >/dev/null; then
    does gradcheck ill.json --samples all --threads 1 --json
    want "JSON: reasons" "True True" "$(python3 - <<'END'
import json
t = json.load(open("out"))["tensors"]
print(t[0]["reason"].startswith("ill-conditioned: "),
      all((x["reason"] is None) == (x["verdict"] != "unverified") for x in t))
END
)"
fi

# A progress line on a terminal, wiped before each row; nothing of it elsewhere.
if has_terminal; then
    escape=$'\033'
    slow="'$skipnet' gradcheck tiny.json --samples all --threads 1 --set network.depth=8"
    terminal "$slow >tty.out"
    want_like "the progress line" "*$escape\[Ktensor 1/18  coordinate 1/16*" "$(cat shown)"
    want "the progress line is wiped at the end" 1 "$(tail -c 4 shown | grep -c "^.$escape\[K" || true)"
    want "stdout has none of it" 0 "$(grep -c "$escape" tty.out || true)"
    does gradcheck tiny.json --samples all --threads 1 --set network.depth=8
    want_equal tty.out out
    terminal "$slow"
    want_like "rows begin where the line was" "*$escape\[Khidden1.weight  *" "$(cat shown)"
else
    echo "no pseudo-terminal to be had here: the progress line is not looked at"
fi

# Other weights: those of a run of single precision.
does train tiny.json -q --threads 1 --out run
does gradcheck tiny.json --set network.weights=run/final.safetensors
want_other first out
want_like "weights of a run" "*10 tensors: 10 pass, 0 fail" "$(cat out)"

# What cannot be checked at all.
refuses 3 "no gradient to check: the activation (output) of hidden2 is not finite" gradcheck tiny.json \
    --set network.activation=relu --set 'network.init={"kind":"constant","value":1e200}'
refuses 2 '--set network.depth=0: network.depth: 0 is too small (a whole number from 1 to 100000)' gradcheck tiny.json \
    --set network.depth=0
refuses 4 "cannot open missing.json: No such file or directory" gradcheck missing.json
finish 65
