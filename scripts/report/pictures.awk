# The pictures that plot.sh listed: lines "NAME TITLE CAPTION SOURCES COMMAND", separated by tabs.
#
#   NAME=pictures.csv awk -f csv.awk -f pictures.awk

NR > 1 && split_line($0, cell) == 5 {
    for (i = 1; i <= 5; i++) {
        gsub(/\t/, " ", cell[i])
        printf "%s%s", cell[i], i < 5 ? "\t" : "\n"
    }
}
