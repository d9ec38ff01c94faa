"""What a method hands to the loop, and what the loop hands back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from acclimate.training.schedules import Ramp

Loss = Callable[[Any, Any], Tensor]


@dataclass(frozen=True)
class Term:
    """One summand of an objective.

    Parameters
    ----------
    name : str
        Name in the history and the progress bar.
    loss : callable
        ``loss(source, target) -> scalar``: a pure function of what ``forward`` returned for the
        source batch and for the target batch. Either is None where that domain is absent.
    weight : float or callable, default=1.0
        Factor of the term, or a ramp from progress in [0, 1] to the factor.
    slope : callable, default=None
        ``slope(source, target) -> (scalar, gradient)``: the same number, and its gradient in the
        source's logits, of their shape, where it depends on nothing else that moves. A phase of
        this term alone then needs no autograd where the network needs none.
    """

    name: str
    loss: Loss
    weight: float | Ramp = 1.0
    slope: Callable[[Any, Any], tuple[Tensor, Tensor]] | None = None


@dataclass(frozen=True)
class Phase:
    """One backward pass: these terms move these modules.

    Parameters
    ----------
    terms : sequence of Term
        Their weighted sum is minimised.
    modules : sequence of nn.Module
        Their parameters move; all others stand still in this phase.
    repeat : int, default=1
        How often the phase runs in each step.
    measures : sequence of Term, default=()
        Figures for the history, such as an accuracy. They are computed like terms, without
        gradients, and not minimised.
    reads : tuple of two bool, default=(True, True)
        Whether terms and measures read the source batch, and the target batch. One that they do
        not read is not run; they see None in its place, and nothing joins the two.
    """

    terms: Sequence[Term]
    modules: Sequence[nn.Module]
    repeat: int = 1
    measures: Sequence[Term] = ()
    reads: tuple[bool, bool] = (True, True)


@dataclass(frozen=True)
class Settings:
    """How to train.

    Parameters
    ----------
    steps : int
        Optimiser steps in all, at least 1.
    batch_size : int
        Rows of each domain a step.
    optimizer : {"adam", "adamw", "sgd", "plain"}
        Rule of the step. SGD has Nesterov momentum of 0.9; "plain" is gradient descent without.
    learning_rate : float
        Peak rate, above 0.
    schedule : {"constant", "linear", "cosine", "inverse"} or callable
        How the rate falls; a callable maps progress in [0, 1] to a factor on the peak rate.
    warmup : float in [0, 1)
        Share of the steps over which the rate rises from 0.
    weight_decay : float
        Decay of the weights towards 0, at least 0.
    patience : int or None
        Epochs without a better validation score before training stops. None trains to the end.
    precision : {"float32", "bf16"}
        Number format inside the network. Parameters stay float32.
    """

    steps: int
    batch_size: int = 128
    optimizer: str = "adam"
    learning_rate: float = 4e-3
    schedule: str | Ramp = "linear"
    warmup: float = 0.1
    weight_decay: float = 0.0
    patience: int | None = None
    precision: str = "float32"


@dataclass
class History:
    """What happened in a run.

    Attributes
    ----------
    epochs : list of dict
        One an epoch: number of steps so far, mean of every term and measure, validation score
        where there is one.
    best_epoch : int or None
        Number, from 1, of the epoch whose weights were kept, 0 for those before the first step;
        None where it is simply the last.
    stopped : str
        Why training ended: "done", "patience", "not finite" or "collapse".
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int | None = None
    stopped: str = "done"
