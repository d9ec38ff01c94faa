"""`partial` and `unknown`: the weights that reach a method's terms, and the rows it rejects."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax
from torch import nn

import acclimate
from acclimate import DANN, MCC, DeepCORAL, Domain, NeuralClassifier, NeuralRegressor
from acclimate.deep import DeepAdapter, Plan, Run
from acclimate.deep.open_partial import LabelSets, Rejecting, check_unknown
from acclimate.exceptions import InputError
from acclimate.losses.label_sets import class_centres, knownness, nearest_centre, two_groups
from acclimate.training.norm import norms
from acclimate.training.terms import Phase, Term

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 60, "batch_size": 32,
    "learning_rate": 0.03, "random_state": 0,
}  # fmt: skip


class Probe(DeepAdapter):
    """A method that trains on the source alone and keeps what its terms were given."""

    def __init__(
        self, estimator: Any = None, *, partial: bool = False, unknown: Any = None
    ) -> None:
        super().__init__(estimator, rate=1e-12, validator=None, random_state=0)
        self.partial = partial
        self.unknown = unknown

    def _plan(self, run: Run) -> Plan:
        self.run_ = run
        self.seen_: list[tuple[Any, Any]] = []
        self.epochs_: list[float] = []

        def keep(s: Any, t: Any) -> Any:
            self.seen_.append((s, t))
            return s.logits.sum() * 0.0

        return Plan(
            [Phase([*run.supervised, Term("keep", keep)], [run.net])],
            before_epoch=lambda net, progress: self.epochs_.append(progress),
            weighs_target=True,
        )


def three_and_new(seed: int = 0) -> SimpleNamespace:
    """Return three classes, and a target that lacks the last and has rows far from all."""
    rng = np.random.default_rng(seed)
    centres = 4.0 * np.eye(4)

    def draw(classes: Any) -> Any:
        return centres[classes] + 0.5 * rng.normal(size=(len(classes), 4))

    y, yt = np.arange(90) % 3, np.array([0, 1, 3])[np.arange(90) % 3]
    return SimpleNamespace(X=draw(y), y=y, Xt=draw(yt), yt=yt, Xn=draw(yt), yn=yt)


def fitted(model: Any, d: SimpleNamespace, **fit: Any) -> Any:
    return model.fit(d.X, d.y, target=Domain(d.Xt), **fit)


# --- weights ------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
def test_source_rows_count_by_how_frequent_their_class_is(weighted: bool) -> None:
    d = three_and_new()
    given = np.random.default_rng(1).uniform(0.5, 2.0, 90) if weighted else np.ones(90)
    model = Probe(NeuralClassifier(**QUICK), partial=True)
    fitted(model, d, sample_weight=given if weighted else None)
    w = given / given.mean()
    shares = np.array([w[d.y == c].sum() for c in range(3)]) / w.sum()
    logits = model.source_model_.infer(d.Xt.astype(np.float32))[1].numpy().astype(float)
    of_class = softmax(logits, axis=1).mean(0) / shares  # the rate is about 0: nothing moves
    assert of_class[2] < of_class[:2].min()
    s, t = model.seen_[0]
    rows = s.index.numpy()
    np.testing.assert_allclose(s.weight.numpy(), (of_class[d.y] * w)[rows], rtol=1e-4)
    assert t.weight is None


def test_target_rows_count_by_how_near_they_are() -> None:
    d = three_and_new()
    model = fitted(Probe(NeuralClassifier(**QUICK), unknown=-1), d)
    infer = model.source_model_.infer
    zs, zt = (infer(rows.astype(np.float32))[0] for rows in (d.X, d.Xt))
    far = nearest_centre(zt, *class_centres(zs, torch.tensor(d.y), 3))
    w = knownness(far, *two_groups(far)).numpy()
    s, t = model.seen_[-1]
    np.testing.assert_allclose(t.weight.numpy(), w[t.index.numpy()], rtol=1e-3, atol=1e-4)
    assert s.weight is None
    assert w[d.yt == 3].max() < w[d.yt < 3].min()


def test_both_together_count_known_rows_alone() -> None:
    d = three_and_new()
    one, both = (
        fitted(Probe(NeuralClassifier(**QUICK), partial=True, unknown=unknown), d).seen_[0][0]
        for unknown in (None, -1)
    )
    assert torch.equal(one.y, both.y)
    third = (one.y == 2).numpy()  # what the unknown rows are taken for counts less now
    assert both.weight[third].max() < one.weight[third].min() + 1e-6
    assert not torch.allclose(one.weight, both.weight, rtol=1e-3)


def test_without_them_no_weights_and_the_same_plan() -> None:
    d = three_and_new()
    s, t = fitted(Probe(NeuralClassifier(**QUICK)), d).seen_[0]
    assert s.weight is None
    assert t.weight is None


def test_the_methods_own_hook_still_runs() -> None:
    d = three_and_new()
    epochs = [
        fitted(Probe(NeuralClassifier(**QUICK), **settings), d).epochs_
        for settings in ({}, {"partial": True}, {"unknown": 3})
    ]
    assert epochs[0] == epochs[1] == epochs[2]
    assert len(epochs[0]) > 3


def test_looking_moves_no_statistics_of_batch_norm(statistics: Any) -> None:
    def normed(shape: tuple[int, ...], outputs: int) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, outputs))

    run = fitted(Probe(NeuralClassifier(normed, **QUICK)), three_and_new()).run_
    before = statistics(run.base)
    sets = LabelSets(run, norms(run.base, ()), partial=True, reject=True, weighs_target=True)
    sets.renew()
    assert sets.of_class is not None
    assert before
    after = statistics(run.base)
    assert all(torch.equal(value, after[name]) for name, value in before.items())


# --- rejecting ----------------------------------------------------------------------------------


def test_far_rows_are_called_unknown_on_the_target_alone() -> None:
    d = three_and_new()
    model = DANN(NeuralClassifier(**QUICK), unknown=-1, random_state=0).fit(d.X, d.y)
    assert -1 not in model.predict(d.Xn)  # not adapted: no target, no rejected row
    model.adapt(Domain(d.Xt))
    truth = np.where(d.yn == 3, -1, d.yn)
    assert model.score(d.Xn, truth) > 0.95
    assert -1 not in model.predict(d.Xn, domain="source")
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.predict_proba(d.Xn).shape == (90, 3)
    assert model.predict(d.Xn).dtype == d.y.dtype
    kept = model.predict(d.Xn) != -1
    best = model.classes_[model.predict_proba(d.Xn).argmax(1)]
    assert np.array_equal(model.predict(d.Xn)[kept], best[kept])


def test_none_rejects_nothing_and_changes_nothing() -> None:
    d = three_and_new()
    model = fitted(DANN(NeuralClassifier(**QUICK), random_state=0), d)
    assert not isinstance(model.target_model_, Rejecting)
    assert set(model.predict(d.Xn)) <= {0, 1, 2}


def test_names_are_not_cut_to_the_length_of_the_classes() -> None:
    d = three_and_new()
    names = np.array(["a", "b", "c"])
    model = MCC(NeuralClassifier(**QUICK), unknown="something else", random_state=0)
    model.fit(d.X, names[d.y], target=Domain(d.Xt))
    assert "something else" in model.predict(d.Xn)
    assert set(model.predict(d.Xn)) <= {"a", "b", "c", "something else"}


@pytest.mark.parametrize("names", [("a", "b", "c"), (0, 1, 2), (0.0, 1.0, 2.0)], ids=str)
def test_a_saved_model_rejects_the_same_rows(names: Any, tmp_path: Any) -> None:
    d = three_and_new()
    unknown: Any = "new" if isinstance(names[0], str) else -1
    model = DeepCORAL(NeuralClassifier(**QUICK), unknown=unknown, random_state=0)
    model.fit(d.X, np.array(names)[d.y], target=Domain(d.Xt))
    loaded = acclimate.load(model.save(tmp_path / "m.acclimate"))
    assert loaded.unknown == unknown
    assert unknown in loaded.predict(d.Xn)
    assert np.array_equal(loaded.predict(d.Xn), model.predict(d.Xn))
    assert np.array_equal(loaded.predict_proba(d.Xn), model.predict_proba(d.Xn))


def test_classes_that_the_target_calls_otherwise() -> None:
    d = three_and_new()
    known = np.flatnonzero(d.yt < 3)
    labels = np.where(d.yt < 3, np.array(["x", "w", "v", "v"])[d.yt], "x")
    target = Domain(
        d.Xt, labels, labelled=np.isin(np.arange(90), known),
        class_names={"x": "zero", "w": "one", "v": "two"},
    )  # fmt: skip
    model = DANN(NeuralClassifier(**QUICK), unknown="u", use_target_labels=True, random_state=0)
    with pytest.raises(InputError, match=r"unknown must be a label like the classes, \[0, 1, 2\]"):
        model.fit(d.X, d.y)
    source = np.array(["a", "b", "c"])[d.y]
    model.fit(d.X, source, target=target, class_names={"a": "zero", "b": "one", "c": "two"})
    truth = np.array(["x", "w", "v", "u"])[d.yn]
    assert model.classes_.tolist() == ["v", "w", "x"]
    assert model.score(d.Xn, truth) > 0.9
    with pytest.raises(InputError, match="none of the classes, got 'x'"):
        model.set_params(unknown="x").adapt(target)


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "unknown", "words"),
    [
        (["a", "b"], -1, "like the classes"),
        ([0, 1], "new", "like the classes"),
        ([0, 1], 0.5, "a whole number"),
        ([0, 1], 2.0, "like the classes"),
        ([0, 1], True, "a text or a whole number"),
        ([False, True], 2, "like the classes"),
        ([0, 1], float("nan"), "a text or a whole number"),
        ([0.0, 1.0], [2.0], "a text or a whole number"),
        ([0, 1], 1, "none of the classes"),
        (["a", "b"], "b", "none of the classes"),
        ([0.0, 1.0], 1, "none of the classes"),
    ],
)
def test_labels_that_do_not_fit(classes: Any, unknown: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        check_unknown(unknown, np.array(classes))
    assert repr(unknown) in str(caught.value)


@pytest.mark.parametrize(
    ("classes", "unknown"),
    [
        ([0, 1], -1), ([0.0, 1.0], 2), ([0.0, 1.0], -1.0), (["a", "b"], "c"),
        (np.array(["a", "b"], dtype=object), "c"), ([0, 1], np.int64(5)), ([0, 1], None),
    ],
)  # fmt: skip
def test_labels_that_fit(classes: Any, unknown: Any) -> None:
    check_unknown(unknown, np.array(classes))


@pytest.mark.parametrize("settings", [{"partial": True}, {"unknown": -1}, {"partial": 1}], ids=str)
def test_a_regression_has_no_classes(settings: Any, toy: Any) -> None:
    d = toy(classes=None)
    model = DANN(NeuralRegressor(**QUICK), **settings)
    with pytest.raises(InputError, match=next(iter(settings))):
        model.fit(d.X, d.y)
    assert not hasattr(model, "source_model_")
