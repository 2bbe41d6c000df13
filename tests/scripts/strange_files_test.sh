#!/usr/bin/env bash
# A directory of a sweep in which a pipe or a symbolic link stands where a file of ours is read or written: nothing
# hangs, and nothing is written through the link, by compare, plot.sh, report.sh, cells and sweep.sh.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"
/usr/bin/python3 -c 'import matplotlib' 2>/dev/null || exit 77

write_tiny tiny.json
export SKIPNET=$skipnet
grid=(--grid "network.depth=3,4" --seeds 2)
does cells tiny.json "${grid[@]}" --out sound
sed -n 1,3p sound/cells.txt | sh >/dev/null
mkdir -p sound/sweep-log/failed
printf 'exit status 1\nx\n' >"sound/sweep-log/failed/depth=4,seed=2"
sed -i 's/"status": "done"/"status": "interrupted"/' "sound/depth=4,seed=1/run.json" # what it has is read from its rows
does compare sound --out sound
"$source_dir/scripts/report.sh" sound >/dev/null

call() { # VERB: on the directory d; fills $status
    local sweep=("$source_dir/scripts/sweep.sh" tiny.json "${grid[@]}" --out d --no-plot --engine)
    case $1 in
    compare) set -- "$skipnet" compare d --out d ;;
    cells) set -- "$skipnet" cells tiny.json "${grid[@]}" --out d ;;
    sweep) set -- "${sweep[@]}" xargs ;;
    plot) set -- "$source_dir/scripts/plot.sh" d ;;
    curves) set -- "$source_dir/scripts/plot.sh" d/depth=3,seed=1 ;;
    report) set -- "$source_dir/scripts/report.sh" d ;;
    esac
    status=0
    timeout --kill-after=1 60 "$@" >out 2>err </dev/null || status=$?
}

# In the place of FILE stands a pipe, then a link to a file (or directory) elsewhere.
try() { # FILE VERB...
    local kind verb target
    for kind in pipe link; do
        for verb in "${@:2}"; do
            rm -rf d target
            cp -a sound d
            mkdir -p "$(dirname "d/$1")"
            target=$work/target
            if [[ -d sound/$1 ]]; then mkdir target; else echo mine >target; fi
            rm -rf "d/$1"
            if [[ $kind == pipe ]]; then mkfifo "d/$1"; else ln -s "$target" "d/$1"; fi
            call "$verb"
            want "$1, a $kind: $verb ends" 1 $((status < 124))
            if [[ -d target ]]; then
                want "$1, a $kind: $verb writes nothing there" "" "$(ls target)"
            else
                want "$1, a $kind: $verb leaves the target" mine "$(cat target)"
            fi
        done
    done
}
touch -d '1 hour ago' sound/plots/pictures.csv # the report draws again
run_1=depth=3,seed=1
try cells.txt compare cells sweep report
try config.json compare cells
for file in runs summary profiles layers; do try $file.csv compare plot report; done
try differences.csv compare report
try datapackage.json compare plot
for file in report.html .report.html.part plots plots/pictures.csv; do try $file report; done
for file in .pictures.csv.part loss.svg .loss.svg.part .loss.png.part; do try plots/$file plot; done
for file in run.json config.json loss.csv gradients.csv; do
    try $run_1/$file compare sweep
done
for file in config.json loss.csv gradients.csv; do try $run_1/$file report curves; done
try "depth=4,seed=1/loss.csv" compare
try "depth=4,seed=2/run.json" sweep
for file in sweep.lock sweep-log sweep-log/failed sweep-log/cells.txt sweep-log/4.err sweep-log/4.err.part \
    sweep-log/xargs.err sweep-log/slurm.job; do
    try $file sweep
done
try "sweep-log/failed/depth=4,seed=2" compare sweep

# A device is no place for a page.
status=0
mknod null c 1 3 2>/dev/null || mkfifo null
"$source_dir/scripts/report.sh" sound --out null >out 2>err || status=$?
want "a device" "4 report: cannot write null: not a file" "$status $(cat err)"

# Nor does a full standard output go unseen.
for verb in plot report; do
    status=0
    "$source_dir/scripts/$verb.sh" sound >/dev/full 2>err || status=$?
    want "$verb, a full device" "4 $verb: cannot write standard output" "$status $(cat err)"
done

# Through a link to the whole directory a sweep works as without, and a run that was moved behind a link is one of it.
rm -rf d
cp -a sound d
mv "d/$run_1" moved
ln -s ../moved "d/$run_1"
ln -s d link
run_link() { # ARGUMENT...
    status=0
    "$source_dir/scripts/sweep.sh" tiny.json "${grid[@]}" --out link --no-plot --engine xargs >out 2>err </dev/null || status=$?
}
before=$(stat -c %Y.%y moved/loss.csv)
run_link
want "a link: exit status" 0 "$status"
want "a link: the run behind a link is not trained again" "$before" "$(stat -c %Y.%y moved/loss.csv)"
want "a link: all count" "3,2 4,2" "$(grep ',train_loss,' d/summary.csv | cut -d, -f1,3 | paste -sd' ')"
want "a link: nothing is found twice" "" "$(grep -v 'cells finished' err || true)"
finish 100
