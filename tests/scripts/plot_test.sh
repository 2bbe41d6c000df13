#!/usr/bin/env bash
# scripts/plot.sh on small run directories made here: which files it draws, names, steps, formats, and every error with its
# exit status.
# shellcheck source=tests/scripts/plot_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/plot_lib.sh"

loss_header=step,epoch,batch_loss,batch_accuracy,train_loss,train_accuracy,test_loss,test_accuracy,lr,grad_norm
gradients_header=step,layer,label,op,role,grad_rms,unchanged_frac,stalled_frac,delta_rms,out_grad_rms

make_run() { # DIR NAME; rows of gradients.csv on stdin
    mkdir -p "$1"
    printf '{\n  "name": "%s",\n  "network": {\n    "name": "inner"\n  }\n}\n' "$2" >"$1/config.json"
    {
        echo "$loss_header"
        echo "0,0,2.5,,2.25,,2.375,,0.1,1"
        echo "1,0.5,2.0,,,,,,0.1,1"
        echo "2,1,1.5,,1.25,,1.5,,0,1"
    } >"$1/loss.csv"
    {
        echo "$gradients_header"
        cat
    } >"$1/gradients.csv"
}

# Exact zeros, gaps, non-finite values, roles that are not drawn, a label that needs quotes.
make_run mixed "deep_50 \\\"it's\\\"" <<'END'
0,1,"a, ""b""",linear,hidden,1e-3,1,,0,
0,2,b,linear,hidden,1e-3,1,0.9,0,1e-4
0,3,c,linear,hidden,1e-3,1,0.5,1e-15,1e-5
0,4,d,linear,hidden,1e-3,0,0.2,,1e-6
0,5,e,linear,hidden,0,0,0.6,1e-05,1e-7
0,5,n,layer_norm,norm,1e+9,0,0,1e+9,1e+9
0,6,f,linear,output,nan,,,-inf,
1,1,"a, ""b""",linear,hidden,1,0,0,1e-2,1
1,2,b,linear,hidden,1,1,,1e-2,1
1,3,c,linear,hidden,1,0,0,1e-2,1
1,4,d,linear,hidden,1,0,0,1e-2,1
1,5,e,linear,hidden,1,0,0,1e-2,1
1,6,f,linear,output,1,0,1,1e-2,
2,1,"a, ""b""",linear,hidden,1,,,1e-2,1
END
run mixed
want_pictures "one run" mixed loss gradients heatmap frozen
want_text mixed/gradients.svg "Gradients by layer: deep_50 \"it's\""
want_text mixed/frozen.svg "3 of 5 hidden"
want_text mixed/gradients.svg "exact zero"
want_text mixed/gradients.svg "not finite"
want_text mixed/heatmap.svg "not measured"

# Columns are found by name, wherever they stand.
mkdir -p turned
cp mixed/config.json turned
for file in loss gradients; do
    sed 's/"a, ""b"""/a/' "mixed/$file.csv" |
        awk -F, -v OFS=, '{ for (i = NF; i > 0; i--) printf "%s%s", $i, (i > 1 ? OFS : "\n") }' >"turned/$file.csv"
done
run turned --out elsewhere/deep
want_pictures "turned columns" elsewhere/deep loss gradients heatmap frozen
for picture in loss gradients heatmap frozen; do cmp "mixed/$picture.svg" "elsewhere/deep/$picture.svg"; done

# Steps: the nearest measured ones, as many as asked for.
run mixed --steps 0,7
want "--steps: exit status" 0 "$status"
want_text mixed/gradients.svg "step 0"
want_text mixed/gradients.svg "step 2"
want_text mixed/frozen.svg "not measured" # row N has no update

# Several runs: beside the first; equal names give way to those of the directories, also such as awk could misread.
for run in depth=5,skip=none depth=5,skip=add; do
    make_run "$run" same <mixed/gradients.csv
    sed -i 2d "$run/gradients.csv"
done
run depth=5,skip=none depth=5,skip=add
want_pictures "two runs" ./plots loss gradients heatmap-depth=5,skip=none heatmap-depth=5,skip=add frozen
make_run named,depth=7 named <<<"0,1,a,linear,hidden,1,0,0,1,1"
run named,depth=7
want_pictures "one layer, one row" named,depth=7 loss gradients heatmap frozen
want_text named,depth=7/gradients.svg "layer: named,depth=7"

