"""The drawn pictures: text is text, sizes are those that were asked for, equal data give equal bytes."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from skipnet_view import run_pictures, runs
from skipnet_view.output import render
from skipnet_view.pen import STYLES, draw
from skipnet_view.plotter import Options, inches

HOSTILE = [
    "<script>alert(1)</script>",
    "$x^2$",
    "_hidden",
    "a & b",
    "]]>",
    "50% \\alpha",
    "x" * 90,
    "漢" * 70,
    'say "so"',
    "{}",
]


@pytest.fixture
def pictures(mixed):
    collection = runs.load([mixed], {})
    return [
        *run_pictures.loss(collection, Options()),
        *run_pictures.gradients(collection, Options()),
        *run_pictures.frozen(collection, Options()),
    ]


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter() if node.tag.endswith("}text")]


def test_text_is_text(pictures):
    for picture in pictures:
        found = texts(render(draw(picture, STYLES["screen"]), "svg", STYLES["screen"]))
        assert picture.title in found
        for entry in picture.entries:
            assert entry.text in found


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_taken_as_they_are(pictures, name):
    picture = pictures[0]
    picture.title = ""
    picture.entries = [replace(entry, text=name) for entry in picture.entries]
    for kind in ("svg", "png", "pdf"):
        content = render(draw(picture, STYLES["screen"]), kind, STYLES["screen"])
        if kind == "svg":
            assert name in texts(content)


def test_widths(pictures):
    for text, wanted in (("89mm", 89), ("120", 120), ("1col", 89), ("2col", 183)):
        style = replace(STYLES["paper"], width=inches(text))
        for picture in pictures:
            svg = render(draw(picture, style), "svg", style).decode()
            points = float(re.search(r'width="([0-9.]+)pt"', svg)[1])
            assert abs(points - wanted / 25.4 * 72) < 0.01
    assert render(draw(pictures[0], STYLES["paper"]), "pdf", STYLES["paper"]).startswith(b"%PDF")


def test_fonts_of_papers(pictures):
    svg = render(draw(pictures[1], STYLES["paper"]), "svg", STYLES["paper"]).decode()
    sizes = {float(size) for size in re.findall(r"font(?:-size)?: ([0-9.]+)px", svg)}
    assert sizes and min(sizes) >= 6.5 and max(sizes) <= 10


def test_equal_bytes(pictures):
    for kind in ("svg", "png", "pdf"):
        first, second = (render(draw(pictures[1], STYLES["dark"]), kind, STYLES["dark"]) for _ in range(2))
        assert first == second and b"skipnet-plot" in first
