# Which layers are frozen at a step.  Reads the table of the losses (step, lr, grad_norm), then that of the gradients
# (step, layer, role, stalled_frac, unchanged_frac), as columns.awk writes them, and prints for every hidden and output
# layer at the steps of `chosen`: "INDEX-OF-STEP LAYER ROLE FROZEN", FROZEN being 0, 1 or "-" for not measured.
#
# Frozen: more than half of the weights that should have changed did not; or none changed although the learning rate
# and the gradient of the network are above zero (the layer's own gradient has underflowed to zero).
#
#   awk -v chosen="0 468" -f frozen.awk LOSSES GRADIENTS

BEGIN {
    n_chosen = split(chosen, step, " ")
    for (i = 1; i <= n_chosen; i++) index_of[step[i]] = i - 1
}

NR == FNR {
    moves[$1] = $2 + 0 > 0 && ($3 == "!" || $3 + 0 > 0)
    next
}

($1 in index_of) && ($3 == "hidden" || $3 == "output") {
    frozen = "-"
    if ($4 != "-" && $4 != "!") {
        frozen = $4 > 0.5
    } else if ($5 != "-" && $5 != "!") {
        frozen = $5 == 1 && moves[$1]
    }
    print index_of[$1], $2, $3, frozen
}
