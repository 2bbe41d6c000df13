"""Starts the program, with a limit of time and of memory, and says what no run of it may do."""

import dataclasses
import os
import pathlib
import re
import shlex
import signal
import subprocess
import threading

DONE, FAILED, REFUSED, DIVERGED, IO = 0, 1, 2, 3, 4  # exit statuses
MEMORY = 4 << 30  # bytes of address space
# A sanitizer's own shadow is beyond any such limit; it looks at the resident part by itself.
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:hard_rss_limit_mb=4096"
    ":allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}
REPORTS = (b"Sanitizer", b"runtime error:", b"something wrote")
# C0 but for tab and newline, DEL, and C1 as UTF-8 has it.
CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")


class Failure(Exception):
    """What a run did that none may do."""


@dataclasses.dataclass(frozen=True)
class Program:
    path: str
    is_sanitized: bool
    timeout: float  # seconds that nothing takes here: a hang
    kinds: dict  # what a config may say, see tests/pytorch/words.py
    schema: dict  # what `skipnet schema` prints
    shim: str | None  # the library that lets calls of the system fail


@dataclasses.dataclass(frozen=True)
class Outcome:
    arguments: tuple
    status: int  # negative: ended by that signal
    stdout: bytes
    stderr: bytes

    def call(self) -> str:
        return shlex.join(["skipnet", *self.arguments])


RUNNING: set[subprocess.Popen] = set()
running_lock = threading.Lock()  # held for good once all is to end: then nobody begins a call or judges one


def start(program: Program, directory: pathlib.Path, arguments, environment: dict | None = None) -> subprocess.Popen:
    """Its output and messages go to files that finish() reads; the call is added to commands.txt."""
    added = dict(environment or {}, **(SANITIZERS if program.is_sanitized else {}))
    limit = [] if program.is_sanitized else ["prlimit", "--core=0", f"--as={MEMORY}"]
    with open(directory / "commands.txt", "a") as commands:
        words = [f"{name}={value}" for name, value in (environment or {}).items()]
        print(shlex.join([*words, "skipnet", *arguments]), file=commands)
    with open(directory / "stdout.txt", "wb") as out, open(directory / "stderr.txt", "wb") as messages, running_lock:
        process = subprocess.Popen(
            [*limit, program.path, *arguments],
            cwd=directory,
            env={**os.environ, **added},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=messages,
            start_new_session=True,
        )
        RUNNING.add(process)
        return process


def end_all() -> None:
    """For a signal: no call goes on, and none begins any more."""
    running_lock.acquire(timeout=0.5)
    for process in RUNNING:
        end_group(process)


def forget(process: subprocess.Popen) -> None:
    with running_lock:
        RUNNING.discard(process)


def end_group(process: subprocess.Popen) -> None:
    """The program, and where a script stands in its place what that has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def finish(program: Program, process: subprocess.Popen, directory: pathlib.Path, arguments) -> Outcome:
    try:
        process.wait(timeout=program.timeout)
    except subprocess.TimeoutExpired:
        end_group(process)
        forget(process)
        raise Failure(f"hangs, {program.timeout:g} s: {shlex.join(['skipnet', *arguments])}") from None
    forget(process)
    out, messages = (directory / "stdout.txt").read_bytes(), (directory / "stderr.txt").read_bytes()
    outcome = Outcome(tuple(arguments), process.returncode, out, messages)
    check_manners(outcome)
    return outcome


def check_manners(outcome: Outcome) -> None:
    """No sanitizer has something to say, and no terminal is told to do something."""
    for report in REPORTS:
        if report in outcome.stderr:
            raise Failure(f"{outcome.call()}: {report.decode()} on stderr")
    for stream, text in (("stdout", outcome.stdout), ("stderr", outcome.stderr)):
        found = CONTROL.search(text)
        if found:
            raise Failure(f"{outcome.call()}: the control character {found.group()!r} on {stream}")


def run(program: Program, directory: pathlib.Path, *arguments: str, allowed=(DONE,), environment=None) -> Outcome:
    """One call to its end; raises Failure unless its exit status is allowed and, where it is not 0, has a reason."""
    process = start(program, directory, arguments, environment)
    outcome = finish(program, process, directory, arguments)
    if outcome.status not in allowed:
        told = outcome.stderr.decode(errors="replace").strip().split("\n")[-1]
        raise Failure(f"{outcome.call()}: exit status {outcome.status}: {told}")
    if outcome.status != DONE and not outcome.stderr.strip():
        raise Failure(f"{outcome.call()}: exit status {outcome.status} without a message")
    return outcome
