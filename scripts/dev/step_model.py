#!/usr/bin/env python3
"""A model of a training step: what work, traffic and barriers make of its time on 1 to 64 cores, and where that ends.

A step is a walk, a barrier and work items, and a barrier at its begin and end (docs/engine.md):

- walk: forward, loss and backward.  The batch is cut into panels of 16 samples, and each thread walks through the
  whole network with its panels: ceil(panels / threads) at the most.  Threads without a panel wait.
- items: every weight's gradient over the whole batch and its update, in tiles that any thread takes.

Work is FLOPs of products over the rate of the kernel, and for every element of a signal and every pass of a layer a
fixed time.  Traffic is what comes from beyond the first cache: in the walk every thread reads all weights twice, first
where other cores have them since the update, writes its signals and reads them again; an item reads two signals,
written by all cores, and its weights, and writes those.  Of work and traffic the slower one counts.

The machine's figures are measured: the kernel by `skipnet bench`, caches and memory by copies, the rest from the steps
of two small networks on one and two threads.  --machine takes them from a file instead, as --json writes it.
"""

import argparse
import dataclasses
import heapq
import json
import math
import os
import pathlib
import sys
import tempfile

from bench import machine as machines
from bench.cases import CASES, DEFAULTS, FIRST, KNOWN, Case
from bench.machine import Data, Machine
from bench.skipnet import Skipnet

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CORES = [1, 2, 4, 8, 16, 64]
CHECKED = [1, 2]
PANEL = 16  # samples
TILE_ROWS, TILE_COLUMNS = 256, 64  # of a weight in an item, at most
BARRIERS = 3
NARROW = "50 of 16"  # with FIRST: what the small figures are measured on
NEAR = 1.1  # scaling has ended where a step takes at most so many times the best


@dataclasses.dataclass
class Layer:
    """A weight: (out, in)."""

    out_dim: int
    in_dim: int
    needs_input_gradient: bool = True

    @property
    def elements(self) -> int:
        return self.out_dim * self.in_dim


def layers_of(case: Case) -> list[Layer]:
    width, layers = case["width"], [Layer(case["width"], case["inputs"], False)]
    for _ in range(case["blocks"]):
        if case["skip"] == "concat":
            layers.append(Layer(case["growth"], width))
            width += case["growth"]
        else:
            layers += [Layer(width, width)] * (2 if case["skip"] == "highway" else 1)
    return layers + [Layer(case["classes"], width)]


def panels_of(case: Case) -> int:
    return math.ceil(case["batch"] / PANEL)


@dataclasses.dataclass
class Step:
    """Seconds of a step, and what bounds its parts."""

    walk: float
    items: float
    barriers: float
    is_walk_traffic: bool
    is_last_item: bool

    @property
    def total(self) -> float:
        return self.walk + self.items + self.barriers


