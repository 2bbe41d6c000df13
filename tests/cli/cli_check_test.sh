#!/usr/bin/env bash
# skipnet check: the table of a network, every shipped config, every kind of wrong one, and --expand, whose explicit
# list of layers trains to the same bytes as the family.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
does check tiny.json --threads 1
want "check: nothing on stderr" "" "$(cat err)"
want "check: what is not of the machine" "\
node               op              shape        parameters         MACs  inputs
input                              2         
hidden1            linear          8                    24           16  input
hidden2.act        tanh            8                     0               hidden1
hidden2            linear          8                    72           64  hidden2.act
block1             add             8                     0               hidden1, hidden2
hidden3.act        tanh            8                     0               block1
hidden3            linear          8                    72           64  hidden3.act
block2             add             8                     0               block1, hidden3
hidden4.act        tanh            8                     0               block2
hidden4            linear          8                    72           64  hidden4.act
block3             add             8                     0               block2, hidden4
output.act         tanh            8                     0               block3
output             linear          2                    18           16  output.act

layers         4 hidden + output = 5 weight layers
parameters     258
FLOPs          448 forward, 1312 training step, of a sample
samples        100 train, 40 test, 2 features, 2 classes
steps          10 (7 per epoch)
copies         0" "$(grep -vE '^(arena|data) +[0-9.]+ [KM]?i?B$' out)"
want "check: memory" 2 "$(grep -cE '^(arena|data) +[0-9.]+ [KM]?i?B$' out)"
want "check makes no files" "err out tiny.json" "$(find . -type f -printf '%f\n' | sort | paste -sd' ')"

# Images that stand in for Fashion-MNIST: 100 of 28 x 28, labels 0 to 9.
mkdir images
for set in train t10k; do
    printf '\0\0\10\3\0\0\0\144\0\0\0\34\0\0\0\34' >"images/$set-images-idx3-ubyte"
    awk 'BEGIN { for (i = 0; i < 78400; i++) printf "%c", 33 + (i * i + int(i / 7)) % 90 }' \
        >>"images/$set-images-idx3-ubyte"
    printf '\0\0\10\1\0\0\0\144' >"images/$set-labels-idx1-ubyte"
    for ((i = 0; i < 10; i++)); do printf '\0\1\2\3\4\5\6\7\10\11'; done >>"images/$set-labels-idx1-ubyte"
done
# And for CIFAR-10: files of 20 records, a label and 3 x 32 x 32 bytes each.
mkdir images/cifar-10-batches-bin
for file in data_batch_{1..5} test_batch; do
    for ((i = 0; i < 20; i++)); do
        printf '%b' "\\x0$((i % 10))"
        head -c 3072 /dev/zero | tr '\0' "\\$((100 + i))"
    done >"images/cifar-10-batches-bin/$file.bin"
