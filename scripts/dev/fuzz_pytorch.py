#!/usr/bin/env python3
"""Differential fuzzer: random networks, trained for a few steps by skipnet and by PyTorch, compared.

    scripts/dev/fuzz_pytorch.py [--graphs 500] [--seed 1] [--skipnet build/release/skipnet]

For every graph: the loss of every step, the gradient norms of every layer at every step, evaluation losses, and all
weights at the end.  Skipnet runs through its command line, on a CSV file that this script writes; PyTorch starts from
skipnet's initial weights.  A quarter of the graphs runs in float32, against PyTorch in float64.

How far rounding may carry the two apart is measured, not guessed: in two twins in PyTorch the initial weights and then
every signal and gradient of every step are off by a small random fraction, as by a coarse rounding, which tells by
which factor each quantity amplifies that. A quantity must agree to 1e-10 (float32: 1e-4), or to a multiple of rounding
times its factor where that is more. Quantities with such a wider bound are counted, and those that are nothing but
rounding (the gradient by a bias before a batch normalization), and those that are off beside an activation's kink, and
graphs whose training explodes on both sides. A deviation is printed and its config kept, to be run again by --seed N
--graphs 1; the exit status is 1 then.

Needs PyTorch 2; where Python has none, the script makes a virtual environment (--venv) and installs it there.
"""

import argparse
import importlib.util
import os
import pathlib
import signal
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "pytorch"))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=500, help="how many (default 500)")
    parser.add_argument("--seed", type=int, default=1, help="of the first one; the others count on from it")
    parser.add_argument("--skipnet", default=str(ROOT / "build/release/skipnet"), help="the program")
    parser.add_argument("--work", default=str(ROOT / "build/fuzz-pytorch"), help="directory for configs and runs")
    parser.add_argument("--venv", default=str(ROOT / "build/venv-pytorch"), help="where PyTorch goes if it is missing")
    parser.add_argument("--verbose", action="store_true", help="a line for every graph")
    return parser.parse_args()


def use_pytorch(directory):
    """Runs this script again in a Python that has PyTorch, where this one has none."""
    if importlib.util.find_spec("torch") and importlib.util.find_spec("safetensors"):
        return
    python = pathlib.Path(directory) / "bin" / "python"
    if pathlib.Path(sys.prefix).resolve() == pathlib.Path(directory).resolve():
        sys.exit(f"{directory} has no PyTorch: install it there with {python} -m pip install torch numpy safetensors")
    if not python.exists():
        print(f"installing PyTorch into {directory}", file=sys.stderr)
        venv.create(directory, with_pip=True)
        status = subprocess.run([python, "-m", "pip", "install", "-q", "torch", "numpy", "safetensors"]).returncode
        if status:
            sys.exit("pip failed: give a Python that has torch 2, numpy and safetensors, or see --venv")
    os.execv(python, [str(python), *sys.argv])


def main():
    options = parse_arguments()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # with what it has started
    if not os.access(options.skipnet, os.X_OK):
        sys.exit(f"{options.skipnet} is no program: build it, or say where it is with --skipnet")
    use_pytorch(options.venv)
    import torch
    from fuzzer import Fuzzer
    from words import UnknownWord

    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {options.skipnet}")
    try:
        fuzzer = Fuzzer(options)
    except UnknownWord as fault:
        sys.exit(str(fault))
    return fuzzer.run()


if __name__ == "__main__":
    sys.exit(main())
