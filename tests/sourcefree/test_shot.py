"""SHOT: pseudo-labels against plain numpy, and what moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from acclimate import SHOT, Domain, NeuralClassifier, load
from acclimate.exceptions import InputError
from acclimate.sourcefree.shot import centre_labels

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 200, "batch_size": 32,
    "learning_rate": 0.01, "random_state": 0,
}  # fmt: skip


def by_hand(z: np.ndarray, p: np.ndarray, rounds: int) -> np.ndarray:
    """Label rows as the paper writes it, in loops."""
    rows = np.hstack([z, np.ones((len(z), 1))])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    centres = [sum(p[i, k] * rows[i] for i in range(len(z))) for k in range(p.shape[1])]
    for _ in range(rounds + 1):
        angles = [[row @ c / np.linalg.norm(c) for c in centres] for row in rows]
        codes = np.argmax(angles, axis=1)
        centres = [
            rows[codes == k].sum(0) if (codes == k).any() else centres[k]
            for k in range(len(centres))
        ]
    return codes


@pytest.mark.parametrize("rounds", [0, 1, 2])
def test_labels_are_those_of_the_paper(rounds: int) -> None:
    rng = np.random.default_rng(rounds)
    z, p = rng.normal(size=(40, 5)), rng.dirichlet(np.full(4, 0.3), size=40)
    found = centre_labels(torch.from_numpy(z), torch.from_numpy(p), rounds)
    np.testing.assert_array_equal(found, by_hand(z, p, rounds))


def test_a_class_without_rows_keeps_its_centre() -> None:
    z = torch.tensor([[4.0, 0.0], [0.0, 4.0], [4.0, 0.1]])
    p = torch.tensor([[0.90, 0.0, 0.10], [0.0, 0.90, 0.10], [0.90, 0.0, 0.10]])
    assert centre_labels(z, p, rounds=3).tolist() == [0, 1, 0]


def test_permuted_rows_and_classes_permute_the_labels() -> None:
    rng = np.random.default_rng(0)
    z = torch.from_numpy(rng.normal(size=(30, 3)))
    p = torch.from_numpy(rng.dirichlet(np.ones(3), size=30))
    plain = centre_labels(z, p)
    order = torch.from_numpy(rng.permutation(30))
    assert torch.equal(centre_labels(z[order], p[order]), plain[order])
    turned = centre_labels(z, p[:, [2, 0, 1]])
    assert torch.equal(torch.tensor([2, 0, 1])[turned], plain)


def test_the_head_stands_still_and_the_body_moves(toy: Any) -> None:
    d = toy()
    model = SHOT(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    before, after = model.source_model_.network_, model.target_model_.network_
    for name, p in before.head.named_parameters():
        assert torch.equal(p, after.head.get_parameter(name))
    assert not all(
        torch.equal(p, after.body.get_parameter(name)) for name, p in before.body.named_parameters()
    )


def test_it_helps_where_the_target_is_moved(toy: Any) -> None:
    d = toy(n=300, m=300)
    Xt = d.Xt + 1
    model = SHOT(NeuralClassifier(**QUICK), rate=0.25, random_state=0).fit(d.X, d.y)
    before = model.score(Xt, d.yt)
    assert model.adapt(Domain(Xt)).score(Xt, d.yt) > before + 0.02


def test_a_saved_model_adapts_without_the_source(toy: Any, tmp_path: Any) -> None:
    d = toy()
    model = SHOT(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y)
    loaded = load(model.save(tmp_path / "m.acclimate")).adapt(Domain(d.Xt))
    here = model.adapt(Domain(d.Xt))
    np.testing.assert_array_equal(loaded.predict_proba(d.Xn), here.predict_proba(d.Xn))


def test_a_negative_strength_is_refused(toy: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match=r"strength must be at least 0, got -1"):
        SHOT(NeuralClassifier(**QUICK), strength=-1.0).fit(d.X, d.y)
