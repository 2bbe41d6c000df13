"""The network of a config as a flat list of entries, each with a label, an op, inputs and the op's keys.

Written from the words of the documentation, not from the C code: it is the second opinion on what a config means.
Families become the layer list that they stand for; repeats are unrolled.
"""

import math
from typing import NamedTuple

from words import claim


class Entry(NamedTuple):
    label: str
    op: str
    inputs: list  # labels of earlier entries, or "input"
    keys: dict  # the op's own keys, as given


def check(kinds):
    """Raises UnknownWord where the program has a network that would be read wrongly."""
    claim("layers.py", "network family", kinds["network_family"], FAMILIES)
    claim("layers.py", "order", kinds["network_family"]["mlp"]["order"]["enum"], ("pre", "inside", "post"))
    norms = kinds["network_family"]["mlp"]["norm"]["enum"]
    claim("layers.py", "norm", norms, [norm for norm in norms if norm == "none" or f"{norm}_norm" in kinds["op"]])
    skips = [kind for kind in kinds["skip"] if kind == "none" or hasattr(Family, f"join_{kind}")]
    claim("layers.py", "skip", kinds["skip"], skips)


def kind_of(value, discriminator="kind"):
    """A bare string stands for {"kind": string}."""
    return {discriminator: value} if isinstance(value, str) else value


def flatten(network, out_dim):
    """All entries in order; the last one feeds the loss."""
    if "layers" in network:
        layers = network["layers"]
    else:
        layers = FAMILIES[network.get("family", "mlp")](network, out_dim).layers
    flat = []
    _add_list(flat, layers, [])
    return flat


def _add_list(flat, layers, copies):
    for entry in layers:
        if "repeat" in entry:
            for i in range(1, entry["repeat"] + 1):
                _add_list(flat, entry["layers"], copies + [i])
        else:
            _add_entry(flat, entry, copies)


def _scoped(label, copies):
    return ".".join([label] + [str(i) for i in copies])


def _add_entry(flat, entry, copies):
    labels = {e.label for e in flat}
    op = entry["op"]
    if "label" in entry:
        label = _scoped(entry["label"], copies)
    else:
        # The op's name and a number.  Entries without a label are never referred to here, so it need only be unique
        # for entries with parameters: those are labelled in all networks that are compared.
        label = f"{op}{sum(e.op == op for e in flat) + 1}"
    assert label not in labels and label != "input", label
    if "inputs" in entry:
        inputs = [_resolve(labels, name, copies) for name in entry["inputs"]]
    else:
        inputs = [flat[-1].label if flat else "input"]
    keys = {k: v for k, v in entry.items() if k not in ("op", "label", "inputs", "comment")}
    flat.append(Entry(label, op, inputs, keys))


def _resolve(labels, name, copies):
    """Inside a copy a name means the entry of that copy first, then that of the copy around it."""
    if name == "input":
        return name
    for n in range(len(copies), -1, -1):
        if _scoped(name, copies[:n]) in labels:
            return _scoped(name, copies[:n])
    raise KeyError(name)


class Writer:
    """A layer list on its way."""

    def __init__(self, network, activation, norm):
        self.activation = kind_of(network.get("activation", activation))
        self.norm = network.get("norm", norm)
        self.layers = []
        self.at = "input"  # what the next entry reads
        self.layer = 0  # the number of the last hidden layer

    def put(self, op, label, inputs=None, **keys):
        self.layers.append({"op": op, "label": label, "inputs": inputs or [self.at], **keys})
        self.at = label

    def put_norm(self, name):
        if self.norm != "none":
            self.put(f"{self.norm}_norm", f"{name}.norm")

    def put_activation(self, name):
        keys = {k: v for k, v in self.activation.items() if k != "kind"}
        self.put(self.activation["kind"], f"{name}.act", **keys)

    def norm_and_activation(self, name):
        self.put_norm(name)
        self.put_activation(name)

    def conv(self, name, channels, kernel, stride=1):
        self.put("conv2d", name, channels=channels, kernel=kernel, stride=stride, bias=False)

    def next_hidden(self):
        self.layer += 1
        return f"hidden{self.layer}"

    def scaled_add(self, skip, block, x, n_blocks):
        """shortcut_scale x + branch_scale F(x)"""
        scale = skip.get("branch_scale", 1)
        factor = scale
        if scale == "inverse_sqrt_blocks":
            factor = 1 / math.sqrt(n_blocks)
        elif scale == "inverse_blocks":
            factor = 1 / n_blocks
        elif isinstance(scale, dict):
            self.put("scale", f"{block}.scale", factor=scale)
            factor = 1
        self.put("add", block, [x, self.at], factors=[skip.get("shortcut_scale", 1), factor])


