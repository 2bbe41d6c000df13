"""Whether what is written in Python beside the program knows all that the program takes; needs no PyTorch.

usage: check_words.py SKIPNET
"""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile
from unittest import mock

# Names are all that is asked of the interpreter here.
for module in ("torch", "torch.nn", "torch.nn.functional"):
    sys.modules[module] = mock.MagicMock()

import draw  # noqa: E402
import interpreter  # noqa: E402
import layers  # noqa: E402
from words import UnknownWord, read_kinds  # noqa: E402

DRAWINGS = 300
TRIED = 40  # of which the program reads the config
PLANT = "planted"


def says(check, kinds):
    """What a check raises; None: nothing."""
    try:
        check(kinds)
    except UnknownWord as fault:
        return str(fault)


def with_kind(kinds, choice, keys=()):
    planted = copy.deepcopy(kinds)
    planted[choice][PLANT] = {key: {} for key in keys}
    return planted


def with_word(kinds, key):
    planted = copy.deepcopy(kinds)
    planted["network_family"]["mlp"][key]["enum"].append(PLANT)
    return planted


def check_plants(kinds):
    """A kind that nobody knows is refused by name, by each that would have to know it."""
    objections = [(draw.check, with_kind(kinds, choice)) for choice in draw.DRAWN if choice in kinds]
    objections += [(draw.check, with_kind(kinds, choice, [PLANT])) for choice in ("activation", "init")]
    objections += [(draw.check, with_word(kinds, key)) for key in ("order", "norm")]
    objections += [(layers.check, with_kind(kinds, choice)) for choice in ("network_family", "skip")]
    objections += [(layers.check, with_word(kinds, key)) for key in ("order", "norm")]
    for choice in ("op", "loss", "optimizer", "learning-rate_schedule", "skip"):
        objections.append((interpreter.check, with_kind(kinds, choice)))
    for check, planted in objections:
        said = says(check, planted)
        assert said and PLANT in said, f"{check.__module__} did not see what was planted, it said: {said}"


def words_in(value):
    """All strings of a config."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from words_in(member)
    elif isinstance(value, list):
        for element in value:
            yield from words_in(element)


def check_drawings(skipnet, kinds, directory):
    """Everything that can be drawn is, layers.py makes a list of each network, and the program takes the configs."""
    drawn = set()
    for seed in range(DRAWINGS):
        drawing = draw.Drawing(seed, kinds)
        network = drawing.config["network"]
        drawn.update(words_in({**drawing.config["train"], **network}))
        drawn.update(entry.op for entry in layers.flatten(network, drawing.out_dim))
        if seed < TRIED:
            draw.write_experiment(directory / str(seed), drawing)
            command = [skipnet, "check", directory / str(seed) / "config.json"]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, f"{done.stderr}\n{json.dumps(drawing.config)}"
    for choice in ("op", "activation", "init", *draw.DRAWN):
        names = kinds.get(choice, draw.DRAWN.get(choice))
        missing = set(names) - drawn - {*draw.LEFT_OUT, *draw.DULL_INITS}
        assert not missing, f"{choice} that is never drawn: {', '.join(sorted(missing))}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    kinds = read_kinds(sys.argv[1])
    assert len(kinds["activation"]) >= 11 and len(kinds["op"]) >= 19, kinds
    for check in (draw.check, interpreter.check):
        said = says(check, kinds)
        if said:
            sys.exit(said)
    check_plants(kinds)
    with tempfile.TemporaryDirectory() as directory:
        check_drawings(sys.argv[1], kinds, pathlib.Path(directory))
    print(f"{sum(map(len, kinds.values()))} kinds, all known; {DRAWINGS} drawings")


main()
