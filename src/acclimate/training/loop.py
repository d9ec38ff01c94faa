"""The training loop. Every method that has a network trains here, as terms and phases."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from acclimate.exceptions import ConvergenceWarning, InputError
from acclimate.training import network as networks
from acclimate.training.batch import Batch, Data, batches
from acclimate.training.checkpoint import (
    Checkpoint,
    fingerprint,
)
from acclimate.training.course import (
    Course,
    Forward,
    Join,
    ParameterGroup,
    Sampler,
    Watch,
    Weights,
    grouped,
)
from acclimate.training.device import autocast, fast_products, seeded
from acclimate.training.fused import Tape
from acclimate.training.norm import still_norms
from acclimate.training.progress import Progress
from acclimate.training.terms import History, Phase, Settings, Term


def _all_finite(groups: Sequence[ParameterGroup]) -> bool:
    return all(bool(p.isfinite().all()) for group in groups for p in group.members)


def _set_modes(network: nn.Module, frozen: Sequence[nn.Module]) -> None:
    network.train()
    for module in frozen:
        module.eval()


def _weighted_sum(terms: Sequence[Term], values: Sequence[Tensor], progress: float) -> Tensor:
    total: Tensor | None = None
    for term, value in zip(terms, values, strict=True):
        weight = term.weight(progress) if callable(term.weight) else term.weight
        part = value if weight == 1.0 else weight * value
        total = part if total is None else total + part
    if total is None:
        raise InputError("a phase needs at least one term")
    return total


def _values(
    phase: Phase, out: Sequence[Any], tape: Tape, progress: float
) -> tuple[list[Tensor], Callable[[], None]]:
    """Return the values of a phase's terms, and what adds the gradients of their sum."""
    if not tape.leaves and tape.is_of(out[0]):
        term = phase.terms[0]
        value, slope = term.slope(out[0], out[1])  # type: ignore[misc]
        weight = term.weight(progress) if callable(term.weight) else term.weight
        return [value], lambda: tape.descend(slope if weight == 1.0 else slope.mul_(weight))
    values = [term.loss(out[0], out[1]) for term in phase.terms]
    total = _weighted_sum(phase.terms, values, progress)
    return values, lambda: tape.backward(total)


