"""A name has one meaning: what once had two to four each is defined in one place."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

import acclimate

PACKAGE = Path(acclimate.__file__).parent


def _defined() -> Counter[str]:
    """Return how often each class or name of a module is defined at the top of a file."""
    found: Counter[str] = Counter()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                found[node.name] += 1
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found.update({one.id for one in targets if isinstance(one, ast.Name)})
    return found


@pytest.mark.parametrize(
    "name", ["Job", "Plan", "Progress", "Ranking", "Record", "Rows", "Task", "VALIDATORS"]
)
def test_a_name_is_defined_once(name: str) -> None:
    assert _defined()[name] == 1


def test_a_file_has_its_name_alone() -> None:
    stems = Counter(path.stem for path in PACKAGE.rglob("*.py") if path.stem != "__init__")
    assert [stem for stem, files in stems.items() if files > 1] == []
