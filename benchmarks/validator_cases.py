"""The shifts on which validators are fitted, and the real ones on which they report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from acclimate import datasets
from acclimate.datasets.images import frame, resize_matrix

ROWS = 300  # of each domain, at most
Rows = tuple[Any, Any]
Pairs = tuple[tuple[str, str], ...]
HOSPITALS: Pairs = (
    ("cleveland", "hungary"), ("cleveland", "switzerland"), ("cleveland", "va"),
    ("hungary", "cleveland"), ("va", "cleveland"),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A labelled source, and a target whose labels only the score at the end reads."""

    data: str
    shift: str
    source: Rows
    target: Rows
    preprocess: Any = None
    regression: bool = False

    @property
    def name(self) -> str:
        """Data set and shift."""
        return f"{self.data}, {self.shift}"


def some(X: Any, y: Any, rows: int, rng: np.random.Generator) -> Rows:
    """Draw rows without replacement."""
    kept = rng.permutation(len(y))[:rows]
    return np.asarray(X)[kept], np.asarray(y)[kept]


def rarer(X: Any, y: Any, rng: np.random.Generator) -> Rows:
    """Drop four of five rows of the upper half of the classes: the shares shift."""
    kept = (y < np.median(y)) | (rng.random(len(y)) < 0.2)
    return X[kept], y[kept]


def optdigits(rng: np.random.Generator, rows: int = ROWS) -> list[Case]:
    data = datasets.optdigits()
    X = np.concatenate([data.X_train, data.X_test]).reshape(-1, 8, 8) / 16.0
    y = np.concatenate([data.y_train, data.y_test])
    order = rng.permutation(len(y))
    X, y, half = X[order], y[order], len(y) // 2
    blur = (X + np.roll(X, 1, axis=2) + np.roll(X, 1, axis=1)) / 3
    shifts: dict[str, Any] = {
        "noise": np.clip(X + rng.normal(0, 0.35, X.shape), 0, 1),
        "moved": np.roll(X, 1, axis=2),
        "blurred": blur,
        "faint and noisy": np.clip(X * 0.5 + rng.normal(0, 0.2, X.shape), 0, 1),
    }
    flat = lambda images: images.reshape(len(images), -1)  # noqa: E731
    source = (flat(X[:half]), y[:half])
    cases = [(name, (flat(moved[half:]), y[half:])) for name, moved in shifts.items()]
    cases.append(("fewer high digits", rarer(flat(blur[half:]), y[half:], rng)))
    return made("optdigits", source, cases, rng, rows)


