#!/usr/bin/env python3
"""Writes tests/pytorch/fixtures/NAME.json and NAME.safetensors for tests/engine/test_pytorch.c: what PyTorch computes.

    python3 tests/pytorch/make_fixtures.py [NAME...]

NAME.json is a skipnet config (without data).  NAME.safetensors has the tensors

    input (n, in), targets (n, out): a class as a row with a single one
    initial/LABEL.weight ...    parameters before the first step
    gradient/...                gradients of the first batch's mean loss by all of them
    losses (10)                 batch losses of 10 steps, or of train.steps; batches in order, the last of an epoch
                                short, then again
    final/...                   parameters after the steps
    state/LABEL.running_mean    (batch normalization) running averages after the steps
    evaluation (1)              mean loss of all samples then, in evaluation mode

All in float64.  For every network it prints the learning rate, the loss, how a perturbation of the initial weights by
1e-12 grows in the steps, and how near an activation came to its kink.  Networks where the first grows beyond 1e-10
or the second falls below 1e-4 (float32 might see the other side) are refused; the seed is the first one with enough
distance to kinks.
"""

import json
import math
import pathlib
import sys

import torch
from interpreter import Loss, Network, Trainer, distance, total_norm
from networks import NETWORKS, samples_of
from safetensors.torch import save_file

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures"
STEPS = 10
PERTURBATION, GREATEST_CHANGE = 1e-12, 1e-10
LEAST_MARGIN = 1e-4


def draw_data(n, in_dim, out_dim, samples, generator):
    x = torch.randn(n, in_dim, dtype=torch.float64, generator=generator)
    if samples == "classes":
        return x, torch.randint(out_dim, (n,), generator=generator)
    draw = torch.rand if samples == "shares" else torch.randn
    return x, draw(n, out_dim, dtype=torch.float64, generator=generator)


def draw_parameters(network, skip, generator):
    """Weights of a healthy size; learned scales and gate biases start where the config says."""
    values = {}
    for name, p in network.parameters.items():
        noise = torch.randn(p.shape, dtype=torch.float64, generator=generator)
        label, kind = name.rsplit(".", 1)
        if p.dim() == 2:
            values[name] = noise * 1.2 / math.sqrt(p.shape[1])
        elif label.endswith(".gate"):
            values[name] = torch.full_like(p, skip.get("gate_bias", -2)) + 0.1 * noise
        else:
            values[name] = 1 + 0.1 * noise if kind == "weight" else 0.3 * noise
    for e in network.entries:
        if e.op == "scale" and isinstance(e.keys["factor"], dict):
            values[f"{e.label}.weight"] = torch.tensor([float(e.keys["factor"]["learned"])], dtype=torch.float64)
    return values


def batches(n, batch_size):
    """Batches in order, for ever."""
    while True:
        for begin in range(0, n, batch_size):
            yield slice(begin, min(begin + batch_size, n))


def train(row, initial, x, wanted):
    """The network after its steps; losses and gradients of the first step."""
    _, config, settings, n, in_dim, out_dim = row
    network = Network(config, (in_dim,), out_dim)
    network.set_parameters(initial)
    trainer = Trainer(network, settings, wanted)
    losses, first = [], None
    for rows, _ in zip(batches(n, settings["batch_size"]), range(settings.get("steps", STEPS)), strict=False):
        loss, gradients = trainer.step(x[rows], wanted[rows])
        losses.append(loss)
        first = first or gradients
    return network, losses, first


def growth(row, initial, x, wanted, final, generator):
    """The greatest relative change of a final parameter when the initial ones change by 1e-12 of themselves."""
    moved = {
        name: value * (1 + PERTURBATION * torch.randn(value.shape, dtype=torch.float64, generator=generator))
        for name, value in initial.items()
    }
    twin, _, _ = train(row, moved, x, wanted)
    return max(distance(value, twin.parameters[name]) for name, value in final.items())


def build(row, seed):
    name, config, settings, n, in_dim, out_dim = row
    generator = torch.Generator().manual_seed(seed)
    samples = samples_of(row)
    x, wanted = draw_data(n, in_dim, out_dim, samples, generator)
    skip = config.get("skip", {})
    initial = draw_parameters(Network(config, (in_dim,), out_dim), skip if isinstance(skip, dict) else {}, generator)
    network, losses, gradients = train(row, initial, x, wanted)
    final = network.values()
    change = growth(row, initial, x, wanted, final, generator)
    assert change < GREATEST_CHANGE, f"{name} is chaotic: {change:.1e}"
    with torch.no_grad():
        evaluation = Loss(network, settings, wanted)(network.forward(x, is_training=False), wanted)
    if network.kink_margin < LEAST_MARGIN:
        return None
    targets = torch.eye(out_dim, dtype=torch.float64)[wanted] if samples == "classes" else wanted
    tensors = {"input": x, "targets": targets}
    for prefix, values in (
        ("initial", initial),
        ("gradient", gradients),
        ("final", final),
        ("state", network.states),
    ):
        tensors.update({f"{prefix}/{key}": value.contiguous() for key, value in values.items()})
    tensors["losses"] = torch.tensor(losses, dtype=torch.float64)
    tensors["evaluation"] = evaluation.reshape(1)
    print(
        f"{name:28} seed {seed:<3} lr {settings['lr']:<5g} loss {losses[0]:8.4f} -> {losses[-1]:8.4f}"
        f"  |gradient| {total_norm(gradients):8.3g}  1e-12 became {change:.1e}  kink margin {network.kink_margin:.1e}"
    )
    return tensors


def write(row):
    name, config, settings, *_ = row
    tensors = next(found for seed in range(1, 1000) if (found := build(row, seed)))
    FIXTURES.mkdir(exist_ok=True)
    save_file(tensors, FIXTURES / f"{name}.safetensors")
    document = {"name": name, "precision": "float64", "network": config, "train": settings}
    (FIXTURES / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")


def main():
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}")
    names = set(sys.argv[1:])
    unknown = names - {row[0] for row in NETWORKS}
    if unknown:
        sys.exit(f"no network is called {', '.join(sorted(unknown))}")
    for row in NETWORKS:
        if not names or row[0] in names:
            write(row)


if __name__ == "__main__":
    main()
