"""Checks at the public door: rows, labels and targets, once. Settings are for `settings`.

Longer than other files: it is the one door.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    _num_samples,
    validate_data,
)

from acclimate.domain import Domain
from acclimate.exceptions import DomainTypeError, InputError, InputTypeError
from acclimate.natives import as_rows, check_numbers, check_squares
from acclimate.refusing import as_input_error

Side = Literal["source", "target"]
_LISTED = 5  # missing columns that are told
_ALIKE = 0.75  # of a name that was probably changed


@dataclass(frozen=True)
class Rows:
    """Checked rows of one domain, as methods receive them.

    Parameters
    ----------
    X : array of shape (n, ...) or data frame
        All rows.
    y : array of shape (k,), default=None
        Known labels, aligned with ``labelled``; None where the method may not see any.
    labelled : integer array of shape (k,), default=None
        Positions of the rows whose label is known; None means all rows.
    weight : float array of shape (n,), default=None
        Weight of each row.
    domains : array of shape (n,), default=None
        Which source each row comes from.
    class_names : mapping from label to str, default=None
        What the labels mean.
    given : boolean array, default=None
        Of all rows that were given, those that are here; the others have weight 0. None is all.
    """

    X: Any
    y: NDArray[Any] | None = None
    labelled: NDArray[np.intp] | None = None
    weight: NDArray[np.floating[Any]] | None = None
    domains: NDArray[Any] | None = None
    class_names: Mapping[Any, str] | None = None
    given: NDArray[np.bool_] | None = None

    @property
    def labelled_X(self) -> Any:
        """Rows with a known label, in the order of ``y``."""
        return self.X if self.labelled is None else take(self.X, self.labelled)

    @property
    def labelled_weight(self) -> NDArray[np.floating[Any]] | None:
        """Weights of the rows with a known label, in the order of ``y``; None without weights."""
        return (
            self.weight
            if self.weight is None or self.labelled is None
            else (self.weight[self.labelled])
        )

    @property
    def labels(self) -> NDArray[Any]:
        """Known labels, shape (k,). Only for methods that were promised some."""
        if self.y is None:
            raise InputError("these rows have no labels")
        return self.y

    @property
    def classes(self) -> NDArray[Any]:
        """Sorted labels: those that the names declare, else those that occur."""
        if self.class_names is not None:
            return np.array(sorted(self.class_names))
        return np.unique(self.labels)

    @property
    def unit(self) -> float:
        """What one row of the other domain weighs beside these.

        It is 1, so that a weight of 3 stands for three rows; where weights are below 1 on average,
        as shares are, it is their mean.
        """
        weight = self.labelled_weight
        return 1.0 if weight is None else min(1.0, float(weight[weight > 0].mean()))

    @property
    def counts(self) -> NDArray[np.floating[Any]]:
        """How many rows each labelled row stands for: its weight in units of `unit`, (k,)."""
        weight = self.labelled_weight
        if weight is None:
            return np.ones(count(self.X) if self.labelled is None else len(self.labelled))
        shares: NDArray[np.floating[Any]] = weight / self.unit
        return shares

    def of_each(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values of these rows for all that were given; 0 for rows of weight 0."""
        if self.given is None:
            return values
        spread = np.zeros(len(self.given), dtype=values.dtype)
        spread[self.given] = values
        return spread


def take(X: Any, index: NDArray[Any]) -> Any:
    """Return rows ``index`` of an array, a data frame or a list."""
    if isinstance(X, list | tuple):
        return [X[place] for place in np.arange(len(X))[index].tolist()]
    return X.iloc[index] if hasattr(X, "iloc") else X[index]


def check_target(target: Any) -> Domain:
    """Return ``target`` where it is a `Domain`, else say how to make one."""
    if isinstance(target, Domain):
        return target
    kind = type(target).__name__
    raise DomainTypeError(
        f"target must be a Domain, got {kind}. Write fit(X, y, target=Domain(X_target)), or "
        f"Domain(X_target, y_target) where labels are known. A plain array would be sliced "
        f"silently in cross-validation."
    )


