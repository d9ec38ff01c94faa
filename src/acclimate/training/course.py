"""What is settled before the first step of training, and the weights that are kept meanwhile."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from acclimate.training.batch import Batch, Data, shuffled, steps_per_epoch
from acclimate.training.checkpoint import (
    Checkpoint,
    pack,
    random_state,
    restore_random_state,
    unpack,
)
from acclimate.training.optimizer import Optimizer
from acclimate.training.schedules import SCHEDULES, warmed_up
from acclimate.training.terms import History, Phase, Settings

Forward = Callable[[nn.Module, Batch], Any]
Sampler = Callable[[Data, int, torch.Generator], Iterator[Tensor]]
Join = Callable[[nn.Module, Any, Any], None]
Watch = Callable[[nn.Module, list[dict[str, float]]], str | None]

# A pass over few rows takes few steps. Epochs are at least this share of a run, so that
# bookkeeping at their end does not cost more than the training.
SMALLEST_EPOCH = 0.01


class ParameterGroup:
    """Parameters that move in the same phases at the same rate, with their optimiser."""

    def __init__(self, phases: frozenset[int], rate: float, settings: Settings) -> None:
        self.phases = phases
        self.rate = rate
        self.settings = settings
        self.members: list[nn.Parameter] = []

    def build(self) -> None:
        """Make the optimiser, once all members are there."""
        self.optimizer = Optimizer(
            self.members, self.settings.optimizer, self.settings.weight_decay
        )

    def step(self, factor: float) -> None:
        """Move the members, at their rate times a factor."""
        self.optimizer.step(self.settings.learning_rate * self.rate * factor)


@dataclass(frozen=True, eq=False)
class Course:
    """All that is settled before the first step; `loop.train` says what each part is."""

    network: nn.Module
    phases: Sequence[Phase]
    groups: Sequence[ParameterGroup]
    sides: tuple[Data | None, Data | None]
    settings: Settings
    seed: int
    frozen: Sequence[nn.Module]
    forward: Forward
    join: Join | None = None
    views: Callable[[Batch], Batch] | None = None
    sampler: Sampler | None = None
    before_epoch: Callable[[nn.Module, float], None] | None = None
    after_step: Callable[[nn.Module, float], None] | None = None
    validate: Callable[[nn.Module], float] | None = None
    watch: Watch | None = None
    start_score: float | None = None

    @property
    def main(self) -> Data:
        """The rows that an epoch passes over: the source's, or else the target's."""
        return next(side for side in self.sides if side is not None)

    @property
    def every(self) -> int:
        """Steps of an epoch."""
        rows = len(self.main)
        steps = steps_per_epoch(rows, min(self.settings.batch_size, rows))
        return max(steps, math.ceil(self.settings.steps * SMALLEST_EPOCH))

    def orders(self) -> list[Iterator[Tensor] | None]:
        """Return the order in which each domain's rows are drawn, in index batches without end."""
        device = self.main.x.device
        draw = self.sampler or (lambda data, size, g: shuffled(len(data), size, g, device))
        # a stream of its own for each domain: how one is read cannot change the other
        return [
            None
            if side is None
            else draw(side, self.settings.batch_size, torch.Generator().manual_seed(self.seed + i))
            for i, side in enumerate(self.sides)
        ]

    def schedule(self) -> Callable[[float], float]:
        """Return the factor on the learning rate by progress."""
        named = self.settings.schedule
        return warmed_up(named if callable(named) else SCHEDULES[named], self.settings.warmup)


class Weights:
    """Weights that the network may get back, and how good the best of them were."""

    def __init__(self, course: Course, history: History) -> None:
        self.finite = self.proven = _copied(course.network.state_dict())
        self.best: dict[str, Tensor] | None = None
        self.best_score, self.waited = -math.inf, 0
        if course.start_score is not None and math.isfinite(course.start_score):
            self.best_score, self.best, history.best_epoch = course.start_score, self.finite, 0

    def advance(self, network: nn.Module) -> None:
        """Keep today's weights, which are finite; so those before gave finite losses."""
        self.finite, self.proven = _copied(network.state_dict()), self.finite

    def judge(self, score: float, epoch: int, history: History) -> None:
        """Keep today's weights as the best where their score is above all before."""
        self.waited += 1
        if score > self.best_score:
            self.best_score, self.best, self.waited = score, self.finite, 0
            history.best_epoch = epoch

    def save(self, keep: Checkpoint, course: Course, step: int, history: History) -> None:
        """Write what a killed run goes on from."""
        state = pack("network", course.network.state_dict()) | pack("proven", self.proven)
        for number, group in enumerate(course.groups):
            state |= pack(f"optimizer{number}", group.optimizer.state_dict())
        random = random_state(course.main.x.device)
        state |= pack("random", random) | pack("best", self.best or {})
        keep.save(state, {
            "step": step, "best_score": self.best_score, "waited": self.waited,
            "epochs": history.epochs, "best_epoch": history.best_epoch,
        })  # fmt: skip

    def resume(self, keep: Checkpoint, course: Course, history: History) -> int:
        """Return the step from which a killed run goes on; 0 where there was none."""
        saved = keep.load()
        if saved is None:
            return 0
        tensors, facts = saved
        course.network.load_state_dict(unpack("network", tensors))
        for number, group in enumerate(course.groups):
            group.optimizer.load_state(unpack(f"optimizer{number}", tensors))
        restore_random_state(unpack("random", tensors), course.main.x.device)
        self.best_score, self.waited = facts["best_score"], facts["waited"]
        self.best = unpack("best", tensors) or None
        self.finite = _copied(course.network.state_dict())
        self.proven = unpack("proven", tensors)
        history.epochs, history.best_epoch = facts["epochs"], facts["best_epoch"]
        step: int = facts["step"]
        return step


def grouped(
    phases: Sequence[Phase], rates: Mapping[nn.Module, float], settings: Settings
) -> list[ParameterGroup]:
    """Partition the trainable parameters by the phases that move them and by their rate."""
    moved: dict[nn.Parameter, set[int]] = {}
    for number, phase in enumerate(phases):
        for module in phase.modules:
            for p in module.parameters():
                if p.requires_grad:
                    moved.setdefault(p, set()).add(number)
    rate_of = {p: rate for module, rate in rates.items() for p in module.parameters()}
    groups: dict[tuple[frozenset[int], float], ParameterGroup] = {}
    for p, numbers in moved.items():
        key = (frozenset(numbers), rate_of.get(p, 1.0))
        if key not in groups:
            groups[key] = ParameterGroup(key[0], key[1], settings)
        groups[key].members.append(p)
    for group in groups.values():
        group.build()
    return list(groups.values())


def _copied(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in state.items()}
