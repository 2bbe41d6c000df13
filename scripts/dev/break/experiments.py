"""Random experiments that are valid: those of tests/pytorch/draw.py, and what only a run of the program alone can have.

Sources of all kinds, dropout, dull inits, shuffling, schedules of rows and checkpoints; and of every object the keys
that nothing has set, drawn by the schema, so that a new key is tried on the day it is there.
"""

import gzip
import json
import pathlib
import random
import struct

from draw import DULL_INITS, Drawing, write_experiment
from run import Program
from words import UnknownWord

# Keys that mean something outside of their object, or that are set here.
NOT_BY_SCHEMA = (
    *("comment", "path", "test_path", "target", "task", "header", "delimiter", "test_fraction"),
    *("weights", "layers", "inputs", "label", "factors", "epochs", "steps", "batch_size"),
    *("in_dim", "out_dim", "classes", "arms", "samples", "test_samples", "train_limit", "test_limit"),
    *("kernel", "stride", "padding", "channels", "groups", "factor", "widths", "drop_path", "augment"),
)
MOST = 1000000.0  # of what has no upper bound
GENERATED = {True: ("csv", "gaussian", "spirals", "images"), False: ("csv", "teacher")}
IMAGE_KINDS = ("mnist", "fashion-mnist")
OF_IMAGES = ("mnist", "textures", "cifar-10", "cifar-100")  # what networks of images are drawn for


def check_sources(kinds: dict) -> None:
    """Raises UnknownWord where the program has a source of data that is not drawn."""
    known = {*GENERATED[True], *GENERATED[False], *IMAGE_KINDS, *OF_IMAGES}
    unknown = [kind for kind in kinds["data_source"] if kind not in known]
    if unknown:
        raise UnknownWord(f"scripts/dev/break/experiments.py does not draw data {', '.join(unknown)}: add it there")


def draw_experiment(program: Program, rng: random.Random, directory: pathlib.Path) -> dict:
    """Writes config.json and the data into the directory."""
    kinds = program.kinds
    drawing = Drawing(rng.randrange(1 << 30), kinds)
    config = drawing.config
    draw_data(drawing, rng, directory)
    draw_network(config["network"], kinds, rng)
    draw_training(config, kinds, rng)
    add_keys(config["data"], kinds["data_source"][config["data"]["kind"]], rng)
    if "family" in config["network"]:
        add_keys(config["network"], kinds["network_family"][config["network"]["family"]], rng)
    for entry in config["network"].get("layers", []):
        add_keys(entry, kinds["op"].get(entry.get("op"), {}), rng)
    for part in ("train", "report"):
        add_keys(config[part], program.schema["$defs"][part]["properties"], rng)
    write_config(directory, config)
    return config


