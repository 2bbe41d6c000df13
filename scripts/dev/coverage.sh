#!/usr/bin/env bash
# Which lines of src/ the tests run, by gcov: builds the preset coverage, runs the tests in it and lists what is left.
#
#   scripts/dev/coverage.sh [--least PERCENT] [--no-run]
#
# --least PERCENT  exit status 1 where fewer lines of src/ are covered; default 90
# --no-run         tell of the runs that were made
#
# A line that is compiled several times (the kernels, for each precision and instruction set) is covered where any of
# these is.  Per file: lines, share covered, and the lines that are not.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=scripts/parts/group.sh
. "$root/scripts/parts/group.sh"
call_in_group "$@"
build=$root/build/coverage
least=90 runs=1
while (($#)); do
    case $1 in
    -h | --help) sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" || exit 4 && exit 0 ;;
    --no-run) runs=0 && shift ;;
    --least)
        [[ ${2:-} =~ ^[0-9]{1,3}$ ]] || { echo "coverage.sh: --least needs a percentage" >&2 && exit 2; }
        least=$2
        shift 2
        ;;
    -*) echo "coverage.sh: unknown option $1 (see --help)" >&2 && exit 2 ;;
    *) echo "coverage.sh: unexpected argument $1 (see --help)" >&2 && exit 2 ;;
    esac
done

cd "$root"
if ((runs)); then
    cmake --preset coverage >/dev/null
    cmake --build --preset coverage >/dev/null
    find "$build" -name '*.gcda' -delete
    CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-$(nproc)} ctest --preset coverage \
        -LE '^(uncovered|pictures|slow)$' >"$build/tests.log" || { cat "$build/tests.log" && exit 1; }
fi

# gcov's annotated lines "COUNT:LINE:TEXT" of every object file; the best of each line.  From where it was compiled: a
# compiler cache may have made the names of sources relative.
cd "$build"
find CMakeFiles -name '*.gcda' -print0 | xargs -0 gcov --stdout --preserve-paths 2>/dev/null |
    awk -v root="$root/" -v least="$least" '
    # Line numbers as "3-5, 9".
    function ranges(file,    i, from, text) {
        for (i = 1; i <= last[file] + 1; i++) {
            if (state[file, i] == "no") {
                if (!from) from = i
            } else if (from && (state[file, i] == "yes" || i > last[file])) {
                text = text (text ? ", " : "") from (end > from ? "-" end : "")
                from = 0
            }
            if (state[file, i] == "no") end = i
        }
        return text
    }
    {
        count = $0
        sub(/:.*/, "", count)
        gsub(/ /, "", count)
        rest = substr($0, index($0, ":") + 1)
        line = rest
        sub(/:.*/, "", line)
        line += 0
    }
    line == 0 && rest ~ /^ *0:Source:/ {
        file = rest
        sub(/^ *0:Source:/, "", file)
        if (index(file, root) == 1) file = substr(file, length(root) + 1)
        sub(/^(\.\.\/)+/, "", file)
        is_ours = file ~ /^src\//
        if (is_ours && !(file in last)) { files[++n_files] = file; last[file] = 0 }
    }
    line == 0 || !is_ours || count == "-" { next }
    {
        if (line > last[file]) last[file] = line
        if (count !~ /^[#=]/) state[file, line] = "yes"
        else if (!((file, line) in state)) state[file, line] = "no"
    }
    END {
        printf "%-28s %6s %8s  %s\n", "file", "lines", "covered", "lines that are not"
        fflush() # before what sort prints
        for (f = 1; f <= n_files; f++) {
            n = hit = 0
            for (i = 1; i <= last[files[f]]; i++) {
                n += (files[f], i) in state
                hit += state[files[f], i] == "yes"
            }
            all += n
            all_hit += hit
            if (hit < n) printf "%-28s %6d %7.1f%%  %s\n", files[f], n, 100 * hit / n, ranges(files[f]) | "sort"
        }
        close("sort")
        share = all ? 100 * all_hit / all : 0
        printf "%-28s %6d %7.1f%%  %d lines in %d files\n", "src", all, share, all - all_hit, n_files
        if (share < least) printf "at least %d%% are wanted\n", least
        exit share < least
    }'
