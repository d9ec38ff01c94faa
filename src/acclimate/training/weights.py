"""Saved weights against a module: which fit, which are new and which are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from torch import nn


class Weight(NamedTuple):
    """What becomes of one weight.

    Attributes
    ----------
    name : str
        Dotted name of a parameter or buffer.
    fate : str
        "loaded": saved values replace the module's. "new": the module keeps its own, since nothing
        was saved. "skipped": saved values are left out.
    reason : str
        Why, in words.
    """

    name: str
    fate: str
    reason: str


def table_of_weights(module: nn.Module, state: Mapping[str, Any]) -> list[Weight]:
    """Compare saved weights with a module. Neither is changed.

    Parameters
    ----------
    module : nn.Module
        Shall receive the weights.
    state : mapping of str to Tensor
        Saved parameters and buffers by dotted name.

    Returns
    -------
    list of Weight
        The module's weights in its order, then saved ones that it does not have.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> saved = {"weight": torch.zeros(2, 3), "old": torch.zeros(1)}
    >>> for row in table_of_weights(nn.Linear(3, 2), saved):
    ...     print(*row, sep=" | ")
    weight | loaded | shape (2, 3)
    bias | new | not in the file, shape (2,)
    old | skipped | the module has no such weight, shape (1,)
    """
    rows = []
    mine = module.state_dict()
    for name, place in mine.items():
        saved = state.get(name)
        shape = tuple(place.shape)
        if saved is None:
            rows.append(Weight(name, "new", f"not in the file, shape {shape}"))
        elif tuple(saved.shape) != shape:
            reason = f"shape {tuple(saved.shape)} in the file, {shape} in the module"
            rows.append(Weight(name, "skipped", reason))
        elif saved.dtype != place.dtype:
            reason = f"{saved.dtype} in the file, {place.dtype} in the module"
            rows.append(Weight(name, "skipped", reason))
        else:
            rows.append(Weight(name, "loaded", f"shape {shape}"))
    for name, saved in state.items():
        if name not in mine:
            reason = f"the module has no such weight, shape {tuple(saved.shape)}"
            rows.append(Weight(name, "skipped", reason))
    return rows


def as_text(table: Sequence[Weight]) -> str:
    """Return the table as lines of text.

    Examples
    --------
    >>> print(as_text([Weight("bias", "new", "not in the file"), Weight("w", "loaded", "")]))
      bias  new      not in the file
      w     loaded
    """
    name = max((len(row.name) for row in table), default=0)
    fate = max((len(row.fate) for row in table), default=0)
    fate = max(fate, len("skipped"))
    return "\n".join(
        f"  {row.name:<{name}}  {row.fate:<{fate}}  {row.reason}".rstrip() for row in table
    )
