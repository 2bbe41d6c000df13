"""PyTorch's process of bench_peers.py; see worker.py."""

import torch
import worker
from torch import nn
from torch.nn import functional


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


def tensor_of(name, case):
    """skipnet's name of a parameter of the network."""
    index, rest = name.split(".", 1)
    if rest == "scale":
        return f"block{index}.scale.weight"
    label = "output" if int(index) > case["blocks"] else f"hidden{int(index) + 1}"
    return f"{label}.{rest.removeprefix('linear.')}"


class Trainer:
    def __init__(self, case, mode, threads, weights, data):
        torch.set_num_threads(threads)
        torch.set_default_dtype(getattr(torch, case["precision"]))
        self.batch, self.at = case["batch"], 0
        self.x = torch.tensor(data[0], dtype=torch.get_default_dtype())
        self.y = torch.tensor(data[1])
        self.network = network_of(case).train()
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                parameter.copy_(torch.tensor(weights[tensor_of(name, case)]).reshape(parameter.shape))
        self.parameters = sum(p.numel() for p in self.network.parameters())
        fused = {"fused": True} if mode != "eager foreach" else {"foreach": True}
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=case["lr"], **fused)
        self.mean_loss, self.last = self.eager_loss, None
        if mode.startswith("compile"):
            options = {"mode": "max-autotune-no-cudagraphs"} if mode.endswith("max") else {}
            self.mean_loss = torch.compile(self.eager_loss, dynamic=False, **options)

    def eager_loss(self, x, y):
        return functional.cross_entropy(self.network(x), y)

    def step(self, lr):
        begin = self.at
        self.at = (begin + self.batch) % len(self.y)
        self.optimizer.param_groups[0]["lr"] = lr
        self.optimizer.zero_grad(set_to_none=True)
        self.last = self.mean_loss(self.x[begin : begin + self.batch], self.y[begin : begin + self.batch])
        self.last.backward()
        self.optimizer.step()

    def loss(self):
        return self.last.item()


worker.serve(torch.__version__, Trainer)
