"""Features of an encoder, compared with those of the pictures that a model was adapted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from acclimate.diagnosis import drift, summaries
from acclimate.diagnosis.drift import DriftReport

FEATURES = 16  # that are kept: each costs power


def summarise_features(features: Any) -> dict[str, Any]:
    """Return a summary of the features that differ most between rows.

    Parameters
    ----------
    features : ndarray of shape (n, d)
        What an encoder made of pictures.

    Returns
    -------
    dict
        As `summaries.summarise` returns it, of at most 16 columns called "encoder feature 17".

    Examples
    --------
    >>> import numpy as np
    >>> list(summarise_features(np.arange(12.0).reshape(3, 4) * [1, 0, 2, 0])["columns"])
    ['encoder feature 0', 'encoder feature 2']
    """
    F = np.asarray(features, dtype=np.float64)
    spread = F.std(axis=0)
    order = np.argsort(-spread, kind="stable")[:FEATURES]
    kept = sorted(order[spread[order] > 0.0].tolist()) or [0]
    return {
        "version": summaries.VERSION, "kind": "array", "rows": len(F),
        "columns": {_name(j): summaries.summarise_column(F[:, j]) for j in kept},
        "left_out": F.shape[1] - len(kept),
    }  # fmt: skip


def check_pictures(
    reference: Mapping[str, Any], X: Any, seen: Mapping[str, Any], features: Any, *, alpha: float
) -> DriftReport:
    """Compare pictures, and what an encoder makes of them, with those that a model was adapted to.

    The pictures themselves and the features have half of the chance of a false alarm each.

    Parameters
    ----------
    reference : mapping
        What `summaries.summarise` returned for the pictures.
    X : ndarray of shape (m, ...)
        New pictures.
    seen : mapping
        What `summarise_features` returned.
    features : ndarray of shape (m, d)
        Features of the new pictures, by the same encoder.
    alpha : float
        Chance of a false alarm, between 0 and 1.
    """
    F = np.asarray(features)
    named = {_name(j): F[:, j] for j in range(F.shape[1])}
    first = drift.check(reference, X, alpha=alpha / 2 if 0.0 < alpha < 1.0 else alpha)
    second = drift.check_columns(seen, named, alpha=alpha / 2)
    words = {first.word, second.word}
    word = next(one for one in ("drifted", "cannot tell", "holds") if one in words)
    needed = [one.rows_needed for one in (first, second) if one.word == "cannot tell"]
    return replace(
        first, word=word, alpha=alpha, columns=(*first.columns, *second.columns),
        rows_needed=None
        if word != "cannot tell" or None in needed
        else max(one for one in needed if one is not None),
    )  # fmt: skip


def _name(column: int) -> str:
    return f"encoder feature {column}"
