"""What a class declares of its settings, and what a message says of a wrong one."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn import config_context
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import HasMethods, Interval, Options

from acclimate import CORAL, DANN, KMM, Domain, DomainDiscriminator, NeuralClassifier, SourceOnly
from acclimate.exceptions import InputError
from acclimate.settings import (
    COUNT,
    ESTIMATOR,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Each,
    OneOf,
    check_settings,
    meets,
    words,
)
from acclimate.templates import MapAdapter

FROM_1 = Interval(Real, 1, None, closed="both")
ANY = Interval(Real, None, None, closed="neither")


@pytest.mark.parametrize(
    ("constraint", "value", "met"),
    [
        (POSITIVE, 1, True),
        (POSITIVE, np.float32(0.5), True),
        (POSITIVE, 0, False),
        (POSITIVE, np.inf, False),
        (POSITIVE, np.nan, False),
        (POSITIVE, True, False),
        (POSITIVE, "1", False),
        (FROM_1, np.inf, True),
        (SHARE, 1, True),
        (COUNT, np.int64(3), True),
        (COUNT, 3.0, False),
        (COUNT, True, False),
        (Integral, True, False),
        ("random_state", True, False),
        ("random_state", 0, True),
        ("boolean", True, True),
        ("boolean", 1, False),
        (Options(object, {True, "auto"}), True, True),
        (ESTIMATOR, LogisticRegression(), True),
        (ESTIMATOR, LogisticRegression, False),
        (Each(COUNT), (1, 2), True),
        (Each(COUNT), [], True),
        (Each(COUNT), [1, True], False),
        (Each(COUNT), np.array([[1]]), False),
        (Each(POSITIVE, least=1), np.array([0.5]), True),
        (Each(POSITIVE, least=1), [], False),
        (Each(str), "ab", False),
        (Each(str), {"a": "b"}, False),
        (Each(str, COUNT), ["a", 2], True),
    ],
)
def test_what_is_allowed(constraint: Any, value: Any, met: bool) -> None:
    assert meets(constraint, value) is met


def test_scikit_learns_own_reading_takes_true_for_one() -> None:
    assert meets(COUNT, True, strict=False)
    assert meets(ESTIMATOR, LogisticRegression, strict=False)


@pytest.mark.parametrize(
    ("constraints", "value", "said"),
    [
        ([POSITIVE, None], -1.0, "above 0 or None"),
        ([POSITIVE], "wide", "a number above 0"),
        ([NOT_NEGATIVE], True, "a number of at least 0"),
        ([NOT_NEGATIVE], np.inf, "at least 0 and finite"),
        ([FROM_1], 0.5, "at least 1"),
        ([ANY], np.inf, "finite"),
        ([SHARE, OneOf("auto")], "all", 'in [0, 1] or "auto"'),
        ([COUNT], 0, "at least 1"),
        ([COUNT], 1.5, "a whole number of at least 1"),
        ([OneOf("b", "a")], "c", '"b" or "a"'),
        ([OneOf("d", "c", "b", "a"), callable], "e", 'one of "d", "c", "b", "a" or a callable'),
        (["boolean"], 1, "True or False"),
        ([str, None], 1, "a text or None"),
        ([HasMethods("predict")], 1, "an object with predict"),
        ([Each(COUNT)], 1, "a list of whole numbers of at least 1"),
        ([Each(POSITIVE, least=1), None], (), "a list of one or more numbers above 0 or None"),
        ([OneOf("auto"), Each(str, Integral, of="columns")], 1, '"auto" or a list of columns'),
        (["random_state"], -1, "a whole number from 0 to 2**32 - 1, a RandomState or None"),
        (["array-like"], 1, "an array-like"),
    ],
)
def test_what_a_message_says_is_allowed(constraints: Any, value: Any, said: str) -> None:
    assert words(constraints, value) == said


class Centred(MapAdapter):
    """A method of a user's, with a declaration or without."""

    def __init__(
        self, estimator: Any = None, *, step: Any = 1.0, preprocess: Any = None,
        random_state: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.step = step

    def _align(self, source: Any, target: Any, seed: int) -> Any:
        move = target.X.mean(0) - source.X.mean(0)
        return lambda X: X + move, lambda X: X


class Declared(Centred):
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Centred._parameter_constraints,
        "step": [Interval(Real, 0, 1, closed="left")],
    }


