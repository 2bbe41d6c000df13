"""A comparison as `skipnet compare --out DIR` writes it: points with their figures, and what the data package says of
them.
"""

import math
import os
from dataclasses import dataclass

from .runs import Collection, Run, as_name, group_runs
from .settings import Keys, kind_first
from .failure import Failure, FileFault, tell
from .tables import check_directory, clean, heights, read_json, read_rows

FILES = ("runs.csv", "summary.csv", "profiles.csv", "layers.csv", "datapackage.json")
COUNTS = ("n_runs", "n_diverged", "n_missing", "n_failed", "n_running")
STATISTICS = (*COUNTS, "mean", "median", "min", "max", "ci95_low", "ci95_high")
HINT = "not written by skipnet compare"


@dataclass
class Figure:
    """A metric at a point, over its finished runs; the others are counted."""

    n_runs: int
    n_diverged: int
    n_missing: int
    n_failed: int
    n_running: int
    mean: float
    median: float
    low: float
    high: float
    ci_low: float
    ci_high: float

    def curve(self, band):
        """Centre, low, high: an interval where there is one, else the median, with its range if that is wanted."""
        if band == "ci95":
            return ((self.median if self.mean != self.mean else self.mean), self.ci_low, self.ci_high)
        return self.median, self.low, self.high


@dataclass
class Comparison:
    path: str
    keys: Keys
    seeds: list
    axes: list  # numeric keys, best first
    points: list  # (setting, {metric: Figure}) with a finished run, in order
    awaited: list = ()  # all points

    @property
    def n_seeds(self):
        return sorted({figure.n_runs for _, figures in self.points for figure in figures.values()})

    def rows(self, file, columns):
        """(setting, line, cells) of a file that has the varied keys."""
        names = list(self.keys.values)
        for line, cells in read_rows(os.path.join(self.path, file), [*names, *columns], HINT):
            texts = [clean(cell) if cell else None for cell in cells[: len(names)]]
            yield dict(zip(names, texts)), line, cells[len(names) :]


def is_comparison(path):
    return os.path.isfile(os.path.join(path, "runs.csv")) and not os.path.isfile(os.path.join(path, "loss.csv"))


def check_files(path):
    check_directory(path, FILES, "directory", f"write it with skipnet compare {path} --out {path}")


def load_keys(path, labels):
    """The varied keys, the seeds, and the axes."""
    package = read_json(os.path.join(path, "datapackage.json"))
    values, axes = package.get("values"), package.get("axes")
    if not isinstance(values, dict) or not isinstance(axes, list):
        remedy = f"write it with skipnet compare {path} --out {path}"
        raise FileFault(f"{path}/datapackage.json", f"no values and axes: {remedy}")
    values = {key: [None if value is None else clean(value) for value in found] for key, found in values.items()}
    seeds = values.pop("seed", [])
    return Keys(values, labels), seeds, [axis for axis in axes if axis in values]


def figures_of(comparison, file):
    """[(setting, {metric: Figure})] of summary.csv or differences.csv, in its order."""
    points = {}
    for setting, line, cells in comparison.rows(file, ("metric", *STATISTICS)):
        numbers = heights(f"{comparison.path}/{file}", line, STATISTICS, cells[1:])
        point = points.setdefault(tuple(setting.values()), (setting, {}))
        point[1][clean(cells[0])] = Figure(*(int(n) if math.isfinite(n) else 0 for n in numbers[:5]), *numbers[5:])
    return list(points.values())


def load(path, labels=None):
    check_files(path)
    comparison = Comparison(path, *load_keys(path, labels or {}), [])
    comparison.awaited = figures_of(comparison, "summary.csv")
    for setting, _ in comparison.awaited:
        for key, value in setting.items():
            if value not in comparison.keys.places[key]:
                raise FileFault(f"{path}/summary.csv", f"{key} = {value}: datapackage.json has no such value")
    comparison.awaited.sort(key=lambda point: comparison.keys.order(point[0], comparison.keys.values))
    comparison.points = [point for point in comparison.awaited if any(figure.n_runs for figure in point[1].values())]
    return comparison


def find_run(directory, path, is_alone):
    """A run that moved along with the comparison is known by its name, unless others have the same."""
    beside = os.path.join(directory, os.path.basename(path.rstrip("/")))
    if is_alone and os.path.isfile(os.path.join(beside, "run.json")):
        return beside
    return path if os.path.isfile(os.path.join(path, "run.json")) else None


def find_runs(path, paths):
    """The directory of each, or None."""
    names = [os.path.basename(clean(run).rstrip("/")) for run in paths]
    counts = {name: names.count(name) for name in set(names)} if len(names) < 1000 else {}
    for name in names if not counts else ():
        counts[name] = counts.get(name, 0) + 1
    return [find_run(path, clean(run), counts[name] == 1) for run, name in zip(paths, names)]


def load_runs(comparison):
    """The finished runs of a comparison, with the settings that compare found, for pictures of their rows."""
    path, keys = comparison.path, comparison.keys
    columns = ("run", "status", *(("seed",) if comparison.seeds else ()))
    rows = [(setting, cells) for setting, _, cells in comparison.rows("runs.csv", columns)]
    rows = [(setting, cells) for setting, cells in rows if cells[1] in ("done", "diverged")]
    runs, n_gone = [], 0
    for (setting, cells), place in zip(rows, find_runs(path, [cells[0] for _, cells in rows])):
        if place and os.path.isfile(os.path.join(place, "gradients.csv")):
            runs.append(Run(place, as_name(os.path.basename(place)), setting, cells[2] if len(cells) > 2 else "1"))
        else:
            n_gone += 1
    if not runs:
        raise Failure(2, f"{path}/runs.csv: no finished run is where it says")
    if n_gone:
        tell(f"{path}/runs.csv: {n_gone} finished runs are not where it says, and are left out")
    runs.sort(key=lambda run: keys.order(run.settings, kind_first(keys.values)))
    return group_runs(Collection(runs, keys))
