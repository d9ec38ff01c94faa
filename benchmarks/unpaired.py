"""Without pairs: a body trained on one modality, with a new stem and head in another.

The body of a small network ("cnn-norm") is trained on 10000 images of MNIST. Behind a new stem (two
convolutions) and in front of a new head it reads spectrograms of spoken digits, 28 x 28, of five
speakers, and is tested on the sixth, each held out in turn. The ablation is the same body with
random weights, everything else being equal: only the difference between the two is what the other
modality gave. Both stand still in one row (stem and head are trained), and move in the other. Batch
norm of both is set on the new rows first. Beside them the stem and head of the same shape without a
body, and a linear model on the same pixels.

The interval is over speakers (Student's t of six means). Labels are drawn anew for each.

Run:  python benchmarks/unpaired.py [--labels 50,500]
What was run is kept in benchmarks/results/unpaired.json, and only the rest is run again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.ndimage import zoom
from scipy.stats import t as student
from sklearn.pipeline import make_pipeline
from torch import Tensor, nn

from acclimate import NeuralClassifier, OneScale, datasets
from acclimate.base.penalised import LinearClassifier
from acclimate.datasets.spectrograms import spectrogram
from acclimate.training.features import random_twin
from acclimate.training.norm import reestimate

RESULTS = Path(__file__).parent / "results" / "unpaired.json"
ROWS, STEPS, BATCH, SIDE = 10_000, 400, 64, 28


class OtherModality(nn.Module):
    """A stem, a body that was trained elsewhere, and a head."""

    def __init__(self, body: nn.Module, width: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.Conv2d(8, 1, 5, padding=2)
        )
        self.body = body
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of rows of shape (b, 28, 28)."""
        return self.head(self.body(self.stem(x.unsqueeze(1)).squeeze(1)))


def source_body() -> nn.Module:
    """Return the body of a network that reads written digits."""
    data = datasets.mnist()
    some = np.random.default_rng(0).permutation(len(data.y_train))[:ROWS]
    model = NeuralClassifier(
        "cnn-norm", augment="affine", epochs=1, min_steps=STEPS, batch_size=BATCH, verbose=False,
        device="cpu", random_state=0,
    )  # fmt: skip
    model.fit(np.asarray(data.X_train)[some], data.y_train[some])
    return model.network_.body


def pictures(waveforms: Any, rate: int) -> Any:
    """Return spectrograms of one size, centred and scaled by one number, float32."""
    found = []
    for samples in waveforms:
        picture = spectrogram(samples, rate)
        found.append(zoom(picture, [SIDE / side for side in picture.shape], order=1))
    X = np.stack(found).astype(np.float32)
    return (X - X.mean()) / X.std()


def learnt(module: nn.Module, X: Any, y: Any, seed: int) -> NeuralClassifier:
    net = NeuralClassifier(
        module, epochs=1, min_steps=STEPS, batch_size=BATCH, verbose=False, device="cpu",
        random_state=seed,
    )  # fmt: skip
    return net.fit(X, y)


def speaker(
    body: nn.Module, X: Any, y: Any, who: Any, held: str, labels: int, seed: int
) -> dict[str, float]:
    """Return the accuracy of every row on one speaker."""
    test, pool = who == held, np.flatnonzero(who != held)
    rng = np.random.default_rng([labels, *held.encode()])
    some = rng.permutation(pool)[:labels]
    found: dict[str, float] = {}
    for name, one in (("trained on MNIST", body), ("random", random_twin(body, seed))):
        width = int(one(torch.from_numpy(X[:2])).shape[1])
        for word, still in (("stands still", True), ("moves", False)):
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                module = OtherModality(one, width)
            reestimate(module.body, torch.from_numpy(X[pool]))
            for parameter in module.body.parameters():
                parameter.requires_grad_(not still)
            model = learnt(module, X[some], y[some], seed)
            found[f"body {name}, {word}"] = float(model.score(X[test], y[test]))
    plain = OtherModality(nn.Flatten(), SIDE * SIDE)
    found["stem and head, no body"] = float(
        learnt(plain, X[some], y[some], seed).score(X[test], y[test])
    )
    rows = X.reshape(len(X), -1)
    linear = make_pipeline(OneScale(), LinearClassifier()).fit(rows[some], y[some])
    found["linear model of pixels"] = float(linear.score(rows[test], y[test]))
    return found


def show(record: dict[str, Any]) -> None:
    """Print a table for each number of labels."""
    for labels, each in record.items():
        names = list(next(iter(each.values())))
        means = {n: np.array([100 * one[n] for one in each.values()]) for n in names}
        half = student.ppf(0.975, len(each) - 1) / np.sqrt(len(each)) if len(each) > 1 else 0.0
        print(f"\n{labels} labels, {len(each)} speakers\n\n| network | accuracy | above random |")
        print("|---|---|---|")
        for name, one in means.items():
            cells = [f"{one.mean():.1f} ± {half * one.std(ddof=1):.1f}"]
            twin = name.replace("trained on MNIST", "random")
            gain = one - means[twin]
            cells.append(
                f"{gain.mean():+.1f} ± {half * gain.std(ddof=1):.1f}" if twin != name else ""
            )
            print(f"| {name} | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", default="50,500")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    record: dict[str, Any] = {}
    if RESULTS.exists():
        record = json.loads(RESULTS.read_text(encoding="utf-8"))
    data = datasets.spoken_digits()
    X, body = pictures(data.X, data.rate), source_body()
    for labels in arguments.labels.split(","):
        for seed, held in enumerate(np.unique(data.domain).tolist()):
            done = record.setdefault(labels, {})
            if held not in done:
                done[held] = speaker(body, X, data.y, data.domain, held, int(labels), seed)
                RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    show(record)


if __name__ == "__main__":
    main()
