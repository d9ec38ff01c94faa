"""`PseudoLabel`: a network goes on with its own labels of the rows that have none."""

from __future__ import annotations

from typing import Any, ClassVar

from acclimate.deep import Plan, Run, documented
from acclimate.losses.consistency import confident, pseudo_label_loss
from acclimate.semisupervised.on_views import ViewsAdapter
from acclimate.settings import NOT_NEGATIVE, SHARE_BELOW_1, Constraints
from acclimate.training.schedules import rising
from acclimate.training.terms import Phase, Term


@documented
class PseudoLabel(ViewsAdapter):
    """Train a network on its own labels of the rows that have none, beside the given ones.

    Use it where few rows have a label, many have none, and the network is right on most of these:
    it is the simplest of its kind and the cheapest. Pass the labelled rows as source and all rows
    as target. Do not use it where the network is mostly wrong, since it learns its own errors.

    Minimises ``L + a/b sum_i [max q_i >= threshold] * -log q_i[argmax q_i]``, where L is the base
    model's loss on labelled rows and q_i the predicted distribution of row i of b target rows. The
    factor a rises from 0 to ``strength``.

    Parameters
    ----------
    {classifier}
    strength : float, default=1.0
        Weight of the network's own labels, at least 0.
    threshold : float in [0, 1), default=0.95
        Least probability of a label that counts. 0 counts all, as in the paper.
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
    Shares of the classes: nothing here supposes that they are equal, and nothing corrects them. A
    class that the network finds easy passes the threshold first and may grow at the cost of others.
    ``history_`` has the share of rows above the threshold as "used".

    The last epoch is kept, unlike in methods that align domains:
    ``validator="information_maximisation"`` would suppose classes of equal shares.

    Deviations from the paper: it starts from the network that the labels alone have trained, there
    is a threshold, and the weight rises as ``2 / (1 + exp(-10 p)) - 1`` with the progress p.

    References
    ----------
    Lee, "Pseudo-label: the simple and efficient semi-supervised learning method for deep neural
    networks", ICML 2013 workshop. The threshold is that of arXiv:2001.07685.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, NeuralClassifier, PseudoLabel
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = PseudoLabel(base, random_state=0).fit(X[:20], X[:20, 0] > 0, target=Domain(X))
    >>> sorted(model.history_.epochs[-1])
    ['pseudo', 'step', 'task', 'used']
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **ViewsAdapter._parameter_constraints,
        "strength": [NOT_NEGATIVE],
        "threshold": [SHARE_BELOW_1],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        strength: float = 1.0,
        threshold: float = 0.95,
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
        self.threshold = threshold
        self.weak = weak
        self.ratio = ratio
        self.use_target_labels = use_target_labels

    def _plan(self, run: Run) -> Plan:
        pseudo = Term(
            "pseudo",
            lambda s, t: pseudo_label_loss(t.logits, t.logits, self.threshold),
            rising(self.strength),
        )
        used = Term("used", lambda s, t: confident(t.logits, self.threshold)[1].float().mean())
        return Plan(
            [Phase([*run.supervised, pseudo], [run.base], measures=[used])],
            views=self._viewed(run), sampler=self._sampler(),
        )  # fmt: skip
