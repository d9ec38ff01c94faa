"""Few labels and many rows of the same kind without one: spread the labels, and align nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from acclimate.comparison.problem import Problem
from acclimate.diagnosis.two_sample import PERMUTATIONS, mmd_test, standardise
from acclimate.validation import take

if TYPE_CHECKING:
    from acclimate.semisupervised.poisson_learning import PoissonLearning

SPREAD = "PoissonLearning times the linear model"
METHODS = ("PoissonLearning", "LabelSpreading")  # tried beside it
ROWS = 500  # of each domain that are tested; its matrix has a million entries


def spreading(estimator: Any, preprocess: Any, **settings: Any) -> PoissonLearning:
    """Return what to take where labels are few and rows like them many, unfitted.

    Shares of a graph and probabilities of a linear model err on different rows: their product was
    better than either from 100 labels of ten classes on, and level with the graph at 50
    (``benchmarks/label_efficiency.py``).

    Parameters
    ----------
    estimator : classifier
        The base model, with probabilities.
    preprocess : transformer or None
        Of the comparison.
    settings : object
        Further ones of `PoissonLearning`.
    """
    from acclimate.semisupervised.poisson_learning import PoissonLearning

    return PoissonLearning(estimator, multiply=True, preprocess=preprocess, **settings)


def alike(problem: Problem, seed: int) -> bool:
    """Tell whether nothing shows that the rows of both domains are drawn differently.

    The test is that of `diagnosis.two_sample.mmd_test`: they differ where no permutation of the
    domains is as far apart, which two draws of one domain are once in 500 times. It sees no labels.

    Parameters
    ----------
    problem : Problem
        With rows of numbers.
    seed : int
        Draws the rows that are tested, and the permutations.
    """
    rng = np.random.default_rng([seed, 2])
    sides = []
    for X, n in ((problem.source.X, problem.source_rows), (problem.target.X, problem.target_rows)):
        rows = np.sort(rng.choice(n, min(n, ROWS), replace=False))
        sides.append(np.asarray(take(X, rows), dtype=np.float64))
    return mmd_test(*standardise(*sides), seed).p > 1.5 / (PERMUTATIONS + 1)
