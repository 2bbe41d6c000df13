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

function is_not_finite(value) {
    return value ~ /^[-+]?(nan|inf)$/
}
