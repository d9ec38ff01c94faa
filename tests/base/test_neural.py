"""Networks as estimators: what goes in, what is learnt, and what stays as it was."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.utils.estimator_checks import check_estimator
from torch import nn

from acclimate import NeuralClassifier, NeuralRegressor
from acclimate.exceptions import InputError

Toy = Callable[..., SimpleNamespace]


def quick(cls: Any = NeuralClassifier, **changes: Any) -> Any:
    settings = {
        "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 60, "batch_size": 32,
        "learning_rate": 0.03, "precision": "float32", "random_state": 0,
    }  # fmt: skip
    return cls(**(settings | changes))


def weights(model: Any) -> list[np.ndarray]:
    return [value.numpy() for value in model.network_.state_dict().values()]


def images(n: int = 48, side: int = 12) -> tuple[Any, Any]:
    """Dark and bright squares as uint8 pixels, and which is which."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    X = rng.integers(0, 120, size=(n, side, side)) + 100 * y[:, None, None]
    return X.astype(np.uint8), y


@pytest.mark.filterwarnings(
    # scikit-learn's checks skip what needs a library that is not installed, and pass column vectors
    "ignore::sklearn.exceptions.SkipTestWarning",
    "ignore::sklearn.exceptions.DataConversionWarning",
)
@pytest.mark.parametrize("cls", [NeuralClassifier, NeuralRegressor])
def test_sklearn_checks(cls: Any) -> None:
    batches = "batches see repeated rows otherwise; test_weights_count_rows checks the meaning"
    failures = {
        "check_sample_weight_equivalence_on_dense_data": batches,
        "check_methods_subset_invariance": "float32 products round by batch size",
    }
    results = check_estimator(quick(cls), expected_failed_checks=failures)
    assert sum(r["status"] == "passed" for r in results) >= 45


class TestLearning:
    @pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
    def test_the_loss_goes_down(self, toy: Toy, optimizer: str) -> None:
        d = toy()
        model = quick(epochs=20, optimizer=optimizer).fit(d.X, d.y)
        losses = [epoch["loss"] for epoch in model.history_.epochs]
        assert losses[-1] < 0.5 * losses[0]
        assert model.score(d.X, d.y) > 0.9

    def test_a_regression_is_learnt(self, toy: Toy) -> None:
        d, new = toy(classes=None, n=200), toy(1, classes=None, n=200)
        assert quick(NeuralRegressor, min_steps=300).fit(d.X, d.y).score(new.X, new.y) > 0.95

    @pytest.mark.parametrize(
        ("epochs", "least", "steps"), [(1, 60, 60), (50, 60, 100), (3, 0, 6), (2, 7, 7)]
    )
    def test_epochs_and_fewest_steps(self, toy: Toy, epochs: int, least: int, steps: int) -> None:
        d = toy(n=60)  # two batches of 32 and 28
        assert quick(epochs=epochs, min_steps=least).fit(d.X, d.y).n_iter_ == steps

    @pytest.mark.parametrize(
        ("shape", "rows", "steps"),
        [((4,), 50, 1000), ((3, 28, 28), 50, 1000), ((3, 32, 32), 780, 1000),
         ((3, 64, 64), 50, 100), ((64, 64), 1280, 300), ((3, 64, 64), 9000, 1000)],
    )  # fmt: skip
    def test_fewest_steps_go_by_the_rows_where_images_are_large(
        self, shape: tuple[int, ...], rows: int, steps: int
    ) -> None:
        model = NeuralClassifier("mlp", hidden=(2,))
        y = np.arange(4) % 2
        model.set_params(min_steps=1).fit(np.zeros((4, *shape), np.uint8), y)
        assert model.set_params(min_steps="auto").settings(rows).steps == steps
        assert model.set_params(min_steps=7, epochs=1).settings(50).steps == 7
        with pytest.raises(InputError, match=r"min_steps must be \"auto\" or .* got 'few'"):
            model.set_params(min_steps="few").fit(np.zeros((4, *shape), np.uint8), y)

    @pytest.mark.parametrize("cls", [NeuralClassifier, NeuralRegressor])
    def test_weight_zero_drops_rows(self, toy: Toy, cls: Any) -> None:
        d = toy(classes=None if cls is NeuralRegressor else 3)
        keep = np.arange(len(d.y)) % 3 != 0
        y = np.where(keep, d.y, d.y[::-1])
        weighted = quick(cls).fit(d.X, y, sample_weight=keep)
        dropped = quick(cls).fit(d.X[keep], y[keep])
        assert np.array_equal(weighted.predict(d.Xn), dropped.predict(d.Xn))
        assert all(map(np.array_equal, weights(weighted), weights(dropped)))

    def test_weights_count_rows(self, toy: Toy) -> None:
        d = toy(n=20)
        counts = np.random.default_rng(0).integers(1, 4, size=20)
        whole = {"batch_size": 200, "optimizer": "sgd", "min_steps": 30}  # no batch is drawn
        weighted = quick(**whole).fit(d.X, d.y, sample_weight=counts)
        repeated = quick(**whole).fit(np.repeat(d.X, counts, 0), np.repeat(d.y, counts))
        np.testing.assert_allclose(
            weighted.predict_proba(d.Xn), repeated.predict_proba(d.Xn), atol=1e-4
        )

    def test_target_values_of_any_scale(self, toy: Toy) -> None:
        d = toy(classes=None)
        plain = quick(NeuralRegressor).fit(d.X, d.y)
        large = quick(NeuralRegressor).fit(d.X, 4096.0 * d.y + 2**16)
        np.testing.assert_allclose(
            (large.predict(d.Xn) - 2**16) / 4096, plain.predict(d.Xn), atol=1e-3
        )
        assert large.mean_ == pytest.approx(np.mean(4096 * d.y + 2**16))
        assert large.scale_ == pytest.approx(4096 * np.std(d.y))

    def test_a_constant_target_value(self, toy: Toy) -> None:
        d = toy(classes=None)
        model = quick(NeuralRegressor, min_steps=2000).fit(d.X, np.full(len(d.X), 7.0))
        np.testing.assert_allclose(model.predict(d.X), 7.0, atol=0.05)


