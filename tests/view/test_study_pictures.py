"""Pictures of a comparison, as data."""

import math

import numpy as np
from skipnet_view import comparison as comparisons
from skipnet_view import study_pictures
from skipnet_view.plotter import Options

INF = math.inf


def picture_of(path, name, **options):
    (picture,) = study_pictures.over_x(comparisons.load(path), name, study_pictures.OVER_X[name], Options(**options))
    return picture


def curve_of(picture, panel, colour, variant=0):
    (found,) = [c for c in picture.panels[panel].curves if c.colour == colour and c.dash == variant]
    return found


NONE, ADD = "#0072B2", "#D55E00"


def test_curves_are_medians_in_the_order_of_x(comparison):
    picture = picture_of(comparison, "loss")
    none = curve_of(picture, 0, NONE)
    assert none.x == [1, 2] and none.y == [2.25, 3] and none.low == [2, 3] and none.high == [2.5, 3]
    assert curve_of(picture, 0, NONE, 1).y == [2, 3]  # the test set
    assert [text for _, text in picture.panels[0].x.ticks] == ["10", "100"]
    assert [entry.text for entry in picture.entries[:2]] == ["none", "add"]


def test_a_diverged_point_is_no_part_of_the_curve(comparison):
    picture = picture_of(comparison, "loss")
    add = curve_of(picture, 0, ADD)
    assert add.y[0] == 1.25 and math.isnan(add.y[1]) and add.lost == [(2, "1/2")]
    assert curve_of(picture, 0, ADD, 1).lost == [(2, "")]  # counted once
    assert picture.scale.high < 10 and picture.scale.ticks[-1][1] == "diverged"  # no axis for what it measured last
    assert picture.caption == "Median over seeds; band: least to greatest; n = 2. Cross: diverged (k of n runs)."
    start, end = (curve_of(picture_of(comparison, "delta"), 0, ADD, v) for v in (0, 1))
    assert start.y == [-1, -2] and end.lost == [(2, "1/2")]  # step 0 was before
    assert curve_of(picture_of(comparison, "delta", band="ci95"), 0, ADD).broken == [(2, -2, "1/2")]


def test_exact_zeros_and_shares(comparison):
    picture = picture_of(comparison, "delta")
    assert curve_of(picture, 0, NONE, 1).y == [-4.25, -INF]
    assert picture.scale.floor < -33
    assert curve_of(picture_of(comparison, "frozen"), 0, NONE, 0).y == [0.15, 0.9]


def test_intervals(comparison):
    picture = picture_of(comparison, "loss", band="ci95")
    none = curve_of(picture, 0, NONE)
    assert none.low == [-0.93, 3] and none.high == [5.43, 3]
    assert picture.scale.low == 0  # no axis below zero for the sake of an interval


def test_words_on_x(comparison):
    picture = picture_of(comparison, "loss", x="kind")
    assert [entry.text for entry in picture.entries[:2]] == ["depth = 10", "depth = 100"]
    first, test = picture.panels[0].curves[:2]
    assert np.allclose(first.x, [-0.15, 0.85]) and first.y == [2.25, 1.25] and picture.panels[0].x.is_words
    assert np.allclose(test.x, [-0.05, 0.95])  # side by side


def test_a_chosen_panel(comparison):
    picture = picture_of("rates", "loss", by="kind")
    assert [panel.title for panel in picture.panels] == ["none", "add"]
    assert [entry.text for entry in picture.entries[:2]] == ["lr = 0.01", "lr = 0.1"]


def test_any_metric(comparison):
    (picture,) = study_pictures.metric_over_x(comparisons.load("c"), "frozen_share_end", Options())
    assert picture.scale.kind == "share" and picture.name == "frozen_share_end"
    assert study_pictures.metric_over_x(comparisons.load("c"), "no_such", Options()) == []


def test_profiles(comparison):
    (picture,) = study_pictures.profiles(comparisons.load("c"), Options())
    assert [panel.title for panel in picture.panels] == ["step 0", "step 7, the last update"]
    none = [curve for curve in picture.panels[1].curves if curve.colour == NONE]
    assert none[0].y == (-1.5, 0) and none[0].low == (-2, 0) and none[1].y == (-INF, 0)
    assert [entry.text for entry in picture.entries[:4]] == [
        "none, depth = 10",
        "add, depth = 10",
        "none, depth = 100",
        "add, depth = 100",
    ]
    assert picture.caption.startswith("delta_rms. Median over seeds; band: least to greatest; n = 2.")


def test_maps(comparison):
    pictures = list(study_pictures.maps(comparisons.load("rates"), Options()))
    assert [picture.name for picture in pictures] == ["map-1", "map-2"]
    assert pictures[0].title == "train.lr over network.depth: none"
    assert [panel.title.split(",")[0] for panel in pictures[0].panels] == [
        "Frozen layers at the last update",
        "log10 of delta_rms at the last update",
        "Training loss",
    ]
    assert not list(study_pictures.maps(comparisons.load("c"), Options()))  # one numeric key only


def test_digits_tell_values_apart():
    assert study_pictures.cell_digits([2.30258, 2.449, 2.3512]) == 3
    assert study_pictures.cell_digits([2.30258, 2.3088]) == 4
    assert study_pictures.cell_digits([1, 1]) == 2


def test_keys_nearly_equal_stand_as_words(comparison):
    keys = comparisons.load("c").keys
    keys.values["network.depth"] = ["0.74183867895", "0.74183868803"]
    keys.__post_init__()
    near = comparisons.Comparison("c", keys, [], ["network.depth"], [])
    x = study_pictures.choose_x(near, "")
    assert x.axis.is_words and [text for _, text in x.axis.ticks] == ["0.74183868", "0.74183869"]
    assert np.isfinite(x.axis.high)
