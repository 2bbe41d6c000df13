# shellcheck shell=bash disable=SC2154,SC2034 # part of plot.sh, which sets and uses the variables
# What the pictures of plot.sh are made of: colours, series, axes with a floor and a ceiling, the legend below the
# panels, and the two files of a picture.  A picture is text for gnuplot on stdout; files of numbers are in $work.

colours=(0072B2 D55E00 009E73 CC79A7 E69F00 56B4E9 000000) # Okabe and Ito, without the yellow
markers=(7 5 9 13 11)                                      # filled shapes; each number less one is the open shape
dashes=(1 '(12,6)' '(2,5)' '(12,5,2,5)')
legend=() # parts of a plot command, each ending in: title 'TEXT'

quote() { # TEXT: as a string of gnuplot, which knows no escapes between single quotes but the doubled quote
    local text=${1//[$'\001'-$'\037'$'\177']/ }
    printf "'%s'" "${text//\'/\'\'}"
}

quote_tick() { # TEXT: of a tick, which is a format to gnuplot
    quote "${1//%/%%}"
}

colour() { # RUN
    printf "rgb '#%s'" "${colours[$1 % ${#colours[@]}]}"
}

marker() { # RUN: another one in every round of the colours too
    echo "${markers[($1 + $1 / ${#colours[@]}) % ${#markers[@]}]}"
}

heading() { # WHAT: with the name of the run where there is only one
    if ((${#runs[@]} == 1)); then quote "$1: ${names[0]}"; else quote "$1"; fi
}

# ---- numbers ----

series() { # PREFIX LOGX LOGY; see series.awk
    awk -v out="$work/$1" -v logx="$2" -v logy="$3" -f "$lib/series.awk"
}

any() { # FILE...: one of them has something in it
    local file
    for file; do [[ -s $file ]] && return 0; done
    return 1
}

# The smallest and the largest number of a column of files, widened to whole numbers; 0 1 where there are none.
whole_range() { # COLUMN FILE...
    local file
    for file in "${@:2}"; do [[ ! -e $file ]] || cat "$file"; done | awk -v c="$1" '
        NF < c { next }
        !n++ || $c < low { low = $c }
        n == 1 || $c > high { high = $c }
        END {
            bottom = int(low) - (low < int(low))
            top = int(high) + (high > int(high))
            print bottom, (top > bottom ? top : bottom + 1)
        }'
}

# ---- axes ----
# An axis is what these variables say: bottom, top; ticks, a list for gnuplot; floor and ceiling, where zeros and
# non-finite values stand ("none": there are none), and gap, the room for each.  They may be expressions.

log_axis() { # LOW HIGH PREFIX: from decade LOW to HIGH, for the series of PREFIX
    local low=$1 high=$2 every d
    for every in 1 2 3 5 10 20 50 100; do (((high - low) / every < 9)) && break; done
    gap=$(((high - low + 11) / 12)) ticks='' bottom=$low top=$high floor=none ceiling=none
    for ((d = (low + 1000 * every) / every * every - 1000 * every; d <= high; d += every)); do
        ((d < low)) || ticks+="${ticks:+, }'10^{$d}' $d"
        ((high - low > 6 || d == high)) ||
            ticks+=$(awk -v d="$d" 'BEGIN { for (k = 2; k < 10; k++) printf ", \"\" %.6f 1", d + log(k) / log(10) }')
    done
    if any "$work/$3".*.zero; then
        floor=$((low - gap)) bottom="($floor - 0.6 * $gap)" ticks+=", '0' $floor"
    fi
    if any "$work/$3".*.bad; then
        ceiling=$((high + gap)) top="($ceiling + 0.6 * $gap)" ticks+=", 'nan, inf' $ceiling"
    fi
}

# Round numbers from LOW to HIGH, a list for gnuplot: eight steps or fewer, of 1, 2 or 5 times a power of ten.
round_ticks() { # LOW HIGH
    awk -v low="$1" -v high="$2" 'BEGIN {
        least = high / 8 - low / 8
        if (!(least > 1e-307)) exit
        decade = log(least) / log(10)
        power = 10 ^ (decade < int(decade) ? int(decade) - 1 : int(decade))
        step = power * (power >= least ? 1 : 2 * power >= least ? 2 : 5 * power >= least ? 5 : 10)
        first = int(low / step)
        for (i = -1; i <= 12; i++) { # counted: a number that is large beside its step may not grow by it
            tick = (first + i) * step
            if (tick < low - step * 1e-6 || tick > high + step * 1e-6) continue
            list = list sprintf("%s\047%.9g\047 %.15g", list == "" ? "" : ", ", tick, tick)
        }
        print list
    }'
}

# Numbers that differ by less than a millionth are drawn as what they are to the eye, one line.
linear_axis() { # LOW HIGH PREFIX
    floor=none ceiling=none
    read -r bottom top gap < <(awk -v low="$1" -v high="$2" 'BEGIN {
        size = high > -low ? high : -low
        if (size < 1e-290) size = low = high = 0 # nothing that an axis could show
        room = high / 2 - low / 2 > size * 5e-7 ? high * 0.06 - low * 0.06 : size > 0 ? size * 0.06 : 1
        print (low >= 0 && low < high / 4 ? 0 : low - room), high + room, room
    }')
    ticks=$(round_ticks "$bottom" "$top")
    if any "$work/$3".*.bad; then
        ceiling="($top + $gap)" top="($top + 1.6 * $gap)" ticks+=", 'nan, inf' $ceiling"
    fi
}

# Ticks of the axis log10(step + 1) up to LAST: 0, 1, 3, 10, 30 ... and LAST.
step_ticks() { # LAST
    awk -v last="$1" 'BEGIN {
        print log(last + 1) / log(10), last
        print 0, 0
        for (d = 1; d <= last; d *= 10)
            for (k = 1; k <= 3; k += 2)
                if (d * k < last) printf "%.6f %d\n", log(d * k + 1) / log(10), d * k
    }' | awk -v apart="$(awk -v last="$1" 'BEGIN { print log(last + 1) / log(10) / 14 }')" -f "$lib/ticks.awk"
}

# Ticks for the numbers in FILE, which stand evenly spaced: the ends, then the roundest, with FILL others too.
list_ticks() { # FILE FILL
    awk -v fill="$2" '{ v[NR - 1] = $1 } END {
        print 0, 0, v[0]
        if (NR > 1) print 0, NR - 1, v[NR - 1]
        for (i = 1; i < NR - 1; i++) {
            for (d = 1; d * 10 <= v[i]; d *= 10) continue
            if (v[i] % d == 0) print (v[i] == d ? 1 : 2), i, v[i]
            else if (fill) print 3, i, v[i]
        }
    }' "$1" | sort -s -n -k1,1 | cut -d' ' -f2- |
        awk -v apart="$(awk 'END { print NR / 15 }' "$1")" -f "$lib/ticks.awk"
}

# ---- curves ----

# What tells the floor and the ceiling from the axis: a shaded band.
bands() {
    echo "unset object"
    [[ $floor == none ]] || echo "set object rectangle from graph 0, graph 0 to graph 1," \
        "first ($floor + $gap * 0.5) behind fillcolor rgb '#EEEEEE' fillstyle solid noborder"
    [[ $ceiling == none ]] || echo "set object rectangle from graph 0, first ($ceiling - $gap * 0.5) to graph 1," \
        "graph 1 behind fillcolor rgb '#F8E3D5' fillstyle solid noborder"
}

# One series as parts of a plot command: its curve (WIDTH 0: none), markers (DENSE 0: a dozen), its zeros and its
# non-finite values.  Those of several runs stand above each other within the floor and the ceiling.
curve() { # PREFIX.SERIES RUN DASH DENSE WIDTH [MARKER-SIZE]
    local file=$work/$1 ink shift every=1
    ink="linecolor $(colour "$2")"
    shift=$(awk -v i="$2" -v n="${#runs[@]}" 'BEGIN { print (n > 1 ? (i / (n - 1) - 0.5) * 0.6 : 0) }')
    if [[ -s $file.line ]]; then
        (($5 == 0)) ||
            echo "'$file.line' with lines $ink linewidth $5 dashtype ${dashes[$3 % ${#dashes[@]}]}, \\"
        (($4)) || every=$(($(wc -l <"$file.line") / 12 + 1))
        echo "'$file.line' every $every with points $ink linewidth 1.5" \
            "pointtype $(($(marker "$2") - $3 % 2)) pointsize ${6:-0.8}, \\"
    fi
    [[ ! -s $file.zero ]] || echo "'$file.zero' using 1:($floor - $shift * $gap) with points $ink linewidth 1.5" \
        "pointtype $((2 - $3 % 2)) pointsize 0.8, \\"
    [[ ! -s $file.bad ]] || echo "'$file.bad' using 1:($ceiling - $shift * $gap) with points $ink linewidth 1.5" \
        "pointtype 8 pointsize 1, \\"
}

# ---- legend ----

legend_of_runs() {
    local i
    legend=()
    for i in "${!runs[@]}"; do
        legend+=("with linespoints linecolor $(colour "$i") linewidth 2 pointtype $(marker "$i") pointsize 0.8 \
title $(quote "${names[i]}")")
    done
}

legend_of_steps() {
    local k i list label
    for ((k = 0; k < n_chosen; k++)); do
        list=$(for i in "${!runs[@]}"; do cut -s -d' ' -f$((k + 1)) <<<"${chosen[i]} "; done | grep . | sort -nu)
        label="step ${list//$'\n'/, }"
        (($(wc -l <<<"$list") <= 3)) || label="step $(head -n1 <<<"$list") to $(tail -n1 <<<"$list"), by run"
        legend+=("with linespoints linecolor rgb '#444444' linewidth 2 dashtype ${dashes[k % ${#dashes[@]}]} \
pointtype $((7 - k % 2)) pointsize 0.8 title '$label'")
    done
}

legend_of_marks() { # PREFIX: of the series that are drawn
    local ink="linecolor rgb '#444444' linewidth 1.5"
    ! any "$work/$1".*.zero || legend+=("with points $ink pointtype 2 title 'exact zero'")
    ! any "$work/$1".*.bad || legend+=("with points $ink pointtype 8 title 'not finite'")
}

# Sets legend_columns and legend_height (pixels) for a picture of this width.
measure_legend() { # WIDTH
    local item rows longest=1
    for item in "${legend[@]}"; do
        item=${item##* title }
        ((${#item} <= longest)) || longest=${#item}
    done
    legend_columns=$((($1 - 40) / (longest * 8 + 70)))
    ((legend_columns <= ${#legend[@]})) || legend_columns=${#legend[@]}
    ((legend_columns > 0)) || legend_columns=1
    rows=$(((${#legend[@]} + legend_columns - 1) / legend_columns))
    legend_height=$((rows * 24 + 16))
}

# ---- pictures ----

begin_picture() { # TITLE
    echo "set multiplot"
    echo "set label 1 $1 at screen 0.5, screen 1 - 20 / H center noenhanced font ',18'"
    echo "set border linecolor rgb '#444444'; set grid back linecolor rgb '#D0D0D0' linewidth 1 dashtype 1"
    echo "set tics nomirror; unset key"
}

place() { # LEFT RIGHT TOP BOTTOM: of the next plot, in pixels from the nearest edge
    echo "set lmargin at screen $1. / W; set rmargin at screen 1 - $2. / W"
    echo "set tmargin at screen 1 - $3. / H; set bmargin at screen $4. / H"
}

# A range with a little room at both ends.
range() { # LOW HIGH
    echo "[$1 - 0.02 * ($2 - $1):$2 + 0.02 * ($2 - $1)]"
}

# A plot that is nothing but the legend, below all others.
end_picture() {
    local item parts=''
    for item in "${legend[@]}"; do parts+=", keyentry $item"; done
    echo "unset label; unset object; unset arrow; unset border; unset tics; unset grid; unset title; unset colorbox"
    echo "unset xlabel; unset ylabel; set xrange [0:1]; set yrange [0:1]"
    echo "set lmargin at screen 0; set rmargin at screen 1; set bmargin at screen 0"
    echo "set tmargin at screen $legend_height. / H"
    echo "set key horizontal center center maxcols $legend_columns noenhanced Left reverse samplen 3"
    [[ -z $parts ]] || echo "plot NaN notitle$parts"
    echo "unset multiplot"
}

# Says which picture there is not, and why; one of an earlier call would be out of date.  The others go on.
not_drawn() { # NAME
    local reason
    reason=$(sed -n 's/^ *line [0-9]*: //; /[^ ^]/h; ${x;p}' "$work/gnuplot.err" | utf8)
    echo "plot: $1 is not drawn: gnuplot says: ${reason:-nothing}" >&2
    rm -f "$out/$1.svg" "$out/$1.png"
    : >"$work/failed"
}

# A function that draws, in a shell of its own: whatever goes wrong in it, the other pictures go on, unless nothing can
# be written or the files are at fault.
attempt() { # FUNCTION ARGUMENT...
    local status=0
    "$@" &
    wait $! || status=$?
    ((status != 2 && status != 4)) || exit "$status"
    ((status)) || return 0
    echo "plot: ${1#draw_}${2:+ of ${2%%=*}} is not drawn: its program ended with status $status" >&2
    : >"$work/failed"
}

# Draws what stands on stdin twice, as SVG and PNG, and says where.  The files appear whole or not at all.
render() { # NAME WIDTH HEIGHT
    local type terminal
    check_replaced "$out/$1.svg" "$out/$1.svg" "$picture_mark"
    check_replaced "$out/$1.png" "$out/$1.svg" "$picture_mark"
    cat >"$work/picture.gp"
    for type in svg png; do
        terminal="svg size $2,$3 dynamic enhanced font 'sans-serif,15' background 'white'"
        [[ $type == svg ]] || terminal="pngcairo size $(($2 * 3 / 2)),$(($3 * 3 / 2)) enhanced font 'sans,15' \
fontscale 1.1 linewidth 1.5 pointscale 1.5"
        {
            printf '%s\n' "set encoding utf8" "set terminal $terminal" "set output '$work/picture.$type'"
            echo "W = $2.; H = $3."
            cat "$work/picture.gp"
            echo "set output"
        } | utf8 | LC_ALL=C.UTF-8 gnuplot -d - 2>"$work/gnuplot.err" || { not_drawn "$1" && return; }
        # where there is no more room gnuplot says nothing
        tail -c 12 "$work/picture.$type" | grep -qaE '</svg>|IEND' || fail 4 "cannot write into ${TMPDIR:-/tmp} (TMPDIR)"
        # an image of few cells is to be seen as cells, not as a blur, a cross not as a hair; and gnuplot leaves one sign
        # of a text as it is that XML does not take
        [[ $type == png ]] || sed -i "1s/\$/\n$picture_mark/; s/<image /<image style='image-rendering:pixelated' /; s/]]>/]]\&gt;/g
            s/\(id='gpPt1' stroke-width=\)'0.178'/\1'0.4'/" "$work/picture.svg"
        publish "$work/picture.$type" "$out/$1.$type"
        tell "$out/$1.$type"
    done
}
