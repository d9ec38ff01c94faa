"""What a network refuses before its first step, and the scale of pixels that a fit decides."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import acclimate
from acclimate import DANN, Domain, FineTune, NeuralClassifier
from acclimate.exceptions import InputError

QUICK = {"min_steps": 20, "epochs": 1, "hidden": (4,)}
RNG = np.random.default_rng


def images(shape: tuple[int, ...], n: int = 24) -> tuple[Any, Any]:
    return RNG(0).random((n, *shape)), np.arange(n) % 2


@pytest.mark.parametrize(
    ("fitted", "given", "words"),
    [
        ((16, 16), (16, 24), "16 x 24, and those that the model was fitted on 16 x 16"),
        ((3, 12, 12), (1, 12, 12), "1 x 12 x 12.* fitted on 3 x 12 x 12; bring"),
        ((3, 12, 12), (12, 12, 3), "12 x 12 x 3.*3 x 12 x 12; the axes are in another order"),
        ((12, 12), (144,), "144, .*12 x 12"),
        ((144,), (12, 12), "12 x 12, .* 144"),
    ],
    ids=["width", "channels", "order", "flat", "images"],
)
def test_rows_of_another_shape_are_refused_before_anything_is_trained(
    fitted: Any, given: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = images(fitted)
    Xt, yt = images(given)
    base = NeuralClassifier("cnn" if len(fitted) > 1 else "mlp", **QUICK, random_state=0)
    alone = NeuralClassifier(**base.get_params()).fit(X, y)
    model = FineTune(base).fit(X, y)
    for refuse in (lambda: alone.predict(Xt), lambda: model.adapt(Domain(Xt, yt)),
                   lambda: model.predict(Xt)):  # fmt: skip
        with pytest.raises(InputError, match=words):
            refuse()
    monkeypatch.setattr(NeuralClassifier, "fit", lambda *args, **kwargs: pytest.fail("trained"))
    with pytest.raises(InputError, match=words):
        DANN(base).fit(X, y, target=Domain(Xt))


def test_a_loaded_model_knows_the_shape(tmp_path: Any) -> None:
    X, y = images((12, 12))
    model = FineTune(NeuralClassifier("cnn", **QUICK)).fit(X, y)
    loaded = acclimate.load(model.save(tmp_path / "m"))
    with pytest.raises(InputError, match="12 x 14"):
        loaded.predict(images((12, 14))[0])


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "bool"])
def test_numbers_are_answered_alike_as_uint8(dtype: str) -> None:
    X = RNG(0).integers(0, 2, size=(60, 5))
    model = NeuralClassifier(**QUICK, random_state=0).fit(X.astype(dtype), X[:, 0])
    assert np.array_equal(model.predict_proba(X.astype("uint8")), model.predict_proba(X * 1.0))


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_pixels_are_answered_alike_as_numbers(dtype: str) -> None:
    X = RNG(0).integers(0, 256, size=(60, 12, 12)).astype("uint8")
    y = (X[:, :6].mean((1, 2)) > X[:, 6:].mean((1, 2))).astype(int)
    model = FineTune(NeuralClassifier("cnn", **QUICK), random_state=0).fit(X, y)
    pixels = model.predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X.astype(dtype)), pixels, atol=1e-6)
    one, other = (model.adapt(Domain(rows, y)).predict_proba(X) for rows in (X, X.astype(dtype)))
    np.testing.assert_allclose(one, other, atol=1e-4)
    with pytest.raises(InputError, match=r"fitted on uint8 pixels .* float64 of at most"):
        model.predict(X / 255.0)


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.top = nn.Linear(4, 8), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Any:
        z = self.body(x).relu()
        return self.top(z), z


class Dictionary(Two):
    def forward(self, x: Tensor) -> Any:
        return {"logits": self.top(self.body(x))}


class Output(Two):
    def forward(self, x: Tensor) -> Any:
        return SimpleNamespace(logits=self.top(self.body(x)))


class Sequence(Two):
    def forward(self, x: Tensor) -> Any:
        return self.top(self.body(x))[:, None]


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (Two(), "Two returns a tuple; a network must return one tensor of logits"),
        (Dictionary(), "returns a dict"),
        (Output(), "returns a SimpleNamespace.*output.logits"),
        (Sequence(), r"returns a tensor of shape \(2, 1, 2\)"),
        (nn.Linear(4, 2).double(), r"float64 weights \(weight\).*call .float\(\)"),
        (nn.Sequential(nn.Linear(5, 8), nn.Linear(8, 2)), r"cannot read rows of shape \(4,\)"),
    ],
    ids=["tuple", "dict", "object", "shape", "float64", "width"],
)
@pytest.mark.parametrize("called", [False, True], ids=["module", "callable"])
def test_a_module_that_gives_no_logits_is_refused(module: Any, words: str, called: bool) -> None:
    X, y = RNG(0).normal(size=(20, 4)), np.arange(20) % 2
    with pytest.raises(InputError, match=words):
        NeuralClassifier((lambda shape, k: module) if called else module, **QUICK).fit(X, y)


@pytest.mark.parametrize("side", ["fit", "source", "target", "predict"])
def test_numbers_beyond_float32_are_refused(side: str, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = RNG(0).normal(size=(20, 4)), np.arange(20) % 2
    huge, base = X * 1e39, NeuralClassifier(**QUICK)
    words = "too large for float32"
    if side == "predict":
        for model in (NeuralClassifier(**QUICK).fit(X, y), FineTune(base).fit(X, y)):
            with pytest.raises(InputError, match=words):
                model.predict(huge)
        return
    monkeypatch.setattr(NeuralClassifier, "train", lambda *args, **kwargs: pytest.fail("trained"))
    doors = {
        "fit": lambda: NeuralClassifier(**QUICK).fit(huge, y),
        "source": lambda: FineTune(base).fit(huge, y, target=Domain(X, y)),
        "target": lambda: FineTune(base).fit(X, y, target=Domain(huge, y)),
    }
    with pytest.raises(InputError, match=words):
        doors[side]()


@pytest.mark.parametrize(
    "strategy", ["full", "head", "lp-ft", "l2-sp", "gradual", "discriminative", "surgical", "lora"]
)
def test_frozen_layers_keep_their_weights_to_the_byte(strategy: str) -> None:
    torch.manual_seed(0)
    X = RNG(0).normal(size=(60, 4))
    y = (X[:, 0] > 0).astype(int)
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    net[0].requires_grad_(False)
    model = FineTune(NeuralClassifier(net, min_steps=30, epochs=1), strategy=strategy)
    model.set_params(random_state=0).fit(X, y, target=Domain(X + 0.3, y))
    assert torch.equal(model.target_model_.network_.body[0].weight, net[0].weight)
    assert torch.equal(model.target_model_.network_.body[0].bias, net[0].bias)
    if strategy == "lora":
        assert model.tuned_layers_ == ["body.2", "head"]
        net[2].requires_grad_(False)
        model = FineTune(NeuralClassifier(net, min_steps=5, epochs=1), strategy="lora")
        with pytest.raises(InputError, match="none that may move"):
            model.fit(X, y, target=Domain(X, y))
