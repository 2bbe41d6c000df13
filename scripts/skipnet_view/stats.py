"""Several seeds of one setting: a curve and its band."""

import math

import numpy as np


def t_quantile(df):
    """t with P(|T| <= t) = 0.95 for Student's t: Abramowitz & Stegun (1964), 26.7.3 and 26.7.4, by bisection."""

    def within(theta):
        cosine = math.cos(theta)
        term = total = cosine if df % 2 else 1.0
        for k in range(3 if df % 2 else 2, df - 1, 2):
            term *= cosine**2 * (k - 1) / k
            total += term
        if df % 2:
            return 2 / math.pi * (theta + math.sin(theta) * (total if df > 1 else 0))
        return math.sin(theta) * total

    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle) < 0.95 else (low, middle)
    return math.sqrt(df) * math.tan(low)


def over_runs(stack, band):
    """Centre, low and high of (runs, points): median and range, or with band "ci95" the mean and its interval where all
    runs have a number.  nan is a gap; low and high are None for one run."""
    if len(stack) == 1:
        return stack[0], None, None
    ordered = np.sort(stack, axis=0)  # nan stands last
    n = (~np.isnan(stack)).sum(axis=0)

    def at(place):
        return np.take_along_axis(ordered, np.clip(place, 0, None)[None], 0)[0]

    lower, upper, low, high = at((n - 1) // 2), at(n // 2), at(0 * n), at(n - 1)
    with np.errstate(invalid="ignore", over="ignore"):
        centre = np.where(lower == upper, lower, lower / 2 + upper / 2)
        centre[np.isnan(centre) & (n > 0)] = math.inf
        if band == "ci95":
            low, high = np.full(n.shape, math.nan), np.full(n.shape, math.nan)
            whole = np.isfinite(stack).all(axis=0)
            mean, sd = stack[:, whole].mean(axis=0), stack[:, whole].std(axis=0, ddof=1)
            half = t_quantile(len(stack) - 1) * sd / math.sqrt(len(stack))
            centre[whole], low[whole], high[whole] = mean, mean - half, mean + half
    return centre, low, high


def align(curves):
    """Runs as ({x: y}, ...) on one x: x sorted, and (runs, points) with nan where a run has none."""
    x = sorted(set().union(*curves))
    return np.array(x), np.array([[curve.get(place, math.nan) for place in x] for curve in curves])
