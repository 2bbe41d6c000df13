"""Pictures of runs, as data: where zeros, gaps, values that are not finite and bands go."""

import math

import numpy as np
import pytest
from conftest import make_run
from skipnet_view import run_pictures, runs
from skipnet_view.plotter import Options


def config(depth, skip, seed, name="x"):
    return f'{{"name": "{name}", "seed": {seed}, "network": {{"depth": {depth}, "skip": {{"kind": "{skip}"}}}}}}'


def layers(delta, n=3):
    return "".join(
        f"{step},{layer},h,hidden,1,0,0,{delta},{delta}\n" for step in (0, 1, 2) for layer in range(1, n + 1)
    )


@pytest.fixture
def grid(tmp_path):
    """Depth 3 and 6, plain and residual, two seeds; gradients 10^-seed, plain ones 10^-2-seed."""
    paths = []
    for depth in (3, 6):
        for skip in ("add", "none"):
            for seed in (1, 2):
                delta = 10.0 ** -(seed + 2 * (skip == "none"))
                path = tmp_path / f"{depth}{skip}{seed}"
                paths.append(make_run(path, layers(delta, depth), config(depth, skip, seed)))
    return runs.load(paths, {})


def test_zeros_gaps_and_what_is_not_finite(mixed):
    collection = runs.load([mixed], {})
    (picture,) = run_pictures.gradients(collection, Options())
    first = picture.panels[0].curves[0]
    assert first.x.tolist() == [1, 2, 3, 4, 5, 6]
    assert np.array_equal(first.y, [-math.inf, -math.inf, -15, math.nan, -5, math.inf], equal_nan=True)
    assert picture.scale.floor is not None and picture.scale.ceiling is not None
    assert [entry.text for entry in picture.entries] == ["mixed", "step 0", "step 1", "exact zero", "not finite"]
    assert picture.title == "Gradients by layer: mixed"
    assert (
        max(curve.y[np.isfinite(curve.y)].max() for panel in picture.panels for curve in panel.curves) <= 0
    )  # no norm


def test_frozen(mixed):
    run = runs.load([mixed], {}).runs[0]
    (step0, first), (step1, second) = runs.frozen_layers(run, [])
    assert (step0, step1) == (0, 1)
    # no change at all, stalled above a half; nothing is known of the output at step 0
    assert [frozen for _, _, frozen in first] == [True, True, False, False, True, None]
    assert [frozen for _, _, frozen in second] == [False, True, False, False, False, True]
    assert run_pictures.frozen_count(first) == "3 of 5 hidden"
    assert run_pictures.stretches(first) == [[1, 2, True], [3, 4, False], [5, 5, True]]
    assert run_pictures.frozen_count(runs.frozen_layers(run, [2])[0][1]) == "not measured"


def test_a_zero_gradient_everywhere_freezes_nothing(tmp_path):
    path = make_run(tmp_path / "zeros", "0,1,x,hidden,0,1,,0,0\n1,1,x,hidden,0,1,,0,0\n")
    loss = tmp_path / "zeros/loss.csv"
    loss.write_text(loss.read_text().replace("0.1,1", "0.1,0"), encoding="utf-8")
    assert runs.frozen_layers(runs.load([path], {}).runs[0], [])[0][1] == [(1, True, False)]


def test_map_cells(mixed):
    steps, layers_, cells = run_pictures.heat_table(runs.load([mixed], {}).runs[0], "delta_rms")
    assert steps == [0, 1, 2] and layers_ == [1, 2, 3, 4, 5, 6]
    ink = (255 * run_pictures.cell_colours(cells, "decades", -15, -2) + 0.5).astype(int)
    assert ink[0, 0].tolist() == [211, 211, 211] and ink[3, 0].tolist() == [255, 255, 255]
    assert (
        ink[5, 0].tolist() == [213, 94, 0]
        and ink[2, 0].tolist() == [68, 1, 84]
        and ink[2, 1].tolist() == [253, 231, 37]
    )


def test_steps_are_the_nearest(mixed):
    collection = runs.load([mixed], {})
    (picture,) = run_pictures.gradients(collection, Options(steps=[0, 7]))
    assert [entry.text for entry in picture.entries[1:3]] == ["step 0", "step 2"]


def test_seeds_are_a_band_kinds_colours_depths_marks(grid):
    assert [group.label for group in grid.groups] == [
        "add, depth = 3",
        "none, depth = 3",
        "add, depth = 6",
        "none, depth = 6",
    ]
    (picture,) = run_pictures.gradients(grid, Options(metric="delta_rms", steps=[0]))
    curves = picture.panels[0].curves
    assert len(curves) == 4 and {curve.colour for curve in curves[::2]} == {"#D55E00"}
    assert curves[1].colour == curves[3].colour == "#0072B2"
    assert [curve.mark for curve in curves] == [0, 0, 1, 1] == [curve.dash for curve in curves]
    assert np.allclose(curves[1].y, -3.5) and np.allclose(curves[1].low, -4) and np.allclose(curves[1].high, -3)
    assert picture.caption == "Median over seeds; band: least to greatest; n = 2. Step 0."


def test_a_panel_for_each_value(grid):
    (picture,) = run_pictures.gradients(grid, Options(by="depth", steps=[0]))
    assert [panel.title for panel in picture.panels] == ["network.depth = 3", "network.depth = 6"]
    assert [entry.text for entry in picture.entries] == ["add", "none", "least to greatest"]
    (picture,) = run_pictures.gradients(grid, Options(by="skip.kind", steps=[0], band="ci95"))
    assert [panel.title for panel in picture.panels] == ["add", "none"]
    assert "Mean over seeds; band: 95 % interval of the mean by Student's t; n = 2." in picture.caption


def test_names(tmp_path):
    paths = [
        make_run(tmp_path / name, config=f'{{"name": "{called}"}}')
        for name, called in (("a", "same"), ("b", "same"), ("n,depth=7", "n"))
    ]
    assert [run.name for run in runs.load(paths, {}).runs] == ["a", "b", "n,depth=7"]
    assert runs.as_name("x" * 180) == "x" * 60 + "…" + "x" * 37
    names = [runs.Run("", "a/b"), runs.Run("", "a b"), runs.Run("", "c")]
    assert run_pictures.heatmap_names(names) == ["heatmap-a_b", "heatmap-a_b-2", "heatmap-c"]


def test_labels(tmp_path):
    paths = [make_run(tmp_path / skip, config=config(3, skip, 1, skip)) for skip in ("none", "add")]
    collection = runs.load(paths, {"none": "plain", "network.skip.kind": "kind"})
    assert [group.label for group in collection.groups] == ["plain", "add"]


def test_a_column_of_the_loss_and_of_blocks(grid, mixed):
    (picture,) = run_pictures.curves(runs.load([mixed], {}), Options(metric="grad_norm"))
    assert picture.panels[0].curves[0].y.tolist() == [0, 0, 0]  # decades
    path = grid.runs[0].path
    with open(f"{path}/blocks.csv", "w", encoding="utf-8") as file:
        file.write("step,block,label,op,depth_frac,share\n0,1,b1,add,0,0.5\n0,2,b2,add,1,-0.25\n1,1,b1,add,0,1\n")
    (picture,) = run_pictures.gradients(runs.load([path], {}), Options(metric="share", steps=[0]))
    assert picture.sources == "blocks.csv" and picture.panels[0].curves[0].y.tolist() == [0.5, -0.25]
