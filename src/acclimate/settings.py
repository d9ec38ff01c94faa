"""Settings of methods: declared on the class, checked here when it is fitted.

A class declares what each parameter of its constructor may be in ``_parameter_constraints``, in
scikit-learn's terms (`sklearn.utils._param_validation`), and may add in ``_ways_out`` what to do
about a wrong one. The public door, the command line's ``--set`` and the tests of the docstrings
read the same declaration. What is not declared is not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np
from sklearn import get_config
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    StrOptions,
    _Constraint,
    make_constraint,
)

from acclimate.exceptions import InputError

Constraints: TypeAlias = dict[str, list[Any]]

POSITIVE = Interval(Real, 0, None, closed="neither")
NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
SHARE = Interval(Real, 0, 1, closed="both")
SHARE_BELOW_1 = Interval(Real, 0, 1, closed="left")
INNER_SHARE = Interval(Real, 0, 1, closed="neither")
COUNT = Interval(Integral, 1, None, closed="left")
SEVERAL = Interval(Integral, 2, None, closed="left")
ESTIMATOR = HasMethods(["fit", "predict"])
TRANSFORMER = HasMethods(["fit", "transform"])
LONGEST = 100  # characters of a value in a message
MANY = 4  # words from which on a message says "one of"


class OneOf(StrOptions):  # type: ignore[misc]
    """Words to choose from, which messages name in this order."""

    def __init__(self, *names: str) -> None:
        super().__init__(set(names))
        self.names = names


class SeveralOf(OneOf):
    """One or several of some words, with commas between them.

    Examples
    --------
    >>> some = SeveralOf("flip", "crop")
    >>> some.is_satisfied_by("flip,crop"), some.is_satisfied_by("flip,turn")
    (True, False)
    """

    def is_satisfied_by(self, val: Any) -> bool:
        """Tell whether ``val`` is such words."""
        return isinstance(val, str) and all(one.strip() in self.names for one in val.split(","))


class Each(_Constraint):  # type: ignore[misc]
    """A sequence whose entries all meet one of some constraints; a text is none.

    Parameters
    ----------
    *constraints : object
        What scikit-learn takes for constraints.
    least : int, default=0
        Fewest entries.
    of : str, default=None
        What the entries are, in messages. None says what the constraints are.
    """

    def __init__(self, *constraints: Any, least: int = 0, of: str | None = None) -> None:
        super().__init__()
        self.constraints = constraints
        self.least = least
        self.of = of

    def is_satisfied_by(self, val: Any) -> bool:
        """Tell whether ``val`` is such a sequence."""
        return is_list(val) and len(val) >= self.least and not self.wrong(val)

    def wrong(self, val: Any) -> list[Any]:
        """Return the entries of a sequence that meet no constraint."""
        return [one for one in val if not any(meets(c, one) for c in self.constraints)]

    def __str__(self) -> str:
        of = self.of or words(self.constraints, many=True)
        return f"a list of {'one or more ' if self.least else ''}{of}"


def is_list(value: Any) -> bool:
    """Tell whether a value is a sequence of one dimension and no text."""
    listed = hasattr(value, "__len__") and hasattr(value, "__getitem__")
    return (
        listed and not isinstance(value, str | bytes | Mapping) and getattr(value, "ndim", 1) == 1
    )


def meets(constraint: Any, value: Any, *, strict: bool = True) -> bool:
    """Tell whether a value meets a constraint.

    scikit-learn takes True for 1, and a class for an object of it; ``strict`` takes neither.
    """
    if strict and isinstance(value, bool):
        number = constraint in (Integral, Real) or constraint == "random_state"
        if number or isinstance(constraint, Interval):
            return False
    if strict and isinstance(value, type) and isinstance(constraint, HasMethods):
        return False
    made = constraint if isinstance(constraint, Each) else make_constraint(constraint)
    return bool(made.is_satisfied_by(value))


def words(constraints: Sequence[Any], value: Any = None, *, many: bool = False) -> str:
    """Return what is allowed, as a message says it after "must be".

    Parameters
    ----------
    constraints : sequence of object
        What scikit-learn takes for constraints; one of them is to be met.
    value : object, default=None
        What was given instead. That a number is wanted is not said where one was given.
    many : bool, default=False
        Whether to name them in the plural.

    Examples
    --------
    >>> words([COUNT, OneOf("auto"), None])
    'a whole number of at least 1, "auto" or None'
    >>> words([POSITIVE], -1.0), words([POSITIVE], "wide")
    ('above 0', 'a number above 0')
    """
    parts = [part for one in constraints for part in _parts(one, value, many)]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


def _parts(constraint: Any, value: Any, many: bool) -> Iterator[str]:
    """Yield the alternatives of one constraint."""
    if isinstance(constraint, Interval):
        yield _range(constraint, value, many)
    elif isinstance(constraint, Options):
        named = getattr(constraint, "names", None) or sorted(constraint.options, key=str)
        said = [f'"{one}"' if isinstance(one, str) else repr(one) for one in named]
        yield from [f"one of {said[0]}", *said[1:]] if len(said) >= MANY else said
    elif isinstance(constraint, HasMethods):
        yield f"an object with {' and '.join(sorted(constraint.methods))}"
    elif isinstance(constraint, type) and constraint not in (Integral, Real):
        name = "text" if constraint is str else constraint.__name__
        yield f"{name}s" if many else f"a {name}"
    elif constraint == "boolean":
        yield from ("True", "False")
    elif constraint == "random_state":
        yield from ("a whole number from 0 to 2**32 - 1", "a RandomState", "None")
    elif not getattr(constraint, "hidden", False):
        made = constraint if isinstance(constraint, Each) else make_constraint(constraint)
        yield str(made)


def _range(interval: Any, value: Any, many: bool) -> str:
    """Return a range in words."""
    left, right = interval.left, interval.right
    whole = interval.type is Integral
    number = isinstance(value, Integral if whole else Real) and not isinstance(value, bool)
    noun = ("whole " if whole else "") + ("numbers" if many else "number")
    kind = "" if number else noun if many else f"a {noun}"
    if right is not None:
        opens = "[" if interval.closed in ("left", "both") else "("
        closes = "]" if interval.closed in ("right", "both") else ")"
        kind = kind if whole or many else ""  # the brackets say that it is a number
        return f"{kind} in {opens}{'-inf' if left is None else left}, {right}{closes}".lstrip()
    if left is None:
        return kind or ("finite" if not whole else "a whole number")
    said = f"above {left}" if interval.closed in ("right", "neither") else f"at least {left}"
    if kind:
        said = f"{kind} {'of ' if said.startswith('at') else ''}{said}"
    return f"{said} and finite" if number and value == np.inf else said


def check_settings(method: Any) -> None:
    """Raise where a setting of a method, or of an estimator within it, is not what it may be.

    Parameters
    ----------
    method : estimator
        Not changed. Estimators within it have their settings named as in `set_params`.

    Raises
    ------
    InputError
        The first setting that cannot be used: its name, what is allowed and its value.
    """
    if get_config()["skip_parameter_validation"]:
        return
    _check_own(method, "")
    for name in _declared(method):
        value = getattr(method, name, None)
        if value is None or isinstance(value, type) or not hasattr(value, "get_params"):
            continue
        _check_own(value, f"{name}__")
        for inner, part in value.get_params(deep=True).items():
            if hasattr(part, "get_params") and not isinstance(part, type):
                _check_own(part, f"{name}__{inner}__")


def _declared(owner: Any) -> Mapping[str, Any]:
    declared = getattr(owner, "_parameter_constraints", None)
    return declared if isinstance(declared, Mapping) else {}


def _check_own(owner: Any, prefix: str) -> None:
    strict = not type(owner).__module__.startswith("sklearn.")
    for name, allowed in _declared(owner).items():
        if allowed == "no_validation" or not hasattr(owner, name):
            continue
        value = getattr(owner, name)
        if any(meets(constraint, value, strict=strict) for constraint in allowed):
            continue
        way_out = getattr(owner, "_ways_out", {}).get(name)
        raise InputError(
            f"{prefix}{name} must be {words(allowed, value)}, got {_shown(value, allowed)}"
            + ("" if way_out is None else f"; {way_out}")
        )


def _shown(value: Any, allowed: Sequence[Any]) -> str:
    """Return a value on one line, cut where it is long; of a list, first the entry at fault."""
    text = " ".join(repr(value).split())
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
    each = [one for one in allowed if isinstance(one, Each)]
    wrong = each[0].wrong(value) if each and is_list(value) else []
    return f"{_shown(wrong[0], ())} in {text}" if wrong else text


def drawn_seed(random_state: Any) -> tuple[int, int]:
    """Return the seed that ``random_state`` gives, and a ``random_state`` that gives it again.

    A generator is drawn from, and so is numpy's own where it is None.

    Examples
    --------
    >>> seed, again = drawn_seed(None)
    >>> drawn_seed(again) == (seed, again)
    True
    """
    from sklearn.utils import check_random_state

    most, again = np.iinfo(np.int32).max, random_state
    if not isinstance(random_state, Integral):
        again = check_random_state(random_state).randint(most)
    return int(check_random_state(int(again)).randint(most)), int(again)
