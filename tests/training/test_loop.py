"""The loop against plain torch, and what it promises: what moves, what is kept, what is left."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate import NeuralClassifier
from acclimate.exceptions import ConvergenceWarning, InputError
from acclimate.training.batch import Batch, Data
from acclimate.training.device import find_device, seeded
from acclimate.training.loop import Phase, Settings, Term, infer, train
from acclimate.training.network import Network, cnn, forward, mlp

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


def test_frozen_modules_are_byte_identical_with_their_buffers(source: Data, task: Term) -> None:
    net = _deep()
    before, free = _state(net.inner), _state(net.head)
    hooks = {
        "before_epoch": lambda network, progress: None,
        "validate": lambda network: float(infer(network, source.x)[1].sum()),
    }
    train(net, [Phase([task], [net])], source, settings=Settings(12, 32), seed=0,
          frozen=[net.inner], **hooks)  # type: ignore[arg-type] # fmt: skip
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


# --- how it ends --------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_warns_and_keeps_the_last_finite_weights(
    source: Data, make: Make
) -> None:
    """The loss breaks in the third epoch; what is kept is the end of the second."""
    calls = []

    def breaks(s: Any, t: Any) -> Tensor:
        calls.append(1)
        loss = F.cross_entropy(s.logits, s.y)
        return loss * math.nan if len(calls) == 8 else loss

    net, short = make(), make()
    settings = Settings(12, 32, schedule="constant", warmup=0.0)
    with pytest.warns(ConvergenceWarning, match="step 9: .*learning_rate than 0.004"):
        history = train(net, [Phase([Term("task", breaks)], [net])], source, settings=settings,
                        seed=0)  # fmt: skip
    assert (history.stopped, len(history.epochs)) == ("not finite", 2)
    calls[:] = [1] * 100
    train(short, [Phase([Term("task", breaks)], [short])], source,
          settings=Settings(6, 32, schedule="constant", warmup=0.0), seed=0)  # fmt: skip
    assert _same(net, _state(short))


@pytest.mark.parametrize("steps", [1, 40])
@pytest.mark.parametrize("rate", [1e30, 1e38, math.inf])
def test_exploding_weights_are_not_kept(
    rate: float, steps: int, source: Data, make: Make, task: Term
) -> None:
    """One full batch an epoch, so that the weights explode just where the epoch ends."""
    net = make()
    settings = Settings(steps, 1000, "sgd", rate, "constant", 0.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = train(net, [Phase([task], [net])], source, settings=settings, seed=0)
    if steps > 1 or rate == math.inf:
        assert [w.category for w in caught] == [ConvergenceWarning]
        assert history.stopped == "not finite"
        assert _same(net, _state(make()))
    assert all(p.isfinite().all() for p in net.parameters())


@pytest.mark.parametrize(("patience", "epochs", "stopped"), [(2, 5, "patience"), (None, 8, "done")])
def test_the_best_epoch_is_restored(
    patience: int | None, epochs: int, stopped: str, source: Data, make: Make, task: Term
) -> None:
    scores = iter([0.1, 0.2, 0.9, 0.3, 0.9, 0.4, 0.5, 0.6])
    states = []

    def validate(network: nn.Module) -> float:
        network.eval()
        states.append(_state(network))
        return next(scores)

    net = make()
    settings = Settings(24, 32, patience=patience)
    history = train(net, [Phase([task], [net])], source, settings=settings, seed=0,
                    validate=validate)  # fmt: skip
    assert (len(history.epochs), history.stopped, history.best_epoch) == (epochs, stopped, 3)
    assert history.epochs[2]["validation"] == 0.9
    assert _same(net, states[2])
    assert not _same(net, states[-1])


def test_the_network_is_whole_again_after_an_error(source: Data, make: Make, task: Term) -> None:
    net = make()

    def fails(network: nn.Module, progress: float) -> None:
        if progress > 0.5:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train(net, [Phase([task], [net.body]), Phase([task], [net.head])], source,
              settings=Settings(4, 1000), seed=0, after_step=fails)  # fmt: skip
    assert all(p.requires_grad and p.grad is None for p in net.parameters())
    assert len({p.untyped_storage().data_ptr() for p in net.parameters()}) == 4
    assert not net.training


def test_no_rows_and_nothing_to_train_are_refused(source: Data, make: Make, task: Term) -> None:
    net = make()
    phases, settings = [Phase([task], [net])], Settings(2, 8)
    empty = Data(source.x[:0], source.y)
    for s, t in ((None, None), (empty, None), (source, empty)):
        with pytest.raises(InputError, match="no rows"):
            train(net, phases, s, t, settings=settings, seed=0)
    with pytest.raises(InputError, match="trainable parameter"):
        train(net, phases, source, settings=settings, seed=0, frozen=[net])
    assert all(p.requires_grad for p in net.parameters())


# --- seeds --------------------------------------------------------------------------------------


def test_one_seed_one_result_and_the_global_state_is_untouched(
    source: Data, make: Make, task: Term
) -> None:
    def run(seed: int, outside: int) -> dict[str, Tensor]:
        torch.manual_seed(outside)
        state = torch.get_rng_state()
        net = make(dropout=0.5)
        train(net, [Phase([task], [net])], source, settings=Settings(20, 32), seed=seed)
        assert torch.equal(torch.get_rng_state(), state)
        return _state(net)

    first, again, other = run(3, 0), run(3, 1), run(4, 0)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_everything_is_seeded_before_any_weight_is_made() -> None:
    X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    y = np.arange(40) % 2
    made: list[Tensor] = []

    def build(shape: tuple[int, ...], outputs: int) -> nn.Module:
        net = nn.Sequential(nn.Linear(*shape, 8), nn.ReLU(), nn.Linear(8, outputs))
        made.append(net[0].weight.detach().clone())
        return net

    fits = []
    for outside in (0, 1):
        torch.manual_seed(outside)
        np.random.seed(outside)  # noqa: NPY002
        before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
        fits.append(NeuralClassifier(build, min_steps=10, epochs=1, random_state=5).fit(X, y))
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert torch.equal(made[0], made[1])
    assert np.array_equal(fits[0].decision_function(X), fits[1].decision_function(X))
    NeuralClassifier(build, min_steps=1, epochs=1, random_state=6).fit(X, y)
    assert not torch.equal(made[0], made[2])


def test_seeding_keeps_cudnn_on_and_puts_its_setting_back() -> None:
    cudnn = torch.backends.cudnn
    before = cudnn.enabled, cudnn.deterministic
    with seeded(0, torch.device("cpu")):
        assert (cudnn.enabled, cudnn.deterministic) == (before[0], True)
    assert (cudnn.enabled, cudnn.deterministic) == before


# --- batches and prediction ---------------------------------------------------------------------


def test_data_is_indexed_as_one_tensor(
    source: Data, make: Make, task: Term, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a DataLoader was made")

    monkeypatch.setattr(torch.utils.data.DataLoader, "__init__", refuse)
    net = make()
    seen: list[Batch] = []

    def peek(network: nn.Module, batch: Batch) -> SimpleNamespace:
        seen.append(batch)
        return forward(network, batch)

    train(net, [Phase([task], [net])], source, settings=Settings(6, 32), seed=0, forward=peek)
    assert source.y is not None
    for batch in seen:
        assert torch.equal(batch.x, source.x[batch.index])
        assert batch.y is not None
        assert torch.equal(batch.y, source.y[batch.index])
    for epoch in (seen[:3], seen[3:]):
        assert sorted(torch.cat([b.index for b in epoch]).tolist()) == list(range(90))


def test_sampler_views_and_hooks_are_called_with_what_they_need(
    source: Data, target: Data, make: Make, task: Term
) -> None:
    calls: list[tuple[str, float]] = []

    def first_rows(data: Data, size: int, generator: torch.Generator) -> Iterator[Tensor]:
        assert generator.device.type == "cpu"
        while True:
            yield torch.arange(size * (2 if data.domain else 1))

    def views(batch: Batch) -> Batch:
        return Batch(batch.x, batch.y, batch.weight, batch.index, batch.domain, (batch.x + 1,))

    def look(network: nn.Module, batch: Batch) -> SimpleNamespace:
        assert torch.equal(batch.views[0], batch.x + 1)
        assert len(batch.x) == (12 if batch.domain else 6)
        return forward(network, batch)

    net = make()
    train(net, [Phase([task], [net])], source, target, settings=Settings(30, 6), seed=0,
          sampler=first_rows, views=views, forward=look,
          before_epoch=lambda n, p: calls.append(("epoch", p)),
          after_step=lambda n, p: calls.append(("step", p)))  # fmt: skip
    assert [p for word, p in calls if word == "step"] == [step / 30 for step in range(30)]
    assert [p for word, p in calls if word == "epoch"] == [0.0, 0.5]  # 90 rows: 15 steps a pass
    assert calls[:2] == [("epoch", 0.0), ("step", 0.0)]


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_prediction_in_batches_equals_prediction_at_once(precision: str) -> None:
    body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5))
    net = Network(body, nn.Linear(8, 3))
    x = torch.randn(103, 4)
    z, logits = infer(net, x, batch_size=1000, precision=precision)
    for size in (1, 10, 103):
        z_b, logits_b = infer(net, x, batch_size=size, precision=precision)
        tolerance = 1e-6 if precision == "float32" else 1e-2
        torch.testing.assert_close(z_b, z, rtol=0.0, atol=tolerance)
        torch.testing.assert_close(logits_b, logits, rtol=0.0, atol=tolerance)
    assert (z.shape, logits.shape) == ((103, 8), (103, 3))
    assert not logits.requires_grad


def test_prediction_reads_uint8_pixels_as_training_does() -> None:
    net = mlp((2, 2), 3, (8,), 0.0)
    x = torch.randint(0, 256, (9, 2, 2), dtype=torch.uint8)
    assert torch.equal(infer(net, x, batch_size=4)[1], infer(net, x / 255.0, batch_size=4)[1])


def test_find_device() -> None:
    assert find_device("cpu") == torch.device("cpu")
    assert find_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(InputError, match="'gpu'"):
        find_device("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="torch sees no GPU"):
            find_device("cuda")
