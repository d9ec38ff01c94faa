"""Rows that occur in both domains, exactly or nearly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acclimate.diagnosis import encoding, two_sample
from acclimate.diagnosis.drift import shares_p
from acclimate.diagnosis.encoding import as_text
from acclimate.diagnosis.findings import Finding
from acclimate.folds import row_keys

if TYPE_CHECKING:
    from acclimate.diagnosis.findings import Side

NEAR = 1e-3  # standard deviations within which two rows are nearly equal
NEAR_ROWS = 50_000  # of each domain that are searched for nearly equal ones
LEAST = 0.005  # share of target rows beyond what repeats in the source explain

Keys = NDArray[np.uint64]


def keys_of(before: Side, now: Side, shared: list[str], seed: int) -> tuple[Keys, Keys]:
    """Return one integer a row of each domain, the same where all cells are equal."""
    keys = []
    for side in (before, now):
        if side.kind != "frame" and side.X.dtype.kind in "biuf":
            keys.append(row_keys(side.X.reshape(len(side.X), -1), seed))
        else:
            keys.append(encoding.exact_keys({name: side.columns[name] for name in shared}))
    return keys[0], keys[1]


def duplicates(
    before: Side,
    now: Side,
    keys: tuple[Keys, Keys],
    encoded: encoding.Encoded,
    level: float,
    figures: dict[str, Any],
) -> list[Finding]:
    """Count rows that both domains have, and say so where they are too many to be chance.

    Rows of few different values repeat anyway: the share of source rows that occur twice in the
    source is what chance explains.
    """
    findings = []
    known = [side.shape[0] for side in (before.X, now.X)]
    same_shape = before.kind == "frame" or before.X.shape[1:] == now.X.shape[1:]
    found = 0
    if same_shape:
        own, across, which = _repeats(*keys)
        found = int(across.sum())
        figures |= {"repeated_in_source": float(own.mean()), "also_in_source": found}
        words = f"{found} of {known[1]} target rows are also in the source, cell by cell."
        findings += _finding(own, across, level, words + _conflicts(before, now, across, which))
    if encoded.names:
        Z = two_sample.standardise(encoded.source[:NEAR_ROWS], encoded.target[:NEAR_ROWS])
        own = np.zeros(len(Z[0]), dtype=bool)
        across = np.zeros(len(Z[1]), dtype=bool)
        for shift in (0.0, 0.5):  # two grids, so that few pairs are parted by a line
            grids = [row_keys(np.floor(side / NEAR + shift), 0) for side in Z]
            one, other, _ = _repeats(*grids)
            own, across = own | one, across | other
        near = int(across.sum())
        figures["nearly_in_source"] = near
        if not findings and near > found:
            words = f"{near} of {len(across)} target rows are nearly equal to a row of the source."
            findings += _finding(own, across, level, words)
    return findings


def _repeats(before: Keys, now: Keys) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.intp]]:
    """Return which source rows repeat, which target rows are in the source, and where."""
    unique, first, inverse, counts = np.unique(
        before, return_index=True, return_inverse=True, return_counts=True
    )
    place = np.minimum(np.searchsorted(unique, now), len(unique) - 1)
    return counts[inverse.reshape(-1)] > 1, unique[place] == now, first[place]


def _finding(own: NDArray[Any], across: NDArray[Any], level: float, words: str) -> list[Finding]:
    p = shares_p(int(own.sum()), len(own), int(across.sum()), len(across))
    excess = float(across.mean() - own.mean())
    if p >= level or excess < LEAST:
        return []
    words += " Scores on them say nothing about new rows: take them out of one side."
    return [Finding("leak", words, 0.6 + 0.35 * excess)]


def _conflicts(before: Side, now: Side, across: NDArray[Any], which: NDArray[np.intp]) -> str:
    """Return how many shared rows carry another label, where labels are complete."""
    if before.y is None or now.y is None or before.known is not None or now.known is not None:
        return ""
    first = as_text(before.y)
    same = first[which[across]] == as_text(now.y, np.unique(first))[across]
    return "" if same.all() else f" {int((~same).sum())} of them carry another label there."
