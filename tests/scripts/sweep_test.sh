#!/usr/bin/env bash
# scripts/sweep.sh with the real program: the same files from every engine, failures listed with their reasons, what
# diverged counted as a result, a sweep that is stopped and goes on, options.  The plotter and the reporter are
# stand-ins.  (Slurm: tests/scripts/slurm_sweep.sh.)
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
mkdir bin
for name in plot report; do
    # shellcheck disable=SC2016 # its own arguments
    printf '#!/bin/sh\necho "%s $*" >>"$CALLS"\n' $name >bin/$name
    chmod +x bin/$name
done
export SKIPNET=$skipnet SKIPNET_PLOT=$work/bin/plot SKIPNET_REPORT=$work/bin/report CALLS=$work/calls

sweep() { # ARGUMENT...
    status=0
    : >calls
    "$source_dir/scripts/sweep.sh" "$@" >out 2>all </dev/null || status=$?
    without_progress all >err
}

# What is said while cells run depends on how long they take.
without_progress() { # FILE
    grep -vE '^sweep: ([0-9]+ of [0-9]+ cells finished|.* failed: exit status)' "$1" || true
}

wait_for_runs() { # DIRECTORY N: that have rows
    [[ $(find "$1" -name loss.csv -size +0 2>/dev/null | wc -l) -ge $2 ]]
}

# Every engine that is here, in directories with a name that needs quotes.
all=(xargs)
if [[ $(parallel --version 2>/dev/null) == "GNU parallel"* ]]; then
    all+=(parallel)
else
    echo "GNU parallel is not installed: only xargs is tested"
fi
for engine in "${all[@]}"; do
    sweep tiny.json --grid network.depth=3,4 --grid network.skip=none,add --seeds 2 --engine "$engine" \
        --out "it's $engine/runs"
    want "$engine: exit status" 0 "$status"
    want "$engine: nothing on stderr" "" "$(cat err)"
    want "$engine: runs" 8 "$(find "it's $engine" -name final.safetensors | wc -l)"
    want "$engine: cells have one thread" "  \"threads\": 1," "$(grep -h '^  "threads"' "it's $engine"/runs/*/run.json |
        sort -u)"
    want "$engine: what follows" "plot it's $engine/runs
report it's $engine/runs" "$(cat calls)"
    want_like "$engine: the comparison" "run *it's $engine/runs/depth=3,skip=add,seed=1 *" "$(cat out)"
    without_wall_s "it's $engine/runs/runs.csv" | sed "s|it's $engine|DIR|" >"$engine.csv"
done
want "runs.csv has all" 9 "$(wc -l <xargs.csv)"
for engine in "${all[@]}"; do
    want_equal xargs.csv "$engine.csv"
    for run in "it's xargs"/runs/depth=*; do
        for file in config.json loss.csv gradients.csv final.safetensors; do
            want_equal "$run/$file" "it's $engine/runs/${run##*/}/$file"
        done
    done
done

