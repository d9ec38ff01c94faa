"""The learning-rate finder: what it reads, and that it leaves no trace."""

from __future__ import annotations

import copy
import pickle
import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from acclimate import NeuralClassifier, NeuralRegressor
from acclimate.exceptions import InputError
from acclimate.losses.supervised import cross_entropy
from acclimate.training.batch import Data
from acclimate.training.lr_finder import (
    BELOW,
    SMOOTHING,
    find_learning_rate,
    range_test,
    read_curve,
)
from acclimate.training.network import Network, mlp
from acclimate.training.schedules import exponential
from acclimate.training.terms import Phase, Settings, Term


def rows(seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    y = np.arange(120) % 3
    return (3 * np.eye(3, 4)[y] + rng.normal(size=(120, 4))).astype(np.float32), y


def model(cls: Any = NeuralClassifier, **changes: Any) -> Any:
    body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2),
                         nn.Linear(8, 1 if cls is NeuralRegressor else 3))  # fmt: skip
    settings = {"epochs": 1, "min_steps": 30, "batch_size": 32, "random_state": 0}
    return cls(body, **(settings | changes))


def traces(estimator: Any) -> tuple[Any, ...]:
    net = estimator.network_
    return (
        {name: value.numpy().tobytes() for name, value in net.state_dict().items()},
        [m.training for m in net.modules()],
        [p.requires_grad for p in net.parameters()],
        [p.grad for p in net.parameters()],
        [p.data_ptr() for p in net.parameters()],
        repr(vars(estimator)),
    )


def random_states() -> bytes:
    return pickle.dumps(
        (torch.get_rng_state().numpy(), np.random.get_state(), random.getstate())  # noqa: NPY002
    )


@pytest.mark.parametrize("training", [False, True])
def test_a_fitted_model_is_left_as_it_was(training: bool) -> None:
    X, y = rows()
    fitted = model(min_steps=300, learning_rate=0.02).fit(X, y)
    fitted.network_.body[1].train(training)
    before, chance, answers = traces(fitted), random_states(), fitted.predict_proba(X)
    found = find_learning_rate(fitted, X, y, steps=30)
    assert traces(fitted) == before
    assert random_states() == chance
    assert np.array_equal(fitted.predict_proba(X), answers)
    assert found.losses[0] < 1.0  # it went on from the fitted weights


@pytest.mark.parametrize("random_state", [None, 0, "instance"])
def test_an_unfitted_model_is_left_as_it_was(random_state: Any) -> None:
    X, y = rows()
    state = np.random.RandomState(5) if random_state == "instance" else random_state
    unfitted = model(random_state=state)
    names, chance = set(vars(unfitted)), random_states()
    weights = copy.deepcopy(unfitted.network.state_dict())
    own = None if random_state != "instance" else pickle.dumps(state.get_state())
    one, two = (find_learning_rate(unfitted, X, y, steps=30) for _ in range(2))
    assert set(vars(unfitted)) == names
    assert random_states() == chance
    assert own is None or pickle.dumps(state.get_state()) == own
    assert all(torch.equal(a, weights[k]) for k, a in unfitted.network.state_dict().items())
    assert np.array_equal(one.losses, two.losses)


@pytest.mark.parametrize("cls", [NeuralClassifier, NeuralRegressor])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_suggestion_trains(cls: Any, optimizer: str) -> None:
    X, y = rows()
    base = model(cls, optimizer=optimizer, min_steps=200)
    found = find_learning_rate(base, X, y)
    assert found.losses.min() < found.losses[0]
    assert 1e-6 < found.suggestion < 10.0
    good = base.set_params(learning_rate=found.suggestion).fit(X, y).score(X, y)
    bad = base.set_params(learning_rate=1e-6).fit(X, y).score(X, y)
    assert good > max(0.6, bad + 0.1)


