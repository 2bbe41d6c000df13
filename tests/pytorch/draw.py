"""Random experiments for scripts/dev/fuzz_pytorch.py and scripts/dev/break: a config and its data, functions of a seed.

Explicit graphs with repeats, fan-out, long skips by add and concat, images that are made of the features, and networks
of the families, those of images on small images of their own.  Activations and
inits are the program's (see words.py); a kind of something else that is not drawn here fails by name.
"""

import csv
import json
import random
import struct

from words import claim, read_kinds

# Where the keys of activations are drawn from.
BOUNDS = {("leaky_relu", "slope"): (-0.5, 0.5), ("elu", "alpha"): (0.2, 2), ("softplus", "beta"): (0.5, 4)}
# By which nothing is learned or all units of a layer stay the same.
DULL_INITS = ("constant", "zeros", "identity")
INIT_KEYS = ("gain", "std", "mean", "low", "high", "sparsity")
# What is drawn of everything else, by the name of the choice or key.
DRAWN = {
    "op": (
        *("linear", "add", "concat", "scale", "layer_norm", "rms_norm", "batch_norm", "gate"),
        *("avg_pool", "max_pool", "global_avg_pool", "flatten", "subsample", "upsample", "conv2d", "conv_transpose2d"),
        "group_norm",
    ),
    "network_family": ("mlp", "resnet", "densenet"),
    "skip": ("none", "add", "concat", "highway"),
    "loss": ("softmax_cross_entropy", "mean_squared_error", "hinge", "binary_cross_entropy"),
    "optimizer": ("sgd", "adam", "adamw", "rmsprop", "lion"),
    "learning-rate_schedule": ("constant", "step", "milestones", "linear", "cosine"),
    "order": ("pre", "inside", "post"),
    "norm": ("none", "layer", "rms", "batch"),
    "zeros": ("around", "after"),
    "conv": ("auto", "direct"),
}
# The op that has such a key.
OPS_OF_WORDS = {"zeros": "subsample", "conv": "conv2d"}
FOR_TARGETS = ("mean_squared_error", "binary_cross_entropy")  # losses that take targets, too
LOSS_KEYS = ("label_smoothing", "class_weights", "p", "margin")
# Not drawn on purpose: masks that nobody else can draw.
LEFT_OUT = ("dropout", "drop_path")
MAX_WIDTH = 24  # of a concat
LEAST_NORM = 4  # features that a norm of rows has at least: over two a layer_norm only leaves signs
MAX_SIDE = 7  # of an image


def windows(n, keys, kernel=2):
    """How many windows stand along n positions; at most 0: none."""
    kernel = keys.get("kernel", kernel)
    return (n + 2 * keys.get("padding", 0) - kernel) // (keys.get("stride") or kernel) + 1


def groupings(channels):
    """Numbers of groups, of equal size and large enough for a norm where there is any."""
    return [k for k in range(1, channels + 1) if channels % k == 0 and channels >= k * LEAST_NORM] or [1]


