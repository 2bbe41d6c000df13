#!/usr/bin/env bash
# Every script tells which option it does not know, exits with 2, and has built, installed, started and written nothing by
# then; --help exits with 0, likewise.
set -euo pipefail
export LC_ALL=C

source=${SKIPNET_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
command -v python3 >/dev/null || { echo "needs python3" && exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/modules" "$work/tmp" "$work/here"

die() { # SCRIPT MESSAGE
    printf '%s %s\nstdout: %s\nstderr: %s\n' "$1" "$2" "$(cat "$work/out")" "$(cat "$work/err")" >&2
    exit 1
}

# Stand-ins for all by which a script could do something: they tell that they were called.
for program in cmake ctest ninja make cc gcc apt-get dpkg-query sudo pip pip3 skipnet valgrind parallel sbatch \
    slurmctld slurmd munged clang-14 clang-tidy-14 clang-format-14 shellcheck black flake8 setarch; do
    printf '#!/bin/sh\necho "%s $*" >>"%s/called"\n' "$program" "$work" >"$work/bin/$program"
done
chmod +x "$work/bin/"*
# What a script in Python wants beyond Python itself, with whatever it asks of it.
echo 'from unittest.mock import MagicMock
def __getattr__(name): return MagicMock()' >"$work/modules/mpmath.py"

call() { # SCRIPT ARGUMENT [OUTPUT]: fills out, err and $status
    local command=("$1")
    [[ $1 != *.py ]] || command=(python3 "$1")
    status=0
    (cd "$work/here" && exec env PATH="$work/bin:$PATH" PYTHONPATH="$work/modules" PYTHONDONTWRITEBYTECODE=1 \
        TMPDIR="$work/tmp" SKIPNET="$work/bin/skipnet" SKIPNET_NO_INSTALL=1 \
        "${command[@]}" "$2") >"${3:-$work/out}" 2>"$work/err" </dev/null || status=$?
    [[ ! -e $work/called ]] || die "$1" "$2 has called: $(cat "$work/called")"
    [[ -z $(find "$work/tmp" "$work/here" -mindepth 1) ]] || die "$1" "$2 has written a file"
}

n=0
while IFS= read -r script; do
    name=$(basename "${script%.*}")
    call "$script" --no-such-option
    ((status == 2)) || die "$script" "exits with $status for an option that it does not know"
    [[ ! -s $work/out ]] || die "$script" "writes to standard output"
    grep -Eq "^(scripts/(dev/)?)?$name(\.sh|\.py)?: .*--no-such-option" "$work/err" ||
        die "$script" "does not say which option it does not know"
    (($(grep -c . "$work/err") <= 10)) || die "$script" "buries what is wrong"
    call "$script" --help
    [[ $status == 0 && -s $work/out ]] || die "$script" "exits with $status for --help, or says nothing"
    if [[ $script == *.sh && -w /dev/full ]]; then
        call "$script" --help /dev/full
        ((status == 4)) || die "$script" "exits with $status where --help cannot be written"
    fi
    n=$((n + 1))
done < <(find "$source/scripts" "$source/scripts/dev" -maxdepth 1 -name '*.sh' -o -maxdepth 1 -name '*.py' | sort)
((n >= 20)) || { echo "only $n scripts were found" >&2 && exit 1; }
echo "$n scripts say which option they do not know"
