# The cells of maps over two keys, from the points of grid.awk: "COLUMN ROW COLOUR TEXT-COLOUR TEXT" for one metric and
# one map (skip kind and combination, the first two fields); colours are numbers as gnuplot's rgb variable takes them.
#
#   awk -v map=KEY -v metric=train_loss -v scale=log -v low=-3 -v high=0 -v diverged=FILE -f viridis.awk -f cells.awk
#
# low and high are the ends of the colours.  Where a seed diverged there is no value but the count; FILE gets these
# cells.

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
    t = ((scale == "log" ? log(v) / log(10) : v) - low) / (high - low)
    light = t > 0.6
    return pack(viridis(t))
}

function text(v) {
    if (v == "") return ""
    if (v ~ /n/) return v
    return sprintf(v + 0 != 0 && (v < 0.01 && v > -0.01) ? "%.0e" : "%.2g", v)
}

$1 "." $2 == map && $5 == metric {
    ink = $7 > 0 ? pack("248 227 213") : colour($9)
    if ($7 > 0) light = 1
    print $3 + 0, $4 + 0, ink, light ? 2236962 : 16777215, "\"" ($7 > 0 ? $7 "/" $6 : text($9)) "\""
    if ($7 > 0) print $3 + 0, $4 + 0 > diverged
}
