"""How often a committee is said to help where its true gain is 0, by simulation.

Labels of two even classes are drawn without regard to what the candidates say, so that nobody has
a gain over anybody. (With uneven classes a mean of noise says the frequent class more often, which
is a gain.)
Each candidate says probabilities of its own, of which a part is common to all. The committee is
weighed in folds, the best reference picked in folds among twelve of the candidates, and the verdict
is that of `compare`. "Helps" or "hurts" is wrong each time.

Run:  python benchmarks/committee_calibration.py [--draws 2000]
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from acclimate.comparison.answers import Answers, assemble, choose_in_folds, free_of_labels
from acclimate.comparison.design import make_design
from acclimate.comparison.weighed import blend, weights_in_folds
from acclimate.judging.verdict import verdict

RESULTS = Path(__file__).parent / "results" / "committee_calibration.json"
CANDIDATES, REFERENCES = 26, 12
LABELS = (30, 60, 200)
COMMON = (0.0, 0.5, 0.9)  # of the variance of the log odds


def one(labels: int, common: float, seed: int) -> str:
    """Return the word of the verdict on a committee of noise against the best reference."""
    rng = np.random.default_rng([seed, labels, int(100 * common)])
    y = (rng.random(labels) > 0.5).astype(int)
    design = make_design(
        y, np.arange(labels), classify=True, folds=5, repeats=1, seed=seed
    )  # fmt: skip
    same = rng.normal(size=labels)
    said: dict[str, Answers] = {}
    for k in range(CANDIDATES):
        score = np.sqrt(common) * same + np.sqrt(1 - common) * rng.normal(size=labels)
        p = expit(1.5 * score)
        proba = np.column_stack([1 - p, p])
        said[f"{k}"] = free_of_labels(design, proba.argmax(1), proba, np.arange(2))
    both = blend(design, said, weights_in_folds(design, said), np.arange(2))
    some = {name: said[name] for name in list(said)[:REFERENCES]}
    best = assemble(design, some, choose_in_folds(design, some, 0.0))
    found = verdict(
        y, both[0], best[0], task="classification", labels=design.training_labels,
        folds=design.folds,
    )  # fmt: skip
    return found.word


def main() -> None:
    """Run all cells and print how often each word was said."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    args = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for labels in LABELS:
        for common in COMMON:
            words = Counter(one(labels, common, seed) for seed in range(args.draws))
            shares = {word: 100 * n / args.draws for word, n in words.most_common()}
            rows.append({"labels": labels, "common": common, "words": shares})
            told = ", ".join(f"{word} {value:.1f} %" for word, value in shares.items())
            print(f"{labels} labels, common {common:.0%}: {told}", flush=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
