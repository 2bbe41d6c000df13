#!/usr/bin/env bash
# Whether the bytes of a run depend on nothing but its config, the kernels and the precision: random configs, the whole
# program, every CSV, the final weights and their hash in run.json.
#
#   scripts/dev/bits.sh [--graphs N] [--first SEED] [--every] [--emulated] [--keep DIR]
#
# A group is the runs of one config on one path of the kernels (SKIPNET_SIMD) and one OPENBLAS_CORETYPE.  All in it must
# be equal: 1, 2, 3, 4, 7, 8 and 16 threads, OpenBLAS built with pthreads, with OpenMP and serial, and a run of the
# config.json that a run has written.  So must the groups avx2 and avx512 of a config be; the generic path is compared
# with itself alone: it has no multiply-add of one rounding, and multiplies by OpenBLAS.
#
# --graphs N    configs to draw; default 100
# --first SEED  of the first of them; default 1
# --every       every core type, and every number of threads with every build of OpenBLAS; else the core type is another
#               one for each config, and the other builds run with 1 thread and one more number
# --emulated    the preset emulated instead of test: avx512 runs on a processor that has AVX2 only
# --keep DIR    where runs that differ are kept; default: a new directory, named when there are any
#
# Builds of OpenBLAS that are not installed are fetched by apt-get download and unpacked into a temporary directory; a
# core type that cannot run here is named and left out.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=scripts/parts/group.sh
. "$root/scripts/parts/group.sh"
call_in_group "$@"
counts=(1 2 3 4 7 8 16)
all_cores=(Prescott Core2 Penryn Dunnington Atom Nehalem Sandybridge Haswell SkylakeX Cooperlake Sapphirerapids
    Barcelona Bobcat Bulldozer Piledriver Steamroller Excavator Zen)
cores=() paths=() kinds=() # what runs here
declare -A library_path
n_runs=0 n_groups=0 n_differ=0 n_diverged=0 n_compared=0 n_paths_compared=0

graphs=100 first=1 every=0 preset=test keep=
while (($#)); do
    case $1 in
    -h | --help) sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" || exit 4 && exit 0 ;;
    --every) every=1 && shift ;;
    --emulated) preset=emulated && shift ;;
    --graphs | --first | --keep)
        [[ -n ${2:-} ]] || { echo "bits.sh: $1 needs a value" >&2 && exit 2; }
        [[ $1 == --keep || $2 =~ ^[1-9][0-9]{0,8}$ ]] || { echo "bits.sh: $1: not a number: $2" >&2 && exit 2; }
        declare "${1#--}=$2"
        shift 2
        ;;
    -*) echo "bits.sh: unknown option $1 (see --help)" >&2 && exit 2 ;;
    *) echo "bits.sh: unexpected argument $1 (see --help)" >&2 && exit 2 ;;
    esac
done
[[ -z $keep ]] || keep=$(realpath -m "$keep")

cmake --preset "$preset" -S "$root" >/dev/null
cmake --build "$root/build/$preset" --target skipnet test_bits >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Copies, so that a build while this runs does not disturb it.
cp "$root/build/$preset/skipnet" "$root/build/$preset/tests/test_bits" "$work"
skipnet=$work/skipnet test_bits=$work/test_bits
cd "$work"

# One run in the environment of $simd, $core and $kind; its exit status may be 3 (diverged), but not another.
train() { # DIRECTORY CONFIG THREADS
    local status=0
    # Braces, so that the shell's word of a core type that crashes goes to the log.
    { SKIPNET_SIMD=$simd OPENBLAS_CORETYPE=$core LD_LIBRARY_PATH=${library_path[$kind]} \
        "$skipnet" train "$2" -q --threads "$3" --out "$1"; } >"$1.log" 2>&1 || status=$?
    return "$((status == 3 ? 0 : status))"
}

# The directory of a build of OpenBLAS on stdout.
find_library() { # KIND
    local found
    found=$(compgen -G "/usr/lib/*/openblas-$1/libopenblas.so.0") ||
        { apt-get download "libopenblas0-$1" && dpkg -x "libopenblas0-$1"_*.deb "$work/prefix" &&
            found=$(compgen -G "$work/prefix/usr/lib/*/openblas-$1/libopenblas.so.0"); } >"apt-$1.log" 2>&1 || return 1
    dirname "$found"
}

