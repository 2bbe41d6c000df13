# The runs of runs.csv on stdin: lines "STATUS PATH NAME", separated by tabs, NAME being the last part of the path, or
# empty where another run has the same one; the varied keys go to FILE, one a line, and the seeds, as
# plot/keys.awk has the values of keys, to SEEDS.
#
#   NAME=runs.csv awk -v keys=FILE -v seeds=SEEDS -f csv.awk -f records.awk -f list.awk

NR == 1 {
    n_columns = read_header($0, column)
    if (!("run" in column) || !("status" in column)) fail("no column run or status: not written by skipnet compare")
    for (name in column) name_of[column[name]] = name
    for (c = column["run"] + 1; c < column["status"]; c++) print one_line(name_of[c]) > keys
    next
}

{
    sub(/\r$/, "")
    if (split_line($0, cell) != n_columns) fail("line " NR ": not as many cells as the header has")
    path = cell[column["run"]]
    path = one_line(path)
    status_of[++n_runs] = one_line(cell[column["status"]])
    path_of[n_runs] = path
    sub(/\/+$/, "", path)
    sub(/^.*\//, "", path)
    last_part[n_runs] = path
    n_called[path]++
    if (!("seed" in column) || (cell[column["seed"]] in seen)) next
    seen[cell[column["seed"]]] = 1
    seed = one_line(cell[column["seed"]])
    printf "0\t%s\t%s\tseed\t1\n", seed, seed > seeds
}

END {
    if (failed) exit 2
    for (i = 1; i <= n_runs; i++)
        print status_of[i] "\t" path_of[i] "\t" (n_called[last_part[i]] == 1 ? last_part[i] : "")
}
