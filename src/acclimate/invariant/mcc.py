"""`MCC`: target predictions that confuse no two classes."""

from __future__ import annotations

from typing import Any, ClassVar

from acclimate.deep import DeepAdapter, Plan, Run, documented
from acclimate.deep.open_partial import LABEL_SETS
from acclimate.losses.confusion import class_confusion
from acclimate.settings import NOT_NEGATIVE, POSITIVE, Constraints
from acclimate.training.terms import Phase, Term


@documented
class MCC(DeepAdapter):
    """Train until no two classes are confused on the target, without aligning the domains.

    Use it as a first choice for classification: it has no second network, copes with classes that
    are missing in the target, and joins other methods well. Do not use it when the source model is
    mostly wrong on the target, since it becomes sure of its errors, or batches hold fewer rows than
    there are classes.

    Minimises ``L(theta, head) + strength * C(logits_t / temperature)``, where L is the base model's
    loss on source rows and C the share of the class correlation ``p' W p`` of a target batch that
    lies between different classes. W gives sure rows more weight.

    Parameters
    ----------
    {classifier}
    strength : float, default=1.0
        Weight of the confusion, at least 0.
    temperature : float, default=2.5
        Softens target predictions before they are correlated, above 0.
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
    Stage two starts from the source network, and the rate follows the base model's schedule.

    References
    ----------
    Jin, Wang, Long and Wang, "Minimum class confusion for versatile domain adaptation",
    arXiv:1912.03699.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import MCC, Domain, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(90, 2)), rng.normal(size=(60, 2)) + 0.5
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = MCC(base, random_state=0).fit(X, X[:, 0] > 0, target=Domain(Xt))
    >>> sorted(model.history_.epochs[-1])
    ['confusion', 'step', 'task', 'validation']
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **DeepAdapter._parameter_constraints,
        **LABEL_SETS,
        "strength": [NOT_NEGATIVE],
        "temperature": [POSITIVE],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        strength: float = 1.0,
        temperature: float = 2.5,
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
        self.temperature = temperature
        self.use_target_labels = use_target_labels
        self.partial = partial
        self.unknown = unknown

    def _plan(self, run: Run) -> Plan:
        confusion = Term(
            "confusion",
            lambda s, t: class_confusion(t.logits, self.temperature, t.weight),
            self.strength,
        )
        return Plan([Phase([*run.supervised, confusion], [run.net])], weighs_target=True)
