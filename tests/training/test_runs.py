"""How a run ends, what it leaves behind, and how rows come in and predictions go out."""

from __future__ import annotations

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
from acclimate.training.inference import infer
from acclimate.training.loop import train
from acclimate.training.network import Network, forward, mlp
from acclimate.training.terms import Phase, Settings, Term

Make = Callable[..., Network]


def _state(module: nn.Module) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in module.state_dict().items()}


def _same(module: nn.Module, before: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


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


@pytest.mark.parametrize(("first", "best"), [(0.8, 0), (0.2, 2), (math.nan, 2)])
def test_the_start_is_a_candidate_where_it_was_scored(
    first: float, best: int, source: Data, make: Make, task: Term
) -> None:
    scores, states = iter([0.1, 0.5, 0.3]), []
    net = make()
    states.append(_state(net))

    def validate(network: nn.Module) -> float:
        states.append(_state(network))
        return next(scores)

    history = train(net, [Phase([task], [net])], source, settings=Settings(9, 32), seed=0,
                    validate=validate, start_score=first)  # fmt: skip
    assert (history.best_epoch, len(history.epochs)) == (best, 3)
    assert _same(net, states[best])


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


def test_torch_settings_are_put_back(source: Data, make: Make, task: Term) -> None:
    def look() -> tuple[Any, ...]:
        mkldnn: Any = torch.backends.mkldnn
        return (torch.is_grad_enabled(), torch.is_autocast_enabled("cpu"),
                getattr(getattr(mkldnn, "matmul", None), "fp32_precision", None))  # fmt: skip

    before = look()
    net = make()
    train(net, [Phase([task], [net])], source, settings=Settings(3, 32, precision="bf16"), seed=0)
    infer(net, source.x, precision="bf16")
    assert look() == before


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
