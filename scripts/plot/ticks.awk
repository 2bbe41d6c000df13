# Ticks of an axis: lines "POSITION LABEL" on stdin, the most important first; a list for gnuplot's
# `set xtics (...)` out.  A tick that would come nearer than `apart` to one before it is left out.
#
#   awk -v apart=0.2 -f ticks.awk

{
    for (i = 1; i <= n; i++) {
        gap = position[i] - $1
        if (gap < apart && gap > -apart) next
    }
    position[++n] = $1
    list = list (n > 1 ? ", " : "") "'" $2 "' " $1
}

END { print list }
