# shellcheck shell=bash
# A script's work in a process group of its own: a signal to the script ends all of it at once.  For the scripts of the
# directory above.

group='' front=''

trap_signals() {
    local name
    for name in INT TERM HUP; do
        # shellcheck disable=SC2064 # this name, now
        trap "end_by $name" "$name"
    done
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
    trap - "$1"
    kill -s "$1" $$
}
