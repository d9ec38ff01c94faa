"""`MDD`: a second head agrees on the source and not on the target; the body is against it."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from types import SimpleNamespace
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval

from acclimate.adversarial.discriminating import add_reversal, perceptron
from acclimate.deep import DeepAdapter, Plan, Run, documented, forward
from acclimate.losses.disparity import margin_disparity
from acclimate.settings import COUNT, NOT_NEGATIVE, Constraints, Each
from acclimate.training.batch import Batch
from acclimate.training.terms import Phase, Term


@documented
class MDD(DeepAdapter):
    """Train features on which no second head agrees on the source and disagrees on the target.

    Use it for classification with many classes: the second head measures disagreement class by
    class, with a margin and a bound in theory. Do not use it when the source model is mostly wrong
    on the target, or the shares of the classes differ much.

    Minimises ``L(theta, head) + M(theta, second)``, where L is the base model's loss on source rows
    and M the mean of ``-margin * log p'_q`` over source rows and of ``-log(1 - p'_q)`` over target
    rows; q is the class that the head predicts and p' the second head's distribution. The second
    head descends on M; the gradient that the body gets from M is multiplied by
    ``-strength * (2 / (1 + exp(-10 p)) - 1)``, with the progress p.

    Parameters
    ----------
    {classifier}
    strength : float, default=0.1
        How strongly the body works against the second head at the end, at least 0.
    margin : float, default=4.0
        Factor on the source side of M, at least 1.
    hidden : sequence of int, default=(128,)
        Units of each hidden layer of the second head.
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
    Stage two starts from the source network; the second head starts anew. The paper adds a
    bottleneck.

    References
    ----------
    Zhang, Liu, Long and Jordan, "Bridging theory and algorithm for domain adaptation",
    arXiv:1904.05801.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import MDD, Domain, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(90, 2)), rng.normal(size=(60, 2)) + 0.5
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = MDD(base, random_state=0).fit(X, X[:, 0] > 0, target=Domain(Xt))
    >>> sorted(model.history_.epochs[-1])
    ['disparity', 'step', 'task', 'validation']
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **DeepAdapter._parameter_constraints,
        "strength": [NOT_NEGATIVE],
        "margin": [Interval(Real, 1, None, closed="left")],
        "hidden": [Each(COUNT)],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        strength: float = 0.1,
        margin: float = 4.0,
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
        self.margin = margin
        self.hidden = hidden

    def _plan(self, run: Run) -> Plan:
        run.add("second", perceptron(run.width, run.outputs, self.hidden))
        raise_strength = add_reversal(run, self.strength)

        def both(net: Any, batch: Batch) -> SimpleNamespace:
            out = forward(net, batch)
            out.other = net.second(net.reversal(out.z))
            return out

        def disparity(s: Any, t: Any) -> Any:
            return margin_disparity(s.logits, s.other, t.logits, t.other, self.margin, s.weight)

        terms = [*run.supervised, Term("disparity", disparity)]
        return Plan([Phase(terms, [run.net])], forward=both, after_step=raise_strength)
