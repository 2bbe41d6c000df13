# The points of curves.awk over x as files that gnuplot draws.  A series is PREFIX.PANEL.COLOUR.VARIANT, the variants
# being the metrics of `metrics` (separated by blanks, counted from 0):
#
#   .line      X Y of what the curve goes through, blank lines where it breaks
#   .band      X LOW HIGH where there are several runs, blank lines as above
#   .bar       the same of points that have no neighbour, and of all with places=1
#   .zero .bad X of exact zeros, of values that are not finite
#   .lost      X TEXT where a seed diverged, with the count: what it measured last is no result and belongs to no curve
#   .diverged  X Y TEXT of the same where Y is from before: metrics of step 0, whose mean summary.csv leaves out
#
#   awk -v out=PREFIX -v metrics="train_loss test_loss" -v scale=log -v band=range -v logx=1 -v places=0 -f bands.awk
#
# scale: log (Y becomes log10), decades (values are log10 already, -inf an exact zero) or linear.  band: range (median,
# least to greatest) or ci95 (mean and its interval).  places=1: X is the place among the values, whatever these are,
# and variants stand side by side, with n_slots > 1 the colours too.  PREFIX.extent gets the least and the greatest Y.

BEGIN {
    FS = "\t"
    n_variants = split(metrics, metric, " ")
    for (i = 1; i <= n_variants; i++) variant[metric[i]] = i - 1
    below = -99999
}

function log10(v) {
    return log(v) / log(10)
}

# A number, or "" (not measured), "zero", "bad".
function height(v) {
    if (v == "") return ""
    if (v == "-inf" && scale == "decades") return "zero"
    if (v ~ /^[-+]?(nan|inf)$/) return "bad"
    if (scale == "decades" && (v > 700 || v < -700)) return v < 0 ? "zero" : "bad" # no quotient of numbers has it
    if (scale != "log") return v
    return v > 0 ? log10(v) : "zero"
}

function abscissa(    slot, apart) {
    if (!places) return logx ? log10($14) : $14
    slot = (n_slots > 1 ? $2 * n_variants : 0) + variant[$5] - (n_slots * n_variants - 1) / 2
    apart = 0.7 / (n_slots * n_variants)
    return $3 + slot * (apart < 0.1 ? apart : 0.1)
}

# Files are written at the end, one after the other: there may be more of them than can be open at once.
function put(file, text) {
    content[file] = content[file] text "\n"
}

function extend(y) {
    if (y == below) return
    if (!n_heights || y < lowest) lowest = y
    if (!n_heights++ || y > highest) highest = y
}

# A stretch of a band that has come to its end: a lone point has no area.
function flush(file) {
    if (n_stretch[file] == 1) put(file ".bar", last[file])
    n_stretch[file] = 0
}

function add_band(file, x, y, low, high) {
    low = height(low)
    high = height(high)
    if (low == "zero") low = below # an interval that reaches zero or less has no lower end on a log axis
    if (low == "" || low == "bad" || high == "" || high == "zero" || high == "bad") return 0
    extend(scale == "linear" && low < 0 && y >= 0 ? 0 : low) # no axis below zero for the sake of an interval
    extend(high)
    last[file] = sprintf("%s %.12g %.12g", x, low, high)
    if (places) {
        put(file ".bar", last[file])
        return 1
    }
    if (!n_stretch[file] && banded[file]) put(file ".band", "")
    put(file ".band", last[file])
    banded[file] = 1
    n_stretch[file]++
    return 1
}

function break_at(file) {
    flush(file)
    if (lined[file]) is_broken[file] = 1
}

function is_finite(y) {
    return y != "" && y != "bad" && y != "zero"
}

function add_diverged(file, x, y, text) {
    if ($5 !~ /_start$/ || !is_finite(y)) {
        put(file ".lost", x " " text)
        return
    }
    extend(y)
    put(file ".diverged", x " " y " " text)
}

($5 in variant) && $6 > 0 {
    file = out "." $1 "." $2 "." variant[$5]
    files[file] = 1
    if (file in curve && curve[file] != $NF) break_at(file)
    curve[file] = $NF
    x = sprintf("%.12g", abscissa())
    y = height(band == "ci95" && $8 != "" ? $8 : $9)
    diverged = $7 > 0 && !($5 ~ /_start$/ && band == "range")
    if (diverged) add_diverged(file, x, y, $7 "/" $6)
    else if (y == "zero" || y == "bad") put(file "." y, x)
    if (diverged || !is_finite(y)) {
        break_at(file)
        next
    }
    extend(y)
    if (is_broken[file]) put(file ".line", "")
    put(file ".line", sprintf("%s %.12g", x, y))
    lined[file] = 1
    is_broken[file] = 0
    if ($6 < 2 || !add_band(file, x, y, band == "ci95" ? $12 : $10, band == "ci95" ? $13 : $11)) flush(file)
}

END {
    for (file in files) flush(file)
    if (n_heights) put(out ".extent", sprintf("%.12g\n%.12g", lowest, highest))
    for (file in content) {
        printf "%s", content[file] > file
        close(file)
    }
}