class Family(Writer):
    """The family mlp as a layer list: hidden1, blocks of layers_per_block layers with a skip each, output."""

    def __init__(self, network, out_dim):
        super().__init__(network, "tanh", "none")
        self.depth = network.get("depth", 50)
        self.width = network.get("width", 64)
        self.order = network.get("order", "pre")
        self.skip = kind_of(network.get("skip", "none"))
        self.hidden(1, self.width)
        self.blocks()
        if self.order == "pre":
            self.norm_and_activation("output")
        self.put("linear", "output", units=out_dim)

    def hidden(self, k, units, is_activated=True):
        """pre: W phi(norm(x)) + b, but hidden1 is linear; inside and post: phi(norm(W x + b))."""
        name = f"hidden{k}"
        if self.order == "pre" and k > 1:
            self.norm_and_activation(name)
        self.put("linear", name, units=units)
        if self.order != "pre":
            self.put_norm(name)
            if is_activated:
                self.put_activation(name)

    def blocks(self):
        kind = self.skip["kind"]
        rest = list(range(2, self.depth + 1))
        size = self.skip.get("layers_per_block", 1) if kind != "none" else max(1, len(rest))
        blocks = [rest[i : i + size] for i in range(0, len(rest), size)]
        for number, members in enumerate(blocks, 1):
            x = self.at
            for k in members:
                is_last = k == members[-1]
                units = self.skip.get("growth", 12) if kind == "concat" and is_last else self.width
                # post: the last activation of F comes after the addition.
                self.hidden(k, units, not (self.order == "post" and kind == "add" and is_last))
            if kind != "none":
                getattr(self, f"join_{kind}")(f"block{number}", x, members[-1], len(blocks))

    def join_add(self, block, x, _, n_blocks):
        self.scaled_add(self.skip, block, x, n_blocks)
        if self.order == "post":
            self.put_activation(block)

    def join_concat(self, block, x, *_):
        self.put("concat", block, [x, self.at])

    def join_highway(self, block, x, last, _):
        """y = t F(x) + (1 - t) x with t = sigmoid(W_t x + b_t), the weights labelled hiddenK.gate."""
        branch, gate = self.at, f"hidden{last}.gate"
        self.put("linear", gate, [x], units=self.width)
        self.put("sigmoid", f"{block}.t")
        self.put("gate", block, [f"{block}.t", branch, x])


