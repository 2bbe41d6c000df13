"""Axes: where a height stands, on linear axes with ticks of our own, so that nothing falls off a log axis unseen.

Heights are "decades" (log10; -inf is an exact zero, drawn on a floor below) or "linear" ("share": from 0 to 1); nan
is a gap, what is not finite stands on a ceiling above."""

import math

import numpy as np

BEYOND = 700.0  # decades that no quotient of numbers has


def to_decades(values):
    """log10 of what is positive; zero and less are zeros, what is not finite stays so."""
    values = np.asarray(values, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(values > 0, np.log10(np.abs(values)), -math.inf)
    return np.where(np.isnan(values), math.nan, np.where(np.isinf(values), math.inf, logs))


def wants_decades(values):
    """Whether figures are easier to tell apart by their logarithms: a decade apart and positive, or tiny, or huge."""
    finite = np.asarray(values, float)
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return False
    low, high = finite.min(), finite.max()
    return low >= 0 and high > 0 and (high < 1e-9 or high > 1e12) or 0 < low < high / 10


def power(exponent):
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def round_ticks(low, high):
    """Round numbers from low to high: eight steps or fewer, of 1, 2 or 5 times a power of ten."""
    least = high / 8 - low / 8
    if not least > 1e-307:
        return []
    unit = 10.0 ** math.floor(math.log10(least))
    step = unit * next(n for n in (1, 2, 5, 10) if n * unit >= least)
    first = math.floor(low / step)
    ticks = [(first + i) * step for i in range(14)]  # counted: a large number may not grow by its step
    return [(tick, f"{tick:.9g}") for tick in ticks if low - step * 1e-6 <= tick <= high + step * 1e-6]


def decade_ticks(low, high):
    every = next(n for n in (1, 2, 3, 5, 10, 20, 50, 100, 1000) if (high - low) / n < 9)
    return [(d, power(d)) for d in range(int(low), int(high) + 1) if d % every == 0]


class Scale:
    """The y axis of a picture, made for all heights in it; `lost` says that points are marked as diverged."""

    def __init__(self, kind, values, lost=False):
        self.kind = kind
        self.floor = self.ceiling = None
        self.minor = []
        zero, bad = self.zeros(values), self.bads(values)
        shown = np.asarray(values, float)[~zero & ~bad & ~np.isnan(values)]
        low, high = (shown.min(), shown.max()) if shown.size else (0.0, 1.0)
        (self._lay_decades if kind == "decades" else self._lay_linear)(low, high)
        if zero.any():
            self.floor = self.low - self.gap
            self.low -= 1.6 * self.gap
            self.ticks.insert(0, (self.floor, "0"))
        if bad.any() or lost:
            self.ceiling = self.high + self.gap
            self.high += 1.6 * self.gap
            self.ticks.append((self.ceiling, "diverged" if lost and not bad.any() else "nan, inf"))
        if kind == "decades":
            room = 0.02 * (self.high - self.low)
            self.low, self.high = self.low - room, self.high + room

    def zeros(self, values):
        values = np.asarray(values, float)
        return (values < -BEYOND) if self.kind == "decades" else np.zeros(values.shape, bool)

    def bads(self, values):
        values = np.asarray(values, float)
        return (values > BEYOND) if self.kind == "decades" else np.isinf(values)

    def places(self, values):
        """Positions on the axis; nan for all that is no number there."""
        values = np.array(values, float)
        values[self.zeros(values) | self.bads(values)] = math.nan
        return values / self.unit

    def band(self, low, high):
        """The ends of a band; one that reaches zero has no lower end on a log axis."""
        low = np.where(self.zeros(low), (self.low - 1) * self.unit, low)
        low, high = self.places(low), self.places(high)
        return np.where(np.isnan(high), math.nan, low), np.where(np.isnan(low), math.nan, high)

    def _lay_decades(self, low, high):
        self.unit = 1.0
        self.low, self.high = math.floor(low), max(math.ceil(high), math.floor(low) + 1)
        span = self.high - self.low
        self.gap = (span + 11) // 12
        self.ticks = decade_ticks(self.low, self.high)
        if span <= 6:
            self.minor = [d + math.log10(k) for d in range(self.low, self.high) for k in range(2, 10)]

    def _lay_linear(self, low, high):
        """Numbers that differ by less than a millionth are drawn as what they are to the eye, one line."""
        size = max(abs(low), abs(high))
        if size < 1e-290:
            size = low = high = 0.0  # nothing that an axis could show
        exponent = math.floor(math.log10(size)) if size else 0
        self.unit = 10.0 ** exponent if abs(exponent) > 14 else 1.0
        low, high, size = low / self.unit, high / self.unit, size / self.unit
        if self.kind == "share":
            self.low, self.high, self.gap = -0.04, 1.04, 0.06
            self.ticks = round_ticks(0, 1)
            return
        differ = high / 2 - low / 2 > size * 5e-7
        room = (high - low) * 0.06 if differ else size * 0.06 or 1.0
        self.low, self.high, self.gap = ((0.0 if 0 <= low < high / 4 else low - room), high + room, room)
        self.ticks = round_ticks(self.low, self.high)
        if self.unit != 1:
            self.ticks = [(place, f"{text}e{exponent:+d}" if place else "0") for place, text in self.ticks]


def digits_apart(numbers, least):
    """The fewest digits, `least` or more, that tell these texts of numbers apart."""
    distinct = {float(number) for number in numbers}
    for digits in range(least, 17):
        if len({f"{number:.{digits}g}" for number in distinct}) == len(distinct):
            return digits
    return 17
