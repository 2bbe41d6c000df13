"""One PyTorch process of bench_peers.py: builds the network of a case, trains it on random data, tells step times.

A request is a line of JSON on standard input, an answer a line of JSON on standard output:
    {"do": "hello"}                                        -> {"version": ..., "threads": ...}
    {"do": "build", "case": {...}, "mode": ..., "threads": n} -> {"parameters": n}
    {"do": "measure", "seconds": s}                        -> {"step_s": seconds of the fastest block of steps}
    {"do": "drop"}                                         -> {}
An answer {"error": text} tells what did not work; the process goes on.
"""

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional

SAMPLES = 1024
BLOCK_SECONDS = 0.01


class Branch(nn.Module):
    """F(x) = W tanh(norm(x)) + b, the branch of one block."""

    def __init__(self, norm, width, units):
        super().__init__()
        kinds = {"none": nn.Identity, "layer": nn.LayerNorm, "batch": nn.BatchNorm1d}
        self.norm = kinds[norm]() if norm == "none" else kinds[norm](width)
        self.linear = nn.Linear(width, units)

    def forward(self, x):
        return self.linear(torch.tanh(self.norm(x)))


class Add(Branch):
    def __init__(self, norm, width, learned):
        super().__init__(norm, width, width)
        self.scale = nn.Parameter(torch.tensor(1.0)) if learned else None

    def forward(self, x):
        branch = super().forward(x)
        return x + branch if self.scale is None else x + self.scale * branch


class Concat(Branch):
    def forward(self, x):
        return torch.cat((x, super().forward(x)), dim=1)


class Highway(Branch):
    def __init__(self, norm, width):
        super().__init__(norm, width, width)
        self.gate = nn.Linear(width, width)

    def forward(self, x):
        t = torch.sigmoid(self.gate(x))
        return t * super().forward(x) + (1 - t) * x


def blocks_of(case):
    """The blocks after the first layer, and the width after them."""
    width, norm, skip = case["width"], case["norm"], case["skip"]
    blocks = []
    for _ in range(case["blocks"]):
        if skip == "concat":
            blocks.append(Concat(norm, width, case["growth"]))
            width += case["growth"]
        elif skip == "highway":
            blocks.append(Highway(norm, width))
        else:
            blocks.append(Add(norm, width, case["learned"]))
    return blocks, width


def network_of(case):
    blocks, width = blocks_of(case)
    first = nn.Linear(case["inputs"], case["width"])
    return nn.Sequential(first, *blocks, Branch(case["norm"], width, case["classes"]))


class Trainer:
    """Whole training steps: forward, loss, backward, update."""

    def __init__(self, case, mode):
        torch.manual_seed(1)
        torch.set_default_dtype(getattr(torch, case["precision"]))
        self.batch, self.at = case["batch"], 0
        self.x = torch.randn(SAMPLES, case["inputs"])
        self.y = torch.randint(case["classes"], (SAMPLES,))
        self.network = network_of(case).train()
        self.parameters = sum(p.numel() for p in self.network.parameters())
        fused = {"fused": True} if mode != "eager foreach" else {"foreach": True}
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=case["lr"], **fused)
        self.loss = self.mean_loss
        if mode.startswith("compile"):
            options = {"mode": "max-autotune-no-cudagraphs"} if mode.endswith("max") else {}
            self.loss = torch.compile(self.mean_loss, dynamic=False, **options)

    def mean_loss(self, x, y):
        return functional.cross_entropy(self.network(x), y)

    def step(self):
        begin = self.at
        self.at = (begin + self.batch) % SAMPLES
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.x[begin : begin + self.batch], self.y[begin : begin + self.batch]).backward()
        self.optimizer.step()

    def block(self, n):
        start = time.perf_counter()
        for _ in range(n):
            self.step()
        return (time.perf_counter() - start) / n

    def warm_up(self):
        self.block(3)
        self.block_steps = max(1, round(BLOCK_SECONDS / self.block(3)))

    def measure(self, seconds):
        self.warm_up()
        best, start = float("inf"), time.perf_counter()
        while best == float("inf") or time.perf_counter() - start < seconds:
            best = min(best, self.block(self.block_steps))
        return best


def answer(request, state):
    do = request["do"]
    if do == "hello":
        return {"version": torch.__version__, "threads": torch.get_num_threads()}
    if do == "drop":
        state.clear()
        return {}
    if do == "build":
        torch.set_num_threads(request["threads"])
        state["trainer"] = Trainer(request["case"], request["mode"])
        state["trainer"].warm_up()
        return {"parameters": state["trainer"].parameters}
    return {"step_s": state["trainer"].measure(request["seconds"])}


def main():
    state = {}
    answers = sys.stdout
    sys.stdout = sys.stderr  # what libraries print must not stand between the answers
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line), state)
        except Exception as fault:  # whatever a library throws: the case is told as not measured
            reply = {"error": f"{type(fault).__name__}: {fault}".splitlines()[0][:300]}
        print(json.dumps(reply), file=answers, flush=True)


main()
