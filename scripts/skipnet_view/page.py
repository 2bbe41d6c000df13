"""skipnet-report: a comparison as one static page, whose bytes follow from those of the files that it is made of."""

import collections
import csv
import io
import os
import re
import string
from dataclasses import dataclass, field
from pathlib import Path

from . import comparison as comparisons
from . import plotter
from .cli import read_options
from .html import escape, link, picture
from .output import LIST_MARK, PAGE_MARK, check_replaced, has_mark, publish
from .failure import say
from .settings import SKIP
from .failure import Failure, FileFault
from .tables import clean, flatten, height, is_number, open_text, read_json, read_rows


MOST_POINTS, MOST_RUNS, MOST_VALUES, MOST_CONFIGS = 200, 100, 12, 200
MACHINE = ("program", "precision", "cpu", "simd", "compiler", "openblas", "openblas_core", "threads")
RESULTS = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
GRADIENTS = (
    *("log10_delta_ratio_start", "log10_delta_ratio", "decades_per_layer_start", "decades_per_layer"),
    *("log10_delta_first_start", "log10_delta_first_end"),
)
UPDATES = ("frozen_layers_start", "frozen_layers_end", "stalled_frac_start", "stalled_frac_end", "steps", "wall_s")
OF_RUNS = ("steps", *RESULTS, "log10_delta_ratio", "frozen_layers_end", "wall_s")
NOTE = """<p class="note">Mean ± half of its 95 % interval by Student's t over n seeds; without ±: one run, or all equal
to the last digit. † a seed diverged: the median of what was measured last, no mean. All digits, median, least and
greatest: {}.</p>
"""
NOT_DONE = """Of {} runs not all are done: {}. A diverged run is a result, but its point has no mean and no interval; an
unfinished one does not count."""
DIFFER = 'Runs differ in {}, so their last digits may too: see <a href="#machines">program and machine</a>.'
GONE = """{} of {} run directories are not where runs.csv has them; what follows of configs and machines is that of
the others."""
HERE = Path(__file__).parent
# What a result is told of, the first that there is: (metric, what it is called, the picture that shows it).
ANSWERS = (
    ("test_accuracy", "test accuracy", "accuracy"),
    ("train_accuracy", "training accuracy", "accuracy"),
    ("test_loss", "test loss", "loss"),
    ("train_loss", "training loss", "loss"),
    ("log10_delta_ratio", "log10 of the gradient of the first hidden layer over that of the last", "ratio"),
)


