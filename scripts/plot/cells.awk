# The cells of maps over two keys, from the points of grid.awk: "COLUMN ROW COLOUR TEXT-COLOUR TEXT" for one metric and
# one map (skip kind and combination, the first two fields); colours are numbers as gnuplot's rgb variable takes them.
#
#   awk -v map=KEY -v metric=train_loss -v scale=log -v low=-3 -v high=0 -v diverged=FILE -f viridis.awk -f cells.awk
#
# low and high are the ends of the colours.  Where a seed diverged there is no value but the count; FILE gets these
# cells.  The texts have two to four digits, as many as the values of all maps of the metric need to be told apart.

BEGIN { FS = "\t" }

function pack(rgb,    part) {
    split(rgb, part, " ")
    return part[1] * 65536 + part[2] * 256 + part[3]
}

# The colour; sets light, whether dark text stands out on it.
function colour(v,    t) {
    light = 1
    if (v == "") return pack("255 255 255")
    if (v == "-inf" && scale == "decades" || scale == "log" && v + 0 <= 0 && v !~ /n/) return pack("211 211 211")
    if (v ~ /^[-+]?(nan|inf)$/) return pack("213 94 0")
    t = ((scale == "log" ? log(v) / log(10) : v) / 2 - low / 2) / (high / 2 - low / 2) # halves: no overflow
    light = t > 0.6
    return pack(viridis(t))
}

function text(v) {
    if (v == "") return ""
    if (v ~ /n/) return v
    return sprintf(v + 0 != 0 && (v < 0.01 && v > -0.01) ? "%.0e" : "%." n_digits "g", v)
}

# The fewest digits whose last place, of the largest value, is at most a fifth of the span.
function digits(least, greatest,    size, place, n) {
    size = greatest > -least ? greatest : -least
    if (greatest <= least) return 2
    place = log(size) / log(10)
    place = place < int(place) ? int(place) - 1 : int(place)
    for (n = 2; n < 4 && 10 ^ (place + 1 - n) > (greatest - least) / 5; n++);
    return n
}

$5 == metric && $7 == 0 && $9 != "" && $9 !~ /n/ {
    if (!n_values++ || $9 + 0 < least) least = $9 + 0
    if (n_values == 1 || $9 + 0 > greatest) greatest = $9 + 0
}

$1 "." $2 == map && $5 == metric {
    n_cells++
    at[n_cells] = ($3 + 0) " " ($4 + 0)
    value[n_cells] = $9
    count[n_cells] = $7 > 0 ? $7 "/" $6 : ""
}

END {
    n_digits = digits(least, greatest)
    for (i = 1; i <= n_cells; i++) {
        ink = count[i] ? pack("248 227 213") : colour(value[i])
        if (count[i]) light = 1
        print at[i], ink, light ? 2236962 : 16777215, "\"" (count[i] ? count[i] : text(value[i])) "\""
        if (count[i]) print at[i] > diverged
    }
}
