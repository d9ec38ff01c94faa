"""What `compare` recommends with few target labels, beside what people do by hand.

The arms by hand: the constant answer; logistic or ridge regression with a chosen penalty, histogram
boosting and extra trees, each on the source, on the target's labels, on both pooled, and on both
with a column that tells the domains apart. *By hand* is the arm that 5-fold cross-validation on the
target labels picks; *oracle* the best arm on test rows, which nobody can know. Beside them the
committee that ``compare`` recommends. Scores are of target rows
without labels: accuracy in per cent, or R2.

The tables are real ones, split into domains by a column (``tables/`` and ``table_shifts.py`` in a
folder of ``ACCLIMATE_DATA``). Of the role "develop", on which settings may be chosen, the first
shift of each table is taken; of the role "report" all.

Run:  python benchmarks/by_hand.py [--role develop] [--labels 60] [--draws 2] [--budget 30]
Rows that the result file has are not run again.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm as normal
from scipy.stats import t as student
from sklearn.base import clone
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline

from acclimate import Domain, compare, datasets
from acclimate.base.penalised import LinearClassifier, LinearRegressor
from acclimate.comparison.bases import strong_estimators, table_preprocess
from acclimate.comparison.candidates import STANDARDS, Need, choose
from acclimate.tables import TabularPreprocessor

RESULTS = Path(__file__).parent / "results" / "by_hand.json"
WHERE = "(domain)"
REFERENCES = ("SourceOnly", "TargetOnly", "Pooled")
TEST_ROWS = 1000


def _shifts() -> ModuleType:
    for folder in os.environ.get("ACCLIMATE_DATA", "").split(os.pathsep):
        path = Path(folder, "table_shifts.py")
        if path.exists():
            spec = importlib.util.spec_from_file_location("table_shifts", path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules["table_shifts"] = module
            spec.loader.exec_module(module)
            return module
    raise SystemExit("set ACCLIMATE_DATA to a folder with table_shifts.py and tables/")


def _cases(role: str, most_rows: int) -> Iterator[Any]:
    """Yield the shifts; of the development tables one each, whatever it is; and the hospitals."""
    seen = set()
    if role == "report":
        yield from _hospitals()
    for shift in _shifts().shifts(role, most_rows=most_rows):
        table = shift.name.split(",")[0]
        if role == "report" or table not in seen:
            seen.add(table)
            yield shift


def _hospitals() -> Iterator[Any]:
    heart = datasets.heart_disease()
    X, y = heart.domain_rows("cleveland")
    for hospital in ("hungary", "switzerland", "va"):
        Xt, yt = heart.domain_rows(hospital)
        yield SimpleNamespace(
            name=f"heart, cleveland to {hospital}", task="classification", y=y, yt=yt,
            X=pd.DataFrame(X).rename(columns=str), Xt=pd.DataFrame(Xt).rename(columns=str),
        )  # fmt: skip


def _codes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return categories and texts as codes, as one would for boosting by hand; gaps stay gaps."""
    out = frame.copy()
    for name in out:
        numbers = pd.to_numeric(out[name], errors="coerce")
        if numbers.notna().sum() < out[name].notna().sum():
            codes = pd.factorize(out[name])[0].astype(float)
            numbers = pd.Series(np.where(codes < 0, np.nan, codes), index=out.index)
        out[name] = numbers.astype(float)
    return out


def _models(classify: bool) -> dict[str, tuple[Any, bool]]:
    """Return the models that people try, and whether they read codes."""
    linear = LinearClassifier() if classify else LinearRegressor()
    boosting = HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor
    trees = ExtraTreesClassifier if classify else ExtraTreesRegressor
    return {
        "linear": (make_pipeline(TabularPreprocessor(), linear), False),
        "boosting": (boosting(random_state=0), True),
        "trees": (make_pipeline(TabularPreprocessor(), trees(random_state=0)), False),
    }


