"""Keras models handed over as they are: the same answers, and the same treatment as any module."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from acclimate import Domain, FineTune, NeuralClassifier, NeuralRegressor
from acclimate.exceptions import InputError
from acclimate.training.layers import layer_groups
from acclimate.training.splitting import is_keras, split

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported
keras = pytest.importorskip("keras", reason="needs the extra keras", exc_type=ImportError)
if keras.config.backend() != "torch":
    pytest.skip("keras runs on another backend", allow_module_level=True)

# Keras converts tensors to arrays in a way that numpy 2 warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Rows = tuple[Any, Any]


def textbook(last: str | None = "softmax") -> Any:
    """Return the model that textbooks begin with."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential([
        layers.Input((28, 28)), layers.Flatten(), layers.Dense(128, activation="relu"),
        layers.Dropout(0.2), layers.Dense(10, activation=last),
    ])  # fmt: skip


def normalised(last: str = "softmax") -> Any:
    keras.utils.set_random_seed(1)
    layers = keras.layers
    return keras.Sequential([
        layers.Input((6,)), layers.Dense(8), layers.BatchNormalization(),
        layers.Activation("relu"), layers.Dropout(0.3, seed=5), layers.Dense(8, activation="tanh"),
        layers.Dense(3, activation=last),
    ])  # fmt: skip


def functional() -> Any:
    """Return a graph with a skip connection and the softmax as a layer of its own."""
    keras.utils.set_random_seed(2)
    inputs = keras.Input((6,))
    z = keras.layers.Dense(6, activation="relu")(inputs)
    z = keras.layers.BatchNormalization()(keras.layers.Add()([z, inputs]))
    logits = keras.layers.Dense(3)(keras.layers.Dropout(0.1)(z))
    return keras.Model(inputs, keras.layers.Softmax()(logits))


def table(seed: int = 0, n: int = 90) -> Rows:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    return (4 * np.eye(3, 6)[y] + rng.normal(size=(n, 6))).astype(np.float32), y


def images(seed: int = 0, n: int = 100) -> Rows:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 10
    X = rng.random((n, 28, 28), dtype=np.float32)
    X[np.arange(n), y] += 1.0
    return X, y


def settings(**changes: Any) -> dict[str, Any]:
    return {"epochs": 1, "min_steps": 40, "batch_size": 32, "random_state": 0} | changes


def answers(model: Any, X: Any) -> Any:
    with torch.no_grad():
        return model(torch.from_numpy(X), training=False).numpy()


def variables(model: Any) -> list[bytes]:
    return [v.value.detach().numpy().tobytes() for v in model.variables]


def state(part: nn.Module) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in part.state_dict().items()}


TEXT = np.array(["dead", "ill", "well"])


