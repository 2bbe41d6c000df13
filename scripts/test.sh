#!/usr/bin/env bash
# Installs what is missing, builds, runs the tests.  --all adds what a developer runs before stopping: every check is
# a named step that can be run alone.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
self=$root/scripts/test.sh
# shellcheck source=scripts/parts/group.sh
. "$root/scripts/parts/group.sh"

# What --all adds to the step "tests", in order, and what each is.
all_steps=(clang portable emulated format tidy analyze shell python rooms sanitize break simd threads valgrind fuzz coverage install slurm demo)
declare -A about=(
    [tests]="gcc, warnings are errors; all tests"
    [clang]="clang 14, warnings are errors"
    [portable]="only the portable kernels; tests with numbers"
    [emulated]="random configs: the AVX-512 kernels, emulated, give the bits of those for AVX2"
    [format]="clang-format 14 over all C files"
    [tidy]="clang-tidy 14 over every file, any warning fails"
    [analyze]="gcc's static analyzer, anything it finds fails"
    [shell]="shellcheck over all scripts"
    [python]="black and flake8 over all Python files"
    [rooms]="includes point down, no wall is broken"
    [sanitize]="all tests but those of pictures under ASan and UBSan"
    [break]="random configs, damaged files, signals: some seeded cases each, under ASan and UBSan"
    [simd]="tests with numbers on AVX2, where this processor has more; the steps tests and portable take the others"
    [threads]="tests with threads under TSan"
    [valgrind]="a tiny run: no error, no leak"
    [fuzz]="what reads files, 5 s a target, under ASan and UBSan"
    [coverage]="lines of src run by the tests, at least 90 %"
    [install]="cmake --install into a prefix, used from there"
    [slurm]="a sweep on a throwaway Slurm cluster of one node (as root)"
    [demo]="scripts/demo.sh, a few steps, twice"
)

# Of each of the four kinds of scripts/dev/break.sh: a minute or so on two idle cores.
break_cases=40

usage() {
    cat <<'END'
usage: scripts/test.sh [--all | STEP...]

Without arguments: installs what is missing, builds and runs the tests.  --all adds these steps, each can be named:
END
    local step
    for step in tests "${all_steps[@]}"; do
        printf '  %-10s %s\n' "$step" "${about[$step]}"
    done
}

build() { # PRESET
    cmake --preset "$1"
    cmake --build --preset "$1"
}

# All that the tests read, and the program that they run.
fingerprint() {
    find .ci .clang-format .clang-tidy CMakeLists.txt CMakePresets.json README.md configs docs scripts src tests \
        build/test/skipnet -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum
}

# With --all they need not run again where they passed and nothing is different since.
step_tests() {
    local passed=build/test/passed
    build test
    if [[ -n ${SKIPNET_TEST_ALL:-} && -e $passed && $(<"$passed") == "$(fingerprint)" ]]; then
        echo "all tests passed on this very tree before ($passed): not run again"
        return
    fi
    rm -f "$passed"
    ctest --preset test
    fingerprint >"$passed"
}

step_clang() {
    build clang
}

step_portable() {
    build portable
    ctest --preset portable -L '^simd$'
}

# Where the processor has AVX-512, the step tests compares the paths as they are.
step_emulated() {
    if grep -qw avx512f /proc/cpuinfo; then
        echo "this processor has AVX-512: the step tests compares the paths"
        return
    fi
    cmake --preset emulated
    cmake --build --preset emulated --target test_bits skipnet
    SKIPNET_SIMD=avx512 build/emulated/tests/test_bits 41 56
    ctest --preset emulated -R '^run_identity_test$'
}

c_files() {
    find src tests -name '*.[ch]' | sort
}

step_format() {
    c_files | xargs clang-format-14 --dry-run -Werror
}

step_tidy() {
    cmake --preset portable >/dev/null
    local tidy=(clang-tidy-14 --quiet -p build/portable)
    {
        "${tidy[@]}" src/base/error.c
        find src tests -name '*.c' ! -path src/base/error.c | sort |
            xargs -P "$(nproc)" -n 1 "${tidy[@]}" --extra-arg=-include --extra-arg="$root/scripts/dev/analyzer.h"
    } 2> >(grep -v ' warnings\? generated' >&2)
}

step_analyze() {
    build analyze
}

step_shell() {
    find scripts tests -name '*.sh' -print0 | xargs -0 shellcheck .ci/run
}

step_python() {
    find scripts tests -name '*.py' -print0 | xargs -0 black --quiet --check --diff
    find scripts tests -name '*.py' -print0 | xargs -0 flake8
}

