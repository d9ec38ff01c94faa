"""Spoken digits taught by written ones: pairs without a label, and a teacher of the other modality.

Six speakers, each held out in turn: all is learnt from the other five and tested on the one. Sounds
go through `SoundEncoder`, and the default student of `TeacherThroughPairs` stands behind it in
every row, a linear model that chooses its penalty. Pairs are a clip and a test image of MNIST of
the same digit: pairs made by class, which carry the labels, so the figures say what labels are
worth and how much of it a teacher passes on. Three teachers, one small network each ("cnn-norm",
400 steps): of 10000 labelled images of MNIST, of USPS, and the one of USPS adapted by `MCC` to
10000 images of MNIST without their labels. As a control, pairs at random, in which the digit that
is written says nothing of the one that is spoken.

Few labels and pairs are drawn anew in each of five draws. The interval is over speakers (Student's
t of six means), and differences are taken speaker by speaker.

Run:  python benchmarks/spoken_digits.py [--draws 5]
The teachers' answers and every speaker are kept in benchmarks/results/spoken_digits.json, and only
the rest is run again. The recordings are fsdd.zip in a folder of ``ACCLIMATE_DATA``, or come from
their own site.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student
from sklearn.pipeline import make_pipeline

from acclimate import (
    MCC,
    Domain,
    NeuralClassifier,
    OneScale,
    SoundEncoder,
    SourceOnly,
    TeacherThroughPairs,
    datasets,
)
from acclimate.base.penalised import LinearClassifier
from acclimate.datasets.images import frame

RESULTS = Path(__file__).parent / "results" / "spoken_digits.json"
ROWS, STEPS, BATCH = 10_000, 400, 64  # of a teacher
LABELS, PAIRS = 50, 200
TEACHERS = ("MNIST", "USPS", "USPS adapted")
ALL_LABELS, FEW_LABELS = "all labels (2500)", "50 labels"


class Said:
    """A teacher whose answers are known: its images are their places."""

    def __init__(self, answers: Any) -> None:
        self.answers = answers

    def predict(self, places: Any) -> Any:
        """Return the answers at places of shape (n, 1)."""
        return self.answers[np.asarray(places)[:, 0]]


def network() -> NeuralClassifier:
    return NeuralClassifier(
        "cnn-norm", augment="affine", epochs=1, min_steps=STEPS, batch_size=BATCH, verbose=False,
        device="cpu",
    )  # fmt: skip


def answers() -> dict[str, list[int]]:
    """Return what each teacher says of all test images of MNIST."""
    mnist, usps = datasets.mnist(), datasets.usps()
    some = np.random.default_rng(0).permutation(len(mnist.y_train))[:ROWS]
    X, y = np.asarray(mnist.X_train)[some], mnist.y_train[some]
    new = np.asarray(mnist.X_test)
    written = SourceOnly(network(), random_state=0).fit(X, y)
    other = MCC(network(), random_state=0).fit(frame(usps.X_train), usps.y_train)
    found = {"MNIST": written.predict(new), "USPS": other.predict(new)}
    found["USPS adapted"] = other.adapt(Domain(X)).predict(new)
    return {name: said.astype(int).tolist() for name, said in found.items()}


def learner() -> Any:
    return make_pipeline(OneScale(), LinearClassifier())


def speaker(
    held: str, F: Any, y: Any, who: Any, written: Any, said: dict[str, Any], draws: int
) -> dict[str, list[float]]:
    """Return the accuracy of every row on one speaker, a draw each."""
    test, pool = who == held, np.flatnonzero(who != held)
    by_class = [np.flatnonzero(written == digit) for digit in range(10)]
    found: dict[str, list[float]] = {}

    def note(name: str, model: Any) -> None:
        found.setdefault(name, []).append(float(model.score(F[test], y[test])))

    def taught(teacher: str, rows: Any, places: Any, known: Any = None) -> TeacherThroughPairs:
        target = None if known is None else Domain(F[known], y[known])
        model = TeacherThroughPairs(Said(said[teacher]), learner(), random_state=0)
        return model.fit(places[:, None], F[rows], target=target)

    for draw in range(draws):
        rng = np.random.default_rng([draw, *held.encode()])
        order = rng.permutation(pool)
        some, pairs = order[:LABELS], order[LABELS : LABELS + PAIRS]
        images = np.empty(len(y), dtype=np.int64)
        for digit in range(10):
            mine = pool[y[pool] == digit]
            images[mine] = rng.choice(by_class[digit], len(mine), replace=False)
        note(FEW_LABELS, learner().fit(F[some], y[some]))
        note(f"{PAIRS} labels", learner().fit(F[pairs], y[pairs]))
        both = order[: LABELS + PAIRS]
        note(f"{PAIRS} + {LABELS} labels", learner().fit(F[both], y[both]))
        joined = taught(TEACHERS[0], pairs, images[pairs], some)
        note(f"{PAIRS} pairs + {LABELS} labels, {TEACHERS[0]}", joined)
        for teacher in TEACHERS:
            note(f"{PAIRS} pairs, {teacher}", taught(teacher, pairs, images[pairs]))
    for teacher in TEACHERS:
        note(f"all pairs (2500), {teacher}", taught(teacher, pool, images[pool]))
    random = rng.permutation(len(written))[: len(pool)]
    note("all pairs, at random, MNIST", taught("MNIST", pool, random))
    note(ALL_LABELS, learner().fit(F[pool], y[pool]))
    return found


def show(record: dict[str, Any], truth: Any) -> None:
    """Print the table."""
    for name, said in record["teachers"].items():
        print(
            f"teacher {name}: {100 * np.mean(np.array(said) == truth):.1f} % of MNIST's test images"
        )
    each = record["speakers"]
    names = list(next(iter(each.values())))
    means = {n: np.array([100 * np.mean(one[n]) for one in each.values()]) for n in names}
    print("\n| learnt from | accuracy | above 50 labels | below all labels |\n|---|---|---|---|")
    for name, one in means.items():
        cells = [one, one - means[FEW_LABELS], means[ALL_LABELS] - one]
        half = student.ppf(0.975, len(one) - 1) / np.sqrt(len(one))
        listed = " | ".join(f"{c.mean():.1f} ± {half * c.std(ddof=1):.1f}" for c in cells)
        print(f"| {name} | {listed} |")
    print(f"\nspeakers: {', '.join(each)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    record: dict[str, Any] = {"teachers": {}, "speakers": {}}
    if RESULTS.exists():
        record = json.loads(RESULTS.read_text(encoding="utf-8"))
    data, written = datasets.spoken_digits(), datasets.mnist().y_test
    if not record["teachers"]:
        record["teachers"] = answers()
        RESULTS.write_text(json.dumps(record) + "\n", encoding="utf-8")
    said = {name: np.array(one) for name, one in record["teachers"].items()}
    F = SoundEncoder(rate=data.rate, device="cpu").fit(data.X).transform(data.X)
    for held in np.unique(data.domain).tolist():
        if held not in record["speakers"]:
            record["speakers"][held] = speaker(
                held, F, data.y, data.domain, written, said, arguments.draws
            )
            RESULTS.write_text(json.dumps(record) + "\n", encoding="utf-8")
    show(record, written)


if __name__ == "__main__":
    main()
