"""Round `directories`: whatever stands in a run directory, no verb crashes, hangs or touches what is outside of it.

Where a run is made anew over the damage (train --force, exit status 0), it is the very run.
"""

import collections
import hashlib
import os
import pathlib
import random
import re
import shutil
import stat

from experiments import draw_experiment, write_config
from run import DIVERGED, DONE, FAILED, IO, REFUSED, Failure, Program, run
from valid import COMPARED, compare, train

VERBS = (
    ("train", "config.json", "--out", "run", "--resume", "-q"),
    ("train", "config.json", "--out", "run", "--resume", "--set", "train.steps=9"),
    ("train", "config.json", "--out", "run", "-q"),
    ("train", "config.json", "--out", "run", "--json"),
    ("train", "run/config.json", "--out", "run", "--resume", "-q"),
    ("eval", "run"),
    ("eval", "run", "--json", "--split", "train", "--predictions", "run/predictions.csv"),
    ("compare", "run"),
    ("compare", "run", "other", "--out", "run"),
    ("check", "run/config.json"),
)
FORCE = ("train", "config.json", "--out", "run", "--force", "-q")
STATUSES = ("done", "running", "interrupted", "diverged", "failed", "\\u001b[31m", "<b>", "")
# What a verb may make, or follow, though no run has it yet.
FUTURE = ("predictions.csv", "runs.csv", "run.lock", "checkpoint.previous.safetensors", "loss.csv.tmp", "run.json.tmp")
STEPS = 6
# Written by this round itself beside the run.
OWN = ("commands.txt", "stdout.txt", "stderr.txt", "run")


def case(program: Program, rng: random.Random, directory: pathlib.Path, counts: collections.Counter) -> None:
    prepare(program, rng, directory)
    outside = state(directory)
    for _ in range(rng.randint(1, 3)):
        mutation = rng.choice(MUTATIONS)
        mutation(directory / "run", rng, directory)
        counts[mutation.__name__] += 1
    for arguments in [*rng.sample(VERBS, 3), FORCE]:
        if (directory / arguments[1]).is_fifo():
            continue  # a CONFIG may be a pipe, which somebody feeds
        status = run(program, directory, *arguments, allowed=(DONE, FAILED, REFUSED, DIVERGED, IO)).status
        counts["calls"] += 1
        found = state(directory)
        if found != outside:
            names = sorted(name for name in {*found, *outside} if found.get(name) != outside.get(name))
            raise Failure(f"{' '.join(arguments)}: touched {', '.join(names)}")
        if arguments == FORCE and status == DONE:
            compare(directory, "run", COMPARED, reference="pristine")
            counts["made anew"] += 1


def prepare(program: Program, rng: random.Random, directory: pathlib.Path) -> None:
    """A run, one of the same shape, and files outside that links will point to."""
    config = draw_experiment(program, rng, directory)
    config["train"].update(steps=STEPS, checkpoint={"every_steps": 2})
    config["report"]["save_initial"] = rng.random() < 0.5
    write_config(directory, config)
    (directory / "other").mkdir()
    (directory / "run").mkdir()
    if run(program, directory, "check", "config.json", allowed=(DONE, REFUSED)).status == DONE:
        train(program, directory, "config.json", "run", 2)
        train(program, directory, "config.json", "other", 1, "--set", "seed=77")
    shutil.copytree(directory / "run", directory / "pristine")
    shutil.copytree(directory / "other", directory / "outside")
    (directory / "outside" / "mine.txt").write_text("mine\n")
    os.utime(directory / "outside" / "mine.txt", (0, 0))


