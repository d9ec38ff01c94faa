"""Networks that learn from views of rows without a label: what they minimise, and what moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax
from torch import nn

from acclimate import Domain, FixMatch, FlexMatch, MeanTeacher, NeuralClassifier, PseudoLabel
from acclimate.exceptions import InputError
from acclimate.semisupervised.flex_match import Known
from acclimate.semisupervised.mean_teacher import follow

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 150, "batch_size": 64,
    "learning_rate": 0.01, "random_state": 0,
}  # fmt: skip
ONE = QUICK | {"min_steps": 0, "schedule": "constant"}  # one step, of all rows
STILL: dict[str, Any] = {"rate": 1e-12, "ratio": 1, "random_state": 0}
ALL = pytest.mark.parametrize("method", [PseudoLabel, MeanTeacher, FixMatch, FlexMatch])

RNG = np.random.default_rng(0)
X, XT = RNG.normal(size=(64, 3)), 2 * RNG.normal(size=(64, 3)) + 1
Y = X[:, 0] > 0


def up(x: torch.Tensor) -> torch.Tensor:
    return x + 1.0


def down(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * x - 1.0


def recorded(method: Any, **settings: Any) -> tuple[dict[str, float], Any]:
    """Return the first record of one step that moves nothing, and the source model's scores."""
    model = method(NeuralClassifier(**ONE), **STILL, **settings).fit(X, Y, target=Domain(XT))
    return model.history_.epochs[0], lambda rows: model.source_model_.infer(rows)[1].numpy()


def agreement(logits: Any, guide: Any, least: float) -> tuple[float, float]:
    q = softmax(guide, axis=1)
    sure = q.max(axis=1) >= least
    own = -np.log(softmax(logits, axis=1)[np.arange(len(q)), q.argmax(axis=1)])
    return float((sure * own).mean()), float(sure.mean())


def test_fix_match_labels_the_strong_view_by_the_weak_one() -> None:
    found, scores = recorded(FixMatch, threshold=0.9, weak=up, strong=down)
    expected, used = agreement(scores(0.5 * XT - 1), scores(XT + 1), 0.9)
    assert 0.1 < used < 0.9
    assert found["agree"] == pytest.approx(expected, rel=1e-3)
    assert found["used"] == pytest.approx(used)
    loss = -np.log(softmax(scores(X + 1), axis=1)[np.arange(64), Y.astype(int)]).mean()
    assert found["task"] == pytest.approx(loss, rel=1e-3)  # labelled rows are seen weakly changed


def test_pseudo_label_labels_the_view_that_it_learns_from() -> None:
    found, scores = recorded(PseudoLabel, threshold=0.9, weak=up)
    expected, used = agreement(scores(XT + 1), scores(XT + 1), 0.9)
    assert (found["pseudo"], found["used"]) == pytest.approx((expected, used), rel=1e-3)


def test_flex_match_starts_with_no_threshold() -> None:
    found, scores = recorded(FlexMatch, threshold=0.95, weak=None, strong=down)
    expected, _ = agreement(scores(0.5 * XT - 1), scores(XT), 0.0)
    assert (found["agree"], found["used"]) == pytest.approx((expected, 1.0), rel=1e-3)


def test_mean_teacher_compares_two_draws_of_the_weak_view() -> None:
    calls: list[int] = []

    def alternate(x: torch.Tensor) -> torch.Tensor:
        calls.append(len(x))
        return up(x) if len(calls) % 2 else down(x)

    # drawn in turn: source up, then for the target a second view down and the first up
    found, scores = recorded(MeanTeacher, weak=alternate)
    one, other = (softmax(scores(rows), axis=1) for rows in (XT + 1, 0.5 * XT - 1))
    expected = ((one - other) ** 2).sum(axis=1).mean()
    assert len(calls) == 3
    assert found["consistency"] == pytest.approx(expected, rel=1e-3)


def test_the_teacher_is_a_running_mean_and_predicts() -> None:
    def weights(decay: float) -> tuple[torch.Tensor, torch.Tensor]:
        model = MeanTeacher(NeuralClassifier(**ONE), decay=decay, random_state=0)
        model.fit(X, Y, target=Domain(XT))
        sides = (model.source_model_, model.target_model_)
        one, other = (nn.utils.parameters_to_vector(m.network_.parameters()) for m in sides)
        return one.detach(), other.detach()

    start, network = weights(0.0)  # keeps nothing of its own: the network itself
    assert not torch.equal(start, network)
    torch.testing.assert_close(weights(0.25)[1], 0.25 * start + 0.75 * network)
    torch.testing.assert_close(weights(0.9)[1], 0.5 * (start + network))  # 1 / 2 in the first step


