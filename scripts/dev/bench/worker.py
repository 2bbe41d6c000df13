"""What the processes of bench_peers.py share: their requests, the numbers they start from, the clock.

A request is a line of JSON on standard input, an answer a line of JSON on standard output:
    {"do": "hello"}                                    -> {"version": ...}
    {"do": "build", "case": {...}, "mode": ..., "threads": n, "start": {...}} -> {"parameters": n, "losses": [...]}
    {"do": "measure", "seconds": s}                    -> {"step_s": seconds of the fastest block of steps}
`start` names the data, the initial weights and the rate of a training of skipnet, and how many losses are wanted: those
of the batches at the initial weights and after every step.  Timing goes on from there, at the rate of the case.
An answer {"error": text} tells what did not work; the process goes on.
"""

import json
import sys
import time
from typing import Callable, Protocol

import numpy

BLOCK_SECONDS = 0.01

Tensors = dict[str, numpy.ndarray]


class Trainer(Protocol):
    """Whole training steps (forward, loss, backward, update) of one network."""

    parameters: int

    def step(self, lr: float):
        """One step at this rate, on the next batch; may return before its work is done."""

    def loss(self) -> float:
        """Of the last step, when its work is done."""


def read_safetensors(path: str) -> Tensors:
    with open(path, "rb") as file:
        content = file.read()
    begin = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:begin])
    header.pop("__metadata__", None)
    types = {"F32": numpy.float32, "F64": numpy.float64}
    return {
        name: numpy.frombuffer(content[begin:][slice(*row["data_offsets"])], types[row["dtype"]]).reshape(row["shape"])
        for name, row in header.items()
    }


def read_data(path: str) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Samples and classes."""
    table = numpy.loadtxt(path, delimiter=",", skiprows=1)
    return table[:, :-1], table[:, -1].astype(numpy.int64)


def first_losses(trainer: Trainer, start: dict) -> list[float]:
    losses = []
    for _ in range(start["n_losses"]):
        trainer.step(start["lr"])
        losses.append(trainer.loss())
    return losses


def block_time(trainer: Trainer, lr: float, n: int) -> float:
    begin = time.perf_counter()
    for _ in range(n):
        trainer.step(lr)
    trainer.loss()
    return (time.perf_counter() - begin) / n


def fastest_block(trainer: Trainer, lr: float, seconds: float) -> float:
    """Seconds of a step in the fastest block."""
    block_time(trainer, lr, 3)
    steps = max(1, round(BLOCK_SECONDS / block_time(trainer, lr, 3)))
    best, begin = block_time(trainer, lr, steps), time.perf_counter()
    while time.perf_counter() - begin < seconds:
        best = min(best, block_time(trainer, lr, steps))
    return best


def answer(request: dict, state: dict, version: str, build: Callable[..., Trainer]) -> dict:
    if request["do"] == "hello":
        return {"version": version}
    if request["do"] == "build":
        start = request["start"]
        weights, data = read_safetensors(start["weights"]), read_data(start["data"])
        state["lr"] = request["case"]["lr"]
        state["trainer"] = build(request["case"], request["mode"], request["threads"], weights, data)
        return {"parameters": state["trainer"].parameters, "losses": first_losses(state["trainer"], start)}
    return {"step_s": fastest_block(state["trainer"], state["lr"], request["seconds"])}


def serve(version: str, build: Callable[..., Trainer]):
    """Answers until the input ends.  build(case, mode, threads, weights, data) makes a trainer."""
    state = {}
    answers = sys.stdout
    sys.stdout = sys.stderr  # what libraries print must not stand between the answers
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line), state, version, build)
        except Exception as fault:  # whatever a library throws: the case is told as not measured
            reply = {"error": f"{type(fault).__name__}: {fault}".splitlines()[0][:300]}
        print(json.dumps(reply), file=answers, flush=True)
