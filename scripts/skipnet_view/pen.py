"""The pen: a Picture is data (panels of curves on one scale, a legend, a caption); draw() makes a matplotlib figure
of it.

Sizes are points and inches; all texts are taken as they are, no sign in them means anything."""

import functools
import math
import textwrap
import warnings
from dataclasses import dataclass, field
from typing import Callable

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#882255")  # Okabe and Ito
GREY = "#444444"
ZERO, BAD, MISSING = "#D3D3D3", "#D55E00", "#FFFFFF"  # cells of maps
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")
DASHES = ((0, ()), (0, (6, 2.5)), (0, (1.5, 1.8)), (0, (6, 2, 1.5, 2)), (0, (10, 3)))
IN_THE_DARK = {"#0072B2": "#4FA3E0", "#000000": "#EEEEEE", "#882255": "#DD77AA", GREY: "#BBBBBB"}
RC = {
    "text.parse_math": False,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "svg.hashsalt": "skipnet",
    "axes.unicode_minus": False,
}
warnings.filterwarnings("ignore", "Glyph")  # a font without Chinese: an SVG has the text all the same


@dataclass(frozen=True)
class Style:
    name: str = "screen"
    font: float = 11
    line: float = 1.8
    marker: float = 5
    dpi: int = 150
    ink: str = "#222222"
    paper: str = "#FFFFFF"
    grid: str = "#D8D8D8"
    low_band: str = "#EEEEEE"  # of the floor
    high_band: str = "#F8E3D5"  # of the ceiling
    width: float = 0  # inches; 0: as wide as the panels want to be

    def colour(self, colour):
        return IN_THE_DARK.get(colour, colour) if self.name == "dark" else colour


STYLES = {
    "screen": Style(),
    "paper": Style("paper", font=8, line=1.1, marker=3.2, dpi=300, width=183 / 25.4),
    "dark": Style("dark", ink="#DDDDDD", paper="#1B1B1F", grid="#3A3A40", low_band="#2B2B30", high_band="#45302A"),
}


@dataclass
class Curve:
    x: list  # positions
    y: list  # heights, see scale.py
    colour: str
    low: list = None
    high: list = None
    mark: int = 0
    dash: int = 0
    is_open: bool = False  # its markers
    width: float = 1.0  # of its line, times that of the style; 0: none
    size: float = 1.0  # of its markers
    is_dense: bool = False  # a marker at a dozen points
    shift: float = 0.0  # in the floor and the ceiling, -0.3 to 0.3
    lost: list = ()  # (x, text): diverged, nothing of it is known
    broken: list = ()  # (x, y, text): diverged, y is from before


@dataclass
class Axis:
    """x: ticks (position, text), the most important first; as many are drawn as there is room for."""

    label: str
    low: float
    high: float
    ticks: list
    is_words: bool = False


@dataclass
class Panel:
    title: str
    curves: list = field(default_factory=list)
    x: Axis = None
    scale: object = None  # None: as the picture's
    y_label: str = ""
    paint: Callable = None  # (axes, style): draws what no curve is
    height: float = 0  # inches; 0: as the picture's
    has_left: bool = True  # ticks of y


@dataclass
class Picture:
    name: str
    title: str
    caption: str
    panels: list
    scale: object
    y_label: str = ""
    entries: list = field(default_factory=list)  # of the legend
    columns: int = 1
    sources: str = ""
    size: tuple = (6.2, 3.7)  # inches of a panel
    right: float = 0  # points beside every panel
    left: float = 0  # points that names beside a panel want, in a font of 11


@dataclass
class Entry:
    """Of the legend."""

    text: str
    colour: str
    mark: object  # a number, or matplotlib's own
    dash: int
    is_open: bool
    kind: str  # line, box, band or cross


def entry(text, colour=GREY, mark=None, dash=None, is_open=False, kind="line"):
    return Entry(text, colour, mark, dash, is_open, kind)


@functools.lru_cache(maxsize=1)
def renderer():
    return RendererAgg(10, 10, 72)


