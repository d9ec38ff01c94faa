"""Spoken digits of a speaker who was never heard: what an encoder of sounds is worth.

The Free Spoken Digit Dataset, `datasets.spoken_digits`. Each of six speakers is the target in turn,
the other five are the source. Logistic regression on features of each encoder, scaled by one
number; accuracy on the target's recordings that gave no label. "others" counts labels of the
source, "own" those of the target, drawn anew five times.

Run:  python benchmarks/sounds.py [--draws 5]
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student
from sklearn.linear_model import LogisticRegression

from acclimate import CORAL, Domain, EachDomain, OneScale, Pooled, SourceOnly, TargetOnly, datasets
from acclimate.transfer.encoders import encoder_of

RESULTS = Path(__file__).parent / "results" / "sounds.json"
ENCODERS = ("whisper-tiny", "logmel")
FEW = 50
# what is shown: labels of the others, labels of the target, method
CASES: dict[str, tuple[int | None, int, Any]] = {
    "SourceOnly": (FEW, 0, lambda base: SourceOnly(base, preprocess=OneScale())),
    "SourceOnly, each domain by itself": (
        FEW, 0, lambda base: SourceOnly(base, preprocess=EachDomain())
    ),
    "CORAL": (FEW, 0, lambda base: CORAL(base, preprocess=OneScale())),
    "SourceOnly, all": (None, 0, lambda base: SourceOnly(base, preprocess=OneScale())),
    "SourceOnly, all, each domain by itself": (
        None, 0, lambda base: SourceOnly(base, preprocess=EachDomain())
    ),
    "TargetOnly": (None, FEW, lambda base: TargetOnly(base, preprocess=OneScale())),
    "Pooled": (None, FEW, lambda base: Pooled(base, preprocess=OneScale())),
}  # fmt: skip


def features(word: str) -> tuple[np.ndarray, Any]:
    """Return features of all recordings, and the data set."""
    data = datasets.spoken_digits()
    return encoder_of(word).set_params(rate=data.rate).fit_transform(data.X), data


def accuracy(Z: np.ndarray, data: Any, speaker: str, case: str, draw: int) -> float:
    """Return the accuracy of one method on one speaker."""
    others, own, make = CASES[case]
    rng = np.random.default_rng([draw, data.domain_names().index(speaker)])
    source = rng.permutation(np.flatnonzero(data.domain != speaker))[:others]
    target = rng.permutation(np.flatnonzero(data.domain == speaker))
    labelled = np.arange(len(target)) < own
    goal = Domain(Z[target], data.y[target], labelled=labelled) if own else Domain(Z[target])
    model = make(LogisticRegression(max_iter=1000))
    model.fit(Z[source], data.y[source], target=goal)
    return float(model.score(Z[target[own:]], data.y[target[own:]]))


def table(rows: list[dict[str, Any]]) -> str:
    """Return the mean over speakers, and the half-width of its 95 % interval over them."""
    lines = ["| others | own | method | " + " | ".join(ENCODERS) + " |", "|---" * 5 + "|"]
    for case, (others, own, _) in CASES.items():
        cells = []
        for word in ENCODERS:
            mine = [r for r in rows if r["case"] == case and r["encoder"] == word]
            speakers = sorted({r["speaker"] for r in mine})
            means = [np.mean([r["accuracy"] for r in mine if r["speaker"] == s]) for s in speakers]
            half = (
                student.ppf(0.975, len(means) - 1) * np.std(means, ddof=1) / math.sqrt(len(means))
            )
            cells.append(f"{100 * np.mean(means):.1f} ± {100 * half:.1f}")
        method = case.replace(", all", "")
        heard = 0 if case == "TargetOnly" else others or 2500
        lines.append(f"| {heard:,} | {own} | {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=5)
    draws = parser.parse_args().draws
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    done = {(r["encoder"], r["case"], r["speaker"], r["draw"]) for r in rows}
    for word in ENCODERS:
        Z, data = features(word)
        for case, (others, own, _) in CASES.items():
            for speaker in data.domain_names():
                for draw in range(draws if others is not None or own else 1):
                    if (word, case, speaker, draw) in done:
                        continue
                    found = accuracy(Z, data, speaker, case, draw)
                    rows.append({"encoder": word, "case": case, "speaker": speaker, "draw": draw,
                                 "accuracy": round(found, 4)})  # fmt: skip
            RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
