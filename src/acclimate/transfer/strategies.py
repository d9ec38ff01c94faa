"""Fine-tuning strategies for networks: one function each, and the table that names them.

Each takes a `Tuning`, tunes its network in place and returns the names of the layers that moved.
All take as many optimiser steps as training from scratch, searches and probes included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from acclimate.training.layers import layer_groups
from acclimate.training.network import Network
from acclimate.training.terms import Term
from acclimate.transfer.lora import lora
from acclimate.transfer.strategy_words import ABOUT
from acclimate.transfer.surgical import surgical
from acclimate.transfer.tuning import Tuning, shares

L2_SP_STRENGTH = 0.01  # alpha and beta of arXiv:1802.01483


def full(tuning: Tuning) -> list[str]:
    """Move all weights (arXiv:1411.1792)."""
    tuning.train(tuning.steps)
    return tuning.names(layer_groups(tuning.network))


def head(tuning: Tuning) -> list[str]:
    """Move the head alone: a linear probe."""
    tuning.probe(tuning.steps)
    return ["head"]


def lp_ft(tuning: Tuning) -> list[str]:
    """Move the head in the first half of the steps, then all weights (arXiv:2202.10054).

    Deviation: the paper gives each part a run of its own length; here both share the steps.
    """
    if tuning.steps > 1:
        tuning.probe(tuning.steps // 2)
    tuning.train(max(tuning.steps - tuning.taken, 1))
    return tuning.names(layer_groups(tuning.network))


def l2_sp(tuning: Tuning) -> list[str]:
    """Move all weights with a pull towards where they started (arXiv:1802.01483)."""
    strength = L2_SP_STRENGTH if tuning.strength is None else tuning.strength
    tuning.train(tuning.steps, terms=[pull(tuning.network, tuning.copied, strength)])
    return tuning.names(layer_groups(tuning.network))


def gradual(tuning: Tuning) -> list[str]:
    """Move the head, then one layer group more at a time from the top down (arXiv:1801.06146).

    Groups that wait are frozen: parameters and buffers stay as they are. Every stage takes the
    same number of steps. Where there are fewer steps than groups, the last stage frees the rest.

    Deviations: stages are equal parts of the run instead of one epoch each, and each has its own
    warm-up, decay and optimiser state. Rates do not fall towards the input; for that there is
    "discriminative".
    """
    groups = layer_groups(tuning.network)
    stages = shares(tuning.steps, min(len(groups), tuning.steps))
    for number, steps in enumerate(stages, start=1):
        first = len(groups) - number if number < len(stages) else 0
        if first == len(groups) - 1:
            tuning.probe(steps)  # the frozen body is computed once
        else:
            tuning.train_groups(groups[first:], steps)
    return tuning.names(groups)


def discriminative(tuning: Tuning) -> list[str]:
    """Move all weights, more slowly towards the input (arXiv:1801.06146).

    The head has the full learning rate, and each layer group ``1 / decay`` of the rate of the
    group above it.

    Deviation: the schedule is the estimator's own, not the paper's slanted triangle.
    """
    groups = layer_groups(tuning.network)
    rates = {
        layer: tuning.decay ** -float(depth)
        for depth, group in enumerate(reversed(groups))
        for layer in group
    }
    tuning.train(tuning.steps, rates=rates)
    return tuning.names(groups)


def pull(network: Network, copied: bool, strength: float) -> Term:
    """Return ``strength / 2`` times the squared distance to where the weights are now.

    Parameters
    ----------
    network : Network
        Its weights now are the anchors.
    copied : bool
        Whether the head is the source's; a new one is pulled towards 0.
    strength : float
        Above 0.
    """
    body, top = list(network.body.parameters()), list(network.head.parameters())
    anchors = [p.detach().clone() for p in body]
    anchors += [p.detach().clone() if copied else torch.zeros_like(p) for p in top]
    moving: list[Tensor] = [*body, *top]
    return Term("l2-sp", lambda s, t: 0.5 * strength * squared_distance(moving, anchors))


def squared_distance(parameters: list[Tensor], anchors: list[Tensor]) -> Tensor:
    """Return the sum of squared differences between two lists of tensors, shape ()."""
    parts = [(p - a).square().sum() for p, a in zip(parameters, anchors, strict=True)]
    return torch.stack(parts).sum()


@dataclass(frozen=True)
class Strategy:
    """A row of the table.

    Parameters
    ----------
    run : callable
        ``run(tuning) -> names of the layers that moved``.
    about : str
        What it does, as it ends the sentence '"name" ...'.
    """

    run: Callable[[Tuning], list[str]]
    about: str


_FUNCTIONS: dict[str, Callable[[Tuning], list[str]]] = {
    "full": full,
    "head": head,
    "lp-ft": lp_ft,
    "l2-sp": l2_sp,
    "gradual": gradual,
    "discriminative": discriminative,
    "lora": lora,
    "surgical": surgical,
}
NETWORK_STRATEGIES = {name: Strategy(_FUNCTIONS[name], about) for name, about in ABOUT.items()}
