"""The arrays that every side is given: two domains of 800 features with ten classes.

Runs in every environment: it may import NumPy, never `acclimate`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

FEATURES = 800
CLASSES = 10
LATENT = 40
NAMES = ("X", "y", "Xt", "yt")


def write(folder: Path, rows: int, seed: int = 0) -> None:
    """Write source and target, `rows` rows each, as float64 .npy files, unless they are there.

    Rows are points of ten Gaussian classes in 40 dimensions, mixed into 800 features with noise
    on each. In the target the 40 dimensions are turned a little, scaled and moved first.
    """
    import numpy as np

    if (folder / "done").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    centres = 0.7 * rng.normal(size=(CLASSES, LATENT))
    mixing = rng.normal(size=(LATENT, FEATURES)) / np.sqrt(LATENT)
    turn = np.eye(LATENT) + 0.6 * rng.normal(size=(LATENT, LATENT)) / np.sqrt(LATENT)
    turn = turn * np.exp(0.5 * rng.normal(size=LATENT))
    shift = 1.0 * rng.normal(size=LATENT)
    arrays: dict[str, Any] = {}
    for x, y, target in (("X", "y", False), ("Xt", "yt", True)):
        labels = rng.integers(CLASSES, size=rows)
        latent = centres[labels] + rng.normal(size=(rows, LATENT))
        if target:
            latent = latent @ turn + shift
        arrays[x] = latent @ mixing + 0.5 * rng.normal(size=(rows, FEATURES))
        arrays[y] = labels
    for name in NAMES:
        np.save(folder / f"{name}.npy", arrays[name])
    (folder / "done").touch()


def prepared(folder: Path, rows: int) -> Path:
    """Return the folder of the arrays with so many rows; write them in a process of its own.

    The caller's peak of memory is measured, and a child starts with its parent's on its account.
    """
    place = folder.resolve() / str(rows)
    code = f"from pathlib import Path; import problem; problem.write(Path({str(place)!r}), {rows})"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=True)
    return place


def read(folder: Path, dtype: str) -> tuple[Any, Any, Any, Any]:
    """Return X, y, Xt, yt: source rows and labels, target rows and labels."""
    import numpy as np

    X, y, Xt, yt = (np.load(folder / f"{name}.npy") for name in NAMES)
    return X.astype(dtype, copy=False), y, Xt.astype(dtype, copy=False), yt


def width(X: Any, Xt: Any) -> float:
    """Return the median distance of 500 rows of each domain, the width of every RBF kernel."""
    import numpy as np

    rows = np.concatenate([X[:500], Xt[:500]]).astype(np.float64)
    squares = (rows**2).sum(1)
    squared = squares[:, None] + squares - 2 * rows @ rows.T
    return float(np.sqrt(np.median(squared[np.triu_indices(len(rows), 1)])))
