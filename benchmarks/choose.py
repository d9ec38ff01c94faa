"""Choosing without target labels, and with 20: what is recommended, held against 42 candidates.

Sets: the hospitals of heart disease (12 pairs), the development shifts of real tables (96 of
classes, and 16 of values; means are over tables), simulated shifts of optdigits and pendigits (10),
and sentiment (12 pairs: 100 factors of the TF-IDF of up to 4000 rows of both domains). At most 1000
rows of a domain, one draw. The reporting shifts of the tables are the set "report".

Columns: nothing known; class shares known to ten points (the true ones, the share of one class
moved by ten points, sign by seed, the others scaled); 20 rows drawn at random with labels. Each is
held against standardised logistic regression on the source, C = 1 (for values ridge regression),
and against the best of 42 candidates, which nobody can know: every method of `METHODS` on logistic
regression and on a forest. The best of 42 on so few rows is partly luck. So each is also held
against the candidate that half of the target's labels would choose, on the other half, and the
other way round. A case counts as below source-only where it is so by more than a point and by the
exact test of McNemar at 5 %. What learns from 20 labels is judged on the other rows.

The candidates are those of one version for good, so that better methods do not look like a worse
choice: `--step candidates` ran with the package as of commit 359fbca (`--before`) and with these
scripts. `--step rules` fits what is chosen without labels, and weighs it by 20 labels;
`--step compare` asks `compare` with these labels, which takes longest; `--step two` fits logistic
regression and boosting on the source, one of which 60 labels choose; `--step adapted`, of four
classes or more, halves the committee with the ten adapted candidates that the panel ranks first.

Run:  python benchmarks/choose.py --step rules --sets heart tables [--each 9] [--seconds 800]
      python benchmarks/choose.py            (prints what is stored)

Each case is stored as it ends, and those that are stored are not run again. The tables need
``tables/`` and ``table_shifts.py`` in a folder of ``ACCLIMATE_DATA``.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import tempfile
import time
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from by_hand import _shifts
from scipy.stats import binomtest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score
from threadpoolctl import threadpool_limits
from trees import run_with, source
from validator_cases import Case, heart, optdigits, pendigits, texts

import acclimate
from acclimate import Domain, SourceOnly
from acclimate.base.words import estimator
from acclimate.tables import default_preprocess

RESULTS = Path(__file__).parent / "results" / "choose.json"
ROWS, LABELS, TEXTS = 1000, 20, 2000
HOSPITALS = tuple(permutations(("cleveland", "hungary", "switzerland", "va"), 2))
METHODS = (
    "SourceOnly", "DomainDiscriminator", "KMM", "ULSIF", "RULSIF", "KLIEP", "LabelShift",
    "NearestNeighborWeights", "CORAL", "SubspaceAlignment", "LinearMonge", "OTMapping", "JDOT",
    "JCPOT", "TCA", "JDA", "BDA", "TJM", "MEDA", "GFK", "DASVM",
)  # fmt: skip
QUICK = tuple(n for n in METHODS[1:] if n not in ("JDOT", "JDA", "BDA", "TJM", "MEDA", "DASVM"))
SECONDS = 20  # of processor time a candidate may take
SETS = ("heart", "tables", "digits", "sentiment", "values")
GOALS = {  # of mean regret: nothing known, shares to ten points, 20 labels
    "heart": (6.0, 2.5, 0.0), "tables": (5.0, 2.5, 1.0), "digits": (3.0, None, None),
}  # fmt: skip
BY_TABLE = ("tables", "values", "report", "report values")  # whose means are over tables
POINT = 0.01
MANY = 4  # classes from which what is aligned might take part
CHOOSING, DRAWS = 60, 100  # labels that choose one of two models, and how often they are drawn
MASSES: dict[str, tuple[float, float, float] | None] = {  # source models, moved, trained by labels
    "": (0.125, 0.125, 0.75), ", trained 0.5": (0.25, 0.25, 0.5),
    ", trained 0.25": (0.375, 0.375, 0.25), ", nothing joins": None,
}  # fmt: skip
Floats = np.ndarray[Any, Any]
Found = dict[str, Any]


# --- cases --------------------------------------------------------------------------------------


def cases(name: str, each: int) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield name and maker of each case of a set; of a table at most ``each`` shifts."""
    if name == "heart":
        made = heart(np.random.default_rng([20, 0]), ROWS, HOSPITALS)
    elif name == "digits":
        made = [
            case
            for i, maker in enumerate((optdigits, pendigits))
            for case in maker(np.random.default_rng([20, i]), ROWS)
        ]
    elif name == "sentiment":
        places = ("amazon", "films", "nyt", "tweets")
        for i, (here, there) in enumerate(permutations(places, 2)):
            rng = np.random.default_rng([20, 2, i])
            yield (
                f"sentiment, {here} to {there}",
                lambda a=here, b=there, rng=rng: cut(texts(a, b, rng, TEXTS)),
            )
        return
    else:
        yield from tables(name, each)
        return
    for case in made:
        yield case.name, lambda case=case: case


