"""What adversarial methods share: the discriminator, its loss and its accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from acclimate.deep import Run
from acclimate.losses.adversarial import domain_accuracy, domain_loss
from acclimate.training.network import mlp
from acclimate.training.reversal import Reversal
from acclimate.training.schedules import rising
from acclimate.training.terms import Term


def discriminator(run: Run, width: int, hidden: Sequence[int]) -> nn.Module:
    """Return a perceptron from features to scores of domains, in a run's number of them.

    One score where there is one source, the log-odds of *source*; else one a domain, the target's
    last.

    Parameters
    ----------
    run : Run
        Knows the number of sources.
    width : int
        Number of inputs.
    hidden : sequence of int
        Units of each hidden layer.
    """
    return perceptron(width, 1 if run.sources <= 1 else run.sources + 1, hidden)


def perceptron(width: int, outputs: int, hidden: Sequence[int]) -> nn.Module:
    """Return a perceptron from features (b, width) to (b, outputs), without dropout."""
    net = mlp((width,), outputs, hidden, 0.0)
    return nn.Sequential(*net.body[1:], net.head)  # type: ignore[index]


def add_reversal(run: Run, strength: float) -> Callable[[Any, float], None]:
    """Put a `Reversal` into a run as ``reversal``; return the step that raises its strength.

    It rises from 0 to ``strength`` as in `acclimate.training.schedules.rising`.
    """
    run.add("reversal", Reversal(0.0))
    ramp = rising(strength)
    return lambda net, progress: net.reversal.set(ramp(progress))


def judge(net: Any, s: Any, t: Any) -> None:
    """Put the scores of ``net.critic`` on the features of both domains into ``s`` and ``t``.

    To be a plan's ``join``: one pass for both costs less than one each. Where there is a
    ``net.reversal``, features go through it first.
    """
    z = torch.cat([s.z, t.z])
    scores = net.critic(net.reversal(z) if hasattr(net, "reversal") else z)
    s.critic, t.critic = scores.split([len(s.z), len(t.z)])


def domain_term(run: Run) -> Term:
    """Return the discriminator's loss on ``s.critic`` and ``t.critic``, called "domain"."""

    def loss(s: Any, t: Any) -> Any:
        return domain_loss(s.critic, t.critic, run.source_ids(s), s.weight)

    return Term("domain", loss)


def accuracy_measure() -> Term:
    """Return the discriminator's accuracy, by the name that the template watches."""
    return Term("domain_accuracy", lambda s, t: domain_accuracy(s.critic, t.critic))
