"""Prepares what the benchmark needs: the data as .npy files and an environment for each peer."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from peers import PINS, PreparationError, peer_python

__all__ = ["PEERS", "PreparationError", "peer_python", "prepare_data"]

DATASETS = ("mnist", "fashion-mnist")
ARRAYS = {
    "train_x": "X_train",
    "train_y": "y_train",
    "test_x": "X_test",
    "test_y": "y_test",
}

# the frameworks of this benchmark, with their versions
PEERS = {peer: PINS[peer] for peer in ("tensorflow", "jax")}


def prepare_data(folder: Path) -> Path:
    """Write both data sets as uint8 .npy files, unless they are there already.

    Parameters
    ----------
    folder : Path
        Gets `mnist/` and `fashion-mnist/`, each with train_x, train_y, test_x and test_y.

    Returns
    -------
    Path
        The folder.
    """
    for name in DATASETS:
        files = {array: folder / name / f"{array}.npy" for array in ARRAYS}
        if all(path.exists() for path in files.values()):
            continue
        import numpy as np

        from acclimate import datasets

        data = datasets.load(name)
        (folder / name).mkdir(parents=True, exist_ok=True)
        for array, path in files.items():
            # Renamed at the end: a run that is stopped half way leaves no truncated array.
            partial = path.with_name("partial.npy")
            np.save(partial, np.asarray(getattr(data, ARRAYS[array]), dtype=np.uint8))
            partial.replace(path)
    return folder
