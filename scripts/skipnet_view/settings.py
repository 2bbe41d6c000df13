"""In what runs differ: keys and the order of their values, points and runs of equal keys, and how each of them
looks."""

from dataclasses import dataclass, field

from .pen import PALETTE, entry
from .scale import digits_apart
from .failure import Failure
from .tables import is_number

SKIP = "network.skip.kind"
KINDS = ("none", "add", "concat", "highway")  # in the order of `skipnet list skips`: a colour each, always the same
MANY = 7  # values that colours of their own tell apart


def kind_first(keys):
    return sorted(keys, key=lambda key: key != SKIP)


@dataclass
class Keys:
    """The varied keys without the seed.  A value is its text, None where a run does not have the key."""

    values: dict  # key: its values in order
    labels: dict = field(default_factory=dict)  # what a key, a value or a whole label is to be called

    def __post_init__(self):
        tails = [key.rsplit(".", 1)[-1] for key in self.values]
        self.short = {key: tail if tails.count(tail) == 1 else key for key, tail in zip(self.values, tails)}
        self.places = {key: {value: i for i, value in enumerate(values)} for key, values in self.values.items()}
        self.digits = {key: digits_apart(self.numbers(key), 6) for key in self.values if self.is_numeric(key)}

    def numbers(self, key):
        return [value for value in self.values[key] if value is not None]

    def is_numeric(self, key):
        return bool(self.numbers(key)) and all(is_number(value) for value in self.numbers(key))

    def find(self, name, option):
        """A key by its name or the end of it."""
        found = [key for key in self.values if key == name or key.endswith(f".{name}")]
        if len(found) > 1:
            raise Failure(2, f"{option} {name} could be any of: {' '.join(found)}")
        if not found:
            varied = " ".join(self.values) or "none but the seed"
            raise Failure(2, f"{option} {name} is no key that varies; these do: {varied}")
        return found[0]

    def word(self, text):
        return self.labels.get(text, text)

    def key_label(self, key):
        return self.labels.get(key, self.labels.get(self.short[key], key))

    def value(self, key, value):
        if value is None:
            return "not set"
        if value not in self.labels and key in self.digits and len(value) > 8:
            return f"{float(value):.{self.digits[key]}g}"
        return self.word(value)

    def label(self, setting, keys):
        """none, depth = 10"""
        parts = []
        for key in kind_first(keys):
            if setting.get(key) is not None:
                name = "" if key == SKIP else f"{self.labels.get(key, self.word(self.short[key]))} = "
                parts.append(name + self.value(key, setting[key]))
        return self.word(", ".join(parts))

    def place(self, key, value):
        return self.places[key][value]

    def order(self, setting, keys):
        return [self.place(key, setting.get(key)) for key in keys]

    def combinations(self, settings, keys):
        """The distinct values of these keys, in order: [{key: value}]."""
        distinct = {tuple(setting.get(key) for key in keys): setting for setting in settings}
        return sorted(({key: s.get(key) for key in keys} for s in distinct.values()), key=lambda s: self.order(s, keys))


def shades(n):
    """Ordered colours, short of the lightest."""
    from matplotlib import colormaps

    return ["#%02X%02X%02X" % colormaps["viridis"](0.92 * i / max(1, n - 1), bytes=True)[:3] for i in range(n)]


def colours(keys, key, values):
    """Skip kinds have their own, few values colours that differ, many an order of shades."""
    if key == SKIP:
        rest = iter(PALETTE[len(KINDS) :] * len(values))
        return [PALETTE[KINDS.index(value)] if value in KINDS else next(rest) for value in values]
    if len(values) > MANY or len(values) > 4 and key and keys.is_numeric(key):
        return shades(len(values))
    return list(PALETTE[: len(values)])


@dataclass
class Look:
    colour: str
    mark: int
    shift: float = 0.0


def looks(keys, settings, varied):
    """How points look: the colour is the skip kind, else the first key; marker and dash are the combination of the
    others, or, without any, go with the colour.  Returns {label: (setting's Look)} by the order of the settings.
    """
    varied = [key for key in varied if len({setting.get(key) for setting in settings}) > 1]
    if not varied:
        return [Look(PALETTE[i % len(PALETTE)], i) for i in range(len(settings))]
    first = SKIP if SKIP in varied else varied[0]
    rest = [key for key in varied if key != first]
    values = [value for value in keys.values[first] if any(s.get(first) == value for s in settings)]
    ink = dict(zip(values, colours(keys, first, values)))
    others = keys.combinations(settings, rest)
    found = []
    for setting in settings:
        mark = others.index({key: setting.get(key) for key in rest}) if rest else values.index(setting.get(first))
        found.append(Look(ink[setting.get(first)], mark))
    for i, look in enumerate(found):
        look.shift = 0.6 * (i / (len(found) - 1) - 0.5) if len(found) > 1 else 0.0
    return found


def look_entries(labels, found, dashes=True):
    return [entry(label, look.colour, look.mark, look.mark if dashes else 0) for label, look in zip(labels, found)]