def check_domain_word(domain: str) -> Side:
    """Return ``domain`` where it is "source" or "target"."""
    if domain == "source" or domain == "target":
        return domain  # type: ignore[return-value]
    raise InputError(f'domain must be "target" or "source", got {domain!r}')


def _check_some(X: Any) -> None:
    """Raise where rows that a preprocessing step will read are none."""
    shape = getattr(X, "shape", (len(X), 1) if isinstance(X, list | tuple) else ())
    if len(shape) > 1 and 0 in shape:
        raise InputError(f"X has the shape {tuple(shape)}; there must be rows and columns")


def _waves(X: Any) -> Any:
    """Return a list of arrays of many lengths, such as sounds, as an array of shape (n,).

    A list would count the items of its first as columns, which others lack.
    """
    if (
        not isinstance(X, list | tuple)
        or len({one.shape for one in X if hasattr(one, "shape")}) < 2
    ):
        return X
    rows = np.empty(len(X), dtype=object)
    for place, one in enumerate(X):
        rows[place] = one
    return rows


def renamed(missing: Sequence[Any], extra: Sequence[Any]) -> str:
    """Return what columns that are missing may be called now, in words; empty where none is like.

    Parameters
    ----------
    missing, extra : sequence of str
        Names that were fitted and are not there, and names that are there and were not fitted.

    Examples
    --------
    >>> renamed(["blood_pressure", "age"], ["BloodPressure", "ward"])
    ". 'BloodPressure' looks like 'blood_pressure': rename it back"
    """
    from difflib import get_close_matches

    plain = {"".join(c for c in str(name).lower() if c.isalnum()): name for name in extra}
    told, left = [], dict(plain)
    for name in missing[:_LISTED]:
        text = "".join(c for c in str(name).lower() if c.isalnum())
        close = get_close_matches(text, list(left), n=1, cutoff=_ALIKE)
        if close:
            told.append(f"{left.pop(close[0])!r} looks like {name!r}")
    if not told:
        return ""
    return f". {', '.join(told)}: rename {'it' if len(told) == 1 else 'them'} back"