@dataclass
class Facts:
    """What the page is made of."""

    comparison: object
    differences: list
    runs: list  # (path, status, reason, figures)
    places: list  # the directory of each, or None
    n_configs: int = 0
    equal: list = field(default_factory=list)  # (key, value, how many have it)
    machines: list = field(default_factory=list)  # (key, value, how many)
    name: str = ""
    question: str = ""

    @property
    def statuses(self):
        counts = collections.Counter(status for _, status, *_ in self.runs)
        return ", ".join(f"{n} {status}" for status, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def n_found(self):
        return sum(place is not None for place in self.places)


# ---- facts ----


def read_runs(path):
    columns = ("run", "status", "reason", *OF_RUNS)
    found = read_rows(f"{path}/runs.csv", columns, comparisons.HINT)
    rows = [(clean(c[0]), clean(c[1]), clean(c[2]), c[3:]) for _, c in found]
    if not rows:
        raise FileFault(f"{path}/runs.csv", "no rows: no run was compared")
    return rows


def read_configs(facts):
    """Name and comment of the first config, and what is equal, of at most MOST_CONFIGS, evenly taken."""
    places = [place for place in facts.places if place]
    places = places[:: max(1, -(-len(places) // MOST_CONFIGS))]
    configs = [config for config in (read_json(os.path.join(place, "config.json")) for place in places) if config]
    facts.n_configs = len(configs)
    if not configs:
        return
    first = configs[0]
    facts.name = first["name"] if isinstance(first.get("name"), str) else ""
    comment = first.get("comment", "")
    facts.question = " ".join(map(str, comment)) if isinstance(comment, list) else str(comment)
    values = collections.defaultdict(list)
    for config in configs:
        for key, value in flatten(config).items():
            values[key].append(value)
    varied = facts.comparison.keys.values
    facts.equal = [(key, v[0], len(v)) for key, v in values.items() if len(set(v)) == 1 and key not in varied]


def read_machines(facts):
    counts = collections.Counter()
    for place in filter(None, facts.places):
        manifest = read_json(os.path.join(place, "run.json"))
        counts.update((key, str(manifest[key])) for key in MACHINE if key in manifest)
    facts.machines = sorted((key, value, n) for (key, value), n in counts.items())


def read_facts(path):
    comparison = comparisons.load(path)
    has_differences = os.path.isfile(f"{path}/differences.csv")
    differences = comparisons.figures_of(comparison, "differences.csv") if has_differences else []
    runs = read_runs(path)
    facts = Facts(comparison, differences, runs, comparisons.find_runs(path, [run[0] for run in runs]))
    read_configs(facts)
    read_machines(facts)
    return facts


# ---- figures ----


def short(value, digits):
    """To the digits that a reader compares."""
    if value != value:
        return "–"
    return "not finite" if value == float("inf") else f"{value:.{digits}g}"


def short_text(text, digits):
    """A cell; what is no number stays as it is."""
    return escape(short(height(text), digits) if not text or is_number(text) else text)


def figure_cell(figure):
    """The mean and half of its 95 % interval where there is one, else the median: one run's value, or, marked, what was
    left where a seed diverged."""
    if figure.n_diverged:
        return ("" if figure.median != figure.median else short(figure.median, 4)) + "†"
    if figure.mean != figure.mean:
        return short(figure.median, 4)
    half = figure.ci_high - figure.mean
    return short(figure.mean, 4) + (f"<small> ± {short(half, 2)}</small>" if 0 < half < float("inf") else "")


def runs_of_point(figure):
    rest = [(getattr(figure, f"n_{what}"), what) for what in ("diverged", "missing", "failed", "running")]
    rest = ", ".join(f"{n} {what}" for n, what in rest if n)
    return str(figure.n_runs) + (f" ({rest})" if rest else "")


def table(head, rows):
    titles = "".join(f'<th scope="col">{escape(title.replace("_", " "))}</th>' for title in head)
    body = "\n".join(rows)
    return f'<div class="wide"><table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>\n'


def points_table(keys, points, metrics):
    """Of the metrics that have a value at some point; "" without any."""
    shown = [m for m in metrics if any(m in f and f[m].median == f[m].median for _, f in points)]
    rows = []
    for setting, figures in points[:MOST_POINTS]:
        row = "".join(f'<th scope="row">{short_text(value or "", 6)}</th>' for value in setting.values())
        row += f"<td>{runs_of_point(next(iter(figures.values())))}</td>"
        rows.append(
            f"<tr>{row}" + "".join(f"<td>{figure_cell(figures[m]) if m in figures else ''}</td>" for m in shown)
        )
        rows[-1] += "</tr>"
    return table([*keys.values, "n", *shown], rows) if shown else ""


def points_tables(keys, points, file, parts):
    more = (
        f'<p class="note">The first {MOST_POINTS} of {len(points)} points.</p>\n' if len(points) > MOST_POINTS else ""
    )
    return "".join(points_table(keys, points, metrics) for metrics in parts) + more + NOTE.format(link(file, file))


# ---- the result ----


def interval(figure, unit):
    if figure.mean == figure.mean and figure.ci_low == figure.ci_low:
        ends = f"{short(figure.ci_low, 3)} to {short(figure.ci_high, 3)}"
        return f"95 % interval {ends} by Student's t, {figure.n_runs} {unit}"
    return f"one of the {unit}: no interval" if figure.n_runs == 1 else f"median of {figure.n_runs} {unit}: no interval"


def centre(figure):
    return figure.median if figure.mean != figure.mean else figure.mean


def told(points, metric):
    """Points at which the metric says something: finite, and no seed diverged."""
    known = [(s, f[metric]) for s, f in points if metric in f and f[metric].n_runs and not f[metric].n_diverged]
    return [(setting, figure) for setting, figure in known if abs(centre(figure)) < float("inf")]


def difference_sentence(facts, metric, what):
    points = told(facts.differences, metric)
    if not points:
        return ""
    setting, figure = max(points, key=lambda point: abs(centre(point[1])))
    one, _, other = setting[SKIP].partition(" - ")
    at = facts.comparison.keys.label(setting, [key for key in setting if key != SKIP])
    amount = centre(figure)
    if not amount:
        return f"{one} and {other} do not differ in {what}, at any point."
    where = f"At {at} the" if at else "The"
    way = "higher" if amount > 0 else "lower"
    text = f"{where} {what} of {one} is {way} than that of {other} by {short(abs(amount), 3)}"
    text += f" ({interval(figure, 'pairs of runs with equal seeds')})"
    if figure.ci_low <= 0 <= figure.ci_high:
        return f"{text}; the interval holds 0, so no difference is shown."
    return text + ("; nowhere do they differ more." if len(points) > 1 else ".")


def extremes_sentence(facts, metric, what):
    points = told(facts.comparison.points, metric)
    if not points:
        return ""
    keys = facts.comparison.keys

    def of(point):
        label = keys.label(point[0], keys.values)
        return f"{short(centre(point[1]), 4)}{f' at {label}' if label else ''} ({interval(point[1], 'runs')})"

    high, low = (choose(points, key=lambda point: centre(point[1])) for choose in (max, min))
    if centre(high[1]) == centre(low[1]):
        return f"The {what} is {of(high)}" + (", the same at every point." if len(points) > 1 else ".")
    return f"The {what} is highest with {of(high)} and lowest with {of(low)}."


def result(facts):
    """(sentence, name of the picture that shows it)."""
    for sentence in (difference_sentence, extremes_sentence):
        for metric, what, name in ANSWERS:
            text = sentence(facts, metric, what)
            if text:
                return text, name
    return ("No point has a finished run of which no seed diverged: there is no figure to compare.", "loss")


# ---- sections ----


def warnings(facts):
    found, n_runs = [], len(facts.runs)
    rest = ", ".join(item for item in facts.statuses.split(", ") if not re.fullmatch(r"\d+ done", item))
    if rest:
        found.append(NOT_DONE.format(n_runs, escape(rest)))
    counts = collections.Counter(key for key, _, _ in facts.machines if key != "threads")
    differ = ", ".join(sorted(key for key, n in counts.items() if n > 1))
    if differ:
        found.append(DIFFER.format(differ))
    n_gone = n_runs - facts.n_found - sum(status in ("missing", "failed") for _, status, *_ in facts.runs)
    if n_gone > 0:
        found.append(GONE.format(n_gone, n_runs))
    return "".join(f'<p class="warning">{text}</p>\n' for text in found)


def facts_table(rows, kind="facts"):
    rows = "".join(f'<tr><th scope="row"><code>{escape(key)}</code></th><td>{cell}</td></tr>\n' for key, cell in rows)
    return f'<table class="{kind}"><tbody>{rows}</tbody></table>\n' if rows else ""


def values_cell(values):
    texts = ["(not set)" if value is None else short_text(value, 9) for value in values]
    return ", ".join(texts) if len(texts) <= MOST_VALUES else f"{len(texts)} values, {texts[0]} to {texts[-1]}"


def setup(facts):
    comparison, n = facts.comparison, facts.n_configs
    varied = comparison.keys.values | ({"seed": comparison.seeds} if comparison.seeds else {})
    text = f'<h2 id="setup">What was run</h2>\n<p>{len(facts.runs)} runs: {escape(facts.statuses)}.</p>\n'
    text += "<h3>What differs between the runs</h3>\n"
    text += facts_table((key, values_cell(values)) for key, values in varied.items())
    text += "" if varied else "<p>Nothing that a config says.</p>\n"
    if not facts.equal:
        return text
    where = " <small>(where it applies)</small>"
    text += f"<details><summary>What is equal: {len(facts.equal)} keys</summary>\n"
    text += facts_table(((k, escape(v) + (where if count < n else "")) for k, v, count in facts.equal), "facts many")
    if n < facts.n_found:
        text += f'<p class="note">As {n} of the {facts.n_found} configs have it.</p>\n'
    return text + "</details>\n"


def listed_pictures(path):
    """Those that the plotter listed.  A name that it does not give could lead anywhere, and is left out."""
    with open_text(f"{path}/plots/pictures.csv") as file:
        rows = list(csv.reader(io.StringIO(file.read())))[1:]
    return [list(map(clean, row)) for row in rows if len(row) == 5 and re.fullmatch(r"[a-z0-9][-a-z0-9]*", row[0])]


def figure_of(path, number, row):
    name, title, caption, sources, command = row
    svg = picture(f"{path}/plots/{name}.svg", title, f"p{number}-")
    if svg is None:
        return f'<p class="warning">{escape(title)}: there is no picture of it, plots/{escape(name)}.svg.</p>\n'
    files = ", ".join(link(file, file) for file in sources.split() if re.fullmatch(r"[a-z]+\.csv", file))
    text = f"{escape(caption)} From {files} by <code>{escape(command)}</code>; also as "
    text += f"{link(f'plots/{name}.png', 'PNG')} and {link(f'plots/{name}.svg', 'SVG')}."
    return f"<figure>\n{svg}\n<figcaption>{text}</figcaption></figure>\n"


def run_row(run, is_beside):
    path, status, reason, figures = run
    name = os.path.basename(path.rstrip("/"))
    first = link(f"{name}/", name) if is_beside else escape(path)
    mark = "" if status == "done" else ' class="not-done"'
    cells = "".join(f"<td>{short_text(figure, 5)}</td>" for figure in figures)
    status += f": {reason}" if status == "failed" and reason else ""
    return f'<tr{mark}><th scope="row">{first}</th><td>{escape(status)}</td>{cells}</tr>'


def runs_section(facts):
    """All of them, or, of many, those that are not done."""
    rows, text, beside = (list(zip(facts.runs, facts.places)), '<h2 id="runs">Runs</h2>\n', facts.comparison.path)
    if len(rows) > MOST_RUNS:
        rows = [row for row in rows if row[0][1] != "done"]
        some = f" the first {MOST_RUNS}" if len(rows) > MOST_RUNS else ""
        rest = f"of the {len(rows)} that are not done{some}:" if rows else "all are done."
        text += f"<p>Too many to list; {rest}</p>\n"
    if rows:
        shown = [run_row(run, place and os.path.dirname(place) == beside) for run, place in rows[:MOST_RUNS]]
        text += table(["run", "status", *OF_RUNS], shown)
    text += f"<p>All runs, all digits: {link('runs.csv', 'runs.csv')}.</p>\n"
    if not facts.machines:
        return text
    n = facts.n_found
    cells = ((key, escape(value) + (f" ({count} runs)" if count < n else "")) for key, value, count in facts.machines)
    return f'{text}<h3 id="machines">Program and machine</h3>{facts_table(cells)}'


def repeat(facts, path):
    where, cells, text = (plotter.quoted(path), f"{path}/cells.txt", '<h2 id="repeat">To repeat it</h2>\n')
    if os.path.isfile(cells) and os.access(cells, os.R_OK):
        with open_text(cells) as file:
            lines = file.read().splitlines()
        text += (
            f"<p>{link('cells.txt', 'cells.txt')} has a command for each of {len(lines)} runs, the first being</p>\n"
        )
        text += f"<pre>{escape(lines[0] if lines else '')}</pre><p>All of them, a run per processor:</p>\n"
        text += f"<pre>parallel &lt; {escape(where)}/cells.txt</pre>\n"
    elif facts.n_configs:
        text += "<p>Each run's config.json repeats it, to the same bytes on an equal machine:</p>\n"
        text += "<pre>skipnet train RUN/config.json --out ELSEWHERE</pre>\n"
    calls = (f"skipnet compare {where} --out {where}", f"skipnet-plot {where}", f"skipnet-report {where}")
    calls = "\n".join(map(escape, calls))
    return f"{text}<p>Then these CSV files, the pictures and this page:</p><pre>{calls}</pre>\n"


def write(path, title, question):
    """The page as text: the result, the picture and the table that show it, then all else."""
    facts = read_facts(path)
    keys, points, rows = (facts.comparison.keys, facts.comparison.awaited, listed_pictures(path))
    sentence, name = result(facts)
    figures = {number: figure_of(path, number, row) for number, row in enumerate(rows, 1)}
    first = figures.pop(next((number for number, row in enumerate(rows, 1) if row[0] == name), 1), "")
    question, differences = question or facts.question, ""
    if facts.differences:
        differences = '<h2 id="differences">Differences between skip kinds</h2>\n'
        differences += "<p>Paired by seed: equal seeds start from equal weights and see equal batches.</p>\n"
        differences += points_tables(keys, facts.differences, "differences.csv", (RESULTS, GRADIENTS, UPDATES))
    parts = {
        "mark": PAGE_MARK,
        "style": (HERE / "style.css").read_text(encoding="utf-8"),
        "title": escape(title or facts.name or os.path.basename(os.path.realpath(path))),
        "question": f'<p class="question">{escape(question)}</p>' if question else "",
        "result": escape(sentence),
        "first": first,
        "results": points_tables(keys, points, "summary.csv", (RESULTS,)),
        "warnings": warnings(facts),
        "setup": setup(facts),
        "pictures": "".join(figures.values()),
        "figures": points_tables(keys, points, "summary.csv", (GRADIENTS, UPDATES)),
        "to_differences": '<a href="#differences">Differences</a>' if differences else "",
        "differences": differences,
        "runs": runs_section(facts),
        "repeat": repeat(facts, path),
    }
    return string.Template((HERE / "page.html").read_text(encoding="utf-8")).substitute(parts)


# ---- the call ----


def draw_pictures(path, force, self):
    """Those that the plotter listed, unless a CSV file is newer; its status."""
    listed = f"{path}/plots/pictures.csv"
    files = [f"{path}/{file}" for file in comparisons.FILES[:-1]]
    if has_mark(listed, LIST_MARK) and all(os.path.getmtime(file) <= os.path.getmtime(listed) for file in files):
        return 0
    call = [path, *(["--force"] if force else [])]
    return plotter.run(call, "plot.sh" if self == "report.sh" else "skipnet-plot", is_quiet=True)


def check_out(out):
    if os.path.lexists(out) and not os.path.isfile(out) and os.path.exists(out):
        raise Failure(4, f"cannot write {out}: {'a directory' if os.path.isdir(out) else 'not a file'}")
    folder = os.path.dirname(out) or "."
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise Failure(4, f"cannot write into {folder}")


def run(arguments, self):
    found, paths = read_options(arguments, self, ("force",), {"question": "", "title": "", "out": ""}, "report.txt")
    if found is None:
        return 0
    if len(paths) != 1:
        raise Failure(
            2, f"one directory at a time, not also {paths[1]}" if paths else "no directory given (see --help)"
        )
    path = paths[0]
    out = found["out"] or f"{path}/report.html"
    comparisons.check_files(path)
    check_out(out)
    check_replaced(out, PAGE_MARK, found["force"], self)
    status = draw_pictures(path, found["force"], self)
    publish(out, write(path, found["title"], found["question"]).encode())
    say(out)
    return status
