"""Made-up patients of two wards, to try the commands on before one's own files are at hand."""

from __future__ import annotations

from typing import Any

import numpy as np

LABELLED = 40  # rows of the target file with a label, the first ones
ROWS = {"here": 500, "there": 300, "test": 400, "new": 150, "next_month": 200}


def two_wards(seed: int = 0) -> dict[str, Any]:
    """Return five tables by name: ``here``, ``there``, ``test``, ``new`` and ``next_month``.

    In the second ward patients are older, and its laboratory reports ``crp`` in other numbers, 1.6
    times as high and 8 more; what makes people sick is the same. All rows but those of ``here`` are
    of the second ward. In ``there`` the first 40 have a label, in ``new`` and ``next_month`` none.

    Parameters
    ----------
    seed : int, default=0

    Returns
    -------
    dict from str to DataFrame
        Columns ``patient``, ``age`` (years), ``bmi`` (kg/m2), ``crp`` (mg/l; gaps), ``pressure``
        (mmHg), ``smoker`` ("yes", "no", "never asked"), ``admitted`` (date) and ``sick`` ("yes",
        "no").

    Examples
    --------
    >>> tables = two_wards()
    >>> {name: len(table) for name, table in tables.items()}
    {'here': 500, 'there': 300, 'test': 400, 'new': 150, 'next_month': 200}
    >>> int(tables["there"]["sick"].notna().sum())
    40
    """
    rng = np.random.default_rng([seed, 20])
    tables = {}
    for number, (name, rows) in enumerate(ROWS.items()):
        table = _ward(rng, rows, second=name != "here", month=number)
        table.insert(0, "patient", [f"{name[0].upper()}{number}{k:04d}" for k in range(rows)])
        if name in ("new", "next_month"):
            table = table.drop(columns="sick")
        elif name == "there":
            table.loc[LABELLED:, "sick"] = None
        tables[name] = table
    return tables


def _ward(rng: np.random.Generator, rows: int, *, second: bool, month: int) -> Any:
    import pandas as pd

    age = np.clip(rng.normal(66 if second else 57, 12, rows), 18, 98)
    bmi = rng.normal(27, 4, rows)
    crp = rng.gamma(2.0, 12.0, rows)
    pressure = rng.normal(128 + 0.3 * (age - 57), 14, rows)
    smoker = rng.choice(["no", "yes", "never asked"], rows, p=[0.6, 0.25, 0.15])
    risk = (
        (age - 60) / 10 + 1.5 * (crp - 24) / 12 + (bmi - 27) / 5 + (pressure - 130) / 18
        + 1.2 * (smoker == "yes") - 0.6
    )  # fmt: skip
    sick = risk + rng.logistic(0, 0.6, rows) > 0
    shown = 1.6 * crp + 8 if second else crp
    days = pd.Timestamp("2026-01-05") + pd.to_timedelta(
        30 * month + rng.integers(0, 30, rows), unit="D"
    )
    return pd.DataFrame({
        "age": age.round().astype(int),
        "bmi": bmi.round(1),
        "crp": np.where(rng.random(rows) < 0.08, np.nan, shown.round(1)),
        "pressure": pressure.round().astype(int),
        "smoker": smoker,
        "admitted": days.strftime("%Y-%m-%d"),
        "sick": np.where(sick, "yes", "no"),
    })  # fmt: skip
