"""A run's network in PyTorch: what `skipnet check --expand` says of it, with the run's weights."""

import json
import os
import shutil
import struct
import subprocess

from .failure import Failure

DTYPES = {"F32": "float32", "F64": "float64", "I64": "int64"}
SOFTPLUS_THRESHOLD = 500.0  # above it PyTorch's own is x, by default from 20 on: off by 2e-9 there


def find_program():
    """$SKIPNET, else the program of this tree or prefix, else that of PATH."""
    here = os.path.dirname(os.path.realpath(__file__))
    places = [os.environ.get("SKIPNET"), f"{here}/../../build/release/skipnet", f"{here}/../../../bin/skipnet"]
    for place in [*places, "skipnet"]:
        if place and shutil.which(place):
            return shutil.which(place)
    raise Failure(4, "cannot find the program skipnet: build it (scripts/demo.sh does), or set SKIPNET to it")


def expand(path):
    """The entries of a run's network: {label, op, inputs, keys of the op ...}."""
    command = [find_program(), "check", os.path.join(path, "config.json"), "--expand"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Failure(2, done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"{command[0]} check failed")
    return json.loads(done.stdout)["network"]["layers"]


def read_tensors(path):
    """{name: tensor} of a safetensors file, without the package of that name."""
    import torch

    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise Failure(4, f"cannot read {path}: {error.strerror}") from None
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        flat = torch.frombuffer(bytearray(content[begin:end]), dtype=getattr(torch, DTYPES[entry["dtype"]]))
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


def functions(torch):
    """{op: function of (entry, inputs, its tensors, whether it trains)}."""
    f = torch.nn.functional

    def batch_norm(e, x, t, training):
        running = (t["running_mean"], t["running_var"])
        return f.batch_norm(x[0], *running, t.get("weight"), t.get("bias"), training, e["momentum"], e["eps"])

    def add(e, x, _t, _training):
        return sum(factor * part for factor, part in zip(e.get("factors") or [1] * len(x), x))

    simple = {
        "identity": lambda x, e: x,
        "relu": lambda x, e: f.relu(x),
        "tanh": lambda x, e: torch.tanh(x),
        "sigmoid": lambda x, e: torch.sigmoid(x),
        "erf": lambda x, e: torch.erf(x),
        "gelu": lambda x, e: f.gelu(x),
        "selu": lambda x, e: f.selu(x),
        "silu": lambda x, e: f.silu(x),
        "leaky_relu": lambda x, e: f.leaky_relu(x, e["slope"]),
        "elu": lambda x, e: f.elu(x, e["alpha"]),
        "softplus": lambda x, e: f.softplus(x, e["beta"], SOFTPLUS_THRESHOLD),
    }
    found = {op: (lambda e, x, t, training, g=g: g(x[0], e)) for op, g in simple.items()}
    return found | {
        "linear": lambda e, x, t, training: f.linear(x[0], t["weight"], t.get("bias")),
        "add": add,
        "concat": lambda e, x, t, training: torch.cat(x, 1),
        "scale": lambda e, x, t, training: x[0] * t.get("weight", e["factor"]),
        "gate": lambda e, x, t, training: x[0] * x[1] + (1 - x[0]) * x[2],
        "layer_norm": lambda e, x, t, training: f.layer_norm(
            x[0], x[0].shape[1:], t.get("weight"), t.get("bias"), e["eps"]
        ),
        "rms_norm": lambda e, x, t, training: f.rms_norm(x[0], x[0].shape[1:], t.get("weight"), e["eps"]),
        "batch_norm": batch_norm,
        "dropout": lambda e, x, t, training: f.dropout(x[0], e["rate"], training),
    }


def to_torch(run, weights="final.safetensors"):
    """The network of a run (as sv.load has it, or its path) as a torch.nn.Module with the run's weights, on inputs as
    the data source scales them; in evaluation mode."""
    import torch

    path = os.fspath(getattr(run, "path", run))
    entries, tensors, apply = expand(path), read_tensors(os.path.join(path, weights)), functions(torch)
    unknown = sorted({entry["op"] for entry in entries} - set(apply))
    if unknown:
        raise Failure(2, f"{path}/config.json: no counterpart in PyTorch is known here for {', '.join(unknown)}")

    class Network(torch.nn.Module):
        """Tensors are called as in the file, with "/" for "." before the last part."""

        def __init__(self):
            super().__init__()
            self.parts = torch.nn.ModuleDict({entry["label"].replace(".", "/"): torch.nn.Module() for entry in entries})
            for name, tensor in tensors.items():
                label, _, part = name.rpartition(".")
                owner = self.parts[label.replace(".", "/")]
                if part.startswith("running_"):
                    owner.register_buffer(part, tensor)
                else:
                    owner.register_parameter(part, torch.nn.Parameter(tensor))

        def forward(self, x):
            signals = {"input": x}
            for entry in entries:
                owner = self.parts[entry["label"].replace(".", "/")]
                own = dict(owner.named_parameters()) | dict(owner.named_buffers())
                inputs = [signals[name] for name in entry["inputs"]]
                signals[entry["label"]] = apply[entry["op"]](entry, inputs, own, self.training)
            return signals[entries[-1]["label"]]

    return Network().eval()
