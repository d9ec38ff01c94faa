"""What compiled code believes of a fitted estimator, compared when a file is read.

scikit-learn's trees, boosting, support vector machines, neighbours and means index their arrays
without a look at the bounds, and so does scipy with a sparse matrix. They are right about what they
fitted, and a file can say otherwise: then `predict` would read or write outside its memory.

Longer than other files: one list, to be read beside scikit-learn's own code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from acclimate.exceptions import IntegrityError
from acclimate.persistence.sklearn_types import (
    BINS,
    BOOSTED,
    BOOSTING,
    FACTORS,
    FORESTS,
    HASHING,
    HISTOGRAMS,
    LEVELS,
    MACHINES,
    MEANS,
    NEIGHBOURS,
    TREE,
    TREES,
    VOCABULARIES,
)

_BITSET = 8  # words of 32 bits that hold the 256 categories of histogram boosting
_TWISTER, _PHILOX = 624, 4  # words that these random generators keep
_NODES = {"kd_tree": "KDTree", "ball_tree": "BallTree"}


def check(parts: Iterable[tuple[str, Any]]) -> None:
    """Raise where an object holds arrays that do not fit each other.

    Parameters
    ----------
    parts : iterable of (str, object)
        All objects of a file, with the attribute where each was found.

    Raises
    ------
    IntegrityError
        The message names the attribute.
    """
    trees: list[tuple[str, Any]] = []
    owned: set[int] = set()
    last: list[Callable[[], None]] = []
    for where, part in parts:
        name = _name(part)
        if name in (TREE, BOOSTED):
            trees.append((where, part))
        elif isinstance(part, np.random.RandomState | np.random.Generator):
            _check_random(where, part)
        elif name.startswith("scipy.sparse."):
            check_sparse(where, part)
        elif name.startswith("sklearn."):
            look = Look(where, part, owned)
            look.methods()
            for names, check_kind in _KINDS:
                if type(part).__name__ in names:
                    check_kind(look)
            if type(part).__name__ in BOOSTING and "estimators_" in look.own:
                last.append(look.start)
    for where, tree in trees:
        if id(tree) not in owned:
            raise IntegrityError(f"{where} is a tree that belongs to no estimator")
    for probe in last:  # runs code of the parts, and only now these are known to be sound
        probe()


class Look:
    """An estimator of scikit-learn under inspection.

    Parameters
    ----------
    where : str
        The attribute where it was found.
    part : object
        The estimator.
    owned : set of int
        Ids of trees whose owners were checked; it grows.
    """

    def __init__(self, where: str, part: Any, owned: set[int]) -> None:
        self.where = where
        self.part = part
        self.owned = owned
        self.own: dict[str, Any] = getattr(part, "__dict__", {})

    def got(self, name: str) -> Any:
        """Return an attribute, None where it is missing."""
        return self.own.get(name)

    def need(self, fine: Any, what: str) -> None:
        """Raise unless something is so."""
        if not fine:
            raise IntegrityError(f"{self.where} is a {type(self.part).__name__} {what}")

    def array(self, name: str, shape: tuple[int | None, ...], kinds: str = "f") -> Any:
        """Return an attribute that is an array of this shape, where None is any length."""
        value = self.got(name)
        fits = isinstance(value, np.ndarray) and value.dtype.kind in kinds
        fits = fits and len(value.shape) == len(shape)
        fits = fits and all(n in (None, m) for n, m in zip(shape, value.shape, strict=True))
        self.need(fits, f"whose {name} is not an array of the shape {shape}")
        return value

    def count(self, name: str, low: int = 0, high: int = 2**31 - 1) -> int:
        """Return an attribute that is a whole number between two bounds."""
        value = self.got(name)
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        self.need(whole and low <= value <= high, f"with {name}={value!r}")
        return int(value)

    @property
    def width(self) -> int:
        """Number of columns that it was fitted on."""
        return self.count("n_features_in_", 1)

    def methods(self) -> None:
        """Raise where an attribute hides a method, and with it a check that the method makes."""
        cls = type(self.part)
        for name in self.own:
            hidden = next((vars(c)[name] for c in cls.__mro__ if name in vars(c)), None)
            self.need(not callable(hidden) and name not in _CONSTANTS, f"that hides its {name}")

    # trees

    def tree(self) -> None:
        """Check that children come after their parents, and that columns exist."""
        tree = self.got("tree_")
        if tree is None:
            return
        self.need(_name(tree) == TREE, "whose tree_ is none")
        self.owned.add(id(tree))
        nodes = tree.__getstate__()["nodes"]
        inner = nodes["left_child"] != -1
        self.nodes(inner, nodes["left_child"], nodes["right_child"], nodes["feature"][inner])
        self.need(tree.n_features == self.width, f"of {tree.n_features} columns")
        self.need(
            _depth(inner, nodes["left_child"], nodes["right_child"], tree.max_depth),
            f"deeper than the {tree.max_depth} levels it says",
        )

    def nodes(self, inner: Any, left: Any, right: Any, columns: Any) -> None:
        """Raise unless children come after their parents, inside the nodes, and columns exist."""
        width = self.got("n_features_in_")
        place = np.flatnonzero(inner)
        children = np.stack([left[inner], right[inner]]).astype(np.int64)
        inside = (children > place).all() and (children < len(inner)).all()
        if not isinstance(width, int) or len(inner) == 0 or not inside:
            raise IntegrityError(f"a tree in {self.where} points outside its nodes")
        if np.any(columns < 0) or np.any(columns >= width):
            raise IntegrityError(
                f"a tree in {self.where} reads a column beyond the {width} it was fitted on"
            )

    def forest(self) -> None:
        """Check that all trees read the columns of the forest."""
        if "estimators_" not in self.own:
            return
        self.need(len(self.part.estimators_), "without trees")
        for each in _flat(self.own["estimators_"]):
            fits = type(each).__name__ in TREES and "tree_" in vars(each)
            if not fits or getattr(each, "n_features_in_", None) != self.width:
                raise IntegrityError(f"a tree in {self.where} reads other columns than its owner")

    def boosting(self) -> None:
        """Check that each iteration has a tree an output, which answers with one number."""
        if "estimators_" not in self.own:
            return
        outputs = self.count("n_trees_per_iteration_", 1)
        trees = self.array("estimators_", (None, outputs), "O")
        self.need(len(trees), "without trees")
        self.forest()
        for each in trees.ravel():
            right = type(each).__name__ == "DecisionTreeRegressor" and each.tree_.value.shape[1:]
            self.need(right == (1, 1), "with a tree of several outputs")

    def start(self) -> None:
        """Check that what boosting starts from has a column for each output."""
        if isinstance(self.got("init_"), str):
            self.need(self.own["init_"] == "zero", "with another start")
            return
        rows = np.zeros((2, self.width), dtype=np.float32)
        found = self.part._raw_predict_init(rows)
        self.need(
            isinstance(found, np.ndarray) and found.shape == (2, self.part.n_trees_per_iteration_),
            "whose start has other outputs",
        )

    def histograms(self) -> None:
        """Check that nodes, sets of categories and bins belong together."""
        for predictor in _flat(self.got("_predictors")):
            self.need(_name(predictor) == BOOSTED, "whose predictors are none")
            self.owned.add(id(predictor))
            nodes = predictor.nodes
            inner = nodes["is_leaf"] == 0
            self.nodes(inner, nodes["left"], nodes["right"], nodes["feature_idx"][inner])
            sets = [predictor.raw_left_cat_bitsets, predictor.binned_left_cat_bitsets]
            used = nodes["bitset_idx"][inner & (nodes["is_categorical"] != 0)]
            for each in sets:
                wide = isinstance(each, np.ndarray) and each.shape[1:] == (_BITSET,)
                self.need(wide and each.dtype == np.uint32, "with other sets of categories")
                if np.any(used >= len(each)):
                    raise IntegrityError(f"a tree in {self.where} points outside its categories")
        if "_predictors" not in self.own:
            return
        self.encoded()
        bins = self.got("_bin_mapper")
        self.need(_name(bins) == BINS, "whose bins are none")
        look = Look(f"{self.where}._bin_mapper", bins, self.owned)
        marks = look.array("is_categorical_", (self.width,), "ub")
        limits = look.got("bin_thresholds_")
        look.need(isinstance(limits, list) and len(limits) == self.width, "with other columns")
        for marked, values in zip(marks, limits or [], strict=True):
            look.need(isinstance(values, np.ndarray) and values.ndim == 1, "with other bins")
            inside = np.all((values >= 0) & (values < 32 * _BITSET)) if marked else True
            look.need(inside, "with categories beyond 255")

    def encoded(self) -> None:
        """Check that the preprocessing of categories gives as many columns as there were."""
        steps = getattr(self.got("_preprocessor"), "transformers_", None)
        if self.got("_preprocessor") is None:
            return
        self.need(isinstance(steps, list), "whose preprocessing is not checked")
        total = 0
        for name, step, columns in steps or []:
            if isinstance(step, str):
                self.need(step == "drop" and name == "remainder" and not any(columns), "that drops")
                continue
            known = type(step).__name__ in ("OrdinalEncoder", "FunctionTransformer")
            marks = isinstance(columns, np.ndarray) and columns.dtype == np.bool_
            self.need(known and marks and len(columns) == self.width, "with other preprocessing")
            function = getattr(step, "func", None)
            called = getattr(getattr(function, "func", None), "__name__", None)
            self.need(function is None or called == "check_array", "with other preprocessing")
            total += int(columns.sum())
        self.need(total == self.width, "whose preprocessing gives other columns")

    # what keeps rows

    def machine(self) -> None:
        """Check that support vectors, coefficients and classes have the same lengths."""
        if "support_vectors_" not in self.own:
            return
        width, kernel, classifies = self.width, self.got("kernel"), "classes_" in self.own
        self.need(isinstance(kernel, str) or callable(kernel), f"with the kernel {kernel!r}")
        self.need(("SVC" in type(self.part).__name__) == classifies, "with or without classes")
        k = len(self.array("classes_", (None,), "biufSUO")) if classifies else 2
        self.need(k > 1, "of one class")
        pairs, rows = (k * (k - 1) // 2, k - 1) if classifies else (1, 1)
        support = self.array("support_", (None,), "i")
        n, seen = len(support), self.got("shape_fit_")
        self.need(isinstance(seen, tuple) and len(seen) == 2, "that was fitted on no rows")
        self.need(all(isinstance(m, int) for m in seen) and seen[1] == width, f"fitted on {seen}")
        self.need(n == 0 or (support.min() >= 0 and support.max() < seen[0]), "supported outside")
        vectors, weights = self.own["support_vectors_"], self.got("_dual_coef_")
        if self.got("_sparse"):
            fits = getattr(vectors, "format", "") == getattr(weights, "format", "") == "csr"
            self.need(fits and vectors.shape == (n, width), "with other support vectors")
            full = weights.shape == (rows, n) and len(weights.data) == rows * n
            self.need(full and len(weights.indices) == rows * n, "with other coefficients")
            self.need(len(vectors.indptr) == n + 1, "with other support vectors")
        else:
            computed = kernel == "precomputed" or callable(kernel)
            self.array("support_vectors_", (0, 0) if computed else (n, width))
            self.need(not computed or kernel != "precomputed" or seen[0] == width, "of no kernel")
            self.array("_dual_coef_", (rows, n))
        counts = self.array("_n_support", (k,), "i")
        counted = counts if classifies else counts[:1]
        self.need((counted >= 0).all() and counted.sum() == n, "with other numbers of vectors")
        self.array("_intercept_", (pairs,))
        for name in ("_probA", "_probB"):
            found = len(self.array(name, (None,)))
            asked = pairs if self.got("_effective_probability") else 0
            spare = name == "_probB" and not classifies
            self.need(found == (0 if spare else asked) or found == pairs, f"with other {name}")

    def neighbours(self) -> None:
        """Check that rows have the columns of the fit, labels a class, and the tree the rows."""
        rows = self.got("_fit_X")
        if rows is None:
            return
        sparse = getattr(rows, "format", "") == "csr"
        self.need(
            sparse or (isinstance(rows, np.ndarray) and rows.dtype.kind in "fiu"), "of no rows"
        )
        self.need(rows.ndim == 2 and rows.shape[1] == self.width, "whose rows have other columns")
        n = self.count("n_samples_fit_", 1)
        self.need(rows.shape[0] == n, "with another number of rows")
        if "_y" in self.own:
            labels = self.own["_y"]
            self.need(isinstance(labels, np.ndarray) and len(labels) == n, "with other labels")
            if "classes_" in self.own:
                self.labels(labels)
        method = self.got("_fit_method")
        tree = self.got("_tree")
        if method in _NODES:
            exact = _name(tree) == f"sklearn.neighbors._{method}.{_NODES[method]}"
            self.need(exact and tree.data.shape == rows.shape, "whose tree is of other rows")
        self.need(method in _NODES or (method == "brute" and tree is None), f"made by {method!r}")
        self.metric()

    def labels(self, labels: Any) -> None:
        """Check that labels are places in the list of classes."""
        classes = self.own["classes_"]
        lists = classes if isinstance(classes, list) else [classes]
        table = labels if labels.ndim == 2 else labels.reshape(-1, 1)
        self.need(table.dtype.kind == "i" and table.shape[1] == len(lists), "with other labels")
        for column, known in zip(table.T, lists, strict=True):
            fits = isinstance(known, np.ndarray) and known.ndim == 1
            fits = fits and column.min() >= 0 and column.max() < len(known)
            self.need(fits, "with labels of no class")

    def metric(self) -> None:
        """Check that arrays of a metric have a number for each column."""
        metric, width = self.got("effective_metric_"), self.width
        self.need(isinstance(metric, str) or callable(metric), f"with the metric {metric!r}")
        self.need(metric != "haversine" or width == 2, "of angles that are not two")
        given = self.got("effective_metric_params_")
        self.need(isinstance(given, dict), "without parameters of its metric")
        for name, value in (given or {}).items():
            if name == "p" or callable(metric):
                continue
            size = {"V": (width,), "w": (width,), "VI": (width, width)}.get(name)
            fits = size is not None and getattr(value, "shape", None) == size
            self.need(fits or (name == "w" and value is None), f"with {name} for its metric")

    # other arrays of numbers

    def means(self) -> None:
        """Check that centres have the columns of the fit."""
        if "cluster_centers_" in self.own:
            self.need(len(self.array("cluster_centers_", (None, self.width))), "without centres")

    def factors(self) -> None:
        """Check that components have the rows and columns of the fit."""
        if "components_" in self.own:
            count = self.count("n_components_", 1)
            self.array("components_", (count, self.width))
            self.need(self.got("_n_components") == count, "with another number of components")

    def hashing(self) -> None:
        """Check that hashes are taken modulo a number of columns."""
        self.count("n_features", 1)

    def vocabulary(self) -> None:
        """Check that each word has a column of its own."""
        found = self.got("vocabulary_")
        if found is not None:
            places = sorted(found.values()) if isinstance(found, dict) else None
            self.need(places == list(range(len(found))), "whose words share columns")

    def levels(self) -> None:
        """Check that codes stay inside the columns that are made of them."""
        if "categories_" not in self.own:
            return
        levels, outs = self.own["categories_"], self.got("_n_features_outs")
        dropped = self.got("_drop_idx_after_grouping")
        merged = self.own.get("_default_to_infrequent_mappings", [])
        many = isinstance(levels, list) and isinstance(outs, list) and len(levels) == len(outs)
        self.need(many and len(levels) == self.width, "with other columns")
        for i, (known, out) in enumerate(zip(levels, outs or [], strict=True)):
            self.need(isinstance(known, np.ndarray) and known.ndim == 1, "with levels of no kind")
            top = len(known)
            if self.got("_infrequent_enabled") and merged[i] is not None:
                places = merged[i]
                fits = isinstance(places, np.ndarray) and places.shape == (top,) and top
                self.need(
                    fits and places.dtype.kind == "i" and places.min() >= 0, "with other codes"
                )
                top = int(places.max()) + 1
            drop = None if dropped is None else dropped[i]
            self.need(drop is None or 0 <= drop < top, "that drops what it lacks")
            self.need(out == top - (drop is not None), "whose codes leave its columns")


_CONSTANTS = ("_impl", "_sparse_kernels")  # of support vector machines, set on the class
_KINDS: tuple[tuple[frozenset[str], Callable[[Look], None]], ...] = (
    (TREES, Look.tree),
    (FORESTS, Look.forest),
    (BOOSTING, Look.boosting),
    (HISTOGRAMS, Look.histograms),
    (MACHINES, Look.machine),
    (NEIGHBOURS, Look.neighbours),
    (MEANS, Look.means),
    (FACTORS, Look.factors),
    (HASHING, Look.hashing),
    (VOCABULARIES, Look.vocabulary),
    (LEVELS, Look.levels),
)


def _depth(inner: Any, left: Any, right: Any, most: int) -> bool:
    """Tell whether no path from the root is longer than ``most``, level by level."""
    level = np.zeros(1, dtype=np.int64)
    for _ in range(max(int(most), 0) + 1):
        level = level[inner[level]]
        if not len(level):
            return True
        level = np.unique(np.concatenate([left[level], right[level]]).astype(np.int64))
    return False


def check_sparse(where: str, matrix: Any) -> None:
    """Raise where an index of a sparse matrix lies outside it."""
    kind = getattr(matrix, "format", None)
    try:
        if kind in ("csr", "csc"):
            matrix.check_format(full_check=True)
        elif kind == "coo":
            sizes = zip(matrix.coords, matrix.shape, strict=True)
            if any(len(c) and not (c.min() >= 0 and c.max() < n) for c, n in sizes):
                raise ValueError("an index lies outside")
        elif kind != "dia":
            raise ValueError(f"the format {kind!r} is not checked")
    except ValueError as error:
        raise IntegrityError(f"{where} is a sparse matrix that is not valid ({error})") from error


def _check_random(where: str, random: Any) -> None:
    """Raise where a random generator continues outside its own state."""
    legacy = isinstance(random, np.random.RandomState)
    state: Any = random.get_state(legacy=False) if legacy else random.bit_generator.state
    place, most = 0, math.inf
    if state["bit_generator"] == "MT19937":
        place, most = state["state"]["pos"], _TWISTER
    elif state["bit_generator"] == "Philox":
        place, most = state["buffer_pos"], _PHILOX
    if not 0 <= place <= most:
        raise IntegrityError(f"{where} is a random generator that is not valid")


def _flat(value: Any) -> list[Any]:
    """Return what nested lists and object arrays hold."""
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist()
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in _flat(item)]
    return [] if value is None else [value]


def _name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
