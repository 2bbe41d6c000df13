"""skipnet-plot: which pictures are drawn of what, and where they go."""

import os
import shlex
from dataclasses import dataclass, field, replace

from . import comparison as comparisons
from . import run_pictures, runs, study_pictures
from .cli import read_options
from .output import FORMATS, LIST_MARK, PICTURE_MARK, check_replaced, make_directory, publish, remove_pictures, render
from .failure import say
from .pen import STYLES, draw
from .failure import Failure, tell
from .tables import clean


OF_RUNS = {
    "loss": (run_pictures.loss, "loss of the batch, the training set and the test set over the steps"),
    "gradients": (
        run_pictures.gradients,
        "delta_rms, out_grad_rms and grad_rms by layer at chosen steps (or --metric)",
    ),
    "heatmap": (
        run_pictures.heatmaps,
        "delta_rms (or --metric), layer by step, one picture per run, one scale for all",
    ),
    "frozen": (run_pictures.frozen, "stalled_frac by layer at chosen steps, and which layers are frozen"),
    "curves": (run_pictures.curves, "a column of loss.csv (--metric, train_loss) over the steps; not drawn by itself"),
}
OF_COMPARISONS = {
    "loss": "final loss over a varied key; a curve for each combination of the others, a band over the seeds",
    "accuracy": "the same of the accuracy",
    "delta": "the same of delta_rms of the first hidden layer, at step 0 and the last update",
    "ratio": "the same of delta_rms of the first hidden layer over that of the last",
    "frozen": "the same of the share of frozen layers",
    "profiles": "delta_rms over depth at step 0 and the last update, with bands",
    "map": "where two numeric keys make a grid: four metrics over both; map-1, map-2 ... by the other keys",
    "gradients": "as of runs, of all runs of the comparison; not drawn by itself",
    "curves": "as of runs; not drawn by itself",
}
ON_REQUEST = ("curves", "gradients")


@dataclass
class Options:
    picture: list = field(default_factory=list)
    metric: str = ""
    by: str = ""
    x: str = ""
    layer_x: str = "layer"
    steps: list = field(default_factory=list)
    band: str = "range"
    program: str = "skipnet-plot"


def check_choice(name, value, known):
    if value not in known:
        raise Failure(2, f"--{name} wants {', '.join(known[:-1])} or {known[-1]}")
    return value


def check_steps(text):
    steps = text.split(",") if text else []
    if not all(step.isascii() and step.isdigit() and len(step) < 16 for step in steps):
        raise Failure(2, "--steps wants step numbers, as in 0,100,468")
    return [int(step) for step in steps]


def inches(text):
    columns = {"1col": 89.0, "2col": 183.0}
    try:
        width = columns.get(text) or float(text.removesuffix("mm"))
    except ValueError:
        width = 0.0
    if not 20 <= width <= 2000:
        raise Failure(2, "--width wants millimetres (20 to 2000), 1col or 2col")
    return width / 25.4


def style_of(found):
    style = STYLES[check_choice("style", found["style"], list(STYLES))]
    return replace(style, width=inches(found["width"])) if found["width"] else style


def read_labels(texts):
    for text in texts:
        if "=" not in text or text.startswith("="):
            raise Failure(2, f"--label wants OLD=NEW, not {text}")
    # the last one parts them where the old label has one too: "depth = 10=ten layers"
    return {old.strip(): new for old, _, new in (text.rpartition("=") for text in texts)}


VALUES = dict.fromkeys(("out", "steps", "x", "band", "picture", "metric", "by", "width", "title"), "")
VALUES |= {"format": "svg,png", "style": "screen", "label": []}


@dataclass
class Job:
    """What a call is to do besides the pictures themselves."""

    self: str  # what the program is called
    command: str
    is_quiet: bool
    out: str = ""
    formats: list = field(default_factory=list)
    style: object = None
    title: str = ""
    force: bool = False
    n_failed: int = 0
    listed: list = field(default_factory=list)

    @property
    def program(self):
        return self.self.removesuffix(".sh")

    def say(self, line):
        if not self.is_quiet:
            say(line)


def quoted(word):
    if word and all(c.isascii() and (c.isalnum() or c in "_./=,+:@%-") for c in word):
        return word
    if word != clean(word):
        return "$'" + "".join(c if c.isprintable() and c not in "'\\" else f"\\x{ord(c):02x}" for c in word) + "'"
    return shlex.quote(word).replace("'\"'\"'", "'\\''")


def command_of(arguments, self):
    """As it can be given again, which then replaces files of its own."""
    name = "scripts/plot.sh" if self == "plot.sh" else self
    return " ".join([name, *(quoted(word) for word in arguments if word != "--force")])


def put(job, picture):
    """Draws a picture in all formats and says where it is."""
    stem = os.path.join(job.out, runs.safe(picture.name))
    for kind in job.formats:
        check_replaced(f"{stem}.{kind}", PICTURE_MARK, job.force, job.self)
    picture.title = job.title or ("" if job.style.name == "paper" else picture.title)
    figure = draw(picture, job.style)
    for kind in job.formats:
        publish(f"{stem}.{kind}", render(figure, kind, job.style))
        job.say(f"{stem}.{kind}")


