"""Classes and values of two domains, and whether a model of the source holds on the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acclimate.arrays import check_task, one_hot, task_of
from acclimate.diagnosis import two_sample
from acclimate.diagnosis.drift import shares_p
from acclimate.diagnosis.encoding import as_text
from acclimate.diagnosis.findings import Finding
from acclimate.folds import few_label_folds
from acclimate.maths.ridge import ridge_predictions

if TYPE_CHECKING:
    from acclimate.diagnosis.findings import Side

Floats = NDArray[np.float64]
LEAST_SHARES = 0.05  # total variation of class shares that is worth a word
LEAST_FALL = 0.05  # points of accuracy or R2
FOLDS = 5


def compare_kind(
    before: NDArray[Any] | None, now: NDArray[Any] | None, task: str | None
) -> str | None:
    """Return "classification" or "regression" where there are labels to compare, else None."""
    if before is None:
        if task is not None:
            check_task(task)
        return None
    found = task_of(before, task)[0]
    if now is not None and found == "regression":
        task_of(now, found)  # raises where the target has no numbers
    return found


def compare_shares(
    task: str, before: NDArray[Any], now: NDArray[Any], level: float, figures: dict[str, Any]
) -> list[Finding]:
    """Compare known labels of both domains."""
    if task == "regression":
        from scipy.stats import ks_2samp

        test = ks_2samp(before.astype(float), now.astype(float))
        figures |= {"value_distance": float(test.statistic), "value_p": float(test.pvalue)}
        if test.pvalue >= level or test.statistic < 0.1:
            return []
        words = (
            f"The values to predict are distributed differently (distance {test.statistic:.2f} of "
            f"1; medians {np.median(before):.4g} and {np.median(now):.4g})."
        )
        return [Finding("values", words, 0.4 + 0.5 * float(test.statistic))]
    classes, codes = np.unique(_texts(before, now), return_inverse=True)
    counts = [
        np.bincount(part, minlength=len(classes))
        for part in np.split(codes.reshape(-1), [len(before)])
    ]
    only = [classes[(a > 0) & (b == 0)].tolist() for a, b in (counts, counts[::-1])]
    figures |= {"classes": len(classes), "classes_only_in_target": only[1]}
    figures["no_common_class"] = not ((counts[0] > 0) & (counts[1] > 0)).any()
    findings = []
    if figures["no_common_class"]:
        words = f"No class is in both domains: {_listed(only[0])} there, {_listed(only[1])} here."
        findings.append(Finding("classes", words, 1.0))
    elif only[1]:
        share = float(counts[1][counts[0] == 0].sum() / counts[1].sum())
        words = (
            f"The target has classes that the source lacks: {_listed(only[1])} "
            f"({share:.1%} of its labels)."
        )
        findings.append(Finding("classes", words, 0.5 + 0.45 * min(1.0, 5.0 * share)))
    if only[0] and not figures["no_common_class"]:
        figures["classes_only_in_source"] = only[0]
    distance, p = two_sample.shares_test(counts[0], counts[1])
    figures |= {"class_distance": distance, "class_p": p}
    if p < level and distance >= LEAST_SHARES and not findings:
        shares = [c / c.sum() for c in counts]
        worst = int(np.abs(shares[0] - shares[1]).argmax())
        missing = f" The target has no rows of {_listed(only[0])}." if only[0] else ""
        words = (
            f"The class shares differ ({distance:.0%} of the labels would have to change): class "
            f"{str(classes[worst])!r} is {shares[0][worst]:.0%} of the source and "
            f"{shares[1][worst]:.0%} of the target.{missing}"
        )
        findings.append(Finding("class shares", words, 0.4 + 0.5 * distance))
    return findings


def compare(
    task: str,
    before: Side,
    now: Side,
    Z: tuple[Floats, Floats],
    picked: list[NDArray[np.intp]],
    level: float,
    figures: dict[str, Any],
    seed: int,
) -> list[Finding]:
    """Compare labels, and what a linear model of the source says on both domains."""
    findings = []
    if before.y is not None and now.y is not None:
        findings += compare_shares(task, before.y, now.y, level, figures)
    rows, y = _labelled(before, picked[0])
    if len(y) < 2 * FOLDS:
        return findings
    classify = task == "classification"
    codes, classes = _codes(y) if classify else (y.astype(float), np.zeros(0))
    if classify and len(classes) < 2:
        return findings
    held, there = _cross_fit(Z[0][rows], codes, Z[1], classify, len(classes), seed)
    if now.y is not None:
        known, truth = _labelled(now, picked[1])
        if len(truth):
            findings += _model_holds(
                classify, codes, held, classes, truth, there[known], level, figures
            )
            if classify:
                both, names = (Z[0][rows], Z[1][known]), np.asarray(classes, dtype=np.str_)
                figures |= _probes(both, codes, names, as_text(truth, names), seed)
    if classify:
        findings += _explain(
            findings, codes, classes, held, there, Z, rows, now, level, figures, seed
        )
    return findings


def _cross_fit(
    X: Floats, codes: NDArray[Any], T: Floats, classify: bool, k: int, seed: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return predictions for each source row and each target row, each by one model of the source.

    A target row is predicted by the model of one fold, so that rows of both domains are treated
    alike.
    """
    Y = one_hot(codes, k) if classify else codes.reshape(-1, 1)
    parts = few_label_folds(codes, classify=classify, folds=FOLDS, seed=seed)
    held = np.zeros(len(X), dtype=np.intp if classify else np.float64)
    there = np.zeros(len(T), dtype=held.dtype)
    for turn, (train, test) in enumerate(parts):
        mine = np.arange(turn, len(T), len(parts))
        answers = ridge_predictions(X[train], Y[train], np.concatenate([X[test], T[mine]]))
        said = answers.argmax(axis=1) if classify else answers[:, 0]
        held[test], there[mine] = said[: len(test)], said[len(test) :]
    return held, there


