"""Pictures of a comparison: figures over a varied key, gradients over depth, maps over two keys."""

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.collections import PolyCollection

from .failure import Failure, tell
from .pen import BAD, GREY, Axis, Curve, Panel, Picture, entry, text_width
from .run_pictures import FRACTIONS, arrange, band_words, cell_colours, cell_entries, heights_of, kind_of, paint_cells
from .scale import Scale, decade_ticks, digits_apart, round_ticks, to_decades, wants_decades
from .settings import SKIP, Look, kind_first, look_entries, looks, shades
from .tables import heights

TRAIN_TEST = "training set", "test set"
START_END = "step 0", "last update"
OVER_X = {  # picture: (title, label of y, kind, metrics, what they are)
    "loss": ("Final loss", "loss (mean over samples)", "auto", ("train_loss", "test_loss"), TRAIN_TEST),
    "accuracy": ("Final accuracy", "accuracy", "share", ("train_accuracy", "test_accuracy"), TRAIN_TEST),
    "delta": (
        *("Gradient at the first layer", "delta_rms of the first hidden layer", "decades"),
        *(("log10_delta_first_start", "log10_delta_first_end"), START_END),
    ),
    "ratio": (
        *("First over last layer: delta_rms", "delta_rms, first / last hidden layer", "decades"),
        *(("log10_delta_ratio",), START_END[1:]),
    ),
    "frozen": (
        *("Frozen layers", "share of hidden layers that are frozen", "share"),
        *(("frozen_share_start", "frozen_share_end"), START_END),
    ),
}
MAPS = {  # metric: (title, kind)
    "frozen_share_end": ("Frozen layers at the last update, share of the hidden ones", "share"),
    "stalled_frac_end": ("Stalled weights at the last update, share of all", "share"),
    "log10_delta_ratio": ("log10 of delta_rms at the last update, first over last hidden layer", "decades"),
    "train_loss": ("Training loss", "auto"),
}
MOST_LOOKS, MOST_PANELS, FEW_POINTS, MOST_SHADES, MOST_ROWS, MOST_MAPS = (24, 6, 8, 8, 6, 12)


# ---- which key goes where ----


def ends_first(ticks):
    return [*ticks[:1], *ticks[:0:-1][:1], *ticks[1:-1]]


@dataclass
class XAxis:
    """The varied key on x; key None: there is none."""

    key: str
    is_log: bool
    axis: Axis

    def place(self, setting, keys, slot):
        if self.axis.is_words:
            return (keys.place(self.key, setting[self.key]) if self.key else 0) + slot
        return math.log10(float(setting[self.key])) if self.is_log else float(setting[self.key])


def choose_x(comparison, name):
    """Numbers that are too close together, or too far from each other, for an axis stand at their places like words."""
    keys = comparison.keys
    key = keys.find(name, "--x") if name else next(iter([*comparison.axes, *keys.values]), None)
    label = keys.key_label(key) if key else ""
    if key and keys.is_numeric(key):
        texts = keys.numbers(key)
        at = [float(text) for text in texts]
        is_log = min(at) > 0 and max(at) / 10 >= min(at)
        at = [math.log10(n) if is_log and math.isfinite(n) else n for n in at]
        size, gap = max(map(abs, at)), min((b - a for a, b in zip(at, at[1:])), default=math.inf)
        if len(at) < 2 or gap > 1e-6 * size and size < 1e100 and (is_log or size > 1e-100):
            room = (at[-1] - at[0]) * 0.05 or abs(at[0]) or 1.0
            ticks = ends_first([(place, keys.value(key, text)) for place, text in zip(at, texts)])
            return XAxis(key, is_log, Axis(label, at[0] - room, at[-1] + room, ticks))
    texts = [keys.value(key, value) for value in keys.values[key]] if key else ["all runs"]
    return XAxis(key, False, Axis(label, -0.6, len(texts) - 0.4, ends_first(list(enumerate(texts))), is_words=True))


