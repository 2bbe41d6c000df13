"""A run's network in PyTorch gives the outputs that skipnet gives, for every op that has a counterpart.  Needs
PyTorch, and the program (SKIPNET)."""

import csv
import json
import os
import random
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
