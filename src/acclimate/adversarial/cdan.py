"""`CDAN`: a discriminator that sees features together with predictions."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, ClassVar

import torch

from acclimate.adversarial.discriminating import (
    accuracy_measure,
    add_reversal,
    discriminator,
)
from acclimate.deep import DeepAdapter, Plan, Run, documented, forward
from acclimate.deep.open_partial import LABEL_SETS
from acclimate.losses.adversarial import domain_loss
from acclimate.losses.conditioning import certainty, outer, random_outer
from acclimate.settings import COUNT, NOT_NEGATIVE, Constraints, Each
from acclimate.training.batch import Batch
from acclimate.training.terms import Phase, Term

LARGEST = 4096  # products of features and classes; above, random mixtures stand in for them
MIXTURES = 1024


@documented
class CDAN(DeepAdapter):
    """Train features against a discriminator that also sees what is predicted from them.

    Use it in place of `DANN` for classification: classes are aligned with themselves, where hiding
    the domain alone may mix them. Do not use it when the source model is mostly wrong on the
    target, or the shares of the classes differ much between the domains.

    Minimises ``L(theta, head) + D(theta, critic)``, where L is the base model's loss on source rows
    and D is the mean of both domains' mean ``-w_i log p(own domain)``. The critic reads the
    products of all features with all predicted shares, and descends on D; the gradient that the
    body gets from D is multiplied by ``-strength * (2 / (1 + exp(-10 p)) - 1)``, with the progress
    p. With ``entropy``, ``w_i = 1 + exp(-H_i)`` (CDAN+E): rows that are predicted surely count
    more.

    Parameters
    ----------
    {classifier}
    strength : float, default=1.0
        How strongly the body works against the discriminator at the end, at least 0.
    entropy : bool, default=True
        Whether rows count by how sure their prediction is.
    hidden : sequence of int, default=(128,)
        Units of each hidden layer of the discriminator.
    {labels}
    {label_sets}
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
    No gradient goes through the predictions or the weights into the head. Above 4096 products,
    1024 products of random mixtures stand in for them, as in the paper. Stage two starts from the
    source network. With k sources the discriminator has k + 1 classes.

    References
    ----------
    Long, Cao, Wang and Jordan, "Conditional adversarial domain adaptation", arXiv:1705.10667.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import CDAN, Domain, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(90, 2)), rng.normal(size=(60, 2)) + 0.5
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = CDAN(base, random_state=0).fit(X, X[:, 0] > 0, target=Domain(Xt))
    >>> sorted(model.history_.epochs[-1])
    ['a_distance', 'domain', 'domain_accuracy', 'step', 'task', 'validation']
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **DeepAdapter._parameter_constraints,
        **LABEL_SETS,
        "strength": [NOT_NEGATIVE],
        "entropy": ["boolean"],
        "hidden": [Each(COUNT)],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        strength: float = 1.0,
        entropy: bool = True,
        hidden: Sequence[int] = (128,),
        use_target_labels: bool = False,
        partial: bool = False,
        unknown: Any = None,
        length: float = 1.0,
        rate: float = 1.0,
        validator: Any = "auto",
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            estimator, length=length, rate=rate, validator=validator, preprocess=preprocess,
            random_state=random_state,
        )  # fmt: skip
        self.strength = strength
        self.entropy = entropy
        self.hidden = hidden
        self.use_target_labels = use_target_labels
        self.partial = partial
        self.unknown = unknown

    def _plan(self, run: Run) -> Plan:
        size = run.width * run.outputs
        product: Any = outer
        if size > LARGEST:
            size = MIXTURES
            mixes = [torch.randn(n, size).to(run.device) for n in (run.width, run.outputs)]
            product = lambda z, p: random_outer(z, p, *mixes)  # noqa: E731
        run.add("critic", discriminator(run, size, self.hidden))
        raise_strength = add_reversal(run, self.strength)

        def against(net: Any, batch: Batch) -> SimpleNamespace:
            out = forward(net, batch)
            p = out.logits.detach().float().softmax(1)
            out.critic = net.critic(net.reversal(product(out.z.float(), p)))
            return out

        def domain(s: Any, t: Any) -> Any:
            if not self.entropy:
                return domain_loss(s.critic, t.critic, run.source_ids(s), s.weight)
            own = certainty(s.logits)
            weight = own if s.weight is None else own * s.weight
            return domain_loss(s.critic, t.critic, run.source_ids(s), weight, certainty(t.logits))

        terms = [*run.supervised, Term("domain", domain)]
        phase = Phase(terms, [run.net], measures=[accuracy_measure()])
        return Plan([phase], forward=against, after_step=raise_strength)
