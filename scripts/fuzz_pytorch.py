#!/usr/bin/env python3
"""Differential fuzzer: random networks, trained for a few steps by skipnet and by PyTorch, compared.

    scripts/fuzz_pytorch.py [--graphs 500] [--seed 1] [--skipnet build/release/skipnet]

For every graph: the loss of every step, the gradient norms of every layer at every step, evaluation losses, and all weights
at the end.  Skipnet runs through its command line, on a CSV file that this script writes; PyTorch starts from skipnet's
initial weights.  A quarter of the graphs runs in float32, against PyTorch in float64.

How far rounding may carry the two apart is measured, not guessed: in a twin in PyTorch the initial weights and then every
signal of every step are off by a small random fraction, as by a coarse rounding, which tells by which factor each quantity
amplifies that.  A quantity must agree to 1e-10 (float32: 1e-4), or to a multiple of rounding times its factor where that is
more.  What is compared with such a wider bound is counted and
printed.  A deviation is printed and its config kept so that it can be run again; the exit status is 1 then.

Needs PyTorch 2; where Python has none, the script makes a virtual environment (--venv) and installs it there.
"""

import argparse
import collections
import csv
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "pytorch"))

# Per precision: the unit of rounding, the bound for well-conditioned quantities, and by how much the twin differs.
Precision = collections.namedtuple("Precision", "unit bound twin margin")
PRECISIONS = {
    "float64": Precision(2.0**-52, 1e-10, 1e-9, 1e-13),
    "float32": Precision(2.0**-23, 1e-4, 1e-6, 1e-5),
}
ROUNDINGS = 100  # how many units of rounding a quantity may have collected, times its factor
NOISY = 0.01  # what changes by more in the twin may be rounding and nothing else
DIVERGED = 3  # exit status of skipnet


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=500, help="how many (default 500)")
    parser.add_argument("--seed", type=int, default=1, help="of the first one; the others count on from it")
    parser.add_argument("--skipnet", default=str(ROOT / "build/release/skipnet"), help="the program")
    parser.add_argument("--work", default=str(ROOT / "build/fuzz-pytorch"), help="directory for configs and runs")
    parser.add_argument("--venv", default=str(ROOT / "build/venv-pytorch"), help="where PyTorch goes if it is missing")
    parser.add_argument("--verbose", action="store_true", help="a line for every graph")
    return parser.parse_args()


def use_pytorch(directory):
    """Runs this script again in a Python that has PyTorch, where this one has none."""
    if importlib.util.find_spec("torch") and importlib.util.find_spec("safetensors"):
        return
    python = pathlib.Path(directory) / "bin" / "python"
    if pathlib.Path(sys.prefix).resolve() == pathlib.Path(directory).resolve():
        sys.exit(f"{directory} has no PyTorch: install it there with {python} -m pip install torch numpy safetensors")
    if not python.exists():
        print(f"installing PyTorch into {directory}", file=sys.stderr)
        venv.create(directory, with_pip=True)
        status = subprocess.run([python, "-m", "pip", "install", "-q", "torch", "numpy", "safetensors"]).returncode
        if status:
            sys.exit("pip failed: give a Python that has torch 2, numpy and safetensors, or see --venv")
    os.execv(python, [str(python), *sys.argv])


def ops_of(skipnet):
    """The names of the program's ops."""
    listing = subprocess.run([skipnet, "list", "ops"], check=True, capture_output=True, text=True).stdout
    return {line.split()[0] for line in listing.splitlines() if line[:1].isalpha()}


# ---- skipnet's side


