"""Seven methods, each a handful of lines on the loop, with no special case in it.

They are not the library's methods. They show that batches, terms, phases, ``forward``, ``views``,
``sampler`` and the two hooks are enough for adversaries, several classifiers, pseudo-labels,
teachers, missing sources and missing labels. docs/architecture.md prints the same sketches.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.losses.supervised import cross_entropy
from acclimate.training.batch import Batch, Data, shuffled
from acclimate.training.inference import infer
from acclimate.training.loop import train
from acclimate.training.network import Network, forward
from acclimate.training.schedules import sigmoid_ramp
from acclimate.training.terms import Phase, Settings, Term

Make = Callable[..., Network]

# one step of plain SGD on all rows: Nesterov's first step is 1.9 times the gradient
ONE_STEP = Settings(1, 1000, "sgd", 0.1, "constant", 0.0)
FEW = Settings(12, 30, "sgd", 0.02, "constant", 0.0)


def _module(seed: int = 0, **parts: Callable[[], nn.Module] | nn.Module) -> Any:
    """Return a module with these parts; those given as functions are made from the seed."""
    whole = nn.Module()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, part in parts.items():
            whole.add_module(name, part if isinstance(part, nn.Module) else part())
    return whole


def _weights(module: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


# --- DANN ---------------------------------------------------------------------------------------


class Reverse(torch.autograd.Function):
    """The identity, with a gradient that is turned round and scaled."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return z.view_as(z)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


def dann_forward(net: Any, batch: Batch) -> SimpleNamespace:
    out = forward(net.base, batch)
    out.critic = net.critic(Reverse.apply(out.z, net.strength)).squeeze(1)
    return out


def dann_loss(s: Any, t: Any) -> Tensor:
    ones, zeros = torch.ones_like(s.critic), torch.zeros_like(t.critic)
    first = F.binary_cross_entropy_with_logits(s.critic, ones)
    return first + F.binary_cross_entropy_with_logits(t.critic, zeros)


def dann_ramp(net: Any, progress: float) -> None:
    net.strength = sigmoid_ramp(progress)


def _dann(make: Make) -> Any:
    net = _module(base=make(), critic=lambda: nn.Linear(8, 1))
    net.strength = 0.0
    return net


def test_dann(source: Data, target: Data, make: Make, task: Term) -> None:
    net = _dann(make)
    history = train(net, [Phase([task, Term("domain", dann_loss)], [net])], source, target,
                    settings=FEW, seed=0, forward=dann_forward, after_step=dann_ramp)  # fmt: skip
    assert net.strength == sigmoid_ramp(11 / 12)
    assert all(0.0 < epoch["domain"] < 4.0 for epoch in history.epochs)


@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_dann_moves_the_critic_down_and_the_body_up_the_domain_loss(
    strength: float, source: Data, target: Data, make: Make
) -> None:
    net, plain = _dann(make), _dann(make)
    net.strength = strength
    plain.strength = -1.0  # a reversal of -1 is none: the gradient of the loss itself
    before = copy.deepcopy(net)
    everything = [d.batch(torch.arange(len(d))) for d in (source, target)]
    dann_loss(*(dann_forward(plain, batch) for batch in everything)).backward()
    train(net, [Phase([Term("domain", dann_loss)], [net])], source, target, settings=ONE_STEP,
          seed=0, forward=dann_forward)  # fmt: skip
    for part, factor in (("critic", -1.0), ("base.body", strength)):
        moved = _weights(net.get_submodule(part)) - _weights(before.get_submodule(part))
        slope = torch.cat([p.grad.flatten() for p in plain.get_submodule(part).parameters()])
        torch.testing.assert_close(moved, factor * 0.19 * slope, rtol=0.0, atol=1e-6)
    assert torch.equal(_weights(net.base.head), _weights(before.base.head))


# --- MCD ----------------------------------------------------------------------------------------


def mcd_forward(net: Any, batch: Batch) -> SimpleNamespace:
    z = net.body(batch.x)
    return SimpleNamespace(first=net.first(z), second=net.second(z), y=batch.y)


def both(s: Any, t: Any) -> Tensor:
    return cross_entropy(s.first, s.y) + cross_entropy(s.second, s.y)


def discrepancy(s: Any, t: Any) -> Tensor:
    return (t.first.softmax(1) - t.second.softmax(1)).abs().mean()


