"""One case for each catalogue row and each task that the row ticks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acclimate import Domain
from acclimate.catalogue import CATALOGUE, Row


@dataclass(frozen=True)
class Case:
    """A row with a task, and what a test needs to run it."""

    row: Row
    task: str
    toy: Callable[..., SimpleNamespace] | None = None

    @property
    def id(self) -> str:
        return f"{self.row.name}-{self.task}"

    @property
    def regression(self) -> bool:
        return self.task == "regression"

    def estimator(self) -> Any:
        """Return a base model that is fitted in milliseconds."""
        if not self.row.network:
            from sklearn.linear_model import LogisticRegression, Ridge

            return Ridge() if self.regression else LogisticRegression(max_iter=1000)
        from acclimate import NeuralClassifier, NeuralRegressor

        network = NeuralRegressor if self.regression else NeuralClassifier
        return network(
            hidden=(16,), dropout=0.0, epochs=1, min_steps=60, batch_size=32, learning_rate=0.03
        )

    def make(self, **settings: Any) -> Any:
        """Return the method with the row's quick settings, unfitted."""
        quick = {"estimator": self.estimator(), "random_state": 0, **self.row.quick}
        given = quick | settings
        inner = {name: given.pop(name) for name in self.row.quick if "__" in name}
        model = self.row.load()(**given)
        return model.set_params(**inner) if inner else model

    def data(self, seed: int = 0, classes: int = 3, **sizes: int) -> SimpleNamespace:
        """Return shifted toy data for the task."""
        assert self.toy is not None
        return self.toy(seed, classes=None if self.regression else classes, **sizes)

    def domain(self, X: Any, y: Any) -> Domain:
        """Return a target with labels where the row requires them."""
        return Domain(X, y if self.row.target_labels == "required" else None)

    def fitted(self, data: SimpleNamespace | None = None, **settings: Any) -> Any:
        """Return the method fitted with a target."""
        d = self.data() if data is None else data
        return self.make(**settings).fit(d.X, d.y, target=self.domain(d.Xt, d.yt))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("rows")
    wanted = {"kind": "tabular"} | (mark.kwargs if mark else {})
    task = wanted.pop("task", None)
    cases = [
        Case(row, each)
        for row in CATALOGUE
        for each in row.tasks
        if all(
            getattr(row, name) in (value if isinstance(value, tuple) else (value,))
            for name, value in wanted.items()
        )
        and task in (None, each)
    ]
    metafunc.parametrize("case", cases, ids=[case.id for case in cases], indirect=True)


@pytest.fixture
def case(request: pytest.FixtureRequest, toy: Callable[..., SimpleNamespace]) -> Case:
    return Case(request.param.row, request.param.task, toy)


@pytest.fixture
def same() -> Callable[..., bool]:
    """Return a test of two fitted methods for answers that are equal to the bit."""

    def equal(a: Any, b: Any, X: Any) -> bool:
        words = [w for w in ("predict", "predict_proba", "decision_function") if hasattr(a, w)]
        return all(
            np.array_equal(getattr(a, w)(X, domain=d), getattr(b, w)(X, domain=d))
            for w in words
            for d in ("target", "source")
        )

    return equal
