"""Packages that add methods by an entry point: found when methods are asked for, never before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = """
from acclimate.catalogue import Row
from acclimate.templates import MapAdapter

ROW = Row("Own", "addon", family="mapping", avoid="never")


class Own(MapAdapter):
    row = ROW

    def _align(self, source, target, seed):
        return Less(source.X.mean(0)), Less(target.X.mean(0))


class Less:
    def __init__(self, by):
        self.by = by

    def __call__(self, X):
        return X - self.by
"""
POINTS = "[acclimate.methods]\none = addon:{}\n"
SHOWN = "import acclimate; print([row.name for row in acclimate.methods()][-2:])"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "addon.py").write_text(MODULE, encoding="utf-8")
    offer(tmp_path, "add-on", "ROW")
    return tmp_path


def offer(folder: Path, name: str, value: str) -> None:
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(exist_ok=True)
    info.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8"
    )
    info.joinpath("entry_points.txt").write_text(POINTS.format(value), encoding="utf-8")


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
    )  # fmt: skip


def cli(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "-c", "from acclimate.cli import main; main()", *words)


@pytest.mark.parametrize("value", ["ROW", "Own"])
def test_methods_lists_what_is_installed(folder: Path, value: str) -> None:
    offer(folder, "add-on", value)
    done = run(folder, "-c", SHOWN)
    assert "'Own']" in done.stdout
    assert not done.stderr


def test_importing_reads_no_entry_points(folder: Path) -> None:
    code = "import sys, acclimate; acclimate.CORAL; print('addon' in sys.modules)"
    assert run(folder, "-c", code).stdout.strip() == "False"
    code = "import sys, acclimate; print('importlib.metadata' in sys.modules)"
    assert run(folder, "-c", code).stdout.strip() == "False"


@pytest.mark.slow
def test_the_command_line_lists_and_fits_it(folder: Path) -> None:
    assert " Own" in cli(folder, "methods").stdout
    lines = ["a,b,label", *(f"{i % 7},{i % 5 + 2 * (i % 2)},{i % 2}" for i in range(60))]
    (folder / "here.csv").write_text("\n".join(lines), encoding="utf-8")
    done = cli(folder, "fit", "here.csv", "--label", "label", "--method", "Own", "--target",
               "here.csv", "--out", "m.acclimate")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (folder / "m.acclimate").exists()
    wrong = cli(folder, "fit", "here.csv", "--label", "label", "--method", "Owm", "--out", "m")
    assert "Own" in wrong.stderr


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("Missing", "has no attribute 'Missing'"),
        ("MODULE", "neither a Row nor a class nor a list"),
        ("TWICE", "there is a method 'CORAL' already"),
        ("BARE", "lacks the name or the module"),
        ("NONE", "is no method"),
    ],
)
def test_a_broken_package_is_named_and_harms_nothing(folder: Path, value: str, words: str) -> None:
    text = MODULE + "\nMODULE = 1\nTWICE = Row('CORAL', 'addon')\nBARE = Row()\nNONE = dict\n"
    (folder / "addon.py").write_text(text, encoding="utf-8")
    offer(folder, "broken-one", value)
    done = run(folder, "-c", SHOWN)
    assert "'Own']" in done.stdout
    assert "the package 'broken-one' offers methods that cannot be used" in done.stderr
    assert words in done.stderr
