# The axis of x for gnuplot, from the values as keys.awk has them, sorted: ticks at the values, the ends first, then
# what there is room for.
#
#   KEY=network.depth awk -v log_x=1 -v numeric=1 -v width=700 -f x_axis.awk VALUES
#
# numeric=0: the values stand at their places, counted from 0.  width is in pixels.

BEGIN { FS = "\t" }

$4 == ENVIRON["KEY"] && !(numeric && $3 == "-") {
    at[n + 0] = !numeric ? n + 0 : log_x ? log($3) / log(10) : $3 + 0
    name[n++ + 0] = $3 == "-" ? "not set" : $3
}

# Names that are too long for their place are cut; a tick's text is a format to gnuplot.
function measure(    i, fits) {
    fits = numeric ? 16 : int(width / (n + 0.2) / 9) # a category has its share of the width
    if (fits < 4) fits = 4
    for (i = 0; i < n; i++) {
        if (length(name[i]) > longest) longest = length(name[i]) < fits ? length(name[i]) : fits
        if (length(name[i]) > fits) name[i] = substr(name[i], 1, fits - 1) "…"
        gsub(/\047/, "\047\047", name[i])
        gsub(/%/, "%%", name[i])
    }
}

function tick(i,    t) {
    for (t = 1; t <= n_ticks; t++)
        if (at[i] - shown[t] < apart && shown[t] - at[i] < apart) return
    shown[++n_ticks] = at[i]
    list = list (n_ticks > 1 ? ", " : "") "\047" name[i] "\047 " sprintf("%.12g", at[i])
}

END {
    if (!n) {
        name[0] = "all runs"
        at[0] = 0
        n = 1
    }
    measure()
    low = at[0]
    high = at[n - 1]
    room = high > low ? (high - low) * 0.05 : low != 0 ? (low > 0 ? low : -low) : 1
    if (!numeric) room = 0.6
    apart = (high - low + (numeric ? 0 : 1.2)) * longest * 9 / width + (numeric ? (high - low) * 8 / width : 0)
    tick(0)
    tick(n - 1)
    for (i = 1; i < n - 1; i++) tick(i)
    print "set xtics noenhanced (" list ")"
    printf "set xrange [%.12g:%.12g]\n", low - room, high + room
}
