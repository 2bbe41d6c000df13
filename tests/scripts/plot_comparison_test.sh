#!/usr/bin/env bash
# scripts/plot.sh on a comparison written by hand: which pictures it draws, and in what gnuplot is given that points,
# bands, exact zeros and diverged points are where they belong; the choice of x, maps, profiles, and errors.
# shellcheck source=tests/scripts/plot_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/plot_lib.sh"
# shellcheck source=tests/scripts/comparison_fixture.sh
. "$source/tests/scripts/comparison_fixture.sh"

want_comparison() { # WHAT DIR NAME...
    local name
    want "$1: the list of pictures" "$2/pictures.csv" "$(tail -n 1 out)"
    want "$1: what it lists" "picture $(printf '%s\n' "${@:3}" | paste -sd' ')" \
        "$(cut -d, -f1 "$2/pictures.csv" | paste -sd' ')"
    sed -i '$d' out
    want_pictures "$@"
}

given() { # FILE: on one line, "|" for each line end
    want "given/$1 is there" yes "$([[ -f given/$1 ]] && echo yes)"
    paste -sd'|' "given/$1"
}

make_comparison c
run c
want_comparison "depth by skip" c/plots loss accuracy delta ratio frozen profiles

# Curves are the medians, in the order of x whatever the order of the file, colours none, add; x is logarithmic.
want "loss of none" "1 2.25|2 3" "$(given loss.0.0.0.line)"
want "its band" "1 2 2.5|2 3 3" "$(given loss.0.0.0.band)"
want "test loss of none" "1 2|2 3" "$(given loss.0.0.1.line)"
want "colours" "0072B2 none|D55E00 add" "$(tr '\t' ' ' <given/inks | paste -sd'|')"
want "ticks of x" 1 "$(grep -c "set xtics noenhanced ('10' 1, '100' 2)" given/all.gp | sed 's/[1-9].*/1/')"

# A diverged point is no part of the curve, and its place is on the ceiling, with the count.
want "loss of add" "1 1.25" "$(given loss.0.1.0.line)"
want "a lone band is a bar" "1 1 1.5" "$(given loss.0.1.0.bar)"
want "diverged" "2 1/2" "$(given loss.0.1.0.lost)"
want "no axis for what it measured last" "1|3" "$(given loss.extent)"
want "its mark" 1 "$(grep -c "loss.0.1.0.lost' using 1:(.* with points linecolor rgb '#D55E00' .* pointtype 2" given/all.gp |
    sed 's/[1-9].*/1/')"
want "its tick" 1 "$(grep -c "set ytics (.*'diverged' " given/all.gp | sed 's/[1-9].*/1/')"
want "step 0 was before" "1 -1|2 -2" "$(given delta.0.1.0.line)"
want "the end was not" "2 1/2" "$(given delta.0.1.1.lost)"

# Decades: exact zeros on a floor below.
want "first layer of none, step 0" "1 -4|2 -32" "$(given delta.0.0.0.line)"
want "at the end" "1 -4.25" "$(given delta.0.0.1.line)"
want "an exact zero" 2 "$(given delta.0.0.1.zero)"
floor=$(sed -n "/delta.0.0.1.zero/s/.*using 1:(\(-[0-9]*\) - .*/\1/p" given/all.gp | head -n 1)
want "the floor is below all" 1 "$((floor < -33))"
want "frozen layers as a share" "1 0.15|2 0.9" "$(given frozen.0.0.1.line)"
want "the caption" "Median over seeds; band: least to greatest; n = 2. Cross: diverged (k of n runs)." \
    "$(sed -n 's/^loss,[^,]*,\([^,]*\),summary.csv,scripts\/plot.sh c$/\1/p' c/plots/pictures.csv)"
want "the caption in the picture" 1 "$(grep -c "^set label 2 'Median over seeds; band: least to greatest; n = 2\. Cross: \
diverged (k of n runs)\.'" given/all.gp | sed 's/[1-9].*/1/')"

# A point without a finished run has its place on x and nothing at it.
mkdir awaited
cp c/*.csv awaited
add_awaited awaited
run awaited
want_comparison "awaited" awaited/plots loss accuracy delta ratio frozen profiles
want "awaited: the curve" "1 2.25|2 3" "$(given loss.0.0.0.line)"
want "awaited: n" "n = 2" "$(grep -o 'n = [0-9 a-z]*' awaited/plots/pictures.csv | sort -u)"
sed -i -E '2,$s/_([a-z]+),2,[01],.*/_\1,0,0,,,,,,,,2,2,0,0/' awaited/summary.csv
want_error 2 "plot: awaited/summary.csv: no point has a finished run and a number for network.depth" awaited
run c

# Profiles: the median over seeds is the geometric mean of 0.1 and 0.01; zeros on the floor; no output layer.
want "profile of none at depth 10" "0 -1.5|1 0" "$(given profiles.0.0.0.line)"
want "the zero at depth 100" 0 "$(given profiles.0.1.1.zero)"
want "beyond the zero" "1 0" "$(given profiles.0.1.1.line)"
want "nothing of the output layer" "" "$(cat given/profiles.*.line | awk 'NF && $2 > 1')"
want "named by the last step" 1 "$(grep -c "step 7, the last update'" given/all.gp | sed 's/[1-9].*/1/')"

# Means and their intervals; an interval that reaches below zero has no lower end on a log axis.
run c --band ci95
want "ci95: loss" "1 2.25|2 3" "$(given loss.0.0.0.line)"
want "ci95: band" "1 -0.93 5.43|2 3 3" "$(given loss.0.0.0.band)"
want "ci95: caption" 1 "$(grep -c "'Mean over seeds; band: 95 % interval of the mean by Student''s t; n = 2\." given/all.gp |
    sed 's/[1-9].*/1/')"
