"""Round `configs`: whatever stands in a config is taken or refused, with a message that names the file.

A valid config is damaged as a tree (other types, huge numbers, words of other keys, long labels, large repeats, deep
nesting) and as text (bits, bytes, tokens, duplicate keys, an end too soon).
"""

import collections
import json
import pathlib
import random
import re

from experiments import draw_experiment
from run import DIVERGED, DONE, FAILED, IO, REFUSED, Failure, Outcome, Program, run

NUMBERS = (
    *("0", "-0", "-1", "1", "2", "3.5", "1e-320", "1e300", "-1e308", "1e999", "1e-999", "0.1e1", "007", "+1", ".5"),
    *("100000", "1000000", "1048576", "16777216", "999999999", "2147483648", "4294967297", "9007199254740993"),
    *("18446744073709551616", "1" * 400, "1e" + "9" * 30, "0." + "3" * 3000, "NaN", "Infinity", "0x10", "1e", "-"),
)
TEXTS = (
    *("", " ", "\x1b[31mred\x1b[0m", "a\nb", "\u009b31m", "\u202e", "é\u0301"),
    *("../../x", "%s%n", "<svg/onload=x>", "/"),
)
VALUES = (
    *(None, True, False, 0, -1, 1, 1.5, 1e300, "", "x", [], [[]], {}),
    *({"kind": "x"}, {"comment": 1}, [None], [1, "a"]),
)
LONG = (300, 70000)  # characters of a label
DEEP = (3, 60, 70, 100000)  # levels
COPIES = (2, 5000, 1048576, 1 << 53)
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[-+.\w]+|[][{}:,]')
NUMBER = re.compile(r"-?\d[-+.\deE]*")
# A run of what was mutated is made where it is this small.
MOST_PARAMETERS, MOST_SAMPLES, MOST_NODES = 20000, 3000, 300


def case(program: Program, rng: random.Random, directory: pathlib.Path, counts: collections.Counter) -> None:
    config = draw_experiment(program, rng, directory)
    words = vocabulary(program.kinds)
    plan = rng.choice(("mild", "mild", "mild", "tree", "text", "bytes", "all"))
    if plan in ("mild", "tree", "all"):
        for _ in range(rng.choice([1, 1, 2, 4])):
            rng.choice(MILD if plan == "mild" else TREE)(config, rng, words)
    text = json.dumps(config, indent=rng.choice([None, 1]), ensure_ascii=rng.random() < 0.5)
    if plan in ("text", "all"):
        for _ in range(rng.choice([1, 1, 2, 5])):
            text = rng.choice(TEXT)(text, rng)
    content = text.encode(errors="surrogatepass")
    if plan in ("bytes", "all"):
        content = rng.choice(BYTES)(content, rng)
    (directory / "config.json").write_bytes(content)
    counts[plan] += 1
    outcome = call(program, directory, "check", "config.json")
    counts["refused" if outcome.status else "accepted"] += 1
    expanded = call(program, directory, "check", "config.json", "--expand")
    if outcome.status != expanded.status:
        raise Failure(f"check ends with {outcome.status}, with --expand with {expanded.status}")
    if outcome.status == DONE and is_small(outcome.stdout.decode()):
        use(program, rng, directory)
        counts["run"] += 1


def call(program: Program, directory: pathlib.Path, *arguments: str, allowed=(DONE, FAILED, REFUSED, IO)) -> Outcome:
    outcome = run(program, directory, *arguments, allowed=allowed)
    if outcome.status == FAILED and b"memory" not in outcome.stderr:
        raise Failure(f"{outcome.call()}: exit status 1, not for want of memory")
    named = (b"config.json", bytes(directory), *data_path(directory))
    if outcome.status in (FAILED, REFUSED, IO) and not any(name in outcome.stderr for name in named):
        raise Failure(f"{outcome.call()}: exit status {outcome.status}, the message names no file")
    return outcome