# Again, with another seed: what is finished is not touched, nor what is not the sweep's own; --no-plot.
mkdir "it's xargs/runs/log"
touch "it's xargs/runs/log/mine" "it's xargs/runs/sweep-log/mine" "it's xargs/runs/sweep-log/7.failed"
touch -d "2001-01-01" "it's xargs"/runs/*/loss.csv
sweep tiny.json --grid network.depth=3,4 --grid network.skip=none,add --seeds 3 --engine xargs --jobs 1 \
    --out "it's xargs/runs" --no-plot
want "more seeds: exit status" 0 "$status"
want "more seeds: old runs are not repeated" 8 "$(find "it's xargs" -name loss.csv ! -newermt 2002-01-01 | wc -l)"
want "more seeds: runs" 12 "$(find "it's xargs" -name final.safetensors | wc -l)"
want "more seeds: files of others stay, those of the last launch go" "log/mine
sweep-log/cells.txt
sweep-log/mine
sweep-log/xargs.err" "$(cd "it's xargs/runs" && find log sweep-log -type f | sort)"
want "no pictures" "" "$(cat calls)"

# A file of the user's that has the name of one of the comparison's; --force goes to all that write.
rm "it's xargs/runs/datapackage.json"
echo mine >"it's xargs/runs/summary.csv"
again=(tiny.json --grid "network.depth=3,4" --grid "network.skip=none,add" --seeds 3 --engine xargs --out "it's xargs/runs")
sweep "${again[@]}" --no-plot
want "the user's file: exit status" "2 mine" "$status $(cat "it's xargs/runs/summary.csv")"
sweep "${again[@]}" --force
want "--force: exit status" 0 "$status"
want "--force: passed on" "plot it's xargs/runs --force
report it's xargs/runs --force" "$(cat calls)"
want "--force: replaced" 1 "$(grep -c ',mean,' "it's xargs/runs/summary.csv")"

# The longest cell is the first.
sweep tiny.json --grid network.depth=3,5,4 --engine xargs --jobs 1 --no-plot --out longest
want "the longest first" "depth=5 depth=4 depth=3" "$(sed 's|.*/||' longest/sweep-log/cells.txt | paste -sd' ')"
want "the longest has begun first" longest/depth=5/config.json \
    "$(find longest -path '*/depth=*/config.json' -printf '%T@ %p\n' | sort -n | sed -n '1s/^[^ ]* //p')"

# One that fails, one that diverges, two that are done.
cat >points.csv <<'END'
network.order,network.skip.kind,network.activation,train.lr
pre,none,tanh,0.01
post,concat,tanh,0.01
pre,none,relu,1e30
pre,add,tanh,0.01
END
for engine in "${all[@]}"; do
    sweep tiny.json --points points.csv --engine "$engine" --out "mixed.$engine"
    want "a failure: exit status" 1 "$status"
    want_like "a failure: its reason" "sweep: 1 of 4 cells failed:
  order=post,skip.kind=concat,activation=tanh,lr=0.01: exit status 2
      --set network.order=post: network.order: order post needs *" "$(cat err)"
    want "a failure: results" "2 done, 1 diverged" "$(grep -lE '^  "status": "done"' "mixed.$engine"/*/run.json |
        wc -l) done, $(grep -lE '^  "status": "diverged"' "mixed.$engine"/*/run.json | wc -l) diverged"
    want "a failure: pictures all the same" 2 "$(wc -l <calls)"
    want_like "a failure: the comparison has it" \
        "*,failed,*exit status 2: --set network.order=post: network.order: order post needs *" \
        "$(grep ,failed, "mixed.$engine/runs.csv")"
done

# While a sweep runs its failures are told as they happen, and where it stands.
touch watched.err
env --default-signal=TERM "$source_dir/scripts/sweep.sh" tiny.json --points points.csv --set train.steps=100000000 \
    --engine xargs --jobs 4 --out watched --no-plot >out 2>watched.err </dev/null &
pid=$!
started+=("$pid")
await "a failure told" grep -q '^sweep: order=post,skip.kind=concat,.* failed: exit status 2: --set' watched.err
await "a line of progress" grep -qE '^sweep: [0-9] of 4 cells finished, 1 failed' watched.err
kill -s TERM "$pid"
wait "$pid" || true
run_compare() { "$skipnet" compare watched | grep -cE '^failed: watched/order=post.*: exit status 2: '; }
want "a failure is remembered" 1 "$(run_compare)"

# Stopped in the middle: cells close themselves, nothing goes on, the sweep dies of the signal; the same command ends
# it.
for engine in "${all[@]}"; do
    for signal in INT TERM; do
        dir=stopped.$engine.$signal
        grid=(--grid "network.depth=3,4,5" --set train.steps=40000 --engine "$engine" --jobs 2 --out "$dir" --no-plot)
        env --default-signal=INT,TERM "$source_dir/scripts/sweep.sh" tiny.json "${grid[@]}" >out 2>err </dev/null &
        pid=$!
        started+=("$pid")
        await "two cells of $dir" wait_for_runs "$dir" 2
        begin=${EPOCHREALTIME/./}
        kill -s "$signal" "$pid"
        status=0
        wait "$pid" || status=$?
        want "$dir: ends within a second, or two where the machine is busy" 1 \
            $((${EPOCHREALTIME/./} - begin < 2000000))
        want "$dir: exit status" "$(kill -l "$signal")" "$((status - 128))"
        want "$dir: message" "sweep: stopped by a signal; call it again to go on" "$(without_progress err)"
        want "$dir: the cells have ended" "interrupted interrupted" \
            "$("$skipnet" compare "$dir" | awk '$2 == "running" || $2 == "interrupted" { print $2 }' | paste -sd' ')"
        want "$dir: the third was not begun" 2 "$(find "$dir" -name run.json | wc -l)"
    done
    sweep tiny.json "${grid[@]}"
    want "$dir, again: exit status" 0 "$status"
    want "$dir, again: all done" 3 "$(grep -lE '^  "status": "done"' "$dir"/*/run.json | wc -l)"
