# What mean-field theory predicts for the tanh networks of configs/studies/depth.json at their initialisation: a table
# of log10 |delta of hidden1| / |delta of the last hidden layer| for a plain and a residual network.
#
#   awk -v depths="10 20 50 100 200" -f scripts/study/mean_field.awk
#
# Weights of variance sw2 = 1/(3 fan_in) and biases of the same (nn.Linear's own), standardized inputs (mean square 1).
# E tanh(sqrt(q) Z)^2 and E tanh'(sqrt(q) Z)^2 by the trapezoid rule on [-12, 12].
#   plain     q' = V(q)/3 + sb2,      the square of the gradient changes by D(q)/3 a layer
#   residual  q' = q + V(q)/3 + sb2,  by 1 + D(q)/3 (Yang & Schoenholz 2017)
BEGIN {
    step = 0.005
    for (n = 0; n * step <= 12; n++) weight[n] = exp(-(n * step) ^ 2 / 2) * (n ? 2 : 1) * step / sqrt(8 * atan2(1, 1))
    sb2 = 1 / (3 * 64)
    start = 1 / 3 + 1 / (3 * 784)
    print "| depth | plain | residual |"
    print "|---|---|---|"
    n_depths = split(depths, depth, " ")
    for (d = 1; d <= n_depths; d++) printf "| %d | %.2f | %.2f |\n", depth[d], ratio(depth[d], 0), ratio(depth[d], 1)
}

# Sets V and D.
function expectations(q,    i, y) {
    V = D = 0
    for (i = 0; i < n; i++) {
        y = exp(2 * sqrt(q) * i * step)
        y = (y - 1) / (y + 1)
        V += weight[i] * y * y
        D += weight[i] * (1 - y * y) ^ 2
    }
}

# Half the logarithm of a product of squares, over the blocks after hidden1; `shortcut` is 0 or 1.
function ratio(layers, shortcut,    sum, q, l) {
    q = start
    for (l = 1; l < layers; l++) {
        expectations(q)
        sum += log(shortcut + D / 3) / (2 * log(10))
        q = shortcut * q + V / 3 + sb2
    }
    return sum
}
