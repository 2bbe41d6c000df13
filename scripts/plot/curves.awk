# Gives the points of grid.awk, sorted, a panel and a colour: the first two fields become their numbers, the rest stays.
#
#   awk -v panels=FILE -v inks=FILE -f viridis.awk -f skips.awk -f curves.awk GRID GRID
#
# Skip kinds have a colour each, the same in every picture, and combinations of other keys a panel each; with more than
# six combinations, or one skip kind only, it is the other way round.  panels gets the titles, a line each; inks the
# lines "RRGGBB TITLE", separated by a tab.  Of more than 24 combinations neighbours share a colour.

BEGIN {
    FS = OFS = "\t"
    n_palette = split("0072B2 D55E00 009E73 CC79A7 E69F00 56B4E9 000000", palette, " ")
    skip_kinds(kinds)
    for (k in kinds) ink_of_kind[kinds[k]] = palette[k]
    most = 24
}

NR == FNR {
    if (!(($1) in skip)) {
        skip[$1] = n_skips++
        skip_name[skip[$1]] = $16
    }
    if (!($2 in combination)) {
        combination[$2] = n_combinations++
        combination_name[combination[$2]] = $17
    }
    next
}

function hex(rgb,    part) {
    split(rgb, part, " ")
    return sprintf("%02X%02X%02X", part[1], part[2], part[3])
}

function ink_of_skip(i) {
    return skip_name[i] in ink_of_kind ? ink_of_kind[skip_name[i]] : palette[i % n_palette + 1]
}

# Ordered colours short of the lightest, or colours that differ.
function ink_of_combination(i, n) {
    return n > 4 ? hex(viridis(0.92 * i / (n - 1))) : palette[i + 1]
}

FNR == 1 {
    by_skip = n_skips > 1 && n_combinations <= 6 || n_combinations == 1
    n_inks = by_skip ? n_skips : n_combinations < most ? n_combinations : most
    if (by_skip) {
        for (i = 0; i < n_combinations; i++) print combination_name[i] > panels
        for (i = 0; i < n_skips; i++) print ink_of_skip(i), skip_name[i] == "" ? "all" : skip_name[i] > inks
    } else {
        for (i = 0; i < n_skips; i++) print skip_name[i] == "" ? "all" : skip_name[i] > panels
        for (i = 0; i < n_inks; i++)
            print ink_of_combination(i, n_inks), (n_combinations > n_inks ? "" : combination_name[i]) > inks
    }
}

{
    c = combination[$2]
    s = skip[$1]
    $1 = by_skip ? c : s
    $2 = by_skip ? s : int(c * n_inks / n_combinations)
    curve = s "." c
    print $0, curve
}
