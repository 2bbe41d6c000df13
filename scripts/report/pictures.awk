# The pictures that plot.sh listed: lines "NAME TITLE CAPTION SOURCES COMMAND", separated by tabs.  A name that plot.sh
# does not give could lead anywhere, and is left out.
#
#   NAME=pictures.csv awk -f csv.awk -f records.awk -f pictures.awk

NR > 1 && split_line($0, cell) == 5 && cell[1] ~ /^[a-z0-9][-a-z0-9]*$/ {
    for (i = 1; i <= 5; i++) printf "%s%s", cell[i] == "" ? " " : one_line(cell[i]), i < 5 ? "\t" : "\n"
}
