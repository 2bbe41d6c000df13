"""Round `signals`: a run that is ended at random moments and resumed ends as one that nothing disturbed.

Every signal that a run may get, with another number of threads each time; where the library of faults is there, a call
of the system fails now and then (tests/faults/shim.c).  In between the files are looked at: whole rows, valid JSON.
(The moments are drawn from the seed, but what a run does by then depends on the machine.)
"""

import collections
import json
import pathlib
import random
import signal
import time

from experiments import draw_experiment, write_config
from run import DIVERGED, DONE, FAILED, IO, REFUSED, Failure, Program, end_group, finish, run, start
from valid import COMPARED, compare, manifest, train

ENDING = (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
FAULTS = ("write:ENOSPC:stay", "write:EIO", "fsync:EIO", "rename:EIO", "open:EMFILE", "close:EIO", "read:EIO")
MAX_FAULT = {"write": 60, "fsync": 12, "rename": 10, "open": 25, "close": 25, "read": 6}
LONGEST = 0.5  # seconds that the steps of a run should take, about
MOST_STEPS = 3000


def case(program: Program, rng: random.Random, directory: pathlib.Path, counts: collections.Counter) -> None:
    config = draw_experiment(program, rng, directory)
    if run(program, directory, "check", "config.json", allowed=(DONE, REFUSED)).status == REFUSED:
        counts["refused"] += 1
        return
    expected, seconds = make_reference(program, rng, directory, config)
    counts["diverged"] += expected == DIVERGED
    for _ in range(rng.randint(2, 5)):
        if program.shim and rng.random() < 0.2:
            is_over = break_a_call(program, rng, directory, counts)
        else:
            is_over = disturb(program, rng, directory, seconds, counts)
        inspect(directory / "disturbed")
        if is_over:
            break
        counts["resumes"] += 1
    status = train(program, directory, "config.json", "disturbed", threads(rng), "--resume")
    if status != expected:
        raise Failure(f"exit status {status} at last, that of the undisturbed run was {expected}")
    compare(directory, "disturbed", COMPARED, reference="reference")
    if list((directory / "disturbed").glob("*.tmp")):
        raise Failure("a temporary file is left")
    if expected == DONE:
        compare_evaluations(program, rng, directory)
    counts["comparisons"] += 1


def threads(rng: random.Random) -> int:
    return rng.choice([1, 1, 2, 2, 3, 4])


def make_reference(program: Program, rng: random.Random, directory: pathlib.Path, config: dict) -> tuple[int, float]:
    """The undisturbed run, of a length that leaves time to end it; its exit status and the seconds it took."""
    start_time = time.monotonic()
    train(program, directory, "config.json", "probe", threads(rng))
    per_step = (time.monotonic() - start_time) / config["train"]["steps"]
    config["train"]["steps"] = max(5, min(MOST_STEPS, int(rng.uniform(0.1, 1) * LONGEST / per_step)))
    write_config(directory, config)
    start_time = time.monotonic()
    status = train(program, directory, "config.json", "reference", threads(rng))
    return status, time.monotonic() - start_time


def disturb(program: Program, rng: random.Random, directory: pathlib.Path, seconds: float, counts) -> bool:
    """True if the run had ended before the signal that should have ended it."""
    arguments = ("train", "config.json", "--out", "disturbed", "-q", "--threads", str(threads(rng)), "--resume")
    numbers = [signal.SIGUSR1] * rng.choice([0, 0, 1, 3]) + [rng.choice(ENDING)]
    process = start(program, directory, arguments)
    for number in numbers:
        time.sleep(rng.uniform(0, 1.2) * seconds / len(numbers))
        process.send_signal(number)
    try:
        outcome = finish(program, process, directory, arguments)
    finally:
        end_group(process)
    if outcome.status in (DONE, DIVERGED):
        return True
    if outcome.status not in [-number for number in numbers]:
        raise Failure(f"exit status {outcome.status} after {', '.join(number.name for number in numbers)}")
    counts[signal.Signals(-outcome.status).name] += 1
    return False


def break_a_call(program: Program, rng: random.Random, directory: pathlib.Path, counts: collections.Counter) -> bool:
    call, *rest = rng.choice(FAULTS).split(":")
    out = str(directory / "disturbed")
    fault = ":".join([call, str(rng.randint(1, MAX_FAULT[call])), *rest])
    environment = {"LD_PRELOAD": program.shim, "FAULT": fault, "FAULT_BELOW": out}
    environment["FAULT_LOG"] = str(directory / "faults.txt")
    arguments = ("train", "config.json", "--out", out, "-q", "--threads", str(threads(rng)), "--resume")
    allowed = (DONE, DIVERGED, FAILED, IO)
    status = run(program, directory, *arguments, allowed=allowed, environment=environment).status
    counts[f"fault {call}"] += status in (FAILED, IO)
    return status in (DONE, DIVERGED)


def inspect(home: pathlib.Path) -> None:
    """What a run that was ended has left; only the last row may be cut."""
    for name in COMPARED[:2]:
        lines = (home / name).read_text().split("\n")[:-1] if (home / name).exists() else []
        if any(line.count(",") != lines[0].count(",") for line in lines[:-1]):
            raise Failure(f"{name}: a row is not whole")
    if (home / "run.json").exists():
        try:
            manifest(home)
        except ValueError as fault:
            raise Failure(f"run.json: {fault}") from None


def compare_evaluations(program: Program, rng: random.Random, directory: pathlib.Path) -> None:
    told = []
    for name in ("reference", "disturbed"):
        arguments = ("eval", name, "--json", "--split", "train", "--threads", str(threads(rng)))
        found = json.loads(run(program, directory, *arguments).stdout)
        told.append({key: value for key, value in found.items() if key not in ("run", "weights")})
    if told[0] != told[1]:
        raise Failure("eval of disturbed is not that of reference")
