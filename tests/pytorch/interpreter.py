"""Runs the network of a skipnet config in PyTorch: forward, gradients by autograd, steps of gradient descent.

The config is the one source of both sides.  PyTorch's own functions and its own optimizer do the arithmetic wherever
they mean what the documentation of skipnet says; where they do not, a comment says how they differ.
"""

import itertools
import math

import layers
import torch
import torch.nn.functional as F
from layers import flatten, kind_of
from words import claim

SIMPLE = {
    "identity": lambda x: x,
    "relu": F.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "erf": torch.erf,
    "gelu": F.gelu,
    "selu": F.selu,
    "silu": F.silu,
}
# Above beta x = threshold PyTorch replaces softplus by x, by default from 20 on: off by 2e-9 there.
SOFTPLUS_THRESHOLD = 500
WITH_KEYS = {
    "leaky_relu": lambda x, k: F.leaky_relu(x, k.get("slope", 0.01)),
    "elu": lambda x, k: F.elu(x, k.get("alpha", 1)),
    "softplus": lambda x, k: F.softplus(x, k.get("beta", 1), SOFTPLUS_THRESHOLD),
}
KINKED = ("relu", "leaky_relu", "elu", "selu")  # a derivative, or its derivative, jumps at 0
LEFT_OUT = ("dropout", "drop_path")  # its masks are skipnet's own
SCHEDULES = ("constant", "step", "milestones", "linear", "cosine")


def check(kinds):
    """Raises UnknownWord where the program computes something that is not computed here."""
    layers.check(kinds)
    ops = [op for op in kinds["op"] if hasattr(Network, f"_{op}")]
    claim("interpreter.py", "op", kinds["op"], (*SIMPLE, *WITH_KEYS, *LEFT_OUT, *ops))
    claim("interpreter.py", "loss", kinds["loss"], LOSSES)
    for name, (_, known) in LOSSES.items():
        claim("interpreter.py", f"loss {name} with the key", kinds["loss"].get(name, ()), known)
    claim("interpreter.py", "optimizer", kinds["optimizer"], OPTIMIZERS)
    claim("interpreter.py", "learning-rate schedule", kinds["learning-rate_schedule"], SCHEDULES)


