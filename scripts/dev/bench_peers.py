#!/usr/bin/env python3
"""skipnet against PyTorch on this machine: the same networks, batches and maths, in one run that alternates.

A case is measured in rounds: skipnet at every thread count, PyTorch in every mode and at every thread count, skipnet
again, and so on.  A time is that of a whole training step (forward, loss, backward, update) in the fastest block of
steps of all rounds; a ratio compares the best of either side.  PyTorch runs eagerly with the foreach and the fused
optimizer, and compiled (torch.compile) with the fused one; its batches are views of tensors that lie ready.

PyTorch is installed into a virtual environment below build/, from the CPU wheels, unless --venv names one that has it.
"""

import argparse
import datetime
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DEFAULTS = {
    "blocks": 50,
    "width": 64,
    "batch": 128,
    "skip": "add",
    "growth": 12,
    "norm": "none",
    "learned": False,
    "precision": "float32",
    "inputs": 784,
    "classes": 10,
    "lr": 0.001,
}
FIRST = "50 of 64"
# The first layer and the output layer are extra.
CASES = {
    FIRST: {},
    "50 of 64, concat": {"skip": "concat"},
    "50 of 32": {"width": 32, "batch": 64},
    "50 of 16": {"width": 16, "batch": 32},
    "50 of 256": {"width": 256},
    "20 of 512": {"blocks": 20, "width": 512, "batch": 256},
    "50 of 64, layer_norm": {"norm": "layer"},
    "50 of 64, batch_norm": {"norm": "batch"},
    "50 of 64, highway": {"skip": "highway"},
    "50 of 64, learned scale": {"learned": True},
    "50 of 64, float64": {"precision": "float64"},
}
DEEP_CASES = {"1000 of 64": {"blocks": 1000}, "5000 of 64": {"blocks": 5000}}
BUSY = 0.5  # load per processor at the start above which figures say little
COMPILE_DEPTH = 200  # above that torch.compile takes many minutes


def tell(text):
    print(text, file=sys.stderr, flush=True)


def config_of(case):
    """The config of skipnet for a case."""
    skip = {"kind": case["skip"]}
    if case["skip"] == "concat":
        skip["growth"] = case["growth"]
    if case["learned"]:
        skip["branch_scale"] = {"learned": 1}
    return {
        "precision": case["precision"],
        "data": {"kind": "gaussian", "in_dim": case["inputs"], "classes": case["classes"], "samples": 1024},
        "network": {
            "depth": case["blocks"] + 1,
            "width": case["width"],
            "activation": "tanh",
            "norm": case["norm"],
            "skip": skip,
        },
        "train": {"lr": case["lr"], "batch_size": case["batch"]},
    }


