# The cells of a layer x step map as colours: lines "STEP LAYER VALUE" on stdin, "column row red green blue" out.
# Columns count the measured steps, rows the layers, both from 0.
#
#   awk -v low=-15 -v high=0 -v layers=FILE -v steps=FILE -f viridis.awk -f heat.awk
#
# low and high are the decades at the ends of the colours.  FILE gets one measured step, or layer, per line.

function colour(value) {
    if (value == "-") return " 255 255 255"
    if (value == "!") return " 213 94 0"
    if (value + 0 <= 0) return " 211 211 211"
    return " " viridis((log(value) / log(10) - low) / (high - low))
}

{
    if (!($1 in at_step)) {
        at_step[$1] = n_steps++
        step[n_steps - 1] = $1
    }
    if (!($2 in is_layer)) {
        is_layer[$2] = 1
        layer[n_layers++] = $2 + 0
    }
    cell[$1, $2] = $3
}

# Every cell is written: an image has no holes.  Layers come in order within a step, but a step may lack some.
END {
    for (i = 1; i < n_layers; i++)
        for (j = i; j > 0 && layer[j - 1] > layer[j]; j--) {
            moved = layer[j]
            layer[j] = layer[j - 1]
            layer[j - 1] = moved
        }
    for (s = 0; s < n_steps; s++) {
        print step[s] > steps
        for (l = 0; l < n_layers; l++)
            print s, l colour((step[s], layer[l]) in cell ? cell[step[s], layer[l]] : "-")
    }
    for (l = 0; l < n_layers; l++) print layer[l] > layers
}
