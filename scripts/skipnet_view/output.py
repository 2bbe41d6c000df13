"""Files: whole or not at all, and none replaced that is not ours; a signal leaves nothing behind."""

import io
import os
import signal
from pathlib import Path

import matplotlib

from .failure import Failure
from .pen import RC

PICTURE_MARK = "skipnet-plot"  # in SVG a comment, in PNG and PDF the program that made it
LIST_MARK = "picture,title,caption,sources,command"
PAGE_MARK = '<meta name="generator" content="skipnet-report" />'
FORMATS = ("svg", "png", "pdf")
unfinished = set()  # files on the way


def on_signal(number, _):
    for part in unfinished:
        Path(part).unlink(missing_ok=True)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def obey_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)


def has_mark(path, mark):
    """A link has none."""
    try:
        return not os.path.islink(path) and os.path.isfile(path) and mark.encode() in Path(path).read_bytes()
    except OSError:
        return False


def check_replaced(path, mark, force, program):
    """Fails where what has that name is not ours to replace.  A pipe or an empty file holds nothing that could be
    lost."""
    is_something = os.path.islink(path) or os.path.isfile(path) and os.path.getsize(path) > 0
    if is_something and not force and not has_mark(path, mark):
        raise Failure(2, f"{path} was not written by {program} (take another --out, or --force to replace it)")


def publish(path, content):
    """Nothing is written through a link, or waits for a pipe, of this name or that of the file on the way."""
    path = str(path)
    part = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.part")
    try:
        if os.path.lexists(part):
            os.unlink(part)
        unfinished.add(part)
        with open(part, "xb") as file:
            file.write(content)
        os.replace(part, path)
    except OSError:
        Path(part).unlink(missing_ok=True)
        raise Failure(4, f"cannot write {path}") from None
    finally:
        unfinished.discard(part)


def make_directory(path):
    try:
        os.makedirs(path or ".", exist_ok=True)
    except OSError:
        raise Failure(4, f"cannot make the directory {path}") from None
    if not os.access(path or ".", os.W_OK):
        raise Failure(4, f"cannot write into {path}")


def render(figure, kind, style):
    """The bytes of a picture; equal figures have equal bytes."""
    metadata = {
        "svg": {"Date": None, "Creator": PICTURE_MARK},
        "png": {"Software": PICTURE_MARK},
        "pdf": {"CreationDate": None, "Creator": PICTURE_MARK},
    }[kind]
    buffer = io.BytesIO()
    with matplotlib.rc_context(RC):
        figure.savefig(buffer, format=kind, dpi=style.dpi if kind == "png" else 72, metadata=metadata)
    if kind != "svg":
        return buffer.getvalue()
    # a viewer may smooth an image of few cells; to be seen as cells it has to be told not to
    head, _, rest = buffer.getvalue().decode().partition("<svg")
    return f"{head}<!-- {PICTURE_MARK} -->\n<svg{rest}".encode()


def remove_pictures(stem):
    for kind in FORMATS:
        if has_mark(f"{stem}.{kind}", PICTURE_MARK):
            os.unlink(f"{stem}.{kind}")