class Arrangement:
    """Skip kinds have a colour each and combinations of the other keys a panel each; with more than six combinations,
    or one skip kind only, it is the other way round; with --by the panels are made of that key.
    """

    def __init__(self, comparison, options):
        keys = comparison.keys
        self.keys, self.x = keys, choose_x(comparison, options.x)
        self.points = [p for p in comparison.points if self.x.axis.is_words or p[0][self.x.key] is not None]
        self.n_left_out = len(comparison.points) - len(self.points)
        settings = [setting for setting, _ in self.points]
        if not settings:
            what = f" and a number for {self.x.key}" if self.x.key else ""
            raise Failure(2, f"{comparison.path}/summary.csv: no point has a finished run{what}")
        self.rest = kind_first(key for key in keys.values if key != self.x.key)
        kinds, others = [key for key in self.rest if key == SKIP], [key for key in self.rest if key != SKIP]
        n_kinds, n_others = len(keys.combinations(settings, kinds)), len(keys.combinations(settings, others))
        if options.by:
            self.panel_keys = [keys.find(options.by, "--by")]
            self.colour_keys = [key for key in self.rest if key not in self.panel_keys]
        elif n_kinds > 1 and n_others <= MOST_PANELS or n_others == 1:
            self.panel_keys, self.colour_keys = others, kinds
        else:
            self.panel_keys, self.colour_keys = kinds, others
        self.panels = keys.combinations(settings, self.panel_keys)
        self.colours = keys.combinations(settings, self.colour_keys)
        self.looks = looks(keys, self.colours, self.colour_keys)
        if len(self.colours) > MOST_LOOKS:
            ink, n = shades(MOST_LOOKS), len(self.colours)
            self.looks = [Look(ink[i * MOST_LOOKS // n], 0, look.shift) for i, look in enumerate(self.looks)]

    def tell_left_out(self, path):
        if self.n_left_out:
            tell(f"{path}/summary.csv: {self.n_left_out} points without {self.x.key} are not drawn over it")

    def entries(self):
        first, last = self.looks[0], self.looks[-1]
        if len(self.colours) > MOST_LOOKS:
            words = "first combination of the other keys", "last"
            return [entry(text, look.colour, "", 0) for text, look in zip(words, (first, last))]
        labels = [self.keys.label(setting, self.colour_keys) or "all" for setting in self.colours]
        return look_entries(labels, self.looks, False) if len(self.colours) > 1 else []


# ---- over x ----


def curve_of(points, metric, look, variant, band, convert):
    """What a seed that diverged measured last is no result and belongs to no curve, but marked; of step 0, before
    that, the median stands.  The second metric has dashes and open marks.  points: (x, Figure, whether its count is
    told)."""
    curve = Curve([], [], look.colour, [], [], look.mark, variant, variant == 1, shift=look.shift, lost=[], broken=[])
    is_start = metric.endswith("_start")
    for x, figure, is_told in sorted(points, key=lambda point: point[0]):
        centre, low, high = (float(part) for part in convert(figure.curve(band)))
        if figure.n_diverged and not (is_start and band == "range"):
            text = f"{figure.n_diverged}/{figure.n_runs}" if is_told or is_start else ""
            if is_start and math.isfinite(centre):
                curve.broken.append((x, centre, text))
            else:
                curve.lost.append((x, text))
            centre = math.nan
        if figure.n_runs < 2 or math.isnan(centre):
            low = high = math.nan
        for part, value in ((curve.x, x), (curve.y, centre), (curve.low, low), (curve.high, high)):
            part.append(value)
    return curve


def curves_over_x(arrangement, metrics, options, convert):
    """A list of curves for each panel; where words stand on x, colours and metrics stand side by side."""
    a, found = arrangement, {}
    n = len(metrics) * len(a.colours)
    is_first_lost = not metrics[0].endswith("_start") or options.band == "ci95"
    for setting, figures in a.points:
        p = a.panels.index({key: setting[key] for key in a.panel_keys})
        c = a.colours.index({key: setting[key] for key in a.colour_keys})
        for v, metric in enumerate(metrics):
            if metric in figures:
                slot = (c * len(metrics) + v - (n - 1) / 2) * min(0.1, 0.7 / n)
                is_told = v == 0 or metrics[0] not in figures or not is_first_lost
                point = (a.x.place(setting, a.keys, slot), figures[metric], is_told)
                found.setdefault((p, c, v), []).append(point)
    panels = [[] for _ in a.panels]
    for (p, c, v), points in sorted(found.items()):
        panels[p].append(curve_of(points, metrics[v], a.looks[c], v, options.band, convert))
    return panels


def extent(curves, kind):
    """Heights for the scale: no axis below zero, and no floor, for the sake of an interval."""
    y = heights_of([Curve(c.x, c.y, "", None, c.high) for c in curves])
    low = np.concatenate([np.asarray(c.low, float) for c in curves if c.low is not None] + [[]])
    if kind == "decades":
        low = low[low > -700]
    elif not (y < 0).any():
        low = np.maximum(low, 0)
    return np.concatenate([y, low, [height for c in curves for _, height, _ in c.broken]])


def has_diverged(comparison):
    return any(figure.n_diverged for _, figures in comparison.points for figure in figures.values())


def over_x(comparison, name, parts, options):
    """[Picture]; nothing where nothing was measured."""
    title, label, kind, metrics, words = parts
    a, keys = Arrangement(comparison, options), comparison.keys
    shown = {metric: word for metric, word in zip(metrics, words) if any(metric in f for _, f in a.points)}
    convert = np.asarray
    if kind == "auto":
        known = [f[m].median for _, f in a.points for m in shown if m in f and not f[m].n_diverged]
        kind = kind_of(name, np.array(known)) if name in metrics else "decades" if wants_decades(known) else "linear"
        convert = to_decades if kind == "decades" else np.asarray
    panels = curves_over_x(a, list(shown), options, convert) if shown else []
    curves = [curve for panel in panels for curve in panel]
    lost = any(curve.lost for curve in curves)
    if not lost and not any(curve.broken or not np.isnan(curve.y).all() for curve in curves):
        return []
    titles = [keys.label(panel, a.panel_keys) if len(a.panels) > 1 or options.by else "" for panel in a.panels]
    panels = [Panel(text, part, a.x.axis) for text, part in zip(titles, panels)]
    columns = len(panels) if len(panels) < 4 else min(3, (len(panels) + 1) // 2)
    title += f" over {keys.key_label(a.x.key)}" if a.x.key else ""
    picture = Picture(name, title, "", panels, Scale(kind, extent(curves, kind), lost), keys.word(label))
    picture.caption = band_words(comparison.n_seeds, options.band, "One run a point (n = 1): no band.")
    picture.caption += " Cross: diverged (k of n runs)." if has_diverged(comparison) else ""
    picture.size = ({1: 7.0, 2: 5.0}.get(columns, 3.7), 3.9 if columns == len(panels) else 3.1)
    picture.entries, picture.sources = a.entries(), "summary.csv"
    if len(shown) > 1:
        picture.entries += [entry(keys.word(word), GREY, "o", v, v == 1) for v, word in enumerate(shown.values())]
    arrange(picture, columns, curves, options.band)
    if lost or any(curve.broken for curve in curves):
        picture.entries.append(entry("diverged", kind="cross"))
    return [picture]


def metric_over_x(comparison, metric, options):
    """Any metric of summary.csv."""
    kind = "decades" if metric.startswith("log10_") else "auto"
    return over_x(comparison, metric, (metric, metric, kind, (metric,), (metric,)), options)


# ---- gradients over depth ----


def evenly(items, n):
    """n of them, the first and the last among them."""
    if len(items) <= n:
        return list(items)
    return [items[round(i * (len(items) - 1) / max(1, n - 1))] for i in range(n)]


def profile_rows(a):
    """(titles of rows, {point: (row, Look)}, entries, how many curves there are): few points share one row, coloured by
    kind, marked by the other keys; of more, each curve of the other pictures has a row, coloured by x.
    """
    keys, settings = a.keys, [setting for setting, _ in a.points]
    if len(settings) <= FEW_POINTS:
        found = looks(keys, settings, list(keys.values))
        labels = [keys.label(setting, keys.values) for setting in settings]
        entries = look_entries(labels, found) if len(settings) > 1 else []
        return ([""], {tuple(s.values()): (0, look) for s, look in zip(settings, found)}, entries, 0)
    others = [key for key in a.rest if key != SKIP]
    n_kinds = len(keys.combinations(settings, [key for key in a.rest if key == SKIP]))
    kept = evenly(keys.combinations(settings, others), max(1, 2 * MOST_ROWS // n_kinds))
    inside = [s for s in settings if {key: s[key] for key in others} in kept]
    values = [value for value in keys.values[a.x.key] if any(s[a.x.key] == value for s in inside)]
    shown = evenly(values, MOST_SHADES)
    inside = [s for s in inside if s[a.x.key] in shown]
    rows = keys.combinations(inside, a.rest)
    found = [Look(colour, i) for i, colour in enumerate(shades(len(shown)))]
    points = {}
    for s in inside:
        points[tuple(s.values())] = (rows.index({key: s[key] for key in a.rest}), found[shown.index(s[a.x.key])])
    entries = look_entries([keys.label({a.x.key: value}, [a.x.key]) for value in shown], found)
    return ([keys.label(row, a.rest) for row in rows], points, entries, len(keys.combinations(settings, a.rest)))


def read_layers(comparison, points, band):
    """{(row, is_last): [Curve]} of log10 delta_rms, and the last steps."""
    found, steps = {}, set()
    centre = ("mean", "ci95_low", "ci95_high") if band == "ci95" else ("median", "min", "max")
    names = ("step", "depth_frac", "n_runs", "median", *centre)
    for setting, line, cells in comparison.rows("layers.csv", names):
        point = tuple(setting.values())
        if point in points:
            step, x, n, median, y, *ends = heights(f"{comparison.path}/layers.csv", line, names, cells)
            steps |= {step} if step > 0 else set()
            ends = ends if n > 1 else (math.nan, math.nan)
            found.setdefault((point, step > 0), []).append((x, median if math.isnan(y) else y, *ends))
    curves = {}
    for (point, is_last), rows in found.items():
        row, look = points[point]
        x, y, low, high = zip(*rows)
        how = {"mark": look.mark, "dash": look.mark, "is_dense": True, "shift": look.shift}
        curves.setdefault((row, is_last), []).append(Curve(x, y, look.colour, low, high, **how))
    return curves, steps


def profiles(comparison, options):
    a = Arrangement(comparison, options)
    titles, points, entries, n_curves = profile_rows(a)
    drawn, steps = read_layers(comparison, points, options.band)
    curves = [curve for part in drawn.values() for curve in part]
    if not curves:
        return
    scale = Scale("decades", extent(curves, "decades"))
    last = f"step {steps.pop():g}, the last update" if len(steps) == 1 else "last update"
    axis = Axis("depth (0 = first hidden layer, 1 = last)", -0.02, 1.02, FRACTIONS)
    text = "delta_rms. " + band_words(comparison.n_seeds, options.band, "One run a point (n = 1).")
    if len(titles) < n_curves:
        text += f" {len(titles)} of {n_curves} curves over {comparison.keys.key_label(a.x.key)}."
    text += " Diverged runs as last measured." if has_diverged(comparison) else ""
    for first in range(0, len(titles), MOST_ROWS):
        panels = [
            Panel(f"{titles[row]}: {when}" if titles[row] else when, drawn.get((row, is_last), []), axis)
            for row in range(first, min(len(titles), first + MOST_ROWS))
            for is_last, when in ((False, "step 0"), (True, last))
        ]
        name = f"profiles-{first // MOST_ROWS + 1}" if first else "profiles"
        picture = Picture(
            name, "Gradient over depth", text, panels, scale, "delta_rms", list(entries), sources="layers.csv"
        )
        picture.size = (4.4, 2.9)
        yield arrange(picture, 2, curves, options.band)


# ---- maps ----


def map_bar(points, metric, kind):
    """(kind, (low, high, ticks, label)) of the colours of a metric, the same in all maps; None without a finite
    value."""
    values = np.array([f[metric].median for _, f in points if metric in f and not f[metric].n_diverged])
    is_converted = kind == "auto" and wants_decades(values)
    values = to_decades(values) if is_converted else values
    kind = "converted" if is_converted else "linear" if kind == "auto" else kind
    values = values[np.isfinite(values) & (abs(values) < (700 if kind in ("decades", "converted") else math.inf))]
    if not values.size:
        return None
    low, high = (0.0, 1.0) if kind == "share" else (values.min(), values.max())
    size = max(abs(low), abs(high))
    high = high if high / 2 - low / 2 > size * 5e-7 else low + max(size, 1.0)
    ticks = decade_ticks(math.ceil(low), math.floor(high)) if is_converted else round_ticks(low, high)
    return kind, (low, high, ticks, "")


def cell_digits(values):
    """The fewest whose last place, of the largest value, is at most a fifth of the span; two to four."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite or max(finite) <= min(finite):
        return 2
    place = math.floor(math.log10(max(map(abs, finite)))) + 1
    return next((n for n in (2, 3) if 10.0 ** (place - n) <= max(finite) / 5 - min(finite) / 5), 4)


def cell_text(figure, digits):
    value = figure.median
    if figure.n_diverged:
        return f"{figure.n_diverged}/{figure.n_runs}"
    if not math.isfinite(value):
        return "" if math.isnan(value) else "-inf" if value < 0 else "nan"
    return f"{value:.0e}" if value and abs(value) < 0.01 else f"{value:.{digits}g}"


def map_panel(title, kind, bar, cells, axes_of, digits):
    """cells: {(column, row): Figure}; axes_of: of x and y (texts, label)."""
    (x_texts, x_label), (y_texts, y_label) = axes_of
    raw = np.array([figure.median for figure in cells.values()], float)
    y = to_decades(raw) if kind == "converted" else raw
    ink = cell_colours(y, "decades" if kind in ("decades", "converted") else "linear", *bar[:2])
    is_lost = np.array([figure.n_diverged > 0 for figure in cells.values()])
    ink[is_lost] = (0.97, 0.89, 0.835)
    is_light = ink @ (0.3, 0.59, 0.11) > 0.55

    def paint(axes, style):
        corners = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))
        squares = [[(x + dx, y + dy) for dx, dy in corners] for x, y in cells]
        axes.add_collection(PolyCollection(squares, facecolors=ink, linewidths=0))
        cross = {"color": BAD, "markersize": 1.3 * style.marker, "markeredgewidth": style.line}
        lost = [place for place, mark in zip(cells, is_lost) if mark]
        axes.plot([x for x, _ in lost], [y + 0.26 for _, y in lost], "x", **cross)
        for (x, y), figure, light in zip(cells, cells.values(), is_light):
            if len(x_texts) * len(y_texts) <= 150:
                how = {"ha": "center", "va": "center", "fontsize": 0.8 * style.font}
                axes.text(x, y, cell_text(figure, digits), color="#222222" if light else "#FFFFFF", **how)
        paint_cells(axes, list(enumerate(y_texts)), y_label, bar, style)

    return Panel(title, x=Axis(x_label, -0.5, len(x_texts) - 0.5, ends_first(list(enumerate(x_texts)))), paint=paint)


def place_texts(keys, key):
    digits = digits_apart(keys.numbers(key), 4)
    return [keys.word(v) if len(v) < 9 else f"{float(v):.{digits}g}" for v in keys.numbers(key)]


def maps(comparison, options):
    """One for each combination of the other keys, a panel for each metric; only where a quarter of the cells is
    there."""
    keys, x = comparison.keys, choose_x(comparison, options.x)
    y_key = next((axis for axis in comparison.axes if axis != x.key), None)
    if not y_key or not keys.is_numeric(x.key):
        return
    both = (x.key, y_key)
    points = [p for p in comparison.points if None not in [p[0][key] for key in both]]
    groups = keys.combinations([setting for setting, _ in points], kind_first(k for k in keys.values if k not in both))
    if not points or 4 * len(points) < len(keys.numbers(x.key)) * len(keys.numbers(y_key)) * len(groups):
        return
    if len(groups) > MOST_MAPS:
        tell(f"{options.program}: of {len(groups)} maps the first {MOST_MAPS} are drawn")
    bars = {metric: map_bar(points, metric, kind) for metric, (_, kind) in MAPS.items()}
    axes_of = [(place_texts(keys, key), keys.key_label(key)) for key in both]
    places = [{value: i for i, value in enumerate(keys.numbers(key))} for key in both]
    text = band_words(comparison.n_seeds, "range", "n = 1.").rsplit("n = ", 1)[1]
    for n, group in enumerate(groups[:MOST_MAPS], 1):
        inside = [(s, f) for s, f in points if all(s[key] == value for key, value in group.items())]
        panels, entries = [], {}
        for metric, (title, _) in MAPS.items():
            cells = {tuple(at[s[key]] for at, key in zip(places, both)): f[metric] for s, f in inside if metric in f}
            if not cells or not bars[metric]:
                continue
            kind, bar = bars[metric]
            digits = cell_digits([f[metric].median for _, f in points if metric in f and not f[metric].n_diverged])
            panels.append(map_panel(title, kind, bar, cells, axes_of, digits))
            known = np.array([figure.median for figure in cells.values() if not figure.n_diverged])
            known = to_decades(known) if kind == "converted" else known
            entries |= {
                e.text: e for e in cell_entries(known, "decades" if kind in ("decades", "converted") else "linear")
            }
            if any(figure.n_diverged for figure in cells.values()):
                entries["diverged"] = entry("diverged (k of n runs)", BAD, kind="cross")
        if panels:
            what = keys.label(group, group)
            title = f"{axes_of[1][1]} over {axes_of[0][1]}" + (f": {what}" if what else "")
            name = "map" if len(groups) == 1 else f"map-{n}"
            caption = f"Colour: median over seeds; n = {text} The scale of a metric is the same in all maps."
            picture = Picture(name, title, caption, panels, None, "", list(entries.values()), 2, "summary.csv runs.csv")
            picture.size, picture.right = (5.0, 3.2), 55
            picture.left = max(text_width(text, 11) for text in axes_of[1][0]) + 34
            yield picture


def draw(comparison, name, options):
    """The pictures of a name."""
    if name in OVER_X:
        return over_x(comparison, name, OVER_X[name], options)
    return (profiles if name == "profiles" else maps)(comparison, options)
