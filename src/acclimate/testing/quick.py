"""Settings and base models that make a method fast enough to be fitted by the hundred."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from acclimate.catalogue import Row
from acclimate.testing.toy_pairs import toy_pairs

# By the name of the setting, whatever the method; and where a method's own default is fast or
# its mathematics needs another value.
_FAST: Mapping[str, Any] = {
    "critic_steps": 1, "folds": 2, "hidden": (8,), "length": 0.25, "level": 0.0, "max_rounds": 30,
    "repeats": 1, "ridges": (0.1,), "rounds": 2, "steps": 2,
    "strengths": (float("inf"), 1.0, 0.0), "widths": (1.0, 3.0),
}  # fmt: skip
_LEFT_ALONE = (("JDOT", "rounds"), ("JointObjective", "steps"), ("TENT", "length"))
_OTHERWISE: Mapping[str, Mapping[str, Any]] = {
    "ContrastiveAlignment": {"steps": 200, "dimension": 8, "dropout": 0.0, "learning_rate": 0.01},
    "SelfTraining": {"guard": False},  # which would keep the source model on toy data
    "TrAdaBoost": {"rounds": 3},
}


def quick_settings(row: Row) -> dict[str, Any]:
    """Return settings of a method that make its fits short.

    Examples
    --------
    >>> from acclimate.catalogue import find
    >>> quick_settings(find("JDA")), quick_settings(find("CORAL"))
    ({'rounds': 2}, {})
    """
    known = inspect.signature(row.load()).parameters
    fast = {
        name: value
        for name, value in _FAST.items()
        if name in known and (row.name, name) not in _LEFT_ALONE
    }
    return fast | dict(_OTHERWISE.get(row.name, {}))


def quick_base(row: Row, task: str) -> Any:
    """Return a base model that suits a method and is fitted in milliseconds.

    Parameters
    ----------
    row : Row
        Of the method.
    task : {"classification", "regression"}
        What it is to do.
    """
    if not row.network:
        from sklearn.linear_model import LogisticRegression, Ridge

        return Ridge() if task == "regression" else LogisticRegression(max_iter=1000)
    from acclimate.base.neural import NeuralClassifier, NeuralRegressor

    network = NeuralRegressor if task == "regression" else NeuralClassifier
    return network(
        "mlp-norm" if row.base == "batch norm" else "mlp", hidden=(16,), dropout=0.0, epochs=1,
        min_steps=60, batch_size=32, learning_rate=0.03,
    )  # fmt: skip


def quick_method(row: Row, task: str) -> Any:
    """Return the method of a row, fast and seeded, not fitted."""
    if row.kind == "paired":
        return _quick_paired(row, task)
    return row.load()(estimator=quick_base(row, task), random_state=0, **quick_settings(row))


def _quick_paired(row: Row, task: str) -> Any:
    """Return a method on pairs, with a teacher of toy pairs where it needs one."""
    settings, known = quick_settings(row), inspect.signature(row.load()).parameters
    if "teacher" in known:
        d = toy_pairs()
        labels = d.v if task == "regression" else d.y
        settings |= {"teacher": quick_base(row, task).fit(d.A, labels)}
    if "random_state" in known:
        settings |= {"random_state": 0}
    return row.load()(**settings)