def data_path(directory: pathlib.Path) -> list[bytes]:
    """What the config calls its files, where it can be read: they may be elsewhere by now."""
    try:
        data = json.loads((directory / "config.json").read_bytes())["data"]
        return [str(data[key]).encode() for key in ("path", "test_path") if data.get(key)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def use(program: Program, rng: random.Random, directory: pathlib.Path) -> None:
    """One step of training, or another verb."""
    verbs = (
        ("train", "config.json", "--out", "run", "--set", "train.steps=1", rng.choice(["-q", "--json"])),
        ("cells", "config.json", "--seeds", "2", "--out", "sweep"),
        ("gradcheck", "config.json"),
    )
    allowed = (DONE, FAILED, REFUSED, DIVERGED, IO)
    arguments = rng.choice(verbs)
    if arguments[0] == "gradcheck":  # exit status 1 is its verdict there
        run(program, directory, *arguments, allowed=allowed)
    else:
        call(program, directory, *arguments, allowed=allowed)


def is_small(table: str) -> bool:
    """By what `check` prints."""
    parameters = re.search(r"^parameters +(\d+)", table, re.MULTILINE)
    samples = re.search(r"^samples +(\d+) train, (\d+) test", table, re.MULTILINE)
    if not parameters or not samples or table.count("\n") > MOST_NODES:
        return False
    n_samples = max(int(n) for n in samples.groups())
    return int(parameters[1]) <= MOST_PARAMETERS and n_samples <= MOST_SAMPLES


def vocabulary(kinds: dict) -> list[str]:
    """Kinds and keys of everything."""
    words = {word for choice in kinds.values() for kind, keys in choice.items() for word in (kind, *keys)}
    return sorted(words | set(kinds))


# ---- mutations of the tree


def places(value) -> list[tuple]:
    """(container, key) of everything in it."""
    found, rest = [], [value]
    while rest:
        container = rest.pop()
        keys = container if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], (dict, list)):
                rest.append(container[key])
    return found


def objects(config: dict) -> list[dict]:
    return [config] + [container[key] for container, key in places(config) if isinstance(container[key], dict)]


def pick(config: dict, rng: random.Random) -> tuple:
    return rng.choice(places(config) or [({"": 0}, "")])


def scale_number(config: dict, rng: random.Random, _words: list[str]) -> None:
    """Mostly what is allowed still."""
    numbers = [place for place in places(config) if type(place[0][place[1]]) in (int, float)]
    if numbers:
        container, key = rng.choice(numbers)
        container[key] *= rng.choice([0, 0.5, 2, 3, 10])
        if rng.random() < 0.8:
            container[key] = round(container[key], 2) if container[key] % 1 else int(container[key])


def change_kind(config: dict, rng: random.Random, _words: list[str]) -> None:
    """Of an activation, an init, an op ...: that of another place.  The keys of the old one stay."""
    for name in rng.sample(("kind", "op"), 2):
        chosen = [place for place in objects(config) if name in place]
        if chosen:
            rng.choice(chosen)[name] = rng.choice(chosen)[name]
            return


def remove_key(config: dict, rng: random.Random, _words: list[str]) -> None:
    place = rng.choice(objects(config))
    if place:
        del place[rng.choice(sorted(place))]


def change_type(config: dict, rng: random.Random, _words: list[str]) -> None:
    container, key = pick(config, rng)
    container[key] = json.loads(json.dumps(rng.choice(VALUES)))


def change_word(config: dict, rng: random.Random, words: list[str]) -> None:
    container, key = pick(config, rng)
    container[key] = rng.choice(words)


def change_text(config: dict, rng: random.Random, _words: list[str]) -> None:
    texts = [place for place in places(config) if isinstance(place[0][place[1]], str)]
    container, key = rng.choice(texts) if texts else pick(config, rng)
    container[key] = rng.choice(TEXTS)


def add_word(config: dict, rng: random.Random, words: list[str]) -> None:
    rng.choice(objects(config))[rng.choice([*words, *TEXTS])] = rng.choice([*VALUES, *words])


def remove(config: dict, rng: random.Random, _words: list[str]) -> None:
    container, key = pick(config, rng)
    del container[key]


