"""Seconds per training epoch in Keras; `KERAS_BACKEND` chooses TensorFlow or JAX.

Runs in a peer's environment that `run.py` makes. The last line on standard output is
`{"seconds": [one an epoch], "parameters": count, "accuracy": test accuracy at the end}`.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from peer_common import cnn, limit_threads, mlp, read

NETWORKS = {"mlp": mlp, "cnn": cnn}


def main() -> None:
    """Train one network on MNIST and print the wall time of each epoch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the .npy files")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", choices=sorted(NETWORKS), default="mlp")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--clock", choices=("perf_counter", "process_time"), default="perf_counter")
    args = parser.parse_args()
    now = getattr(time, args.clock)
    limit_threads(args.threads)
    if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
        import tensorflow as tf  # type: ignore[import-untyped]

        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
        tf.config.threading.set_inter_op_parallelism_threads(args.threads)
    import keras  # type: ignore[import-not-found]

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]
        """Collects the wall time of each epoch."""

        def __init__(self) -> None:
            super().__init__()
            self.seconds: list[float] = []

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            """Start the clock."""
            self.start = now()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            """Stop the clock."""
            self.seconds.append(now() - self.start)

    keras.utils.set_random_seed(0)
    train_x, train_y, test_x, test_y = read(args.data / "mnist")
    model = NETWORKS[args.model](keras)
    clock = Clock()
    model.fit(
        train_x,
        train_y,
        batch_size=args.batch,
        epochs=args.epochs,
        verbose=0,
        callbacks=[clock],
    )
    _, accuracy = model.evaluate(test_x, test_y, verbose=0)
    result = {
        "seconds": clock.seconds,
        "parameters": model.count_params(),
        "accuracy": accuracy,
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
