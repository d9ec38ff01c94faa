"""`ViewsAdapter`: a network learns from changed copies of rows without a label."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from acclimate.catalogue import Row
from acclimate.deep import TARGET, DeepAdapter, Run, forward, full_batches
from acclimate.settings import COUNT, Constraints, OneOf, SeveralOf
from acclimate.training.augment import WORDS, Augmentation, changing
from acclimate.training.batch import Batch, Data
from acclimate.training.course import Sampler

WEAK = "crop", "swap"  # of images, of rows
STRONG = "strong", "swap-strong"
VIEW = [SeveralOf(*WORDS), OneOf("auto"), callable, None]


class ViewsAdapter(DeepAdapter):
    """Template "train" for methods of few labels: `DeepAdapter` with views of each row.

    Each step takes ``ratio`` times as many target rows as source rows. A subclass has the settings
    ``weak`` and ``ratio``, and ``strong`` where it has a second view.
    """

    _cautious = Row(
        family="semisupervised", tasks=("classification",), target_labels="optional", network=True
    )
    _parameter_constraints: ClassVar[Constraints] = {
        **DeepAdapter._parameter_constraints,
        "weak": VIEW,
        "ratio": [COUNT],
        "use_target_labels": ["boolean"],
    }

    weak: Any
    ratio: int

    def _weak(self, run: Run) -> Callable[[Tensor], Tensor]:
        """Return what makes a weak view."""
        return changed(self.weak, WEAK, run)

    def _viewed(
        self, run: Run, second: Callable[[Tensor], Tensor] | None = None
    ) -> Callable[[Batch], Batch]:
        """Return ``views`` of the plan: ``x`` weak, and target rows in a second view, too."""
        weak = self._weak(run)

        def views(batch: Batch) -> Batch:
            more = () if second is None or batch.domain != TARGET else (second(batch.x),)
            # a weight is a number of rows, for what is drawn from the batch as well
            weighed = isinstance(weak, Augmentation) and batch.weight is not None
            x = weak(batch.x, batch.weight) if weighed else weak(batch.x)  # type: ignore[call-arg]
            return replace(batch, x=x, views=more)

        return views

    def _sampler(self) -> Sampler:
        def draw(data: Data, size: int, generator: torch.Generator) -> Iterator[Tensor]:
            many = self.ratio if data.domain == TARGET else 1
            return full_batches(data, many * size, generator)

        return draw


def changed(given: Any, auto: tuple[str, str], run: Run) -> Callable[[Tensor], Tensor]:
    """Return what makes a view of a tensor.

    Parameters
    ----------
    given : str, callable or None
        The setting.
    auto : tuple of (str, str)
        What "auto" stands for where rows are images, and where they are rows of numbers.
    run : Run
    """
    if isinstance(given, str) and given == "auto":
        given = auto[0] if run.target.x.dim() > 2 else auto[1]
    return changing(given)


def taught(
    net: nn.Module, batch: Batch, teacher: nn.Module, x: Tensor, learner: Tensor
) -> SimpleNamespace:
    """Run ``net.base`` on one view, and a teacher on another without gradients.

    Parameters
    ----------
    net : nn.Module
        With the network that learns as ``base``.
    batch : Batch
        Rows whose fields are handed on.
    teacher : Network
        May be ``net.base`` itself.
    x, learner : Tensors of shape (b, ...)
        Views of the same rows for the teacher and for the learner.

    Returns
    -------
    SimpleNamespace
        What `acclimate.deep.forward` returns, and ``guide`` (b, k), the teacher's scores.
    """
    with torch.no_grad():
        guide = teacher(x)[1]
    out = forward(net, replace(batch, x=learner))
    out.guide = guide
    return out