class Loose(Centred):
    """It keeps its settings by other names, which scikit-learn would not have."""

    def __init__(self, how_far: Any) -> None:
        super().__init__(step=how_far)


def test_what_is_not_declared_is_not_checked(toy: Any) -> None:
    d = toy(0)
    Centred(step="far").fit(d.X, d.y, target=Domain(d.Xt))
    Loose("far").fit(d.X, d.y, target=Domain(d.Xt))
    with pytest.raises(InputError, match=r"^step must be in \[0, 1\), got 'far'$"):
        Declared(step="far").fit(d.X, d.y)
    with pytest.raises(InputError, match=r"^step must be in \[0, 1\), got True$"):
        Declared(step=True).fit(d.X, d.y)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (SourceOnly(LogisticRegression(C=-1.0)), r"estimator__C must be above 0, got -1.0"),
        (
            SourceOnly(make_pipeline(StandardScaler(), LogisticRegression(C="low"))),
            r"estimator__logisticregression__C must be a number above 0, got 'low'",
        ),
        (
            CORAL(preprocess=StandardScaler(with_mean="yes")),
            r"preprocess__with_mean must be True or False, got 'yes'",
        ),
        (DANN(NeuralClassifier(epochs=True)), r"estimator__epochs must be a whole .*, got True"),
        (
            DomainDiscriminator(discriminator=LogisticRegression(tol=-1.0)),
            r"discriminator__tol must be .*0.*, got -1.0",
        ),
    ],
)
def test_estimators_within_are_looked_at(method: Any, message: str, toy: Any) -> None:
    d = toy(0)
    with pytest.raises(InputError, match=message) as caught:
        method.fit(d.X, d.y)
    assert str(caught.value).startswith(message.split("__")[0])
    assert not hasattr(method, "source_model_")


def test_scikit_learns_estimators_are_held_to_its_own_reading(toy: Any) -> None:
    d = toy(0)
    CORAL(LogisticRegression(max_iter=True), random_state=0)  # a constructor checks nothing
    check_settings(CORAL(LogisticRegression(verbose=True)))
    with config_context(skip_parameter_validation=True):
        check_settings(CORAL(LogisticRegression(C=-1.0)))
        check_settings(CORAL(shrinkage=7))
    assert CORAL(LogisticRegression(max_iter=1000)).fit(d.X, d.y).score(d.X, d.y) > 0


def test_adapt_and_batches_look_as_well(toy: Any) -> None:
    d = toy(0)
    model = CORAL().fit(d.X, d.y).set_params(shrinkage=2)
    with pytest.raises(InputError, match=r'^shrinkage must be in \[0, 1\] or "auto", got 2$'):
        model.adapt(Domain(d.Xt))
    with pytest.raises(InputError, match=r"^folds must be at least 2, got 1$"):
        DomainDiscriminator(
            SGDClassifier(), discriminator=SGDClassifier("log_loss"), folds=1
        ).fit_batches([(d.X, d.y)], [d.Xt])


@pytest.mark.parametrize(
    ("settings", "end"),
    [
        ({"epsilon": -1}, "got -1"),
        ({"kernel": np.zeros((50, 50))}, "got array([[0., 0., 0., ..., 0., 0., 0.], [0., 0., 0., "),
        ({"kernel": "x" * 200}, f"got '{'x' * 96}..."),
        ({"width": (1.0, 2.0)}, "got (1.0, 2.0)"),
    ],
)
def test_a_value_stays_on_its_line(settings: Any, end: str) -> None:
    with pytest.raises(InputError) as caught:
        check_settings(KMM(**settings))
    message = str(caught.value)
    assert end in message
    assert "\n" not in message
    assert len(message) < 200


def test_the_entry_at_fault_is_shown() -> None:
    from acclimate import ULSIF

    with pytest.raises(InputError, match=r"ridges must be .* numbers above 0, got 0 in \(1, 0\)$"):
        check_settings(ULSIF(ridges=(1, 0)))
