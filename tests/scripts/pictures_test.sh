#!/usr/bin/env bash
# What scripts/plot.sh and scripts/report.sh promise whatever they are given: nothing of a file becomes markup of the page,
# figures that are nearly equal are drawn, a full disk is told, a signal ends all of it within a second, and a share of
# tests/scripts/pictures_check.py.
set -euo pipefail
export LC_ALL=C

/usr/bin/python3 -c 'import matplotlib' 2>/dev/null || exit 77
source=${SKIPNET_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir tmp bin
export TMPDIR=$work/tmp
# shellcheck source=tests/scripts/comparison_fixture.sh
. "$source/tests/scripts/comparison_fixture.sh"

want() { # WHAT EXPECTED ACTUAL
    [[ $2 == "$3" ]] && return
    printf '%s\n  wanted: %s\n  got:    %s\n' "$@"
    cat err
    exit 1
}

run() { # SCRIPT ARGUMENT...
    status=0
    "$source/scripts/$1" "${@:2}" >out 2>err || status=$?
}

# Elements and attributes of a page that could do or fetch something; nothing for one that is not well-formed either.
cat >harmful.py <<'END_OF_PROGRAM'
import sys, xml.etree.ElementTree as ET
for item in ET.parse(sys.argv[1]).iter():
    tag = item.tag.rsplit("}", 1)[-1].lower()
    if tag in "script iframe object embed link foreignobject image animate set handler a".split()[: -1 if tag == "a" else None]:
        print("element", tag)
    for name, value in item.attrib.items():
        name = name.rsplit("}", 1)[-1].lower()
        if name.startswith("on") or name in ("href", "src") and not value.startswith(("#", "./")) or "evil" in value:
            print("attribute", name, value)
END_OF_PROGRAM

want_harmless() { # WHAT PAGE
    want "$1: well-formed, nothing harmful" "0 " "$(python3 harmful.py "$2" && echo "0 ")"
}

make_comparison c
cp -r c sound
run report.sh sound
want "sound: exit status" 0 "$status"
want "sound: nothing on stderr" "" "$(cat err)"

# No room: whatever is there is whole.
for room in 4 8 16; do
    rm -rf small
    (
        trap '' XFSZ
        ulimit -f $room
        run plot.sh sound --out small
        echo "$status" >given
    ) || true
    want "files of $room kB at most: exit status" 4 "$(cat given)"
    for picture in small/*.png; do
        [[ ! -e $picture ]] || want "files of $room kB at most: $picture is whole" IEND "$(tail -c 8 "$picture" | head -c 4)"
    done
    want "files of $room kB at most: the file is told" 1 "$(grep -c "cannot write small/" err)"
    want "files of $room kB at most: nothing half done" "" "$(find small -name '.*.part')"
done

# Pictures, a list and texts that anybody may have written.
cp -r sound evil
cat >evil/plots/loss.svg <<'END_OF_PICTURE'
<?xml version="1.0"?>
<!DOCTYPE svg [<!ENTITY evil SYSTEM "file:///etc/passwd">]>
<?xml-stylesheet href="http://evil/x.css"?>
<!-- <script>evil()</script> -->
<svg viewBox="0 0 10 10" onload="evil()" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">
<script>evil()</script><SCRIPT>evil()</SCRIPT><style>@import "http://evil/";</style>
<g onclick="evil()" id="a" style="fill:url(http://evil/)" class="kept"><path d="M0 0" fill="url(#a)"/>
<a href="javascript:evil()"><text>in a link</text></a><a xlink:href="http://evil/">x</a>
<foreignObject><iframe src="http://evil/"></iframe><p>evil</p></foreignObject>
<image href="http://evil/x.png"/><use xlink:href="http://evil/#x"/><use href="#a"/>
<animate attributeName="href" to="evil"/><set attributeName="onload" to="evil()"/>
<text x='1' y="2" fill="ur\6c(evil)">a &amp; b &#60;script&#62; <![CDATA[ <script>evil()</script> ]]></text></g></svg>
END_OF_PICTURE
echo "no picture at all" >evil/plots/ratio.svg
printf '%s\n' '../../evil,t,c,summary.csv,x' '"a"" onload=""evil()",t,c,summary.csv,x' \
    'delta,"<svg/onload=evil()>","<b>","http://evil/x.csv ../evil.csv","</code><script>evil()</script>"' \
    '"loss
","two
lines",c,summary.csv,x' >>evil/plots/pictures.csv
sed -i '2s/,done,/,"<svg\/onload=evil()>",/; 3s/,done,/,"done<\/p> <script>evil()<\/script>",/; 4s/"c\/[^"]*"/"<img src=x onerror=evil()>\/.."/' \
    evil/runs.csv
touch -d '1 minute' evil/plots/pictures.csv
run report.sh evil --title '<title onload="evil()">' --question '</p><script>evil()</script>'
want "evil: exit status" 0 "$status"
want_harmless "evil" evil/report.html
want "evil: what is kept" "kept" "$(grep -o 'class="kept"' evil/report.html | cut -d'"' -f2)"
want "evil: the status is text" 1 "$(grep -c '^<p>8 runs:.*1 &lt;svg/onload=evil()&gt;' evil/report.html)"
want "evil: no picture" 1 "$(grep -c 'there is no picture of it, plots/ratio.svg' evil/report.html)"
want "evil: nothing from elsewhere" "" "$(grep -oE '(href|src)="[^".#][^"]*"' evil/report.html || true)"

# Figures of frozen nets: a range that six digits do not show.  One huge loss beside diverged cells.  A cell with a line
# end in it.
cp -r c near
add_rates near
sed -i 's/"10"/"0.74183867895"/; s/"100"/"0.74183868803"/' near/datapackage.json
awk -F, -v OFS=, 'NR > 1 { $1 = $1 == 10 ? "0.74183867895" : "0.74183868803" } NR > 1 && $4 == "train_loss" { $5 = 1; $6 = 0
    $9 = $1 } { print }' near/summary.csv >next && mv next near/summary.csv
sed -i -E '2,$s/^(".*",)10,/\10.74183867895,/; 2,$s/^(".*",)100,/\10.74183868803,/' near/runs.csv near/profiles.csv
sed -i -E '2,$s/^10,/0.74183867895,/; 2,$s/^100,/0.74183868803,/' near/layers.csv
run report.sh near
want "near: exit status, stderr" "0 " "$status $(cat err)"
want "near: pictures" "accuracy delta frozen loss map-1 map-2 profiles ratio" \
    "$(cd near/plots && rm -f x && find . -newer ../summary.csv -name '*.svg' -printf '%f\n' | sed 's/\.svg//' | sort | paste -sd' ')"
want "near: both values are told apart" 2 \
    "$(grep -oE '>0\.7418386[89]<' near/plots/loss.svg | sort -u | wc -l)"
cp -r sound huge
rm -r huge/plots
add_rates huge
awk -F, -v OFS=, 'NR > 1 && $4 == "train_loss" { $5 = 1; $6 = 1; $7 = ""; $9 = "nan" }
    NR > 1 && $4 == "train_loss" && !n++ { $6 = 0; $9 = "3.2e+17" } { print }' huge/summary.csv >next && mv next huge/summary.csv
run report.sh huge
want "huge: exit status, stderr" "0 " "$status $(cat err)"
want "huge: maps" 2 "$(find huge/plots -name 'map*.svg' | wc -l)"
cp -r sound lines
rm -r lines/plots
sed -i -E 's/^([0-9]+),(add|none),/\1,"\2\n""x"" 5%",/' lines/summary.csv
sed -i -E '2,$s/^("[^"]*",[0-9]+),(add|none),/\1,"\2\n""x"" 5%",/' lines/runs.csv lines/profiles.csv
sed -i -E 's/^([0-9]+),(add|none),/\1,"\2\n""x"" 5%",/' lines/layers.csv
sed -i 's/"none", "add"/"none\\n\\"x\\" 5%", "add\\n\\"x\\" 5%"/' lines/datapackage.json
run report.sh lines
want "lines: exit status, stderr" "0 " "$status $(cat err)"
want "lines: in the picture" 2 "$(grep -oE '(add|none) (&quot;|")x(&quot;|") 5%' lines/plots/loss.svg | sort -u | wc -l)"
want "lines: on the page" 1 "$(grep -c '<td>none &quot;x&quot; 5%, add &quot;x&quot; 5%</td>\|<td>add &quot;x&quot; 5%, none &quot;x&quot; 5%</td>' lines/report.html)"

# A signal ends script and children within a second, without a trace, by that signal.
rm -r lines/plots
for script in plot report; do
    for signal in TERM INT HUP; do
        rm -rf lines/plots lines/report.html
        env --default-signal=INT,TERM,HUP "$source/scripts/$script.sh" lines >out 2>err &
        pid=$!
        for ((i = 0; i < 600; i++)); do [[ ! -e lines/plots/loss.svg ]] || break; sleep 0.05; done
        want "$script, $signal: at work" yes "$([[ -e lines/plots/loss.svg && ! -e lines/report.html ]] && echo yes)"
        start=$(date +%s%N)
        kill -s "$signal" "$pid"
        status=0
        wait "$pid" || status=$?
        took=$((($(date +%s%N) - start) / 1000000))
        want "$script, $signal: exit status" "$signal" "$(kill -l $((status - 128)))"
        ((took < 1000)) || want "$script, $signal: within a second" "1000 ms" "$took ms"
        want "$script, $signal: nothing is said" "" "$(cat err)"
        want "$script, $signal: nothing is left" "" "$(ls tmp; find lines -name '.*.part')"
    done
done

"$source/tests/scripts/pictures_check.py" --count "${PICTURES:-20}" --jobs "${CTEST_PARALLEL_LEVEL:-2}"
