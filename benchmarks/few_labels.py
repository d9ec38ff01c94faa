"""What transfer is worth with few target labels, and whether the picked method can be trusted.

Heart disease (Cleveland to three other hospitals), wine (red to white, regression) and MNIST to
USPS. Source-only, target-only, each fine-tuning strategy, parameter transfer and the joint
objective, on a linear model and on a network, over draws of the target labels. The *recommended*
method is the one that `pick` takes by cross-validation on the labels of the draw. The best on test,
which nobody can know, stands beside it as *oracle*.

Run:  python benchmarks/few_labels.py [--draws 10] [--quick]
With --develop: optdigits and pendigits with simulated shifts, on which the order of trust and the
rule of `pick` were chosen; nothing from there is reported.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed, parallel_config
from scipy.stats import t as student
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from acclimate import (
    Domain,
    FineTune,
    JointObjective,
    NeuralClassifier,
    NeuralRegressor,
    ParameterTransfer,
    SourceOnly,
    TargetOnly,
    datasets,
    verdict,
)
from acclimate.datasets.images import frame
from acclimate.judging.crossfitted import first_level
from acclimate.refits.pick import held_out_scores
from acclimate.report.wording import look_of
from acclimate.transfer.fine_tune import STRATEGIES
from acclimate.transfer.parameter import STRENGTHS

RESULTS = Path(__file__).parent / "results" / "few_labels.json"
Candidates = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A source, a pool of target rows that labels are drawn from, and target test rows."""

    name: str
    X: Any
    y: Any
    pool: tuple[Any, Any]
    test: tuple[Any, Any]
    sizes: tuple[int, ...]
    classes: tuple[str, ...] | None
    network: Any
    linear: Any
    preprocess: Any = None
    strengths: tuple[float, ...] = STRENGTHS

    @property
    def regression(self) -> bool:
        """Tell whether values are predicted, not classes."""
        return self.classes is None


