"""What the tests of scripts/skipnet_view share: the package, and small runs and comparisons made by hand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
if not os.environ.get("SKIPNET_VIEW_INSTALLED"):
    sys.path.insert(0, str(ROOT / "scripts"))

LOSS = "step,batch_loss,train_loss,test_loss,lr,grad_norm"
GRADIENTS = "step,layer,label,role,grad_rms,unchanged_frac,stalled_frac,delta_rms,out_grad_rms"
MIXED = '''0,1,"a, ""b""",hidden,1e-3,1,,0,
0,2,b,hidden,1e-3,1,0.9,0,1e-4
0,3,c,hidden,1e-3,1,0.5,1e-15,1e-5
0,4,d,hidden,1e-3,0,0.2,,1e-6
0,5,"e
e",hidden,0,0,0.6,1e-05,1e-7
0,5,n,norm,1e+9,0,0,1e+9,1e+9
0,6,f,output,nan,,,-inf,
1,1,a,hidden,1,0,0,1e-2,1
1,2,b,hidden,1,1,,1e-2,1
1,3,c,hidden,1,0,0,1e-2,1
1,4,d,hidden,1,0,0,1e-2,1
1,5,e,hidden,1,0,0,1e-2,1
1,6,f,output,1,0,1,1e-2,
2,1,a,hidden,1,,,1e-2,1
'''


def make_run(path, gradients=MIXED, config='{"name": "mixed"}'):
    path.mkdir(parents=True)
    (path / "config.json").write_text(config, encoding="utf-8")
    (path / "loss.csv").write_text(
        f"{LOSS}\n0,2.5,2.25,2.375,0.1,1\n1,2,,,0.1,1\n2,1.5,1.25,1.5,0,1\n", encoding="utf-8"
    )
    (path / "gradients.csv").write_text(f"{GRADIENTS}\n{gradients}", encoding="utf-8")
    return str(path)


@pytest.fixture
def mixed(tmp_path):
    """A run with exact zeros, gaps, values that are not finite, a role that is not drawn, labels that need quotes."""
    return make_run(tmp_path / "mixed")


@pytest.fixture
def comparison(tmp_path, monkeypatch):
    """The directory "c" of tests/scripts/comparison_fixture.sh, and "rates", with a second numeric key."""
    monkeypatch.chdir(tmp_path)
    fixture = ROOT / "tests/scripts/comparison_fixture.sh"
    call = f". '{fixture}'; make_comparison c; cp -r c rates; add_rates rates"
    subprocess.run(["bash", "-euc", call], check=True)
    return "c"
