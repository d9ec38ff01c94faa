"""Does it still hold? Whether new inputs are distributed as those a model was adapted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate import columns as cells
from acclimate.diagnosis import summaries
from acclimate.diagnosis.stability import bin_ends, stability_index
from acclimate.diagnosis.summaries import summarise
from acclimate.exceptions import InputError

__all__ = ["ColumnDrift", "DriftReport", "check", "holm", "ks_distance", "summarise"]

LEAST_SHIFT = 0.1  # of the distribution function, or of the mass of levels
LEAST_GAP = 0.05  # more missing values, as a share of the rows
LEAST_NEW = 0.01  # rows with a level never seen, as a share of the known ones
DETECTABLE = 0.25  # a sample that could hide a shift of this size tells nothing
_EXIT = {"holds": 0, "drifted": 3, "cannot tell": 4}


@dataclass(frozen=True)
class ColumnDrift:
    """What became of one column.

    Parameters
    ----------
    name : str
        The column.
    kind : str
        "number", "level", "text" or "datetime".
    word : str
        "same", "shifted", "new levels", "more missing", "missing column" or "not tested".
    shift : float or None
        Distance of the distributions, 0 to 1: Kolmogorov-Smirnov for numbers, total variation for
        levels.
    psi : float or None
        Population stability index, above 0.
    p : float or None
        Smallest p value of the column's tests, corrected by Holm over all tests.
    missing_before, missing_now : float
        Shares of missing values.
    new_levels : tuple of str
        Up to 5 levels never seen before, the most frequent first.
    new_share : float
        Share of the known values that are levels never seen before.
    """

    name: str
    kind: str
    word: str
    shift: float | None
    psi: float | None
    p: float | None
    missing_before: float
    missing_now: float
    new_levels: tuple[str, ...] = ()
    new_share: float = 0.0


@dataclass(frozen=True)
class DriftReport:
    """Whether inputs are still what a model was adapted to.

    Parameters
    ----------
    word : str
        "holds", "drifted" or "cannot tell".
    rows, reference_rows : int
        Rows now, and rows that the model was adapted to.
    alpha : float
        Chance of a false alarm, over all columns together.
    columns : tuple of ColumnDrift
        One for each column of the summary.
    rows_needed : int or None
        For "cannot tell": rows that would tell; None where the summary itself has too few.
    """

    word: str
    rows: int
    reference_rows: int
    alpha: float
    columns: tuple[ColumnDrift, ...]
    rows_needed: int | None = None

    @property
    def exit_code(self) -> int:
        """0 where it holds, 3 where it drifted, 4 where that cannot be told."""
        return _EXIT[self.word]

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """Columns that drifted, the largest shift first."""
        found = [c for c in self.columns if c.word not in ("same", "not tested")]
        return tuple(sorted(found, key=lambda c: -(c.shift or 0.0)))

    def sentence(self) -> str:
        """Return the finding in one or two plain sentences."""
        if self.word == "cannot tell":
            way = (
                f"about {self.rows_needed} rows would tell"
                if self.rows_needed
                else "the model was adapted to too few rows"
            )
            return f"Cannot tell: {self.rows} rows are too few to see a large shift; {way}."
        if self.word == "holds":
            return (
                f"Holds: no column of {self.rows} rows has drifted from the "
                f"{self.reference_rows} rows that the model was adapted to."
            )
        parts = [_describe(column) for column in self.drifted[:3]]
        more = len(self.drifted) - 3
        tail = f"; and {more} more" if more > 0 else ""
        return (
            f"Drifted: {len(self.drifted)} of {len(self.columns)} columns. "
            f"{'; '.join(parts)}{tail}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, ready for JSON."""
        return asdict(self) | {"exit_code": self.exit_code, "sentence": self.sentence()}


def _describe(column: ColumnDrift) -> str:
    if column.word == "missing column":
        return f"{column.name!r} is missing"
    if column.word == "more missing":
        return (
            f"{column.name!r} has more missing values ({column.missing_before:.0%} before, "
            f"{column.missing_now:.0%} now)"
        )
    if column.word == "new levels":
        shown = ", ".join(repr(level) for level in column.new_levels[:3])
        return f"{column.name!r} has new levels ({shown}; {column.new_share:.0%} of the rows)"
    if (column.shift or 0.0) < LEAST_SHIFT:  # it is the gaps that moved
        return (
            f"{column.name!r} has fewer missing values ({column.missing_before:.0%} before, "
            f"{column.missing_now:.0%} now)"
        )
    return f"{column.name!r} has shifted (distance {column.shift:.2f} of 1)"