class Network:
    """Entries, shapes, parameters by name ("LABEL.weight") and the running averages of batch normalization."""

    def __init__(self, network, shape, out_dim, dtype=torch.float64):
        self.entries = flatten(network, out_dim)
        self.dtype = dtype
        self.parameters = {}
        self.states = {}
        self.kink_margin = float("inf")  # least |x| that a kinked activation has seen
        self.noise = None  # a function of a shape: factors near 1, for signals and for their gradients
        self.shapes = {"input": shape}  # (features,) or (channels, height, width)
        for entry in self.entries:
            self._declare(entry, self.shapes[entry.inputs[0]][0])
            signals = [torch.zeros((2, *self.shapes[name]), dtype=self.dtype) for name in entry.inputs]
            self.shapes[entry.label] = self._apply(entry, signals, False).shape[1:]
        assert self.shapes[self.entries[-1].label] == (out_dim,)
        self.kink_margin = float("inf")

    def _declare(self, e, width):
        """Parameters and states of an entry, whose first input has `width` features."""
        if e.op == "linear":
            self._parameter(f"{e.label}.weight", e.keys["units"], width)
            if e.keys.get("bias", True):
                self._parameter(f"{e.label}.bias", e.keys["units"])
        if e.op in ("conv2d", "conv_transpose2d"):
            channels, kernel = e.keys["channels"], e.keys.get("kernel", 3 if e.op == "conv2d" else 2)
            planes = (channels, width) if e.op == "conv2d" else (width, channels)
            self._parameter(f"{e.label}.weight", *planes, kernel, kernel)
            if e.keys.get("bias", True):
                self._parameter(f"{e.label}.bias", channels)
        if e.op in ("layer_norm", "rms_norm", "batch_norm", "group_norm") and e.keys.get("affine", True):
            self._parameter(f"{e.label}.weight", width)
            if e.op != "rms_norm":
                self._parameter(f"{e.label}.bias", width)
        if e.op == "batch_norm":
            self.states[f"{e.label}.running_mean"] = torch.zeros(width, dtype=self.dtype)
            self.states[f"{e.label}.running_var"] = torch.ones(width, dtype=self.dtype)
        if e.op == "scale" and isinstance(e.keys["factor"], dict):
            self._parameter(f"{e.label}.weight", 1)

    def _parameter(self, name, *shape):
        self.parameters[name] = torch.zeros(shape, dtype=self.dtype, requires_grad=True)

    def set_parameters(self, values):
        """Takes all parameters from a dictionary of tensors with exactly these names and shapes."""
        assert set(values) == set(self.parameters), set(values) ^ set(self.parameters)
        for name, value in values.items():
            assert value.shape == self.parameters[name].shape, name
            self.parameters[name] = value.detach().to(self.dtype).clone().requires_grad_()

    def values(self):
        return {name: p.detach().clone() for name, p in self.parameters.items()}

    def decays(self, name):
        """Weight decay acts on matrices and kernels only: not on biases, gains and scales."""
        return self.parameters[name].dim() > 1

    def forward(self, x, is_training=True):
        signals = {"input": x.to(self.dtype)}
        for e in self.entries:
            inputs = [self._with_noise(signals[name]) for name in e.inputs]
            signals[e.label] = self._apply(e, inputs, is_training)
        return signals[self.entries[-1].label]

    def _with_noise(self, x):
        """For every reader, and apart forward and backward: what cancels exactly, in a sum or in a gradient by an
        invariance of the network, would cancel too in a network whose signals are only off."""
        if not self.noise:
            return x
        x = x * self.noise(x.shape)
        if x.requires_grad:
            x.register_hook(lambda gradient: gradient * self.noise(gradient.shape))
        return x

    def _apply(self, e, inputs, is_training):
        x = inputs[0]
        if e.op in KINKED:
            self.note_kinks(x.detach().abs())
        if e.op in SIMPLE:
            return SIMPLE[e.op](x)
        if e.op in WITH_KEYS:
            return WITH_KEYS[e.op](x, e.keys)
        return getattr(self, f"_{e.op}")(e, inputs, is_training)

    def note_kinks(self, sizes):
        """How far something was from its kink; an exact zero is no danger: it is one on both sides."""
        self.kink_margin = min(self.kink_margin, torch.where(sizes > 0, sizes, torch.inf).min().item())

    def _get(self, e, what):
        return self.parameters.get(f"{e.label}.{what}")

    def _linear(self, e, inputs, _):
        return by_rows(lambda x: F.linear(x, self._get(e, "weight"), self._get(e, "bias")), inputs[0])

    def _add(self, e, inputs, _):
        assert len({x.shape for x in inputs}) == 1, e.label
        factors = e.keys.get("factors", [1] * len(inputs))
        return sum(f * x for f, x in zip(factors, inputs, strict=True))

    def _concat(self, _, inputs, __):
        return torch.cat(inputs, 1)

    def _scale(self, e, inputs, _):
        weight = self._get(e, "weight")
        return inputs[0] * (e.keys["factor"] if weight is None else weight)

    def _gate(self, _, inputs, __):
        t, branch, x = inputs
        return t * branch + (1 - t) * x

    def _layer_norm(self, e, inputs, _):
        gain, bias, eps = self._get(e, "weight"), self._get(e, "bias"), e.keys.get("eps", 1e-5)
        return by_rows(lambda x: F.layer_norm(x, x.shape[-1:], gain, bias, eps), inputs[0])

    def _rms_norm(self, e, inputs, _):
        """No eps means the same to PyTorch: its machine epsilon."""
        gain, eps = self._get(e, "weight"), e.keys.get("eps", 1e-5)
        return by_rows(lambda x: F.rms_norm(x, x.shape[-1:], gain, eps), inputs[0])

    def _batch_norm(self, e, inputs, is_training):
        return F.batch_norm(
            inputs[0],
            self.states[f"{e.label}.running_mean"],
            self.states[f"{e.label}.running_var"],
            self._get(e, "weight"),
            self._get(e, "bias"),
            is_training,
            e.keys.get("momentum", 0.1),
            e.keys.get("eps", 1e-5),
        )

    def _group_norm(self, e, inputs, _):
        gain, bias = self._get(e, "weight"), self._get(e, "bias")
        return F.group_norm(inputs[0], e.keys["groups"], gain, bias, e.keys.get("eps", 1e-5))

    def _conv2d(self, e, inputs, _):
        weight, bias = self._get(e, "weight"), self._get(e, "bias")
        padding = e.keys.get("padding", (weight.shape[-1] - 1) // 2)
        return F.conv2d(inputs[0], weight, bias, e.keys.get("stride", 1), padding)

    def _conv_transpose2d(self, e, inputs, _):
        weight, bias = self._get(e, "weight"), self._get(e, "bias")
        return F.conv_transpose2d(inputs[0], weight, bias, e.keys.get("stride", 2), e.keys.get("padding", 0))

    def _avg_pool(self, e, inputs, _):
        is_padding_counted = e.keys.get("count_include_pad", True)
        return on_image(lambda x: F.avg_pool2d(x, *window(e.keys), False, is_padding_counted), inputs[0])

    def _max_pool(self, e, inputs, _):
        """Of equal values the first: as PyTorch's own.  A window bends where its two greatest are equal."""
        kernel, stride, padding = window(e.keys)
        x = image(inputs[0])
        places = F.unfold(F.pad(x.detach(), [padding] * 4, value=-torch.inf), kernel, stride=stride)
        if kernel > 1:
            places = places.view(len(x), x.shape[1], kernel * kernel, -1)
            greatest = places.topk(2, 2).values
            self.note_kinks(greatest[:, :, 0] - greatest[:, :, 1])
        return on_image(lambda x: F.max_pool2d(x, kernel, stride, padding), inputs[0])

    def _global_avg_pool(self, _, inputs, __):
        return image(inputs[0]).mean((2, 3))

    def _flatten(self, _, inputs, __):
        return inputs[0].flatten(1)

    def _subsample(self, e, inputs, _):
        """Option A of the residual networks for small images."""
        stride = e.keys.get("stride", 2)
        channels = self.shapes[e.inputs[0]][0]
        zeros = e.keys.get("channels", channels) - channels
        before = zeros // 2 if e.keys.get("zeros", "around") == "around" else 0
        return on_image(lambda x: F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, before, zeros - before)), inputs[0])

    def _upsample(self, e, inputs, _):
        return on_image(lambda x: F.interpolate(x, scale_factor=e.keys.get("factor", 2)), inputs[0])


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


