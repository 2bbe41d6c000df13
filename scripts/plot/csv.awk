# CSV for the other awk programs of this directory, which are given after it: awk -f csv.awk -f columns.awk

function fail(message) {
    printf "%s: %s\n", ENVIRON["NAME"], message > "/dev/stderr"
    failed = 1
    exit 2
}

# Splits a line (RFC 4180) into cell[1..n].  Between quotes stand the parts of even number; an empty part between two
# of them is a doubled quote.
function split_line(line, cell,    n_parts, part, n_pieces, piece, n, i, k) {
    if (!index(line, "\"")) return split(line, cell, ",")
    n_parts = split(line, part, "\"")
    n = 1
    cell[1] = ""
    for (i = 1; i <= n_parts; i++) {
        if (i % 2 == 0) {
            cell[n] = cell[n] part[i]
        } else if (part[i] == "" && i > 1 && i < n_parts) {
            cell[n] = cell[n] "\""
        } else {
            n_pieces = split(part[i], piece, ",")
            for (k = 1; k <= n_pieces; k++) {
                if (k > 1) cell[++n] = ""
                cell[n] = cell[n] piece[k]
            }
        }
    }
    return n
}

# Sets column[NAME] from a header and returns the number of columns.
function read_header(line, column,    n, name, i) {
    sub(/\r$/, "", line)
    n = split_line(line, name)
    for (i = 1; i <= n; i++) column[name[i]] = i
    return n
}

function is_number(value) {
    return value ~ /^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/
}

# A number that is greater than any that can be drawn is not finite either.
function is_not_finite(value) {
    return value ~ /^[-+]?(nan|inf)$/ || is_number(value) && (value + 0 > 1e308 || value + 0 < -1e308)
}

# A figure: "", nan, inf, -inf or a number; else the program ends.
function checked(value, name) {
    if (value == "") return value
    if (is_not_finite(value)) return value ~ /nan/ ? "nan" : value ~ /^-/ ? "-inf" : "inf"
    if (!is_number(value)) fail("line " NR ", column " name ": \"" value "\" is not a number")
    return value
}

# Without what would end a line, or a cell of a table.
function one_line(text) {
    gsub(/[\001-\037\177]/, " ", text)
    return text
}

# For every k of value[k, 1 .. n[k]], numbers: the fewest digits, `least` or more, that tell them apart, at most 17.
function digits_apart(value, n, k, least,    d, i, text, seen, told) {
    for (d = least; d < 17; d++) {
        told = 1
        split("", seen)
        for (i = 1; i <= n[k] && told; i++) {
            text = sprintf("%." d "g", value[k, i])
            told = !(text in seen)
            seen[text] = 1
        }
        if (told) return d
    }
    return 17
}