class Model:
    """One network on one machine."""

    def __init__(self, case: Case, machine: Machine):
        self.machine, self.layers, self.panels = machine, layers_of(case), panels_of(case)
        self.word = 8 if case["precision"] == "float64" else 4
        self.rate = machine.rate * 4 / self.word
        self.element_s = machine.element_s * self.word / 4
        self.weight_bytes = self.word * sum(layer.elements for layer in self.layers)
        self.signal_elements = sum(layer.out_dim for layer in self.layers) + case["inputs"]  # of a sample

    @property
    def passes(self) -> int:
        """Of layers in a walk."""
        return sum(2 if layer.needs_input_gradient else 1 for layer in self.layers)

    def seconds_per_byte(self, threads: int, **kind) -> float:
        signals = 2 * self.word * PANEL * self.panels * self.signal_elements  # values and gradients
        data = Data(self.weight_bytes + signals / threads, self.weight_bytes + signals, **kind)
        return self.machine.seconds_per_byte(data, threads)

    def walk(self, threads: int) -> tuple[float, float]:
        """Work and traffic of the thread with the most panels."""
        samples = PANEL * math.ceil(self.panels / threads)
        flops = 2 * samples * sum(layer.elements * (1 + layer.needs_input_gradient) for layer in self.layers)
        elements = samples * self.signal_elements
        work = flops / self.rate + elements * self.element_s + self.passes * self.machine.layer_s
        updated = self.seconds_per_byte(threads, is_from_all=True, is_for_all=True)
        read_again = self.seconds_per_byte(threads, is_for_all=True)
        signals = 2 * self.word * elements * self.seconds_per_byte(threads)
        return work, self.weight_bytes * (updated + read_again) + signals

    def item_times(self, threads: int) -> list[float]:
        """Of every item, the longest first."""
        signals, weights = self.seconds_per_byte(threads, is_from_all=True), self.seconds_per_byte(threads)
        samples, times = PANEL * self.panels, []
        for layer in self.layers:
            n = math.ceil(layer.out_dim / TILE_ROWS) * math.ceil(layer.in_dim / TILE_COLUMNS)
            rows, columns = min(layer.out_dim, TILE_ROWS), min(layer.in_dim, TILE_COLUMNS)
            work = 2 * samples * layer.elements / n / self.rate
            traffic = self.word * (samples * (rows + columns) * signals + 2 * layer.elements / n * weights)
            times += [max(work, traffic) + self.machine.layer_s] * n
        return sorted(times, reverse=True)

    def step(self, threads: int) -> Step:
        work, traffic = self.walk(threads)
        times = self.item_times(threads)
        busy = [0.0] * threads
        for seconds in times:
            heapq.heapreplace(busy, busy[0] + seconds)
        items = max(busy)
        barriers = BARRIERS * self.machine.barrier(threads)
        return Step(max(work, traffic), items, barriers, traffic > work, items <= times[0])

    def end(self) -> tuple[int, str]:
        """From how many cores on more of them bring next to nothing, and why."""
        steps = {n: self.step(n) for n in range(1, max(CORES) + 1)}
        best = min(step.total for step in steps.values())
        n = next(n for n, step in steps.items() if step.total <= NEAR * best)
        return n, self.reason(steps.get(2 * n), 2 * n)

    def reason(self, step: Step | None, n: int) -> str:
        """What the greatest part of a step is bound by, if so many cores are modelled."""
        if not step:
            return "nothing yet"
        if step.barriers >= max(step.walk, step.items):
            return "barriers"
        if step.items > step.walk:
            return f"{len(self.item_times(n))} items, the longest is left" if step.is_last_item else "items' traffic"
        return "every core reads all weights" if step.is_walk_traffic else f"{self.panels} panels"


def solve_small_figures(machine: Machine, times: dict):
    """element_s and layer_s from the steps of two networks on one thread; barrier_s from a step on two."""
    rest, elements, passes = [], [], []
    for name in (FIRST, NARROW):
        bare = Model(KNOWN[name], machine)
        rest.append(times[name, 1] - bare.step(1).total)
        elements.append(PANEL * bare.panels * bare.signal_elements)
        passes.append(bare.passes + len(bare.item_times(1)))
    determinant = elements[0] * passes[1] - elements[1] * passes[0]
    layer = (elements[0] * rest[1] - elements[1] * rest[0]) / determinant
    machine.layer_s = max(layer, 0)
    machine.element_s = max((rest[0] - passes[0] * machine.layer_s) / elements[0], 0)
    if (NARROW, 2) in times:
        machine.barrier_s = max((times[NARROW, 2] - Model(KNOWN[NARROW], machine).step(2).total) / BARRIERS, 0)


class Meter:
    """Steps as they are here: the fastest of all rounds."""

    def __init__(self, options):
        self.options, self.times, self.rate = options, {}, 0

    def measure(self, names: list[str]):
        """All networks in every round, so that a slow time of the machine meets all of them."""
        with tempfile.TemporaryDirectory() as directory:
            skipnet = Skipnet(self.options.skipnet, directory)
            for _ in range(self.options.rounds):
                for name in names:
                    for threads in CHECKED[: len(os.sched_getaffinity(0))]:
                        self.add(name, threads, skipnet.measure(name, KNOWN[name], threads, self.options.seconds))

    def add(self, name: str, threads: int, result: dict):
        seconds = result["step"]["min_s"]
        self.times[name, threads] = min(self.times.get((name, threads), math.inf), seconds)
        self.rate = max(self.rate, 1e9 * result["products"]["core_gflops"])


def machine_of(options, meter: Meter | None) -> Machine:
    if options.machine:
        try:
            return Machine(**json.loads(pathlib.Path(options.machine).read_text()))
        except (OSError, ValueError, TypeError) as fault:
            raise SystemExit(f"{options.machine}: {fault} (a file that --json wrote)")
    machine = machines.measured(meter.rate)
    solve_small_figures(machine, meter.times)
    return machine