def write_experiment(directory, drawing):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(drawing.config, indent=1) + "\n")
    with open(directory / "data.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([f"x{j}" for j in range(drawing.in_dim)] + drawing.config["data"]["target"])
        for x, y in drawing.rows:
            writer.writerow([repr(v) for v in x + y])


def read_csv(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def run_skipnet(skipnet, directory, threads):
    """{quantity: value}, initial weights; the quantities are None where the run diverged."""
    from safetensors.torch import load_file

    command = [skipnet, "train", "config.json", "--out", "run", "--threads", str(threads), "--force", "--quiet"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    if done.returncode not in (0, DIVERGED):
        raise RuntimeError(f"skipnet: exit status {done.returncode}\n{done.stderr}")
    run = directory / "run"
    initial = load_file(run / "initial.safetensors")
    if done.returncode == DIVERGED:
        return None, initial
    quantities = {f"final {name}": value for name, value in load_file(run / "final.safetensors").items()}
    for row in read_csv(run / "loss.csv"):
        for column in ("batch_loss", "train_loss", "lr", "grad_norm"):
            if row[column]:
                quantities[f"{column} {row['step']}"] = float(row[column])
    for row in read_csv(run / "gradients.csv"):
        for column in ("grad_norm", "bias_grad_norm"):
            if row[column]:
                quantities[f"{column} {row['step']} {row['label']}"] = float(row[column])
    return quantities, initial


# ---- PyTorch's side


def scale(x, scaling):
    """As documented: mean 0 and standard deviation 1, or 0 to 1, over the training samples."""
    if scaling == "none":
        return x
    low, high = x.min(0).values, x.max(0).values
    if scaling == "unit":
        return (x - low) / (high - low)
    return (x - x.mean(0)) / x.std(0, correction=0)


def data_of(drawing):
    import torch

    x = torch.tensor([x for x, _ in drawing.rows], dtype=torch.float64)
    y = torch.tensor([y for _, y in drawing.rows], dtype=torch.int64 if drawing.is_classes else torch.float64)
    return scale(x, drawing.config["data"]["scaling"]), y[:, 0] if drawing.is_classes else y


def gradient_quantities(step, loss, gradients, network):
    from interpreter import total_norm

    quantities = {f"batch_loss {step}": loss, f"grad_norm {step}": total_norm(gradients)}
    for name, gradient in gradients.items():
        label, kind = name.rsplit(".", 1)
        column = "grad_norm" if kind == "weight" else "bias_grad_norm"
        quantities[f"{column} {step} {label}"] = gradient.norm().item()
    return quantities


def run_pytorch(drawing, initial, noise=None):
    """The same quantities, and the network for its margin to kinks; `noise` as the network's own."""
    import torch
    from interpreter import Network, Trainer, loss_of, rates

    train, (x, y) = drawing.config["train"], data_of(drawing)
    network = Network(drawing.config["network"], drawing.in_dim, drawing.out_dim)
    network.set_parameters(initial)
    network.noise = noise
    trainer, schedule = Trainer(network, train), rates(train)
    quantities = {}

    def evaluate(step):
        with torch.no_grad():
            outputs = network.forward(x, is_training=False)
            quantities[f"train_loss {step}"] = loss_of(trainer.loss, outputs, y).item()

    begin, n, size = 0, drawing.n, train["batch_size"]
    steps_per_epoch = -(-n // size)
    for step in range(train["steps"] + 1):
        rows = slice(begin, min(begin + size, n))
        begin = 0 if rows.stop == n else rows.stop
        is_last = step == train["steps"]
        if step % steps_per_epoch == 0 or is_last:
            evaluate(step)
        if is_last:
            quantities.update({f"final {name}": value for name, value in network.values().items()})
            quantities.update({f"final {name}": value.clone() for name, value in network.states.items()})
        loss, gradients = (trainer.measure if is_last else trainer.step)(x[rows], y[rows])
        quantities.update(gradient_quantities(step, loss, gradients, network))
        if not is_last:
            quantities[f"lr {step}"] = next(schedule)
    return quantities, network


def run_twin(drawing, initial, fraction, seed):
    import torch

    generator = torch.Generator().manual_seed(seed)

    def noise(shape):
        return 1 + fraction * torch.randn(shape, dtype=torch.float64, generator=generator)

    return run_pytorch(drawing, {name: v.double() * noise(v.shape) for name, v in initial.items()}, noise)[0]


# ---- comparison


def deviation(a, b):
    import torch
    from interpreter import distance

    return distance(torch.as_tensor(a, dtype=torch.float64), torch.as_tensor(b, dtype=torch.float64))


def size_of(value):
    import torch

    return torch.as_tensor(value, dtype=torch.float64).norm().item()


class Comparison:
    """The verdicts over all quantities of one graph."""

    def __init__(self, precision, ours, theirs, twin, margin):
        self.precision, self.margin = precision, margin
        self.counts = collections.Counter()
        self.worst = collections.Counter()  # of well-conditioned quantities, by kind
        self.widest = 0
        self.failures = []
        if set(ours) != set(theirs):
            self.failures.append(f"only one side has {', '.join(sorted(set(ours) ^ set(theirs)))}")
            return
        # Rounding of sums that cancel is as large as what is summed, of which this is a measure.
        self.scale = max(size_of(v) for k, v in theirs.items() if not k.startswith("lr"))
        for name in sorted(ours):
            self.judge(name, ours[name], theirs[name], twin[name])

    def judge(self, name, ours, theirs, twin):
        unit, bound = self.precision.unit, self.precision.bound
        off, moved = deviation(ours, theirs), deviation(twin, theirs)
        factor = moved / self.precision.twin
        allowed = max(bound, ROUNDINGS * unit * factor)
        self.counts["quantities"] += 1
        if moved > NOISY and off * max(size_of(ours), size_of(theirs)) <= ROUNDINGS * unit * self.scale:
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
        self.ops = ops_of(self.skipnet)
        self.counts = collections.Counter()
        self.worst = {name: collections.Counter() for name in PRECISIONS}
        self.widest = 0
        self.failed = 0

    def graph(self, seed):
        """One graph; returns what is wrong, a list of texts."""
        from draw import Drawing

        drawing = Drawing(seed, self.ops)
        name = drawing.config["precision"]
        precision = PRECISIONS[name]
        directory = pathlib.Path(self.options.work) / f"graph-{seed}"
        write_experiment(directory, drawing)
        ours, initial = run_skipnet(self.skipnet, directory, 1 + seed % 2)
        initial = {name: value for name, value in initial.items() if ".running_" not in name}
        theirs, network = run_pytorch(drawing, initial)
        is_finite = all(size_of(v) < float("inf") for v in theirs.values())
        self.counts[name] += 1
        if ours is None or not is_finite:
            self.counts["diverged"] += 1
            return [] if ours is None and not is_finite else ["one side diverged, the other did not"]
        twin = run_twin(drawing, initial, precision.twin, seed)
        comparison = Comparison(precision, ours, theirs, twin, network.kink_margin)
        self.counts.update(comparison.counts)
        self.counts.update(entry.op for entry in network.entries)
        self.widest = max(self.widest, comparison.widest)
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
        print(f"{counts['float64']} in float64, {counts['float32']} in float32, {counts['diverged']} diverged on both sides")
        print(f"{counts['quantities']} quantities compared, of these")
        for what in ("with a wider bound", "rounding noise", "beside a kink"):
            print(f"  {counts[what]:6} {what}")
        print(f"the widest bound was {self.widest:.1e}")
        for name, worst in self.worst.items():
            figures = ", ".join(f"{kind} {off:.1e}" for kind, off in sorted(worst.items()))
            print(f"worst in {name} (bound {PRECISIONS[name].bound:g}): {figures}")
        drawn = {op for op in self.ops if counts[op]}
        print(f"ops: {', '.join(f'{op} {counts[op]}' for op in sorted(drawn))}")
        missing = sorted(self.ops - drawn - {"repeat"})
        print(f"ops that were not drawn: {', '.join(missing) or 'none'}")


def discard(directory):
    for path in sorted(directory.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    directory.rmdir()


def main():
    options = parse_arguments()
    use_pytorch(options.venv)
    import torch

    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {options.skipnet}")
    return Fuzzer(options).run()


if __name__ == "__main__":
    sys.exit(main())
