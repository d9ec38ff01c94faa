"""CAN: clusters, class-aware batches, and what they are for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from acclimate import CAN, Domain, NeuralClassifier
from acclimate.deep import Plan, Run
from acclimate.exceptions import InputError
from acclimate.invariant.can import class_centres, spherical_clusters

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 150, "batch_size": 32,
    "learning_rate": 0.01, "random_state": 0,
}  # fmt: skip
LONGER = QUICK | {"min_steps": 300, "batch_size": 64}


class Seen(CAN):
    """Keeps its run, its plan and the classes of each batch."""

    def _plan(self, run: Run) -> Plan:
        self.run, self.plan = run, super()._plan(run)
        self.clusters = self.plan.sampler.__self__  # type: ignore[union-attr]
        self.seen: list[Any] = []
        plan = self.plan

        def look(net: Any, batch: Any) -> Any:
            out = plan.forward(net, batch)
            self.seen.append((batch.domain, len(out.pairs), torch.bincount(out.codes).tolist()))
            if batch.domain == 0:
                assert len(out.z) == len(out.y) == len(out.logits) == run.settings.batch_size
            return out

        return replace(plan, forward=look)


def test_centres_and_clusters_are_those_of_loops() -> None:
    rng = np.random.default_rng(0)
    y, Z = rng.integers(0, 3, 20), rng.normal(size=(20, 4))
    units = Z / np.linalg.norm(Z, axis=1, keepdims=True)
    expected = np.array([units[y == c].sum(0) for c in range(3)])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    centres = class_centres(torch.tensor(Z), torch.tensor(y), 3)
    np.testing.assert_allclose(centres, expected, rtol=1e-9)
    assert not class_centres(torch.tensor(Z), torch.tensor(y), 4)[3].any()
    T = rng.normal(size=(30, 4))
    rows, c, old = T / np.linalg.norm(T, axis=1, keepdims=True), expected, None
    while True:
        codes = np.array([np.argmax([row @ centre for centre in c]) for row in rows])
        if old is not None and (codes == old).all():
            break
        c = np.array([rows[codes == k].sum(0) / np.linalg.norm(rows[codes == k].sum(0))
                      if (codes == k).any() else c[k] for k in range(3)])  # fmt: skip
        old = codes
    found, near = spherical_clusters(torch.tensor(T), centres)
    np.testing.assert_array_equal(found, codes)
    np.testing.assert_allclose(near, (rows * c[codes]).sum(1), rtol=1e-9)


def test_both_domains_show_the_same_classes_as_often(toy: Any) -> None:
    d = toy()
    model = Seen(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    assert len(model.clusters.usable) == 3
    assert len(model.seen) == 2 * 150
    for one, other in zip(model.seen[0::2], model.seen[1::2], strict=True):
        assert one[0] == 0
        assert other[0] == 1
        assert one[1:] == other[1:]
        assert one[1] == 32
        assert max(one[2]) - min(one[2]) <= 1


def test_target_rows_far_from_their_centre_are_left_out(toy: Any) -> None:
    d = toy()
    model = Seen(NeuralClassifier(**QUICK), distance=0.05, random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    clusters, run = model.clusters, model.run
    clusters.renew(run.net, 1.0)
    z = run.infer(run.target.x)[0]
    centres = class_centres(run.infer(run.source.x)[0], run.source.y, 3)
    codes, near = spherical_clusters(z, centres)
    kept = (1 - near) / 2 <= 0.05
    assert 0 < kept.sum() < len(z)
    for c in range(3):
        expected = ((codes == c) & kept).nonzero().squeeze(1)
        assert torch.equal(clusters.rows[1][c], expected)


def test_one_cluster_alone_leaves_the_source_loss(toy: Any) -> None:
    d = toy()
    one, other = (
        CAN(NeuralClassifier(**QUICK), validator=None, random_state=0)
        .fit(d.X, d.y, target=Domain(np.repeat(Xt, 40, axis=0)))
        for Xt in (d.Xt[:1], d.Xt[1:2])
    )  # fmt: skip
    assert np.array_equal(one.predict_proba(d.Xn), other.predict_proba(d.Xn))
    assert one.history_ is not None
    assert all(epoch["contrast"] == 0.0 for epoch in one.history_.epochs)


def test_it_unlearns_what_the_target_moves(moved: Any) -> None:
    d = moved
    model = CAN(NeuralClassifier(**LONGER), random_state=0)
    before = model.fit(d.X, d.y).score(d.Xt, d.yt)
    assert before < 0.75
    assert model.adapt(Domain(d.Xt)).score(d.Xt, d.yt) > 0.9


def test_strength_zero_is_training_on_the_source(toy: Any) -> None:
    d = toy()
    settings = {"strength": 0.0, "validator": None, "random_state": 0}
    one, two = (
        CAN(NeuralClassifier(**QUICK), **settings).fit(d.X, d.y, target=Domain(Xt))
        for Xt in (d.Xt, 9 * d.Xt)
    )
    assert np.array_equal(one.predict_proba(d.Xn), two.predict_proba(d.Xn))


@pytest.mark.parametrize(
    ("name", "value"), [("strength", -1.0), ("distance", 0.0), ("distance", 2)]
)
def test_settings_out_of_range_are_refused(name: str, value: Any, toy: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match=name):
        CAN(**{name: value}).fit(d.X, d.y)