@functools.lru_cache(maxsize=20000)
def text_width(text, size):
    """In points.  What the font lacks is as wide as it is high."""
    plain = text.encode("ascii", "ignore").decode()
    width = renderer().get_text_width_height_descent(plain, FontProperties(size=size), False)[0] if plain else 0
    return width + size * (len(text) - len(plain))


# ---- one panel ----


def spread(axes, x, y, curve, style, **options):
    colour = style.colour(curve.colour)
    face = style.paper if curve.is_open else colour
    axes.plot(x, y, color=colour, markerfacecolor=face, markeredgecolor=colour, clip_on=False, **options)


def marked(places, is_dense):
    """The points that get a marker: all, or a dozen and those that no line reaches."""
    known = np.flatnonzero(np.isfinite(places))
    if not is_dense or known.size <= 24:
        return known
    beside = np.isfinite(np.concatenate(([math.nan], places, [math.nan])))
    alone = ~beside[:-2][known] & ~beside[2:][known]
    return np.unique(np.concatenate([known[:: known.size // 12 + 1], known[alone]]))


def draw_band(axes, curve, scale, is_words, style):
    low, high = scale.band(curve.low, curve.high)
    known = np.isfinite(low) & np.isfinite(high) & np.isfinite(scale.places(curve.y))
    beside = np.concatenate(([False], known, [False]))
    alone = known if is_words else known & ~beside[:-2] & ~beside[2:]
    x, colour = np.asarray(curve.x, float), style.colour(curve.colour)
    if (known & ~alone).any():
        axes.fill_between(x, low, high, where=known & ~alone, color=colour, alpha=0.16, linewidth=0)
    if alone.any():
        axes.vlines(x[alone], low[alone], high[alone], color=colour, linewidth=style.line)


def draw_curve(axes, curve, scale, is_words, style):
    x, y = np.asarray(curve.x, float), scale.places(curve.y)
    colour = style.colour(curve.colour)
    if curve.width and not is_words:
        line = {"color": colour, "linewidth": curve.width * style.line, "linestyle": DASHES[curve.dash % len(DASHES)]}
        axes.plot(x, y, **line)
    marker = {"markersize": curve.size * style.marker, "linestyle": "", "markeredgewidth": style.line * 0.6}
    at = marked(y, curve.is_dense)
    spread(axes, x[at], y[at], curve, style, marker=MARKERS[curve.mark % len(MARKERS)], **marker)
    for mask, level, sign in ((scale.zeros(curve.y), scale.floor, "+"), (scale.bads(curve.y), scale.ceiling, "^")):
        if mask.any():
            marker["markersize"] = 1.3 * style.marker
            spread(
                axes, x[mask], np.full(mask.sum(), level - curve.shift * scale.gap), curve, style, marker=sign, **marker
            )


def draw_diverged(axes, curve, scale, style):
    if not curve.lost and not curve.broken:
        return
    level = scale.ceiling - curve.shift * scale.gap if scale.ceiling is not None else 0
    points = [(x, level, text, (-0.6, 0), "right", "center") for x, text in curve.lost]
    points += [(x, float(scale.places([y])[0]), text, (0, 0.6), "center", "bottom") for x, y, text in curve.broken]
    for x, y, text, (right, up), side, stand in points:
        cross = {"marker": "x", "markersize": 1.5 * style.marker, "markeredgewidth": 1.4 * style.line, "linestyle": ""}
        spread(axes, [x], [y], curve, style, **cross)
        if text:
            place = (right * style.font, up * style.font)
            at = {"xytext": place, "textcoords": "offset points", "ha": side, "va": stand}
            axes.annotate(text, (x, y), **at, fontsize=0.8 * style.font, color=style.colour(curve.colour))


def fitting(ticks, low, high, room, size):
    """The ticks that have room beside those before them, shortened where one alone is too long."""
    chosen = []
    for place, text in ticks:
        at = (place - low) / (high - low) * room
        half = text_width(text, size) / 2 + 0.35 * size
        if all(abs(at - other) >= half + width for other, width, _, _ in chosen):
            chosen.append((at, half, place, text))
    return [(place, text) for _, _, place, text in chosen]


def cut_words(axis, room, size):
    """Words on x have a share of the width each."""
    share = max(4, int(room / max(1, axis.high - axis.low) / (0.62 * size)))
    return [(place, text if len(text) <= share else text[: share - 1] + "…") for place, text in axis.ticks]


def draw_x(axes, axis, room, style, has_label):
    axes.set_xlim(axis.low, axis.high)
    ticks = cut_words(axis, room, style.font) if axis.is_words else axis.ticks
    ticks = fitting(ticks, axis.low, axis.high, room, style.font)
    axes.set_xticks([place for place, _ in ticks], [text for _, text in ticks])
    axes.set_xlabel(axis.label if has_label else "", fontsize=style.font)


def draw_y(axes, panel, scale, style):
    axes.set_ylim(scale.low, scale.high)
    axes.set_yticks([place for place, _ in scale.ticks], [text if panel.has_left else "" for _, text in scale.ticks])
    axes.set_yticks(scale.minor, minor=True)
    if scale.floor is not None:
        axes.axhspan(scale.low, scale.floor + scale.gap / 2, color=style.low_band, zorder=0, linewidth=0)
    if scale.ceiling is not None:
        axes.axhspan(scale.ceiling - scale.gap / 2, scale.high, color=style.high_band, zorder=0, linewidth=0)


def draw_panel(axes, panel, picture, room, has_label, style):
    axes.set_axisbelow(True)
    axes.set_facecolor(style.paper)
    for side, spine in axes.spines.items():
        spine.set(color=style.ink, linewidth=0.07 * style.font, visible=side in ("left", "bottom"))
    axes.tick_params(
        colors=style.ink, labelsize=style.font, width=0.07 * style.font, which="both", length=0.3 * style.font
    )
    axes.tick_params(length=0.18 * style.font, which="minor")
    axes.set_title(panel.title, fontsize=style.font, color=style.ink, pad=0.6 * style.font)
    scale = panel.scale or picture.scale
    if scale:
        axes.grid(color=style.grid, linewidth=0.06 * style.font)
        draw_y(axes, panel, scale, style)
    if panel.y_label or (panel.has_left and picture.y_label):
        axes.set_ylabel(panel.y_label or picture.y_label, fontsize=style.font)
    axes.xaxis.label.set_color(style.ink)
    axes.yaxis.label.set_color(style.ink)
    for curve in panel.curves:
        if curve.low is not None:
            draw_band(axes, curve, scale, panel.x.is_words, style)
    for curve in panel.curves:
        draw_curve(axes, curve, scale, panel.x.is_words, style)
    for curve in panel.curves:
        draw_diverged(axes, curve, scale, style)
    if panel.paint:
        panel.paint(axes, style)
    if panel.x:
        draw_x(axes, panel.x, room, style, has_label)


# ---- the whole ----


def handle(entry_, style):
    colour, mark = style.colour(entry_.colour), entry_.mark
    if entry_.kind in ("box", "band"):
        return Patch(facecolor=colour, alpha=0.2 if entry_.kind == "band" else 1, edgecolor=GREY, linewidth=0.3)
    if entry_.kind == "cross":
        how = {"marker": "x", "markersize": 1.5 * style.marker, "markeredgewidth": style.line}
        return Line2D([], [], color=colour, linestyle="", **how)
    how = {"marker": MARKERS[mark % len(MARKERS)] if isinstance(mark, int) else mark, "markersize": style.marker}
    how |= {"linestyle": "" if entry_.dash is None else DASHES[entry_.dash % len(DASHES)], "linewidth": style.line}
    return Line2D([], [], color=colour, markerfacecolor=style.paper if entry_.is_open else colour, **how)


def wrapped(text, size, width):
    """Lines of a text; nothing of it is lost."""
    letters = max(10, int(width / (0.58 * size)))
    return textwrap.wrap(text, letters) if text_width(text, size) > width else [text] if text else []


class Frame:
    """Where everything goes, in points from the left and the upper end."""

    def __init__(self, picture, style):
        font, panels = style.font, picture.panels
        self.picture, self.style = picture, style
        self.columns = min(picture.columns, len(panels))
        self.rows = -(-len(panels) // self.columns)
        scales = [scale for scale in {id(s): s for s in (p.scale or picture.scale for p in panels)}.values() if scale]
        ticks = max([text_width(text, font) for scale in scales for _, text in scale.ticks], default=0) + 3.1 * font
        self.left = max(ticks, picture.left * font / 11)
        is_shared = scales and all(panel.has_left == (i % self.columns == 0) for i, panel in enumerate(panels))
        self.gap = (1.2 * font if is_shared else self.left) + picture.right
        rest = self.left + (self.columns - 1) * self.gap + max(picture.right, 1.2 * font)
        wanted, width = 72 * picture.size[0], 72 * style.width
        self.panel_width = max(40, (width - rest) / self.columns) if width else wanted
        self.width = max(rest + self.columns * self.panel_width, width)
        shrink = min(1.0, max(0.45, self.panel_width / wanted))
        first = panels[:: self.columns]
        self.heights = [72 * p.height if p.height else 72 * picture.size[1] * shrink for p in first]
        lines = max(panel.title.count("\n") + 1 if panel.title else 0 for panel in panels)
        self.over = font * (1.3 * lines + 0.7)
        self.under = [font * (3.4 if row == self.rows - 1 or p.paint else 1.9) for row, p in enumerate(first)]
        self.title = wrapped(picture.title, 1.25 * font, self.width - 2 * font)
        self.caption = wrapped(picture.caption, 0.85 * font, self.width - 2 * font)
        self.top = font * (0.5 + 1.6 * len(self.title) + 1.1 * len(self.caption) + bool(picture.caption) * 0.4)
        self._lay_legend()
        self.height = self.top + sum(self.heights) + self.rows * self.over + sum(self.under) + self.bottom

    def _lay_legend(self):
        """As many columns as there is room for, and no more than the lines need then; smaller where one text is too
        long."""
        entries, size = self.picture.entries, 0.95 * self.style.font
        longest = max((text_width(e.text, size) for e in entries), default=1)
        self.legend_size = size * min(1.0, max(0.55, (self.width - 5 * size) / max(longest, 1)))
        most = max(1, min(len(entries), int(self.width / (longest + 5 * size))))
        lines = -(-len(entries) // most)
        self.legend_columns = max(1, -(-len(entries) // max(1, lines)))
        self.bottom = self.legend_size * (1.55 * lines + 0.8) if entries else 0


def draw_legend(figure, frame):
    """Texts are set behind matplotlib's back, which leaves out those that begin with "_"."""
    entries, size = frame.picture.entries, frame.legend_size
    how = {"loc": "lower center", "ncol": frame.legend_columns, "frameon": False, "fontsize": size}
    how |= {"handlelength": 2.6, "columnspacing": 1.5, "borderaxespad": 0.2}
    legend = figure.legend([handle(e, frame.style) for e in entries], ["x"] * len(entries), **how)
    for text, e in zip(legend.get_texts(), entries):
        text.set(text=e.text, color=frame.style.ink)


def draw(picture, style):
    """A matplotlib figure, exactly as wide as the style says where it does."""
    with matplotlib.rc_context(RC):
        frame = Frame(picture, style)
        width, height, columns = frame.width, frame.height, frame.columns
        figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor=style.paper)
        FigureCanvasAgg(figure)
        y = height - 0.5 * style.font
        for lines, grown in ((frame.title, 1.25), (frame.caption, 0.85)):
            for line in lines:
                how = {"ha": "center", "va": "top", "fontsize": grown * style.font, "color": style.ink}
                figure.text(0.5, y / height, line, **how)
                y -= grown * 1.3 * style.font
        y = height - frame.top
        for i, panel in enumerate(picture.panels):
            row, column = divmod(i, columns)
            y -= frame.over + frame.heights[row] if column == 0 else 0
            x = frame.left + column * (frame.panel_width + frame.gap)
            box = (x / width, y / height, frame.panel_width / width, frame.heights[row] / height)
            has_label = i + columns >= len(picture.panels)
            draw_panel(figure.add_axes(box), panel, picture, frame.panel_width, has_label, style)
            y -= frame.under[row] if column == columns - 1 else 0
        if picture.entries:
            draw_legend(figure, frame)
        return figure
