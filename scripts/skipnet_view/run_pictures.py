"""Pictures of runs: losses and other columns over the steps, gradients by layer, maps of layer and step, frozen
layers."""

import math

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_rgb

from .pen import BAD, GREY, MISSING, ZERO, Axis, Curve, Panel, Picture, entry, fitting, text_width
from .runs import LOSSES, by_layer, by_step, file_of, frozen_layers, group_looks, safe
from .scale import Scale, decade_ticks, to_decades, wants_decades

GRADIENTS = {
    "delta_rms": "delta_rms: by the layer's own output z,\nper sample",
    "out_grad_rms": "out_grad_rms: by the signal that is carried on,\nper sample",
    "grad_rms": "grad_rms: by the weights,\nmean over the batch",
}
LOSS_CURVES = {  # what they are called, and how they are drawn; evaluations are rare, a line needs four of them
    "batch_loss": ("batch of the step", {"width": 0.5, "size": 0.4}),
    "train_loss": ("training set", {}),
    "test_loss": ("test set", {"is_open": True, "dash": 1}),
}
FRACTIONS = [(t / 5, f"{t / 5:g}") for t in (0, 5, 1, 2, 3, 4)]


# ---- what all pictures share ----


def heights_of(curves):
    """All heights of curves, for their scale."""
    parts = [np.asarray(part, float) for c in curves for part in (c.y, c.low, c.high) if part is not None]
    return np.concatenate([*parts, np.array([])])


def kind_of(metric, heights):
    """How a column is drawn: as a share, by its logarithm, or as it is."""
    if metric.endswith(("_frac", "accuracy", "_frac_start", "_frac_end", "_share_start", "_share_end")):
        return "share"
    if metric.startswith(("log10_", "decades_")) or (heights[np.isfinite(heights)] < 0).any():
        return "linear"
    return "decades" if "grad" in metric or "delta" in metric or wants_decades(heights) else "linear"


def band_words(n_seeds, band, alone=""):
    """What a curve and its band are; `alone` where there is one run each."""
    if n_seeds[-1] == 1:
        return alone
    n = " to ".join(map(str, dict.fromkeys((n_seeds[0], n_seeds[-1]))))
    if band == "ci95":
        return f"Mean over seeds; band: 95 % interval of the mean by Student's t; n = {n}."
    return f"Median over seeds; band: least to greatest; n = {n}."


def arrange(picture, columns, curves, band):
    """Panels in columns, the first of each row with ticks, and in the legend what bands and marks mean."""
    picture.columns = columns
    for i, panel in enumerate(picture.panels):
        panel.has_left = i % columns == 0
    if any(c.low is not None and np.isfinite(c.low).any() for c in curves):
        text = "95 % interval" if band == "ci95" else "least to greatest"
        picture.entries.append(entry(text, kind="band"))
    scales = [panel.scale or picture.scale for panel in picture.panels if panel.scale or picture.scale]
    y = heights_of([Curve(c.x, c.y, "") for c in curves])
    for text, mark, found in (("exact zero", "+", Scale.zeros), ("not finite", "^", Scale.bads)):
        if any(found(scale, y).any() for scale in scales):
            picture.entries.append(entry(text, mark=mark, is_open=mark == "^"))
    return picture


def heading(collection, what):
    """With the name where there is only one."""
    return f"{what}: {collection.groups[0].label}" if len(collection.groups) == 1 else what


class Layout:
    """The groups of runs in panels: one, or one for each value of the key `by`; looks and labels without that key."""

    def __init__(self, collection, by):
        keys, groups = collection.keys, collection.groups
        key = keys.find(by, "--by") if by else None
        shown = [name for name in keys.values if name != key]
        self.labels = {id(g): (keys.label(g.settings, shown) if by else g.label) or "all" for g in groups}
        first = {self.labels[id(group)]: group for group in reversed(groups)}
        first = dict(sorted(first.items(), key=lambda item: groups.index(item[1])))
        self.looks = dict(zip(first, group_looks(collection, list(first.values()))))
        self.panels = [("", groups)]
        if by:
            inside = [(value, [g for g in groups if g.settings.get(key) == value]) for value in keys.values[key]]
            name = "" if key.endswith("kind") else f"{keys.key_label(key)} = "
            self.panels = [(keys.word(name + keys.value(key, value)), part) for value, part in inside if part]

    def look(self, group):
        return self.looks[self.labels[id(group)]]

    def entries(self, has_dashes):
        return [entry(text, k.colour, k.mark, k.mark if has_dashes else 0) for text, k in self.looks.items()]


# ---- over steps ----


