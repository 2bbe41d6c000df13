#!/usr/bin/env bash
# The losses through the whole program: each recounted from the predictions of eval, by its formula; weights of classes,
# given and balanced; what their keys and the data may not be together.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

# Classes of 16, 16 and 64 samples, in this order.
awk 'BEGIN { print "x,y,kind"; for (i = 0; i < 96; i++)
    printf "%.3f,%.3f,%s\n", sin(i * 1.7), cos(i * 0.9) + i / 40, i < 16 ? "ash" : i < 32 ? "elm" : "oak" }' >trees.csv
cat >trees.json <<'END'
{
  "data": {"kind": "csv", "path": "trees.csv", "test_fraction": 0}, "precision": "float64",
  "network": {"depth": 2, "width": 6}, "report": {"schedule": {"kind": "linear", "every": 1}},
  "train": {"lr": 0.2, "batch_size": 16, "steps": 12}
}
END
train() { # NAME LOSS ARGUMENT...
    does train trees.json -q --threads 2 --out "$1" --set "train.loss=$2" "${@:3}"
    want "$1: nothing is told" "" "$(cat err)"
    does eval "$1" --split train --predictions "$1.csv"
}
twelve() { awk '{ printf "%.12g", $1 }'; }

# The loss by the rows of predictions: l is the label (from 1), v[c] what stands for class c; `loss` and `weight` of a
# row are set.
want_loss() { # NAME AWK
    want "$1: loss, recounted" "$(awk -F, "NR > 1 {
            l = \$2 == \"ash\" ? 1 : \$2 == \"elm\" ? 2 : 3; for (c = 1; c <= 3; c++) v[c] = \$(c + 3)
            split(\"2 2 0.5\", w, \" \"); loss = 0; weight = 1; $2; sum += loss; weights += weight; n++ }
        END { if (n != 96) print \"rows: \" n; printf \"%.17g\", sum / weights }" "$1.csv" | twelve)" \
        "$(column "$1/loss.csv" train_loss 12 | twelve)"
    want "$1: accuracy, recounted" \
        "$(awk -F, 'NR > 1 { n++; right += $2 == $3 } END { printf "%.17g", right / n }' "$1.csv" | twelve)" \
        "$(column "$1/loss.csv" train_accuracy 12 | twelve)"
}

train squared '"mean_squared_error"' --set report.save_initial=true
want "squared: outputs, which are no probabilities" "index,label,predicted,y0,y1,y2,row" "$(head -n 1 squared.csv)"
want_loss squared 'for (c = 1; c <= 3; c++) loss += (v[c] - (c == l)) ^ 2 / 3'
want "squared: it learns" 1 "$(row_of squared/loss.csv train_loss | awk '{ print ($NF < 0.8 * $1) }')"
does eval squared --weights squared/initial.safetensors --split train --predictions initial.csv
want "squared: at step 0" "$(column squared/loss.csv train_loss 0 | twelve)" "$(awk -F, 'NR > 1 { n++
    for (c = 4; c <= 6; c++) sum += ($c - ($2 == substr("ashelmoak", 3 * (c - 4) + 1, 3))) ^ 2 / 3 }
    END { printf "%.17g", sum / n }' initial.csv | twelve)"
train hinge '"hinge"'
want "hinge: outputs" "index,label,predicted,y0,y1,y2,row" "$(head -n 1 hinge.csv)"
want_loss hinge 'for (c = 1; c <= 3; c++) { h = 1 - v[l] + v[c]; if (c != l && h > 0) loss += h / 3 }'
train hinge2 '{"kind": "hinge", "p": 2, "margin": 0.5, "class_weights": [2, 2, 0.5]}'
want_loss hinge2 'for (c = 1; c <= 3; c++) { h = 0.5 - v[l] + v[c]; if (c != l && h > 0) loss += w[l] * h * h / 3 }'
train binary '"binary_cross_entropy"'
want "binary: probabilities" "index,label,predicted,p0,p1,p2,row" "$(head -n 1 binary.csv)"
want "binary: each by itself" 1 "$(awk -F, 'NR == 2 { s = $4 + $5 + $6; print (s < 0.99 || s > 1.01) }' binary.csv)"
want_loss binary 'for (c = 1; c <= 3; c++) loss -= log(c == l ? v[c] : 1 - v[c]) / 3'
train smoothed '{"label_smoothing": 0.3}'
want_loss smoothed 'for (c = 1; c <= 3; c++) loss -= 0.1 * log(v[c]); loss -= 0.7 * log(v[l])'
train weighted '{"class_weights": [2, 2, 0.5]}'
want_loss weighted 'weight = w[l]; loss = -weight * log(v[l])'
train both '{"label_smoothing": 0.3, "class_weights": [2, 2, 0.5]}'
want_loss both 'weight = w[l]; for (c = 1; c <= 3; c++) loss -= 0.1 * w[c] * log(v[c]); loss -= 0.7 * weight * log(v[l])'

# Balanced: n / (n_classes count), told by every verb and by eval of the run; the run is the one with these numbers.
told="warning: train.loss.class_weights: balanced comes to ash: 2, elm: 2, oak: 0.5"
does train trees.json -q --threads 1 --out balanced --set 'train.loss={"class_weights": "balanced"}'
want "balanced: told" "$told" "$(cat err)"
want_equal weighted/loss.csv balanced/loss.csv
want_equal weighted/final.safetensors balanced/final.safetensors
want_other both/loss.csv balanced/loss.csv
does eval balanced --split train
want "balanced: told by eval" "$told" "$(cat err)"
does gradcheck trees.json --set 'train.loss={"class_weights": "balanced", "label_smoothing": 0.1}'
want "balanced: told by gradcheck" "$told" "$(cat err)"
does bench trees.json --steps 5 --set train.loss.kind=hinge --set train.loss.class_weights=balanced
want_like "bench: the loss among the ops" "*hinge*" "$(cat out)"
for loss in '"hinge"' '{"kind": "hinge", "p": 2}' '"binary_cross_entropy"' '"mean_squared_error"'; do
    does gradcheck trees.json --set "train.loss=$loss"
done

# Where the hinge bends there is no derivative to verify, and a smooth loss is what helps.
does gradcheck trees.json --set 'train.loss={"kind": "hinge", "margin": 0}' --set network.output_init=zeros \
    --set network.bias_init=zeros
want_like "at the bend of a hinge" "*
Some differences are taken across kinks of the loss.  Fewer of them:
  a smaller batch (--set train.batch_size=) or
  a smooth loss (--set train.loss=softmax_cross_entropy).
*" "$(cat out)"

# Keys at their defaults are not in the hash, others are.
hash_of() { value_of "$1/run.json" config_hash; }
does train trees.json -q --out plain
does train trees.json -q --out spelled --set 'train.loss={"label_smoothing": 0, "class_weights": null}'
want "defaults spelled out: the hash" "$(hash_of plain)" "$(hash_of spelled)"
want_equal plain/loss.csv spelled/loss.csv
want "other keys, other hashes" 4 "$(for run in plain smoothed weighted both; do hash_of $run; done | sort -u | wc -l)"

# Kinds and keys of losses are axes of a sweep.
does cells trees.json --out sweep --grid 'train.loss=softmax_cross_entropy,hinge,binary_cross_entropy'
want "cells: three" "binary_cross_entropy hinge softmax_cross_entropy" \
    "$(grep -o 'train.loss=[a-z_]*' sweep/cells.txt | cut -d= -f2 | sort -u | paste -sd' ')"

# A batch of classes without weight counts for nothing: loss 0, no gradient, no update.
train weightless '{"class_weights": [0, 1, 1]}' --set train.shuffle=false
want "no weight in a batch: loss, gradient, update" "0 0 0" \
    "$(for name in batch_loss grad_norm update_norm; do column weightless/loss.csv $name 0; done | paste -sd' ')"
want "no weight in a batch: others count" 1 "$(column weightless/loss.csv batch_loss 1 | awk '{ print ($1 > 0.1) }')"

# Targets from 0 to 1 may be shares; others may not.
awk 'BEGIN { print "x,share"; for (i = 0; i < 40; i++) printf "%.3f,%.3f\n", sin(i * 1.7), i / 39 }' >shares.csv
shares=(trees.json --set data.path=shares.csv --set data.task=regression --set train.loss=binary_cross_entropy)
does train "${shares[@]}" -q --out shares
does eval shares --split train --predictions shares.out
want "shares: targets and outputs" "index,t0,y0,row" "$(head -n 1 shares.out)"
want "shares: loss, recounted" "$(column shares/loss.csv train_loss 12 | twelve)" \
    "$(awk -F, 'NR > 1 { p = 1 / (1 + exp(-$3)); sum -= $2 * log(p) + (1 - $2) * log(1 - p); n++ }
        END { printf "%.17g", sum / n }' shares.out | twelve)"
want "shares: no accuracy" "" "$(column shares/loss.csv train_accuracy 12)"
sed -i '30s/.*/0.5,1.25/' shares.csv
refuses 2 "--set train.loss=binary_cross_entropy: train.loss: binary_cross_entropy needs targets from 0 to 1, row 30 of \
$work/shares.csv has 1.25 (scale the targets, or take mean_squared_error)" train "${shares[@]}" --out wrong
printf 'x,share\n1,0\n2,-0.5\n' >others.csv
sed '30d' shares.csv >good.csv
run check "${shares[@]}" --set data.path=good.csv --set data.test_path=others.csv
want_like "shares: the file of the test samples" "*, row 3 of $work/others.csv has -0.5 (scale *" "$(cat err)"
run check "${shares[@]}" --set 'data={"kind": "teacher", "samples": 20}'
want_like "shares: data without a file" "*, training sample *[0-9] has *[0-9] (scale *" "$(cat err)"

# Weights that are none, each where it stands.
refuses_loss() { # WHERE MESSAGE LOSS ARGUMENT...
    sed "s/\"lr\": 0.2/\"loss\": $3/" trees.json >wrong.json
    refuses 2 "wrong.json:4:$1: train.loss.$2" train wrong.json --out wrong "${@:4}"
}
refuses_loss 39 "class_weights: 2 weights for 3 classes: one for each is needed, in the order ash, elm, oak" \
    '{"class_weights": [1, 2]}'
refuses_loss 56 "class_weights: no training sample has a weight above 0, so nothing can be learned" \
    '{"kind": "hinge", "class_weights": [0, 0, 0]}'
refuses_loss 43 "class_weights[1]: -1 is too small (a number from 0 to 1e+100)" '{"class_weights": [1, -1, 0]}'
refuses_loss 46 "class_weights[2]: a weight is 0 or 1e-100 and more" '{"class_weights": [1, 1, 1e-200]}'
refuses_loss 30 'kind: unknown value "bce", did you mean "binary_cross_entropy"? (one of: softmax_cross_entropy, '\
'mean_squared_error, hinge, binary_cross_entropy)' '{"kind": "bce"}'
refuses_loss 41 "label_smoothing: 1.5 is too large (a number from 0 to 1)" '{"label_smoothing": 1.5}'
refuses_loss 39 "class_weights: no training sample is of class elm, so balanced has no weight for it (take more training \
samples, or give a weight for each class)" '{"class_weights": "balanced"}' \
    --set data.train_limit=2
want "nothing was made" "" "$(find . -name wrong)"

finish 60
