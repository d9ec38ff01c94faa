"""Policies: proximal policy optimisation, and policies that go on in another environment.

Functions rather than adapters: there are no rows, so `Domain` and `compare` have nothing to hold.
Environments are gymnasium's (extra ``rl``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from acclimate.importing import on_use

if TYPE_CHECKING:
    from acclimate.rl.environments import evaluate_policy
    from acclimate.rl.policy import Policy
    from acclimate.rl.policy_transfer import PolicyTransfer
    from acclimate.rl.ppo import PPO, train_policy
    from acclimate.rl.transferring import transfer_policy

__all__ = ["PPO", "Policy", "PolicyTransfer", "evaluate_policy", "train_policy", "transfer_policy"]

_HOMES = {
    "PPO": "ppo",
    "Policy": "policy",
    "PolicyTransfer": "policy_transfer",
    "evaluate_policy": "environments",
    "train_policy": "ppo",
    "transfer_policy": "transferring",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return on_use(f"acclimate.rl.{_HOMES[name]}", name)
    raise AttributeError(f"module 'acclimate.rl' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
