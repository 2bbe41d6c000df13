# Looks over the form of a file of expectations on stdin, before hours of cells: prints "LINE: what is wrong" of the
# first fault and exits with 1.  What stands in the cells, `skipnet compare` judges at the end.

function refuse(line, message) {
    print line ": " message
    is_refused = 1
    exit 1
}

# The cells of the line, without quotes; 0 where a quoted cell goes on in the next line, which is left to compare.
function split_row(text, cell,    part, n, i, row) {
    n = split(text, part, "\"")
    if (n > 0 && n % 2 == 0) return 0
    for (i = 1; i <= n; i++) {
        if (i % 2 == 0) gsub(/,/, ";", part[i])
        row = row part[i]
    }
    n = split(row, cell, ",")
    for (i = 1; i <= n; i++) gsub(/^[ \t]+|[ \t]+$/, "", cell[i])
    return n
}

{ sub(/\r$/, "") }
FNR == 1 { sub(/^\357\273\277/, "") }
/^[ \t]*$/ {
    if (!blank) blank = FNR
    next
}
blank { refuse(blank, "a blank line before the end") }
{
    n = split_row($0, cell)
    if (n == 0) {
        n_rows++
        exit
    }
}
FNR == 1 {
    width = n
    if (n < 4 || cell[n - 3] != "metric" || cell[n - 2] != "statistic" || cell[n - 1] != "op" || cell[n] != "value")
        refuse(1, "the header should be keys of the configs, then metric,statistic,op,value")
    next
}
{
    n_rows++
    if (n != width) refuse(FNR, n " cells, the header has " width)
}

END {
    if (is_refused) exit 1
    if (!n_rows) refuse(1, "nothing to expect: " (width ? "there is nothing but a header" : "the file is empty"))
}
