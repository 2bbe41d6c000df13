#!/usr/bin/env python3
"""Soak test: random experiments, killed and resumed at random, compared with undisturbed runs.

    scripts/dev/soak.py [--minutes 3] [--first SEED] [--configs N] [--skipnet build/test/skipnet]

For every config (graphs and families with all kinds of skips, norms, dropout, optimizers, schedules, losses, data from
files and generated, both precisions) one run is left in peace.  Another one in a directory of its own is killed by
SIGKILL, SIGTERM, SIGINT or SIGHUP after a random time and taken up by --resume with another number of threads, several
times; now and then a call of the system fails under it (tests/faults/shim.c).  In between its files are looked at: whole
rows, valid JSON.  At the end loss.csv, gradients.csv, final.safetensors and the hash of the weights must be those of the
first run, and `check` and `eval` must do.

Prints counts.  What fails is kept, with the command that repeats it, and the exit status is 1.  (The times of the kills
are drawn from the seed, but what a run does by then depends on the machine.)
"""

import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "pytorch"))
from draw import Drawing, kinds_of, write_experiment  # noqa: E402
from words import UnknownWord  # noqa: E402

DONE, FAILED, DIVERGED, IO = 0, 1, 3, 4  # exit statuses
KILLS = (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
FAULTS = ("write:ENOSPC:stay", "write:EIO", "fsync:EIO", "rename:EIO", "open:EMFILE", "close:EIO", "read:EIO")
MAX_FAULT = {"write": 60, "fsync": 12, "rename": 10, "open": 25, "close": 25, "read": 6}
TIMEOUT = 300  # seconds that nothing takes here: a hang
LONGEST = 0.6  # seconds that the steps of a run should take, about


class Failure(Exception):
    pass


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    build = ROOT / "build/test"
    parser.add_argument("--minutes", type=float, default=3, help="how long (default 3)")
    parser.add_argument("--first", type=int, default=1, help="seed of the first config; the others count on from it")
    parser.add_argument("--configs", type=int, help="how many at most")
    parser.add_argument("--skipnet", default=str(build / "skipnet"), help="the program")
    parser.add_argument("--test-bits", default=str(build / "tests/test_bits"), help="draws configs without data files")
    parser.add_argument("--shim", default=str(build / "tests/faults/libfault_shim.so"), help="the library of faults")
    parser.add_argument("--keep", help="directory for what fails; default: a new one in /tmp, named then")
    options = parser.parse_args()
    for name in ("skipnet", "test_bits", "shim"):
        path = pathlib.Path(getattr(options, name)).resolve()
        if not path.exists():
            sys.exit(f"soak.py: {path} is missing: cmake --preset test && cmake --build --preset test")
        setattr(options, name, str(path))
    return options


# ---- one config


def add_dropout(network, rng):
    """Before the last entry of a graph."""
    last = network["layers"][-1]
    drop = {"op": "dropout", "label": "drop", "inputs": last["inputs"], "rate": round(rng.uniform(0.05, 0.6), 2)}
    network["layers"].insert(-1, drop)
    last["inputs"] = ["drop"]


def hear_signals():
    """What this script ignores (in the background, under nohup) its children shall not."""
    for number in set(KILLS) - {signal.SIGKILL}:
        signal.signal(number, signal.SIG_DFL)


class Case:
    """A config in a directory of its own.  `tools` has the program's paths and what it can do, `counts` the sums."""

    def __init__(self, seed, directory, tools, counts):
        self.seed, self.directory, self.tools, self.counts = seed, directory, tools, counts
        self.rng = random.Random(f"soak {seed}")
        self.log = directory / "log.txt"
        self.draw()

    def draw(self):
        self.directory.mkdir(parents=True)
        if self.rng.random() < 0.5:
            drawing = Drawing(self.seed, self.tools["kinds"])
            if "layers" in drawing.config["network"] and self.rng.random() < 0.3:
                add_dropout(drawing.config["network"], self.rng)
            drawing.config["train"]["shuffle"] = self.rng.random() < 0.7
            write_experiment(self.directory, drawing)
        else:
            text = subprocess.run([self.tools["test_bits"], str(self.seed)], check=True, capture_output=True).stdout
            (self.directory / "config.json").write_bytes(text)
        self.config = json.loads((self.directory / "config.json").read_text())
        self.config["report"]["schedule"] = self.rng.choice(
            [{"kind": "log", "per_decade": 20}, {"kind": "log", "per_decade": 100}, {"kind": "linear", "every": 3}]
        )
        if self.tools["has_checkpoints"] and self.rng.random() < 0.7:
            self.config["train"]["checkpoint"] = {"every_steps": self.rng.choice([1, 2, 7, 30, 100])}

    def write(self):
        (self.directory / "config.json").write_text(json.dumps(self.config, indent=1) + "\n")

    def kinds(self):
        network = self.config["network"]
        skip = network.get("skip", "none")
        skip = skip["kind"] if isinstance(skip, dict) else skip
        yield "graph" if "layers" in network else f"mlp {skip}"
        yield f"data {self.config['data']['kind']}"
        yield self.config["precision"]

    # ---- running

    def start(self, *arguments, env=None):
        command = [self.tools["skipnet"], *arguments]
        with open(self.log, "a") as log:
            print("$", " ".join(f"{k}={v}" for k, v in (env or {}).items()), *command, file=log, flush=True)
            return subprocess.Popen(
                command,
                cwd=self.directory,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                preexec_fn=hear_signals,
            )

    def finish(self, process):
        try:
            return process.communicate(timeout=TIMEOUT)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Failure(f"hangs: {' '.join(process.args)}") from None

    def run(self, *arguments, allowed=(DONE,), env=None):
        process = self.start(*arguments, env=env)
        output = self.finish(process)
        with open(self.log, "a") as log:
            print("exit status", process.returncode, file=log)
        if process.returncode not in allowed:
            raise Failure(f"exit status {process.returncode}: {' '.join(arguments)}")
        return process.returncode, output

    def train_arguments(self, directory):
        threads = str(self.rng.choice([1, 1, 2, 2, 3, 4]))
        return ["train", "config.json", "--out", directory, "--quiet", "--threads", threads]

    def reference(self):
        """The undisturbed run, of a length that leaves time to kill it."""
        self.write()
        start = time.monotonic()
        self.run(*self.train_arguments("probe"), allowed=(DONE, DIVERGED))
        per_step = (time.monotonic() - start) / self.config["train"]["steps"]
        self.config["train"]["steps"] = max(5, min(3000, int(self.rng.uniform(0.1, 1) * LONGEST / per_step)))
        self.write()
        start = time.monotonic()
        self.outcome = self.run(*self.train_arguments("reference"), allowed=(DONE, DIVERGED))[0]
        self.seconds = time.monotonic() - start
        self.counts["diverged"] += self.outcome == DIVERGED

    # ---- disturbing

    def kill(self):
        """True if the run had ended before."""
        number = self.rng.choice(KILLS)
        process = self.start(*self.train_arguments("disturbed"), "--resume")
        time.sleep(self.rng.uniform(0, 1.2) * self.seconds)
        process.send_signal(number)
        self.finish(process)
        if process.returncode in (DONE, DIVERGED):
            return True
        if process.returncode != -number:
            raise Failure(f"{number.name}: exit status {process.returncode}")
        self.counts[f"kill {number.name}"] += 1
        return False

    def break_a_call(self):
        call, *rest = self.rng.choice(FAULTS).split(":")
        fault = ":".join([call, str(self.rng.randint(1, MAX_FAULT[call])), *rest])
        out = str(self.directory / "disturbed")
        env = {"LD_PRELOAD": self.tools["shim"], "FAULT": fault, "FAULT_BELOW": out}
        env["FAULT_LOG"] = str(self.directory / "faults.txt")
        allowed = (DONE, DIVERGED, FAILED, IO)
        status, _ = self.run(*self.train_arguments(out), "--resume", allowed=allowed, env=env)
        self.counts[f"fault {call}"] += status in (FAILED, IO)
        return status in (DONE, DIVERGED)

    def inspect(self):
        """What a run that was ended has left."""
        for name in ("loss.csv", "gradients.csv"):
            path = self.directory / "disturbed" / name
            lines = path.read_text().split("\n")[:-1] if path.exists() else []
            if any(line.count(",") != lines[0].count(",") for line in lines[:-1]):
                raise Failure(f"{name}: a row is not whole")
        manifest = self.directory / "disturbed" / "run.json"
        if manifest.exists():
            json.loads(manifest.read_text())
            self.counts["inspections"] += 1

    def disturb(self):
        for _ in range(self.rng.randint(2, 6)):
            is_over = self.break_a_call() if self.rng.random() < 0.2 else self.kill()
            self.inspect()
            if is_over:
                break
            self.counts["resumes"] += 1
        # A run that is over is not repeated: its summary is told, which succeeds.  (A signal that comes between the end
        # of the run and that of the process ends the latter.)
        expected = DONE if self.is_over("disturbed") else self.outcome
        self.run(*self.train_arguments("disturbed"), "--resume", allowed=(expected,))

    # ---- comparing

    def manifest(self, directory):
        return json.loads((self.directory / directory / "run.json").read_text())

    def is_over(self, directory):
        has_begun = (self.directory / directory / "run.json").exists()
        return has_begun and self.manifest(directory)["status"] in ("done", "diverged")

    def compare(self):
        for name in ("loss.csv", "gradients.csv", "final.safetensors"):
            undisturbed = (self.directory / "reference" / name).read_bytes()
            if not undisturbed or (self.directory / "disturbed" / name).read_bytes() != undisturbed:
                raise Failure(f"{name} differs")
            self.counts["comparisons"] += 1
        for key in ("status", "weights_hash", "config_hash"):
            if self.manifest("reference")[key] != self.manifest("disturbed")[key]:
                raise Failure(f"{key} differs")
        if list((self.directory / "disturbed").glob("*.tmp")):
            raise Failure("a temporary file is left")

    def use(self):
        """Other verbs, on the run that was disturbed."""
        self.run("check", "config.json")
        if self.outcome == DIVERGED:
            return
        outputs = []
        for directory in ("reference", "disturbed"):
            _, output = self.run("eval", directory, "--json", "--split", "train", "--threads", str(self.rng.randint(1, 4)))
            outputs.append({k: v for k, v in json.loads(output).items() if k not in ("run", "weights")})
        if outputs[0] != outputs[1]:
            raise Failure("eval differs")
        self.counts["evaluations"] += 1

    def soak(self):
        self.reference()
        self.disturb()
        self.compare()
        self.use()


# ---- all of them


def find_tools(options):
    keys = subprocess.run([options.skipnet, "list", "keys"], check=True, capture_output=True, text=True).stdout
    return {
        "skipnet": options.skipnet,
        "test_bits": options.test_bits,
        "shim": options.shim,
        "kinds": kinds_of(options.skipnet),
        "has_checkpoints": "train.checkpoint" in keys,
    }


def report(counts, seconds):
    kills = sum(n for name, n in counts.items() if name.startswith("kill "))
    print(f"{counts['configs']} configs in {seconds:.0f} s, {counts['failed']} failed, {counts['diverged']} diverged")
    print(f"{kills} kills, {counts['resumes']} resumes, {counts['inspections']} inspections in between")
    print(f"{counts['comparisons']} files compared, {counts['evaluations']} evaluations")
    rest = {k: n for k, n in counts.items() if " " in k or k.startswith("float") or k == "graph"}
    print(", ".join(f"{name} {n}" for name, n in sorted(rest.items())))


def keep(case, options, text):
    options.keep = options.keep or tempfile.mkdtemp(prefix="skipnet-soak.")
    kept = pathlib.Path(options.keep) / case.directory.name
    shutil.move(case.directory, kept)
    print(f"seed {case.seed}: {text}\n  kept in {kept}")
    print(f"  again: {sys.argv[0]} --first {case.seed} --configs 1", flush=True)


def main():
    options = parse_arguments()
    try:
        tools, counts = find_tools(options), collections.Counter()
    except UnknownWord as fault:
        sys.exit(str(fault))
    start, seed = time.monotonic(), options.first
    with tempfile.TemporaryDirectory(prefix="skipnet-soak.") as work:
        while time.monotonic() - start < 60 * options.minutes and counts["configs"] != options.configs:
            case = Case(seed, pathlib.Path(work) / f"config-{seed}", tools, counts)
            try:
                case.soak()
                shutil.rmtree(case.directory)
            except (Failure, OSError, ValueError, KeyError) as failure:
                counts["failed"] += 1
                keep(case, options, str(failure))
            counts["configs"] += 1
            counts.update(case.kinds())
            seed += 1
    report(counts, time.monotonic() - start)
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