# By op: a drawing of its keys for a number of channels, the sides of its output, its channels.
IMAGE_OPS = {
    "avg_pool": (
        lambda d, _: {**d.window(), **({"count_include_pad": False} if d.chance(0.4) else {})},
        lambda sides, keys: [windows(n, keys) for n in sides],
        None,
    ),
    "max_pool": (lambda d, _: d.window(), lambda sides, keys: [windows(n, keys) for n in sides], None),
    "subsample": (
        lambda d, channels: d.subsampling(channels),
        lambda sides, keys: [-(-n // keys.get("stride", 2)) for n in sides],
        "channels",
    ),
    "upsample": (
        lambda d, _: {"factor": d.rng.randint(2, 3)},
        lambda sides, keys: [n * keys["factor"] for n in sides],
        None,
    ),
    "conv2d": (
        lambda d, _: d.convolution(),
        lambda sides, keys: [windows(n, {**keys, "stride": keys.get("stride", 1)}) for n in sides],
        "channels",
    ),
    "conv_transpose2d": (
        lambda d, _: d.transposed(),
        lambda sides, keys: [
            (n - 1) * keys.get("stride", 2) + keys.get("kernel", 2) - 2 * keys.get("padding", 0) for n in sides
        ],
        "channels",
    ),
    "group_norm": (
        lambda d, channels: {"groups": d.rng.choice(groupings(channels)), "eps": d.rng.choice([1e-5, 0.1])},
        lambda sides, keys: sides,
        None,
    ),
}


class Drawing:
    """One experiment.  `kinds` are the program's, see kinds_of()."""

    def __init__(self, seed, kinds):
        self.rng = random.Random(seed)
        self.activations = kinds["activation"]
        self.inits = {init: keys for init, keys in kinds["init"].items() if init not in DULL_INITS}
        self.losses = kinds["loss"]
        self.in_dim = self.rng.randint(2, 8)
        self.out_dim = self.rng.randint(2, 5)
        self.is_classes = self.chance(0.6)
        self.uses_batch_norm = False
        self.image = None  # height and width of samples that are images
        network = self.network()
        self.draw_sizes()
        self.config = {
            "name": f"fuzz-{seed}",
            "seed": seed,
            "precision": "float32" if self.chance(0.25) else "float64",
            "data": self.data(),
            "network": network,
            "train": self.train(),
            "report": {"schedule": {"kind": "linear", "every": 1}, "save_initial": True},
        }
        if self.config["train"]["optimizer"]["kind"] == "lion" and self.uses_batch_norm:
            # The sign of a gradient that is nothing but rounding: that of a bias before a batch_norm.
            self.config["train"]["optimizer"]["kind"] = "sgd"
        self.rows = [self.row(i) for i in range(self.n)]

    def chance(self, p):
        return self.rng.random() < p

    def uniform(self, low, high):
        """A number with few digits, so that a saved config is readable."""
        return float(f"{self.rng.uniform(low, high):.3g}")

    def network(self):
        if self.chance(0.12):
            return self.image_family()
        return self.family() if self.chance(0.35) else self.graph()

    # ---- data and training

    def draw_sizes(self):
        """Batch normalization needs batches of some size, short last ones included."""
        least = 4 if self.uses_batch_norm else 1
        self.n = self.rng.randint(max(8, self.out_dim), 30)
        sizes = [b for b in range(max(2, least), self.n + 1) if self.n % b == 0 or self.n % b >= least]
        self.batch_size = self.rng.choice(sizes)

    def data(self):
        scaling = self.rng.choice(["standardize", "unit", "none"])
        if self.image:
            return {"kind": "mnist", "path": ".", "scaling": scaling}
        targets = ["y"] if self.is_classes else [f"y{j}" for j in range(self.out_dim)]
        return {
            "kind": "csv",
            "path": "data.csv",
            "target": targets,
            "task": "classes" if self.is_classes else "regression",
            "test_fraction": 0,
            "scaling": scaling,
        }

    def row(self, i):
        if self.image:
            return [self.rng.randrange(256) for _ in range(self.in_dim)], [i % self.out_dim]
        x = [self.rng.gauss(0, 1) for _ in range(self.in_dim)]
        if not self.is_classes:
            # Any targets but for the cross-entropy, which wants shares.
            is_share = self.config["train"]["loss"]["kind"] == "binary_cross_entropy"
            return x, [self.rng.random() if is_share else self.rng.gauss(0, 1) for _ in range(self.out_dim)]
        return x, [i if i < self.out_dim else self.rng.randrange(self.out_dim)]

    def loss(self):
        """Mostly the common one of such data; each key by chance."""
        common = "softmax_cross_entropy" if self.is_classes else "mean_squared_error"
        kind = self.rng.choice([common, common, *(DRAWN["loss"] if self.is_classes else FOR_TARGETS)])
        values = {
            "label_smoothing": self.uniform(0, 0.4),
            "class_weights": self.rng.choice(["balanced", [self.uniform(0.2, 3) for _ in range(self.out_dim)]]),
            "p": self.rng.choice([1, 2]),
            "margin": self.uniform(0.3, 2),
        }
        return {"kind": kind, **{key: values[key] for key in self.losses[kind] if self.chance(0.4)}}

    def optimizer(self):
        optimizer = {"kind": self.rng.choice(["sgd", "sgd", "sgd", *DRAWN["optimizer"]])}
        if optimizer["kind"] in ("sgd", "rmsprop") and self.chance(0.5):
            optimizer["momentum"] = self.uniform(0.1, 0.95)
        if optimizer["kind"] == "sgd" and "momentum" in optimizer:
            optimizer["nesterov"] = self.chance(0.5)
        if optimizer["kind"] in ("adam", "adamw"):
            optimizer["betas"] = [self.uniform(0, 0.95), self.uniform(0.5, 0.999)]
            optimizer["amsgrad"] = self.chance(0.3)
        if optimizer["kind"] in ("adam", "adamw", "rmsprop"):
            # Else they make whole steps of gradients that are nothing but rounding.
            optimizer["eps"] = self.uniform(0.001, 0.1)
        if optimizer["kind"] == "rmsprop":
            optimizer["centered"] = self.chance(0.3)
        if self.chance(0.4):
            optimizer["weight_decay"] = self.uniform(0.001, 0.3)
        if self.chance(0.2):
            optimizer["decays"] = "all"
        return optimizer

    def schedule(self):
        schedule = self.rng.choice(
            [
                {"kind": "constant"},
                {"kind": "constant"},
                {"kind": "step", "every": self.rng.randint(1, 4), "factor": self.uniform(0.1, 0.9)},
                {"kind": "milestones", "at": sorted(self.rng.sample(range(1, 8), 2)), "factor": self.uniform(0.1, 0.9)},
                {"kind": "linear", "final": self.uniform(0, 0.5)},
                {"kind": "cosine", "final": self.uniform(0, 0.5)},
            ]
        )
        return {**schedule, "warmup_steps": self.rng.choice([0, 0, 0, 3])}

    def train(self):
        return {
            "loss": self.loss(),
            "optimizer": self.optimizer(),
            "lr": float(f"{10 ** self.rng.uniform(-3, -1):.3g}"),
            "lr_schedule": self.schedule(),
            "batch_size": self.batch_size,
            "steps": self.rng.randint(3, 8),
            "shuffle": False,
            "clip_norm": self.uniform(0.1, 2) if self.chance(0.3) else None,
        }

    # ---- parts of networks

    def activation(self):
        op = self.rng.choice(list(self.activations))
        keys = {key: self.uniform(*BOUNDS[op, key]) for key in self.activations[op] if self.chance(0.7)}
        return op, keys

    def init(self):
        kind = self.rng.choice(list(self.inits))
        values = {"gain": self.uniform(0.7, 1.5), "std": self.uniform(0.2, 0.5), "mean": self.uniform(-0.1, 0.1)}
        values |= {"low": self.uniform(-0.7, -0.2), "high": self.uniform(0.2, 0.7), "sparsity": self.uniform(0.1, 0.6)}
        return {"kind": kind, **{key: values[key] for key in self.inits[kind]}}

    def bias_init(self):
        return self.rng.choice([None, {"kind": "normal", "std": 0.3}])

    def norm(self):
        norm = self.rng.choice(["none", *DRAWN["norm"]])
        self.uses_batch_norm |= norm == "batch"
        return norm

    # ---- the family

    def family(self):
        kind = self.rng.choice(DRAWN["skip"])
        op, keys = self.activation()
        return {
            "family": "mlp",
            "depth": self.rng.randint(1, 9),
            "width": self.rng.randint(4, 10),
            "activation": {"kind": op, **keys},
            "order": self.rng.choice(["pre", "inside"] if kind in ("concat", "highway") else ["pre", "inside", "post"]),
            "norm": self.norm(),
            "init": self.init(),
            "bias_init": self.bias_init(),
            "skip": self.skip(kind),
        }

    def image_family(self):
        """On images of one channel, ten classes."""
        self.image = (self.rng.randint(4, 7), self.rng.randint(4, 7))
        self.in_dim, self.out_dim, self.is_classes = self.image[0] * self.image[1], 10, True
        op, keys = self.activation()
        norm = self.rng.choice(["batch", "batch", *DRAWN["norm"]])
        self.uses_batch_norm |= norm == "batch"
        common = {"activation": {"kind": op, **keys}, "norm": norm, "init": self.init()}
        if self.chance(0.4):
            is_bottleneck = self.chance(0.5)
            family = {"depth": 10 if is_bottleneck else 7, "growth": self.rng.randint(LEAST_NORM, 6)}
            family |= {"bottleneck": is_bottleneck, "compression": self.rng.choice([1, 0.5])}
            return {"family": "densenet", **family, **common}
        is_bottleneck = self.chance(0.4)
        widths = [self.rng.randint(LEAST_NORM, 6), self.rng.randint(6, 9)]
        return {
            "family": "resnet",
            "depth": 8 if is_bottleneck else self.rng.choice([6, 10]),
            "block": "bottleneck" if is_bottleneck else "basic",
            "widths": widths,
            "shortcut": self.rng.choice("BC" if is_bottleneck else "ABC"),
            "order": self.rng.choice(["post", "pre"]),
            "skip": self.rng.choice(["none", "add", {"kind": "add", "branch_scale": {"learned": self.uniform(-1, 1)}}]),
            **common,
        }

    def skip(self, kind):
        skip = {"kind": kind}
        if kind != "none":
            skip["layers_per_block"] = self.rng.randint(1, 3)
        if kind == "add":
            scales = [1, "inverse_sqrt_blocks", "inverse_blocks", self.uniform(-1, 1)]
            scales += [{"learned": self.uniform(-1, 1)}, {"learned": 0}]
            skip["branch_scale"] = self.rng.choice(scales)
            skip["shortcut_scale"] = self.rng.choice([1, self.uniform(0.5, 1.2)])
        if kind == "concat":
            skip["growth"] = self.rng.randint(LEAST_NORM, 6)
        if kind == "highway":
            skip["gate_bias"] = self.uniform(-2, 1)
        return skip

    # ---- explicit graphs

    def graph(self):
        self.layers = []
        self.widths = {"input": self.in_dim}  # of all that may be read, in order
        self.sides = {"input": []}  # height and width; none of a vector
        self.unread = set()
        self.home = self.rng.randint(4, 8)  # the width that most layers have, so that they can be added
        self.put_linear("input", self.home)
        self.has_images = self.chance(0.5)
        if self.has_images:
            self.draw_image()
        for _ in range(self.rng.randint(2, 14)):
            getattr(self, f"draw_{self.rng.choice(self.moves())}")()
        self.finish()
        return {"layers": self.layers}

    def moves(self):
        moves = [*("linear", "activation", "add") * 2, "concat", "norm", "scale", "repeat", "gate"]
        return moves + ["image"] * 10 + ["vector"] if self.has_images else moves

    def last(self):
        return next(reversed(self.widths))

    def pick(self, allowed=None):
        """Mostly the entry before, else any earlier one: fan-out and long skips."""
        names = [name for name in self.widths if allowed is None or allowed(name)]
        if names and names[-1] == self.last() and self.chance(0.6):
            return names[-1]
        return self.rng.choice(names) if names else None

    def shape(self, name):
        return self.widths[name], self.sides[name]

    def like(self, name):
        """Whether another has the same positions."""
        return lambda other: self.sides[other] == self.sides[name]

    def put(self, op, inputs, width, sides=None, **keys):
        """An entry with the positions of its inputs, where no other are given."""
        label = f"{op}_{len(self.layers)}"
        self.layers.append({"op": op, "label": label, "inputs": inputs, **keys})
        self.read(inputs)
        self.offer(label, width, self.sides[inputs[0]] if sides is None else sides)
        return label

    def read(self, names):
        self.unread -= set(names)

    def offer(self, label, width, sides):
        self.widths[label] = width
        self.sides[label] = sides
        self.unread.add(label)

    def put_linear(self, source, units):
        keys = {"init": self.init(), "bias_init": self.bias_init()}
        if self.chance(0.2):
            keys["bias"] = False
        return self.put("linear", [source], units, units=units, **keys)

    def draw_linear(self):
        self.put_linear(self.pick(), self.home if self.chance(0.75) else self.rng.randint(3, 9))

    def draw_activation(self):
        op, keys = self.activation()
        source = self.pick()
        self.put(op, [source], self.widths[source], **keys)

    def draw_norm(self):
        op = "batch_norm" if self.chance(0.4) else self.rng.choice(["layer_norm", "rms_norm"])
        source = self.pick(None if op == "batch_norm" else lambda name: self.widths[name] >= LEAST_NORM)
        if source is None:
            return
        keys = {"affine": self.chance(0.8)}
        if self.chance(0.4):
            keys["eps"] = self.rng.choice([1e-5, 1e-3, 0.1])
        if op == "batch_norm":
            self.uses_batch_norm = True
            keys["momentum"] = self.uniform(0.05, 0.9)
        self.put(op, [source], self.widths[source], **keys)

    def draw_scale(self):
        source = self.pick()
        factor = self.uniform(-1.5, 1.5)
        self.put("scale", [source], self.widths[source], factor={"learned": factor} if self.chance(0.5) else factor)

    def draw_add(self):
        first = self.pick()
        width = self.widths[first]
        equal = [name for name in self.widths if self.shape(name) == self.shape(first)]
        inputs = [first] + [self.rng.choice(equal) for _ in range(self.rng.randint(1, 3))]
        self.rng.shuffle(inputs)
        keys = {"factors": [self.uniform(-1, 1) for _ in inputs]} if self.chance(0.6) else {}
        self.put("add", inputs, width, **keys)

    def draw_concat(self):
        first = self.pick()
        others = [name for name in self.widths if self.sides[name] == self.sides[first]]
        inputs = [first] + [self.rng.choice(others) for _ in range(self.rng.randint(1, 3))]
        self.rng.shuffle(inputs)
        width = sum(self.widths[name] for name in inputs)
        if width <= MAX_WIDTH:
            self.put("concat", inputs, width)

    def draw_gate(self):
        first = self.pick()
        width = self.widths[first]
        equal = [name for name in self.widths if self.shape(name) == self.shape(first)]
        gate = self.put_linear(self.pick(self.like(first)), width)
        self.put("gate", [gate, self.rng.choice(equal), first], width)

    def draw_repeat(self):
        """Copies of a small residual block; the entry that ends a copy has the home width."""
        source, n = self.last(), self.rng.randint(2, 4)
        number = len(self.layers)
        if self.widths[source] != self.home:
            source = self.put_linear(source, self.home)
            number += 1
        op, keys = self.activation()
        names = {part: f"{part}_{number}" for part in ("start", "weight", "act", "join")}
        entries = [
            {"op": "identity", "label": names["start"]},
            {"op": "linear", "label": names["weight"], "units": self.home, "init": self.init()},
            {"op": op, "label": names["act"], **keys},
            {"op": "add", "label": names["join"], "inputs": [names["start"], names["act"]], "factors": [1, 0.5]},
        ]
        if self.chance(0.4):
            n, entries = 2, [{"repeat": 2, "layers": entries}]
            copies = ["1.1", "1.2", "2.1", "2.2"]
        else:
            copies = [str(i) for i in range(1, n + 1)]
        self.layers.append({"repeat": n, "layers": entries})
        self.read([source])
        for copy in copies:
            for part in ("weight", "act", "join"):
                self.widths[f"{names[part]}.{copy}"] = self.home
                self.sides[f"{names[part]}.{copy}"] = self.sides[source]
        self.unread.add(self.last())

    def window(self):
        """Keys of a pooling op."""
        kernel = self.rng.randint(1, 3)
        keys = {"kernel": kernel, "padding": self.rng.randint(0, kernel // 2)}
        if self.chance(0.7):
            keys["stride"] = self.rng.randint(1, 3)
        return keys

    def kernels(self, **keys):
        """Keys of a convolution."""
        keys |= {"channels": self.rng.randint(2, 7), "init": self.init(), "bias_init": self.bias_init()}
        if self.chance(0.2):
            keys["bias"] = False
        if self.chance(0.3):
            keys["conv"] = self.rng.choice(DRAWN["conv"])
        return keys

    def convolution(self):
        kernel = self.rng.choice([1, 2, 3, 3, 5])
        keys = {"kernel": kernel, "padding": self.rng.randint(0, kernel // 2)}
        if self.chance(0.4):
            keys["stride"] = self.rng.randint(1, 3)
        return self.kernels(**keys)

    def transposed(self):
        if self.chance(0.5):
            return self.kernels()
        kernel = self.rng.randint(1, 4)
        return self.kernels(
            kernel=kernel, stride=self.rng.randint(1, kernel), padding=self.rng.randint(0, (kernel - 1) // 2)
        )

    def subsampling(self, channels):
        keys = {"zeros": self.rng.choice(DRAWN["zeros"])} if self.chance(0.5) else {}
        if self.chance(0.7):
            keys["channels"] = channels + self.rng.randint(0, 4)
        if self.chance(0.5):
            keys["stride"] = self.rng.randint(1, 3)
        return keys

    def draw_image(self):
        """Mostly of an image; of a vector one is made, as long as there is none."""
        is_image = lambda name: bool(self.sides[name])  # noqa: E731
        source = self.pick(is_image if any(self.sides.values()) else None)
        op = self.rng.choice(list(IMAGE_OPS)) if self.sides[source] else "upsample"
        draw_keys, sides_of, channels = IMAGE_OPS[op]
        keys = draw_keys(self, self.widths[source])
        sides = sides_of(self.sides[source] or [1, 1], keys)
        width = keys.get(channels, self.widths[source])
        is_narrow = op == "group_norm" and width < LEAST_NORM
        if min(sides) > 0 and max(sides) <= MAX_SIDE and width <= MAX_WIDTH and not is_narrow:
            self.put(op, [source], width, sides, **keys)

    def draw_vector(self):
        self.put_vector(self.pick())

    def put_vector(self, source):
        """All of an image or the means of its channels."""
        height, width = self.sides[source] or [1, 1]
        size = height * width * self.widths[source]
        if size <= MAX_WIDTH and self.chance(0.5):
            return self.put("flatten", [source], size, [])
        return self.put("global_avg_pool", [source], self.widths[source], [])

    def finish(self):
        """Everything that nothing reads goes into the output layer, as vectors."""
        for name in [name for name in self.widths if name in self.unread and self.sides[name]]:
            self.put_vector(name)
        rest = [name for name in self.widths if name in self.unread]
        source = rest[0]
        if len(rest) > 1:
            source = self.put("concat", rest, sum(self.widths[name] for name in rest))
        self.put_linear(source, self.out_dim)


def check(kinds):
    """Raises UnknownWord where the program has something that would never be drawn."""
    for activation, keys in kinds["activation"].items():
        known = [key for name, key in BOUNDS if name == activation]
        claim("draw.py", f"activation {activation} with the key", keys, known)
    for init in set(kinds["init"]) - set(DULL_INITS):
        claim("draw.py", f"init {init} with the key", kinds["init"][init], INIT_KEYS)
    for loss, keys in kinds["loss"].items():
        claim("draw.py", f"loss {loss} with the key", keys, LOSS_KEYS)
    for choice, drawn in DRAWN.items():
        op = OPS_OF_WORDS.get(choice)
        words = kinds["op"][op] if op else kinds["network_family"]["mlp"]
        names = kinds[choice] if choice in kinds else words[choice]["enum"]
        others = (*kinds["activation"], *LEFT_OUT) if choice == "op" else ()
        claim("draw.py", choice, names, (*drawn, *others))


def kinds_of(skipnet):
    """What to draw from: the program's kinds, all of which are known here."""
    kinds = read_kinds(skipnet)
    check(kinds)
    return kinds


def write_experiment(directory, drawing):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(drawing.config, indent=1) + "\n")
    if drawing.image:
        write_images(directory, drawing)
        return
    with open(directory / "data.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([f"x{j}" for j in range(drawing.in_dim)] + drawing.config["data"]["target"])
        for x, y in drawing.rows:
            writer.writerow([repr(v) for v in x + y])


def write_images(directory, drawing):
    """As MNIST has them, a few of them as test images too."""
    for name, rows in (("train", drawing.rows), ("t10k", drawing.rows[:3])):
        sizes = struct.pack(">4I", 0x0803, len(rows), *drawing.image)
        (directory / f"{name}-images-idx3-ubyte").write_bytes(sizes + b"".join(bytes(x) for x, _ in rows))
        labels = struct.pack(">2I", 0x0801, len(rows)) + bytes(y for _, (y,) in rows)
        (directory / f"{name}-labels-idx1-ubyte").write_bytes(labels)