def test_follow_moves_by_the_share_and_leaves_the_other() -> None:
    slow, fast = nn.Linear(2, 1), nn.Linear(2, 1)
    before = [p.detach().numpy().copy() for p in slow.parameters()]
    given = [p.detach().numpy().copy() for p in fast.parameters()]
    for _ in range(3):
        follow(slow, fast, 0.8)
    for old, other, mine, theirs in zip(
        before, given, slow.parameters(), fast.parameters(), strict=True
    ):
        np.testing.assert_allclose(mine.detach(), 0.512 * old + 0.488 * other, rtol=1e-5)
        assert np.array_equal(theirs.detach(), other)


def test_rows_are_known_as_what_they_were_last_sure_to_be() -> None:
    known = Known(6, 2, 0.9)
    sure_0, sure_1, unsure = [9.0, 0.0], [0.0, 9.0], [0.1, 0.0]
    steps = [
        ([0, 1, 2], [sure_0, sure_0, unsure], [0.0, 0.0]),  # nothing is known before
        ([3, 4], [sure_1, unsure], [0.9 * (2 / 4) / (2 - 2 / 4), 0.0]),  # 2 of class 0, 4 of none
        ([1, 2], [unsure, sure_1], [0.9 * (2 / 3) / (2 - 2 / 3), 0.9 * (1 / 3) / (2 - 1 / 3)]),
        ([0], [sure_1], [0.9, 0.9]),  # 2 and 2, and 2 unknown
        ([5], [unsure], [0.9 * (1 / 3) / (2 - 1 / 3), 0.9]),  # row 0 changed its class
    ]
    for rows, guide, expected in steps:
        found = known.thresholds(torch.tensor(guide), torch.tensor(rows))
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert known.learnt.tolist() == [1, 0, 1, 1, -1, -1]


@ALL
def test_strength_zero_is_training_on_labelled_rows(method: Any) -> None:
    one, two = (
        method(NeuralClassifier(**QUICK), strength=0.0, weak=None, random_state=0)
        .fit(X, Y, target=Domain(rows))
        .predict_proba(X)
        for rows in (XT, 9 * XT)
    )
    assert np.array_equal(one, two)


@ALL
@pytest.mark.slow
def test_rows_without_a_label_help(method: Any) -> None:
    rng = np.random.default_rng(2)
    y = np.arange(400) % 2
    rows = rng.normal(size=(400, 8))  # six of the features say nothing
    rows[:, :2] += 2.5 * (2 * y[:, None] - 1) * [1.0, 0.5]
    few = np.concatenate([rng.permutation(np.flatnonzero(y == c))[:3] for c in (0, 1)])
    more = {} if method in (PseudoLabel, MeanTeacher) else {"strong": noise}
    base = NeuralClassifier(**QUICK | {"hidden": (32,), "min_steps": 300})
    model = method(base, weak=noise, ratio=7, random_state=0, **more).fit(rows[few], y[few])
    alone = model.score(rows, y)
    assert model.adapt(Domain(rows)).score(rows, y) > alone + 0.02


def noise(x: torch.Tensor) -> torch.Tensor:
    return x + 0.5 * torch.randn_like(x)


@pytest.mark.parametrize("shape", [(12, 12), (3, 12, 12)])
@pytest.mark.parametrize("words", ["auto", "time,bands"])
def test_images_and_spectrograms_go_in(shape: tuple[int, ...], words: str) -> None:
    images = np.random.default_rng(0).integers(0, 255, size=(20, *shape)).astype(np.uint8)
    base = NeuralClassifier("cnn", hidden=(4,), min_steps=4, augment="noise")
    model = FixMatch(base, weak=words, strong=words).fit(
        images[:6], np.arange(6) % 2, target=Domain(images)
    )
    assert model.predict(images).shape == (20,)


def test_frames_with_categories_go_in() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(size=60), "colour": rng.choice(list("abc"), 60)})
    y = np.where((frame["size"] > 0) ^ (frame["colour"] == "a"), "yes", "no")
    base = NeuralClassifier("tabular", hidden=(8,), min_steps=20)
    model = FlexMatch(base).fit(frame[:20], y[:20], target=Domain(frame))
    assert set(model.predict(frame)) <= {"yes", "no"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("threshold", 1.0), ("weak", "turn"), ("strong", 3), ("ratio", 0), ("strength", -1.0)],
)
def test_settings_out_of_range_are_refused(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=name):
        FixMatch(**{name: value}).fit(X, Y)


def test_words_for_images_are_refused_for_rows() -> None:
    model = FixMatch(NeuralClassifier(**ONE), strong="strong")
    with pytest.raises(InputError, match="needs images"):
        model.fit(X, Y, target=Domain(XT))