def cut(case: Case) -> Case:
    """Return a case with at most `ROWS` rows of each domain; they are in random order."""
    sides = ((X[:ROWS], y[:ROWS]) for X, y in (case.source, case.target))
    return Case(case.data, case.shift, *sides, case.preprocess)


def tables(name: str, each: int) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield the first shift of each table, then the second of each, and so on."""
    task = "regression" if name == "values" else "classification"
    by_table: dict[str, list[Any]] = {}
    role = "report" if name.startswith("report") else "develop"
    for shift in _shifts().shifts(role, most_rows=ROWS):
        if shift.task == ("regression" if name == "report values" else task):
            by_table.setdefault(shift.name.split(",")[0], []).append(shift)
    for turn in range(each):
        for mine in by_table.values():
            if turn < len(mine):
                yield mine[turn].name, lambda shift=mine[turn]: of_table(shift)


def of_table(shift: Any) -> Case:
    values = shift.task == "regression"
    y, yt = (shift.y, shift.yt) if values else (shift.y.astype(str), shift.yt.astype(str))
    table, _, how = shift.name.partition(", ")
    return Case(table, how, (shift.X, y), (shift.Xt, yt), None, values)


def parts(name: str, rows: int) -> tuple[Floats, Floats, Floats]:
    """Return the rows that get labels, and two halves of the others."""
    order = np.random.default_rng([20, zlib.crc32(name.encode())]).permutation(rows)
    half = LABELS + (rows - LABELS) // 2
    return order[:LABELS], order[LABELS:half], order[half:]


def numbers(case: Case) -> tuple[Floats, Floats]:
    """Return the rows of both domains as numbers; what makes them is fitted on the source."""
    X, Xt = case.source[0], case.target[0]
    step = default_preprocess(X) if case.preprocess is None else clone(case.preprocess)
    step.fit(X)
    return np.asarray(step.transform(X)), np.asarray(step.transform(Xt))


# --- what is run --------------------------------------------------------------------------------


def candidates(methods: tuple[str, ...] = METHODS) -> Iterator[tuple[str, Any]]:
    """Yield name and model of each candidate, for rows that are numbers already."""
    for word, base in (
        ("logistic", LogisticRegression(max_iter=1000)),
        ("forest", RandomForestClassifier(20, max_depth=8, random_state=0)),
    ):
        for name in methods:
            yield f"{name} {word}", getattr(acclimate, name)(base, random_state=0)


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise in what takes more processor time."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"more than {seconds} s")

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def fitted(case: Case, methods: tuple[str, ...] = METHODS) -> Iterator[tuple[str, Any]]:
    """Yield each candidate that could be fitted, with the target's rows as it reads them."""
    X, Xt = numbers(case)
    for name, model in candidates(methods):
        try:
            with limited(SECONDS):
                yield name, (model.fit(X, case.source[1], target=Domain(Xt)), Xt)
        except Exception as error:  # one that fails is named
            yield name, f"{type(error).__name__}: {str(error)[:80]}"


def step_candidates(case: Case, name: str) -> Found:
    """Return how many rows of each part each candidate gets right."""
    if case.regression:
        return {}
    truth = case.target[1]
    where = parts(name, len(truth))
    found: Found = {"rows": [len(one) for one in where], "candidates": {}, "failed": {}}
    for label, made in fitted(case):
        if isinstance(made, str):
            found["failed"][label] = made
            continue
        right = made[0].predict(made[1]) == truth
        found["candidates"][label] = counts(right, where)
    return found


def counts(right: Floats, where: tuple[Floats, ...]) -> list[int]:
    return [int(right[rows].sum()) for rows in where]


