#!/usr/bin/env bash
# Fuzzes everything that reads what others wrote: the targets of tests/fuzz under ASan and UBSan.
#
#   scripts/dev/fuzz.sh [--runs N] [--seconds N] [--jobs N] [--keep DIR] [TARGET...]
#
# TARGET       of tests/fuzz/fuzz_TARGET.c; default: all
# --runs N     executions of a target at most; default 10000000
# --seconds N  the same in seconds, whichever comes first; default 1200
# --jobs N     targets at a time; default: a processor each
# --keep DIR   where corpora, logs and findings are kept, and corpora taken up again; default: a new directory, which is
#              removed when nothing was found
#
# Every target starts from its corpus in tests/fuzz/corpus, with the words of that corpus as dictionary, config with the
# words of `skipnet schema` too.  Prints a table: executions, executions a second, edges covered of those in the program,
# inputs that were found worth keeping, findings.  Exit status 1 where there is a finding; its input then belongs into
# the corpus, where `ctest` runs it ever after.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=scripts/parts/group.sh
. "$root/scripts/parts/group.sh"
call_in_group "$@"
corpora=$root/tests/fuzz/corpus

runs=10000000 seconds=1200 jobs=$(nproc) keep='' targets=()
while (($#)); do
    case $1 in
    -h | --help) sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" || exit 4 && exit 0 ;;
    --runs | --seconds | --jobs | --keep)
        [[ -n ${2:-} ]] || { echo "fuzz.sh: $1 needs a value" >&2 && exit 2; }
        [[ $1 == --keep || $2 =~ ^[1-9][0-9]{0,8}$ ]] || { echo "fuzz.sh: $1: not a number: $2" >&2 && exit 2; }
        declare "${1#--}=$2"
        shift 2
        ;;
    -*) echo "fuzz.sh: unknown option $1 (see --help)" >&2 && exit 2 ;;
    *)
        [[ -f $root/tests/fuzz/fuzz_$1.c ]] || { echo "fuzz.sh: no target $1 (see tests/fuzz)" >&2 && exit 2; }
        targets+=("$1")
        shift
        ;;
    esac
done
if ((${#targets[@]} == 0)); then
    for source in "$root"/tests/fuzz/fuzz_*.c; do
        target=${source##*/fuzz_}
        targets+=("${target%.c}")
    done
fi

cmake --preset fuzz -S "$root" >/dev/null
cmake --build "$root/build/fuzz" >/dev/null

is_new=0
[[ -n $keep ]] || { keep=$(mktemp -d) && is_new=1; }
mkdir -p "$keep"
keep=$(realpath "$keep")
# Directories of run files live in memory; on a disk they would be most of the time.
memory=$(mktemp -d -p "$([[ -w /dev/shm ]] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
trap 'rm -rf "$memory"' EXIT
# Copies, so that a build while this runs does not disturb it.
cp "$root/build/fuzz/skipnet" "${targets[@]/#/$root/build/fuzz/tests/fuzz/fuzz_}" "$memory"

write_dictionary() { # TARGET
    {
        grep -ahoE '"[A-Za-z0-9_.$-]+"' -r "$corpora/$1" || true
        [[ $1 != config ]] || "$memory/skipnet" schema | grep -oE '"[A-Za-z0-9_.$-]+"'
    } | sort -u
}

# Leaves TARGET.log, TARGET.corpus and, where something is found, files in TARGET.findings.
fuzz() { # TARGET
    local dir=$keep/$1
    mkdir -p "$dir.corpus" "$dir.findings" "$memory/$1"
    local options=(-runs="$runs" -max_total_time="$seconds" -artifact_prefix="$dir.findings/" -timeout=10
        -rss_limit_mb=4096 -max_len=65536 -print_final_stats=1)
    write_dictionary "$1" >"$dir.words"
    [[ ! -s $dir.words ]] || options+=(-dict="$dir.words")
    TMPDIR=$memory/$1 "$memory/fuzz_$1" "${options[@]}" "$dir.corpus" "$corpora/$1" \
        >"$dir.log" 2>&1 || true
}

# libFuzzer's log in one row; without a last line of statistics the target did not come to an end.
row() { # TARGET
    awk -v target="$1" -v findings="$(find "$keep/$1.findings" -type f | wc -l)" '
        function after(word,    i) {
            for (i = 1; i < NF; i++) if ($i == word) return $(i + 1)
            return 0
        }
        /inline 8-bit counters/ { sub(/.*\(/, ""); edges = $1 }
        /^#[0-9]+.* cov: / { covered = after("cov:"); kept = after("corp:"); sub(/\/.*/, "", kept) }
        /stat::number_of_executed_units/ { executed = $2 }
        /stat::average_exec_per_sec/ { rate = $2; ended = 1 }
        END {
            if (!ended && findings == 0) findings = 1
            printf "%-12s %12d %9d %7d of %-6d %8d %9d\n", target, executed, rate, covered, edges, kept, findings
            exit findings > 0
        }' "$keep/$1.log"
}

for target in "${targets[@]}"; do
    while (($(jobs -pr | wc -l) >= jobs)); do wait -n || true; done
    fuzz "$target" &
done
wait

printf '%-12s %12s %9s %17s %8s %9s\n' target executions per_s 'edges covered' corpus findings
n_bad=0
for target in "${targets[@]}"; do
    row "$target" || n_bad=$((n_bad + 1))
done
if ((n_bad > 0)); then
    echo "$n_bad of ${#targets[@]} targets with findings: logs and inputs are in $keep" >&2
    exit 1
fi
((is_new == 0)) || rm -rf "$keep"