find_kinds() {
    local simd=generic core=Haswell kind directory
    for kind in pthread serial openmp; do
        if ! directory=$(find_library $kind); then
            echo "OpenBLAS $kind: not to be had ($(tail -n 1 "apt-$kind.log"))"
            continue
        fi
        library_path[$kind]=$directory
        train "kind-$kind" probe.json 1
        grep -q "\"openblas_threading\": \"$kind\"" "kind-$kind/run.json" ||
            { echo "bits.sh: $directory is not the $kind build" >&2 && exit 1; }
        kinds+=("$kind")
    done
    ((${#kinds[@]})) || { echo "bits.sh: no build of OpenBLAS" >&2 && exit 1; }
}

find_paths() {
    local path
    for path in generic avx2 avx512; do
        if SKIPNET_SIMD=$path "$skipnet" check probe.json >check.log 2>&1; then paths+=("$path"); else
            echo "SKIPNET_SIMD=$path: $(head -n 1 check.log)"
        fi
    done
}

# In both precisions, since their kernels are not the same.
find_cores() {
    local simd=generic core kind=${kinds[0]} taken
    sed 's/float32/float64/' probe.json >probe64.json
    for core in "${all_cores[@]}"; do
        if ! train "core-$core" probe.json 1 || ! train "core64-$core" probe64.json 1; then
            echo "OPENBLAS_CORETYPE=$core: does not run here"
            continue
        fi
        taken=$(sed -n 's/.*"openblas_core": "\(.*\)".*/\1/p' "core-$core/run.json")
        if [[ $taken == "$core" ]]; then cores+=("$core"); else echo "OPENBLAS_CORETYPE=$core: is $taken"; fi
    done
}

# The run was what it is taken for, so that nothing agrees because a setting had no effect.
check_manifest() { # DIRECTORY THREADS
    local manifest line
    manifest=$(<"$1/run.json")
    for line in "\"threads\": $2," "\"simd\": \"$simd\"" "\"openblas_core\": \"$core\"" \
        "\"openblas_threading\": \"$kind\"" '"weights_hash": "'; do
        [[ $manifest == *"$line"* ]] || { echo "bits.sh: no $line in $1/run.json" >&2 && exit 1; }
    done
}

hash_of() { # DIRECTORY
    [[ $(<"$1/run.json") =~ \"weights_hash\":\ \"([0-9a-f]{16})\" ]] && echo "${BASH_REMATCH[1]}"
}

is_same() { # DIRECTORY DIRECTORY
    local file
    for file in loss.csv gradients.csv final.safetensors; do
        [[ -s $1/$file ]] && cmp -s "$1/$file" "$2/$file" || return 1
    done
    [[ $(hash_of "$1") == "$(hash_of "$2")" ]]
}

# Runs and compares with the group's first run, where there is one; else this is it.
member() { # NAME CONFIG THREADS
    local directory=$group/$1
    train "$directory" "$2" "$3" ||
        { echo "bits.sh: $directory:" >&2 && cat "$directory.log" "$2" >&2 && exit 1; }
    check_manifest "$directory" "$3"
    n_runs=$((n_runs + 1))
    if [[ -z $one ]]; then
        one=$directory
        return
    fi
    compare "$one" "$directory"
}

# Keeps both where they are not the same.
compare() { # DIRECTORY DIRECTORY
    local directory
    n_compared=$((n_compared + 1))
    is_same "$1" "$2" && return
    n_differ=$((n_differ + 1))
    [[ -n $keep ]] || keep=$(mktemp -d /tmp/skipnet-bits.XXXXXX)
    for directory; do
        mkdir -p "$keep/${directory%/*}"
        cp -r "$directory" "$keep/${directory%/*}"
    done
    cp "$config" "$keep"
    echo "DIFFERS: $keep/$2 from ${1#"$seed/"}"
}

# The numbers of threads for a build of OpenBLAS: all, or one and another one for each seed.
counts_of() { # KIND
    if [[ $1 == "${kinds[0]}" ]] || ((every)); then echo "${counts[@]}"; else
        echo "1 ${counts[1 + seed % (${#counts[@]} - 1)]}"
    fi
}

run_group() {
    local group=$seed/$simd-$core one='' kind threads
    mkdir -p "$group"
    for kind in "${kinds[@]}"; do
        for threads in $(counts_of "$kind"); do
            member "$kind-$threads" "$config" "$threads"
        done
    done
    kind=${kinds[0]}
    member again "$one/config.json" 2
    n_groups=$((n_groups + 1))
}

run_config() {
    local config=$seed.json simd core own_core=${cores[seed % ${#cores[@]}]}
    "$test_bits" "$seed" >"$config"
    for simd in "${paths[@]}"; do
        for core in "${cores[@]}"; do
            if [[ $core == "$own_core" ]] || { ((every)) && [[ $simd == generic ]]; }; then run_group; fi
        done
    done
    if grep -q '"status": "diverged"' "$seed/generic-$own_core/${kinds[0]}-1/run.json"; then
        n_diverged=$((n_diverged + 1))
    fi
    if [[ ${paths[*]} == *avx512* ]]; then
        compare "$seed/avx2-$own_core/${kinds[0]}-1" "$seed/avx512-$own_core/${kinds[0]}-1"
        n_paths_compared=$((n_paths_compared + 1))
    fi
    rm -rf "$seed" "$config"
}

cat >probe.json <<'PROBE'
{"data": {"kind": "gaussian", "in_dim": 33, "samples": 40}, "network": {"depth": 3, "width": 37, "skip": "add"},
 "precision": "float32", "train": {"batch_size": 20, "steps": 2}}
PROBE
find_kinds
find_paths
find_cores
((${#cores[@]})) || { echo "bits.sh: no core type runs here" >&2 && exit 1; }
echo "OpenBLAS: ${kinds[*]}; core types: ${cores[*]}"
echo "kernels: ${paths[*]}; threads: ${counts[*]} on $(nproc) cores"
for ((seed = first; seed < first + graphs; seed++)); do run_config; done
echo "$graphs configs ($n_diverged diverged), $n_groups groups, $n_runs runs, $n_compared comparisons, $n_differ differ"
echo "avx2 was compared with avx512 for $n_paths_compared of $graphs configs"
((n_differ == 0))
