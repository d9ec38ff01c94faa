"""Few labels and many rows of the same kind without one: spread the labels, and align nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from acclimate.comparison.candidates import FEW_LABELS, MANY_UNLABELLED
from acclimate.comparison.problem import Problem
from acclimate.diagnosis.two_sample import PERMUTATIONS, mmd_test, standardise
from acclimate.validation import take

if TYPE_CHECKING:
    from acclimate.semisupervised.poisson_learning import PoissonLearning

SPREAD = "PoissonLearning times the linear model"
METHODS = ("PoissonLearning", "LabelSpreading")  # tried beside it
MOST_NODES = 20_000  # of a graph that each fold makes; its search takes their square
ROWS = 500  # of each domain that are tested; its matrix has a million entries


def few_among(labels: int, bare: int) -> bool:
    """Tell whether labels are few, and rows without one many beside them."""
    return labels <= FEW_LABELS and bare >= MANY_UNLABELLED * labels


def spreading(estimator: Any, preprocess: Any, **settings: Any) -> PoissonLearning:
    """Return what to take where labels are few and rows like them many, unfitted.

    Shares of a graph and probabilities of a linear model err on different rows: with ``multiply``
    their product was better than either from 100 labels of ten classes on, and level with the graph
    at 50 (``benchmarks/label_efficiency.py``).

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

    return PoissonLearning(estimator, preprocess=preprocess, **settings)


def spreads_labels(problem: Problem) -> bool:
    """Tell whether labels of the target are worth spreading over its rows: few, of classes known.

    Parameters
    ----------
    problem : Problem
        With rows of an encoder's features.
    """
    labels, rows = len(problem.known), problem.target_rows
    return (
        problem.task == "classification"
        and not problem.own_classes
        and labels > 0
        and few_among(labels, rows - labels)
        and problem.source_rows + rows <= MOST_NODES
    )


def spread_labels(estimator: Any, preprocess: Any) -> dict[str, PoissonLearning]:
    """Return what spreads the labels of both domains over the rows of both, by name, unfitted.

    Parameters
    ----------
    estimator, preprocess
        As in `spreading`.
    """
    return {
        name: spreading(estimator, preprocess, multiply=times, use_target_labels=True)
        for name, times in (("PoissonLearning", False), (SPREAD, True))
    }


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
