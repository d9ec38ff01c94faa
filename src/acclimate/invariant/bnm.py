"""`BNM`: target predictions that are sure and of many classes, by their nuclear norm."""

from __future__ import annotations

from typing import Any, ClassVar

from acclimate.deep import DeepAdapter, Plan, Run, documented
from acclimate.losses.confusion import nuclear_norm_loss
from acclimate.settings import NOT_NEGATIVE, Constraints
from acclimate.training.terms import Phase, Term


@documented
class BNM(DeepAdapter):
    """Train until the predictions of a target batch are both sure and spread over the classes.

    Use it for classification where entropy alone would give up the rare classes. Do not use it when
    the source model is mostly wrong on the target, when there are very many classes beside small
    batches, or when the target lacks most of the source's classes.

    Minimises ``L(theta, head) - strength * ||P_t||_* / b``, where L is the base model's loss on
    source rows and ``||P_t||_*`` the sum of the singular values of the predicted distributions of b
    target rows.

    Parameters
    ----------
    {classifier}
    strength : float, default=1.0
        Weight of the norm, at least 0.
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
    Singular values are exact. Stage two starts from the source network, and the rate follows the
    base model's schedule.

    References
    ----------
    Cui, Wang, Zhuo, Li, Huang and Tian, "Towards discriminability and diversity: batch nuclear-norm
    maximization under label insufficient situations", arXiv:2003.12237.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import BNM, Domain, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(90, 2)), rng.normal(size=(60, 2)) + 0.5
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = BNM(base, random_state=0).fit(X, X[:, 0] > 0, target=Domain(Xt))
    >>> sorted(model.history_.epochs[-1])
    ['norm', 'step', 'task', 'validation']
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **DeepAdapter._parameter_constraints,
        "strength": [NOT_NEGATIVE],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        strength: float = 1.0,
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

    def _plan(self, run: Run) -> Plan:
        norm = Term("norm", lambda s, t: nuclear_norm_loss(t.logits), self.strength)
        return Plan([Phase([*run.supervised, norm], [run.net])])
