"""`WDGRL`: features of little Wasserstein distance, which a critic measures."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, ClassVar

import torch

from acclimate.adversarial.discriminating import perceptron
from acclimate.deep import DeepAdapter, Plan, Run, documented, forward
from acclimate.losses.wasserstein import critic_gap, gradient_penalty
from acclimate.settings import COUNT, NOT_NEGATIVE, POSITIVE, Constraints, Each
from acclimate.training.batch import Batch
from acclimate.training.terms import Phase, Term


@documented
class WDGRL(DeepAdapter):
    """Train features whose Wasserstein distance between the domains is small.

    Use it in place of `DANN` when the domains are far apart: the distance has a useful gradient
    where a discriminator is always right. Do not use it when time is short, since the critic moves
    several times a step, or the shares of the classes differ much.

    In each step the critic c maximises ``mean c(z_s) - mean c(z_t) - penalty * G``, where G is the
    mean of ``(||grad c|| - 1)^2`` at features of both domains and between them. Then the network
    minimises ``L(theta, head) + strength * (mean c(z_s) - mean c(z_t))``, where L is the base
    model's loss on source rows.

    Parameters
    ----------
    {estimator}
    strength : float, default=0.1
        Weight of the distance, at least 0.
    penalty : float, default=10.0
        Weight of G, above 0.
    critic_steps : int, default=5
        How often the critic moves in each step, at least 1.
    hidden : sequence of int, default=(128,)
        Units of each hidden layer of the critic.
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
    Stage two starts from the source network. Several sources are pooled.

    References
    ----------
    Shen, Qu, Zhang and Yu, "Wasserstein distance guided representation learning for domain
    adaptation", arXiv:1707.01217.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import WDGRL, Domain, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(90, 2)), rng.normal(size=(60, 2)) + 0.5
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = WDGRL(base, random_state=0).fit(X, X[:, 0] > 0, target=Domain(Xt))
    >>> sorted(model.history_.epochs[-1])
    ['critic', 'distance', 'penalty', 'step', 'task', 'validation']
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **DeepAdapter._parameter_constraints,
        "strength": [NOT_NEGATIVE],
        "penalty": [POSITIVE],
        "critic_steps": [COUNT],
        "hidden": [Each(COUNT)],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        strength: float = 0.1,
        penalty: float = 10.0,
        critic_steps: int = 5,
        hidden: Sequence[int] = (128,),
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
        self.penalty = penalty
        self.critic_steps = critic_steps
        self.hidden = hidden

    def _plan(self, run: Run) -> Plan:
        critic = run.add("critic", perceptron(run.width, 1, self.hidden))

        def judged(net: Any, batch: Batch) -> SimpleNamespace:
            out = forward(net, batch)
            out.critic = net.critic(out.z.float())
            return out

        def distance(s: Any, t: Any) -> Any:
            return critic_gap(s.critic, t.critic, s.weight)

        def slope(s: Any, t: Any) -> Any:
            share = torch.rand(min(len(s.z), len(t.z)), 1, device=s.z.device)
            return gradient_penalty(critic, s.z, t.z, share)

        return Plan(
            [
                Phase(
                    [Term("critic", distance, -1.0), Term("penalty", slope, self.penalty)],
                    [critic],
                    repeat=int(self.critic_steps),
                ),
                Phase([*run.supervised, Term("distance", distance, self.strength)], [run.base]),
            ],
            forward=judged,
        )
