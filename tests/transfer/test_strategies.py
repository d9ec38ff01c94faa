"""Strategies for networks: who moves and who does not, in which order, and how many steps."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from acclimate import Domain, FineTune, NeuralClassifier, NeuralRegressor
from acclimate.exceptions import InputError
from acclimate.training.layers import layer_groups
from acclimate.training.network import Network
from acclimate.transfer import fine_tune
from acclimate.transfer.lora import LowRank, adapters
from acclimate.transfer.strategies import NETWORK_STRATEGIES
from acclimate.transfer.surgical import candidates
from acclimate.transfer.tuning import Tuning, shares

Toy = Callable[..., SimpleNamespace]
TEXT = np.array(["dead", "ill", "well"])
STRATEGIES = list(NETWORK_STRATEGIES)
STEPS = 60


def deep(outputs: int = 3) -> nn.Sequential:
    """Return three layer groups beside running statistics: all that could move."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(),
            nn.Linear(8, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, outputs),
        )  # fmt: skip


LOW, HIGH = ("body.0", "body.1"), ("body.3", "body.4")


def network(cls: Any = NeuralClassifier, outputs: int = 3, **changes: Any) -> Any:
    settings = {
        "network": deep(outputs), "epochs": 1, "min_steps": STEPS, "batch_size": 16,
        "learning_rate": 0.02, "precision": "float32",
    }  # fmt: skip
    return cls(**(settings | changes))


def tuned(toy: Toy, strategy: str, head: str = "copy", base: Any = None, **settings: Any) -> Any:
    d = toy()
    model = FineTune(base or network(), strategy=strategy, head=head, random_state=0, **settings)
    return model.fit(d.X, TEXT[d.y], target=Domain(d.Xt, TEXT[d.yt]))


def state(part: nn.Module) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in part.state_dict().items()}


def moved(model: Any) -> set[str]:
    """Return the names of the layers whose parameters or buffers are not the source's."""
    source, target = state(model.source_model_.network_), state(model.target_model_.network_)
    assert list(source) == list(target)
    return {name.rpartition(".")[0] for name in source if source[name] != target[name]}


def spied(monkeypatch: pytest.MonkeyPatch, name: str) -> list[tuple[Any, ...]]:
    """Note (steps, arguments, network before, network after) of each call of a method of Tuning."""
    calls: list[tuple[Any, ...]] = []
    real = getattr(Tuning, name)

    def spy(self: Tuning, steps: int, **arguments: Any) -> None:
        before = state(self.network)
        real(self, steps, **arguments)
        calls.append((steps, arguments, before, state(self.network)))

    monkeypatch.setattr(Tuning, name, spy)
    return calls


