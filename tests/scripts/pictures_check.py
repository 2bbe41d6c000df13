#!/usr/bin/env python3
"""Makes comparisons and runs of random figures and names, realistic and hostile ones, and has scripts/report.sh and
scripts/plot.sh draw them: none may hang, every picture that is listed and every page is there and well-formed, nothing
of a name becomes markup or is lost, nothing is left behind.  The same seed makes the same files.

    tests/scripts/pictures_check.py [--count N] [--seed N] [--first I] [--jobs N] [--keep DIR]

Prints what was made and what became of it; exit status 1 if something is wrong, told with the number of the case."""

import argparse
import concurrent.futures
import csv
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
SECONDS = 300
COUNTS = "n_unfinished n_missing n_failed n_running".split()
FIGURES_OF = ["n_runs", "n_diverged", "mean", "sd", "median", "min", "max", "ci95_low", "ci95_high", *COUNTS]
RESULTS = (
    "steps train_loss train_accuracy test_loss test_accuracy log10_delta_ratio decades_per_layer n_hidden "
    "frozen_layers_start frozen_layers_end wall_s stalled_frac_start stalled_frac_end log10_delta_first_start "
    "log10_delta_first_end frozen_share_start frozen_share_end"
).split()
LOSS = "step epoch batch_loss batch_accuracy train_loss train_accuracy test_loss test_accuracy lr grad_norm".split()
GRADIENTS = "step layer label op role grad_rms unchanged_frac stalled_frac delta_rms out_grad_rms".split()
NAMES = [
    "plain",
    "50%",
    "%s %d %g",
    "a_b^c{d}",
    "@macro & more",
    "~tilde",
    "back\\slash",
    "ends in \\",
    "it's",
    'say "so"',
    "`date`",
    "$HOME $(id)",
    "<script>alert(1)</script>",
    "<svg/onload=alert(1)>",
    "two\nlines",
    "tab\there",
    "é…漢字",
    "x" * 180,
    "漢" * 70,
    "&amp; &#60;",
    "]]>",
    "<!-- no",
    "a,b",
    "=1",
    "#hash",
    "-dash",
    "{/Symbol a}",
    "100%%",
    "*",
    "@",
    "]",
    "title 'x' with",
    "\x1b[31mred",
    " ",
    "a title b",
]
EXTREMES = [0.0, 1e-300, 1e-30, 1e-9, 0.5, 1.0, 3.0, 1e9, 1e30, 1e300, 4.9e-324, 1.7e308]
FIGURES = (
    "realistic equal near empty_range huge_beside tiny huge wide extreme nan inf empty zero negative diverged".split()
)


def number(value):
    return value if isinstance(value, str) else f"{value:.17g}"


def figures(kind, rng):
    """A function that gives one more figure of this kind."""
    base = rng.choice([0.74183868803, 2.302585, 1e-5, 123456.789])
    make = {
        "realistic": lambda: rng.lognormvariate(0, 1),
        "equal": lambda: base,
        "near": lambda: base * (1 + rng.choice([0, 1e-15, 1e-12, 1.2e-8, 1e-7, 3e-7, 1e-6, 1e-5])),
        "empty_range": lambda: base + rng.choice([0, 9.08e-9, 2e-7]),
        "huge_beside": lambda: rng.choice([base, base, base, 1e20]),
        "tiny": lambda: rng.choice([1e-300, 3e-300, 1e-12, 5e-12, 2e-308]),
        "huge": lambda: rng.choice([1e300, 1.5e300, 1e17, 1e308]),
        "wide": lambda: 10 ** rng.uniform(-300, 300),
        "extreme": lambda: rng.choice(EXTREMES) * rng.choice([1, 1, -1]),
        "nan": lambda: rng.choice(["nan", "-nan", base]),
        "inf": lambda: rng.choice(["inf", "-inf", base, "1e999"]),
        "empty": lambda: rng.choice(["", "", base]),
        "zero": lambda: rng.choice([0, 0, base]),
        "negative": lambda: -rng.lognormvariate(0, 3),
        "diverged": lambda: rng.choice([base, "nan", 1e38]),
    }
    return make[kind]


