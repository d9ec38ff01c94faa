"""A learning-rate finder: one short run with a rising rate, on a copy."""

from __future__ import annotations

import copy
import dataclasses
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from torch import Tensor, nn

from acclimate.exceptions import ConvergenceWarning, InputError
from acclimate.training import loop
from acclimate.training.batch import Data
from acclimate.training.progress import Progress
from acclimate.training.schedules import exponential
from acclimate.training.terms import Phase, Settings, Term

SMOOTHING = 0.9  # share of the running mean that is kept at each step
DIVERGED = 4.0  # times the lowest smoothed loss at which the curve ends
BELOW = 10.0  # the suggestion is so many times below the rate of the lowest loss


@dataclass(frozen=True)
class LearningRates:
    """What a learning-rate finder found.

    Parameters
    ----------
    rates : ndarray of shape (k,)
        Learning rate of each step, rising. Steps after the loss diverged are left out.
    losses : ndarray of shape (k,)
        Smoothed loss of the batch of each step, before the step.
    suggestion : float
        A tenth of the rate at which the smoothed loss is lowest.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    suggestion: float


def find_learning_rate(
    model: Any,
    X: Any,
    y: Any,
    *,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 200,
    random_state: int = 0,
) -> LearningRates:
    """Try rising learning rates on a copy of a network and suggest one.

    Use it for a network or data of a new kind, before the first long run. Do not use it to choose
    between rates that differ by less than a factor of three: the curve is too noisy.

    The rate rises from ``lowest`` to ``highest`` at a steady ratio while the network trains. The
    losses are smoothed, and the suggestion is a tenth of the rate at which they are lowest. The
    model is left as it was to the byte, weights, buffers, modes and random state included.

    Parameters
    ----------
    model : NeuralClassifier or NeuralRegressor
        Fitted, it is tried from its weights; unfitted, from fresh ones. Wrap a module of your own:
        ``NeuralClassifier(network=module)``.
    X : array-like of shape (n, ...)
        Inputs.
    y : array-like of shape (n,)
        Labels or target values; of a fitted classifier, labels that it knows.
    lowest : float, default=1e-6
        First rate, above 0.
    highest : float, default=10.0
        Last rate, above ``lowest``.
    steps : int, default=200
        Optimiser steps, at least 10.
    random_state : int, default=0
        Seeds the batches, dropout and fresh weights.

    Returns
    -------
    LearningRates
        Rates, smoothed losses and the suggestion.

    Raises
    ------
    InputError
        A setting or the data cannot be used, or no rate gives a finite loss.

    Notes
    -----
    Deviations from the paper: the rate rises exponentially, not linearly; the losses of training
    batches are read, not the accuracy of held-out rows; and one rate is returned, not a range.

    References
    ----------
    Smith, "Cyclical learning rates for training neural networks", arXiv:1506.01186.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from acclimate import NeuralClassifier
    >>> from acclimate.training.lr_finder import find_learning_rate
    >>> X, y = make_blobs(300, centers=3, random_state=0)
    >>> found = find_learning_rate(NeuralClassifier(dropout=0.0), X, y)
    >>> 1e-4 < found.suggestion < 1.0
    True
    """
    fitted = hasattr(model, "network_")
    tried = copy.deepcopy(model) if fitted else clone(model)
    if not fitted:
        tried.set_params(random_state=random_state)
    X, y = tried._check(X, y)
    if not fitted:
        tried.start(X, y)
    elif hasattr(tried, "classes_") and not np.isin(y, tried.classes_).all():
        unknown = np.setdiff1d(y, tried.classes_)[0]
        raise InputError(f"y has {unknown!r}, but the model knows {tried.classes_.tolist()}")
    data = tried.data(X, y)
    phases = [Phase([tried.task()], [tried.network_])]
    bar = Progress(steps, "learning rates", tried.verbose)
    return range_test(
        tried.network_, phases, data, settings=tried.settings(len(data)), seed=random_state,
        lowest=lowest, highest=highest, steps=steps, progress=bar, in_place=True,
    )  # fmt: skip


def range_test(
    network: nn.Module,
    phases: Sequence[Phase],
    data: Data,
    *,
    settings: Settings,
    seed: int = 0,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 200,
    progress: Progress | None = None,
    in_place: bool = False,
) -> LearningRates:
    """Train with a rising rate and read the loss of the first phase at each step.

    Parameters
    ----------
    network : nn.Module
        What trains: a copy, unless ``in_place``.
    phases : sequence of Phase
        As for `acclimate.training.loop.train`; they name modules of ``network``. A copy trains
        with all its parameters in phases of its own only where the phases name ``network`` itself.
    data : Data
        Labelled rows on the network's device.
    settings : Settings
        Optimiser, batch size and precision; rate, schedule and length are replaced.
    seed : int, default=0
        Seeds batches and everything random inside.
    lowest, highest : float
        First and last rate.
    steps : int, default=200
        Optimiser steps, at least 10.
    progress : Progress, default=None
        Where to show how far the run is.
    in_place : bool, default=False
        Whether ``network`` itself may move.
    """
    if not 0.0 < lowest < highest < math.inf:
        raise InputError(
            f"learning rates must satisfy 0 < lowest < highest, got {lowest!r} and {highest!r}"
        )
    if steps < 10:
        raise InputError(f"steps must be at least 10, got {steps!r}")
    ramp = exponential(lowest / highest)
    changed = dataclasses.replace(
        settings, steps=steps, learning_rate=highest, schedule=ramp, warmup=0.0, patience=None
    )
    if not in_place:  # one deep copy of both, so that the phases name modules of the copy
        network, phases = copy.deepcopy((network, list(phases)))
    seen: list[Tensor] = []
    first, *others = phases
    watched = [_watched(term, seen) for term in first.terms]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last rates are meant to diverge
        loop.train(
            network, [dataclasses.replace(first, terms=watched), *others], data,
            settings=changed, seed=seed, progress=progress,
        )  # fmt: skip
    per_step = len(first.terms) * first.repeat
    table = torch.stack(seen).view(-1, per_step).sum(1) / first.repeat
    rates = np.array([highest * ramp(step / steps) for step in range(len(table))])
    return read_curve(rates, table.double().cpu().numpy())


def read_curve(rates: NDArray[np.float64], losses: NDArray[np.float64]) -> LearningRates:
    """Smooth a curve, cut it where it diverges, and suggest a rate.

    Parameters
    ----------
    rates : ndarray of shape (k,)
        Rising.
    losses : ndarray of shape (k,)
        Loss of each step; may end in infinite or NaN values.

    Raises
    ------
    InputError
        The first loss is not finite.
    """
    mean = 0.0
    smooth: list[float] = []
    for step, loss in enumerate(losses.tolist(), start=1):
        mean = SMOOTHING * mean + (1.0 - SMOOTHING) * loss
        value = mean / (1.0 - SMOOTHING**step)
        if not math.isfinite(value) or (smooth and value > DIVERGED * min(smooth)):
            break
        smooth.append(value)
    if not smooth:
        raise InputError(f"the loss is {losses[0]:g} at a learning rate of {rates[0]:g} already")
    lowest = int(np.argmin(smooth))
    return LearningRates(rates[: len(smooth)], np.array(smooth), float(rates[lowest] / BELOW))


def _watched(term: Term, seen: list[Tensor]) -> Term:
    """Return the term, which from now on notes its weighted value."""

    def loss(source: Any, target: Any) -> Tensor:
        value = term.loss(source, target)
        seen.append(value.detach().float())
        return value

    return dataclasses.replace(term, loss=loss, slope=None)  # what has a slope is not called
