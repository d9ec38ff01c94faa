from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture(scope="session")
def toy():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4))
    Xt = rng.normal(size=(60, 4)) + 0.5
    y = np.where(X[:, 0] + X[:, 1] > 0, "ill", "well")
    yt = np.where(Xt[:, 0] > 0.5, "ill", "well")
    return SimpleNamespace(X=X, y=y, r=X @ np.arange(4.0), Xt=Xt, yt=yt, rt=Xt @ np.ones(4))
