"""`DANN`: features from which a discriminator cannot tell the domains apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import nn

from acclimate.adversarial.discriminating import (
    accuracy_measure,
    add_reversal,
    discriminator,
    domain_term,
    judge,
)
from acclimate.deep import DeepAdapter, Plan, Run, documented
from acclimate.deep.open_partial import LABEL_SETS
from acclimate.settings import COUNT, NOT_NEGATIVE, Constraints, Each
from acclimate.training.terms import Phase


@documented
class DANN(DeepAdapter):
    """Train features against a discriminator that tells source rows from target rows.

    Use it when the inputs of the domains look different and the same rule from content to labels
    holds in both. Do not use it when the shares of the classes differ much between the domains:
    features that hide the domain then have to mix classes.

    Minimises ``L(theta, head) + D(theta, critic)``, where L is the base model's loss on source rows
    and D is the mean of both domains' mean ``-log p(own domain)``. The critic descends on D. The
    gradient that the body gets from D is multiplied by
    ``-strength * (2 / (1 + exp(-10 p)) - 1)``, with the progress p from 0 to 1.

    Parameters
    ----------
    {estimator}
    strength : float, default=0.3
        How strongly the body works against the discriminator at the end, at least 0.
    hidden : sequence of int, default=(64,)
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
    The paper adds the losses of both domains, of which D is the mean, so that its strength of 1 is
    2 here. On nine simulated shifts of optdigits and pendigits, 0.3 gained 4.7 points on average
    and lost none; 1 gained 1.7 and lost up to 4.3 (``benchmarks/deep_defaults.py``). Without a
    validator both lost on average.

    Stage two starts from the source network, not from fresh weights. The rate follows the base
    model's schedule, not the paper's. With k sources the discriminator has k + 1 classes and the
    body works against all of them. Rows of the source count by their weights, in D too.

    References
    ----------
    Ganin et al., "Domain-adversarial training of neural networks", arXiv:1505.07818.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import DANN, Domain, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(90, 2)), rng.normal(size=(60, 2)) + 0.5
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = DANN(base, random_state=0).fit(X, X[:, 0] > 0, target=Domain(Xt))
    >>> sorted(model.history_.epochs[-1])
    ['a_distance', 'domain', 'domain_accuracy', 'step', 'task', 'validation']
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **DeepAdapter._parameter_constraints,
        **LABEL_SETS,
        "strength": [NOT_NEGATIVE],
        "hidden": [Each(COUNT)],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        strength: float = 0.3,
        hidden: Sequence[int] = (64,),
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
        self.hidden = hidden
        self.use_target_labels = use_target_labels
        self.partial = partial
        self.unknown = unknown

    def _plan(self, run: Run) -> Plan:
        run.add("critic", discriminator(run, run.width, self.hidden))
        raise_strength = add_reversal(run, self.strength)

        terms = [*run.supervised, domain_term(run)]
        modules: list[nn.Module] = [run.net]
        phase = Phase(terms, modules, measures=[accuracy_measure()])
        return Plan([phase], join=judge, after_step=raise_strength)