def _arms(
    shift: Any, known: np.ndarray[Any, Any], classify: bool
) -> dict[str, Callable[[Any, Any], Any]]:
    """Return the arms: target rows that train, and target rows that are asked, to answers."""
    both = pd.concat([shift.X, shift.Xt], ignore_index=True)
    domain = np.repeat([0.0, 1.0], [len(shift.X), len(shift.Xt)])
    y = np.concatenate([shift.y, shift.yt])
    n = len(shift.X)
    coded = _codes(both)

    def arm(model: Any, codes: bool, source: bool, target: bool, column: bool) -> Any:
        rows = coded if codes else both
        rows = rows.assign(**{WHERE: domain}) if column else rows

        def answer(train: Any, asked: Any) -> Any:
            used = np.concatenate([np.arange(n) if source else [], n + train if target else []])
            used = used.astype(int)
            fitted = clone(model).fit(rows.iloc[used].reset_index(drop=True), y[used])
            return fitted.predict(rows.iloc[n + asked].reset_index(drop=True))

        return answer

    def constant(train: Any, asked: Any) -> Any:
        values, counts = np.unique(shift.yt[train], return_counts=True)
        same = values[counts.argmax()] if classify else shift.yt[train].mean()
        return np.full(len(asked), same)

    arms: dict[str, Callable[[Any, Any], Any]] = {"constant": constant}
    for name, (model, codes) in _models(classify).items():
        for kind, (source, target, column) in {
            "source": (True, False, False), "target": (False, True, False),
            "pooled": (True, True, False), "pooled, column": (True, True, True),
        }.items():  # fmt: skip
            arms[f"{name}, {kind}"] = arm(model, codes, source, target, column)
    return arms


def _by_hand(shift: Any, known: Any, test: Any, seed: int) -> dict[str, Any]:
    """Return the score of each arm on test rows, and the one that cross-validation picks."""
    classify = shift.task == "classification"
    score = accuracy_score if classify else r2_score
    labels = shift.yt[known]
    least = np.unique(labels, return_counts=True)[1].min() if classify else len(labels)
    folds: Any = KFold(5, shuffle=True, random_state=seed)
    if least >= 2:
        folds = StratifiedKFold(5, shuffle=True, random_state=seed) if classify else folds
    parts = [(known[a], known[b]) for a, b in folds.split(known, labels)]
    scores, picked, said = {}, {}, {}
    for name, answer in _arms(shift, known, classify).items():
        try:
            held = np.concatenate([np.asarray(answer(train, out)) for train, out in parts])
            truth = np.concatenate([shift.yt[out] for _, out in parts])
            picked[name] = float(score(truth, held))
            said[name] = np.asarray(answer(known, test))
            scores[name] = float(score(shift.yt[test], said[name]))
        except ValueError:  # such as one class in a training fold
            continue
    best = max(scores, key=lambda name: picked[name])
    return {
        "arms": scores, "picked": best, "by_hand": scores[best], "oracle": max(scores.values()),
        "answers": said[best],
    }  # fmt: skip


def _gain(truth: Any, ours: Any, hand: Any, classify: bool) -> dict[str, float]:
    """Return the gain over the arm picked by hand, and its standard error over the test rows."""
    if classify:
        each = (ours == truth).astype(float) - (hand == truth)
    else:
        each = (np.square(hand - truth) - np.square(ours - truth)) / np.var(truth)
    return {"gain": float(each.mean()), "error": float(each.std(ddof=1) / np.sqrt(len(each)))}


def _ours(
    shift: Any, known: Any, test: Any, seed: int, budget: float | None, workers: int, hand: Any
) -> dict[str, Any]:
    """Return the score of what `compare` recommends, with what it said."""
    classify = shift.task == "classification"
    mask = np.zeros(len(shift.Xt), dtype=bool)
    mask[known] = True
    target = Domain(shift.Xt, shift.yt, labelled=mask)
    found = compare((shift.X, shift.y), target, budget=budget, random_state=seed, n_jobs=workers)
    score = accuracy_score if classify else r2_score
    answers = found.best_model().predict(shift.Xt.iloc[test])
    details = found.details
    best = next((v for v in details.verdicts if v.reference == "best reference"), None)
    row = {
        "ours": float(score(shift.yt[test], answers)),
        **_gain(shift.yt[test], answers, hand, classify),
        "candidate": found.recommendation.candidate, "action": found.recommendation.action,
        "word": None if best is None else best.word,
        "judged": sum(one.status == "done" for one in details.table), "within": details.within,
    }  # fmt: skip
    if row["word"] == "helps":  # is that so on held-out rows?
        name = max(
            (one for one in details.table if one.method in REFERENCES and one.score is not None),
            key=lambda one: one.score or 0.0,
        ).candidate
        used = _candidate(name, shift, classify, seed)
        used.fit(shift.X, shift.y, target=target)
        row["reference"] = float(score(shift.yt[test], used.predict(shift.Xt.iloc[test])))
    return row


