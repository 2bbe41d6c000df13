"""What is told: failures on stderr, results on stdout."""

import sys


class Failure(Exception):
    """What is told in one line; `status` is the exit status: 2 the files or the call are at fault, 4 cannot read or
    write."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class FileFault(Failure):
    """What is wrong in a file, told behind its name and not the program's."""

    def __init__(self, path, message):
        super().__init__(2, f"{path}: {message}")


def tell(message):
    print(message, file=sys.stderr)


def say(line):
    """What a caller may read."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        sys.stdout = None
        raise
    except OSError:
        sys.stdout = None  # so that Python does not try again
        raise Failure(4, "cannot write standard output") from None