want "ci95: no mean at step 0 either" "2 -2 1/2" "$(given delta.0.1.0.diverged)"

# The other key on x: places, and bars in place of bands.
run c --x kind
want_comparison "skip on x" c/plots loss accuracy delta ratio frozen profiles
want "a panel for each depth" "depth = 10|depth = 100" "$(given panels)"
want "none at its place" "-0.05 2.25" "$(given loss.0.0.0.line)"
want "its bar" "-0.05 2 2.5" "$(given loss.0.0.0.bar)"
want "no band" "" "$(find given -name 'loss.*.band')"

# Two numeric keys: maps, one for each skip kind.
cp -r c rates
add_rates rates
run rates --out elsewhere
want_comparison "maps" elsewhere loss accuracy delta ratio frozen profiles map-1 map-2
want "a panel for each rate" "lr = 0.01|lr = 0.1" "$(given panels)"
want "cells of the map of none" "0 0|0 1|1 0|1 1" "$(cut -d' ' -f1,2 given/map.00000.c.train_loss | paste -sd'|')"
want "text of its cells" '"2.2"|"2.2"|"3"|"3"' "$(cut -d' ' -f5 given/map.00000.c.train_loss | paste -sd'|')"
want "least and greatest: the ends of the colours" "$((68 * 65536 + 1 * 256 + 84)) $((253 * 65536 + 231 * 256 + 37))" \
    "$(cut -d' ' -f3 given/map.00001.c.train_loss | sed -n 1p) $(cut -d' ' -f3 given/map.00000.c.train_loss | sed -n 4p)"
want "diverged cells" "1 0|1 1" "$(given map.00001.c.train_loss.diverged)"
want "their text" '"1/2"' "$(awk '$1 == 1 && $2 == 1 { print $5 }' given/map.00001.c.train_loss)"
want "a share of one half of 1.5 of 10" '"0.15"' "$(head -n 1 given/map.00000.c.frozen_share_end | cut -d' ' -f5)"

want "titles say when" "Frozen layers at the last update, share of the hidden ones|log10 of delta_rms at the last update, \
first over last hidden layer" "$(sed -n "s/^set title '\(.* at the last update, [^']*\)'.*/\1/p" given/all.gp | sort -u |
    paste -sd'|')"

# Values that lie close together have the digits that tell them apart, in all maps of the metric.
cp -r rates near
awk -F, -v OFS=, '$4 == "train_loss" && $6 == 0 { $9 = $1 == 10 ? 2.30258 : $2 == "none" ? 2.449 : 2.3512 } { print }' \
    rates/summary.csv >near/summary.csv
run near
want "near: none" '"2.3"|"2.3"|"2.45"|"2.45"' "$(cut -d' ' -f5 given/map.00000.c.train_loss | paste -sd'|')"
want "near: others as before" '"0.15"' "$(head -n 1 given/map.00000.c.frozen_share_end | cut -d' ' -f5)"
sed 's/,2\.449,/,2.3088,/' near/summary.csv >next
mv next near/summary.csv
run near
want "nearer: none" '"2.303"|"2.303"|"2.309"|"2.309"' "$(cut -d' ' -f5 given/map.00000.c.train_loss | paste -sd'|')"