def _candidate(name: str, shift: Any, classify: bool, seed: int) -> Any:
    """Return a candidate of `compare` by its name, not fitted."""
    need = Need("classification" if classify else "regression", True)
    bases = strong_estimators(need)
    steps = table_preprocess(shift.X, bases, None)
    known, _ = choose(need, bases, steps, seed, STANDARDS, variants=True, lean=True)
    return next(clone(one.model) for one in known if one.name == name)


def _drawn(shift: Any, labels: int, draw: int) -> tuple[Any, Any]:
    """Return places of the target rows whose labels train, and of those that are asked."""
    rng = np.random.default_rng([draw, labels])
    order = rng.permutation(len(shift.Xt))
    return np.sort(order[:labels]), np.sort(order[labels : labels + TEST_ROWS])


def export(shift: Any, labels: int, draw: int, folder: Path) -> None:
    """Write the rows of a case and draw for `by_hand_autogluon.py`."""
    known, test = _drawn(shift, labels, draw)
    there = [shift.Xt.iloc[known], shift.Xt.iloc[test]]
    table = pd.concat([shift.X, *there], ignore_index=True)
    table["(y)"] = np.concatenate([shift.y, shift.yt[known], shift.yt[test]])
    sizes = [len(shift.X), len(known), len(test)]
    table["(part)"] = np.repeat(["source", "known", "test"], sizes)
    table.attrs = {"case": shift.name, "task": shift.task, "labels": labels, "draw": draw}
    folder.mkdir(parents=True, exist_ok=True)
    name = "".join(one if one.isalnum() else "-" for one in shift.name)
    table.to_parquet(folder / f"{name}-{labels}-{draw}.parquet")


def _row(shift: Any, labels: int, draw: int, budget: float | None, workers: int) -> dict[str, Any]:
    known, test = _drawn(shift, labels, draw)
    row: dict[str, Any] = {"case": shift.name, "task": shift.task, "labels": labels, "draw": draw}
    started = time.perf_counter()
    row |= _by_hand(shift, known, test, draw)
    between = time.perf_counter()
    row |= _ours(shift, known, test, draw, budget, workers, row.pop("answers"))
    return row | {"seconds": [between - started, time.perf_counter() - between]}


def _interval(values: list[float]) -> str:
    x = np.asarray(values)
    if len(x) < 2:
        return f"{x.mean():+.2f}"
    half = student.ppf(0.975, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x))
    return f"{x.mean():+.2f} ({x.mean() - half:+.2f} to {x.mean() + half:+.2f})"


def clearly_below(rows: list[dict[str, Any]]) -> list[str]:
    """Return the cases whose gain, mean over draws, is shown to lie below what is borne.

    One-sided tests at 2.5 %, corrected by Holm over the cases. The draws of a case share rows, so
    that its error is the mean of theirs.
    """
    cases: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in rows:
        cases.setdefault((row["case"], row["labels"]), []).append(row)
    found = []
    for (case, labels), mine in cases.items():
        borne = -0.02 if mine[0]["task"] == "classification" else -0.05
        gain, error = (float(np.mean([row[key] for row in mine])) for key in ("gain", "error"))
        p = float(normal.cdf((gain - borne) / max(error, 1e-12)))
        found.append((p, f"{case}, {labels} labels: {gain:+.3f}"))
    below = []
    for place, (p, name) in enumerate(sorted(found)):
        if p > 0.025 / (len(found) - place):
            break
        below.append(name)
    return below


def report(rows: list[dict[str, Any]], role: str) -> None:
    """Print means over tables of the gain over the arm picked by hand."""
    for task, unit in (("classification", 100.0), ("regression", 1.0)):
        for labels in sorted({row["labels"] for row in rows}):
            mine = [r for r in rows if r["task"] == task and r["labels"] == labels]
            gains: dict[str, list[float]] = {}
            for row in mine:
                gain = unit * (row["ours"] - row["by_hand"])
                gains.setdefault(row["case"].split(",")[0], []).append(gain)
            if gains:
                means = [float(np.mean(values)) for values in gains.values()]
                oracle = np.mean([unit * (r["oracle"] - r["by_hand"]) for r in mine])
                helps = [r for r in mine if r["word"] == "helps"]
                wrong = sum(r["ours"] <= r["reference"] for r in helps)
                print(
                    f"{role} {task}, {labels} labels, {len(gains)} tables, {len(mine)} rows: gain "
                    f"{_interval(means)}, oracle arm {oracle:+.2f}; "
                    f"'helps' {len(helps)} times, "
                    f"{wrong} of them wrong"
                )
    below = clearly_below([row for row in rows if "error" in row])
    print(f"shown to be below what is borne (Holm over the cases): {below or 'none'}")
    _table(rows)
    _beside_autogluon(rows)