def test_the_losses_are_those_of_a_plain_run() -> None:
    """SGD by hand, one batch of all rows: the same losses at the same rates."""
    X, y = rows()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = mlp((4,), 3, (8,), 0.0)
    twin = copy.deepcopy(network)
    data = Data(torch.from_numpy(X), torch.from_numpy(y))
    task = Term("task", lambda s, t: cross_entropy(s.logits, s.y, s.weight))
    found = range_test(
        network, [Phase([task], [network])], data, lowest=1e-3, highest=0.1, steps=20,
        settings=Settings(1, batch_size=len(y), optimizer="sgd"),
    )  # fmt: skip
    optimizer = torch.optim.SGD(twin.parameters(), lr=1.0, momentum=0.9, nesterov=True)
    rates, losses = [], []
    for step in range(20):
        rates.append(1e-3 * 100 ** (step / 20))
        optimizer.param_groups[0]["lr"] = rates[-1]
        loss = nn.functional.cross_entropy(twin(data.x)[1], data.y)
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    np.testing.assert_allclose(found.rates, rates, rtol=1e-12)
    np.testing.assert_allclose(found.losses, read_curve(np.array(rates), np.array(losses)).losses,
                               rtol=1e-4)  # fmt: skip


def test_a_network_is_copied_with_the_phases() -> None:
    X, y = rows()
    network = Network(nn.Linear(4, 8), nn.Linear(8, 3))
    data = Data(torch.from_numpy(X), torch.from_numpy(y))
    task = Term("task", lambda s, t: cross_entropy(s.logits, s.y, s.weight))
    before = copy.deepcopy(network.state_dict())
    settings = Settings(1, batch_size=32)
    still = range_test(network, [Phase([task], [network.head])], data, settings=settings)
    whole = range_test(network, [Phase([task], [network])], data, settings=settings)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert network.training
    assert still.losses[0] == whole.losses[0]
    assert still.losses[50:].tolist() != whole.losses[50:].tolist()


class TestCurve:
    def test_smoothing_against_the_formula(self) -> None:
        losses = np.array([3.0, 1.0, 2.0])
        found = read_curve(np.array([0.1, 0.2, 0.4]), losses)
        b = SMOOTHING
        expected = [
            3.0,
            (b * 3 + 1) / (b + 1),
            (b**2 * 3 + b * 1 + 2) / (b**2 + b + 1),
        ]
        np.testing.assert_allclose(found.losses, expected, rtol=1e-12)

    def test_the_suggestion_is_below_the_lowest_loss(self) -> None:
        rates = np.geomspace(1e-4, 1.0, 101)
        losses = np.r_[np.linspace(2.0, 0.5, 60), np.linspace(1.0, 50.0, 41)]
        found = read_curve(rates, losses)
        assert found.suggestion == pytest.approx(rates[59] / BELOW, rel=0.2)
        assert len(found.rates) < 101

    def test_the_end_may_be_infinite(self) -> None:
        losses = np.array([1.0, 0.5, np.inf, np.nan])
        found = read_curve(np.array([0.1, 0.2, 0.4, 0.8]), losses)
        assert len(found.losses) == 2
        assert found.suggestion == pytest.approx(0.02)

    def test_the_start_may_not(self) -> None:
        with pytest.raises(InputError, match=r"the loss is nan at a learning rate of 0.1 already"):
            read_curve(np.array([0.1, 0.2]), np.array([np.nan, 1.0]))


def test_rates_rise_at_a_steady_ratio() -> None:
    X, y = rows()
    found = find_learning_rate(model(), X, y, lowest=1e-4, highest=1e-2, steps=20)
    assert found.rates[0] == pytest.approx(1e-4)
    np.testing.assert_allclose(found.rates[1:] / found.rates[:-1], 100 ** (1 / 20), rtol=1e-9)
    assert exponential(0.1)(1.0) == 1.0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"lowest": 0.0}, "0 < lowest < highest, got 0.0 and 10.0"),
        ({"lowest": 1.0, "highest": 0.1}, "got 1.0 and 0.1"),
        ({"highest": float("inf")}, "got 1e-06 and inf"),
        ({"steps": 3}, "steps must be at least 10, got 3"),
    ],
    ids=["zero", "order", "infinite", "steps"],
)
def test_wrong_settings_are_named(settings: Any, words: str) -> None:
    X, y = rows()
    with pytest.raises(InputError, match=words):
        find_learning_rate(model(), X, y, **settings)


def test_labels_that_a_fitted_model_does_not_know() -> None:
    X, y = rows()
    with pytest.raises(InputError, match=r"y has .*7.*, but the model knows \[0, 1, 2\]"):
        find_learning_rate(model().fit(X, y), X, np.where(y == 2, 7, y))
