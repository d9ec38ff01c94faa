"""`DeepJDOT`: features and labels that move from the source to the target at little cost."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from acclimate.deep import DeepAdapter, Plan, Run, documented
from acclimate.exceptions import InputError
from acclimate.losses.pair_costs import joint_cost
from acclimate.mapping.pot_loading import pot
from acclimate.settings import NOT_NEGATIVE, Constraints
from acclimate.training.terms import Phase, Term


@documented
class DeepJDOT(DeepAdapter):
    """Train features and a head for which source rows move onto target rows at little cost.

    Use it when target rows lie near source rows of their own class, but for a move: features and
    labels are transported together, one batch at a time. Do not use it when the shares of the
    classes differ, since all of a source batch must go somewhere, or batches hold few rows of each
    class.

    Minimises ``L(theta, head) + sum_ij P_ij (alpha ||z_i - z_j||^2 + strength * -log p_j(y_i))``,
    where L is the base model's loss on source rows, p the distribution that is predicted for a
    target row, and P the exact plan of the batch for this very cost, which is found anew in each
    step and then held fixed.

    Parameters
    ----------
    {classifier}
    alpha : float, default=0.001
        Weight of the distance of features, at least 0.
    strength : float, default=0.1
        Weight of the transported labels, at least 0; one of the two is above 0.
    {parameters}

    Attributes
    ----------
    {attributes}

    Raises
    ------
    InputError
        A value cannot be used, or the estimator is not a network.
    MissingExtraError
        POT is not installed: ``pip install "acclimate[ot]"``.

    Warns
    -----
    {warns}

    Notes
    -----
    Stage two starts from the source network. Rows of the source have mass by their weights, and
    several sources are pooled. The paper's experiments have the weights 0.001 and 0.0001.

    References
    ----------
    Damodaran, Kellenberger, Flamary, Tuia and Courty, "DeepJDOT: deep joint distribution optimal
    transport for unsupervised domain adaptation", arXiv:1803.10081.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import DeepJDOT, Domain, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(90, 2)), rng.normal(size=(60, 2)) + 0.5
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = DeepJDOT(base, random_state=0).fit(X, X[:, 0] > 0, target=Domain(Xt))
    >>> sorted(model.history_.epochs[-1])
    ['step', 'task', 'transport', 'validation']
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **DeepAdapter._parameter_constraints,
        "alpha": [NOT_NEGATIVE],
        "strength": [NOT_NEGATIVE],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        alpha: float = 0.001,
        strength: float = 0.1,
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
        self.alpha = alpha
        self.strength = strength

    def _check_settings(self) -> None:
        if self.alpha == self.strength == 0.0:
            raise InputError("alpha and strength are both 0; one must be above 0")
        pot()

    def _plan(self, run: Run) -> Plan:
        def transport(s: Any, t: Any) -> Any:
            cost = joint_cost(s.z, s.y, t.z, t.logits, self.alpha, self.strength)
            return (cheapest(cost, s.weight) * cost).sum()

        return Plan([Phase([*run.supervised, Term("transport", transport)], [run.net])])


def cheapest(cost: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the plan of least cost, by POT's network simplex.

    Parameters
    ----------
    cost : Tensor of shape (b_s, b_t)
        Cost of each pair. No gradient goes through the plan.
    weight : Tensor of shape (b_s,), default=None
        Mass of the source rows on any scale, above 0 in sum; None means equal masses.

    Returns
    -------
    Tensor of shape (b_s, b_t)
        Masses; rows sum to those of the source, columns to ``1 / b_t``.

    Examples
    --------
    >>> cheapest(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.5000]])
    """
    n, m = cost.shape
    mass = np.ones(n) if weight is None else weight.detach().double().cpu().numpy()
    M = cost.detach().double().cpu().numpy()
    if not np.isfinite(M).all():  # the loop says so, and stops
        return torch.full_like(cost, 1.0 / (n * m))
    plan = pot().emd(mass / mass.sum(), np.full(m, 1.0 / m), M, numItermax=10**7)
    return torch.from_numpy(plan).to(cost)