def varied_keys(rng):
    """One to three keys and their values."""
    x = rng.choice([
        [2, 4, 8, 16, 32, 100], [0.74183868803, 0.74183867895], [1e-8, 2e-8], [1e-300, 1e300], [0, 1e-9, 1], [7],
        [-1, 0, 1], [1e-12, 5e-12], [0.1, 0.1000001, 0.10000011], [10**i for i in range(-9, 9)], ["1e999", 1], [],
    ])  # fmt: skip
    keys = {rng.choice(["network.depth", "train.lr"]): x} if x else {}
    if rng.random() < 0.6:
        kinds = ["none", "add", "concat", "highway", rng.choice(NAMES)]
        keys["network.skip.kind"] = rng.sample(kinds, rng.randint(1, 4))
    if rng.random() < 0.4:
        keys["network.width"] = rng.choice([[8, 16], [8, 16, 32, 64], [0.3333333333, 0.3333333334], [5]])
    if rng.random() < 0.5:
        keys["data.file"] = rng.sample(NAMES, rng.randint(1, 3 if rng.random() < 0.8 else 12))
    return keys


def write_csv(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([number(cell) for cell in row] for row in rows)


def points_of(keys, rng):
    points = [[]]
    for values in keys.values():
        points = [[*point, value] for point in points for value in values]
    rng.shuffle(points)
    return points[: rng.choice([1, 5, 40, 40, 40])]


def figures_row(make, n_seeds, n_diverged):
    values = [make() for _ in range(n_seeds)]
    finite = sorted(float(v) for v in values if v != "" and float(v) - float(v) == 0)
    head = [n_seeds, n_diverged]
    if len(finite) < n_seeds:
        median = next((v for v in values if v not in finite), "")
        row = [*head, "" if n_diverged else median, "", median, values[0], values[-1], "", ""]
    else:
        mean, half = sum(v / n_seeds for v in finite), finite[-1] / 2 - finite[0] / 2
        interval = ["", ""] if n_seeds < 2 or n_diverged else [mean - 9 * half, mean + 9 * half]
        row = [*head, "" if n_diverged else mean, "", finite[n_seeds // 2], finite[0], finite[-1], *interval]
    return [*row, 0, 0, 0, 0]


def order(value):
    return (0, float(value), "") if not isinstance(value, str) else (1, 0, "")


def write_package(path, keys):
    """What the data package says beside the columns."""
    values = {key: [number(v) for v in sorted(found, key=order)] for key, found in keys.items()}
    counts = {key: len(found) for key, found in keys.items() if all(not isinstance(v, str) for v in found)}
    axes = sorted((key for key in counts if counts[key] > 1), key=lambda key: (key != "network.depth", -counts[key]))
    path.write_text(json.dumps({"values": values, "axes": axes}), encoding="utf-8")


def make_comparison(folder, rng):
    """The files of a comparison, and a run's directory whose name, comment and status are hostile."""
    keys, kind = varied_keys(rng), rng.choice(FIGURES)
    points, n_seeds = points_of(keys, rng), rng.choice([1, 1, 2, 3])
    make = {metric: figures(rng.choice([kind, kind, "realistic"]), rng) for metric in RESULTS}
    runs, summary, layers = [], [], []
    for number_of_point, point in enumerate(points):
        n_diverged = rng.choice([0, 0, 0, 1, n_seeds]) if kind in ("diverged", "huge_beside", "inf") else 0
        for metric in rng.sample(RESULTS, rng.randint(4, len(RESULTS))):
            if metric != "n_hidden":
                summary.append([*point, metric, *figures_row(make[metric], n_seeds, n_diverged)])
        for seed in range(n_seeds):
            name = f"{rng.choice(NAMES)}{number_of_point}-{seed}".replace("/", "")
            status = (
                "diverged" if seed < n_diverged else rng.choice(["done", "done", "done", "interrupted", *NAMES[10:14]])
            )
            runs.append([name, *point, seed, status, *[rng.choice(["", "10", make[m]()]) for m in RESULTS], "", ""])
        for step in (0, 20):
            n_layers = rng.choice([1, 3, 11])
            for layer in range(1, n_layers + 1):
                row = figures_row(make["log10_delta_first_end"], n_seeds, n_diverged)
                layers.append([*point, step, layer, (layer - 1) / max(1, n_layers - 1), *row])
    if not summary:
        return make_comparison(folder, rng)
    write_csv(folder / "runs.csv", ["run", *keys, "seed", "status", *RESULTS, "reason", "equal_to"], runs)
    write_csv(folder / "summary.csv", [*keys, "metric", *FIGURES_OF], summary)
    write_csv(folder / "layers.csv", [*keys, "step", "layer", "depth_frac", *FIGURES_OF], layers)
    write_csv(folder / "profiles.csv", ["run", *keys, "seed"], [])
    write_package(folder / "datapackage.json", keys)
    title = rng.choice(NAMES)
    make_config(folder / "run", title, rng.choice(NAMES))
    with open(folder / "runs.csv", "a", encoding="utf-8") as file:
        row = [str(folder / "run"), *(points[0] if points else []), 99, "done", *[""] * (len(RESULTS) + 2)]
        csv.writer(file, lineterminator="\n").writerow(row)
    return kind, title


def make_config(folder, name, comment):
    folder.mkdir(parents=True)
    config = {"comment": comment, "name": name, "network": {"label": comment}}
    (folder / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False), encoding="utf-8")
    (folder / "run.json").write_text(json.dumps({"status": "done", "cpu": comment}, indent=2), encoding="utf-8")


def make_run(folder, rng):
    """A run's directory with figures of one kind; its kind and its name."""
    kind, name = rng.choice(FIGURES), rng.choice(NAMES)
    make_config(folder, name, rng.choice(NAMES))
    make, n_steps = figures(kind, rng), rng.choice([1, 2, 5, 30])
    write_csv(folder / "loss.csv", LOSS, [[s, s / 5, *[make() for _ in range(6)], 0.1, make()] for s in range(n_steps)])
    rows = []
    for step in range(n_steps):
        for layer in range(1, rng.choice([2, 5, 13])):
            rows.append(
                [step, layer, name, "linear", rng.choice(["hidden", "hidden", "output"]), *[make() for _ in range(5)]]
            )
    write_csv(folder / "gradients.csv", GRADIENTS, rows)
    return kind, name


# ---- what is asserted ----


def one_line(text):
    return re.sub(r"[\x00-\x1f\x7f]", " ", text)


def texts_of(tree):
    return ["".join(item.itertext()) for item in tree.iter() if item.tag.endswith(("}text", "}h1", "h1", "text"))]


def squeezed(text):
    return re.sub(r"\s+", " ", text.replace("\xa0", " ")).strip()


def check_harmless(tree):
    for item in tree.iter():
        tag = item.tag.rsplit("}", 1)[-1].lower()
        assert tag not in ("script", "iframe", "object", "foreignobject", "embed", "link"), f"an element {tag}"
        for name, value in item.attrib.items():
            name = name.rsplit("}", 1)[-1].lower()
            assert not name.startswith("on"), f"an attribute {name}"
            assert name not in ("href", "src") or value.startswith(
                ("#", "./", "data:image/png;base64,")
            ), f"a link to {value}"


def call(command, folder, rng):
    """Runs a script in a TMPDIR of a difficult name, which is empty afterwards."""
    temporary = folder / rng.choice(["tmp", "tmp a\\b", "tmp \\n'q", 'tmp "50%" $x `y`', "tmp{1}&*?[x]"])
    temporary.mkdir()
    done = subprocess.run(
        command, cwd=folder, env=dict(os.environ, TMPDIR=str(temporary)), timeout=SECONDS, text=True, errors="replace",
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    said = [
        line
        for line in done.stderr.splitlines()
        if "are not drawn over it" not in line and "maps the first" not in line
    ]
    assert done.returncode == 0 and not said, f"exit status {done.returncode}: {done.stderr.strip()}"
    assert not os.listdir(temporary), "something is left in TMPDIR"
    return done.stdout


def check_comparison(folder, rng):
    kind, title = make_comparison(folder, rng)
    call([SCRIPTS / "report.sh", "."], folder, rng)
    with open(folder / "plots/pictures.csv", newline="", encoding="utf-8") as file:
        pictures = [row["picture"] for row in csv.DictReader(file)]
    for picture in pictures:
        check_harmless(ET.parse(folder / f"plots/{picture}.svg"))
        assert (folder / f"plots/{picture}.png").read_bytes()[1:4] == b"PNG", f"{picture}.png is no PNG"
    page = ET.parse(folder / "report.html")
    check_harmless(page)
    n_drawn = sum(1 for item in page.iter() if item.tag.endswith("figure"))
    assert n_drawn == len(pictures), f"{n_drawn} of {len(pictures)} pictures are on the page"
    shown = squeezed(texts_of(page)[0])
    wanted = squeezed(one_line(title))
    assert not wanted or shown == wanted, f"the title is {shown!r}, not {wanted!r}"
    return f"comparison, {kind}", len(pictures)


def check_runs(folder, rng):
    made = [make_run(folder / f"run{i}", rng) for i in range(rng.choice([1, 1, 2, 3]))]
    runs = [f"run{i}" for i in range(len(made))]
    written = call([SCRIPTS / "plot.sh", *runs, "--out", "out"], folder, rng).splitlines()
    names = [squeezed(one_line(name)) for _, name in made]
    for file in written:
        if file.endswith(".svg"):
            check_harmless(ET.parse(folder / file))
    shown = [squeezed(text) for text in texts_of(ET.parse(folder / "out/loss.svg"))]
    for name in names:
        if len(name.encode()) <= 100 and name and names.count(name) == 1:
            assert name in shown, f"{name!r} is not in the legend of loss.svg: {shown}"
    assert len(written) == 2 * (3 + len(runs)), f"{len(written)} files"
    return f"runs, {made[0][0]}", len(written) // 2


def check_case(number_of_case, seed, keep):
    rng = random.Random(f"{seed}/{number_of_case}")
    folder = Path(tempfile.mkdtemp(prefix="pictures.")).resolve()
    try:
        result = (check_runs if number_of_case % 4 == 3 else check_comparison)(folder, rng)
        return number_of_case, "", *result
    except (AssertionError, ET.ParseError, OSError, subprocess.TimeoutExpired) as error:
        if keep:
            shutil.copytree(folder, Path(keep) / str(number_of_case), dirs_exist_ok=True)
        return number_of_case, f"{type(error).__name__}: {error}", "", 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, metavar="I", help="number of the first case")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", metavar="DIR", help="what is wrong is copied there")
    options = parser.parse_args()
    counts, n_pictures, n_wrong = {}, 0, 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        cases = range(options.first, options.first + options.count)
        for case, wrong, what, n in pool.map(lambda i: check_case(i, options.seed, options.keep), cases):
            if wrong:
                n_wrong += 1
                print(f"case {case} of seed {options.seed}: {wrong}", flush=True)
            counts[what or "wrong"] = counts.get(what or "wrong", 0) + 1
            n_pictures += n
    for what, n in sorted(counts.items()):
        print(f"{n:5} {what}")
    print(f"{options.count} cases, {n_pictures} pictures, {n_wrong} wrong")
    return 1 if n_wrong or not n_pictures else 0


if __name__ == "__main__":
    sys.exit(main())