def match_columns(estimator: Any, X: Any) -> Any:
    """Put a data frame's columns in the order that was fitted. Other inputs pass unchanged."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None or not hasattr(X, "columns"):
        return X
    missing = [name for name in names if name not in X.columns]
    if missing:
        shown = ", ".join(repr(name) for name in missing[:_LISTED])
        more = f" and {len(missing) - _LISTED} more" if len(missing) > _LISTED else ""
        extra = [name for name in X.columns if name not in set(names)]
        # scikit-learn's own checks expect these words at the front of the message
        raise InputError(
            "The feature names should match those that were passed during fit. "
            f"Missing column: {shown}{more}; the frame has {list(X.columns)[:8]}"
            f"{renamed(missing, extra)}"
        )
    if list(X.columns) == list(names):
        return X
    return X.loc[:, list(names)]


def check_inputs(
    estimator: Any, X: Any, *, reset: bool, raw: bool, finite: bool, sparse: bool
) -> Any:
    """Check inputs and record or compare their number and names of features.

    Parameters
    ----------
    estimator : BaseEstimator
        Receives ``n_features_in_`` and ``feature_names_in_`` when ``reset``.
    X : array-like of shape (n, ...) or data frame
        Inputs.
    reset : bool
        True on fit, False afterwards.
    raw : bool
        True where a preprocessing step will turn the columns into numbers. Then a frame stays one.
    finite : bool
        Whether missing values are refused. Infinities always are.
    sparse : bool
        Whether sparse matrices pass. They are turned into CSR.
    """
    X = as_rows(X)
    X = X if reset else match_columns(estimator, X)
    if hasattr(X, "tocsr"):
        if raw:
            X = X.tocsr()  # rows are taken by index
        elif not sparse:
            refuse_sparse(estimator)
    if raw:
        _check_some(X)
        X = _waves(X)
        with as_input_error(X, "X"):
            X = validate_data(estimator, X, reset=reset, skip_check_array=True)
        names = getattr(estimator, "feature_names_in_", None)
        if names is not None and getattr(X, "ndim", 0) == 2 and not hasattr(X, "columns"):
            import pandas as pd

            # one warning that there are no names is enough
            return X if hasattr(X, "tocsr") else pd.DataFrame(X, columns=names)
        if reset:
            vars(estimator).pop("row_shape_", None)
            if getattr(X, "ndim", 0) > 2:  # pictures before an encoder
                note_row_shape(estimator, X)
        return X
    if not reset:
        _check_row_shape(estimator, X)
    check_numbers(X)
    with as_input_error(X, "X"):
        checked = validate_data(
            estimator,
            X,
            reset=reset,
            accept_sparse="csr" if sparse else False,  # rows are taken by index
            allow_nd=True,
            ensure_all_finite=True if finite else "allow-nan",
        )
    if reset:
        note_row_shape(estimator, checked)
    return checked


def refuse_sparse(estimator: Any) -> None:
    """Raise where a method does not read sparse rows."""
    raise InputTypeError(
        f"{type(estimator).__name__} reads no sparse rows; make a few full columns of them with "
        f"preprocess=TruncatedSVD(100), or fill them in with X.toarray()"
    )


def note_row_shape(estimator: Any, X: Any) -> None:
    """Record the shape of one row, such as that of an image: ``row_shape_``."""
    estimator.row_shape_ = tuple(X.shape[1:])


def _check_row_shape(estimator: Any, X: Any) -> None:
    """Raise where rows have another shape than those of the fit: size, channels, length, order.

    Rows of single numbers are left to scikit-learn, whose messages its users know.
    """
    known = getattr(estimator, "row_shape_", None)  # files of earlier versions have none
    now = tuple(getattr(X, "shape", np.shape(X) if isinstance(X, list) else ()))[1:]
    if known is None or not now or now == known or max(len(known), len(now)) < 2:
        return
    way_out = "bring them to one shape first, with align_frames or by cutting and padding"
    if len(now) > 2 and sorted(now) == sorted(known):
        way_out = "the axes are in another order: channels come first, see numpy.moveaxis"
    here, there = (" x ".join(str(side) for side in shape) for shape in (now, known))
    raise InputError(
        f"the rows have the shape {here}, and those that the model was fitted on {there}; {way_out}"
    )


def check_single(X: Any, where: str = "the rows") -> None:
    """Raise where numbers are too large for float32, in which networks calculate."""
    kind = getattr(getattr(X, "dtype", None), "kind", "O")
    if kind not in "fiu" or X.dtype.itemsize < 8 or not X.size:
        return
    largest = max(abs(float(X.max())), abs(float(X.min())))
    if largest > float(np.finfo(np.float32).max):
        raise InputError(
            f"{where} hold {largest:.3g}, which is too large for float32, in which networks "
            f"calculate; rescale the inputs, for instance with preprocess=StandardScaler()"
        )


def check_labels(estimator: Any, y: Any, *, regression: bool, n: int | None = None) -> Any:
    """Check labels or target values and return them as a vector of shape (n,)."""
    from sklearn.utils.validation import _check_y

    with as_input_error(y, "y"):
        y = _check_y(y, multi_output=False, y_numeric=regression, estimator=estimator)
        if not regression:
            check_classification_targets(y)
    if n is not None and len(y) != n:
        raise InputError(f"X has {n} rows but y has {len(y)}; they must be equal")
    return y


def check_target_labels(
    target: Domain,
    n: int,
    *,
    regression: bool,
    classes: NDArray[Any] | None = None,
    estimator: Any = None,
) -> tuple[NDArray[Any], NDArray[np.intp] | None]:
    """Return the known labels of a target, shape (k,), and where they are; None means everywhere.

    A label is not known where ``labelled`` says so, and where there is a gap: None, NaN or NA.

    Parameters
    ----------
    target : Domain
        With labels.
    n : int
        Its rows.
    regression : bool
        Whether labels are values.
    classes : ndarray, default=None
        The source's labels, where there are classes.
    estimator : BaseEstimator, default=None
        What messages name.

    Raises
    ------
    InputError
        No label is known, one that ``labelled`` marks is missing, or -1 stands where the source has
        no such class: other libraries mark rows without a label so.
    """
    values = target.y.to_numpy() if hasattr(target.y, "to_numpy") else np.asarray(target.y)
    if values.shape == (n, 1):
        values = values.ravel()
    if values.shape[:1] != (n,):
        raise InputError(f"the target has {n} rows but y has shape {values.shape}")
    index = check_mask(target.labelled, n)
    gaps = _gaps(values)
    if gaps is not None:
        marked = np.arange(n) if index is None else index
        missing = marked[gaps[marked]]
        if target.labelled is not None and len(missing):
            raise InputError(
                f"labelled marks row {int(missing[0])} of the target, whose label is "
                f"{values[missing[0]]!r}; mark rows with a label only"
            )
        index = marked[~gaps[marked]]
        if not len(index):
            raise InputError(f"none of the {n} target rows has a label, only gaps")
    known = values if index is None else values[index]
    if known.dtype.kind == "O" and len({type(value) for value in known.tolist()}) == 1:
        known = np.asarray(known.tolist())
    whole = classes is not None and classes.dtype.kind in "iu" and known.dtype.kind == "f"
    if whole and (known == np.round(known)).all():
        known = known.astype(np.int64)  # a gap has turned whole numbers into floats
    y = check_labels(estimator, known, regression=regression)
    named = target.class_names is not None and -1 in check_class_names(target.class_names)  # type: ignore[operator]
    if classes is not None and not named and y.dtype.kind in "if":
        unknown = (y == -1) & ~np.isin(-1, classes)
        if unknown.any():
            raise InputError(
                f"the target has the label -1 in {int(unknown.sum())} rows, which the source does "
                f"not have. Where it marks rows without a label, pass "
                f"Domain(X, y, labelled=(y != -1)); where it is a class, name it in class_names"
            )
    return y, index


def _gaps(values: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Return which values are None, NaN, NA or NaT; None where none is."""
    if values.dtype.kind == "f":
        gaps = np.isnan(values)
    elif values.dtype.kind == "M":
        gaps = np.isnat(values)
    elif values.dtype.kind == "O":
        # NA is equal to nothing, and says so by being NA; NaN is not even equal to itself
        gaps = np.array([
            value is None or type(value).__name__ in ("NAType", "NaTType") or value != value
            for value in values.ravel().tolist()
        ]).reshape(values.shape)  # fmt: skip
    else:
        return None
    gaps = gaps.any(axis=tuple(range(1, gaps.ndim)))
    return gaps if gaps.any() else None


