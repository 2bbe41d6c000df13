#!/usr/bin/env bash
# A signal ends every script within a second, by that signal, with what it has started, and without a trace: all of
# scripts/ and scripts/dev/, in a copy of the tree, with stand-ins that never end for what takes long.
set -euo pipefail
export LC_ALL=C

source=${SKIPNET_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
[[ -x ${SKIPNET_BIN:-} ]] || { echo "SKIPNET_BIN names no program" && exit 77; }
work=$(mktemp -d)
pid=''
clean_up() {
    [[ -z $pid ]] || kill -s KILL "$pid" 2>/dev/null || true
    # shellcheck disable=SC2046 # a word per process
    kill -s KILL $(cat "$work/pids" 2>/dev/null) 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
cd "$work"
mkdir -p bin tmp tree/tests venv/bin out
cp -r "$source/scripts" "$source/configs" tree
cp -r "$source/tests/pytorch" tree/tests
export WORK=$work TMPDIR=$work/tmp PATH=$work/bin:$PATH SKIPNET=$work/bin/skipnet
unset SKIPNET_NO_INSTALL

stand_in() { # NAME COMMAND
    printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}
# shellcheck disable=SC2016 # the stand-in's own
never_ends='echo $$ >>"$WORK/pids"; exec sleep 100'
for name in cmake ctest valgrind apt-get skipnet munged slurmctld slurmd; do stand_in $name "$never_ends"; done
for name in munge unmunge sbatch squeue scontrol sinfo scancel dpkg-query; do stand_in $name 'exit 1'; done
stand_in id 'echo 0'
stand_in tee 'cat >/dev/null'
stand_in python "$never_ends" && mv bin/python venv/bin/python
stand_in git "case \$* in *rev-parse*) echo 1234 ;; *) $never_ends ;; esac"
# Enough for scripts that ask the program before they try it.
stand_in half "case \$1 in schema | list | version) exec '$SKIPNET_BIN' \"\$@\" ;; *) $never_ends ;; esac"

want() { # WHAT EXPECTED ACTUAL
    [[ $2 == "$3" ]] && return
    printf '%s\n  wanted: %s\n  got:    %s\n' "$@"
    sed 's/^/  stderr: /' err
    exit 1
}

is_at_work() { # PID
    local state
    state=$(ps -o stat= -p "$1") && [[ $state != Z* ]]
}

still_at_work() {
    local other
    while read -r other; do ! is_at_work "$other" || echo "$other"; done <pids
}

n_ended=0 tried=" plot report sweep " # of these pictures_test and sweep_test say it
ends() { # SCRIPT ARGUMENT...
    local signal i start status took
    tried+="$(basename "$1" .sh) "
    for signal in TERM INT; do
        : >pids
        env --default-signal=INT,TERM,HUP "tree/scripts/$1" "${@:2}" >stdout 2>err </dev/null &
        pid=$!
        for ((i = 0; i < 600 && $(wc -l <pids) == 0; i++)); do sleep 0.05; done
        want "$1 $signal: it is at work" yes "$([[ -s pids ]] && is_at_work $pid && echo yes)"
        start=${EPOCHREALTIME/./}
        kill -s $signal $pid
        status=0
        wait $pid || status=$?
        took=$(((${EPOCHREALTIME/./} - start) / 1000))
        want "$1 $signal: ends by it" $signal "$(kill -l $((status > 128 ? status - 128 : 64)))"
        ((took < 1000)) || want "$1 $signal: milliseconds" "at most 1000" "$took"
        for ((i = 0; i < 10; i++)); do [[ -n $(still_at_work) ]] || break; sleep 0.1; done
        want "$1 $signal: nothing goes on" "" "$(still_at_work)"
        want "$1 $signal: nothing is left" "" "$(ls tmp)"
        pid=''
        n_ended=$((n_ended + 1))
    done
}

# What installs, then what comes after that.
ends install_packages.sh check
ends test.sh
ends demo.sh --out out/demo
export SKIPNET_NO_INSTALL=1
ends test.sh
ends test.sh simd tests
ends demo.sh --out out/demo
for name in degradation float32 theory; do ends $name.sh --out out/$name; done
for name in bits break coverage fuzz kill_resume slurm_local slurm_two_nodes same_bytes make_docs; do
    case $name in
    slurm_local) ends dev/$name.sh true ;;
    same_bytes) ends dev/$name.sh HEAD ;;
    make_docs) ends dev/$name.sh bin/skipnet ;;
    *) ends dev/$name.sh ;;
    esac
done
ends dev/break.sh --binary bin/half --minutes 1 --jobs 2
ends dev/callgrind.sh bin/skipnet
ends dev/interop.sh --venv "$work/venv"

# A new script is tried, too.
for script in "$source"/scripts/*.sh "$source"/scripts/dev/*.sh; do
    want "$script is tried" yes "$([[ $tried == *" $(basename "$script" .sh) "* ]] && echo yes)"
done
echo "$n_ended signals ended scripts"
