#!/usr/bin/env bash
# What does not fit is refused before it is taken, with its place; and no name or key makes a run write elsewhere.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
line=$(awk '/"network"/ { print NR ":" index($0, "\"network\"") + 11; exit }' tiny.json)

refuses 2 "--set network.width=2000000000: network.width: 2000000000 is too large (a whole number from 1 to 1000000)" \
    check tiny.json --set network.width=2000000000
refuses 2 "tiny.json:$line: network: more than the limit of 8589934592 parameters up to hidden2 (make the layers \
smaller or fewer)" check tiny.json --set network.width=1000000

# A list names its own line.  The outputs double at every concat, up to c11; one more is too wide, and many are too much.
write_wide() { # ENTRY...: after c11
    local last=linear1 i
    printf '{"data": {"kind": "spirals"}, "network": {"layers": [\n  {"op": "linear", "units": 1000000}'
    for ((i = 1; i < 12; i++)); do
        printf ',\n  {"op": "concat", "label": "c%d", "inputs": ["%s", "%s"]}' $i "$last" "$last"
        last=c$i
    done
    printf ',\n  %s' "$@"
    printf '\n]}}\n'
}
write_wide '{"op": "concat", "inputs": ["c11", "c11"]}' >wide.json
refuses 2 "wide.json:14:3: network.layers[12]: concat1: more than 2147483648 features (join fewer or smaller inputs)" \
    check wide.json
write_wide '{"op": "tanh"}' '{"op": "tanh"}' '{"op": "tanh"}' '{"op": "linear", "units": 2}' >wide.json
refuses 2 "wide.json:16:3: network.layers[14]: tanh3: more than the limit of 8589934592 outputs of layers up to here \
(make the layers smaller or fewer)" check wide.json

# Too much for the address space that is left, and refused before it is asked for.  The sanitizers reserve terabytes.
if (ulimit -v 3000000 && "$skipnet" version >/dev/null 2>&1); then
    ulimit -S -v 3000000
    run train tiny.json --out big --set network.width=20000
    ulimit -S -v unlimited
    want "too large a network: status" 1 "$status"
    want_like "too large a network: message" "tiny.json:$line: network: 1200160002 parameters and passes of 32 samples \
need at least * GiB of memory, * GiB are free here (take fewer or narrower layers, or a smaller train.batch_size)" \
        "$(cat err)"
    ulimit -S -v 3000000
    run check tiny.json --set network.width=20000
    ulimit -S -v unlimited
    want "check says so too: status" 1 "$status"
    want_like "check says so too: message" "tiny.json:$line: network: 1200160002 parameters*" "$(cat err)"
    # Many copies of a long label: the graph has room, its text has not.
    label=$(printf '%0240d' 0)
    printf '{"data": {"kind": "spirals"}, "network": {"layers": [{"op": "linear", "units": 2},\n%s,\n%s]}}\n' \
        "{\"repeat\": 200000, \"layers\": [{\"op\": \"tanh\", \"label\": \"$label\"}]}" '{"op": "linear", "units": 2}' >copies.json
    ulimit -S -v 500000
    run check copies.json --expand
    ulimit -S -v unlimited
    want "too long an expansion: status" 1 "$status"
    want_like "too long an expansion: message" "the expanded network needs 4* MiB of memory, * MiB are free here" \
        "$(cat err)"
    ulimit -S -v 1500000
    run train tiny.json --out big --set data.samples=100000000
    ulimit -S -v unlimited
    want "too many samples: status" 1 "$status"
    want_like "too many samples: message" "samples needs 1.49 GiB of memory, * are free here" "$(cat err)"
    truncate -s 3G large.csv
    truncate -s 1900M fits.csv
    refuses 2 "$work/large.csv: larger than the limit of 2147483648 bytes" check tiny.json \
        --set 'data={"kind":"csv","path":"large.csv"}'
    ulimit -S -v 1500000
    run check tiny.json --set 'data={"kind":"csv","path":"fits.csv"}'
    ulimit -S -v unlimited
    want "a file too large for the machine: status" 1 "$status"
    want_like "a file too large for the machine: message" "$work/fits.csv needs 1.855 GiB of memory, *" "$(cat err)"
    rm -f large.csv fits.csv
fi

# Whatever a run is called, it stays below runs/, or in --out.
rm -rf runs big
mkdir -p inside/deeper
cp tiny.json inside/deeper
cd inside/deeper
before=$(cd "$work" && find . -path ./inside/deeper -prune -o -print | sort)
for name in ../../up /tmp/absolute .. . ../.. a/../../b '~' -rf; do
    does train tiny.json -q --set train.steps=1 --set "name=$name"
    does train tiny.json -q --set train.steps=1 --out kept --force --set "name=$name"
done
want "runs outside" "$before" "$(cd "$work" && find . -path ./inside/deeper -prune -o -print | sort)"
want "eight runs and nothing else" 8 "$(find runs -mindepth 1 -maxdepth 1 -type d | wc -l)"
want "no run beside them" "err kept out runs tiny.json" "$(find . -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | paste -sd' ')"
want "files of a run only" 0 "$(find runs -type f ! -name config.json ! -name loss.csv ! -name gradients.csv \
    ! -name run.json ! -name datapackage.json ! -name final.safetensors ! -name checkpoint.safetensors ! -name run.lock | wc -l)"
cd "$work"

# A name in another encoding would make config.json no JSON.
refuses 2 "--set name=\\xe4: name: not UTF-8, which is what the files of a run are written in" \
    check tiny.json --set "name=$(printf '\344')"
finish 30