def step_rules(case: Case, name: str) -> Found:
    """Return what each rule without labels gets right, and what 20 labels make of them."""
    from acclimate.comparison.bases import source_committee

    (X, y), (Xt, truth) = case.source, case.target
    task = "regression" if case.regression else "classification"
    both = source_committee(task, X, case.preprocess).set_params(random_state=0).fit(X, y)
    step = default_preprocess(X) if case.preprocess is None else case.preprocess
    plain = Ridge() if case.regression else LogisticRegression(max_iter=1000)
    before = SourceOnly(plain, preprocess=step).fit(X, y).predict(Xt)
    if case.regression:
        after = both.adapt(Domain(Xt)).predict(Xt)
        return {"values": [float(r2_score(truth, one)) for one in (before, after)]}
    where = parts(name, len(truth))
    source = before == truth
    rules: dict[str, Floats] = {"nothing known": both.adapt(Domain(Xt)).predict(Xt)}
    shares = moved_shares(truth, both.classes_, name)
    rules["shares to 10 points"] = both.adapt(Domain(Xt, class_shares=shares)).predict(Xt)
    found: Found = {"rows": [len(one) for one in where], "source": counts(source, where)}
    found |= {"classes": len(both.classes_), "rules": {}}
    for rule, answers in rules.items():
        found["rules"][rule] = against(answers == truth, source, where, np.concatenate(where))
    for rule, answers in weighed(case, both, where[0], name).items():
        asked = np.concatenate(where[1:])
        found["rules"][rule] = against(answers == truth, source, where, asked)
    return found


def against(right: Floats, source: Floats, where: tuple[Floats, ...], asked: Floats) -> Found:
    """Return the rows that are right by part, and those won and lost against source-only."""
    won = int((right & ~source)[asked].sum())
    return {"right": counts(right, where), "won": won, "lost": int((source & ~right)[asked].sum())}


def moved_shares(truth: Floats, classes: Floats, name: str) -> dict[Any, float]:
    """Return the target's class shares, one of them wrong by ten points, the others scaled."""
    n = np.array([(truth == label).sum() for label in classes], dtype=float)  # of those known here
    shares = n / n.sum()
    rng = np.random.default_rng([21, zlib.crc32(name.encode())])
    place, sign = rng.integers(len(classes)), rng.choice([-0.1, 0.1])
    one = float(np.clip(shares[place] + sign, 0.01, 0.99))
    rest = 1 - shares[place]
    others = shares * (1 - one) / rest if rest > 0 else np.full(len(n), (1 - one) / (len(n) - 1))
    others[place] = one
    return dict(zip(classes.tolist(), (others / others.sum()).tolist(), strict=True))


# --- 20 labels: members of three families, weighed by likelihood, none fitted again ---------------


def weighed(case: Case, both: Any, labelled: Floats, name: str) -> dict[str, Floats]:
    """Return the answers of several ways to weigh what no label trained."""
    from acclimate.maths.class_shares import shares_of

    classes, (Xt, truth) = both.classes_, case.target
    families = {"members": [aligned(one, Xt, classes) for _, one in both.source_model_.members]}
    mean = np.mean(families["members"], axis=0)
    known = shares_of(case.source[1])
    families["moved"] = [moved_to(mean, known, q) for q in others(known)]
    families["adapted"] = [
        aligned(made[0], made[1], classes, "target")
        for _, made in fitted(case, QUICK)
        if not isinstance(made, str) and hasattr(made[0], "predict_proba")
    ]
    kept = [row for row in labelled if truth[row] in classes]
    codes = np.searchsorted(classes, truth[kept])
    found = {}
    for eta in (0.3, 1.0):
        for mass in ((1, 0, 0), (1, 1, 0), (1, 1, 2)):
            proba = blended(list(families.values()), mass, kept, codes, eta)
            words = " + ".join(n for n, m in zip(families, mass, strict=True) if m)
            found[f"20 labels, {words}, eta {eta:g}"] = classes[proba.argmax(axis=1)]
    return found


def aligned(model: Any, X: Any, classes: Floats, domain: str = "source") -> Floats:
    """Return probabilities in the columns of ``classes``, shape (m, k)."""
    proba = np.zeros((len(X), len(classes)))
    proba[:, np.searchsorted(classes, model.classes_)] = model.predict_proba(X, domain=domain)
    return proba


