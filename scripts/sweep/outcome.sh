# shellcheck shell=bash disable=SC2154 # part of sweep.sh, which sets the variables
# What became of the cells, out of their run directories and what sweep/cell.sh left in $log.

# The names of the finished runs below $out, a line each.
finished_runs() {
    find "$out" -mindepth 2 -maxdepth 2 -name run.json -exec grep -lE '"status": *"(done|diverged)"' {} + |
        sed 's|/run\.json$||; s|.*/||' | sort
}

# A cell's name has no slash and no quote in it.
cell_names() {
    sed "s|.*/||; s|'\$||" "$list"
}

# The lines whose cells failed in this launch.
failed_lines() {
    find "$log" -maxdepth 1 -name '*.failed' | sed 's|.*/||; s|\.failed$||'
}

# "LINE NAME" of each cell that is not finished, or that failed although a finished run lies there.
failed_cells() {
    awk '
        part == "finished" { finished[$0]; next }
        part == "failed" { failed[$0]; next }
        !($0 in finished) || FNR in failed { print FNR, $0 }' \
        part=finished <(finished_runs) part=failed <(failed_lines) part=names <(cell_names)
}

show_progress() {
    local n
    n=$(comm -12 <(finished_runs) <(cell_names | sort) | wc -l)
    printf '\r\033[K%d of %d cells finished' "$n" "$(wc -l <"$list")" >&2
}

# What a cell said before it failed, at most its last lines, and where one did not even end, what xargs said; 1 where
# none has failed.
list_failures() {
    local failures line name n_failed n_silent=0
    failures=$(failed_cells)
    [[ -n $failures ]] || return 1
    n_failed=$(wc -l <<<"$failures")
    {
        echo "${self%.sh}: $n_failed of $(wc -l <"$list") cells failed:"
        while read -r line name; do
            if [[ -f $log/$line.failed ]]; then
                sed "1s/^/  $name: /; 2,\$s/^/      /" "$log/$line.failed" | tail_of_reason
            else
                echo "  $name: did not end"
                n_silent=$((n_silent + 1))
                [[ ! -s $log/$line.err ]] || sed 's/^/      /' "$log/$line.err" | tail -n 5
            fi
        done <<<"$failures"
        ((n_silent == 0)) || [[ ! -s $log/xargs.err ]] || tail -n 5 "$log/xargs.err"
    } >&2
}

tail_of_reason() { # the first line, and the last five
    awk 'NR == 1 { print; next } { line[NR % 5] = $0 }
         END { for (i = NR > 6 ? NR - 4 : 2; i <= NR; i++) print line[i % 5] }'
}