def _model_holds(
    classify: bool,
    codes: NDArray[Any],
    held: NDArray[Any],
    classes: NDArray[Any],
    truth: NDArray[Any],
    there: NDArray[Any],
    level: float,
    figures: dict[str, Any],
) -> list[Finding]:
    """Compare how well a model of the source does on both domains."""
    if classify:
        right = held == codes
        named = classes[there] == as_text(truth, classes)
        p = shares_p(int(right.sum()), len(right), int(named.sum()), len(named))
        scores = [float(right.mean()), float(named.mean())]
        counts = np.unique(as_text(truth, classes), return_counts=True)[1]
        figures["chance"] = float(counts.max() / len(truth))
        shown = [f"is right on {scores[0]:.0%}", f"{scores[1]:.0%}"]
    else:
        from scipy.stats import mannwhitneyu

        misses = [np.square(held - codes), np.square(there - truth.astype(float))]
        p = float(mannwhitneyu(*misses).pvalue)
        spread = max(float(np.var(codes)), 1e-300)
        scores = [1.0 - float(m.mean()) / spread for m in misses]
        shown = [f"has an R2 of {scores[0]:.2f}", f"{scores[1]:.2f}"]
    figures |= {"source_score": scores[0], "target_score": scores[1], "score_p": p}
    if p >= level or scores[0] - scores[1] < LEAST_FALL:
        return []
    words = (
        f"A linear model of the source {shown[0]} of held-out source rows and on {shown[1]} of the "
        f"labelled target rows."
        if classify
        else f"A linear model of the source {shown[0]} on held-out source rows and of {shown[1]} "
        f"on the labelled target rows (errors by the spread of the source)."
    )
    return [Finding("model", words, min(0.94, 0.5 + (scores[0] - scores[1])))]


