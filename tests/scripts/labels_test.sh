#!/usr/bin/env bash
# The labels by which scripts choose tests (tests/CMakeLists.txt): every one that a script or docs/checking.md names
# selects some tests and leaves some out, every folder of tests is a label, and no test is without one.
set -euo pipefail
export LC_ALL=C

: "${SKIPNET_SOURCE:?source tree}"
build=${SKIPNET_BUILD:-}
[[ -f $build/CTestTestfile.cmake ]] || { echo "SKIPNET_BUILD names no build with tests" && exit 77; }

die() {
    echo "$1" >&2
    exit 1
}

count() { # OPTION...: the tests that ctest would run
    ctest --test-dir "$build" -N "$@" | sed -n 's/^Total Tests: //p'
}

all=$(count)
((all > 80)) || die "only $all tests"
cd "$SKIPNET_SOURCE"

named=$(grep -rohE -e "-LE? '?\^?[a-z]+" scripts docs/checking.md | sed 's/.*[^a-z]//' | sort -u)
for label in simd threads slow uncovered $named; do
    n=$(count -L "^$label\$")
    ((n > 0 && n < all)) || die "the label $label selects $n of $all tests"
done
[[ $(wc -w <<<"$named") -ge 4 ]] || die "the scripts and docs/checking.md name only these labels: $named"

for folder in tests/*/; do
    compgen -G "${folder}test_*.c" >/dev/null || compgen -G "${folder}*_test.sh" >/dev/null || continue
    folder=$(basename "$folder")
    n=$(count -L "^$folder\$")
    files=$(find "tests/$folder" -maxdepth 1 -name 'test_*.c' -o -maxdepth 1 -name '*_test.sh' | wc -l)
    ((n == files)) || die "tests/$folder holds $files tests, the label $folder selects $n"
done
n=$(count -LE .)
((n == 0)) || die "$n tests have no label"
[[ $(count -L '^no-such-label$') == 0 ]] || die "a label that does not exist selects tests"
echo "$all tests, all labels select some"
