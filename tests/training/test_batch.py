"""Batches: how many, which rows, and in what form they arrive."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from acclimate.training import batch as module
from acclimate.training.batch import Data, as_float, batches, endless, shuffled, steps_per_epoch

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("n", "size", "steps"),
    [(10, 5, 2), (11, 5, 2), (12, 5, 3), (3, 5, 1), (1, 5, 1), (5, 5, 1), (6, 5, 1), (4, 1, 4)],
)
def test_steps_per_epoch(n: int, size: int, steps: int) -> None:
    assert steps_per_epoch(n, size) == steps


@pytest.mark.parametrize("n", [10, 12, 3, 1])
def test_a_pass_covers_every_row_once(n: int) -> None:
    steps = steps_per_epoch(n, 5)
    batches = shuffled(n, 5, torch.Generator().manual_seed(0), CPU)
    for _ in range(3):
        seen = torch.cat(list(islice(batches, steps)))
        assert sorted(seen.tolist()) == list(range(n))


def test_a_last_single_row_is_left_out_of_that_pass() -> None:
    batches = shuffled(11, 5, torch.Generator().manual_seed(0), CPU)
    passes = [torch.cat(list(islice(batches, 2))) for _ in range(20)]
    assert all(len(set(rows.tolist())) == 10 for rows in passes)
    assert set(torch.cat(passes).tolist()) == set(range(11))  # another row each time


def test_the_order_follows_the_seed_and_changes_from_pass_to_pass() -> None:
    def draw(seed: int) -> list[list[int]]:
        batches = shuffled(20, 20, torch.Generator().manual_seed(seed), CPU)
        return [rows.tolist() for rows in islice(batches, 2)]

    assert draw(0) == draw(0)
    assert draw(0) != draw(1)
    assert draw(0)[0] != draw(0)[1]


def test_batch_takes_the_rows_at_the_index_with_their_labels_and_weights() -> None:
    data = Data(torch.arange(8.0).view(4, 2), torch.tensor([3, 2, 1, 0]), torch.rand(4), 2)
    index = torch.tensor([2, 0])
    batch = data.batch(index)
    assert batch.x.tolist() == [[4.0, 5.0], [0.0, 1.0]]
    assert batch.y is not None
    assert batch.y.tolist() == [1, 3]
    assert batch.weight is not None
    assert data.weight is not None
    assert torch.equal(batch.weight, data.weight[[2, 0]])
    assert torch.equal(batch.index, index)
    assert (batch.domain, batch.views) == (2, ())
    bare = Data(data.x).batch(index)
    assert bare.y is None
    assert bare.weight is None


def test_uint8_pixels_are_divided_by_255_in_the_batch_alone() -> None:
    data = Data(torch.tensor([[0, 51, 255]], dtype=torch.uint8))
    batch = data.batch(torch.tensor([0]))
    assert batch.x.dtype == torch.float32
    assert torch.equal(batch.x, torch.tensor([[0.0, 51 / 255, 1.0]]))
    assert data.x.tolist() == [[0, 51, 255]]
    floats = torch.tensor([[200.0]])
    assert as_float(floats) is floats


def test_with_labels_keeps_the_rows() -> None:
    data = Data(torch.rand(3, 2), domain=1)
    labelled = data.with_labels(torch.tensor([0, 1, 0]))
    assert data.y is None
    assert labelled.x is data.x
    assert labelled.batch(torch.tensor([1])).y == torch.tensor([1])
    assert (len(labelled), labelled.domain) == (3, 1)


@pytest.mark.parametrize("room", [1, 64, 100, 1 << 24])
@pytest.mark.parametrize("bare", [False, True])
def test_batches_gathered_together_are_those_gathered_one_by_one(
    room: int, bare: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK_BYTES", room)  # 8 bytes a row: 0, 8, 12 or all rows
    x = torch.randint(0, 256, (11, 2), dtype=torch.uint8)
    data = Data(x) if bare else Data(x, torch.arange(11), torch.rand(11), 1)
    orders = [shuffled(11, 4, torch.Generator().manual_seed(0), CPU) for _ in range(2)]
    for count in (7, 3):
        together = list(batches(data, orders[0], count))
        assert len(together) == count
        for ours, index in zip(together, islice(orders[1], count), strict=True):
            alone = data.batch(index)
            assert torch.equal(ours.index, index)
            assert torch.equal(ours.x, alone.x)
            assert (ours.y is None, ours.weight is None) == (bare, bare)
            if not bare:
                assert torch.equal(ours.y, alone.y)  # type: ignore[arg-type]
                assert torch.equal(ours.weight, alone.weight)  # type: ignore[arg-type]
            assert ours.domain == alone.domain


@pytest.mark.parametrize(("n", "size"), [(10, 4), (7, 7), (5, 3), (3, 8), (1, 2)])
def test_endless_batches_are_full_and_each_pass_holds_every_row(n: int, size: int) -> None:
    order = endless(n, size, torch.Generator().manual_seed(0), torch.device("cpu"))
    drawn = [next(order) for _ in range(40)]
    assert {len(index) for index in drawn} == {min(n, size)}
    rows = torch.cat(drawn)
    for start in range(0, len(rows) - n + 1, n):
        assert sorted(rows[start : start + n].tolist()) == list(range(n))
