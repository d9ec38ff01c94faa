"""One label a class and many rows without one: MNIST to USPS, behind HOG and behind a network.

The source is 2000 digits of MNIST with their labels. The target is the 7291 training digits of
USPS, of which one of each class has its label, drawn anew for each draw. All are scored on the 2007
test digits, which nothing has seen. Each way sees the same features: HOG's, or those of
EfficientNet-lite0, trained on photographs (extra ``vision``). Nothing was chosen here. Gains are
over draws of the labels and of the source, with Student's interval at 95 %.

Run:  python benchmarks/one_label.py [--draws 10] [--encoders hog efficientnet-lite0]

Each result is written as it is there, and those that are there are not computed again. USPS needs
``usps.h5`` in a folder of ``ACCLIMATE_DATA``.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from acclimate import (
    HOG,
    MEDA,
    Domain,
    EachDomain,
    FineTune,
    FrozenBody,
    OneScale,
    PoissonLearning,
    Pooled,
    SourceOnly,
    TargetOnly,
    datasets,
)
from acclimate.base.words import estimator
from acclimate.datasets.images import frame
from acclimate.files import atomic

RESULTS = Path(__file__).parent / "results" / "one_label.json"
SOURCE_ROWS = 2000
ENCODERS = {"hog": HOG, "efficientnet-lite0": FrozenBody}
ALONE, TUNED = "labels alone", "FineTune"
BASE = {"preprocess": OneScale(), "random_state": 0}


def ways() -> dict[str, Any]:
    """Return what is compared, by name: a method, and whether it sees source and labels."""
    base = estimator("linear", "classification")
    graph = PoissonLearning(base, use_target_labels=True, **BASE)
    both = PoissonLearning(base, use_target_labels=True, multiply=True, **BASE)
    aligning = make_pipeline(EachDomain(), PCA(128, random_state=0))
    return {
        "source alone": SourceOnly(base, **BASE),
        ALONE: TargetOnly(base, **BASE),
        "labels alone, PoissonLearning": PoissonLearning(base, **BASE),
        TUNED: FineTune(base, head="copy", **BASE),
        "Pooled": Pooled(base, column=False, balance=0.3, **BASE),
        "MEDA, no target label": MEDA(base, preprocess=aligning, random_state=0),
        "PoissonLearning": graph,
        "PoissonLearning, multiply": both,
        "PoissonLearning, each domain by itself": PoissonLearning(
            base, use_target_labels=True, preprocess=aligning, random_state=0
        ),
    }


def features(word: str) -> tuple[np.ndarray, ...]:
    """Return features of MNIST, and of training and test digits of USPS."""
    mnist, usps = datasets.mnist(), datasets.usps()
    rows = np.random.default_rng(0).permutation(len(mnist.y_train))[: 4 * SOURCE_ROWS]
    encode = ENCODERS[word]().fit(mnist.X_train[:100])
    given = (mnist.X_train[rows], frame(usps.X_train), frame(usps.X_test))
    made = (np.asarray(encode.transform(X)) for X in given)
    return (*made, mnist.y_train[rows], usps.y_train, usps.y_test)


def measured(name: str, draw: int, data: tuple[np.ndarray, ...]) -> dict[str, Any]:
    """Return accuracy on the test digits, and CPU seconds."""
    X, Xt, X_test, y, yt, y_test = data
    rng = np.random.default_rng([1, draw])
    here = rng.permutation(len(y))[:SOURCE_ROWS]
    known = np.zeros(len(yt), dtype=bool)
    known[[rng.choice(np.flatnonzero(yt == label)) for label in range(10)]] = True
    model = ways()[name]
    started = time.process_time()
    if name == "labels alone, PoissonLearning":
        model.fit(Xt[known], yt[known], target=Domain(Xt))
    else:
        target = Domain(Xt, yt, labelled=known) if model._sees_target_labels() else Domain(Xt)
        model.fit(X[here], y[here], target=target)
    score = float(model.score(X_test, y_test))
    return {"accuracy": score, "seconds": round(time.process_time() - started, 1)}


def gain(found: dict[str, list[float]], name: str, other: str) -> str:
    """Return the gain in points, with Student's interval over draws."""
    each = 100 * (np.array(found[name]) - np.array(found[other]))
    if len(each) < 2:
        return f"{each.mean():+.1f}"
    half = student.ppf(0.975, len(each) - 1) * each.std(ddof=1) / np.sqrt(len(each))
    return f"{each.mean():+.1f} ({each.mean() - half:+.1f} to {each.mean() + half:+.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--encoders", nargs="+", default=list(ENCODERS), choices=list(ENCODERS))
    arguments = parser.parse_args()
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    done = {(one["encoder"], one["way"], one["draw"]) for one in known}
    with threadpool_limits(1):
        for word in arguments.encoders:
            wanted = product(range(arguments.draws), ways())
            missing = [(d, w) for d, w in wanted if (word, w, d) not in done]
            data = features(word) if missing else ()
            for draw, way in missing:
                one = measured(way, draw, data)
                known.append({"encoder": word, "way": way, "draw": draw} | one)
                with atomic(RESULTS) as stream:
                    stream.write((json.dumps(known, indent=1) + "\n").encode())
    for word in arguments.encoders:
        found: dict[str, list[float]] = {}
        spent: dict[str, list[float]] = {}
        for one in sorted(known, key=lambda one: one["draw"]):
            if one["encoder"] == word and one["draw"] < arguments.draws:
                found.setdefault(one["way"], []).append(one["accuracy"])
                spent.setdefault(one["way"], []).append(one["seconds"])
        print(f"\n{word}, {arguments.draws} draws")
        print("| | accuracy, % | over the labels alone | over FineTune | CPU s |")
        print("|---|---|---|---|---|")
        for way, each in found.items():
            print(
                f"| {way} | {100 * np.mean(each):.1f} | {gain(found, way, ALONE)} | "
                f"{gain(found, way, TUNED)} | {np.mean(spent[way]):.0f} |"
            )


if __name__ == "__main__":
    main()
