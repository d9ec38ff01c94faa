"""`JAN`: features and predictions whose joint distributions agree."""

from __future__ import annotations

from typing import Any, ClassVar

from acclimate.deep import DeepAdapter, Plan, Run, documented
from acclimate.losses.mmd import WIDTHS, joint_mmd
from acclimate.settings import NOT_NEGATIVE, Constraints
from acclimate.training.schedules import rising
from acclimate.training.terms import Phase, Term

SHARP = (1.0,)  # squared widths for predictions: they lie close together


@documented
class JAN(DeepAdapter):
    """Train features and predictions whose joint distribution agrees between source and target.

    Use it in place of `DAN` when aligning features alone would bring different classes together:
    rows are compared where both their features and their predictions are alike. Do not use it when
    the source model is mostly wrong on the target, or batches are small.

    Minimises ``L(theta, head) + strength * r(p) * JMMD^2``, where L is the base model's loss on
    source rows and JMMD is the maximum mean discrepancy under the product of a kernel of the
    features and a kernel of the predicted distributions. r rises from 0 to 1 with the progress p,
    as ``2 / (1 + exp(-10 p)) - 1``.

    Parameters
    ----------
    {classifier}
    strength : float, default=1.0
        Weight of the distance at the end, at least 0.
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
    The features' kernel is the mean of five Gaussians, that of the predictions is one, of the mean
    squared distance in the batch. The estimate is the unbiased one over all pairs of a batch. The
    paper's adversarial variant is left out. Stage two starts from the source network. With several
    sources, the distance is the mean over sources.

    References
    ----------
    Long, Zhu, Wang and Jordan, "Deep transfer learning with joint adaptation networks",
    arXiv:1605.06636.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import JAN, Domain, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(90, 2)), rng.normal(size=(60, 2)) + 0.5
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = JAN(base, random_state=0).fit(X, X[:, 0] > 0, target=Domain(Xt))
    >>> sorted(model.history_.epochs[-1])
    ['jmmd', 'step', 'task', 'validation']
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
        run.check_two_rows()

        def distance(s: Any, t: Any) -> Any:
            source, target = ((x.z, x.logits.float().softmax(1)) for x in (s, t))
            return joint_mmd(source, target, s.weight, (WIDTHS, SHARP))

        align = Term("jmmd", run.each_source(distance), rising(self.strength))
        return Plan([Phase([*run.supervised, align], [run.net])])
