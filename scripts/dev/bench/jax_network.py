"""The networks of bench_peers.py in JAX: a whole training step is one compiled function, its blocks a loop (lax.scan)
or unrolled.  Imported only when the process is bound to its CPUs (jax_worker.py).
"""

import functools

import jax
import numpy
from jax import lax
from jax import numpy as jnp

VERSION = jax.__version__


def linear(tensors: dict, label: str) -> dict:
    return {"kernel": tensors[label + ".weight"].T, "bias": tensors[label + ".bias"]}


def branch_of(tensors: dict, label: str) -> dict:
    """The parameters of W tanh(norm(x)) + b."""
    branch = {"linear": linear(tensors, label)}
    if label + ".norm.weight" in tensors:
        branch["norm"] = {"gain": tensors[label + ".norm.weight"], "bias": tensors[label + ".norm.bias"]}
    return branch


def block_of(tensors: dict, k: int) -> dict:
    """The parameters of block k, counted from 1."""
    block = branch_of(tensors, f"hidden{k + 1}")
    if f"hidden{k + 1}.gate.weight" in tensors:
        block["gate"] = linear(tensors, f"hidden{k + 1}.gate")
    if f"block{k}.scale.weight" in tensors:
        block["scale"] = tensors[f"block{k}.scale.weight"]
    return block


def parameters_of(tensors: dict, n_blocks: int) -> dict:
    return {
        "first": linear(tensors, "hidden1"),
        "blocks": [block_of(tensors, k + 1) for k in range(n_blocks)],
        "output": branch_of(tensors, "output"),
    }


def stacked(blocks: list[dict]) -> dict:
    """One block whose arrays have a further dimension; narrower kernels (of concat) get rows of zeros, whose gradient
    is 0, as they multiply features that are still 0."""

    def stack(*arrays):
        n = max(len(a) for a in arrays)
        return numpy.stack([numpy.pad(a, [(0, n - len(a))] + [(0, 0)] * (a.ndim - 1)) for a in arrays])

    return jax.tree.map(stack, *blocks)


def dense(layer: dict, x):
    return x @ layer["kernel"] + layer["bias"]


def layer_norm(norm: dict, x):
    mean, variance = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * norm["gain"] + norm["bias"]


def branch(block: dict, x):
    return dense(block["linear"], jnp.tanh(layer_norm(block["norm"], x) if "norm" in block else x))


def joined(skip: str, block: dict, x):
    """A block with its skip connection."""
    if skip == "concat":
        return jnp.concatenate((x, branch(block, x)), axis=1)
    if skip == "highway":
        t = jax.nn.sigmoid(dense(block["gate"], x))
        return t * branch(block, x) + (1 - t) * x
    return x + block.get("scale", 1) * branch(block, x)


def scan_concat(blocks: dict, x):
    """A loop has arrays of one shape: the features that a block adds are written into a buffer of all of them."""
    _, width, growth = blocks["linear"]["kernel"].shape
    buffer = jnp.zeros((len(x), width + growth), x.dtype).at[:, : x.shape[1]].set(x)
    n_blocks = len(blocks["linear"]["bias"])
    columns = x.shape[1] + growth * jnp.arange(n_blocks)

    def step(buffer, at):
        block, column = at
        return lax.dynamic_update_slice(buffer, branch(block, buffer[:, :width]), (0, column)), None

    return lax.scan(step, buffer, (blocks, columns))[0]


def logits(skip: str, parameters: dict, x):
    x, blocks = dense(parameters["first"], x), parameters["blocks"]
    if isinstance(blocks, list):
        for block in blocks:
            x = joined(skip, block, x)
    elif skip == "concat":
        x = scan_concat(blocks, x)
    else:
        x = lax.scan(lambda x, block: (joined(skip, block, x), None), x, blocks)[0]
    return branch(parameters["output"], x)


def mean_loss(skip: str, parameters: dict, x, y):
    scores = jax.nn.log_softmax(logits(skip, parameters, x))
    return -jnp.take_along_axis(scores, y[:, None], axis=1).mean()


@functools.partial(jax.jit, static_argnums=0, donate_argnums=1)
def train(skip: str, parameters: dict, x, y, lr):
    loss, gradients = jax.value_and_grad(mean_loss, argnums=1)(skip, parameters, x, y)
    return jax.tree.map(lambda p, g: p - lr * g, parameters, gradients), loss


class Trainer:
    def __init__(self, case, mode, threads, weights, data):
        if case["norm"] == "batch":
            raise NotImplementedError("batch_norm is not written in JAX here")
        jax.config.update("jax_enable_x64", case["precision"] == "float64")
        self.skip, self.at, self.last = case["skip"], 0, None
        parameters = parameters_of(weights, case["blocks"])
        self.parameters = sum(a.size for a in jax.tree.leaves(parameters))
        if mode == "jax scan":
            parameters["blocks"] = stacked(parameters["blocks"])
        self.state = jax.tree.map(lambda a: jnp.array(a, case["precision"]), parameters)
        n = case["batch"]
        x, y = data[0].astype(case["precision"]), data[1].astype("int32")
        self.batches = [(jnp.array(x[i : i + n]), jnp.array(y[i : i + n])) for i in range(0, len(y), n)]

    def step(self, lr):
        x, y = self.batches[self.at]
        self.at = (self.at + 1) % len(self.batches)
        self.state, self.last = train(self.skip, self.state, x, y, lr)

    def loss(self):
        jax.block_until_ready(self.state)
        return float(self.last)
