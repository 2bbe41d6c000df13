# Ticks of a numeric key's values, which stand evenly spaced, for gnuplot, from what keys.awk wrote, sorted.
#
#   KEY=network.depth awk -v axis=x -v width=440 -f csv.awk -f place_ticks.awk VALUES
#
# width is in pixels.  A long number has as many digits as tell it from the others.

BEGIN { FS = "\t" }

$4 == ENVIRON["KEY"] && $3 != "-" { value[1, ++n[1]] = $3 }

END {
    n_digits = digits_apart(value, n, 1, 4)
    for (i = 1; i <= n[1]; i++) {
        if (length(value[1, i]) > 8) value[1, i] = sprintf("%." n_digits "g", value[1, i])
        if (length(value[1, i]) > longest) longest = length(value[1, i])
    }
    every = int(n[1] * (axis == "x" ? longest * 9 + 8 : 18) / width) + 1
    for (i = 0; i < n[1]; i += every) list = list (i ? ", " : "") "\047" value[1, i + 1] "\047 " i
    printf "set %stics noenhanced (%s)\nset %srange [-0.5:%d - 0.5]\n", axis, list, axis, n[1]
}
