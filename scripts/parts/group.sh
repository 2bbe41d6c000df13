# shellcheck shell=bash
# A script's work in a process group of its own: a signal to the script ends all of it at once, and what it wrote for
# itself is gone then.  For the scripts of the directory above; those with a directory of their own define `fail`.

group='' front='' work='' work_prefix=''

trap_signals() {
    local name
    for name in INT TERM HUP; do
        # shellcheck disable=SC2064 # this name, now
        trap "end_by $name" "$name"
    done
}

# Makes a directory for files that are of no use later.  $work is a path to it, good for children too, in which no
# character of TMPDIR can mean something to awk, sed or gnuplot.
begin_work() { # NAME
    local dir=${TMPDIR:-/tmp}
    work_prefix=$dir/skipnet-$1.$$
    trap_signals
    trap 'end_work $?' EXIT
    work=$(mktemp -d -- "$work_prefix.XXXXXX" 2>/dev/null) || fail 4 "cannot make a directory in $dir (TMPDIR)"
    exec 7<"$work"
    work=/proc/self/fd/7
}

# At the exit.  awk and sort have one status for all that fails: whether it was for want of room is found by writing.
end_work() { # STATUS
    local status=$1
    if ((status == 1 || status == 2)) && ! head -c 100000 /dev/zero 2>/dev/null >"$work/room"; then
        status=4
    fi
    remove_work
    ((status == $1)) || fail 4 "cannot write into ${TMPDIR:-/tmp} (TMPDIR): no room"
    exit "$status"
}

# Found by its name: a signal may come before it is known here what mktemp has made.
remove_work() {
    local dir
    for dir in "$work_prefix".??????; do rm -rf -- "$dir"; done
}

# What a caller may read.
tell() { # LINE
    echo "$1" 2>/dev/null || fail 4 "cannot write standard output"
}

# Puts a file into its place, whole or not at all.  Where a link or a pipe has its name, or that of the file on the way,
# it is replaced: nothing is written through the one, or waits for the other.
publish() { # FILE PLACE
    local part
    part=$(dirname -- "$2")/.$(basename -- "$2").part
    if ! { cp -T --remove-destination -- "$1" "$part" && mv -fT -- "$part" "$2"; } 2>/dev/null; then
        rm -f -- "$part" 2>/dev/null || true
        fail 4 "cannot write $2"
    fi
}

# A function of the script, whose `exit` ends it alone; its status.  It reads nothing: a group in the background that
# asks the terminal is stopped.
in_group() { # FUNCTION [ARGUMENT...]
    local status=0
    set -m
    "$@" </dev/null &
    group=$!
    set +m
    wait "$group" || status=$?
    group=''
    return "$status"
}

# For a script whose work is not in functions: it calls itself in a group, and ends as that call does.
call_in_group() { # ARGUMENT...
    local status=0
    if [[ ${SKIPNET_GROUP:-} == "$PPID" ]]; then
        unset SKIPNET_GROUP
        return
    fi
    trap_signals
    in_group env SKIPNET_GROUP=$$ bash "$0" "$@" || status=$?
    exit "$status"
}

# A program that may ask the terminal, and so stays in the group of this script; its status.
in_front() { # COMMAND...
    local status=0
    env --default-signal=INT,QUIT "$@" <&0 &
    front=$!
    wait "$front" || status=$?
    front=''
    return "$status"
}

# The group gets TERM and a third of a second; then the script dies of the signal that it got, so that a loop around it
# stops too.
end_by() { # SIGNAL
    local i
    trap '' INT TERM HUP
    [[ -z $front ]] || kill -s TERM "$front" 2>/dev/null || true
    if [[ -n $group ]]; then
        kill -s TERM -- "-$group" 2>/dev/null || true
        for ((i = 0; i < 6; i++)); do
            kill -0 -- "-$group" 2>/dev/null || break
            sleep 0.05
        done
    fi
    [[ -z $work_prefix ]] || remove_work
    trap - "$1"
    kill -s "$1" $$
}