def others(known: Floats) -> Iterator[Floats]:
    """Yield the shares that the mean moves to."""
    if len(known) == 2:
        for share in (0.1, 0.3, 0.5, 0.7, 0.9):
            yield np.array([share, 1 - share])
        return
    for place in range(len(known)):
        for factor in (1 / 3, 3.0):
            shares = known.copy()
            shares[place] *= factor
            yield shares / shares.sum()


def moved_to(proba: Floats, known: Floats, shares: Floats) -> Floats:
    from acclimate.maths.class_shares import SOFT, moved, towards_even

    return moved(proba, towards_even(shares, SOFT) / known)


def blended(
    families: list[list[Floats]], mass: tuple[int, ...], rows: list[int], codes: Floats, eta: float
) -> Floats:
    """Return the mean with weights of prior mass times likelihood to the power eta."""
    from acclimate.judging.weighing import class_losses

    tables, logs = [], []
    for family, share in zip(families, mass, strict=True):
        for proba in family if share else []:
            tables.append(proba)
            loss = class_losses(proba[rows], codes).sum()
            logs.append(np.log(share / len(family)) - eta * loss)
    weights = np.exp(np.array(logs) - max(logs))
    mean: Floats = np.tensordot(weights / weights.sum(), np.array(tables), axes=1)
    return mean


def step_compare(case: Case, name: str) -> Found:
    """Return what `compare` with 20 labels recommends gets right, and how long it took."""
    if case.regression:
        return {}
    (X, y), (Xt, truth) = case.source, case.target
    where = parts(name, len(truth))
    step = default_preprocess(X) if case.preprocess is None else case.preprocess
    model = SourceOnly(LogisticRegression(max_iter=1000), preprocess=step).fit(X, y)
    source = model.predict(Xt) == truth
    mask = np.zeros(len(truth), dtype=bool)
    mask[where[0]] = True
    began = time.process_time()
    more = {} if case.preprocess is None else {"preprocess": case.preprocess}
    asked, rules = np.concatenate(where[1:]), {}
    with tempfile.TemporaryDirectory(prefix="acclimate-") as folder:
        for rule, masses in MASSES.items():  # the first runs the trials, the others weigh anew
            with prior(masses):
                found = acclimate.compare(
                    (X, y), Domain(Xt, truth, labelled=mask), n_jobs=1,
                    store=Path(folder, "run.sqlite"), **more,
                )  # fmt: skip
            right = found.best_model().predict(Xt) == truth
            rules[f"20 labels, compare{rule}"] = against(right, source, where, asked)
    return {"compared": rules, "seconds": round(time.process_time() - began, 1)}


def step_two(case: Case, name: str) -> Found:
    """Return the accuracy of two models of the source, and of the one that 60 labels would choose.

    That is a mean over draws of the labels; each is scored on the other rows.
    """
    if case.regression:
        return {}
    (X, y), (Xt, truth) = case.source, case.target
    right = {}
    for word in ("logistic", "boosting"):
        base = estimator(word, "classification")
        step = default_preprocess(X, base) if case.preprocess is None else case.preprocess
        model = SourceOnly(base, preprocess=step, random_state=0).fit(X, y)
        right[word] = np.asarray(model.predict(Xt) == truth, dtype=float)
    both = np.array(list(right.values()))
    rng = np.random.default_rng([22, zlib.crc32(name.encode())])
    scores = []
    for _ in range(DRAWS):
        order = rng.permutation(len(truth))
        asked, rest = order[:CHOOSING], order[CHOOSING:]
        scores.append(both[both[:, asked].sum(axis=1).argmax(), rest].mean())
    return {"two": {w: float(r.mean()) for w, r in right.items()} | {
        "chosen by 60 labels": float(np.mean(scores))
    }}  # fmt: skip


