"""`VICReg`: two views of a row agree, and no column collapses or repeats another."""

from __future__ import annotations

from typing import Any, ClassVar

from acclimate.losses.self_supervised import vicreg
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


class VICReg(Pretext):
    """Make two changed copies of a row agree while every column of a projection keeps its spread.

    Use it where batches must be small: it compares columns, not rows with each other. Do not use it
    where what the changes take away is what the labels are of.

    Minimises ``invariance`` times the mean squared gap of both projections, plus ``variance`` times
    ``mean_j max(0, 1 - sd(z_j))``, plus ``decorrelation`` times the sum of squares of the
    covariances between different columns over d.

    Parameters
    ----------
    invariance : float, default=25.0
        Weight of the gap, at least 0.
    variance : float, default=25.0
        Weight of the spread, at least 0.
    decorrelation : float, default=1.0
        Weight of the covariances, at least 0.
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
    The three parts are on the scale of the authors' program: the gap is a mean over rows and
    columns, and the spread a mean of both views. Deviations: Adam in place of LARS, a projector of
    two layers in place of three of 8192 units, and changes as in `SimCLR`.

    References
    ----------
    Bardes, Ponce and LeCun, "VICReg: variance-invariance-covariance regularization for
    self-supervised learning", arXiv:2105.04906.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import VICReg, pretrain
    >>> images = np.random.default_rng(0).random((32, 12, 12))
    >>> encoder = pretrain(images, method=VICReg(variance=10.0), min_steps=2, epochs=1)
    >>> encoder.transform(images).shape
    (32, 128)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "invariance": [NOT_NEGATIVE],
        "variance": [NOT_NEGATIVE],
        "decorrelation": [NOT_NEGATIVE],
        "projection": [COUNT],
        "augment": [OneOf("auto"), SeveralOf(*WORDS), callable],
        "share": [INNER_SHARE],
    }

    def __init__(
        self,
        *,
        invariance: float = 25.0,
        variance: float = 25.0,
        decorrelation: float = 1.0,
        projection: int = 256,
        augment: Any = "auto",
        share: float = 0.3,
    ) -> None:
        self.invariance = invariance
        self.variance = variance
        self.decorrelation = decorrelation
        self.projection = projection
        self.augment = augment
        self.share = share

    def task(self, start: Start) -> PretextTask:
        """Return two views and the three parts of their projections' loss.

        Parameters
        ----------
        start : Start
            What the body reads and returns.
        """
        head = projector(start.width, self.projection, self.projection)
        change = change_of(self.augment, start, self.share)
        parts = (self.invariance, self.variance, self.decorrelation)
        return PretextTask(lambda s: vicreg(s.a, s.b, *parts), project, head, two_views(change))
