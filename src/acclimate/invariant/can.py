"""`CAN`: classes that are the same come close between the domains, others move apart."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from numbers import Real
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from sklearn.utils._param_validation import Interval
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.deep import TARGET, DeepAdapter, Plan, Run, documented, forward, full_batches
from acclimate.exceptions import InputError
from acclimate.losses.contrastive import class_contrast
from acclimate.settings import NOT_NEGATIVE, Constraints
from acclimate.training.batch import Batch, Data
from acclimate.training.terms import Phase, Term

FEWEST = 3  # rows of a class in the target for it to be compared
AT_ONCE = 10  # classes in a batch
ROUNDS = 100  # most passes of k-means; it ends when no row changes its cluster


@documented
class CAN(DeepAdapter):
    """Bring each class of the target close to the same class of the source, away from the others.

    Use it for classification when target rows form clusters of about the classes: these are found
    before each epoch, from the source's centres on. Do not use it when clusters are not classes, or
    the source's centres lie nearer to wrong clusters.

    Minimises ``L(theta, head) + strength * C``, where L is the base model's loss on source rows and
    C is the mean squared MMD of the features of the same class in both domains, less that of
    different classes. Batches for C hold equally many rows of the same classes from both domains.

    Parameters
    ----------
    {classifier}
    strength : float, default=0.3
        Weight of the contrast, at least 0.
    distance : float, default=0.5
        Target rows whose ``(1 - cos) / 2`` to the centre of their cluster is above this are left
        out of C, in (0, 1].
    {parameters}

    Attributes
    ----------
    {attributes}

    Raises
    ------
    {raises}

    Warns
    -----
    {warns}

    Notes
    -----
    Clusters are those of spherical k-means. Classes with fewer than three target rows are left out
    of C, and there is no C in an epoch with fewer than two classes. A batch compares at most ten
    classes. C is taken on the features that the head reads, where the paper adds later layers, with
    the mean of five kernels. Stage two starts from the source network. Several sources are pooled,
    and rows of the source count by their weights in L alone.

    References
    ----------
    Kang, Jiang, Yang and Hauptmann, "Contrastive adaptation network for unsupervised domain
    adaptation", arXiv:1901.00976.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import CAN, Domain, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(90, 2)), rng.normal(size=(60, 2)) + 0.5
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = CAN(base, random_state=0).fit(X, X[:, 0] > 0, target=Domain(Xt))
    >>> sorted(model.history_.epochs[-1])
    ['contrast', 'step', 'task', 'validation']
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **DeepAdapter._parameter_constraints,
        "strength": [NOT_NEGATIVE],
        "distance": [Interval(Real, 0, 1, closed="right")],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        strength: float = 0.3,
        distance: float = 0.5,
        length: float = 1.0,
        rate: float = 1.0,
        validator: Any = "auto",
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            estimator, length=length, rate=rate, validator=validator, preprocess=preprocess,
            random_state=random_state,
        )  # fmt: skip
        self.strength = strength
        self.distance = distance

    def _plan(self, run: Run) -> Plan:
        clusters = Clusters(run, self.distance)
        clusters.renew(run.net, 0.0)  # a run that is resumed draws batches before its first epoch
        contrast = Term("contrast", clusters.contrast, self.strength)
        return Plan(
            [Phase([*run.supervised, contrast], [run.net])],
            forward=clusters.forward,
            sampler=clusters.batches,
            before_epoch=clusters.renew,
        )


