# The varied keys of a comparison and their values, from summary.csv on stdin: "INDEX RANK VALUE KEY IS-NUMERIC",
# separated by tabs, a line for each value of each key; sorted by INDEX and RANK (numbers) the values are in their order.  RANK is
# the number itself where all values of a key are numbers (an empty cell aside: -, the run has no such key), for skip
# kinds the order in which they are always shown, else that of the file.
#
#   NAME=summary.csv awk -f csv.awk -f records.awk -f skips.awk -f keys.awk

BEGIN { n_kinds = skip_kinds(kinds) }

NR == 1 {
    n_columns = read_header($0, column)
    if (!("metric" in column)) fail("no column metric: not written by skipnet compare")
    n_keys = column["metric"] - 1
    for (name in column) name_of[column[name]] = one_line(name)
    for (k = 1; k <= n_keys; k++) numeric[k] = 1
    next
}

{
    sub(/\r$/, "")
    if (split_line($0, cell) != n_columns) fail("line " NR ": not as many cells as the header has")
    for (k = 1; k <= n_keys; k++) {
        value = one_line(cell[k])
        if ((k, value) in seen) continue
        seen[k, value] = 1
        values[k, ++n_values[k]] = value
        if (value != "" && (!is_number(value) || is_not_finite(value))) numeric[k] = 0
    }
}

function rank(k, i,    value, r) {
    value = values[k, i]
    if (name_of[k] == "network.skip.kind")
        for (r = 1; r <= n_kinds; r++)
            if (value == kinds[r]) return r - n_kinds
    if (!numeric[k]) return i
    return value == "" ? "-1e999" : value
}

END {
    if (failed) exit 2
    if (NR < 2) fail("no rows: no run was compared")
    for (k = 1; k <= n_keys; k++)
        for (i = 1; i <= n_values[k]; i++)
            printf "%d\t%s\t%s\t%s\t%d\n", k, rank(k, i), values[k, i] == "" ? "-" : values[k, i], name_of[k],
                numeric[k]
}
