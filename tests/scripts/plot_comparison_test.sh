#!/usr/bin/env bash
# scripts/plot.sh on a comparison written by hand: which pictures it draws, their captions and list, the choice of x, maps,
# profiles, and errors.
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

make_comparison c
run c
want_comparison "depth by skip" c/plots loss accuracy delta ratio frozen profiles

want "the caption" "Median over seeds; band: least to greatest; n = 2. Cross: diverged (k of n runs)." \
    "$(sed -n 's/^loss,[^,]*,\([^,]*\),summary.csv,scripts\/plot.sh c$/\1/p' c/plots/pictures.csv)"
want_text c/plots/loss.svg "Median over seeds; band: least to greatest; n = 2. Cross: diverged (k of n runs)."
want_text c/plots/loss.svg "1/2"
want_text c/plots/delta.svg "exact zero"
want_text c/plots/profiles.svg "step 7, the last update"

# A point without a finished run has its place on x and nothing at it.
mkdir awaited
cp c/*.csv c/*.json awaited
add_awaited awaited
run awaited
want_comparison "awaited" awaited/plots loss accuracy delta ratio frozen profiles
want "awaited: n" "n = 2" "$(grep -o 'n = [0-9 a-z]*' awaited/plots/pictures.csv | sort -u)"
sed -i -E '2,$s/_([a-z]+),2,[01],.*/_\1,0,0,,,,,,,,2,2,0,0/' awaited/summary.csv
want_error 2 "plot: awaited/summary.csv: no point has a finished run and a number for network.depth" awaited

# Means and their intervals; the other key on x, or in panels.
run c --band ci95
want_text c/plots/loss.svg "Mean over seeds; band: 95 % interval of the mean by Student's t; n = 2."
run c --x kind
want_comparison "skip on x" c/plots loss accuracy delta ratio frozen profiles
want_text c/plots/loss.svg "depth = 100"
run c --by kind --label none=plain
want_text c/plots/loss.svg "plain"

# Two numeric keys: maps, one for each skip kind.
cp -r c rates
add_rates rates
run rates --out elsewhere
want_comparison "maps" elsewhere loss accuracy delta ratio frozen profiles map-1 map-2
want_text elsewhere/loss.svg "lr = 0.01"
want_text elsewhere/map-1.svg "Frozen layers at the last update, share of the hidden ones"
want_text elsewhere/map-1.svg "0.15"
want_text elsewhere/map-2.svg "diverged (k of n runs)"

# Strewn points are no grid: no map.  Of more curves than there is room for some keep their profiles, and it is said.
mkdir strewn
strewn() { echo "1,0,,,$1,$1,$1,,,0,0,0,0"; } # a point's figures
for i in {1..14}; do echo "$i,0.$((i + 10)),train_loss,$(strewn "0.$i")"; done |
    sed "1i network.depth,train.lr,$statistics" >strewn/summary.csv
for i in {1..14}; do for layer in 0 1; do echo "$i,0.$((i + 10)),0,$layer,$layer,$(strewn "-$i")"; done; done |
    sed "1i network.depth,train.lr,step,layer,depth_frac,$figures" >strewn/layers.csv
echo run,network.depth,train.lr,seed,status | tee strewn/runs.csv >strewn/profiles.csv
printf '{"values": {"network.depth": [%s], "train.lr": [%s]}, "axes": ["network.depth", "train.lr"]}' \
    "$(seq -f '"%g"' -s, 14)" "$(seq -f '"0.%g"' -s, 11 24)" >strewn/datapackage.json
run strewn
want_comparison "strewn" strewn/plots loss profiles profiles-2
want "strewn: said" "delta_rms. One run a point (n = 1). 8 of 14 curves over network.depth." \
    "$(sed -n 3p strewn/plots/pictures.csv | cut -d, -f3)"

# One seed: no band, no interval.  One point: no x at all.  A key that only some have.
mkdir single
sed 's/"network.depth.*"seed"/"seed"/; s/"axes".*/"axes": []}/' c/datapackage.json | tr -d '\n' |
    sed 's/"network.*"seed"/"seed"/' >single/datapackage.json
printf '%s\n' run,seed,status r,1,done >single/runs.csv
printf '%s\n' "$statistics" "train_loss,1,0,,,1,1,1,,,0,0,0,0" >single/summary.csv
printf '%s\n' "step,layer,depth_frac,$figures" 0,1,0,1,0,,,0,0,0,,,0,0,0,0 >single/layers.csv
touch single/profiles.csv
run single
want_comparison "one run" single/plots loss profiles
want_text single/plots/loss.svg "One run a point (n = 1): no band."
cp -r c some
sed -i 's/^100,add/,add/' some/summary.csv
sed -i 's/"10", "100"/null, &/' some/datapackage.json
run some
want "no depth: exit status" 0 "$status"
want "no depth: said" "some/summary.csv: 1 points without network.depth are not drawn over it" "$(cat err)"

# As installed, from elsewhere, with a quote in the name.
install_scripts
mkdir "it's here"
cp c/*.csv c/datapackage.json "it's here"
plot=$work/prefix/bin/skipnet-plot
run "it's here"
want_comparison "installed" "it's here/plots" loss accuracy delta ratio frozen profiles
want "the command" "skipnet-plot 'it'\\''s here'" "$(sed -n '2s/.*,//p' "it's here/plots/pictures.csv")"
plot=$source/scripts/plot.sh

# Errors.
want_error 2 "plot: --band wants range or ci95" c --band sd
want_error 2 "plot: --x width is no key that varies; these do: network.depth network.skip.kind" c --x width
want_error 2 "plot: cannot read c/loss.csv: not a run of skipnet train" c single
want_error 2 "plot: --x KEY is for a comparison: no runs.csv in c, or more than that given (else layer or depth_frac)" \
    c single --x depth
for file in summary profiles layers; do
    cp -r c broken
    rm broken/$file.csv
    want_error 2 "plot: cannot read broken/$file.csv: write it with skipnet compare broken --out broken" broken
    rm -r broken
done
cp -r c broken
sed -i '3s/^/x,/' broken/summary.csv
want_error 2 "broken/summary.csv: line 3: 17 cells, but the header has 16" broken
sed -i '3s/^x,//; s/,metric,/,metrics,/' broken/summary.csv
want_error 2 "broken/summary.csv: no column metric: not written by skipnet compare" broken
echo '{}' >broken/datapackage.json
want_error 2 "broken/datapackage.json: no values and axes: write it with skipnet compare broken --out broken" broken
cp c/datapackage.json c/summary.csv broken
sed -i '2s/^100/101/' broken/summary.csv
want_error 2 "broken/summary.csv: network.depth = 101: datapackage.json has no such value" broken
rm -r c/plots
touch c/plots
want_error 4 "plot: cannot make the directory c/plots" c
