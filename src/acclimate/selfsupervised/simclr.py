"""`SimCLR`: two views of a row are close, and views of different rows are far."""

from __future__ import annotations

from typing import Any, ClassVar

from acclimate.losses.self_supervised import nt_xent
from acclimate.selfsupervised.pretext import (
    WORDS,
    Pretext,
    PretextTask,
    Start,
    change_of,
    project,
    projector,
)
from acclimate.settings import COUNT, INNER_SHARE, POSITIVE, Constraints, OneOf, SeveralOf
from acclimate.training.augment import two_views


class SimCLR(Pretext):
    """Tell two changed copies of a row from the copies of all other rows in the batch.

    Use it for images with many rows without labels, and for tables where `SCARF` does worse. Do not
    use it with small batches, which hold few rows to tell apart, nor where what the changes take
    away is what the labels are of: colours under "colour", left and right under "flip".

    Minimises, over all 2 b projections of a batch, the mean of
    ``-log(exp(s_ij) / sum_{k != i} exp(s_ik))``, s a cosine over the temperature and j the other
    copy of i's row.

    Parameters
    ----------
    temperature : float, default=0.5
        Above 0. Lower ones look at the nearest rows alone.
    projection : int, default=64
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
    Deviations: Adam and batches of some hundred rows in place of LARS and thousands; crops keep
    their shape, colours keep their hue, nothing is blurred; the paper's encoder is a ResNet-50.

    References
    ----------
    Chen et al., "A simple framework for contrastive learning of visual representations",
    arXiv:2002.05709.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import SimCLR, pretrain
    >>> images = np.random.default_rng(0).random((32, 12, 12))
    >>> encoder = pretrain(images, method=SimCLR(temperature=0.2), min_steps=2, epochs=1)
    >>> encoder.transform(images).shape
    (32, 128)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "temperature": [POSITIVE],
        "projection": [COUNT],
        "augment": [OneOf("auto"), SeveralOf(*WORDS), callable],
        "share": [INNER_SHARE],
    }

    def __init__(
        self,
        *,
        temperature: float = 0.5,
        projection: int = 64,
        augment: Any = "auto",
        share: float = 0.3,
    ) -> None:
        self.temperature = temperature
        self.projection = projection
        self.augment = augment
        self.share = share

    def task(self, start: Start) -> PretextTask:
        """Return two views and the contrast of their projections.

        Parameters
        ----------
        start : Start
            What the body reads and returns.
        """
        head = projector(start.width, start.width, self.projection)
        change = change_of(self.augment, start, self.share)
        temperature = self.temperature
        return PretextTask(
            lambda s: nt_xent(s.a, s.b, temperature), project, head, two_views(change)
        )
