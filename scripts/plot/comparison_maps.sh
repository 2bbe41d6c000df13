# shellcheck shell=bash disable=SC2154,SC2034 # part of plot.sh, which sets and uses the variables
# Maps of a comparison over two numeric keys: one picture per combination of the others, a panel per metric, the colours
# of a metric the same in all of them.  Drawn where a quarter of the cells is there: for grids, not for strewn points.

map_metrics=( # NAME|TITLE|SCALE
    'frozen_share_end|Frozen layers at the last update, share of the hidden ones|linear'
    'stalled_frac_end|Stalled weights at the last update, share of all|linear'
    'log10_delta_ratio|log10 of delta_rms at the last update, first over last hidden layer|decades'
    'train_loss|Training loss|loss'
)
most_maps=12

# Lines "SCALE LOW HIGH" for each metric; nothing where no value is finite.
survey_metric() { # METRIC SCALE
    awk -F'\t' -v metric="$1" -v scale="$2" '
        $5 != metric || $7 > 0 || $9 == "" || $9 ~ /n/ { next }
        !n++ || $9 + 0 < low { low = $9 + 0 }
        n == 1 || $9 + 0 > high { high = $9 + 0 }
        END {
            if (!n) exit
            if (metric ~ /_share_|_frac_/) { low = 0; high = 1 }
            if (scale == "loss") scale = low > 0 && high / 10 > low ? "log" : "linear"
            if (scale == "log") { low = log(low) / log(10); high = log(high) / log(10) }
            size = high > -low ? high : -low
            if (!(high / 2 - low / 2 > size * 5e-7)) high = low + (size > 1 ? size : 1)
            print scale, low, high
        }' "$work/map.grid"
}

# Ticks of the keys' values, which stand evenly spaced.
place_ticks() { # AXIS KEY WIDTH
    KEY=$2 awk -v axis="$1" -v width="$3" -f "$lib/csv.awk" -f "$lib/place_ticks.awk" "$work/values"
}

# Ticks of the colours, which go from 0 to 1.
colour_ticks() { # SCALE LOW HIGH
    local ticks
    ticks=$(round_ticks "$2" "$3")
    [[ $1 != log ]] ||
        ticks=$(sed -E "s/'(-?[0-9]+)' /'10^{\1}' /g; s/'(-?[0-9]+\.[0-9]*|[^']*e[^']*)' /'' /g" <<<"$ticks")
    awk -v low="$2" -v high="$3" -v ticks="$ticks" 'BEGIN {
        n = split(ticks, tick, ", ")
        for (i = 1; i <= n; i++) {
            split(tick[i], part, " ")
            printf "%s%s %.9g", (i > 1 ? ", " : ""), part[1], (part[2] - low) / (high - low)
        }
    }'
}