# Strewn points are no grid: no map.  Of more curves than there is room for some keep their profiles, and it is said.
mkdir strewn
for i in {1..14}; do echo "$i,0.$((i + 10)),train_loss,1,0,,,0.$((i + 10)),1,1,,"; done |
    sed "1i network.depth,train.lr,$statistics" >strewn/summary.csv
for i in {1..14}; do echo "r$i,$i,0.$((i + 10)),1,done,$i"; done |
    sed '1i run,network.depth,train.lr,seed,status,n_hidden' >strewn/runs.csv
for i in {1..14}; do printf "r$i,$i,0.$((i + 10)),1,0,%s,hidden,%s,1e-$i\n" 1 0 2 1; done |
    sed '1i run,network.depth,train.lr,seed,step,layer,role,depth_frac,delta_rms' >strewn/profiles.csv
run strewn
want_comparison "strewn" strewn/plots loss profiles profiles-2
want "strewn: said" "delta_rms; one run a point (n = 1). 8 of 14 curves over network.depth." "$(sed -n 3p strewn/plots/pictures.csv |
    cut -d, -f3)"
want "strewn: the first" "0 -1|1 -1" "$(given profiles.0.0.0.line)"

# One seed: no band, no interval.  One point: no x at all.  A key that only some have.
mkdir one
for file in runs profiles; do grep -v 'seed=2"' "c/$file.csv" >"one/$file.csv"; done
awk -F, -v OFS=, 'NR > 1 { $4 = 1; $5 = 0; $6 = $7 = $11 = $12 = ""; $9 = $10 = $8 } { print }' c/summary.csv \
    >one/summary.csv
run one
want "n = 1: exit status" 0 "$status"
want "n = 1: no band" "" "$(find given -name 'loss.*.b[a]*')"
want "n = 1: caption" 1 "$(grep -c "'One run a point (n = 1): no band\.'" given/all.gp | sed 's/[1-9].*/1/')"
mkdir single
cut -d, -f4- c/runs.csv | sed '1s/.*/run,seed,status,'"$numbers"'/; 2,$d' >single/runs.csv
echo "r,1,done,8,1,0.5,1,0.5,-1,-0.1,10,0,0,1,0,0,-1,-1" >>single/runs.csv
printf '%s\n' "$statistics" "train_loss,1,0,,,1,1,1,," >single/summary.csv
sed 's/,network.depth,network.skip.kind//; 2,$d' c/profiles.csv >single/profiles.csv
echo "r,1,0,1,h1,linear,hidden,0,9,1" >>single/profiles.csv
run single
want_comparison "one run" single/plots loss profiles
cp -r c some
sed -i 's/^100,add/,add/' some/summary.csv
run some
want "no depth: exit status" 0 "$status"
want "no depth: said" "some/summary.csv: 1 points without network.depth are not drawn over it" "$(cat err)"

# As installed, from elsewhere, with a quote in the name.
mkdir -p prefix/bin prefix/share/skipnet "it's here"
cp "$source/scripts/plot.sh" prefix/bin/skipnet-plot
cp -r "$source/scripts/plot" prefix/share/skipnet/
cp c/*.csv "it's here"
plot=$work/prefix/bin/skipnet-plot
run "it's here"
want_comparison "installed" "it's here/plots" loss accuracy delta ratio frozen profiles
want "the command" "skipnet-plot 'it'\\''s here'" "$(sed -n '2s/.*,//p' "it's here/plots/pictures.csv")"
plot=$source/scripts/plot.sh

# Errors.
want_error 2 "plot: --band wants range or ci95" c --band sd
want_error 2 "plot: --steps is for runs, c is a comparison" c --steps 0
want_error 2 "plot: --x width is no key that varies; these do: network.depth network.skip.kind" c --x width
want_error 2 "plot: cannot read c/loss.csv: not a run of skipnet train" c one
want_error 2 "plot: --x and --band are for a comparison: no runs.csv in c, or more than that given" c one --x depth
for file in summary profiles; do
    cp -r c broken
    rm broken/$file.csv
    want_error 2 "plot: cannot read broken/$file.csv: write it with skipnet compare broken --out broken" broken
    rm -r broken
done
cp -r c broken
sed -i '3s/^/x,/' broken/summary.csv
want_error 2 "broken/summary.csv: line 3: not as many cells as the header has" broken
sed -i 1d broken/summary.csv
want_error 2 "broken/summary.csv: no column metric: not written by skipnet compare" broken
rm -r c/plots
touch c/plots
want_error 4 "plot: cannot make the directory c/plots" c