class TestAll:
    @pytest.mark.parametrize("strategy", STRATEGIES)
    @pytest.mark.parametrize("head", ["copy", "new"])
    def test_as_many_steps_as_training_from_scratch(
        self, toy: Toy, strategy: str, head: str
    ) -> None:
        model = tuned(toy, strategy, head)
        assert model.target_model_.n_iter_ == STEPS

    @pytest.mark.parametrize("strategy", STRATEGIES)
    @pytest.mark.parametrize("steps", [1, 2, 5])
    def test_runs_of_a_few_steps(self, toy: Toy, strategy: str, steps: int) -> None:
        model = tuned(toy, strategy, base=network(min_steps=steps, epochs=1, batch_size=64))
        assert model.target_model_.n_iter_ == steps

    @pytest.mark.parametrize("strategy", STRATEGIES)
    def test_two_fits_are_equal_to_the_bit(self, toy: Toy, strategy: str) -> None:
        one, two = (tuned(toy, strategy) for _ in range(2))
        assert state(one.target_model_.network_) == state(two.target_model_.network_)
        assert one.tuned_layers_ == two.tuned_layers_

    @pytest.mark.parametrize("strategy", STRATEGIES)
    @pytest.mark.parametrize("head", ["copy", "new"])
    def test_what_is_said_to_move_moves_and_nothing_else(
        self, toy: Toy, strategy: str, head: str
    ) -> None:
        model = tuned(toy, strategy, head)
        assert moved(model) == set(model.tuned_layers_)

    @pytest.mark.parametrize("strategy", STRATEGIES)
    def test_other_classes(self, toy: Toy, strategy: str) -> None:
        d = toy()
        two = d.yt < 2
        model = FineTune(network(), strategy=strategy, random_state=0)
        model.fit(d.X, TEXT[d.y], target=Domain(d.Xt[two], np.array(["cat", "dog"])[d.yt[two]]))
        assert model.classes_.tolist() == ["cat", "dog"]
        assert model.predict_proba(d.Xn).shape == (len(d.Xn), 2)
        assert model.copied_head_ is False

    @pytest.mark.parametrize("strategy", STRATEGIES)
    @pytest.mark.parametrize("head", ["copy", "new"])
    def test_a_regression_gains(self, toy: Toy, strategy: str, head: str) -> None:
        d = toy(classes=None)
        base = network(NeuralRegressor, outputs=1, min_steps=200)
        model = FineTune(base, strategy=strategy, head=head, random_state=0).fit(d.X, d.y)
        before = model.score(d.Xn, 3 * d.yn + 5)
        model.adapt(Domain(d.Xt, 3 * d.yt + 5))
        assert model.score(d.Xn, 3 * d.yn + 5) > before + 0.1

    @pytest.mark.parametrize("strategy", STRATEGIES)
    def test_every_parameter_still_trains_and_layers_are_plain(
        self, toy: Toy, strategy: str
    ) -> None:
        model = tuned(toy, strategy)
        net, first = model.target_model_.network_, model.source_model_.network_
        assert all(p.requires_grad for p in net.parameters())
        assert [type(m) for m in net.modules()] == [type(m) for m in first.modules()]
        assert not any(m.training for m in net.modules())

    @pytest.mark.parametrize("strategy", STRATEGIES)
    def test_early_stopping(self, toy: Toy, strategy: str) -> None:
        model = tuned(toy, strategy, base=network(early_stopping=True, validation_fraction=0.3))
        assert 0 < model.target_model_.n_iter_ <= STEPS

    def test_the_table_is_what_the_docstring_and_the_checks_know(self) -> None:
        assert ("auto", *NETWORK_STRATEGIES) == fine_tune.STRATEGIES
        text = " ".join((FineTune.__doc__ or "").split())
        assert "{strategies}" not in text
        for name, row in NETWORK_STRATEGIES.items():
            assert f'"{name}" {row.about}' in text
            assert row.run.__doc__

    def test_other_models_have_no_layers(self, toy: Toy) -> None:
        from sklearn.linear_model import LogisticRegression

        d = toy()
        model = FineTune(LogisticRegression()).fit(d.X, TEXT[d.y])
        assert model.adapt(Domain(d.Xt, TEXT[d.yt])).tuned_layers_ is None


