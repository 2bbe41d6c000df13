#!/usr/bin/env bash
# What plot.sh and report.sh did not write they do not replace without --force: a picture, the list of pictures and the
# page are known by a mark, a PNG by its SVG.  A refusal names the file and leaves it, and all after it, as it was.
# shellcheck source=tests/scripts/plot_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/plot_lib.sh"
# shellcheck source=tests/scripts/comparison_fixture.sh
. "$source/tests/scripts/comparison_fixture.sh"
remedy="(take another --out, or --force to replace it)"

make_comparison sound
mkdir run
printf 'step,batch_loss,train_loss,test_loss,lr,grad_norm\n0,2,2,2,1,1\n1,1,1,1,1,1\n' >run/loss.csv
{
    echo step,layer,role,delta_rms,out_grad_rms,grad_rms,stalled_frac,unchanged_frac
    printf '%s\n' 0,1,hidden,1,1,1,0,0 0,2,hidden,2,1,1,0,0
} >run/gradients.csv

refused() { # FILE SCRIPT ARGUMENT...: where there is a file of the user's of that name, then with --force
    local name=${2%.sh}
    rm -rf "$1"
    echo "mine % <b>" >"$1"
    plot=$source/scripts/$2
    run "${@:3}"
    want "$1, $2: exit status" 2 "$status"
    want "$1, $2: message" "${name##*/}: $1 was not written by $2 $remedy" "$(tail -n 1 err)"
    want "$1, $2: it is as it was" "mine % <b>" "$(cat "$1")"
    run "${@:3}" --force
    want "$1, $2 --force: exit status" 0 "$status"
    want "$1, $2 --force: replaced" "" "$(grep -a mine "$1" || true)"
    run "${@:3}"
    want "$1, $2: its own files" 0 "$status"
}

for name in loss gradients heatmap frozen; do refused run/$name.svg plot.sh run; done
for name in loss accuracy profiles; do
    cp -r sound c
    mkdir -p c/plots
    refused c/plots/$name.svg plot.sh c
    refused c/plots/$name.svg plot.sh c # all others are there
    rm -r c
done
cp -r sound c
mkdir c/plots
refused c/plots/pictures.csv plot.sh c
refused c/report.html report.sh c
refused page.html report.sh c --out page.html
want "no --force in the command that the page names" "" "$(grep -e --force page.html c/plots/pictures.csv || true)"

# A picture that lacks the mark, whatever lies beside it, and one in another format.
rm c/plots/ratio.svg
refused c/plots/ratio.png plot.sh c
refused c/plots/ratio.pdf plot.sh c --format pdf
sed -i 's/skipnet-plot/elsewhere/' c/plots/loss.svg
plot=$source/scripts/plot.sh
want_error 2 "plot: c/plots/loss.svg was not written by plot.sh $remedy" c

# The report, which has the pictures drawn, tells the same, and passes --force on; so where the list is the user's.
touch c/summary.csv
plot=$source/scripts/report.sh
want_error 2 "report: c/plots/loss.svg was not written by plot.sh $remedy" c
run c --force
want "the report passes --force on" "0 yes" "$status $(grep -q skipnet-plot c/plots/loss.svg && echo yes)"
echo mine >c/plots/pictures.csv
touch -d '1 minute' c/plots/pictures.csv
want_error 2 "report: c/plots/pictures.csv was not written by plot.sh $remedy" c

# A link is nobody's: it stays, and so does what it leads to.
run c --force
echo mine >target
for file in report.html plots/loss.svg plots/pictures.csv; do
    plot=$source/scripts/plot.sh
    [[ $file != report.html ]] || plot=$source/scripts/report.sh
    rm "c/$file"
    ln -s ../../target "c/$file"
    run c
    want "$file, a link: exit status" 2 "$status"
    run c --force
    want "$file, a link, --force" "0 mine regular file" "$status $(cat target) $(stat -c %F "c/$file")"
done