def step_axis(last):
    """Logarithmic in step + 1 for more than a few steps: (axis, function to its positions)."""
    if last <= 20:
        steps = [0, int(last), *range(0, int(last), int(last // 10) + 1)]
        room = 0.02 * max(last, 1)
        return (Axis("step (updates applied)", -room, max(last, 1) + room, [(s, str(s)) for s in steps]), np.asarray)
    end = math.log10(last + 1)
    steps = [int(last), 0, *(d * k for d in 10 ** np.arange(int(end) + 1) for k in (1, 3) if d * k < last)]
    ticks = [(math.log10(step + 1), str(step)) for step in steps]
    axis = Axis("step (log axis of step + 1)", -0.02 * end, 1.02 * end, ticks)
    return axis, lambda places: np.log10(np.asarray(places, float) + 1)


def over_steps(collection, name, title, columns, options):
    """Columns of loss.csv over the steps; `columns` as LOSS_CURVES."""
    found = {id(g): by_step(g, tuple(columns), options.band) for g in collection.groups}
    known = [Curve(*curve[:2], "", *curve[2:]) for table in found.values() for curve in table.values()]
    raw = heights_of(known)
    kind = "decades" if name == "loss" and wants_decades(raw) else kind_of(name, raw)
    convert = to_decades if kind == "decades" else np.asarray
    axis, place = step_axis(max((curve.x.max() for curve in known if curve.x.size), default=1))
    layout, panels = Layout(collection, options.by), []
    for text, groups in Layout(collection, options.by).panels:
        panels.append(Panel(text, x=axis))
        for group in groups:
            look = layout.look(group)
            for column, (_, how) in columns.items():
                steps, *y = found[id(group)][column]
                y = [None if part is None else convert(part) for part in y]
                how = {"width": float(len(steps) > 3), "shift": look.shift, "mark": look.mark} | how
                panels[-1].curves.append(Curve(place(steps), y[0], look.colour, *y[1:], **how))
    curves = [curve for panel in panels for curve in panel.curves]
    label = "loss (mean over samples)" if name == "loss" else collection.keys.word(name)
    size = (8.0, 4.4) if len(panels) == 1 else (3.6, 3.2)
    picture = Picture(name, title, "", panels, Scale(kind, heights_of(curves)), label, sources="loss.csv", size=size)
    picture.caption = band_words(collection.n_seeds, options.band)
    picture.entries = layout.entries(False)
    if len(columns) > 1:
        picture.entries += [
            entry(text, GREY, "o", how.get("dash", 0), "is_open" in how) for text, how in columns.values()
        ]
    return [arrange(picture, min(3, len(panels)), curves, options.band)]


def loss(collection, options):
    return over_steps(collection, "loss", heading(collection, "Loss over training"), LOSS_CURVES, options)


def curves(collection, options):
    """A column of loss.csv over the steps."""
    metric = options.metric or "train_loss"
    how = {metric: (metric, {} if metric in LOSSES[1:] else {"is_dense": True})}
    title = heading(collection, f"{collection.keys.word(metric)} over training")
    return over_steps(collection, metric, title, how, options)


# ---- by layer ----


def layer_axis(x, last):
    if x == "depth_frac":
        return Axis("depth (0 = first hidden layer, 1 = last)", -0.02, 1.02, FRACTIONS)
    every = next(n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**9) if last / n <= 10)
    ticks = [(layer, str(layer)) for layer in (1, *range(every, int(last) + 1, every))]
    return Axis("layer (1 = nearest the input)", 0.5 - 0.01 * last, last + 0.5 + 0.01 * last, ticks)


class Layers:
    """Columns by layer at the steps that are shown, of all groups."""

    def __init__(self, collection, metric, options, convert):
        self.found = {id(g): by_layer(g, metric, options, convert) for g in collection.groups}
        shown = [part for parts in self.found.values() for part in parts]
        self.last = max([1, *(x.max() for _, x, *_ in shown if x.size)])
        self.heights = heights_of([Curve(x, y, "", low, high) for _, x, y, low, high in shown])
        self.n_steps = max(map(len, self.found.values()))
        by_place = [[p[min(k, len(p) - 1)][0] for p in self.found.values()] for k in range(self.n_steps)]
        self.steps = [sorted({int(step) for steps in part for step in steps}) for part in by_place]

    def curves(self, group, look):
        dashes = range(self.n_steps) if self.n_steps > 1 else [look.mark]
        how = {"is_dense": True, "shift": look.shift, "mark": look.mark}
        return [
            Curve(x, y, look.colour, low, high, dash=dash, is_open=k % 2 == 1, **how)
            for (k, (_, x, y, low, high)), dash in zip(enumerate(self.found[id(group)]), dashes)
            if x.size
        ]

    def entries(self):
        """Of each step that is shown, over all runs; none where one word in the caption is enough."""
        if self.n_steps == 1 and len(self.steps[0]) == 1:
            return []
        texts = [
            "step " + ", ".join(map(str, s)) if len(s) < 4 else f"step {s[0]} to {s[-1]}, by run" for s in self.steps
        ]
        return [entry(text, GREY, "o", k, k % 2 == 1) for k, text in enumerate(texts)]

    def words(self):
        return "" if self.entries() else f" Step {self.steps[0][0]}."


def gradients(collection, options):
    """A panel for each of the three gradients; of one column (--metric) a single one, or with --by one for each
    value."""
    metric, by = options.metric, options.by
    metrics = [metric] if metric else list(GRADIENTS) if not by else ["delta_rms"]
    kind = kind_of(metric, Layers(collection, metric, options, np.asarray).heights) if metric else "decades"
    convert = to_decades if kind == "decades" else np.asarray
    found = {name: Layers(collection, name, options, convert) for name in metrics}
    layers, layout = found[metrics[0]], Layout(collection, by)
    axis, panels = (layer_axis(options.layer_x, max(part.last for part in found.values())), [])
    for name, part in found.items():
        for text, groups in layout.panels:
            drawn = [curve for group in groups for curve in part.curves(group, layout.look(group))]
            panels.append(Panel(text if len(metrics) == 1 else GRADIENTS[name], drawn, axis))
    drawn = [curve for panel in panels for curve in panel.curves]
    what = heading(collection, f"{collection.keys.word(metric)} by layer" if metric else "Gradients by layer")
    label = "root mean square of the gradient" if len(metrics) > 1 else collection.keys.word(metrics[0])
    picture = Picture(metric or "gradients", what, "", panels, Scale(kind, heights_of(drawn)), label)
    picture.size = (3.6, 3.6) if len(panels) > 1 else (6.6, 4.2)
    picture.sources = file_of(collection.runs[0], metric) if metric else "gradients.csv"
    picture.caption = (band_words(collection.n_seeds, options.band) + layers.words()).strip()
    picture.entries = layout.entries(layers.n_steps == 1) + layers.entries()
    return [arrange(picture, min(3, len(panels)), drawn, options.band)]


# ---- maps ----


def cell_colours(values, kind, low, high):
    """(..., 3) of 0 to 1: viridis from low to high; zeros, what is not finite and gaps apart."""
    scale = Scale(kind, values)
    with np.errstate(invalid="ignore", over="ignore"):
        share = (scale.places(values) * scale.unit / 2 - low / 2) / (high / 2 - low / 2)
    found = colormaps["viridis"](np.nan_to_num(share))[..., :3]
    for mask, colour in ((np.isnan(values), MISSING), (scale.zeros(values), ZERO), (scale.bads(values), BAD)):
        found[mask] = to_rgb(colour)
    return found


def cell_entries(values, kind):
    scale = Scale(kind, values)
    masks = {"exact zero": (scale.zeros, ZERO), "not finite": (scale.bads, BAD), "not measured": (np.isnan, MISSING)}
    return [entry(text, colour, kind="box") for text, (mask, colour) in masks.items() if mask(values).any()]


def paint_cells(axes, y_texts, y_label, bar, style):
    """Rows of cells: their names, and the colours' bar beside them, (low, high, ticks, label)."""
    room, n = 72 * axes.get_position().height * axes.figure.get_figheight(), len(y_texts)
    chosen = dict(fitting([(place, "0") for place, _ in y_texts], -0.5, n - 0.5, room, style.font))
    axes.set_yticks(list(chosen), [dict(y_texts)[place] for place in chosen])
    axes.set_ylim(-0.5, n - 0.5)
    axes.set_ylabel(y_label, fontsize=style.font)
    low, high, ticks, label = bar
    side = axes.inset_axes([1.03, 0, 0.035, 1])
    side.pcolormesh([0, 1], np.linspace(0, 1, 65), np.linspace(0, 1, 64)[:, None], cmap="viridis", edgecolors="face")
    side.yaxis.tick_right()
    side.yaxis.set_label_position("right")
    side.set_yticks([(tick / 2 - low / 2) / (high / 2 - low / 2) for tick, _ in ticks], [text for _, text in ticks])
    side.set_xticks([])
    side.set_ylabel(label, fontsize=style.font, color=style.ink)
    side.tick_params(labelsize=style.font, colors=style.ink)
    side.set_frame_on(False)


def rounder_first(numbers):
    """Ticks of numbers that stand evenly spaced: the ends, the roundest, then the others."""
    texts = [str(int(number)) for number in numbers]
    zeros = [len(text) - len(text.rstrip("0")) for text in texts]
    inner = sorted(range(1, len(texts) - 1), key=lambda i: (-zeros[i], texts[i][-1] != "5"))
    return [(i, texts[i]) for i in dict.fromkeys([0, len(texts) - 1, *inner])]


def heat_table(run, metric):
    """steps, layers and the heights of a column, (layers, steps)."""
    table = run.steps("gradients.csv", ("layer", "role", metric))
    layers = sorted({layer for _, block in table for layer in block[:, 0]})
    place = {layer: i for i, layer in enumerate(layers)}
    cells = np.full((len(layers), len(table)), math.nan)
    for s, (_, block) in enumerate(table):
        cells[[place[layer] for layer in block[:, 0]], s] = block[:, 2]
    return [step for step, _ in table], layers, to_decades(cells)


def heatmaps(collection, options):
    """One for each run, the colours the same for all."""
    metric, names = options.metric or "delta_rms", heatmap_names(collection.runs)
    tables = [heat_table(run, metric) for run in collection.runs]
    known = np.concatenate([cells[np.isfinite(cells)] for *_, cells in tables])
    low = math.floor(known.min()) if known.size else 0
    high = max(math.ceil(known.max()), low + 1) if known.size else 1
    bar = (low, high, decade_ticks(low, high), f"{metric}, log axis")
    for run, name, (steps, layers, cells) in zip(collection.runs, names, tables):

        def paint(axes, style, layers=layers, cells=cells):
            axes.imshow(cell_colours(cells, "decades", low, high), aspect="auto", origin="lower", interpolation="none")
            paint_cells(axes, rounder_first(layers), "layer (1 = nearest the input)", bar, style)

        axis = Axis("step (the measured ones, evenly spaced)", -0.5, len(steps) - 0.5, rounder_first(steps))
        picture = Picture(name, f"{metric} by layer and step: {run.name}", "", [Panel("", x=axis, paint=paint)], None)
        picture.entries, picture.sources = (cell_entries(cells, "decades"), "gradients.csv")
        picture.size, picture.left, picture.right = (7.0, 4.8), 60, 95
        yield picture


def heatmap_names(runs):
    """File names; two runs never share one."""
    names = [f"heatmap-{safe(run.name)}" for run in runs]
    names = [f"{name}-{i + 1}" if name in names[:i] else name for i, name in enumerate(names)]
    return names if len(runs) > 1 else ["heatmap"]


# ---- frozen layers ----


def stretches(layers):
    """Neighbours of one kind: [[first, last, frozen]], without those that were not measured."""
    found = []
    for layer, _, frozen in layers:
        if found and found[-1][2] == frozen and layer == found[-1][1] + 1:
            found[-1][1] = layer
        else:
            found.append([layer, layer, frozen])
    return [stretch for stretch in found if stretch[2] is not None]


def frozen_count(layers):
    hidden = [frozen for _, is_hidden, frozen in layers if is_hidden and frozen is not None]
    return f"{sum(hidden)} of {sum(hidden_ for _, hidden_, _ in layers)} hidden" if hidden else "not measured"


def beside(axes, y, text, style, on_right=True):
    where = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": style.font, "color": style.ink}
    axes.text(1.015 if on_right else -0.01, y, text, ha="left" if on_right else "right", **where)


def paint_threshold(axes, style):
    axes.axhline(0.5, color=style.ink, linestyle="--", linewidth=0.5 * style.line)
    beside(axes, 0.5, "frozen above", style)


def frozen(collection, options):
    """Stalled shares by layer, and a strip for each run and step that tells which layers are frozen."""
    layout, layers = Layout(collection, ""), Layers(collection, "stalled_frac", options, np.asarray)
    drawn = [curve for group in collection.groups for curve in layers.curves(group, layout.look(group))]
    rows = [
        (f"{collection.keys.word(run.name)}, step {int(step)}", layout.look(group).colour, strip)
        for group in collection.groups
        for run in group.runs
        for step, strip in frozen_layers(run, options.steps)
    ]

    def paint(axes, style):
        for i, (name, colour, strip) in enumerate(rows):
            for first, last, is_frozen in stretches(strip):
                ink = style.colour(colour) if is_frozen else style.grid
                axes.broken_barh([(first - 0.5, last - first + 1)], (i - 0.36, 0.72), color=ink, linewidth=0)
            beside(axes, i, frozen_count(strip), style)
            beside(axes, i, name, style, on_right=False)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks([])

    axis, scale = layer_axis("layer", layers.last), Scale("share", heights_of(drawn))
    top = Panel("", drawn, axis, scale, "stalled_frac (share of weights)", paint_threshold)
    panels = [top, Panel("", x=axis, paint=paint, height=0.27 * len(rows) + 0.1)]
    title = heading(collection, "Stalled updates and frozen layers")
    picture = Picture(
        "frozen", title, band_words(collection.n_seeds, options.band), panels, None, sources="gradients.csv"
    )
    picture.entries = layout.entries(layers.n_steps == 1) + layers.entries()
    picture.size, picture.right = (7.0, 3.1), 110
    picture.left = max(text_width(name, 11) for name, _, _ in rows) + 11
    return [arrange(picture, 1, drawn, options.band)]
