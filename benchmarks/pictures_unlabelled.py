"""What to take on features of an encoder where the target has no labels.

Accuracy on the test pictures of the tasks of `picture_tasks.py`, where the target's pictures have
no labels: once with all classes in even shares, once with a long tail (shares from 1 to 0.05, in an
order that is drawn; test pictures have the same shares). Everything is on features of
efficientnet-lite0, with a linear model whose penalty is chosen inside. "shared": `StandardScaler`
from the source. "each": `EachDomain`. "one": `OneScale` from the source; "each, one":
`EachDomain(OneScale())`. MEDA, JDA and LinearMonge are on 128 principal components of the source.
The default was chosen on "tiles", "letters" and "greys"; "digits" had no part in it.

Run:  python benchmarks/pictures_unlabelled.py [--draws 3] [--tasks tiles letters] [--kinds KIND]
Rows that the result file has are not run again.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from picture_tasks import long_tail, task
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from acclimate import (
    JDA,
    MEDA,
    Committee,
    Domain,
    EachDomain,
    FrozenBody,
    LinearMonge,
    OneScale,
    SourceOnly,
)
from acclimate.base.penalised import LinearClassifier

RESULTS = Path(__file__).parent / "results" / "pictures_unlabelled.json"
WIDTH = 128
BASELINE = "source only, shared"


def base() -> Any:
    return LinearClassifier(random_state=0)


def kinds() -> dict[str, Callable[[], Any]]:
    """Return what is tried, by name."""
    scales = {"shared": StandardScaler(), "each": EachDomain(), "one": OneScale(),
              "each, one": EachDomain(OneScale())}  # fmt: skip

    def narrow(step: Any) -> Any:
        return make_pipeline(step, PCA(WIDTH, random_state=0))

    def several(step: Any) -> Any:
        return Committee([
            ("source", SourceOnly(base(), preprocess=step)),
            ("monge", LinearMonge(base(), preprocess=narrow(step))),
            ("meda", MEDA(base(), preprocess=narrow(step))),
        ])  # fmt: skip

    found: dict[str, Callable[[], Any]] = {}
    for name, step in scales.items():
        found[f"source only, {name}"] = lambda s=step: SourceOnly(base(), preprocess=s)
        found[f"MEDA, {name}"] = lambda s=step: MEDA(base(), preprocess=narrow(s))
        if name.startswith("each"):
            found[f"LinearMonge, {name}"] = lambda s=step: LinearMonge(base(), preprocess=narrow(s))
            found[f"source, LinearMonge and MEDA, {name}"] = lambda s=step: several(s)
    found["JDA, each"] = lambda: JDA(base(), preprocess=narrow(EachDomain()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--tasks", nargs="+", default=["tiles", "letters", "greys", "digits"])
    parser.add_argument("--kinds", nargs="+", default=None, help="only these")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    done = {(r["task"], r["draw"], r["shares"], r["kind"]) for r in rows}
    for draw in range(arguments.draws):
        for name in arguments.tasks:
            one = task(name, draw)
            encode = FrozenBody().fit(one.X).transform
            X, pool, test = encode(one.X), encode(one.X_pool), encode(one.X_test)
            for shares in ("even", "long tail"):
                here, there = np.arange(len(pool)), np.arange(len(test))
                if shares == "long tail":
                    here, there = long_tail(one.y_pool, draw), long_tail(one.y_test, draw)
                for kind, make in kinds().items():
                    if (name, draw, shares, kind) in done or kind not in (
                        arguments.kinds or [kind]
                    ):
                        continue
                    start = time.process_time()
                    model = make().set_params(random_state=draw)
                    model.fit(X, one.y, target=Domain(pool[here]))
                    score = float((model.predict(test[there]) == one.y_test[there]).mean())
                    rows.append(
                        {
                            "task": name,
                            "draw": draw,
                            "shares": shares,
                            "kind": kind,
                            "accuracy": score,
                            "seconds": time.process_time() - start,
                        }
                    )
                    RESULTS.write_text(json.dumps(rows, indent=0) + "\n")
    show(rows)


def show(rows: list[dict[str, Any]]) -> None:
    """Print a table for each kind of shares, in means over so many draws: a column a task."""
    names = list(dict.fromkeys(r["task"] for r in rows))
    for shares in ("even", "long tail"):
        print(f"\n| {shares} | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
        for kind in dict.fromkeys(r["kind"] for r in rows):
            cells = []
            for name in names:
                mine = [r["accuracy"] for r in rows
                        if (r["task"], r["shares"], r["kind"]) == (name, shares, kind)]  # fmt: skip
                cells.append(f"{100 * np.mean(mine):.1f} ({len(mine)})" if mine else "")
            print(f"| {kind} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
