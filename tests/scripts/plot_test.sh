#!/usr/bin/env bash
# scripts/plot.sh on small run directories made here: which files it draws, that zeros, gaps and non-finite values go
# where they belong (seen in what gnuplot is given), names, steps, and every error with its exit status.
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
want "zeros" "1 2" "$(paste -sd' ' given/gradients.0.0.delta.zero)"
want "curve, broken where a value is missing" "3 -15||5 -5" "$(paste -sd'|' given/gradients.0.0.delta.line)"
want "non-finite" 6 "$(paste -sd' ' given/gradients.0.0.delta.bad)"
want "grad_rms: zero" 5 "$(paste -sd' ' given/gradients.0.0.grad.zero)"
want "the last step with an update" "6 0" "$(tail -n 1 given/gradients.0.1.grad.line)"
floor=$(sed -n "s/^set ytics (.*'0' \(-[0-9]*\).*/\1/p" given/all.gp | sort -u | head -n 1)
want "the floor is below the smallest value" 1 "$((floor < -15 && floor >= -18))"
want "zeros are drawn on the floor" 1 "$(grep -c "delta.zero' using 1:($floor - 0 " given/all.gp | sed 's/[1-9].*/1/')"
want "no other role is drawn" "" "$(cat given/gradients.*.line | awk '$2 > 1')"
want "cells of the map: zero, missing, non-finite" "0 0 211 211 211|0 3 255 255 255|0 5 213 94 0" \
    "$(grep -E '^0 [035] ' given/heat.0 | paste -sd'|')"
want "the ends of the colours" "0 2 68 1 84|1 2 253 231 37" "$(grep ' 2 ' given/heat.0 | grep '^[01] 2' | paste -sd'|')"
want "frozen at step 0: no change at all, stalled above a half" "0.5 2.5|4.5 5.5" "$(paste -sd'|' given/strip.0.0.1)"
want "not frozen at step 0" "2.5 4.5" "$(paste -sd'|' given/strip.0.0.0)"
want "frozen at step 1" "1.5 2.5|5.5 6.5" "$(paste -sd'|' given/strip.0.1.1)"
want "hidden layers counted" 1 "$(grep -c "'3 of 5 hidden'" given/all.gp | sed 's/[1-9].*/1/')"
want "name, quoted" 1 "$(grep -cF "'Gradients by layer: deep_50 \"it''s\"'" given/all.gp | sed 's/[1-9].*/1/')"

# Columns are found by name, wherever they stand.
mkdir -p turned
cp mixed/config.json turned
for file in loss gradients; do
    sed 's/"a, ""b"""/a/' "mixed/$file.csv" |
        awk -F, -v OFS=, '{ for (i = NF; i > 0; i--) printf "%s%s", $i, (i > 1 ? OFS : "\n") }' >"turned/$file.csv"
done
cp -r given before
run turned --out elsewhere/deep
want_pictures "turned columns" elsewhere/deep loss gradients heatmap frozen
for file in before/gradients.0.* before/loss.0.* before/strip.*; do
    cmp "$file" "given/${file#before/}"
done

# Steps: the nearest measured ones, as many as asked for.
run mixed --steps 0,7
want "--steps: exit status" 0 "$status"
want "--steps: what is shown" "'step 0'|'step 2'" "$(grep -o "'step [0-9]*'" given/all.gp | sort -u | paste -sd'|')"
want "--steps: row N has no update" 1 "$(grep -c "'not measured'" given/all.gp | sed 's/[1-9].*/1/')"

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
want "the directory tells more" 1 "$(grep -c "layer: named,depth=7'" given/all.gp | sed 's/[1-9].*/1/')"

# Nothing but zeros; nothing but nan; a single step.
make_run zeros zeros < <(for s in 0 1 2; do for l in 1 2 3; do echo "$s,$l,x,linear,hidden,0,1,,0,0"; done; done)
sed -i '2,$s/,.*/,0,0,,0,,0,,0.1,0/' zeros/loss.csv
run zeros
want_pictures "all zeros" zeros loss gradients heatmap frozen
want "a zero gradient everywhere freezes nothing" "0.5 3.5" "$(paste -sd'|' given/strip.0.0.0)"
make_run nans nans < <(for l in 1 2 3; do echo "0,$l,x,linear,hidden,nan,,,inf,-nan"; done)
sed -i '3,$d; 2s/,.*/,0,nan,,nan,,inf,,0.1,nan/' nans/loss.csv
run nans
want_pictures "all non-finite" nans loss gradients heatmap frozen
want "all non-finite" "1 2 3" "$(paste -sd' ' given/gradients.0.0.out.bad)"

# A run that was killed while it wrote.
cp -r mixed cut
printf '2,2,b,lin' >>cut/gradients.csv
run cut
want "cut row: exit status" 0 "$status"
want "cut row: said" "cut/gradients.csv: line 16 is cut short and left out" "$(cat err)"

# As installed.
mkdir -p prefix/bin prefix/share/skipnet
cp "$source/scripts/plot.sh" prefix/bin/skipnet-plot
cp -r "$source/scripts/plot" prefix/share/skipnet/
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

mkdir tools
for tool in bash readlink dirname; do ln -s "$(command -v "$tool")" tools/; done
status=0
PATH=$work/tools "$plot" mixed >out 2>err || status=$?
want "no gnuplot: exit status" 4 "$status"
want "no gnuplot: message" "plot: gnuplot is missing: install the package gnuplot-nox" "$(cat err)"

run --help
want "help: exit status" 0 "$status"
want "help: first line" "usage: plot.sh RUN... [--out DIR] [--steps A,B,C] [--force]" "$(head -n 1 out)"
