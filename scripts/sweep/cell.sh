#!/bin/sh
# Runs cells: the lines FIRST, FIRST + EVERY, ... of a list, one after the other (without EVERY that one line).  Every
# engine of sweep.sh starts cells by this, on whatever machine.
#
#   cell.sh LIST LOG FIRST [EVERY]
#
# Divergence is a result.  A cell that fails leaves LOG/LINE.failed (its exit status, then what it said), and the next
# one follows; exit status 1 at the end.  A cell that a signal stopped ends this too, by the same signal.
set -eu

list=$1 log=$2 line=$3 every=${4:-0}
failed=0
n=$(($(wc -l <"$list")))

while [ "$line" -le "$n" ]; do
    said=$log/$line.err
    status=0
    sh -c "$(sed -n "${line}p" "$list")" </dev/null >/dev/null 2>"$said" || status=$?
    case $status in
    0 | 3) rm -f "$said" ;;
    129 | 130 | 143)
        kill -s $((status - 128)) $$
        exit $status
        ;;
    *)
        { echo "exit status $status" && cat "$said"; } >"$said.part"
        mv "$said.part" "$log/$line.failed"
        rm -f "$said"
        failed=1
        ;;
    esac
    [ "$every" -gt 0 ] || break
    line=$((line + every))
done
exit $failed
