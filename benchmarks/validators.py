"""How well do validators without target labels rank candidates, and which weights has the panel?

Candidates are all shallow methods of the catalogue that need no target labels, each on a linear
model and on a forest. Each is fitted on 70 % of the source rows; validators read the other 30 % and
the target's inputs. The truth is the score on the target, which no validator sees.

The panel's weights are fitted on simulated shifts of optdigits and pendigits (classification) and
on wine (regression), and on nothing else. Heart disease, MNIST and USPS, and sentiment only report.

Run:  python benchmarks/validators.py --fit   (simulated shifts and wine; prints the weights)
      python benchmarks/validators.py         (reports, with the weights in acclimate)
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr, weightedtau
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score
from threadpoolctl import threadpool_limits
from validator_cases import (
    Case,
    Rows,
    digits,
    heart,
    optdigits,
    pendigits,
    sentiment,
    wine,
)

from acclimate import Domain, methods
from acclimate.refits.reruns import gather
from acclimate.validators.candidate import Evidence
from acclimate.validators.estimates import ESTIMATORS, estimate_accuracy
from acclimate.validators.panel import CLASSES, VALUES, combine, consensus, fit_weights
from acclimate.validators.registry import VALIDATORS, validate
from acclimate.validators.risks import feature_weights

RESULTS = Path(__file__).parent / "results" / "validators.json"


# --- candidates ---------------------------------------------------------------------------------


def candidates(case: Case) -> dict[str, Any]:
    """Return every shallow method that needs no target labels, on two base models."""
    task = "regression" if case.regression else "classification"
    bases = (
        {"linear": Ridge(), "forest": RandomForestRegressor(20, max_depth=8, random_state=0)}
        if case.regression
        else {
            "linear": LogisticRegression(max_iter=1000),
            "forest": RandomForestClassifier(20, max_depth=8, random_state=0),
        }
    )
    made: dict[str, Any] = {}
    for row in methods(task=task):
        if row.target_labels == "required" or row.network or row.kind != "tabular":
            continue
        cls = row.load()
        known = inspect.signature(cls.__init__).parameters
        settings = {"preprocess": case.preprocess, "random_state": 0}
        for kind, base in bases.items():
            if "estimator" not in known:
                continue
            made[f"{row.name} {kind}"] = cls(
                base, **{k: v for k, v in settings.items() if k in known}
            )
    return made


def split(case: Case) -> tuple[Rows, Rows]:
    """Return the source rows that candidates are fitted on, and those held out."""
    X, y = case.source
    order = np.random.default_rng(7).permutation(len(y))
    cut = int(0.7 * len(y))
    return (X[order[:cut]], y[order[:cut]]), (X[order[cut:]], y[order[cut:]])


def examine(case: Case) -> dict[str, Any]:
    """Fit all candidates of a case and return validators, estimates and the truth of each."""
    (X, y), (held, y_held) = split(case)
    Xt, truth = case.target
    target = Domain(Xt)
    cleaned = (
        (lambda rows: rows) if case.preprocess is None else clone(case.preprocess).fit(X).transform
    )
    weights = feature_weights(cleaned(held), cleaned(Xt))
    known: dict[str, Evidence] = {}
    scores: dict[str, float] = {}
    left_out: dict[str, str] = {}
    for name, method in candidates(case).items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = method.fit(X, y, target=target)
                known[name] = gather(model, X, y, target, held, y_held, weights=weights)
                metric = r2_score if case.regression else accuracy_score
                scores[name] = float(metric(truth, model.predict(Xt)))
        except Exception as error:  # a candidate that fails here is named, not hidden
            left_out[name] = f"{type(error).__name__}: {str(error)[:120]}"
            known.pop(name, None)
    together = consensus([e.target_proba for e in known.values()])
    values = {n: validate(replace(e, consensus=together)) for n, e in known.items()}
    guesses = {} if case.regression else {
        n: estimate_accuracy(e) for n, e in known.items()
    }  # fmt: skip
    return {
        "data": case.data, "shift": case.shift, "regression": case.regression,
        "values": values, "estimates": guesses, "truth": scores, "left_out": left_out,
    }  # fmt: skip


# --- judging ------------------------------------------------------------------------------------


def judge(found: list[dict[str, Any]], weights: dict[str, float]) -> dict[str, dict[str, float]]:
    """Return Spearman, weighted Kendall and regret of each validator and of the panel.

    Regret is the best true score minus that of the candidate picked; mean over cases.
    """
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for case in found:
        names = list(case["truth"])
        true = np.array([case["truth"][n] for n in names])
        by: dict[str, Any] = {
            v: np.array([case["values"][n].get(v, np.nan) for n in names]) for v in VALIDATORS
        }
        for e in ESTIMATORS:
            if case["estimates"]:
                by[f"estimate: {e}"] = np.array([case["estimates"][n][e] for n in names])
        for label, chosen in (("panel", weights), ("equal weights", dict.fromkeys(VALIDATORS, 1))):
            ranking = combine(case["values"], chosen)
            place = dict(zip(ranking.names, ranking.scores, strict=True))
            by[label] = np.array([place[n] for n in names])
        linear = [n.startswith("SourceOnly") for n in names]
        by["source only (no choice)"] = np.where(linear, 0.0, -np.inf)
        by["a candidate at random"] = np.zeros(len(names))
        for name, values in by.items():
            if np.isnan(values).any():
                continue
            regret = float(true.max() - true[values == values.max()].mean())
            if np.isinf(values).any() or np.ptp(values) == 0 or np.ptp(true) == 0:
                rows.setdefault(name, []).append((np.nan, np.nan, regret))
                continue
            rho = float(spearmanr(values, true).statistic)
            tau = float(weightedtau(values, true).statistic)
            rows.setdefault(name, []).append((rho, tau, regret))
    out = {}
    for name, each in rows.items():
        table = np.array(each)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the mean of nothing is NaN
            rho, tau = np.nanmean(table[:, 0]), np.nanmean(table[:, 1])
        out[name] = {"spearman": float(rho), "weighted_kendall": float(tau),
                     "regret": float(100 * table[:, 2].mean()),
                     "worst": float(100 * table[:, 2].max())}  # fmt: skip
    return out


def show(title: str, found: list[dict[str, Any]], judged: dict[str, dict[str, float]]) -> None:
    count = sum(len(case["truth"]) for case in found) // max(len(found), 1)
    print(f"\n### {title} ({len(found)} cases, about {count} candidates)\n")
    print("| validator | Spearman | weighted Kendall | regret, mean | regret, worst |")
    print("|---|---|---|---|---|")
    order = sorted(judged, key=lambda n: -np.nan_to_num(judged[n]["spearman"], nan=-9))
    for name in order:
        row = judged[name]
        shown = f"**{name}**" if name == "panel" else name
        parts = [f"{row[k]:.2f}" if np.isfinite(row[k]) else "-" for k in
                 ("spearman", "weighted_kendall")]  # fmt: skip
        print(f"| {shown} | {parts[0]} | {parts[1]} | {row['regret']:.1f} | {row['worst']:.1f} |")


def show_errors(found: list[dict[str, Any]]) -> None:
    """Print by how many points estimated accuracies miss the true ones, over all candidates."""
    print("\n| estimate | mean error, points | bias, points |\n|---|---|---|")
    misses: dict[str, list[float]] = {}
    for case in found:
        for name, true in case["truth"].items():
            guesses = {**case["estimates"][name], "accuracy on the source":
                       case["values"][name]["source_score"]}  # fmt: skip
            for guess, value in guesses.items():
                misses.setdefault(guess, []).append(100 * (value - true))
    for guess, each in misses.items():
        print(f"| {guess} | {np.abs(each).mean():.1f} | {np.mean(each):+.1f} |")


def show_gains(found: list[dict[str, Any]]) -> None:
    """Print by how many points the estimated gain over the source model misses the true one."""
    errors = []
    for case in found:
        guess = {
            name: np.mean([value for value in row.values() if value is not None])
            for name, row in case["estimates"].items()
        }
        base = next(name for name in guess if name.startswith("SourceOnly"))
        for name in set(guess) - {base}:
            gain = case["truth"][name] - case["truth"][base]
            errors.append(100 * abs(guess[name] - guess[base] - gain))
    print(f"\nestimated gains over source-only miss the true ones by {np.mean(errors):.0f} points "
          f"in the mean, a half by at most {np.quantile(errors, 0.5):.0f}, 95 % by at most "
          f"{np.quantile(errors, 0.95):.0f}")  # fmt: skip


def tasks(found: Iterable[dict[str, Any]]) -> list[Any]:
    return [(case["values"], case["truth"]) for case in found]


def leave_out(found: list[dict[str, Any]], key: Callable[[dict[str, Any]], str]) -> Any:
    """Judge the panel on each group with weights fitted on the others."""
    judged = {}
    for group in sorted({key(case) for case in found}):
        inside = [case for case in found if key(case) == group]
        outside = [case for case in found if key(case) != group]
        judged[group] = judge(inside, fit_weights(tasks(outside)))
    return judged


def collect(cases: list[Case]) -> list[dict[str, Any]]:
    found = []
    for case in cases:
        start = time.perf_counter()
        found.append(examine(case))
        best = max(found[-1]["truth"], key=lambda n: found[-1]["truth"][n])
        failed = found[-1]["left_out"]
        print(
            f"{case.name}: {time.perf_counter() - start:.0f} s, best {best} "
            f"{100 * found[-1]['truth'][best]:.1f}" + (f"; left out {failed}" if failed else ""),
            flush=True,
        )
    return found


TABLES = ("values", "estimates")


def save(stored: dict[str, list[dict[str, Any]]]) -> None:
    """Write all cases, one line a candidate; names of columns are written once a case."""
    out: dict[str, list[dict[str, Any]]] = {}
    for part, cases in stored.items():
        out[part] = []
        for case in cases:
            packed = dict(case)
            for table in TABLES:
                columns = sorted({v for row in case[table].values() for v in row})
                rows = {n: [_short(row.get(v)) for v in columns] for n, row in case[table].items()}
                packed[table] = {"columns": columns, "rows": rows}
            packed["truth"] = {name: _short(value) for name, value in case["truth"].items()}
            out[part].append(packed)
    text = json.dumps(out, indent=1)
    text = re.sub(r"\[[^\[\]{}]*\]", lambda m: re.sub(r"\s+", " ", m[0]), text)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text + "\n")


def read() -> dict[str, list[dict[str, Any]]]:
    """Return what `save` wrote; nothing where there is no file."""
    stored: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for cases in stored.values():
        for case in cases:
            for table in TABLES:
                if "columns" in case[table]:
                    columns, rows = case[table]["columns"], case[table]["rows"]
                    case[table] = {
                        name: {v: x for v, x in zip(columns, row, strict=True) if x is not None}
                        for name, row in rows.items()
                    }
    return stored


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", action="store_true", help="fit the weights of the panel")
    parser.add_argument("--stored", action="store_true", help="judge the stored values anew")
    parser.add_argument("--only", default="", help="data sets whose name has this text")
    args = parser.parse_args()
    makers = (optdigits, pendigits, wine) if args.fit else (heart, digits, sentiment)
    part = "fit" if args.fit else "report"
    stored = read()
    if not args.stored:
        with threadpool_limits(1):
            for i, maker in enumerate(makers):
                if args.only in maker.__name__:
                    fresh = collect(maker(np.random.default_rng([20, i])))
                    data = {case["data"] for case in fresh}
                    kept = [case for case in stored.get(part, []) if case["data"] not in data]
                    stored[part] = kept + fresh  # other data sets stay as they were
                    save(stored)
    found = stored[part]
    for regression, stored_weights in ((False, CLASSES), (True, VALUES)):
        here = [case for case in found if case["regression"] == regression]
        if not here:
            continue
        if args.fit:
            weights = fit_weights(tasks(here))
            print(f"\nweights, {'values' if regression else 'classes'}: "
                  f"{ {k: round(v, 3) for k, v in weights.items()} }")  # fmt: skip
            key = (lambda c: c["shift"].split(",")[0].split(" ")[0]) if regression else (
                lambda c: c["data"])  # fmt: skip
            for group, judged in leave_out(here, key).items():
                show(f"{group}, weights from the others", [c for c in here if key(c) == group],
                     judged)  # fmt: skip
            if not regression:
                show_gains(here)
        else:
            for data in dict.fromkeys(case["data"] for case in here):
                cases = [case for case in here if case["data"] == data]
                show(data, cases, judge(cases, dict(stored_weights)))
                if not regression:
                    show_errors(cases)


if __name__ == "__main__":
    main()
