"""Pictures in a notebook, as matplotlib Axes.  Options are those of skipnet-plot: metric, by, x, steps, band.
Heights of log axes are log10 of what their ticks say."""

from . import run_pictures, study_pictures
from .failure import Failure
from .pen import STYLES, draw
from .plotter import Options, check_choice
from .tables import clean


def options_of(metric="", by="", x="", steps=(), band="range"):
    is_layer = x in ("layer", "depth_frac")
    return Options(
        metric=metric, by=by, x="" if is_layer else x, layer_x=x if is_layer else "layer", steps=list(steps), band=band
    )


def axes_of(pictures, style):
    """The axes of the first picture, one or a list of them."""
    picture = next(iter(pictures), None)
    if picture is None:
        raise Failure(2, "nothing of it was measured")
    figure = draw(picture, STYLES[check_choice("style", style, list(STYLES))])
    axes = figure.axes[: len(picture.panels)]
    return axes[0] if len(axes) == 1 else axes


def of_runs(function, runs_, style, options):
    return axes_of(function(runs_.collection, options_of(**options)), style)


def gradients(runs, style="screen", **options):
    """By layer."""
    return of_runs(run_pictures.gradients, runs, style, options)


def loss(runs, style="screen", **options):
    """Over the steps."""
    return of_runs(run_pictures.loss, runs, style, options)


def curves(runs, style="screen", **options):
    """A column of loss.csv, metric, over the steps."""
    return of_runs(run_pictures.curves, runs, style, options)


def frozen(runs, style="screen", **options):
    """Stalled shares by layer, and which layers are frozen."""
    return of_runs(run_pictures.frozen, runs, style, options)


def heatmap(runs, style="screen", **options):
    """Of the first run, layer by step."""
    return of_runs(run_pictures.heatmaps, runs, style, options)


def over(runs, metric, style="screen", **options):
    """A metric of summary.csv over a varied key of a comparison."""
    if not runs.comparison:
        raise Failure(
            2, "only a comparison has metrics over a varied key: skipnet compare DIR --out DIR, then load DIR"
        )
    return axes_of(study_pictures.metric_over_x(runs.comparison, clean(metric), options_of(**options)), style)
