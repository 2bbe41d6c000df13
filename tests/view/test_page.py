"""What the page says first."""

import subprocess

from conftest import ROOT
from skipnet_view import page, plotter

HEAD = "network.depth,network.skip.kind,metric,n_runs,n_diverged,mean,sd,median,min,max,ci95_low,ci95_high"
HEAD += ",n_unfinished,n_missing,n_failed,n_running\n"


def result_of(path, differences):
    if differences:
        with open(f"{path}/differences.csv", "w", encoding="utf-8") as file:
            file.write(HEAD + differences)
    return page.result(page.read_facts(path))


def test_a_difference_with_its_interval(comparison):
    rows = "10,add - none,test_accuracy,3,0,0.5,0.1,0.5,0.4,0.6,0.25,0.75,0,0,0,0\n"
    rows += "100,add - none,test_accuracy,3,0,0.7,0.1,0.7,0.6,0.8,0.6,0.8,0,0,0,0\n"
    assert result_of(comparison, rows) == (
        "At depth = 100 the test accuracy of add is higher than that of none by 0.7 (95 % interval 0.6 to 0.8 by "
        "Student's t, 3 pairs of runs with equal seeds); nowhere do they differ more.",
        "accuracy",
    )


def test_no_difference_is_shown(comparison):
    text, _ = result_of(comparison, "10,add - none,test_accuracy,3,0,-0.1,0.1,-0.1,-0.2,0,-0.3,0.1,0,0,0,0\n")
    assert "lower than that of none by 0.1" in text and text.endswith(
        "the interval holds 0, so no difference is shown."
    )
    text, _ = result_of(comparison, "10,add - none,test_accuracy,3,0,0,0,0,0,0,0,0,0,0,0,0\n")
    assert text == "add and none do not differ in test accuracy, at any point."


def test_what_diverged_is_no_result(comparison):
    rows = "10,add - none,test_accuracy,2,1,,,0.5,0.4,0.6,,,0,0,0,0\n"
    rows += "10,add - none,train_loss,1,0,,,-0.5,-0.5,-0.5,,,0,0,0,0\n"
    text, name = result_of(comparison, rows)
    assert name == "loss" and "by 0.5 (one of the pairs of runs with equal seeds: no interval)" in text
    text, name = result_of(comparison, "10,add - none,test_accuracy,2,1,,,0.5,0.4,0.6,,,0,0,0,0\n")
    assert name == "accuracy" and text.startswith("The training accuracy is highest with 0.625 at add, depth = 10")


def test_a_picture_that_fails_costs_no_other(comparison, monkeypatch, capsys):
    draw = plotter.draw

    def failing(picture, style):
        if picture.name == "accuracy":
            raise ValueError("no ink")
        return draw(picture, style)

    monkeypatch.setattr(plotter, "draw", failing)
    assert page.run([comparison], "report.sh") == 1
    assert "plot: accuracy is not drawn: ValueError: no ink" in capsys.readouterr().err
    with open(f"{comparison}/report.html", encoding="utf-8") as file:
        text = file.read()
    assert text.count("<figure>") == 5 and "Final accuracy over network.depth: there is no picture of it" in text


def test_the_same_theory_as_before():
    call = ["python3", str(ROOT / "scripts/skipnet_view/theory.py"), "10", "50"]
    done = subprocess.run(call, check=True, capture_output=True, text=True)
    assert done.stdout == "| depth | plain | residual |\n|---|---|---|\n| 10 | -2.30 | 0.32 |\n| 50 | -11.97 | 1.00 |\n"
