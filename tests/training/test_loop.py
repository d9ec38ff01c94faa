"""The loop against plain torch, and which modules it moves."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.exceptions import ConvergenceWarning
from acclimate.training.batch import Batch, Data
from acclimate.training.inference import infer
from acclimate.training.loop import train
from acclimate.training.network import Network, cnn, forward
from acclimate.training.terms import Phase, Settings, Term

Make = Callable[..., Network]

PLAIN = Settings(steps=1, batch_size=1000, optimizer="sgd", learning_rate=0.1,
                 schedule="constant", warmup=0.0)  # fmt: skip


def _state(module: nn.Module) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in module.state_dict().items()}


def _same(module: nn.Module, before: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


# --- numbers ------------------------------------------------------------------------------------


def _rate(step: int, steps: int) -> float:
    """Return the loop's default, written out: a tenth of warm-up, then a straight fall."""
    top = steps // 10
    return (step + 1) / top if step < top else (steps - step) / (steps - top)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_training_equals_a_loop_written_by_hand(
    optimizer: str, source: Data, target: Data, make: Make, task: Term
) -> None:
    steps, size, lr = 40, 32, 0.02
    settings = Settings(steps, size, optimizer, lr, weight_decay=0.01)
    closer = Term("closer", lambda s, t: (s.z.mean(0) - t.z.mean(0)).square().sum(), 0.5)
    ours = make(dropout=0.25)
    plain = copy.deepcopy(ours)
    drawn: list[Tensor] = []

    def record(network: nn.Module, batch: Batch) -> SimpleNamespace:
        drawn.append(batch.index)
        return forward(network, batch)

    history = train(ours, [Phase([task, closer], [ours])], source, target, settings=settings,
                    seed=7, forward=record)  # fmt: skip

    assert source.y is not None
    parameters = list(plain.parameters())
    rule: torch.optim.Optimizer = {
        "adam": lambda: torch.optim.Adam(parameters, lr, weight_decay=0.01),
        "adamw": lambda: torch.optim.AdamW(parameters, lr, weight_decay=0.01),
        "sgd": lambda: torch.optim.SGD(
            parameters, lr, momentum=0.9, nesterov=True, weight_decay=0.01
        ),
    }[optimizer]()
    losses = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        plain.train()
        for step in range(steps):
            rows, others = drawn[2 * step], drawn[2 * step + 1]
            z, logits = plain(source.x[rows])
            z_t, _ = plain(target.x[others])
            loss = F.cross_entropy(logits, source.y[rows])
            gap = (z.mean(0) - z_t.mean(0)).square().sum()
            rule.zero_grad()
            (loss + 0.5 * gap).backward()
            rule.param_groups[0]["lr"] = lr * _rate(step, steps)
            rule.step()
            losses.append([loss.item(), gap.item()])
            if step % 3 == 2:
                plain.train()  # an epoch ends: dropout drops the masks it drew ahead
    for mine, theirs in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0.0, atol=2e-6)
    # 90 rows give batches of 32, 32 and 26 an epoch; 60 rows give 32 and 28
    assert [len(rows) for rows in drawn[:8]] == [32, 32, 32, 28, 26, 32, 32, 28]
    assert [epoch["step"] for epoch in history.epochs] == [*range(3, 40, 3), 40]
    first, last = np.mean(losses[:3], axis=0), np.mean(losses[39:], axis=0)
    np.testing.assert_allclose(_terms(history.epochs[0]), first, rtol=1e-4)
    np.testing.assert_allclose(_terms(history.epochs[-1]), last, rtol=1e-4)


def _terms(record: dict[str, float]) -> list[float]:
    return [record["task"], record["closer"]]


