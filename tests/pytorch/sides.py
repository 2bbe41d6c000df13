"""Both sides of the differential fuzzer: an experiment run by skipnet's command line and by PyTorch.

Each gives a dictionary of quantities, with the names of skipnet's columns: "batch_loss STEP", "grad_norm STEP LABEL",
"final TENSOR" and the like.
"""

import csv
import subprocess

import torch
from interpreter import Network, Trainer, norm_of, rates, total_norm
from safetensors.torch import load_file

DIVERGED = 3  # exit status of skipnet


# ---- skipnet's side


def read_csv(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def run_skipnet(skipnet, directory, threads):
    """{quantity: value}, initial weights; the quantities are None where the run diverged."""
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


def scale_pixels(x, scaling):
    """Of images: over all pixels, unit from 0 to 255."""
    if scaling == "unit":
        return x / 255
    return x if scaling == "none" else (x - x.mean()) / x.std(correction=0)


def data_of(drawing):
    x = torch.tensor([x for x, _ in drawing.rows], dtype=torch.float64)
    y = torch.tensor([y for _, y in drawing.rows], dtype=torch.int64 if drawing.is_classes else torch.float64)
    scaling = drawing.config["data"]["scaling"]
    if drawing.image:
        return scale_pixels(x, scaling).reshape(-1, 1, *drawing.image), y[:, 0]
    return scale(x, scaling), y[:, 0] if drawing.is_classes else y


def gradient_quantities(step, loss, gradients, network):
    quantities = {f"batch_loss {step}": loss, f"grad_norm {step}": total_norm(gradients)}
    for name, gradient in gradients.items():
        label, kind = name.rsplit(".", 1)
        column = "grad_norm" if kind == "weight" else "bias_grad_norm"
        quantities[f"{column} {step} {label}"] = norm_of(gradient)
    return quantities


def run_pytorch(drawing, initial, noise=None):
    """The same quantities, and the network for its margin to kinks; `noise` as the network's own."""
    train, (x, y) = drawing.config["train"], data_of(drawing)
    shape = (1, *drawing.image) if drawing.image else (drawing.in_dim,)
    network = Network(drawing.config["network"], shape, drawing.out_dim)
    network.set_parameters(initial)
    network.noise = noise
    trainer, schedule = Trainer(network, train, y), rates(train)
    quantities = {}

    def evaluate(step):
        with torch.no_grad():
            outputs = network.forward(x, is_training=False)
            quantities[f"train_loss {step}"] = trainer.loss(outputs, y).item()

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
    generator = torch.Generator().manual_seed(seed)

    def noise(shape):
        return 1 + fraction * torch.randn(shape, dtype=torch.float64, generator=generator)

    return run_pytorch(drawing, {name: v.double() * noise(v.shape) for name, v in initial.items()}, noise)[0]
