"""What a worker looks at in a fitted model: body, training, points to draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.trials.shared import plain
from acclimate.validation import count, take

if TYPE_CHECKING:
    pass


def table(model: Any, X: Any, y: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Probe the body of a fitted source model and random bodies, on the same folds.

    Parameters
    ----------
    model : Adapter
        Fitted with a network. Its seed is that of sample, folds and random bodies.
    X, y : array-like of shape (m, ...), ndarray of shape (m,)
        Labelled target rows. Of more than 2000, 2000 are taken, by their values.

    Returns
    -------
    dict
        ``probe`` of shape (F,) and ``random`` of shape (3, F), the scores of F folds; ``sizes``:
        training and test rows of a fold, rows, features.
    """
    from acclimate.diagnosis.encoding import sampling_order
    from acclimate.folds import row_keys
    from acclimate.training import features as bodies
    from acclimate.transferability.probes import linear_probe, probe_folds
    from acclimate.transferability.ranked import FOLDS, RANDOM_BODIES, REPEATS, ROWS

    seed = model.seed_
    task = "regression" if model._regression() else "classification"
    X = X if model.preprocess_ is None else model.preprocess_.transform(X)
    inputs = np.asarray(model.source_model_.numbers(X))
    keys = row_keys(inputs.reshape(len(inputs), -1), seed)
    kept = sampling_order(keys)[:ROWS]
    inputs, keys, y = inputs[kept], keys[kept], y[kept]
    parts = probe_folds(keys, y, task, FOLDS, REPEATS, seed)
    network = model.source_model_.network_

    def probe(module: Any) -> Any:
        return linear_probe(bodies.body_features(module, inputs), y, task=task, parts=parts)

    own = probe(network)
    twins = [bodies.random_twin(network, seed + 1 + i) for i in range(RANDOM_BODIES)]
    width = bodies.body_features(network, inputs[:1]).shape[1]
    return {
        "probe": np.array(own.folds),
        "random": np.array([probe(twin).folds for twin in twins]),
        "sizes": np.array([own.n_train, own.n_test, len(y), width]),
    }


_DIGITS = 5  # significant digits that are kept: curves are looked at, not computed with


def of_model(model: Any) -> dict[str, Any] | None:
    """Return what the training of a fitted method's network recorded, as plain values.

    That of stage two, or of the source network where the method trains nothing after it.

    Parameters
    ----------
    model : Adapter
        Fitted.

    Returns
    -------
    dict or None
        ``epochs``, a list of mappings from name to figure; ``best_epoch``, from 1, whose weights
        were kept, 0 for those before the first step and None for the last; ``stopped``, why
        training ended. None where no network was trained.
    """
    after = model.source_model_ if model.target_model_ is None else model.target_model_
    inner = getattr(after, "model", None)  # behind a map of features, or of labels
    for holder in (model, after, inner):
        if hasattr(holder, "history_"):
            break
    history = getattr(holder, "history_", None)
    if history is None or not history.epochs:
        return None
    return {
        "epochs": [
            {name: float(f"{value:.{_DIGITS}g}") for name, value in epoch.items()}
            for epoch in history.epochs
        ],
        "best_epoch": history.best_epoch,
        "stopped": history.stopped,
    }


Floats = NDArray[np.float64]


POINTS = 300  # rows of a domain in a picture


_MOST = 40_000_000  # numbers that may be laid flat; wider features get no picture


# These train one feature space for both domains, with a network for each or the same. Other
# methods' networks for the two domains have nothing in common.
_SHARED_SPACE = ("adversarial", "invariant", "source-free")


