"""Embeddings of categories: what is looked up, and what stands for the unknown."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from acclimate.training.features import random_twin
from acclimate.training.network import Network
from acclimate.training.networks import NETWORKS
from acclimate.training.networks_tabular import Columns, Lookup, embedding_width


def test_lookup_equals_the_matrix_product_with_one_column_a_level() -> None:
    torch.manual_seed(0)
    layer = Columns(4, [1, 3], [3, 5])
    rng = np.random.default_rng(0)
    x = np.column_stack([
        rng.normal(size=9), rng.integers(0, 3, 9), rng.normal(size=9), rng.integers(0, 5, 9)
    ]).astype(np.float32)  # fmt: skip
    first, second = (table.weight.detach().numpy() for table in layer.tables)
    a, b = (np.eye(size)[x[:, place].astype(int)] for place, size in ((1, 3), (3, 5)))
    expected = np.hstack([x[:, [0, 2]], a @ first, b @ second])
    np.testing.assert_allclose(layer(torch.from_numpy(x)).detach(), expected, rtol=1e-6)
    assert layer.width == expected.shape[1] == 2 + embedding_width(3) + embedding_width(5)


def test_the_unknown_code_starts_at_zero_and_learns_from_its_own_rows_alone() -> None:
    layer = Columns(1, [0], [4])
    table = layer.tables[0].weight
    assert not table[0].any()
    assert table[1:].abs().min() > 0
    layer(torch.tensor([[1.0], [3.0]])).sum().backward()
    assert table.grad[[0, 2]].abs().max() == 0
    layer(torch.tensor([[0.0]])).sum().backward()
    assert table.grad[0].abs().min() > 0


def test_codes_that_are_moved_a_little_or_out_of_range_stay_codes() -> None:
    layer = Columns(1, [0], [4])
    moved = layer(torch.tensor([[1.2], [0.8], [-0.3], [9.0]]))
    assert torch.equal(moved, layer(torch.tensor([[1.0], [1.0], [0.0], [3.0]])))


def test_a_random_twin_draws_embeddings_as_the_network_does() -> None:
    twin = random_twin(Columns(1, [0], [500]), 1)
    assert not twin.tables[0].weight[0].any()
    assert float(twin.tables[0].weight.detach().std()) == pytest.approx(0.3, rel=0.1)
    assert isinstance(twin.tables[0], Lookup)


def test_a_table_without_categories_is_a_perceptron() -> None:
    torch.manual_seed(0)
    net: Network = NETWORKS["tabular"]((4,), 3, (8,), 0.0)
    torch.manual_seed(0)
    plain = NETWORKS["mlp"]((4,), 3, (8,), 0.0)
    x = torch.randn(5, 4)
    assert torch.equal(net(x)[1], plain(x)[1])
