"""The differential fuzzer: draws experiments, runs both sides, compares, reports; see scripts/dev/fuzz_pytorch.py."""

import collections
import pathlib

import interpreter
import torch
from draw import Drawing, kinds_of, write_experiment
from interpreter import distance, norm_of
from sides import run_pytorch, run_skipnet, run_twin

# Per precision: the unit of rounding, the bound for well-conditioned quantities, by how much a twin is off, how far
# from an activation's kink is too near for a verdict, and the size of a quantity that means that training explodes.
Precision = collections.namedtuple("Precision", "unit bound twin margin largest")
PRECISIONS = {
    "float64": Precision(2.0**-52, 1e-10, 1e-9, 1e-13, 1e16),
    "float32": Precision(2.0**-23, 1e-4, 1e-6, 1e-5, 1e10),
}
ROUNDINGS = 100  # how many units of rounding a quantity may have collected, times its factor
TWINS = 2  # one may by luck be off where the quantity is blind to it; the greater change counts
NOISY = 0.01  # what changes by more in the twin may be rounding and nothing else


def deviation(a, b):
    return distance(torch.as_tensor(a, dtype=torch.float64), torch.as_tensor(b, dtype=torch.float64))


def size_of(value):
    return norm_of(torch.as_tensor(value, dtype=torch.float64))


def difference(a, b):
    """|a - b|, a 2-norm."""
    return deviation(a, b) * max(size_of(a), size_of(b))


def explodes(quantities, limit):
    """Whether training has blown up: from there on rounding decides what is next, and nothing can be compared."""
    return not all(size_of(v) < limit for v in quantities.values())


class Comparison:
    """The verdicts over all quantities of one graph."""

    def __init__(self, precision, ours, theirs, twins, margin):
        self.precision, self.margin = precision, margin
        self.counts = collections.Counter()
        self.worst = collections.Counter()  # of well-conditioned quantities, by kind
        self.widest = 0
        self.failures = []
        if set(ours) != set(theirs):
            self.failures.append(f"only one side has {', '.join(sorted(set(ours) ^ set(theirs)))}")
            return
        # Rounding of sums that cancel is as large as what is summed, of which this is a measure, or as what was off
        # before is carried there.
        self.scale = max(size_of(v) for k, v in theirs.items() if not k.startswith("lr"))
        for name in sorted(ours):
            self.judge(name, ours[name], theirs[name], [twin[name] for twin in twins])

    def judge(self, name, ours, theirs, twins):
        moved = max(deviation(twin, theirs) for twin in twins)
        carried = max(difference(twin, theirs) for twin in twins) / self.precision.twin
        unit, bound = self.precision.unit, self.precision.bound
        off = deviation(ours, theirs)
        factor = moved / self.precision.twin
        allowed = max(bound, ROUNDINGS * unit * factor)
        self.counts["quantities"] += 1
        if moved > NOISY and difference(ours, theirs) <= ROUNDINGS * unit * max(self.scale, carried):
            # Nothing but rounding, as the gradient by a bias before a batch normalization.
            self.counts["rounding noise"] += 1
        elif off > allowed:
            self.fail(name, f"off by {off:.2e}, allowed {allowed:.2e} (amplification {factor:.1e})")
        elif allowed > bound:
            self.counts["with a wider bound"] += 1
            self.widest = max(self.widest, allowed)
        else:
            kind = name.split()[0]
            self.worst[kind] = max(self.worst[kind], off)

    def fail(self, name, text):
        if self.margin < self.precision.margin:
            self.counts["beside a kink"] += 1
        else:
            self.failures.append(f"{name}: {text}")


class Fuzzer:
    def __init__(self, options):
        self.options = options
        self.skipnet = str(pathlib.Path(options.skipnet).resolve())
        self.kinds = kinds_of(self.skipnet)
        interpreter.check(self.kinds)
        self.counts = collections.Counter()
        self.worst = {name: collections.Counter() for name in PRECISIONS}
        self.widest = dict.fromkeys(PRECISIONS, 0)
        self.failed = 0

    def graph(self, seed):
        """One graph; returns what is wrong, a list of texts."""
        drawing = Drawing(seed, self.kinds)
        name = drawing.config["precision"]
        precision = PRECISIONS[name]
        directory = pathlib.Path(self.options.work) / f"graph-{seed}"
        write_experiment(directory, drawing)
        ours, initial = run_skipnet(self.skipnet, directory, 1 + seed % 2)
        initial = {name: value for name, value in initial.items() if ".running_" not in name}
        theirs, network = run_pytorch(drawing, initial)
        self.counts[name] += 1
        if ours is None or explodes(theirs, precision.largest):
            self.counts["exploded"] += 1
            nearly = precision.largest**0.5
            both = (ours is None or explodes(ours, nearly)) and explodes(theirs, nearly)
            return [] if both else ["one side explodes, the other does not"]
        twins = [run_twin(drawing, initial, precision.twin, TWINS * seed + i) for i in range(TWINS)]
        comparison = Comparison(precision, ours, theirs, twins, network.kink_margin)
        self.counts.update(comparison.counts)
        self.counts.update(entry.op for entry in network.entries)
        self.widest[name] = max(self.widest[name], comparison.widest)
        for kind, off in comparison.worst.items():
            self.worst[name][kind] = max(self.worst[name][kind], off)
        if self.options.verbose:
            print(f"seed {seed}: {name}, {len(network.entries)} entries, {dict(comparison.counts)}")
        return comparison.failures

    def run(self):
        for seed in range(self.options.seed, self.options.seed + self.options.graphs):
            failures = self.graph(seed)
            directory = pathlib.Path(self.options.work) / f"graph-{seed}"
            if not failures:
                discard(directory)
                continue
            self.failed += 1
            print(f"seed {seed}: {len(failures)} deviations; kept in {directory}")
            for text in failures[:5]:
                print(f"  {text}")
        self.report()
        return 1 if self.failed else 0

    def report(self):
        counts = self.counts
        print(f"{self.options.graphs} graphs from seed {self.options.seed}, {self.failed} deviate")
        print(f"{counts['float64']} in float64, {counts['float32']} in float32; {counts['exploded']} exploded on both")
        print(f"{counts['quantities']} quantities compared, of these")
        for what in ("with a wider bound", "rounding noise", "beside a kink"):
            print(f"  {counts[what]:6} {what}")
        widest = ", ".join(f"{bound:.1e} in {name}" for name, bound in self.widest.items())
        print(f"the widest bounds were {widest}")
        for name, worst in self.worst.items():
            figures = ", ".join(f"{kind} {off:.1e}" for kind, off in sorted(worst.items()))
            print(f"worst in {name} (bound {PRECISIONS[name].bound:g}): {figures}")
        ops = sorted(self.kinds["op"])
        print(f"ops: {', '.join(f'{op} {counts[op]}' for op in ops if counts[op])}")
        missing = [op for op in ops if not counts[op]]
        print(f"ops that were not drawn: {', '.join(missing) or 'none'}")


def discard(directory):
    for path in sorted(directory.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    directory.rmdir()
