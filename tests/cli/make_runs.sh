#!/usr/bin/env bash
# Makes many run directories out of two real ones, to see how the comparison copes: widths 1 to N, each plain and
# residual, with seeds 1 to 5.  The CSV files are hard links, so ten thousand runs take little room.
set -euo pipefail
export LC_ALL=C

usage() {
    cat <<'END'
usage: make_runs.sh SKIPNET DIR N [DEPTH]

Trains two runs of DEPTH (default 50) hidden layers with the program SKIPNET, then writes 10 N run directories
DIR/width=W,skip=S,seed=K that differ from them in these keys.  To measure the comparison of 10000 runs:

    tests/cli/make_runs.sh build/release/skipnet /tmp/many 1000
    time build/release/skipnet compare /tmp/many --out /tmp/many > /dev/null
END
}

if [[ ${1:-} == -h || ${1:-} == --help ]]; then usage && exit 0; fi
(($# >= 3)) || { usage >&2 && exit 2; }
skipnet=$1 out=$2 n=$3 depth=${4:-50}
mkdir -p "$out"
templates=$(mktemp -d "$out/.templates-XXXXXX")
trap 'rm -rf "$templates"' EXIT

cat >"$templates/many.json" <<END
{
  "name": "many",
  "data": {"kind": "spirals", "samples": 1000, "test_samples": 100},
  "network": {"depth": $depth, "width": 8},
  "train": {"batch_size": 100, "steps": 1000}
}
END
# Paths by their directories' index, as awk and xargs want them: one a line.
for skip in none add; do
    "$skipnet" train "$templates/many.json" -q --threads 1 --set network.skip.kind=$skip --out "$templates/$skip"
    for ((width = 1; width <= n; width++)); do
        printf '%s\n' "$out/width=$width,skip=$skip,seed="{1..5}
    done >"$templates/$skip.list"
    tr '\n' '\0' <"$templates/$skip.list" | xargs -0 mkdir -p
    tr '\n' '\0' <"$templates/$skip.list" | xargs -0 -n 1 ln -f "$templates/$skip/loss.csv" "$templates/$skip/gradients.csv"
    # Each template file is held in memory and written once per directory with its own width, seed and test loss.
    awk -v template="$templates/$skip" '
        BEGIN {
            n_files = split("config.json run.json", file, " ")
            for (f = 1; f <= n_files; f++)
                while ((getline line < (template "/" file[f])) > 0) text[f, ++n_lines[f]] = line
        }
        {
            width = $0; sub(/.*width=/, "", width); sub(/,.*/, "", width)
            seed = $0; sub(/.*seed=/, "", seed)
            for (f = 1; f <= n_files; f++) {
                path = $0 "/" file[f]
                for (i = 1; i <= n_lines[f]; i++) {
                    line = text[f, i]
                    if (line ~ /^  "seed": /) line = "  \"seed\": " seed ","
                    if (line ~ /^    "width": /) line = "    \"width\": " width ","
                    if (line ~ /^    "test_loss": /) line = "    \"test_loss\": " width + seed / 8 ","
                    print line >path
                }
                close(path)
            }
        }' "$templates/$skip.list"
done
