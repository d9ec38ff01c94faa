"""`pretrain` and its encoder: what it starts from, and what starts from it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import acclimate
from acclimate import (
    CORAL,
    Domain,
    Encoder,
    FineTune,
    FrozenBody,
    NeuralClassifier,
    NeuralRegressor,
    SimCLR,
    TargetOnly,
    pretrain,
    rank,
)
from acclimate.exceptions import DomainTypeError, InputError
from acclimate.selfsupervised.masked_autoencoder import hidden_patches
from acclimate.selfsupervised.pretext import Start, change_of
from acclimate.selfsupervised.rotation import Rotation, quarter_turns
from acclimate.training.batch import Batch
from acclimate.transfer.encoders import encoder_of
from acclimate.transfer.going_on import ways_on
from acclimate.transfer.strategy_words import ABOUT

QUICK: dict[str, Any] = {
    "hidden": (8,), "epochs": 1, "min_steps": 12, "batch_size": 32, "random_state": 0,
    "verbose": False,
}  # fmt: skip
FEW = NeuralClassifier(min_steps=12, epochs=1, verbose=False)


@pytest.fixture
def encoder(images: Any) -> Encoder:
    """Return an encoder of images after a few steps."""
    return pretrain(images[0], **QUICK)


def table(n: int = 60) -> tuple[pd.DataFrame, Any]:
    rng = np.random.default_rng(0)
    words = rng.choice(["u", "v", "w"], n)
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": words, "c": rng.normal(size=n)})
    return frame, (words == "u").astype(int)


# --- what rows are changed into ------------------------------------------------------------------


def test_patches_are_hidden_whole_and_as_many_in_each_image() -> None:
    torch.manual_seed(0)
    hidden = hidden_patches(50, (10, 8), 4, 0.5, torch.device("cpu"))
    assert hidden.shape == (50, 1, 10, 8)
    corners = hidden[:, 0, ::4, ::4]  # 3 x 2 patches, the last row is cut
    assert (corners.sum((1, 2)) == 3).all()
    for r in range(10):
        for c in range(8):
            assert torch.equal(hidden[:, 0, r, c], corners[:, r // 4, c // 4])
    most = hidden_patches(5, (4, 4), 2, 0.99, torch.device("cpu"))
    assert (most.sum((1, 2, 3)) == 12).all()  # one patch stays


def test_quarter_turns_are_numpys() -> None:
    x = np.random.default_rng(0).random((3, 2, 4, 4))
    turned = quarter_turns(torch.tensor(x)).numpy()
    for k in range(4):
        np.testing.assert_array_equal(turned[3 * k : 3 * k + 3], np.rot90(x, k, (2, 3)))


def test_turns_are_told_in_the_order_they_were_made() -> None:
    task = Rotation().task(Start((4, 4), 4))
    batch = task.views(Batch(torch.rand(3, 4, 4), None, None, torch.arange(3)))
    net = SimpleNamespace(body=lambda x: x[:, 0], head=nn.Identity())
    seen = task.forward(net, batch)
    assert seen.turns.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert torch.equal(seen.logits[3], torch.rot90(batch.x[0])[0])


def test_views_of_flat_rows_take_no_words_of_images() -> None:
    with pytest.raises(InputError, match="flip"):
        change_of("flip", Start((5,), 3), 0.3)
    X = np.random.default_rng(0).normal(size=(40, 5))
    made = pretrain(X, method="simclr", network="mlp", **QUICK)
    assert made.transform(X).shape == (40, 8)


# --- what is learnt ------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_is_learnt_is_more_than_random_weights_know() -> None:
    rng = np.random.default_rng(0)
    n = 600
    y = rng.integers(0, 3, n)
    X = 0.3 * rng.random((n, 14, 14))
    rows, columns = rng.integers(0, 8, (2, n))
    for i, (r, c) in enumerate(zip(rows, columns, strict=True)):  # a bar, a bar across, a square
        height, width = ((6, 2), (2, 6), (4, 4))[y[i]]
        X[i, r : r + height, c : c + width] += 0.7
    made = pretrain(
        X, y, method=SimCLR(augment="crop,noise"), network="cnn-norm", hidden=(32,), epochs=1,
        min_steps=200, batch_size=128, random_state=0, verbose=False,
    )  # fmt: skip
    last = made.history_.epochs[-1]
    assert last["loss"] < made.history_.epochs[0]["loss"]
    assert 1 - last["knn"] < 0.5 * (1 - made.start_scores_["knn"])  # half of the errors or less


def test_the_scores_are_those_of_features_of_labelled_rows(images: Any) -> None:
    X, y = images
    made = pretrain(X, y, **QUICK)
    from acclimate.folds import few_label_folds
    from acclimate.transferability.probes import linear_probe

    still = pretrain(X, **QUICK)
    assert np.array_equal(made.transform(X), still.transform(X))
    # the last epoch is scored before batch norm is estimated again, so "mlp" has the same features
    flat = pretrain(X, y, network="mlp", **QUICK)
    parts = few_label_folds(y, classify=True, seed=flat.model.seed_)
    expected = linear_probe(flat.transform(X), y, parts=parts).score
    assert flat.history_.epochs[-1]["probe"] == pytest.approx(expected)


# --- what starts from it -------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["auto", *ABOUT])
def test_every_strategy_starts_from_it(strategy: str, encoder: Encoder, images: Any) -> None:
    X, y = images
    model = FineTune(FEW, strategy=strategy, random_state=0).begin(encoder)
    before = {k: v.clone() for k, v in encoder.network_.state_dict().items()}
    again = FineTune(FEW, strategy=strategy, random_state=0).begin(encoder)
    model.adapt(Domain(X[:30], y[:30]))
    again.adapt(Domain(X[30:], 1 - y[30:])).adapt(Domain(X[:30], y[:30]))
    assert np.array_equal(model.predict_proba(X), again.predict_proba(X))
    assert model.classes_.tolist() == [0, 1]
    assert not model.copied_head_
    assert all(torch.equal(v, before[k]) for k, v in encoder.network_.state_dict().items())


def test_a_probe_from_it_moves_the_head_alone(encoder: Encoder, images: Any) -> None:
    X, y = images
    model = FineTune(FEW, strategy="head", random_state=0).begin(encoder).adapt(Domain(X, y))
    for key, value in model.target_model_.network_.body.state_dict().items():
        assert torch.equal(value, encoder.network_.body.state_dict()[key])


def test_an_encoder_answers_nothing_before_it_is_adapted(
    encoder: Encoder, images: Any, tmp_path: Path
) -> None:
    X, y = images
    model = FineTune(FEW, random_state=0).begin(encoder)
    with pytest.raises(InputError, match="learnt no labels and answers nothing; adapt"):
        model.predict(X)
    path = model.save(tmp_path / "m.acclimate")
    again = acclimate.load(path).adapt(Domain(X, y))
    assert np.array_equal(again.predict(X), model.adapt(Domain(X, y)).predict(X))
    with pytest.raises(InputError, match="ask for rows of the target"):
        model.predict(X, domain="source")
    with pytest.raises(InputError, match="no head to copy"):
        FineTune(FEW, head="copy").begin(encoder).adapt(Domain(X, y))


def test_ways_on_from_an_encoder(encoder: Encoder, images: Any) -> None:
    X, y = images
    base = NeuralClassifier("cnn-norm", hidden=(8,), min_steps=12, epochs=1, verbose=False)
    ways = ways_on(FineTune(base, random_state=0).begin(encoder))
    assert set(ways) == {
        "FineTune", "FineTune, full", "FineTune, head", "FineTune, l2-sp", "TargetOnly",
    }  # fmt: skip
    model = ways["FineTune, head"].adapt(Domain(X, y))
    moved = model.target_model_.network_.body.state_dict()
    assert all(torch.equal(v, moved[k]) for k, v in encoder.network_.body.state_dict().items())
    scratch = ways["TargetOnly"].adapt(Domain(X, y)).target_model_.network_.body.state_dict()
    assert not any(
        torch.equal(v, scratch[k])
        for k, v in encoder.network_.body.state_dict().items() if k.endswith("weight")
    )  # fmt: skip


def test_a_fit_forgets_the_encoder(encoder: Encoder, images: Any) -> None:
    X, y = images
    base = NeuralClassifier("mlp", hidden=(8,), min_steps=12, epochs=1, verbose=False)
    fresh = FineTune(base, random_state=0).fit(X, y)
    again = FineTune(base, random_state=0).begin(encoder).fit(X, y)
    assert np.array_equal(again.predict_proba(X), fresh.predict_proba(X))
    assert again.trained_on_ == fresh.trained_on_


def test_begin_says_what_it_needs(encoder: Encoder) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    with pytest.raises(InputError, match="begin takes an Encoder"):
        FineTune(FEW).begin(FEW)
    with pytest.raises(InputError, match="base model is a LogisticRegression"):
        FineTune(LogisticRegression()).begin(encoder)
    with pytest.raises(InputError, match="leave out preprocess"):
        FineTune(FEW, preprocess=StandardScaler()).begin(encoder)


def test_a_regression_starts_from_it(encoder: Encoder, images: Any) -> None:
    X, y = images
    base = NeuralRegressor(min_steps=60, epochs=1, verbose=False)
    values = 100.0 + 10.0 * y
    model = FineTune(base, random_state=0).begin(encoder).adapt(Domain(X, values))
    assert 90 < model.predict(X).mean() < 120


def test_methods_on_rows_and_rank_read_its_features(
    encoder: Encoder, images: Any, tmp_path: Path
) -> None:
    X, y = images
    z = encoder.transform(X)
    np.testing.assert_allclose(FrozenBody(encoder, cache=False).fit(X).transform(X), z, atol=1e-6)
    mapped = CORAL(preprocess=encoder).fit(X, y, target=Domain(X))
    plain = CORAL().fit(z, y, target=Domain(z))
    np.testing.assert_allclose(mapped.predict_proba(X), plain.predict_proba(z), atol=1e-5)
    found = rank({"pretrained": encoder}, X, y).candidates[0]
    assert found.width == 8
    assert found.random is not None
    path = acclimate.save(encoder, tmp_path / "e.acclimate")
    front = encoder_of(str(path))
    np.testing.assert_allclose(front.fit(X).transform(X), z, atol=1e-6)
    again = acclimate.load(mapped.save(tmp_path / "m.acclimate"))
    assert np.array_equal(again.predict_proba(X), mapped.predict_proba(X))


def test_networks_start_from_it_and_save(encoder: Encoder, images: Any, tmp_path: Path) -> None:
    X, y = images
    base = NeuralClassifier(encoder, min_steps=5, epochs=1, verbose=False, random_state=0)
    untrained = NeuralClassifier(encoder, precision="float32", random_state=0)
    untrained._check(X, y)
    untrained.start(X, y)
    np.testing.assert_allclose(untrained.infer(X)[0].numpy(), encoder.transform(X), atol=1e-6)
    model = TargetOnly(base).fit(X, y, target=Domain(X, 1 - y))
    again = acclimate.load(model.save(tmp_path / "m.acclimate"))
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    with pytest.raises(InputError, match="cannot read rows of shape"):
        NeuralClassifier(encoder).fit(np.zeros((4, 20, 20)), [0, 1, 0, 1])


def test_tables_with_categories(tmp_path: Path) -> None:
    frame, y = table()
    made = pretrain(frame, y, **QUICK)
    assert made.method_ == "SCARF()"
    made = acclimate.load(acclimate.save(made, tmp_path / "t.acclimate"))
    strange = frame.assign(b="never seen")
    assert np.isfinite(made.transform(strange)).all()
    net = NeuralClassifier(made, min_steps=40, epochs=1, verbose=False).fit(frame, y)
    assert net.predict(strange).shape == (60,)
    model = FineTune(FEW, random_state=0).begin(made).adapt(Domain(frame, y))
    assert np.array_equal(
        acclimate.load(model.save(tmp_path / "m.acclimate")).predict(frame), model.predict(frame)
    )
    assert rank({"pretrained": made}, frame, y).candidates[0].width == 8


def test_preprocessing_is_part_of_it(tmp_path: Path) -> None:
    from acclimate.tables import MixedPreprocessor

    frame, y = table()
    frame.loc[::7, "a"] = np.nan
    step = MixedPreprocessor()
    made = pretrain(frame, y, preprocess=step, **QUICK)
    filled = step.fit_transform(frame)
    plain = pretrain(filled, y, **QUICK)
    assert np.array_equal(made.transform(frame), plain.transform(filled))
    made = acclimate.load(acclimate.save(made, tmp_path / "t.acclimate"))
    assert np.array_equal(made.transform(frame), plain.transform(filled))
    model = FineTune(FEW, random_state=0).begin(made).adapt(Domain(frame, y))
    other = FineTune(FEW, random_state=0).begin(plain).adapt(Domain(filled, y))
    assert np.array_equal(model.predict_proba(frame), other.predict_proba(filled))
    one, two = rank({"e": made}, frame, y), rank({"e": plain}, filled, y)
    assert one.candidates[0].width == two.candidates[0].width
    on = pretrain(frame, network=made, **QUICK)
    assert np.array_equal(
        on.transform(frame), pretrain(filled, network=plain, **QUICK).transform(filled)
    )


# --- what it starts from -------------------------------------------------------------------------


def test_it_goes_on_from_a_fitted_network(images: Any) -> None:
    X, y = images
    net = NeuralClassifier("cnn", hidden=(8,), min_steps=12, epochs=1, precision="float32")
    net.fit(X, y)
    given = {k: v.clone() for k, v in net.network_.state_dict().items()}
    one = pretrain(X, network=net, **(QUICK | {"learning_rate": 1e-9}))
    np.testing.assert_allclose(one.transform(X), net.infer(X)[0].numpy(), atol=1e-4)
    method = FineTune(net, random_state=0).fit(X, y)
    method.source_model_ = net
    two = pretrain(X, network=method, **(QUICK | {"learning_rate": 1e-9}))
    np.testing.assert_allclose(two.transform(X), one.transform(X), atol=1e-4)
    assert one.model.network == "cnn"
    assert all(torch.equal(v, given[k]) for k, v in net.network_.state_dict().items())
    on = pretrain(X, network=one, **QUICK)
    assert not np.allclose(on.transform(X), one.transform(X))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "nothing"}, "no way to pretrain called 'nothing'; choose of SimCLR"),
        ({"method": 3}, "method must be a name or an object"),
        ({"epochs": 0}, "epochs must be"),
        ({"score_rows": 3}, "score_rows must be at least 20"),
        ({"network": "nothing"}, "network must be one of"),
        ({"y": [0, 1]}, "60 rows"),
    ],
)
def test_values_that_cannot_be_used_are_told(settings: Any, words: str, images: Any) -> None:
    with pytest.raises(InputError, match=words):
        pretrain(images[0], **(QUICK | settings))


def test_a_target_is_a_domain(images: Any) -> None:
    with pytest.raises(DomainTypeError, match="target must be a Domain"):
        pretrain(images[0], target=images[0], **QUICK)


def test_pixels_stay_bytes_while_training(images: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from acclimate.training import loop

    seen: list[torch.dtype] = []
    train = loop.train

    def listening(net: Any, phases: Any, source: Any, *rest: Any, **more: Any) -> Any:
        seen.append(source.x.dtype)
        return train(net, phases, source, *rest, **more)

    monkeypatch.setattr(loop, "train", listening)
    pretrain(images[0], **QUICK)
    assert seen == [torch.uint8]


def test_few_large_images_take_few_steps() -> None:
    X = np.random.default_rng(0).integers(0, 255, (20, 40, 40)).astype(np.uint8)
    encoder = pretrain(X, network="cnn-norm", epochs=1, random_state=0, batch_size=20)
    assert encoder.history_.epochs[-1]["step"] == 100


def test_rows_of_other_columns_than_those_pretrained_on() -> None:
    X = np.random.default_rng(0).normal(size=(30, 3))
    frame, y = pd.DataFrame(X, columns=["a", "b", "c"]), X[:, 0] > 0
    encoder = pretrain(frame, **QUICK)
    model = NeuralClassifier(encoder, epochs=1, min_steps=3, random_state=0)
    for wrong, words in (
        (X[:, :2], r"2 columns, and those .* learnt from had 3: \['a', 'b', 'c'\]"),
        (np.hstack([X, X]), "6 columns"),
        (frame[["c", "a", "b"]], "another order; they have"),
        (frame.rename(columns={"b": "d"}), "lack the column 'b'"),
    ):
        with pytest.raises(InputError, match=words):
            model.fit(wrong, y)
        with pytest.raises(InputError, match=words):
            pretrain(wrong, network=encoder, epochs=1, min_steps=3)
    np.testing.assert_array_equal(model.fit(frame, y).predict(frame), model.fit(X, y).predict(X))