def check_class_names(names: Sequence[str] | Mapping[Any, str] | None) -> dict[Any, str] | None:
    """Return class names as a mapping from label to name."""
    if names is None:
        return None
    if isinstance(names, str):
        raise InputError(f"class_names must be a sequence or a mapping, got the text {names!r}")
    with as_input_error(names, "class_names"):
        pairs = dict(names) if isinstance(names, Mapping) else dict(enumerate(names))
    if len(set(pairs.values())) < len(pairs):
        raise InputError(f"class_names must differ from each other, got {list(pairs.values())}")
    return pairs


def check_named(y: NDArray[Any], names: Mapping[Any, str] | None, side: Side) -> None:
    """Raise where a label has no name although names are given."""
    if names is None:
        return
    unknown = [label for label in np.unique(y).tolist() if label not in names]
    if unknown:
        raise InputError(
            f"the {side} has the label {unknown[0]!r}, which class_names does not name; "
            f"it names {list(names)}"
        )


def check_two_classes(y: NDArray[Any], side: Side) -> None:
    """Raise where a classifier would be trained on one class."""
    classes = np.unique(y)
    if len(classes) < 2:
        raise InputError(
            f"the {side} labels have 1 class, {classes.tolist()!r}; a classifier needs at least 2"
        )


def check_weight(weight: Any, X: Any) -> NDArray[np.floating[Any]] | None:
    """Return row weights of shape (n,), none negative and not all zero."""
    if weight is None:
        return None
    with as_input_error(weight, "sample_weight"):
        checked: NDArray[np.floating[Any]] = _check_sample_weight(
            weight, X, ensure_non_negative=True
        )
    if not checked.any():
        raise InputError("sample_weight is zero for every row; at least one must be above 0")
    return checked


