#!/usr/bin/env bash
# scripts/sweep.sh with stand-ins for the program and the plotter: which runs it starts and how, what counts as a
# result, what is collected as a failure, and that a signal ends the loop.
set -euo pipefail

source=${SKIPNET_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir bin
echo '{}' >net.json

# Writes down how it was called; the depth decides how it ends.
cat >bin/skipnet <<'END'
#!/usr/bin/env bash
echo "skipnet $*" >>calls
case $* in
*network.depth=3\ *) echo diverged >&2 && exit 3 ;;
*network.depth=4\ *) echo "no memory for 4" >&2 && exit 1 ;;
*network.depth=5\ *) kill -INT $$ ;;
esac
END
printf '#!/bin/sh\necho "plot $*" >>calls\n' >bin/plot
chmod +x bin/*

run() { # ARGUMENT...
    status=0
    : >calls
    SKIPNET=$work/bin/skipnet SKIPNET_PLOT=$work/bin/plot "$source/scripts/sweep.sh" "$@" >out 2>err || status=$?
}

want() { # WHAT EXPECTED ACTUAL
    [[ $2 == "$3" ]] && return
    printf '%s\n  wanted: %s\n  got:    %s\n' "$@"
    cat err
    exit 1
}

run net.json --depths 2 --skips "none add" --seeds "1 7" --out s -- --threads 2
want "four runs: exit status" 0 "$status"
want "four runs: calls" "\
skipnet train net.json --set network.depth=2 --set network.skip.kind=none --set seed=1 \
--out s/depth=2,skip=none,seed=1 -q --threads 2
skipnet train net.json --set network.depth=2 --set network.skip.kind=none --set seed=7 \
--out s/depth=2,skip=none,seed=7 -q --threads 2
skipnet train net.json --set network.depth=2 --set network.skip.kind=add --set seed=1 \
--out s/depth=2,skip=add,seed=1 -q --threads 2
skipnet train net.json --set network.depth=2 --set network.skip.kind=add --set seed=7 \
--out s/depth=2,skip=add,seed=7 -q --threads 2
skipnet compare s --out s
plot s/depth=2,skip=none,seed=1 s/depth=2,skip=none,seed=7 s/depth=2,skip=add,seed=1 s/depth=2,skip=add,seed=7 \
--out s/plots" "$(cat calls)"

run net.json --depths "2 3 4" --skips none
want "one diverged, one failed: exit status" 1 "$status"
want "one diverged, one failed: message" "sweep: 1 failed:
  depth=4,skip=none,seed=1: exit status 1
      no memory for 4" "$(cat err)"
want "one diverged, one failed: what is plotted" "plot runs/sweep-net/depth=2,skip=none,seed=1 \
runs/sweep-net/depth=3,skip=none,seed=1 --out runs/sweep-net/plots" "$(tail -n 1 calls)"

mkdir -p again/depth=2,skip={none,add},seed=1
echo '{"status": "interrupted"}' >again/depth=2,skip=none,seed=1/run.json
echo '{"status": "done"}' >again/depth=2,skip=add,seed=1/run.json
run net.json --depths 2 --skips "none add" --out again --no-plot
want "an interrupted run goes on, a finished one does not" "none,seed=1 -q --resume
add,seed=1 -q" "$(sed -n 's/^skipnet train.*skip=//p' calls)"
run net.json --depths 2 --skips none --out again --no-plot -- --force
want "an interrupted run is replaced with --force" "none,seed=1 -q --force" "$(sed -n 's/^skipnet train.*skip=//p' calls)"

run net.json --depths "5 2" --skips none
want "interrupted: exit status" 130 "$status"
want "interrupted: no further run" 1 "$(wc -l <calls)"

run net.json --depths 2 --skips none --bogus
want "unknown option: exit status" 2 "$status"
run missing.json
want "missing config: exit status" 2 "$status"
want "missing config: message" "sweep: cannot read missing.json" "$(cat err)"
want "missing config: nothing runs" "" "$(cat calls)"
SKIPNET=$work/none "$source/scripts/sweep.sh" net.json >out 2>err && status=0 || status=$?
want "missing program: exit status" 2 "$status"
echo "sweep: all cases as expected"
