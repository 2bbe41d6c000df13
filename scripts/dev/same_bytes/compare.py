#!/usr/bin/env python3
"""Compares the pairs of runs that train.sh has left: the last step of same_bytes.sh.

    compare.py DIRECTORY

DIRECTORY holds pairs.txt and runs/CONFIG/SIMD-PRECISION/{old,new}.  Prints every difference and the counts, then plants
differences in a copy of one old run and asserts that each is found, so that nothing passes by looking at nothing.
Exit status 1 if something differs, if there was too little to compare, or if a planted difference was missed.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

DONE, DIVERGED = 0, 3
FILES = ("gradients.csv", "loss.csv")
HASHES = ("config_hash", "weights_hash")
TIME_UNITS = ("s", "ms", "us", "ns", "seconds")
CELL = re.compile(rb'((?:"(?:[^"]|"")*"|[^,\n"])*)([,\n])')  # with its quotes, and what ends it

Columns = dict[bytes, tuple[bytes, ...]]


class Pair(NamedTuple):
    """An old and a new run of one config."""

    config: str
    simd: str
    precision: str
    directory: pathlib.Path  # holds old, new and their exit statuses


@dataclasses.dataclass
class Tally:
    """What was compared."""

    diverged: int = 0
    hashes: int = 0
    columns: int = 0
    cells: int = 0
    files_without_rows: int = 0
    weights: set[str] = dataclasses.field(default_factory=set)  # their hashes
    times: set[tuple[str, bytes]] = dataclasses.field(default_factory=set)  # columns that are not compared


class BadRun(Exception):
    """A run cannot be compared."""


def read_pairs(work: pathlib.Path) -> list[Pair]:
    lines = (work / "pairs.txt").read_text().splitlines()
    parts = [line.split()[:3] for line in lines]
    return [Pair(*p, work / "runs" / p[0] / f"{p[1]}-{p[2]}") for p in parts]


def read_status(pair: Pair, side: str) -> int:
    path = pair.directory / f"{side}.status"
    try:
        return int(path.read_text())
    except (OSError, ValueError) as error:
        raise BadRun(f"{path}: {error}") from error


def is_done(pair: Pair) -> bool:
    try:
        return read_status(pair, "old") == DONE
    except BadRun:
        return False


def read_object(path: pathlib.Path) -> dict:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadRun(f"{path}: {error}") from error


def read_manifest(pair: Pair, side: str) -> dict:
    """run.json of a run that was what it is taken for: nothing agrees because a setting had no effect."""
    path = pair.directory / side / "run.json"
    manifest = read_object(path)
    for key in ("simd", "precision"):
        if manifest.get(key) != getattr(pair, key):
            raise BadRun(f"{path}: {key} is {manifest.get(key)!r}, not {getattr(pair, key)!r}")
    return manifest


def read_columns(path: pathlib.Path) -> Columns:
    """The columns of a CSV, cells as they stand in the file."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BadRun(str(error)) from error
    found = CELL.findall(text)
    rows: list[list[bytes]] = [[]]
    for cell, end in found:
        rows[-1].append(cell)
        if end == b"\n":
            rows.append([])
    header, rest = rows[0], rows.pop()
    is_whole = sum(len(cell) + 1 for cell, _ in found) == len(text) and not rest
    if not header or not is_whole or any(len(row) != len(header) for row in rows) or len(set(header)) != len(header):
        raise BadRun(f"{path}: not a CSV of whole rows and columns of different names")
    return {name: tuple(row[i] for row in rows[1:]) for i, name in enumerate(header)}


def time_columns(run: pathlib.Path) -> set[tuple[str, bytes]]:
    """(file, column) of what measures time, by its unit in datapackage.json: not the same in any two runs."""
    resources = read_object(run / "datapackage.json")["resources"]
    fields = [(resource["path"], field) for resource in resources for field in resource["schema"]["fields"]]
    return {(path, field["name"].encode()) for path, field in fields if field["unit"] in TIME_UNITS}


def say(cell: bytes) -> str:
    return repr(cell.decode(errors="backslashreplace"))


