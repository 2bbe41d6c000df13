# shellcheck shell=bash disable=SC2154,SC2034 # part of plot.sh, which sets and uses the variables
# The pictures of plot.sh: loss, gradients, heat maps, frozen layers.  Each makes its series, then its axes and legend,
# then the text for gnuplot.

# ---- loss over steps ----

# The last step, the extremes of the positive losses, and whether they span more than a decade.
survey_losses() {
    cat "$work"/*.loss | awk '
        $1 > last { last = $1 }
        {
            for (c = 2; c <= 4; c++) {
                v = $c + 0
                if (v > 0 && (!n++ || v < low)) low = v
                if (v > high) high = v
            }
        }
        END { print last + 0, low + 0, high + 0, (high / 10 > low || n && (high < 1e-9 || high > 1e12)) + 0 }'
}

# Evaluations are rare, and a line through two of them would be a claim; from four on it helps the eye.
evaluation_width() { # FILE
    if [[ -s $1 ]] && (($(wc -l <"$1") >= 4)); then echo 2; else echo 0; fi
}

loss_axes() { # LAST LOW HIGH IS_LOG LOGX
    if (($4)); then
        # shellcheck disable=SC2046 # two words are wanted
        log_axis $(whole_range 2 "$work"/loss.*.line) loss
        echo "set ytics ($ticks); set yrange $(range "$bottom" "$top")"
    else
        linear_axis "$2" "$3" loss
        echo "set ytics ($ticks); set yrange [$bottom:$top]"
    fi
    bands
    echo "set ylabel 'loss (mean over samples)'"
    if (($5)); then
        echo "set xlabel 'step (updates applied; the axis is logarithmic in step + 1)'"
        echo "set xtics ($(step_ticks "$1")); set xrange $(range 0 "log10($1. + 1)")"
    else
        echo "set xlabel 'step (updates applied)'; set xtics 1, $(($1 / 10 + 1)); set xtics add (0)"
        echo "set xrange $(range 0 "$(($1 ? $1 : 1)).")"
    fi
}

# Linear while the losses lie within a decade, else logarithmic.
draw_loss() {
    local i last low high is_log logx
    read -r last low high is_log < <(survey_losses)
    logx=$((last > 20))
    for i in "${!runs[@]}"; do
        awk -v i="$i" '{
            print i ".batch", $1, $2
            if ($3 != "-") print i ".train", $1, $3
            if ($4 != "-") print i ".test", $1, $4
        }' "$work/$i.loss"
    done | series loss "$logx" "$is_log"
    legend_of_runs
    legend+=("with linespoints linecolor rgb '#444444' linewidth 1 pointtype 7 pointsize 0.3 title 'batch of the step'"
        "with points linecolor rgb '#444444' pointtype 7 pointsize 0.8 title 'training set'"
        "with points linecolor rgb '#444444' linewidth 1.5 pointtype 6 pointsize 0.8 title 'test set'")
    legend_of_marks loss
    measure_legend 900
    {
        begin_picture "$(heading "Loss over training")"
        place 120 30 45 $((legend_height + 65))
        loss_axes "$last" "$low" "$high" "$is_log" "$logx"
        echo "plot \\"
        for i in "${!runs[@]}"; do
            curve "loss.$i.batch" "$i" 0 1 1 0.3
            curve "loss.$i.train" "$i" 0 1 "$(evaluation_width "$work/loss.$i.train.line")"
            curve "loss.$i.test" "$i" 1 1 "$(evaluation_width "$work/loss.$i.test.line")"
        done
        echo "NaN notitle"
        end_picture
    } | render loss 900 $((500 + legend_height))
}

# ---- gradients by layer ----

# The hidden and output layers at the chosen steps of a run, for series: "RUN.STEP-INDEX.NAME LAYER VALUE".
layers_at_steps() { # RUN NAME=COLUMN...
    awk -v i="$1" -v chosen="${chosen[$1]}" -v wanted="${*:2}" '
        BEGIN {
            n_chosen = split(chosen, step, " ")
            for (k = 1; k <= n_chosen; k++) index_of[step[k]] = index_of[step[k]] " " k - 1
            n_wanted = split(wanted, want, "[ =]")
        }
        ($1 in index_of) && ($3 == "hidden" || $3 == "output") {
            n = split(index_of[$1], at, " ")
            for (k = 1; k <= n; k++)
                for (w = 1; w < n_wanted; w += 2) print i "." at[k] "." want[w], $2, $want[w + 1]
        }' "$work/$1.gradients"
}

layer_axis() {
    echo "set xlabel 'layer (1 = nearest the input)'; set xrange $(range 0.5 "$last_layer.5")"
    ((last_layer > 10)) || echo "set xtics 1"
}

draw_gradients() {
    local i k p low high panels=(delta out grad) titles=(
        "delta\\\\_rms: by the layer's own output z,\\nper sample"
        "out\\\\_grad\\\\_rms: by the signal that is carried on,\\nper sample"
        "grad\\\\_rms: by the weights,\\nmean over the batch")
    for i in "${!runs[@]}"; do layers_at_steps "$i" delta=4 out=5 grad=6; done | series gradients 0 1
    read -r low high < <(whole_range 2 "$work"/gradients.*.line)
    log_axis "$low" "$high" gradients
    legend_of_runs
    legend_of_steps
    legend_of_marks gradients
    measure_legend 1260
    {
        begin_picture "$(heading "Gradients by layer")"
        echo "set ytics ($ticks); set yrange $(range "$bottom" "$top")"
        bands
        layer_axis
        for p in 0 1 2; do
            place $((120 + p * 380)) $((20 + (2 - p) * 380)) 95 $((legend_height + 60))
            echo "set title \"${titles[p]}\" offset 0, -0.5"
            ((p)) || echo "set ylabel 'root mean square of the gradient'"
            # shellcheck disable=SC2001 # a pattern with a star
            ((!p)) || echo "unset ylabel; set ytics ($(sed "s/'[^']*'/''/g" <<<"$ticks")); unset label 1"
            echo "plot \\"
            for i in "${!runs[@]}"; do
                for ((k = 0; k < n_chosen; k++)); do curve "gradients.$i.$k.${panels[p]}" "$i" "$k" 0 2; done
            done
            echo "NaN notitle"
        done
        end_picture
    } | render gradients 1260 $((490 + legend_height))
}

# ---- heat maps ----

# A file name; two runs never share one.
heatmap_name() { # RUN
    local i safe=${names[$1]//[^A-Za-z0-9._=,+-]/_}
    ((${#runs[@]} > 1)) || safe=
    for ((i = 0; i < $1; i++)); do
        [[ ${names[i]//[^A-Za-z0-9._=,+-]/_} != "$safe" ]] || safe+=-$(($1 + 1))
    done
    echo "heatmap${safe:+-$safe}"
}

legend_of_cells() { # FILE of heat.awk
    local item rgb fill title
    legend=()
    for item in "211 211 211:#D3D3D3:exact zero" "213 94 0:#D55E00:not finite" "255 255 255:#FFFFFF:not measured"; do
        IFS=: read -r rgb fill title <<<"$item"
        ! grep -q " $rgb\$" "$1" || legend+=("with boxes fillcolor rgb '$fill' fillstyle solid border \
linecolor rgb '#444444' title '$title'")
    done
}

# As an image, except where gnuplot would leave it out: it wants two rows and two columns.
cells() { # FILE N_STEPS N_LAYERS
    if (($2 > 1 && $3 > 1)); then
        echo "plot '$1' using 1:2:3:4:5 with rgbimage, NaN with points palette"
    else
        echo "plot '$1' using 1:2:(\$1 - 0.5):(\$1 + 0.5):(\$2 - 0.5):(\$2 + 0.5):(\$3 * 65536 + \$4 * 256 + \$5)" \
            "with boxxyerror fillstyle solid noborder linecolor rgb variable, NaN with points palette"
    fi
}

draw_heatmap() { # RUN LOW HIGH
    local data=$work/heat.$1 n_steps n_layers
    awk '$3 == "hidden" || $3 == "output" { print $1, $2, $4 }' "$work/$1.gradients" |
        awk -v low="$2" -v high="$3" -v layers="$data.layers" -v steps="$data.steps" -f "$lib/viridis.awk" \
            -f "$lib/heat.awk" >"$data"
    n_steps=$(wc -l <"$data.steps") n_layers=$(wc -l <"$data.layers")
    legend_of_cells "$data"
    measure_legend 900
    {
        begin_picture "$(quote "delta_rms by layer and step: ${names[$1]}")"
        place 95 150 45 $((legend_height + 65))
        echo "unset grid; set tics out; set xlabel 'step (updates applied; the measured ones, evenly spaced)'"
        echo "set ylabel 'layer (1 = nearest the input)'"
        echo "set xtics ($(list_ticks "$data.steps" 1)); set ytics ($(list_ticks "$data.layers" 0))"
        echo "set xrange [-0.5:$n_steps - 0.5]; set yrange [-0.5:$n_layers - 0.5]; set cbrange [$2:$3]"
        echo "set palette defined (0 '#440154', 1 '#472C7A', 2 '#3B518B', 3 '#2C718E', 4 '#21908D', 5 '#27AD81'," \
            "6 '#5CC863', 7 '#AADC32', 8 '#FDE725')"
        echo "set cblabel 'delta\\_rms (gradient by z, per sample)'; set cbtics ($ticks)"
        cells "$data" "$n_steps" "$n_layers"
        end_picture
    } | render "$(heatmap_name "$1")" 900 $((520 + legend_height))
}

draw_heatmaps() {
    local i low high
    for i in "${!runs[@]}"; do
        awk '($3 == "hidden" || $3 == "output") && $4 + 0 > 0 { printf "%.6f\n", log($4) / log(10) }' \
            "$work/$i.gradients"
    done >"$work/decades"
    read -r low high < <(whole_range 1 "$work/decades")
    log_axis "$low" "$high" none
    for i in "${!runs[@]}"; do attempt draw_heatmap "$i" "$low" "$high"; done
}

# ---- stalled and frozen ----

# Neighbours of the same kind become one box: lines "LAYER KIND" on stdin, "FROM TO" in PREFIX.KIND out.
stretches() { # PREFIX
    awk -v out="$1" '
        function flush() {
            if (NR > 1 && kind != "-") print from - 0.5, to + 0.5 > (out "." kind)
        }
        NR == 1 || $2 != kind || $1 != to + 1 {
            flush()
            from = $1
        }
        { to = $1; kind = $2 }
        END { NR++; flush() }'
}

# One box per line of FILE in the strip that comes next, as a part of a plot command.
boxes() { # FILE COLOUR
    local y=-$n_strips
    [[ ! -s $1 ]] || printf '%s' "'$1' using ((\$1 + \$2) / 2):($y):1:2:($y - 0.36):($y + 0.36)" \
        " with boxxyerror fillstyle solid noborder linecolor $2, "
}

# One strip per run and step: where layers are frozen, and how many hidden ones are.  Sets n_strips, and for gnuplot
# labels, ticks and strips (parts of a plot command).
lay_strips() {
    local i k data count step
    labels='' strips='' ticks='' n_strips=0
    for i in "${!runs[@]}"; do
        awk '{ print $1, $5, $6 }' "$work/$i.loss" >"$work/moves"
        awk '{ print $1, $2, $3, $7, $8 }' "$work/$i.gradients" |
            awk -v chosen="${chosen[i]}" -f "$lib/frozen.awk" "$work/moves" - >"$work/frozen"
        k=0
        for step in ${chosen[i]}; do
            data=$work/strip.$i.$k
            awk -v k="$k" '$1 == k { print $2, $4 }' "$work/frozen" | stretches "$data"
            count=$(awk -v k="$k" '
                $1 == k && $3 == "hidden" { n++; frozen += $4 == 1; measured += $4 != "-" }
                END { print (measured ? frozen + 0 " of " n " hidden" : "not measured") }' "$work/frozen")
            labels+="set label '$count' at graph 1.015, first -$n_strips left"$'\n'
            strips+=$(boxes "$data.0" "rgb '#E6E6E6'")$(boxes "$data.1" "$(colour "$i")")
            ticks+=${ticks:+, }$(quote_tick "${names[i]}, step $step")" -$n_strips"
            k=$((k + 1)) n_strips=$((n_strips + 1))
        done
    done
}

stalled_panel() {
    local i k
    echo "set ylabel 'stalled\\_frac (share of weights)'; set yrange [-0.04:1.04]"
    [[ $ceiling == none ]] || echo "set ytics ($(round_ticks 0 1), 'nan, inf' $ceiling); set yrange [-0.04:1.16]"
    echo "set arrow from graph 0, first 0.5 to graph 1, first 0.5 nohead dashtype 2 linecolor rgb '#444444'"
    echo "set label 'frozen above' at graph 1.015, first 0.5 left"
    echo "plot \\"
    for i in "${!runs[@]}"; do
        for ((k = 0; k < n_chosen; k++)); do curve "frozen.$i.$k.stalled" "$i" "$k" 0 2; done
    done
    echo "NaN notitle"
    echo "unset arrow; unset label; unset ylabel"
}

draw_frozen() {
    local i name left=90 width=1000 height floor=none ceiling=none gap=0
    for i in "${!runs[@]}"; do layers_at_steps "$i" stalled=7; done | series frozen 0 0
    ! any "$work"/frozen.*.bad || ceiling=1.1 gap=0.1
    lay_strips
    for name in "${names[@]}"; do (((${#name} + 13) * 9 < left)) || left=$(((${#name} + 13) * 9)); done
    ((left + 750 < width)) || width=$((left + 750))
    height=$((n_strips * 26 + 20))
    legend_of_runs
    legend_of_steps
    legend_of_marks frozen
    measure_legend "$width"
    {
        begin_picture "$(heading "Stalled updates and frozen layers")"
        layer_axis
        echo "unset xlabel"
        place "$left" 175 45 $((legend_height + 65 + height + 55))
        stalled_panel
        echo "set ytics autofreq"
        layer_axis
        place "$left" 175 $((45 + 300 + 55)) $((legend_height + 65))
        echo "set yrange [0.5 - $n_strips:0.5]; set ytics noenhanced ($ticks)"
        echo "$labels"
        echo "plot ${strips}NaN notitle"
        end_picture
    } | render frozen "$width" $((45 + 300 + 55 + height + 65 + legend_height))
}
