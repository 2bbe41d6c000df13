# shellcheck shell=bash disable=SC2154,SC2034 # part of plot.sh, which sets and uses the variables
# Gradient profiles of a comparison: delta_rms over depth_frac at step 0 and at the last update, a curve per point.  A
# few points share one row of panels, coloured by skip kind; more of them take a row for each curve of the other
# pictures, coloured by x.

most_profile_rows=6 # of a picture; of more than two pictures' rows only some are drawn

# Sets by_x, profile_rows (titles), n_curves (of which these may be some), profile_inks and profile_names (of the
# colours); writes $work/profile.points.
lay_profiles() {
    by_x=1
    ((n_points > 8)) || by_x=0
    X_PREFIX=$x_prefix awk -F'\t' -v by_x="$by_x" -v inks="$work/profile.inks" -v rows="$work/profile.rows" \
        -v ink_list="${inks[*]}" -v most_rows=$((2 * most_profile_rows)) \
        -f "$lib/viridis.awk" -f "$lib/profile_points.awk" "$work/curves" "$work/curves" >"$work/profile.points"
    mapfile -t profile_rows < <(sed '$d' "$work/profile.rows")
    n_curves=$(tail -n 1 "$work/profile.rows")
    mapfile -t profile_inks < <(cut -f1 "$work/profile.inks")
    mapfile -t profile_names < <(cut -f2 "$work/profile.inks")
}

profile_panel() { # ROW-OF-PICTURE ROW STEP
    local i file ink top=$((95 + $1 * 345))
    place $((110 + $3 * 445)) $((20 + (1 - $3) * 445 + (1 - $3) * 10)) "$top" \
        $((legend_height + 60 + (n_rows - 1 - $1) * 345))
    echo "set title $(quote "${profile_rows[$2]:+${profile_rows[$2]}: }${step_names[$3]}") noenhanced offset 0, -0.6"
    echo "unset xlabel; unset ylabel"
    (($1 < n_rows - 1)) || echo "set xlabel 'depth (0 = first hidden layer, 1 = last)'"
    if (($3)); then unlabelled_ticks; else echo "set ylabel 'delta\\_rms'; set ytics $y_ticks"; fi
    echo "plot \\"
    for i in "${!profile_inks[@]}"; do
        file=$work/profiles.$2.$i.$3
        ink="linecolor rgb '#${profile_inks[i]}' linewidth 2"
        [[ ! -s $file.line ]] || echo "'$file.line' with lines $ink, '$file.line' every" \
            "$(($(wc -l <"$file.line") / 12 + 1)) with points $ink pointtype ${markers[i % 5]} pointsize 0.6, \\"
        [[ ! -s $file.zero ]] || echo "'$file.zero' using 1:($floor) with points $ink pointtype 2 pointsize 0.8, \\"
        [[ ! -s $file.bad ]] || echo "'$file.bad' using 1:($ceiling) with points $ink pointtype 8 pointsize 1, \\"
    done
    echo "NaN notitle; unset label; set format y"
}

legend_of_profiles() { # PREFIX
    local i
    legend=()
    for i in "${!profile_inks[@]}"; do
        [[ ${profile_names[i]} == all ]] || legend+=("with linespoints linecolor rgb '#${profile_inks[i]}' linewidth 2 \
pointtype ${markers[i % 5]} pointsize 0.8 title $(quote "${profile_names[i]}")")
    done
    legend_of_marks "$1"
}

draw_profile_picture() { # NAME FIRST-ROW
    local row step n_rows=$((${#profile_rows[@]} - $2)) caption title="Gradient over depth"
    ((n_rows <= most_profile_rows)) || n_rows=$most_profile_rows
    caption="delta_rms, median over seeds; n = $n_seeds."
    [[ $n_seeds != 1 ]] || caption="delta_rms; one run a point (n = 1)."
    ((!by_x || ${#profile_rows[@]} == n_curves)) || caption+=" ${#profile_rows[@]} of $n_curves curves over $x_key."
    ((!any_diverged)) || caption+=" Diverged runs as last measured."
    measure_legend 1020
    {
        begin_comparison "$title" "$caption"
        echo "set xrange [-0.02:1.02]"
        bands
        for ((row = 0; row < n_rows; row++)); do
            for step in 0 1; do profile_panel "$row" $(($2 + row)) "$step"; done
        done
        end_picture
    } | render "$1" 1020 $((80 + n_rows * 345 + legend_height))
    list_picture "$1" "$title" "$caption" profiles.csv
}

draw_comparison_profiles() { # DIR
    local low high first n=0 last by_x n_curves step_names=('step 0' 'last update')
    lay_profiles
    : >"$work/profile.steps"
    NAME=$1/profiles.csv awk -v points="$work/profile.points" -v steps="$work/profile.steps" -f "$lib/csv.awk" \
        -f "$lib/records.awk" -f "$lib/medians.awk" <"$1/profiles.csv" >"$work/profile.medians" || exit 2
    series profiles 0 1 <"$work/profile.medians"
    any "$work"/profiles.* || return 0
    last=$(sort -nu "$work/profile.steps" | paste -sd' ')
    [[ -z $last || $last == *' '* ]] || step_names[1]="step $last, the last update"
    read -r low high < <(whole_range 2 "$work"/profiles.*.line)
    log_axis "$low" "$high" profiles
    y_ticks="($ticks); set yrange $(range "$bottom" "$top")"
    legend_of_profiles profiles
    for ((first = 0; first < ${#profile_rows[@]} ; first += most_profile_rows)); do
        n=$((n + 1))
        draw_profile_picture "profiles$( ((n == 1)) || echo "-$n")" "$first"
    done
}
