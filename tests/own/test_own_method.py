"""Classes of the user's own: in files, in a script's main part, in no file at all."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"(?:<!-- file: (\S+) -->\n)?^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def parts() -> tuple[dict[str, str], str]:
    """Return the files that the page shows, by name, and the code between them."""
    blocks = BLOCK.findall((ROOT / "docs" / "own_method.md").read_text(encoding="utf-8"))
    return {n: code for n, code in blocks if n}, "\n".join(code for n, code in blocks if not n)


def run(folder: Path, *command: str, **more: Any) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False, **more
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_page_runs_with_its_classes_in_files(tmp_path: Path) -> None:
    files, rest = parts()
    for name, code in files.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    (tmp_path / "page.py").write_text(rest, encoding="utf-8")
    text = run(tmp_path, "page.py")
    assert "checks passed" in text
    assert "mapping True" in text


def test_the_map_of_the_page_has_at_most_20_lines() -> None:
    lines = [line for line in parts()[0]["my_methods.py"].splitlines() if line.strip()]
    assert len(lines) <= 20


@pytest.mark.slow
def test_a_built_in_method_is_one_file_one_row_and_one_test(tmp_path: Path) -> None:
    """Add the method that CONTRIBUTING.md shows to a copy, and run the tests that are its."""
    for name in ("src", "tests", "scripts", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (
        *ROOT.glob("*.md"),
        *ROOT.glob("*.toml"),
        *ROOT.glob("*.cff"),
        *ROOT.glob("*.txt"),
    ):
        shutil.copy(path, tmp_path)
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    method, row, test = (code for _, code in BLOCK.findall(text))
    (tmp_path / "src/acclimate/mapping/recentred.py").write_text(method, encoding="utf-8")
    (tmp_path / "tests/mapping/test_recentred.py").write_text(test, encoding="utf-8")
    catalogue = tmp_path / "src/acclimate/catalogue.py"
    before, start, after = catalogue.read_text(encoding="utf-8").partition("\nCATALOGUE: ")
    after = after.replace("\n)\n", f"\n{row.rstrip()}\n)\n", 1)
    catalogue.write_text(before + start + after, encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    run(tmp_path, "scripts/derive.py", env=env)
    assert "| `Recentred` |" in (tmp_path / "docs/methods.md").read_text(encoding="utf-8")
    names = ("test_catalogue", "test_exports", "common/test_checks", "mapping/test_recentred")
    said = run(
        tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
        *(f"tests/{name}.py" for name in names), "src/acclimate/mapping/recentred.py",
        "-k", "ecentred", env=env,
    )  # fmt: skip
    assert int(re.search(r"(\d+) passed", said)[1]) > 70


@pytest.mark.slow
@pytest.mark.parametrize("place", ["script", "cell"])
def test_classes_of_main_reach_the_workers(place: str, tmp_path: Path) -> None:
    files, rest = parts()
    first = re.split(r"^from acclimate\.testing", rest, flags=re.MULTILINE)[0]
    code = "\n".join([*files.values(), re.sub(r"^from my_.*\n", "", first, flags=re.MULTILINE)])
    code += "\nprint(found.to_frame().query('status == \"done\"').candidate.tolist())\n"
    if place == "script":
        (tmp_path / "script.py").write_text(code, encoding="utf-8")
        text = run(tmp_path, "script.py")
    else:  # as in a notebook, no file holds the classes
        text = run(tmp_path, "-", input=code)
    assert "'mine'" in text.splitlines()[-1]
