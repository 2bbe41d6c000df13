"""The command lines of skipnet-plot and skipnet-report, and how they end: 0 done, 1 a picture could not be drawn, 2
usage or the files are at fault, 4 cannot read or write, or matplotlib is missing."""

import os
import sys
from pathlib import Path

from .failure import Failure, FileFault, say, tell

PACKAGES = "install the packages python3-numpy and python3-matplotlib"


def main(arguments):
    """`arguments`: plot or report, then those of that program."""
    self = os.environ.get("SKIPNET_SELF", "skipnet-" + (arguments or ["plot"])[0])
    program = self.removesuffix(".sh")
    try:
        from . import output, page, plotter
    except ImportError as error:
        tell(f"{program}: {error}: {PACKAGES}")
        return 4
    output.obey_signals()
    try:
        verb = {"plot": plotter.run, "report": page.run}[arguments[0]]
        return verb(arguments[1:], self)
    except Failure as failure:
        tell(str(failure) if isinstance(failure, FileFault) else f"{program}: {failure}")
        return failure.status
    except BrokenPipeError:
        return 0


def plot_main():
    """The console script."""
    return main(["plot", *sys.argv[1:]])


def report_main():
    return main(["report", *sys.argv[1:]])


def read_options(arguments, self, flags, values, usage):
    """({option: value or True}, operands); a value option that may stand several times has a list as its default."""
    found, operands = {
        name: list(default) if isinstance(default, list) else default for name, default in values.items()
    }, []
    found |= dict.fromkeys(flags, False)
    rest = iter(arguments)
    for argument in rest:
        name, is_joined, value = argument.partition("=")
        option = name[2:].replace("-", "_") if name.startswith("--") else name
        if argument in ("-h", "--help"):
            say((Path(__file__).parent / usage).read_text(encoding="utf-8").rstrip().format(self=self))
            return None, None
        if option in flags and argument.startswith("--") and not is_joined:
            found[option] = True
        elif option in values and argument.startswith("--"):
            value = value if is_joined else next(rest, "")
            if not value:
                raise Failure(2, f"{name} wants a value (see --help)")
            if isinstance(found[option], list):
                found[option].append(value)
            else:
                found[option] = value
        elif argument.startswith("-"):
            raise Failure(2, f"unknown option {argument} (see --help)")
        else:
            operands.append(argument if argument == "/" else argument.rstrip("/"))
    return found, operands
