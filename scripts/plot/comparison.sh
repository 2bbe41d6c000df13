# shellcheck shell=bash disable=SC2154,SC2034 # part of plot.sh, which sets and uses the variables
# The comparison that `skipnet compare --out` wrote, made ready for drawing: which varied key goes on x, which points
# make a curve, what panels and colours there are, the axis of x and the captions.  keys.awk and grid.awk do the work.
#
# Sets key_names, x_key, x_prefix (of its values in legends), y_key (for maps; empty: none), x_numeric, logx; panels
# (titles), inks (RRGGBB), ink_names, n_points, n_seeds ("3" or "2 to 3"), any_diverged.  In $work: values, grid (of grid.awk, sorted), curves.

tab=$'\t'

read_comparison() { # DIR
    local key
    list_values "$1/summary.csv" >"$work/values"
    mapfile -t key_names < <(cut -f4 "$work/values" | uniq)
    choose_x
    choose_y
    make_grid "$1" '' >"$work/grid"
    awk -v panels="$work/panels" -v inks="$work/inks" -f "$lib/viridis.awk" -f "$lib/skips.awk" -f "$lib/curves.awk" \
        "$work/grid" "$work/grid" >"$work/curves"
    [[ -s $work/curves ]] || fail 2 "$1/summary.csv: no point has a finished run${x_key:+ and a number for $x_key}"
    mapfile -t panels <"$work/panels"
    mapfile -t inks < <(cut -f1 "$work/inks")
    mapfile -t ink_names < <(cut -f2 "$work/inks")
    count_points
}

# The points of summary.csv, see grid.awk.
make_grid() { # DIR Y-KEY
    NAME=$1/summary.csv X_KEY=$x_key Y_KEY=$2 awk -v values="$work/values" -v runs=/dev/fd/3 \
        -f "$lib/csv.awk" -f "$lib/records.awk" -f "$lib/grid.awk" <"$1/summary.csv" 3<"$1/runs.csv" >"$work/grid.raw" || exit 2
    sort -t "$tab" -k1,4 "$work/grid.raw"
}

# Lines "KEY IS-NUMERIC VALUES", separated by tabs, the last a count that leaves out the empty cell.
count_values() {
    awk -F'\t' -v OFS='\t' '
        !($4 in n) { key[++n_keys] = $4 }
        { n[$4] += $3 != "-"; numeric[$4] = $5 }
        END { for (k = 1; k <= n_keys; k++) print key[k], numeric[key[k]], n[key[k]] }' "$work/values"
}

# The numeric key but EXCEPT that has most values, network.depth before all others; nothing where none has two.
longest_key() { # EXCEPT
    count_values | EXCEPT=$1 awk -F'\t' '
        !$2 || $3 < 2 || $1 == ENVIRON["EXCEPT"] { next }
        $1 == "network.depth" { $3 = 1e9 }
        $3 > most { most = $3; key = $1 }
        END { print key }'
}

# Sets x_key from --x, a key or the tail of one, or by itself.
choose_x() {
    local key found=()
    x_key=''
    if [[ -n $x ]]; then
        for key in "${key_names[@]}"; do
            [[ $key != "$x" && $key != *".$x" ]] || found+=("$key")
        done
        ((${#found[@]} < 2)) || fail 2 "--x $x could be any of: ${found[*]}"
        ((${#found[@]})) || fail 2 "--x $x is no key that varies; these do: ${key_names[*]:-none but the seed}"
        x_key=${found[0]}
    else
        x_key=$(longest_key '')
        : "${x_key:=${key_names[0]:-}}"
    fi
    x_prefix="${x_key##*.} = "
    [[ $x_key && $x_key != network.skip.kind ]] || x_prefix=''
    read -r x_numeric logx < <(KEY=$x_key awk -F'\t' '
        $4 == ENVIRON["KEY"] {
            numeric = $5
            if ($3 == "-") next
            if (!n++ || $3 + 0 < low) low = $3 + 0
            if (n == 1 || $3 + 0 > high) high = $3 + 0
        }
        END { print numeric + 0, (numeric && low > 0 && high / 10 >= low) + 0 }' "$work/values")
}

# Numbers that are too close together, or too far from each other, for an axis stand at their places like words.
choose_y() {
    y_key=''
    ((!x_numeric)) || y_key=$(longest_key "$x_key")
    ((!x_numeric)) || x_numeric=$(KEY=$x_key awk -F'\t' -v log_x="$logx" '
        $4 == ENVIRON["KEY"] && $3 != "-" {
            x = log_x ? log($3) / log(10) : $3 + 0
            size = x > size ? x : -x > size ? -x : size
            if (n++ && (gap == "" || x - last < gap)) gap = x - last
            last = x
        }
        END { print (n < 2 || gap > 1e-6 * size && size < 1e100 && (log_x || size > 1e-100)) + 0 }' "$work/values")
    ((x_numeric)) || logx=0
}

count_points() {
    local low high
    read -r n_points low high any_diverged < <(awk -F'\t' '
        !($18 in seen) {
            seen[$18] = 1
            if (!n++ || $6 < low) low = $6
            if ($6 > high) high = $6
            diverged += $7 > 0
        }
        END { print n, low + 0, high + 0, (diverged > 0) }' "$work/curves")
    n_seeds=$low
    ((low == high)) || n_seeds="$low to $high"
}

# What a curve and its band are, in words.
caption() {
    local text
    if [[ $n_seeds == 1 ]]; then
        text="One run a point (n = 1): no band."
    elif [[ $band == ci95 ]]; then
        text="Mean over seeds; band: 95 % interval of the mean by Student's t; n = $n_seeds."
    else
        text="Median over seeds; band: least to greatest; n = $n_seeds."
    fi
    ((!any_diverged)) || text+=" Cross: diverged (k of n runs)."
    echo "$text"
}

# ---- the axis of x ----

# Ticks at the values: the ends first, then what there is room for.
x_axis() { # WIDTH in pixels
    echo "set xlabel $(quote "$x_key") noenhanced"
    KEY=$x_key awk -v log_x="$logx" -v numeric="$x_numeric" -v width="$1" -f "$lib/x_axis.awk" "$work/values"
    [[ -n $x_key ]] || echo "unset xlabel"
}

# ---- the list of pictures ----

csv_cell() { # TEXT
    if [[ $1 == *[,\"$'\n\r']* ]]; then printf '"%s"' "${1//\"/\"\"}"; else printf '%s' "$1"; fi
}

list_picture() { # NAME TITLE CAPTION SOURCES
    local cell row=''
    for cell in "$@" "$command"; do row+=${row:+,}$(csv_cell "$cell"); done
    echo "$row" >>"$work/pictures.csv"
}

# plots/pictures.csv tells what is there: report.sh shows these, and none that an earlier call left behind.
publish_list() {
    {
        echo "$list_mark"
        cat "$work/pictures.csv"
    } >"$work/list.csv"
    publish "$work/list.csv" "$out/pictures.csv"
    tell "$out/pictures.csv"
}