def write_config(directory: pathlib.Path, config: dict) -> None:
    (directory / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def replace_data(config: dict, data: dict) -> None:
    kept = {key: config["data"][key] for key in ("scaling",)}
    config["data"] = {**kept, **data}


def draw_data(drawing: Drawing, rng: random.Random, directory: pathlib.Path) -> None:
    """Whatever gives the features and outputs that an explicit graph was drawn for; a family takes any."""
    if drawing.image:
        draw_image_data(drawing, rng, directory)
        return
    config, is_family = drawing.config, "family" in drawing.config["network"]
    kind = rng.choice(GENERATED[drawing.is_classes])
    sizes = {"samples": drawing.n, "test_samples": rng.randint(0, 30)}
    if kind == "images" and is_family:
        write_images(directory, drawing.n, rng)
        replace_data(config, {"kind": rng.choice(IMAGE_KINDS), "path": ".", "train_limit": rng.choice([None, 8])})
    elif kind == "spirals" and (is_family or drawing.in_dim == 2):
        replace_data(config, {"kind": kind, "arms": drawing.out_dim, **sizes})
    elif kind == "gaussian":
        replace_data(config, {"kind": kind, "in_dim": drawing.in_dim, "classes": drawing.out_dim, **sizes})
    elif kind == "teacher":
        replace_data(config, {"kind": kind, "in_dim": drawing.in_dim, "out_dim": drawing.out_dim, **sizes})
    else:
        config["data"]["test_fraction"] = rng.choice([0, 0.2, 0.5])
        write_experiment(directory, drawing)
        split_csv(config["data"], rng, directory / "data.csv")
    config["train"]["batch_size"] = min(config["train"]["batch_size"], drawing.n // 2)


def draw_image_data(drawing: Drawing, rng: random.Random, directory: pathlib.Path) -> None:
    kind, (height, width) = rng.choice(OF_IMAGES), drawing.image
    if kind == "mnist":
        write_experiment(directory, drawing)
    elif kind == "textures":
        sizes = {"height": height, "width": width, "channels": rng.randint(1, 3), "samples": drawing.n}
        replace_data(drawing.config, {"kind": kind, "classes": drawing.out_dim, "test_samples": 9, **sizes})
    else:
        write_photographs(directory, kind, drawing.n, rng)
        replace_data(drawing.config, {"kind": kind, "path": "."})
    batch = drawing.config["train"]["batch_size"]
    drawing.config["train"]["batch_size"] = min(batch, drawing.n // 2)


def write_photographs(directory: pathlib.Path, kind: str, n: int, rng: random.Random) -> None:
    """The files of CIFAR-10 or CIFAR-100, of few records: one label or two, and 3 x 32 x 32 bytes."""
    labels = 1 if kind == "cifar-10" else 2
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"] if labels == 1 else ["train", "test"]
    for name in names:
        records = (bytes([i % 10] * labels) + rng.randbytes(3072) for i in range(n // 5 + 1 if labels == 1 else n))
        (directory / f"{name}.bin").write_bytes(b"".join(records))


def split_csv(data: dict, rng: random.Random, path: pathlib.Path) -> None:
    """Another delimiter, line ends of Windows, the same rows for testing, no header."""
    lines = path.read_text().split("\n")
    if rng.random() < 0.2:
        n_targets = len(data["target"])
        lines, data["header"], data["target"] = lines[1:], False, list(range(-n_targets, 0))
    delimiter, end = rng.choice([",", ";", "\t"]), rng.choice(["\n", "\r\n"])
    path.write_text(end.join(lines).replace(",", delimiter))
    data["delimiter"] = delimiter
    if rng.random() < 0.3:
        data["test_path"] = path.name


def write_images(directory: pathlib.Path, n: int, rng: random.Random) -> None:
    """The four files of MNIST, with images of 28 x 28 pixels."""
    for part in ("train", "t10k"):
        images = struct.pack(">4I", 0x803, n, 28, 28) + rng.randbytes(n * 28 * 28)
        labels = struct.pack(">2I", 0x801, n) + bytes(i % 10 for i in range(n))
        for name, content in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
            if rng.random() < 0.5:
                (directory / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
            else:
                (directory / name).write_bytes(content)


def draw_network(network: dict, kinds: dict, rng: random.Random) -> None:
    if "family" in network:
        network["output_init"] = rng.choice([None, dull_init(kinds, rng)])
        return
    last = network["layers"][-1]
    if rng.random() < 0.3:
        drop = {"op": "dropout", "label": "drop", "inputs": last["inputs"], "rate": round(rng.uniform(0.05, 0.6), 2)}
        network["layers"].insert(-1, drop)
        last["inputs"] = ["drop"]
    if rng.random() < 0.2:
        last["init"] = dull_init(kinds, rng)


def dull_init(kinds: dict, rng: random.Random) -> dict:
    kind = rng.choice(DULL_INITS)
    return {"kind": kind, **({"value": round(rng.uniform(-1, 1), 2)} if "value" in kinds["init"][kind] else {})}


def draw_training(config: dict, kinds: dict, rng: random.Random) -> None:
    train, report = config["train"], config["report"]
    train["shuffle"] = rng.random() < 0.7
    train["steps"] = rng.randint(2, 24)
    if rng.random() < 0.5:
        train["checkpoint"] = {"every_steps": rng.choice([1, 2, 7])}
    kind = rng.choice(list(kinds["report_schedule"]))
    report["schedule"] = add_keys({"kind": kind}, kinds["report_schedule"][kind], rng, 0.7)
    report["train_eval"] = rng.choice([0, 5, 10000])
    report["save_initial"] = rng.random() < 0.3


def add_keys(target: dict, keys: dict, rng: random.Random, share: float = 0.3) -> dict:
    """Some of the keys that are not set, by their schema; returns the object."""
    for key, schema in keys.items():
        if key in target or key in NOT_BY_SCHEMA or rng.random() > share:
            continue
        value = draw_value(schema, rng)
        if value is not None:
            target[key] = value
    return target


def draw_value(schema: dict, rng: random.Random):
    """A modest value; None where the schema does not say enough."""
    default = schema.get("default")
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if schema.get("type") == "boolean":
        return rng.random() < 0.5
    if schema.get("type") == "integer":
        low = max(schema.get("minimum", 0), 0)
        return rng.randint(low, max(low, 2 * min(default or 4, 20)))
    if schema.get("type") == "number" and default is not None:
        high = min(schema.get("maximum", MOST), schema.get("exclusiveMaximum", MOST), max(2 * default, 0.5))
        return float(f"{rng.uniform(max(schema.get('minimum', 0), default / 2), high * 0.99):.3g}")
    return None
