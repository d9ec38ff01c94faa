"""What the shallow methods gain over source-only with their defaults, on data for development.

Shifts of optdigits, pendigits and wine, and simulated rows: other inputs, other shares of the
inputs or of the classes. Target labels score, and nothing else. The table has the mean gain over
source-only for each method, and beside it that of settings that were tried instead, such as the
defaults before (`TRIED`). None of the data of `accuracy_shallow.py` is here.

Run:  python benchmarks/shallow_defaults.py [--draws 3] [--only TCA KMM]
      python benchmarks/shallow_defaults.py --stored      (prints the table of the last run)
      python benchmarks/shallow_defaults.py --features    (landmarks beside random waves)

A run goes on where the last one stopped: what is in `results/shallow_defaults.json` is kept. After
a change of a method, `--again` with its name in `--only` measures it anew.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.distance import pdist
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from validator_cases import ROWS, Case, optdigits, pendigits, some, wine

from acclimate import Domain, datasets, methods

RESULTS = Path(__file__).parent / "results" / "shallow_defaults.json"
FAMILIES = ("mapping", "reweighting", "semisupervised")
REFERENCE = "SourceOnly"
MEDIAN = "median"  # stands for one over the median squared distance, which depends on the rows
NARROW: dict[str, Any] = {"n_components": 30, "gamma": MEDIAN, "mu": 1.0}
FEW: dict[str, Any] = {"n_components": None, "gamma": MEDIAN, "mu": 1.0}
TENTH = {"mu": 0.1}
TRIED: dict[str, dict[str, dict[str, Any]]] = {
    "DomainDiscriminator": {"as estimated": {"min_effective": None}},
    "KMM": {"as estimated": {"min_effective": None}},
    "LabelShift": {"without the test": {"level": 0}},
    "OTMapping": {"epsilon 0.05": {"epsilon": 0.05}, "exact": {"regularisation": "none"}},
    "JCPOT": {"until settled": {"max_steps": None}, "10 steps": {"max_steps": 10}},
    "TCA": {
        "median distance, 30": NARROW,
        "median distance, None": FEW,
        "linear, 30": {"kernel": "linear", "n_components": 30, "mu": 1.0},
        "mu 1": {"mu": 1.0},
    },
    "JDA": {
        "median distance, 30": NARROW | TENTH,
        "median distance, None": FEW | TENTH,
        "mu 0.1": TENTH,
    },
    "BDA": {
        "median distance, 30": NARROW | TENTH,
        "median distance, None": FEW | TENTH,
        "mu 0.1": TENTH,
    },
    "TJM": {
        "median distance, 30": NARROW,
        "median distance, None": FEW,
        "mu 1": {"mu": 1.0},
    },
}


# --- data ---------------------------------------------------------------------------------------


def wine_classes(rng: np.random.Generator) -> list[Case]:
    """Return the shifts of wine, with a quality above 5 as the class."""
    return [
        replace(
            case,
            source=(case.source[0], case.source[1] > 5),
            target=(case.target[0], case.target[1] > 5),
            regression=False,
        )
        for case in wine(rng)
    ]


def pools() -> Iterator[tuple[str, Any, Any]]:
    """Yield name, rows and classes of data whose domains are drawn below."""
    digits = datasets.optdigits()
    X = np.concatenate([digits.X_train, digits.X_test]).reshape(-1, 64) / 16.0
    yield "optdigits", X, np.concatenate([digits.y_train, digits.y_test])
    pens = datasets.pendigits()
    yield "pendigits", pens.X.to_numpy(dtype=np.float64) / 100.0, np.asarray(pens.y)
    for name in ("red", "white"):
        X, y = (np.asarray(part, dtype=np.float64) for part in datasets.wine().domain_rows(name))
        yield f"{name} wine", X, y > 5


def biased(rng: np.random.Generator) -> list[Case]:
    """Return domains that differ in nothing but the shares of inputs, or of classes."""
    cases = []
    for data, X, y in pools():
        order = rng.permutation(len(y))
        X, y, half = X[order], y[order], len(y) // 2
        Z = (X - X.mean(0)) / (X.std(0) + 1e-12)
        along = Z @ np.linalg.svd(Z[:2000], full_matrices=False)[2][0]
        rare = 1 / (1 + np.exp(2.0 * along / along.std()))
        kept = np.flatnonzero(rng.random(half) < rare[:half])
        source = some(X[kept], y[kept], ROWS, rng)
        target = some(X[half:], y[half:], ROWS, rng)
        cases.append(Case(data, "biased inputs", source, target, StandardScaler()))
        codes = np.unique(y[half:], return_inverse=True)[1]
        shares = rng.dirichlet(np.ones(codes.max() + 1)) / np.bincount(codes)
        drawn = half + rng.choice(len(codes), ROWS, p=shares[codes] / shares[codes].sum())
        source = some(X[:half], y[:half], ROWS, rng)
        cases.append(Case(data, "other shares", source, (X[drawn], y[drawn]), StandardScaler()))
    return cases


def wide(rng: np.random.Generator) -> list[Case]:
    """Return Gaussian classes in 40 dimensions, turned and moved, mixed into more features."""
    cases, latent = [], 40
    for d, classes in ((800, 10), (100, 4)):
        centres = 0.7 * rng.normal(size=(classes, latent))
        mixing = rng.normal(size=(latent, d)) / np.sqrt(latent)
        turn = np.eye(latent) + 0.6 * rng.normal(size=(latent, latent)) / np.sqrt(latent)
        turn = turn * np.exp(0.5 * rng.normal(size=latent))
        shift = rng.normal(size=latent)
        sides = []
        for target in (False, True):
            y = rng.integers(classes, size=ROWS)
            z = centres[y] + rng.normal(size=(ROWS, latent))
            z = z @ turn + shift if target else z
            sides.append((z @ mixing + 0.5 * rng.normal(size=(ROWS, d)), y))
        cases.append(Case("simulated", f"{d} features", *sides, StandardScaler()))
    return cases


def bent(rng: np.random.Generator) -> list[Case]:
    """Return inputs that move along a bent border of two classes: weights correct a linear fit."""
    cases = []
    for d in (2, 10):
        sides = []
        for move in (0.0, 1.0):
            X = rng.normal(size=(ROWS, d))
            X[:, 0] += move
            sides.append((X, X[:, 1] + 0.3 * rng.normal(size=ROWS) > X[:, 0] ** 2 / 2))
        cases.append(Case("bent border", f"{d} features", *sides, StandardScaler()))
    return cases


def cases(draw: int) -> list[Case]:
    """Return all cases of a draw."""
    makers = (optdigits, pendigits, wine_classes, biased, wide, bent)
    return [
        case
        for i, maker in enumerate(makers)
        for case in maker(np.random.default_rng([16, draw, i]))
    ]


def group(name: str) -> str:
    """Return the column of a case."""
    data, shift = name.split(", ", 1)
    return shift if shift in ("biased inputs", "other shares") else data


# --- measuring ----------------------------------------------------------------------------------


def entries(only: list[str]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield what stands in the table: a name, a class and settings."""
    for row in methods(task="classification"):
        if row.family not in FAMILIES or row.target_labels == "required" or row.network:
            continue
        if only and row.name not in only:
            continue
        yield row.name, row.load(), {}
        for words, settings in TRIED.get(row.name, {}).items():
            yield f"{row.name}: {words}", row.load(), settings


