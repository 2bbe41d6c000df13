# The colours of maps and of ordered curves, for the other awk programs of this directory.

# viridis (van der Walt and Smith, public domain) at eighths; linear between them.
function read_viridis(    n, point, i, part, c) {
    n = split("68 1 84,71 44 122,59 81 139,44 113 142,33 144 141,39 173 129,92 200 99,170 220 50,253 231 37", point,
        ",")
    for (i = 1; i <= n; i++) {
        split(point[i], part, " ")
        for (c = 1; c <= 3; c++) viridis_level[i - 1, c] = part[c]
    }
}

# "red green blue" at t of the way from dark to light.
function viridis(t,    i, c, text) {
    if (!((0, 1) in viridis_level)) read_viridis()
    t = (t < 0 ? 0 : t > 1 ? 1 : t) * 8
    i = t < 8 ? int(t) : 7
    for (c = 1; c <= 3; c++)
        text = text (c > 1 ? " " : "") \
            int(viridis_level[i, c] + (t - i) * (viridis_level[i + 1, c] - viridis_level[i, c]) + 0.5)
    return text
}
