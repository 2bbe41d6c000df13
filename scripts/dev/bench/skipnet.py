"""Runs of the program for the benchmarks: `skipnet bench`, and short trainings that others are checked against."""

import csv
import json
import pathlib
import random
import subprocess

from bench.cases import Case, config_of

SAMPLES = 1024  # of the data of a checked training
CHECKED_STEPS = 4
CHECKED_LR = 0.05  # large enough for a wrong gradient to show in the next loss
CHECKED_GATE_BIAS = -4  # gates so far closed that a signal comes through 50 blocks


class Skipnet:
    """The program at `binary`; its configs, data and runs go into `directory`."""

    def __init__(self, binary: str, directory: str):
        self.binary, self.directory = binary, pathlib.Path(directory)

    def write(self, name: str, config: dict) -> str:
        path = self.directory / (name.replace(" ", "-").replace(",", "") + ".json")
        path.write_text(json.dumps(config))
        return str(path)

    def command(self, name: str, case: Case, threads: int, seconds: float) -> list[str]:
        path = self.write(name, config_of(case))
        return [self.binary, "bench", path, "--json", "--threads", str(threads), "--seconds", str(seconds)]

    def fault_of(self, name: str, case: Case) -> str | None:
        """None, or what skipnet has against the config."""
        path = self.write(name, config_of(case))
        done = subprocess.run([self.binary, "check", path], capture_output=True, text=True)
        return None if done.returncode == 0 else done.stderr.strip().splitlines()[0].replace(path + ":", "")

    def measure(self, name: str, case: Case, threads: int, seconds: float) -> dict:
        """What `skipnet bench --json` tells."""
        return json.loads(self.output_of(self.command(name, case, threads, seconds)))

    def output_of(self, command: list[str]) -> str:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"skipnet {command[1]} failed: {done.stderr.strip()}")
        return done.stdout

    def measure_pair(self, name: str, case: Case, seconds: float) -> list[float]:
        """Two runs of one thread each at the same time; their median steps."""
        command = self.command(name, case, 1, seconds)
        pair = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        return [json.loads(process.communicate()[0])["step"]["median_s"] for process in pair]

    def data(self, case: Case) -> pathlib.Path:
        """A CSV of random samples in the order in which they are used: one batch again and again, so that a loss says
        what the steps before it did.  Three decimals: the same number for all."""
        path = self.directory / "data-{inputs}-{classes}-{batch}.csv".format(**case)
        if not path.exists():
            draw = random.Random(1)
            batch = [
                [f"{draw.gauss(0, 1):.3f}" for _ in range(case["inputs"])] + [i % case["classes"]]
                for i in range(case["batch"])
            ]
            with open(path, "w", newline="") as file:
                rows = csv.writer(file, lineterminator="\n")
                rows.writerow([f"x{i}" for i in range(case["inputs"])] + ["class"])
                rows.writerows(batch * (SAMPLES // case["batch"]))
        return path

    def train(self, name: str, case: Case) -> dict:
        """A short training: its data, initial weights, rate, and the losses of its batches at every step."""
        config = config_of({**case, "lr": CHECKED_LR})
        if case["skip"] == "highway":
            config["network"]["skip"]["gate_bias"] = CHECKED_GATE_BIAS
        data = self.data(case)
        config["data"] = {"kind": "csv", "path": str(data), "test_fraction": 0, "scaling": "none"}
        config["train"].update(steps=CHECKED_STEPS, shuffle=False)
        config["report"] = {"schedule": {"kind": "linear", "every": 1}, "train_eval": 1, "save_initial": True}
        path = self.write("train " + name, config)
        run = path.removesuffix(".json")
        self.output_of([self.binary, "train", path, "--quiet", "--force", "--out", run])
        with open(run + "/loss.csv") as file:
            losses = [float(row["batch_loss"]) for row in csv.DictReader(file)]
        return {"data": str(data), "weights": run + "/initial.safetensors", "lr": CHECKED_LR, "losses": losses}
