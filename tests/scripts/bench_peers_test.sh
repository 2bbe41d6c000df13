#!/usr/bin/env bash
# scripts/dev/bench_peers.py with a stand-in for PyTorch that answers fixed times: what it asks, its table, its JSON, its
# refusals.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"
command -v python3 >/dev/null || { echo "no python3 here" && exit 77; }
peers=$source_dir/scripts/dev/bench_peers.py

# Counts what it is asked for; knows the one network: 784 x 16 + 16, 50 blocks of 16 x 16 + 16, 16 x 10 + 10.
mkdir -p venv/bin
cat >venv/bin/python <<'END'
#!/usr/bin/env bash
[[ $1 == -c ]] && exit 0
here=$(dirname "$0")
while read -r line; do
    printf '%s\n' "$line" >>"$here/asked"
    case $line in
    *'"hello"'*) echo '{"version": "stand-in", "threads": 1}' ;;
    *'"build"'*'"compile"'*) echo '{"error": "no compiler here"}' ;;
    *'"build"'*) printf '{"parameters": %s}\n' "${PARAMETERS:-26330}" ;;
    *'"measure"'*) echo '{"step_s": 2.5}' ;;
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
want_like "header" "| network (blocks of width), batch | skipnet | of peak | PyTorch, best | ratio |*" \
    "$(head -n 1 out)"
want_like "row" "| 50 of 16, 32 | * ms (1) | * % | 2.5e+03 ms (eager foreach, 1) | \*\**\*\* |  |" "$(sed -n 3p out)"
want "what did not work is told" "- 50 of 16: compile, 1 threads: no compiler here" "$(grep '^- 50 of 16' out)"
want "built once per mode" "compile,eager foreach,eager fused" \
    "$(sed -n 's/.*"build".*"mode": "\([a-z ]*\)".*/\1/p' venv/bin/asked | sort | paste -sd,)"
want "measured in every round and mode that works" 4 "$(grep -c '"measure"' venv/bin/asked)"
want "the ratio is that of the times" True "$(python3 -c '
import json
row, = json.load(open("peers.json"))["rows"]
print(row["torch_s"] == 2.5 and abs(row["ratio"] * row["skipnet_s"] - 2.5) < 1e-9 and row["skipnet_s"] > 0)')"

PARAMETERS=1 compare_peers --only "50 of 16" --modes "eager fused"
want "another network: refused" "1 50 of 16: the networks differ: 26330 parameters here, 1 in PyTorch" \
    "$status $(tail -n 1 err)"
compare_peers --only "7 of 7"
want_like "no such network" "2 *no network '7 of 7' (one of: 50 of 64; *" "$status $(tail -n 1 err)"
compare_peers --rounds 0
want_like "no rounds" "2 *--rounds, --seconds and --threads want numbers above 0" "$status $(tail -n 1 err)"
compare_peers --skipnet missing
want_like "no program" "2 *missing is no program: build it *" "$status $(tail -n 1 err)"
want "the worker is Python" "" "$(python3 -c 'compile(open("'"$source_dir"'/scripts/dev/bench/torch_worker.py").read(), "worker", "exec")' 2>&1)"
finish 12
