"""Wheel and sdist hold what users need and nothing else, and work away from the checkout."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import acclimate

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "acclimate"
MISSING = [name for name in ("build", "hatchling") if importlib.util.find_spec(name) is None]
# One group is one worker, so that the wheel is built once.
pytestmark = [
    pytest.mark.xdist_group("wheel"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
    pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="not in a checkout"),
]


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command; show all it said where it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    # A copy, so that nothing is written into the checkout and nothing untold is read from it.
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(PACKAGE, source / "src" / "acclimate", ignore=lambda *_: {"__pycache__"})
    build = [sys.executable, "-I", "-m", "build", "--wheel", "--no-isolation"]
    run(*build, "--outdir", folder, source, cwd=folder)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel):
    target = wheel.parent / "site"
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet"]
    run(*pip, "--disable-pip-version-check", "--target", target, wheel, cwd=wheel.parent)
    return target


def test_wheel_is_pure_python_and_named_after_the_version(wheel):
    assert wheel.name == f"acclimate-{acclimate.__version__}-py3-none-any.whl"


def test_wheel_holds_every_file_of_the_package_and_no_other(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == expected
    assert "acclimate/py.typed" in held
    assert any(name.endswith(".html.j2") for name in held)


def test_wheel_tells_licence_python_and_the_command(wheel):
    info = f"acclimate-{acclimate.__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"{info}/METADATA").decode()
        commands = archive.read(f"{info}/entry_points.txt").decode()
        assert f"{info}/licenses/LICENSE" in archive.namelist()
    assert "\nLicense-Expression: BSD-3-Clause\n" in metadata
    assert "\nRequires-Python: >=3.11\n" in metadata
    assert "acclimate = acclimate.cli:main" in commands


def test_installed_wheel_works_from_another_folder(installed, tmp_path):
    # -I ignores the working folder, PYTHONPATH and the user's packages; the target goes first, so
    # that the checkout is not what is imported.
    program = f"""
import json, sys
sys.path.insert(0, {str(installed)!r})
import acclimate
light = sorted({{"torch", "matplotlib"}} & set(sys.modules))
from acclimate.cli import main
names = [row.name for row in acclimate.methods()]
classes = [getattr(acclimate, name).__name__ for name in names]
print(json.dumps([acclimate.__file__, acclimate.__version__, light, names, classes]))
"""
    answer = json.loads(run(sys.executable, "-I", "-c", program, cwd=tmp_path))
    file, version, heavy, names, classes = answer
    assert Path(file).is_relative_to(installed)
    assert version == acclimate.__version__
    assert heavy == []
    assert names == classes == [row.name for row in acclimate.methods()]


def test_installed_wheel_finds_its_templates(installed, tmp_path):
    program = f"""
import sys
sys.path.insert(0, {str(installed)!r})
from importlib.resources import files
print(sorted(path.name for path in files("acclimate.report").joinpath("templates").iterdir()))
"""
    here = sorted(path.name for path in (PACKAGE / "report" / "templates").iterdir())
    assert run(sys.executable, "-I", "-c", program, cwd=tmp_path).strip() == str(here)


@pytest.mark.slow
def test_sdist_holds_what_it_is_built_from_and_builds_the_same_wheel(wheel, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(PACKAGE, source / "src" / "acclimate", ignore=lambda *_: {"__pycache__"})
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    told = project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    beside = {name for name in told if name != "src"} | {"pyproject.toml"}
    for name in beside:
        shutil.copy(ROOT / name, source)
    (source / "untold.txt").write_text("left out", encoding="utf-8")
    run(sys.executable, "-I", "-m", "build", "--no-isolation", "--outdir", tmp_path, source,
        cwd=tmp_path)  # fmt: skip
    (sdist,), (again,) = tmp_path.glob("*.tar.gz"), tmp_path.glob("*.whl")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    package = {path for path in held if path.startswith("src/")}
    assert held - package == beside | {"PKG-INFO"}
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:  # made of the sdist
        assert {name.removeprefix("src/") for name in package} <= set(one.namelist())
        assert sorted(one.namelist()) == sorted(other.namelist())
