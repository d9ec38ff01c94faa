"""Toy domains and a tiny network for the tests of the loop."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from acclimate.losses.supervised import cross_entropy
from acclimate.training.batch import Data
from acclimate.training.network import Network, mlp
from acclimate.training.terms import Term


@pytest.fixture
def task() -> Term:
    return Term("task", lambda s, t: cross_entropy(s.logits, s.y, s.weight))


@pytest.fixture
def source() -> Data:
    """90 rows of three classes around three centres in four dimensions."""
    generator = torch.Generator().manual_seed(1)
    y = torch.arange(90) % 3
    centres = 2.0 * torch.eye(3, 4)
    return Data(centres[y] + 0.6 * torch.randn(90, 4, generator=generator), y)


@pytest.fixture
def target(source: Data) -> Data:
    """60 of the source's rows, moved and without labels."""
    return Data(source.x[:60] + torch.tensor([0.5, -0.5, 0.5, 1.0]), domain=1)


@pytest.fixture
def make() -> Callable[..., Network]:
    """Build a small perceptron from a seed, without touching the global random state."""

    def build(seed: int = 0, dropout: float = 0.0) -> Network:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return mlp((4,), 3, (8,), dropout)

    return build
