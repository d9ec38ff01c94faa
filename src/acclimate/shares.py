"""What is said of the target's class shares, checked: one number or a range for a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError

Floats = NDArray[np.float64]
_ROUNDED = 1e-9
FEW_CLASSES = 3  # up to so many, shares known to ten points help


@dataclass(frozen=True, eq=False)
class Limits:
    """Lowest and highest share of each class.

    Parameters
    ----------
    low, high : ndarray of shape (k,)
        Equal where a share is exact; NaN for classes of which nothing is said.
    """

    low: Floats
    high: Floats

    @property
    def exact(self) -> bool:
        """Whether no class has a range."""
        named = ~np.isnan(self.low)
        return bool((self.low[named] == self.high[named]).all())


def check_class_shares(
    given: Any, classes: NDArray[Any], names: Mapping[Any, str] | None = None
) -> Limits:
    """Return what was said of class shares, in the order of ``classes``.

    Parameters
    ----------
    given : mapping from label, or its name, to float or pair of float
        Shares, or ranges of them.
    classes : ndarray of shape (k,)
        The source's labels.
    names : mapping from label to str, default=None
        What the labels mean.

    Raises
    ------
    InputError
        A class is unknown, a share is no number in [0, 1], or shares cannot have the sum 1.

    Examples
    --------
    >>> check_class_shares({"sick": (0.6, 0.8)}, np.array(["sick", "well"])).high
    array([0.8, nan])
    """
    if not isinstance(given, Mapping) or not given:
        raise InputError(
            f'class_shares must be a mapping such as {{"sick": 0.7}}, or {{"sick": (0.6, 0.8)}} '
            f"for a range, got {given!r}"
        )
    labels = classes.tolist()
    low, high = np.full(len(labels), np.nan), np.full(len(labels), np.nan)
    for key, value in given.items():
        place = _place(key, labels, names)
        if place is None:
            shown = [str((names or {}).get(label, label)) for label in labels[:12]]
            raise InputError(
                f"class_shares names the class {key!r}, which the source lacks; it has {shown}"
            )
        if not np.isnan(low[place]):
            raise InputError(f"class_shares names the class {key!r} twice, by label and by name")
        low[place], high[place] = _limits(key, value)
    least, most = float(np.nansum(low)), float(np.nansum(high))
    whole = not np.isnan(low).any()
    if least > 1 + _ROUNDED or (whole and most < 1 - _ROUNDED):
        size = f"{least:.3g} or more" if least > 1 else f"{most:.3g} or less"
        raise InputError(
            f"class_shares have the sum {size}, got {dict(given)!r}; shares of all classes have "
            f"the sum 1, and those of some classes leave the rest to the others"
        )
    return Limits(low, high)


def parse_shares(options: Sequence[str]) -> dict[str, Any] | None:
    """Return ``NAME=SHARE`` and ``NAME=LOW..HIGH`` as class shares; None for no option.

    Examples
    --------
    >>> parse_shares(["sick=0.7"]), parse_shares(["sick=0.6..0.8"]), parse_shares([])
    ({'sick': 0.7}, {'sick': (0.6, 0.8)}, None)
    """
    found: dict[str, Any] = {}
    for text in options:
        name, _, value = text.rpartition("=")
        low, dots, high = value.partition("..")
        try:
            share: Any = (float(low), float(high)) if dots else float(low)
        except ValueError:
            share = None
        if not name or share is None or name in found:
            raise InputError(
                f"--share takes CLASS=0.7 or CLASS=0.6..0.8, each class once, got {text!r}"
            )
        found[name] = share
    return found or None


def share_question(names: Sequence[str], shares: Floats) -> str:
    """Return what to ask first of a target without labels.

    Parameters
    ----------
    names : sequence of str
        Of the classes.
    shares : ndarray of shape (k,)
        Of the classes in the source.

    Examples
    --------
    >>> share_question(["sick", "well"], np.array([0.25, 0.75]))
    "What share of the target is 'sick'? In the source it is 25 %. Known to ten points it says more than any estimate: class_shares or --share."
    """  # noqa: E501
    if len(names) > FEW_CLASSES:
        return (
            f"What are the class shares of the target? With {len(names)} classes only exact ones "
            f"help: class_shares or --share."
        )
    rarest = int(np.argmin(shares))
    return (
        f"What share of the target is {names[rarest]!r}? In the source it is "
        f"{100 * shares[rarest]:.0f} %. Known to ten points it says more than any estimate: "
        f"class_shares or --share."
    )


def _place(key: Any, labels: list[Any], names: Mapping[Any, str] | None) -> int | None:
    """Return where a class stands, by its label, its name or the label as text."""
    if key in labels:
        return labels.index(key)
    called = [(names or {}).get(label, label) for label in labels]
    texts = [str(one) for one in called]
    for known in (called, texts, [str(label) for label in labels]):
        if key in known:
            return known.index(key)
    return None


def _limits(key: Any, value: Any) -> tuple[float, float]:
    try:
        pair = np.asarray(value, dtype=np.float64)
        low, high = (float(pair), float(pair)) if pair.ndim == 0 else map(float, pair)
    except (TypeError, ValueError):
        low = high = float("nan")
    if not 0 <= low <= high <= 1:
        raise InputError(
            f"the share of class {key!r} must be a number from 0 to 1, or a range (low, high) of "
            f"them, got {value!r}"
        )
    return low, high
