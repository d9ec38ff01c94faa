"""What choosing is worth: `compare` and `rank` on real shifts, held against the truth afterwards.

a. MNIST to Fashion-MNIST with 500 labels. `compare` must say that the textbook's recipe hurts and
   that MNIST's body is no better than a random one, and pick the best there is. The labels are
   drawn from the 60000 training images; every candidate is then judged on the 10000 test images.
b. MNIST to USPS without labels: shallow and deep candidates in one comparison. Goal: the candidate
   that ranks first is within 1.5 points of the best.
c. Heart disease between hospitals, and sentiment between domains, without labels. Goal: the
   candidate that ranks first loses at most 2 points on the best, on average, and less than each
   validator alone and than CORAL always.
d. The stored tables of `choose_calibration.py` and `logme.py`.

Nothing was tuned on these data: weights, defaults and known errors of estimates come from simulated
shifts of optdigits and pendigits, and from wine.

Run:  python benchmarks/choose_compared.py [--only a,b,c,d] [--draws 3] [--stored]

Each draw and each pair is a piece that is stored as it ends; a run that was cut off goes on, and
`--again` runs pieces anew. USPS in its usual split needs ``usps.h5`` in a folder of
``ACCLIMATE_DATA``.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits
from validator_cases import digits, heart, sentiment

from acclimate import (
    Domain,
    FineTune,
    NeuralClassifier,
    SourceOnly,
    TargetOnly,
    compare,
    datasets,
    rank,
)
from acclimate.cli.demo import TUNED, fair, textbook
from acclimate.comparison.trials.store import Store
from acclimate.exceptions import AcclimateWarning
from acclimate.report.html import write_text_atomic

HERE = Path(__file__).parent / "results"
RESULTS = HERE / "choose_compared.json"
LABELS, DRAWS = 500, 3
HOSPITALS = tuple(permutations(("cleveland", "hungary", "switzerland", "va"), 2))
USPS_ROWS = 1000  # of each domain
SHALLOW = ("CORAL", "SubspaceAlignment", "TCA", "JDA", "OTMapping", "NearestNeighborWeights")
DEEP = ("DANN", "CDAN", "DeepCORAL", "DAN", "MCC", "BNM", "SHOT", "AdaBN")
GOAL_USPS, GOAL_PAIRS = 1.5, 2.0
Piece = dict[str, Any]


# --- a: few labels, classes of its own ----------------------------------------------------------


def fashion(draw: int) -> Piece:
    """Compare on one draw of labels, then fit every candidate and judge it on the test images."""
    mnist, target = datasets.mnist(), datasets.fashion_mnist()
    rows = np.random.default_rng(draw).permutation(len(target.y_train))[:LABELS]
    source = Domain(mnist.X_train, mnist.y_train, class_names=mnist.class_names, name="MNIST")
    known = Domain(target.X_train[rows], target.y_train[rows], class_names=target.class_names,
                   name="Fashion-MNIST")  # fmt: skip
    recipes = {
        "textbook (copy weights and head)": FineTune(textbook(draw), **TUNED["copy"]),
        "probe, then all weights": FineTune(fair(draw), **TUNED["lp-ft"]),
        "linear probe on the body": FineTune(fair(draw), **TUNED["head"]),
    }
    found = compare(
        source, known, estimator=fair(draw), candidates=recipes, networks=True, repeats=1,
        n_jobs=1, random_state=draw,
    )  # fmt: skip
    details = found.to_dict()
    models = {cls.__name__: cls(fair(draw)) for cls in (SourceOnly, TargetOnly, FineTune)} | recipes
    true, body = {}, None
    for row in details["table"]:
        model = models[row["candidate"]].set_params(random_state=draw)
        model.fit(source.X, source.y, target=known, class_names=source.class_names)
        true[row["candidate"]] = float(model.score(target.X_test, target.y_test))
        if row["candidate"] == "SourceOnly":
            body = model
    ranking = rank({"MNIST body": body}, known, random_state=draw)
    columns = ("candidate", "score", "score_low", "score_high", "against_target_only")
    return {
        "recommended": found.recommendation.candidate, "sentence": found.sentence(),
        "table": [{key: row[key] for key in columns} for row in details["table"]], "true": true,
        "bodies": details["bodies"], "rank": ranking.sentence(),
        "rank_useless": ranking.best.useless,
    }  # fmt: skip


# --- b and c: no labels -------------------------------------------------------------------------


def small_network(row_shape: tuple[int, ...], outputs: int) -> Any:
    """Return a small convolutional network with batch norm for flat rows of 16 x 16 pixels."""
    from torch import nn

    return nn.Sequential(
        nn.Unflatten(1, (1, 16, 16)),
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, outputs),
    )  # fmt: skip


def usps() -> Piece:
    if "usual" not in datasets.usps().split:
        raise SystemExit("these figures need usps.h5, the usual split of USPS")
    case = digits(np.random.default_rng(20), USPS_ROWS)[0]
    network = NeuralClassifier(
        small_network, min_steps=400, epochs=1, batch_size=64, random_state=0, verbose=False
    )
    bases = {"linear": LogisticRegression(max_iter=300), "network": network}
    return unlabelled(case, bases, methods=[*SHALLOW, *DEEP], networks=True)


def pair(case: Any) -> Piece:
    forest = RandomForestClassifier(20, max_depth=8, random_state=0)
    return unlabelled(case, {"linear": LogisticRegression(max_iter=1000), "forest": forest})


def unlabelled(case: Any, bases: dict[str, Any], **more: Any) -> Piece:
    """Compare without labels; the labels then tell how right each candidate's answers were.

    The answers are those that the validators saw, of models fitted on four fifths of the source.
    """
    Xt, truth = case.target
    with tempfile.TemporaryDirectory(prefix="acclimate-") as folder:
        path = Path(folder, "run.sqlite")
        found = compare(
            case.source, Domain(Xt), estimator=bases, preprocess=case.preprocess, store=path,
            n_jobs=1, **more,
        ).to_dict()  # fmt: skip
        with Store(path, read_only=True) as store:
            true = {
                row["candidate"]: float((store.arrays(row["key"])["answers"] == truth).mean())
                for row in store.table()
                if row["status"] == "done" and row["config"]["held"] is not None
            }
    return packed(found, true)


def packed(found: dict[str, Any], true: dict[str, float]) -> Piece:
    """Return what is kept of a comparison without labels: one short row a candidate."""
    values, guesses = found["estimated"]["validators"], found["estimated"]["accuracy"]
    names = sorted({name for known in values.values() for name in known})
    rows = {row["candidate"]: row for row in found["table"]}
    return {
        "recommended": found["recommendation"]["candidate"], "sentence": found["sentence"],
        "first": max(rows, key=lambda name: rows[name]["chosen_share"]),
        "left_out": {name: row["reason"] for name, row in rows.items() if name not in true},
        "columns": ["true", "rank_score", "estimated", *names],
        "rows": {
            name: [
                None if value is None else float(f"{value:.9g}")
                for value in (true[name], rows[name]["rank_score"], guesses[name],
                              *(values[name].get(one) for one in names))
            ]
            for name in true
        },
    }  # fmt: skip


# --- what is run --------------------------------------------------------------------------------


def pieces(only: set[str], draws: int) -> Iterator[tuple[str, str, Callable[[], Piece]]]:
    """Yield the part, the name and the work of each piece."""
    if "a" in only:
        for draw in range(draws):
            yield "a", str(draw), lambda draw=draw: fashion(draw)
    if "b" in only:
        yield "b", "MNIST to USPS", usps
    if "c" in only:
        rng = np.random.default_rng([20, 0])
        cases = heart(rng, pairs=HOSPITALS)
        cases += sentiment(np.random.default_rng([20, 2]), every_pair=True)
        for case in cases:
            yield "c", case.name, lambda case=case: pair(case)


def read() -> dict[str, dict[str, Piece]]:
    stored: dict[str, dict[str, Piece]] = (
        json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    )
    return {part: stored.get(part, {}) for part in "abc"}


def write(stored: dict[str, dict[str, Piece]]) -> None:
    text = re.sub(
        r"\[[^\[\]{}]*\]", lambda m: re.sub(r"\s+", " ", m[0]), json.dumps(stored, indent=1)
    )
    write_text_atomic(RESULTS, text + "\n")


def run(only: set[str], draws: int, again: bool) -> None:
    warnings.simplefilter("ignore", AcclimateWarning)
    with threadpool_limits(1):
        for part, name, work in pieces(only, draws):
            if name in read()[part] and not again:
                continue
            if sys.stderr.isatty():
                print(f"{part} {name}", file=sys.stderr)
            began = time.process_time()
            piece = work()
            stored = read()  # again: another process may have run other parts
            stored[part][name] = piece | {"cpu_seconds": round(time.process_time() - began, 1)}
            write(stored)


# --- what is printed ----------------------------------------------------------------------------


def show_fashion(draws: dict[str, Piece]) -> None:
    print(f"## a. MNIST to Fashion-MNIST, {LABELS} labels: {len(draws)} draws\n")
    if not draws:
        return
    names = list(dict.fromkeys(row["candidate"] for p in draws.values() for row in p["table"]))
    print("Accuracy in %: compare's own estimate by cross-fitting / on the 10000 test images; the "
          "word is that of the candidate alone against target-only.\n")  # fmt: skip
    print("| candidate | " + " | ".join(f"draw {d}" for d in draws) + " |")
    print("|---" * (1 + len(draws)) + "|")
    for name in names:
        cells = []
        for piece in draws.values():
            row = next(row for row in piece["table"] if row["candidate"] == name)
            said = row["against_target_only"]
            word = "" if said is None or name == "TargetOnly" else f", {said['word']}"
            mine = "not finished" if row["score"] is None else f"{100 * row['score']:.1f}"
            cells.append(f"{mine} / {100 * piece['true'][name]:.1f}{word}")
        print(f"| {name} | " + " | ".join(cells) + " |")
    print()
    lost = []
    for draw, piece in draws.items():
        true, rows = piece["true"], {row["candidate"]: row for row in piece["table"]}
        chosen = piece["recommended"]
        recipe = next(n for n in rows if n.startswith("textbook"))
        words = rows[recipe]["against_target_only"]["word"]
        useless = [body["useless"] for body in piece["bodies"]] + [piece["rank_useless"]]
        best = max(true, key=lambda n: true[n])
        print(f"- Draw {draw}: {piece['sentence']}")
        print(f"  The textbook's recipe: {words} ({met(words == 'hurts')}). MNIST's body no better "
              f"than a random one, by compare and by rank: {met(all(useless))}. Recommended "
              f"{chosen}, {100 * true[chosen]:.1f} on the test images; best {best}, "
              f"{100 * true[best]:.1f}.")  # fmt: skip
        lost.append(100 * (true[best] - true[chosen]))
    shown = ", ".join(f"{one:.1f}" for one in lost)
    print(f"- Points that the recommended one is below the best on the test images: {shown}.")
    print(f"- rank, draw {next(iter(draws))}: {next(iter(draws.values()))['rank']}\n")


def met(good: bool) -> str:
    return "met" if good else "MISSED"


def picks(piece: Piece) -> dict[str, list[str]]:
    """Return what each rule picks; several names are level."""
    found = {
        "**compare, ranked first**": [piece["first"]],
        "compare, recommended": [piece["recommended"]],
    }
    for one in piece["columns"][3:]:
        level = {name: value for name, value in column(piece, one).items() if value is not None}
        top = max(level.values())
        found[one] = [name for name, value in level.items() if value == top]
    for method in ("CORAL", "SourceOnly"):
        found[f"always {method}, linear"] = [f"{method}/linear"]
    return found | {"a candidate at random": list(piece["rows"])}


def column(piece: Piece, name: str) -> dict[str, Any]:
    return {one: row[piece["columns"].index(name)] for one, row in piece["rows"].items()}


def regrets(piece: Piece) -> dict[str, float]:
    """Return how many points each rule loses on the best candidate; level picks count evenly."""
    true = column(piece, "true")
    best = max(true.values())
    return {
        rule: 100 * (best - float(np.mean([true[n] for n in names if n in true])))
        for rule, names in picks(piece).items()
        if any(n in true for n in names)
    }


def show_usps(found: dict[str, Piece]) -> None:
    print(f"## b. MNIST to USPS without labels, {USPS_ROWS} rows of each\n")
    for piece in found.values():
        lost = regrets(piece)
        print("| candidate | rank score | estimated | true |\n|---|---|---|---|")
        for name, (true, score, guess, *_) in sorted(piece["rows"].items(), key=lambda r: -r[1][0]):
            print(f"| {name} | {score:+.3f} | {100 * guess:.1f} | {100 * true:.1f} |")
        print(f"\n{piece['sentence']}\n")
        first = lost["**compare, ranked first**"]
        print(f"Ranked first: {piece['first']}, {first:.1f} points "
              f"below the best; goal {GOAL_USPS}: {met(first <= GOAL_USPS)}. The recommended one "
              f"({piece['recommended']}) is {lost['compare, recommended']:.1f} "
              f"below.\n")  # fmt: skip


def show_pairs(found: dict[str, Piece]) -> None:
    by_set: dict[str, list[dict[str, float]]] = {}
    for name, piece in found.items():
        by_set.setdefault(name.split(",")[0], []).append(regrets(piece))
    counts = ", ".join(f"{data} {len(each)} pairs" for data, each in by_set.items())
    print(f"## c. Without labels: {counts}\n\nPoints below the best candidate, mean (worst):\n")
    if not by_set:
        return
    print("| rule | " + " | ".join(by_set) + " |\n|---" + "|---" * len(by_set) + "|")
    rules = list(dict.fromkeys(rule for each in by_set.values() for one in each for rule in one))
    means: dict[str, dict[str, float]] = {}
    for rule in rules:
        cells = []
        for data, each in by_set.items():
            mine = [one[rule] for one in each if rule in one]
            means.setdefault(data, {})[rule] = float(np.mean(mine)) if mine else np.nan
            cells.append(f"{np.mean(mine):.1f} ({max(mine):.1f})" if mine else "-")
        print(f"| {rule} | " + " | ".join(cells) + " |")
    print()
    for data, mean in means.items():
        first = mean["**compare, ranked first**"]
        others = {r: v for r, v in mean.items() if "compare" not in r and "random" not in r}
        better = sorted((r for r in others if others[r] <= first), key=lambda r: others[r])
        print(f"- {data}: {first:.1f} points; goal {GOAL_PAIRS:.0f}: {met(first <= GOAL_PAIRS)}. "
              f"Below each single rule: {met(not better)}"
              + (f"; no worse are {', '.join(better)}." if better else "."))  # fmt: skip
    print()


def show_stored() -> None:
    found = json.loads((HERE / "choose_calibration.json").read_text())
    kinds = list(dict.fromkeys(row["pair"] for row in found["simulated"]))
    print(f"## d. What the words of compare are worth: {found['pairs']} simulated pairs a cell\n")
    print('Shares of "helps" / "hurts" in %:\n')
    print("| true gain, points | labels | " + " | ".join(kinds) + " |")
    print("|---|---" + "|---" * len(kinds) + "|")
    rows = [row for row in found["simulated"] if row["repeats"] == found["repeats"]]
    for gain, labels in sorted({(row["gain"], row["labels"]) for row in rows}):
        cells = {
            row["pair"]: f"{100 * row['helps']:.1f} / {100 * row['hurts']:.1f}"
            for row in rows if (row["gain"], row["labels"]) == (gain, labels)
        }  # fmt: skip
        mine = " | ".join(cells.get(kind, "-") for kind in kinds)
        print(f"| {100 * gain:+.0f} | {labels} | {mine} |")
    worst = found["worst_wrong_helps"]
    print(f'\nA wrong "helps" is said in at most {100 * worst["helps"]:.1f} % '
          f'({worst["pair"]}, {worst["labels"]} labels). Goal 5 %.\n')  # fmt: skip
    scores = json.loads((HERE / "logme.json").read_text())
    print(f"## d. LogME of {scores['rows']} x {scores['features']} features\n")
    print("| | score | seconds | CPU seconds |\n|---|---|---|---|")
    for side, row in scores["median"].items():
        print(f"| {side} | {row['score']:.6f} | {row['seconds']:.1f} | {row['cpu']:.1f} |")
    print("\n| case | exact | acclimate | tllib |\n|---|---|---|---|")
    for row in scores["small"]:
        print(f"| {row['case']} | {row['exact']:.6f} | {row['acclimate']:.6f} | "
              f"{row['tllib']:.6f} |")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="a,b,c,d", help="parts to run and print")
    parser.add_argument("--draws", type=int, default=DRAWS, help="label draws of part a")
    parser.add_argument("--again", action="store_true", help="run stored pieces anew")
    parser.add_argument("--stored", action="store_true", help="print what is stored")
    options = parser.parse_args()
    only = set(options.only.split(","))
    if not only <= set("abcd"):
        parser.error(f"--only takes parts of a,b,c,d, got {options.only!r}")
    if not options.stored:
        run(only, options.draws, options.again)
    stored = read()
    print("Tuned on: simulated shifts of optdigits and pendigits; wine.\nReported here: MNIST, "
          "Fashion-MNIST, USPS, heart disease, sentiment.\n")  # fmt: skip
    for part, show in (("a", show_fashion), ("b", show_usps), ("c", show_pairs)):
        if part in only:
            show(stored[part])
    if "d" in only:
        show_stored()


if __name__ == "__main__":
    main()
