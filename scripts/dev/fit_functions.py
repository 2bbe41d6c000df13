#!/usr/bin/env python3
"""Prints the coefficients of src/kernels/elementary.h, exponential.h and normal.h, lowest power first, and the errors
of the fits.

    python3 -m venv VENV && VENV/bin/pip install mpmath && VENV/bin/python scripts/dev/fit_functions.py [NAME]...

Each is the polynomial or rational function of least greatest error, found by the exchange algorithm of Remez in 60
digits.  Errors count in units of 2^-24 and 2^-53 of the function that the fit is part of, before coefficients are
rounded.
"""

import argparse
import struct
import sys

from mpmath import atanh, cos, erf, erfc, exp, expm1, log, lu_solve, matrix, mp, mpf, nstr, pi, sqrt, tanh

mp.dps = 60
POINTS = 1500
TINY = mpf(10) ** -20


def value(coefficients, x):
    total = mpf(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def solve(f, weight, nodes, degrees, start):
    """P, Q and E with P - f Q = +-E weight Q at the nodes, by Newton's method; linear where Q = 1."""
    n, m = degrees
    q, level = start
    for _ in range(40 if m else 1):
        size = n + m + 2
        a, b = matrix(size, size), matrix(size, 1)
        for i, x in enumerate(nodes):
            y, w = f(x), (-1) ** i * weight(x)
            for j in range(n + 1):
                a[i, j] = x**j
            for j in range(1, m + 1):
                a[i, n + j] = -(y + level * w) * x**j
            a[i, size - 1] = -w * value(q, x)
            b[i] = y + level * w * (1 - value(q, x))
        s = lu_solve(a, b)
        change, level, q = abs(s[size - 1] - level), s[size - 1], [mpf(1)] + [s[n + j] for j in range(1, m + 1)]
        if change <= abs(level) * mpf(10) ** -8:
            break
    return [s[j] for j in range(n + 1)], q, level


def extremes(points, errors, wanted):
    """The points of the greatest errors of alternating sign, one per run of a sign."""
    best = []
    for i, e in enumerate(errors):
        if not best or (e > 0) != (errors[best[-1]] > 0):
            best.append(i)
        elif abs(e) > abs(errors[best[-1]]):
            best[-1] = i
    while len(best) > wanted:
        best.pop(0 if abs(errors[best[0]]) < abs(errors[best[-1]]) else -1)
    return [points[i] for i in best]


def fit(f, weight, interval, degrees, bend=0):
    """Least max |P/Q - f| / weight over the interval; `bend` crowds the points towards its lower end."""
    low, high = interval

    def spread(n):
        t = [(1 - cos(pi * i / (n - 1))) / 2 for i in range(n)]
        return [low + (high - low) * u / (1 + bend * (1 - u)) for u in t]

    points, nodes = spread(POINTS), spread(sum(degrees) + 2)
    q, level = [mpf(1)] + [mpf(0)] * degrees[1], mpf(0)
    for _ in range(12):
        p, q, level = solve(f, weight, nodes, degrees, (q, level))
        errors = [(value(p, x) / value(q, x) - f(x)) / weight(x) for x in points]
        worst, nodes = max(map(abs, errors)), extremes(points, errors, len(nodes))
        if len(nodes) < sum(degrees) + 2:
            sys.exit("the error does not alternate: start from other nodes")
        if worst <= abs(level) * mpf("1.01"):
            break
    return p, q, worst


# Functions of z = x^2 stand without their first terms, which the program adds exactly.
def expm1_rest(r):
    return (expm1(r) - r) / r**2 if abs(r) > TINY else mpf(1) / 2


def tanh_rest(z):
    return (tanh(sqrt(z)) / sqrt(z) - 1) / z if z > TINY else -mpf(1) / 3


def log1p_rest(z):
    return 2 * (atanh(sqrt(z)) / sqrt(z) - 1) / z if z > TINY else mpf(2) / 3


def erf_share(z):
    return erf(sqrt(z)) / sqrt(z) if z > TINY else 2 / sqrt(pi)


def normal_tail(a):
    """a (1 - Phi(a)) / e^(-a^2/2), which tends to 1/sqrt(2 pi)."""
    return a * exp(a * a / 2) * erfc(a / sqrt(2)) / 2


def rest_of_tail(code):
    """The tail's distance from its limit as it stands in the program, rounded to a float or a double."""
    limit = mpf(struct.unpack(code, struct.pack(code, float(1 / sqrt(2 * pi))))[0])
    return lambda a: limit - normal_tail(a)


def main():
    half, one = log(2) / 2 * mpf("1.001"), mpf(1)
    expm1_fit = (expm1_rest, lambda r: abs(expm1(r)) / max(r**2, TINY), (-half, half))
    tanh_fit = (tanh_rest, lambda z: 1 / max(z, TINY) + tanh_rest(z), (mpf(0), mpf("0.56") ** 2))
    log1p_fit = (log1p_rest, lambda z: 2 / max(z, TINY), (mpf(0), one / 9))
    erf_fit = (lambda z: erf_share(z) - 1, erf_share, (mpf(0), one))
    twice_fit = (lambda r: exp(2 * r), lambda r: exp(2 * r), (-half / 2, half / 2))
    fits = {
        "expm1 float": (*expm1_fit, (4, 0)),
        "expm1 double": (*expm1_fit, (9, 0)),
        "exp(2r) float": (*twice_fit, (6, 0)),
        "exp(2r) double": (*twice_fit, (11, 0)),
        "tanh float": (*tanh_fit, (3, 0)),
        "tanh double": (*tanh_fit, (10, 0)),
        "log1p float": (*log1p_fit, (3, 0)),
        "log1p double": (*log1p_fit, (8, 0)),
        "erf float": (*erf_fit, (6, 0)),
        "erf double": (*erf_fit, (12, 0)),
        "normal_tail float": (rest_of_tail("f"), normal_tail, (one, mpf("14.7")), (3, 5), 5),
        "normal_tail double": (rest_of_tail("d"), normal_tail, (one, mpf(39)), (8, 10), 12),
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(fits)}; default: all")
    names = parser.parse_args().names
    for name in names:
        if name not in fits:
            parser.error(f"no fit is called {name!r}, these are: {', '.join(fits)}")
    for name in names or fits:
        p, q, worst = fit(*fits[name])
        units = f"{nstr(worst * 2**24, 3)} 2^-24, {nstr(worst * 2**53, 3)} 2^-53"
        print(f"{name}: error {units}\n  P " + ", ".join(nstr(c, 20) for c in p))
        if len(q) > 1:
            print("  Q " + ", ".join(nstr(c, 20) for c in q))


if __name__ == "__main__":
    main()