done

# A cell whose program dies of a signal of its own is a failure like others.
cat >bin/dies <<END
#!/bin/sh
case \$* in *--out\ *depth=3*) kill -s TERM \$\$ ;; esac
exec "$skipnet" "\$@"
END
chmod +x bin/dies
# One that makes cells which are run by that.
cat >bin/dying_cells <<END
#!/bin/bash
"$skipnet" "\$@" || exit
[[ \$1 != cells ]] || sed -i "s|$skipnet|$work/bin/dies|" "\${*: -1}/cells.txt"
END
chmod +x bin/dying_cells
for engine in "${all[@]}"; do
    SKIPNET=$work/bin/dying_cells sweep tiny.json --grid network.depth=3,4,5 --engine "$engine" --jobs 1 \
        --out "killed.$engine"
    want "a killed cell, $engine: exit status" 1 "$status"
    want_like "a killed cell, $engine: its reason" "sweep: 1 of 3 cells failed:
  depth=3: exit status 143*" "$(cat err)"
    want "a killed cell, $engine: the others" 2 \
        "$(grep -lE '^  "status": "done"' "killed.$engine"/*/run.json | wc -l)"
    want "a killed cell, $engine: remembered" depth=3 "$(ls "killed.$engine/sweep-log/failed")"
    sweep tiny.json --grid network.depth=3,4,5 --set train.steps=12 --resume --engine "$engine" --out "killed.$engine"
    want "a killed cell, $engine: forgotten once it has run, and all are longer" "0 3 " \
        "$status $(grep -l '^    "steps": 12,' "killed.$engine"/*/run.json | wc -l) $(ls "killed.$engine/sweep-log/failed")"
done

# A signal to what runs cells ends it after the cell at work.
mkdir cell
printf '%s\n' 'touch began; sleep 0.5; touch ended' 'touch second' >cell/list
(cd cell && exec env --default-signal=TERM sh "$source_dir/scripts/sweep/cell.sh" list . 1 1) &
pid=$!
started+=("$pid")
await "a cell" test -f cell/began
kill -s TERM "$pid"
status=0
wait "$pid" || status=$?
want "cell.sh, signalled" "143 began ended list" "$status $(find cell -type f -printf '%f\n' | sort | paste -sd' ')"

# A name that parallel would expand, one that begins with a dash, a program by a relative path.
ln -s "$skipnet" sn
for engine in "${all[@]}"; do
    odd='-a{#}b{= $_="x" =} @cell@ '$engine
    SKIPNET=./sn sweep tiny.json --grid network.depth=3,4 --engine "$engine" --out "$odd"
    want "odd names, $engine" "0 2" "$status $(find "./$odd" -name run.json | wc -l)"
