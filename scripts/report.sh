#!/usr/bin/env bash
# Writes a comparison as one static page: DIR/report.html.  Installed as skipnet-report.
#
# awk (report/*.awk, plot/csv.awk) turns CSV files, configs and pictures into HTML; what the page says is in
# report/page.sh.  The page needs no other file and no network, and its bytes follow from those it is made of.
# shellcheck disable=SC2154,SC2034 # work is group.sh's, the words are page.sh's
set -euo pipefail
shopt -s nullglob
export LC_ALL=C

self=${0##*/} # report.sh, or skipnet-report where it is installed

usage() {
    sed "s/report\.sh/$self/" <<'END'
usage: report.sh DIR [--question TEXT] [--title TEXT] [--out FILE] [--force]

Writes FILE, one HTML page without scripts and without anything from elsewhere, about the comparison in DIR
(runs.csv, summary.csv, profiles.csv and, if there, differences.csv of `skipnet compare --out DIR`, cells.txt of
`skipnet cells`): the question, what differs between the runs and what is equal, warnings, pictures with the command
and the CSV they come from, tables, and how to repeat it.  Pictures that are missing in DIR/plots, or older than the CSV
files, are drawn by the plotter.

  --question TEXT  what the runs are to answer.  Default: the comment of their config
  --title TEXT     default: the name in their config
  --out FILE       default: DIR/report.html; links in the page are meant for a file in DIR
  --force          replace a page and pictures that are not of the report and the plotter

The plotter is $SKIPNET_PLOT, else skipnet-plot or plot.sh beside this script.
Exit status: 0 done, 1 a picture could not be drawn (the page is there, and tells),
2 usage or the files are at fault, 4 cannot write or gnuplot is missing.
END
}

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
dir='' question='' title='' out='' lib='' force='' plotter=''

fail() { # STATUS MESSAGE
    echo "${self%.sh}: $2" >&2
    exit "$1"
}

parse() {
    while (($#)); do
        case $1 in
        -h | --help) usage 2>/dev/null || fail 4 "cannot write standard output" && exit 0 ;;
        --question | --title | --out)
            [[ -n ${2:-} ]] || fail 2 "$1 wants a value (see --help)"
            printf -v "${1#--}" '%s' "$2"
            shift
            ;;
        --force) force=1 ;;
        -*) fail 2 "unknown option $1 (see --help)" ;;
        *)
            [[ -z $dir ]] || fail 2 "one directory at a time, not also $1"
            dir=$1
            [[ $dir == / ]] || dir=${dir%/}
            ;;
        esac
        shift
    done
    [[ -n $dir ]] || fail 2 "no directory given (see --help)"
    : "${out:=$dir/report.html}"
}

check() {
    local file
    [[ -d $dir ]] || fail 2 "no directory $dir"
    for file in runs.csv summary.csv profiles.csv; do
        [[ -f $dir/$file && -r $dir/$file ]] || fail 2 "cannot read $dir/$file: write it with skipnet compare $dir --out $dir"
    done
    for lib in "$here" "$here/../share/skipnet"; do
        [[ -f $lib/report/page.sh ]] && break
    done
    [[ -f $lib/report/page.sh && -f $lib/plot/words.sh ]] ||
        fail 1 "the directories report and plot are missing beside this script, and in $lib too"
    [[ ! -e $out || -f $out ]] || fail 4 "cannot write $out: $([[ -d $out ]] && echo a directory || echo not a file)"
    [[ -d $(dirname "$out") && -w $(dirname "$out") ]] || fail 4 "cannot write into $(dirname "$out")"
}

find_plotter() {
    local file
    if [[ -n ${SKIPNET_PLOT:-} ]]; then
        plotter=$SKIPNET_PLOT
        return
    fi
    for file in "$here/skipnet-plot" "$here/plot.sh"; do
        [[ -x $file ]] && plotter=$file && return
    done
    fail 1 "neither skipnet-plot nor plot.sh beside this script: set SKIPNET_PLOT to it"
}

# Those that plot.sh listed, unless a CSV file is newer.  Sets drawn, 1 where some picture could not be drawn: the page
# is written all the same.
draw_pictures() {
    local file list=$dir/plots/pictures.csv
    drawn=0
    for file in runs.csv summary.csv profiles.csv; do
        has_mark "$list" "$list_mark" && [[ ! $dir/$file -nt $list ]] && continue
        find_plotter
        "$plotter" "$dir" ${force:+--force} >/dev/null || drawn=$?
        ((drawn < 2)) || exit "$drawn"
        return
    done
}

make_page() {
    local drawn
    check_replaced "$out" "$out" "$page_mark"
    draw_pictures
    write_page | utf8 >"$work/page"
    publish "$work/page" "$out"
    tell "$out"
    exit "$drawn"
}

main() {
    local part
    parse "$@"
    check
    for part in plot/words plot/group report/page; do
        # shellcheck source=/dev/null
        . "$lib/$part.sh"
    done
    begin_work report
    in_group make_page
}

main "$@"