def window(keys):
    """Kernel, stride and padding of a pooling op."""
    kernel = keys.get("kernel", 2)
    return kernel, keys.get("stride") or kernel, keys.get("padding", 0)


def one_hot(outputs, wanted):
    """Labels as rows with a single one; targets as they are."""
    if wanted.dtype == torch.int64:
        wanted = F.one_hot(wanted, outputs.shape[1])
    return wanted.to(outputs.dtype)


def equals(loss, other):
    """Whether a loss is PyTorch's own; one that is not a number is left to whoever meets it."""
    return not (loss - other).abs() > 1e-12 * (1 + loss.abs())


def cross_entropy(z, labels, loss):
    """log(1 + sum over the others of exp(z_j - z_c)) for every class c, times its mass; the mean over the batch.

    F.cross_entropy is the same, but loses its digits where the network is right by far: a loss of 1e-8 keeps eight of
    them, one of 1e-17 is zero, and so is the gradient.
    """
    n = z.shape[1]
    smoothing, weights = loss.get("label_smoothing", 0), loss.weights(z)
    others = torch.stack([z[:, [j for j in range(n) if j != c]].logsumexp(1) for c in range(n)], 1)
    by_class = F.softplus(others - z, 1, SOFTPLUS_THRESHOLD)
    masses = weights * (smoothing / n + (1 - smoothing) * one_hot(z, labels))
    value = (masses * by_class).sum() / weights[labels].sum()
    assert equals(value, F.cross_entropy(z, labels, weights, label_smoothing=smoothing))
    return value


def squared_error(outputs, wanted, _):
    return F.mse_loss(outputs, one_hot(outputs, wanted))


def hinge(z, labels, loss):
    p, margin = loss.get("p", 1), loss.get("margin", 1)
    lacks = margin - z.detach().gather(1, labels[:, None]) + z.detach()
    loss.network.note_kinks(lacks.scatter(1, labels[:, None], torch.inf).abs())
    return F.multi_margin_loss(z, labels, p, margin, loss.weights(z))


def binary_cross_entropy(z, wanted, _):
    """F.binary_cross_entropy_with_logits, whose gradient loses its digits where the network is right by far."""
    t = one_hot(z, wanted)
    right, wrong = F.softplus(-z, 1, SOFTPLUS_THRESHOLD), F.softplus(z, 1, SOFTPLUS_THRESHOLD)
    value = (t * right + (1 - t) * wrong).mean()
    assert equals(value, F.binary_cross_entropy_with_logits(z, t))
    return value


LOSSES = {  # the function, and the keys that it knows
    "softmax_cross_entropy": (cross_entropy, ("label_smoothing", "class_weights")),
    "mean_squared_error": (squared_error, ()),
    "hinge": (hinge, ("p", "margin", "class_weights")),
    "binary_cross_entropy": (binary_cross_entropy, ()),
}


