"""What a pretrained encoder of texts is worth between domains, and what adaptation adds to it.

Sentiment of short texts in four domains (`datasets.load("sentiment")`), up to 4000 of each, twelve
pairs of a source and a target. All models are a linear one whose penalty is chosen inside on its
training rows; nothing is chosen on labels of a target.

--part encoders: a model of all source texts answers all target texts, and beside it a model of the
target's own texts and labels, cross-fitted in 5 folds. Accuracy, AUC, and the accuracy where as
many texts are called positive as are (which takes the target's class shares as known).
--part others: a model of the texts of all three other domains.
--part unlabelled: 1000 source and 1000 target texts, of the target without labels; methods on
features of MiniLM, each beside the source model of the same texts, with verdicts on the other texts
of the target. Each verdict is of one draw and covers test rows alone.
--part labelled: as before with 100 labels of the target, in 3 draws.

Run:  python benchmarks/text.py [--part encoders others unlabelled labelled]
What the result file has is not run again; features are kept in the cache folder.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from acclimate import (
    CORAL,
    JDA,
    MEDA,
    Domain,
    EachDomain,
    FineTune,
    LabelShift,
    LinearMonge,
    OneScale,
    Pooled,
    SourceOnly,
    SourcePrediction,
    TargetOnly,
    TextEncoder,
    datasets,
    verdict,
)
from acclimate.base.penalised import LinearClassifier
from acclimate.comparison.bases import source_committee

RESULTS = Path(__file__).parent / "results" / "text.json"
MOST, ROWS, LABELS, DRAWS = 4000, 1000, 100, 3
NAMES = {0: "negative", 1: "positive"}  # what is said to be the same on both sides
WIDTH = 128  # principal components where domains are aligned
ENCODERS = ("tf-idf", "minilm", "wordllama", "minilm, random weights")


def base() -> Any:
    return LinearClassifier(random_state=0)


def domains() -> dict[str, tuple[Any, Any]]:
    """Return texts and labels of each domain, a sample where there are more than 4000."""
    data, found = datasets.load("sentiment"), {}
    for name in data.domain_names():
        X, y = data.domain_rows(name)
        rows = np.sort(np.random.default_rng(0).permutation(len(X))[:MOST])
        found[name] = (X[rows], y[rows])
    return found


def encoded(word: str, texts: Any) -> Any:
    """Return features of texts by a pretrained model, or by the same with random weights."""
    step = TextEncoder(word.partition(",")[0]).fit(texts)
    return (step.random_twin(0) if "random" in word else step).transform(texts)


def model(word: str) -> Any:
    """Return a linear model of texts as words, or of features."""
    if word == "tf-idf":
        words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
        penalties = {"C": [0.1, 0.3, 1.0, 3.0, 10.0, 30.0]}
        linear = LogisticRegression(max_iter=1000)
        return make_pipeline(words, GridSearchCV(linear, penalties, scoring="neg_log_loss"))
    return make_pipeline(OneScale(), base())


def encoders(data: dict[str, tuple[Any, Any]], rows: list[dict[str, Any]]) -> None:
    for word in ENCODERS:
        open_ = [(s, t) for s in data for t in data
                 if not any((r["part"], r["kind"], r["source"], r["target"]) ==
                            ("encoders", word, s, t) for r in rows)]  # fmt: skip
        if not open_:
            continue
        start = time.process_time()
        inputs = {n: X if word == "tf-idf" else encoded(word, X) for n, (X, _) in data.items()}
        seconds = time.process_time() - start
        for source in data:
            fitted = model(word).fit(inputs[source], data[source][1])
            for target, (_, y) in data.items():
                if source == target:
                    folds = StratifiedKFold(5, shuffle=True, random_state=0)
                    p = cross_val_predict(model(word), inputs[target], y, cv=folds,
                                          method="predict_proba")[:, 1]  # fmt: skip
                else:
                    p = fitted.predict_proba(inputs[target])[:, 1]
                told = p > np.quantile(p, 1 - y.mean())
                keep(rows, part="encoders", kind=word, source=source, target=target,
                     accuracy=float(((p > 0.5) == y).mean()), auc=float(roc_auc_score(y, p)),
                     shares_known=float((told == y).mean()), encoding_seconds=seconds)  # fmt: skip


def others(data: dict[str, tuple[Any, Any]], rows: list[dict[str, Any]]) -> None:
    done = {(r["kind"], r["target"]) for r in rows if r["part"] == "others"}
    for word in ENCODERS[:3]:
        if all((word, target) in done for target in data):
            continue
        inputs = {n: X if word == "tf-idf" else encoded(word, X) for n, (X, _) in data.items()}
        for target, (_, y) in data.items():
            three = [name for name in data if name != target]
            X = np.concatenate([inputs[name] for name in three])
            fitted = model(word).fit(X, np.concatenate([data[name][1] for name in three]))
            p = fitted.predict_proba(inputs[target])[:, 1]
            keep(rows, part="others", kind=word, source="the three others", target=target,
                 accuracy=float(((p > 0.5) == y).mean()),
                 auc=float(roc_auc_score(y, p)))  # fmt: skip


def without_labels() -> dict[str, Callable[[Any], Any]]:
    """Return methods by name, each made with the preprocessing of the shared kind."""

    def narrow(step: Any) -> Any:
        return make_pipeline(step, PCA(WIDTH, random_state=0))

    each = EachDomain(OneScale())
    return {
        "each domain scaled by itself": lambda _: SourceOnly(base(), preprocess=each),
        "CORAL": lambda one: CORAL(base(), preprocess=one),
        "LinearMonge": lambda one: LinearMonge(base(), preprocess=narrow(one)),
        "JDA": lambda one: JDA(base(), preprocess=narrow(one)),
        "MEDA": lambda one: MEDA(base(), preprocess=narrow(one)),
        "LabelShift": lambda one: LabelShift(base(), preprocess=one),
        "committee of source models": lambda one: source_committee("classification", None, one),
    }


def with_labels() -> dict[str, Callable[[Any], Any]]:
    """Return methods by name."""
    return {
        "FineTune": lambda one: FineTune(base(), preprocess=one),
        "Pooled": lambda one: Pooled(base(), preprocess=one),
        "SourcePrediction": lambda one: SourcePrediction(base(), preprocess=one),
        "TargetOnly": lambda one: TargetOnly(base(), preprocess=one),
    }


def adapted(data: dict[str, tuple[Any, Any]], rows: list[dict[str, Any]], part: str) -> None:
    draws = DRAWS if part == "labelled" else 1
    kinds = with_labels() if part == "labelled" else without_labels()
    done = {(r["part"], r["kind"], r["source"], r["target"]) for r in rows}
    features: dict[str, Any] = {}
    for source, target in permutations(data, 2):
        open_ = [kind for kind in kinds if (part, kind, source, target) not in done]
        if not open_:
            continue
        features = features or {n: encoded("minilm", X) for n, (X, _) in data.items()}
        (S, ys), (T, yt) = ((features[n], data[n][1]) for n in (source, target))
        order = np.random.default_rng(1).permutation(len(T))
        pool, test = order[:ROWS], order[ROWS:]
        mine = np.random.default_rng(2).permutation(len(S))[:ROWS]
        X, y = S[mine], ys[mine]
        reference = SourceOnly(base(), preprocess=OneScale()).fit(X, y).predict(T[test])
        for kind in open_:
            start, answers = time.process_time(), []
            for draw in range(draws):
                goal = Domain(T[pool])
                if part == "labelled":
                    known = np.zeros(ROWS, dtype=bool)
                    known[np.random.default_rng(draw).permutation(ROWS)[:LABELS]] = True
                    goal = Domain(T[pool], np.where(known, yt[pool], 0), labelled=known,
                                  class_names=NAMES)  # fmt: skip
                one = kinds[kind](OneScale()).set_params(random_state=draw)
                answers.append(one.fit(X, y, target=goal, class_names=NAMES).predict(T[test]))
            found = verdict(yt[test], answers, reference)
            keep(rows, part=part, kind=kind, source=source, target=target, word=found.word,
                 reference=float((reference == yt[test]).mean()), gain=found.gain, low=found.low,
                 high=found.high, seconds=time.process_time() - start)  # fmt: skip


def keep(rows: list[dict[str, Any]], **row: Any) -> None:
    key = ("part", "kind", "source", "target")
    if not any(all(r[k] == row[k] for k in key) for r in rows):
        rows.append(row)
        RESULTS.write_text(json.dumps(rows, indent=0) + "\n")


def show(rows: list[dict[str, Any]], texts: int) -> None:
    """Print a table a part, in points: means over the pairs, the worst pair, words."""
    of = [r for r in rows if r["part"] == "encoders"]
    names = ["AUC", "class shares known"]
    head = ["encoder", "across: accuracy", "worst pair", *names, "within: accuracy", *names]
    print("\n| " + " | ".join(head) + " |\n|---|" + "---|" * (len(head) - 1))
    for word in dict.fromkeys(r["kind"] for r in of):
        cells = []
        for across in (True, False):
            mine = [r for r in of if r["kind"] == word and (r["source"] != r["target"]) == across]
            accuracy = [100 * r["accuracy"] for r in mine]
            cells.append(f"{np.mean(accuracy):.1f}")
            cells += [f"{min(accuracy):.1f}"] * across
            cells += [f"{100 * np.mean([r[name] for r in mine]):.1f}"
                      for name in ("auc", "shares_known")]  # fmt: skip
        print(f"| {word} | " + " | ".join(cells) + " |")
    spent = {r["kind"]: 1000 * r["encoding_seconds"] / texts for r in of if r["kind"] != "tf-idf"}
    told = ", ".join(f"{word} {each:.2g}" for word, each in spent.items())
    print(f"\nEncoding, processor milliseconds a text: {told}")
    targets = list(dict.fromkeys(r["target"] for r in of))
    print("\n| accuracy by target | " + " | ".join(targets) + " |\n|---|" + "---|" * len(targets))
    for word in dict.fromkeys(r["kind"] for r in of):
        for across in (True, False):
            cells = [np.mean([100 * r["accuracy"] for r in of if r["kind"] == word and
                              r["target"] == t and (r["source"] != t) == across])
                     for t in targets]  # fmt: skip
            name = f"{word}, {'from the others' if across else 'its own labels'}"
            print(f"| {name} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |")
    for word in ENCODERS[:3]:
        cells = [100 * r["accuracy"] for t in targets for r in rows
                 if (r["part"], r["kind"], r["target"]) == ("others", word, t)]  # fmt: skip
        print(f"| {word}, the three others together | "
              + " | ".join(f"{cell:.1f}" for cell in cells) + " |")  # fmt: skip
    words = ("helps", "makes no difference", "not settled", "hurts")
    for part in ("unlabelled", "labelled"):
        of = [r for r in rows if r["part"] == part]
        if not of:
            continue
        source = np.mean([100 * r["reference"] for r in of])
        print(f"\n| {part}; source model {source:.1f} | gain, mean | worst | best | "
              + " | ".join(words) + " |\n|---|---|---|---|---|---|---|---|")  # fmt: skip
        for kind in dict.fromkeys(r["kind"] for r in of):
            mine = [r for r in of if r["kind"] == kind]
            gain = [100 * r["gain"] for r in mine]
            count = [sum(r["word"] == word for r in mine) for word in words]
            print(f"| {kind} | {np.mean(gain):+.1f} | {min(gain):+.1f} | {max(gain):+.1f} | "
                  + " | ".join(map(str, count)) + " |")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ["encoders", "others", "unlabelled", "labelled"]
    parser.add_argument("--part", nargs="+", choices=parts, default=parts)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    data = domains()
    if "encoders" in arguments.part:
        encoders(data, rows)
    if "others" in arguments.part:
        others(data, rows)
    for part in ("unlabelled", "labelled"):
        if part in arguments.part:
            adapted(data, rows, part)
    show(rows, sum(len(X) for X, _ in data.values()))


if __name__ == "__main__":
    main()
