"""The textbook's job in acclimate: train on MNIST, copy all weights, go on with Fashion-MNIST."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from peer_common import limit_threads

RECIPES: dict[str, dict[str, object]] = {
    # the textbook's own settings; Adam's rate of 0.001 is the default of Keras
    "textbook": {
        "epochs": 5, "min_steps": 0, "batch_size": 32, "learning_rate": 1e-3,
        "schedule": "constant", "warmup": 0.0,
    },
    "default": {},
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="textbook")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    limit_threads(args.threads)
    import warnings

    import numpy as np

    from acclimate import Domain, FineTune, NeuralClassifier

    warnings.simplefilter("ignore")  # a copied head on integer labels: the textbook's recipe

    def read(name: str, part: str) -> tuple[np.ndarray, ...]:
        folder = args.data / name
        return tuple(np.load(folder / f"{part}_{array}.npy", mmap_mode="c") for array in "xy")

    network = NeuralClassifier(hidden=(128,), dropout=0.2, **RECIPES[args.recipe])
    model = FineTune(network, strategy="full", head="copy", random_state=args.seed)
    model.fit(*read("mnist", "train"))
    source = model.score(*read("mnist", "test"))
    model.adapt(Domain(*read("fashion-mnist", "train")))
    target = model.score(*read("fashion-mnist", "test"))
    parameters = sum(p.numel() for p in model.target_model_.network_.parameters())
    print(json.dumps({"source": source, "target": target, "parameters": parameters}))


if __name__ == "__main__":
    main()
