#!/usr/bin/env bash
# The walls between the rooms of src/: includes point downwards only, and what belongs to one room stays in it; a header
# whose opening comment says "not for other rooms" is included by files of its room alone, tests are none.
#
#   tests/check_rooms.sh [SOURCE_DIR]
#
# Prints "FILE:LINE: what is wrong" per violation, exit status 1 if there is one.  Then plants violations in a copy and
# asserts that each is found, so that the check cannot pass by looking at nothing.
set -euo pipefail
export LC_ALL=C

# Every room on the floor above what it uses, the lowest first: the list in docs/engine.md.
rooms_of() { # SOURCE_DIR
    sed -n '/^## The floors$/,/^## [^T]/s/^[0-9]\{1,\}\. `src\/\([a-z]*\)`.*/\1/p' "$1/docs/engine.md" | paste -sd' '
}

# "ROOM/FILE" of each header that says so in its opening comment.
private_headers() { # SOURCE_DIR
    (cd "$1/src" && awk '
        FNR == 1 { is_open = 1 }
        is_open && tolower($0) ~ /not for other rooms/ { print FILENAME }
        /\*\// { is_open = 0 }' ./*/*.h | sed 's#^\./##' | paste -sd' ')
}

check() { # SOURCE_DIR
    local files rooms room private
    rooms=$(rooms_of "$1")
    [[ -n $rooms ]] || { echo "docs/engine.md: no rooms under \"The floors\"" && return 1; }
    for room in $rooms; do
        [[ -d $1/src/$room ]] || { echo "docs/engine.md: there is no src/$room" && return 1; }
    done
    files=$(cd "$1" && find src -name '*.[ch]' | sort)
    [[ -n $files ]] || { echo "$1/src: no C files" && return 1; }
    private=$(private_headers "$1")
    [[ -n $private ]] || { echo "$1/src: no header is private to its room" && return 1; }
    files+=" "$(cd "$1" && find tests -name '*.[ch]' | sort)
    # shellcheck disable=SC2086 # one word per file
    (cd "$1" && awk -v rooms="$rooms" -v private="$private" "$program" $files)
}

# POSIX awk: no \< and no gensub.
program='
BEGIN {
    n = split(rooms, name, " ")
    for (i = 1; i <= n; i++) floor_of[name[i]] = i
    top = n + 1 # main.c
    n = split(private, name, " ")
    for (i = 1; i <= n; i++) is_private[name[i]] = 1
}

FNR == 1 {
    in_comment = 0
    split(FILENAME, part, "/")
    is_test = part[1] == "tests"
    room = is_test ? "" : part[2]
    if (!(is_test || room == "main.c" || room in floor_of)) fail("src/" room " is not a room")
    floor = room in floor_of ? floor_of[room] : top
}

/^[ \t]*#[ \t]*include/ { check_include($0); next }
!is_test { check_code(code_of($0)) }

END { exit bad }

function fail(what) { print FILENAME ":" FNR ": " what; bad = 1 }

function check_include(line,    target, to) {
    if (is_test && line !~ /"/) return
    if (line ~ /<cjson\//) {
        if (room != "config") fail("only src/config uses cJSON")
    } else if (line ~ /<(cblas|openblas_config|f77blas)\.h>/) {
        if (room != "kernels" && FILENAME !~ /^src\/engine\/backend/) fail("only src/kernels and the backend use BLAS")
    } else if (line ~ /"/) {
        target = line
        sub(/^[^"]*"/, "", target)
        sub(/".*$/, "", target)
        to = target
        sub(/\/.*/, "", to)
        if (target in is_private && to != room) fail(target " is not for other rooms")
        if (is_test && target ~ /^\.\.\//) fail("\"" target "\" goes round the rooms")
        if (is_test) return
        if (target !~ /^[a-z0-9_]+\/[a-z0-9_]+\.[a-z]+$/ || !(to in floor_of))
            fail("\"" target "\" is not of the form \"ROOM/FILE\"")
        else if (room == "kernels" && to == "network")
            fail("src/kernels must not use " target ": kernels know no node")
        else if (floor_of[to] > floor)
            fail("src/" room " must not use " target ": " to " is on a higher floor")
    }
}

function check_code(code) {
    if (room == "cli" || room == "main.c") return
    if (FILENAME == "src/engine/guard.c") return # memory is damaged: there is no way to a report
    if (code ~ /(^|[^A-Za-z0-9_])(v?printf|puts|putchar|perror|exit|_exit|_Exit|quick_exit|abort)[ \t]*\(/ ||
        code ~ /(^|[^A-Za-z0-9_])(stdout|stderr)([^A-Za-z0-9_]|$)/)
        fail("only main.c and src/cli print or exit")
}

# The line without comments and without the inside of strings and characters.
function code_of(line,    code, c, i, quote) {
    code = ""
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 2)
        if (in_comment) {
            if (c == "*/") { in_comment = 0; i++ }
        } else if (quote != "") {
            c = substr(line, i, 1)
            if (c == "\\") i++
            else if (c == quote) quote = ""
        } else if (c == "/*") {
            in_comment = 1
            i++
        } else if (c == "//") {
            break
        } else {
            c = substr(line, i, 1)
            if (c == "\"" || c == "\047") quote = c
            code = code c
        }
    }
    return code
}
'

plant() { # COPY FILE TEXT EXPECTED: the check finds TEXT in src/FILE, and finds nothing once it is gone
    plant_at "$1" "src/$2" "$3" "$4"
}

plant_at() { # COPY PATH TEXT EXPECTED
    local copy=$1 file=$1/$2 found
    mkdir -p "$(dirname "$file")"
    printf '%s\n' "$3" >"$file"
    if found=$(check "$copy"); then
        echo "self-test: '$3' in $2 was not found"
        return 1
    fi
    rm "$file"
    if [[ $found != "$2:1: $4" ]]; then
        printf 'self-test: in %s\n  wanted: %s\n  found:  %s\n' "$2" "$4" "$found"
        return 1
    fi
}

plant_in_docs() { # COPY SED EXPECTED: the list of rooms, changed so, is found wrong as a pattern says
    local copy=$1 found
    cp "$copy/docs/engine.md" "$copy/engine.md"
    sed -i "$2" "$copy/docs/engine.md"
    # shellcheck disable=SC2053 # the number of the line may be any
    if found=$(check "$copy") || [[ ${found%%$'\n'*} != $3 ]]; then
        printf 'self-test: docs/engine.md after %s\n  wanted: %s\n  found:  %s\n' "$2" "$3" "${found%%$'\n'*}"
        return 1
    fi
    mv "$copy/engine.md" "$copy/docs/engine.md"
}

self_test() { # SOURCE_DIR
    local copy
    copy=$(mktemp -d)
    # shellcheck disable=SC2064 # the directory of now
    trap "rm -rf '$copy'" EXIT
    cp -R "$1/src" "$copy/src"
    mkdir "$copy/docs" "$copy/tests"
    cp "$1/docs/engine.md" "$copy/docs"
    # shellcheck disable=SC2016 # backquotes of Markdown
    plant_in_docs "$copy" '/^[0-9]*\. `src\/plan`/d' 'src/cli/check.c:*: "plan/print.h" is not of the form "ROOM/FILE"'
    # shellcheck disable=SC2016
    plant_in_docs "$copy" 's/^7\. `src\/plan`/7. `src\/attic`/' 'docs/engine.md: there is no src/attic'
    plant_in_docs "$copy" 's/^## The floors/## Floors/' 'docs/engine.md: no rooms under "The floors"'
    # shellcheck disable=SC2016
    plant_in_docs "$copy" 's/^5\. `src\/kernels`/5. `src\/ops`/; s/^6\. `src\/ops`/6. `src\/kernels`/' \
        'src/ops/*: src/ops must not use kernels/*: kernels is on a higher floor'
    plant "$copy" base/planted.c '#include "run/trainer.h"' \
        'src/base must not use run/trainer.h: run is on a higher floor'
    plant "$copy" ops/planted.h '# include "engine/plan.h"' \
        'src/ops must not use engine/plan.h: engine is on a higher floor'
    plant "$copy" kernels/planted.h '#include "network/op.h"' \
        'src/kernels must not use network/op.h: kernels know no node'
    plant "$copy" compare/planted.c '#include "study/bench.h"' \
        'src/compare must not use study/bench.h: study is on a higher floor'
    plant "$copy" run/planted.c '#include "trainer.h"' '"trainer.h" is not of the form "ROOM/FILE"'
    plant "$copy" base/planted.c '#include "../run/trainer.h"' '"../run/trainer.h" is not of the form "ROOM/FILE"'
    plant "$copy" attic/planted.c 'int x;' 'src/attic is not a room'
    plant "$copy" base/planted.c '#include <cjson/cJSON.h>' 'only src/config uses cJSON'
    plant "$copy" run/planted.c '#include <cblas.h>' 'only src/kernels and the backend use BLAS'
    plant "$copy" report/planted.c 'void f(void) { /* so */ printf("x"); }' 'only main.c and src/cli print or exit'
    plant "$copy" data/planted.c 'void f(void) { fputs("\"", stderr); }' 'only main.c and src/cli print or exit'
    plant "$copy" study/planted.c 'void f(void) { exit(1); }' 'only main.c and src/cli print or exit'
    plant "$copy" study/planted.c '#include "engine/internal.h"' 'engine/internal.h is not for other rooms'
    plant_at "$copy" tests/engine/planted.c '#include "engine/guard.h"' 'engine/guard.h is not for other rooms'
    plant_at "$copy" tests/support/planted.h '# include "engine/probe_state.h"' \
        'engine/probe_state.h is not for other rooms'
    printf '%s\n' '/* exit(1) */ // printf("x")' 'const char *f = "exit(1) stdout";' 'int my_exit(void);' \
        '#include "base/error.h"' '#include "ops/row.h"' >"$copy/src/ops/planted.c"
    plant_at "$copy" tests/engine/planted.c '#include "../../src/engine/internal.h"' \
        '"../../src/engine/internal.h" goes round the rooms'
    printf '%s\n' '#include "engine/engine.h"' '#include "check.h"' '#include <stdio.h>' 'int f(void) { return puts("x"); }' \
        >"$copy/tests/planted.c"
    check "$copy"
}

main() {
    local source=${1:-$(dirname "${BASH_SOURCE[0]}")/..}
    check "$source"
    self_test "$source"
    echo "rooms: $(find "$source/src" -name '*.[ch]' | wc -l) files, every arrow points down"
}

main "$@"
