"""What the committee of source models is worth where nothing is known of the target.

Accuracy on the target against standardised logistic regression on the source, on one shift of each
real table that is for tuning (``ACCLIMATE_DATA``: a folder with ``tables/`` and
``table_shifts.py``), with at most 600 rows a domain. Class shares "to ten points" are the true ones
of two classes, moved by ten points up or down by the seed; with more classes nothing is known.

Run:  python benchmarks/unlabelled_committee.py
"""

from __future__ import annotations

import warnings

import numpy as np
from by_hand import _cases

from acclimate import Domain, SourceOnly
from acclimate.comparison.bases import source_committee
from acclimate.tables import default_preprocess

ROWS = 600
SIDES = ("logistic", "committee", "committee, shares to 10 points", "committee, true shares")


def known(y: np.ndarray, classes: np.ndarray, move: float) -> dict[object, float] | None:
    """Return the share of the first of two classes, moved; of more classes the true shares."""
    counts = np.array([(y == label).sum() for label in classes])  # of what the source can say
    shares = counts / counts.sum()
    if len(classes) > 2:
        return None if move else dict(zip(classes.tolist(), shares.tolist(), strict=True))
    return {classes[0]: float(np.clip(shares[0] + move, 0.01, 0.99))}


def main() -> None:
    """Print a row a table, and the means."""
    gains: list[list[float]] = []
    print("| shift | " + " | ".join(SIDES) + " |\n|---|" + "---|" * len(SIDES))
    for number, shift in enumerate(_cases("develop", ROWS)):
        if shift.task != "classification":
            continue
        y, yt = (one.astype(str) for one in (shift.y, shift.yt))
        sign = np.random.default_rng(number).choice([-0.1, 0.1])
        plain = SourceOnly(preprocess=default_preprocess(shift.X), random_state=0)
        both = source_committee("classification", shift.X, None).set_params(random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # levels that the source lacks
            right = [float((plain.fit(shift.X, y).predict(shift.Xt) == yt).mean())]
            both.fit(shift.X, y)
            labels = np.unique(y)
            for shares in (None, known(yt, labels, sign), known(yt, labels, 0)):
                both.adapt(Domain(shift.Xt, class_shares=shares))
                right.append(float((both.predict(shift.Xt) == yt).mean()))
        gains.append([100 * (one - right[0]) for one in right])
        print(f"| {shift.name} | " + " | ".join(f"{100 * one:.1f}" for one in right) + " |",
              flush=True)  # fmt: skip
    found = np.array(gains)
    for name, column in zip(SIDES[1:], found.T[1:], strict=True):
        worse = int((column < -1).sum())
        words = f"{worse} of {len(column)} cases more than a point below logistic regression"
        print(f"{name}: {column.mean():+.2f} points on average, {words}")


if __name__ == "__main__":
    main()
