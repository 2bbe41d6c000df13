#!/bin/sh
# Runs cells: the lines FIRST, FIRST + EVERY, ... of a list, one after the other (without EVERY that one line).  Every
# engine of sweep.sh starts cells by this, on whatever machine.
#
#   cell.sh LIST LOG FIRST [EVERY]
#
# Divergence is a result.  A cell that fails leaves LOG/failed/NAME (its exit status, then what it said), NAME being that
# of its run's directory, until it has run; the next one follows; exit status 1 at the end.  A signal to this script ends it by the same signal, once the cell at work has
# ended; one that only the cell got is a failure of that cell.
set -eu
# skipnet never uses more than one thread of OpenBLAS, which starts one per core all the same; they spin for a while, on
# the cores of other cells.
export OPENBLAS_NUM_THREADS=1

list=$1 log=$2 line=$3 every=${4:-0}
failed=0 signal=''
n=$(($(wc -l <"$list")))
for name in HUP INT TERM; do
    # shellcheck disable=SC2064 # this name, now
    trap "signal=$name" "$name"
done

stop_if_signalled() {
    [ -n "$signal" ] || return 0
    trap - "$signal"
    kill -s "$signal" $$
}

# The last word of a cell's command is its directory, which has no slash and no quote in its name.
run_cell() {
    said=$log/$line.err
    status=0
    command=$(sed -n "${line}p" "$list") || true # sed gets a signal to all, too
    stop_if_signalled
    name=${command##*/} name=${name%"'"}
    sh -c "$command" </dev/null >/dev/null 2>"$said" || status=$?
    case $status in
    0 | 3) rm -f "$said" "$log/failed/$name" && return ;;
    129 | 130 | 137 | 143) stop_if_signalled ;;
    esac
    mkdir -p "$log/failed"
    { echo "exit status $status" && cat "$said"; } >"$said.part"
    mv "$said.part" "$log/failed/$name"
    rm -f "$said"
    failed=1
}

while [ "$line" -le "$n" ]; do
    run_cell
    stop_if_signalled
    [ "$every" -gt 0 ] || break
    line=$((line + every))
done
exit $failed
