"""Runs in a notebook: data frames of their files."""

import csv
import importlib.util
import os

from . import comparison as comparisons
from . import runs
from .failure import Failure
from .html import escape
from .plotter import check_choice
from .tables import is_number, open_text


def as_value(text):
    """A cell as a number or text; None for what was not measured."""
    if text == "" or text is None:
        return None
    if is_number(text):
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    return float(text) if text in ("nan", "inf", "-inf") else text


def frame(rows, kind):
    """Rows as the data frame that is wanted: of pandas, polars, or as they are; by default pandas where it is there."""
    kind = check_choice(
        "frames", kind or ("pandas" if importlib.util.find_spec("pandas") else "dicts"), ["pandas", "polars", "dicts"]
    )
    if kind == "dicts":
        return rows
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    if kind == "polars":
        import polars

        return polars.DataFrame(columns, strict=False)
    import pandas

    return pandas.DataFrame(columns)


class Runs:
    """Runs and, where they are those of a comparison, its points; files are read when they are asked for."""

    def __init__(self, collection, comparison, frames):
        self.collection, self.comparison, self.frames = collection, comparison, frames

    def __len__(self):
        return len(self.collection.runs)

    def __getitem__(self, number):
        return self.collection.runs[number]

    def _head(self, run):
        return {
            "run": run.name,
            **{key: as_value(value) for key, value in run.settings.items()},
            "seed": as_value(run.seed),
        }

    def _rows(self, file):
        rows = []
        for run in self.collection.runs:
            head, path = self._head(run), os.path.join(run.path, file)
            with open_text(path) as text:
                rows += [
                    head | {name: as_value(cell) for name, cell in row.items() if name} for row in csv.DictReader(text)
                ]
        return frame(rows, self.frames)

    @property
    def gradients(self):
        return self._rows("gradients.csv")

    @property
    def loss(self):
        return self._rows("loss.csv")

    @property
    def settings(self):
        return frame([self._head(run) | {"path": run.path} for run in self.collection.runs], self.frames)

    def _repr_html_(self):
        heads = [self._head(run) for run in self.collection.runs[:50]]
        titles = "".join(f"<th>{escape(name)}</th>" for name in heads[0])
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in head.values()) + "</tr>" for head in heads
        )
        rest = f"<p>{len(self) - 50} more</p>" if len(self) > 50 else ""
        return f"<table><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table>{rest}"

    def __repr__(self):
        return f"<{len(self)} runs, varied: {', '.join(self.collection.keys.values) or 'nothing but the seed'}>"


def load(*paths, labels=None, frames=None):
    """Run directories, or the directory of a comparison (of a sweep).  labels: what keys and values are to be called.
    frames: "pandas", "polars" or "dicts"."""
    paths = [os.fspath(path) for path in paths]
    if len(paths) == 1 and comparisons.is_comparison(paths[0]):
        comparison = comparisons.load(paths[0], labels)
        return Runs(comparisons.load_runs(comparison), comparison, frames)
    if not paths:
        raise Failure(2, "no run given")
    return Runs(runs.load(paths, labels or {}), None, frames)