class ResNet(Writer):
    """The family resnet: a 3x3 convolution, stages of equally many blocks, the mean over all positions, output."""

    def __init__(self, network, out_dim):
        super().__init__(network, "relu", "batch")
        self.is_pre = network.get("order", "post") == "pre"
        self.is_bottleneck = network.get("block", "basic") == "bottleneck"
        self.shortcut = network.get("shortcut", "A")
        self.skip = kind_of(network.get("skip", "add"))
        self.drop = network.get("drop_path")
        widths = network.get("widths", [16, 32, 64])
        per_stage = (network.get("depth", 20) - 2) // (len(widths) * (3 if self.is_bottleneck else 2))
        self.n_blocks = per_stage * len(widths)
        self.channels = widths[0]
        self.conv(self.next_hidden(), self.channels, 3)
        if not self.is_pre:
            self.norm_and_activation("hidden1")
        for number in range(1, self.n_blocks + 1):
            stage, place = divmod(number - 1, per_stage)
            self.block(number, widths[stage], 2 if stage > 0 and place == 0 else 1)
        if self.is_pre:
            self.norm_and_activation("output")
        self.put("global_avg_pool", "pool")
        self.put("linear", "output", units=out_dim)

    def block(self, number, width, stride):
        name, x = f"block{number}", self.at
        channels = 4 * width if self.is_bottleneck else width
        changes = channels != self.channels or stride > 1
        if self.is_pre:
            self.norm_and_activation(f"hidden{self.layer + 1}")
        start = self.at
        if self.skip["kind"] == "add" and (changes or self.shortcut == "C"):
            # Where shapes change the shortcut reads what is normed and activated, if that comes first.
            self.at = start if changes else x
            self.change_shape(name, channels, stride)
            x, self.at = self.at, start
        kernels = [(width, 1, stride), (width, 3, 1), (channels, 1, 1)]
        if not self.is_bottleneck:
            kernels = [(width, 3, stride), (width, 3, 1)]
        for i, kernel in enumerate(kernels):
            self.hidden(kernel, i == 0, i == len(kernels) - 1)
        self.channels = channels
        if self.skip["kind"] == "add":
            self.join(number, x)

    def hidden(self, kernel, is_first, is_last):
        name = self.next_hidden()
        if self.is_pre and not is_first:
            self.norm_and_activation(name)
        self.conv(name, *kernel)
        if not self.is_pre:
            self.put_norm(name)
            if not is_last or self.skip["kind"] == "none":
                self.put_activation(name)

    def change_shape(self, block, channels, stride):
        if self.shortcut == "A":
            self.put("subsample", f"{block}.subsample", stride=stride, channels=channels)
        else:
            self.conv(f"{block}.projection", channels, 1, stride)
            if not self.is_pre:
                self.put_norm(f"{block}.projection")

    def join(self, number, x):
        block = f"block{number}"
        if self.drop and self.drop.get("rate", 0):
            rate = self.drop["rate"] * (number / self.n_blocks if self.drop.get("rule", "linear") == "linear" else 1)
            self.put("drop_path", f"{block}.drop_path", rate=rate, per=self.drop.get("per", "sample"))
        self.scaled_add(self.skip, block, x, self.n_blocks)
        if not self.is_pre:
            self.put_activation(block)


class DenseNet(Writer):
    """The family densenet: a 3x3 convolution, three dense blocks with transitions in between, the mean, output."""

    def __init__(self, network, out_dim):
        super().__init__(network, "relu", "batch")
        self.growth = network.get("growth", 12)
        self.has_bottleneck = network.get("bottleneck", False)
        self.dropout = network.get("dropout", 0)
        n = (network.get("depth", 40) - 4) // (6 if self.has_bottleneck else 3)
        channels = 2 * self.growth if self.has_bottleneck else 16
        self.conv(self.next_hidden(), channels, 3)
        for block in (1, 2, 3):
            for i in range(n):
                self.dense_layer((block - 1) * n + i + 1)
            channels += n * self.growth
            if block < 3:
                channels = int(channels * network.get("compression", 1))
                self.hidden(channels, 1)
                self.put("avg_pool", f"transition{block}", kernel=2, stride=2)
        self.norm_and_activation("output")
        self.put("global_avg_pool", "pool")
        self.put("linear", "output", units=out_dim)

    def hidden(self, channels, kernel):
        name = self.next_hidden()
        self.norm_and_activation(name)
        self.conv(name, channels, kernel)
        if self.dropout:
            self.put("dropout", f"{name}.dropout", rate=self.dropout)

    def dense_layer(self, number):
        x = self.at
        if self.has_bottleneck:
            self.hidden(4 * self.growth, 1)
        self.hidden(self.growth, 3)
        self.put("concat", f"block{number}", [x, self.at])


FAMILIES = {"mlp": Family, "resnet": ResNet, "densenet": DenseNet}
