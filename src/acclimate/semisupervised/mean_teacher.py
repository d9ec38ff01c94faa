"""`MeanTeacher`: a network learns to agree with the average of its own past weights."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from torch import nn

from acclimate.deep import TARGET, Plan, Run, documented, forward
from acclimate.losses.consistency import consistency_loss
from acclimate.semisupervised.on_views import ViewsAdapter, taught
from acclimate.settings import NOT_NEGATIVE, SHARE_BELOW_1, Constraints
from acclimate.training.batch import Batch
from acclimate.training.network import Network
from acclimate.training.schedules import rising
from acclimate.training.terms import Phase, Term


@documented
class MeanTeacher(ViewsAdapter):
    """Train a network to agree, on rows without a label, with a running mean of its weights.

    Use it where few rows have a label and many have none, and where labels that a network gives
    itself are too often wrong to be taken for true: what it learns from is how sure the teacher is,
    too. Pass the labelled rows as source and all rows as target. Do not use it where time is short.

    Minimises ``L + a/b sum_i ||p(v_i) - q(u_i)||^2``, where L is the base model's loss on labelled
    rows, v_i and u_i are two views of row i of b target rows, p the prediction of the network and q
    that of the teacher. The factor a rises from 0 to ``strength``. After each step the teacher's
    weights become ``decay * theirs + (1 - decay) * the network's``. The teacher is what predicts.

    Parameters
    ----------
    {classifier}
    strength : float, default=10.0
        Weight of the agreement, at least 0. The paper's weight over the number of classes.
    decay : float in [0, 1), default=0.99
        Share of the teacher's weights that stays in a step; in step i at most ``i / (i + 1)``.
    {weak}
    {ratio}
    {labels}
    {parameters}

    Attributes
    ----------
    {attributes}

    Raises
    ------
    {raises}

    Warns
    -----
    {warns}

    Notes
    -----
    Shares of the classes: nothing supposes that they are equal. Both views are weak ones, each by
    its own draw. The last epoch is kept, unlike in methods that align domains:
    ``validator="information_maximisation"`` would suppose classes of equal shares.

    Deviations from the paper: network and teacher start from the network that the labels alone have
    trained, they agree on target rows alone, and the weight rises as ``2 / (1 + exp(-10 p)) - 1``
    with the progress p.

    References
    ----------
    Tarvainen and Valpola, "Mean teachers are better role models: weight-averaged consistency
    targets improve semi-supervised deep learning results", arXiv:1703.01780.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, MeanTeacher, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = MeanTeacher(base, random_state=0).fit(X[:20], X[:20, 0] > 0, target=Domain(X))
    >>> sorted(model.history_.epochs[-1])
    ['consistency', 'step', 'task']
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **ViewsAdapter._parameter_constraints,
        "strength": [NOT_NEGATIVE],
        "decay": [SHARE_BELOW_1],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        strength: float = 10.0,
        decay: float = 0.99,
        weak: Any = "auto",
        ratio: int = 1,
        use_target_labels: bool = False,
        length: float = 1.0,
        rate: float = 1.0,
        validator: Any = None,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            estimator, length=length, rate=rate, validator=validator, preprocess=preprocess,
            random_state=random_state,
        )  # fmt: skip
        self.strength = strength
        self.decay = decay
        self.weak = weak
        self.ratio = ratio
        self.use_target_labels = use_target_labels

    def _plan(self, run: Run) -> Plan:
        teacher: Network = run.add("teacher", copy.deepcopy(run.base))

        def both(net: nn.Module, batch: Batch) -> SimpleNamespace:
            if batch.domain != TARGET:
                return forward(net, batch)
            return taught(net, batch, teacher, batch.views[0], batch.x)

        def average(net: nn.Module, progress: float) -> None:
            step = 1 + round(progress * run.settings.steps)
            follow(teacher, run.base, min(self.decay, step / (step + 1)))

        consistency = Term(
            "consistency", lambda s, t: consistency_loss(t.logits, t.guide), rising(self.strength)
        )
        return Plan(
            [Phase([*run.supervised, consistency], [run.base])],
            forward=both, views=self._viewed(run, self._weak(run)), sampler=self._sampler(),
            after_step=average, target=teacher,
        )  # fmt: skip


@torch.no_grad()
def follow(slow: nn.Module, fast: nn.Module, decay: float) -> None:
    """Move the parameters of one module towards those of another, in place.

    Parameters
    ----------
    slow, fast : nn.Module
        Of one structure.
    decay : float in [0, 1)
        Share of its own that ``slow`` keeps.
    """
    for mine, theirs in zip(slow.parameters(), fast.parameters(), strict=True):
        mine.lerp_(theirs, 1.0 - decay)