class Loss:
    """The loss that a config's "train" object asks for; `wanted` are the labels or targets of all training samples."""

    def __init__(self, network, train, wanted):
        self.network = network
        self.keys = kind_of(train.get("loss", "softmax_cross_entropy"))
        self.wanted = wanted

    def get(self, key, fallback):
        return self.keys.get(key, fallback)

    def weights(self, z):
        """Of the classes; balanced ones are n / (n_classes count), as scikit-learn has them."""
        weights = self.get("class_weights", None)
        if weights is None:
            return torch.ones_like(z[0])
        if weights == "balanced":
            counts = self.wanted.bincount(minlength=z.shape[1]).to(z.dtype)
            weights = len(self.wanted) / (z.shape[1] * counts)
        return torch.as_tensor(weights, dtype=z.dtype)

    def __call__(self, outputs, wanted):
        function, _ = LOSSES[self.keys["kind"]]
        return function(outputs, wanted, self)


def rates(train):
    """The learning rates of all steps after a linear warmup that ends at the full rate; milestones are steps of the run
    (in epochs they are not drawn, nor is a warmup by result)."""
    lr, schedule = train.get("lr", 0.01), kind_of(train.get("lr_schedule", "constant"))
    warmup = schedule.get("warmup_steps", 0)
    total = train.get("steps", 0) - warmup
    for step in range(warmup):
        yield lr * (step + 1) / warmup
    for t in itertools.count():
        if schedule["kind"] == "step":
            yield lr * schedule.get("factor", 0.1) ** (t // schedule["every"])
        elif schedule["kind"] == "milestones":
            yield lr * schedule.get("factor", 0.1) ** sum(at <= warmup + t for at in schedule["at"])
        elif schedule["kind"] == "linear":
            final = schedule.get("final", 0)
            yield lr * ((1 - t / total) + final * t / total)
        elif schedule["kind"] == "cosine":
            final = schedule.get("final", 0)
            yield lr * (final + (1 - final) * (1 + math.cos(math.pi * t / total)) / 2)
        else:
            yield lr


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of Chen et al. 2023, arXiv 2302.06675: PyTorch has none."""

    def __init__(self, params, lr, betas=(0.9, 0.99), weight_decay=0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                c = beta1 * m + (1 - beta1) * p.grad
                p -= group["lr"] * (torch.sign(c) + group["weight_decay"] * p)
                m.copy_(beta2 * m + (1 - beta2) * p.grad)


OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "lion": Lion,
}
# Defaults that are not those of every optimizer of PyTorch: what decays where nothing is said.
DECAY = {"adamw": 0.01}


class Trainer:
    """Steps as the config's "train" object asks for them, by an optimizer of PyTorch; `wanted` as for Loss."""

    def __init__(self, network, train, wanted):
        optimizer = kind_of(train.get("optimizer", "sgd"))
        self.network = network
        self.loss = Loss(network, train, wanted)
        self.clip_norm = train.get("clip_norm")
        self.rates = rates(train)
        keys = {k: v for k, v in optimizer.items() if k not in ("kind", "weight_decay", "decays")}
        decay = optimizer.get("weight_decay", DECAY.get(optimizer["kind"], 0))
        decays_all = optimizer.get("decays") == "all"
        groups = [
            {
                "params": [p for n, p in network.parameters.items() if (decays_all or network.decays(n)) == decays],
                "weight_decay": decay if decays else 0,
            }
            for decays in (True, False)
        ]
        self.optimizer = OPTIMIZERS[optimizer["kind"]](
            [group for group in groups if group["params"]], lr=0, **keys  # lr is set by every step
        )

    def measure(self, x, wanted):
        """Loss and gradients of a batch: the loss, {name: gradient}."""
        self.optimizer.zero_grad()
        loss = self.loss(self.network.forward(x), wanted)
        loss.backward()
        return loss.item(), {name: p.grad.detach().clone() for name, p in self.network.parameters.items()}

    def step(self, x, wanted):
        loss, gradients = self.measure(x, wanted)
        if self.clip_norm is not None:
            self._clip(gradients)
        rate = next(self.rates)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        return loss, gradients

    def _clip(self, gradients):
        """clip_grad_norm_ divides by norm + 1e-6; here the norm becomes exactly clip_norm."""
        norm = total_norm(gradients)
        if norm > self.clip_norm:
            for p in self.network.parameters.values():
                p.grad.mul_(self.clip_norm / norm)


def norm_of(tensor):
    """The 2-norm.  PyTorch's own squares the elements as they are: zero for a tensor of 1e-200."""
    tensor = tensor.double()
    largest = tensor.abs().max().item()
    return largest and largest * (tensor / largest).norm().item()


def total_norm(tensors):
    return norm_of(torch.cat([t.double().flatten() for t in tensors.values()]))


def distance(a, b):
    """|a - b| / max(|a|, |b|) in 2-norms; 0 where both are 0."""
    a, b = a.double(), b.double()
    difference = norm_of(a - b)
    return difference and difference / max(norm_of(a), norm_of(b))