# Nothing but zeros; nothing but nan; a single step.
make_run zeros zeros < <(for s in 0 1 2; do for l in 1 2 3; do echo "$s,$l,x,linear,hidden,0,1,,0,0"; done; done)
sed -i '2,$s/,.*/,0,0,,0,,0,,0.1,0/' zeros/loss.csv
run zeros
want_pictures "all zeros" zeros loss gradients heatmap frozen
want_text zeros/frozen.svg "0 of 3 hidden" # a zero gradient everywhere freezes nothing
make_run nans nans < <(for l in 1 2 3; do echo "0,$l,x,linear,hidden,nan,,,inf,-nan"; done)
sed -i '3,$d; 2s/,.*/,0,nan,,nan,,inf,,0.1,nan/' nans/loss.csv
run nans
want_pictures "all non-finite" nans loss gradients heatmap frozen

# A run that was killed while it wrote.
cp -r mixed cut
printf '2,2,b,lin' >>cut/gradients.csv
run cut
want "cut row: exit status" 0 "$status"
want "cut row: said" "cut/gradients.csv: line 16 is cut short and left out" "$(cat err)"

# As installed.
install_scripts
plot=$work/prefix/bin/skipnet-plot
run zeros
want_pictures "installed" zeros loss gradients heatmap frozen
plot=$source/scripts/plot.sh

broken() { # NAME FILE SED-SCRIPT
    rm -rf "$1"
    cp -r mixed "$1"
    sed -i "$3" "$1/$2"
}

want_error 2 "plot: no run given (see --help)"
want_error 2 "plot: unknown option --wrong (see --help)" mixed --wrong
want_error 2 "plot: --out wants a value (see --help)" mixed --out
want_error 2 "plot: --steps wants step numbers, as in 0,100,468" mixed --steps 1,x
want_error 2 "plot: no run directory nowhere" nowhere
mkdir bare
want_error 2 "plot: cannot read bare/loss.csv: not a run of skipnet train" bare
broken b gradients.csv '1s/delta_rms/delta/'
want_error 2 "b/gradients.csv: no column delta_rms: not written by skipnet train" b
broken b gradients.csv '4s/1e-15/1e-15x/'
want_error 2 'b/gradients.csv: line 4, column delta_rms: "1e-15x" is not a number' b
broken b loss.csv "2,\$d"
want_error 2 "b/loss.csv: no rows: nothing was measured yet" b
broken b gradients.csv '3s/,.*//'
want_error 2 "b/gradients.csv: line 3: 1 cells, but the header has 10" b
want_error 4 "plot: cannot make the directory mixed/loss.csv/x" mixed --out mixed/loss.csv/x
mkdir -p full/loss.svg/x
run mixed --out full
want "cannot replace: exit status" 4 "$status"
want "cannot replace: message" "plot: cannot write full/loss.svg" "$(cat err)"

# Formats, styles, and what is drawn.
run mixed --format pdf,png --style paper --width 89mm --picture gradients --metric grad_norm_of
want "no such metric" "2 plot: no column grad_norm_of in gradients.csv, blocks.csv or loss.csv of mixed (skipnet list metrics)" \
    "$status $(cat err)"
run mixed --format pdf --style paper --picture loss,gradients --out paper
want "PDF: files" "paper/loss.pdf paper/gradients.pdf" "$(paste -sd' ' out)"
want "PDF: are such" "%PDF" "$(head -c 4 paper/loss.pdf)"
run mixed --metric grad_norm --out paper --format svg
want "a column of loss.csv" paper/grad_norm.svg "$(cat out)"
run mixed --metric unchanged_frac --x depth_frac --out paper --format svg
want "x: no such column" "mixed/gradients.csv: no column depth_frac: not written by skipnet train" "$(cat err)"
run --list
want "--list" "of runs: of a comparison:" "$(grep '^of' out | paste -sd' ')"
want_error 2 "plot: --format wants svg, png or pdf" mixed --format gif
want_error 2 "plot: --style wants screen, paper or dark" mixed --style loud
want_error 2 "plot: --width wants millimetres (20 to 2000), 1col or 2col" mixed --width 3
want_error 2 "plot: --label wants OLD=NEW, not x" mixed --label x
want_error 2 "plot: no picture map: there are loss, gradients, heatmap, frozen, curves (see --list)" mixed --picture map
want_error 2 "plot: --by depth is no key that varies; these do: none but the seed" mixed --by depth --picture gradients

printf '#!/bin/sh\nexec /usr/bin/python3 -S "$@"\n' >bare-python # without Debian's packages
chmod +x bare-python
status=0
SKIPNET_PYTHON=$work/bare-python "$plot" mixed >out 2>err || status=$?
want "no matplotlib: exit status" 4 "$status"
want "no matplotlib: message" "plot: No module named 'matplotlib': install the packages python3-numpy and python3-matplotlib" \
    "$(cat err)"

run --help
want "help: exit status" 0 "$status"
want "help: first line" "usage: plot.sh RUN... [OPTION...]" "$(head -n 1 out)"
