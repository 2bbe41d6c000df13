# shellcheck shell=bash disable=SC2154 # part of sweep.sh, which sets the variables
# What became of the cells, out of their run directories and what sweep/cell.sh left in $log.

# The names of the finished runs below $out, a line each.
finished_runs() {
    find -L "$out" -mindepth 2 -maxdepth 2 -name run.json -type f \
        -exec grep -slE '"status": *"(done|diverged)"' {} + 2>/dev/null |
        sed 's|/run\.json$||; s|.*/||' | sort
}

# A cell's name has no slash and no quote in it.
cell_names() {
    sed "s|.*/||; s|'\$||" "$list"
}

# The names of the cells whose failure is remembered: those of this launch, or all that have not run since.
new_failures() {
    find "$log/failed" -maxdepth 1 -type f -newer "$list" -printf '%f\n' 2>/dev/null | sort || true
}

all_failures() {
    find "$log/failed" -maxdepth 1 -type f -printf '%f\n' 2>/dev/null | sort || true
}

# "LINE NAME" of each cell that is not finished, or that failed although a finished run lies there.
failed_cells() {
    awk '
        part == "finished" { finished[$0]; next }
        part == "failed" { failed[$0]; next }
        !($0 in finished) || $0 in failed { print FNR, $0 }' \
        part=finished <(finished_runs) part=failed <(all_failures) part=names <(cell_names)
}

# ---- while cells run ----

declare -A told=()       # failures
n_before=0               # cells that were finished when this launch began
next_line=5 line_every=5 # seconds from the begin to the next line where there is no terminal, and to the one after

count_finished() {
    comm -12 <(finished_runs) <(cell_names | sort) | wc -l
}

duration() { # SECONDS
    if (($1 < 100)); then
        echo "$1 s"
    elif (($1 < 6000)); then
        echo "$((($1 + 30) / 60)) min"
    else
        echo "$((($1 + 1800) / 3600)) h"
    fi
}

# How much of the cells at work is done, in cells.
part_done() {
    local file planned step
    find -L "$out" -mindepth 2 -maxdepth 2 -name loss.csv -type f -newer "$list" 2>/dev/null | while IFS= read -r file; do
        [[ -f ${file%loss.csv}run.json ]] || continue
        planned=$(sed -n 's/^ *"planned_steps": *\([0-9]*\).*/\1/p; T; q' "${file%loss.csv}run.json" 2>/dev/null)
        step=$(tail -n 2 "$file" | sed -n 's/^\([0-9]*\),.*/\1/p' | head -n 1)
        echo "${step:-0} ${planned:-0}"
    done | awk '$2 > 0 { sum += $1 / $2 } END { print sum + 0 }'
}

# "12 of 60 cells finished, 1 failed, about 7 min to go": as long as those before took, on the average.
progress_line() { # SECONDS-SINCE-BEGIN
    local n n_failed n_ended total left text seconds=''
    total=$(wc -l <"$list")
    n=$(count_finished)
    n_failed=$(new_failures | wc -l)
    n_ended=$((n - n_before + n_failed)) left=$((total - n - n_failed))
    text="$n of $total cells finished"
    ((n_failed == 0)) || text+=", $n_failed failed"
    ((n_ended > 0)) || n_ended=$(part_done)
    ((left <= 0)) || seconds=$(awk -v spent="$1" -v ended="$n_ended" -v left="$left" -v n="$((n - n_before + n_failed))" \
        'BEGIN { left -= n > 0 ? 0 : ended; if (ended > 0) printf "%.0f", spent * left / ended + 0.5 }')
    [[ -z $seconds ]] || text+=", about $(duration "$seconds") to go"
    echo "$text"
}

# The status, and the first line of what the cell said that is no warning.
reason_of() { # NAME
    awk '{ gsub(/[\001-\037\177]/, " ") }
        NR == 1 { status = $0; next }
        !/^warning: / { said = ": " $0; exit }
        END { print status said }' "$log/failed/$1"
}

tell_failures() {
    local name
    while IFS= read -r name; do
        [[ -z ${told[$name]:-} ]] || continue
        told[$name]=1
        echo "${1:-}${self%.sh}: $name failed: $(reason_of "$name")" >&2
    done < <(new_failures)
}

# Called now and then.  On a terminal there is a line that changes, elsewhere one after 5 seconds, 10, 20, ..., then one a
# minute.
show_progress() { # SECONDS-SINCE-BEGIN
    if [[ -t 2 ]]; then
        tell_failures $'\r\033[K'
        printf '\r\033[K%s' "$(progress_line "$1")" >&2
        return
    fi
    (($1 < 3)) || tell_failures
    (($1 >= next_line)) || return 0
    echo "${self%.sh}: $(progress_line "$1")" >&2
    next_line=$(($1 + line_every))
    line_every=$((line_every < 30 ? 2 * line_every : 60))
}

watch_cells() {
    local begin=$SECONDS last=$SECONDS
    while :; do
        pause 0.2
        ((SECONDS > last)) || continue
        last=$SECONDS
        show_progress $((SECONDS - begin))
    done
}

# ---- at the end ----

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
            if [[ -f $log/failed/$name ]]; then
                awk -v name="$name" '{ print (NR == 1 ? "  " name ": " : "      ") $0 }' "$log/failed/$name" |
                    tail_of_reason
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