def train(
    network: nn.Module,
    phases: Sequence[Phase],
    source: Data | None,
    target: Data | None = None,
    *,
    settings: Settings,
    seed: int,
    forward: Forward = networks.forward,
    join: Join | None = None,
    views: Callable[[Batch], Batch] | None = None,
    sampler: Sampler | None = None,
    before_epoch: Callable[[nn.Module, float], None] | None = None,
    after_step: Callable[[nn.Module, float], None] | None = None,
    validate: Callable[[nn.Module], float] | None = None,
    watch: Watch | None = None,
    frozen: Sequence[nn.Module] = (),
    rates: Mapping[nn.Module, float] | None = None,
    progress: Progress | None = None,
    checkpoint: str | Path | None = None,
    start_score: float | None = None,
) -> History:
    """Train a network in place.

    In each step, one batch is drawn from each domain that is given; each phase runs ``forward``
    on both, sums its terms, and moves its modules. An epoch is one pass over the source, or over
    the target where there is no source.

    Parameters
    ----------
    network : nn.Module
        Everything that has weights, on its device. It may hold more than a `Network`: a
        discriminator, a teacher, a second head.
    phases : sequence of Phase
        What to minimise, in order, in each step.
    source, target : Data or None
        Rows of the domains, on the network's device. At least one is given.
    settings : Settings
        Length, rate and precision.
    seed : int
        Seed of batches and of everything random inside the network.
    forward : callable, default=`acclimate.training.network.forward`
        ``forward(network, batch)`` returns what the terms read.
    join : callable, default=None
        ``join(network, source, target)`` adds to what ``forward`` returned, as part of the forward
        pass: what is best computed on both domains at once, such as a discriminator's scores.
    views : callable, default=None
        Returns a batch with augmented rows in ``views`` or in place of ``x``.
    sampler : callable, default=None
        ``sampler(data, batch_size, generator)`` yields index batches without end. None shuffles.
    before_epoch : callable, default=None
        ``before_epoch(network, progress)``: pseudo-labels, centroids.
    after_step : callable, default=None
        ``after_step(network, progress)``: averages of weights, memory banks.
    validate : callable, default=None
        ``validate(network)`` returns a score, higher is better, after each epoch. The weights of
        the best epoch are restored at the end.
    watch : callable, default=None
        ``watch(network, epochs)`` sees the records so far after each epoch, may add figures to the
        last, and returns why training is to stop, or None.
    frozen : sequence of nn.Module, default=()
        Modules that do not move at all: neither parameters nor buffers. Layers of batch norm whose
        scale and shift need no gradient are among them without being named.
    rates : mapping from nn.Module to float, default=None
        Factor on the learning rate of some modules.
    progress : Progress, default=None
        Where to show how far the run is.
    checkpoint : str or Path, default=None
        Where to keep the state between epochs. A killed run that is started again with the same
        data, settings and seed goes on from there and ends with the same weights. Deleted at the
        end.
    start_score : float, default=None
        What ``validate`` would say of the weights before the first step. With it they are among
        those that can be restored, as epoch 0.

    Returns
    -------
    History
        What happened, epoch by epoch.

    Warns
    -----
    ConvergenceWarning
        A term became infinite or NaN. Training stops, and the last finite weights are kept. Or
        ``watch`` gave a reason to stop; then the weights of the best epoch are kept, and without
        ``validate`` those of the last.
    """
    main = source if source is not None else target
    if main is None or any(side is not None and len(side) == 0 for side in (source, target)):
        raise InputError("there are no rows to train on")
    device = main.x.device
    frozen = [*frozen, *still_norms(network)]
    held = {p for module in frozen for p in module.parameters()}
    named = {p for phase in phases for module in phase.modules for p in module.parameters()}
    # without this, parameters that no phase moves would gather gradients
    still = [p for p in (*network.parameters(), *held) if p in held or p not in named]
    still = [p for p in still if p.requires_grad]
    bar = Progress(settings.steps) if progress is None else progress
    history = History()
    keep = None
    if checkpoint is not None:
        parts = (phases, frozen, rates or {})
        keep = Checkpoint(
            checkpoint, fingerprint(network, (source, target), settings, seed, *parts)
        )
    groups: list[ParameterGroup] = []
    network.train()
    for p in still:
        p.requires_grad_(False)
    for module in frozen:
        module.eval()
    try:
        groups = grouped(phases, rates or {}, settings)
        if not groups:
            raise InputError("no module that the phases name has a trainable parameter")
        with seeded(seed, device), fast_products(device, settings.batch_size), bar:
            course = Course(
                network, phases, groups, (source, target), settings, seed, frozen, forward, join,
                views, sampler, before_epoch, after_step, validate, watch, start_score,
            )  # fmt: skip
            _steps(course, bar, history, keep)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise InputError(
            "batch norm needs the spread within a batch, and a batch of one row (n_samples = 1) "
            "has none; give 2 rows or more and a batch_size of 2 or more, or take a network "
            'without batch norm, such as "mlp"'
        ) from error
    finally:
        for group in groups:
            for p in group.members:
                p.requires_grad_(True)
            group.optimizer.release()
        for p in still:
            p.requires_grad_(True)
        network.eval()
    return history


