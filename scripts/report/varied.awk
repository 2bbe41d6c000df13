# The varied keys as a table, HTML: from the values as plot/keys.awk writes them, sorted.
#
#   awk -v most=12 -f csv.awk -f html.awk -f varied.awk FILE...
#
# Of more than `most` values the first and the last are told.

BEGIN { FS = "\t" }

{
    if (!($4 in n_values)) key[++n_keys] = $4
    value = $3 == "-" ? "(not set)" : short($3, 9)
    n_values[$4]++
    if (n_values[$4] <= most) list[$4] = list[$4] (n_values[$4] > 1 ? ", " : "") value
    if (n_values[$4] == 1) first[$4] = value
    last[$4] = value
}

END {
    print "<table class=\"facts\"><tbody>"
    for (k = 1; k <= n_keys; k++) {
        name = key[k]
        text = n_values[name] <= most ? list[name] : n_values[name] " values, " first[name] " to " last[name]
        print "<tr><th scope=\"row\"><code>" html(name) "</code></th><td>" text "</td></tr>"
    }
    print "</tbody></table>"
}
