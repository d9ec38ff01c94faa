"""`python -W error -m acclimate`: no command warns of anything but what it means to say."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

ROWS = "--label sick --id patient"
TABLES = f"""
--help
methods
datasets
columns here.csv {ROWS}
diagnose here.csv there.csv {ROWS}
rank there.csv here.csv {ROWS}
fit here.csv {ROWS} --out here.acclimate
fit here.csv {ROWS} --target there.csv --method CORAL --out mapped.acclimate
fit here.csv {ROWS} --estimator mlp --out network.acclimate
pretrain here.csv {ROWS} --out encoder.acclimate
adapt here.acclimate there.csv --out there.acclimate
evaluate there.acclimate test.csv --against here.acclimate --report evaluation.html
predict there.acclimate new.csv --proba --out predictions.csv
check there.acclimate next_month.parquet
show there.acclimate
label there.csv {ROWS} --out to_label.csv
compare --source here.csv --target there.csv {ROWS} --method CORAL --store run.sqlite \
--out best.acclimate --report report.html
resume run.sqlite
report run.sqlite --out again.html
"""
PICTURES = """
fit here --out seen.acclimate --encoder hog
adapt seen.acclimate there --out moved.acclimate
evaluate moved.acclimate there --answers
look moved.acclimate there --report look.html
"""


def told(folder, line):
    """Run a command with warnings as errors; return what it complained of, or nothing."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "acclimate", *line.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"ACCLIMATE_DEBUG": "1"},
    )
    return "" if done.returncode == 0 else f"{line}: exit {done.returncode}\n{done.stderr[-800:]}"


@pytest.mark.slow
def test_no_command_on_tables_warns(tmp_path):
    assert told(tmp_path, "example try") == ""
    lines = TABLES.strip().splitlines()
    assert [one for line in lines if (one := told(tmp_path / "try", line))] == []


@pytest.mark.slow
def test_no_command_on_pictures_warns(tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    for place in ("here", "there"):
        for name, light in (("dark", 40), ("bright", 180)):
            (tmp_path / place / name).mkdir(parents=True)
            for k in range(12):
                pixels = rng.integers(light, light + 60, (16, 16), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / place / name / f"{k}.png")
    lines = PICTURES.strip().splitlines()
    assert [one for line in lines if (one := told(tmp_path, line))] == []


def test_a_warning_is_an_error_where_python_is_told_so(tmp_path):
    code = (
        "import warnings\n"
        "from acclimate.cli import console\n"
        "console.run(lambda **_: warnings.warn('old', DeprecationWarning))"
    )
    for options, expected in (((), 0), (("-W", "error"), 1)):
        done = subprocess.run(
            [sys.executable, *options, "-c", code], capture_output=True, text=True
        )
        assert done.returncode == expected, done.stderr
