"""What the peers' scripts share: thread limits, reading the data, the two networks in Keras.

Runs in the peers' environments: it may import NumPy and Keras, never `acclimate`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def limit_threads(threads: int) -> None:
    """Bind this process to its first `threads` CPUs. Call it before a framework is imported.

    The frameworks size their pools from the CPUs they may run on, and the XLA client of JAX has
    no other setting, so the binding is what holds for everyone.
    """
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[:threads])
    os.environ["OMP_NUM_THREADS"] = str(threads)


def read(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return train images, train labels, test images, test labels; images float32 in [0, 1].

    Images have shape (rows, 28, 28), labels (rows,).
    """
    import numpy as np

    # A float32 divisor keeps float32: the float64 of a plain `/ 255.0` would slow the peers down.
    scale = np.float32(255)
    return (
        np.load(folder / "train_x.npy") / scale,
        np.load(folder / "train_y.npy"),
        np.load(folder / "test_x.npy") / scale,
        np.load(folder / "test_y.npy"),
    )


def mlp(keras: Any) -> Any:
    """Return the textbook network, compiled: 784-128-10, ReLU, dropout 0.2."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )
    return _compiled(model)


def cnn(keras: Any) -> Any:
    """Return the small CNN, compiled: two valid 3 x 3 convolutions with pooling, then 128-10."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )
    return _compiled(model)


def _compiled(model: Any) -> Any:
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