def test_row_weights_reach_the_loss(source: Data, make: Make, task: Term) -> None:
    weight = torch.zeros(90)
    weight[:30] = 3.0
    weighted, fewer = make(), make()
    settings = Settings(20, 1000, warmup=0.0)
    assert source.y is not None
    train(weighted, [Phase([task], [weighted])], Data(source.x, source.y, weight),
          settings=settings, seed=0)  # fmt: skip
    train(fewer, [Phase([task], [fewer])], Data(source.x[:30], source.y[:30]),
          settings=settings, seed=0)  # fmt: skip
    for mine, theirs in zip(weighted.parameters(), fewer.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0.0, atol=1e-5)


def test_rates_scale_the_step_of_some_modules(source: Data, make: Make, task: Term) -> None:
    whole, half = make(), make()
    before = _state(whole)
    train(whole, [Phase([task], [whole])], source, settings=PLAIN, seed=0)
    train(half, [Phase([task], [half])], source, settings=PLAIN, seed=0, rates={half.body: 0.25})
    for key, start in before.items():
        factor = 0.25 if key.startswith("body") else 1.0
        moved = whole.state_dict()[key] - start
        torch.testing.assert_close(half.state_dict()[key] - start, factor * moved,
                                   rtol=0.0, atol=1e-7)  # fmt: skip


def test_a_ramp_sees_the_progress_and_scales_its_term(source: Data, make: Make, task: Term) -> None:
    seen: list[float] = []

    def ramp(progress: float) -> float:
        seen.append(progress)
        return 2.0 * progress

    net, other = make(), make()
    settings = Settings(4, 1000, "sgd", 0.1, "constant", 0.0)
    train(net, [Phase([Term("task", task.loss, ramp)], [net])], source, settings=settings, seed=0)
    assert seen == [0.0, 0.25, 0.5, 0.75]
    train(other, [Phase([Term("task", task.loss, lambda p: 0.0)], [other])], source,
          settings=settings, seed=0)  # fmt: skip
    assert _same(other, _state(make()))
    double, single = make(), make()
    train(double, [Phase([Term("task", task.loss, 2.0)], [double])], source, settings=PLAIN, seed=0)
    train(single, [Phase([task, task], [single])], source, settings=PLAIN, seed=0)
    for mine, theirs in zip(double.parameters(), single.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0.0, atol=1e-7)


def test_bf16_runs_and_is_close(source: Data, make: Make, task: Term) -> None:
    nets = {}
    for precision in ("float32", "bf16"):
        net = nets[precision] = make()
        kinds = set()

        def peek(network: nn.Module, batch: Batch, kinds: set[Any] = kinds) -> SimpleNamespace:
            out = forward(network, batch)
            kinds.add(out.logits.dtype)
            return out

        settings = Settings(60, 32, learning_rate=0.02, precision=precision)
        train(net, [Phase([task], [net])], source, settings=settings, seed=0, forward=peek)
        assert kinds == {torch.float32 if precision == "float32" else torch.bfloat16}
        assert {p.dtype for p in net.parameters()} == {torch.float32}
    plain = infer(nets["float32"], source.x)[1].softmax(1)
    rough = infer(nets["bf16"], source.x, precision="bf16")[1].softmax(1)
    assert rough.dtype == torch.float32
    assert not torch.equal(plain, rough)
    assert (plain - rough).abs().max() < 0.1


def test_a_convolution_in_bf16_and_channels_last(task: Term) -> None:
    net = cnn((12, 12), 3, (8,), 0.0)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    layouts = [p.stride() for p in net.parameters()]
    y = torch.arange(30) % 3
    x = torch.zeros(30, 12, 12, dtype=torch.uint8)
    x[torch.arange(30), :, y * 4] = 255  # a bright column tells the class
    settings = Settings(40, 16, learning_rate=0.02, precision="bf16")
    train(net, [Phase([task], [net])], Data(x, y), settings=settings, seed=0)
    assert [p.stride() for p in net.parameters()] == layouts
    assert (infer(net, x)[1].argmax(1) == y).float().mean() > 0.9


# --- what moves ---------------------------------------------------------------------------------


