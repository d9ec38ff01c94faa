"""The dense layers of a network, forward and backward by hand, where nothing else is in the way.

A small network spends its time in the calling of small operations and in autograd's bookkeeping
between them. Where all of it is linear layers, each followed by ReLU, dropout, both or nothing,
the loop runs the layers without autograd. What they return are leaves: the losses are
differentiated by autograd down to these, and `Tape.backward` takes their gradients through the
layers, into the gradients of the parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import Tensor, nn

from acclimate.training.dropout import Dropout, noise

# bytes: where fresh memory starts. A product that is added to memory elsewhere has other last
# digits, and weights would depend on where a gradient happens to lie
ALIGNED = 64


class Stage:
    """A linear layer, whether ReLU follows, and the dropout behind that.

    It is made anew each epoch, since it holds views of the parameters where they lie now.

    Parameters
    ----------
    linear : nn.Linear
        Weight of shape (k, d).
    relu : bool, default=False
        Whether ReLU follows.
    dropout : nn.Module, default=None
        What follows that.
    """

    def __init__(
        self, linear: nn.Linear, relu: bool = False, dropout: nn.Module | None = None
    ) -> None:
        self.linear, self.relu, self.dropout = linear, relu, dropout
        self.parameters = [p for p in (linear.weight, linear.bias) if p is not None]
        # detached: autograd has nothing to keep of what is done with them
        self.weight = linear.weight.detach()
        self.across = self.weight.t()
        self.bias = None if linear.bias is None else linear.bias.detach()

    def moves(self) -> bool:
        """Tell whether any parameter may move now."""
        return any(p.requires_grad for p in self.parameters)


# for each stage: its rows (b, d), what came out (b, k), a mask where ReLU does not tell, the scale
Passed = list[tuple[Tensor, Tensor, Tensor | None, float]]


def ahead(stages: Sequence[Stage], x: Tensor) -> Passed:
    """Run stages on rows of shape (b, d), without autograd, and keep what `back` asks for.

    Where ReLU precedes dropout, what came out above 0 tells what both let through, and no mask is
    kept. The scale is what dropout multiplies the units with that it keeps.
    """
    passed: Passed = []
    for stage in stages:
        bias, dropout, mask, scale = stage.bias, stage.dropout, None, 1.0
        h = x.mm(stage.across) if bias is None else torch.addmm(bias, x, stage.across)
        if stage.relu:
            h.clamp_min_(0.0)
        if dropout is not None and dropout.training and dropout.p:
            mask, scale = noise(dropout, h)
            h.mul_(mask)
        passed.append((x, h, None if stage.relu else mask, scale))
        x = h
    return passed


def back(
    stages: Sequence[Stage], passed: Passed, of_z: Tensor | None, of_logits: Tensor | None
) -> None:
    """Add to the gradients of the parameters.

    Parameters
    ----------
    stages : sequence of Stage
        The last one is the head.
    passed : Passed
        What `ahead` returned.
    of_z, of_logits : Tensor of shape (b, d) and (b, k), or None
        Gradients of what the head read and of what it returned.
    """
    last, g = len(stages) - 1, of_logits
    first = next(i for i, stage in enumerate(stages) if stage.moves())
    for i in range(last, first - 1, -1):
        if i == last - 1 and of_z is not None:
            g = of_z if g is None else g.add_(of_z)
        if g is None:
            continue
        stage, (x, h, mask, scale) = stages[i], passed[i]
        if stage.relu:
            g = torch.ops.aten.threshold_backward.default(g, h, 0.0)
            if scale != 1.0:
                g.mul_(scale)
        elif mask is not None:
            g = g * mask
        for p in stage.parameters:
            if p.requires_grad:
                had = p.grad
                if had is not None and p.dim() == 2 and had.data_ptr() % ALIGNED == 0:
                    had.addmm_(g.t(), x)
                    continue
                found = g.sum(0) if p.dim() == 1 else g.t().mm(x)
                p.grad = found if had is None else had.add_(found)
        if i > first:
            g = g.mm(stage.weight)


class Run(NamedTuple):
    """One pass of rows through stages, and what it returned."""

    stages: Sequence[Stage]
    passed: Passed
    z: Tensor
    logits: Tensor


class Tape:
    """What ran by hand while it was open, for one call of `backward`.

    Networks look for the open tape when they run; without one they run as ever.

    Examples
    --------
    >>> import torch
    >>> from acclimate.training.network import mlp
    >>> network = mlp((2,), 3, (4,), 0.0)
    >>> tape = Tape()
    >>> with tape:
    ...     loss = network(torch.ones(5, 2))[1].square().mean()
    >>> tape.backward(loss)
    >>> network.head.weight.grad.shape
    torch.Size([3, 4])
    """

    open: ClassVar[Tape | None] = None

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.leaves = True  # whether autograd is to see what networks return

    def __enter__(self) -> Self:
        self.runs.clear()
        Tape.open = self
        return self

    def __exit__(self, *_: object) -> None:
        Tape.open = None

    def is_of(self, out: Any) -> bool:
        """Tell whether the logits of ``out`` are all that ran by hand."""
        logits = getattr(out, "logits", None)
        return len(self.runs) == 1 and self.runs[0].logits is logits

    def descend(self, slope: Tensor) -> None:
        """Add the gradients of the parameters, given that of the only logits, shape (b, k)."""
        run = self.runs.pop()
        back(run.stages, run.passed, None, slope)

    def backward(self, total: Tensor) -> None:
        """Add the gradients of ``total``, a number, to those of all that it was computed from."""
        total.backward()
        for run in self.runs:
            back(run.stages, run.passed, run.z.grad, run.logits.grad)
        self.runs.clear()


class Dense:
    """A network whose layers are all known.

    Parameters
    ----------
    flatten : bool
        Whether rows are made flat first.
    stages : list of Stage
        Two or more; the last one is the head.
    """

    def __init__(self, flatten: bool, stages: list[Stage]) -> None:
        self.flatten, self.stages = flatten, stages

    def __call__(self, x: Tensor, tape: Tape) -> tuple[Tensor, Tensor] | None:
        """Return features (b, d) and logits (b, k), or None where they must run one by one."""
        first = self.stages[0].weight
        if self.flatten:
            x = x.flatten(1)
        fits = x.dim() == 2 and x.dtype is first.dtype and x.shape[1] == first.shape[1]
        if not fits or x.requires_grad or not x.is_cpu or torch.is_autocast_enabled("cpu"):
            return None
        if not torch.is_grad_enabled() or not any(stage.moves() for stage in self.stages):
            return None
        passed = ahead(self.stages, x)
        z, logits = passed[-2][1], passed[-1][1]
        if tape.leaves:
            z, logits = z.detach().requires_grad_(), logits.detach().requires_grad_()
        tape.runs.append(Run(self.stages, passed, z, logits))
        return z, logits


def dense(body: nn.Module, head: nn.Module) -> Dense | None:
    """Return a network as stages, or None where a layer is of another kind.

    Layers are known by their very type: a subclass may do anything, and so may a hook.

    Parameters
    ----------
    body : nn.Module
        Opened where it is an `nn.Sequential`, and so are those in it.
    head : nn.Module
        What turns features into logits.

    Examples
    --------
    >>> from torch import nn
    >>> found = dense(nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU()), nn.Linear(3, 2))
    >>> found.flatten, [stage.relu for stage in found.stages]
    (True, [True, False])
    """
    layers = [*_opened(body), head]
    if any(map(_hooked, layers)):
        return None
    flatten = type(layers[0]) is nn.Flatten and _ends(layers[0]) == (1, -1)
    stages: list[Stage] = []
    at = int(flatten)
    while at < len(layers) and type(layers[at]) is nn.Linear:
        linear, relu, dropout = layers[at], False, None
        at += 1
        if at < len(layers) and type(layers[at]) is nn.ReLU:
            relu, at = True, at + 1
        if at < len(layers) and type(layers[at]) in (Dropout, nn.Dropout):
            dropout, at = layers[at], at + 1
        stages.append(Stage(linear, relu, dropout))  # type: ignore[arg-type]
    whole = at == len(layers) and len(stages) > 1 and stages[-1].linear is head
    return Dense(flatten, stages) if whole else None


def _ends(layer: Any) -> tuple[int, int]:
    return layer.start_dim, layer.end_dim


def _opened(module: nn.Module) -> Iterator[nn.Module]:
    """Yield the layers of nested `nn.Sequential` in the order in which they run."""
    if type(module) is nn.Sequential and not _hooked(module):
        for child in module:
            yield from _opened(child)
    else:
        yield module


def _hooked(module: nn.Module) -> bool:
    """Tell whether anything is to be called when a module or its parameters are used."""
    hooks = (
        "_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks",
    )  # fmt: skip
    own = module._parameters.values()
    return any(getattr(module, name) for name in hooks) or any(
        p is not None and (p._backward_hooks or p._post_accumulate_grad_hooks) for p in own
    )
