#!/usr/bin/env python3
"""skipnet against PyTorch and JAX on this machine: the same networks, batches and maths, in one run that alternates.

A case is measured in rounds: skipnet at every thread count, every peer in every mode and at every thread count, skipnet
again, and so on.  A time is that of a whole training step (forward, loss, backward, update) in the fastest block of
steps of all rounds; a ratio compares the best of either side.  PyTorch runs eagerly with the foreach and the fused
optimizer, and compiled (torch.compile) with the fused one; JAX compiles a whole step (jit), its blocks in a loop
(lax.scan) or unrolled.  The peers' batches lie ready.

Before it is timed, every contender takes some steps from the weights and over the data of a training of skipnet, and
has to come to the same losses.

Both are installed into a virtual environment below build/ (6 GB, as PyTorch's wheel brings CUDA where pip finds no
other), unless --venv names one that has them.
"""

import argparse
import datetime
import json
import os
import pathlib
import shlex
import signal
import sys
import tempfile

from bench import peers, table
from bench.cases import CASES, DEEP_CASES, DEFAULTS, FIRST, KNOWN
from bench.skipnet import Skipnet

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LOSS_ERROR = 5e-4  # the greatest relative difference of losses; most networks have 1e-5, 50 of 16 has 1e-4


def tell(text):
    print(text, file=sys.stderr, flush=True)


def check_numerics(name: str, case: dict, mode: str, training: dict, reply: dict):
    """Ends where a peer's network is not that of skipnet."""
    ours, theirs = training["losses"], reply["losses"]
    error = max(abs(a - b) / abs(a) for a, b in zip(ours, theirs, strict=True))
    tell(f"{name}: {mode}: losses {ours[0]:.4f} to {ours[-1]:.4f}, differing by {error:.1e}")
    if not error <= LOSS_ERROR:  # nan too
        raise SystemExit(f"{name}: the networks differ: losses {ours} here, {theirs} in {mode}")
    if min(abs(a - b) / a for a, b in zip(ours, ours[1:])) < 10 * LOSS_ERROR:
        raise SystemExit(f"{name}: the losses {ours} change too little to tell networks apart")


class Contest:
    """One case: its contenders, built once, and their best times."""

    def __init__(self, name, case, options, skipnet, python):
        self.name, self.case, self.options, self.skipnet = name, case, options, skipnet
        self.ours, self.theirs, self.notes = {}, {}, []
        self.workers = []
        self.training = skipnet.train(name, case)
        for mode in options.modes:
            if peers.is_too_deep(mode, case["blocks"]):
                self.notes.append(f"{mode}: not tried above {peers.COMPILE_DEPTH} layers")
                continue
            for threads in options.threads:
                self.add_worker(python, mode, threads)

    def add_worker(self, python, mode, threads):
        tell(f"{self.name}: {mode}, {threads} threads")
        worker = peers.Worker(python, peers.MODES[mode], threads)
        start = {key: self.training[key] for key in ("data", "weights", "lr")}
        start["n_losses"] = len(self.training["losses"])
        reply = worker.ask(do="build", case=self.case, mode=mode, threads=threads, start=start)
        if "error" in reply:
            self.notes.append(f"{mode}, {threads} threads: {reply['error']}")
            worker.close()
            return
        check_numerics(self.name, self.case, mode, self.training, reply)
        self.parameters = reply["parameters"]
        self.workers.append((mode, threads, worker))

    def run_round(self):
        for threads in self.options.threads:
            result = self.skipnet.measure(self.name, self.case, threads, self.options.seconds)
            if self.workers and result["network"]["parameters"] != self.parameters:
                raise SystemExit(
                    f"{self.name}: the networks differ: {result['network']['parameters']:.0f} parameters"
                    f" here, {self.parameters} in {self.workers[-1][0]}"
                )
            best = self.ours.get(threads)
            if not best or result["step"]["min_s"] < best["step"]["min_s"]:
                self.ours[threads] = result
        for mode, threads, worker in self.workers:
            reply = worker.ask(do="measure", seconds=self.options.seconds)
            if "error" in reply:
                self.notes.append(f"{mode}, {threads} threads: {reply['error']}")
                continue
            times = self.theirs.setdefault(mode, {})
            times[str(threads)] = min(times.get(str(threads), float("inf")), reply["step_s"])

    def run(self):
        for i in range(self.options.rounds):
            tell(f"{self.name}: round {i + 1} of {self.options.rounds}")
            self.run_round()
        for _, _, worker in self.workers:
            worker.close()
        return self.result()

    def best_of(self, peer, ours):
        """The fastest mode and thread count of a peer, or None."""
        times = [
            (seconds, mode, int(threads))
            for mode, by_threads in self.theirs.items()
            if peers.MODES[mode] == peer
            for threads, seconds in by_threads.items()
        ]
        if not times:
            return None
        seconds, mode, threads = min(times)
        return {"step_s": seconds, "mode": mode, "threads": threads, "ratio": seconds / ours}

    def result(self):
        threads = min(self.ours, key=lambda n: self.ours[n]["step"]["min_s"])
        best = self.ours[threads]
        seconds = best["step"]["min_s"]
        return {
            "name": self.name,
            "case": self.case,
            "notes": self.notes,
            "skipnet_s": seconds,
            "skipnet_threads": threads,
            "gflops": best["step"]["gflops"],
            "limit_share": best["step"]["limit_share"],
            "statistics_share": best["observed"]["statistics_share"],
            "skipnet_all_s": {str(n): r["step"]["min_s"] for n, r in self.ours.items()},
            "modes_s": self.theirs,
            "best": {peer: self.best_of(peer, seconds) for peer in peers.NAMES},
        }


