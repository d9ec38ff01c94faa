"""The common checks of every way to pretrain."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import acclimate
from acclimate import Domain, Encoder, pretrain
from acclimate.catalogue import PRETRAINING, Row
from acclimate.exceptions import InputError
from acclimate.training.checkpoint import Checkpoint
from acclimate.training.progress import Progress

EACH = pytest.mark.parametrize("row", PRETRAINING, ids=lambda row: row.name)
STEPS, CUT = 12, 7  # an epoch has two steps: the cut is in the middle of one


def made(row: Row, X: Any, y: Any = None, **more: Any) -> Encoder:
    """Return an encoder after a few steps."""
    settings: dict[str, Any] = {
        "method": row.load()(), "hidden": (8,), "epochs": 1, "min_steps": STEPS, "batch_size": 24,
        "random_state": 0, "verbose": False,
    }  # fmt: skip
    return pretrain(X, y, **(settings | more))


def weights(encoder: Encoder) -> list[torch.Tensor]:
    return list(encoder.network_.state_dict().values())


@EACH
def test_the_same_seed_gives_the_same_encoder(row: Row, rows_for: Any) -> None:
    X, _ = rows_for(row)
    torch.manual_seed(7)
    before = torch.get_rng_state()
    one = made(row, X)
    assert torch.equal(torch.get_rng_state(), before)
    two, other = made(row, X), made(row, X, random_state=1)
    assert all(torch.equal(a, b) for a, b in zip(weights(one), weights(two), strict=True))
    assert not np.array_equal(one.transform(X), other.transform(X))
    assert one.transform(X).shape == (len(X), 8)
    assert one.history_.epochs[-1]["step"] == STEPS
    assert all(np.isfinite(epoch["loss"]) for epoch in one.history_.epochs)


@EACH
def test_rows_are_answered_one_by_one_as_together(row: Row, rows_for: Any) -> None:
    X, _ = rows_for(row)
    encoder = made(row, X)
    together = encoder.transform(X)
    alone = np.concatenate([encoder.transform(X[i : i + 1]) for i in range(4)])
    np.testing.assert_allclose(alone, together[:4], rtol=1e-4, atol=1e-5)


@EACH
def test_labels_score_and_change_nothing(row: Row, rows_for: Any) -> None:
    X, y = rows_for(row)
    without, scored = made(row, X), made(row, X, y)
    other = made(row, X, target=None, y=1 - y)
    for encoder in (scored, other):
        assert np.array_equal(encoder.transform(X), without.transform(X))
        assert set(encoder.start_scores_) == {"knn", "probe"}
        for epoch in encoder.history_.epochs:
            assert set(epoch) == {"step", "loss", "knn", "probe"}
            assert 0 <= epoch["knn"] <= 1
    assert without.start_scores_ == {}


@EACH
def test_a_file_holds_all_of_it_and_no_rows(row: Row, rows_for: Any, tmp_path: Path) -> None:
    X, y = rows_for(row)
    encoder = made(row, X, y)
    path = acclimate.save(encoder, tmp_path / "e.acclimate", rows="refuse")
    again = acclimate.load(path)
    assert np.array_equal(again.transform(X), encoder.transform(X))
    assert again.history_ == encoder.history_
    assert again.start_scores_ == encoder.start_scores_
    assert again.method_ == repr(row.load()())
    assert again.card_["method"] == "Encoder"
    assert again.card_["trained_on"]["source"]["rows"] == len(X)


@EACH
def test_an_interrupted_run_goes_on(
    row: Row, rows_for: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = rows_for(row)
    whole = made(row, X, y)
    monkeypatch.setattr(Checkpoint, "due", lambda self: True)

    def update(self: Progress, step: int, *rest: Any) -> None:
        if step == CUT:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "update", update)
        with pytest.raises(KeyboardInterrupt):
            made(row, X, y, checkpoint=str(tmp_path / "run"))
    assert len(list(tmp_path.iterdir())) == 1
    steps: list[int] = []
    monkeypatch.setattr(Progress, "update", lambda self, step, *rest: steps.append(step))
    again = made(row, X, y, checkpoint=str(tmp_path / "run"))
    assert steps[0] == CUT
    assert again.history_ == whole.history_
    assert all(torch.equal(a, b) for a, b in zip(weights(again), weights(whole), strict=True))
    assert not list(tmp_path.iterdir())


@EACH
def test_a_second_domain_counts_and_its_labels_are_scored(row: Row, rows_for: Any) -> None:
    (X, y), (Xt, yt) = rows_for(row), rows_for(row, 30, seed=1)
    alone, both = made(row, X), made(row, X, target=Domain(Xt))
    assert not np.array_equal(alone.transform(X), both.transform(X))
    assert both.trained_on_["target"]["rows"] == 30
    ours = made(row, X, y, target=Domain(Xt, yt, labelled=np.arange(30) < 25))
    theirs = made(row, X, 1 - y, target=Domain(Xt, yt, labelled=np.arange(30) < 25))
    assert ours.history_ == theirs.history_  # the target's labels, not the source's


@EACH
def test_rows_that_it_cannot_read_are_told(row: Row, rows_for: Any) -> None:
    X, _ = rows_for(row)
    if row.name == "SCARF":
        wrong: Any = np.zeros((8, 12, 12))
    elif row.name in ("Rotation", "MaskedAutoencoder"):
        wrong = np.zeros((8, 5))
    else:
        wrong = X[:1]
    with pytest.raises(InputError, match=r"images|tables|1 row"):
        made(row, wrong)


@EACH
def test_settings_are_declared_and_checked(row: Row, rows_for: Any) -> None:
    cls = row.load()
    names = set(inspect.signature(cls).parameters)
    assert set(cls._parameter_constraints) == names
    X, _ = rows_for(row)
    for name in names:
        with pytest.raises(InputError, match=name):
            made(row, X, method=cls(**{name: -1}))