def take_pictures(model: Any, X: Any, y: NDArray[Any], Xt: Any) -> dict[str, NDArray[Any]]:
    """Return points of both domains before and after the adaptation, as arrays for the store.

    Before: the inputs as the base model gets them, or the features of the source network. After:
    what the method maps rows to, or the features of the adapted network; nothing where the method
    changes no features.

    Parameters
    ----------
    model : Adapter
        Fitted, and adapted to ``Xt``.
    X, y : array-like of shape (n, ...), ndarray of shape (n,)
        Source rows and their labels.
    Xt : array-like of shape (m, ...)
        Target rows. Of each domain at most 300 rows are drawn.

    Returns
    -------
    dict
        For each stage s, "before" and "after": ``picture_s_source`` and ``picture_s_target`` of
        shape (k, 2); ``picture_s_share``, the share of the variance that they hold, and the number
        of features; ``picture_s_what``. In a classification ``picture_source_classes`` and
        ``picture_s_target_classes``, the predicted ones. ``picture_changes``: whether features
        change.
    """
    rng = np.random.default_rng(model.seed_)
    source, target = (
        np.sort(rng.choice(n, min(n, POINTS), replace=False)) for n in (count(X), count(Xt))
    )
    rows, goal = take(X, source), take(Xt, target)
    inputs = [one if model.preprocess_ is None else model.preprocess_.transform(one)
              for one in (rows, goal)]  # fmt: skip
    found: dict[str, NDArray[Any]] = {}
    maps = hasattr(model, "transform")
    step = model._preprocess_after  # of the target alone, where each domain has its own
    after = _after(model, rows, goal, [inputs[0], goal if step is None else step.transform(goal)])
    predicts: dict[str, Callable[[], Any]] = {
        "before": lambda: model.predict(goal) if after is None
        else model.source_model_.predict(inputs[1]),
        "after": lambda: model.predict(goal),
    }  # fmt: skip
    for stage, spaces in (("before", _before(model, inputs)), ("after", after)):
        if spaces is None:
            continue
        what, pair = spaces
        points, share, width = flat(*pair, seed=model.seed_)
        for side, part in zip(("source", "target"), points, strict=True):
            found[f"picture_{stage}_{side}"] = part.astype(np.float32)
        found[f"picture_{stage}_share"] = np.array([share, width])
        found[f"picture_{stage}_what"] = np.array([what])
        if not model._regression():
            found[f"picture_{stage}_target_classes"] = plain(predicts[stage]())
    if not model._regression():
        found["picture_source_classes"] = plain(np.asarray(y)[source])
    found["picture_changes"] = np.array([maps or after is not None])
    return found


def flat(source: Any, target: Any, *, seed: int) -> tuple[tuple[Floats, Floats], float, int]:
    """Return rows as their first two principal directions over both domains together.

    Parameters
    ----------
    source, target : array-like of shape (k, ...) and (l, ...)
        Features; further axes are laid out as columns.
    seed : int
        Of the randomised solver, which wide features get.

    Returns
    -------
    tuple
        Points of shape (k, 2) and (l, 2); the share of the variance that they hold, in [0, 1]; and
        the number of features.

    Examples
    --------
    >>> (one, two), share, width = flat([[0.0, 1.0], [2.0, 1.0]], [[4.0, 1.0]], seed=0)
    >>> np.abs(np.diff([*one[:, 0], *two[:, 0]])).round(6), round(share, 6)
    (array([2., 2.]), 1.0)
    """
    from sklearn.decomposition import PCA

    parts = [_matrix(one) for one in (source, target)]
    both = np.concatenate(parts)
    if both.size > _MOST:
        raise ValueError(f"{both.shape[1]} features are too many to draw")
    if not np.isfinite(both).all():
        raise ValueError("rows with gaps have no place in a picture")
    width = both.shape[1]
    total = float(both.var(axis=0).sum())
    points = np.zeros((len(both), 2))
    kept = min(2, width, len(both))
    share = 0.0
    if total > 0:
        points[:, :kept] = PCA(kept, random_state=seed).fit_transform(both)
        share = float(points.var(axis=0).sum()) / total
    return (points[: len(parts[0])], points[len(parts[0]) :]), min(share, 1.0), width


def _before(model: Any, inputs: Sequence[Any]) -> tuple[str, list[Any]]:
    if _network(model.source_model_) is None:
        return "inputs", list(inputs)
    return "network", [model.source_model_.infer(one)[0] for one in inputs]


def _after(model: Any, rows: Any, goal: Any, inputs: Sequence[Any]) -> tuple[str, list[Any]] | None:
    """Return what the method makes of the rows of each domain; None where it changes nothing."""
    if not model.adapted_:
        return None
    if hasattr(model, "transform"):
        if model._source_after is None:  # several sources, each with a map of its own
            return None
        return "mapped", [
            np.asarray(model.transform(part, domain=side))
            for part, side in ((rows, "source"), (goal, "target"))
        ]
    theirs = _network(model.target_model_)
    if theirs is None:
        return None
    ours = theirs
    if model._row().family in _SHARED_SPACE:
        ours = _network(model._source_after or model.source_model_) or theirs
    return "network", [ours.infer(inputs[0])[0], theirs.infer(inputs[1])[0]]


def _network(model: Any) -> Any:
    """Return the network estimator in a fitted model, or None where there is none."""
    for one in (model, getattr(model, "model", None)):
        if hasattr(one, "network_"):
            return one
    return None


def _matrix(values: Any) -> Floats:
    dense = values.toarray() if hasattr(values, "toarray") else np.asarray(values)
    return dense.reshape(len(dense), -1).astype(np.float64)
