"""The deep methods on rows of a table and on texts: heart disease by hospital, sentiment by domain.

Cleveland to each of the other hospitals, and texts as 100 directions of TF-IDF. Each method starts
from one source network a case and seed. No target label is seen by anything but the test accuracy.
Settings are the defaults; nothing was chosen on these data.

Run:  python benchmarks/deep_rows.py [--seeds 3]
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from digits import BASELINES, deep_methods, interval
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import acclimate
from acclimate import Domain, NeuralClassifier, datasets
from acclimate.exceptions import AcclimateWarning

RESULTS = Path(__file__).parent / "results" / "deep_rows.json"
Rows = tuple[np.ndarray, np.ndarray]
PAIRS = (("amazon", "films"), ("tweets", "nyt"))
NETWORKS, NEED_NORM = ("mlp", "mlp-norm"), ("AdaBN", "TENT")
TEXTS = 3000  # of each domain


def cases() -> Iterator[tuple[str, Rows, Rows, Rows]]:
    """Yield name, source, target and target test rows; the halves are the same in every run."""
    heart = datasets.heart_disease()
    clean = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    X, y = heart.domain_rows("cleveland")
    X = clean.fit_transform(X)
    for hospital in ("hungary", "switzerland", "va"):
        Xt, yt = heart.domain_rows(hospital)
        yield (f"heart, {hospital}", (X, y), *halves(clean.transform(Xt), yt))
    texts = datasets.sentiment()
    for here, there in PAIRS:
        words = make_pipeline(
            TfidfVectorizer(min_df=2, sublinear_tf=True), TruncatedSVD(100, random_state=0),
            StandardScaler(),
        )  # fmt: skip
        (Xs, ys), (Xt, yt) = (some(*texts.domain_rows(name)) for name in (here, there))
        Xs = words.fit_transform(Xs)
        yield (f"sentiment, {here} to {there}", (Xs, ys), *halves(words.transform(Xt), yt))


def some(X: np.ndarray, y: np.ndarray) -> Rows:
    rows = np.random.default_rng(0).permutation(len(y))[:TEXTS]
    return X[rows], y[rows]


def halves(X: np.ndarray, y: np.ndarray) -> tuple[Rows, Rows]:
    order = np.random.default_rng(20).permutation(len(y))
    cut = len(y) // 2
    return (X[order[:cut]], y[order[:cut]]), (X[order[cut:]], y[order[cut:]])


def measure(network: str, source: Rows, target: Rows, test: Rows, seed: int) -> dict[str, float]:
    """Return the test accuracy of every method that can use the network."""
    base = NeuralClassifier(network, hidden=(64,), min_steps=300, batch_size=64, verbose=False)
    found = {
        name: base.set_params(random_state=seed).fit(*rows).score(*test)
        for name, rows in zip(BASELINES, (source, target), strict=True)
    }
    base.set_params(random_state=None)
    first = acclimate.DeepCORAL(base, random_state=seed).fit(*source)
    own = first.get_params(deep=False)
    state = {key: value for key, value in vars(first).items() if key not in own}
    for name in deep_methods():
        if network == "mlp" and name in NEED_NORM:
            continue
        model = getattr(acclimate, name)(base, random_state=seed)
        vars(model).update(state)
        found[name] = model.adapt(Domain(target[0])).score(*test)
    return {name: float(value) for name, value in found.items()}


def report(rows: list[dict[str, Any]]) -> None:
    """Print accuracy in points, mean over seeds with its interval."""
    columns = list(dict.fromkeys(row["case"] for row in rows))
    for network in NETWORKS:
        mine = [row for row in rows if row["network"] == network]
        print(f"\n**{network}**\n\n| method | " + " | ".join(columns) + " |")
        print("|" + "---|" * (len(columns) + 1))
        for name in mine[0]["accuracy"] if mine else ():
            cells = []
            for case in columns:
                mean, half = interval([r["accuracy"][name] for r in mine if r["case"] == case])
                cells.append(f"{mean:.1f} ± {half:.1f}")
            print(f"| {name} | " + " | ".join(cells) + " |")


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--stored", action="store_true", help="print the table of the last run")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", AcclimateWarning)
    rows = json.loads(RESULTS.read_text())["rows"] if RESULTS.is_file() else []
    there = {(row["case"], row["network"], row["seed"]) for row in rows}
    for name, *parts in () if args.stored else cases():
        for network in NETWORKS:
            for seed in range(args.seeds):
                if (name, network, seed) in there:
                    continue
                rows.append({
                    "case": name, "network": network, "seed": seed,
                    "accuracy": measure(network, *parts, seed),
                })  # fmt: skip
                RESULTS.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
                print(f"{name} {network} {seed}: done", flush=True)
    report(rows)


if __name__ == "__main__":
    main()