class _Deep(nn.Module):
    """Modules inside modules, with batch norm, whose running figures are buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.ModuleDict(
            {
                "low": nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8)),
                "high": nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Dropout(0.3)),
            }
        )
        self.head = nn.Linear(8, 3)
        self.extra = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        z = self.inner["high"](self.inner["low"](x))
        return z, self.head(z) + self.extra(z)


def _deep(seed: int = 0) -> _Deep:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _Deep()


def test_phases_move_their_modules_alone(source: Data, task: Term) -> None:
    moving = {
        "inner.low": lambda net: net.inner["low"],
        "inner": lambda net: net.inner,
        "head": lambda net: net.head,
    }
    for name, pick in moving.items():
        net = _deep()
        before = {key: p.detach().clone() for key, p in net.named_parameters()}
        train(net, [Phase([task], [pick(net)])], source, settings=Settings(5, 32), seed=0)
        for key, p in net.named_parameters():
            inside = key.startswith(name + ".")
            # a bias in front of batch norm has no influence, so its gradient is noise
            if not key.endswith(("low.0.bias", "high.0.bias")):
                assert torch.equal(p, before[key]) != inside, (name, key)


def test_each_phase_asks_gradients_of_its_modules_only(source: Data, task: Term) -> None:
    net = _deep()
    asked: list[tuple[bool, bool, bool]] = []

    def peek(network: nn.Module, batch: Batch) -> SimpleNamespace:
        asked.append((net.inner["low"][0].weight.requires_grad, net.head.weight.requires_grad,
                      net.extra.weight.requires_grad))  # fmt: skip
        return forward(network, batch)

    phases = [
        Phase([task], [net.inner, net.head]),
        Phase([task], [net.head]),
        Phase([task], [net.inner["low"]], repeat=2),
    ]
    train(net, phases, source, settings=Settings(2, 32), seed=0, forward=peek)
    step = [(True, True, False), (False, True, False), (True, False, False), (True, False, False)]
    assert asked == 2 * step
    assert all(p.requires_grad for p in net.parameters())
    assert all(p.grad is None for p in net.parameters())


def test_phases_follow_one_another_within_a_step(source: Data, make: Make, task: Term) -> None:
    """Two phases with full batches equal two calls of the loop, one after the other."""
    together, apart = make(), make()
    train(together, [Phase([task], [together.head]), Phase([task], [together.body])], source,
          settings=PLAIN, seed=0)  # fmt: skip
    train(apart, [Phase([task], [apart.head])], source, settings=PLAIN, seed=0)
    train(apart, [Phase([task], [apart.body])], source, settings=PLAIN, seed=0)
    for mine, theirs in zip(together.parameters(), apart.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0.0, atol=1e-6)


@pytest.mark.parametrize(
    "hooks", [(), ("before_epoch",), ("validate",), ("before_epoch", "validate")]
)
def test_frozen_modules_are_byte_identical_with_their_buffers(
    hooks: tuple[str, ...], source: Data, task: Term
) -> None:
    """Hooks may put the network in another mode; what is frozen stays frozen."""
    net = _deep()
    before, free = _state(net.inner), _state(net.head)

    def disturb(network: nn.Module, progress: float = 0.0) -> float:
        score = float(infer(network, source.x)[1].sum())
        network.train()
        return score

    train(net, [Phase([task], [net])], source, settings=Settings(12, 32), seed=0,
          frozen=[net.inner], **dict.fromkeys(hooks, disturb))  # type: ignore[arg-type] # fmt: skip
    assert _same(net.inner, before)
    assert not _same(net.head, free)
    assert all(p.requires_grad and p.grad is None for p in net.parameters())
    moved = _deep()
    train(moved, [Phase([task], [moved.head])], source, settings=Settings(12, 32), seed=0)
    assert not _same(moved.inner, before)  # not frozen: batch norm goes on counting


def test_parameters_that_the_user_froze_stay_frozen(source: Data, make: Make, task: Term) -> None:
    net = make()
    net.head.requires_grad_(False)
    before = _state(net.head)
    train(net, [Phase([task], [net])], source, settings=Settings(5, 32), seed=0, frozen=[net.head])
    assert _same(net.head, before)
    assert not any(p.requires_grad for p in net.head.parameters())


def test_what_join_adds_is_part_of_the_forward_pass(
    source: Data, target: Data, make: Make, task: Term
) -> None:
    def apart(network: nn.Module, batch: Batch) -> SimpleNamespace:
        out = forward(network, batch)
        out.score = out.z.sum(1)
        return out

    def together(network: nn.Module, s: Any, t: Any) -> None:
        s.score, t.score = torch.cat([s.z, t.z]).sum(1).split([len(s.z), len(t.z)])

    gap = Term("gap", lambda s, t: (s.score.mean() - t.score.mean()).square(), 0.1)
    nets = [make(), make()]
    for net, how in zip(nets, ({"forward": apart}, {"join": together}), strict=True):
        train(net, [Phase([task, gap], [net])], source, target, settings=PLAIN, seed=0, **how)
    for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("frozen", [True, False])
def test_batch_norm_whose_scale_is_frozen_keeps_its_statistics(
    frozen: bool, source: Data, task: Term
) -> None:
    torch.manual_seed(0)
    body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU())
    net = Network(body, nn.Linear(8, 3))
    for p in body[1].parameters():
        p.requires_grad_(not frozen)
    before = _state(body[1])
    train(net, [Phase([task], [net])], source, settings=PLAIN, seed=0)
    assert torch.equal(body[1].running_mean, before["running_mean"]) == frozen
    assert _same(body[1], before) == frozen
    assert all(p.requires_grad is not frozen for p in body[1].parameters())


# --- measures and watching ----------------------------------------------------------------------


def test_measures_are_recorded_and_change_nothing(
    source: Data, target: Data, make: Make, task: Term
) -> None:
    sure = Term("sure", lambda s, t: t.logits.softmax(1).amax(1).mean())
    settings = Settings(9, 30)
    nets, histories = [make(), make()], []
    for net, measures in zip(nets, ([], [sure]), strict=True):
        phase = Phase([task], [net], measures=measures)
        histories.append(train(net, [phase], source, target, settings=settings, seed=0))
    assert _same(nets[0], _state(nets[1]))
    plain, measured = (history.epochs for history in histories)
    assert [{k: v for k, v in epoch.items() if k != "sure"} for epoch in measured] == plain
    assert all(1 / 3 < epoch["sure"] < 1.0 for epoch in measured)


def test_a_watcher_adds_figures_and_stops_with_a_reason(
    source: Data, make: Make, task: Term
) -> None:
    net, seen = make(), []

    def watch(network: nn.Module, epochs: list[dict[str, float]]) -> str | None:
        assert network is net
        epochs[-1]["twice"] = 2.0 * epochs[-1]["task"]
        seen.append(_state(network))
        return "enough is known" if len(epochs) == 2 else None

    with pytest.warns(ConvergenceWarning, match="stopped at step 6: enough is known"):
        history = train(net, [Phase([task], [net])], source, settings=Settings(30, 30), seed=0,
                        watch=watch)  # fmt: skip
    assert history.stopped == "collapse"
    assert len(history.epochs) == len(seen) == 2
    assert all(epoch["twice"] == 2.0 * epoch["task"] for epoch in history.epochs)
    assert _same(net, seen[1])


def test_the_best_epoch_is_restored_after_a_watcher_stopped_the_run(
    source: Data, make: Make, task: Term
) -> None:
    net, states = make(), []

    def validate(network: nn.Module) -> float:
        states.append(_state(network))
        return -float(len(states))

    with pytest.warns(ConvergenceWarning, match="enough"):
        history = train(net, [Phase([task], [net])], source, settings=Settings(30, 30), seed=0,
                        validate=validate,
                        watch=lambda n, epochs: "enough" if len(epochs) == 3 else None)  # fmt: skip
    assert history.best_epoch == 1
    assert _same(net, states[0])
