"""The built-in network for tables: an embedding for each column of categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from acclimate.training.network import Network, mlp

UNKNOWN = 0  # code of a category that the source does not have
WIDEST = 6  # embedding
SPREAD = 0.3  # of the embeddings at first


def embedding_width(size: int) -> int:
    """Return how many numbers stand for one category of ``size``: ``1.6 size^0.56``, at most 6.

    The rule of fastai, found by trial there (Howard and Gugger, arXiv:2002.04688), which goes up to
    600. Deviation: the cap. On simulated shifts of up to 2000 rows, caps of 6, 12 and 600 gave
    80.5, 79.4 and 78.7 % (``benchmarks/embeddings.py --caps 6 12 600 --first 300``).

    >>> [embedding_width(size) for size in (2, 3, 10, 100)]
    [2, 3, 6, 6]
    """
    return min(WIDEST, int(1.6 * size**0.56 + 0.5))


class Lookup(nn.Embedding):
    """An embedding that starts small, with zeros for unknown categories.

    On simulated tables, first weights of 0.01, 0.1, 0.3 and 1, torch's own, gave 78.0, 79.9, 80.5
    and 79.6 % (``benchmarks/embeddings.py --spreads 0.01 0.1 0.3 1 --first 300``). Setting codes to
    unknown at random while training, so that its row is learnt, gained nothing there.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Codes, and numbers for each.
    """

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        nn.init.normal_(self.weight, std=SPREAD)
        with torch.no_grad():
            self.weight[UNKNOWN] = 0.0


class Columns(nn.Module):
    """Replace each code of a category by its embedding; numbers pass as they are.

    Row 0 of each embedding stands for categories that the source does not have. It starts at zero,
    the mean of the others, and moves only where such rows are trained on.

    Parameters
    ----------
    features : int
        Columns of the input.
    places : sequence of int
        Those that hold codes.
    sizes : sequence of int
        How many codes each of them may hold, 0 included.
    """

    def __init__(self, features: int, places: Sequence[int], sizes: Sequence[int]) -> None:
        super().__init__()
        self.features, self.places, self.sizes = features, list(places), list(sizes)
        self.numbers: Tensor
        self.tables: nn.ModuleList
        numbers = [place for place in range(features) if place not in set(places)]
        self.register_buffer("numbers", torch.tensor(numbers, dtype=torch.int64))
        self.tables = nn.ModuleList(Lookup(size, embedding_width(size)) for size in sizes)

    @property
    def width(self) -> int:
        """Columns of the result."""
        return self.numbers.numel() + sum(embedding_width(size) for size in self.sizes)

    def forward(self, x: Tensor) -> Tensor:
        """Return (b, width) for rows (b, features): the numbers, then the embeddings."""
        parts = [x.index_select(1, self.numbers)]
        for place, size, table in zip(self.places, self.sizes, self.tables, strict=True):
            # rounded: a method that moves its inputs a little must not change the category
            parts.append(table(x[:, place].round().long().clamp(0, size - 1)))
        return torch.cat(parts, dim=1)


def tabular(
    shape: Sequence[int],
    outputs: int,
    hidden: Sequence[int],
    dropout: float,
    sizes: Mapping[int, int] | None = None,
) -> Network:
    """Build a multilayer perceptron on numbers and on embeddings of categories.

    Parameters
    ----------
    shape : (d,)
        Columns of one row: standardised numbers, and codes of categories.
    outputs : int
        Number of logits.
    hidden : sequence of int
        Units of each hidden layer.
    dropout : float in [0, 1)
        Share of units dropped after each hidden layer while training.
    sizes : mapping from int to int, default=None
        For each column of codes, how many there are.

    Returns
    -------
    Network
        ``body`` starts with `Columns` and ends after the last hidden layer.

    References
    ----------
    Guo and Berkhahn, "Entity embeddings of categorical variables", arXiv:1604.06737.
    """
    sizes = dict(sizes or {})
    columns = Columns(int(torch.Size(shape).numel()), list(sizes), list(sizes.values()))
    dense = mlp((columns.width,), outputs, hidden, dropout)
    return Network(nn.Sequential(columns, *dense.body), dense.head)  # type: ignore[misc]