step_rooms() {
    tests/check_rooms.sh
}

step_sanitize() {
    build dev
    ctest --preset dev -LE '^pictures$'
}

step_break() {
    scripts/dev/break.sh --cases "$break_cases"
}

step_simd() {
    if ! grep -qw avx512f /proc/cpuinfo; then
        echo "this processor has no AVX-512: its best path is the one that the step tests takes"
        return
    fi
    build test
    SKIPNET_SIMD=avx2 ctest --preset test -L '^simd$'
}

step_threads() {
    build tsan
    # gcc 12's TSan cannot live with much address space randomness.
    setarch "$(uname -m)" --addr-no-randomize ctest --preset tsan -L '^threads$'
}

# Valgrind knows no AVX-512, and OpenBLAS would start threads of its own before main.
step_valgrind() {
    build test
    SKIPNET_SIMD=avx2 OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1 \
        valgrind --quiet --error-exitcode=9 --leak-check=full \
        build/test/skipnet train configs/spirals.json --out "$scratch/run" --set train.steps=3 --threads 2
}

step_fuzz() {
    scripts/dev/fuzz.sh --seconds 5
}

step_coverage() {
    scripts/dev/coverage.sh
}

# Fails unless each of the files is there and holds something.
want() { # FILE...
    local file
    for file; do
        [[ -s $file ]] || { echo "missing or empty: $file" >&2 && return 1; }
    done
}

step_install() {
    local prefix=$scratch/prefix
    build release
    cmake --install build/release --prefix "$prefix"
    want "$prefix/share/doc/skipnet/"{README.md,LICENSE,docs/reference.md}
    cd "$scratch"
    "$prefix/bin/skipnet" version
    "$prefix/bin/skipnet-sweep" spirals --grid network.depth=2,3 \
        --grid network.skip=none,add --set train.steps=5 --out sweep
    "$prefix/bin/skipnet-plot" "sweep/depth=2,skip=add" --out plots
    want sweep/runs.csv sweep/report.html plots/*.svg sweep/plots/*.svg
}

# Exit status 77: it cannot be tried here, and why was said.
step_slurm() {
    local status=0
    build release
    SKIPNET_BIN=$root/build/release/skipnet scripts/dev/slurm_local.sh tests/scripts/slurm_sweep.sh || status=$?
    ((status == 77)) || return "$status"
}

step_demo() {
    local call
    for call in 1 2; do
        echo "call $call"
        scripts/demo.sh --out "$scratch/demo" -- --set train.steps=5 --set data.train_limit=1000 \
            --set data.test_limit=500
    done
    want "$scratch/demo/"{,conv/}runs.csv "$scratch/demo/"{,conv/}plots/*.{svg,png}
}

# One step in a shell of its own, so that its first failing command ends it.
run_one() { # STEP
    local scratch
    CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-$(nproc)}
    export CTEST_PARALLEL_LEVEL
    cd "$root"
    scratch=$(mktemp -d)
    # shellcheck disable=SC2064 # the directory of now
    trap "rm -rf '$scratch'" EXIT
    "step_$1"
}

run_steps() { # STEP...
    local step start result table='' failed=0
    for step; do
        printf '\n== %s: %s\n' "$step" "${about[$step]}"
        start=$SECONDS result=ok
        "$self" --one "$step" || result=FAILED
        [[ $result == ok ]] || failed=$((failed + 1))
        table+=$(printf '%-7s %-10s %4d s  %s' "$result" "$step" $((SECONDS - start)) "${about[$step]}")$'\n'
    done
    printf '\n%s%d of %d steps passed, %d failed\n' "$table" $(($# - failed)) $# "$failed"
    ((failed == 0))
}

fail() { # MESSAGE
    echo "scripts/test.sh: $1" >&2
    exit 2
}

main() {
    local step
    [[ ${1:-} == --one ]] || trap_signals
    case ${1:-} in
    -h | --help) usage || exit 4 ;;
    --one) run_one "$2" ;;
    '')
        in_front "$root/scripts/install_packages.sh" test
        in_group run_one tests
        ;;
    --all)
        in_front "$root/scripts/install_packages.sh" check
        SKIPNET_TEST_ALL=1 in_group run_steps tests "${all_steps[@]}"
        ;;
    *)
        for step; do
            [[ $step != -* ]] || fail "unknown option $step (see --help)"
            [[ -n ${about[$step]:-} ]] || fail "no step $step (see --help)"
        done
        in_front "$root/scripts/install_packages.sh" check
        in_group run_steps "$@"
        ;;
    esac
}

main "$@"