def move(config: dict, rng: random.Random, _words: list[str]) -> None:
    """A value to the place of another; a copy, since what holds itself is no tree."""
    container, key = pick(config, rng)
    value = json.loads(json.dumps(container[key]))
    container, key = pick(config, rng)
    container[key] = value


def nest(config: dict, rng: random.Random, _words: list[str]) -> None:
    container, key = pick(config, rng)
    for _ in range(rng.choice(DEEP[:3])):
        value = container[key]
        container[key] = rng.choice([[value], {"kind": value}, {"repeat": 2, "layers": [value]}])


def label(config: dict, rng: random.Random, _words: list[str]) -> None:
    rng.choice(objects(config))[rng.choice(["label", "name"])] = rng.choice("aé\x1b.") * rng.choice(LONG)


def repeat(config: dict, rng: random.Random, _words: list[str]) -> None:
    network = config.get("network")
    layers = network.get("layers") if isinstance(network, dict) else None
    if not isinstance(layers, list):
        layers = [{"op": "relu", "label": "x" * rng.choice(LONG)}, {"op": "linear", "units": 2}]
    for _ in range(rng.choice([1, 1, 2, 20])):
        layers = [{"repeat": rng.choice(COPIES), "layers": layers}]
    config["network"] = {"layers": layers}


# ---- mutations of the text


def span(size: int, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(size + 1)
    return start, min(size, start + rng.choice([1, 1, 3, 20, 300]))


def cut_text(text: str, rng: random.Random) -> str:
    start, end = span(len(text), rng)
    return text[:start] + text[end:]


def double_text(text: str, rng: random.Random) -> str:
    start, end = span(len(text), rng)
    return text[:end] + text[start:]


def truncate(text: str, rng: random.Random) -> str:
    return text[: rng.randrange(len(text) + 1)]


def swap_tokens(text: str, rng: random.Random) -> str:
    tokens = list(TOKEN.finditer(text))
    if len(tokens) < 2:
        return text
    a, b = sorted(rng.sample(range(len(tokens)), 2))
    a, b = tokens[a], tokens[b]
    return text[: a.start()] + b.group() + text[a.end() : b.start()] + a.group() + text[b.end() :]


def change_number(text: str, rng: random.Random) -> str:
    found = list(NUMBER.finditer(text))
    if not found:
        return text
    number = rng.choice(found)
    return text[: number.start()] + rng.choice(NUMBERS) + text[number.end() :]


def double_key(text: str, rng: random.Random) -> str:
    """A member of an object once more, with another value."""
    found = list(re.finditer(r'"\w+": ', text))
    if not found:
        return text
    key = rng.choice(found)
    return text[: key.start()] + key.group() + rng.choice(NUMBERS) + ", " + text[key.start() :]


def nest_text(text: str, rng: random.Random) -> str:
    at = rng.choice([number.start() for number in NUMBER.finditer(text)] or [len(text)])
    depth, bracket = rng.choice(DEEP), rng.choice(["[", '{"kind":'])
    return text[:at] + bracket * depth + text[at:]


def add_tail(text: str, rng: random.Random) -> str:
    return text + rng.choice(["}", ",", "\0", "{}", "// x", " " * 100000, "\x1b[2J"])


# ---- mutations of the bytes


def flip_bits(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice([1, 2, 10])):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def insert_bytes(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    added = rng.choice([rng.randbytes(3), b"\xff", b"\0", b"\x1b[1m", b"\xed\xa0\x80", b"\xc2\x9b"])
    return content[:at] + added + content[at:]


def encode(content: bytes, rng: random.Random) -> bytes:
    text = content.decode(errors="replace")
    return rng.choice([b"\xef\xbb\xbf" + content, text.encode("utf-16"), content.replace(b"\n", b"\r\n"), b""])


MILD = (scale_number, scale_number, scale_number, change_kind, remove_key)
TREE = (change_type, change_type, change_word, change_text, add_word, remove, move, nest, label, repeat)
TEXT = (cut_text, double_text, truncate, swap_tokens, change_number, change_number, double_key, nest_text, add_tail)
BYTES = (flip_bits, insert_bytes, encode)
