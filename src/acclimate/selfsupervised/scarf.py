"""`SCARF`: a row of a table is told from others by a copy with columns from other rows."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from acclimate.exceptions import InputError
from acclimate.losses.self_supervised import info_nce
from acclimate.selfsupervised.pretext import Pretext, PretextTask, Start, project, projector
from acclimate.settings import COUNT, INNER_SHARE, POSITIVE, Constraints
from acclimate.training.augment import swapped
from acclimate.training.batch import Batch


class SCARF(Pretext):
    """Tell the corrupted copy of a row of a table from those of all other rows in the batch.

    Use it for tables with many rows without labels. Do not use it for images, nor expect much of it
    where boosted trees do well with the labels there are.

    Minimises the mean of ``-log(exp(s_ii) / mean_k exp(s_ik))``, s the cosine over the temperature
    between the projections of row i as it is and of row k with ``share`` of its columns taken each
    from another row.

    Parameters
    ----------
    share : float in (0, 1), default=0.6
        Share of the columns that are corrupted.
    temperature : float, default=1.0
        Above 0.
    projection : int, default=64
        Columns of a projection, at least 1.

    Attributes
    ----------
    There are none: `pretrain` keeps what is learnt.

    Raises
    ------
    InputError
        A value cannot be used, or rows are images.

    Notes
    -----
    Deviations: each cell is corrupted by chance, where the paper fixes how many of a row are; its
    other value comes from the rows of the batch and not of all the data, the same on average; body
    and projector have two layers where the paper's have four and two of 256 units; the run does not
    stop early.

    References
    ----------
    Bahri et al., "SCARF: self-supervised contrastive learning using random feature corruption",
    arXiv:2106.15147.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import SCARF, pretrain
    >>> table = np.random.default_rng(0).normal(size=(50, 6))
    >>> encoder = pretrain(table, method=SCARF(share=0.4), min_steps=2, epochs=1)
    >>> encoder.transform(table).shape
    (50, 128)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "share": [INNER_SHARE],
        "temperature": [POSITIVE],
        "projection": [COUNT],
    }

    def __init__(
        self, *, share: float = 0.6, temperature: float = 1.0, projection: int = 64
    ) -> None:
        self.share = share
        self.temperature = temperature
        self.projection = projection

    def task(self, start: Start) -> PretextTask:
        """Return a row, its corrupted copy, and the contrast of their projections.

        Parameters
        ----------
        start : Start
            What the body reads and returns.
        """
        if not start.flat:
            raise InputError(
                f"SCARF is for tables, and these are images of shape {start.shape}; use SimCLR, "
                f"VICReg, BarlowTwins, Rotation or MaskedAutoencoder"
            )
        share, temperature = self.share, self.temperature

        def corrupted(batch: Batch) -> Batch:
            return replace(batch, views=(batch.x, swapped(batch.x, share)))

        head = projector(start.width, start.width, self.projection)
        return PretextTask(lambda s: info_nce(s.a, s.b, temperature), project, head, corrupted)