def compare_columns(name: str, old: Columns, new: Columns, skipped: set[tuple[str, bytes]]) -> Iterator[str]:
    """Rows are counted from 1, without the header."""
    n_old, n_new = len(next(iter(old.values()))), len(next(iter(new.values())))
    if n_old != n_new:
        yield f"{name}: {n_old} rows before, {n_new} now"
    if list(new)[: len(old)] != list(old):
        yield f"{name}: the columns before are not the first ones now"
    for column, cells in old.items():
        where = f"{name}: column {column.decode(errors='backslashreplace')}"
        if column not in new:
            yield f"{where}: is missing"
        elif (name, column) not in skipped:
            both = enumerate(zip(cells, new[column]), start=1)
            first = next((f"row {i}: {say(a)} before, {say(b)} now" for i, (a, b) in both if a != b), None)
            if first:
                yield f"{where}: first in {first}"


def hashes_of(manifest: dict) -> dict[str, str]:
    return {key: value for key, value in manifest.items() if key.endswith("checksum") or "hash" in key}


def compare_files(old_run: pathlib.Path, new_run: pathlib.Path, tally: Tally) -> Iterator[str]:
    skipped = time_columns(old_run)
    tally.times |= skipped
    names = sorted(path.name for path in old_run.glob("*.csv"))
    if not set(FILES) <= set(names):
        raise BadRun(f"{old_run}: wants {' and '.join(FILES)}")
    for name in names:
        columns = read_columns(old_run / name)
        compared = [cells for column, cells in columns.items() if (name, column) not in skipped]
        tally.columns += len(compared)
        tally.cells += sum(map(len, compared))
        tally.files_without_rows += not any(compared)
        yield from compare_columns(name, columns, read_columns(new_run / name), skipped)


def compare_pair(pair: Pair, tally: Tally) -> Iterator[str]:
    """Yields the differences of a pair; counts what it compares."""
    status = read_status(pair, "old")
    if status not in (DONE, DIVERGED):
        raise BadRun(f"the old run failed, exit status {status}: see {pair.directory}/old.log")
    tally.diverged += status == DIVERGED
    if read_status(pair, "new") != status:
        yield f"exit status {status} before, {read_status(pair, 'new')} now: see {pair.directory}/new.log"
    old_run, new_run = pair.directory / "old", pair.directory / "new"
    old, new = hashes_of(read_manifest(pair, "old")), hashes_of(read_manifest(pair, "new"))
    if any(not re.fullmatch("[0-9a-f]{16}", str(old.get(key))) for key in HASHES):
        raise BadRun(f"{old_run}/run.json: wants {' and '.join(HASHES)}")
    tally.weights.add(old["weights_hash"])
    for key, value in old.items():
        tally.hashes += 1
        if new.get(key) != value:
            yield f"run.json: {key}: {value} before, {new.get(key)} now"
    yield from compare_files(old_run, new_run, tally)


def differences_of(pair: Pair, tally: Tally) -> list[str]:
    found = []
    try:
        for difference in compare_pair(pair, tally):
            found.append(difference)
    except BadRun as error:
        found.append(str(error))
    return found


# ---- planted differences ----


