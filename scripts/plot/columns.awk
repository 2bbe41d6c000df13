# Picks columns of a CSV file (RFC 4180) by the names in its header and writes them as a table for awk and gnuplot: one
# row per line, separated by blanks, "-" for an empty cell (not measured), "!" for nan, inf and -inf (not finite).
#
#   NAME=gradients.csv awk -v wanted="step role delta_rms" -v text=role -f csv.awk -f records.awk -f columns.awk <gradients.csv
#
# What is not in `text` must be a number.  NAME is for messages.  A last row that was cut short (a run that was killed)
# is left out and told of on stderr; anything else that is wrong ends with exit status 2.

function token(value, name) {
    if (value == "") return "-"
    if (name in is_text) {
        gsub(/[\001-\040\177]/, "_", value)
        return value
    }
    if (is_not_finite(value)) return "!"
    if (!is_number(value)) fail("line " NR ", column " name ": \"" value "\" is not a number")
    return value
}

BEGIN {
    may_be_cut = 1
    n_wanted = split(wanted, want, " ")
    n_text = split(text, texts, " ")
    for (i = 1; i <= n_text; i++) is_text[texts[i]] = 1
}

{ sub(/\r$/, "") }

cut_line { fail("line " cut_line ": " cut_cells " cells, but the header has " n_columns) }

NR == 1 {
    n_columns = read_header($0, column)
    for (i = 1; i <= n_wanted; i++)
        if (!(want[i] in column)) fail("no column " want[i] ": not written by skipnet train")
    next
}

{
    n_cells = split_line($0, cell)
    if (n_cells != n_columns) {
        cut_line = NR
        cut_cells = n_cells
        next
    }
    row = ""
    for (i = 1; i <= n_wanted; i++) row = row (i > 1 ? " " : "") token(cell[column[want[i]]], want[i])
    print row
    n_rows++
}

END {
    if (failed) exit 2
    if (is_open && !cut_line) cut_line = NR
    if (cut_line) printf "%s: line %d is cut short and left out\n", ENVIRON["NAME"], cut_line > "/dev/stderr"
    if (!n_rows) fail("no rows: nothing was measured yet")
}