def accuracy(cls: Any, settings: dict[str, Any], case: Case) -> float | str:
    """Return the accuracy on the target, or why there is none."""
    (X, y), (Xt, truth) = case.source, case.target
    step = StandardScaler().fit(X)
    X, Xt = step.transform(X), step.transform(Xt)
    if "gamma" in settings:
        squared = float(np.median(pdist(np.concatenate([X, Xt])[::2], "sqeuclidean")))
        settings = settings | {"gamma": 1.0 / squared}
    if "random_state" in inspect.signature(cls.__init__).parameters:
        settings = settings | {"random_state": 0}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = cls(**({"estimator": LogisticRegression(max_iter=1000)} | settings))
            model.fit(X, y, target=Domain(Xt))
            return float((model.predict(Xt) == truth).mean())
    except Exception as error:  # a method that fails here is named, not hidden
        return f"{type(error).__name__}: {str(error)[:150]}"


def measure(stored: dict[str, Any], draws: int, only: list[str]) -> None:
    """Add to ``stored`` what is not there; write it after each case."""
    from acclimate import SourceOnly

    wanted = [(REFERENCE, SourceOnly, {}), *entries(only)]
    began = time.perf_counter()
    for draw in range(draws):
        for case in cases(draw):
            key = f"{case.name} | {draw}"
            row = stored.setdefault(key, {})
            for name, cls, settings in wanted:
                if name not in row:
                    row[name] = accuracy(cls, settings, case)
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
            if sys.stderr.isatty():
                passed = time.perf_counter() - began
                print(f"\r{key}: {passed:.0f} s so far   ", end="", file=sys.stderr)