map_panel() { # MAP PANEL ITEM
    local metric title scale low high data column=$(($2 % 2)) row=$(($2 / 2))
    IFS='|' read -r metric title scale <<<"$3"
    read -r scale low high <<<"${survey[$metric]}"
    data=$work/map.$1.$metric
    place $((135 + column * 640)) $((95 + (1 - column) * 640)) $((95 + row * 400)) \
        $((legend_height + 60 + (map_rows - 1 - row) * 400))
    echo "set title $(quote "$title") noenhanced offset 0, -0.5; unset xlabel"
    (($2 + 2 < ${#shown[@]})) || echo "set xlabel $(quote "$x_key") noenhanced"
    echo "set cbrange [0:1]; set cbtics ($(colour_ticks "$scale" "$low" "$high"))"
    echo "plot '$data' using 1:2:(\$1 - 0.5):(\$1 + 0.5):(\$2 - 0.5):(\$2 + 0.5):3 with boxxyerror fillstyle solid" \
        "noborder linecolor rgb variable, NaN with points palette, \\"
    [[ ! -s $data.diverged ]] || echo "'$data.diverged' using 1:(\$2 + 0.26) with points" \
        "linecolor rgb '#D55E00' linewidth 3 pointtype 2 pointsize 0.9, \\"
    ((n_cells > 150)) || echo "'$data' using 1:2:5:4 with labels textcolor rgb variable font ',11', \\"
    echo "NaN notitle; unset label"
}

legend_of_map() { # MAP
    local item ink title
    legend=()
    for item in "13882323:D3D3D3:exact zero" "13983232:D55E00:not finite" "16777215:FFFFFF:not measured"; do
        IFS=: read -r ink fill title <<<"$item"
        ! grep -q "^[0-9]* [0-9]* $ink " "$work/map.$1".* || legend+=("with boxes fillcolor rgb '#$fill' \
fillstyle solid border linecolor rgb '#444444' title '$title'")
    done
    ! any "$work/map.$1".*.diverged ||
        legend+=("with points linecolor rgb '#D55E00' linewidth 3 pointtype 2 pointsize 0.9 \
title 'diverged (k of n runs)'")
}

# Writes the cells of a map and sets shown, the metrics that have any.
make_cells() { # MAP
    local item metric scale low high
    shown=()
    for item in "${map_metrics[@]}"; do
        metric=${item%%|*}
        read -r scale low high <<<"${survey[$metric]}"
        [[ -n $low ]] || continue
        awk -v map="$1" -v metric="$metric" -v scale="$scale" -v low="$low" -v high="$high" \
            -v diverged="$work/map.$1.$metric.diverged" -f "$lib/viridis.awk" -f "$lib/cells.awk" \
            "$work/map.grid" >"$work/map.$1.$metric"
        [[ ! -s $work/map.$1.$metric ]] || shown+=("$item")
    done
}

draw_map() { # MAP NAME TITLE
    local item p=0 map_rows caption shown
    make_cells "$1"
    ((${#shown[@]})) || return 0
    map_rows=$(((${#shown[@]} + 1) / 2))
    legend_of_map "$1"
    measure_legend 1325
    caption="Colour: median over seeds; n = $n_seeds. The scale of a metric is the same in all maps."
    {
        begin_comparison "$3" "$caption"
        echo "unset grid; set tics out; set palette defined (0 '#440154', 1 '#472C7A', 2 '#3B518B', 3 '#2C718E'," \
            "4 '#21908D', 5 '#27AD81', 6 '#5CC863', 7 '#AADC32', 8 '#FDE725')"
        echo "set ylabel $(quote "$y_key") noenhanced"
        place_ticks x "$x_key" 440
        place_ticks y "$y_key" 300
        for item in "${shown[@]}"; do
            map_panel "$1" "$p" "$item"
            p=$((p + 1))
        done
        end_picture
    } | render "$2" 1325 $((75 + map_rows * 400 + legend_height))
    list_picture "$2" "$3" "$caption" "summary.csv runs.csv"
}

# Lines "MAP SKIP COMBINATION", separated by tabs: which maps there are.
list_maps() {
    awk -F'\t' '!(($1, $2) in seen) { seen[$1, $2] = 1; print $1 "." $2 "\t" ($16 == "" ? "-" : $16) "\t" $17 }' \
        "$work/map.grid"
}

draw_comparison_maps() { # DIR
    local item map skip rest what n=0 n_maps n_cells
    declare -A survey=()
    [[ -n $y_key ]] || return 0
    make_grid "$1" "$y_key" >"$work/map.grid"
    for item in "${map_metrics[@]}"; do
        survey[${item%%|*}]=$(survey_metric "${item%%|*}" "${item##*|}")
    done
    n_maps=$(list_maps | wc -l)
    n_cells=$(count_values | X_KEY=$x_key Y_KEY=$y_key awk -F'\t' '
        $1 == ENVIRON["X_KEY"] || $1 == ENVIRON["Y_KEY"] { n = n ? n * $3 : $3 }
        END { print n }')
    ((4 * n_points >= n_cells * n_maps)) || return 0 # points that were strewn make no map
    ((n_maps <= most_maps)) || echo "${self%.sh}: of $n_maps maps the first $most_maps are drawn" >&2
    while IFS=$tab read -r map skip rest; do
        what=''
        [[ $skip == - ]] || what=$skip
        [[ $rest == all ]] || what+=${what:+, }$rest
        n=$((n + 1))
        attempt draw_map "$map" "map$( ((n_maps == 1)) || echo "-$n")" "$y_key over $x_key${what:+: $what}"
    done < <(list_maps | head -n "$most_maps")
}
