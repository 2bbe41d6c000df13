"""A run's network in PyTorch gives the outputs that skipnet gives, for every op that has a counterpart.  Needs
PyTorch, and the program (SKIPNET)."""

import csv
import json
import os
import random
import struct
import subprocess

import pytest
import skipnet_view as sv

torch = pytest.importorskip("torch")
skipnet = os.environ.get("SKIPNET") or os.environ.get("SKIPNET_BIN")
pytestmark = pytest.mark.skipif(not skipnet, reason="SKIPNET names no program")
ACTIVATIONS = "identity relu leaky_relu elu selu tanh sigmoid erf gelu silu softplus".split()


def layers():
    found = [{"op": "linear", "label": "a.in", "units": 6}]
    found += [entry for op in ACTIVATIONS for entry in ({"op": op}, {"op": "linear", "units": 6, "bias": op != "relu"})]
    found += [
        {"op": "layer_norm", "label": "ln"},
        {"op": "rms_norm", "affine": False},
        {"op": "batch_norm", "label": "bn"},
    ]
    found += [{"op": "scale", "factor": 0.5}, {"op": "scale", "label": "s", "factor": {"learned": 0.7}}]
    found += [{"op": "dropout", "label": "drop", "rate": 0.3}]
    found += [{"op": "add", "label": "sum", "inputs": ["a.in", "drop"], "factors": [0.5, 2]}]
    found += [{"op": "linear", "label": "t", "units": 6}, {"op": "sigmoid", "label": "gate"}]
    found += [
        {"op": "gate", "label": "g", "inputs": ["gate", "sum", "bn"]},
        {"op": "concat", "inputs": ["g", "ln", "input"]},
    ]
    return [*found, {"op": "linear", "label": "output", "units": 2}]


@pytest.mark.parametrize("precision, bound", [("float32", 1e-6), ("float64", 1e-12)])
def test_outputs(tmp_path, monkeypatch, precision, bound):
    rng = random.Random(1)
    rows = [[rng.uniform(-1, 1) for _ in range(5)] for _ in range(40)]
    with open(tmp_path / "t.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["a", "b", "c", "y", "z"], *rows])
    data = {
        "kind": "csv",
        "path": "t.csv",
        "header": True,
        "target": ["y", "z"],
        "task": "regression",
        "scaling": "none",
    }
    train = {"loss": "mean_squared_error", "steps": 20, "batch_size": 8, "lr": 0.01}
    config = {"precision": precision, "data": data, "network": {"layers": layers()}, "train": train}
    (tmp_path / "c.json").write_text(json.dumps(config), encoding="utf-8")
    run = str(tmp_path / "run")
    subprocess.run([skipnet, "train", tmp_path / "c.json", "--out", run, "-q"], check=True)
    call = [skipnet, "eval", run, "--split", "train", "--predictions", tmp_path / "p.csv"]
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
    with open(tmp_path / "p.csv", newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    monkeypatch.setenv("SKIPNET", skipnet)
    model = sv.to_torch(run)
    inputs = [rows[int(row["row"]) - 2][:3] for row in table]
    dtype = torch.float32 if precision == "float32" else torch.float64
    with torch.no_grad():
        outputs = model(torch.tensor(inputs, dtype=dtype)).double()
    wanted = torch.tensor([[float(row["y0"]), float(row["y1"])] for row in table], dtype=torch.float64)
    assert len(table) > 20 and wanted.abs().max() > 0.01
    assert ((outputs - wanted).abs() / wanted.abs().clamp(min=1)).max() < bound
    assert not model.training and sum(p.numel() for p in model.parameters()) > 400


def test_no_program(monkeypatch, tmp_path):
    monkeypatch.setenv("SKIPNET", "/nowhere/skipnet")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(sv.Failure):
        sv.to_torch(str(tmp_path))


def image_layers():
    """Every op on images."""
    found = [{"op": "conv2d", "label": "stem", "channels": 4, "kernel": 3}, {"op": "batch_norm"}, {"op": "relu"}]
    found += [
        {"op": "conv2d", "label": "c", "channels": 4, "kernel": 3, "bias": False},
        {"op": "group_norm", "groups": 2},
    ]
    found += [{"op": "drop_path", "label": "branch", "rate": 0.2}, {"op": "add", "inputs": ["stem", "branch"]}]
    found += [{"op": "layer_norm"}, {"op": "rms_norm", "label": "wide"}, {"op": "max_pool", "kernel": 2, "stride": 2}]
    found += [{"op": "conv_transpose2d", "label": "up", "channels": 4}, {"op": "avg_pool", "kernel": 2}]
    found += [{"op": "upsample", "label": "big"}, {"op": "concat", "inputs": ["big", "wide"]}]
    found += [
        {"op": "linear", "units": 6},
        {"op": "tanh"},
        {"op": "subsample", "label": "small", "stride": 2, "channels": 9},
    ]
    found += [{"op": "global_avg_pool", "label": "mean"}, {"op": "flatten", "label": "flat", "inputs": ["small"]}]
    return [*found, {"op": "concat", "inputs": ["mean", "flat"]}, {"op": "linear", "label": "output", "units": 10}]


def write_idx(path, shape, values):
    path.write_bytes(struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape) + bytes(values))


@pytest.mark.parametrize("precision, bound", [("float32", 1e-6), ("float64", 1e-12)])
def test_images(tmp_path, monkeypatch, precision, bound):
    rng = random.Random(2)
    pixels = [rng.randrange(256) for _ in range(24 * 64)]
    for part in ("train", "t10k"):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte", (24, 8, 8), pixels)
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte", (24,), [i % 10 for i in range(24)])
    data = {"kind": "mnist", "path": str(tmp_path), "scaling": "unit"}
    config = {
        "precision": precision,
        "data": data,
        "network": {"layers": image_layers()},
        "train": {"steps": 5, "batch_size": 8},
    }
    (tmp_path / "c.json").write_text(json.dumps(config), encoding="utf-8")
    run = str(tmp_path / "run")
    subprocess.run([skipnet, "train", tmp_path / "c.json", "--out", run, "-q"], check=True)
    call = [skipnet, "eval", run, "--predictions", tmp_path / "p.csv"]
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
    with open(tmp_path / "p.csv", newline="", encoding="utf-8") as file:
        wanted = [[float(row[f"p{k}"]) for k in range(10)] for row in csv.DictReader(file)]
    monkeypatch.setenv("SKIPNET", skipnet)
    dtype = torch.float32 if precision == "float32" else torch.float64
    with torch.no_grad():
        outputs = sv.to_torch(run)(torch.tensor(pixels, dtype=dtype).reshape(24, 1, 8, 8) / 255)
    assert (outputs.softmax(1).double() - torch.tensor(wanted, dtype=torch.float64)).abs().max() < bound
    assert torch.tensor(wanted).std(0).max() > 1e-3
