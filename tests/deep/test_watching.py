"""Which epoch is kept, and when a collapse stops a run."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from acclimate.deep.watching import AUTO, EPOCH_SCORES, Outputs, Watcher
from acclimate.training.batch import Data
from acclimate.training.network import Network
from acclimate.training.norm import norms


class Fixed(nn.Module):
    """Returns its input: features that a test chose are the logits, too."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def _watcher(x: Tensor, *, steps: int = 1000, validator: object = AUTO,
             regression: bool = False) -> Watcher:  # fmt: skip
    net = Network(nn.Identity(), Fixed())
    return Watcher(x, None, net, validator, "float32", [], steps=steps, regression=regression)


MIXED = torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 1.0]])
ONE = torch.tensor([[2.0, 0.0], [1.0, 0.0], [3.0, 1.0]])


def test_the_default_is_the_mutual_information_of_rows_and_predictions() -> None:
    logits = np.array([[2.0, 0.0, 1.0], [0.0, 1.0, -1.0]])
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    mean = p.mean(0)
    expected = -(mean * np.log(mean)).sum() + (p * np.log(p)).sum(1).mean()
    watcher = _watcher(torch.tensor(logits, dtype=torch.float32))
    assert watcher.validate(watcher.network) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", EPOCH_SCORES)
def test_every_named_validator_runs(name: str) -> None:
    watcher = _watcher(MIXED, validator=name)
    assert np.isfinite(watcher.validate(watcher.network))


def test_one_class_for_a_tenth_of_the_run_is_a_collapse() -> None:
    watcher = _watcher(MIXED)
    epochs = [{"step": 50.0}]
    assert watcher.watch(watcher.network, epochs) is None
    watcher.x = ONE
    for step in (100.0, 149.0):
        epochs.append({"step": step})
        assert watcher.watch(watcher.network, epochs) is None
    epochs.append({"step": 150.0})
    assert "predicted as one class" in str(watcher.watch(watcher.network, epochs))


def test_several_classes_in_between_start_the_count_again() -> None:
    watcher, epochs = _watcher(MIXED), []
    for step, rows in ((90.0, ONE), (150.0, MIXED), (240.0, ONE)):
        watcher.x = rows
        epochs.append({"step": step})
        assert watcher.watch(watcher.network, epochs) is None


def test_a_target_of_one_class_from_the_start_is_no_collapse() -> None:
    watcher = _watcher(ONE)
    assert watcher.watch(watcher.network, [{"step": 1000.0}]) is None


@pytest.mark.parametrize(("accuracy", "warns"), [(0.515, True), (0.49, True), (0.53, False)])
def test_a_discriminator_at_chance_for_a_tenth_of_the_run_gives_one_warning(
    accuracy: float, warns: bool
) -> None:
    watcher, epochs = _watcher(MIXED, steps=3000), []
    for step in (100.0, 200.0, 300.0, 400.0):
        epochs.append({"step": step, "domain_accuracy": accuracy})
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert watcher.watch(watcher.network, epochs) is None
        assert len(caught) == (warns and step == 300.0)
        assert epochs[-1]["a_distance"] == pytest.approx(4 * accuracy - 2)


def test_a_discriminator_that_learns_late_is_not_warned_of(recwarn: Any) -> None:
    watcher, epochs = _watcher(MIXED), []
    for step, accuracy in ((50.0, 0.49), (100.0, 0.54)):
        epochs.append({"step": step, "domain_accuracy": accuracy})
        assert watcher.watch(watcher.network, epochs) is None
    assert not recwarn


def test_short_runs_are_not_judged(recwarn: Any) -> None:
    watcher = _watcher(MIXED, steps=60)
    epochs = [{"step": 60.0, "domain_accuracy": 0.5}]
    assert watcher.watch(watcher.network, epochs) is None
    assert not recwarn


def test_the_start_is_scored_by_what_predicts_then() -> None:
    class Twice(Fixed):
        def forward(self, x: Tensor) -> Tensor:
            return 2 * x

    start, net = (Network(nn.Identity(), head) for head in (Twice(), Fixed()))
    watcher = Watcher(MIXED, None, net, lambda s, t: float(t.logits[0, 0]), "float32", [],
                      steps=10, regression=False, start=start)  # fmt: skip
    assert (watcher.start_score, watcher.validate(net)) == (4.0, 2.0)
    assert _watcher(MIXED, validator=None).start_score is None


def test_a_regression_without_a_validator_is_not_looked_at() -> None:
    class Never(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise AssertionError

    net = Network(nn.Identity(), Never())
    watcher = Watcher(MIXED, None, net, None, "float32", [], steps=10, regression=True)
    assert watcher.watch(net, [{"step": 10.0}]) is None


def test_a_function_sees_held_out_source_rows_and_the_target() -> None:
    seen: list[tuple[Outputs, Outputs]] = []

    def score(source: Outputs, target: Outputs) -> float:
        seen.append((source, target))
        return 7.0

    net = Network(nn.Identity(), Fixed())
    held = Data(MIXED + 1, torch.tensor([0, 1, 0]))
    watcher = Watcher(MIXED, held, net, score, "float32", [], steps=10, regression=False)
    assert watcher.validate(net) == 7.0
    source, target = seen[0]
    np.testing.assert_array_equal(source.logits, MIXED + 1)
    np.testing.assert_array_equal(source.y, [0, 1, 0])
    np.testing.assert_array_equal(target.logits, MIXED)
    assert target.y is None


def test_looking_uses_the_targets_statistics_and_leaves_the_networks_alone(statistics: Any) -> None:
    torch.manual_seed(0)
    net = Network(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), nn.Linear(3, 2)).eval()
    x = 5 + 3 * torch.randn(40, 2)
    before = statistics(net)
    seen: list[Outputs] = []
    watcher = Watcher(x, None, net, lambda s, t: seen.append(t) or 0.0, "float32", norms(net),
                      steps=10, regression=False)  # fmt: skip
    watcher.validate(net)
    assert all(torch.equal(value, before[key]) for key, value in statistics(net).items())
    np.testing.assert_allclose(seen[0].z.mean(0), 0.0, atol=1e-5)
    np.testing.assert_allclose(seen[0].z.var(0), 1.0, rtol=1e-3)


def test_at_most_512_rows_are_looked_at() -> None:
    assert len(_watcher(MIXED.repeat(400, 1)).x) <= 512
