"""What other people's packages make of the files of a run: interop.sh calls this in its virtual environment.

usage: check.py csv FILE...           pandas reads every number to the bit
       check.py weights SKIPNET RUN   the safetensors package reads the weights, and skipnet what that package writes
"""

import csv
import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy
import pandas
import safetensors
import safetensors.numpy

# Before 3.1 the default parser of pandas is off by a unit in the last place now and then.  Since then it is exact, and
# the option deprecated.
EXACT = {"float_precision": "round_trip"} if tuple(map(int, pandas.__version__.split(".")[:2])) < (3, 1) else {}


def bits(value):
    return struct.pack("<d", value)


def same_number(text, value):
    """A cell as Python reads it against what pandas made of it; an empty cell is no number in both."""
    if text == "" or math.isnan(float(text)):
        return math.isnan(value)
    return bits(float(text)) == bits(value)


def check_csv(path):
    frame = pandas.read_csv(path, **EXACT)
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or len(rows) != len(frame) or list(rows[0]) != list(frame.columns):
        sys.exit(f"{path}: {len(rows)} rows, pandas reads {len(frame)}, or other columns")
    n_numbers = 0
    for column in frame.columns:
        if not pandas.api.types.is_numeric_dtype(frame[column]):
            continue
        for number, (row, value) in enumerate(zip(rows, frame[column])):
            if not same_number(row[column], float(value)):
                sys.exit(f"{path}: row {number + 1}, {column}: {row[column]} became {value!r}")
            n_numbers += row[column] != ""
    if n_numbers == 0:
        sys.exit(f"{path}: no number in it")
    print(f"{path}: {n_numbers} numbers in {len(rows)} rows, to the bit")


def read_by_hand(path):
    """The file format as it is published: a length, a JSON header, the data."""
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    return {
        name: (
            entry["dtype"],
            entry["shape"],
            content[8 + length + entry["data_offsets"][0] : 8 + length + entry["data_offsets"][1]],
        )
        for name, entry in header.items()
    }


def check_same_tensors(path):
    by_hand = read_by_hand(path)
    read = safetensors.numpy.load_file(path)
    if not read or sorted(read) != sorted(by_hand):
        sys.exit(f"{path}: the package sees {sorted(read)}, the header has {sorted(by_hand)}")
    for name, tensor in read.items():
        dtype, shape, data = by_hand[name]
        if list(tensor.shape) != shape or tensor.tobytes() != data or tensor.dtype.itemsize * 8 != int(dtype[1:]):
            sys.exit(f"{path}: {name} is read as {tensor.dtype} of {tensor.shape}, or with other bits")
    print(f"{path}: {len(read)} tensors, to the bit")
    return read


def check_weights(skipnet, run):
    """Weights that the package wrote, doubled so that they are of no run, come back as initial weights."""
    tensors = check_same_tensors(run / "final.safetensors")
    with tempfile.TemporaryDirectory() as scratch:
        doubled = {name: 2 * tensor for name, tensor in tensors.items()}
        weights, out = pathlib.Path(scratch) / "doubled.safetensors", pathlib.Path(scratch) / "run"
        safetensors.numpy.save_file(doubled, weights)
        subprocess.run(
            [
                skipnet,
                "train",
                run / "config.json",
                "--set",
                f"network.weights={weights}",
                "--set",
                "train.steps=0",
                "--set",
                "report.save_initial=true",
                "--out",
                out,
                "-q",
            ],
            check=True,
        )
        initial = check_same_tensors(out / "initial.safetensors")
    for name, tensor in doubled.items():
        if not numpy.array_equal(tensor.view(f"u{tensor.itemsize}"), initial[name].view(f"u{tensor.itemsize}")):
            sys.exit(f"{name}: skipnet did not take over what the package wrote")


def main():
    match sys.argv[1:]:
        case ["csv", first, *more]:
            for path in [first, *more]:
                check_csv(path)
        case ["weights", skipnet, run]:
            check_weights(skipnet, pathlib.Path(run))
        case _:
            sys.exit(__doc__)


main()
