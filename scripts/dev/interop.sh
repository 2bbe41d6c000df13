#!/usr/bin/env bash
# What other programs make of the files: pandas, frictionless, the safetensors package, and the recipes of
# docs/recipes.md, block by block.
set -euo pipefail
export LC_ALL=C

usage() {
    cat <<'END'
usage: scripts/dev/interop.sh [--venv DIR]

Trains a small sweep, compares it, and checks with the packages from PyPI, which it installs into a virtual environment
(DIR, default build/interop-venv), that
  pandas        reads every number of every CSV file to the bit: a version before 3.1 with
                float_precision="round_trip", the newest with its default
  frictionless  finds every datapackage.json valid, and every CSV file as it is described
  safetensors   reads the weights to the bit, and that skipnet reads what that package writes
and that the tests of scripts/skipnet_view pass as `pip install ./scripts` puts it there, with today's matplotlib, pandas
and polars (and PyTorch, where DIR has it).
Then it runs the sh blocks of docs/recipes.md in order, whose sweep it leaves in runs/recipes.  Needs the packages
python3-venv, sqlite3 and gnuplot-nox, and the program as scripts/demo.sh builds it ($SKIPNET names another).
END
}

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=scripts/parts/group.sh
. "$root/scripts/parts/group.sh"
call_in_group "$@"
venv=$root/build/interop-venv
skipnet=${SKIPNET:-$root/build/release/skipnet}

die() { # STATUS MESSAGE
    echo "interop: $2" >&2
    exit "$1"
}

parse() {
    while (($#)); do
        case $1 in
        -h | --help) usage || exit 4 && exit 0 ;;
        --venv) [[ -n ${2:-} ]] || die 2 "--venv wants a directory (see --help)" && venv=$2 && shift ;;
        -*) die 2 "unknown option $1 (see --help)" ;;
        *) die 2 "unexpected argument $1 (see --help)" ;;
        esac
        shift
    done
    command -v "$skipnet" >/dev/null || die 2 "cannot run $skipnet: build it (scripts/demo.sh does), or set SKIPNET"
}

installed() { # PACKAGE...
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$@"
}

# Two small sweeps, and a run that has numbers that are not finite.
train_all() {
    local precision status=0
    for precision in float32 float64; do
        SKIPNET=$skipnet "$root/scripts/sweep.sh" "$root/configs/spirals.json" --grid network.depth=3,6 \
            --grid network.skip=none,add --seeds 2 --set train.epochs=5 --set precision=$precision \
            --out "$work/$precision" --no-plot >/dev/null
    done
    "$skipnet" train "$root/configs/spirals.json" --set network.activation=relu --set train.lr=1e30 \
        --out "$work/diverged" -q 2>/dev/null || status=$?
    ((status == 3)) || die 1 "a learning rate of 1e30 did not diverge"
    "$skipnet" compare "$work" --out "$work/all" >/dev/null 2>&1
}

check_csvs() {
    local files
    mapfile -t files < <(find "$work" -name '*.csv' | sort)
    "$venv/bin/python" "$root/scripts/dev/interop/check.py" csv "${files[@]}"
}

check_packages() {
    local package n=0
    while read -r package; do
        (cd "$(dirname "$package")" && "$venv/bin/frictionless" validate datapackage.json) >"$work/said" ||
            { cat "$work/said" && die 1 "frictionless refuses $package"; }
        n=$((n + 1))
    done < <(find "$work" -name datapackage.json | sort)
    ((n > 0)) || die 1 "no datapackage.json to validate"
    echo "frictionless: $n data packages valid"
}

# The package as others install it, and its tests.
check_view() {
    installed pytest pandas polars "$root/scripts"
    SKIPNET=$skipnet SKIPNET_VIEW_INSTALLED=1 "$venv/bin/python" -m pytest -q -p no:cacheprovider "$root/tests/view"
}

# The sh blocks of the page, each as a script of its own, at the top of the source tree, where the first one makes its
# sweep anew.
run_recipes() {
    local block n=0
    awk -v stem="$work/recipe" '/^```sh$/ { file = sprintf("%s-%02d.sh", stem, ++n); next }
        /^```/ { file = "" }
        file { print >file }' "$root/docs/recipes.md"
    cd "$root"
    rm -rf runs/recipes
    for block in "$work"/recipe-*.sh; do
        PATH=$venv/bin:$PATH SKIPNET=$skipnet bash -euo pipefail "$block" ||
            { cat "$block" && die 1 "this recipe fails"; }
        n=$((n + 1))
    done
    ((n > 0)) || die 1 "no recipes in docs/recipes.md"
    echo "recipes: $n run"
}

main() {
    parse "$@"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    [[ -x $venv/bin/python ]] || python3 -m venv "$venv"
    train_all
    installed 'pandas<3.1' numpy safetensors frictionless
    check_csvs
    installed --upgrade pandas
    check_csvs
    check_packages
    "$venv/bin/python" "$root/scripts/dev/interop/check.py" weights "$skipnet" \
        "$work/float64/depth=6,skip=add,seed=1"
    check_view
    run_recipes
    echo "interop: all as it should be"
}

main "$@"
