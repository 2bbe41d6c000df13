#!/usr/bin/env bash
# scripts/dev/bench_peers.py with a stand-in for PyTorch that answers fixed times: what it asks, its table, its JSON, its
# refusals.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"
command -v python3 >/dev/null || { echo "no python3 here" && exit 77; }
peers=$source_dir/scripts/dev/bench_peers.py

# Counts what it is asked for; knows the one network (784 x 16 + 16, 50 blocks of 16 x 16 + 16, 16 x 10 + 10) and what
# its training came to.
mkdir -p venv/bin
cat >venv/bin/python <<'END'
#!/usr/bin/env bash
[[ $1 == -c ]] && exit 0
here=$(dirname "$0")
losses() { # of the training that the request $1 names, times FACTOR
    local weights
    weights=$(sed 's/.*"weights": "\([^"]*\)".*/\1/' <<<"$1")
    awk -F, -v factor="${FACTOR:-1}" 'NR > 1 { printf "%s%.9g", separator, factor * $3; separator = "," }' \
        "${weights%/*}/loss.csv"
}
while read -r line; do
    printf '%s %s\n' "$(basename "$1" _worker.py)" "$line" >>"$here/asked"
    case $line in
    *'"hello"'*) echo '{"version": "stand-in"}' ;;
    *'"build"'*'"compile"'*) echo '{"error": "no compiler here"}' ;;
    *'"build"'*) printf '{"parameters": %s, "losses": [%s]}\n' "${PARAMETERS:-26330}" "$(losses "$line")" ;;
    *'"measure"'*'}') [[ $1 == *jax* ]] && echo '{"step_s": 1.25}' || echo '{"step_s": 2.5}' ;;
    esac
done
END
chmod +x venv/bin/python

status=0
compare_peers() { # ARGUMENT...
    status=0
    python3 "$peers" --skipnet "$skipnet" --venv venv --rounds 2 --seconds 0.02 --threads 1 --no-pair "$@" \
        >out 2>err || status=$?
}

compare_peers --only "50 of 16" --json peers.json
want "exit status" 0 "$status"
want_like "header" "| network (blocks of width), batch | skipnet | of the limit | PyTorch, best | ratio | JAX, best |*" \
    "$(head -n 1 out)"
want_like "row" \
    "| 50 of 16, 32 | * ms (1) | * % | 2.5e+03 ms (eager foreach, 1) | \*\**\*\* | 1.25e+03 ms (scan, 1) | \*\**\*\* |  |" \
    "$(sed -n 3p out)"
want_like "times of all modes" "| 50 of 16 | * | 2.5e+03 | 2.5e+03 | 1.25e+03 | 1.25e+03 |" "$(sed -n 7p out)"
want "what did not work is told" "- 50 of 16: compile, 1 threads: no compiler here" "$(grep '^- 50 of 16' out)"
want "the command can be typed again" yes "$(grep -q -- "--only '50 of 16'" out && echo yes)"
want "built once per mode" "jax scan,jax unrolled,torch compile,torch eager foreach,torch eager fused" \
    "$(sed -n 's/\([a-z]*\) .*"build".*"mode": "\(jax \)\{0,1\}\([a-z ]*\)".*/\1 \3/p' venv/bin/asked | sort |
        paste -sd,)"
want "measured in every round and mode that works" 8 "$(grep -c '"measure"' venv/bin/asked)"
want "the ratios are those of the times" True "$(python3 -c '
import json
row, = json.load(open("peers.json"))["rows"]
of = lambda peer: row["best"][peer]["ratio"] * row["skipnet_s"]
print(abs(of("torch") - 2.5) < 1e-9 and abs(of("jax") - 1.25) < 1e-9 and row["skipnet_s"] > 0)')"

# The losses are those of a training that goes somewhere: a stand-in off by a tenth is found out.
FACTOR=1.1 compare_peers --only "50 of 16" --modes "jax scan"
want_like "other losses: refused" "1 50 of 16: the networks differ: losses \[2.*\] here, \[2.*\] in jax scan" \
    "$status $(tail -n 1 err)"
PARAMETERS=1 compare_peers --only "50 of 16" --modes "eager fused"
want "another network: refused" "1 50 of 16: the networks differ: 26330 parameters here, 1 in eager fused" \
    "$status $(tail -n 1 err)"
compare_peers --only "7 of 7"
want_like "no such network" "2 *no network '7 of 7' (one of: 50 of 64; *" "$status $(tail -n 1 err)"
compare_peers --rounds 0
want_like "no rounds" "2 *--rounds, --seconds and --threads want numbers above 0" "$status $(tail -n 1 err)"
compare_peers --skipnet missing
want_like "no program" "2 *missing is no program: build it *" "$status $(tail -n 1 err)"
for file in "$source_dir"/scripts/dev/bench/*_worker.py "$source_dir"/scripts/dev/bench/jax_network.py; do
    want "$(basename "$file") is Python" "" "$(python3 -c 'import sys; compile(open(sys.argv[1]).read(), "", "exec")' "$file" 2>&1)"
done
finish 17
