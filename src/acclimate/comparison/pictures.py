"""Rows of both domains in two dimensions of a feature space, before and after the adaptation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.candidates import BASELINES
from acclimate.comparison.shared import plain
from acclimate.validation import count, take

if TYPE_CHECKING:
    from acclimate.comparison.trials import Result

Floats = NDArray[np.float64]

POINTS = 300  # rows of a domain in a picture
_MOST = 40_000_000  # numbers that may be laid flat; wider features get no picture
# These train one feature space for both domains, with a network for each or the same. Other
# methods' networks for the two domains have nothing in common.
_SHARED_SPACE = ("adversarial", "invariant", "source-free")
_WORDS = {
    "inputs": "inputs", "network": "features of the network", "mapped": "mapped features",
}  # fmt: skip


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
    after = _after(model, rows, goal, inputs)
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
    >>> abs(one[1, 0] - one[0, 0]).round(6), abs(two[0, 0] - one[1, 0]).round(6), round(share, 6)
    (np.float64(2.0), np.float64(2.0), 1.0)
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


def shown(
    rows: Sequence[Mapping[str, Any]],
    results: Mapping[str, Sequence[Result]],
    name_of: Callable[[Any], str],
) -> list[dict[str, Any]]:
    """Return the pictures of the recommended candidate, ready to be drawn.

    Where a baseline is recommended, which adapts no features, they are those of the best method
    that does, else of the best.

    Parameters
    ----------
    rows : sequence of mapping
        The table of candidates, best first.
    results : mapping from str to sequence of Result
        Trials by candidate.
    name_of : callable
        What a label is called.
    """
    arrays = {
        row["candidate"]: one.arrays for row in rows if row["status"] == "done"
        for one in results.get(row["candidate"], ()) if "picture_changes" in one.arrays
    }  # fmt: skip

    def order(row: Mapping[str, Any]) -> tuple[bool, bool, bool]:
        plain = row["method"] in BASELINES
        fixed = not bool(arrays[row["candidate"]]["picture_changes"][0])
        return plain or not row["recommended"], plain, fixed

    drawn = [row for row in rows if row["candidate"] in arrays]
    if not drawn:
        return []
    best = min(drawn, key=order)
    own = arrays[best["candidate"]]
    stages = [s for s in ("before", "after") if f"picture_{s}_source" in own]
    return [_picture(stage, best, own, name_of) for stage in stages]


def _picture(
    stage: str, row: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]],
    name_of: Callable[[Any], str],
) -> dict[str, Any]:  # fmt: skip
    share, width = (float(one) for one in arrays[f"picture_{stage}_share"])
    what = _WORDS[str(arrays[f"picture_{stage}_what"][0])]
    name = row["candidate"]
    unchanged = not bool(arrays["picture_changes"][0])
    title = f"{'Before' if stage == 'before' else f'After {name}'}: {what}"
    if stage == "before" and what != "inputs":
        title = "Before: features of the source network"
    if unchanged:
        title = f"{what[:1].upper()}{what[1:]}, which {name} does not change"
    who = name if stage == "after" or unchanged else "the source model"
    picture: dict[str, Any] = {
        "candidate": name, "stage": stage, "title": title, "width": int(width), "share": share,
        "predicted_by": who, "source_classes": None, "target_classes": None,
    }  # fmt: skip
    for side in ("source", "target"):
        points = arrays[f"picture_{stage}_{side}"].tolist()
        picture[side] = [[float(f"{v:.4g}") for v in point] for point in points]
    if "picture_source_classes" in arrays:
        for side, key in (("source", "picture_source_classes"),
                          ("target", f"picture_{stage}_target_classes")):  # fmt: skip
            picture[f"{side}_classes"] = [name_of(one) for one in arrays[key].tolist()]
    return picture


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
    row = model._row()
    if row is not None and row.family in _SHARED_SPACE:
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
