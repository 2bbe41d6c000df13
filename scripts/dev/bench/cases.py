"""The networks that the benchmarks measure: a case is what differs from DEFAULTS.  A network has a first layer, blocks
and an output layer, tanh before every layer but the first.
"""

Case = dict[str, object]

DEFAULTS: Case = {
    "blocks": 50,
    "width": 64,
    "batch": 128,
    "skip": "add",
    "growth": 12,
    "norm": "none",
    "learned": False,
    "precision": "float32",
    "inputs": 784,
    "classes": 10,
    "lr": 0.001,
}
FIRST = "50 of 64"
CASES: dict[str, Case] = {
    FIRST: {},
    "50 of 64, concat": {"skip": "concat"},
    "50 of 64, highway": {"skip": "highway"},
    "50 of 128": {"width": 128},
    "50 of 256": {"width": 256},
    "20 of 512": {"blocks": 20, "width": 512, "batch": 256},
    "50 of 32": {"width": 32, "batch": 64},
    "50 of 16": {"width": 16, "batch": 32},
    "50 of 64, layer_norm": {"norm": "layer"},
    "50 of 64, batch_norm": {"norm": "batch"},
    "50 of 64, learned scale": {"learned": True},
    "50 of 64, float64": {"precision": "float64"},
}
DEEP_CASES: dict[str, Case] = {"1000 of 64": {"blocks": 1000}, "5000 of 64": {"blocks": 5000}}
KNOWN = {name: {**DEFAULTS, **case} for name, case in {**CASES, **DEEP_CASES}.items()}


def config_of(case: Case) -> dict:
    """The config of skipnet for a case."""
    skip = {"kind": case["skip"]}
    if case["skip"] == "concat":
        skip["growth"] = case["growth"]
    if case["learned"]:
        skip["branch_scale"] = {"learned": 1}
    return {
        "precision": case["precision"],
        "data": {"kind": "gaussian", "in_dim": case["inputs"], "classes": case["classes"], "samples": 1024},
        "network": {
            "depth": case["blocks"] + 1,
            "width": case["width"],
            "activation": "tanh",
            "norm": case["norm"],
            "skip": skip,
        },
        "train": {"lr": case["lr"], "batch_size": case["batch"]},
    }
