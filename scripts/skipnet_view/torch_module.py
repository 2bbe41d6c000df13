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


def image(x):
    """A vector counts as an image of one position."""
    return x if x.dim() == 4 else x[:, :, None, None]


def on_image(function, x):
    """What a function makes of images; a vector that keeps its one position stays a vector."""
    y = function(image(x))
    return y.flatten(1) if x.dim() == 2 and y.shape[2:] == (1, 1) else y


def by_rows(function, x):
    """What a function of rows makes of vectors, or of the channels at every position of images."""
    return function(x) if x.dim() == 2 else function(x.movedim(1, 3)).movedim(3, 1)


def window(e):
    return e["kernel"], e.get("stride") or e["kernel"], e.get("padding") or 0


def subsample(f, e, x):
    zeros = (e.get("channels") or x.shape[1]) - x.shape[1]
    before = zeros // 2 if e.get("zeros", "around") == "around" else 0
    pads, stride = (0, 0, 0, 0, before, zeros - before), e["stride"]
    return on_image(lambda x: f.pad(x[:, :, ::stride, ::stride], pads), x)


def conv_padding(e):
    return (e["kernel"] - 1) // 2 if e.get("padding") is None else e["padding"]


def activations(torch):
    """{op: function of (x, entry)}."""
    f = torch.nn.functional
    plain = {op: getattr(f, op) for op in ("relu", "gelu", "selu", "silu")}
    plain |= {op: getattr(torch, op) for op in ("tanh", "sigmoid", "erf")}
    return {op: (lambda x, e, g=g: g(x)) for op, g in plain.items()} | {
        "identity": lambda x, e: x,
        "leaky_relu": lambda x, e: f.leaky_relu(x, e["slope"]),
        "elu": lambda x, e: f.elu(x, e["alpha"]),
        "softplus": lambda x, e: f.softplus(x, e["beta"], SOFTPLUS_THRESHOLD),
        "global_avg_pool": lambda x, e: image(x).mean((2, 3)),
        "flatten": lambda x, e: x.flatten(1),
        "max_pool": lambda x, e: on_image(lambda x: f.max_pool2d(x, *window(e)), x),
        "avg_pool": lambda x, e: on_image(lambda x: f.avg_pool2d(x, *window(e), False, e["count_include_pad"]), x),
        "upsample": lambda x, e: on_image(lambda x: f.interpolate(x, scale_factor=e["factor"]), x),
        "subsample": lambda x, e: subsample(f, e, x),
    }


def functions(torch):
    """{op: function of (x, entry, its tensors, whether it trains)}, x being all inputs."""
    f = torch.nn.functional

    def drop_path(x, e, training):
        """Whole samples, or the whole batch; what stays grows."""
        if not training:
            return x
        shape = [1 if e.get("per") == "batch" else len(x), *[1] * (x.dim() - 1)]
        return x * (torch.rand(shape) >= e["rate"]).to(x.dtype) / (1 - e["rate"])

    def batch_norm(x, e, t, training):
        running = t["running_mean"], t["running_var"]
        return f.batch_norm(x, *running, t.get("weight"), t.get("bias"), training, e["momentum"], e["eps"])

    def norm(g, x, e, *tensors):
        return by_rows(lambda x: g(x, x.shape[-1:], *tensors, e["eps"]), x)

    simple = {op: (lambda x, e, t, training, g=g: g(x[0], e)) for op, g in activations(torch).items()}
    return simple | {
        "linear": lambda x, e, t, _: by_rows(lambda x: f.linear(x, t["weight"], t.get("bias")), x[0]),
        "conv2d": lambda x, e, t, _: f.conv2d(image(x[0]), t["weight"], t.get("bias"), e["stride"], conv_padding(e)),
        "conv_transpose2d": lambda x, e, t, _: f.conv_transpose2d(
            image(x[0]), t["weight"], t.get("bias"), e["stride"], e.get("padding") or 0
        ),
        "add": lambda x, e, t, _: sum(k * part for k, part in zip(e.get("factors") or [1] * len(x), x)),
        "concat": lambda x, e, t, _: torch.cat(x, 1),
        "scale": lambda x, e, t, _: x[0] * t.get("weight", e["factor"]),
        "gate": lambda x, e, t, _: x[0] * x[1] + (1 - x[0]) * x[2],
        "layer_norm": lambda x, e, t, _: norm(f.layer_norm, x[0], e, t.get("weight"), t.get("bias")),
        "rms_norm": lambda x, e, t, _: norm(f.rms_norm, x[0], e, t.get("weight")),
        "group_norm": lambda x, e, t, _: f.group_norm(x[0], e["groups"], t.get("weight"), t.get("bias"), e["eps"]),
        "batch_norm": lambda x, e, t, training: batch_norm(x[0], e, t, training),
        "dropout": lambda x, e, t, training: f.dropout(x[0], e["rate"], training),
        "drop_path": lambda x, e, t, training: drop_path(x[0], e, training),
    }


def to_torch(run, weights="final.safetensors"):
    """The network of a run (as sv.load has it, or its path) as a torch.nn.Module with the run's weights, on inputs as
    the data source scales them; in evaluation mode."""
    import torch

    path = os.fspath(getattr(run, "path", run))
    entries, tensors, apply = (expand(path), read_tensors(os.path.join(path, weights)), functions(torch))
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
                signals[entry["label"]] = apply[entry["op"]](inputs, entry, own, self.training)
            return signals[entries[-1]["label"]]

    return Network().eval()
