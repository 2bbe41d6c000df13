# shellcheck shell=bash disable=SC2154,SC2034 # part of plot.sh, which sets and uses the variables
# Pictures of a comparison over x: a curve per combination of the other varied keys, with its band over seeds, in one
# panel or several.

# The layout of n panels: sets columns, rows, width and height (pixels, without the legend).
lay_panels() { # N
    columns=$1
    (($1 <= 3)) || columns=$((($1 + 1) / 2))
    ((columns <= 3)) || columns=3
    rows=$((($1 + columns - 1) / columns))
    panel_width=$((columns == 1 ? 750 : columns == 2 ? 520 : 380)) panel_height=$((rows == 1 ? 380 : 300))
    width=$((145 + columns * panel_width + (columns - 1) * 12)) height=$((120 + rows * panel_height + (rows - 1) * 40))
}

# Title of the picture and, below it, what its curves are.
begin_comparison() { # TITLE CAPTION
    begin_picture "$(quote "$1")"
    echo "set label 2 $(quote "$2") at screen 0.5, screen 1 - 42 / H center noenhanced font ',13'"
}

place_panel() { # P N
    local column=$(($1 % columns)) row=$(($1 / columns))
    place $((125 + column * (panel_width + 12))) $((20 + (columns - 1 - column) * (panel_width + 12))) \
        $((85 + row * (panel_height + 40))) $((legend_height + 55 + (rows - 1 - row) * (panel_height + 40)))
    echo "unset title; unset ylabel; unset xlabel; unset label 3"
    (($2 == 1)) || echo "set title $(quote "${panels[$1]}") noenhanced offset 0, -0.6"
}

# ---- curves ----

# One series (see bands.awk) as parts of a plot command; the second metric has dashes and open marks.
band_of() { # FILE INK
    [[ ! -s $1.band ]] ||
        echo "'$1.band' with filledcurves fillcolor rgb '#${inks[$2]}' fillstyle transparent solid 0.16 noborder, \\"
    [[ ! -s $1.bar ]] || echo "'$1.bar' using 1:2:(0):(\$3 - \$2) with vectors nohead linecolor rgb '#${inks[$2]}'" \
        "linewidth 2, \\"
}

curve_of() { # FILE INK VARIANT
    local ink="linecolor rgb '#${inks[$2]}'" shape
    shape="pointtype $((${markers[$2 % ${#markers[@]}]} - $3))"
    if [[ -s $1.line ]]; then
        ((!x_numeric)) || echo "'$1.line' with lines $ink linewidth 2 dashtype ${dashes[$3]}, \\"
        echo "'$1.line' with points $ink linewidth 1.5 $shape pointsize 0.8, \\"
    fi
    [[ ! -s $1.zero ]] || echo "'$1.zero' using 1:($floor - $(shift_of "$2") * $gap) with points $ink linewidth 1.5" \
        "pointtype $((2 - $3)) pointsize 0.8, \\"
    [[ ! -s $1.bad ]] || echo "'$1.bad' using 1:($ceiling - $(shift_of "$2") * $gap) with points $ink linewidth 1.5" \
        "pointtype 8 pointsize 1, \\"
}

# Colours stand above each other within the floor and the ceiling, in parts of their height.
shift_of() { # INK
    awk -v i="$1" -v n="${#inks[@]}" 'BEGIN { print (n > 1 ? (i / (n - 1) - 0.5) * 0.6 : 0) }'
}

diverged_of() { # FILE INK VARIANT: with the count beside the mark of the first variant
    local cross="linecolor rgb '#${inks[$2]}' linewidth 3 pointtype 2 pointsize 1.1" height
    local count="font ',11' textcolor rgb '#${inks[$2]}'"
    height="($ceiling - $(shift_of "$2") * $gap)"
    [[ ! -s $1.diverged ]] || echo "'$1.diverged' with points $cross, '$1.diverged' using 1:2:3 with labels" \
        "offset 0, 1 center $count, \\"
    [[ -s $1.lost ]] || return 0
    echo "'$1.lost' using 1:$height with points $cross, \\"
    (($3)) && [[ -s ${1%.*}.0.lost ]] && return
    echo "'$1.lost' using 1:$height:2 with labels offset -1, 0 right $count, \\"
}

# Bands below curves below the marks of diverged points.
plot_panel() { # PREFIX PANEL N-VARIANTS
    local i v part
    echo "plot \\"
    for part in band_of curve_of diverged_of; do
        for i in "${!inks[@]}"; do
            for ((v = 0; v < $3; v++)); do "$part" "$work/$1.$2.$i.$v" "$i" "$v"; done
        done
    done
    echo "NaN notitle"
}

