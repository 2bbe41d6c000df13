"""Broken programs, each a script in front of the true one that misbehaves now and then: every round has to see them."""

import dataclasses
import pathlib
import shlex

from run import Program

# In a shell, with `out` the last DIR of --out; on every third call.
BREAKS = {
    "crash": "kill -SEGV $$",
    "hang": "exec sleep 600",
    "escape": "printf 'a \\033[31mred word\\n' >&2",
    "report": "echo 'x.c:1:1: runtime error: index 9 out of bounds' >&2",
    "byte": '"$program" "$@"; status=$?; [[ ! -f $out/loss.csv ]] || sed -i "\\$s/[0-9]/x/" "$out/loss.csv"\n'
    "    exit $status",
    "mute": "exit 2",
    "outside": "echo more >>outside/mine.txt",
    "failure": "echo 'skipnet: something is odd' >&2; exit 1",
}
# What a round must see: what a run does to itself, and what the round alone looks for.
EVERYWHERE = ("crash", "hang", "escape", "report", "mute")
ALONE = {
    "valid": ("byte", "failure"),
    "configs": ("failure",),
    "directories": ("outside", "byte"),
    "signals": ("byte", "failure"),
}

SCRIPT = """#!/usr/bin/env bash
program={program} counter={counter} out= before=
for word; do
    [[ $before != --out ]] || out=$word
    before=$word
done
n=$(($(cat "$counter" 2>/dev/null || echo 0) + 1))
echo $n >"$counter"
if ((n % 3 == 0)); then
    {action}
fi
exec "$program" "$@"
"""


def plant(program: Program, name: str, directory: pathlib.Path) -> Program:
    """The program with a break, which is in that directory."""
    script, counter = directory / f"{name}.sh", directory / f"{name}.calls"
    counter.unlink(missing_ok=True)
    words = {"program": shlex.quote(program.path), "counter": shlex.quote(str(counter)), "action": BREAKS[name]}
    script.write_text(SCRIPT.format(**words))
    script.chmod(0o755)
    timeout = min(program.timeout, 5) if name == "hang" else program.timeout
    return dataclasses.replace(program, path=str(script), timeout=timeout)


def breaks_of(kind: str) -> tuple[str, ...]:
    return (*EVERYWHERE, *ALONE[kind])