def mcd_phases(net: Any) -> list[Phase]:
    task, gap = Term("task", both), Term("gap", discrepancy)
    heads = [net.first, net.second]
    return [
        Phase([task], [net.body, *heads]),
        Phase([task, Term("gap apart", discrepancy, -1.0)], heads),
        Phase([gap], [net.body], repeat=4),
    ]


def test_mcd(source: Data, target: Data, make: Make) -> None:
    def build() -> Any:
        return _module(body=make().body, first=lambda: nn.Linear(8, 3),
                       second=lambda: nn.Linear(8, 3))  # fmt: skip

    net = build()
    asked: list[tuple[bool, bool]] = []

    def look(network: Any, batch: Batch) -> SimpleNamespace:
        if batch.domain == 1:
            asked.append((net.body[1].weight.requires_grad, net.first.weight.requires_grad))
        return mcd_forward(network, batch)

    train(net, mcd_phases(net), source, target, settings=replace(FEW, steps=2), seed=0,
          forward=look)  # fmt: skip
    assert asked == 2 * [(True, True), (False, True), *4 * [(True, False)]]

    everything = target.batch(torch.arange(60))
    for number, still, sign in ((1, "body", 1.0), (2, "first", -1.0)):
        net = build()
        before = copy.deepcopy(net)
        phase = mcd_phases(net)[number]
        terms = [term for term in phase.terms if term.name != "task"]
        train(net, [Phase(terms, phase.modules)], source, target, settings=FEW, seed=0,
              forward=mcd_forward)  # fmt: skip
        assert torch.equal(_weights(getattr(net, still)), _weights(getattr(before, still)))
        gain = discrepancy(None, mcd_forward(net, everything)) - discrepancy(
            None, mcd_forward(before, everything)
        )
        assert sign * gain > 0.001


# --- CAN ----------------------------------------------------------------------------------------