def check(reference: Mapping[str, Any], X: Any, *, alpha: float = 0.01) -> DriftReport:
    """Compare inputs with the summary of those that a model was adapted to.

    Use it on each new file before its predictions are trusted. Do not use it to tell whether
    *predictions* are still right: labels can change their meaning while inputs stay the same.

    Each column is tested for its distribution (two-sample Kolmogorov-Smirnov for numbers,
    chi-square for levels), its share of missing values, and levels never seen before (two-sample
    tests of shares). P values are corrected by Holm over all tests. A column has drifted where a
    test is significant *and* the effect is not trivial: a distance of 0.1 or more between the
    distributions, 5 points more or fewer missing values, or 1 % of the rows in new levels. The
    population stability index is shown beside.

    Where nothing drifted, and the sample is so small that a distance of 0.25 would not have been
    significant, the answer is "cannot tell".

    Parameters
    ----------
    reference : mapping
        What `summarise` returned.
    X : data frame, or ndarray of shape (m, ...)
        The new inputs. Columns are matched by name; others are ignored.
    alpha : float, default=0.01
        Chance of one false alarm or more over all columns, between 0 and 1.

    Returns
    -------
    DriftReport

    Raises
    ------
    InputError
        The summary is not one, the inputs are of another kind, or alpha is out of range.

    Notes
    -----
    The distance is taken at the 64 quantiles that the summary holds, where the distribution
    function of the reference is known exactly. It is at most the full distance, so the p value is
    valid, and slightly conservative.

    References
    ----------
    Rabanser, Guennemann, Lipton, "Failing Loudly", arXiv:1810.11953.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate.diagnosis.drift import check, summarise
    >>> rng = np.random.default_rng(0)
    >>> reference = summarise(rng.normal(size=(1000, 2)))
    >>> check(reference, rng.normal(size=(500, 2))).word
    'holds'
    >>> print(check(reference, rng.normal(size=(500, 2)) + [0, 1]).sentence())
    Drifted: 1 of 2 columns. 'x1' has shifted (distance 0.44 of 1).
    """
    if not 0.0 < alpha < 1.0:
        raise InputError(f"alpha must lie between 0 and 1, got {alpha}")
    if not {"version", "kind", "rows", "columns"} <= set(reference):
        raise InputError(f"this is no summary of inputs: it has {sorted(reference)[:6]}")
    if reference["version"] != summaries.VERSION:
        raise InputError(
            f"the summary has version {reference['version']}, this release reads "
            f"{summaries.VERSION}; adapt the model again"
        )
    kind, columns = summaries.as_columns(X)
    if (kind == "images") != (reference["kind"] == "images"):
        raise InputError(f"the model was adapted to {reference['kind']}, and this is {kind}")
    if (
        kind == "array"
        and reference["kind"] == "frame"
        and len(columns) == len(reference["columns"])
    ):
        columns = dict(zip(reference["columns"], columns.values(), strict=True))
    return check_columns(reference, columns, alpha=alpha)


def check_columns(
    reference: Mapping[str, Any], columns: Mapping[str, Any], *, alpha: float
) -> DriftReport:
    """Compare columns of shape (m,) by name with a summary; see `check`."""
    rows = len(next(iter(columns.values())))
    found = [
        _compare(name, before, columns.get(name), int(reference["rows"]))
        for name, before in reference["columns"].items()
    ]
    flat = [p for _, tests in found for p, _, _ in tests]
    corrected = iter(holm(np.array(flat)).tolist())
    results = []
    for column, tests in found:
        judged = [(next(corrected), large, word) for _, large, word in tests]
        hits = [word for p, large, word in judged if large and p < alpha]
        word = next((w for w in ("new levels", "more missing", "shifted") if w in hits), "same")
        if column.word in ("missing column", "not tested"):
            word = column.word
        smallest = min((p for p, _, _ in judged), default=None)
        results.append(ColumnDrift(**{**vars(column), "word": word, "p": smallest}))
    drifted = any(c.word not in ("same", "not tested") for c in results)
    level = alpha / max(len(flat), 1)
    enough = critical_distance(rows, reference["rows"], level) <= DETECTABLE
    word = "drifted" if drifted else "holds" if enough else "cannot tell"
    needed = rows_needed(reference["rows"], level) if word == "cannot tell" else None
    return DriftReport(word, rows, int(reference["rows"]), alpha, tuple(results), needed)


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p values corrected for their number by Holm's method, shape (k,)."""
    order = np.argsort(p, kind="stable")
    factors = len(p) - np.arange(len(p))
    stepped = np.maximum.accumulate(np.minimum(p[order] * factors, 1.0))
    out = np.empty_like(stepped)
    out[order] = stepped
    return out


def ks_distance(before: Mapping[str, Any], x: NDArray[np.float64]) -> float:
    """Return the distance of distribution functions at the points that the summary holds.

    Parameters
    ----------
    before : mapping
        Summary of a column of numbers.
    x : ndarray of shape (m,)
        Known new values.
    """
    at = np.asarray(before["at"])
    ordered = np.sort(x)
    upto = np.searchsorted(ordered, at, "right") / len(x) - np.asarray(before["upto"])
    below = np.searchsorted(ordered, at, "left") / len(x) - np.asarray(before["below"])
    return float(max(np.abs(upto).max(), np.abs(below).max()))


