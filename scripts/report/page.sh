# shellcheck shell=bash disable=SC2154 # part of report.sh, which sets and uses the variables
# What the page of report.sh says: facts are read from the CSV files, the runs' config.json and run.json (as far as the
# directories are where runs.csv says, or in the directory of the report), then written section by section.

most_rows=200  # of points in a table
most_runs=100  # listed one by one
most_values=12 # of a varied key

machine_keys="program|precision|cpu|simd|compiler|openblas|openblas_core|threads"
result_metrics="train_loss test_loss train_accuracy test_accuracy"
gradient_metrics="log10_delta_ratio_start log10_delta_ratio decades_per_layer_start decades_per_layer
log10_delta_first_start log10_delta_first_end"
update_metrics="frozen_layers_start frozen_layers_end stalled_frac_start stalled_frac_end steps wall_s"

with_csv() { # FILE PROGRAM [AWK-OPTION...]: a program of this directory on a CSV file
    NAME=$1 awk "${@:3}" -f "$lib/plot/csv.awk" -f "$lib/plot/records.awk" -f "$lib/report/html.awk" \
        -f "$lib/report/$2.awk" <"$1" || exit 2
}

html() { # TEXT
    awk -f "$lib/plot/csv.awk" -f "$lib/report/html.awk" -f "$lib/report/escape.awk" <<<"$1"
}

# ---- facts ----

# In $work: key.names, seeds, runs.found (directories there are), runs.here (paths of those in DIR), statuses; sets
# n_runs and n_found.  A run that moved along with the report is known by its name, unless others have the same.
read_runs() {
    local path name
    NAME=$dir/runs.csv awk -v keys="$work/key.names" -v seeds="$work/seeds.raw" -f "$lib/plot/csv.awk" \
        -f "$lib/plot/records.awk" -f "$lib/report/list.awk" <"$dir/runs.csv" >"$work/runs" || exit 2
    : >>"$work/key.names"
    : >>"$work/seeds.raw"
    sort -t $'\t' -k2,2g "$work/seeds.raw" >"$work/seeds"
    n_runs=$(wc -l <"$work/runs")
    ((n_runs)) || fail 2 "$dir/runs.csv: no rows: no run was compared"
    cut -f1 "$work/runs" | sort | uniq -c | sort -s -k1,1nr | sed 's/^ *//' >"$work/statuses"
    while IFS=$'\t' read -r _ path name; do
        if [[ -n $name && -f $dir/$name/run.json ]]; then
            printf '%s\n' "$path" >>"$work/runs.here"
            printf '%s\0' "$dir/$name"
        elif [[ -f $path/run.json ]]; then
            printf '%s\0' "$path"
        fi
    done <"$work/runs" >"$work/runs.found"
    : >>"$work/runs.here"
    n_found=$(tr -dc '\0' <"$work/runs.found" | wc -c)
}

