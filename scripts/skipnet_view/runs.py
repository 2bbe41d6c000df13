"""Run directories: what they are called, in what they differ, and their rows by step."""

import os
import re
from dataclasses import dataclass, field

import numpy as np

from .settings import SKIP, Keys, looks
from .stats import align, over_runs
from .failure import Failure
from .tables import MOST_STEPS, check_directory, clean, flatten, is_number, read_header, read_json, read_steps

LAYERS = ("gradients.csv", "blocks.csv")
LOSSES = ("batch_loss", "train_loss", "test_loss")
# Columns that are read together, so that a big file is read once.
TOGETHER = {
    "gradients.csv": ("layer", "role", "delta_rms", "out_grad_rms", "grad_rms", "stalled_frac", "unchanged_frac"),
    "loss.csv": (*LOSSES, "lr", "grad_norm"),
}
MOST_ROWS = 20000  # steps that are kept, of all runs together
FROZEN_ABOVE = 0.5  # of the weights that were meant to change, the share that did not


@dataclass
class Run:
    path: str
    name: str = ""
    settings: dict = field(default_factory=dict)  # varied keys
    seed: str = None
    config: dict = field(default_factory=dict)
    most: int = MOST_STEPS  # see read_steps
    tables: dict = field(default_factory=dict)  # file: (columns, what read_steps found)

    def steps(self, file, columns, near=()):
        """The columns of a file by step, see read_steps."""
        names, table = self.tables.get(file, ((), []))
        if not set(columns) <= set(names):
            path = os.path.join(self.path, file)
            header = read_header(path)
            names = list(dict.fromkeys([*columns, *(name for name in TOGETHER.get(file, ()) if name in header)]))
            table = read_steps(path, names, near, self.most)
            self.tables[file] = (names, table)
        places = [names.index(name) for name in columns]
        return [(step, block[:, places]) for step, block in table]


@dataclass
class Group:
    """Runs that differ in the seed at most."""

    label: str
    settings: dict
    runs: list


@dataclass
class Collection:
    """Runs and their varied keys."""

    runs: list
    keys: Keys
    groups: list = field(default_factory=list)

    @property
    def n_seeds(self):
        return sorted({len(group.runs) for group in self.groups})


def check_run(path, files=("loss.csv", "gradients.csv")):
    check_directory(path, files, "run directory", "not a run of skipnet train")


# ---- names ----


def as_name(text):
    """On one line, and no longer than there is room for: its beginning and its end."""
    text = clean(text)
    return text if len(text) <= 100 else f"{text[:60]}…{text[-37:]}"


def name_runs(runs):
    """A run is called as in its config, or after its directory where that tells more or runs would share a name."""
    for run in runs:
        base = os.path.basename(os.path.realpath(run.path))
        name = run.config.get("name")
        name = name if isinstance(name, str) and name else base
        run.name = as_name(base if base.startswith(f"{name},") else name)  # deep50,depth=100 is more than deep50
    for longer in (lambda run: os.path.basename(os.path.realpath(run.path)), lambda run: run.path):
        names = [run.name for run in runs]
        for run in runs:
            if names.count(run.name) > 1:
                run.name = as_name(longer(run))


# ---- keys ----


def varied_keys(runs):
    """Keys of the configs in which runs differ, and their values: as they come, numbers by size.  What only goes with a
    skip kind, as its growth does, is no difference of its own."""
    configs = [flatten(run.config) for run in runs]
    values = {}
    for key in dict.fromkeys(key for config in configs for key in config):
        found = list(dict.fromkeys(config.get(key) for config in configs))
        by_kind = {(config.get(SKIP), config.get(key)) for config in configs}
        goes_with_kind = None in found and len(by_kind) == len({kind for kind, _ in by_kind})
        if len(found) > 1 and (key == SKIP or not goes_with_kind):
            if all(value is None or is_number(value) for value in found):
                found.sort(key=lambda value: -np.inf if value is None else float(value))
            values[key] = found
    for run, config in zip(runs, configs):
        run.settings = {key: config.get(key) for key in values}
        run.seed = str(run.config.get("seed"))
    return values