def report(stored: dict[str, Any]) -> None:
    """Print the mean gain over source-only, by kind of shift and on average over cases."""
    groups = list(dict.fromkeys(group(key.split(" | ")[0]) for key in stored))
    names = list(dict.fromkeys(name for row in stored.values() for name in row))
    draws = len({key.split(" | ")[1] for key in stored})
    print(f"Mean gain over source-only in points; {draws} draws of {len(stored) // draws} cases.\n")
    print("| method | " + " | ".join(groups) + " | all | lowest case | not below |")
    print("|---|" + "---|" * (len(groups) + 3))
    for name in names:
        gains: dict[str, list[float]] = {}
        for key, row in stored.items():
            value, base = row.get(name), row[REFERENCE]
            if isinstance(value, float):
                gain = value if name == REFERENCE else value - base
                gains.setdefault(key.split(" | ")[0], []).append(100 * gain)
        means = {case: float(np.mean(values)) for case, values in gains.items()}
        parts = [[m for case, m in means.items() if group(case) == g] for g in groups]
        shown = [f"{np.mean(part):.1f}" if part else "-" for part in parts]
        every = np.array(list(means.values()))
        if name == REFERENCE:
            shown += [f"{every.mean():.1f}", "", ""]
        else:
            shown = [f"{float(s):+.1f}" if s != "-" else s for s in shown]
            shown += [f"{every.mean():+.1f}", f"{every.min():+.1f}",
                      f"{int((every >= 0).sum())} of {len(every)}"]  # fmt: skip
        print(f"| {name} | " + " | ".join(shown) + " |")
    failures = {(n, v) for row in stored.values() for n, v in row.items() if isinstance(v, str)}
    for name, why in sorted(failures):
        print(f"\n{name} failed in some cases: {why}")


# --- landmarks beside random waves --------------------------------------------------------------


def features(rows: int = 10_000) -> None:
    """Print seconds and accuracy of both approximations at equal size, on simulated rows."""
    from acclimate import JDA, KMM, TCA
    from acclimate.maths.discrepancy import mmd

    rng = np.random.default_rng(0)
    y = rng.integers(10, size=2 * rows)
    mixing = rng.normal(size=(20, 64)) / np.sqrt(20)
    X = (1.2 * rng.normal(size=(10, 20))[y] + rng.normal(size=(2 * rows, 20))) @ mixing
    X += 0.5 * rng.normal(size=X.shape)
    X[rows:] += 0.5 * rng.normal(size=20) @ mixing
    X, Xt, y, yt = X[:rows], X[rows:], y[:rows], y[rows:]
    gamma = 1.0 / float(np.median(pdist(np.concatenate([X[:500], Xt[:500]]), "sqeuclidean")))
    base = LogisticRegression(max_iter=1000).fit(X, y)
    print(f"{2 * rows} rows, 64 features, one thread; source-only {base.score(Xt, yt):.3f}\n")
    print("| method | width | features | landmarks | waves |\n|---|---|---|---|---|")
    kinds: list[tuple[Any, str, dict[str, Any]]] = [
        (TCA, "wide (default)", {}), (TCA, "median", {"gamma": gamma}),
        (JDA, "median", {"gamma": gamma, "n_components": 30}),
        (KMM, "median", {"min_effective": None}),
    ]  # fmt: skip
    for cls, width, settings in kinds:
        for number in (200, 500):
            shown = []
            for kind in ("landmarks", "fourier"):
                began = time.process_time()
                model = cls(LogisticRegression(max_iter=1000), n_landmarks=number,
                            approximation=kind, random_state=0, **settings)  # fmt: skip
                score = model.fit(X, y, target=Domain(Xt)).score(Xt, yt)
                value = (f"objective {model.solution_.objective:.2f}" if cls is KMM
                         else f"objective {model.objective_:.4g}")  # fmt: skip
                shown.append(f"{score:.3f}, {time.process_time() - began:.1f} s, {value}")
            print(f"| {cls.__name__} | {width} | {number} | " + " | ".join(shown) + " |")
    exact = mmd(X, Xt, gamma=gamma, features=None)
    for number in (200, 2000):
        shown = []
        for kind in ("landmarks", "fourier"):
            began = time.process_time()
            value = mmd(X, Xt, gamma=gamma, features=number, approximation=kind)
            shown.append(f"{value / exact - 1:+.1%} of the exact value, "
                         f"{time.process_time() - began:.2f} s")  # fmt: skip
        print(f"| mmd | median | {number} | " + " | ".join(shown) + " |")


def main() -> None:
    """Run, or print what is stored."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="names of methods")
    parser.add_argument("--again", action="store_true", help="forget what is stored of --only")
    parser.add_argument("--stored", action="store_true", help="print the table of the last run")
    parser.add_argument("--features", action="store_true", help="compare the approximations")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # of convergence: what it costs is in the table
    with threadpool_limits(1):
        if args.features:
            features()
            return
        stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        if args.again:
            for row in stored.values():
                for name in [n for n in row if n.split(":")[0] in args.only]:
                    del row[name]
        if not args.stored:
            measure(stored, args.draws, args.only)
    report(stored)


if __name__ == "__main__":
    main()
