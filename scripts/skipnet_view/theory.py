"""What mean-field theory predicts for the tanh networks of configs/studies/depth.json at their initialisation: a
table of log10 |delta of hidden1| / |delta of the last hidden layer| for a plain and a residual network.

    python3 scripts/skipnet_view/theory.py 10 20 50 100 200

Weights of variance sw2 = 1/(3 fan_in) and biases of the same (nn.Linear's own), standardized inputs (mean square 1).
E tanh(sqrt(q) Z)^2 and E tanh'(sqrt(q) Z)^2 by the trapezoid rule on [-12, 12].
  plain     q' = V(q)/3 + sb2,      the square of the gradient changes by D(q)/3 a layer
  residual  q' = q + V(q)/3 + sb2,  by 1 + D(q)/3 (Yang & Schoenholz 2017)"""

import math
import sys

STEP = 0.005
WEIGHTS = [
    math.exp(-((n * STEP) ** 2) / 2) * (2 if n else 1) * STEP / math.sqrt(2 * math.pi)
    for n in range(int(12 / STEP) + 1)
]
BIAS_VARIANCE = 1 / (3 * 64)
START = 1 / 3 + 1 / (3 * 784)


def expectations(q):
    """V and D."""
    squares = [math.tanh(math.sqrt(q) * n * STEP) ** 2 for n in range(len(WEIGHTS))]
    return sum(w * y for w, y in zip(WEIGHTS, squares)), sum(w * (1 - y) ** 2 for w, y in zip(WEIGHTS, squares))


def ratio(depth, shortcut):
    """Half the logarithm of a product of squares, over the blocks after hidden1; `shortcut` is 0 or 1."""
    total, q = 0.0, START
    for _ in range(depth - 1):
        v, d = expectations(q)
        total += math.log10(shortcut + d / 3) / 2
        q = shortcut * q + v / 3 + BIAS_VARIANCE
    return total


if __name__ == "__main__":
    print("| depth | plain | residual |\n|---|---|---|")
    for text in sys.argv[1:]:
        print(f"| {int(text)} | {ratio(int(text), 0):.2f} | {ratio(int(text), 1):.2f} |")
