"""Draws cases of every round until the time or their number is over; see scripts/dev/break.sh, which calls this."""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "pytorch"))
sys.dont_write_bytecode = True

import configs  # noqa: E402
import directories  # noqa: E402
import signals  # noqa: E402
import valid  # noqa: E402
from draw import kinds_of  # noqa: E402
from experiments import check_sources  # noqa: E402
from planted import breaks_of, plant  # noqa: E402
from run import Failure, Program, end_all  # noqa: E402
from words import UnknownWord  # noqa: E402

ROUNDS = {"valid": valid.case, "configs": configs.case, "directories": directories.case, "signals": signals.case}
# Cases of a kind for one of signals, so that kinds get time and not only turns.
TURNS = ("configs", "directories", "configs", "valid", "configs", "directories", "configs", "signals")
MOST_REFUSED = 0.5  # of the configs that should be valid
SELF_TEST_CASES = 12  # of a round, within which each planted break must be seen


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--cases", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=ROUNDS)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--timeout", type=float)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--shim")
    parser.add_argument("program")
    options = parser.parse_args()
    if options.minutes is None and options.cases is None:
        options.minutes = 3.0
    return options


def open_program(options: argparse.Namespace, work: pathlib.Path) -> Program:
    """A copy, so that a build while this runs does not disturb it."""
    path = str(shutil.copy2(options.program, work / "skipnet"))
    is_sanitized = b"__asan_init" in pathlib.Path(path).read_bytes()
    kinds = kinds_of(path)
    check_sources(kinds)
    schema = json.loads(subprocess.run([path, "schema"], check=True, capture_output=True).stdout)
    timeout = options.timeout or (60.0 if is_sanitized else 10.0)
    return Program(path, is_sanitized, timeout, kinds, schema, options.shim)


def hear_signals() -> None:
    """What was ignored at the start (in the background, under nohup) the program shall hear."""
    for number in {*signals.ENDING, signal.SIGUSR1} - {signal.SIGKILL}:
        signal.signal(number, signal.SIG_DFL)


def end_by_signals(work: pathlib.Path) -> None:
    """Ends at once, with all calls and files of this program."""

    def end(number, frame):
        end_all()
        shutil.rmtree(work, ignore_errors=True)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


def try_case(program: Program, kind: str, seed: int, directory: pathlib.Path) -> tuple[collections.Counter, str | None]:
    """What the case counted, and how it failed."""
    counts = collections.Counter()
    directory.mkdir(parents=True)
    try:
        ROUNDS[kind](program, random.Random(f"{kind} {seed}"), directory, counts)
    except Failure as failure:
        return counts, str(failure)
    except (OSError, ValueError, KeyError, TypeError, LookupError):
        return counts, f"what it wrote cannot be read:\n{traceback.format_exc()}"
    return counts, None


