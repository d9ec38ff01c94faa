"""`BarlowTwins`: columns of two views' projections agree each with itself and no other."""

from __future__ import annotations

from typing import Any, ClassVar

from acclimate.losses.self_supervised import barlow_twins
from acclimate.selfsupervised.pretext import (
    WORDS,
    Pretext,
    PretextTask,
    Start,
    change_of,
    project,
    projector,
)
from acclimate.settings import COUNT, INNER_SHARE, NOT_NEGATIVE, Constraints, OneOf, SeveralOf
from acclimate.training.augment import two_views


class BarlowTwins(Pretext):
    """Bring the correlations between two changed copies of the rows near the identity.

    Use it like `VICReg`: it too compares columns, and works with small batches. Do not use it where
    what the changes take away is what the labels are of.

    Minimises ``sum_i (1 - C_ii)^2 + redundancy * sum_{i != j} C_ij^2``, C the correlations between
    the columns of both projections over the batch.

    Parameters
    ----------
    redundancy : float, default=0.005
        Weight of the second part, at least 0.
    projection : int, default=256
        Columns of a projection, at least 1.
    augment : {"auto", "flip", "crop", "colour", "affine", "crop-flip", "noise", "zoom"} \
            or callable, default="auto"
        How copies are changed; words as for `NeuralClassifier`, several with commas. "auto" is
        "zoom,colour" for images. Of flat rows ``share`` of the columns come from other rows.
    share : float in (0, 1), default=0.3
        That share.

    Attributes
    ----------
    There are none: `pretrain` keeps what is learnt.

    Raises
    ------
    InputError
        A value cannot be used, or words of images meet flat rows.

    Notes
    -----
    Deviations: Adam in place of LARS, a projector of two layers in place of three of 8192 units,
    and changes as in `SimCLR`.

    References
    ----------
    Zbontar et al., "Barlow Twins: self-supervised learning via redundancy reduction",
    arXiv:2103.03230.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import BarlowTwins, pretrain
    >>> images = np.random.default_rng(0).random((32, 12, 12))
    >>> encoder = pretrain(images, method=BarlowTwins(), min_steps=2, epochs=1)
    >>> encoder.transform(images).shape
    (32, 128)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "redundancy": [NOT_NEGATIVE],
        "projection": [COUNT],
        "augment": [OneOf("auto"), SeveralOf(*WORDS), callable],
        "share": [INNER_SHARE],
    }

    def __init__(
        self,
        *,
        redundancy: float = 0.005,
        projection: int = 256,
        augment: Any = "auto",
        share: float = 0.3,
    ) -> None:
        self.redundancy = redundancy
        self.projection = projection
        self.augment = augment
        self.share = share

    def task(self, start: Start) -> PretextTask:
        """Return two views and the gap of their correlations to the identity.

        Parameters
        ----------
        start : Start
            What the body reads and returns.
        """
        head = projector(start.width, self.projection, self.projection)
        change = change_of(self.augment, start, self.share)
        weight = self.redundancy
        return PretextTask(
            lambda s: barlow_twins(s.a, s.b, weight), project, head, two_views(change)
        )
