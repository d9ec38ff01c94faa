"""Files written by earlier versions go on loading, and answer as they did."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn
from packaging.version import parse

import acclimate

GOLDEN = Path(__file__).resolve().parent / "golden"
FILES = sorted(path.stem for path in GOLDEN.glob("*.acclimate"))


def skip_where_too_old(name: str) -> None:
    """Skip where scikit-learn is older than the one that a file with its estimators came from."""
    if name not in {"dann", "finetune"} and parse(sklearn.__version__) < parse("1.9"):
        pytest.skip("scikit-learn reads no estimators of a later version")


def _make() -> Any:
    spec = importlib.util.spec_from_file_location("golden_make", GOLDEN / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_file_is_there() -> None:
    assert FILES == ["coral", "dann", "finetune", "jda", "linear"]


@pytest.mark.parametrize("name", FILES)
def test_a_golden_file_answers_as_it_did(name: str) -> None:
    skip_where_too_old(name)
    model = acclimate.load(GOLDEN / f"{name}.acclimate")
    wanted = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    given = _make().answers(name, model)
    for domain in ("target", "source"):
        assert given[domain]["labels"] == wanted[domain]["labels"]
        np.testing.assert_allclose(
            given[domain]["proba"], wanted[domain]["proba"], rtol=0, atol=1e-6
        )