class Can:
    """Class-aware batches, pseudo-labels by the nearest class centre, and contrast of classes."""

    def __init__(self, source: Data, target: Data, classes: int) -> None:
        self.source, self.target, self.classes = source, target, classes
        self.rounds: list[Tensor] = []

    def label(self, net: nn.Module, progress: float) -> None:
        """Before each epoch: give each target row the class of the nearest source centre."""
        z, z_t = infer(net, self.source.x)[0], infer(net, self.target.x)[0]
        assert self.source.y is not None
        y = self.source.y.cpu()
        centres = torch.stack([z[y == k].mean(0) for k in range(self.classes)])
        nearest = F.normalize(z_t, dim=1) @ F.normalize(centres, dim=1).T
        self.pseudo = nearest.argmax(1).to(self.target.x.device)
        self.rounds.append(self.pseudo)

    def batches(self, data: Data, size: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Draw as many rows of each of two classes, the same two on both sides."""
        for step in count():
            y = data.y if data.y is not None else self.pseudo
            picked = []
            for k in (step % self.classes, (step + 1) % self.classes):
                rows = (y == k).nonzero().squeeze(1)
                draw = torch.randint(len(rows), (size // 2,), generator=generator)
                picked.append(rows[draw.to(rows.device)])
            yield torch.cat(picked)

    def contrast(self, s: Any, t: Any) -> Tensor:
        """Mean distance within classes minus mean distance between classes, across domains."""
        apart = torch.cdist(s.z, t.z).square()
        same = s.y[:, None] == self.pseudo[t.index][None, :]
        return apart[same].mean() - apart[~same].mean()


def test_can(source: Data, target: Data, make: Make, task: Term) -> None:
    net, seen = make(), []
    can = Can(source, target, 3)

    def look(network: nn.Module, batch: Batch) -> SimpleNamespace:
        labels = batch.y if batch.y is not None else can.pseudo[batch.index]
        seen.append(torch.bincount(labels, minlength=3).tolist())
        return forward(network, batch)

    with torch.no_grad():
        can.label(net, 0.0)
        everything = [forward(net, d.batch(torch.arange(len(d)))) for d in (source, target)]
        start = can.contrast(*everything)
    history = train(net, [Phase([task, Term("contrast", can.contrast, 0.1)], [net])], source,
                    target, settings=FEW, seed=0, forward=look, sampler=can.batches,
                    before_epoch=can.label)  # fmt: skip
    assert len(can.rounds) == 1 + len(history.epochs) == 5
    classes = [[15, 15, 0], [0, 15, 15], [15, 0, 15]]
    assert seen[0::2] == seen[1::2]  # source and target: the same two classes
    assert all(counts in classes for counts in seen)
    assert {tuple(counts) for counts in seen} == {tuple(counts) for counts in classes}
    with torch.no_grad():
        everything = [forward(net, d.batch(torch.arange(len(d)))) for d in (source, target)]
        assert can.contrast(*everything) < start - 0.1


# --- FixMatch -----------------------------------------------------------------------------------


def weak_and_strong(batch: Batch) -> Batch:
    weak = batch.x + 0.01 * torch.randn_like(batch.x)
    strong = batch.x + 0.5 * torch.randn_like(batch.x)
    return replace(batch, x=weak, views=(strong,))


def fixmatch_forward(net: nn.Module, batch: Batch) -> SimpleNamespace:
    out = forward(net, batch)
    out.strong = net(batch.views[0])[1]
    return out


def more_unlabelled(data: Data, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    return shuffled(len(data), size * (2 if data.y is None else 1), generator, data.x.device)


def agree(threshold: float) -> Term:
    def loss(s: Any, t: Any) -> Tensor:
        sure, guess = t.logits.detach().softmax(1).max(1)
        return cross_entropy(t.strong, guess, (sure >= threshold).float())

    return Term("agree", loss)


def test_fixmatch(source: Data, target: Data, make: Make, task: Term) -> None:
    sizes: set[tuple[int, int]] = set()

    def run(terms: list[Term]) -> tuple[Network, dict[str, float]]:
        net = make()

        def look(network: nn.Module, batch: Batch) -> SimpleNamespace:
            sizes.add((batch.domain, len(batch.x)))
            assert (batch.views[0] - batch.x).abs().mean() > 0.2
            return fixmatch_forward(network, batch)

        history = train(net, [Phase(terms, [net])], source, target, settings=FEW, seed=0,
                        views=weak_and_strong, forward=look, sampler=more_unlabelled)  # fmt: skip
        return net, history.epochs[-1]

    never, epoch = run([task, agree(1.1)])
    assert epoch["agree"] == 0.0
    alone, _ = run([task])
    assert torch.equal(_weights(never), _weights(alone))
    always, epoch = run([task, agree(0.0)])
    assert epoch["agree"] > 0.0
    assert not torch.equal(_weights(always), _weights(alone))
    assert sizes == {(0, 30), (1, 60)}


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_fixmatch_guesses_without_gradients_do_not_stop_those_of_the_rest(
    precision: str, target: Data, make: Make
) -> None:
    """Under autocast, weights cast inside no_grad must not be reused where gradients are due."""
    net = make()
    before = _weights(net)

    def guess_first(network: nn.Module, batch: Batch) -> SimpleNamespace:
        with torch.no_grad():
            guess = network(batch.x)[1].argmax(1)
        return SimpleNamespace(logits=network(batch.views[0])[1], guess=guess)

    train(net, [Phase([Term("agree", lambda s, t: cross_entropy(t.logits, t.guess))], [net])],
          None, target, settings=replace(FEW, precision=precision), seed=0, forward=guess_first,
          views=weak_and_strong)  # fmt: skip
    assert (_weights(net) != before).float().mean() > 0.5


# --- mean teacher -------------------------------------------------------------------------------


def teacher_forward(net: Any, batch: Batch) -> SimpleNamespace:
    out = forward(net.student, batch)
    with torch.no_grad():
        out.teacher = net.teacher(batch.x)[1]
    return out


def consistency(s: Any, t: Any) -> Tensor:
    return F.mse_loss(t.logits.softmax(1), t.teacher.softmax(1))


@torch.no_grad()
def average(net: Any, progress: float) -> None:
    for slow, fast in zip(net.teacher.parameters(), net.student.parameters(), strict=True):
        slow.lerp_(fast, 0.1)


def test_mean_teacher(source: Data, target: Data, make: Make, task: Term) -> None:
    student = make(dropout=0.2)
    net = _module(student=student, teacher=copy.deepcopy(student))
    path = [_weights(net.student)]

    def after(network: Any, progress: float) -> None:
        average(network, progress)
        path.append(_weights(network.student))
        assert all(p.grad is None for p in network.teacher.parameters())

    term = Term("consistency", consistency, lambda p: math.exp(-5.0 * (1.0 - p) ** 2))
    train(net, [Phase([task, term], [net.student])], source, target, settings=FEW, seed=0,
          forward=teacher_forward, after_step=after, frozen=[net.teacher])  # fmt: skip
    expected = path[0].double()
    for weights in path[1:]:
        expected = 0.9 * expected + 0.1 * weights.double()
    assert len(path) == 13
    torch.testing.assert_close(_weights(net.teacher).double(), expected, rtol=0.0, atol=1e-6)
    assert torch.equal(_weights(net.student), path[-1])
    assert not torch.equal(path[-1], path[0])


# --- SHOT ---------------------------------------------------------------------------------------


class Shot:
    """Sure of each row, balanced over all rows, and pseudo-labels by the nearest centre."""

    def __init__(self, target: Data) -> None:
        self.target = target

    def label(self, net: nn.Module, progress: float) -> None:
        z, logits = infer(net, self.target.x)
        centres = F.normalize(logits.softmax(1).T @ z, dim=1)
        self.pseudo = (F.normalize(z, dim=1) @ centres.T).argmax(1).to(self.target.x.device)

    def loss(self, s: Any, t: Any) -> Tensor:
        return cross_entropy(t.logits, self.pseudo[t.index])


def information(s: Any, t: Any) -> Tensor:
    p = t.logits.softmax(1)
    mean = p.mean(0)
    return (mean * mean.log()).sum() - (p * p.log()).sum(1).mean()


def test_shot(source: Data, target: Data, make: Make, task: Term) -> None:
    net = make()
    train(net, [Phase([task], [net])], source, settings=replace(FEW, steps=90), seed=0)
    before = copy.deepcopy(net)
    shot = Shot(target)
    terms = [Term("information", information), Term("pseudo", shot.loss, 0.3)]
    history = train(net, [Phase(terms, [net.body])], None, target, settings=FEW, seed=0,
                    before_epoch=shot.label, frozen=[net.head])  # fmt: skip
    assert torch.equal(_weights(net.head), _weights(before.head))
    assert not torch.equal(_weights(net.body), _weights(before.body))
    assert len(history.epochs) == 6  # an epoch is a pass over the target
    ends = [information(None, SimpleNamespace(logits=infer(n, target.x)[1])) for n in (before, net)]
    assert ends[1] < ends[0] - 0.01


# --- SimCLR -------------------------------------------------------------------------------------


def two_views(batch: Batch) -> Batch:
    return replace(batch, views=tuple(batch.x + 0.3 * torch.randn_like(batch.x) for _ in range(2)))


def simclr_forward(net: Any, batch: Batch) -> SimpleNamespace:
    pair = [F.normalize(net.projector(net.body(view)), dim=1) for view in batch.views]
    return SimpleNamespace(pair=pair)


def nt_xent(s: Any, t: Any, temperature: float = 0.5) -> Tensor:
    p = torch.cat(t.pair).float()  # (2 b, d): row i and row i + b are views of one input
    similar = (p @ p.T / temperature).fill_diagonal_(-math.inf)
    partner = torch.arange(len(p), device=p.device).roll(len(p) // 2)
    return F.cross_entropy(similar, partner)


def test_nt_xent_by_hand() -> None:
    same = SimpleNamespace(pair=[torch.eye(2), torch.eye(2)])
    expected = math.log(math.exp(2.0) + 2.0) - 2.0  # partner at 1, two others at 0
    assert nt_xent(None, same).item() == pytest.approx(expected, abs=1e-6)


def test_simclr(target: Data, make: Make) -> None:
    net = _module(body=make().body, projector=lambda: nn.Linear(8, 4), unused=make().head)
    before = copy.deepcopy(net)
    settings = Settings(60, 30, learning_rate=0.02)
    assert target.y is None
    history = train(net, [Phase([Term("contrast", nt_xent)], [net.body, net.projector])], None,
                    target, settings=settings, seed=0, views=two_views,
                    forward=simclr_forward)  # fmt: skip
    losses = [epoch["contrast"] for epoch in history.epochs]
    assert sum(losses[-5:]) < sum(losses[:5]) - 0.5
    assert not torch.equal(_weights(net.body), _weights(before.body))
    assert torch.equal(_weights(net.unused), _weights(before.unused))
