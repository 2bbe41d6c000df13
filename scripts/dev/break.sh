#!/usr/bin/env bash
# Tries to break the program: random configs, mutated ones, damaged run directories, signals at random moments.
set -euo pipefail
export LC_ALL=C

usage() {
    cat <<'END'
usage: scripts/dev/break.sh [--minutes N | --cases N] [--seed S] [--only KIND] [--preset dev|test | --binary FILE]
                            [--jobs N] [--timeout S] [--keep DIR] [--self-test]

Four kinds of cases, each drawn from a seed of its own:

  valid        random valid configs, with every op, activation, loss, init, source ... of the program: the same bytes
               for any number of threads, in two halves by --resume, from config.json, from check --expand; the same
               weights however much is observed; eval finds the last test loss
  configs      mutated configs: taken or refused, with a message that names the file
  directories  damaged run directories: train, eval, compare, check change nothing outside of them
  signals      runs that are ended by INT, TERM, HUP, USR1 and KILL at random moments and resumed, and in preset test by
               calls of the system that fail: the bytes of an undisturbed run

No run may crash, hang, rouse a sanitizer, print a control character or fail without a message.

  --minutes N    default: 3
  --cases N      so many of each kind instead: the same ones for the same seed
  --seed S       of the first case of each kind; the others count on from it; default: 1
  --only KIND    this kind alone
  --preset NAME  what is built and tried: dev (ASan, UBSan; the default) or test, which is ten times as fast
  --binary FILE  this program, and nothing is built
  --jobs N       cases at a time; default: one per processor
  --timeout S    seconds after which a call hangs; default: 10, with sanitizers 60
  --keep DIR     where failed cases are kept, with their files, commands and how to repeat them; default: a new one
  --self-test    breaks the program by scripts in front of it (crash, hang, a changed byte, an escape sequence ...):
                 each round has to see each of them

Wants python3.  Ends with the counts of each kind and a line "N passed, N failed".  Exit status: 0 nothing failed, 1
something did, 2 usage.
END
}

die() {
    echo "break.sh: $1 (see --help)" >&2
    exit 2
}

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=scripts/parts/group.sh
. "$root/scripts/parts/group.sh"
call_in_group "$@"
preset=dev binary='' passed_on=()
while (($#)); do
    case $1 in
    -h | --help) usage || exit 4 && exit 0 ;;
    --self-test) passed_on+=("$1") && shift && continue ;;
    --minutes | --timeout) [[ ${2:-} =~ ^[0-9]+(\.[0-9]+)?$ ]] || die "$1 wants a number" ;;
    --cases | --seed | --jobs) [[ ${2:-} =~ ^[1-9][0-9]{0,8}$ ]] || die "$1 wants a whole number from 1 on" ;;
    --only) [[ ${2:-} =~ ^(valid|configs|directories|signals)$ ]] || die "$1 wants valid, configs, directories or signals" ;;
    --preset) [[ ${2:-} =~ ^(dev|test)$ ]] || die "$1 wants dev or test" ;;
    --binary) [[ -x ${2:-} ]] || die "$1 wants a program" ;;
    --keep) [[ -n ${2:-} ]] || die "$1 wants a directory" ;;
    -*) die "unknown option $1" ;;
    *) die "unexpected argument $1" ;;
    esac
    case $1 in
    --preset) preset=$2 ;;
    --binary) binary=$(readlink -f "$2") ;;
    --keep) mkdir -p "$2" && passed_on+=("$1" "$(readlink -f "$2")") ;;
    *) passed_on+=("$1" "$2") ;;
    esac
    shift 2
done

if [[ -z $binary ]]; then
    binary=$root/build/$preset/skipnet shim=$root/build/$preset/tests/faults/libfault_shim.so
    cmake --preset "$preset" -S "$root" >/dev/null
    cmake --build "$root/build/$preset" --target skipnet fault_shim >/dev/null
    # The address sanitizer wants to be the first library.
    [[ $preset != test ]] || passed_on+=(--shim "$shim")
fi
exec python3 "$root/scripts/dev/break/main.py" "${passed_on[@]}" "$binary"