done

# What xargs itself complains of.
sweep tiny.json --seeds 2 --engine xargs --out complaint -- --no-such-option
want_like "a complaint of xargs" "1 sweep: 2 of 2 cells failed:
*: did not end
*: did not end
*no-such-option*" "$status $(cat err)"

# An array of Slurm that is still at work, whatever the engine.
mkdir cluster
printf '#!/bin/sh\necho 17\n' >cluster/squeue
chmod +x cluster/squeue
echo 17 >complaint/sweep-log/slurm.job
PATH=$work/cluster:$PATH sweep tiny.json --seeds 2 --engine xargs --out complaint
want "an array at work" "2 sweep: array 17 of an earlier call is still at it: wait, or scancel 17" "$status $(cat err)"
printf '#!/bin/sh\n' >cluster/squeue
PATH=$work/cluster:$PATH sweep tiny.json --seeds 2 --engine xargs --out complaint
want "an array that is over" 0 "$status"

# A stopped sweep cancels its array and does not wait for the cluster: the next call does.
cp -R cluster slurm
printf '#!/bin/sh\necho 23\n' >slurm/sbatch
printf '#!/bin/sh\ntest -f %s/gone || echo 23\n' "$work" >slurm/squeue
printf '#!/bin/sh\necho MaxArraySize = 100\n' >slurm/scontrol
printf '#!/bin/sh\necho "$@" >>%s/cancelled\nsleep 3\n' "$work" >slurm/scancel
chmod +x slurm/*
PATH=$work/slurm:$PATH env --default-signal=INT "$source_dir/scripts/sweep.sh" tiny.json --seeds 2 --engine slurm \
    --out queued --no-plot >out 2>err </dev/null &
pid=$!
started+=("$pid")
await "the array" test -s queued/sweep-log/slurm.job
begin=${EPOCHREALTIME/./}
kill -s INT "$pid"
status=0
wait "$pid" || status=$?
want "a cluster's sweep ends within a second, or two where the machine is busy" "130 1" \
    "$status $((${EPOCHREALTIME/./} - begin < 2000000))"
await "the jobs are cancelled" grep -q -- '--quiet 23 23' cancelled
touch gone
PATH=$work/slurm:$PATH sweep tiny.json --seeds 2 --engine xargs --out queued --no-plot
want "the next call goes on" "0 2" "$status $(find queued -name final.safetensors | wc -l)"

# One sweep at a time.
(flock 9 && sweep tiny.json --seeds 2 --engine xargs --out mixed.xargs && cat err >busy) 9>mixed.xargs/sweep.lock
want "another is at work" "sweep: another sweep is at work in $work/mixed.xargs" "$(cat busy)"

# Without GNU parallel: xargs, unless it was asked for.
mkdir few
for name in bash sh env cat cp rm mkdir rmdir mv dirname readlink nproc seq xargs sed awk sort find grep wc head tail \
    flock comm printf realpath; do
    ln -s "$(type -P $name)" few/$name
done
PATH=$work/few sweep tiny.json --seeds 1 --out fallback --no-plot
want "fallback: exit status" 0 "$status"
want "fallback: notice" "sweep: GNU parallel is not installed (apt-get install parallel): going on with xargs" \
    "$(cat err)"
PATH=$work/few sweep tiny.json --seeds 1 --out fallback --engine parallel
want "no parallel" "2 sweep: GNU parallel is not installed (apt-get install parallel), or take --engine xargs" \
    "$status $(cat err)"
PATH=$work/few sweep tiny.json --seeds 1 --out fallback -- --retries 2
want "no parallel for its options" \
    "2 sweep: options after -- want an --engine (GNU parallel is not installed)" "$status $(cat err)"
PATH=$work/few sweep tiny.json --seeds 1 --out fallback --engine slurm
want "no slurm" "2 sweep: no sbatch here: --engine slurm wants a Slurm cluster" "$status $(cat err)"

sweep_refuses() { # MESSAGE ARGUMENT...
    sweep "${@:2}"
    want "sweep.sh ${*:2}" "2 $1" "$status $(cat err)"
}
sweep_refuses "sweep: no config given (see --help)"
sweep_refuses "sweep: unknown option --depths (see --help)" tiny.json --depths "2 3"
sweep_refuses "sweep: --grid wants a value (see --help)" tiny.json --grid
sweep_refuses "sweep: one config at a time, not also b.json (options of the engine go after --)" tiny.json b.json
sweep_refuses "sweep: no engine make (one of: parallel xargs slurm)" tiny.json --engine make
sweep_refuses "sweep: --jobs wants a whole number from 1 on, not 0" tiny.json --jobs 0
sweep_refuses "sweep: the path of --out has a control character in it: \$'$work/a\nb'" tiny.json --seeds 2 \
    --out $'a\nb'
touch ./-tiny.json
sweep_refuses "sweep: -tiny.json is taken for an option: write ./-tiny.json" -tiny.json --seeds 2

# Expectations: what is wrong with them shows before any cell, in the words of `skipnet cells --expect`.
header=network.depth,metric,statistic,op,value
printf '%s\n' $header ,test_los,mean,'<',1 7,test_loss,mean,'<',1 >broken.csv
sweep_refuses 'broken.csv:2: unknown metric "test_los", did you mean "test_loss"?' \
    tiny.json --seeds 2 --engine xargs --out wrong --expect broken.csv
sed -i 2d broken.csv
sweep_refuses 'broken.csv:2: matches no grid point: none has network.depth=7 (there are: 3, 4)' \
    tiny.json --grid network.depth=3,4 --engine xargs --out wrong --expect broken.csv
sweep_refuses 'broken.csv:2: matches no grid point: none has network.depth=7 (there are: 3, 4)' \
    tiny.json --grid network.depth=3,4 --out wrong --expect broken.csv --dry-run
sweep tiny.json --seeds 2 --engine xargs --out wrong --expect none.csv
want "no expectations there" "4 cannot open none.csv: No such file or directory" "$status $(cat err)"
want "broken expectations: no cell was run" "" "$(find . -name 'wrong*')"
printf '\357\273\277network.depth , "metric",statistic,op,value\r\n,test_loss,mean,<,1e9\r\n\r\n' >./-odd.csv
sweep tiny.json --seeds 2 --engine xargs --out expected --expect -odd.csv
want "expectations that hold" "0 " "$status $(cat err)"
printf '%s\n' $header ,test_loss,mean,'<',-1 >false.csv
sweep tiny.json --seeds 2 --engine xargs --out expected --expect false.csv
want "expectations that do not hold" 1 "$status"
sweep tiny.json --seeds 2 --engine xargs --out expected --expect <(cat false.csv)
want "expectations out of a pipe are left to the comparison" 1 "$status"

sweep_refuses '--grid network.skip=ad: network.skip: unknown value "ad", did you mean "add"? (one of: none, add, '\
'concat, highway)' tiny.json --engine xargs --out wrong --grid network.skip=ad
want "a wrong grid: nothing is left" "" "$(find . -name 'wrong*')"
sweep missing.json --seeds 2 --engine xargs --out wrong
want "a missing config" "4 cannot open missing.json: No such file or directory" "$status $(cat err)"
SKIPNET=$work/none sweep tiny.json --seeds 2 --engine xargs
want "a missing program" "2 sweep: cannot run $work/none" "$status $(cat err)"
sweep tiny.json --seeds 3 --out dry --dry-run
want_like "dry run" "0 cells  3: 1 points of 3 seeds*" "$status $(cat out)"
want "dry run: nothing is written" "" "$(find . -name 'dry*' -o -name 'runs' -newer calls)"
finish 150
