"""What a body that was trained on ImageNet is worth for few labels of Fashion-MNIST.

A linear probe (logistic regression, its defaults) on 1280 features of EfficientNet-Lite0, beside
the same network with random weights, pixels, and the built-in "cnn" from scratch. Each draw takes
its own labelled training rows; all are scored on the same test rows. Nothing was chosen here.

Run:  python benchmarks/encoder.py [--draws 3] [--labels 200] [--rows 2000]
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from acclimate import FrozenBody, NeuralClassifier, datasets
from acclimate.training.features import random_twin
from acclimate.training.norm import reestimate

RESULTS = Path(__file__).parent / "results" / "encoder.json"
PROBE = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--labels", type=int, default=200)
    parser.add_argument("--rows", type=int, default=2000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = datasets.fashion_mnist()
    rng = np.random.default_rng(20)
    held = rng.permutation(len(data.y_test))[: arguments.rows]
    test, truth = data.X_test[held], data.y_test[held]
    draws = [rng.permutation(len(data.y_train))[: arguments.labels] for _ in range(arguments.draws)]
    learnt = FrozenBody(device="cpu").fit(test)
    random = copy.deepcopy(learnt)
    random.network_ = random_twin(learnt.network_, 0)
    pixels = np.concatenate([data.X_train[rows] for rows in draws])
    reestimate(random.network_, torch.from_numpy(pixels[: arguments.labels]))
    bodies: dict[str, Any] = {
        "EfficientNet-Lite0, ImageNet weights": learnt.transform,
        "EfficientNet-Lite0, random weights": random.transform,
        "pixels": lambda X: X.reshape(len(X), -1) / 255.0,
    }
    accuracy: dict[str, list[float]] = {}
    seconds: dict[str, float] = {}
    for name, encode in bodies.items():
        start = time.process_time()
        there = encode(test)
        for rows in draws:
            probe = PROBE.fit(encode(data.X_train[rows]), data.y_train[rows])
            accuracy.setdefault(f"linear probe on {name}", []).append(probe.score(there, truth))
        seconds[f"linear probe on {name}"] = time.process_time() - start
    start = time.process_time()
    for draw, rows in enumerate(draws):
        net = NeuralClassifier("cnn", device="cpu", verbose=False, random_state=draw)
        net.fit(data.X_train[rows], data.y_train[rows])
        accuracy.setdefault('"cnn" from scratch', []).append(net.score(test, truth))
    seconds['"cnn" from scratch'] = time.process_time() - start
    for name, found in accuracy.items():
        each = ", ".join(f"{100 * one:.1f}" for one in found)
        print(f"{name:52} {100 * np.mean(found):5.1f}  ({each})  {seconds[name]:.0f} s")
    facts = {"labels": arguments.labels, "test_rows": len(truth), "accuracy": accuracy}
    RESULTS.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