def critical_distance(m: int, n: int, level: float) -> float:
    """Return the Kolmogorov-Smirnov distance that is just significant for m against n rows."""
    if not m or not n:
        return 1.0
    return float(min(np.sqrt(-np.log(level / 2.0) * (m + n) / (2.0 * m * n)), 1.0))


def rows_needed(n: int, level: float) -> int | None:
    """Return how many rows make `DETECTABLE` significant against n; None where none do."""
    rest = 2.0 * DETECTABLE**2 / -np.log(level / 2.0) - 1.0 / n
    return ceil(1.0 / rest) if rest > 0 else None


def shares_p(a: int, n: int, b: int, m: int) -> float:
    """Return the two-sided p value that a of n and b of m come from one share.

    Fisher's exact test where a cell expects fewer than 10, else the pooled z test.
    """
    from scipy import stats

    if a + b in (0, n + m) or not n or not m:
        return 1.0
    pooled = (a + b) / (n + m)
    if min(n, m) * min(pooled, 1.0 - pooled) < 10:
        return float(stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue)
    z = (b / m - a / n) / np.sqrt(pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m))
    return float(2.0 * stats.norm.sf(abs(z)))


# one test: p value, whether the effect is large enough to matter, word where both hold
_Test = tuple[float, bool, str]


def _compare(
    name: str, before: Mapping[str, Any], column: Any, n: int
) -> tuple[ColumnDrift, list[_Test]]:
    """Return what is to be told of one column, and its tests."""
    kind, gaps = str(before["kind"]), float(before["missing"])
    if column is None:
        return ColumnDrift(name, kind, "missing column", None, None, None, gaps, 1.0), []
    m = len(column)
    if kind == "datetime" or not m:
        return ColumnDrift(name, kind, "not tested", None, None, None, gaps, gaps), []
    shift = psi = None
    tests: list[_Test] = []
    new: dict[str, int] = {}
    if kind == "level":
        levels = cells.matched(cells.as_strings(column), before["levels"])
        counts = summaries.count_levels(levels)
        known = sum(counts.values())
        if known and before["count"]:
            shift, psi, tests, new = _compare_levels(before, counts, known)
    else:
        if kind == "text":
            x = summaries.letters(cells.as_strings(column))
        else:
            x = cells.as_measured(column)
        x = x[~np.isnan(x)]
        known = len(x)
        if known and before["count"]:
            shift, psi, tests = _compare_numbers(before, x)
    missing_now = 1.0 - known / m
    p = shares_p(n - int(before["count"]), n, m - known, m)
    moved = missing_now - gaps
    tests.append((p, abs(moved) >= LEAST_GAP, "more missing" if moved > 0 else "shifted"))
    share = sum(new.values()) / known if known else 0.0
    return (
        ColumnDrift(
            name, kind, "same", shift, psi, None, gaps, missing_now, tuple(list(new)[:5]), share
        ),
        tests,
    )


def _compare_numbers(
    before: Mapping[str, Any], x: NDArray[np.float64]
) -> tuple[float, float, list[_Test]]:
    from scipy import stats

    n, m = int(before["count"]), len(x)
    shift = ks_distance(before, x)
    p = float(stats.kstwo.sf(shift, max(round(n * m / (n + m)), 1)))
    places = bin_ends(*(np.asarray(before[key]) for key in ("upto", "below")))
    edges = np.asarray(before["at"])[places]
    reached = np.asarray(before["upto"])[places]
    now = np.searchsorted(np.sort(x), edges, "right") / m
    psi = stability_index(
        np.diff(reached, prepend=0.0, append=1.0), np.diff(now, prepend=0.0, append=1.0), m
    )
    return shift, psi, [(p, shift >= LEAST_SHIFT, "shifted")]


def _compare_levels(
    before: Mapping[str, Any], counts: Mapping[str, int], known: int
) -> tuple[float, float, list[_Test], dict[str, int]]:
    from scipy import stats

    n = int(before["count"])
    stored = before["levels"]
    unknown = {level: k for level, k in counts.items() if level not in stored}
    p = np.array([*stored.values(), max(1.0 - sum(stored.values()), 0.0)])
    now = np.array([*(counts.get(level, 0) for level in stored), sum(unknown.values())]) / known
    shift = float(np.abs(p - now).sum() / 2.0)
    # A level that expects fewer than 5 in either sample is pooled with the other such levels.
    table = np.array([np.round(p * n), now * known])  # (2, levels + 1)
    expected = table.sum(axis=0) * min(n, known) / (n + known)
    rare = expected < 5
    pooled = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    pooled = pooled[:, pooled.sum(axis=0) > 0]
    chance = 1.0
    if pooled.shape[1] > 1:
        chance = float(stats.chi2_contingency(pooled, correction=False).pvalue)
    tests: list[_Test] = [(chance, shift >= LEAST_SHIFT, "shifted")]
    new = {} if before["more_levels"] else unknown
    if new:
        b = sum(new.values())
        tests.append((shares_p(0, n, b, known), b / known >= LEAST_NEW, "new levels"))
    return shift, stability_index(p, now, known), tests, new
