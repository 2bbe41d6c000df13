#!/usr/bin/env bash
# exponents.csv of whole runs: that counts add up to the elements of every tensor and agree with gradients.csv, that
# threads and interruptions do not matter, what has no exponent, and that the file is there only where it is asked for.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
counting=(train tiny.json -q --set report.exponents=true --set report.schedule.kind=linear)

# The sum of the counts per step, label and tensor against `elements`: per label the elements of the weight tensor, the
# inputs of a sample and its outputs, and per step the samples of its batch.  Every sum has to be there.
want_sums() { # DIRECTORY LAST-STEP UPDATES-IN-LAST(0/1) SAMPLES... -- LABEL:WEIGHTS:IN:OUT...
    local run=$1 last=$2 updates=$3 samples=()
    shift 3
    while [[ $1 != -- ]]; do samples+=("$1") && shift; done
    shift
    want "$run: sums" "" "$(awk -F, -v last="$last" -v updates="$updates" -v sizes="${samples[*]}" -v layers="$*" '
        NR == 1 { if ($0 != "step,layer,label,tensor,kind,exponent,count") print "header " $0; next }
        NF != 7 || $7 !~ /^[1-9][0-9]*$/ || ($5 == "finite") != ($6 ~ /^-?[0-9]+$/) || ($5 != "finite" && $6 != "") {
            print "line " NR ": " $0 }
        $5 !~ /^(finite|zero|inf|nan)$/ { print "line " NR ": " $5 }
        $1 FS $3 FS $4 == before && $5 == "finite" && kind == "finite" && $6 <= exponent + 0 { print "order " NR }
        { sum[$1, $3, $4] += $7; before = $1 FS $3 FS $4; kind = $5; exponent = $6 }
        END {
            for (key in sum) found++
            n = split(layers, layer, " "); split(sizes, rows, " ")
            for (step = 0; step <= last; step++) for (k = 1; k <= n; k++) {
                split(layer[k], size, ":")
                expect["weight"] = expect["grad"] = size[2]
                expect["update"] = step < last || updates ? size[2] : 0
                expect["in"] = size[3] * rows[step + 1]
                expect["delta"] = size[4] * rows[step + 1]
                for (tensor in expect) if (sum[step, size[1], tensor] + 0 != expect[tensor])
                    print step, size[1], tensor, sum[step, size[1], tensor] + 0, "of", expect[tensor]
            }
            if (found != (last + 1) * n * 5 - (updates ? 0 : n)) print found " sums"
        }' "./$run/exponents.csv")"
}
layers=(hidden1:16:2:8 hidden2:64:8:8 hidden3:64:8:8 hidden4:64:8:8 output:16:8:2)
batches=(16 16 16 16 16 16 4 16 16 16 16) # 100 samples in batches of 16

for precision in float32 float64; do
    does "${counting[@]}" --set precision=$precision --threads 1 --out $precision
    want_sums $precision 10 0 "${batches[@]}" -- "${layers[@]}"
done
want "layers, tensors of a step, in their order" "$(
    for ((i = 1; i <= 5; i++)); do
        for tensor in weight grad update delta in; do echo "$i $tensor"; done
    done
)" "$(awk -F, '$1 == 0 { print $2, $4 }' float32/exponents.csv | uniq)"

# Shared inputs, more than one tile and thread, norms and learned scales, every optimizer's path, clipping.
cat >net.json <<'END'
{
  "name": "net",
  "data": {"kind": "spirals", "samples": 250, "test_samples": 50},
  "network": {"depth": 6, "width": 40},
  "train": {"lr": 0.05, "batch_size": 100, "steps": 4},
  "report": {"exponents": true, "schedule": {"kind": "linear", "every": 1}}
}
END
for more in "network.skip=highway" "network.skip=concat train.clip_norm=0.5" "precision=float64 network.norm=batch" \
    "network.norm=layer network.skip={\"kind\":\"add\",\"branch_scale\":{\"learned\":0.5}} network.activation=relu" \
    "train.optimizer.momentum=0.9 train.optimizer.weight_decay=0.01"; do
    read -ra words <<<"$more"
    sets=()
    for word in "${words[@]}"; do sets+=(--set "$word"); done
    for threads in 1 2 3; do does train net.json -q "${sets[@]}" --threads $threads --out "$more.$threads"; done
    want_equal "$more.1/exponents.csv" "$more.2/exponents.csv" "$more.3/exponents.csv"
    want "$more: zeros of gradients, unchanged weights" "" "$(awk -F, '
        FNR == 1 { file++; next }
        file == 1 && $4 ~ /grad|update/ { n[$1, $3, $4] += $7; if ($5 == "zero") zeros[$1, $3, $4] = $7 }
        file == 1 && $4 == "grad" && $5 == "finite" { most[$1, $3] = $6 }
        file == 2 && ($1, $3, "grad") in n {
            rows++
            if ((zeros[$1, $3, "grad"] / n[$1, $3, "grad"] - $12) ^ 2 > 1e-12) print "zeros: " $1, $3
            if ($17 != "" && (zeros[$1, $3, "update"] / n[$1, $3, "update"] - $17) ^ 2 > 1e-12) print "unchanged: " $1, $3
            if ($11 < 2 ^ most[$1, $3] || $11 >= 2 ^ (most[$1, $3] + 1)) print "largest: " $1, $3
        }
        END { if (rows < 30) print rows + 0 " rows" }' "./$more.1/exponents.csv" "./$more.1/gradients.csv")"
