#!/usr/bin/env bash
# docs/names.md and the headers of src agree: every name on the page is in the file that the page gives it, every type of
# a header is on the page, none is there twice for one file, and no two headers call different types the same.  Then
# plants a fault of each sort in a copy and asserts that it is found.
set -euo pipefail
export LC_ALL=C

: "${SKIPNET_SOURCE:?source tree}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# "NAME FILE" for every name of the page's tables, the columns of which are word, what it is, names, file.
names_of_page() { # DIRECTORY
    awk -F '|' 'NF == 6 && $5 !~ /^ in $|---/ {
        gsub(/ /, "", $5)
        n = split($4, part, "`")
        if (n < 3) print "- " $5 # a word that names nothing is found in no file
        for (i = 2; i <= n; i += 2) print part[i], $5
    }' "$1/docs/names.md"
}

# "NAME FILE" for every type that a header of src makes; a type that is only announced is made elsewhere.
types_of_headers() { # DIRECTORY
    (cd "$1/src" && awk '
        /^(typedef )?(struct|enum) sn_[a-z0-9_]+ \{/ || /^typedef struct sn_[a-z0-9_]+ sn_[a-z0-9_]+;/ {
            for (i = 1; i <= NF && $i !~ /^sn_/; i++) continue
            if (/\{/) { print $i, FILENAME; made[$i] = 1 }
            else announced[$i] = FILENAME
        }
        END { for (name in announced) if (!(name in made)) print name, announced[name] }' ./*/*.h | sed 's# \./# #')
}

check() { # DIRECTORY
    local bad=0 name file
    names_of_page "$1" >"$scratch/page"
    types_of_headers "$1" | sort -u >"$scratch/types"
    (($(wc -l <"$scratch/page") >= 150 && $(wc -l <"$scratch/types") >= 150)) || { echo "hardly any names" && return 1; }
    while read -r name file; do
        grep -qswF -e "$name" "$1/src/$file" && continue
        echo "docs/names.md: $name is not in src/$file"
        bad=1
    done <"$scratch/page"
    while read -r name file; do
        echo "docs/names.md: $name of src/$file is listed twice"
        bad=1
    done < <(sort "$scratch/page" | uniq -d)
    while read -r name file; do
        grep -q "^$name " "$scratch/page" && continue
        echo "src/$file: $name is not in docs/names.md"
        bad=1
    done <"$scratch/types"
    while read -r name; do
        echo "$(grep "^$name " "$scratch/types" | sed 's/.* /src\//' | paste -sd' '): $name is two things"
        bad=1
    done < <(cut -d' ' -f1 "$scratch/types" | uniq -d)
    return $bad
}

plant() { # FILE TEXT EXPECTED: the line is found at the end of FILE, and nothing is once it is gone
    local found
    cp "$scratch/copy/$1" "$scratch/kept"
    printf '%s\n' "$2" >>"$scratch/copy/$1"
    if found=$(check "$scratch/copy") || [[ $found != "$3" ]]; then
        printf 'self-test: %s in %s\n  wanted: %s\n  found:  %s\n' "$2" "$1" "$3" "$found"
        exit 1
    fi
    cp "$scratch/kept" "$scratch/copy/$1"
}

check "$SKIPNET_SOURCE"
n_names=$(wc -l <"$scratch/page") n_types=$(wc -l <"$scratch/types")
mkdir -p "$scratch/copy/docs"
cp -R "$SKIPNET_SOURCE/src" "$scratch/copy/src"
cp "$SKIPNET_SOURCE/docs/names.md" "$scratch/copy/docs"
# shellcheck disable=SC2016 # backquotes of Markdown
plant docs/names.md '| attic | where nothing is | `sn_attic` | base/text.h |' \
    'docs/names.md: sn_attic is not in src/base/text.h'
# shellcheck disable=SC2016
plant docs/names.md '| text | moved away | `sn_text` | base/gone.h |' 'docs/names.md: sn_text is not in src/base/gone.h'
# shellcheck disable=SC2016
plant docs/names.md '| text | said again | `sn_text` | base/text.h |' \
    'docs/names.md: sn_text of src/base/text.h is listed twice'
plant src/base/text.h 'typedef struct sn_attic {' 'src/base/text.h: sn_attic is not in docs/names.md'
plant src/plan/plan.h 'typedef enum sn_place {' 'src/config/place.h src/plan/plan.h: sn_place is two things'
check "$scratch/copy"
echo "$n_names names, $n_types types, all in place"