legend_of_inks() {
    local i
    legend=()
    if [[ -z ${ink_names[0]} ]]; then
        legend=("with lines linecolor rgb '#${inks[0]}' linewidth 2 title 'first combination of the other keys'"
            "with lines linecolor rgb '#${inks[-1]}' linewidth 2 title 'last'")
        return
    fi
    [[ ${#inks[@]} != 1 || ${ink_names[0]} != all ]] || return 0
    for i in "${!inks[@]}"; do
        legend+=("with linespoints linecolor rgb '#${inks[i]}' linewidth 2 pointtype ${markers[i % ${#markers[@]}]} \
pointsize 0.8 title $(quote "${ink_names[i]}")")
    done
}

legend_of_variants() { # NAME...: of the metrics of a picture, none for a single one
    local v=0 name
    (($# > 1)) || return 0
    for name; do
        legend+=("with linespoints linecolor rgb '#444444' linewidth 2 dashtype ${dashes[v]} pointtype $((7 - v)) \
pointsize 0.8 title '$name'")
        v=$((v + 1))
    done
}

legend_of_seeds() { # PREFIX
    local extent="least to greatest"
    [[ $band != ci95 ]] || extent="95 % interval"
    ! any "$work/$1".*.band "$work/$1".*.bar || legend+=("with boxes fillcolor rgb '#444444' \
fillstyle transparent solid 0.2 noborder title '$extent'")
    legend_of_marks "$1"
    ! any "$work/$1".*.diverged "$work/$1".*.lost ||
        legend+=("with points linecolor rgb '#444444' linewidth 3 pointtype 2 pointsize 1.3 title 'diverged'")
}

# ---- pictures ----

# A linear scale becomes one of logarithms where positive values span more than a decade, or are tiny or huge.
scale_of() { # SCALE METRIC...
    [[ $1 == linear ]] || { echo "$1" && return; }
    awk -F'\t' -v metrics="${*:2}" '
        BEGIN { n = split(metrics, list, " "); for (i = 1; i <= n; i++) wanted[list[i]] = 1 }
        ($5 in wanted) && !$7 && $9 != "" && $9 !~ /n/ {
            if (!n_values++ || $9 + 0 < low) low = $9 + 0
            if (n_values == 1 || $9 + 0 > high) high = $9 + 0
        }
        END {
            extreme = low >= 0 && high > 0 && (high < 1e-9 || high > 1e12)
            print (low > 0 && high / 10 > low || extreme ? "log" : "linear")
        }' "$work/curves"
}

# Sets y_ticks (for `set ytics`, with the range), and what log_axis and linear_axis set.
y_axis() { # SCALE PREFIX
    local low high
    ! any "$work/$2".*.lost || echo >"$work/$2.lost.bad" # diverged points want a ceiling too
    if [[ $1 == linear || $1 == share ]]; then
        low=0 high=1
        [[ ! -s $work/$2.extent ]] || { read -r low && read -r high; } <"$work/$2.extent"
        linear_axis "$low" "$high" "$2"
        if [[ $1 == share ]]; then
            ticks=$(round_ticks 0 1)
            [[ $ceiling == none ]] || ceiling=1.1 gap=0.1 ticks+=", 'nan, inf' 1.1"
            bottom=-0.04 top=$([[ $ceiling == none ]] && echo 1.04 || echo 1.16)
        fi
        y_ticks="($ticks); set yrange [$bottom:$top]"
    else
        read -r low high < <(whole_range 1 "$work/$2.extent")
        log_axis "$low" "$high" "$2"
        y_ticks="($ticks); set yrange $(range "$bottom" "$top")"
    fi
    if [[ -s $work/$2.lost.bad ]]; then
        y_ticks=${y_ticks/nan, inf/diverged}
        rm "$work/$2.lost.bad"
    fi
}

# For panels that share the axis of the first.
unlabelled_ticks() {
    # shellcheck disable=SC2001 # a pattern with a star
    echo "set format y ''; set ytics $(sed "s/'[^']*'/''/g" <<<"$y_ticks")"
}

draw_over_x() { # NAME TITLE Y-LABEL SCALE METRIC=LEGEND...
    local name=$1 label=$3 scale=$4 p metrics=() legends=() item slots=1 n=${#panels[@]}
    for item in "${@:5}"; do metrics+=("${item%%=*}") legends+=("${item#*=}"); done
    scale=$(scale_of "$scale" "${metrics[@]}")
    [[ $x_key == network.skip.kind || $x_key == '' ]] || slots=${#inks[@]}
    awk -v out="$work/$name" -v metrics="${metrics[*]}" -v scale="${scale/share/linear}" -v band="$band" \
        -v logx="$logx" -v places=$((!x_numeric)) -v n_slots="$slots" -f "$lib/bands.awk" "$work/curves"
    any "$work/$name".* || return 0
    y_axis "$scale" "$name"
    legend_of_inks
    legend_of_variants "${legends[@]}"
    legend_of_seeds "$name"
    lay_panels "$n"
    measure_legend "$width"
    {
        begin_comparison "$2" "$(caption)"
        bands
        for ((p = 0; p < n; p++)); do
            place_panel "$p" "$n"
            x_axis $((panel_width - 30))
            ((p + columns >= n)) || echo "unset xlabel"
            if ((p % columns == 0)); then
                echo "set ylabel '$label'; set ytics $y_ticks"
            else
                unlabelled_ticks
            fi
            plot_panel "$name" "$p" "${#metrics[@]}"
            echo "unset label; set format y"
        done
        end_picture
    } | render "$name" "$width" $((height + legend_height))
    list_picture "$name" "$2" "$(caption)" summary.csv
}

draw_comparison_curves() {
    local over=${x_key:+ over $x_key}
    attempt draw_over_x loss "Final loss$over" 'loss (mean over samples)' linear \
        train_loss='training set' test_loss='test set'
    attempt draw_over_x accuracy "Final accuracy$over" 'accuracy' share \
        train_accuracy='training set' test_accuracy='test set'
    attempt draw_over_x delta "Gradient at the first layer$over" 'delta\_rms of the first hidden layer' decades \
        log10_delta_first_start='step 0' log10_delta_first_end='last update'
    attempt draw_over_x ratio "First over last layer: delta_rms$over" 'delta\_rms, first / last hidden layer' decades \
        log10_delta_ratio='last update'
    attempt draw_over_x frozen "Frozen layers$over" 'share of hidden layers that are frozen' share \
        frozen_share_start='step 0' frozen_share_end='last update'
}
