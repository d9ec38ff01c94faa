"""What a method of the template works with, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from acclimate.exceptions import InputError
from acclimate.training import network as networks
from acclimate.training.batch import Batch, Data
from acclimate.training.course import Sampler
from acclimate.training.inference import infer
from acclimate.training.network import Network
from acclimate.training.terms import Phase, Settings, Term

SOURCE, TARGET = 0, 1  # domain of a batch


class Whole(nn.Module):
    """The network that adapts, as ``base``, and whatever a method adds to it.

    Parameters
    ----------
    base : Network
        Body and head, a copy of the source network.
    """

    def __init__(self, base: Network) -> None:
        super().__init__()
        self.base = base


def forward(net: nn.Module, batch: Batch) -> SimpleNamespace:
    """Run ``net.base`` on a batch: ``z`` (b, d), ``logits`` (b, k), and the batch's fields."""
    base: Network = net.base  # type: ignore[assignment]
    return networks.forward(base, batch)


@dataclass
class Run:
    """One adaptation: what a method's `_plan` works with. It is dropped when stage two ends.

    Attributes
    ----------
    model : NeuralClassifier or NeuralRegressor
        A copy of the source model; its network moves.
    net : Whole
        ``net.base`` is that network. Modules of the method join it through `add`.
    source : Data or None
        Source rows with label codes. None for methods that need none.
    target : Data
        Target rows, without labels.
    task : Term
        The base model's loss on the source batch, called "task".
    supervised : list of Term
        ``task``, and "target_task" where target labels are used: what a method minimises beside
        its own terms.
    settings : Settings
        Of the loop. ``settings.steps`` is as long as training the base model.
    seed : int
        Seed of stage two.
    ids : Tensor of shape (n,), int64, or None
        Which source each source row comes from, 0 .. sources - 1; None where there is one.
    sources : int
        Number of sources, 0 where there are no source rows.
    held : Data or None
        Source rows left out of ``source`` for a validator that was given as a function.
    known : tuple of (Tensor, Tensor) or None
        Positions and codes of the labelled target rows, shape (k,) each.
    """

    model: Any
    net: Whole
    source: Data | None
    target: Data
    task: Term
    supervised: list[Term]
    settings: Settings
    seed: int
    ids: Tensor | None = None
    sources: int = 1
    held: Data | None = None
    known: tuple[Tensor, Tensor] | None = None

    @property
    def base(self) -> Network:
        """The network that adapts."""
        return self.net.base

    @property
    def device(self) -> torch.device:
        """Where everything is."""
        return self.target.x.device

    @property
    def regression(self) -> bool:
        """Whether outputs are values, not logits."""
        return not hasattr(self.model, "classes_")

    @property
    def outputs(self) -> int:
        """Number k of logits, 1 in a regression."""
        return 1 if self.regression else len(self.model.classes_)

    @property
    def width(self) -> int:
        """Number d of features z."""
        return int(self.infer(self.target.x[:2])[0].shape[1])

    def add(self, name: str, module: nn.Module) -> Any:
        """Put a module of the method beside ``base`` and on its device, and return it.

        `_plan` runs seeded, so fresh weights are reproducible.
        """
        self.net.add_module(name, module.to(self.device))
        return module

    def infer(self, x: Tensor, network: Network | None = None) -> tuple[Tensor, Tensor]:
        """Return features (m, d) and logits (m, k) without gradients, on the CPU."""
        return infer(self.base if network is None else network, x, precision=self.precision)

    def check_two_rows(self) -> None:
        """Raise where a domain has one row: it has no covariance and no distances."""
        for name, data in (("source", self.source), ("target", self.target)):
            if data is not None and len(data) < 2:
                raise InputError(f"the {name} has 1 sample; at least 2 are needed")

    @property
    def precision(self) -> str:
        """Number format inside the network."""
        return self.settings.precision

    def source_ids(self, s: Any) -> Tensor | None:
        """Return which source each row of a source batch comes from, shape (b,), or None."""
        return None if self.ids is None else self.ids[s.index]

    def each_source(self, loss: Callable[[Any, Any], Tensor]) -> Callable[[Any, Any], Tensor]:
        """Return the mean of ``loss(s, t)`` over the sources in the batch.

        ``loss`` reads tensors of b rows from ``s``; each call sees the rows of one source. Sources
        with one row in a batch are left out there.
        """
        if self.ids is None:
            return loss

        def mean(s: Any, t: Any) -> Tensor:
            ids = self.source_ids(s)
            assert ids is not None  # noqa: S101 - tells the type checker
            parts = []
            for number in range(self.sources):
                rows = (ids == number).nonzero().squeeze(1)
                if len(rows) > 1:
                    parts.append(loss(_rows_of(s, rows, len(ids)), t))
            return torch.stack(parts).mean() if parts else loss(s, t)

        return mean


def _rows_of(s: Any, rows: Tensor, n: int) -> SimpleNamespace:
    """Return what forward returned, for some rows: every tensor of n rows is taken from."""
    return SimpleNamespace(**{
        key: value[rows] if isinstance(value, Tensor) and value.shape[:1] == (n,) else value
        for key, value in vars(s).items()
    })  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What a method hands to the loop; see `acclimate.training.loop.train` for the signatures.

    Parameters
    ----------
    phases : sequence of Phase, default=()
        What moves what. Without any, nothing is trained and only statistics of batch norm change.
    forward : callable, default=`acclimate.deep.forward`
        ``forward(net, batch)``: a `SimpleNamespace` that the terms read; ``net`` is `Run.net`.
    join, views, sampler, before_epoch, after_step : callable, default=None
        Hooks of the loop. The default sampler yields full batches only. ``views`` sees rows that
        the base model's ``augment`` has changed already.
    frozen : sequence of nn.Module, default=()
        Modules that keep parameters and statistics.
    rates : mapping from nn.Module to float, default={}
        Factors on the learning rate, beside ``rate`` for ``net.base``.
    target : Network, default=None
        What predicts target rows afterwards; None is ``net.base``.
    start : Network, default=None
        What predicts target rows where no epoch is better than the start; None is ``target``.
    source_stays : bool, default=False
        Whether source rows go on being answered by the stage-one model.
    steps : int, default=None
        Steps of the loop; None is `Run.settings`.
    weighs_target : bool, default=False
        Whether terms read ``t.weight``, which is given where the method rejects rows.
    """

    phases: Sequence[Phase] = ()
    forward: Callable[[nn.Module, Batch], Any] = forward
    join: Callable[[nn.Module, Any, Any], None] | None = None
    views: Callable[[Batch], Batch] | None = None
    sampler: Sampler | None = None
    before_epoch: Callable[[nn.Module, float], None] | None = None
    after_step: Callable[[nn.Module, float], None] | None = None
    frozen: Sequence[nn.Module] = ()
    rates: Mapping[nn.Module, float] = field(default_factory=dict)
    target: Network | None = None
    start: Network | None = None
    source_stays: bool = False
    steps: int | None = None
    weighs_target: bool = False
