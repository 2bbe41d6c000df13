#!/usr/bin/env bash
# Whether the present tree computes what an older commit computed, to the byte.  The two programs run side by side in
# same_bytes/train.sh; same_bytes/compare.py reads what they wrote.
set -euo pipefail
export LC_ALL=C

usage() {
    cat <<'END'
usage: scripts/dev/same_bytes.sh OLD_COMMIT [--graphs N] [--first SEED] [--steps N] [--jobs N] [--keep] [--self-test]

Builds OLD_COMMIT and the present tree, trains every config that OLD_COMMIT ships and random ones that its test_bits
draws by both, on every SIMD path of this processor and in both precisions, and compares exit status, the hashes in
run.json (weights, config, data) and every cell of every CSV column that the old run has, found by its name, byte for
byte.  New columns may stand at the right, new keys at their defaults leave the config hash as it was.

  --graphs N    random configs; default: 200
  --first SEED  of the first of them; default: 1
  --steps N     of shipped configs that would take more, on a few hundred samples; default: 12
  --jobs N      pairs of runs at once; default: one per core
  --keep        leave the runs, without their weights, even if nothing differs
  --self-test   only two random configs, to see that planted differences are found

Every call ends with such planted differences, in a copy of one of its runs.  The old tree and its build stay in
build/same_bytes/old for the next call.  Wants python3.

Exit status: 0 nothing differs, 1 something does, a build or an old run fails, or there was too little to compare, 2
usage.
END
}

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=scripts/parts/group.sh
. "$root/scripts/parts/group.sh"
call_in_group "$@"
home=$root/build/same_bytes
old_tree=$home/old
old_build=$old_tree/build/test
new_build=$root/build/release
commit='' work='' graphs=200 first=1 steps=12 keep=0 self_test=0 jobs=$(nproc)
paths=() shipped=() drawn=() # what there is to run

die() { # WHAT [STATUS]
    echo "scripts/dev/same_bytes.sh: $1" >&2
    exit "${2:-1}"
}

parse() {
    local name=''
    while (($#)); do
        case $1 in
        -h | --help) usage || exit 4 && exit 0 ;;
        --graphs | --first | --steps | --jobs)
            [[ ${2:-} =~ ^[1-9][0-9]{0,8}$ ]] || die "$1 wants a whole number from 1 on, not '${2:-}'" 2
            printf -v "${1#--}" '%s' "$2"
            shift
            ;;
        --keep) keep=1 ;;
        --self-test) self_test=1 ;;
        -*) die "unknown option $1 (see --help)" 2 ;;
        *)
            [[ -z $name ]] || die "one commit at a time, not also $1" 2
            name=$1
            ;;
        esac
        shift
    done
    [[ -n $name ]] || die "no commit given (see --help)" 2
    commit=$(git -C "$root" rev-parse --verify --quiet "$name^{commit}") || die "no commit $name in $root" 2
}

# Without the first test git would answer for the tree around an empty directory.
has_old_tree() {
    [[ -f $old_tree/.git && $(git -C "$old_tree" rev-parse HEAD 2>/dev/null) == "$commit" &&
        -z $(git -C "$old_tree" status --porcelain --untracked-files=no) ]]
}

# A tree at another commit goes as a whole: programs of that commit must not be taken for this one's.
make_old_tree() {
    has_old_tree && return
    rm -rf "$old_tree"
    git -C "$root" worktree prune
    git -C "$root" worktree add --quiet --detach "$old_tree" "$commit"
}

build() { # TREE PRESET TARGET...
    local log=$home/build-$2.log
    {
        cmake --preset "$2" -S "$1" && cmake --build "$1/build/$2" --target "${@:3}"
    } >"$log" 2>&1 || { tail -n 20 "$log" >&2 && die "$1 does not build (preset $2): see $log"; }
    grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$1" "$1/build/$2/CMakeCache.txt" ||
        die "$1/build/$2 was not built from $1: remove it and call again"
}

