"""What few labels of Fashion-MNIST give, with 60000 images without one.

Each draw takes its labelled images from the training images, the same for every method; methods
that learn from images without a label get all training images. All are scored on the 10000 test
images, which no method has seen. Labels are drawn without regard to their class. Seconds are CPU
seconds of one fit from pixels on, and of answering the test images. That `compare` takes the
product of graph and linear model was decided after such figures had been read; nothing else was.

Each result is written as soon as it is there, and what is there is not computed again: a run that
was interrupted goes on where it was.

Run:  python benchmarks/label_efficiency.py [--labels 50 100 500 1000] [--draws 5]
With --quick: 100 labels, one draw, the first four methods.
With --compare: `compare` itself on the same images, without one more label. One trial is all that
it is allowed, since its recommendation rests on none here. With --taken: what it recommends, fitted
without the comparison.
With --only SVM: of the methods asked for, those with this word in their name.
With --balanced: as many labels of each class, as papers on few labels draw them.
With --networks: networks alone, on the labels and with rows without one, all at their usual
settings ("cnn"); a fit takes minutes.
With --tail: classes whose shares fall by the same factor from one to the next, the last at a
twentieth of the first, in an order that each draw draws anew; in training and test images alike.
With --heart: self-training of logistic regression on heart disease (Cleveland), with the guard and
without it, beside the labels alone.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from acclimate import (
    HOG,
    Domain,
    FixMatch,
    FlexMatch,
    LabelSpreading,
    MeanTeacher,
    NeuralClassifier,
    OneScale,
    PoissonLearning,
    PseudoLabel,
    SelfTraining,
    SourceOnly,
    compare,
    datasets,
)
from acclimate.base.words import estimator
from acclimate.files import atomic
from acclimate.tables import TabularPreprocessor

RESULTS = Path(__file__).parent / "results" / "label_efficiency.json"
QUICK = 4  # methods
METHODS: dict[str, Any] = {
    "logistic regression on HOG": SourceOnly(preprocess=HOG(), random_state=0),
    "SVM on HOG": SourceOnly(SVC(C=10.0), preprocess=HOG(), random_state=0),
    "PoissonLearning on HOG": PoissonLearning(preprocess=HOG(), random_state=0),
    "LabelSpreading on HOG": LabelSpreading(preprocess=HOG(), random_state=0),
    "PoissonLearning on HOG, multiply": PoissonLearning(
        preprocess=HOG(), multiply=True, random_state=0
    ),
}
TAIL: dict[str, Any] = {
    **{name: METHODS[name] for name in list(METHODS)[:QUICK]},
    "PoissonLearning on HOG, no unit columns": PoissonLearning(
        preprocess=HOG(), unit_columns=False, random_state=0
    ),
}
CNN = NeuralClassifier("cnn")
NETWORKS: dict[str, Any] = {
    "cnn, labels alone": SourceOnly(CNN, random_state=0),
    "cnn, labels alone, strong views": SourceOnly(
        NeuralClassifier("cnn", augment="strong"), random_state=0
    ),
    "PseudoLabel, cnn": PseudoLabel(CNN, random_state=0),
    "MeanTeacher, cnn": MeanTeacher(CNN, random_state=0),
    "FixMatch, cnn": FixMatch(CNN, random_state=0),
    "FlexMatch, cnn": FlexMatch(CNN, random_state=0),
}
COMPARED = 'compare(encoder="hog")'
TAKEN = {
    "what compare takes": PoissonLearning(
        estimator("linear", "classification"), preprocess=make_pipeline(HOG(), OneScale()),
        multiply=True, random_state=0,
    )
}  # fmt: skip
RAREST = 1 / 20
Images = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def thinned(y: np.ndarray, draw: int) -> np.ndarray:
    """Return places of rows of which the classes have falling shares."""
    rng = np.random.default_rng([7, draw])
    order = rng.permutation(int(y.max()) + 1)
    kept = RAREST ** (np.argsort(order) / (len(order) - 1))  # of each class
    return np.concatenate([
        rng.permutation(np.flatnonzero(y == c))[: round(share * (y == c).sum())]
        for c, share in enumerate(kept)
    ])  # fmt: skip


def images(tail: bool, draw: int) -> Images:
    data = datasets.fashion_mnist()
    train, test = np.arange(len(data.y_train)), np.arange(len(data.y_test))
    if tail:
        train, test = thinned(data.y_train, draw), thinned(data.y_test, draw)
    return data.X_train[train], data.y_train[train], data.X_test[test], data.y_test[test]


def labelled(y: np.ndarray, labels: int, draw: int, balanced: bool) -> np.ndarray:
    """Return places of the rows that have a label."""
    order = np.random.default_rng([labels, draw]).permutation(len(y))
    if not balanced:
        return order[:labels]
    each = labels // len(np.unique(y))
    return np.concatenate([order[y[order] == label][:each] for label in np.unique(y)])


def learnt(name: str, X: np.ndarray, y: np.ndarray, rows: np.ndarray, tail: bool) -> Any:
    if name == COMPARED:
        found = compare((X[rows], y[rows]), Domain(X), encoder="hog", trials=1, n_jobs=1)
        return found.best_model()
    model = ((TAIL if tail else METHODS) | NETWORKS | TAKEN)[name]
    target = None if isinstance(model, SourceOnly) else Domain(X)
    return model.fit(X[rows], y[rows], target=target)


def measured(name: str, labels: int, draw: int, tail: bool, balanced: bool) -> dict[str, Any]:
    """Return test accuracy and CPU seconds of a method on one draw of labelled images."""
    X, y, X_test, y_test = images(tail, draw)
    rows = labelled(y, labels, draw, balanced)
    start = time.process_time()
    model = learnt(name, X, y, rows, tail)
    fitted = time.process_time()
    answers = model.predict(X_test)
    return {
        "method": name, "labels": labels, "draw": draw, "tail": tail, "balanced": balanced,
        "accuracy": float(np.mean(answers == y_test)),
        "recall": float(recall_score(y_test, answers, average="macro")),
        "fit_seconds": round(fitted - start, 1),
        "answer_seconds": round(time.process_time() - fitted, 1),
    }  # fmt: skip


def heart(draws: int) -> None:
    """Print what self-training does to logistic regression on a table."""
    X, y = datasets.heart_disease().domain_rows("cleveland")
    y = np.asarray(y)
    for labels in (20, 50, 100):
        found = np.empty((draws, 4))
        for draw in range(draws):
            rows = np.random.default_rng(draw).permutation(len(y))
            known, rest = rows[:labels], rows[labels:]
            for place, guard in enumerate((True, False)):
                model = SelfTraining(guard=guard, preprocess=TabularPreprocessor(), random_state=0)
                model.fit(X.iloc[known], y[known], target=Domain(X.iloc[rest]))
                found[draw, place] = model.score(X.iloc[rest], y[rest])
                if guard:
                    alone = model.score(X.iloc[rest], y[rest], domain="source")
                    found[draw, 2:] = alone, model.fell_back_
        guarded, plain, alone, back = 100 * found.mean(axis=0)
        worst = 100 * (found[:, :2] - found[:, 2:3]).min(axis=0)
        print(
            f"{labels:4} labels: alone {alone:.1f}, self-training {plain:.1f} (worst draw "
            f"{worst[1]:+.1f}), with the guard {guarded:.1f} (worst {worst[0]:+.1f}), which fell "
            f"back in {back:.0f} % of {draws} draws"
        )


def key(one: dict[str, Any]) -> tuple[str, int, bool, bool]:
    """Return what a result is of, but for its draw."""
    return one["method"], one["labels"], one["tail"], one.get("balanced", False)


def write(known: list[dict[str, Any]]) -> None:
    with atomic(RESULTS) as stream:
        stream.write((json.dumps(known, indent=1) + "\n").encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, nargs="+", default=[50, 100, 500, 1000])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--tail", action="store_true")
    parser.add_argument("--heart", action="store_true")
    parser.add_argument("--networks", action="store_true")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--only", default="", help="methods with this word in their name")
    parser.add_argument("--taken", action="store_true")
    parser.add_argument("--balanced", action="store_true")
    arguments = parser.parse_args()
    if arguments.heart:
        heart(20)
        return
    if arguments.quick:
        arguments.labels, arguments.draws = [100], 1
    names = tuple(TAIL if arguments.tail else METHODS)[: QUICK if arguments.quick else None]
    if arguments.networks:
        names = tuple(NETWORKS)
    if arguments.compare:
        names = (COMPARED,)
    if arguments.taken:
        names = tuple(TAKEN)
    names = tuple(name for name in names if arguments.only in name)
    tail, balanced = arguments.tail, arguments.balanced
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    done = {(one["draw"], key(one)) for one in known}
    wanted = product(arguments.labels, range(arguments.draws), names)
    with threadpool_limits(1):
        for labels, draw, name in wanted:
            if (draw, (name, labels, tail, balanced)) not in done:
                known.append(measured(name, labels, draw, tail, balanced))
                write(known)
    for labels, name in product(arguments.labels, names):
        found = [
            one for one in known
            if key(one) == (name, labels, tail, balanced) and one["draw"] < arguments.draws
        ]  # fmt: skip
        each = ", ".join(f"{100 * one['accuracy']:.1f}" for one in found)
        accuracy, recall, fit, answer = (
            np.mean([one[key] for one in found])
            for key in ("accuracy", "recall", "fit_seconds", "answer_seconds")
        )
        print(
            f"{labels:4} labels  {name:40} {100 * accuracy:5.1f}  ({each})  mean recall "
            f"{100 * recall:.1f}  fit {fit:.0f} s, test {answer:.0f} s"
        )


if __name__ == "__main__":
    main()
