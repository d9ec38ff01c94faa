"""How often the verdict by a metric says "helps" wrongly, and how often it sees a gain.

Pairs of models are simulated with the same true score in every metric: their scores of a row come
from the same distribution. A user has m labelled rows of two classes, even or uneven, or m values;
they train and judge, by cross-fitting in 5 folds, 3 times or once. The models differ as two do that
learn from no label of the target (a score that stays), from the labels (a part of the score that
another draw of labels changes), or one from labels and one not. What learns from labels also says
less of a class that its fold holds more of, as models do that have not seen the fold. For gains
that are there, one side has less of the class in its score.

Goal: a wrong "helps" in at most 5 %.

Run:  python benchmarks/metric_calibration.py [--pairs 1000] [--seen 200] [--stored]
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from acclimate.judging.crossfitted import cross_fitted_interval
from acclimate.judging.metrics import METRICS
from acclimate.judging.paired import paired
from acclimate.judging.scored import Scored
from acclimate.judging.verdict import verdict

RESULTS = Path(__file__).parent / "results" / "metric_calibration.json"
FOLDS = 5
SHARED_LABELS = 0.8  # of the variance that labels bring: two folds share about so many
CLASSES = ("balanced_accuracy", "f1", "auc", "average_precision", "log_loss", "brier")
VALUES = ("mae", "rmse", "r2")
SIZES = ((60, 0.5), (60, 0.15), (200, 0.5), (200, 0.1))  # labels, share of the rarer class
SHARP = {"no gain": (1.5, 1.5), "gain": (2.5, 1.2)}  # distance of the classes for both sides
NOISE = {"no gain": (1.0, 1.0), "gain": (0.7, 1.0)}  # of errors of values


@dataclass(frozen=True)
class Kind:
    """Shares of the variance of a score with 60 labels, which add up to 1, and what labels train.

    More labels make models that move less: ``moved`` and ``drawn`` fall as 1 / m, ``own`` grows.
    """

    shared: float  # the same for both sides
    own: float  # of one side, the same in all folds
    moved: float  # what another draw of labels changes in a row
    drawn: float  # what it changes in all rows of a fold
    trained: tuple[bool, bool]  # the first side, the second

    def with_labels(self, m: int) -> Kind:
        """Return the same with m labels, 60 at least."""
        moved, drawn = self.moved * 60 / m, self.drawn * 60 / m
        own = 1 - self.shared - moved - drawn
        return Kind(self.shared, own, moved, drawn, self.trained)


KINDS = {
    "no label trains": Kind(0.8, 0.2, 0.0, 0.0, (False, False)),
    "labels train both, alike": Kind(0.6, 0.1, 0.25, 0.05, (True, True)),
    "labels train both, different": Kind(0.2, 0.3, 0.4, 0.1, (True, True)),
    "labels train one": Kind(0.5, 0.25, 0.2, 0.05, (True, False)),
}


def folds_of(rng: np.random.Generator, truth: NDArray[Any], repeats: int) -> NDArray[np.intp]:
    """Return the fold of each row in each repeat, stratified, shape (R, m)."""
    found = np.empty((repeats, len(truth)), dtype=np.intp)
    for r in range(repeats):
        order = rng.permutation(len(truth))
        order = order[np.argsort(truth[order], kind="stable")]
        found[r, order] = rng.permutation(FOLDS)[np.arange(len(truth)) % FOLDS]
    return found


def noises(
    rng: np.random.Generator, kind: Kind, fold: NDArray[np.intp]
) -> list[NDArray[np.float64]]:
    """Return what is by chance in the scores of each side, of variance 1, shape (R, m)."""
    repeats, m = fold.shape
    kind = kind.with_labels(m)
    same, other = SHARED_LABELS**0.5, (1 - SHARED_LABELS) ** 0.5
    both = kind.shared**0.5 * rng.normal(size=m)
    sides = []
    for trained in kind.trained:
        own = both + kind.own**0.5 * rng.normal(size=m)
        first, every = rng.normal(size=m), rng.normal(size=(repeats, m))
        moved = same * first + other * every if trained else first[None]
        of_fold = np.take_along_axis(rng.normal(size=(repeats, FOLDS)), fold, axis=1)
        drawn = same * rng.normal() + other * of_fold if trained else rng.normal(size=(1, m))
        whole = own + kind.moved**0.5 * moved + kind.drawn**0.5 * drawn
        sides.append(np.broadcast_to(whole, (repeats, m)))
    return sides


def class_pair(
    rng: np.random.Generator,
    kind: Kind,
    m: int,
    share: float,
    sharp: tuple[float, float],
    repeats: int,
) -> list[list[Scored]] | None:
    """Return both sides of a pair; None where a class has too few rows to be laid out in folds."""
    truth = (rng.random(m) < share).astype(np.intp)
    if min(truth.sum(), m - truth.sum()) < FOLDS:
        return None
    fold = folds_of(rng, truth, repeats)
    prior = np.log(share / (1 - share))
    sides = []
    for trained, apart, noise in zip(kind.trained, sharp, noises(rng, kind, fold), strict=True):
        lines = []
        for r in range(repeats):
            score = apart * (truth - 0.5) + noise[r]
            if trained:
                seen = np.array([truth[fold[r] != i].mean() for i in range(FOLDS)])[fold[r]]
                score = score + np.log(seen / (1 - seen)) - prior
            p = expit(1.2 * score + prior)
            lines.append(Scored(
                truth, (p > 0.5).astype(np.intp), np.column_stack([1 - p, p]), np.arange(2), 1,
                None, fold[r],
            ))  # fmt: skip
        sides.append(lines)
    return sides


def value_pair(
    rng: np.random.Generator,
    kind: Kind,
    m: int,
    heavy: bool,
    size: tuple[float, float],
    repeats: int,
) -> list[list[Scored]]:
    """Return both sides of a pair of values; with ``heavy`` a tenth of the errors is threefold."""
    truth = rng.normal(size=m) * 1.5
    fold = np.array([rng.permutation(m) % FOLDS for _ in range(repeats)])
    large = np.where(rng.random(m) < 0.1, 3.0, 1.0) if heavy else np.ones(m)
    return [
        [Scored(truth, truth + one * large * noise[r], folds=fold[r]) for r in range(repeats)]
        for one, noise in zip(size, noises(rng, kind, fold), strict=True)
    ]


def check(key: str, sides: list[list[Scored]], ends: tuple[Any, ...]) -> None:
    """Hold the public verdict against the interval."""
    first = sides[0][0]
    answers = [np.array([line.answers for line in side]) for side in sides]
    proba = [None if first.proba is None else np.array([x.proba for x in side]) for side in sides]
    said = verdict(
        first.truth, *answers, task="regression" if first.classes is None else "classification",
        metric=key, folds=FOLDS, positive=None if first.classes is None else 1,
        candidate_proba=proba[0], reference_proba=proba[1], classes=first.classes,
        fold_of=np.array([line.folds for line in sides[0]]),
    )  # fmt: skip
    assert np.allclose([said.gain, said.low, said.high], ends)


def simulate(
    kind: str, m: int, share: float, gain: str, pairs: int, repeats: int, seed: int
) -> dict[str, Any]:
    """Judge pairs by every metric; return the shares of "helps" and "hurts"."""
    rng = np.random.default_rng([seed, m, int(100 * share)])
    words: dict[str, list[tuple[bool, bool]]] = {key: [] for key in (*CLASSES, *VALUES)}
    for number in range(pairs):
        both = (
            (CLASSES, class_pair(rng, KINDS[kind], m, share, SHARP[gain], repeats)),
            (VALUES, value_pair(rng, KINDS[kind], m, share != 0.5, NOISE[gain], repeats)),
        )
        for keys, sides in both:
            for key in keys if sides is not None else ():
                found = paired(METRICS[key], *sides)
                ends = cross_fitted_interval(found.differences, FOLDS, few=not METRICS[key].by_rows)
                if number == 0 and key != "r2":
                    check(key, sides, ends)
                words[key].append((bool(ends[1] > 0), bool(ends[2] < 0)))
    return {
        "kind": kind, "labels": m, "share": share, "gain": gain, "pairs": pairs,
        "repeats": repeats,
        "helps": {key: float(np.mean([w[0] for w in one])) for key, one in words.items()},
        "hurts": {key: float(np.mean([w[1] for w in one])) for key, one in words.items()},
    }  # fmt: skip


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table of BENCHMARKS.md: over kinds of pairs the worst, at a gain the mean."""
    keys = (*CLASSES, *VALUES)
    print(f"| | labels | rarer class | {' | '.join(METRICS[key].title for key in keys)} |")
    print("|" + "---|" * (len(keys) + 3))
    for gain, repeats, word, over, what in (
        ("no gain", 3, "helps", max, 'wrong "helps", 3 times'),
        ("no gain", 1, "helps", max, 'wrong "helps", once'),
        ("no gain", 3, "hurts", max, 'wrong "hurts", 3 times'),
        (
            "gain",
            3,
            "helps",
            lambda values: sum(values) / len(values),
            '"helps" at a gain, 3 times',
        ),
    ):
        for m, share in SIZES:
            mine = [
                row for row in rows
                if (row["gain"], row["repeats"], row["labels"], row["share"])
                == (gain, repeats, m, share)
            ]  # fmt: skip
            if mine:
                cells = [f"{100 * over([row[word][key] for row in mine]):.1f}" for key in keys]
                print(f"| {what} | {m} | {100 * share:.0f} % | {' | '.join(cells)} |")
    wrong = [
        (row["helps"][key], METRICS[key].title, row["kind"], row["labels"], row["share"],
         row["repeats"])
        for row in rows if row["gain"] == "no gain" for key in keys
    ]  # fmt: skip
    print("\nlargest share of a wrong 'helps':", *sorted(wrong)[-4:], sep="\n  ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1000, help="of each cell without a gain")
    parser.add_argument("--seen", type=int, default=200, help="of each cell with a gain")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stored", action="store_true", help="print the last run again")
    options = parser.parse_args()
    if options.stored:
        show(json.loads(RESULTS.read_text(encoding="utf-8"))["rows"])
        return
    started = time.perf_counter()
    rows = [
        simulate(kind, m, share, gain, pairs, repeats, options.seed)
        for gain, repeats, pairs in (
            ("no gain", 3, options.pairs),
            ("no gain", 1, options.pairs),
            ("gain", 3, options.seen),
        )
        for kind in KINDS
        for m, share in SIZES
        if pairs
    ]
    show(rows)
    result = {
        "pairs": options.pairs, "seen": options.seen, "seed": options.seed, "folds": FOLDS,
        "seconds": time.perf_counter() - started, "rows": rows,
    }  # fmt: skip
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