class TestProbabilities:
    @pytest.mark.parametrize("classes", [2, 3])
    def test_they_sum_to_one_and_agree(self, toy: Toy, classes: int) -> None:
        d = toy(classes=classes)
        model = quick().fit(d.X, d.y)
        proba, scores = model.predict_proba(d.Xn), model.decision_function(d.Xn)
        assert proba.shape == (len(d.Xn), classes)
        np.testing.assert_allclose(proba.sum(1), 1.0, rtol=1e-12)
        assert np.array_equal(model.classes_[proba.argmax(1)], model.predict(d.Xn))
        if classes == 2:
            assert scores.shape == (len(d.Xn),)
            np.testing.assert_allclose(1 / (1 + np.exp(-scores)), proba[:, 1], rtol=1e-6)
        else:
            exp = np.exp(scores)
            np.testing.assert_allclose(exp / exp.sum(1, keepdims=True), proba, rtol=1e-6)

    def test_labels_may_be_text(self, toy: Toy) -> None:
        d = toy()
        named = np.array(["well", "ill", "dead"])[d.y]
        model = quick().fit(d.X, named)
        assert model.classes_.tolist() == ["dead", "ill", "well"]
        assert model.score(d.X, named) > 0.9


class TestInputs:
    @pytest.mark.parametrize("network", ["mlp", "cnn"])
    def test_pixels_are_divided_by_255(self, network: str) -> None:
        X, y = images()
        scaled = X.astype(np.float32) / np.float32(255)
        pixels = quick(network=network).fit(X, y)
        floats = quick(network=network).fit(scaled, y)
        assert np.array_equal(pixels.predict_proba(X), floats.predict_proba(scaled))
        assert pixels.score(X, y) == 1.0

    @pytest.mark.parametrize("kind", ["float64", "float16", "int64", "int8", "uint16"])
    def test_numbers_of_any_kind(self, toy: Toy, kind: str) -> None:
        d = toy()
        X = np.abs(np.round(d.X * 4))  # whole and small: the same in every format
        plain = quick().fit(X.astype(np.float32), d.y)
        other = quick().fit(X.astype(kind), d.y)
        assert np.array_equal(other.predict_proba(X.astype(kind)), plain.predict_proba(X))

    def test_channels(self) -> None:
        X, y = images()
        coloured = np.stack([X, X[::-1], X], axis=1)
        assert quick(network="cnn").fit(coloured, y).score(coloured, y) == 1.0

    def test_small_images_are_no_input_of_the_cnn(self, toy: Toy) -> None:
        d = toy()
        with pytest.raises(InputError, match=r'"cnn" needs images .* use network="mlp"'):
            quick(network="cnn").fit(d.X, d.y)

    def test_a_read_only_array(self, toy: Toy) -> None:
        d = toy()
        d.X.flags.writeable = False
        before = d.X.copy()
        quick().fit(d.X, d.y).predict(d.X)
        assert np.array_equal(d.X, before)