def machine_text(m: Machine) -> str:
    return (
        f"A core: {m.rate / 1e9:.0f} GFLOP/s of products; copies of {m.l2_rate / 1e9:.0f} GB/s in the second cache"
        f" ({m.l2_bytes / 2**20:.3g} MiB), {m.l3_rate / 1e9:.0f} in the third ({m.l3_bytes / 2**20:.3g} MiB, of all),"
        f" {m.memory_rate / 1e9:.0f} in memory (all: {m.memory_rate_of_all / 1e9:.0f}); {1e9 * m.element_s:.2g} ns an"
        f" element, {1e9 * m.layer_s:.0f} ns a pass of a layer; a barrier of two {1e6 * m.barrier_s:.2g} us."
    )


def prediction_table(cases: dict[str, Case], machine: Machine) -> list[str]:
    lines = [
        "| ms on so many cores | " + " | ".join(map(str, CORES)) + " | ends at | by |",
        "|---" * (len(CORES) + 3) + "|",
    ]
    for name, case in cases.items():
        model = Model(case, machine)
        cells = [f"{1e3 * model.step(n).total:.3g}" for n in CORES]
        lines.append("| " + " | ".join([name, *cells, *map(str, model.end())]) + " |")
    return lines


def check_table(cases: dict[str, Case], machine: Machine, times: dict) -> list[str]:
    """The model beside what was measured."""
    lines = ["| network | threads | measured, ms | model, ms | error |", "|---|---|---|---|---|"]
    errors = []
    for (name, threads), seconds in sorted(times.items()):
        if name not in cases:
            continue
        model = Model(cases[name], machine).step(threads).total
        errors.append(model / seconds - 1)
        lines.append(f"| {name} | {threads} | {1e3 * seconds:.3g} | {1e3 * model:.3g} | {100 * errors[-1]:+.0f} % |")
    mean = sum(map(abs, errors)) / len(errors)
    return [*lines, "", f"Mean error {100 * mean:.0f} %, greatest {100 * max(errors, key=abs):+.0f} %."]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="networks: " + "; ".join(modelled()))
    parser.add_argument("--skipnet", default=str(ROOT / "build" / "release" / "skipnet"), help="the binary")
    parser.add_argument("--only", nargs="+", metavar="NETWORK", help="only these networks")
    for key in ("blocks", "width", "batch", "growth"):
        parser.add_argument("--" + key, type=int, help="of one network of your own")
    parser.add_argument("--skip", choices=["add", "concat", "highway"], help="of it")
    parser.add_argument("--machine", metavar="FILE", help="figures of a machine; nothing is measured without --check")
    parser.add_argument("--check", action="store_true", help="measure the networks here, too, and tell the error")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each measurement in a round")
    parser.add_argument("--json", metavar="FILE", help="write the machine's figures there")
    options = parser.parse_args()
    unknown = [name for name in options.only or [] if name not in modelled()]
    if unknown:
        parser.error(f"no network {unknown[0]!r} (one of: {'; '.join(modelled())})")
    own = {key: getattr(options, key) for key in ("blocks", "width", "batch", "growth", "skip")}
    own = {key: value for key, value in own.items() if value is not None}
    if own and (options.only or options.check):
        parser.error("a network of your own goes with neither --only nor --check")
    if min([options.rounds, options.seconds, *(v for v in own.values() if isinstance(v, int))]) <= 0:
        parser.error("numbers are above 0")
    options.cases = {"yours": {**DEFAULTS, **own}} if own else {n: KNOWN[n] for n in options.only or modelled()}
    return options


def modelled() -> list[str]:
    """The networks that are nothing but products and elements."""
    return [name for name in CASES if KNOWN[name]["norm"] == "none" and not KNOWN[name]["learned"]]


def main():
    options = parse_arguments()
    meter = Meter(options)
    if options.check or not options.machine:
        names = list(options.cases) if options.check else []
        meter.measure(sorted({*names, *([] if options.machine else [FIRST, NARROW])}))
    machine = machine_of(options, meter)
    lines = [machine_text(machine), "", *prediction_table(options.cases, machine)]
    if options.check:
        lines += ["", *check_table(options.cases, machine, meter.times)]
    print("\n".join(lines))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(dataclasses.asdict(machine), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
