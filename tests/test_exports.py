"""The public names: all there, loaded lazily, documented."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from types import ModuleType

import pytest

import acclimate

HEAVY = ("torch", "matplotlib", "sklearn", "pandas", "scipy", "numpy")


@pytest.mark.parametrize("name", acclimate.__all__)
def test_every_name_resolves(name: str) -> None:
    assert getattr(acclimate, name) is not None


def test_all_is_what_can_be_resolved() -> None:
    lazy = set(acclimate._MODULES) | set(acclimate._SUBMODULES) - {"exceptions"}
    here = {
        name
        for name, value in vars(acclimate).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and getattr(value, "__module__", "").startswith("acclimate")
    }
    assert set(acclimate.__all__) == lazy | here | {"__version__"}
    assert acclimate.__all__ == sorted(acclimate.__all__)
    assert dir(acclimate) == sorted(acclimate.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = acclimate.Nothing


def test_import_is_light() -> None:
    code = (
        "import sys, acclimate, acclimate.catalogue; acclimate.methods(); "
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_shallow_methods_import_no_torch() -> None:
    code = (
        "import sys; from acclimate import Adapter, Domain, SourceOnly, TargetOnly, verdict; "
        "print([m for m in ('torch', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


CLASSES = [n for n in acclimate.__all__ if inspect.isclass(getattr(acclimate, n))]


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_class_is_documented(name: str) -> None:
    cls = getattr(acclimate, name)
    text = inspect.cleandoc(cls.__doc__ or "")
    assert re.search(r"\n(Parameters|Attributes)\n----------\n", text)
    undocumented = [
        member
        for member, value in vars(cls).items()
        if inspect.isfunction(value)
        and not member.startswith("_")
        and not (inspect.getdoc(getattr(cls, member)) or "").strip()
    ]
    assert not undocumented


def test_the_version_is_a_version() -> None:
    assert acclimate.__version__.count(".") == 2
