"""What a config may say, by the program itself: the kinds of every choice and their keys, out of `skipnet schema`.

What is written in Python beside the program must not lag behind it: claim() fails by name.
"""

import json
import subprocess


class UnknownWord(Exception):
    """The program has a word that a file here does not know."""


def read_kinds(skipnet):
    """{choice: {kind: {key: schema of its value}}}, such as ["activation"]["leaky_relu"]["slope"].

    Kinds that go by a key of their own (a layer list, a repeat) are no words and left out.
    """
    schema = subprocess.run([skipnet, "schema"], check=True, capture_output=True, text=True).stdout
    choices = {}
    for choice, definition in json.loads(schema)["$defs"].items():
        rows = [row for form in definition.get("anyOf", []) for row in form.get("allOf", [])]
        choices[choice] = dict(_kind_of(row) for row in rows if "properties" in row["if"])
    return choices


def _kind_of(row):
    """A row {"if": {"properties": {"kind": {"const": NAME}}}, "then": {"properties": ...}}."""
    ((discriminator, named),) = row["if"]["properties"].items()
    keys = {key: value for key, value in row["then"]["properties"].items() if key != discriminator}
    return named["const"], keys


def claim(file, what, words, known):
    """Raises UnknownWord unless all `words`, those of the program, are among the `known` ones of a file."""
    unknown = [word for word in words if word not in known]
    if unknown:
        raise UnknownWord(f"tests/pytorch/{file} does not know the program's {what} {', '.join(unknown)}: add it there")
