# Which row of panels and which colour the profile of each point has, from the points of curves.awk:
# "ROW.COLOUR CELLS", CELLS as in grid.awk, separated by a tab.
#
#   X_PREFIX='depth = ' awk -F'\t' -v by_x=1 -v most_rows=12 -v rows=FILE -v inks=FILE -f viridis.awk \
#       -f profile_points.awk CURVES CURVES
#
# by_x=1: a row for each curve (skip kind and combination), coloured by x, of at most 8 x;
# by_x=0: one row, a colour for each point, those of the skip kinds (ink_list) where these alone tell the points apart.
# Of more curves than most_rows every skip kind keeps as many, of the same combinations.  rows and inks get titles and
# the lines "RRGGBB TITLE"; the last line of rows is how many curves there are.

BEGIN {
    split(ink_list, ink, " ")
    n_palette = split("0072B2 D55E00 009E73 CC79A7 E69F00 56B4E9 000000 882255", palette, " ")
}

function hex(rgb,    part) {
    split(rgb, part, " ")
    return sprintf("%02X%02X%02X", part[1], part[2], part[3])
}

function name_of_curve() {
    return ($16 == "" ? "" : $16) ($17 == "all" ? "" : ($16 == "" ? "" : ", ") $17)
}

NR == FNR {
    if (!($NF in is_curve)) n_curves++
    is_curve[$NF] = 1
    split($NF, part, ".")
    if (part[1] >= n_skips) n_skips = part[1] + 1
    if (part[2] >= n_combinations) n_combinations = part[2] + 1
    if ($3 + 0 >= n_places) n_places = $3 + 1
    has_x[part[2], $3 + 0] = 1
    next
}

# The combinations that are kept, as many for every skip kind.
function choose_combinations(    n_kept, i) {
    n_kept = int(most_rows / n_skips)
    if (n_kept < 1) n_kept = 1
    if (n_kept > n_combinations) n_kept = n_combinations
    for (i = 0; i < n_kept; i++) kept[n_kept > 1 ? int(i * (n_combinations - 1) / (n_kept - 1) + 0.5) : 0] = 1
}

# Their places on x, or 8 of these, the first and the last among them; shade goes from 0 to 1.
function choose_places(    i, c, n, place, wanted) {
    for (i = 0; i < n_places; i++)
        for (c in kept)
            if ((c, i) in has_x) {
                place[n++] = i
                break
            }
    wanted = n < 8 ? n : 8
    for (i = 0; i < wanted; i++)
        shade[place[wanted > 1 ? int(i * (n - 1) / (wanted - 1) + 0.5) : 0]] = wanted > 1 ? i / (wanted - 1) : 0
}

FNR == 1 {
    choose_combinations()
    choose_places()
}

$18 in seen { next }

{ seen[$18] = 1 }

!by_x {
    name = name_of_curve()
    if (!($14 in is_x)) n_x += is_x[$14] = 1
    point[++n_points] = $18
    label[n_points] = name
    x[n_points] = $14
    colour[n_points] = $2 + 1
    n_of_colour[$2]++
    if (n_of_colour[$2] > 1) shared = 1
    next
}

{
    split($NF, part, ".")
    if (!(($3 + 0) in shade) || !(part[2] in kept)) next
    if (!($NF in row)) {
        row[$NF] = n_rows++
        print name_of_curve() > rows
    }
    if (!($3 in ink_of)) {
        ink_of[$3] = n_inks++
        print hex(viridis(0.92 * shade[$3 + 0])) "\t" ENVIRON["X_PREFIX"] $14 > inks
    }
    print row[$NF] "." ink_of[$3] "\t" $18
}

END {
    if (!by_x) print "" > rows
    print n_curves + 0 > rows
    if (by_x) exit
    for (i = 1; i <= n_points; i++) {
        name = label[i] (n_x > 1 && label[i] != x[i] ? (label[i] == "" ? "" : ", ") ENVIRON["X_PREFIX"] x[i] : "")
        print (shared ? palette[i] : ink[colour[i]]) "\t" (name == "" ? "all" : name) > inks
        print "0." i - 1 "\t" point[i]
    }
}
