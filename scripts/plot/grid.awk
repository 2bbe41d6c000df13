# The points of a comparison in the order in which they are drawn, from summary.csv on stdin.  One line per point and
# metric, separated by tabs, to be sorted by the first four fields:
#
#   1 skip kind   2 combination of the other keys   3 place on x   4 place on y   (counted from 0, with leading zeros)
#   5 metric   6 n_runs   7 n_diverged   8 mean   9 median   10 min   11 max   12 ci95_low   13 ci95_high
#   14 x   15 y   16 name of the skip kind   17 name of the combination   18 the cells of the keys, joined by \037
#
#   NAME=summary.csv X_KEY=network.depth Y_KEY= awk -v values=FILE -v runs=runs.csv -f csv.awk -f records.awk -f grid.awk
#
# values is what keys.awk wrote, sorted.  Metrics besides those of summary.csv: frozen_share_start and frozen_share_end,
# frozen_layers_* over n_hidden, which runs.csv knows.  Points that have no numeric x (y) are left out and told of,
# those without a finished run are left out.

function read_values(    line, part) {
    while ((getline line < values) > 0) {
        split(line, part, "\t")
        if (part[3] == "-") part[3] = ""
        if (part[3] != "" && part[5]) number[part[1], ++n_numbers[part[1]]] = part[3]
        place[part[1], part[3]] = n_values[part[1]]++
        name_of[part[1]] = part[4]
        is_numeric[part[1]] = part[5]
        if (part[1] > n_keys) n_keys = part[1]
    }
    for (k = 1; k <= n_keys; k++) {
        if (name_of[k] == ENVIRON["X_KEY"]) x_key = k
        if (name_of[k] == ENVIRON["Y_KEY"]) y_key = k
        if (name_of[k] == "network.skip.kind") skip_key = k
        short[k] = name_of[k]
        sub(/^.*\./, "", short[k])
        n_short[short[k]]++
        n_digits[k] = digits_apart(number, n_numbers, k, 6)
    }
    for (k = 1; k <= n_keys; k++)
        if (n_short[short[k]] > 1) short[k] = name_of[k]
}

# The key cells of runs.csv are those of summary.csv and, at the end, the seed.
function read_runs(    line, next_line, at, cell, id, k) {
    getline line < runs
    read_header(line, at)
    while ((getline line < runs) > 0) {
        while (gsub(/"/, "\"", line) % 2 && (getline next_line < runs) > 0) line = line "\n" next_line
        split_line(line, cell)
        id = ""
        for (k = 1; k <= n_keys; k++) id = id one_line(cell[at[name_of[k]]]) "\037"
        if (cell[at["n_hidden"]] != "") n_hidden[id] = cell[at["n_hidden"]]
    }
    close(runs)
}

function short_number(k, value) {
    return is_numeric[k] && length(value) > 8 ? sprintf("%." n_digits[k] "g", value) : value
}

function share(value, n) {
    return is_number(value) && n > 0 ? value / n : value
}

# One line; `by` is what the values are divided by, 0 for as they are.
function put(metric, by,    line, i) {
    line = skip_place "\t" combination "\t" x_place "\t" y_place "\t" metric
    for (i = 1; i <= n_figures; i++)
        line = line "\t" (by && i > 2 ? share(value_of[i], by) : value_of[i])
    print line "\t" x "\t" y "\t" skip "\t" (label == "" ? "all" : label) "\t" id
}

function read_point(    k) {
    id = combination = label = skip = ""
    for (k = 1; k <= n_keys; k++) {
        cell[k] = one_line(cell[k])
        id = id cell[k] "\037"
        if (k == skip_key) skip = cell[k]
        if (k == x_key || k == y_key || k == skip_key) continue
        combination = combination sprintf("%05d", place[k, cell[k]])
        if (cell[k] != "") label = label (label == "" ? "" : ", ") short[k] " = " short_number(k, cell[k])
    }
    skip_place = sprintf("%05d", skip_key ? place[skip_key, skip] : 0)
    combination = "c" combination
    x = x_key ? cell[x_key] : "all runs"
    y = y_key ? cell[y_key] : ""
    x_place = sprintf("%05d", x_key ? place[x_key, x] : 0)
    y_place = sprintf("%05d", y_key ? place[y_key, y] : 0)
    if (x == "") x = "not set"
}

BEGIN {
    n_figures = split("n_runs n_diverged mean median min max ci95_low ci95_high", figure, " ")
    read_values()
}

NR == 1 {
    n_columns = read_header($0, column)
    for (i = 1; i <= n_figures; i++)
        if (!(figure[i] in column)) fail("no column " figure[i] ": not written by skipnet compare")
    read_runs()
    next
}

{
    sub(/\r$/, "")
    if (split_line($0, cell) != n_columns) fail("line " NR ": not as many cells as the header has")
    if (cell[column["n_runs"]] + 0 == 0) next # summary.csv counts what there is to come
    read_point()
    if ((is_numeric[x_key] && x == "not set") || (is_numeric[y_key] && y == "")) {
        if (!(id in left_out)) n_left_out++
        left_out[id] = 1
        next
    }
    for (i = 1; i <= n_figures; i++) value_of[i] = checked(cell[column[figure[i]]], figure[i])
    metric = one_line(cell[column["metric"]])
    if (metric ~ /^frozen_share_/) next
    put(metric, 0)
    if (metric ~ /^frozen_layers_/) {
        sub(/layers/, "share", metric)
        put(metric, n_hidden[id])
    }
}

END {
    if (failed) exit 2
    if (n_left_out) printf "%s: %d points without %s are not drawn over it\n", ENVIRON["NAME"], n_left_out,
        ENVIRON["X_KEY"] (y_key ? " or " ENVIRON["Y_KEY"] : "") > "/dev/stderr"
}
