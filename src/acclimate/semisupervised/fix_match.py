"""`FixMatch`: what a network is sure of in a weak view is the label of a strong one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar

from torch import Tensor, nn

from acclimate.deep import TARGET, Plan, Run, documented, forward
from acclimate.losses.consistency import confident, pseudo_label_loss
from acclimate.semisupervised.on_views import STRONG, VIEW, ViewsAdapter, changed, taught
from acclimate.settings import NOT_NEGATIVE, SHARE_BELOW_1, Constraints
from acclimate.training.batch import Batch
from acclimate.training.terms import Phase, Term


@documented
class FixMatch(ViewsAdapter):
    """Train a network to give a much changed row the label that it is sure of for the plain row.

    Use it where few rows have a label, many have none, and it is known which changes leave a label
    as it is: of images, small turns and moves. Pass the labelled rows as source and all rows as
    target. Do not use it where time is short, where no such change is known, as in most tables, or
    where the network is mostly wrong on the target.

    Minimises ``L + strength/b sum_i [max q(u_i) >= threshold] * -log p(v_i)[argmax q(u_i)]``, where
    L is the base model's loss on labelled rows, u_i and v_i are the weak and the strong view of row
    i of b target rows, p the network's prediction and q the same without a gradient.

    Parameters
    ----------
    {classifier}
    strength : float, default=1.0
        Weight of the rows without a label, at least 0.
    threshold : float in [0, 1), default=0.95
        Least probability of a label that counts.
    {weak}
    {strong}
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
    Shares of the classes: nothing here supposes that they are equal, and nothing corrects them. A
    class that the network finds easy passes the threshold first and may grow at the cost of others;
    `FlexMatch` holds against it. ``history_`` has the share of rows above the threshold as "used".
    The last epoch is kept, unlike in methods that align domains:
    ``validator="information_maximisation"`` would suppose classes of equal shares.

    Deviations from the paper: it starts from the network that the labels alone have trained; the
    strong view is all changes at once, each by its own draw, not some of a list; no running mean of
    the weights predicts; the rate follows the base model's schedule.

    References
    ----------
    Sohn, Berthelot, Li, Zhang, Carlini, Cubuk, Kurakin, Zhang and Raffel, "FixMatch: simplifying
    semi-supervised learning with consistency and confidence", arXiv:2001.07685.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, FixMatch, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = FixMatch(base, random_state=0).fit(X[:20], X[:20, 0] > 0, target=Domain(X))
    >>> sorted(model.history_.epochs[-1])
    ['agree', 'step', 'task', 'used']
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **ViewsAdapter._parameter_constraints,
        "strength": [NOT_NEGATIVE],
        "threshold": [SHARE_BELOW_1],
        "strong": VIEW,
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        strength: float = 1.0,
        threshold: float = 0.95,
        weak: Any = "auto",
        strong: Any = "auto",
        ratio: int = 7,
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
        self.threshold = threshold
        self.weak = weak
        self.strong = strong
        self.ratio = ratio
        self.use_target_labels = use_target_labels

    def _plan(self, run: Run) -> Plan:
        thresholds = self._thresholds(run)

        def both(net: nn.Module, batch: Batch) -> SimpleNamespace:
            if batch.domain != TARGET:
                return forward(net, batch)
            out = taught(net, batch, run.base, batch.x, batch.views[0])
            out.least = thresholds(out.guide, batch.index)
            return out

        agree = Term(
            "agree", lambda s, t: pseudo_label_loss(t.logits, t.guide, t.least), self.strength
        )
        used = Term("used", lambda s, t: confident(t.guide, t.least)[1].float().mean())
        return Plan(
            [Phase([*run.supervised, agree], [run.base], measures=[used])],
            forward=both, views=self._viewed(run, changed(self.strong, STRONG, run)),
            sampler=self._sampler(),
        )  # fmt: skip

    def _thresholds(self, run: Run) -> Any:
        """Return ``(guide, index) -> threshold`` of a batch, a number or one for each class."""

        def same(guide: Tensor, index: Tensor) -> float:
            return self.threshold

        return same