def _table(rows: list[dict[str, Any]]) -> None:
    """Print each case in Markdown: a cell a number of labels, in the mean over the draws."""
    sizes = sorted({row["labels"] for row in rows})
    print("| case | " + " | ".join(f"{size} labels" for size in sizes) + " |")
    print("|---" * (len(sizes) + 1) + "|")
    arms = [f"boosting, {kind}" for kind in ("pooled", "pooled, column")]
    for case in sorted({row["case"] for row in rows}):
        cells = []
        for size in sizes:
            mine = [row for row in rows if (row["case"], row["labels"]) == (case, size)]
            if not mine:
                cells.append("")
                continue
            unit, form = (100, ".1f") if mine[0]["task"] == "classification" else (1, ".3f")
            hand, ours, oracle = (
                float(np.mean([unit * row[key] for row in mine]))
                for key in ("by_hand", "ours", "oracle")
            )
            pooled = max(np.mean([unit * row["arms"].get(arm, 0) for row in mine]) for arm in arms)
            cells.append(f"{hand:{form}} / {ours:{form}} / {pooled:{form}} / {oracle:{form}}")
        print(f"| {case} | " + " | ".join(cells) + " |")


def _beside_autogluon(rows: list[dict[str, Any]]) -> None:
    """Print the mean gain over each arm of AutoGluon, and over the better one of a case."""
    path = RESULTS.with_name("by_hand_autogluon.json")
    if not path.exists():
        return
    theirs: dict[Any, dict[str, float]] = {}
    for one in json.loads(path.read_text()):
        if one["score"] is not None:
            key = one["case"], one["labels"], one["draw"]
            theirs.setdefault(key, {})[one["arm"]] = one["score"]
    for task, unit in (("classification", 100.0), ("regression", 1.0)):
        found = [
            (row["ours"], theirs[key]) for row in rows
            if row["task"] == task and (key := (row["case"], row["labels"], row["draw"])) in theirs
        ]  # fmt: skip
        if found:
            alone, pooled, better = (
                unit * float(np.mean([ours - of(arms) for ours, arms in found]))
                for of in (lambda a: a["target"], lambda a: a["pooled, column"],
                           lambda a: max(a.values()))
            )  # fmt: skip
            print(
                f"{task}, {len(found)} cases: above AutoGluon on the target alone by {alone:+.3g}, "
                f"on all rows with a column by {pooled:+.3g}, above the better of the two in each "
                f"case, known afterwards, by {better:+.3g}"
            )


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", choices=["develop", "report"], default="develop")
    parser.add_argument("--labels", type=int, nargs="+", default=[60])
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--budget", type=float, default=None)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--export", type=Path, default=None, help="write the rows, run nothing")
    parser.add_argument("--most-rows", type=int, default=2000, help="of each domain")
    parser.add_argument("--tables", nargs="*", default=None, help="only these tables")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    done = {(r["role"], r["case"], r["labels"], r["draw"], r["most_rows"]) for r in rows}
    cases = [
        shift for shift in _cases(args.role, args.most_rows)
        if not args.tables or shift.name.split(",")[0] in args.tables
    ]  # fmt: skip
    for draw, shift, labels in product(range(args.draws), cases, args.labels):
        key = (args.role, shift.name, labels, draw, args.most_rows)
        if len(shift.Xt) < 2 * labels:
            continue
        if args.export is not None:
            export(shift, labels, draw, args.export)
        if args.export is not None or key in done:
            continue
        row = {"role": args.role, "budget": args.budget, "workers": args.workers}
        row |= {"most_rows": args.most_rows}
        rows.append(row | _row(shift, labels, draw, args.budget, args.workers))
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
        last = rows[-1]
        print(
            f"{shift.name}, {labels} labels, draw {draw}: by hand {last['by_hand']:.3f} "
            f"({last['picked']}), ours {last['ours']:.3f} ({last['candidate']}), "
            f"{last['seconds'][1]:.0f} s",
            flush=True,
        )
    wanted = args.role, args.most_rows
    report([row for row in rows if (row["role"], row["most_rows"]) == wanted], args.role)


if __name__ == "__main__":
    main()