class TestGradual:
    def test_groups_are_freed_from_the_head_down(
        self, toy: Toy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        probes, trains = spied(monkeypatch, "probe"), spied(monkeypatch, "train")
        model = tuned(toy, "gradual")
        assert [call[0] for call in (*probes, *trains)] == [20, 20, 20]
        changed = [
            {name.rpartition(".")[0] for name in before if before[name] != after[name]}
            for _, _, before, after in (*probes, *trains)
        ]
        assert changed == [{"head"}, {*HIGH, "head"}, {*LOW, *HIGH, "head"}]
        assert model.tuned_layers_ == [*LOW, *HIGH, "head"]

    def test_with_one_layer_it_is_lp_ft(self, toy: Toy) -> None:
        d = toy()
        one, two = (
            tuned(toy, s, base=network(network="mlp", hidden=(8,))) for s in ("gradual", "lp-ft")
        )
        assert np.array_equal(one.predict_proba(d.Xn), two.predict_proba(d.Xn))

    def test_stages_share_the_steps(self) -> None:
        for total in range(1, 40):
            for parts in range(1, total + 1):
                split = shares(total, parts)
                assert sum(split) == total
                assert max(split) - min(split) <= 1
                assert min(split) >= 1


class TestDiscriminative:
    def test_the_first_step_falls_by_the_factor(self, toy: Toy) -> None:
        """Adam's first step is the learning rate times the sign of the gradient."""
        base = network(min_steps=1, warmup=0.0, schedule="constant", batch_size=64)
        model = tuned(toy, "discriminative", base=base, decay=3.0)
        source, target = model.source_model_.network_, model.target_model_.network_
        size = {
            name: float((a.detach() - b.detach()).abs().max())
            for (name, a), b in zip(source.named_parameters(), target.parameters(), strict=True)
        }
        assert size["head.weight"] == pytest.approx(0.02, rel=1e-3)
        assert size["body.3.weight"] == pytest.approx(0.02 / 3, rel=1e-3)
        assert size["body.4.weight"] == pytest.approx(0.02 / 3, rel=1e-3)
        assert size["body.0.weight"] == pytest.approx(0.02 / 9, rel=1e-3)

    def test_a_factor_of_one_is_full(self, toy: Toy) -> None:
        d = toy()
        one, two = tuned(toy, "discriminative", decay=1.0), tuned(toy, "full")
        assert np.array_equal(one.predict_proba(d.Xn), two.predict_proba(d.Xn))

    def test_a_huge_factor_is_a_still_body(self, toy: Toy) -> None:
        model = tuned(toy, "discriminative", decay=1e9)
        source, target = model.source_model_.network_, model.target_model_.network_
        for a, b in zip(source.body.parameters(), target.body.parameters(), strict=True):
            assert torch.allclose(a, b, atol=1e-6)


class TestLora:
    def body(self) -> nn.Sequential:
        return deep()[:-1].eval()

    def test_at_first_the_function_is_unchanged(self) -> None:
        body, x = self.body(), torch.randn(5, 4)
        before = body(x)
        with adapters(body, rank=2, scale=2.0) as added:
            assert torch.equal(body(x), before)
            assert all(float(a.A.detach().abs().min()) > 0 for a in added)
            assert all(not a.B.any() for a in added)

    def test_merged_weights_against_numpy(self) -> None:
        body = self.body()
        weights = [body[i].weight.detach().numpy().copy() for i in (0, 3)]
        with adapters(body, rank=2, scale=1.5) as added:
            assert [(*a.A.shape, *a.B.shape) for a in added] == [(2, 4, 8, 2), (2, 8, 6, 2)]
            for adapter in added:
                nn.init.normal_(adapter.B)
            x = torch.randn(5, 4)
            adapted = body(x)
        for number, old, adapter in zip((0, 3), weights, added, strict=True):
            A, B = (p.detach().numpy().astype(float) for p in (adapter.A, adapter.B))
            np.testing.assert_allclose(
                body[number].weight.detach().numpy(), old + 1.5 * B @ A, atol=1e-6
            )
        torch.testing.assert_close(body(x), adapted)
        assert type(body[0]) is nn.Linear
        assert list(body[0].state_dict()) == ["weight", "bias"]

    def test_the_rank_is_no_more_than_the_matrix_has(self) -> None:
        adapter = LowRank(torch.zeros(6, 4), rank=64, scale=1.0)
        assert adapter.A.shape == (4, 4)
        assert adapter.B.shape == (6, 4)

    @pytest.mark.parametrize("rank", [1, 2])
    def test_weights_move_by_a_matrix_of_that_rank(self, toy: Toy, rank: int) -> None:
        model = tuned(toy, "lora", rank=rank)
        source, target = model.source_model_.network_, model.target_model_.network_
        for number in (0, 3):
            change = (target.body[number].weight - source.body[number].weight).detach().double()
            sizes = torch.linalg.svdvals(change)
            assert int((sizes > 1e-5 * sizes[0]).sum()) == rank
            assert torch.equal(target.body[number].bias, source.body[number].bias)
        assert moved(model) == {"body.0", "body.3", "head"}

    def test_frozen_weights_stay_up_to_the_merge(
        self, toy: Toy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = spied(monkeypatch, "train")
        model = tuned(toy, "lora")
        (_, _, before, after), = calls  # fmt: skip
        changed = {name for name in before if before[name] != after[name]}
        assert changed == {
            *(f"body.{i}.parametrizations.weight.0.{m}" for i in (0, 3) for m in "AB"),
            "head.weight", "head.bias",
        }  # fmt: skip
        source = state(model.source_model_.network_)
        assert before["body.0.parametrizations.weight.original"] == source["body.0.weight"]

    def test_the_scale_is_alpha_by_rank(self, toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[tuple[int, float]] = []
        real = LowRank.__init__

        def note(self: LowRank, weight: Any, rank: int, scale: float) -> None:
            seen.append((rank, scale))
            real(self, weight, rank, scale)

        monkeypatch.setattr(LowRank, "__init__", note)
        tuned(toy, "lora", rank=4, alpha=2.0)
        tuned(toy, "lora", rank=3)
        assert set(seen) == {(4, 0.5), (3, 2.0)}

    def test_a_body_without_linear_layers(self, toy: Toy) -> None:
        base = network(network=nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 3)))
        with pytest.raises(InputError, match=r'adapts nn.Linear layers, but the body, .*; use "f'):
            tuned(toy, "lora", base=base)

    def test_attention_s_own_linear_layer(self, toy: Toy) -> None:
        """Its weight is read from outside, not through its forward."""

        class Attention(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = nn.MultiheadAttention(4, 2, batch_first=True)
                self.out = nn.Linear(4, 3)

            def forward(self, x: Any) -> Any:
                rows = x.unsqueeze(1)
                return self.out(self.inner(rows, rows, rows)[0].squeeze(1))

        model = tuned(toy, "lora", base=network(network=Attention()))
        assert model.tuned_layers_ == ["body.inner.out_proj", "head"]
        assert moved(model) == {"body.inner.out_proj", "head"}


class TestSurgical:
    @pytest.mark.parametrize("head", ["copy", "new"])
    def test_each_candidate_starts_afresh_and_moves_its_layers(
        self, toy: Toy, monkeypatch: pytest.MonkeyPatch, head: str
    ) -> None:
        calls = spied(monkeypatch, "train")
        model = tuned(toy, "surgical", head)
        assert [steps for steps, *_ in calls] == [7, 8, 7, 8, 30]
        start = calls[0][2]
        assert all(before == start for _, _, before, _ in calls)
        changed = [
            {name.rpartition(".")[0] for name in before if before[name] != after[name]}
            for _, _, before, after in calls
        ]
        along = {"head"} if head == "new" else set()
        assert changed[:4] == [{*LOW, *HIGH, "head"}, {"head"}, {*LOW, *along}, {*HIGH, *along}]
        assert changed[4] == set(model.tuned_layers_)

    def test_candidates_are_tuned_on_some_rows_and_scored_on_others(
        self, toy: Toy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows: list[int] = []
        scored: list[int] = []
        train, validator = NeuralClassifier.train, NeuralClassifier._validator

        def note(self: Any, X: Any, y: Any, *rest: Any, **more: Any) -> Any:
            rows.append(len(y))
            return train(self, X, y, *rest, **more)

        def note_score(self: Any, x: Any, y: Any) -> Any:
            scored.append(len(y))
            return validator(self, x, y)

        d = toy()
        model = FineTune(network(), strategy="surgical", random_state=0).fit(d.X, TEXT[d.y])
        monkeypatch.setattr(NeuralClassifier, "train", note)
        monkeypatch.setattr(NeuralClassifier, "_validator", note_score)
        model.adapt(Domain(d.Xt, TEXT[d.yt]))
        assert rows == [33] * 4 + [45]
        assert scored == [12] * 4

    def test_the_choice_is_the_best_score(self, toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
        for best, names in enumerate(([*LOW, *HIGH, "head"], ["head"], [*LOW], [*HIGH])):
            scores = iter([1.0 if number == best else 0.0 for number in range(4)])
            monkeypatch.setattr(
                NeuralClassifier, "_validator", lambda s, x, y, f=scores: lambda net: next(f)
            )
            model = tuned(toy, "surgical")
            assert model.tuned_layers_ == names
            assert moved(model) == set(names)

    def test_few_rows_are_not_split(self, toy: Toy) -> None:
        d = toy()
        model = FineTune(network(), strategy="surgical", random_state=0).fit(d.X, TEXT[d.y])
        model.adapt(Domain(d.Xt[:39], TEXT[d.yt[:39]]))
        assert model.tuned_layers_ == [*LOW, *HIGH, "head"]

    def test_a_class_with_one_row(self, toy: Toy) -> None:
        d = toy(m=75)
        rows = np.r_[np.flatnonzero(d.yt < 2), np.flatnonzero(d.yt == 2)[:1]]
        model = FineTune(network(), strategy="surgical", random_state=0).fit(d.X, TEXT[d.y])
        model.adapt(Domain(d.Xt[rows], TEXT[d.yt[rows]]))
        assert model.classes_.tolist() == TEXT.tolist()

    def test_layers_that_the_user_froze_are_no_candidates(self) -> None:
        groups = layer_groups(Network(deep()[:-1], nn.Linear(6, 3)))
        for p in groups[0][0].parameters():
            p.requires_grad_(False)
        for p in groups[0][1].parameters():
            p.requires_grad_(False)
        assert candidates(groups, copied=True) == [(0, 1, 2), (2,), (1,)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"decay": 0.5}, "decay must be at least 1, got 0.5"),
        ({"decay": float("nan")}, "decay must be at least 1, got nan"),
        ({"rank": 0}, "rank must be at least 1, got 0"),
        ({"rank": 2.5}, "rank must be a whole number of at least 1, got 2.5"),
        ({"alpha": 0.0}, "alpha must be above 0 or None, got 0.0"),
    ],
    ids=["decay", "nan", "rank", "half", "alpha"],
)
def test_wrong_settings_are_named(toy: Toy, settings: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        tuned(toy, "full", **settings)