done
want_sums "network.skip=highway.2" 4 0 100 100 50 100 100 -- hidden1:80:2:40 output:80:40:2 \
    hidden{2,3,4,5,6}:1600:40:40 hidden{2,3,4,5,6}.gate:1600:40:40

# Nothing else of a run changes; the file is there only where it is asked for, and described only there.
does train tiny.json -q --set report.schedule.kind=linear --threads 1 --out plain
for file in loss.csv gradients.csv final.safetensors; do want_equal plain/$file float32/$file; done
want "no file" "" "$(find plain -name 'exponents*')"
want "not described" 0 "$(grep -c exponents.csv plain/datapackage.json || true)"
want "described" 1 "$(grep -c '"path": "exponents.csv"' float32/datapackage.json)"
want "one hash" "$(value_of plain/run.json config_hash)" "$(value_of float32/run.json config_hash)"
does compare plain float32
does "${counting[@]}" --threads 1 --out forced
does train tiny.json -q --threads 1 --out forced --force
want "--force removes it" "" "$(find forced -name 'exponents*')"
does train tiny.json -q --set report.exponents=true --set train.steps=0 --threads 1 --out none
want_sums none 0 0 16 -- "${layers[@]}"
refuses 2 "--set report.exponents=1: report.exponents: expected true or false, got the number 1" \
    train tiny.json --set report.exponents=1 --out bad

# Only rows of the schedule.
does "${counting[@]}" --set train.steps=100 --set report.schedule.kind=log --threads 1 --out log
want "steps" "$(column log/gradients.csv step | uniq)" "$(column log/exponents.csv step | uniq)"

# Denormals have their own exponents; below them there is nothing but zero.
small=(train tiny.json -q --set report.exponents=true --set train.steps=0 --threads 1 --set network.skip=none
    --set network.init.kind=normal --set network.init.std=1e-8 --set network.depth=6)
does "${small[@]}" --out small
want "float32: some of the deltas are denormal, some zero, none below" "1 1 0" "$(awk -F, '
    $4 == "delta" { zero = zero || $5 == "zero"; if ($5 == "finite") { small = small || $6 < -126; none = none || $6 < -149 } }
    END { print small + 0, zero + 0, none + 0 }' small/exponents.csv)"
does "${small[@]}" --set precision=float64 --out small64
want "float64: all have an exponent" "" "$(awk -F, '$4 == "delta" && $5 != "finite"' small64/exponents.csv)"
want "float64: where float32 has none" 1 "$(awk -F, '$4 == "delta" && $6 < -149 { n = 1 } END { print n + 0 }' \
    small64/exponents.csv)"

# A step that diverged: what is not finite is counted, and there was no update.
run "${counting[@]}" --threads 1 --set network.activation=relu --set train.lr=1e30 --out diverged
want "diverged" 3 "$status"
want "nan or inf among the inputs" 1 "$(awk -F, '$1 == 1 && $4 == "in" && $5 ~ /nan|inf/ { n = 1 } END { print n + 0 }' \
    diverged/exponents.csv)"
want "no update" "" "$(awk -F, '$1 == 1 && $4 == "update"' diverged/exponents.csv)"
want_sums diverged 1 0 16 16 -- "${layers[@]}"

# Interrupted and gone on, made longer: the same bytes.
long=("${counting[@]}" --set train.steps=3000 --set report.schedule.kind=log)
does "${long[@]}" --threads 1 --out whole
for ((attempt = 0; attempt < 20; attempt++)); do
    rm -rf cut
    env --default-signal=INT "$skipnet" "${long[@]}" --threads 1 --out cut >out 2>err </dev/null &
    pid=$!
    started+=("$pid")
    for ((i = 0; i < 4000; i++)); do # await looks too rarely
        if has_rows cut/loss.csv 5; then break; fi
        sleep 0.002
    done
    kill -INT "$pid" 2>/dev/null || true
    status=0
    wait "$pid" 2>/dev/null || status=$?
    ((status == 130)) && break
done
want "interrupted" '"interrupted"' "$(value_of cut/run.json status)"
cp -r cut other
for value in false true; do
    [[ $value == true ]] || refuses 2 "$work/other/checkpoint.safetensors was saved with report.exponents true, here it is \
false: the run would not go on to the same bytes (take that value, or --force to train anew)" "${long[@]}" \
        --set report.exponents=false --out "$work/other" --resume
done
echo "0,1,hidden1,weight,finite,-1,1" >>cut/exponents.csv # what came after the checkpoint
does "${long[@]}" --threads 2 --out cut --resume
for file in loss.csv gradients.csv exponents.csv final.safetensors; do want_equal whole/$file cut/$file; done
sed -i '5s/finite/FINITE/' other/exponents.csv
run "${long[@]}" --threads 2 --out other --resume
want "a changed file" 2 "$status"
want_like "a changed file" "*other/exponents.csv: its first * bytes are not those that its run wrote*" "$(cat err)"
does "${counting[@]}" --set train.steps=12 --threads 1 --out twelve
does "${counting[@]}" --threads 1 --out grown
does "${counting[@]}" --set train.steps=12 --threads 1 --out grown --resume
want_equal twelve/exponents.csv grown/exponents.csv
finish 80
