"""What the data set tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from acclimate import datasets
from acclimate.exceptions import DataNotFoundError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def fetch() -> Callable[..., object]:
    """Return a loader that uses the user's cache and skips where nothing can be reached."""

    def get(name: str, **options: object) -> object:
        try:
            return datasets.load(name, **options)  # type: ignore[arg-type]
        except DataNotFoundError as error:
            pytest.skip(f"{name} cannot be reached from here: {error}")

    return get


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the user's folders and the system's."""
    monkeypatch.setenv("ACCLIMATE_DATA", "")
    monkeypatch.setenv("ACCLIMATE_SYSTEM_DATA", "")
