"""`DeepAdapter`: stage two trains a copy of the source network in the one loop."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from acclimate import validation as door
from acclimate.adapter import Adapted, Adapter
from acclimate.base.estimator import NeuralEstimator
from acclimate.base.neural import NeuralClassifier
from acclimate.catalogue import Row
from acclimate.classes import Match, match_classes
from acclimate.deep.feeding import full_batches, with_labelled
from acclimate.deep.open_partial import check_label_sets, rejecting, with_label_sets
from acclimate.deep.run import TARGET, Plan, Run, Whole
from acclimate.deep.watching import AUTO, EPOCH_SCORES, Watcher
from acclimate.exceptions import InputError
from acclimate.folds import as_often
from acclimate.settings import POSITIVE, Constraints, OneOf
from acclimate.training import loop, norm
from acclimate.training.augment import views
from acclimate.training.device import find_device, seeded
from acclimate.training.progress import Progress
from acclimate.training.terms import History, Term
from acclimate.validation import Rows


class DeepAdapter(Adapter):
    """Template "train": start from the source network, go on with rows of both domains.

    A subclass writes `_plan` and, where it has settings of its own, what they may be in
    ``_parameter_constraints``; see `acclimate.settings`.

    Batch norm has one policy. While training, each domain is normalised by its own batch; several
    sources together are one domain. Afterwards, running statistics are estimated again: on the
    target rows for the model that answers them, on the source rows for the model that answers
    those. Frozen modules keep theirs, and so do layers whose own scale and shift are frozen.

    Parameters
    ----------
    estimator : NeuralClassifier or NeuralRegressor, default=None
        The base model. None means ``NeuralClassifier()``.
    length : float, default=1.0
        Steps of stage two over those of training the base model.
    rate : float, default=1.0
        Factor on the learning rate of the source network's weights in stage two.
    validator : str, callable or None, default="auto"
        Chooses the epoch whose weights are kept.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.
    """

    _cautious = Row(family="invariant", network=True)
    _reads_frames = True

    _parameter_constraints: ClassVar[Constraints] = {
        **Adapter._parameter_constraints,
        "length": [POSITIVE],
        "rate": [POSITIVE],
        "validator": [OneOf("auto", *EPOCH_SCORES), callable, None],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        length: float = 1.0,
        rate: float = 1.0,
        validator: Any = "auto",
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.length = length
        self.rate = rate
        self.validator = validator

    # --- what a method writes ---------------------------------------------------------------

    @abstractmethod
    def _plan(self, run: Run) -> Plan:
        """Return what to train. Runs seeded; may add modules with ``run.add``."""

    def _check_settings(self) -> None:
        """Raise where settings do not go together; runs before stage one."""

    # --- the template -----------------------------------------------------------------------

    def _default_estimator(self) -> Any:
        return NeuralClassifier()

    def _fit_source(self, source: Rows, seed: int) -> Any:
        base = self._base()
        if not isinstance(base, NeuralEstimator):
            raise InputError(
                f"{type(self).__name__} trains a network: estimator must be a NeuralClassifier or "
                f"a NeuralRegressor, got {type(base).__name__}"
            )
        self._check_settings()
        check_label_sets(self, None if self._regression() else np.unique(source.labels))
        return super()._fit_source(source, seed)

    def _reset_to_stage_one(self) -> None:
        super()._reset_to_stage_one()
        self.history_: History | None = None

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        run, match = self._start(model, source, target, seed)
        with seeded(seed, run.device):
            plan = with_label_sets(self, run, self._plan(run))
        if plan.phases:
            self.history_ = run.model.history_ = self._train(run, plan)
            epochs = run.model.history_.epochs
            run.model.n_iter_ = int(epochs[-1]["step"]) if epochs else 0
        return self._finish(run, plan, match)

    def _start(self, model: Any, source: Rows | None, target: Rows, seed: int) -> tuple[Run, Match]:
        """Put the rows of both domains on the device, beside a copy of the source network."""
        ours = model.copy_fitted()
        ours.seed_ = seed
        ours._place(ours.network_, find_device(ours.device))  # a loaded one is on the CPU
        data, held, ids, sources = None, None, None, 0
        if source is not None and self._row().needs_source:
            kept, weight = np.arange(door.count(source.X)), source.weight
            if weight is not None and norm.norms(ours.network_):  # batch norm does not weigh rows
                kept, weight = as_often(source.counts, seed), None
            if callable(self.validator):
                order = np.random.default_rng(seed).permutation(kept)
                out = np.sort(order[: len(order) // 10])
                kept = np.sort(order[len(order) // 10 :])
                if len(out):
                    held = ours.data(door.take(source.X, out), source.labels[out])
            weight = None if weight is None else weight[kept]
            data = ours.data(door.take(source.X, kept), source.labels[kept], weight)
            domains, sources = source.domains, 1
            if domains is not None:
                names, codes = np.unique(domains[kept], return_inverse=True)
                sources = len(names)
                ids = torch.from_numpy(codes).to(data.x.device) if sources > 1 else None
        rows = replace(ours.data(target.X, None), domain=TARGET)
        task = Term("task", ours.task().loss)
        settings = ours.settings(len(rows) if data is None else len(data), patience=None)
        settings = replace(settings, steps=max(1, round(settings.steps * self.length)))
        run = Run(
            ours, Whole(ours.network_), data, rows, task, [task] if data is not None else [],
            settings, seed, ids, sources, held=held,
        )  # fmt: skip
        match = Match()
        if target.y is not None:
            labels = target.labels
            if not run.regression:
                name = type(self).__name__
                match = match_classes(name, model.classes_, self.source_class_names_, target)
                labels = match.to_source(labels)
            where = np.arange(len(rows)) if target.labelled is None else target.labelled
            run.known = (
                torch.from_numpy(where).to(run.device), ours._codes(labels).to(run.device)
            )  # fmt: skip
            run.supervised.append(Term("target_task", lambda s, t: task.loss(t.labelled, None)))
        return run, match

    def _train(self, run: Run, plan: Plan) -> History:
        settings = run.settings if plan.steps is None else replace(run.settings, steps=plan.steps)
        sampler, forward = plan.sampler or full_batches, plan.forward
        if run.known is not None:
            sampler, forward = with_labelled(run, sampler, forward)
        validator = self.validator
        if validator == "auto":  # what a few labels teach, predictions alone cannot rank
            validator = None if run.regression or run.known is not None else AUTO
        watcher = Watcher(
            run.target.x, run.held, plan.target or run.base, validator, run.precision,
            norm.norms(plan.target or run.base, plan.frozen), steps=settings.steps,
            regression=run.regression, start=plan.start,
        )  # fmt: skip
        return loop.train(
            run.net, plan.phases, run.source, run.target, settings=settings, seed=run.seed,
            forward=forward, join=plan.join, sampler=sampler,
            views=views(run.model.augment, plan.views),
            before_epoch=plan.before_epoch, after_step=plan.after_step,
            validate=watcher.validate if watcher.score else None, watch=watcher.watch,
            frozen=plan.frozen, rates={run.base: self.rate, **plan.rates},
            progress=Progress(settings.steps, type(self).__name__, run.model.verbose),
            checkpoint=run.model.checkpoint, start_score=watcher.start_score,
        )  # fmt: skip

    def _finish(self, run: Run, plan: Plan, match: Match) -> Adapted:
        """Return the models of both domains, batch norm estimated on the rows of each."""
        ours = run.model
        stayed = self.history_ is not None and self.history_.best_epoch == 0
        ours.network_ = (plan.start if stayed else None) or plan.target or run.base
        layers = norm.norms(ours.network_, plan.frozen)
        theirs = None
        if run.source is not None and not plan.source_stays and not stayed:
            theirs = ours.copy_fitted() if layers else ours
            if layers:
                copies = _copies(ours.network_, theirs.network_, layers)
                norm.reestimate(
                    theirs.network_, run.source.x, layers=copies, precision=run.precision
                )
        norm.reestimate(ours.network_, run.target.x, layers=layers, precision=run.precision)
        return Adapted(rejecting(self, run, match.to_target(ours), layers), theirs)


def _copies(one: nn.Module, other: nn.Module, wanted: Sequence[Any]) -> list[Any]:
    """Return the modules of ``other``, a copy of ``one``, that are copies of those wanted."""
    chosen = set(wanted)
    return [o for m, o in zip(one.modules(), other.modules(), strict=True) if m in chosen]
