"""Axes: nothing falls off them unseen."""

import math

import numpy as np
import pytest
from skipnet_view.scale import Scale, digits_apart, power, round_ticks, to_decades, wants_decades
from skipnet_view.stats import align, over_runs, t_quantile


def test_decades_with_a_floor_and_a_ceiling():
    heights = to_decades([0, 1e-15, 1e-5, math.nan, math.inf, -math.inf, -3])
    assert np.array_equal(heights, [-math.inf, -15, -5, math.nan, math.inf, math.inf, -math.inf], equal_nan=True)
    scale = Scale("decades", heights)
    assert scale.zeros(heights).tolist() == [True, False, False, False, False, False, True]
    assert scale.bads(heights).tolist() == [False, False, False, False, True, True, False]
    places = scale.places(heights)
    assert np.array_equal(places, [math.nan, -15, -5, math.nan, math.nan, math.nan, math.nan], equal_nan=True)
    assert scale.low < scale.floor < -15 < -5 < scale.ceiling < scale.high
    assert scale.ticks[0] == (scale.floor, "0") and scale.ticks[-1] == (scale.ceiling, "nan, inf")
    assert (-10, "10⁻¹⁰") in scale.ticks


def test_no_floor_where_nothing_is_zero():
    scale = Scale("decades", [-3.0, -1.0])
    assert scale.floor is None and scale.ceiling is None
    assert Scale("decades", [-3.0], lost=True).ticks[-1][1] == "diverged"


@pytest.mark.parametrize(
    "values",
    [
        [0.74183867895, 0.74183868803],
        [1e308, -1e308],
        [1.7e308],
        [4.9e-324, 0],
        [1e-300, 3e-300],
        [0],
        [5],
        [-1e300, 1],
        [],
    ],
)
def test_any_numbers_make_an_axis(values):
    scale = Scale("linear", values)
    places = scale.places(values)
    assert math.isfinite(scale.low) and math.isfinite(scale.high) and scale.high > scale.low
    assert ((places >= scale.low) & (places <= scale.high)).all()
    assert all(math.isfinite(place) for place, _ in scale.ticks)
    assert abs(scale.high) < 1e16  # what matplotlib can draw


def test_nearly_equal_values_are_one_line():
    scale = Scale("linear", [0.74183867895, 0.74183868803])
    assert scale.high - scale.low > 0.05


def test_when_decades_are_wanted():
    assert wants_decades([1, 20]) and wants_decades([0, 1e-12]) and wants_decades([1e20])
    assert not wants_decades([1, 2]) and not wants_decades([-1, 100]) and not wants_decades([math.nan, math.inf])


def test_ticks():
    assert round_ticks(0, 1) == [
        (0.0, "0"),
        (0.2, "0.2"),
        (0.4, "0.4"),
        (0.6000000000000001, "0.6"),
        (0.8, "0.8"),
        (1.0, "1"),
    ]
    assert round_ticks(5, 5) == []
    assert power(-12) == "10⁻¹²"
    assert digits_apart(["0.3333333333", "0.3333333334"], 6) == 10


def test_bands():
    low, high = Scale("decades", [-3, -1]).band(np.array([-math.inf, -3.0, math.nan]), np.array([-1.0, math.inf, -1.0]))
    assert low[0] < -4 and high[0] == -1  # an interval that reaches zero has no lower end
    assert math.isnan(low[1]) and math.isnan(high[2])


def test_students_t():
    for df, wanted in ((1, 12.7062), (2, 4.30265), (3, 3.18245), (9, 2.26216), (30, 2.04227)):
        assert abs(t_quantile(df) - wanted) < 5e-5


def test_over_runs():
    x, stack = align([{1: 0.0, 2: 3.0}, {1: 2.0, 2: math.inf}, {1: 1.0}])
    centre, low, high = over_runs(stack, "range")
    assert x.tolist() == [1, 2] and centre.tolist() == [1, math.inf] and low.tolist() == [0, 3]
    centre, low, high = over_runs(stack, "ci95")
    assert abs(centre[0] - 1) < 1e-12 and abs(high[0] - 1 - 4.302652 / math.sqrt(3)) < 1e-5
    assert math.isnan(low[1]) and math.isnan(high[1])  # one run lacks it
    assert over_runs(stack[:1], "range")[1] is None


def test_zeros_in_a_median():
    """In decades the median of two is the geometric mean, a zero is the least of all."""
    decades = to_decades(np.array([[0.1, 0.0, 0.0], [0.01, 1.0, 0.0], [0.1, 1.0, 1.0]]))
    centre, low, _ = over_runs(decades[:2], "range")
    assert abs(centre[0] + 1.5) < 1e-12 and centre[1] == -math.inf
    assert over_runs(decades, "range")[0].tolist()[1:] == [0, -math.inf] and low[1] == -math.inf
