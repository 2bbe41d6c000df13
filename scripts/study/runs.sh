# shellcheck shell=bash # part of the scripts of studies, which source it
# What the scripts of studies share: their options, the group in which they work (in_group), runs that are trained once, numbers out of the CSV files.

study_out='' study_threads='' study_skipnet='' study_root=''
study_seeds='' # the script's default, then what --seeds said

study_die() { # STATUS MESSAGE
    echo "${0##*/}: $2" >&2
    exit "$1"
}

# Reads the options --out, --threads and --seeds (only where the script has a default for them); usage() is the script's.
study_parse() { # ARGUMENT...
    while (($#)); do
        case $1 in
        -h | --help) usage || exit 4 && exit 0 ;;
        --out | --threads | --seeds)
            [[ -n ${2:-} ]] || study_die 2 "$1 wants a value (see --help)"
            [[ $1 != --seeds || -n $study_seeds ]] || study_die 2 "unknown option --seeds (see --help)"
            printf -v "study_${1#--}" '%s' "$2"
            shift
            ;;
        -*) study_die 2 "unknown option $1 (see --help)" ;;
        *) study_die 2 "unexpected argument $1 (see --help)" ;;
        esac
        shift
    done
    study_root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
    study_skipnet=${SKIPNET:-$study_root/build/release/skipnet}
    command -v "$study_skipnet" >/dev/null ||
        study_die 2 "cannot run $study_skipnet: build it (scripts/demo.sh does), or set SKIPNET to the program"
    : "${study_out:=$study_root/runs/$(basename "$0" .sh)}"
    mkdir -p -- "$study_out" || study_die 4 "cannot make the directory $study_out"
    # shellcheck source=scripts/parts/group.sh
    . "$study_root/scripts/parts/group.sh"
    trap_signals
}

# Trains configs/CONFIG.json into $study_out/NAME.  A finished run is not repeated, one that was broken off is started
# anew.  Divergence is a result; anything else that fails ends the study.
study_train() { # NAME CONFIG TRAIN-OPTION...
    local run=$study_out/$1 status=0 options=("${@:3}")
    [[ ! -f $run/run.json ]] || grep -Eq '"status": *"(done|diverged)"' "$run/run.json" || options+=(--force)
    [[ -z $study_threads ]] || options+=(--threads "$study_threads")
    "$study_skipnet" train "$study_root/configs/$2.json" --out "$run" -q "${options[@]}" 2>"$study_out/errors" ||
        status=$?
    case $status in
    0 | 3) ;;
    129 | 130 | 143) trap - INT && kill -s $((status - 128)) $$ ;;
    *) study_die 1 "$1 failed with exit status $status: $(cat "$study_out/errors")" ;;
    esac
    rm -f "$study_out/errors"
}

# The rows of a CSV file of a run that meet all conditions COLUMN=VALUE, as the values of one column, a line each.
study_column() { # NAME FILE COLUMN [COLUMN=VALUE]...
    awk -F, -v column="$3" -v conditions="${*:4}" '
        NR == 1 {
            for (i = 1; i <= NF; i++) at[$i] = i
            n = split(conditions, want, "[ =]")
            for (w = 1; w < n; w += 2) if (!(want[w] in at)) bad = want[w]
            if (!(column in at)) bad = column
            if (bad) { print "no column " bad " in " FILENAME >"/dev/stderr"; exit 1 }
            next
        }
        {
            for (w = 1; w < n; w += 2) if ($(at[want[w]]) != want[w + 1]) next
            print $(at[column])
        }' "$study_out/$1/$2"
}

# The last value of a column that was measured; "-" where none was.
study_last() { # NAME FILE COLUMN [COLUMN=VALUE]...
    study_column "$@" | awk '$0 != "" { last = $0; n++ } END { print n ? last : "-" }'
}

study_status() { # NAME
    sed -n 's/^ *"status": *"\(.*\)",$/\1/p; T; q' "$study_out/$1/run.json"
}

# Draws runs at step 0 into $study_out/DIR with scripts/plot.sh.
study_draw() { # DIR NAME...
    local name paths=()
    for name in "${@:2}"; do paths+=("$study_out/$name"); done
    "$study_root/scripts/plot.sh" "${paths[@]}" --steps 0 --out "$study_out/$1" >/dev/null ||
        study_die 1 "scripts/plot.sh failed"
    echo "pictures: $study_out/$1"
}