def check_counted(
    index: NDArray[np.intp] | None, y: NDArray[Any], weight: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.intp] | None, NDArray[Any]]:
    """Return positions and labels of the labelled rows that count: a weight of 0 is no label."""
    if weight.all():
        return index, y
    labelled = np.arange(len(weight)) if index is None else index
    counted = weight[labelled] > 0
    if not counted.any():
        raise InputError("sample_weight of the target is 0 for every row with a known label")
    return labelled[counted], y[counted]


def check_each_source(weight: NDArray[np.floating[Any]], ids: NDArray[Any] | None) -> None:
    """Raise where all rows of one of several sources have weight 0."""
    for name in [] if ids is None else np.unique(ids).tolist():
        if not weight[ids == name].any():
            raise InputError(f"all rows of the source {name!r} have weight 0; leave them out")


def check_ids(domains: Any, n: int) -> NDArray[Any] | None:
    """Return one source id a row, shape (n,)."""
    if domains is None:
        return None
    with as_input_error(domains, "domains"):
        ids: NDArray[Any] = check_array(domains, ensure_2d=False, dtype=None)
    if ids.ndim != 1 or len(ids) != n:
        raise InputError(f"domains must hold one id a row: {n} ids, got shape {ids.shape}")
    return ids


def check_mask(labelled: Any, n: int) -> NDArray[np.intp] | None:
    """Return positions of the labelled rows, or None where all are."""
    if labelled is None:
        return None
    mask = np.asarray(labelled)
    if mask.dtype != bool or mask.shape != (n,):
        raise InputError(
            f"labelled must be a boolean mask of shape ({n},), got {mask.dtype} of {mask.shape}"
        )
    if not mask.any():
        raise InputError(f"labelled marks none of the {n} rows; mark those whose label is known")
    return None if mask.all() else np.flatnonzero(mask)


def check_table(X: Any, name: str) -> Any:
    """Return rows as an array, frame or sparse matrix with rows and columns."""
    X = as_rows(X, name)
    with as_input_error(X, name):
        X = X if hasattr(X, "shape") else np.asarray(X)
        if X.ndim < 2 or 0 in X.shape:
            raise InputError(f"{name} must have shape (n, d) or (n, ...), got {tuple(X.shape)}")
        check_numbers(X, name)
        check_squares(X, name)
        if getattr(getattr(X, "dtype", None), "kind", "") in "OSU" and not hasattr(X, "columns"):
            X.astype(np.float64)  # raises, and names the cell
    return X


def count(X: Any) -> int:
    """Return the number of rows."""
    with as_input_error(X, "X"):
        rows: int = _num_samples(X)
    return rows


def stack(first: Any, second: Any) -> Any:
    """Return the rows of two arrays, sparse matrices or frames, one after the other."""
    if hasattr(first, "iloc"):
        import pandas as pd
        from pandas.api.types import union_categoricals

        both = pd.concat([first, second], ignore_index=True)
        for name in both.columns:  # levels that differ would become plain objects
            sides = first[name], second[name]
            if all(isinstance(one.dtype, pd.CategoricalDtype) for one in sides):
                both[name] = union_categoricals(sides, sort_categories=True)
        return both
    if hasattr(first, "tocsr"):
        import scipy.sparse as sp

        return sp.vstack([first, second], format="csr")
    return np.concatenate([first, second])
