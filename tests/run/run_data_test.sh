#!/usr/bin/env bash
# train on each source of data end to end, and data that are missing, cut or wrong: message, exit status, no run.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
sed -i 's/"samples": .*}/}/; s/spirals", }/spirals"}/' tiny.json # keys of the spirals alone
awk 'BEGIN { print "a,b,kind"; for (i = 0; i < 60; i++) {
    a = sin(i); b = cos(i * i); print a "," b "," (a > 0 ? "up" : "down") } }' >classes.csv
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 60; i++) { a = sin(i); b = cos(i * i); print a "," b "," a - b } }' >numbers.csv
losses() { echo "$(column "$1/loss.csv" "$2" 0) $(column "$1/loss.csv" "$2" 200)"; }
want_learned() { # DIRECTORY: the training loss falls to less than half in 200 steps
    want_csvs "$1"
    want "$1: it learns" 1 "$(losses "$1" train_loss | awk '{ print ($2 > 0 && $2 < $1 / 2) }')"
}
want_accuracy() { # DIRECTORY SHARE: columns of accuracy are filled (1) or all empty (0)
    want "$1: accuracy" "$2" "$(awk -F, 'NR > 1 && $4 != "" { n++ } END { print (n == NR - 1) + 0 }' "$1/loss.csv")"
    [[ $2 == 1 ]] || want "$1: no accuracy" "" "$(awk -F, 'NR > 1 && $4 $6 $8 != ""' "$1/loss.csv")"
}
train=(train tiny.json --threads 1 --set train.steps=200 -q)

does "${train[@]}" --set data.kind=csv --set data.path=classes.csv --out classes
want_learned classes
want_accuracy classes 1
want "csv: path made absolute" "\"$work/classes.csv\"" "$(value_of classes/config.json path)"
regression=(--set data.kind=csv --set data.path=numbers.csv --set data.task=regression)
does "${train[@]}" "${regression[@]}" --set train.loss=mean_squared_error --out regression
want_learned regression
want_accuracy regression 0
want "regression: --json" "null" "$("$skipnet" train regression/config.json --json --out regression 2>err |
    sed -n 's/^ *"test_accuracy": \(.*\),$/\1/p')"
does "${train[@]}" --set data=teacher --set train.loss=mean_squared_error --set train.lr=0.1 --out teacher
want_learned teacher
want_accuracy teacher 0
does train tiny.json --threads 1 -q --set data.kind=gaussian --set data.in_dim=20 --set data.scaling=none \
    --set train.steps=0 --out gaussian
want_csvs gaussian
want "gaussian, 0 steps: rows" "0 0 0 0 0 0" "$(row_of gaussian/loss.csv step) $(row_of gaussian/gradients.csv step)"
want "gaussian, 0 steps: no updates" "- - - - -" "$(row_of gaussian/gradients.csv update_norm)"
want "gaussian: the inputs have unit variance" 1 \
    "$(column gaussian/gradients.csv in_rms 0 | head -n 1 | awk '{ print ($1 > 0.8 && $1 < 1.2) }')"
want_like "gaussian: the random labels are of 10 classes" "2.[2-9]*" "$(column gaussian/loss.csv train_loss 0)"

# The same data by another path are the same run; other data of the same path are not.
mkdir moved
mv classes.csv moved/
does train tiny.json --threads 1 --set train.steps=200 --set data.kind=csv --set data.path=moved/classes.csv \
    --out classes
want "moved data: the run is there" "classes holds this run, finished" "$(cat err)"
mv moved/classes.csv .

# A config's own directory is what its paths are relative to.
mkdir -p project/data
cp classes.csv project/data/
sed 's|"data": .*|"data": {"kind": "csv", "path": "data/classes.csv"},|' tiny.json >project/net.json
does train project/net.json --threads 1 -q --set train.steps=200 --out relative
want_equal classes/final.safetensors relative/final.safetensors
refuses 4 "cannot open $work/data/classes.csv: No such file or directory" \
    train project/net.json --set data.path=data/classes.csv --out wrong

# Missing, cut, wrong.
wrong() { refuses "$1" "$2" train tiny.json --out wrong --set data.kind=csv --set "data.path=$3" "${@:4}"; }
wrong 4 "cannot open $work/gone.csv: No such file or directory" gone.csv
wrong 4 "cannot read $work/project: Is a directory" project
: >empty.csv
wrong 2 "$work/empty.csv: the file is empty" empty.csv
sed '7s/^[^,]*/x/' classes.csv >cell.csv
wrong 2 "$work/cell.csv: row 7, column \"a\": \"x\" is not a number" cell.csv
refuses 2 'tiny.json:3:11: data.path: missing, expected a path (a string)' train tiny.json --set data.kind=csv
run train tiny.json --out wrong "${regression[@]}"
want "regression without its loss: exit status" 2 "$status"
want_like "regression without its loss" "tiny.json:*: train.loss: softmax_cross_entropy needs class labels, these data \
have regression targets (take mean_squared_error or binary_cross_entropy)" "$(cat err)"

