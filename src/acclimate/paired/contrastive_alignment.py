"""`ContrastiveAlignment`: two projections trained so that partners find each other in a batch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from acclimate.folds import row_keys
from acclimate.losses.info_nce import symmetric_info_nce
from acclimate.maths.best_items import unit
from acclimate.paired.given_pairs import Floats, Side, Two
from acclimate.paired.pairing import Pairing
from acclimate.settings import (
    COUNT,
    NOT_NEGATIVE,
    POSITIVE,
    SEVERAL,
    SHARE_BELOW_1,
    Constraints,
    drawn_seed,
)
from acclimate.training.batch import Batch, Data
from acclimate.training.device import find_device, seeded
from acclimate.training.dropout import Dropout
from acclimate.training.inference import infer
from acclimate.training.loop import train
from acclimate.training.terms import History, Phase, Settings, Term


class ContrastiveAlignment(Pairing):
    """Train a projection of each modality so that an item is nearest to its own partner.

    Use it with some thousand pairs and more, where what ridge regression averages over matters. Do
    not use it with some hundred: `PairedRidge` is as good or better there and has no setting.

    Minimises the symmetric InfoNCE loss of CLIP over batches of pairs: with ``S_ij`` the cosine of
    the projections of item i of A and item j of B over ``temperature``, the mean cross-entropy of
    rows and columns of S, where i is the right answer for i. The encoders stand still; each
    projection is linear, on rows that are centred and scaled by one number.

    Parameters
    ----------
    encoders : pair of transformers or None, default=None
        What makes numbers of an item of A and of one of B, such as ``(FrozenBody(), None)``; None
        takes rows of numbers. They are cloned and fitted on the pairs.
    dimension : int, default=128
        Size of the common space, at least 1.
    temperature : float, default=0.1
        What cosines are divided by, above 0. Lower values look at the nearest wrong items alone.
    dropout : float in [0, 1), default=0.5
        Share of the columns of an item that a step does not see.
    steps : int, default=500
        Optimiser steps, at least 1.
    batch_size : int, default=256
        Pairs a step, at least 2: each is compared with all others of its batch.
    learning_rate : float, default=1e-3
        Peak rate, above 0.
    weight_decay : float, default=0.1
        Decay of the weights, at least 0.
    device : str, default="auto"
        "auto" uses a GPU where there is one.
    random_state : int, RandomState instance or None, default=None
        Seeds weights, batches and dropout.

    Attributes
    ----------
    encoders_ : tuple of (transformer or None, transformer or None)
        Fitted.
    network_ : Projections
        The trained projections.
    mean_A_, mean_B_ : ndarrays of shape (d_A,) and (d_B,)
        Of the pairs.
    scale_A_, scale_B_ : float
        Root of the mean variance of a column.
    history_ : History
        Loss of each epoch.

    Raises
    ------
    InputError
        A setting cannot be used, the sides have different lengths, or an item is no row of finite
        numbers.

    Notes
    -----
    Deviations from CLIP: the encoders are not trained, the temperature is fixed, and items that are
    equal, such as two pictures with one caption, do not count against each other.

    References
    ----------
    Radford et al., "Learning transferable visual models from natural language supervision",
    arXiv:2103.00020. Van den Oord, Li and Vinyals, "Representation learning with contrastive
    predictive coding", arXiv:1807.03748.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import ContrastiveAlignment
    >>> rng = np.random.default_rng(0)
    >>> both = rng.normal(size=(130, 3))  # what both show
    >>> A, B = both @ rng.normal(size=(3, 5)), both @ rng.normal(size=(3, 8))
    >>> model = ContrastiveAlignment(steps=200, dropout=0.0, random_state=0).fit(A[:100], B[:100])
    >>> found = model.retrieve(A[100:], B[100:], k=3)
    >>> bool((found == np.arange(30)[:, None]).any(axis=1).mean() > 0.8)
    True
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "encoders": [Two(), None],
        "dimension": [COUNT],
        "temperature": [POSITIVE],
        "dropout": [SHARE_BELOW_1],
        "steps": [COUNT],
        "batch_size": [SEVERAL],
        "learning_rate": [POSITIVE],
        "weight_decay": [NOT_NEGATIVE],
        "device": [str],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        encoders: Any = None,
        *,
        dimension: int = 128,
        temperature: float = 0.1,
        dropout: float = 0.5,
        steps: int = 500,
        batch_size: int = 256,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.1,
        device: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(encoders)
        self.dimension = dimension
        self.temperature = temperature
        self.dropout = dropout
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.device = device
        self.random_state = random_state

    def _learn(self, A: Floats, B: Floats) -> None:
        seed = drawn_seed(self.random_state)[0]
        where = find_device(self.device)
        self.mean_A_, self.mean_B_ = A.mean(axis=0), B.mean(axis=0)
        self.scale_A_, self.scale_B_ = (float(np.sqrt(X.var(axis=0).mean())) or 1.0 for X in (A, B))
        keys = [torch.from_numpy(row_keys(X, 0).astype(np.int64)).to(where) for X in (A, B)]
        with seeded(seed, where):
            network = projections(self.widths_, self.dimension, self.dropout).to(where)
        rows = np.hstack([self._scaled(A, "A"), self._scaled(B, "B")])
        data = Data(torch.from_numpy(rows.astype(np.float32)).to(where))

        def forward(net: nn.Module, batch: Batch) -> SimpleNamespace:
            za, zb = net(batch.x)
            return SimpleNamespace(za=za, zb=zb, index=batch.index)

        def loss(s: Any, t: Any) -> Tensor:
            mine = [key[s.index] for key in keys]
            same = (mine[0][:, None] == mine[0]) | (mine[1][:, None] == mine[1])
            return symmetric_info_nce(s.za, s.zb, self.temperature, same)

        settings = Settings(
            self.steps, min(self.batch_size, len(A)), "adamw", self.learning_rate, "cosine",
            weight_decay=self.weight_decay,
        )  # fmt: skip
        self.history_: History = train(
            network, [Phase([Term("contrast", loss)], [network])], data, settings=settings,
            seed=seed, forward=forward,
        )  # fmt: skip
        self.network_ = network

    def _embed(self, X: Floats, side: Side) -> Floats:
        other = 1 - "AB".index(side)
        blank = np.zeros((len(X), self.widths_[other]))
        mine = self._scaled(X, side)
        rows = np.hstack([mine, blank] if side == "A" else [blank, mine]).astype(np.float32)
        where = next(self.network_.parameters()).device
        both = infer(self.network_, torch.from_numpy(rows), device=where)
        return unit(both["AB".index(side)].double().numpy())

    def _scaled(self, X: Floats, side: Side) -> Floats:
        scaled: Floats = (
            (X - self.mean_A_) / self.scale_A_
            if side == "A"
            else ((X - self.mean_B_) / self.scale_B_)
        )
        return scaled


class Projections(nn.Module):
    """Two projections, side by side: of the first columns of a row, and of the others.

    Parameters
    ----------
    first, second : nn.Module
        Map rows of shape (b, d_A) and (b, d_B) to (b, e).
    width : int
        d_A.
    """

    def __init__(self, first: nn.Module, second: nn.Module, width: int) -> None:
        super().__init__()
        self.first = first
        self.second = second
        self.width = width

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return both projections of rows of shape (b, d_A + d_B)."""
        return self.first(x[:, : self.width]), self.second(x[:, self.width :])


def projections(widths: tuple[int, int], dimension: int, dropout: float) -> Projections:
    """Return linear projections of both sides, with dropout in front."""
    sides = [
        nn.Sequential(Dropout(dropout), nn.Linear(width, dimension, bias=False)) for width in widths
    ]
    return Projections(sides[0], sides[1], widths[0])
