"""Reading: strict, in bounded memory, with errors that name file, line and column."""

import math
import os

import pytest
from conftest import make_run
from skipnet_view import tables
from skipnet_view.failure import Failure


def rows(path, columns=("a", "b"), **options):
    return list(tables.read_rows(str(path), columns, "not ours", **options))


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_cells():
    assert math.isnan(tables.height(""))
    assert tables.height("nan") == tables.height("inf") == tables.height("1e999") == math.inf
    assert tables.height("-inf") == -math.inf
    assert tables.height("-1.5e-3") == -0.0015
    for text in ("1_0", " 1", "0x10", "infinity", "1e-15x", "one"):
        with pytest.raises(ValueError):
            tables.height(text)


def test_rows_are_found_by_name_and_quotes_are_read(tmp_path):
    path = write(tmp_path / "t.csv", 'x,b,a\n1,"p, ""q""\nr",3\r\n')
    assert rows(path) == [(3, ["3", 'p, "q"\nr'])]


@pytest.mark.parametrize(
    "text, message",
    [
        ("a,c\n1,2\n", "no column b: not ours"),
        ("a,b\n1\n1,2\n", "line 2: 1 cells, but the header has 2"),
        ("a,b\n1,2\n1\n", "line 3: 1 cells, but the header has 2"),
        ('a,b\n1,"2\n', "line 2: unexpected end of data"),
        ("", "no column a: not ours"),
    ],
)
def test_faults(tmp_path, text, message):
    path = write(tmp_path / "t.csv", text)
    with pytest.raises(Failure) as failure:
        rows(path)
    assert str(failure.value) == f"{path}: {message}" and failure.value.status == 2


@pytest.mark.parametrize("end", ["3", '3,"op', "3,4,5"])
def test_a_last_row_that_is_cut_is_left_out_and_told(tmp_path, capsys, end):
    path = write(tmp_path / "t.csv", f"a,b\n1,2\n{end}")
    assert rows(path, is_growing=True) == [(2, ["1", "2"])]
    assert "t.csv: line 3 is cut short and left out" in capsys.readouterr().err


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "nothing", "."):
        with pytest.raises(Failure, match="cannot read"):
            rows(tmp_path / name)


def test_steps_are_thinned(tmp_path):
    """However long the file is, few steps stay: the first, the last two, those that are wanted, and others evenly."""
    lines = "".join(f"{step},{step % 7}\n" for step in range(5000))
    path = write(tmp_path / "t.csv", "step,v\n" + lines)
    found = tables.read_steps(str(path), ("v",), near=(1234, 10**9), most=20)
    steps = [step for step, _ in found]
    assert steps[0] == 0 and steps[-2:] == [4998, 4999] and 1234 in steps and steps == sorted(set(steps))
    assert 20 <= len(steps) <= 2 * 20 + 5
    assert max(b - a for a, b in zip(steps, steps[1:])) < 5000 / 15
    assert all(block[0, 0] == step % 7 for step, block in found)


def test_steps_of_layers(tmp_path):
    path = make_run(tmp_path / "run")
    (first, block), *_ = tables.read_steps(f"{path}/gradients.csv", ("layer", "role", "delta_rms"))
    assert first == 0 and block[:, 0].tolist() == [1, 2, 3, 4, 5, 6]  # no norm
    assert block[:, 1].tolist() == [1, 1, 1, 1, 1, 0]
    with pytest.raises(Failure, match='line 4, column delta_rms: "1e-15x" is not a number'):
        text = open(f"{path}/gradients.csv").read().replace("1e-15,", "1e-15x,")
        tables.read_steps(str(write(tmp_path / "bad.csv", text)), ("layer", "role", "delta_rms"))


def test_flat_keys():
    network = {"comment": "c", "skip": {"kind": "add"}, "widths": ["4", "5"], "norm": None}
    config = {"name": "n", "seed": 1, "comment": ["a", "b"], "report": {"x": 1}, "network": network}
    wanted = {"network.skip.kind": "add", "network.widths.0": "4", "network.widths.1": "5", "network.norm": "null"}
    assert tables.flatten(config) == wanted


def test_json_that_is_broken_is_none(tmp_path):
    for text in ("{", "[1]", '"x"', "[" * 100000):
        assert tables.read_json(str(write(tmp_path / "c.json", text))) == {}
    assert tables.read_json(str(write(tmp_path / "c.json", '{"lr": 0.10}'))) == {"lr": "0.10"}  # as it is written


def test_texts_are_clean():
    assert tables.clean("a\nb\x1b[31m\x00\ufffe") == "a b [31m "
