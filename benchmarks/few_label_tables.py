"""Few labels of a table, many rows like them without one: what is recommended, what it costs.

Heart disease (the four hospitals together) and adult (a table for tuning), 50 and 500 labelled rows
drawn at random, up to 5000 others without a label, on which all are scored. There is no shift. What
`compare` recommends without one more label is the committee of source models; it stands here with
its move to more even class shares and without. Beside it logistic regression and boosting on the
labels, the better of the two known afterwards, self-training with its guard, and the graph.

Run:  python benchmarks/few_label_tables.py [--draws 10]

Adult needs ``tables/adult.parquet`` in a folder of ``ACCLIMATE_DATA``. Each result is written as it
is there, and those that are there are not computed again.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student
from threadpoolctl import threadpool_limits

from acclimate import Domain, PoissonLearning, SelfTraining, SourceOnly, compare, datasets
from acclimate.base.words import estimator
from acclimate.files import atomic
from acclimate.tables import TabularPreprocessor, default_preprocess

RESULTS = Path(__file__).parent / "results" / "few_label_tables.json"
ROWS = 5000
SIZES = (50, 500)
HOSPITALS = ("cleveland", "hungary", "switzerland", "va")
BY_HAND = ("logistic", "boosting")
COMPARED, PLAIN = "compare", "its committee, shares not moved"


def tables() -> dict[str, tuple[pd.DataFrame, np.ndarray]]:
    """Return rows and labels of each table."""
    data = datasets.heart_disease()
    parts = [data.domain_rows(name) for name in HOSPITALS]
    found = {"heart": (pd.concat([X for X, _ in parts], ignore_index=True),
                       np.concatenate([np.asarray(y) for _, y in parts]))}  # fmt: skip
    for folder in filter(None, os.environ.get("ACCLIMATE_DATA", "").split(os.pathsep)):
        path = Path(folder) / "tables" / "adult.parquet"
        if path.exists():
            frame = pd.read_parquet(path)
            y = frame["income"].to_numpy()
            found["adult"] = frame.drop(columns=["income", "employer", "origin"]), y
    return found


def measured(X: pd.DataFrame, y: np.ndarray, labels: int, draw: int) -> dict[str, float]:
    """Return the accuracy of each way on the rows without a label."""
    order = np.random.default_rng([labels, draw]).permutation(len(y))
    known, rest = order[:labels], order[labels : labels + ROWS]
    Xs, ys, Xt = X.iloc[known], y[known], X.iloc[rest]
    ways: dict[str, Any] = {}
    for word in BY_HAND:
        base = estimator(word, "classification")
        ways[word] = SourceOnly(base, preprocess=default_preprocess(Xs, base), random_state=0)
    ways["SelfTraining"] = SelfTraining(preprocess=TabularPreprocessor(), random_state=0)
    ways["PoissonLearning"] = PoissonLearning(preprocess=TabularPreprocessor(), random_state=0)
    found = {}
    for name, model in ways.items():
        target = None if isinstance(model, SourceOnly) else Domain(Xt)
        found[name] = float(model.fit(Xs, ys, target=target).score(Xt, y[rest]))
    began = time.process_time()
    model = compare((Xs, ys), Domain(Xt), trials=1, n_jobs=1).best_model()
    found[COMPARED] = float(model.score(Xt, y[rest]))
    found["seconds"] = round(time.process_time() - began, 1)
    if hasattr(model, "members"):
        again = model.set_params(even=0.0).fit(Xs, ys, target=Domain(Xt))
        found[PLAIN] = float(again.score(Xt, y[rest]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=10)
    draws = parser.parse_args().draws
    stored = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, (X, y) in tables().items():
            for labels, draw in product(SIZES, range(draws)):
                place = stored.setdefault(f"{name}, {labels} labels", {})
                if labels < len(y) and str(draw) not in place:
                    place[str(draw)] = measured(X, y, labels, draw)
                    with atomic(RESULTS) as stream:
                        stream.write((json.dumps(stored, indent=1) + "\n").encode())
    for name, found in stored.items():
        each = [one for draw, one in found.items() if int(draw) < draws]
        means = {way: 100 * np.mean([one[way] for one in each]) for way in each[0]}
        best = max(BY_HAND, key=means.__getitem__)
        gains = 100 * np.array([one[COMPARED] - one[best] for one in each])
        half = student.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains))
        told = ", ".join(f"{way} {mean:.1f}" for way, mean in means.items() if way != "seconds")
        print(
            f"{name}: {told}; compare over {best} {gains.mean():+.1f} "
            f"({gains.mean() - half:+.1f} to {gains.mean() + half:+.1f}), {len(gains)} draws"
        )


if __name__ == "__main__":
    main()