@pytest.mark.parametrize(
    ("make", "rows"),
    [(textbook, images), (normalised, table), (functional, table)],
    ids=["textbook", "normalised", "functional"],
)
class TestAnyModel:
    def test_untrained_predictions_are_the_model_s_own(
        self, make: Callable[[], Any], rows: Callable[[], Rows]
    ) -> None:
        model, (X, y) = make(), rows()
        found = NeuralClassifier(model, **settings()).start(X, y)
        found.n_features_in_ = X.shape[1]
        np.testing.assert_allclose(found.predict_proba(X), answers(model, X), atol=1e-5)

    def test_training_moves_a_copy_and_learns(
        self, make: Callable[[], Any], rows: Callable[[], Rows]
    ) -> None:
        model, (X, y) = make(), rows()
        before, chance = variables(model), random.getstate()
        fitted = NeuralClassifier(model, **settings(min_steps=150, learning_rate=0.02)).fit(X, y)
        assert variables(model) == before
        assert random.getstate() == chance
        assert fitted.score(X, y) > 0.9
        moved = state(fitted.network_)
        first = state(split(model))
        assert all(moved[name] != first[name] for name in first)

    def test_fits_are_equal_to_the_bit(
        self, make: Callable[[], Any], rows: Callable[[], Rows]
    ) -> None:
        model, (X, y) = make(), rows()
        one, two = (NeuralClassifier(model, **settings()).fit(X, y) for _ in range(2))
        other = NeuralClassifier(model, **settings(random_state=1)).fit(X, y)
        assert np.array_equal(one.predict_proba(X), two.predict_proba(X))
        assert not np.array_equal(one.predict_proba(X), other.predict_proba(X))

    def test_prediction_is_in_evaluation_mode(
        self, make: Callable[[], Any], rows: Callable[[], Rows]
    ) -> None:
        model, (X, y) = make(), rows()
        fitted = NeuralClassifier(model, **settings()).fit(X, y)
        all_at_once = fitted.predict_proba(X)
        one_by_one = np.concatenate([fitted.predict_proba(row[None]) for row in X[:20]])
        np.testing.assert_allclose(one_by_one, all_at_once[:20], atol=1e-6)

    def test_a_deep_copy_is_equal_and_apart(
        self, make: Callable[[], Any], rows: Callable[[], Rows]
    ) -> None:
        model, (X, _) = make(), rows()
        network = split(model).train()
        copied = copy.deepcopy(network)
        assert all(a.training == b.training for a, b in
                   zip(network.modules(), copied.modules(), strict=True))  # fmt: skip
        assert state(copied) == state(network)
        shared = {p.data_ptr() for p in network.parameters()}
        assert not shared & {p.data_ptr() for p in copied.parameters()}
        network.eval(), copied.eval()
        with torch.no_grad():
            for p in network.parameters():
                p.data.zero_()
            assert float(copied(torch.from_numpy(X))[1].abs().sum()) > 0

    @pytest.mark.parametrize("mode", [True, False], ids=["train", "eval"])
    def test_the_mode_reaches_every_layer(
        self, make: Callable[[], Any], rows: Callable[[], Rows], mode: bool
    ) -> None:
        model, (X, _) = make(), rows()
        network, x = split(model).train(mode), torch.from_numpy(X)
        with torch.no_grad(), torch.random.fork_rng():
            first, second = network(x)[1], network(x)[1]
        assert torch.equal(first, second) is not mode


@pytest.mark.parametrize("head", ["copy", "new"])
@pytest.mark.parametrize("strategy", ["full", "head", "gradual", "surgical", "discriminative"])
def test_fine_tuning(strategy: str, head: str) -> None:
    model = normalised()
    before = variables(model)
    (X, y), (Xt, yt) = table(), table(1)
    base = NeuralClassifier(model, **settings(min_steps=90, learning_rate=0.03))
    tuner = FineTune(base, strategy=strategy, head=head, random_state=0)
    tuner.fit(X, TEXT[y], target=Domain(-Xt, TEXT[yt]))
    source, target = tuner.source_model_.network_, tuner.target_model_.network_
    assert variables(model) == before
    assert tuner.copied_head_ is (head == "copy")
    assert (state(source.body) == state(target.body)) is (strategy == "head")
    assert state(source.head) != state(target.head) or strategy == "surgical"
    assert tuner.score(-Xt, TEXT[yt]) > tuner.score(-Xt, TEXT[yt], domain="source")


def test_layer_groups_are_the_layers() -> None:
    groups = layer_groups(split(normalised()))
    kinds = [[type(getattr(m, "layer", m)).__name__ for m in group] for group in groups]
    assert kinds == [["Dense", "BatchNormalization"], ["Dense"], ["Linear"]]


def test_frozen_layers_keep_their_running_statistics() -> None:
    (X, y), network = table(), split(normalised())
    base = NeuralClassifier(network, **settings()).start(X, y)
    net = base.network_
    low, high, _ = layer_groups(net)
    before = [state(layer) for layer in low]
    base.train(X, y, frozen=low)
    assert [state(layer) for layer in low] == before
    assert state(high[0]) != state(layer_groups(network)[1][0])


@pytest.mark.parametrize("last", ["softmax", "linear"])
def test_a_head_with_and_without_softmax_gives_the_same_network(last: str) -> None:
    X, _ = table()
    x = torch.from_numpy(X)
    with torch.no_grad():
        logits = split(normalised(last)).eval()(x)[1]
        expected = split(normalised()).eval()(x)[1]
    assert torch.equal(logits, expected)


