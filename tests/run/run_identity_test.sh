#!/usr/bin/env bash
# What must not change a bit of a run: a second run, threads, what is reported or printed, reading its config.json or
# its initial weights again.  What must: the seed, the skip, the kernels' rounding.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

# Batches of 100 rows in float32 give the threads several tiles; 3 batches an epoch, the last one short.
cat >net.json <<'END'
{
  "name": "net",
  "data": {"kind": "spirals", "samples": 250, "test_samples": 50},
  "network": {"depth": 6, "width": 40, "skip": {"kind": "add", "layers_per_block": 2}, "norm": "layer"},
  "train": {"lr": 0.05, "optimizer": {"kind": "sgd", "momentum": 0.9, "weight_decay": 0.001}, "batch_size": 100,
            "steps": 12}
}
END
train() { # DIRECTORY ARGUMENT...
    does train net.json -q --out "$@"
    want_csvs "$1"
}
want_same() { # DIRECTORY DIRECTORY: the results of both
    local file
    for file in loss.csv gradients.csv final.safetensors; do want_equal "$1/$file" "$2/$file"; done
    want "$1 and $2: hash of the weights" "$(value_of "$1/run.json" weights_hash)" \
        "$(value_of "$2/run.json" weights_hash)"
}
want_same_weights() { # DIRECTORY DIRECTORY
    want_equal "$1/final.safetensors" "$2/final.safetensors"
}

for more in "" "--set precision=float64" "--set train.clip_norm=0.5 --set network.skip=concat" \
    "--set network.norm=batch --set network.skip=highway"; do
    read -ra words <<<"$more"
    train "one$more" "${words[@]}" --threads 1
    train "same$more" "${words[@]}" --threads 1
    want_same "one$more" "same$more"
    for threads in 2 3 8; do
        train "threads$threads$more" "${words[@]}" --threads $threads
        want "threads are taken" "$threads" "$(value_of "threads$threads$more/run.json" threads)"
        want_same "one$more" "threads$threads$more"
    done
done
want "names do not matter to the hash" "$(value_of one/run.json config_hash)" \
    "$(value_of threads3/run.json config_hash)"
want_other one/loss.csv "one--set precision=float64/loss.csv"

# Reported, printed, evaluated or not.
train linear --threads 1 --set report.schedule.kind=linear
train sparse --threads 1 --set report.schedule.per_decade=1
train half --threads 1 --set report.train_eval=100
train blind --threads 1 --set report.train_eval=0 --set report.save_initial=true
train exponents --threads 1 --set report.exponents=true
does train net.json --threads 1 --out loud
does train net.json --threads 1 --out json --json
for dir in linear sparse half blind exponents loud json; do want_same_weights one $dir; done
for dir in exponents loud json; do want_same one $dir; done
want_other one/loss.csv half/loss.csv
want "a sparse report has the same rows, fewer of them" "" \
    "$(grep -vxFf linear/gradients.csv sparse/gradients.csv || true)"
want "sparse is sparse" 1 "$(($(wc -l <sparse/gradients.csv) < $(wc -l <linear/gradients.csv)))"

# Another seed, another order of samples, another skip.
train seed --threads 1 --set seed=2
want_other one/final.safetensors seed/final.safetensors
want_other one/loss.csv seed/loss.csv
train order --threads 1 --set train.shuffle=false
want_other one/final.safetensors order/final.safetensors

# Products: null is the kernel where a multiply-add is one rounding, else OpenBLAS.  The one is as near the other as
# roundings are, and both have bits of their own whatever the threads are.
by_path='"own"' other=openblas
[[ $(value_of one/run.json simd) == '"generic"' ]] && by_path='"openblas"' other=own
want "products by path" "$by_path" "$(value_of one/run.json products)"
for products in own openblas; do
    for precision in float32 float64; do
        for threads in 1 3; do
            train "$products.$precision.$threads" --threads $threads --set train.products=$products \
                --set precision=$precision
        done
        want_same "$products.$precision.1" "$products.$precision.3"
        want "$products: told" "\"$products\"" "$(value_of "$products.$precision.1/run.json" products)"
    done