# Lines "KEY VALUE WHERE": what is equal, from at most 200 configs, evenly taken.
read_configs() {
    local configs=() path
    while IFS= read -r -d '' path; do
        [[ ! -f $path/config.json || ! -r $path/config.json ]] || configs+=("./${path#./}/config.json")
    done < <(awk -v RS='\0' -v ORS='\0' -v n="$n_found" 'n <= 200 || int(NR * 200 / n) > int((NR - 1) * 200 / n)' \
        <"$work/runs.found")
    configs=("${configs[@]/#.\/\//\/}")
    n_configs=${#configs[@]}
    : >"$work/equal"
    ((n_configs)) || return 0
    awk -v varied="$work/key.names" -f "$lib/report/flatten.awk" "${configs[@]}" >"$work/equal"
    : "${title:=$(config_text "${configs[0]}" name)}"
    : "${question:=$(config_text "${configs[0]}" comment)}"
}

# Lines "COUNT KEY: VALUE" of what run.json says of program and machine.
read_machines() {
    tr '\0' '\n' <"$work/runs.found" | sed 's|$|/run.json|' | tr '\n' '\0' |
        { xargs -0 -r grep -hoE "^  \"($machine_keys)\": .*" || true; } |
        sed 's/^  "\([a-z_]*\)": *"\{0,1\}/\1: /; s/"\{0,1\},\{0,1\}$//' | sort | uniq -c >"$work/machines"
}

# ---- sections ----

write_head() {
    local name=${title:-$(basename "$(readlink -f "$dir")")}
    cat <<END
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
$page_mark
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>$(html "$name")</title>
<style>
$(cat "$lib/report/style.css")
</style>
</head>
<body>
<h1>$(html "$name")</h1>
END
    [[ -z $question ]] || echo "<p class=\"question\">$(html "$question")</p>"
    cat <<END
<nav><a href="#setup">What was run</a><a href="#pictures">Pictures</a><a href="#figures">Figures</a>$(
        ! has_differences || echo '<a href="#differences">Differences</a>'
    )<a href="#runs">Runs</a><a href="#repeat">To repeat it</a></nav>
END
}

write_warnings() {
    local rest what n_gone
    rest=$(sed '/^[0-9]* done$/d' "$work/statuses" | paste -sd, | sed 's/,/, /g')
    [[ -z $rest ]] || echo "<p class=\"warning\">Of $n_runs runs not all are done: $(html "$rest"). A diverged run is" \
        "a result, but its point has no mean and no interval; an unfinished one does not count.</p>"
    what=$(awk '{ key = $2; sub(/:$/, "", key); if (key != "threads") n[key]++ }
        END { for (key in n) if (n[key] > 1) print key }' "$work/machines" | sort | paste -sd, | sed 's/,/, /g')
    [[ -z $what ]] || echo "<p class=\"warning\">Runs differ in $(html "$what"), so their last digits may too: see" \
        "<a href=\"#machines\">program and machine</a>.</p>"
    n_gone=$((n_runs - n_found - $(awk -F'\t' '$1 == "missing" || $1 == "failed"' "$work/runs" | wc -l)))
    ((n_gone <= 0)) || echo "<p class=\"warning\">$n_gone of $n_runs run directories are not where" \
        "runs.csv has them; what follows of their configs and machines is that of the others.</p>"
}

write_setup() {
    echo '<h2 id="setup">What was run</h2>'
    echo "<p>$n_runs runs: $(html "$(paste -sd, "$work/statuses" | sed 's/,/, /g')").</p>"
    write_warnings
    echo "<h3>What differs between the runs</h3>"
    if [[ -s $work/key.names ]]; then
        NAME=$dir/runs.csv awk -v most="$most_values" -f "$lib/plot/csv.awk" -f "$lib/report/html.awk" \
            -f "$lib/report/varied.awk" "$work/values" "$work/seeds"
    else
        echo "<p>Nothing that a config says.</p>"
    fi
    [[ -s $work/equal ]] || return 0
    echo "<h3>What is equal</h3><table class=\"facts many\"><tbody>"
    awk -F'\t' -v n="$n_configs" -f "$lib/plot/csv.awk" -f "$lib/report/html.awk" -f "$lib/report/equal.awk" \
        "$work/equal"
    echo "</tbody></table>"
    ((n_configs == n_found)) || echo "<p class=\"note\">As $n_configs of the $n_runs configs have it.</p>"
}

write_picture() { # NUMBER NAME TITLE CAPTION SOURCES COMMAND
    local file sources='' svg=$dir/plots/$2.svg
    if [[ ! -f $svg || ! -r $svg ]] || ! TITLE=$3 awk -v prefix="p$1-" \
        -f "$lib/plot/csv.awk" -f "$lib/report/html.awk" -f "$lib/report/svg.awk" <"$svg" >"$work/svg"; then
        echo "<p class=\"warning\">$(html "$3"): there is no picture of it, plots/$2.svg.</p>"
        return
    fi
    for file in $5; do
        [[ ! $file =~ ^[a-z]+\.csv$ ]] || sources+="${sources:+, }<a href=\"./$file\">$file</a>"
    done
    echo "<figure>"
    cat "$work/svg"
    echo "<figcaption>$(html "$4") From $sources by <code>$(html "$6")</code>; also as" \
        "<a href=\"./plots/$2.png\">PNG</a> and <a href=\"./plots/$2.svg\">SVG</a>.</figcaption></figure>"
}

write_pictures() {
    local n=0 name heading caption sources made_by
    echo '<h2 id="pictures">Pictures</h2>'
    NAME=$dir/plots/pictures.csv awk -f "$lib/plot/csv.awk" -f "$lib/plot/records.awk" -f "$lib/report/pictures.awk" \
        <"$dir/plots/pictures.csv" >"$work/pictures"
    while IFS=$'\t' read -r name heading caption sources made_by; do
        n=$((n + 1))
        write_picture "$n" "$name" "$heading" "$caption" "$sources" "$made_by"
    done <"$work/pictures"
}

write_table() { # FILE VALUES METRICS
    with_csv "$1" points -v values="$2" -v metrics="$3" >"$work/table"
    [[ -s $work/table ]] || return 0
    grep -v '^k' "$work/table" | sed 's/^\t//; s/^/<div class="wide"><table>/'
    echo "<tbody>"
    grep '^k' "$work/table" | sort -t $'\t' -k1,1 | head -n "$most_rows" | cut -f2- || true
    echo "</tbody></table></div>"
}

write_tables() { # FILE VALUES
    local metrics n_points
    for metrics in "$result_metrics" "$gradient_metrics" "$update_metrics"; do write_table "$1" "$2" "$metrics"; done
    n_points=$(grep -c '^k' "$work/table") || true
    ((n_points <= most_rows)) || echo "<p class=\"note\">The first $most_rows of $n_points points.</p>"
    echo "<p class=\"note\">Mean ± half of its 95 % interval by Student's t over n seeds; without ±: one run, or all" \
        "equal to the last digit. † a seed diverged: the median of what was measured last, no mean." \
        "All digits, median, least and greatest: <a href=\"./${1##*/}\">${1##*/}</a>.</p>"
}

write_figures() {
    echo '<h2 id="figures">Figures</h2>'
    write_tables "$dir/summary.csv" "$work/values"
    has_differences || return 0
    echo '<h2 id="differences">Differences between skip kinds</h2>'
    echo "<p>Paired by seed: equal seeds start from equal weights and see equal batches.</p>"
    list_values "$dir/differences.csv" >"$work/differences.values"
    write_tables "$dir/differences.csv" "$work/differences.values"
}

has_differences() {
    [[ -f $dir/differences.csv ]] && (($(wc -l <"$dir/differences.csv") > 1))
}

write_runs() {
    echo '<h2 id="runs">Runs</h2>'
    with_csv "$dir/runs.csv" runs -v most="$most_runs" -v here="$work/runs.here"
    [[ -s $work/machines ]] || return 0
    echo '<h3 id="machines">Program and machine</h3><table class="facts"><tbody>'
    awk -v n="$n_found" '
        { count = $1; key = $2; sub(/:$/, "", key); sub(/^ *[0-9]+ [a-z_]+: /, "") }
        { print key "\t" $0 (count < n ? " (" count " runs)" : "") }' "$work/machines" |
        awk -F'\t' -f "$lib/plot/csv.awk" -f "$lib/report/html.awk" -f "$lib/report/equal.awk"
    echo "</tbody></table>"
}

write_repeat() {
    local n_cells where
    where=$(quoted "$dir")
    echo '<h2 id="repeat">To repeat it</h2>'
    if [[ -f $dir/cells.txt && -r $dir/cells.txt ]]; then
        n_cells=$(wc -l <"$dir/cells.txt")
        echo "<p><a href=\"./cells.txt\">cells.txt</a> has a command for each of $n_cells runs, the first being</p>"
        echo "<pre>$(html "$(head -n 1 "$dir/cells.txt")")</pre><p>All of them, a run per processor:</p>"
        echo "<pre>parallel &lt; $(html "$where")/cells.txt</pre>"
    elif ((n_configs)); then
        echo "<p>Each run's config.json repeats it, to the same bytes on an equal machine:</p>"
        echo "<pre>skipnet train RUN/config.json --out ELSEWHERE</pre>"
    fi
    echo "<p>Then these CSV files, the pictures and this page:</p><pre>$(html "skipnet compare $where --out $where
skipnet-plot $where
skipnet-report $where")</pre>"
}

write_words() {
    cat <<'END'
<h2>Words</h2>
<p class="note"><b>delta_rms</b>: gradient of a sample's own loss by a layer's output, root mean square. <b>log10 delta
ratio</b>: that of the first hidden layer over that of the last; negative: vanishing. <b>Decades per layer</b>: its slope
towards the input. <b>Stalled</b>: the share of weights that were meant to change and kept all bits. A layer is
<b>frozen</b> where that is above one half, or where nothing changed although the network has a gradient. <b>Start</b>
is step 0, <b>end</b> the last update. <b>Diverged</b>: a loss or gradient was not finite, and the run ended there.</p>
END
}

write_page() {
    local n_runs n_found n_configs
    read_runs
    read_configs
    read_machines
    list_values "$dir/summary.csv" >"$work/values"
    write_head
    write_setup
    write_pictures
    write_figures
    write_runs
    write_repeat
    write_words
    echo "</body>"
    echo "</html>"
}
