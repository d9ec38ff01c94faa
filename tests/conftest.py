"""What all tests share: one thread a process, shared data, toy data, and tiers of tests."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# Before numpy is imported: workers share the cores, and one thread makes fits reproducible.
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import pytest  # noqa: E402

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
if _SHARED.is_dir():
    os.environ.setdefault("ACCLIMATE_DATA", str(_SHARED))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run the tests marked slow, too")
    parser.addoption(
        "--tenth", type=int, metavar="N", help="run the slow tests whose number modulo 10 is N"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "rows(**fields): only catalogue rows whose fields have these values"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--all"):
        return
    tenth = config.getoption("--tenth")
    reason = "slow: run with --all" if tenth is None else f"slow: not in tenth {tenth % 10}"
    for item in items:
        # crc32 is the same in every process, unlike hash()
        mine = tenth is not None and zlib.crc32(item.nodeid.encode()) % 10 == tenth % 10
        if item.get_closest_marker("slow") and not mine:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Hold torch to one thread where it has been imported, without importing it."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _features_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep features of encoders apart from those that the developer's cache has."""
    from acclimate.datasets import feature_rows

    feature_rows.FILE = str(tmp_path_factory.mktemp("features") / "features.sqlite")


@pytest.fixture(scope="session")
def toy() -> Callable[..., SimpleNamespace]:
    """Return a maker of shifted toy data: X, y of the source; Xt, yt of the target; Xn, yn new.

    The target is turned by 30 degrees in the first two features and moved. Labels are integers
    from 0 to ``classes`` - 1; ``classes=None`` makes a regression.
    """
    from acclimate.testing import toy

    return toy


@pytest.fixture(scope="session")
def moved() -> SimpleNamespace:
    """Return two classes that one column tells apart and another hints at; the target moves that.

    A source model that leans on both errs on a third of the target; one that reads the first alone
    is right on both.
    """
    import numpy as np

    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    means = np.outer(2.0 * y - 1.0, [1.5, 0.5, 0.0])
    X, Xt = (means + rng.normal(0.0, 0.5, (200, 3)) for _ in range(2))
    return SimpleNamespace(X=X, y=y, Xt=Xt + np.array([0.0, 3.0, 0.0]), yt=y)


@pytest.fixture(scope="session")
def statistics() -> Callable[..., dict[str, Any]]:
    """Return a function that copies the running statistics of batch norm, by name."""

    def copied(network: Any) -> dict[str, Any]:
        return {
            f"{name}.{key}": value.clone()
            for name, layer in network.named_modules()
            if hasattr(layer, "running_mean")
            for key, value in layer.named_buffers()
        }

    return copied
