"""Seconds of each epoch of acclimate's training loop, for the networks that the peers train."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from peer_common import limit_threads


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", choices=["mlp", "cnn"], default="mlp")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--clock", choices=("perf_counter", "process_time"), default="perf_counter")
    parser.add_argument("--precision", choices=("auto", "float32"), default="auto")
    args = parser.parse_args()
    now = getattr(time, args.clock)
    limit_threads(args.threads)

    import numpy as np

    from acclimate import NeuralClassifier
    from acclimate.training import loop
    from acclimate.training.terms import Phase

    folder = args.data / "mnist"
    x, y = np.load(folder / "train_x.npy"), np.load(folder / "train_y.npy").astype(np.int64)
    model = NeuralClassifier(
        args.model, hidden=(128,), dropout=0.2, epochs=args.epochs, min_steps=0,
        batch_size=args.batch, learning_rate=1e-3, schedule="constant", warmup=0.0, random_state=0,
        precision=args.precision,
    )  # fmt: skip
    model.start(x, y)
    data, settings = model.data(x, y), model.settings(len(y))
    marks = [now()]
    loop.train(
        model.network_, [Phase([model.task()], [model.network_])], data,
        settings=settings, seed=0,
        before_epoch=lambda net, progress: marks.append(now()),
    )  # fmt: skip
    ends = [*marks[2:], now()]
    seconds = [end - start for start, end in zip(marks[1:], ends, strict=True)]
    parameters = sum(p.numel() for p in model.network_.parameters())
    test_x, test_y = np.load(folder / "test_x.npy"), np.load(folder / "test_y.npy")
    model.n_features_in_ = x.shape[1]
    accuracy = model.score(test_x, test_y)
    print(json.dumps({"seconds": seconds, "parameters": parameters, "accuracy": accuracy}))


if __name__ == "__main__":
    main()