def state(directory: pathlib.Path) -> dict:
    """Contents of all that no verb may change: all but the run."""
    found = {}
    for top in sorted(directory.iterdir()):
        if top.name in OWN:
            continue
        for path in [top, *sorted(top.rglob("*"))] if top.is_dir() else [top]:
            name, info = str(path.relative_to(directory)), path.lstat()
            found[name] = (info.st_mode,)
            if stat.S_ISREG(info.st_mode):
                found[name] += (info.st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
    return found


def choose(home: pathlib.Path, rng: random.Random) -> pathlib.Path:
    """A file of the run, or a name that one may get."""
    names = sorted(path.name for path in home.iterdir())
    return home / rng.choice([*names, *names, *FUTURE])


def remove(path: pathlib.Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def read(path: pathlib.Path) -> bytes:
    return path.read_bytes() if path.is_file() and not path.is_symlink() else b""


def write(path: pathlib.Path, content: bytes) -> None:
    remove(path)
    path.write_bytes(content)


# ---- mutations, of (the run, the draws, the directory around it)


def truncate(home: pathlib.Path, rng: random.Random, _around: pathlib.Path) -> None:
    path = choose(home, rng)
    content = read(path)
    write(path, content[: rng.randrange(len(content) + 1)])


def flip(home: pathlib.Path, rng: random.Random, _around: pathlib.Path) -> None:
    path = choose(home, rng)
    content = bytearray(read(path) or b"x")
    for _ in range(rng.choice([1, 1, 5, 100])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    write(path, bytes(content))


def swap(home: pathlib.Path, rng: random.Random, _around: pathlib.Path) -> None:
    first, second = choose(home, rng), choose(home, rng)
    contents = read(first), read(second)
    write(first, contents[1])
    write(second, contents[0])


def take_other(home: pathlib.Path, rng: random.Random, around: pathlib.Path) -> None:
    """A file of the run with another seed."""
    path = choose(home, rng)
    write(path, read(around / "other" / path.name))


def delete(home: pathlib.Path, rng: random.Random, _around: pathlib.Path) -> None:
    remove(choose(home, rng))


def repeat(home: pathlib.Path, rng: random.Random, _around: pathlib.Path) -> None:
    path = choose(home, rng)
    write(path, read(path) * rng.choice([2, 30]))


def make_fifo(home: pathlib.Path, rng: random.Random, _around: pathlib.Path) -> None:
    path = choose(home, rng)
    remove(path)
    os.mkfifo(path)


def make_directory(home: pathlib.Path, rng: random.Random, _around: pathlib.Path) -> None:
    path = choose(home, rng)
    remove(path)
    path.mkdir()
    if rng.random() < 0.5:
        (path / "mine.txt").write_text("mine\n")


def make_link(home: pathlib.Path, rng: random.Random, around: pathlib.Path) -> None:
    """To a file outside, one that is not there, a directory, itself, a device."""
    path = choose(home, rng)
    remove(path)
    outside = around / "outside"
    targets = [outside / "mine.txt", outside / path.name, outside / "not-there", outside, path, "../outside/mine.txt"]
    path.symlink_to(rng.choice([*targets, "/dev/null", "/dev/full"]))


def add_foreign(home: pathlib.Path, rng: random.Random, _around: pathlib.Path) -> None:
    name = rng.choice(["notes.txt", "\x1b[31mred", "a\nb", "loss.csv.bak", "-rf", "run"])
    write(home / name, b"mine\n")


def change_manifest(home: pathlib.Path, rng: random.Random, _around: pathlib.Path) -> None:
    """Another status, or another number somewhere in run.json."""
    text = read(home / "run.json").decode(errors="replace")
    if rng.random() < 0.6:
        text = re.sub(r'"status": "\w*"', lambda _: f'"status": "{rng.choice(STATUSES)}"', text)
    numbers = list(re.finditer(r"(?<=: )-?\d[\w.+-]*", text))
    if numbers and rng.random() < 0.6:
        number = rng.choice(numbers)
        other = rng.choice(["-1", "0", "1e308", "9007199254740993", "1e999", "null", '"x"', "[]", "{}", "1048576"])
        text = text[: number.start()] + other + text[number.end() :]
    write(home / "run.json", text.encode())


MUTATIONS = (
    *(truncate, flip, swap, take_other, delete, repeat, make_fifo, make_directory, make_link, make_link),
    *(add_foreign, change_manifest, change_manifest),
)
