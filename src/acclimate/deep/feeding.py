"""Which rows a batch holds: full batches, and labelled target rows beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from acclimate.deep.run import TARGET, Run
from acclimate.training.batch import Batch, Data, endless
from acclimate.training.course import Sampler


def full_batches(data: Data, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Return the default sampler of the template: every batch is full."""
    return endless(len(data), size, generator, data.x.device)


def with_labelled(
    run: Run, sampler: Sampler, inner: Callable[[nn.Module, Batch], Any]
) -> tuple[Sampler, Callable[[nn.Module, Batch], Any]]:
    """Put labelled target rows behind each target batch, and their logits into ``t.labelled``.

    They are batches of their own: the method's terms do not see them, so that few labelled rows
    seen often cannot pass for the target's distribution.
    """
    if run.known is None:
        return sampler, inner
    where, codes = run.known
    count = min(len(where), run.settings.batch_size)
    code_of = codes.new_zeros(len(run.target))
    code_of[where] = codes

    def draw(data: Data, size: int, generator: torch.Generator) -> Iterator[Tensor]:
        main = sampler(data, size, generator)
        if data.domain != TARGET:
            yield from main
        more = endless(len(where), count, generator, data.x.device)
        for index in main:
            yield torch.cat([index, where[next(more)]])

    def run_both(net: nn.Module, batch: Batch) -> Any:
        if batch.domain != TARGET:
            return inner(net, batch)
        out = inner(net, _cut(batch, slice(None, -count)))
        rows = _cut(batch, slice(-count, None))
        logits = run.base(rows.x)[1]
        out.labelled = SimpleNamespace(logits=logits, y=code_of[rows.index], weight=None)
        return out

    return draw, run_both


def _cut(batch: Batch, part: slice) -> Batch:
    """Return some rows of a batch without labels."""
    views = tuple(view[part] for view in batch.views)
    return replace(batch, x=batch.x[part], index=batch.index[part], views=views)