def attempt(job, name, pictures):
    """Whatever goes wrong in a picture, the others go on, unless nothing can be written or the files are at fault."""
    title = None
    try:
        for picture in pictures():
            name, title = picture.name, picture.title
            job.listed.append([name, title, picture.caption, picture.sources, job.command])
            put(job, picture)
    except Failure:
        raise
    except Exception as error:  # a fault of ours or of matplotlib's, which must not cost the other pictures
        tell(f"{job.program}: {name} is not drawn: {type(error).__name__}: {clean(str(error))}")
        remove_pictures(os.path.join(job.out, name))
        job.n_failed += 1


def picture_names(found, known, default):
    names = found["picture"].split(",") if found["picture"] else default
    for name in names:
        if name not in known:
            raise Failure(2, f"no picture {name}: there are {', '.join(known)} (see --list)")
    return names


def draw_runs(paths, found, options, job):
    collection = runs.load(paths, read_labels(found["label"]))
    default = [name for name in OF_RUNS if name != "curves"]
    if options.metric:
        default = ["curves" if runs.file_of(collection.runs[0], options.metric) == "loss.csv" else "gradients"]
    names = picture_names(found, OF_RUNS, default)
    for run in [] if options.metric else collection.runs:  # what is wrong in a file is told before anything is drawn
        for file, columns in runs.TOGETHER.items():
            run.steps(file, columns, options.steps)
    for name in names:
        attempt(job, name, lambda name=name: OF_RUNS[name][0](collection, options))


def draw_comparison(path, found, options, job):
    comparison = comparisons.load(path, read_labels(found["label"]))
    study_pictures.Arrangement(comparison, options).tell_left_out(path)
    default = [name for name in OF_COMPARISONS if name not in ON_REQUEST]
    is_summary = options.metric and any(options.metric in figures for _, figures in comparison.points)
    if options.metric:
        default = [] if is_summary else ["gradients"]
    names = picture_names(found, OF_COMPARISONS, default)
    collection = comparisons.load_runs(comparison) if set(names) & set(ON_REQUEST) else None
    if "gradients" in names and options.metric and not found["picture"]:
        names = ["curves" if runs.file_of(collection.runs[0], options.metric) == "loss.csv" else "gradients"]
    if is_summary and not found["picture"]:
        attempt(job, options.metric, lambda: study_pictures.metric_over_x(comparison, options.metric, options))
    for name in names:
        if name in ON_REQUEST:
            attempt(job, name, lambda name=name: OF_RUNS[name][0](collection, options))
        else:
            attempt(job, name, lambda name=name: study_pictures.draw(comparison, name, options))
    return not found["picture"] and not options.metric


def csv_cell(text):
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n\r') else text


def publish_list(job, path):
    """pictures.csv tells what is there: the report shows these, and none that an earlier call left behind."""
    rows = [LIST_MARK, *(",".join(map(csv_cell, row)) for row in job.listed)]
    publish(path, ("\n".join(rows) + "\n").encode())
    job.say(path)


def out_of(paths, found, is_comparison):
    if found["out"]:
        return found["out"]
    if not is_comparison and len(paths) == 1:
        return paths[0]
    out = os.path.join(paths[0] if is_comparison else os.path.dirname(paths[0]) or ".", "plots")
    if os.path.islink(out):
        raise Failure(4, f"{out} is a link to another place: say --out {out} to write there")
    return out


def run(arguments, self, is_quiet=False):
    found, paths = read_options(arguments, self, ("force", "list"), VALUES, "plot.txt")
    if found is None:
        return 0
    if found["list"]:
        for title, known in (
            ("runs", {name: row[1] for name, row in OF_RUNS.items()}),
            ("a comparison", OF_COMPARISONS),
        ):
            say("\n".join([f"of {title}:", *(f"  {name:10} {text}" for name, text in known.items())]))
        return 0
    if not paths:
        raise Failure(2, "no run given (see --help)")
    return draw_all(paths, found, Job(self=self, command=command_of(arguments, self), is_quiet=is_quiet))


def draw_all(paths, found, job):
    is_comparison = len(paths) == 1 and comparisons.is_comparison(paths[0])
    options = Options(metric=found["metric"], by=found["by"], steps=check_steps(found["steps"]), program=job.program)
    options.band = check_choice("band", found["band"] or "range", ["range", "ci95"])
    job.formats = [check_choice("format", kind, list(FORMATS)) for kind in found["format"].split(",")]
    if found["x"] in ("layer", "depth_frac"):
        options.layer_x = found["x"]
    elif found["x"] and not is_comparison:
        what = f"no runs.csv in {paths[0]}, or more than that given (else layer or depth_frac)"
        raise Failure(2, f"--x KEY is for a comparison: {what}")
    else:
        options.x = found["x"]
    job.style, job.title, job.force = style_of(found), found["title"], found["force"]
    if is_comparison:
        comparisons.check_files(paths[0])
    for path in [] if is_comparison else paths:
        runs.check_run(path)
    job.out = out_of(paths, found, is_comparison)
    make_directory(job.out)
    if not is_comparison:
        draw_runs(paths, found, options, job)
    else:
        path = os.path.join(job.out, "pictures.csv")
        check_replaced(path, LIST_MARK, job.force, job.self)
        if draw_comparison(paths[0], found, options, job):
            publish_list(job, path)
    return 1 if job.n_failed else 0
