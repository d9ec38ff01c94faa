"""The textbook transfer script in TensorFlow: MNIST, then Fashion-MNIST from MNIST's weights.

Runs in the TensorFlow environment that `run.py` makes. The last line on standard output is
`{"source": accuracy, "target": accuracy, "parameters": count}`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from peer_common import limit_threads, mlp, read


def main() -> None:
    """Train on MNIST, copy every weight, train on Fashion-MNIST, print both test accuracies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the .npy files")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=None, help="default: not seeded")
    args = parser.parse_args()
    limit_threads(args.threads)

    import tensorflow as tf  # type: ignore[import-untyped]

    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.config.threading.set_inter_op_parallelism_threads(args.threads)
    keras = tf.keras
    if args.seed is not None:
        keras.utils.set_random_seed(args.seed)

    train_x, train_y, test_x, test_y = read(args.data / "mnist")
    source = mlp(keras)
    source.fit(train_x, train_y, batch_size=32, epochs=5, verbose=0)
    _, source_accuracy = source.evaluate(test_x, test_y, verbose=0)

    train_x, train_y, test_x, test_y = read(args.data / "fashion-mnist")
    target = mlp(keras)
    target.set_weights(source.get_weights())
    target.fit(train_x, train_y, batch_size=32, epochs=5, verbose=0)
    _, target_accuracy = target.evaluate(test_x, test_y, verbose=0)

    result = {
        "source": source_accuracy,
        "target": target_accuracy,
        "parameters": source.count_params(),
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
