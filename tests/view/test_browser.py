"""The page in headless Chromium: whatever names, statuses, labels and pictures hold, nothing of it runs or is
fetched."""

import shutil
import subprocess

import pytest
from skipnet_view import page, plotter

chromium = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(not chromium, reason="needs chromium")
RUN = "document.documentElement.setAttribute('data-evil', 1)"
HOSTILE = [
    f"<script>{RUN}</script>",
    f'<img src=x onerror="{RUN}">',
    f'"><svg onload="{RUN}">',
    f"</style><script>{RUN}</script><style>",
    f"</title><script>{RUN}</script>",
    f"--><script>{RUN}</script>",
    f"javascript:{RUN}",
    f"' onmouseover='{RUN}",
    "${runs}$style",
]
SVG = f"""<svg viewBox="0 0 10 10" onload="{RUN}" xmlns="http://www.w3.org/2000/svg"><script>{RUN}</script>
<style>body {{ display: none }}</style>
<g class="kept" onclick="{RUN}"><path d="M0 0" style="fill: url(http://evil/x)"/></g>
<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><img src="x" onerror="{RUN}"/></body></foreignObject>
<animate onbegin="{RUN}" attributeName="x" dur="1s"/><text>told</text></svg>"""


def dom_of(path):
    call = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom"]
    done = subprocess.run([*call, f"file://{path}"], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def test_a_browser_that_runs_scripts(tmp_path):
    """The test would see a script that runs."""
    (tmp_path / "x.html").write_text(f"<html><body><script>{RUN}</script></body></html>", encoding="utf-8")
    assert 'data-evil="1"' in dom_of(tmp_path / "x.html")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_runs(comparison, tmp_path, text):
    with open("c/runs.csv", encoding="utf-8") as file:
        content = file.read()
    quoted = '"' + text.replace('"', '""') + '"'
    with open("c/runs.csv", "w", encoding="utf-8") as file:
        file.write(content.replace(",done,", f",{quoted},", 1).replace('"c/depth=100,skip=add,seed=1"', quoted, 1))
    plotter.run(["c", "--label", f"none={text}"], "plot.sh")
    (tmp_path / "c/plots/loss.svg").write_text(SVG, encoding="utf-8")
    assert page.run(["c", "--title", text, "--question", text], "report.sh") == 0
    dom = dom_of(tmp_path / "c/report.html")
    assert "data-evil" not in dom.split("<head", 1)[0] and "<script" not in dom and "foreignobject" not in dom.lower()
    assert 'class="kept"' in dom and "http://evil" not in dom
