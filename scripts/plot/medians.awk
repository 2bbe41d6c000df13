# delta_rms over depth at the first and the last measured update, the median over the seeds of a point, from
# profiles.csv on stdin: "ROW.COLOUR.STEP DEPTH_FRAC VALUE" (STEP 0 or 1) for series.awk.
#
#   NAME=profiles.csv awk -v points=FILE -v steps=FILE -f csv.awk -f records.awk -f medians.awk
#
# points has a line "ROW.COLOUR CELLS" for each point to be drawn, CELLS as in grid.awk, separated by a tab.
# A value of zero is the least of all, one that is not finite the greatest; between two the median is their geometric
# mean.  steps gets the numbers of the last steps.

BEGIN {
    while ((getline line < points) > 0) {
        split(line, part, "\t")
        series[part[2]] = part[1]
    }
}

NR == 1 {
    n_columns = read_header($0, column)
    for (name in column) name_of[column[name]] = name
    if (!("depth_frac" in column) || !("step" in column))
        fail("no column step or depth_frac: not written by skipnet compare")
    for (c = 2; name_of[c] != "step"; c++)
        if (name_of[c] != "seed") key[++n_keys] = c
    step = column["step"]
    layer = column["layer"]
    role = column["role"]
    frac = column["depth_frac"]
    delta = column["delta_rms"]
    next
}

{
    if (split_line($0, cell) != n_columns) fail("line " NR ": not as many cells as the header has")
    if (cell[role] != "hidden" || cell[delta] == "" || cell[frac] == "") next
    id = ""
    for (k = 1; k <= n_keys; k++) {
        id = id one_line(cell[key[k]]) "\037"
    }
    if (!(id in series)) next
    which = cell[step] + 0 > 0
    if (which && !(cell[step] in last_step)) {
        last_step[cell[step]] = 1
        print cell[step] > steps
    }
    place = series[id] "." which " " cell[layer]
    if (!(place in list)) {
        order[++n_places] = place
        depth[place] = checked(cell[frac], "depth_frac")
    }
    list[place] = list[place] " " checked(cell[delta], "delta_rms")
}

# Sortable: what is not finite is beyond every number.
function size(v) {
    return v ~ /n/ ? 1.7e308 : v + 0
}

function median(text,    n, v, i, j, moved, low, high) {
    n = split(text, v, " ")
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && size(v[j - 1]) > size(v[j]); j--) {
            moved = v[j]
            v[j] = v[j - 1]
            v[j - 1] = moved
        }
    low = v[int((n + 1) / 2)]
    high = v[int(n / 2) + 1]
    if (high ~ /n/) return "!"
    if (low + 0 <= 0) return 0
    return sprintf("%.15g", exp((log(low) + log(high)) / 2))
}

END {
    if (failed) exit 2
    for (i = 1; i <= n_places; i++) {
        split(order[i], part, " ")
        print part[1], depth[order[i]], median(list[order[i]])
    }
}
