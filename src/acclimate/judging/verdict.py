"""The verdict: did a candidate help, hurt or make no difference, and how sure is that?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acclimate.arrays import (
    ClassNames,
    as_predictions,
    as_truth,
    as_weights,
    check_classes,
    name_classes,
)
from acclimate.exceptions import InputError
from acclimate.judging.crossfitted import cross_fitted_interval, rows_to_settle, widened
from acclimate.judging.intervals import (
    Interval,
    Settlement,
    check_confidence,
    crossed_interval,
    gain_interval,
    most_disagreement,
    r2_contributions,
    rows_that_agree,
    settlement,
)
from acclimate.judging.judged import MEAN, Constant, HarmedClass, Verdict, word_of_gain
from acclimate.judging.metrics import DEFAULTS, metric_of
from acclimate.judging.paired import constant_score, lines, margin_of, paired

_ONE_DRAW = "test rows only: one draw cannot show how much another would change the gain"
_ONE_RUN = "test rows only: one run cannot show how much another would change the gain"


def verdict(
    y_true: ArrayLike,
    candidate: ArrayLike,
    reference: ArrayLike,
    *,
    task: Literal["classification", "regression"] = "classification",
    class_names: ClassNames | None = None,
    margin: float = 0.01,
    confidence: float = 0.95,
    labels: int | None = None,
    draws_vary: bool = True,
    folds: int | None = None,
    weights: ArrayLike | None = None,
    metric: Any = None,
    positive: Any = None,
    candidate_proba: ArrayLike | None = None,
    reference_proba: ArrayLike | None = None,
    classes: ArrayLike | None = None,
    fold_of: ArrayLike | None = None,
) -> Verdict:
    """Judge whether a candidate helps on the target, against a reference, with an interval.

    Use it on predictions for target rows that neither side was trained, tuned or chosen on. Do not
    use it on the rows that picked the candidate among others: the best of many looks better than it
    is. For predictions from repeated cross-validation, give ``folds``.

    The gain is accuracy (or R2, or what ``metric`` names) of the candidate minus that of the
    reference, on the same rows; of a metric in which less is better, the other way round, so that a
    gain above 0 is better. Its interval covers label draws and test rows together (see
    `gain_interval`). For scores that are no means over rows it is that of the influence of each
    row, paired by row (`judging.influence`). The word is the first
    that holds: *helps* (interval above 0), *hurts* (below 0), *makes no difference* (inside
    the margin on both sides), *not settled*. A verdict that is not settled says how many test rows
    or label draws would settle it. A class is named as harmed where its recall falls by more than
    the margin and its own interval, corrected by Bonferroni for the number of classes judged, lies
    below 0.

    Parameters
    ----------
    y_true : array-like of shape (N,)
        True target labels or values of the test rows; at least 2 rows.
    candidate, reference : array-like of shape (D, N) or (N,)
        Predicted labels or values, one line for each draw of training labels. One line for one
        side stands for every draw of the other.
    task : {"classification", "regression"}, default "classification"
        Scores are accuracy or R2.
    class_names : mapping or sequence of str, default None
        Names for the sentence, by label, or by position where labels are 0, 1, 2 and so on.
    margin : float in [0, 1), default 0.01
        Gains within it count as no difference; 0.01 is one point. For MAE and RMSE it is a share
        of the standard deviation of ``y_true``, for other metrics in units of the metric.
    confidence : float in (0, 1), default 0.95
    labels : int, default None
        Training labels of each draw, kept for the report.
    draws_vary : bool, default True
        False where all draws use the same labels and only the seed differs. The words then say
        so; the numbers are the same.
    folds : int, default None
        Give it where each line holds cross-fitted predictions: the same rows train and judge, and
        each row is predicted by models trained without its fold. The interval is then that of
        `judging.crossfitted.cross_fitted_interval`, which takes no credit for repeats.
    weights : array-like of shape (N,), default None
        With ``folds`` and classes: importance weights of the rows, above 0, where they are no
        plain sample. See `judging.active.draw_rows`.
    metric : str, callable or None, default None
        Name of a metric (`judging.metrics.METRICS`), such as "auc" or "mae"; name of a scorer of
        scikit-learn; or a scorer of your own. None means accuracy or R2. Classes that are harmed
        are judged by their recall in any case.
    positive : label, default None
        The class that F1, precision, recall, AUC and average precision are of. None means the rarer
        of two; with more than two classes, the mean over the classes.
    candidate_proba, reference_proba : array-like of shape (D, N, k) or (N, k), default None
        Probabilities of the classes, for metrics that need them.
    classes : array-like of shape (k,), default None
        Labels of the columns, sorted. None means all labels and answers that occur.
    fold_of : array-like of shape (D, N), default None
        With ``folds``: the fold of each row. AUC then counts pairs of one fold alone.

    Returns
    -------
    Verdict

    Raises
    ------
    InputError
        If shapes do not fit, a value is missing, labels and predictions are of different kinds, the
        target of a regression is constant, or a setting is out of its range.

    Notes
    -----
    With one draw the interval covers the test rows only, and ``covers`` says so. The word then
    judges these two models, not the method: in ``benchmarks/verdict_coverage.py`` a method with no
    gain on average is called a help in up to a quarter of single draws. Give three draws or more to
    judge a method.
    Predictions that are equal on every row and draw give a gain of 0. With so many rows that models
    which differ in a share of ``margin`` would have differed in one (Clopper and Pearson's exact
    bound, ``1 - (1 - confidence)^(1 / N)``), the interval has no width and they *make no
    difference*. With fewer it is that bound on both sides: five rows that agree settle nothing.
    Where only the correctness is equal, the interval keeps its width.
    A class with fewer than 2 test rows is not judged.
    The interval for R2 also covers the noise of the total sum of squares.

    References
    ----------
    Owen and Eckles (2012), doi:10.1214/12-AOAS547; Agresti and Min (2005), doi:10.1002/sim.1781;
    for ``folds``, Nadeau and Bengio (2003), doi:10.1023/A:1024068626366; for predictions that are
    equal, Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate.judging.verdict import verdict
    >>> y = np.arange(600) % 3
    >>> reference = np.where(np.arange(600) % 4 == 0, (y + 1) % 3, y)  # a quarter is wrong
    >>> result = verdict(y, y, reference)
    >>> result.word, result.gain
    ('helps', 0.25)
    >>> print(result.sentence("the source model"))  # doctest: +NORMALIZE_WHITESPACE
    Helps: 25.0 points above the source model (95 % interval +21.4 to +28.4, 1 label draw,
    600 test rows; covers test rows only).
    """
    _check_settings(task, margin, confidence, labels, folds)
    classify, measure = task == "classification", metric_of(metric, task)
    truth = as_truth(y_true, classify)
    first, second = as_predictions(truth, candidate, reference, classify)
    draws, rows = first.shape
    w = None if weights is None else as_weights(weights, rows, classify and folds is not None)
    if classify:
        right, wrong = first == truth, second == truth
        differences = right.astype(np.float64) - wrong
        sides = [float(np.average(side.mean(axis=0), weights=w)) for side in (right, wrong)]
        scores = sides[0], sides[1]
        names = name_classes(truth, class_names)
        harmed = _harmed_classes(truth, differences, names, margin, confidence, folds, w)
    else:
        differences = r2_contributions(truth, first, second)
        total = np.square(truth - truth.mean()).mean()
        scores = (
            float(1 - np.square(first - truth).mean() / total),
            float(1 - np.square(second - truth).mean() / total),
        )
        harmed = ()
    constant: Constant | None = Constant(MEAN, 0.0)
    if classify:
        constant = _constant(truth, names, w)
    default = measure is DEFAULTS[task]
    bounded, unit = classify and default, 1.0
    if not default:
        known = None
        if classify:
            seen = np.unique(np.concatenate([truth, first.ravel(), second.ravel()]))
            known = seen if classes is None else np.asarray(classes)
            check_classes(known, seen)
        folds_of = None if fold_of is None or folds is None else np.asarray(fold_of)
        both = [
            lines(measure, truth, side, None if p is None else np.asarray(p), known, positive, w,
                  folds_of, name)
            for side, p, name in ((first, candidate_proba, "the candidate"),
                                  (second, reference_proba, "the reference"))
        ]  # fmt: skip
        score = constant_score(measure, both[0][0])
        constant = None if score is None or constant is None else constant._replace(score=score)
        differences, scores, w = paired(measure, *both)
        unit = margin_of(measure, 1.0, truth)
        margin = margin * unit
    same = np.array_equal(first, second) if default else bool(np.ptp(differences) == 0)
    if same:
        # what never differed in these rows may differ in others
        bound = most_disagreement(rows, confidence) * unit
        bound = 0.0 if bound < margin else bound
        gain = 0.0 if default else float(differences.flat[0])
        interval = Interval(gain, gain - bound, gain + bound)
    elif folds is not None:
        ends = cross_fitted_interval(
            differences, folds, confidence, bounded=bounded, weights=w,
            few=not (default or measure.by_rows),
        )  # fmt: skip
        interval = Interval(*map(float, ends))
    else:
        interval = gain_interval(differences, confidence, bounded=bounded)
        if not (default or measure.by_rows):
            interval = widened(interval, differences, confidence)
    word = word_of_gain(interval, margin)
    settles_at = None
    if word == "not settled" and same:
        enough = rows_that_agree(margin / unit, confidence)
        settles_at = None if enough is None else Settlement(enough, None, None)
    elif word == "not settled" and folds is not None:
        shares = differences if w is None else differences * w
        settles_at = Settlement(rows_to_settle(shares, folds, margin, confidence), None, None)
    elif word == "not settled":
        settles_at = settlement(differences, margin, confidence, bounded=bounded)
    if folds is not None:
        covers = f"the draw of the {rows} labelled rows, which train and judge in {folds} folds"
    elif draws == 1:
        covers = _ONE_DRAW if draws_vary else _ONE_RUN
    else:
        covers = f"new {'label draws' if draws_vary else 'runs on the same labels'} and test rows"
    return Verdict(
        word,
        interval.estimate,
        interval.low,
        interval.high,
        *scores,
        score=measure.title,
        margin=float(margin),
        confidence=float(confidence),
        draws=draws,
        rows=rows,
        labels=None if labels is None else int(labels),
        draws_vary=bool(draws_vary),
        settles_at=settles_at,
        harmed_classes=harmed,
        covers=covers,
        folds=folds,
        constant=constant,
    )


def same_model(said: Verdict) -> Verdict:
    """Return a verdict of a model on itself: there is nothing to compare.

    Parameters
    ----------
    said : Verdict
        Of both sides, whose answers are equal.
    """
    return replace(
        said, word="the same model", gain=0.0, low=0.0, high=0.0, settles_at=None,
        harmed_classes=(),
    )  # fmt: skip


def _constant(
    truth: NDArray[Any], names: dict[Any, str], weights: NDArray[np.float64] | None
) -> Constant:
    """Return the most frequent class of the rows and its share of them."""
    classes, codes = np.unique(truth, return_inverse=True)
    shares = np.bincount(codes, weights) / (len(truth) if weights is None else weights.sum())
    most = int(shares.argmax())
    return Constant(names[classes[most].item()], float(shares[most]))


def _harmed_classes(
    truth: NDArray[Any],
    differences: NDArray[np.float64],
    names: dict[Any, str],
    margin: float,
    confidence: float,
    folds: int | None,
    weights: NDArray[np.float64] | None,
) -> tuple[HarmedClass, ...]:
    """Classes whose recall falls by more than the margin, with evidence; worst first."""
    classes, inverse, counts = np.unique(truth, return_inverse=True, return_counts=True)
    judged = np.flatnonzero(counts >= 2)
    harmed = []
    for index in judged:
        each = 1 - (1 - confidence) / judged.size
        of_class = inverse == index
        mine, w = differences[:, of_class], None if weights is None else weights[of_class]
        if folds is None:
            gain, low, high = crossed_interval(mine, each, bounded=True)
        else:
            gain, low, high = cross_fitted_interval(mine, folds, each, bounded=True, weights=w)
        if gain < -margin and high < 0:
            name = names[classes[index].item()]
            harmed.append(HarmedClass(name, -float(gain), -float(high), -float(low)))
    return tuple(sorted(harmed, key=lambda item: (-item.fall, item.name)))


def _check_settings(
    task: str, margin: float, confidence: float, labels: int | None, folds: int | None
) -> None:
    if folds is not None and folds < 2:
        raise InputError(f"folds must be at least 2 or None, got {folds!r}")
    if task not in ("classification", "regression"):
        raise InputError(f"task must be 'classification' or 'regression', got {task!r}")
    if not 0 <= margin < 1:
        raise InputError(f"margin must lie in [0, 1), where 0.01 is one point, got {margin!r}")
    check_confidence(confidence)
    if labels is not None and labels < 1:
        raise InputError(f"labels must be at least 1 or None, got {labels!r}")