mkdir images
for set in train t10k; do
    printf '\0\0\10\3\0\0\0\24\0\0\0\34\0\0\0\34' >"images/$set-images-idx3-ubyte"
    awk 'BEGIN { for (i = 0; i < 15680; i++) printf "%c", 33 + (i * i + int(i / 7)) % 90 }' \
        >>"images/$set-images-idx3-ubyte"
    printf '\0\0\10\1\0\0\0\24\0\1\2\3\4\5\6\7\10\11\0\1\2\3\4\5\6\7\10\11' >"images/$set-labels-idx1-ubyte"
done
SKIPNET_DATA=$work/nowhere:$work/images does train tiny.json --threads 1 -q --set data=mnist --out mnist
want_csvs mnist
want_accuracy mnist 1
gzip images/t10k-*
does train tiny.json --threads 1 -q --set data.kind=mnist --set data.path=images --out mnist.gz
want_equal mnist/loss.csv mnist.gz/loss.csv
truncate -s 1000 images/train-images-idx3-ubyte
refuses 2 "$work/images/train-images-idx3-ubyte: byte offset 1000: the file ends, expected 15696 bytes (a header and \
20 x 28 x 28)" train tiny.json --set data.kind=mnist --set data.path=images --out wrong
rm images/train-labels-idx1-ubyte
run train tiny.json --set data.kind=mnist --set data.path=images --out wrong
want "no labels: exit status" 4 "$status"
want_like "no labels: message" "mnist: not found (looked for *images*data.path*SKIPNET_DATA*" "$(cat err)"

# CIFAR: an archive that tar made, and what is in it.
records() { # LABEL_BYTES COUNT
    local i
    for ((i = 0; i < $2; i++)); do
        printf '%b' "\\0$((i % 8))"
        [[ $1 == 1 ]] || printf '%b' "\\0$((i % 8 + 10))"
        awk -v i="$i" 'BEGIN { for (k = 0; k < 3072; k++) printf "%c", 33 + (i * 7 + k * k + int(k / 9)) % 90 }'
    done
}
mkdir cifar-10-batches-bin cifar-100-binary
for file in data_batch_{1..5} test_batch; do records 1 4 >"cifar-10-batches-bin/$file.bin"; done
for file in train test; do records 2 16 >"cifar-100-binary/$file.bin"; done
tar -czf ten.tar.gz cifar-10-batches-bin
tar -czf cifar-100-binary.tar.gz cifar-100-binary
does train tiny.json --threads 1 -q --set data.kind=cifar-10 --set data.path=ten.tar.gz --out cifar
want_csvs cifar
want_accuracy cifar 1
does train tiny.json --threads 1 -q --set data.kind=cifar-10 --set data.path=cifar-10-batches-bin --out cifar.files
want_equal cifar/loss.csv cifar.files/loss.csv
for labels in fine coarse; do
    SKIPNET_DATA=$work does train tiny.json --threads 1 -q --set data.kind=cifar-100 --set data.labels=$labels \
        --out "hundred.$labels"
    want_csvs "hundred.$labels"
done
want_other hundred.fine/loss.csv hundred.coarse/loss.csv
does check tiny.json --set data.kind=cifar-10 --set data.path=ten.tar.gz
want_like "check: the images" "*samples        20 train, 4 test, 3072 features, 10 classes*" "$(cat out)"
truncate -s 9000 cifar-10-batches-bin/data_batch_3.bin
refuses 2 "$work/cifar-10-batches-bin/data_batch_3.bin: 9000 bytes, expected a whole number of records of 3073 bytes (a \
label and 32 x 32 x 3 pixels)" train tiny.json --set data.kind=cifar-10 --set data.path=cifar-10-batches-bin --out wrong
truncate -s -30 ten.tar.gz
run train tiny.json --set data.kind=cifar-10 --set data.path=ten.tar.gz --out wrong
want "damaged archive: exit status" 2 "$status"
want_like "damaged archive: message" "$work/ten.tar.gz: the gzip data are damaged after byte offset*" "$(cat err)"
want "wrong data make no run" "" "$(find . -path './wrong*')"
finish 55
