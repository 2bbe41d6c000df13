# The runs of runs.csv on stdin: lines "STATUS PATH", separated by a tab; the varied keys go to FILE, one a line, and
# the seeds, as plot/keys.awk has the values of keys, to SEEDS.
#
#   NAME=runs.csv awk -v keys=FILE -v seeds=SEEDS -f csv.awk -f list.awk

NR == 1 {
    n_columns = read_header($0, column)
    if (!("run" in column) || !("status" in column)) fail("no column run or status: not written by skipnet compare")
    for (name in column) name_of[column[name]] = name
    for (c = column["run"] + 1; c < column["status"]; c++) print name_of[c] > keys
    next
}

{
    sub(/\r$/, "")
    if (split_line($0, cell) != n_columns) fail("line " NR ": not as many cells as the header has")
    path = cell[column["run"]]
    gsub(/[\001-\037]/, " ", path)
    print cell[column["status"]] "\t" path
    if (!("seed" in column) || (cell[column["seed"]] in seen)) next
    seen[cell[column["seed"]]] = 1
    printf "0\t%s\t%s\tseed\t1\n", cell[column["seed"]], cell[column["seed"]] > seeds
}
