"""What is given in pairs, checked once: two sides of one length, and numbers of each item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import _num_samples

from acclimate.exceptions import InputError
from acclimate.natives import as_rows, check_numbers, check_squares
from acclimate.refusing import as_input_error
from acclimate.settings import TRANSFORMER, Each

Side = Literal["A", "B"]
Floats = NDArray[np.float64]

FEWEST = 3  # pairs: leaving one out leaves two, which have a direction


class Two(Each):
    """A pair of transformers, either of which may be None."""

    def __init__(self) -> None:
        super().__init__(TRANSFORMER, None)

    def is_satisfied_by(self, val: Any) -> bool:
        """Tell whether ``val`` is such a pair."""
        return super().is_satisfied_by(val) and len(val) == 2

    def __str__(self) -> str:
        return "a pair (encoder of A, encoder of B) of transformers or None"


def check_side(given: Any) -> Side:
    """Return ``given`` where it is "A" or "B"."""
    if isinstance(given, str) and given in ("A", "B"):
        return given  # type: ignore[return-value]
    raise InputError(f'given must be "A" or "B", got {given!r}')


def check_lengths(A: Any, B: Any, least: int = FEWEST) -> int:
    """Return the number of pairs; raise where the sides differ or are too short."""
    n, m = (count(one, name) for one, name in ((A, "A"), (B, "B")))
    if n != m:
        raise InputError(
            f"A has {n} items and B has {m}; item i of A and item i of B are one pair, so leave "
            f"out what has no partner"
        )
    if n < least:
        raise InputError(f"{n} pairs are too few; give {least} or more")
    return n


def count(X: Any, name: str) -> int:
    """Return the number of items of one side."""
    if isinstance(X, str | bytes):
        raise InputError(f"{name} is one text, {X!r}; give a list of items, such as [{X!r}]")
    with as_input_error(X, name):
        return int(_num_samples(X))


def axes(X: Any) -> int:
    """Return the number of axes of one item: 0 of texts, 1 of waveforms or rows, 2, 3 of images."""
    if hasattr(X, "iloc"):
        return len(X.shape) - 1
    return int(np.ndim(X[0])) if len(X) else 0


def numbers(X: Any, encoder: Any, name: str, width: int | None = None) -> Floats:
    """Return each item of one side as a row of numbers, shape (n, d).

    Parameters
    ----------
    X : array-like of n items
        Numbers, or whatever the encoder takes.
    encoder : fitted transformer or None
        None takes the items as rows of numbers.
    name : str
        What messages call the side.
    width : int, default=None
        Numbers of an item at `fit`; None accepts any.

    Raises
    ------
    InputError
        There is no item, or what an item becomes is no row of finite numbers of this width.
    """
    if not count(X, name):
        raise InputError(f"{name} has no items")
    if encoder is not None:
        with as_input_error(X, name, only=ValueError):
            X = encoder.transform(X)
    out = f"what {type(encoder).__name__} makes of {name}" if encoder is not None else name
    X = as_rows(X, out)
    if hasattr(X, "tocsr"):
        raise InputError(
            f"{out} is sparse; put TruncatedSVD(100) behind the encoder, which makes full columns"
        )
    check_numbers(X, out)
    with as_input_error(X, out):
        rows = np.asarray(X)
    if rows.dtype.kind not in "biuf" or rows.ndim != 2 or not rows.shape[1]:
        held = rows.dtype if rows.dtype.kind not in "OU" else "text or objects"
        raise InputError(
            f"{out} must be rows of numbers, got {held} of shape {rows.shape}; name what reads it "
            f"in encoders=(encoder of A, encoder of B), such as FrozenBody() for images"
        )
    rows = rows.astype(np.float64)
    bad = np.argwhere(~np.isfinite(rows))
    if len(bad):
        i, j = (int(one) for one in bad[0])
        raise InputError(
            f"{out} holds {rows[i, j]} in item {i}, column {j}, and {len(bad)} such cells in all; "
            f"leave out such pairs or fill the gaps"
        )
    check_squares(rows, out)
    if width is not None and rows.shape[1] != width:
        raise InputError(f"{out} has {rows.shape[1]} columns, and had {width} at fit")
    return rows


def named_items(classes: Any, per_item: int) -> tuple[list[Any], list[Any], list[int]]:
    """Return names, all their items in order, and how many items each name has.

    Parameters
    ----------
    classes : mapping from name to items
        One item, or several.
    per_item : int
        Axes of one item; see `axes`.

    Raises
    ------
    InputError
        There is no class, or a class without items.
    """
    if not isinstance(classes, Mapping) or not classes:
        raise InputError(
            f"classes must be a mapping from a name to one or more items, got "
            f"{classes!r:.100}; a list of names serves where the encoder reads text"
        )
    items: list[Any] = []
    sizes: list[int] = []
    for name, given in classes.items():
        with as_input_error(given, f"the class {name!r}"):
            single = isinstance(given, str) or _axes_of(given) == per_item
        mine = [given] if single else list(np.asarray(given) if hasattr(given, "iloc") else given)
        if not mine:
            raise InputError(f"the class {name!r} has no items; give one or more")
        items += mine
        sizes.append(len(mine))
    return list(classes), items, sizes


def _axes_of(given: Any) -> int:
    """Return the axes of one item, or one more for several, which may have different lengths."""
    if isinstance(given, list | tuple) or getattr(given, "dtype", np.dtype(float)).kind == "O":
        return 1 + (int(np.ndim(given[0])) if len(given) else 0)
    return int(np.ndim(given))


def stacked(items: list[Any]) -> Any:
    """Return items as one array where all have one shape; texts and waveforms stay a list."""
    shapes = {np.shape(one) for one in items}
    return np.asarray(items) if len(shapes) == 1 and shapes != {()} else items


def named(names: list[Any]) -> NDArray[Any]:
    """Return names as an array of shape (k,), of one type where they are."""
    if all(isinstance(one, str) for one in names) or all(type(one) is int for one in names):
        return np.array(names)
    found = np.empty(len(names), dtype=object)
    for place, name in enumerate(names):  # at once, tuples would become columns
        found[place] = name
    return found


def is_names(classes: Any) -> bool:
    """Tell whether classes are given by their names alone."""
    listed = isinstance(classes, Sequence | np.ndarray) and not isinstance(classes, str)
    return listed and len(classes) > 0 and all(isinstance(one, str) for one in classes)
