"""How often the verdict of `compare` is wrong, and how often it sees a gain that is there.

A user has m labelled target rows in all. They train, choose and judge, by repeated cross-fitting in
5 folds. Part one simulates pairs of methods whose true gain is known, at the level of right and
wrong answers, and judges them with `selection.verdict.verdict(..., folds=5)`. Part two runs
`compare` itself on draws of labels from simulated shifts of optdigits and pendigits, and holds its
words against the gain on thousands of other rows.

Goals: a wrong "helps" in at most 5 % where the true gain is 0 or below; "helps" in at least 80 % at
+10 points with 100 labels, and at +3 points with 500.

Run:  python benchmarks/choose_calibration.py [--pairs 2000] [--real 20]
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from acclimate.judging.crossfitted import cross_fitted_interval
from acclimate.judging.intervals import crossed_interval
from acclimate.judging.verdict import verdict

RESULTS = Path(__file__).parent / "results" / "choose_calibration.json"
GAINS = (-0.10, -0.03, 0.0, 0.03, 0.10)
LABELS = (20, 100, 500)
FOLDS, REPEATS, MARGIN = 5, 3, 0.01
REAL_REPEATS = 1  # part two: the interval takes no credit for more, and fits take time
SHARED_LABELS = 0.8  # correlation of two fold models: they share about so much of their labels
WORDS = ("helps", "hurts", "makes no difference", "not settled")
GOALS = ((0.10, 100), (0.03, 500))


@dataclass(frozen=True)
class Pair:
    """Shares of the variance of a latent score; a model is right where it is below a threshold.

    ``shared`` is the difficulty of a row for both models, ``own`` that for one of them, ``cell``
    what another draw of labels changes in one row. ``draw`` is what it changes in all rows
    together: the standard deviation, in points, of one model's accuracy over label draws.
    """

    accuracy: float
    shared: float
    own: float
    cell: float
    draw: float


# By the number of labels: fewer labels make models that move more. The sizes follow roughly what
# `--measure` prints for optdigits with simulated shifts and logistic regression.
PAIRS: dict[str, dict[int, Pair]] = {
    "neither is trained on target labels": {m: Pair(0.87, 0.95, 0.05, 0.0, 0.0) for m in LABELS},
    "both are, and are much alike": {
        20: Pair(0.70, 0.40, 0.10, 0.47, 3.9),
        100: Pair(0.85, 0.80, 0.03, 0.165, 1.8),
        500: Pair(0.87, 0.965, 0.008, 0.0265, 0.42),
    },
    "both are, and differ much": {
        20: Pair(0.70, 0.30, 0.20, 0.467, 4.2),
        100: Pair(0.85, 0.55, 0.15, 0.288, 2.5),
        500: Pair(0.87, 0.87, 0.06, 0.069, 0.64),
    },
    "both are, 10 classes, few labels a class": {
        20: Pair(0.30, 0.30, 0.10, 0.573, 5.7),
        100: Pair(0.65, 0.55, 0.05, 0.39, 3.5),
        500: Pair(0.87, 0.93, 0.02, 0.049, 0.6),
    },
}


def simulate(
    rng: np.random.Generator, pair: Pair, pairs: int, labels: int, repeats: int
) -> NDArray[np.float32]:
    """Return the latent scores of both sides, shape (2, pairs, repeats, labels)."""
    z = ndtri(pair.accuracy)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    draw = (pair.draw / 100 / density) ** 2
    cell = 1 - pair.shared - pair.own - draw  # shares add up to 1

    def normal(*shape: int) -> NDArray[np.float32]:
        return rng.standard_normal(shape, dtype=np.float32)

    fold = rng.random((pairs, repeats, labels), dtype=np.float32).argsort(axis=2) % FOLDS
    both = np.float32(pair.shared**0.5) * normal(pairs, 1, labels)
    same, other = np.float32(SHARED_LABELS**0.5), np.float32((1 - SHARED_LABELS) ** 0.5)
    sides = []
    for _ in range(2):
        of_fold = np.take_along_axis(normal(pairs, repeats, FOLDS), fold, axis=2)
        effect = np.float32(draw**0.5) * (same * normal(pairs, 1, 1) + other * of_fold)
        noise = same * normal(pairs, 1, labels)
        if pair.cell > 0:
            noise = noise + other * normal(pairs, repeats, labels)
        else:  # neither side is trained on labels: nothing changes from fold to fold
            noise = normal(pairs, 1, labels)
        own = np.float32(pair.own**0.5) * normal(pairs, 1, labels)
        sides.append(both + own + effect + np.float32(max(cell, 0.0) ** 0.5) * noise)
    return np.stack([np.broadcast_to(side, (pairs, repeats, labels)) for side in sides])


def words(low: NDArray[Any], high: NDArray[Any]) -> dict[str, float]:
    """Return the share of each word."""
    helps, hurts = low > 0, high < 0
    level = ~helps & ~hurts & (low > -MARGIN) & (high < MARGIN)
    shares = (helps, hurts, level, ~helps & ~hurts & ~level)
    return {word: float(share.mean()) for word, share in zip(WORDS, shares, strict=True)}


def simulated(pairs: int, seed: int) -> list[dict[str, Any]]:
    """Judge pairs with known gains; one row for each kind, number of labels, gain and repeats."""
    rng = np.random.default_rng(seed)
    rows = []
    for kind, sizes in PAIRS.items():
        for labels, pair in sizes.items():
            latent = simulate(rng, pair, pairs, labels, REPEATS)
            for gain in GAINS:
                if pair.accuracy + gain >= 0.99:
                    continue
                thresholds = ndtri(np.array([pair.accuracy + gain, pair.accuracy]))
                a, b = latent[0] < thresholds[0], latent[1] < thresholds[1]
                difference = a.astype(np.float64) - b
                check(difference[:3], a[:3], b[:3])
                for repeats in (1, REPEATS):
                    seen = difference[:, :repeats]
                    _, low, high = cross_fitted_interval(seen, FOLDS, bounded=True)
                    entry = {
                        "pair": kind, "labels": labels, "gain": gain, "repeats": repeats,
                        "disagree": float(np.abs(seen).mean()),
                        "covers": float(((low <= gain) & (gain <= high)).mean()),
                    } | words(low, high)  # fmt: skip
                    if repeats > 1:  # what an interval that takes credit for repeats would say
                        _, low, high = crossed_interval(seen, bounded=True)
                        entry["crossed_helps"] = float((low > 0).mean())
                    rows.append(entry)
    return rows


def check(difference: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> None:
    """Hold the public verdict against the table of intervals."""
    truth = np.zeros(difference.shape[2], dtype=int)
    for one, first, second in zip(difference, a, b, strict=True):
        if (first == second).all():
            continue
        said = verdict(truth, np.where(first, 0, 1), np.where(second, 0, 1), folds=FOLDS)
        _, low, high = cross_fitted_interval(one, FOLDS, bounded=True)
        assert np.allclose([said.low, said.high], [low, high])


def shifts() -> dict[str, tuple[Any, ...]]:
    """Return simulated shifts: source, labels, and a pool of target rows with labels."""
    from acclimate import datasets

    rng = np.random.default_rng(7)
    found = {}
    for name in ("optdigits", "pendigits"):
        if name == "optdigits":
            data = datasets.optdigits()
            X = np.concatenate([data.X_train, data.X_test]).astype(np.float64) / 16
            X, y = X.reshape(len(X), -1), np.concatenate([data.y_train, data.y_test])
        else:
            pens = datasets.pendigits()
            X, y = pens.X.to_numpy().astype(np.float64) / 100, pens.y
        keep = y < 4
        X, y = X[keep], y[keep]
        order = rng.permutation(len(y))
        X, y = X[order], y[order]
        half, few = len(y) // 2, 150
        mixed = np.eye(X.shape[1]) + 0.25 * rng.normal(size=(X.shape[1],) * 2) / X.shape[1] ** 0.5
        target = X[half:] @ mixed + 0.3 * rng.normal(size=X[half:].shape)
        found[f"{name}, mixed and noisy"] = X[:few], y[:few], target, y[half:]
        same = X[half:] + 0.3 * rng.normal(size=X[half:].shape)
        found[f"{name}, noisy"] = X[:few], y[:few], same, y[half:]
        found[f"{name}, labels of the source are noise"] = (
            X[:few],
            rng.permutation(y[:few]),
            same,
            y[half:],
        )
    return found


def real(draws: int, seed: int) -> list[dict[str, Any]]:
    """Hold the words of `compare` against the gain of its picked model on rows it never saw."""
    from sklearn.linear_model import LogisticRegression

    from acclimate import Domain, TargetOnly, compare

    methods = ["JointObjective", "FeatureAugmentation", "CORAL"]
    rows = []
    for name, (X, y, pool, truth) in shifts().items():
        for labels in (20, 100):
            outcomes = []
            for draw in range(draws):
                rng = np.random.default_rng([seed, labels, draw])
                order = rng.permutation(len(truth))
                mine, rest = order[:labels], order[labels:]
                counts = np.unique(truth[mine], return_counts=True)[1]
                if (counts >= 3).sum() < 2:
                    continue
                base = LogisticRegression(max_iter=200)
                known = Domain(pool[mine], truth[mine])
                found = compare(
                    (X, y), known, estimator=base, methods=methods, repeats=REAL_REPEATS, n_jobs=1,
                    random_state=draw,
                )  # fmt: skip
                said = found.to_dict()["verdicts"][0]
                chosen = next(row for row in found.table() if row["candidate"] == _picked(found))[
                    "candidate"
                ]
                gain = _true_gain(X, y, known, pool[rest], truth[rest], chosen, base, TargetOnly)
                outcomes.append({"word": said["word"], "seen": said["gain"], "true": gain})
            true = np.array([one["true"] for one in outcomes])
            helps = np.array([one["word"] == "helps" for one in outcomes])
            rows.append({
                "shift": name, "labels": labels, "draws": len(outcomes),
                "mean_true_gain": float(true.mean()),
                "helps": float(helps.mean()),
                "wrong_helps": float((helps & (true <= 0)).mean()),
                "hurts": float(np.mean([one["word"] == "hurts" for one in outcomes])),
                "wrong_hurts": float(
                    np.mean([one["word"] == "hurts" and one["true"] >= 0 for one in outcomes])
                ),
            })  # fmt: skip
            print(json.dumps(rows[-1]), flush=True)
    return rows


def _picked(found: Any) -> str:
    """Return the candidate picked in most folds: what the verdict is about, in one model."""
    best: dict[str, Any] = max(found.table(), key=lambda row: row["chosen_share"])
    return str(best["candidate"])


def _true_gain(
    X: Any, y: Any, known: Any, rows: Any, truth: Any, name: str, base: Any, reference: Any
) -> float:
    from sklearn.preprocessing import StandardScaler

    import acclimate

    plain, _, switch = name.partition(" + ")
    settings = {"use_target_labels": True} if switch else {}
    method = getattr(acclimate, plain)(base, preprocess=StandardScaler(), **settings)
    other = reference(base, preprocess=StandardScaler())
    scores = [one.fit(X, y, target=known).score(rows, truth) for one in (method, other)]
    return float(scores[0] - scores[1])


def measure(draws: int = 12) -> None:
    """Print how much pairs of real models differ, and how much a draw of labels moves them."""
    from sklearn.linear_model import LogisticRegression

    from acclimate import CORAL, Domain, FeatureAugmentation, SourceOnly, TargetOnly, datasets

    data = datasets.optdigits()
    images = np.concatenate([data.X_train, data.X_test]).reshape(-1, 8, 8) / 16
    y = np.concatenate([data.y_train, data.y_test])
    half, pool = len(y) // 2, 1400
    noisy = np.clip(images + np.random.default_rng(0).normal(0, 0.3, images.shape), 0, 1)
    base = LogisticRegression(max_iter=300, C=0.1)
    print("shift  labels  pair  gain  disagree  variance of a row, of its mean  draw (points)")
    for name, moved in {"noise": noisy, "moved": np.roll(images, 1, axis=2)}.items():
        X, Xt, yt = images[:half].reshape(half, 64), moved[half:].reshape(-1, 64), y[half:]
        test = slice(pool, None)
        fixed = {
            method.__name__: method(base).fit(X, y[:half], target=Domain(Xt)).predict(Xt[test])
            for method in (SourceOnly, CORAL)
        }
        for labels in LABELS:
            right: dict[str, list[Any]] = {key: [v == yt[test]] * draws for key, v in fixed.items()}
            for draw in range(draws):
                known = np.zeros(len(yt), dtype=bool)
                known[np.random.default_rng(draw).choice(pool, labels, replace=False)] = True
                for method in (TargetOnly, FeatureAugmentation):
                    model = method(base).fit(X, y[:half], target=Domain(Xt, yt, labelled=known))
                    answers = model.predict(Xt[test])
                    right.setdefault(method.__name__, []).append(answers == yt[test])
            for a, b in (("CORAL", "SourceOnly"), ("FeatureAugmentation", "TargetOnly"),
                         ("CORAL", "TargetOnly")):  # fmt: skip
                d = np.array(right[a]).astype(float) - np.array(right[b])
                moves = 100 * d.mean(axis=1).std(ddof=1)
                spread, of_mean = d.var(), d.mean(axis=0).var()
                print(
                    f"{name}  {labels:4d}  {a} - {b}  {100 * d.mean():+.1f}  "
                    f"{np.abs(d).mean():.3f}  {spread:.3f}  {of_mean:.3f}  {moves:.1f}"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--real", type=int, default=20, help="label draws for each shift and size")
    parser.add_argument("--keep-real", action="store_true", help="keep part two of the last run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--measure", action="store_true", help="only measure pairs of real models")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.measure:
        measure()
        return
    started = time.perf_counter()
    rows = simulated(options.pairs, options.seed)
    for row in rows:
        if row["repeats"] == REPEATS:
            print(
                f"{row['pair'][:40]:40s} {row['labels']:4d} {100 * row['gain']:+4.0f}  "
                f"covers {100 * row['covers']:5.1f}  disagree {100 * row['disagree']:4.1f}  "
                + "  ".join(f"{word} {100 * row[word]:5.1f}" for word in WORDS)
                + f"  (crossed: {100 * row['crossed_helps']:.1f})"
            )
    wrong = [row for row in rows if row["gain"] <= 0 and row["repeats"] == REPEATS]
    worst = max(wrong, key=lambda row: row["helps"])
    seen = {
        f"{100 * gain:+.0f} points at {labels} labels": {
            row["pair"]: row["helps"] for row in rows
            if row["repeats"] == REPEATS and row["gain"] == gain and row["labels"] == labels
        } for gain, labels in GOALS
    }  # fmt: skip
    print("worst wrong 'helps':", worst["pair"], worst["labels"], worst["gain"], worst["helps"])
    print(json.dumps(seen, indent=1))
    if options.keep_real:
        checked = json.loads(RESULTS.read_text(encoding="utf-8"))["real"]
    else:
        checked = real(options.real, options.seed) if options.real else []
    result = {
        "pairs": options.pairs, "folds": FOLDS, "repeats": REPEATS, "seed": options.seed,
        "worst_wrong_helps": worst, "helps_where_it_should": seen, "simulated": rows,
        "real": checked, "seconds": time.perf_counter() - started,
    }  # fmt: skip
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