class Skipnet:
    def __init__(self, binary, directory):
        self.binary, self.directory = binary, pathlib.Path(directory)

    def command(self, name, case, threads, seconds):
        path = self.directory / (name.replace(" ", "-").replace(",", "") + ".json")
        path.write_text(json.dumps(config_of(case)))
        return [self.binary, "bench", str(path), "--json", "--threads", str(threads), "--seconds", str(seconds)]

    def knows(self, name, case):
        """None, or what skipnet has against the config."""
        path = self.command(name, case, 1, 1)[2]
        done = subprocess.run([self.binary, "check", path], capture_output=True, text=True)
        return None if done.returncode == 0 else done.stderr.strip().splitlines()[0].replace(path + ":", "")

    def measure(self, name, case, threads, seconds):
        done = subprocess.run(self.command(name, case, threads, seconds), capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"skipnet bench failed: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def measure_pair(self, name, case, seconds):
        """Two runs of one thread each at the same time; their median steps."""
        command = self.command(name, case, 1, seconds)
        pair = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        return [json.loads(process.communicate()[0])["step"]["median_s"] for process in pair]


class Worker:
    """A PyTorch process; see bench/torch_worker.py."""

    def __init__(self, python):
        script = pathlib.Path(__file__).resolve().parent / "bench" / "torch_worker.py"
        self.process = subprocess.Popen(
            [python, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": "the PyTorch process ended"}

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def find_python(venv):
    """The interpreter of an environment that has PyTorch; makes it where it is missing."""
    python = venv / "bin" / "python"
    if not python.exists():
        tell(f"making {venv}")
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    if subprocess.run([str(python), "-c", "import torch"], capture_output=True).returncode:
        install = [str(python), "-m", "pip", "install", "--quiet", "torch", "numpy", "setuptools"]
        tell("installing PyTorch")
        subprocess.run(install, check=True)
    return str(python)


class Contest:
    """One case: its contenders, built once, and their best times."""

    def __init__(self, name, case, options, skipnet, python):
        self.name, self.case, self.options, self.skipnet = name, case, options, skipnet
        self.ours, self.theirs, self.notes = {}, {}, []
        self.workers = []
        for mode in options.modes:
            if mode.startswith("compile") and case["blocks"] > COMPILE_DEPTH:
                self.notes.append(f"{mode}: not tried above {COMPILE_DEPTH} layers")
                continue
            for threads in options.threads:
                self.add_worker(python, mode, threads)

    def add_worker(self, python, mode, threads):
        tell(f"{self.name}: PyTorch, {mode}, {threads} threads")
        worker = Worker(python)
        reply = worker.ask(do="build", case=self.case, mode=mode, threads=threads)
        if "error" in reply:
            self.notes.append(f"{mode}, {threads} threads: {reply['error']}")
            worker.close()
            return
        self.parameters = reply["parameters"]
        self.workers.append((mode, threads, worker))

    def run_round(self):
        for threads in self.options.threads:
            result = self.skipnet.measure(self.name, self.case, threads, self.options.seconds)
            if self.workers and result["network"]["parameters"] != self.parameters:
                raise SystemExit(
                    f"{self.name}: the networks differ: {result['network']['parameters']:.0f} parameters"
                    f" here, {self.parameters} in PyTorch"
                )
            best = self.ours.get(threads)
            if not best or result["step"]["min_s"] < best["step"]["min_s"]:
                self.ours[threads] = result
        for mode, threads, worker in self.workers:
            reply = worker.ask(do="measure", seconds=self.options.seconds)
            if "error" in reply:
                self.notes.append(f"{mode}, {threads} threads: {reply['error']}")
                continue
            key = (mode, threads)
            self.theirs[key] = min(self.theirs.get(key, float("inf")), reply["step_s"])

    def run(self):
        for i in range(self.options.rounds):
            tell(f"{self.name}: round {i + 1} of {self.options.rounds}")
            self.run_round()
        for _, _, worker in self.workers:
            worker.close()
        return self.result()

    def result(self):
        threads = min(self.ours, key=lambda n: self.ours[n]["step"]["min_s"])
        best = self.ours[threads]
        row = {
            "name": self.name,
            "case": self.case,
            "notes": self.notes,
            "skipnet_s": best["step"]["min_s"],
            "skipnet_threads": threads,
            "gflops": best["step"]["gflops"],
            "peak_share": best["step"]["peak_share"],
            "statistics_share": best["observed"]["statistics_share"],
            "skipnet_all_s": {str(n): r["step"]["min_s"] for n, r in self.ours.items()},
            "torch_all_s": {f"{mode}, {n} threads": s for (mode, n), s in self.theirs.items()},
        }
        if self.theirs:
            (mode, n), seconds = min(self.theirs.items(), key=lambda item: item[1])
            row.update(torch_s=seconds, torch_mode=mode, torch_threads=n, ratio=seconds / row["skipnet_s"])
        return row


def side_by_side(skipnet, options):
    """Throughput of two runs of one thread each at the same time, over that of one alone."""
    case, alone, pair = DEFAULTS, float("inf"), float("inf")
    for _ in range(options.rounds):
        alone = min(alone, skipnet.measure(FIRST, case, 1, options.seconds)["step"]["median_s"])
        pair = min(pair, sum(skipnet.measure_pair(FIRST, case, options.seconds)) / 2)
    return {"alone_s": alone, "side_by_side_s": pair, "throughput": 2 * alone / pair}


def scaling(skipnet, options):
    """Time of a further block in deep networks, over that of a block in one of 50."""
    times = {}
    for _ in range(options.rounds):
        for blocks in (50, 1000, 5000):
            result = skipnet.measure(
                f"{blocks} of 64", {**DEFAULTS, "blocks": blocks}, max(options.threads), options.seconds
            )
            times[blocks] = min(times.get(blocks, float("inf")), result["step"]["min_s"])
    layer = times[50] / 50
    return [{"blocks": n, "step_s": times[n], "ratio": (times[n] - times[50]) / (n - 50) / layer} for n in (1000, 5000)]


def table_of(report):
    """The report as markdown."""
    lines = [
        "| network (blocks of width), batch | skipnet | of peak | PyTorch, best | ratio | time to the first |",
        "|---|---|---|---|---|---|",
    ]
    first = next((r["skipnet_s"] for r in report["rows"] if r["name"] == FIRST), None)
    for row in report["rows"]:
        theirs, ratio = "", ""
        if "ratio" in row:
            theirs = f"{1e3 * row['torch_s']:.3g} ms ({row['torch_mode']}, {row['torch_threads']})"
            ratio = f"**{row['ratio']:.2f}**"
        share = f"{row['skipnet_s'] / first:.2f}" if first and row["name"].startswith(FIRST) else ""
        lines.append(
            f"| {row['name']}, {row['case']['batch']} | {1e3 * row['skipnet_s']:.3g} ms"
            f" ({row['skipnet_threads']}) | {100 * row['peak_share']:.0f} % | {theirs} | {ratio} | {share} |"
        )
    lines.append("")
    lines += [f"- {name}: {note}" for name, note in report["notes"]]
    if "side_by_side" in report:
        pair = report["side_by_side"]
        lines.append(f"- two runs of one thread side by side: {pair['throughput']:.2f} times the throughput of one")
    for row in report.get("scaling", []):
        lines.append(
            f"- {row['blocks']} blocks of 64: {1e3 * row['step_s']:.4g} ms; a further block takes"
            f" {row['ratio']:.2f} times what one of 50 takes"
        )
    machine = report["machine"]
    if report["load"] > BUSY * os.cpu_count():
        lines.append(
            f"- others were at work here (load {report['load']:.1f} on {os.cpu_count()} processors at the"
            " start): measure again on a quiet machine"
        )
    lines.append(
        f"- {machine['cpu']}, {machine['simd']}, OpenBLAS kernels for {machine['openblas_core']},"
        f" PyTorch {report['torch']}; {report['date']}; threads in parentheses: `{report['command']}`"
    )
    return "\n".join(lines)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="networks: " + "; ".join(list(CASES) + list(DEEP_CASES))
    )
    parser.add_argument("--skipnet", default=str(ROOT / "build" / "release" / "skipnet"), help="the binary")
    parser.add_argument(
        "--venv",
        type=pathlib.Path,
        default=ROOT / "build" / "bench-venv",
        help="virtual environment with PyTorch; made where it is missing",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1, help="of each measurement in a round")
    parser.add_argument("--threads", type=int, nargs="+", default=list(range(1, len(os.sched_getaffinity(0)) + 1)))
    parser.add_argument(
        "--modes",
        nargs="+",
        default=["eager foreach", "eager fused", "compile"],
        choices=["eager foreach", "eager fused", "compile", "compile max"],
        help="of PyTorch",
    )
    parser.add_argument("--only", nargs="+", metavar="NETWORK", help="only these networks")
    parser.add_argument("--deep", action="store_true", help="also 1000 and 5000 layers")
    parser.add_argument("--scaling", action="store_true", help="time of a layer in 1000 and 5000, without PyTorch")
    parser.add_argument("--no-pair", action="store_true", help="without the two runs side by side")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    options = parser.parse_args()
    known = {**CASES, **DEEP_CASES}
    unknown = [name for name in options.only or [] if name not in known]
    if unknown:
        parser.error(f"no network {unknown[0]!r} (one of: {'; '.join(known)})")
    if options.rounds < 1 or options.seconds <= 0 or min(options.threads) < 1:
        parser.error("--rounds, --seconds and --threads want numbers above 0")
    if not os.access(options.skipnet, os.X_OK):
        parser.error(
            f"{options.skipnet} is no program: build it (cmake --preset release && cmake --build --preset"
            " release) or name one by --skipnet"
        )
    names = options.only or list(CASES) + (list(DEEP_CASES) if options.deep else [])
    options.cases = {name: {**DEFAULTS, **known[name]} for name in names}
    return options


def run_cases(report, options, skipnet, python):
    for name, case in options.cases.items():
        fault = skipnet.knows(name, case)
        if fault:
            report["notes"].append((name, f"skipped: this skipnet does not know it ({fault})"))
            continue
        row = Contest(name, case, options, skipnet, python).run()
        report["rows"].append(row)
        report["notes"] += [(name, note) for note in row["notes"]]
        tell(f"{name}: {1e3 * row['skipnet_s']:.3g} ms, ratio {row.get('ratio', float('nan')):.2f}")


def run_all(report, options, skipnet, python):
    if options.scaling:
        report["scaling"] = scaling(skipnet, options)
    if not options.no_pair:
        report["side_by_side"] = side_by_side(skipnet, options)
    run_cases(report, options, skipnet, python)


def stop(number, frame):
    raise KeyboardInterrupt


def main():
    options = parse_arguments()
    signal.signal(signal.SIGTERM, stop)
    python = find_python(options.venv)
    asker = Worker(python)
    version = asker.ask(do="hello")
    asker.close()
    report = {
        "command": " ".join(["scripts/dev/bench_peers.py"] + sys.argv[1:]),
        "torch": version.get("version"),
        "date": datetime.date.today().isoformat(),
        "load": os.getloadavg()[0],
        "rows": [],
        "notes": [],
    }
    with tempfile.TemporaryDirectory() as directory:
        skipnet = Skipnet(options.skipnet, directory)
        report["machine"] = skipnet.measure(FIRST, DEFAULTS, 1, 0.1)["machine"]
        try:
            run_all(report, options, skipnet, python)
        except KeyboardInterrupt:
            report["notes"].append(("stopped", "this is what was measured until then"))
    print(table_of(report))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