done
want_same one "${by_path//\"/}.float32.1"
want_other one/final.safetensors $other.float32.1/final.safetensors
for precision in float32:1e-4 float64:1e-12; do
    want "own and openblas, $precision: losses and norms" "13 rows" "$(
        paste -d, own.${precision%:*}.1/loss.csv openblas.${precision%:*}.1/loss.csv | awk -F, -v limit=${precision#*:} '
            NR > 1 { n++
                for (i = 3; i <= NF / 2; i++) {
                    d = $i - $(i + NF / 2); size = $i < 0 ? -$i : $i
                    if (d > limit * (1 + size) || d < -limit * (1 + size)) print FILENAME, NR, i, $i, $(i + NF / 2)
                } }
            END { print n " rows" }'
    )"
done
want_differ() { # RUN RUN: their configs mean different things
    want "$1 and $2 have other hashes" 1 \
        "$([[ $(value_of "$1/run.json" config_hash) != "$(value_of "$2/run.json" config_hash)" ]] && echo 1)"
}
want_differ one own.float32.1
want_differ own.float32.1 openblas.float32.1
refuses 2 "own.float32.1 holds a run of another config; they differ in: train.products (take another --out, or --force to \
replace it)" train net.json --out own.float32.1 --resume --set train.products=openblas
refuses 2 '--set train.products=blas: train.products: unknown value "blas" (one of: own, openblas, null)' \
    train net.json --set train.products=blas

# Threads: a small net takes one, a large one all there are (bench takes all), --threads rules; run.json tells.
threads_of() { # DIRECTORY
    echo "$(value_of "$1/run.json" threads) $(value_of "$1/run.json" threads_origin)"
}
does bench net.json --steps 1 --json
all=$(sed -n 's/.*"threads": \([0-9]*\).*/\1/p' out)
train small
want "a small net" '1 "chosen"' "$(threads_of small)"
want_same one small
((all > 8)) && all=8 # panels of 16 in a batch of 128
large=(--set data.samples=128 --set network.width=1000 --set train.batch_size=128 --set train.steps=0)
train large "${large[@]}"
want "a large net" "$all \"chosen\"" "$(threads_of large)"
train given "${large[@]}" --threads 3
want "--threads rules" '3 "given"' "$(threads_of given)"
want_same large given

# config.json repeats the run, under another name too.
does train one/config.json -q --threads 2 --out again
want_same one again
want_equal one/config.json again/config.json
mkdir elsewhere
(cd elsewhere && "$skipnet" train ../one/config.json -q --threads 1 --out again)
want_same one elsewhere/again

# Initial weights: written before the first step, read again they give the same run.
want_other blind/initial.safetensors blind/final.safetensors
does train net.json -q --threads 1 --set network.weights=blind/initial.safetensors --out weights
want_same one weights
does train net.json -q --threads 1 --set network.weights=blind/initial.safetensors --set seed=2 --out weights2
want_other one/final.safetensors weights2/final.safetensors
does train net.json -q --threads 1 --set network.weights=one/final.safetensors --set train.steps=0 --out last
want_equal one/final.safetensors last/final.safetensors
want "the weights of the end give the losses of the end" "$(column one/loss.csv train_loss 12)" \
    "$(column last/loss.csv train_loss 0)"
refuses 2 "$(for layer in hidden1:2 hidden2:40 hidden3:40 hidden4:40 hidden5:40 hidden6:40 output:40; do
    label=${layer%:*} in=${layer#*:} out=40 new_in=${layer#*:} new_out=39
    case $label in
    hidden1) ;;
    output) out=2 new_in=39 new_out=2 ;;
    *) new_in=39 ;;
    esac
    case $label in
    hidden1) norm= ;;
    *) norm=$label.norm ;;
    esac
    [[ -z $norm ]] || for tensor in weight bias; do
        echo "$work/one/final.safetensors: tensor \"$norm.$tensor\" has shape [40], the network needs [39]"
    done
    echo "$work/one/final.safetensors: tensor \"$label.weight\" has shape [$out, $in], the network needs \
[$new_out, $new_in]"
    [[ $label == output ]] ||
        echo "$work/one/final.safetensors: tensor \"$label.bias\" has shape [40], the network needs [39]"