def pendigits(rng: np.random.Generator, rows: int = ROWS) -> list[Case]:
    data = datasets.pendigits()
    order = rng.permutation(len(data.y))
    X, y = data.X.to_numpy()[order] / 100.0, np.asarray(data.y)[order]
    half = len(y) // 2
    points = X.reshape(-1, 8, 2) - 0.5
    turn = lambda angle: np.array(  # noqa: E731
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    shifts: dict[str, Any] = {
        "turned": points @ turn(0.35),
        "noise": points + rng.normal(0, 0.15, points.shape),
        "slanted": points @ np.array([[1.0, 0.0], [0.45, 1.0]]),
        "stretched and moved": points * [1.3, 0.7] + [0.15, -0.1],
    }
    flat = lambda values: values.reshape(len(values), -1)  # noqa: E731
    source = (flat(points[:half]), y[:half])
    cases = [(name, (flat(moved[half:]), y[half:])) for name, moved in shifts.items()]
    slanted = shifts["slanted"]
    cases.append(("fewer high digits", rarer(flat(slanted[half:]), y[half:], rng)))
    return made("pendigits", source, cases, rng, rows)


def made(
    data: str, source: Rows, targets: Iterable[tuple[str, Rows]], rng: np.random.Generator,
    rows: int = ROWS,
) -> list[Case]:  # fmt: skip
    return [
        Case(data, name, some(*source, rows, rng), some(*target, rows, rng), StandardScaler())
        for name, target in targets
    ]


def wine(rng: np.random.Generator) -> list[Case]:
    data = datasets.wine()
    sides = {
        name: tuple(np.asarray(part, dtype=np.float64) for part in data.domain_rows(name))
        for name in ("red", "white")
    }
    cases = []
    for here, there in (("red", "white"), ("white", "red")):
        source, target = some(*sides[here], ROWS, rng), some(*sides[there], ROWS, rng)
        cases.append(Case("wine", f"{here} to {there}", source, target, StandardScaler(), True))
        X, y = sides[here]
        order = rng.permutation(len(y))
        X, y, half = X[order], y[order], len(y) // 2
        tilt = X[:, 10] > np.median(X[:, 10])  # strong wines are rarer in the target
        kept = np.flatnonzero(~tilt | (rng.random(len(y)) < 0.15))
        for name, Xt, rows in (
            ("scaled", X * rng.uniform(0.6, 1.4, X.shape[1]), np.arange(half, len(y))),
            ("weak wines", X, kept[kept >= half]),
        ):
            cases.append(Case(
                "wine", f"{here}, {name}", some(X[:half], y[:half], ROWS, rng),
                some(Xt[rows], y[rows], ROWS, rng), StandardScaler(), True,
            ))  # fmt: skip
    return cases


def heart(rng: np.random.Generator, rows: int = ROWS, pairs: Pairs = HOSPITALS) -> list[Case]:
    data = datasets.heart_disease()
    clean = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True),
                          StandardScaler())  # fmt: skip
    sides = {
        name: (X.to_numpy(dtype=np.float64), np.asarray(y))
        for name in ("cleveland", "hungary", "switzerland", "va")
        for X, y in [data.domain_rows(name)]
    }
    cases = []
    for here, there in pairs:
        source, target = some(*sides[here], rows, rng), some(*sides[there], rows, rng)
        cases.append(Case("heart disease", f"{here} to {there}", source, target, clean))
    return cases


def digits(rng: np.random.Generator, rows: int = ROWS) -> list[Case]:
    mnist, usps = datasets.mnist(), datasets.usps()
    shrink = resize_matrix(28, 16)
    flat = lambda images: (  # noqa: E731
        shrink @ (images.reshape(-1, 28, 28) / 255.0) @ shrink.T
    ).reshape(len(images), -1)
    few = lambda X, y: some(X, y, rows, rng)  # noqa: E731
    A, a = few(mnist.X_train, mnist.y_train)
    B, b = few(usps.X_train, usps.y_train)
    return [
        Case("MNIST and USPS", "MNIST to USPS", (flat(A), a), (flat(frame(B)), b)),
        Case("MNIST and USPS", "USPS to MNIST", (flat(frame(B)), b), (flat(A), a)),
    ]


def sentiment(rng: np.random.Generator, rows: int = ROWS, every_pair: bool = False) -> list[Case]:
    """Return the four domains of sentiment, as 100 latent factors of TF-IDF, if they are there.

    Each domain to the next one, or to every other.
    """
    if not hasattr(datasets, "sentiment"):
        return []
    names = datasets.sentiment().domain_names()
    ring = zip(names, names[1:] + names[:1], strict=True)
    return [texts(*pair, rng, rows) for pair in (permutations(names, 2) if every_pair else ring)]


def texts(here: str, there: str, rng: np.random.Generator, rows: int = ROWS) -> Case:
    """Return two domains of sentiment as 100 latent factors of their TF-IDF."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    data = datasets.sentiment()
    (A, a), (B, b) = (
        some(np.asarray(X).ravel(), y, rows, rng)
        for X, y in (data.domain_rows(here), data.domain_rows(there))
    )
    words = TfidfVectorizer(sublinear_tf=True, min_df=2).fit([*A, *B])
    factors = TruncatedSVD(100, random_state=0).fit(words.transform([*A, *B]))
    code = lambda text: factors.transform(words.transform(text))  # noqa: E731
    return Case("sentiment", f"{here} to {there}", (code(A), a), (code(B), b), StandardScaler())