done
export SKIPNET_DATA=$work/images
layers_of() { # CONFIG
    case $1 in
    long-skips) echo "11 hidden + output = 12" ;;
    relu50-add-scaled | degradation/*) echo "49 hidden + output = 50" ;;
    theory/residual | theory/residual-tanh | theory/dense) echo "51 hidden + output = 52" ;;
    theory/residual-two) echo "41 hidden + output = 42" ;;
    studies/scale) echo "100 hidden + output = 101" ;;
    conv/densenet-bc100) echo "99 hidden + output = 100" ;;
    conv/*)
        name=${name//[!0-9]/}
        echo "$((name - 1)) hidden + output = $name"
        ;;
    spirals | studies/sigmoid) echo "20 hidden + output = 21" ;;
    *) echo "50 hidden + output = 51" ;;
    esac
}
n_configs=0
for config in "$source_dir"/configs/*.json "$source_dir"/configs/*/*.json; do
    name=${config#"$source_dir"/configs/} name=${name%.json}
    does check "$config"
    want "$config: nothing on stderr but of the few images" "" "$(grep -v '^warning: train.batch_size is' err || true)"
    want "$config: layers" "layers         $(layers_of "$name") weight layers" \
        "$(grep ^layers out)"
    n_configs=$((n_configs + 1))
done
((n_configs >= 34)) || { echo "only $n_configs configs" && exit 1; }
want "deep50: the classes of the images" "samples        100 train, 100 test, 784 features, 10 classes" \
    "$("$skipnet" check "$source_dir/configs/deep50.json" | grep ^samples)"

# Wrong configs: a line for each fault, in the order of the file, and exit status 2.
cat >wrong.json <<'END'
{
  "network": {"depth": 0, "skip": {"kind": "ad"}},
  "train": {"lr": "fast", "batchsize": 3},
  "train": {}
}
END
wrong='wrong.json:2:24: network.depth: 0 is too small (a whole number from 1 to 100000)
wrong.json:2:44: network.skip.kind: unknown value "ad", did you mean "add"? (one of: none, add, concat, highway)
wrong.json:3:19: train.lr: expected a number from 0 to 1e+300, got the string "fast"
wrong.json:3:27: train.batchsize: unknown key, did you mean "batch_size"?
wrong.json:4:3: train: duplicate key, the first one is on line 3'
refuses 2 "$wrong" check wrong.json
refuses 2 "$wrong" check wrong.json --expand
refuses 2 "$wrong" train wrong.json
refuses 2 '--set network.depht=3: unknown key "network.depht", did you mean "network.depth"?
--set train.lr=x: train.lr: expected a number from 0 to 1e+300, got the string "x"
--set foo: no "=", expected KEY=VALUE' check tiny.json --set network.depht=3 --set train.lr=x --set foo
refuses 2 "--set train.loss=hinge: train.loss: hinge needs class labels, these data have regression targets (take \
mean_squared_error or binary_cross_entropy)" check tiny.json --set 'data={"kind":"teacher"}' --set train.loss=hinge
refuses 2 "--set train.batch_size=1: train.batch_size: hidden2.norm normalizes over the batch, which needs 2 rows or more" \
    check tiny.json --set network.norm=batch --set network.depth=2 --set train.batch_size=1
: >empty.json
refuses 2 'empty.json:1:1: the text is empty, expected a value' check empty.json
refuses 4 'cannot open missing.json: No such file or directory' check missing.json
refuses 4 "cannot read $work: Is a directory" check "$work"
want "wrong configs make no files" "" "$(find . -name 'runs*')"

# Standard input.
status=0
"$skipnet" check - <tiny.json >piped 2>err || status=$?
want "stdin: exit status" 0 "$status"
does check tiny.json
want_equal out piped
status=0
"$skipnet" check - <wrong.json >out 2>err || status=$?
want "stdin: message" "2 ${wrong//wrong.json/<stdin>}" "$status $(cat err)"
status=0
"$skipnet" check - <&- >out 2>err || status=$?
want "stdin closed: exit status" 4 "$status"
want_like "stdin closed: message" "cannot read *: Bad file descriptor" "$(cat err)"

# --expand: a config with a list of layers, stable under itself, and the family's twin to the byte.
for skip in none add concat highway; do
    sets=(--set "network.skip=$skip" --set train.epochs=1 --set data.samples=200)
    does check "$source_dir/configs/spirals.json" "${sets[@]}" --expand
    cp out "$skip.json"
    entries=21 # of 20 hidden layers and the output; each of the 19 blocks of a highway has a gate's beside
    [[ $skip != highway ]] || entries=40
    want "$skip: one entry per weight layer" "$entries" "$(grep -c '"op": "linear"' "$skip.json")"
    want "$skip: nothing of the family is left" 0 "$(grep -c '"family"' "$skip.json" || true)"
    does check "$skip.json" --expand
    want_equal "$skip.json" out
    does train "$source_dir/configs/spirals.json" "${sets[@]}" --threads 1 --out "$skip.family" -q
    does train "$skip.json" --threads 1 --out "$skip.list" -q
    want_csvs "$skip.list"
    for file in loss.csv gradients.csv final.safetensors; do
        want_equal "$skip.family/$file" "$skip.list/$file"
    done
done
want_other none.list/final.safetensors add.list/final.safetensors
status=0
"$skipnet" check tiny.json --set network.weights=add.list/final.safetensors >out 2>err || status=$?
want "weights of another network: exit status" 2 "$status"
want_like "weights of another network: message" \
    "*add.list/final.safetensors: tensor \"hidden1.weight\" has shape \[32, 2\], the network needs \[8, 2\]*" "$(cat err)"
does check add.json --set network.weights=add.list/final.safetensors --expand
want "weights of the network stay" 1 "$(grep -c "\"weights\": \"$work/add.list/final.safetensors\"" out)"

# A label is one line of the table, whatever is in it.
layers='[{"op": "linear", "units": 3, "label": "a\nb\tc"}, {"op": "linear", "units": 2}]'
echo '{"data": {"kind": "spirals"}, "network": {"layers": '"$layers"'}}' >strange.json
does check strange.json
want "a strange label" "a\\x0ab\\x09c        linear          3                     9            6  input
linear1            linear          2                     8            6  a\\x0ab\\x09c" "$(sed -n 3,4p out)"
does gradcheck strange.json
want "a strange label in gradcheck" 2 "$(grep -cE '^a.x0ab.x09c\.(weight|bias)  +[0-9]' out)"
finish 83
