"""Runs of skipnet in Python:

    import skipnet_view as sv
    runs = sv.load("runs/sweep-deep50")
    runs.gradients, runs.loss, runs.settings      # data frames of pandas where it is there, else lists of dicts
    sv.plot.gradients(runs, by="depth")           # matplotlib Axes
    model = sv.to_torch(runs[0])                  # a torch.nn.Module with the weights of a run"""

import importlib

_MODULES = {"Failure": "failure", "load": "notebook", "to_torch": "torch_module"}
__all__ = [*_MODULES, "plot"]


def __getattr__(name):
    """Only what is asked for is loaded, and the packages that it needs."""
    if name == "plot":
        return importlib.import_module(f"{__name__}.plot")
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