def _probes(
    Z: tuple[Floats, Floats], codes: NDArray[np.intp], classes: NDArray[Any], truth: NDArray[Any],
    seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Say how often linear models are right on held-out target rows, without and with the source.

    Both domains weigh the same. Nothing is said of fewer than two rows of a class, or of classes
    that the source does not have.

    Parameters
    ----------
    Z : (ndarray of shape (n, d), ndarray of shape (m, d))
        Labelled rows of both domains.
    codes : ndarray of shape (n,)
        Classes of the source rows, by their place in ``classes``.
    classes : ndarray of shape (k,)
    truth : ndarray of shape (m,)
        Labels of the target rows, as texts.
    """
    if not np.isin(truth, classes).all() or np.unique(truth, return_counts=True)[1].min() < 2:
        return {}
    named = np.searchsorted(classes, truth)
    Y, own = one_hot(codes, len(classes)), one_hot(named, len(classes))
    alone, both = np.zeros(len(named), dtype=bool), np.zeros(len(named), dtype=bool)
    for train, test in few_label_folds(named, classify=True, folds=FOLDS, seed=seed):
        T, often = Z[1][train], max(1, round(len(codes) / len(train)))
        said = ridge_predictions(T, own[train], Z[1][test])
        alone[test] = said.argmax(axis=1) == named[test]
        X = np.concatenate([Z[0], np.repeat(T, often, axis=0)])
        said = ridge_predictions(
            X, np.concatenate([Y, np.repeat(own[train], often, axis=0)]), Z[1][test]
        )
        both[test] = said.argmax(axis=1) == named[test]
    return {"probe_of_target": float(alone.mean()), "probe_with_source": float(both.mean())}


def _explain(
    findings: list[Finding],
    codes: NDArray[np.intp],
    classes: NDArray[Any],
    held: NDArray[np.intp],
    there: NDArray[np.intp],
    Z: tuple[Floats, Floats],
    rows: NDArray[np.intp],
    now: Side,
    level: float,
    figures: dict[str, Any],
    seed: int,
) -> list[Finding]:
    """Say whether other class shares alone would explain what differs."""
    k = len(classes)
    shares = np.bincount(codes, minlength=k) / len(codes)
    more: list[Finding] = []
    differ = any(f.kind == "class shares" for f in findings)
    if now.y is not None:
        counts = (as_text(now.y, classes)[:, None] == classes).sum(axis=0).astype(float)
        q = counts / counts.sum() if counts.sum() else None
    else:
        said = [np.bincount(side, minlength=k) for side in (held, there)]
        distance, p = two_sample.shares_test(said[0], said[1])
        figures |= {"predicted_distance": distance, "predicted_p": p}
        C = np.zeros((k, k))
        np.add.at(C, (held, codes), 1.0 / len(codes))
        q = two_sample.target_shares(C, said[1] / said[1].sum(), shares)
        figures["classes"] = k
        differ = p < level and distance >= LEAST_SHARES
        if q is not None:
            figures["estimated_shares"] = dict(zip(classes.tolist(), q.tolist(), strict=True))
    if differ and q is not None and len(rows) == len(Z[0]) and "a_distance" in figures:
        w = np.maximum(q, 1e-3)[codes] / shares[codes]
        p_source, p_target = two_sample.domain_probabilities(*Z, weights=w, seed=seed)
        left = two_sample.a_distance(p_source, p_target, weights=w)
        figures["a_distance_by_class_weights"] = left.value
        apart = figures["a_distance"]
        figures["explained_by_classes"] = bool(left.p > 0.05 or left.value <= 0.3 * apart)
    if differ and now.y is None:
        guess = " Other class shares alone do not explain what differs."
        if q is not None and figures.get("explained_by_classes"):
            worst = int(np.abs(q - shares).argmax())
            guess = (
                f" Other class shares explain what differs: class {str(classes[worst])!r} is "
                f"{shares[worst]:.0%} of the source and about {q[worst]:.0%} of the target."
            )
        words = f"A model of the source predicts other classes on the target.{guess}"
        size = 0.4 + 0.5 * float(figures["predicted_distance"])
        more.append(Finding("predicted shares", words, size))
    return more


def _labelled(side: Side, picked: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Return which of the sampled rows have a label, by their place in the sample, and those."""
    y = side.y if side.y is not None else np.zeros(0)
    if side.known is None:
        return np.arange(len(picked)), y[picked]
    place = np.full(side.rows, -1)
    place[side.known] = np.arange(len(y))
    rows = np.flatnonzero(place[picked] >= 0)
    return rows, y[place[picked[rows]]]


def _codes(y: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[Any]]:
    classes, codes = np.unique(as_text(y), return_inverse=True)
    return codes.reshape(-1), classes


def _texts(before: NDArray[Any], now: NDArray[Any]) -> NDArray[np.str_]:
    """Return the labels of both sides as texts, those of the target as the source writes them."""
    first = as_text(before)
    return np.concatenate([first, as_text(now, np.unique(first))])


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
