# Sorts measured values into files that gnuplot draws: lines "SERIES X VALUE" on stdin, VALUE as columns.awk writes it.
#
#   PREFIX.SERIES.line   X and Y of finite values, a blank line where a value is missing, so that the curve breaks
#   PREFIX.SERIES.zero   X of exact zeros on a log axis; they have no logarithm and are drawn on a floor of their own
#   PREFIX.SERIES.bad    X of values that are not finite
#
#   awk -v out=PREFIX -v logx=0 -v logy=1 -f series.awk
#
# With logx, X becomes log10(X + 1) (steps count from 0); with logy, Y becomes log10(value).

function log10(v) {
    return log(v) / log(10)
}

{
    file = out "." $1
    x = logx ? log10($2 + 1) : $2
    if ($3 == "!") {
        print x > (file ".bad")
    } else if ($3 != "-" && logy && $3 + 0 <= 0) {
        print x > (file ".zero")
    } else if ($3 != "-") {
        if (broken[file] && started[file]) print "" > (file ".line")
        printf "%.12g %.12g\n", x, (logy ? log10($3 + 0) : $3) > (file ".line")
        started[file] = 1
        broken[file] = 0
        next
    }
    broken[file] = 1
}