# Copies, so that a build while this runs does not disturb it.
take_programs() {
    local test_bits
    test_bits=$(find "$old_build" -type f -name test_bits -perm -u+x)
    [[ -n $test_bits && $test_bits != *$'\n'* ]] || die "not one test_bits in $old_build: ${test_bits:-none}"
    cp "$test_bits" "$work/test_bits"
    cp "$old_build/skipnet" "$work/old"
    cp "$new_build/skipnet" "$work/new"
}

draw() {
    local seed
    mkdir drawn
    for ((seed = first; seed < first + graphs; seed++)); do
        ./test_bits "$seed" >"drawn/$seed.json" || die "test_bits draws no config from seed $seed"
        drawn+=("drawn/$seed")
    done
}

# Where they stood, for the sake of relative paths in them.
find_shipped() {
    local config
    ln -s "$old_tree/configs" shipped
    while read -r config; do
        [[ $config =~ ^[A-Za-z0-9._/-]+$ ]] || die "cannot run a config of this name: $config"
        shipped+=("${config%.json}")
    done < <(find -H shipped -name '*.json' | sort)
    ((${#shipped[@]})) || die "no config in $old_tree/configs"
}

find_paths() {
    local path
    for path in generic avx2 avx512; do
        if SKIPNET_SIMD=$path ./old check "${drawn[0]}.json" >check.log 2>&1; then paths+=("$path"); else
            echo "left out: $(head -n 1 check.log)"
        fi
    done
    ((${#paths[@]})) || die "no SIMD path runs here"
}

# Enough samples for the end of an epoch, where a batch is short and evaluations come.
shortening() { # CONFIG
    local options=(--set data.train_limit=700 --set data.test_limit=200 --set report.train_eval=300)
    if ! [[ $(<"$1.json") =~ \"steps\":\ *([0-9]+) ]] || ((BASH_REMATCH[1] > steps)); then
        options+=(--set "train.steps=$steps")
    fi
    echo "${options[*]}"
}

# One pair of runs a line: what train.sh takes.
list_pairs() {
    local config path precision options
    for config in "${shipped[@]}" "${drawn[@]}"; do
        options=''
        [[ $config == drawn/* ]] || options=" $(shortening "$config")"
        for path in "${paths[@]}"; do
            for precision in float32 float64; do echo "$config $path $precision$options"; done
        done
    done
}

describe() {
    local programs="different files"
    ! cmp -s old new || programs="the same bytes"
    echo "old: $(git -C "$old_tree" describe --always); new: $(git -C "$root" describe --always --dirty);" \
        "their programs are $programs"
    echo "configs: ${#shipped[@]} shipped, ${#drawn[@]} drawn (seeds $first to $((first + graphs - 1)));" \
        "SIMD paths: ${paths[*]}"
}

finish() { # STATUS
    [[ -n $work ]] || return 0
    if ((keep || $1 == 1)); then echo "the runs: $work"; else rm -rf "$work"; fi
}

main() {
    parse "$@"
    command -v python3 >/dev/null || die "no python3 here (apt-get install python3)"
    mkdir -p "$home"
    exec 9>"$home/lock"
    flock --nonblock 9 || die "another call is at work in $home"
    ((!self_test)) || graphs=2
    make_old_tree
    build "$old_tree" test skipnet test_bits
    build "$root" release skipnet
    work=$(mktemp -d "$home/runs.XXXXXX")
    trap 'finish $?' EXIT
    take_programs
    cd "$work"
    draw
    ((self_test)) || find_shipped
    find_paths
    describe
    list_pairs >pairs.txt
    # A call for each line.
    xargs -L 1 -P "$jobs" "$here/same_bytes/train.sh" <pairs.txt || die "could not run all pairs"
    python3 "$here/same_bytes/compare.py" "$work"
}

main "$@"