def binary(units: int, activation: str | None) -> Any:
    keras.utils.set_random_seed(3)
    return keras.Sequential([
        keras.layers.Input((6,)), keras.layers.Dense(8, activation="relu"),
        keras.layers.Dense(units, activation=activation),
    ])  # fmt: skip


def test_one_sigmoid_unit_is_two_classes() -> None:
    X, y = table()
    model = binary(1, "sigmoid")
    found = NeuralClassifier(model, **settings()).start(X, (y > 0).astype(int))
    found.n_features_in_ = 6
    np.testing.assert_allclose(found.predict_proba(X)[:, 1:], answers(model, X), atol=1e-5)


def test_training_is_that_of_the_same_network_in_torch() -> None:
    X, y = table()
    model = binary(3, "softmax")
    twin = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    with torch.no_grad():
        for mine, theirs in zip((twin[0], twin[2]), model.layers, strict=True):
            mine.weight.copy_(theirs.kernel.value.T)
            mine.bias.copy_(theirs.bias.value)
    ours, expected = (NeuralClassifier(m, **settings()).fit(X, y) for m in (model, twin))
    np.testing.assert_allclose(ours.predict_proba(X), expected.predict_proba(X), atol=1e-4)


def test_a_regression() -> None:
    X, _ = table()
    value = 10 * X[:, 0] + 100
    fitted = NeuralRegressor(binary(1, None), **settings(min_steps=200, learning_rate=0.02))
    fitted.fit(X, value)
    assert fitted.score(X, value) > 0.9


def test_an_estimator_with_a_keras_model_can_be_cloned() -> None:
    from sklearn.base import clone

    X, _ = table()
    model = normalised()
    copied = clone(NeuralClassifier(model)).network
    assert copied is not model
    assert np.array_equal(answers(copied, X), answers(model, X))


class Own(keras.Model):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.dense(x)


class TestErrors:
    @pytest.mark.parametrize(
        ("model", "words"),
        [
            (lambda: keras.Sequential([keras.layers.Dense(3)]), "is not built. Let it begin with"),
            (lambda: Own(), "Own is neither a keras.Sequential nor a functional"),
            (lambda: binary(3, "relu"), r"3 unit\(s\) and activation \['relu'\]"),
            (lambda: binary(1, "softmax"), r"1 unit\(s\) and activation \['softmax'\]"),
            (
                lambda: keras.Sequential([keras.layers.Input((6,)), keras.layers.Dropout(0.1)]),
                "ends in Dropout; its last layer must be Dense",
            ),
        ],
        ids=["not built", "subclass", "relu", "one softmax", "no dense"],
    )
    def test_what_cannot_be_split(self, model: Callable[[], Any], words: str) -> None:
        X, y = table()
        with pytest.raises(InputError, match=words):
            NeuralClassifier(model(), **settings()).fit(X, y)

    def test_rows_of_another_shape(self) -> None:
        X, y = table()
        with pytest.raises(InputError, match=r"takes rows of shape \(28, 28\), got rows of shape"):
            NeuralClassifier(textbook(), **settings()).fit(X, y)

    def test_another_number_of_classes(self) -> None:
        X, y = table()
        with pytest.raises(InputError, match="has 3 outputs, but the task needs 2"):
            NeuralClassifier(normalised(), **settings()).fit(X, y > 0)

    def test_another_name_of_the_head(self) -> None:
        X, y = table()
        with pytest.raises(InputError, match="no head 'body': the model's last Dense layer is"):
            NeuralClassifier(normalised(), head="body", **settings()).fit(X, y)

    def test_another_backend(self, monkeypatch: pytest.MonkeyPatch) -> None:
        X, y = table()
        model = normalised()
        monkeypatch.setattr(keras.config, "backend", lambda: "jax")
        with pytest.raises(InputError, match=r"runs on 'jax' here. Set .*KERAS_BACKEND=torch"):
            NeuralClassifier(model, **settings()).fit(X, y)


def test_keras_is_told_from_torch() -> None:
    assert is_keras(normalised())
    assert is_keras(Own())
    assert not is_keras(nn.Linear(2, 2))
    assert not is_keras("mlp")
