"""Round `valid`: a run of a valid config is the same however it is made.

With any number of threads, made in two halves, from its own config.json, from the graph that `check --expand` prints;
the weights however much is observed; and `eval` finds the last test loss.
"""

import collections
import csv
import json
import math
import pathlib
import random

from experiments import draw_experiment
from run import DIVERGED, DONE, REFUSED, Failure, Program, run

COMPARED = ("loss.csv", "gradients.csv", "final.safetensors")
KEYS = ("status", "weights_hash")
MOST_THREADS = 8


def case(program: Program, rng: random.Random, directory: pathlib.Path, counts: collections.Counter) -> None:
    config = draw_experiment(program, rng, directory)
    if run(program, directory, "check", "config.json", allowed=(DONE, REFUSED)).status == REFUSED:
        counts["refused"] += 1  # keys that are drawn by the schema alone may not go together
        return
    status = train(program, directory, "config.json", "one", 1)
    counts["diverged"] += status == DIVERGED
    for threads in rng.sample(range(2, MOST_THREADS + 1), 2):
        same_run(program, directory, status, COMPARED, "config.json", f"threads-{threads}", threads)
    same_run(program, directory, status, COMPARED, "one/config.json", "again", rng.randint(1, 4))
    expand(program, directory)
    same_run(program, directory, status, COMPARED, "expanded.json", "expanded", rng.randint(1, 4))
    observe_all(program, rng, directory, status)
    if status == DONE:
        make_in_halves(program, rng, directory, config)
        evaluate(program, directory)
    counts["comparisons"] += 6


def train(program: Program, directory: pathlib.Path, config: str, out: str, threads: int, *arguments: str) -> int:
    words = ("train", config, "--out", out, "-q", "--threads", str(threads), *arguments)
    return run(program, directory, *words, allowed=(DONE, DIVERGED)).status


def manifest(directory: pathlib.Path) -> dict:
    return json.loads((directory / "run.json").read_text())


def compare(directory: pathlib.Path, out: str, files, reference: str = "one") -> None:
    """Raises Failure where a run is another one than the reference."""
    for name in files:
        content = (directory / reference / name).read_bytes()
        if not content or content != (directory / out / name).read_bytes():
            raise Failure(f"{name} of {out} is not that of {reference}")
    expected, found = manifest(directory / reference), manifest(directory / out)
    for key in KEYS:
        if expected[key] is None or expected[key] != found[key]:
            raise Failure(f"{key} of {out} is not that of {reference}")


def same_run(program: Program, directory: pathlib.Path, status: int, files, *call) -> None:
    """Trains as train() does, of which `call` has the config, the directory of the run, the threads and the rest."""
    out = call[1]
    found = train(program, directory, *call)
    if found != status:
        raise Failure(f"{out}: exit status {found}, that of one was {status}")
    compare(directory, out, files)


def expand(program: Program, directory: pathlib.Path) -> None:
    text = run(program, directory, "check", "config.json", "--expand").stdout
    (directory / "expanded.json").write_bytes(text)


def observe_all(program: Program, rng: random.Random, directory: pathlib.Path, status: int) -> None:
    """Other rows and other evaluations, the same weights."""
    schedule = rng.choice(['{"kind": "linear", "every": 1}', '{"kind": "linear", "every": 1000}'])
    arguments = ("--set", f"report.schedule={schedule}", "--set", f"report.train_eval={rng.choice([0, 3, 100])}")
    same_run(program, directory, status, COMPARED[2:], "config.json", "observed", rng.randint(1, 4), *arguments)


def make_in_halves(program: Program, rng: random.Random, directory: pathlib.Path, config: dict) -> None:
    """A shorter run that is made longer; a schedule of learning rates that knows the end cannot be."""
    if config["train"]["lr_schedule"]["kind"] in ("cosine", "linear"):
        return
    half = f"train.steps={rng.randint(0, config['train']['steps'] - 1)}"
    train(program, directory, "config.json", "halves", rng.randint(1, 4), "--set", half)
    same_run(program, directory, DONE, COMPARED, "config.json", "halves", rng.randint(1, 4), "--resume")


def evaluate(program: Program, directory: pathlib.Path) -> None:
    with open(directory / "one" / "loss.csv", newline="") as file:
        told = list(csv.DictReader(file))[-1]["test_loss"]
    if not told:
        return
    text = run(program, directory, "eval", "one", "--split", "test", "--json", "--threads", "2").stdout
    found = json.loads(text)["loss"]
    if float(told) != found and not (math.isnan(float(told)) and found is None):
        raise Failure(f"eval says a loss of {found}, loss.csv one of {told}")