def step_adapted(case: Case, name: str) -> Found:
    """Return what the committee gets right alone, and with what the panel ranks first.

    Each is a mean of probabilities of models that a fifth of the source was held out from, as
    `compare` has them without target labels.
    """
    (X, y), (Xt, truth) = case.source, case.target
    if case.regression or len(np.unique(y)) < MANY:
        return {}
    from acclimate.comparison.bases import SOURCE_COMMITTEE
    from acclimate.comparison.unlabelled import WithoutLabels

    seen: Found = {}

    def judge(self: Any) -> Any:
        known = self._evidence(self._jobs)
        seen.update(
            proba={name: np.asarray(one.target_proba) for name, one in known.items()},
            plain=[c.name for c in self.candidates if c.baseline], classes=self.problem.classes,
        )  # fmt: skip
        made = judged_before(self)
        seen["order"] = made.ranking.names
        return made

    judged_before = WithoutLabels.judge
    more = {} if case.preprocess is None else {"preprocess": case.preprocess}
    with patch.object(WithoutLabels, "judge", judge):
        acclimate.compare((X, y), Domain(Xt), n_jobs=1, **more)
    proba, where = seen["proba"], parts(name, len(truth))
    ranked = [n for n in seen["order"] if n not in (SOURCE_COMMITTEE, *seen["plain"])]
    first = np.mean([proba[n] for n in ranked[:10]], axis=0)
    both = proba[SOURCE_COMMITTEE]
    ways = {"committee": both, "half of each": (both + first) / 2, "the ten ranked first": first}
    codes = {way: one.argmax(axis=1) for way, one in ways.items()}
    return {"adapted": {
        way: counts(seen["classes"][found] == truth, where) for way, found in codes.items()
    }}  # fmt: skip


@contextmanager
def prior(masses: tuple[float, float, float] | None) -> Iterator[None]:
    """Set what source models, moved ones and trained ones weigh before labels; None: no join."""
    from acclimate.comparison import joined

    if masses is None:
        with patch.object(sys.modules["acclimate.comparison.compare"], "joining", lambda *_: {}):
            yield
        return
    with patch.dict(joined.MASSES, zip(joined.MASSES, masses, strict=True)):
        yield


STEPS: Mapping[str, tuple[str, Callable[[Case, str], Found]]] = {
    "candidates": ("candidates", step_candidates), "rules": ("rules", step_rules),
    "compare": ("compared", step_compare), "two": ("two", step_two),
    "adapted": ("adapted", step_adapted),
}  # fmt: skip


def read() -> dict[str, dict[str, Found]]:
    stored: dict[str, dict[str, Found]] = (
        json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    )
    return stored


def write(stored: dict[str, dict[str, Found]]) -> None:
    text = re.sub(
        r"\[[^\[\]{}]*\]", lambda m: re.sub(r"\s+", " ", m[0]), json.dumps(stored, indent=1)
    )
    RESULTS.write_text(text + "\n")


def run(step: str, sets: list[str], each: int, seconds: float, again: bool) -> None:
    key, work = STEPS[step]
    began = time.perf_counter()
    for data in sets:
        for name, make in cases(data, each):
            mine = read().get(data, {}).get(name, {})
            done = key in mine or (key == "rules" and "values" in mine)
            if (done and not again) or time.perf_counter() - began > seconds:
                continue
            with warnings.catch_warnings(), threadpool_limits(1):
                warnings.simplefilter("ignore")
                found = work(make(), name)
            stored = read()  # again: another process may have run other cases
            stored.setdefault(data, {}).setdefault(name, {}).update(found)
            write(stored)


# --- what is printed ----------------------------------------------------------------------------


def judged(case: Found, rule: Found, labelled: bool) -> Found:
    """Return gain, harm and both regrets of a rule on a case, in points."""
    rows, right = np.array(case["rows"]), np.array(rule["right"])
    used = np.array([0, 1, 1]) if labelled else np.array([1, 1, 1])
    n = int((rows * used).sum())
    gain = (rule["won"] - rule["lost"]) / n
    clear = rule["won"] + rule["lost"] > 0 and (
        binomtest(rule["lost"], rule["won"] + rule["lost"]).pvalue < 0.05
    )
    found = {"gain": 100 * gain, "below": gain < -POINT, "harm": gain < -POINT and clear}
    known = np.array(list(case.get("candidates", {}).values()))
    if len(known):
        best = (known @ used).max() / n
        found["regret"] = 100 * (best - (right * used).sum() / n)
        halves = [
            known[known[:, a].argmax(), b] / rows[b] - right[b] / rows[b]
            for a, b in ((1, 2), (2, 1))
        ]
        found["against half"] = 100 * float(np.mean(halves))
    return found