def edit(path: pathlib.Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def edit_cell(path: pathlib.Path, column: bytes, change: Callable[[bytes], bytes]) -> None:
    """In the last row."""

    def in_last(lines: list[bytes]) -> list[bytes]:
        cells = lines[-1].rstrip(b"\n").split(b",")
        i = lines[0].rstrip(b"\n").split(b",").index(column)
        cells[i] = change(cells[i])
        return [*lines[:-1], b",".join(cells) + b"\n"]

    edit(path, in_last)


def edit_hash(run: pathlib.Path, key: str) -> None:
    path = run / "run.json"
    manifest = read_object(path)
    manifest[key] = manifest[key][:-1] + ("0" if manifest[key][-1] != "0" else "1")
    path.write_text(json.dumps(manifest))


def add_column(path: pathlib.Path, first: bool) -> None:
    edit(path, lambda lines: [b"x," + line if first else line.rstrip(b"\n") + b",x\n" for line in lines])


def other_byte(cell: bytes) -> bytes:
    return cell[:-1] + (b"7" if cell[-1:] != b"7" else b"8")


# What is done to the new run, and how the one difference that is to be found begins; None: there is to be none.
PLANTS: tuple[tuple[str, Callable[[pathlib.Path], object], str | None], ...] = (
    ("nothing", lambda run: None, None),
    ("a new column at the right", lambda run: add_column(run / "loss.csv", first=False), None),
    ("a new column at the left", lambda run: add_column(run / "loss.csv", first=True), "loss.csv: the columns before"),
    (
        "a byte of a CSV",
        lambda run: edit_cell(run / "gradients.csv", b"weight_norm", other_byte),
        "gradients.csv: column weight_norm: first in row ",
    ),
    (
        "quotes around a cell",
        lambda run: edit_cell(run / "gradients.csv", b"label", lambda cell: b'"' + cell + b'"'),
        "gradients.csv: column label: first in row ",
    ),
    ("a row less", lambda run: edit(run / "loss.csv", lambda lines: lines[:-1]), "loss.csv: "),
    ("a byte after the last row", lambda run: edit(run / "loss.csv", lambda lines: [*lines, b"0"]), "/"),
    ("no gradients.csv", lambda run: (run / "gradients.csv").unlink(), "[Errno 2]"),
    ("another weights_hash", lambda run: edit_hash(run, "weights_hash"), "run.json: weights_hash: "),
    ("another config_hash", lambda run: edit_hash(run, "config_hash"), "run.json: config_hash: "),
    ("another exit status", lambda run: run.with_name("new.status").write_text("139"), "exit status 0 before, 139 now"),
)


def missed_plants(pair: Pair) -> list[str]:
    """What is not found of PLANTS, each in a copy of the pair's old run beside that run."""
    missed = []
    with tempfile.TemporaryDirectory() as scratch:
        for i, (what, plant, expected) in enumerate(PLANTS):
            planted = pair._replace(directory=pathlib.Path(scratch, str(i)))
            for side in ("old", "new"):
                shutil.copytree(pair.directory / "old", planted.directory / side)
                shutil.copy(pair.directory / "old.status", planted.directory / f"{side}.status")
            plant(planted.directory / "new")
            found = differences_of(planted, Tally())
            if len(found) != (expected is not None) or (expected and not found[0].startswith(expected)):
                missed.append(f"planted {what}: found {found}")
    return missed


# ---- the whole ----


def too_little(pairs: list[Pair], tally: Tally) -> list[str]:
    """Why agreement would say nothing."""
    n, n_configs = len(pairs), len({pair.config for pair in pairs})
    reasons = {
        "no pairs of runs": n == 0,
        "a CSV without rows": tally.files_without_rows > 0,
        "too few hashes": tally.hashes < len(HASHES) * n,
        "too few cells": tally.cells < tally.columns or tally.columns < 20 * n,
        "most runs diverged": 2 * tally.diverged > n,
        "most configs end at the same weights": 2 * len(tally.weights) < n_configs,
    }
    return [reason for reason, holds in reasons.items() if holds]


def main() -> int:
    pairs = read_pairs(pathlib.Path(sys.argv[1]))
    tally, failed = Tally(), 0
    for pair in pairs:
        found = differences_of(pair, tally)
        failed += bool(found)
        for difference in found:
            print(f"DIFFERS: {pair.config}, {pair.simd}, {pair.precision}: {difference}")
    print(
        f"{len({pair.config for pair in pairs})} configs, {2 * len(pairs)} runs ({tally.diverged} pairs diverged): "
        f"compared {tally.hashes} hashes, {tally.columns} columns, {tally.cells} cells; {failed} pairs differ"
    )
    times = sorted(f"{name}:{column.decode()}" for name, column in tally.times)
    print(f"columns of wall time, not compared: {', '.join(times) or 'there are none'}")
    faults = too_little(pairs, tally) if not failed else []
    done = next((pair for pair in pairs if is_done(pair)), None)
    if done:
        faults += missed_plants(done)
        print(f"planted differences: {len(PLANTS)} tried in {done.config}")
    for fault in faults:
        print(f"FAILS: {fault}")
    print(f"{len(pairs) - failed} passed, {failed} failed")
    return 1 if failed or faults else 0


if __name__ == "__main__":
    sys.exit(main())
