"""The peers of bench_peers.py: their modes, their processes, the virtual environment that has them."""

import json
import pathlib
import subprocess
import sys

MODES = {
    "eager foreach": "torch",
    "eager fused": "torch",
    "compile": "torch",
    "compile max": "torch",
    "jax scan": "jax",
    "jax unrolled": "jax",
}
DEFAULT_MODES = [mode for mode in MODES if mode != "compile max"]
NAMES = {"torch": "PyTorch", "jax": "JAX"}
# Above so many blocks these take many minutes to compile.
COMPILE_DEPTH = 200
COMPILED = ("compile", "compile max", "jax unrolled")


def is_too_deep(mode: str, blocks: int) -> bool:
    return mode in COMPILED and blocks > COMPILE_DEPTH


class Worker:
    """A process of a peer; see worker.py."""

    def __init__(self, python: str, peer: str, threads: int = 1):
        script = pathlib.Path(__file__).resolve().parent / f"{peer}_worker.py"
        self.process = subprocess.Popen(
            [python, str(script), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, **request) -> dict:
        ended = {"error": "the process ended"}
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return ended
        line = self.process.stdout.readline()
        return json.loads(line) if line else ended

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def find_python(venv: pathlib.Path, peers: set[str], tell) -> str:
    """The interpreter of an environment that has the peers; makes it and installs what is missing."""
    python = venv / "bin" / "python"
    if not python.exists():
        tell(f"making {venv}")
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    for peer in sorted(peers):
        if subprocess.run([str(python), "-c", f"import {peer}, numpy"], capture_output=True).returncode:
            tell(f"installing {NAMES[peer]}")
            install = [str(python), "-m", "pip", "install", "--quiet", peer, "numpy", "setuptools"]
            subprocess.run(install, check=True)
    return str(python)


def version_of(python: str, peer: str) -> str:
    worker = Worker(python, peer)
    reply = worker.ask(do="hello")
    worker.close()
    if "error" in reply:
        raise SystemExit(f"{NAMES[peer]} in {python}: {reply['error']}")
    return reply["version"]
