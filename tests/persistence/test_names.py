"""What a file calls each class: the same name wherever the class moves, and one that resolves."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
import sklearn
from packaging.version import parse
from torch import nn

import acclimate
from acclimate.catalogue import CATALOGUE
from acclimate.exceptions import InputError, IntegrityError
from acclimate.persistence import names

FORMER = Path(__file__).resolve().parent / "golden" / "former_names.txt"
# dataclasses of the past that no model keeps: what runs, reads, judges or draws
NEVER_HELD = (
    "batches", "catalogue", "comparison", "datasets", "demo", "ranking", "report", "selection",
)  # fmt: skip
NEVER_HELD_CLASSES = (
    "ArrayBatches", "Batch", "FileBatches", "Job", "LearningRates", "Phase", "Run", "Table", "Term",
)  # fmt: skip


def classes() -> list[type[Any]]:
    """Return all classes of the package, each once."""
    found = {}
    for info in pkgutil.walk_packages(acclimate.__path__, "acclimate."):
        if not info.name.endswith("__main__"):
            for value in vars(importlib.import_module(info.name)).values():
                if inspect.isclass(value) and value.__module__.startswith("acclimate."):
                    found[names.qualified(value)] = value
    return list(found.values())


def named() -> list[type[Any]]:
    return [cls for cls in classes() if names.stable_name(cls) is not None]


def test_every_model_map_and_layer_has_a_name() -> None:
    """A class that others derive from is a template; of those there are no objects."""
    lacks = [
        names.qualified(cls)
        for cls in classes()
        if (issubclass(cls, nn.Module) or hasattr(cls, "predict") or hasattr(cls, "transform"))
        and not cls.__subclasses__()
        and names.stable_name(cls) is None
    ]
    assert not lacks, "give them lines in HOMES of persistence/names.py"


def test_names_are_unique_and_no_paths() -> None:
    given = [names.stable_name(cls) for cls in named()]
    assert len(given) == len(set(given)) > 100
    for cls, name in zip(named(), given, strict=True):
        assert name is not None
        assert name != names.qualified(cls)
        rooms = name.split(".")[1:-1]
        assert not rooms or rooms[0] in {row.name for row in CATALOGUE}


def test_names_resolve_to_their_classes() -> None:
    for cls in named():
        name = names.stable_name(cls)
        assert name is not None
        found = names.layer_class(name) if issubclass(cls, nn.Module) else names.our_class(name)
        assert found is cls
    assert len(names._homes()) == len(names.HOMES) + len(CATALOGUE)  # no two with one name


def test_paths_of_the_past_resolve() -> None:
    """The names that files held before a class's name was its own."""
    templates = {cls.__name__ for cls in classes() if cls.__subclasses__()}
    resolved = 0
    for name in FORMER.read_text(encoding="utf-8").split():
        *rooms, last = name.split(".")
        if rooms[1] in NEVER_HELD or last in NEVER_HELD_CLASSES:
            continue
        cls = names._ours(name)
        if cls is None:
            assert last in templates, name
            continue
        assert cls.__name__ == names.FORMER.get(last, last).rpartition(".")[2]
        resolved += 1
    assert resolved > 100


def test_a_class_that_moves_changes_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if parse(sklearn.__version__) < parse("1.9"):
        pytest.skip("scikit-learn reads no estimators of a later version")
    golden = Path(__file__).resolve().parent / "golden" / "coral.acclimate"
    with zipfile.ZipFile(golden) as archive:
        assert b"acclimate.mapping.common.Affine" in archive.read("model.json")
    model = acclimate.load(golden)
    with zipfile.ZipFile(model.save(tmp_path / "again")) as archive:
        held = set(re.findall(r'"class": "(acclimate[^"]+)"', archive.read("model.json").decode()))
    assert held >= {"acclimate.CORAL", "acclimate.Affine"}
    from acclimate.mapping import coral

    class Affine:
        __module__, __qualname__ = "acclimate.mapping.coral", "Moved"

        def transform(self, X: Any) -> Any:
            return X

    Affine.__name__ = "Moved"
    monkeypatch.setattr(coral, "Moved", Affine, raising=False)
    kept = [home for home in names.HOMES if not home.endswith(".Affine")]
    monkeypatch.setattr(names, "HOMES", (*kept, "acclimate.mapping.coral.Moved"))
    monkeypatch.setattr(names, "FORMER", {"Affine": "Moved"})
    for made in (names._homes, names._names):
        made.cache_clear()
    try:
        for name in ("acclimate.Affine", "acclimate.mapping.common.Affine", "acclimate.Moved"):
            assert names.our_class(name) is Affine
    finally:
        monkeypatch.undo()
        for made in (names._homes, names._names):
            made.cache_clear()


@pytest.mark.parametrize(
    "name",
    [
        "acclimate.Domain", "acclimate.domain.Domain", "acclimate.validation.Rows",
        "acclimate.cli.main", "acclimate.datasets.recipe.Recipe", "acclimate.load", "os.x",
        "acclimate.CORAL.Nothing", "acclimate.CORAL.np", "acclimate.JDA.Path",
        "acclimate.__main__", "acclimate..CORAL",
    ],
)  # fmt: skip
def test_other_names_resolve_to_nothing(name: str) -> None:
    with pytest.raises(IntegrityError, match="none of acclimate's models"):
        names.our_class(name)


def test_what_has_no_name_is_refused_when_written(tmp_path: Path) -> None:
    model = acclimate.SourceOnly()
    model.row_ = CATALOGUE[0]
    with pytest.raises(InputError, match=r"row_ is a Row, which has no name.*HOMES"):
        model.save(tmp_path / "m")
    assert not list(tmp_path.iterdir())
