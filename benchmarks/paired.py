"""Pictures and their captions: what is found of captions that no pair showed, and what is named.

Tux Paint's stamps, 785 pictures with 674 captions, behind `FrozenBody` and `TextEncoder`.

Retrieval: five folds, each caption in one of them, so that no caption of the gallery was in a pair.
The gallery is the captions of the fold, or its pictures. Beside the three methods: ridge regression
from pictures to captions alone (scikit-learn's `RidgeCV`, cosines), and `PairedRidge` on pairs
whose captions were shuffled, which must be at chance. A query counts as found where its own
caption, or a picture with it, is among the first k. The interval is over captions, two standard
errors.

Zero-shot: folders of ten pictures or so are classes, called by a word for them. They are dealt to
five parts; the pictures of a part are left out of the pairs and are told apart by the words alone.
Balanced accuracy, beside 1 over the number of classes.

Run:  python benchmarks/paired.py [--quick]
What was run is kept in benchmarks/results/paired.json, and only the rest is run again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold, KFold

from acclimate import (
    ContrastiveAlignment,
    FrozenBody,
    PairedCCA,
    PairedRidge,
    TextEncoder,
    datasets,
)

RESULTS = Path(__file__).parent / "results" / "paired.json"
KS = (1, 10)
CLASSES = {
    "animals/birds": "a bird", "animals/fish": "a fish", "animals/insects": "an insect",
    "animals/mammals": "a mammal", "clothes": "clothes", "food/fruit": "a fruit",
    "food/vegetables": "a vegetable", "hobbies/music": "a musical instrument",
    "household/dishes": "dishes", "household/tools": "a tool", "plants/flowers": "a flower",
    "seasonal/christmas": "Christmas", "seasonal/easter": "Easter",
    "seasonal/halloween": "Halloween", "space/planets": "a planet",
    "symbols/alphabets": "a letter of the alphabet", "symbols/chess": "a chess piece",
    "symbols/math": "a mathematical symbol", "symbols/money": "money",
    "symbols/music": "a musical note", "town/houses": "a house", "town/monuments": "a monument",
    "town/roadsigns": "a road sign",
}  # fmt: skip


class OneWay:
    """Ridge regression from pictures to captions, and cosines: what is done by hand."""

    def fit(self, A: Any, B: Any) -> OneWay:
        """Fit on pairs."""
        self.mean, self.scale = A.mean(0), A.std(0) + 1e-9
        self.centre = B.mean(0)
        self.model = RidgeCV(np.logspace(0, 6, 13)).fit(self._scaled(A), B - self.centre)
        return self

    def retrieve(self, X: Any, gallery: Any, k: int, *, given: str = "A") -> Any:
        """Return the first k items."""
        pictures, captions = (X, gallery) if given == "A" else (gallery, X)
        P = self.model.predict(self._scaled(pictures))
        Q = captions - self.centre
        S = (P / np.linalg.norm(P, axis=1)[:, None]) @ (Q / np.linalg.norm(Q, axis=1)[:, None]).T
        return np.argsort(-(S if given == "A" else S.T), axis=1, kind="stable")[:, :k]

    def _scaled(self, A: Any) -> Any:
        return (A - self.mean) / self.scale


class Shuffled(PairedRidge):
    """`PairedRidge` on pairs that are none."""

    def fit(self, A: Any, B: Any) -> Any:
        """Fit on shuffled pairs."""
        return super().fit(A, B[np.random.default_rng(0).permutation(len(B))])


METHODS: dict[str, Callable[[], Any]] = {
    "PairedRidge": PairedRidge,
    "PairedCCA": PairedCCA,
    "ContrastiveAlignment": lambda: ContrastiveAlignment(random_state=0, device="cpu"),
    "ridge, one way": OneWay,
    "shuffled pairs": Shuffled,
}


def retrieved(make: Callable[[], Any], A: Any, B: Any, captions: Any, folds: int) -> dict[str, Any]:
    """Return recall in both directions, with intervals, chance and seconds of a fit."""
    hits: dict[str, list[Any]] = {"to captions": [], "to pictures": []}
    chance: dict[str, list[Any]] = {"to captions": [], "to pictures": []}
    seconds, sizes = [], []
    splits = GroupKFold(5, shuffle=True, random_state=0).split(A, groups=captions)
    for train, test in list(splits)[:folds]:
        names, first, own = np.unique(captions[test], return_index=True, return_inverse=True)
        gallery = B[test][first]
        start = time.perf_counter()
        model = make().fit(A[train], B[train])
        seconds.append(time.perf_counter() - start)
        found = model.retrieve(A[test], gallery, k=max(KS))
        back = model.retrieve(gallery, A[test], k=max(KS), given="B")
        n, m = len(test), len(names)
        sizes.append([m, n])
        for i in range(n):
            place = np.flatnonzero(found[i] == own[i])
            hits["to captions"].append([captions[test][i], *(bool((place < k).any()) for k in KS)])
            chance["to captions"].append([k / m for k in KS])
        for j in range(m):
            place = np.flatnonzero(own[back[j]] == j)
            mine = int((own == j).sum())
            hits["to pictures"].append([names[j], *(bool((place < k).any()) for k in KS)])
            chance["to pictures"].append([drawn(k, mine, n) for k in KS])
    record: dict[str, Any] = {"seconds": float(np.mean(seconds)), "sizes": sizes}
    for way, rows in hits.items():
        values = np.array([row[1:] for row in rows], dtype=float)
        _, group = np.unique([row[0] for row in rows], return_inverse=True)
        record[way] = {
            "recall": values.mean(0).tolist(),
            "error": [two_errors(column, group) for column in values.T],
            "chance": np.mean(chance[way], axis=0).tolist(),
        }
    return record


def drawn(k: int, mine: int, n: int) -> float:
    """Return how probable one of ``mine`` is among k of n."""
    left = 1.0
    for i in range(k):
        left *= max(n - mine - i, 0) / (n - i)
    return 1.0 - left


def two_errors(hit: Any, group: Any) -> float:
    """Return two standard errors of a mean whose groups are drawn whole."""
    sums = np.bincount(group, weights=hit - hit.mean())
    return float(2.0 * np.sqrt(np.square(sums).sum()) / len(hit))


def zero_shot(make: Callable[[], Any], A: Any, B: Any, names: Any, text: Any) -> dict[str, Any]:
    """Return balanced accuracy on classes that were left out of the pairs, and chance, by part."""
    folders = np.array([next((f for f in CLASSES if n.startswith(f"{f}/")), "") for n in names])
    parts = []
    each = np.array(list(CLASSES))
    for _, held in KFold(5, shuffle=True, random_state=0).split(each):
        mine = each[held]
        out = np.isin(folders, mine)
        model = make().fit(A[~out], B[~out])
        words = {folder: text.transform([CLASSES[folder]]) for folder in mine}
        said = model.predict(A[out], words)
        parts.append({
            "classes": mine.tolist(), "pictures": int(out.sum()), "chance": 1 / len(mine),
            "accuracy": float(balanced_accuracy_score(folders[out], said)),
        })  # fmt: skip
    return {"parts": parts}


def show(record: dict[str, Any]) -> None:
    """Print the tables."""
    for way in ("to captions", "to pictures"):
        print(f"\n{way}\n\n| method | recall at 1 | recall at 10 | fit, s |\n|---|---|---|---|")
        for name, one in record["retrieval"].items():
            r, e = one[way]["recall"], one[way]["error"]
            cells = " | ".join(f"{a:.3f} ± {b:.3f}" for a, b in zip(r, e, strict=True))
            print(f"| {name} | {cells} | {one['seconds']:.1f} |")
        c = one[way]["chance"]
        print(f"| chance | {c[0]:.3f} | {c[1]:.3f} | |")
    print("\n| zero-shot | balanced accuracy | of each part | chance |\n|---|---|---|---|")
    for name, one in record["zero-shot"].items():
        parts = [part["accuracy"] for part in one["parts"]]
        chance = np.mean([part["chance"] for part in one["parts"]])
        listed = ", ".join(f"{part:.2f}" for part in parts)
        print(f"| {name} | {np.mean(parts):.3f} | {listed} | {chance:.3f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one fold, two methods, no file")
    arguments = parser.parse_args()
    record: dict[str, Any] = {"retrieval": {}, "zero-shot": {}}
    if RESULTS.exists() and not arguments.quick:
        record = json.loads(RESULTS.read_text(encoding="utf-8"))
    data = datasets.tuxpaint()
    captions = data.captions().astype(str)
    text = TextEncoder(device="cpu").fit(list(captions[:1]))
    A = FrozenBody(device="cpu").fit_transform(data.pictures(128)).astype(float)
    B = text.transform(list(captions)).astype(float)
    names = list(METHODS)[:2] if arguments.quick else list(METHODS)
    for name in names:
        make = METHODS[name]
        if name not in record["retrieval"]:
            folds = 1 if arguments.quick else 5
            record["retrieval"][name] = retrieved(make, A, B, captions, folds)
        if name not in record["zero-shot"] and name != "ridge, one way":
            record["zero-shot"][name] = zero_shot(make, A, B, data.names, text)
        if not arguments.quick:
            RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    show(record)


if __name__ == "__main__":
    main()