done)" train net.json --set network.weights=one/final.safetensors --set network.width=39 --out wrong
refuses 2 "$work/one/final.safetensors: no tensor \"hidden7.norm.weight\" of shape [40]
$work/one/final.safetensors: no tensor \"hidden7.norm.bias\" of shape [40]
$work/one/final.safetensors: no tensor \"hidden7.weight\" of shape [40, 40]
$work/one/final.safetensors: no tensor \"hidden7.bias\" of shape [40]" \
    train net.json --set network.weights=one/final.safetensors --set network.depth=7 --out wrong
head -c 700 one/final.safetensors >cut.safetensors
run train net.json --set network.weights=cut.safetensors --out wrong
want "cut weights: exit status" 2 "$status"
want_like "cut weights: message" "$work/cut.safetensors: *" "$(cat err)"
refuses 4 "cannot open $work/none.safetensors: No such file or directory" \
    train net.json --set network.weights=none.safetensors --out wrong
want "refused: no files" "" "$(find . -path './wrong/*')"

# Twins: tensors of one label and shape start equal whatever the skip is, and the batches agree.
for skip in none add concat; do
    does train net.json -q --threads 1 --set network.skip=$skip --set network.norm=none --set train.steps=3 \
        --set report.save_initial=true --out "twin.$skip"
done
want_equal twin.none/initial.safetensors twin.add/initial.safetensors
want_other twin.none/final.safetensors twin.add/final.safetensors
if command -v python3 >/dev/null; then
    want "twins: hidden1 starts equal, the shapes of others differ" "True True True" "$(
        python3 - <<'END'
import json, struct
def tensors(path):
    data = open(path, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + n])
    header.pop("__metadata__", None)
    return {k: (v["shape"], data[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]]) for k, v in header.items()}
plain, concat = tensors("twin.none/initial.safetensors"), tensors("twin.concat/initial.safetensors")
print(*(plain[k] == concat[k] and any(plain[k][1]) for k in ("hidden1.weight", "hidden1.bias")),
      plain["hidden2.weight"][0] != concat["hidden2.weight"][0])
END
    )"
fi

# Kernels: each path is reproducible and near the others; an unknown one is refused.
for simd in generic avx2 avx512; do
    status=0
    SKIPNET_SIMD=$simd "$skipnet" train net.json -q --threads 1 --out "$simd" 2>err || status=$?
    [[ $status == 2 ]] && want_like "$simd: not on this machine" "SKIPNET_SIMD=$simd: *" "$(cat err)" && continue
    want "$simd: exit status" 0 "$status"
    want "$simd: taken" "\"$simd\"" "$(value_of $simd/run.json simd)"
    SKIPNET_SIMD=$simd "$skipnet" train net.json -q --threads 3 --out "$simd.3" 2>err
    want_same $simd $simd.3
    want "$simd: near the generic one" "" "$(paste -d, generic/loss.csv $simd/loss.csv | awk -F, 'NR > 1 {
        d = $3 - $19; if ($3 == "" || $19 == "" || d > 1e-3 || d < -1e-3) print }')"
done
[[ -s generic/loss.csv ]] || { echo "the generic path did not run" && exit 1; }

# Where a multiply-add is one rounding the width of the vectors changes no byte, and a run goes on with the other width.
if [[ -s avx2/loss.csv && -s avx512/loss.csv ]]; then
    want_same avx2 avx512
    SKIPNET_SIMD=avx2 "$skipnet" train net.json -q --out both --set train.steps=7
    SKIPNET_SIMD=avx512 "$skipnet" train net.json --out both --set train.steps=12 --resume >out 2>err
    want_like "the other width: it goes on" "both: resumed at step * of *, made longer*" "$(cat err)"
    SKIPNET_SIMD=avx2 "$skipnet" train net.json -q --out twelve --set train.steps=12
    want_same both twelve
fi
for verb in train check; do
    status=0
    SKIPNET_SIMD=neon "$skipnet" $verb net.json >out 2>err || status=$?
    want_like "$verb, unknown kernels" "2 SKIPNET_SIMD=neon: unknown (one of: generic*)" "$status $(cat out err)"
done
finish 150
