"""Which of scikit-learn's inner types a file may hold, and checks of those with native code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from acclimate.exceptions import IntegrityError

# Types that estimators hold and skops does not trust by default. All but the two kinds of tree
# are plain Python; the trees' indices are checked below. Nearest-neighbour trees are left out:
# their native code believes indices that nothing here can check.
_KERNELS = (
    "CompoundKernel", "ConstantKernel", "DotProduct", "ExpSineSquared", "Exponentiation", "Matern",
    "Product", "RBF", "RationalQuadratic", "Sum", "WhiteKernel",
)  # fmt: skip
_SCORES = ("chi2", "f_classif", "f_oneway", "f_regression", "r_regression")
TREE = "sklearn.tree._tree.Tree"
BOOSTED = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
TRUSTED = (
    TREE,
    BOOSTED,
    "functools.partial",  # what it calls must be trusted by itself
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.utils.validation.check_array",  # what boosting with categories calls on its numbers
    *(f"sklearn.gaussian_process.kernels.{name}" for name in _KERNELS),
    *(f"sklearn.feature_selection._univariate_selection.{name}" for name in _SCORES),
)


def check_trees(parts: Iterator[tuple[str, Any]]) -> None:
    """Raise where a tree points outside its own nodes, or outside the columns of its owner.

    Parameters
    ----------
    parts : iterator of (str, object)
        All objects of a file, with the attribute where each was found.
    """
    owned: set[int] = set()
    met: list[tuple[str, Any]] = []
    for where, part in parts:
        attributes = getattr(part, "__dict__", {})
        width = attributes.get("n_features_in_")
        tree: Any = attributes.get("tree_")
        if _name(tree) == TREE:
            owned.add(id(tree))
            nodes = tree.__getstate__()["nodes"]
            inner = nodes["left_child"] != -1
            columns = nodes["feature"][inner]
            _check(where, inner, nodes["left_child"], nodes["right_child"], columns, width)
        for predictor in _flat(attributes.get("_predictors")):
            owned.add(id(predictor))
            nodes = predictor.nodes
            inner = nodes["is_leaf"] == 0
            _check(where, inner, nodes["left"], nodes["right"], nodes["feature_idx"][inner], width)
            known = len(predictor.raw_left_cat_bitsets)
            sets = nodes["bitset_idx"][inner & (nodes["is_categorical"] == 1)]
            if np.any(sets >= known):
                raise IntegrityError(f"a tree in {where} points outside its categories")
        if type(part).__module__ in ("sklearn.ensemble._forest", "sklearn.ensemble._gb"):
            for each in _flat(attributes.get("estimators_")):
                if getattr(each, "n_features_in_", None) != width:
                    raise IntegrityError(f"a tree in {where} reads other columns than its owner")
        if _name(part) in (TREE, BOOSTED):
            met.append((where, part))
    for where, tree in met:
        if id(tree) not in owned:
            raise IntegrityError(f"{where} is a tree that belongs to no estimator")


def _check(where: str, inner: Any, left: Any, right: Any, columns: Any, width: Any) -> None:
    """Raise unless children come after their parents, inside the nodes, and columns exist."""
    place = np.flatnonzero(inner)
    children = np.stack([left[inner], right[inner]]).astype(np.int64)
    inside = (children > place).all() and (children < len(inner)).all()
    if not isinstance(width, int) or len(inner) == 0 or not inside:
        raise IntegrityError(f"a tree in {where} points outside its nodes")
    if np.any(columns < 0) or np.any(columns >= width):
        raise IntegrityError(
            f"a tree in {where} reads a column beyond the {width} it was fitted on"
        )


def _flat(value: Any) -> list[Any]:
    """Return what nested lists and object arrays hold."""
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist()
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in _flat(item)]
    return [] if value is None else [value]


def _name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
