"""Commands on a linear model load what they need, and no more."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "skops.io", "matplotlib", "sklearn.ensemble")


def test_help_loads_no_numbers():
    code = (
        "import sys; from acclimate.cli import main; sys.argv = ['acclimate', '--help']\n"
        "try: main()\n"
        "finally: print([m for m in ('numpy', 'pandas') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [
    ("predict", "here.acclimate", "new.csv", "--out", "out.csv"),
    ("predict", "there.acclimate", "new.csv", "--out", "out.csv", "--proba"),
    ("evaluate", "there.acclimate", "test.csv"),
    ("check", "here.acclimate", "new.csv"),
    ("show", "there.acclimate"),
], ids=" ".join)  # fmt: skip
def test_a_linear_model_loads_no_torch(shelf, acclimate, arguments):
    columns = ("--label", "sick", "--id", "patient")
    assert acclimate("fit", "here.csv", *columns, "--out", "here.acclimate")[0] == 0
    assert acclimate("adapt", "here.acclimate", "there.csv", "--out", "there.acclimate")[0] == 0
    code = (
        "import sys; from acclimate.cli import main\n"
        f"sys.argv = ['acclimate', *{arguments!r}]\n"
        "try: main()\n"
        "except SystemExit as stop: code = stop.code\n"
        f"print(code or 0, [m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    drifted = 3 if arguments[0] == "check" else 0  # the patients there are older
    assert done.stderr.splitlines()[-1] == f"{drifted} []"
