"""CSV and JSON files as skipnet writes them, read strictly and in bounded memory.

Cells become heights: nan where nothing was measured, +inf where a value is not finite (-inf stays -inf: of log10
columns that is an exact zero)."""

import csv
import itertools
import json
import math
import os
import re

import numpy as np

from .failure import Failure, FileFault, tell

csv.field_size_limit(1 << 30)
MOST_STEPS = 400  # of a table that are kept


def check_directory(path, files, kind, remedy):
    """Fails unless the directory, of that kind, has all of the files and they can be read."""
    if not os.path.isdir(path):
        raise Failure(2, f"no {kind} {path}")
    for file in files:
        place = os.path.join(path, file)
        if not os.path.isfile(place) or not os.access(place, os.R_OK):
            raise Failure(2, f"cannot read {place}: {remedy}")


def clean(text):
    """On one line, and of characters that XML takes: a control character is a blank, what is no character is left
    out."""
    return re.sub("[\ud800-\udfff\ufffe\uffff]", "", re.sub("[\x00-\x1f\x7f]", " ", text))


def is_number(text):
    return re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text) is not None


def height(text):
    """Raises ValueError for what is neither empty, nor a number, nan, inf or -inf."""
    if not text:
        return math.nan
    if text.strip("+-.0123456789eEinfa"):  # float takes blanks and underscores, too
        raise ValueError(text)
    value = float(text)
    return math.inf if value != value else value


def heights(path, line, names, cells):
    """The heights of some cells of a row."""
    try:
        return [height(cell) for cell in cells]
    except ValueError:
        for name, cell in zip(names, cells):
            try:
                height(cell)
            except ValueError:
                raise FileFault(path, f'line {line}, column {name}: "{clean(cell)}" is not a number') from None
        raise


def open_text(path):
    """Only what is a file: reading a pipe could take for ever."""
    if not os.path.isfile(path):
        raise Failure(2, f"cannot read {path}: {'not a file' if os.path.exists(path) else 'it is not there'}")
    try:
        return open(path, encoding="utf-8", errors="ignore", newline="")
    except OSError as error:
        raise Failure(4, f"cannot read {path}: {error.strerror}") from None


def read_header(path):
    with open_text(path) as file:
        return next(csv.reader(file), [])


def read_rows(path, columns, hint, is_growing=False):
    """(line, cells) of each row, the cells of `columns`, which are found by their names.  `hint` says what a file
    without them is.  is_growing: the last row may be cut short, as a killed run leaves it; it is told and left out.
    """
    cut = ""
    with open_text(path) as file:
        reader = csv.reader(file, strict=True)
        try:
            header = next(reader, [])
            for name in columns:
                if name not in header:
                    raise FileFault(path, f"no column {name}: {hint}")
            places = [header.index(name) for name in columns]
            for cells in reader:
                if cut:
                    break
                if len(cells) == len(header):
                    yield reader.line_num, [cells[place] for place in places]
                else:
                    cut = f"line {reader.line_num}: {len(cells)} cells, but the header has {len(header)}"
            else:
                if cut and is_growing:
                    cut = tell(f"{path}: {cut.split(':')[0]} is cut short and left out")
        except csv.Error as error:
            cut = f"line {reader.line_num}: {error}"
            if is_growing and "end of data" in cut:
                cut = tell(f"{path}: line {reader.line_num} is cut short and left out")
    if cut:
        raise FileFault(path, cut)


def read_steps(path, columns, near=(), most=MOST_STEPS):
    """A run's CSV by step: [(step, array of (rows, columns))], `columns` without the step.  Of very many steps only
    some are kept, evenly taken, and always the first, the last two and those nearest to `near`: so the memory that it
    takes does not grow with the file.  A column "role" becomes 1 for hidden and 0 for output; rows of other roles are
    left out.
    """
    names = ("step", *columns)
    role = names.index("role") if "role" in names else None
    kept, nearest, stride, number = [], {}, 1, 0
    last = []  # the steps read before that may have to be put back

    def parsed(rows):
        for line, cells in rows:
            if role is not None:
                if cells[role] not in ("hidden", "output"):
                    continue
                cells[role] = "1" if cells[role] == "hidden" else "0"
            yield heights(path, line, names, cells)

    rows = parsed(read_rows(path, names, "not written by skipnet train", is_growing=True))
    for step, group in itertools.groupby(rows, key=lambda row: row[0]):
        block = (step, np.array([row[1:] for row in group]))
        for wanted in near:
            if wanted not in nearest or abs(step - wanted) < abs(nearest[wanted][0] - wanted):
                nearest[wanted] = block
        last = [*last[-1:], block]
        if number % stride == 0:
            kept.append(block)
        number += 1
        if len(kept) > 2 * most:
            kept, stride = kept[::2], 2 * stride
    if not number:
        raise FileFault(path, "no rows: nothing was measured yet")
    return sorted({block[0]: block for block in [*kept, *nearest.values(), *last]}.values(), key=lambda block: block[0])


def read_json(path):
    """An object, numbers as they are written; {} where there is none that can be read."""
    try:
        with open_text(path) as file:
            value = json.load(file, parse_float=str, parse_int=str)
    except (Failure, OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def flatten(value, key=""):
    """Dotted keys with their values as text, without what does not change a run: names, comments, reports, seeds."""
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        found = {}
        for name, below in items:
            found.update(flatten(below, f"{key}.{name}" if key else str(name)))
        return found
    if re.fullmatch(r"name|seed|\$schema|report\..*|(.*\.)?comment(\.\d+)?", key):
        return {}
    return {clean(key): clean(value if isinstance(value, str) else json.dumps(value))}
