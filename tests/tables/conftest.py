"""What the tests of tables share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from acclimate import datasets
from acclimate.exceptions import DataNotFoundError


@pytest.fixture
def fetch() -> Callable[..., object]:
    """Return a loader of data sets that skips where nothing can be reached."""

    def get(name: str) -> object:
        try:
            return datasets.load(name)
        except DataNotFoundError as error:
            pytest.skip(f"{name} cannot be reached from here: {error}")

    return get
