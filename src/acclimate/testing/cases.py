"""What a check is given: a method with a task, toy data, and ways to say what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from acclimate.catalogue import Row
from acclimate.domain import Domain
from acclimate.exceptions import AcclimateError
from acclimate.testing.quick import quick_base


class CheckFailed(AcclimateError, AssertionError):
    """A method breaks a rule that all methods keep; the message names the check."""


def toy(
    seed: int = 0, n: int = 60, m: int = 45, d: int = 4, classes: int | None = 3
) -> SimpleNamespace:
    """Return shifted toy data: X, y of the source; Xt, yt of the target; Xn, yn new target rows.

    The target is turned by 30 degrees in the first two features and moved.

    Parameters
    ----------
    seed : int
        Of the rows.
    n, m : int
        Rows of the source; of the target, and as many new ones.
    d : int
        Features, at least 2.
    classes : int or None
        Labels are integers from 0 to ``classes`` - 1; None makes a regression.
    """
    rng = np.random.default_rng(seed)
    centres = np.zeros((classes or 1, d))
    angles = 2 * np.pi * np.arange(len(centres)) / len(centres)
    centres[:, 0], centres[:, 1] = 3 * np.cos(angles), 3 * np.sin(angles)
    turn = np.eye(d)
    turn[:2, :2] = [[np.cos(np.pi / 6), -np.sin(np.pi / 6)],
                    [np.sin(np.pi / 6), np.cos(np.pi / 6)]]  # fmt: skip
    slope = np.linspace(1.0, -1.0, d)

    def draw(rows: int, moved: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        X: NDArray[Any] = rng.normal(size=(rows, d))
        y: NDArray[Any]
        if classes is None:
            y = X @ slope + 0.1 * rng.normal(size=rows)
        else:
            y = np.arange(rows) % classes
            X = X + centres[y]
        return (X @ turn + 0.5 if moved else X), y

    X, y = draw(n, False)
    Xt, yt = draw(m, True)
    Xn, yn = draw(m, True)
    return SimpleNamespace(X=X, y=y, Xt=Xt, yt=yt, Xn=Xn, yn=yn)


@dataclass(frozen=True)
class Case:
    """A method with a task.

    Parameters
    ----------
    method : Adapter, or a method on pairs
        Not fitted; its base model does the task.
    task : {"classification", "regression"}
    """

    method: Any
    task: str

    @property
    def row(self) -> Row:
        """What the method's class says of itself."""
        row: Row = self.method._row()
        return row

    @property
    def id(self) -> str:
        """Name of the case."""
        return f"{type(self.method).__name__}-{self.task}"

    @property
    def regression(self) -> bool:
        """Whether the task is regression."""
        return self.task == "regression"

    def estimator(self) -> Any:
        """Return a base model for the task that is fitted in milliseconds."""
        return quick_base(self.row, self.task)

    def make(self, **settings: Any) -> Any:
        """Return the method, unfitted and seeded, with other settings where they are given."""
        model = clone(self.method)
        if getattr(model, "random_state", 0) is None:
            settings = {"random_state": 0} | settings
        return model.set_params(**settings)

    def data(self, seed: int = 0, classes: int = 3, **sizes: int) -> SimpleNamespace:
        """Return shifted toy data for the task."""
        return toy(seed, classes=None if self.regression else classes, **sizes)

    def domain(self, X: Any, y: Any) -> Domain:
        """Return a target with labels where the row requires them."""
        return Domain(X, y if self.row.target_labels == "required" else None)

    def fitted(self, data: SimpleNamespace | None = None, **settings: Any) -> Any:
        """Return the method fitted with a target."""
        d = self.data() if data is None else data
        return self.make(**settings).fit(d.X, d.y, target=self.domain(d.Xt, d.yt))

    def answers(self, model: Any, X: Any) -> NDArray[Any]:
        """Return what a fitted model says of rows: values, else probabilities or labels."""
        word = "predict_proba" if hasattr(model, "predict_proba") else "predict"
        found: NDArray[Any] = getattr(model, word)(X)
        return found


@dataclass(frozen=True)
class Check:
    """A rule with a name.

    Parameters
    ----------
    name : str
        Of the function that checks it.
    run : callable
        Takes a `Case`; raises where the rule is broken.
    needs : mapping from field to value or tuple of values
        The rule holds for rows with these values, ``task`` being that of the case, and
        ``retrieves`` whether the method finds items of a gallery.
    """

    name: str
    run: Callable[[Case], None]
    needs: Mapping[str, Any]

    def applies(self, case: Case) -> bool:
        """Tell whether the rule holds for a method like this."""
        known = {"task": case.task, "retrieves": hasattr(case.method, "retrieve")}
        return all(
            known.get(name, getattr(case.row, name, None))
            in (value if isinstance(value, tuple) else (value,))
            for name, value in self.needs.items()
        )


CHECKS: list[Check] = []


def check(**needs: Any) -> Callable[[Callable[[Case], None]], Callable[[Case], None]]:
    """Return a decorator that adds a rule for rows with these values; see `Check`."""

    def add(run: Callable[[Case], None]) -> Callable[[Case], None]:
        CHECKS.append(Check(run.__name__, run, {"kind": "tabular"} | needs))
        return run

    return add


def require(holds: Any, text: str) -> None:
    """Raise with the text unless something holds."""
    if not holds:
        raise CheckFailed(text)


@contextmanager
def refused(error: type[Exception], pattern: str) -> Iterator[SimpleNamespace]:
    """Require that what runs inside raises an error whose text matches; it is held as ``value``."""
    caught = SimpleNamespace(value=None)
    try:
        yield caught
    except error as raised:
        caught.value = raised
        require(
            re.search(pattern, str(raised)),
            f"the error should say {pattern!r}, but it says {str(raised)!r}",
        )
        return
    raise CheckFailed(f"a {error.__name__} that says {pattern!r} should be raised, and none is")


def same(a: Any, b: Any, X: Any) -> bool:
    """Tell whether two fitted methods answer rows equally, to the bit, for both domains."""
    words = [w for w in ("predict", "predict_proba", "decision_function") if hasattr(a, w)]
    return all(
        np.array_equal(getattr(a, w)(X, domain=d), getattr(b, w)(X, domain=d))
        for w in words
        for d in ("target", "source")
    )