def side_by_side(skipnet, options):
    """Throughput of two runs of one thread each at the same time, over that of one alone."""
    alone, pair = float("inf"), float("inf")
    for _ in range(options.rounds):
        alone = min(alone, skipnet.measure(FIRST, DEFAULTS, 1, options.seconds)["step"]["median_s"])
        pair = min(pair, sum(skipnet.measure_pair(FIRST, DEFAULTS, options.seconds)) / 2)
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


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="networks: " + "; ".join(KNOWN))
    parser.add_argument("--skipnet", default=str(ROOT / "build" / "release" / "skipnet"), help="the binary")
    parser.add_argument(
        "--venv",
        type=pathlib.Path,
        default=ROOT / "build" / "bench-venv",
        help="virtual environment with PyTorch and JAX; made where it is missing",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1, help="of each measurement in a round")
    parser.add_argument("--threads", type=int, nargs="+", default=list(range(1, len(os.sched_getaffinity(0)) + 1)))
    parser.add_argument("--modes", nargs="+", default=peers.DEFAULT_MODES, choices=list(peers.MODES), help="of peers")
    parser.add_argument("--only", nargs="+", metavar="NETWORK", help="only these networks")
    parser.add_argument("--deep", action="store_true", help="also 1000 and 5000 layers")
    parser.add_argument("--scaling", action="store_true", help="time of a layer in 1000 and 5000, without peers")
    parser.add_argument("--no-pair", action="store_true", help="without the two runs side by side")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    options = parser.parse_args()
    unknown = [name for name in options.only or [] if name not in KNOWN]
    if unknown:
        parser.error(f"no network {unknown[0]!r} (one of: {'; '.join(KNOWN)})")
    if options.rounds < 1 or options.seconds <= 0 or min(options.threads) < 1:
        parser.error("--rounds, --seconds and --threads want numbers above 0")
    if not os.access(options.skipnet, os.X_OK):
        parser.error(
            f"{options.skipnet} is no program: build it (cmake --preset release && cmake --build --preset"
            " release) or name one by --skipnet"
        )
    names = options.only or list(CASES) + (list(DEEP_CASES) if options.deep else [])
    options.cases = {name: KNOWN[name] for name in names}
    return options


def run_cases(report, options, skipnet, python):
    for name, case in options.cases.items():
        fault = skipnet.fault_of(name, case)
        if fault:
            report["notes"].append((name, f"skipped: this skipnet does not know it ({fault})"))
            continue
        row = Contest(name, case, options, skipnet, python).run()
        report["rows"].append(row)
        report["notes"] += [(name, note) for note in row["notes"]]
        ratios = [f"{peers.NAMES[p]} {best['ratio']:.2f}" for p, best in row["best"].items() if best]
        tell(f"{name}: {1e3 * row['skipnet_s']:.3g} ms; ratios: {', '.join(ratios) or 'none'}")


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
    wanted = {peers.MODES[mode] for mode in options.modes}
    python = peers.find_python(options.venv, wanted, tell)
    report = {
        "command": shlex.join(["scripts/dev/bench_peers.py"] + sys.argv[1:]),
        "versions": {peer: peers.version_of(python, peer) for peer in peers.NAMES if peer in wanted},
        "date": datetime.date.today().isoformat(),
        "load": os.getloadavg()[0],
        "threads": options.threads,
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
    print(table.text_of(report))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