def group_runs(collection):
    """By their settings; runs of one seed twice, or of unknown configs, stand alone."""
    keys, bins = collection.keys, {}
    for run in collection.runs:
        run.most = max(2, min(MOST_STEPS, MOST_ROWS // len(collection.runs)))
        bins.setdefault(tuple(run.settings.items()) if run.config or run.settings else run.path, []).append(run)
    for members in bins.values():
        if len({run.seed for run in members}) == len(members):
            collection.groups.append(Group("", members[0].settings, members))
        else:
            collection.groups += [Group("", run.settings, [run]) for run in members]
    is_alone = all(len(group.runs) == 1 for group in collection.groups)
    for group in collection.groups:
        label = keys.label(group.settings, keys.values)
        group.label = keys.word(group.runs[0].name) if is_alone or not label else label
    return collection


def load(paths, labels):
    """Runs as they are given."""
    runs = []
    for path in paths:
        check_run(path)
        runs.append(Run(path, config=read_json(os.path.join(path, "config.json"))))
    name_runs(runs)
    return group_runs(Collection(runs, Keys(varied_keys(runs), labels)))


# ---- rows ----


def file_of(run, metric):
    """The CSV of a run that has this column by layer, or else by step."""
    if metric in TOGETHER["gradients.csv"]:
        return "gradients.csv"
    for file in (*LAYERS, "loss.csv"):
        path = os.path.join(run.path, file)
        if os.path.isfile(path) and metric in read_header(path):
            return file
    raise Failure(
        2, f"no column {metric} in gradients.csv, blocks.csv or loss.csv of {run.path} (skipnet list metrics)"
    )


def chosen_steps(steps, wanted):
    """Those nearest to what is wanted; else the first and the last before the final row, which has no update."""
    if wanted:
        return [min(steps, key=lambda step: abs(step - want)) for want in wanted]
    return list(dict.fromkeys([steps[0], steps[-2] if len(steps) > 2 else steps[0]]))


def by_layer(group, metric, options, convert):
    """[(steps of the runs, x, centre, low, high)] of a column by layer, for each step that is shown."""
    file, x, wanted, band = (file_of(group.runs[0], metric), options.layer_x, options.steps, options.band)
    columns = ("block", "depth_frac", metric) if file == "blocks.csv" else ("layer", "role", metric)
    if x == "depth_frac" and file == "gradients.csv":
        columns = ("depth_frac", *columns[1:])
    place = 1 if file == "blocks.csv" and x == "depth_frac" else 0
    tables = []
    for run in group.runs:
        table = dict(run.steps(file, columns, wanted))
        tables.append((table, chosen_steps(list(table), wanted)))
    shown = []
    for k in range(max(len(steps) for _, steps in tables)):
        steps = [steps[min(k, len(steps) - 1)] for _, steps in tables]
        curves = []
        for (table, _), step in zip(tables, steps):
            rows = table[step]
            rows = rows[~np.isnan(rows[:, place])]
            curves.append(dict(zip(rows[:, place], convert(rows[:, 2]))))
        at, stack = align(curves)
        shown.append((steps, at, *over_runs(stack, band)) if at.size else (steps, at, np.array([]), None, None))
    return shown


def by_step(group, columns, band):
    """{column: (steps, centre, low, high)} of loss.csv; steps at which nothing was measured are left out of a
    column."""
    tables = [run.steps("loss.csv", columns) for run in group.runs]
    found = {}
    for c, column in enumerate(columns):
        is_rare = column in LOSSES[1:] or column.startswith(("train_", "test_"))
        curves = []
        for table in tables:
            values = [block[0, c] for _, block in table]
            curves.append({step: y for (step, _), y in zip(table, values) if not (is_rare and np.isnan(y))})
        at, stack = align(curves)
        found[column] = (at, *over_runs(stack, band)) if at.size else (at, np.array([]), None, None)
    return found


def frozen_layers(run, wanted):
    """[(step, [(layer, is_hidden, frozen or None)])]: more than half of the weights that should have changed did not;
    or none changed although the learning rate and the network's gradient are above zero (it has underflowed to
    zero)."""
    moves = {
        step: block[0, 0] > 0 and block[0, 1] > 0 for step, block in run.steps("loss.csv", ("lr", "grad_norm"), wanted)
    }
    table = dict(run.steps("gradients.csv", ("layer", "role", "stalled_frac", "unchanged_frac"), wanted))
    found = []
    for step in chosen_steps(list(table), wanted):
        layers = []
        for layer, is_hidden, stalled, unchanged in table[step]:
            frozen = None
            if np.isfinite(stalled):
                frozen = bool(stalled > FROZEN_ABOVE)
            elif np.isfinite(unchanged):
                frozen = bool(unchanged == 1 and moves.get(step, False))
            layers.append((layer, bool(is_hidden), frozen))
        found.append((step, layers))
    return found


def group_looks(collection, groups):
    return looks(collection.keys, [group.settings for group in groups], list(collection.keys.values))


def safe(name):
    """As a part of a file name."""
    return re.sub(r"[^A-Za-z0-9._=,+-]", "_", name)