def _steps(course: Course, bar: Progress, history: History, keep: Checkpoint | None) -> None:
    # what a step reads has a name of its own: it is looked up many times
    network, phases, groups = course.network, course.phases, course.groups
    settings, frozen, forward, join = course.settings, course.frozen, course.forward, course.join
    views, before_epoch, after_step = course.views, course.before_epoch, course.after_step
    device, every, rate = course.main.x.device, course.every, course.schedule()
    movers = [[group for group in groups if n in group.phases] for n in range(len(phases))]
    names = [term.name for phase in phases for term in (*phase.terms, *phase.measures)]
    orders = course.orders()
    weights = Weights(course, history)
    losses: list[Tensor] = []
    tape = Tape()
    # nothing but the term of a phase reads what the network returned for the one batch
    plain = forward is networks.forward and join is None and course.sides[1] is None
    first = 0 if keep is None else weights.resume(keep, course, history)
    for order in orders:
        for _ in range(first if order is not None else 0):
            next(order)  # type: ignore[arg-type]
    for step in range(first, settings.steps):
        progress = step / settings.steps
        if before_epoch is not None and step % every == 0:
            before_epoch(network, progress)
            _set_modes(network, frozen)
        if step % every == 0:
            drawn = [
                None if side is None or order is None else batches(side, order, every)
                for side, order in zip(course.sides, orders, strict=True)
            ]
        pair = [None if batch is None else next(batch) for batch in drawn]
        if views is not None:
            pair = [None if batch is None else views(batch) for batch in pair]
        factor = rate((step + 1) / settings.steps if progress < settings.warmup else progress)
        for number, phase in enumerate(phases):
            if len(phases) > 1:
                for group in groups:
                    for p in group.members:
                        p.requires_grad_(number in group.phases)
            for _ in range(phase.repeat):
                tape.leaves = not (plain and len(phase.terms) == 1 and phase.terms[0].slope)
                with tape:
                    with autocast(device, settings.precision):
                        out = [
                            forward(network, batch) if batch is not None and read else None
                            for batch, read in zip(pair, phase.reads, strict=True)
                        ]
                        if join is not None and all(phase.reads):
                            join(network, out[0], out[1])
                    values, gradients = _values(phase, out, tape, progress)
                for group in movers[number]:
                    group.optimizer.zero_grad()
                gradients()
                for group in movers[number]:
                    group.step(factor)
            losses.extend(value.detach() for value in values)
            if not phase.measures:
                continue
            with torch.no_grad():
                losses.extend(measure.loss(out[0], out[1]) for measure in phase.measures)
        if after_step is not None:
            after_step(network, progress)
        if (step + 1) % every and step + 1 < settings.steps:
            bar.update(step + 1)
            continue
        table = torch.stack(losses).view(-1, len(names)).float()
        means = table.mean(0).tolist()
        losses.clear()
        record: dict[str, float] = {"step": step + 1, **dict(zip(names, means, strict=True))}
        finite = all(math.isfinite(mean) for mean in means)
        if not finite or not _all_finite(groups):
            # weights that give an infinite loss at once are no better than infinite ones
            usable = finite or bool(table[0].isfinite().all())
            network.load_state_dict(weights.finite if usable else weights.proven)
            history.stopped = "not finite"
            what = f"{record} is" if not finite else "the weights are"
            warnings.warn(
                f"training stopped at step {step + 1}: {what} not finite. The weights of the "
                f"last finite epoch are kept. A lower learning_rate than "
                f"{settings.learning_rate:g} usually helps.",
                ConvergenceWarning,
                stacklevel=4,
            )
            break
        weights.advance(network)
        if course.validate is not None:
            record["validation"] = score = course.validate(network)
            weights.judge(score, len(history.epochs) + 1, history)
        history.epochs.append(record)
        reason = None if course.watch is None else course.watch(network, history.epochs)
        bar.update(step + 1, record)
        if reason is not None:
            history.stopped = "collapse"
            warnings.warn(
                f"training stopped at step {step + 1}: {reason}", ConvergenceWarning, stacklevel=4
            )
            break
        if settings.patience is not None and weights.waited >= settings.patience:
            history.stopped = "patience"
            break
        _set_modes(network, frozen)  # layers drop what they drew ahead: an epoch starts afresh
        if keep is not None and keep.due():
            weights.save(keep, course, step + 1, history)
    if keep is not None:
        keep.remove()
    if weights.best is not None:
        network.load_state_dict(weights.best)
