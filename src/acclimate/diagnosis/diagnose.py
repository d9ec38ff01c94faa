"""Are source and target different, and how? In words first, then in figures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate import columns as cells
from acclimate.arrays import channels_first
from acclimate.diagnosis import drift, encoding, labels_between, leaks, summaries, two_sample
from acclimate.diagnosis import placement as framing
from acclimate.diagnosis.advice import advise
from acclimate.diagnosis.drift import ColumnDrift
from acclimate.diagnosis.findings import SHIFTS, Advice, Diagnosis, Finding, Side
from acclimate.exceptions import InputError
from acclimate.maths.class_shares import shares_of
from acclimate.natives import as_rows, check_squares
from acclimate.refusing import as_input_error
from acclimate.shares import share_question
from acclimate.validation import check_mask, renamed
from acclimate.workers import spread, working

__all__ = ["Advice", "Diagnosis", "Finding", "diagnose"]

ROWS = 2000  # of each domain, for what compares rows with rows
KERNEL_ROWS = 500  # of each domain, for the kernel test
LEAST_ROWS = 20  # of each domain, for tests of all columns together
WIDER = 5.0  # ratio of spreads that looks like another unit
LEAST_OUTSIDE = 0.05  # share of target rows outside the support that is worth a word

Floats = NDArray[np.float64]


def diagnose(
    source: Any,
    target: Any,
    *,
    task: str | None = None,
    alpha: float = 0.05,
    rows: int = ROWS,
    features: tuple[Any, Any] | None = None,
    random_state: int = 0,
    executor: Any = None,
) -> Diagnosis:
    r"""Say whether and how two domains differ, worst first, and which methods suit.

    Use it before anything is adapted. Do not use it to judge a model: whether a method helped is
    what `verdict` says.

    These are tested, together with a chance of at most ``alpha`` of calling equal domains shifted
    (each family has an equal part; within one, Holm's correction): each column (Kolmogorov-Smirnov,
    chi-square, missing values, new levels), all columns together (maximum mean discrepancy with
    permutations; a cross-fitted domain classifier, as the proxy A-distance), class shares or
    values, support, the framing of images, and whether a linear model of the source holds on the
    labelled target rows. Without target labels, the classes that a source model *predicts* are
    compared, and the class shares that would explain them are given. Rows that occur in both
    domains are counted.

    Parameters
    ----------
    source, target : array-like or data frame of shape (n, ...), (X, y), or Domain
        Inputs, or a pair of inputs and labels, or anything with ``X`` and ``y``. Images have shape
        (n, h, w) or (n, c, h, w); of (n, h, w, 3) the channels are put first. Columns of frames are
        matched by name.
    task : {"classification", "regression"} or None, default=None
        What the labels are. None decides by the source's labels: numbers with fractions, or more
        than 20 different whole numbers, are a regression.
    alpha : float, default=0.05
        Chance of a false alarm over all tests together, in (0, 1).
    rows : int, default=2000
        Rows of each domain to sample, at least 100, for what compares rows with rows (the kernel
        test takes 500). Columns, labels and duplicates are read in full. Of more than 256 columns,
        256 at even distances are read.
    features : (array-like of shape (n, d), array-like of shape (m, d)), default=None
        Of images, and of the columns of text of a frame, what an encoder makes of those of the
        source and of the target: its 64 main directions stand for them where rows are compared with
        rows, and in the model of the source. Without it that model is one of the letters' number,
        or of an 8 x 8 grid, which says little of pictures: nothing is said against a transfer.
    random_state : int, default=0
        Seeds samples and folds. Which rows are drawn depends on their values, not on their order.
    executor : concurrent.futures.Executor or dask.distributed.Client, default=None
        Runs the tests of all columns together and the folds of the domain classifier. None runs
        them here. The result is the same.

    Returns
    -------
    Diagnosis
        ``sentence()``, ``words()``, ``table()`` for rich, and ``to_dict()``.

    Raises
    ------
    InputError
        The inputs have no column in common, are of different kinds, or a setting is out of range.
    AcclimateError
        The cluster or the executor is gone.

    Notes
    -----
    A column is said to differ where its test is significant *and* the effect is not trivial, as in
    `acclimate.diagnosis.drift.check`. Images are compared by brightness, contrast, regions and the
    place of the object, which works for images of different sizes, and by the means of their
    channels; and jointly by ``features`` or an 8 x 8 grid of means. Where the background fills the
    frame there is no object to speak of. "Cannot tell" is said where nothing was found and a large
    shift could have been missed.

    References
    ----------
    Rabanser, Guennemann and Lipton, "Failing loudly: an empirical study of methods for detecting
    dataset shift", arXiv:1810.11953. Ben-David and others, "A theory of learning from different
    domains", doi:10.1007/s10994-009-5152-4.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import diagnose
    >>> rng = np.random.default_rng(0)
    >>> diagnose(rng.normal(size=(500, 3)), rng.normal(size=(400, 3))).sentence()
    'No shift found between 500 source and 400 target rows.'
    >>> moved = rng.normal(size=(400, 3)) * [1, 1, 9]
    >>> diagnose(rng.normal(size=(500, 3)), moved).findings[0].kind
    'units'
    """
    if not 0.0 < alpha < 1.0:
        raise InputError(f"alpha must lie between 0 and 1, got {alpha!r}")
    if rows < 100:
        raise InputError(f"rows must be at least 100, got {rows!r}")
    before, now = _side(source, "source"), _side(target, "target")
    shared, findings = _match(before, now)
    labels = labels_between.compare_kind(before.y, now.y, task)
    families = 4 + (before.kind == "images") + (labels is not None) + (
        before.y is not None and now.y is not None
    )  # fmt: skip
    level = alpha / families
    figures: dict[str, Any] = {
        "coarse": before.kind == "images" and features is None,
        "source_rows": before.rows,
        "target_rows": now.rows,
        "source_labels": 0 if before.y is None else len(before.y),
        "target_labels": 0 if now.y is None else len(now.y),
    }
    report = _columns(before, now, shared, level)
    findings += _column_findings(report.columns, figures, before, now)
    if before.kind == "images":
        findings += framing.compare(before.X, now.X, level, figures)
    encoded = _encode(before, now, shared)
    whole = encoded
    if features is not None:
        whole = encoding.encode_features(*features, (before.rows, now.rows))
        if before.kind == "frame":  # beside the columns that are no text
            others = [name for name in shared if cells.kind_of(before.columns[name]) != "text"]
            whole = encoding.beside(_encode(before, now, others), whole) if others else whole
        elif before.kind != "images":
            raise InputError("features stand for images and texts, and the source is an array")
    same = leaks.keys_of(before, now, shared, random_state)
    picked = [encoding.sampling_order(keys)[:rows] for keys in same]
    raw = (whole.source[picked[0]], whole.target[picked[1]])
    Z = two_sample.standardise(*raw)
    if Z[0].shape[1] and min(len(side) for side in Z) >= LEAST_ROWS:
        with working(executor):
            findings += _joint(raw, Z, level, figures, random_state)
        if before.y is not None and labels is not None:
            findings += labels_between.compare(
                labels, before, now, Z, picked, level, figures, random_state
            )
    elif before.y is not None and now.y is not None and labels is not None:
        findings += labels_between.compare_shares(labels, before.y, now.y, level, figures)
    findings += leaks.duplicates(before, now, same, encoded, level, figures)
    ordered = tuple(sorted(findings, key=lambda f: -f.weight))
    shifted = any(f.kind in SHIFTS for f in ordered)
    word = "shifted" if shifted else "no shift found"
    if not shifted and (report.word == "cannot tell" or "a_distance" not in figures):
        word = "cannot tell"
    figures["inputs_shifted"] = any(f.kind in SHIFTS - {"model"} for f in ordered)
    advice = advise(shifted, figures) if word != "cannot tell" else ()
    question = None
    if before.y is not None and labels == "classification" and now.y is None:
        names = [str(one) for one in np.unique(before.y).tolist()]
        question = share_question(names, shares_of(before.y))
    return Diagnosis(
        word, before.rows, now.rows, alpha, ordered, advice, report.columns, figures, question
    )


def _side(value: Any, name: str) -> Side:
    """Take what the user gave apart, and check it."""
    X, y, labelled = value, None, None
    if isinstance(value, tuple):
        if len(value) != 2:
            raise InputError(f"{name} must be X, (X, y) or a Domain, got a tuple of {len(value)}")
        X, y = value
    elif not hasattr(value, "columns") and not hasattr(value, "shape") and hasattr(value, "X"):
        X, y = value.X, getattr(value, "y", None)
        labelled = getattr(value, "labelled", None)
    X = as_rows(X, name)
    if hasattr(X, "toarray"):
        X = X.toarray()
    if not hasattr(X, "columns"):
        with as_input_error(X, name):
            X = channels_first(np.asarray(X))
    else:
        X = X.set_axis([str(one) for one in X.columns], axis=1)
    kind, columns = summaries.as_columns(X)
    if not columns or not len(next(iter(columns.values()))):
        raise InputError(f"the {name} has no rows or no columns: X has the shape {X.shape}")
    check_squares(columns, f"the {name}")
    if len(columns) > summaries.COLUMNS:
        every = list(columns)
        places = np.linspace(0, len(every) - 1, summaries.COLUMNS).round().astype(int)
        columns = {every[i]: columns[every[i]] for i in places}
    n = len(next(iter(columns.values())))
    known: NDArray[np.intp] | None = None
    if y is not None:
        y = np.asarray(y)
        if y.shape != (n,):
            raise InputError(f"the {name} has {n} rows and labels of shape {y.shape}")
        if labelled is not None:
            known = np.empty(0, dtype=np.intp)
            if np.any(labelled):
                marked = check_mask(labelled, n)
                known = np.arange(n, dtype=np.intp) if marked is None else marked
            y = y[known]
        y = y if len(y) else None
    return Side(X, kind, columns, y, known)


def _match(before: Side, now: Side) -> tuple[list[str], list[Finding]]:
    """Return the columns that both have, and what is to be said of the others."""
    if (before.kind == "images") != (now.kind == "images"):
        raise InputError(f"the source is {before.kind} and the target {now.kind}; pass one kind")
    if before.kind == "images":  # grey ones have no colours
        return [name for name in before.columns if name in now.columns], []
    if before.kind != now.kind or "frame" not in (before.kind, now.kind):
        if len(before.columns) != len(now.columns) or before.kind != now.kind:
            raise InputError(
                f"the source ({before.kind}) has {len(before.columns)} columns and the target "
                f"({now.kind}) {len(now.columns)}; without names on both sides they must match"
            )
        return list(before.columns), []
    shared = [name for name in before.columns if name in now.columns]
    if not shared:
        raise InputError(
            f"no column is in both: source {list(before.columns)[:5]}, target "
            f"{list(now.columns)[:5]}"
        )
    gone = [name for name in before.columns if name not in now.columns]
    extra = [name for name in now.columns if name not in before.columns]
    findings = []
    for names, here, there, kind in (
        (gone, "source", "target", "missing column"),
        (extra, "target", "source", "extra column"),
    ):
        if names:
            listed = _some(names)
            like = renamed(gone, extra) if here == "source" else ""
            words = f"{_count(names, 'column')} of the {here} not in the {there}: {listed}{like}."
            findings.append(Finding(kind, words, 0.9 if here == "source" else 0.3))
    return shared, findings


def _columns(before: Side, now: Side, shared: list[str], level: float) -> drift.DriftReport:
    if before.kind == "frame":
        return drift.check(
            drift.summarise(before.X.loc[:, shared]), now.X.loc[:, shared], alpha=level
        )
    reference = drift.summarise(before.X)
    if before.kind == "images":
        kept = {name: reference["columns"][name] for name in shared}
        return drift.check(reference | {"columns": kept}, now.X, alpha=level)
    return drift.check(reference, now.X, alpha=level)


def _column_findings(
    columns: tuple[ColumnDrift, ...], figures: dict[str, Any], before: Side, now: Side
) -> list[Finding]:
    """Return one finding for each way in which columns differ."""
    ratios = {}
    for c in columns:
        if c.kind == "number" and c.name in before.columns and before.kind != "images":
            spreads = [
                float(np.nanstd(values)) if (~np.isnan(values)).any() else 0.0
                for values in (cells.as_measured(side.columns[c.name]) for side in (before, now))
            ]
            if min(spreads) > 0:
                ratios[c.name] = spreads[1] / spreads[0]
    figures["scale_ratios"] = ratios
    findings = []
    moved = sorted((c for c in columns if c.word == "shifted"), key=lambda c: -(c.shift or 0.0))
    if moved:
        listed = _some([f"{c.name!r} by {c.shift or 0.0:.2f}" for c in moved], quote=False)
        verb = "is" if len(moved) == 1 else "are"
        words = (
            f"{len(moved)} of {len(columns)} columns {verb} distributed differently (distance of 0 "
            f"to 1): {listed}."
        )
        findings.append(Finding("columns", words, 0.5 * (1.0 + (moved[0].shift or 0.0)) * 0.9))
    odd = {c.name: ratios[c.name] for c in moved if c.name in ratios}
    odd = {name: r for name, r in odd.items() if max(r, 1.0 / r) >= WIDER}
    if odd:
        worst = max(odd, key=lambda name: max(odd[name], 1.0 / odd[name]))
        words = (
            f"{_count(list(odd), 'column')} of very different spread: {worst!r} varies "
            f"{odd[worst]:.3g} times as much in the target. Check the units first."
        )
        findings.append(Finding("units", words, 0.96))
    gaps = [c for c in columns if c.word == "more missing"]
    if gaps:
        gaps.sort(key=lambda c: c.missing_before - c.missing_now)
        listed = _some(
            [f"{c.name!r} ({c.missing_before:.0%} to {c.missing_now:.0%})" for c in gaps],
            quote=False,
        )
        words = f"More values are missing in the target: {listed}."
        weight = 0.5 + 0.5 * (gaps[0].missing_now - gaps[0].missing_before)
        findings.append(Finding("missing values", words, weight))
    new = [c for c in columns if c.word == "new levels"]
    if new:
        listed = _some(
            [f"{c.name!r} ({c.new_levels[0]!r}; {c.new_share:.0%} of the rows)" for c in new],
            quote=False,
        )
        words = f"Levels that the source never has: {listed}."
        findings.append(Finding("new levels", words, 0.5 + 0.5 * max(c.new_share for c in new)))
    return findings


def _encode(before: Side, now: Side, shared: list[str]) -> encoding.Encoded:
    if before.kind == "images":
        encoded = encoding.encode_images(before.X, now.X)
        if encoded is not None:
            return encoded
        # images smaller than the grid on one side: brightness, contrast and regions remain
    return encoding.encode(
        {name: before.columns[name] for name in shared},
        dict(zip(shared, (now.columns[name] for name in shared), strict=True)),
    )


def _joint(
    raw: tuple[Floats, Floats],
    Z: tuple[Floats, Floats],
    level: float,
    figures: dict[str, Any],
    seed: int,
) -> list[Finding]:
    """Compare all columns together, and whether the target lies where the source is."""
    findings = []
    mmd, inside = spread(
        _test,
        [
            (two_sample.mmd_test, Z[0][:KERNEL_ROWS], Z[1][:KERNEL_ROWS], seed),
            (two_sample.overlap, *Z),
        ],
    )
    probabilities = two_sample.domain_probabilities(*Z, seed=seed)
    apart = two_sample.a_distance(*probabilities)
    figures |= {
        "mmd2": mmd.value,
        "mmd_p": mmd.p,
        "a_distance": apart.value,
        "a_distance_interval": [apart.low, apart.high],
        "a_distance_p": apart.p,
        "effective_share": two_sample.effective_share(probabilities[0]),
    }
    if apart.p < level:
        words = (
            f"Together, the inputs tell the domains apart: a classifier is right on "
            f"{0.5 + apart.value / 4.0:.0%} of held-out rows (A-distance {apart.value:.2f} of 2, "
            f"{apart.low:.2f} to {apart.high:.2f})."
        )
        findings.append(Finding("joint", words, 0.25 + 0.35 * apart.value))
        scaled = two_sample.standardise(*two_sample.scale_apart(*raw))
        after = two_sample.a_distance(*two_sample.domain_probabilities(*scaled, seed=seed))
        figures["a_distance_after_scaling"] = after.value
    elif mmd.p < level:
        words = f"Together, the inputs are distributed differently, by little (p = {mmd.p:.2g})."
        findings.append(Finding("joint", words, 0.3))
    figures |= {"inside": inside.inside, "inside_expected": inside.held, "inside_p": inside.p}
    if inside.p < level and inside.inside <= inside.held - LEAST_OUTSIDE:
        words = (
            f"{1.0 - inside.inside:.0%} of the target rows lie where the source has no rows: "
            f"predictions there are guesses."
        )
        findings.append(Finding("support", words, 0.4 + 0.55 * (1.0 - inside.inside)))
    return findings


def _test(function: Any, *arguments: Any) -> Any:
    return function(*arguments)


def _some(names: list[str], quote: bool = True) -> str:
    shown = ", ".join(repr(name) if quote else name for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _count(names: list[str], noun: str) -> str:
    return f"1 {noun} is" if len(names) == 1 else f"{len(names)} {noun}s are"
