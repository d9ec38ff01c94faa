"""`ADDA`: a body of the target's own, trained to pass for the source's."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, ClassVar

from acclimate.adversarial.discriminating import (
    accuracy_measure,
    discriminator,
    domain_term,
)
from acclimate.deep import TARGET, DeepAdapter, Plan, Run, documented
from acclimate.losses.adversarial import passing_loss
from acclimate.settings import COUNT, Constraints, Each
from acclimate.training.batch import Batch
from acclimate.training.network import Network
from acclimate.training.terms import Phase, Term


@documented
class ADDA(DeepAdapter):
    """Give the target a body of its own, whose features a discriminator takes for the source's.

    Use it when the source model must stay as it is and the domains need different features: source
    rows are then answered exactly as before. Do not use it when the shares of the classes differ:
    nothing ties a class of the target to the same class of the source, and long runs may exchange
    them.

    In turn, the discriminator minimises the mean of both domains' mean ``-log p(own domain)``, and
    the target's body minimises ``-log p(source)`` on target rows. The source's body and the head
    stand still.

    Parameters
    ----------
    {estimator}
    hidden : sequence of int, default=(128,)
        Units of each hidden layer of the discriminator.
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
    The target's body starts from the source's, as in the paper. ``rate`` is small, since only the
    start ties the classes together, and a body as quick as the discriminator chases it in circles.
    Both bodies run as in training, each batch normalised by itself and with dropout: a source body
    in evaluation mode would be told apart by its mode alone.

    References
    ----------
    Tzeng, Hoffman, Saenko and Darrell, "Adversarial discriminative domain adaptation",
    arXiv:1702.05464.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import ADDA, Domain, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(90, 2)), rng.normal(size=(60, 2)) + 0.5
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = ADDA(base, random_state=0).fit(X, X[:, 0] > 0, target=Domain(Xt))
    >>> sorted(model.history_.epochs[-1])
    ['a_distance', 'domain', 'domain_accuracy', 'pass', 'step', 'validation']
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **DeepAdapter._parameter_constraints,
        "hidden": [Each(COUNT)],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        hidden: Sequence[int] = (128,),
        length: float = 1.0,
        rate: float = 0.03,
        validator: Any = "auto",
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            estimator, length=length, rate=rate, validator=validator, preprocess=preprocess,
            random_state=random_state,
        )  # fmt: skip
        self.hidden = hidden

    def _plan(self, run: Run) -> Plan:
        critic = run.add("critic", discriminator(run, run.width, self.hidden))
        body = run.add("target_body", copy.deepcopy(run.base.body))

        def two_bodies(net: Any, batch: Batch) -> SimpleNamespace:
            mine = net.target_body if batch.domain == TARGET else net.base.body
            z = mine(batch.x)
            return SimpleNamespace(
                z=z, critic=net.critic(z), weight=batch.weight, index=batch.index
            )

        return Plan(
            [
                Phase([domain_term(run)], [critic], measures=[accuracy_measure()]),
                Phase([Term("pass", lambda s, t: passing_loss(t.critic))], [body]),
            ],
            forward=two_bodies,
            # the source's body is not frozen: its batch norm and dropout must do what the target's
            # do, or the discriminator reads the mode and not the domain
            frozen=[run.base.head],
            rates={body: self.rate},
            target=Network(body, run.base.head),
            source_stays=True,
        )
