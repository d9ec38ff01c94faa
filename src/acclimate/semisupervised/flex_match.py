"""`FlexMatch`: `FixMatch` with a lower threshold for classes that are learnt late."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from acclimate.deep import Run, documented
from acclimate.losses.consistency import class_thresholds, confident
from acclimate.semisupervised.fix_match import FixMatch


@documented
class FlexMatch(FixMatch):
    """Train as `FixMatch` does, and ask less of classes that few rows are known as yet.

    Use it in place of `FixMatch` where some classes are harder than others and all have about as
    many rows. Pass the labelled rows as source and all rows as target. Do not use it where some
    classes are much rarer than others, or where `FixMatch` is not to be used.

    Minimises what `FixMatch` does, with a threshold for each class c:
    ``threshold * b_c / (2 - b_c)`` for ``b_c = n_c / max(n_1, ..., n_k, n_0)``, where n_c target
    rows last passed ``threshold`` as class c and n_0 never did.

    Parameters
    ----------
    {classifier}
    strength : float, default=1.0
        Weight of the rows without a label, at least 0.
    threshold : float in [0, 1), default=0.95
        Least probability of a label that counts, in the class with the most known rows.
    {weak}
    {strong}
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
    Shares of the classes: it supposes that they are about equal, since few known rows are taken for
    a class that is hard, not for one that is rare. A rare class has a low threshold for good and is
    given too many rows. In the first steps, when no row is known, all rows count.

    ``history_`` has the share of rows above their threshold as "used". Deviations are those of
    `FixMatch`.

    References
    ----------
    Zhang, Wang, Hou, Wu, Wang, Okumura and Shinozaki, "FlexMatch: boosting semi-supervised learning
    with curriculum pseudo labeling", arXiv:2110.08263.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, FlexMatch, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = FlexMatch(base, random_state=0).fit(X[:20], X[:20, 0] > 0, target=Domain(X))
    >>> sorted(model.history_.epochs[-1])
    ['agree', 'step', 'task', 'used']
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        strength: float = 1.0,
        threshold: float = 0.95,
        weak: Any = "auto",
        strong: Any = "auto",
        ratio: int = 7,
        use_target_labels: bool = False,
        length: float = 1.0,
        rate: float = 1.0,
        validator: Any = None,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            estimator, strength=strength, threshold=threshold, weak=weak, strong=strong,
            ratio=ratio, use_target_labels=use_target_labels, length=length, rate=rate,
            validator=validator, preprocess=preprocess, random_state=random_state,
        )  # fmt: skip

    def _thresholds(self, run: Run) -> Any:
        known: Known = run.add("known", Known(len(run.target), run.outputs, self.threshold))
        return known.thresholds


class Known(nn.Module):
    """As which class each target row last passed the threshold; part of what is resumed.

    Parameters
    ----------
    rows : int
        Number m of target rows.
    classes : int
        Number k of classes.
    threshold : float
        Least probability of a known row.
    """

    learnt: Tensor

    def __init__(self, rows: int, classes: int, threshold: float) -> None:
        super().__init__()
        self.classes = classes
        self.threshold = threshold
        self.register_buffer("learnt", torch.full((rows,), -1))

    def thresholds(self, guide: Tensor, index: Tensor) -> Tensor:
        """Return the thresholds (k,) as of before these rows, and note what they are known as."""
        least = class_thresholds(self.learnt, self.classes, self.threshold)
        codes, sure = confident(guide, self.threshold)
        self.learnt[index[sure]] = codes[sure]
        return least