def halves(X: Any, y: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Split a target into a pool and test rows, the same in every run."""
    order = np.random.default_rng(20).permutation(len(y))
    cut = len(y) // 2
    rows = (lambda i: X.iloc[i].reset_index(drop=True)) if hasattr(X, "iloc") else (lambda i: X[i])
    return (rows(order[:cut]), y[order[:cut]]), (rows(order[cut:]), y[order[cut:]])


def tabular(task: type) -> Any:
    return task(hidden=(64,), min_steps=400, verbose=False)


def heart() -> list[Case]:
    data = datasets.heart_disease()
    X, y = data.domain_rows("cleveland")
    clean = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    cases = []
    for hospital in ("hungary", "switzerland", "va"):
        pool, test = halves(*data.domain_rows(hospital))
        cases.append(Case(
            f"heart disease, Cleveland to {hospital}", X, y, pool, test, (10, 20, 50),
            data.class_names, tabular(NeuralClassifier), LogisticRegression(max_iter=1000), clean,
        ))  # fmt: skip
    return cases


def wine() -> list[Case]:
    data = datasets.wine()
    X, y = data.domain_rows("red")
    pool, test = halves(*data.domain_rows("white"))
    return [Case(
        "wine, red to white", X, y, pool, test, (10, 20, 50), None, tabular(NeuralRegressor),
        Ridge(), StandardScaler(),
    )]  # fmt: skip


def digits() -> list[Case]:
    mnist, usps = datasets.mnist(), datasets.usps()
    names = tuple(str(i) for i in range(10))
    rows = np.random.default_rng(20).permutation(len(mnist.y_train))[:10000]
    as_rows: Callable[[Any], Any] = lambda images: (  # noqa: E731
        (images.reshape(len(images), -1) / 255.0).astype(np.float32)
    )
    return [Case(
        "MNIST (10000 rows) to USPS", as_rows(mnist.X_train[rows]), mnist.y_train[rows],
        (as_rows(frame(usps.X_train)), usps.y_train), (as_rows(frame(usps.X_test)), usps.y_test),
        (20, 50), names, NeuralClassifier(verbose=False), LogisticRegression(max_iter=100, C=0.01),
        strengths=(np.inf, 1e2, 1e1, 1.0, 0.0),
    )]  # fmt: skip


def develop() -> list[Case]:
    """Return simulated shifts, and wine: the only data that may decide anything."""
    rng = np.random.default_rng(0)
    data = datasets.optdigits()
    X = np.concatenate([data.X_train, data.X_test]).astype(np.float64) / 16
    y = np.concatenate([data.y_train, data.y_test])
    names = tuple(str(i) for i in range(10))
    images, half = X.reshape(-1, 8, 8), len(y) // 2
    shifts = {
        "optdigits turned": np.rot90(images, axes=(1, 2)),
        "optdigits noise .3": np.clip(images + rng.normal(0, 0.3, images.shape), 0, 1),
        "optdigits moved": np.roll(images, 1, axis=2),
        "optdigits faint": images * 0.4,
    }
    cases = []
    for name, moved in shifts.items():
        flat = np.ascontiguousarray(moved.reshape(-1, 64))
        pool, test = halves(flat[half:], y[half:])
        low, few = y[:half] < 2, name.endswith(("turned", "faint"))
        if few:  # two classes, as in the heart data
            pool, test = ((side[0][side[1] < 2], side[1][side[1] < 2]) for side in (pool, test))
        cases.append(Case(
            name, X[:half][low] if few else X[:half], y[:half][low] if few else y[:half], pool,
            test, (10, 20) if few else (20, 50), names[:2] if few else names,
            tabular(NeuralClassifier), LogisticRegression(max_iter=1000),
            strengths=(np.inf, 1e2, 1e1, 1.0, 0.1, 0.0),
        ))  # fmt: skip
    pens = datasets.pendigits()
    P, p = pens.X.to_numpy().astype(np.float64) / 100, pens.y
    pair = np.isin(p, (1, 7))  # the hardest two for a linear model
    P, p = P[pair], (p[pair] == 7).astype(int)
    moved = P + rng.normal(0, 0.2, P.shape)
    half = len(p) // 2
    for name, turn, flip in (
        ("pendigits noise", 0.0, 0.0),
        ("pendigits flipped labels", 0.3, 0.15),
    ):
        wrong = rng.random(len(p)) < flip
        pool, test = halves(moved[half:] + turn, np.where(wrong, 1 - p, p)[half:])
        cases.append(Case(
            name, P[:half], p[:half], pool, test, (10, 20, 50), names[:2],
            tabular(NeuralClassifier), LogisticRegression(max_iter=1000),
        ))  # fmt: skip
    return cases + wine()


def candidates(case: Case) -> Candidates:
    """Return every method with its source model, in the order of trust."""
    made: Candidates = {}
    common = {"preprocess": case.preprocess, "random_state": 0}
    tuner = FineTune(case.network, **common)
    tuner.fit(case.X, case.y, class_names=case.classes)
    for strategy in STRATEGIES:
        if strategy != "auto":
            made[f"network {strategy}"] = variant = copy.copy(tuner)  # shares the source model
            variant.strategy = strategy
    for kind, base in (("linear", case.linear), ("network", case.network)):
        for name, method in (
            ("source only", SourceOnly(base, **common)),
            ("target only", TargetOnly(base, **common)),
            ("joint", JointObjective(base, **common)),
        ):
            made[f"{kind} {name}"] = method
    made["linear fine-tune"] = FineTune(case.linear, **common)
    made["linear parameter transfer"] = ParameterTransfer(
        case.linear, strengths=case.strengths, repeats=1, **common
    )
    for method in made.values():
        if not hasattr(method, "source_model_"):
            method.fit(case.X, case.y, class_names=case.classes)
    return {name: made[name] for name in sorted(made, key=trust)}


def trust(name: str) -> tuple[int, str]:
    """Return the place of a method in the order of trust: `TRUST`, then the baselines."""
    if name.endswith(" only"):
        return len(TRUST) + 1 + name.endswith("source only"), name
    return (TRUST.index(name) if name in TRUST else len(TRUST)), name


# What blends both domains comes first: it is seldom far below either. Chosen with --develop.
TRUST = (
    "network joint", "linear joint", "linear parameter transfer", "network l2-sp",
    "network lp-ft", "network head", "network full", "linear fine-tune",
)  # fmt: skip
ERRORS = 2.0  # standard errors within which candidates count as level


def draw_rows(y: Any, size: int, draw: int, regression: bool) -> Any:
    """Draw labelled rows at random; again, where they are of one class."""
    rng = np.random.default_rng([draw, size])
    while True:
        rows = rng.choice(len(y), size, replace=False)
        if regression or len(np.unique(y[rows])) > 1:
            return rows


def one_draw(case: Case, methods: Candidates, size: int, draw: int) -> dict[str, Any]:
    """Return test predictions of every method and the table that picking reads."""
    import torch  # here, because workers cannot be sent a function that refers to the module

    torch.set_num_threads(1)
    X, y = case.pool
    rows = draw_rows(y, size, draw, case.regression)
    labelled = X.iloc[rows] if hasattr(X, "iloc") else X[rows]
    target = Domain(labelled, y[rows], class_names=case.classes)
    table = held_out_scores(methods, None, None, target, random_state=draw)
    predictions = {
        name: copy.copy(method).adapt(target).predict(case.test[0])
        for name, method in methods.items()
    }
    return {"table": table, "predictions": predictions}


def interval(scores: Any) -> tuple[float, float]:
    """Return mean and half-width of the 95 % interval over draws."""
    n = len(scores)
    half = student.ppf(0.975, n - 1) * np.std(scores, ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return float(np.mean(scores)), float(half)


def judge(case: Case, size: int, draws: list[dict[str, Any]], errors: float) -> dict[str, Any]:
    """Return scores, verdicts and the recommended method of one case and size."""
    y = case.test[1]
    metric = r2_score if case.regression else accuracy_score
    names = list(draws[0]["predictions"])
    scores = {n: [float(metric(y, d["predictions"][n])) for d in draws] for n in names}
    picked = [names[first_level(d["table"], errors) if d["table"].shape[1] else 0] for d in draws]
    best = {n: interval(v)[0] for n, v in scores.items()}
    oracle = max(best, key=lambda n: best[n])
    bar = max((n for n in names if n.endswith(" only")), key=lambda n: best[n])
    scores["recommended"] = [scores[n][i] for i, n in enumerate(picked)]
    answers = {n: np.array([d["predictions"][n] for d in draws]) for n in names}
    answers["recommended"] = np.array([d["predictions"][n] for d, n in zip(draws, picked)])  # noqa: B905
    task = "regression" if case.regression else "classification"
    alone = max((n for n in names if n.endswith("target only")), key=lambda n: best[n])
    rows = {}
    for name, values in scores.items():
        kind = "network" if name.startswith("network") else "linear"
        reference = answers[alone if name == "recommended" else f"{kind} target only"]
        found = verdict(y, answers[name], reference, task=task, labels=size)
        mean, half = interval(values)
        rows[name] = {
            "mean": mean, "half": half, "word": found.word, "gain": found.gain,
            "low": found.low, "high": found.high,
            "picked": sum(n == name for n in picked), "draws": values,
        }  # fmt: skip
    return {
        "case": case.name, "labels": size, "score": "R2" if case.regression else "accuracy",
        "rows": rows, "oracle": oracle, "bar": bar,
        "below_bar": 100 * (best[bar] - rows["recommended"]["mean"]),
    }  # fmt: skip


def show(results: list[dict[str, Any]]) -> None:
    """Print the table of one case: a line a method, a column a number of labels."""
    first = results[0]
    sizes = [result["labels"] for result in results]
    print(f"\n**{first['case']}** ({'R2' if first['score'] == 'R2' else 'accuracy'}, in points)\n")
    print("| method | " + " | ".join(f"{n} labels" for n in sizes) + " |")
    print("|---|" + "---|" * len(sizes))
    names = sorted(first["rows"], key=lambda name: (name == "recommended", trust(name)))
    for name in names:
        cells = []
        for result in results:
            row = result["rows"][name]
            mark = look_of(row["word"]).sign
            best = " (oracle)" if name == result["oracle"] else ""
            cells.append(f"{100 * row['mean']:.1f} ± {100 * row['half']:.1f} {mark}{best}")
        label = f"**{name}**" if name == "recommended" else name
        print(f"| {label} | " + " | ".join(cells) + " |")
    behind = " / ".join(f"{-result['below_bar']:+.1f}" for result in results)
    print(f"\nRecommended minus the better of source-only and target-only: {behind}.", flush=True)


def summarise(results: list[dict[str, Any]]) -> None:
    """Print one line a case: the baselines, the recommended method, and the oracle apart."""
    print("\n| case | labels | source only | target only | recommended | verdict | oracle |")
    print("|---|---|---|---|---|---|---|")
    for result in results:
        rows = result["rows"]
        ends = [
            100 * max(row["mean"] for name, row in rows.items() if name.endswith(end))
            for end in ("source only", "target only")
        ]
        best = rows[result["oracle"]]["mean"]
        picked = rows["recommended"]
        print(
            f"| {result['case']} | {result['labels']} | {ends[0]:.1f} | {ends[1]:.1f} | "
            f"{100 * picked['mean']:.1f} ({-result['below_bar']:+.1f}) | {picked['word']} | "
            f"{100 * best:.1f} ({result['oracle']}) |"
        )


def report(results: list[dict[str, Any]]) -> None:
    """Print all tables, and the worst case of the recommended method."""
    for case in dict.fromkeys(result["case"] for result in results):
        show([result for result in results if result["case"] == case])
    summarise(results)
    worst = max(results, key=lambda r: r["below_bar"])
    print(f"\nWorst case of the recommended method: {-worst['below_bar']:+.1f} points "
          f"({worst['case']}, {worst['labels']} labels).")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="3 draws, the smallest size of labels")
    parser.add_argument("--only", default="", help="cases whose name has this text")
    parser.add_argument("--develop", action="store_true", help="how the rule was chosen")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--stored", action="store_true", help="print the tables of the last run")
    args = parser.parse_args()
    if args.stored:
        report(json.loads(RESULTS.read_text())["results"])
        return
    draws = 3 if args.quick else args.draws
    cases = develop() if args.develop else [*heart(), *wine(), *digits()]
    with threadpool_limits(1), parallel_config("loky", inner_max_num_threads=1):
        run(cases, draws, args)


def run(cases: list[Case], draws: int, args: argparse.Namespace) -> None:
    """Run all cases, print their tables and write them."""
    import torch

    torch.set_num_threads(1)
    results = []
    for case in cases:
        if args.only not in case.name:
            continue
        methods = candidates(case)
        for size in case.sizes[:1] if args.quick else case.sizes:
            runs = Parallel(n_jobs=args.jobs)(
                delayed(one_draw)(case, methods, size, draw) for draw in range(draws)
            )
            if args.develop:
                compare_rules(case, size, runs)
                continue
            results.append(judge(case, size, runs, ERRORS))
            print(f"{case.name}, {size} labels: done", flush=True)
    if args.develop:
        return
    report(results)
    if args.only:  # a part must not stand in for the whole
        return
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"draws": draws, "results": results}, indent=1) + "\n")


def compare_rules(case: Case, size: int, runs: list[dict[str, Any]]) -> None:
    """Print how far each rule of picking is above the better baseline, in points."""
    parts = []
    for errors in (0.0, 0.5, 1.0, 2.0):
        found = judge(case, size, runs, errors)
        parts.append(f"{errors:g}: {-found['below_bar']:+.1f}")
    rows = found["rows"]
    means = ", ".join(f"{n} {100 * row['mean']:.1f}" for n, row in rows.items())
    print(f"{case.name} {size}: above the bar by errors {'  '.join(parts)}\n   {means}", flush=True)


if __name__ == "__main__":
    main()
