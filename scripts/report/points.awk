# A table of points by metrics, from summary.csv or differences.csv on stdin: lines "SORT-KEY ROW", separated by a tab,
# ROW being HTML.  Lines to be sorted by the key; the head of the table, which comes first, has none.
#
#   NAME=summary.csv awk -v values=FILE -v metrics="train_loss steps" -f csv.awk -f records.awk -f html.awk -f points.awk
#
# values is what plot/keys.awk wrote, sorted.  A cell is the mean and half of its 95 % interval where there is one,
# else the median: one run's value, or, marked, what was left where a seed diverged.  Metrics without any value at any
# point are left out; nothing is written where none is left.

function read_values(    line, part) {
    while ((getline line < values) > 0) {
        split(line, part, "\t")
        place[part[1], part[3] == "-" ? "" : part[3]] = n_places[part[1]]++
    }
}

BEGIN {
    n_metrics = split(metrics, metric, " ")
    for (i = 1; i <= n_metrics; i++) wanted[metric[i]] = 1
    read_values()
}

NR == 1 {
    n_columns = read_header($0, column)
    for (name in column) name_of[column[name]] = name
    n_keys = column["metric"] - 1
    next
}

function figure(    mean, high, text) {
    mean = cell[column["mean"]]
    high = cell[column["ci95_high"]]
    if (cell[column["n_diverged"]] + 0 > 0) {
        text = cell[column["median"]]
        return text == "" ? "†" : short(text, 4) "†"
    }
    if (mean == "") return short(cell[column["median"]], 4)
    if (!is_number(high) || !is_number(mean) || high == mean) return short(mean, 4)
    return short(mean, 4) "<small> ± " short(high - mean, 2) "</small>"
}

# How many runs the point has, and what became of those that have no figures.
function runs_of_point(    list, n, word, i, count) {
    n = split("diverged missing failed running", word, " ")
    for (i = 1; i <= n; i++) {
        count = cell[column["n_" word[i]]]
        if (count + 0 > 0) list = list (list == "" ? "" : ", ") count " " word[i]
    }
    return html(cell[column["n_runs"]] (list == "" ? "" : " (" list ")"))
}

function add_point(id,    k, value) {
    for (k = 1; k <= n_keys; k++) {
        value = one_line(cell[k])
        sort_key[id] = sort_key[id] sprintf("%05d", place[k, value])
        keys_of[id] = keys_of[id] "<th scope=\"row\">" (value == "" ? "–" : short(value, 6)) "</th>"
    }
    n_of[id] = runs_of_point()
    order[++n_points] = id
}

{
    sub(/\r$/, "")
    if (split_line($0, cell) != n_columns) fail("line " NR ": not as many cells as the header has")
    name = cell[column["metric"]]
    if (!(name in wanted)) next
    id = ""
    for (k = 1; k <= n_keys; k++) id = id cell[k] "\037"
    if (!(id in keys_of)) {
        keys_of[id] = ""
        add_point(id)
    }
    figure_of[id, name] = figure()
    if (cell[column["median"]] != "") measured[name] = 1
}

function head(    k, i, text) {
    for (k = 1; k <= n_keys; k++) text = text "<th scope=\"col\">" html(name_of[k]) "</th>"
    text = text "<th scope=\"col\">n</th>"
    for (i = 1; i <= n_metrics; i++)
        if (metric[i] in measured) {
            name = metric[i]
            gsub(/_/, " ", name)
            text = text "<th scope=\"col\">" html(name) "</th>"
            n_shown++
        }
    return text
}

END {
    if (failed) exit 2
    row = head()
    if (!n_shown) exit
    print "\t<thead><tr>" row "</tr></thead>"
    for (p = 1; p <= n_points; p++) {
        row = keys_of[order[p]] "<td>" n_of[order[p]] "</td>"
        for (i = 1; i <= n_metrics; i++)
            if (metric[i] in measured) row = row "<td>" figure_of[order[p], metric[i]] "</td>"
        print "k" sort_key[order[p]] "\t<tr>" row "</tr>"
    }
}
