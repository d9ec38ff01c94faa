"""The template "train": what every method on it gets."""

from __future__ import annotations

import copy
from itertools import count
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from acclimate import (
    ADDA,
    CAN,
    DANN,
    MCD,
    MDD,
    SHOT,
    AdaBN,
    DeepCORAL,
    Domain,
    NeuralClassifier,
    NeuralRegressor,
)
from acclimate.catalogue import Row
from acclimate.deep import DeepAdapter, Plan, Run, forward, full_batches
from acclimate.exceptions import InputError
from acclimate.training.batch import Batch
from acclimate.training.network import Network
from acclimate.training.terms import Phase, Term

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 60, "batch_size": 32,
    "learning_rate": 0.03, "random_state": 0,
}  # fmt: skip


def normed(shape: tuple[int, ...], outputs: int) -> nn.Module:
    """Build a perceptron with batch norm, for ``NeuralClassifier(network=normed)``."""
    return nn.Sequential(
        nn.Linear(shape[0], 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, outputs)
    )


class Probe(DeepAdapter):
    """A method for these tests: it trains on what it is told, and keeps its run for a look."""

    row = Row(several_sources=True)
    plan: Any = None

    def _plan(self, run: Run) -> Plan:
        self.run = run
        if self.plan is not None:
            return self.plan(run)
        return Plan([Phase(run.supervised, [run.net])])


class WithLabels(Probe):
    """The same, with the switch for target labels."""

    def __init__(self, estimator: Any = None, *, use_target_labels: bool = False) -> None:
        super().__init__(estimator, random_state=0)
        self.use_target_labels = use_target_labels

    def _sees_target_labels(self) -> bool:
        return self.use_target_labels


# --- settings -----------------------------------------------------------------------------------


def test_the_base_must_be_a_network(toy: Any) -> None:
    from sklearn.linear_model import LogisticRegression

    d = toy()
    with pytest.raises(InputError, match=r"DANN trains a network.*got LogisticRegression"):
        DANN(LogisticRegression()).fit(d.X, d.y)


@pytest.mark.parametrize(
    ("name", "value"),
    [("rate", 0.0), ("rate", np.inf), ("length", -1.0), ("length", 0.0), ("validator", "best")],
)
def test_settings_out_of_range_are_refused_before_stage_one(
    name: str, value: Any, toy: Any
) -> None:
    d = toy()
    model = DeepCORAL(NeuralClassifier(**QUICK), **{name: value})
    with pytest.raises(InputError, match=f"{name} must be .*{value!r}"):
        model.fit(d.X, d.y)
    assert not hasattr(model, "source_model_")


