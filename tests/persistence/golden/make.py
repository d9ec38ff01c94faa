"""Write the golden files: run once for a format, with the code whose files must go on loading.

    python tests/persistence/golden/make.py

Rows are made from seeds, so nothing but models and their answers is stored. An existing file is
never written again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent


def rows(n: int = 60) -> tuple[Any, Any, Any, Any]:
    """Return source rows and labels, target rows and labels: numbers, two classes, a shift."""
    rng = np.random.default_rng(7)
    y, yt = rng.integers(0, 2, n), rng.integers(0, 2, n)
    X, Xt = rng.normal(size=(n, 4)), rng.normal(size=(n, 4)) * 1.3 + 0.4
    X[:, 0] += 2 * y
    Xt[:, 0] += 2 * yt
    return X, np.array(["ill", "well"])[y], Xt, np.array(["ill", "well"])[yt]


def table(n: int = 60) -> tuple[pd.DataFrame, Any, pd.DataFrame, Any]:
    """Return the same as data frames, with a category, gaps and a text."""
    X, y, Xt, yt = rows(n)

    def frame(values: Any, seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        data = pd.DataFrame(values, columns=["age", "dose", "weight", "height"])
        data["site"] = rng.choice(["north", "south", "west"], len(data))
        data.loc[rng.choice(len(data), 6, replace=False), "dose"] = np.nan
        return data

    return frame(X, 1), y, frame(Xt, 2), yt


def methods() -> dict[str, Any]:
    """Return the fitted methods by the name of their file."""
    from sklearn.linear_model import LogisticRegression

    from acclimate import CORAL, DANN, JDA, Domain, FineTune, NeuralClassifier, SourceOnly
    from acclimate.tables import TabularPreprocessor

    X, y, Xt, yt = rows()
    frame, fy, frame_t, _ = table()
    small = {"epochs": 5, "min_steps": 30, "batch_size": 16, "random_state": 0}
    net = NeuralClassifier("mlp", hidden=(8,), **small)
    return {
        "linear": SourceOnly(
            LogisticRegression(), preprocess=TabularPreprocessor(), random_state=0
        ).fit(frame, fy, target=Domain(frame_t)),
        "coral": CORAL(random_state=0).fit(X, y, target=Domain(Xt)),
        "finetune": FineTune(net, random_state=0).fit(X, y, target=Domain(Xt, yt)),
        "dann": DANN(net, random_state=0).fit(X, y, target=Domain(Xt)),
        "jda": JDA(random_state=0).fit(X, y, target=Domain(Xt)),
    }


def answers(name: str, model: Any) -> dict[str, Any]:
    """Return what a model says of the target rows and of the source rows."""
    X, _, Xt, _ = table() if name == "linear" else rows()
    found: dict[str, Any] = {}
    for domain, part in (("target", Xt), ("source", X)):
        found[domain] = {
            "labels": np.asarray(model.predict(part, domain=domain)).tolist(),
            "proba": np.asarray(model.predict_proba(part, domain=domain), dtype=float).tolist(),
        }
    return found


def main() -> None:
    """Write what is missing."""
    for name, model in methods().items():
        file = HERE / f"{name}.acclimate"
        if not file.exists():
            model.save(file)
            (HERE / f"{name}.json").write_text(json.dumps(answers(name, model)) + "\n")


if __name__ == "__main__":
    main()