def own_module() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


class Named(nn.Module):
    """A module whose output layer was not defined last."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(8, 3)
        self.first = nn.Linear(4, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(torch.relu(self.first(x)))


class TestOwnNetworks:
    def test_a_module_is_copied_and_never_changed(self, toy: Toy) -> None:
        d = toy()
        module = own_module()
        before = copy.deepcopy(module.state_dict())
        model = quick(network=module).fit(d.X, d.y)
        assert model.network is module
        assert module.training
        assert all(torch.equal(module.state_dict()[key], before[key]) for key in before)
        assert model.score(d.X, d.y) > 0.9

    def test_it_starts_from_the_modules_weights(self, toy: Toy) -> None:
        d = toy()
        module = own_module()
        started = quick(network=module).start(d.X, d.y)
        given = [p.detach().numpy() for p in module.parameters()]
        made = [p.detach().numpy() for p in started.network_.parameters()]
        assert all(map(np.array_equal, made, given))

    def test_a_callable_is_seeded(self, toy: Toy) -> None:
        d = toy()
        seen = []

        def make(shape: tuple[int, ...], outputs: int) -> nn.Module:
            seen.append((shape, outputs))
            return own_module()

        first, second = quick(network=make).fit(d.X, d.y), quick(network=make).fit(d.X, d.y)
        assert seen == [((4,), 3)] * 2
        assert np.array_equal(first.predict_proba(d.Xn), second.predict_proba(d.Xn))

    def test_a_head_is_found_by_name(self, toy: Toy) -> None:
        d = toy()
        model = quick(network=Named(), head="out").fit(d.X, d.y)
        assert model.network_.head.out_features == 3
        assert model.infer(np.asarray(d.X))[0].shape == (len(d.X), 8)
        with pytest.raises(InputError, match="does not end with its head"):
            quick(network=Named()).fit(d.X, d.y)

    @pytest.mark.parametrize(
        ("module", "head", "words"),
        [
            (own_module(), "nowhere", "no head 'nowhere' in Sequential: .*name one with head="),
            (nn.Sequential(nn.ReLU()), None, "no head"),
            (nn.Sequential(nn.Linear(4, 3), nn.Softmax(1)), None, "leave softmax to the loss"),
            (nn.Sequential(nn.Linear(4, 5)), None, "has 5 outputs, but the task needs 3"),
            ("vgg", None, r"network must be one of \['mlp', 'mlp-norm', 'cnn'.*got 'vgg'"),
        ],
        ids=["no such head", "no linear layer", "softmax", "outputs", "word"],
    )
    def test_wrong_networks(self, toy: Toy, module: Any, head: Any, words: str) -> None:
        d = toy()
        with pytest.raises(InputError, match=words):
            quick(network=module, head=head).fit(d.X, d.y)


class TestEarlyStopping:
    def test_the_best_epoch_is_kept(self, toy: Toy) -> None:
        d = toy(n=120)
        y = np.random.default_rng(0).permutation(d.y)  # noise: it gets worse soon
        model = quick(
            epochs=40, early_stopping=True, validation_fraction=0.25, patience=40, hidden=(32,)
        ).fit(d.X, y)
        scores = [epoch["validation"] for epoch in model.history_.epochs]
        assert model.history_.best_epoch == int(np.argmax(scores)) + 1 < len(scores)
        _, held = train_test_split(
            np.arange(len(y)), test_size=0.25, random_state=model.seed_, stratify=y
        )
        loss = log_loss(y[held], model.predict_proba(d.X[held]))
        assert -loss == pytest.approx(max(scores), abs=1e-4)

    def test_patience_ends_the_run(self, toy: Toy) -> None:
        d = toy(n=120)
        y = np.random.default_rng(0).permutation(d.y)
        model = quick(epochs=200, early_stopping=True, patience=3).fit(d.X, y)
        assert model.history_.stopped == "patience"
        assert len(model.history_.epochs) == model.history_.best_epoch + 3
        assert model.n_iter_ < 200 * 4

    def test_regressors_too(self, toy: Toy) -> None:
        d = toy(classes=None, n=120)
        model = quick(NeuralRegressor, early_stopping=True, epochs=30).fit(d.X, d.y)
        assert model.history_.best_epoch is not None


class TestSeeds:
    def test_the_same_seed_gives_the_same_bits(self, toy: Toy) -> None:
        d = toy()
        first, second = quick(dropout=0.3).fit(d.X, d.y), quick(dropout=0.3).fit(d.X, d.y)
        assert all(map(np.array_equal, weights(first), weights(second)))

    def test_another_seed_gives_others(self, toy: Toy) -> None:
        d = toy()
        first, second = quick().fit(d.X, d.y), quick(random_state=1).fit(d.X, d.y)
        assert not np.array_equal(weights(first)[0], weights(second)[0])

    def test_a_generator_is_advanced(self, toy: Toy) -> None:
        d = toy()
        model = quick(random_state=np.random.RandomState(0))
        first, second = weights(model.fit(d.X, d.y)), weights(model.fit(d.X, d.y))
        assert not np.array_equal(first[0], second[0])

    def test_a_refit_starts_afresh(self, toy: Toy) -> None:
        d = toy()
        model = quick().fit(d.X[:, :2], np.arange(len(d.X)) % 2).fit(d.X, d.y)
        assert all(map(np.array_equal, weights(model), weights(clone(model).fit(d.X, d.y))))

    def test_a_copy_moves_alone(self, toy: Toy) -> None:
        d = toy()
        model = quick().fit(d.X, d.y)
        before = copy.deepcopy(weights(model))
        model.copy_fitted().train(d.X, d.y, steps=5)
        assert all(map(np.array_equal, weights(model), before))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("optimizer", "lbfgs"), ("schedule", "steps"), ("precision", "fp8"), ("epochs", 0),
        ("batch_size", 0), ("patience", 0), ("learning_rate", 0.0), ("learning_rate", -1.0),
        ("learning_rate", float("inf")), ("learning_rate", float("nan")), ("dropout", 1.0),
        ("dropout", -0.1), ("warmup", 1.0), ("weight_decay", -1.0), ("min_steps", -1),
        ("device", "abacus"), ("validation_fraction", 0.0), ("validation_fraction", 1.0),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(toy: Toy, setting: str, value: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match=setting) as caught:
        quick(**{setting: value}).fit(d.X, d.y)
    assert repr(value).strip("'") in str(caught.value)


def test_one_class_is_an_error(toy: Toy) -> None:
    d = toy()
    with pytest.raises(InputError, match=r"y has 1 class, \[2\]"):
        quick().fit(d.X, np.full(len(d.X), 2))


@pytest.mark.parametrize("cls", [NeuralClassifier, NeuralRegressor])
def test_batch_norm_on_batches_of_one_row_is_refused_in_our_words(cls: Any) -> None:
    X, y = np.arange(12.0).reshape(6, 2), np.arange(6) % 2
    with pytest.raises(InputError, match=r"a batch of one row \(n_samples = 1\).*batch_size"):
        quick(cls, network="mlp-norm", batch_size=1).fit(X, y)
    assert quick(cls, network="mlp-norm", batch_size=5).fit(X, y).n_iter_ == 60  # 5 rows, not 5 + 1


def test_a_regression_with_batch_norm_on_one_row_is_refused_in_our_words() -> None:
    with pytest.raises(InputError, match="n_samples = 1"):
        quick(NeuralRegressor, network="mlp-norm").fit([[1.0, 2.0]], [3.0])
