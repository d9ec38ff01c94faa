"""`ContrastiveAlignment`: the loop minimises the loss, and equal items are no wrong answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from acclimate import ContrastiveAlignment
from acclimate.losses.info_nce import symmetric_info_nce
from acclimate.testing.toy_pairs import toy_pairs

QUICK: dict[str, Any] = {"steps": 100, "dropout": 0.0, "learning_rate": 0.01, "random_state": 0}


def test_the_loss_of_the_pairs_falls_to_what_the_history_says() -> None:
    d = toy_pairs()
    model = ContrastiveAlignment(**QUICK, batch_size=60).fit(d.A, d.B)
    za, zb = (torch.from_numpy(model.transform(X, given=s)) for X, s in ((d.A, "A"), (d.B, "B")))
    now = float(symmetric_info_nce(za, zb, 0.1))
    first, last = model.history_.epochs[0]["contrast"], model.history_.epochs[-1]["contrast"]
    assert first > np.log(60) * 0.8
    assert last < first / 2
    assert now == pytest.approx(last, rel=0.1)


def test_equal_items_are_not_pushed_apart() -> None:
    """Four captions for forty items: with none left out the loss could not fall below log 10."""
    d = toy_pairs()
    B = np.repeat(d.B[:4], 10, axis=0)
    A = np.repeat(d.A[:4], 10, axis=0) + 0.01 * np.random.default_rng(0).normal(size=(40, 5))
    model = ContrastiveAlignment(**QUICK, batch_size=40).fit(A, B)
    assert model.history_.epochs[-1]["contrast"] < 0.2 < np.log(10)


def test_the_seed_decides() -> None:
    d = toy_pairs()
    found = [
        ContrastiveAlignment(**{**QUICK, "steps": 5, "random_state": seed}).fit(d.A, d.B)
        .transform(d.An)
        for seed in (0, 0, 1)
    ]  # fmt: skip
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.allclose(found[0], found[2])


def test_units_of_a_side_do_not_matter() -> None:
    d = toy_pairs()
    one = ContrastiveAlignment(**QUICK).fit(d.A, d.B)
    two = ContrastiveAlignment(**QUICK).fit(d.A * 1024.0, d.B)
    np.testing.assert_allclose(two.transform(d.An * 1024.0), one.transform(d.An), atol=1e-5)
