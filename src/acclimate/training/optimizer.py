"""Optimisers on flat buffers: torch's own kernels, called without the bookkeeping around them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from acclimate.training.flat import FlatParameters

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # arXiv:1412.6980
MOMENTUM = 0.9


class Optimizer:
    """Step parameters that lie in flat buffers.

    ``torch.optim`` spends more time in Python than in the kernel when a network is small. This
    calls the same functions that its classes call.

    Parameters
    ----------
    parameters : list of nn.Parameter
        Parameters to move; they are laid out in one buffer until `release`.
    rule : {"adam", "adamw", "sgd", "plain"}
        Adam, Adam with decoupled decay, SGD with Nesterov momentum of 0.9, or plain gradient
        descent, which knows no decay.
    weight_decay : float
        Decay of the weights, at least 0.
    """

    def __init__(self, parameters: list[nn.Parameter], rule: str, weight_decay: float) -> None:
        self.buffers = FlatParameters(parameters)
        stepped = self.buffers.stepped
        self.parameters: list[Tensor] = [p.detach() for p in stepped]
        zeros = [[torch.zeros_like(p) for p in self.parameters] for _ in range(2)]
        counts = [torch.zeros((), dtype=torch.float32, device=p.device) for p in self.parameters]
        # SGD uses the first list: a momentum of zeros makes the first step that of torch.optim.SGD
        self.state: list[list[Tensor]] = [*zeros, counts]
        self._fused = all(p.device.type in ("cpu", "cuda") for p in stepped)
        # the kernel itself, where this torch has it: around it, `adam` takes as long as it does
        self._kernel = getattr(torch, f"_fused_{rule}_", None) if self._fused else None
        self._rule = rule
        self._weight_decay = weight_decay

    def zero_grad(self) -> None:
        """Set every gradient to zero."""
        self.buffers.zero_grad()

    def step(self, learning_rate: float) -> None:
        """Move the parameters against their gradients."""
        parameters, state = self.parameters, self.state
        present = [p.grad for p in self.buffers.stepped if p.grad is not None]
        if len(present) < len(parameters):
            # a parameter on its own that no term reached has no gradient and stands still
            moved = [i for i, p in enumerate(self.buffers.stepped) if p.grad is not None]
            parameters = [parameters[i] for i in moved]
            state = [[part[i] for i in moved] for part in state]
        if self._rule == "sgd":
            momenta: list[Tensor | None] = [*state[0]]
            sgd(
                parameters, present, momenta, fused=self._fused, lr=learning_rate,
                weight_decay=self._weight_decay, momentum=MOMENTUM, dampening=0.0, nesterov=True,
                maximize=False,
            )  # fmt: skip
        elif self._rule == "plain":
            torch._foreach_add_(parameters, present, alpha=-learning_rate)
        elif self._kernel is not None:
            for count in state[2]:
                count += 1
            self._kernel(
                parameters, present, state[0], state[1], [], state[2], lr=learning_rate,
                beta1=BETA1, beta2=BETA2, weight_decay=self._weight_decay, eps=EPSILON,
                amsgrad=False, maximize=False,
            )  # fmt: skip
        else:
            adam(
                parameters, present, state[0], state[1], [], state[2], fused=self._fused,
                lr=learning_rate, weight_decay=self._weight_decay,
                decoupled_weight_decay=self._rule == "adamw", beta1=BETA1, beta2=BETA2,
                eps=EPSILON, amsgrad=False, maximize=False,
            )  # fmt: skip

    def state_dict(self) -> dict[str, Tensor]:
        """Return what the rule remembers, by name."""
        return {f"{i}.{j}": t for i, part in enumerate(self.state) for j, t in enumerate(part)}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Put back what `state_dict` returned."""
        for key, tensor in self.state_dict().items():
            tensor.copy_(state[key])

    def release(self) -> None:
        """Give each parameter memory of its own again and drop the gradients."""
        self.buffers.release()
