"""Runs in a notebook, with pandas and polars where these are there."""

import pytest
import skipnet_view as sv
from conftest import make_run


def config(skip, seed):
    return f'{{"name": "<b>{skip}", "seed": {seed}, "network": {{"skip": {{"kind": "{skip}"}}}}}}'


@pytest.fixture
def paths(tmp_path):
    return [
        make_run(tmp_path / f"<b>{skip}{seed}", config=config(skip, seed))
        for skip in ("none", "add")
        for seed in (1, 2)
    ]


def test_rows(paths):
    runs = sv.load(*paths, frames="dicts")
    assert len(runs) == 4 and len(runs.gradients) == 4 * 14
    first = runs.gradients[0]
    assert (
        first["network.skip.kind"] == "none"
        and first["seed"] == 1
        and first["delta_rms"] == 0
        and first["stalled_frac"] is None
    )
    assert runs.gradients[4]["label"] == "e\ne" and runs.loss[0]["batch_loss"] == 2.5
    assert [row["network.skip.kind"] for row in runs.settings] == ["none", "none", "add", "add"]
    assert "&lt;b&gt;none" in runs._repr_html_() and "<b>" not in runs._repr_html_()
    assert "network.skip.kind" in repr(runs)


def test_pandas(paths):
    pandas = pytest.importorskip("pandas")
    frame = sv.load(*paths).gradients
    assert isinstance(frame, pandas.DataFrame)
    first = frame[frame.step == 0].groupby("network.skip.kind").delta_rms.median()
    assert first["add"] == first["none"] and str(frame.delta_rms.dtype) == "float64"


def test_polars(paths):
    polars = pytest.importorskip("polars")
    frame = sv.load(*paths, frames="polars").loss
    assert isinstance(frame, polars.DataFrame) and frame.shape[0] == 12 and frame["batch_loss"].max() == 2.5


def test_axes(paths, comparison):
    runs = sv.load(*paths)
    axes = sv.plot.gradients(runs, steps=[0])
    assert len(axes) == 3 and axes[0].get_ylabel() == "root mean square of the gradient"
    axes = sv.plot.gradients(runs, metric="grad_rms", by="kind", band="ci95")
    assert [part.get_title() for part in axes] == ["none", "add"]
    for function in (sv.plot.loss, sv.plot.heatmap):
        assert function(runs).figure.axes
    assert len(sv.plot.frozen(runs)) == 2
    with pytest.raises(sv.Failure, match="only a comparison"):
        sv.plot.over(runs, "train_loss")


def test_faults(tmp_path):
    for call in (lambda: sv.load(tmp_path / "nowhere"), sv.load, lambda: sv.load(frames="x")):
        with pytest.raises(sv.Failure):
            call()