class Tally:
    """Counts of all rounds, and the failures, which are kept."""

    def __init__(self, program: Program, options: argparse.Namespace):
        self.program, self.home, self.lock = program, options.keep, threading.Lock()
        self.again = f"scripts/dev/break.sh --binary {options.program} --cases 1"
        self.passed, self.failed = collections.Counter(), collections.Counter()
        self.counts = collections.defaultdict(collections.Counter)

    def keep(self, kind: str, seed: int, directory: pathlib.Path, text: str) -> None:
        self.home = self.home or pathlib.Path(tempfile.mkdtemp(prefix="skipnet-break."))
        kept = self.home / f"{kind}-{seed}"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.move(directory, kept)
        again = f"{self.again} --only {kind} --seed {seed}"
        (kept / "failure.txt").write_text(f"{text}\nagain: {again}\n", errors="replace")
        print(f"FAILED {kind} {seed}: {ascii(text)[1:-1]}\n  kept in {kept}\n  again: {again}", flush=True)

    def add(self, kind: str, seed: int, directory: pathlib.Path) -> None:
        counts, failure = try_case(self.program, kind, seed, directory)
        with self.lock:
            self.counts[kind].update(counts)
            (self.failed if failure else self.passed)[kind] += 1
            if failure:
                self.keep(kind, seed, directory, failure)
            else:
                shutil.rmtree(directory)

    def is_vacuous(self) -> bool:
        """Nothing was tried, or most of what should be valid was refused: what draws lags behind the program."""
        drawn = {kind: self.passed[kind] + self.failed[kind] for kind in ("valid", "signals")}
        refused = [kind for kind, n in drawn.items() if self.counts[kind]["refused"] > MOST_REFUSED * n]
        for kind in refused:
            print(
                f"{kind}: most configs were refused, so nothing was tried (scripts/dev/break/experiments.py draws them)"
            )
        return bool(refused) or self.passed.total() + self.failed.total() == 0

    def report(self) -> bool:
        for kind in ROUNDS:
            if self.passed[kind] + self.failed[kind] == 0:
                continue
            told = "".join(f", {name} {n}" for name, n in sorted(self.counts[kind].items()) if n)
            print(f"{kind}: {self.passed[kind]} passed, {self.failed[kind]} failed{told}")
        print(f"{self.passed.total()} passed, {self.failed.total()} failed")
        return self.failed.total() == 0 and not self.is_vacuous()


def numbered_cases(options: argparse.Namespace):
    """(kind, seed): the same for the same options, as far as time allows; --cases counts those of each round."""
    if options.only:
        turns = (options.only,)
    elif options.cases:
        turns = tuple(ROUNDS)
    else:
        turns = TURNS
    next_seed = collections.Counter({kind: options.seed for kind in ROUNDS})
    while options.cases is None or next_seed[turns[0]] < options.seed + options.cases:
        for kind in turns:
            yield kind, next_seed[kind]
            next_seed[kind] += 1


def try_all(options: argparse.Namespace, program: Program, work: pathlib.Path) -> bool:
    tally, cases = Tally(program, options), numbered_cases(options)
    until = time.monotonic() + 60 * options.minutes if options.minutes else float("inf")
    lock = threading.Lock()

    def take_turns() -> None:
        while time.monotonic() < until:
            with lock:
                kind, seed = next(cases, (None, 0))
            if kind is None:
                return
            tally.add(kind, seed, work / f"{kind}-{seed}")

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for worker in [pool.submit(take_turns) for _ in range(options.jobs)]:
            worker.result()
    return tally.report()


def see_break(options: argparse.Namespace, program: Program, work: pathlib.Path, kind: str, name: str) -> bool:
    home = work / f"{kind}-{name}"
    home.mkdir()
    broken, failure = plant(program, name, home), None
    for seed in range(options.seed, options.seed + SELF_TEST_CASES):
        _, failure = try_case(broken, kind, seed, home / str(seed))
        if failure:
            break
    told = f"seen: {ascii(failure.splitlines()[0])[1:-1]}" if failure else "MISSED"
    print(f"{kind}: {name}: {told}", flush=True)
    return failure is not None


def test_itself(options: argparse.Namespace, program: Program, work: pathlib.Path) -> bool:
    """Every round sees every break that is planted for it."""
    kinds = [options.only] if options.only else list(ROUNDS)
    plants = [(kind, name) for kind in kinds for name in breaks_of(kind)]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        seen = list(pool.map(lambda pair: see_break(options, program, work, *pair), plants))
    print(f"{sum(seen)} passed, {len(seen) - sum(seen)} failed")
    return all(seen)


def main() -> int:
    options = parse_arguments()
    hear_signals()
    with tempfile.TemporaryDirectory(prefix="skipnet-break.", ignore_cleanup_errors=True) as name:
        work = pathlib.Path(name)
        end_by_signals(work)
        try:
            program = open_program(options, work)
        except UnknownWord as fault:
            print(fault, file=sys.stderr)
            return 2
        is_fine = (test_itself if options.self_test else try_all)(options, program, work)
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