class Clusters:
    """Pseudo-labels of the target rows, and batches of the same classes from both domains.

    Parameters
    ----------
    run : Run
        Rows, network and seed.
    distance : float
        Most ``(1 - cos) / 2`` of a target row to its centre.
    """

    def __init__(self, run: Run, distance: float) -> None:
        if run.source is None or run.source.y is None:  # the row of the catalogue asks for them
            raise InputError("CAN needs the source rows")
        self.run = run
        self.distance = distance
        self.source, self.y = run.source, run.source.y
        self.size = run.settings.batch_size
        self.usable: list[int] = []

    def renew(self, net: nn.Module, progress: float) -> None:
        """Label all target rows, and sort the rows of both domains by the classes to compare."""
        z, y = self.run.infer(self.source.x)[0], self.y.cpu()
        target = self.run.infer(self.run.target.x)[0]
        k = self.run.outputs
        codes, near = spherical_clusters(target, class_centres(z, y, k))
        kept = near >= 1.0 - 2.0 * self.distance
        rows = [((codes == c) & kept).nonzero().squeeze(1) for c in range(k)]
        self.rows = [[(y == c).nonzero().squeeze(1) for c in range(k)], rows]
        self.usable = [
            c for c in range(k) if len(self.rows[1][c]) >= FEWEST and len(self.rows[0][c])
        ]
        self.codes = codes.to(self.run.device)

    def batches(self, data: Data, size: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Yield rows for the contrast; those of the source behind an ordinary batch for the loss.

        In a step both domains show the same classes, drawn without regard to ``generator``.
        """
        ordinary = full_batches(data, size, generator)
        for step in count():
            u = torch.rand(self.size, generator=generator, dtype=torch.float64)
            picked = self._pick(data, step, u).to(data.x.device)
            yield picked if data.domain == TARGET else torch.cat([next(ordinary), picked])

    def _pick(self, data: Data, step: int, u: Tensor) -> Tensor:
        """Return rows of the classes of a step, for uniform draws u; any rows if there are none."""
        if len(self.usable) < 2:
            return (u * len(data)).long()
        order = torch.Generator().manual_seed(self.run.seed + step)
        some = torch.randperm(len(self.usable), generator=order)[:AT_ONCE]
        of = self.rows[data.domain]
        parts = u.tensor_split(len(some))
        return torch.cat([
            of[self.usable[c]][(part * len(of[self.usable[c]])).long()]
            for c, part in zip(some.tolist(), parts, strict=True)
        ])  # fmt: skip

    def forward(self, net: nn.Module, batch: Batch) -> SimpleNamespace:
        """Run the network; ``pairs`` holds the rows for the contrast, and the rest is the batch."""
        out = forward(net, batch)
        if batch.domain == TARGET:
            out.pairs, out.codes = out.z, self.codes[batch.index]
            return out
        n = len(batch.x) - self.size
        out.pairs, out.codes = out.z[n:], self.y[batch.index[n:]]
        for name in ("z", "logits", "x", "y", "weight", "index"):
            value = getattr(out, name)
            setattr(out, name, value if value is None else value[:n])
        return out

    def contrast(self, s: Any, t: Any) -> Tensor:
        """Return the contrastive domain discrepancy of a batch."""
        if len(self.usable) < 2:
            none: Tensor = 0.0 * (s.pairs.sum() + t.pairs.sum())
            return none
        return class_contrast(s.pairs, s.codes, t.pairs, t.codes, self.run.outputs)


def class_centres(z: Tensor, y: Tensor, classes: int) -> Tensor:
    """Return the direction of each class's mean direction, shape (k, d); 0 where it has no row.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    y : Tensor of shape (n,), int64
        Class codes.
    classes : int
        Number k of classes.
    """
    sums = torch.zeros(classes, z.shape[1], dtype=torch.float64)
    return F.normalize(sums.index_add_(0, y, F.normalize(z.double(), dim=1)), dim=1)


def spherical_clusters(z: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Return clusters of rows by spherical k-means from given centres.

    Parameters
    ----------
    z : Tensor of shape (m, d)
        Features.
    centres : Tensor of shape (k, d)
        Directions to start from. A centre that no row is nearest to stays.

    Returns
    -------
    codes : Tensor of shape (m,), int64
        The cluster of each row, by the number of its centre.
    near : Tensor of shape (m,)
        Cosine of each row with its centre.

    Examples
    --------
    >>> z = torch.tensor([[2.0, 0.1], [3.0, 0.0], [0.1, 1.0]])
    >>> spherical_clusters(z, torch.tensor([[1.0, 0.5], [0.5, 1.0]]))[0]
    tensor([0, 0, 1])
    """
    rows, centres = F.normalize(z.double(), dim=1), centres.double()
    near, codes = (rows @ centres.T).max(1)
    for _ in range(ROUNDS):
        fresh = class_centres(rows, codes, len(centres))
        centres = torch.where(fresh.any(1, keepdim=True), fresh, centres)
        before = codes
        near, codes = (rows @ centres.T).max(1)
        if torch.equal(codes, before):
            break
    return codes, near