def test_length_and_rate(toy: Any) -> None:
    d, still = toy(), 1e-12
    model = Probe(NeuralClassifier(**QUICK), length=0.5, random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    assert model.history_ is not None
    assert model.history_.epochs[-1]["step"] == 30
    assert model.target_model_.n_iter_ == 30
    model = Probe(NeuralClassifier(**QUICK), rate=still, random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    np.testing.assert_allclose(
        model.predict_proba(d.Xn), model.predict_proba(d.Xn, domain="source"), atol=1e-6
    )


def test_new_modules_learn_at_the_full_rate(toy: Any) -> None:
    d = toy()
    moved: dict[str, bool] = {}

    def plan(run: Run) -> Plan:
        extra = run.add("extra", nn.Linear(16, 1))
        before = {n: p.detach().clone() for n, p in run.net.named_parameters()}

        def run_both(net: Any, batch: Batch) -> SimpleNamespace:
            out = forward(net, batch)
            out.extra = extra(out.z)
            return out

        def look(net: nn.Module, progress: float) -> None:
            for name, p in net.named_parameters():
                moved[name] = bool((p - before[name]).abs().max() > 1e-4)

        term = Term("extra", lambda s, t: (s.extra - 1).square().mean())
        return Plan([Phase([*run.supervised, term], [run.net])], run_both, after_step=look)

    model = Probe(NeuralClassifier(**QUICK), rate=1e-12, random_state=0)
    model.plan = plan
    model.fit(d.X, d.y, target=Domain(d.Xt))
    assert moved["extra.weight"]
    assert not any(value for name, value in moved.items() if name.startswith("base."))


# --- what a plan gets ---------------------------------------------------------------------------


def test_a_plan_sees_codes_sizes_and_a_copy_of_the_source_network(toy: Any) -> None:
    d = toy()
    names = np.array(["a", "b", "c"])
    model = Probe(NeuralClassifier(**QUICK)).fit(d.X, names[d.y], target=Domain(d.Xt))
    run = model.run
    assert run.source is not None
    assert run.source.y is not None
    np.testing.assert_array_equal(run.source.y, d.y)
    assert (run.target.y, run.target.domain, run.source.domain) == (None, 1, 0)
    assert (run.width, run.outputs, run.regression, run.sources, run.ids) == (16, 3, False, 1, None)
    assert run.base is not model.source_model_.network_
    assert run.settings.steps == 60


def test_rows_of_weight_zero_are_left_out_with_their_ids(toy: Any) -> None:
    d = toy()
    weight = np.arange(60) % 3 / 1.0
    model = Probe(NeuralClassifier(**QUICK), random_state=0)
    ids = np.array(["y", "x"])[np.arange(60) % 2]
    model.fit(d.X, d.y, target=Domain(d.Xt), sample_weight=weight, domains=ids)
    run, kept = model.run, weight > 0
    np.testing.assert_allclose(run.source.x, d.X[kept], rtol=1e-6)
    np.testing.assert_allclose(run.source.weight, weight[kept] / weight[kept].mean(), rtol=1e-6)
    np.testing.assert_array_equal(run.ids, (ids[kept] == "y").astype(int))
    assert run.sources == 2


def test_every_batch_is_full(toy: Any) -> None:
    d = toy(n=50, m=40)
    sizes: set[tuple[int, int]] = set()

    def look(net: nn.Module, batch: Batch) -> SimpleNamespace:
        sizes.add((batch.domain, len(batch.x)))
        return forward(net, batch)

    model = Probe(NeuralClassifier(**QUICK))
    model.plan = lambda run: Plan([Phase(run.supervised, [run.net])], look)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    assert sizes == {(0, 32), (1, 32)}


def test_each_source_is_the_mean_over_the_sources_of_a_batch() -> None:
    ids = torch.tensor([0, 1, 0, 1, 1, 2])
    run = Run(None, None, None, None, None, [], None, 0, ids, 3)  # type: ignore[arg-type]
    s = SimpleNamespace(z=torch.arange(6.0), index=torch.arange(6), n=6)
    seen: list[list[float]] = []

    def loss(s: Any, t: Any) -> Tensor:
        seen.append(s.z.tolist())
        return s.z.mean()

    # the only row of source 2 is left out
    assert run.each_source(loss)(s, None).item() == pytest.approx((1.0 + 8 / 3) / 2)
    assert seen == [[0.0, 2.0], [1.0, 3.0, 4.0]]


# --- target labels ------------------------------------------------------------------------------


def test_target_labels_come_in_batches_of_their_own(toy: Any) -> None:
    d = toy()
    known = np.zeros(45, dtype=bool)
    known[[3, 7, 20, 41]] = True
    seen: list[Any] = []

    def look(net: nn.Module, batch: Batch) -> SimpleNamespace:
        if batch.domain == 1:
            seen.append((len(batch.x), batch.y))
        return forward(net, batch)

    def plan(run: Run) -> Plan:
        term = Term("look", lambda s, t: _record(t))
        return Plan([Phase([*run.supervised, term], [run.net])], look)

    rows: list[Any] = []

    def _record(t: Any) -> Tensor:
        rows.append((sorted(t.labelled.y.tolist()), len(t.z)))
        return torch.zeros(())

    model = WithLabels(NeuralClassifier(**QUICK), use_target_labels=True)
    model.plan = plan
    model.fit(d.X, d.y, target=Domain(d.Xt, d.yt, labelled=known))
    assert seen == [(32, None)] * 60  # the method sees neither labels nor the labelled batch
    assert rows == [(sorted(d.yt[known].tolist()), 32)] * 60  # 4 labels, all of them in each step
    assert [term.name for term in model.run.supervised] == ["task", "target_task"]


def test_target_labels_are_learnt_from_and_only_with_the_switch(toy: Any) -> None:
    d = toy()
    turned = (d.yt + 1) % 3  # a target in which every class is called otherwise
    target = Domain(d.Xt, turned)
    used = DANN(NeuralClassifier(**QUICK), use_target_labels=True, strength=0.0, random_state=0)
    scores = []
    for model in (used, DANN(NeuralClassifier(**QUICK), strength=0.0, random_state=0)):
        model.fit(d.X, d.y, target=target)
        scores.append(model.score(d.Xt, turned))
    assert scores[0] > scores[1] + 0.2


def test_named_target_classes_are_matched_by_name(toy: Any) -> None:
    d = toy()
    target = Domain(d.Xt, np.array([30, 10, 20])[d.yt], class_names={10: "b", 20: "c", 30: "a"})
    model = DeepCORAL(NeuralClassifier(**QUICK), use_target_labels=True, random_state=0)
    model.fit(d.X, d.y, target=target, class_names=["a", "b", "c"])
    assert model.classes_.tolist() == [10, 20, 30]
    assert model.score(d.Xn, np.array([30, 10, 20])[d.yn]) > 0.8


def test_target_values_work_in_a_regression(toy: Any) -> None:
    d = toy(classes=None)
    target = Domain(d.Xt, d.yt + 50)
    model = DeepCORAL(NeuralRegressor(**QUICK), use_target_labels=True, random_state=0)
    plain = DeepCORAL(NeuralRegressor(**QUICK), random_state=0).fit(d.X, d.y, target=target)
    model.fit(d.X, d.y, target=target)
    assert model.predict(d.Xn).mean() > plain.predict(d.Xn).mean() + 5


# --- batch norm ---------------------------------------------------------------------------------


def _first_inputs(net: nn.Module, X: Any) -> np.ndarray:
    layer = net.body[0]  # type: ignore[index]
    with torch.no_grad():
        return layer(torch.tensor(X, dtype=torch.float32)).double().numpy()


def test_each_domain_is_answered_with_its_own_statistics(toy: Any) -> None:
    d = toy()
    model = DANN(NeuralClassifier(normed, **QUICK), random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    for net, X in (
        (model.target_model_.network_, d.Xt), (model._source_after.network_, d.X)
    ):  # fmt: skip
        values = _first_inputs(net, X)
        np.testing.assert_allclose(net.body[1].running_mean, values.mean(0), atol=1e-5)
        np.testing.assert_allclose(net.body[1].running_var, values.var(0, ddof=1), rtol=1e-4)
    for a, b in zip(
        model.target_model_.network_.parameters(), model._source_after.network_.parameters(),
        strict=True,
    ):  # fmt: skip
        assert torch.equal(a, b)


def test_without_batch_norm_one_network_answers_both(toy: Any) -> None:
    d = toy()
    model = DANN(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    assert model._source_after is model.target_model_


def test_a_frozen_encoder_keeps_parameters_and_statistics(toy: Any) -> None:
    d = toy()
    model = Probe(NeuralClassifier(normed, **QUICK), random_state=0)
    model.plan = lambda run: Plan([Phase(run.supervised, [run.net])], frozen=[run.base.body])
    model.fit(d.X, d.y, target=Domain(d.Xt))
    before = model.source_model_.network_.body.state_dict()
    for side in (model.target_model_, model._source_after):
        after = side.network_.body.state_dict()
        assert all(torch.equal(value, before[key]) for key, value in after.items())
    assert not torch.equal(
        model.target_model_.network_.head.weight, model.source_model_.network_.head.weight
    )


def test_layers_whose_scale_is_frozen_keep_their_statistics(toy: Any, statistics: Any) -> None:
    d = toy()

    def half_frozen(shape: Any, outputs: int) -> nn.Module:
        net = normed(shape, outputs)
        for p in net[1].parameters():
            p.requires_grad_(False)
        return net

    model = DANN(NeuralClassifier(half_frozen, **QUICK), random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    before = statistics(model.source_model_.network_)
    after = statistics(model.target_model_.network_)
    assert all(torch.equal(value, before[key]) for key, value in after.items())


@pytest.mark.parametrize("network", ["cnn-norm", "resnet"])
def test_images_and_networks_with_batch_norm(network: str) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = rng.integers(0, 60, (60, 12, 12)).astype(np.uint8)
    X[y == 1, 3:9, 3:9] += 120
    Xt = (255 - X)[:45]
    base = NeuralClassifier(network, augment="crop", **QUICK | {"min_steps": 20})
    model = DeepCORAL(base, random_state=0).fit(X, y, target=Domain(Xt))
    assert model.predict(Xt).shape == (45,)
    assert model.score(X, y, domain="source") > 0.9


def test_a_plan_without_phases_only_changes_statistics(toy: Any) -> None:
    d = toy()
    model = Probe(NeuralClassifier(normed, **QUICK), random_state=0)
    model.plan = lambda run: Plan()
    model.fit(d.X, d.y, target=Domain(d.Xt))
    assert model.history_ is None
    source, target = model.source_model_.network_, model.target_model_.network_
    for a, b in zip(source.parameters(), target.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(source.body[1].running_mean, target.body[1].running_mean)


# --- what comes out -----------------------------------------------------------------------------


def test_the_source_may_stay_with_stage_one_and_the_target_get_another_network(toy: Any) -> None:
    d = toy()

    def plan(run: Run) -> Plan:
        body = run.add("target_body", copy.deepcopy(run.base.body))
        network = Network(body, run.base.head)

        def apart(net: Any, batch: Batch) -> SimpleNamespace:
            z = (net.target_body if batch.domain else net.base.body)(batch.x)
            return SimpleNamespace(z=z)

        closer = Term("closer", lambda s, t: (s.z.mean(0) - t.z.mean(0)).square().sum())
        return Plan([Phase([closer], [body])], apart, target=network, source_stays=True)

    model = Probe(NeuralClassifier(**QUICK), random_state=0)
    model.plan = plan
    model.fit(d.X, d.y, target=Domain(d.Xt))
    assert model._source_after is None
    source, target = model.source_model_.network_, model.target_model_.network_
    assert torch.equal(source.head.weight, target.head.weight)
    assert not torch.equal(source.body[1].weight, target.body[1].weight)


def test_a_function_chooses_the_epoch_with_held_out_source_rows(toy: Any) -> None:
    d = toy()
    seen: list[Any] = []

    def third(source: Any, target: Any) -> float:
        seen.append(source)
        return 1.0 if len(seen) == 4 else 0.0  # the first is the start

    model = DeepCORAL(NeuralClassifier(**QUICK), validator=third, random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    assert model.history_ is not None
    assert model.history_.best_epoch == 3
    assert {len(s.y) for s in seen} == {6}  # a tenth of 60


@pytest.mark.parametrize("network", ["mlp", "mlp-norm"])
@pytest.mark.parametrize("method", [ADDA, CAN, DANN, MCD, MDD, SHOT])
def test_the_start_is_kept_where_no_epoch_is_better(method: Any, network: str, toy: Any) -> None:
    d = toy()
    base = NeuralClassifier(network, **QUICK)
    calls = count()
    model = method(base, validator=lambda s, t: -next(calls), random_state=0)
    before = model.fit(d.X, d.y).predict_proba(d.Xn)
    model.adapt(Domain(d.Xt))
    assert model.history_ is not None
    assert model.history_.best_epoch == 0
    assert np.array_equal(model.predict_proba(d.Xn, domain="source"), before)
    expected = before
    if network == "mlp-norm":  # the same network with the target's statistics
        expected = AdaBN(base, random_state=0).fit(d.X, d.y, target=Domain(d.Xt)).predict_proba(
            d.Xn
        )  # fmt: skip
    np.testing.assert_allclose(model.predict_proba(d.Xn), expected, rtol=1e-5, atol=1e-7)


def test_a_run_that_gets_worse_ends_with_the_start(toy: Any) -> None:
    d = toy()

    def plan(run: Run) -> Plan:
        unlearn = Term("unlearn", lambda s, t: -run.task.loss(s, t))
        return Plan([Phase([unlearn], [run.net])])

    model = Probe(NeuralClassifier(**QUICK), random_state=0)
    model.plan = plan
    model.fit(d.X, d.y, target=Domain(d.X))
    assert model.score(d.X, d.y) == model.source_model_.score(d.X, d.y) > 0.9


@pytest.mark.parametrize("labels", [True, False])
def test_regressions_and_few_labels_keep_the_last_epoch(labels: bool, toy: Any) -> None:
    d = toy(classes=3 if labels else None)
    base = (NeuralClassifier if labels else NeuralRegressor)(**QUICK)
    model = DeepCORAL(base, use_target_labels=labels, random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    assert model.history_ is not None
    assert model.history_.best_epoch is None


def test_no_validator_keeps_the_last_epoch(toy: Any) -> None:
    d = toy()
    model = DeepCORAL(NeuralClassifier(**QUICK), validator=None, random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    assert model.history_ is not None
    assert model.history_.best_epoch is None
    assert "validation" not in model.history_.epochs[0]


def test_a_loss_that_is_not_finite_stops_with_a_warning(toy: Any) -> None:
    from acclimate.exceptions import ConvergenceWarning

    d = toy()
    model = DeepCORAL(NeuralClassifier(**QUICK), strength=1e30, random_state=0)
    d.Xt[:] *= 1e20
    with pytest.warns(ConvergenceWarning, match="not finite"):
        model.fit(d.X, d.y, target=Domain(d.Xt))
    assert np.isfinite(model.predict_proba(d.X)).all()


def test_a_stage_two_that_was_killed_goes_on(toy: Any, tmp_path: Any, monkeypatch: Any) -> None:
    from acclimate.training.checkpoint import Checkpoint

    d = toy()
    monkeypatch.setattr(Checkpoint, "due", lambda self: True)
    settings = QUICK | {"dropout": 0.2}
    whole = DANN(NeuralClassifier(**settings), random_state=0)
    whole.fit(d.X, d.y, target=Domain(d.Xt))
    base = NeuralClassifier(**settings, checkpoint=str(tmp_path / "run"))
    model = DANN(base, random_state=0).fit(d.X, d.y)
    saves: list[int] = []
    write = Checkpoint.save

    def killed(self: Any, tensors: Any, facts: Any) -> None:
        write(self, tensors, facts)
        saves.append(facts["step"])
        if len(saves) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        model.adapt(Domain(d.Xt))
    monkeypatch.setattr(Checkpoint, "save", write)
    model.adapt(Domain(d.Xt))
    assert np.array_equal(model.predict_proba(d.Xn), whole.predict_proba(d.Xn))
    assert not list(tmp_path.iterdir())


def test_the_default_sampler_is_endless() -> None:
    from acclimate.training.batch import Data

    order = full_batches(Data(torch.zeros(5, 1)), 3, torch.Generator().manual_seed(0))
    assert [len(next(order)) for _ in range(9)] == [3] * 9
