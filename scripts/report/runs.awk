# The table of runs from runs.csv on stdin, HTML: all of them, or, of more than `most`, those that are not done.
#
#   NAME=runs.csv awk -v most=100 -v here=FILE -f csv.awk -f records.awk -f html.awk -f runs.awk
#
# here: the runs that lie beside the report, by path, one a line; they become links of their name.

BEGIN {
    while ((getline line < here) > 0) beside[line] = 1
    n_shown = split("steps train_loss test_loss train_accuracy test_accuracy log10_delta_ratio frozen_layers_end wall_s",
        shown, " ")
}

NR == 1 {
    n_columns = read_header($0, column)
    head = "<th scope=\"col\">run</th><th scope=\"col\">status</th>"
    for (i = 1; i <= n_shown; i++) {
        name = shown[i]
        gsub(/_/, " ", name)
        head = head "<th scope=\"col\">" html(name) "</th>"
    }
    next
}

# Why a run failed, where runs.csv says so.
function reason(    text) {
    text = "reason" in column && cell[column["status"]] == "failed" ? cell[column["reason"]] : ""
    gsub(/[\001-\037]/, " ", text)
    return text == "" ? "" : ": " text
}

function table_row(    path, name, row, i) {
    path = cell[column["run"]]
    path = one_line(path)
    name = path
    sub(/\/+$/, "", name)
    sub(/^.*\//, "", name)
    row = "<th scope=\"row\">" (path in beside ? link(name "/", name) : html(path)) "</th><td>" \
        html(cell[column["status"]] reason()) "</td>"
    for (i = 1; i <= n_shown; i++) row = row "<td>" short(cell[column[shown[i]]], 5) "</td>"
    return "<tr" (cell[column["status"]] == "done" ? "" : " class=\"not-done\"") ">" row "</tr>"
}

{
    sub(/\r$/, "")
    if (split_line($0, cell) != n_columns) fail("line " NR ": not as many cells as the header has")
    is_done = cell[column["status"]] == "done"
    n_runs++
    if (n_runs <= most) first[n_runs] = table_row()
    if (!is_done && n_not_done++ < most) not_done[n_not_done] = table_row()
}

function write_table(rows, n,    i) {
    print "<div class=\"wide\"><table><thead><tr>" head "</tr></thead><tbody>"
    for (i = 1; i <= n; i++) print rows[i]
    print "</tbody></table></div>"
}

END {
    if (failed) exit 2
    if (n_runs <= most) {
        write_table(first, n_runs)
    } else if (n_not_done) {
        print "<p>Too many to list; of the " n_not_done " that are not done" \
            (n_not_done > most ? " the first " most : "") ":</p>"
        write_table(not_done, n_not_done < most ? n_not_done : most)
    } else {
        print "<p>Too many to list; all are done.</p>"
    }
    print "<p>All runs, all digits: " link("runs.csv", "runs.csv") ".</p>"
}