def over(data: str, values: Mapping[str, float]) -> float:
    """Return the mean over cases, for tables over the means of each table."""
    groups: dict[str, list[float]] = {}
    for name, value in values.items():
        groups.setdefault(name.split(",")[0] if data in BY_TABLE else name, []).append(value)
    return float(np.mean([np.mean(one) for one in groups.values()])) if groups else np.nan


def show(data: str, found: dict[str, Found]) -> None:
    rules = dict.fromkeys(
        rule for case in found.values() for part in ("rules", "compared")
        for rule in case.get(part, {})
    )  # fmt: skip
    if not rules:
        return
    print(f"\n### {data}\n")
    print("| rule | cases | gain over source-only | more than a point below | and by McNemar "
          "| regret, best of 42 | regret, chosen on half of the labels |")  # fmt: skip
    print("|---" * 7 + "|")
    for rule in ["source-only", *rules]:
        each: dict[str, Found] = {}
        for name, case in found.items():
            if rule == "source-only" and "source" in case:
                each[name] = judged(case, {"right": case["source"], "won": 0, "lost": 0}, False)
            for part in ("rules", "compared"):
                if rule in case.get(part, {}) and "rows" in case:
                    each[name] = judged(case, case[part][rule], rule.startswith("20"))
        if not each:
            continue
        gain = over(data, {name: one["gain"] for name, one in each.items()})
        cells = [rule, str(len(each)), f"{gain:+.1f}"]
        for kind in ("below", "harm"):
            cells.append(f"{100 * np.mean([v[kind] for v in each.values()]):.0f} %")
        for kind in ("regret", "against half"):
            mine = {k: v[kind] for k, v in each.items() if kind in v}
            cells.append(f"{over(data, mine):.1f}" if mine else "-")
        print("| " + " | ".join(cells) + " |")
    joined = {name: case for name, case in found.items() if "adapted" in case}
    for way in next(iter(joined.values()))["adapted"] if joined else ():
        scores = {n: 100 * sum(c["adapted"][way]) / sum(c["rows"]) for n, c in joined.items()}
        print(f"\n{way}: {over(data, scores):.1f} % right in {len(joined)} cases.")
    two = {name: case for name, case in found.items() if "two" in case and "rules" in case}
    if two:
        behind = {
            name: 100 * (case["two"]["chosen by 60 labels"]
            - sum(case["rules"]["nothing known"]["right"]) / sum(case["rows"]))
            for name, case in two.items()
        }  # fmt: skip
        print(
            f"\nThe better of logistic regression and boosting on the source, as {CHOOSING} labels "
            f"choose it, is {over(data, behind):+.1f} points ahead of what is taken where nothing "
            f"is known ({len(two)} cases; worst {max(behind.values()):+.1f})."
        )
    goals = GOALS.get(data)
    if goals:
        words = ("nothing known", "shares to 10 points", "20 labels")
        told = ", ".join(f"{w} {g:g}" for w, g in zip(words, goals, strict=True) if g is not None)
        print(f"\nGoals of regret against the best of 42: {told}.")
    failed = {f"{c}: {e}" for case in found.values() for c, e in case.get("failed", {}).items()}
    for line in sorted(failed):
        print(f"- Not fitted somewhere: {line}")


def show_values(data: str, found: dict[str, Found]) -> None:
    known = {name: case["values"] for name, case in found.items() if "values" in case}
    if not known:
        return
    gains = {name: float(np.clip(b - a, -0.5, 0.5)) for name, (a, b) in known.items()}
    by_table = over("tables", gains)
    mean, below = np.mean(list(gains.values())), sum(gain < 0 for gain in gains.values())
    print(
        f"\n### {data}\n\n{len(known)} shifts: R2 of the committee over ridge regression on the "
        f"source, each gain clipped at 0.5: {mean:+.3f} in the mean, {by_table:+.3f} over tables; "
        f"below in {below}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--step", choices=list(STEPS))
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--each", type=int, default=1, help="shifts of a table, at most")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="no case starts later")
    parser.add_argument("--before", type=source, help="a commit, or the src of another checkout")
    parser.add_argument("--again", action="store_true", help="run stored cases anew")
    options = parser.parse_args()
    if options.before is not None:
        run_with(options.before, "--before")
        return
    if options.step:
        run(options.step, options.sets, options.each, options.seconds, options.again)
    for data, found in read().items():
        show_values(data, found)
        show(data, found)


if __name__ == "__main__":
    main()
