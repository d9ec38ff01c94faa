"""AutoGluon beside `by_hand.py`: its default preset on target rows alone, and on all rows.

Runs in an environment of its own, with `pip install autogluon.tabular[lightgbm,catboost,xgboost]`,
and imports nothing of acclimate. The rows come from `by_hand.py --export FOLDER`, one Parquet file
a case and draw: the columns of the table, `(y)`, and `(part)`, which is "source", "known" for the
target rows whose labels train, or "test".

Run:  python benchmarks/by_hand_autogluon.py FOLDER [--seconds 60]
Rows that the result file has are not run again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "by_hand_autogluon.json"
WHERE = "(domain)"


def score(table: Any, sides: list[str], column: bool, seconds: float) -> tuple[float, float]:
    """Return the score on test rows of a model fitted on some parts, and the seconds it took."""
    from autogluon.tabular import TabularPredictor
    from sklearn.metrics import accuracy_score, r2_score

    classify = table.attrs["task"] == "classification"
    rows = table.drop(columns="(part)")
    if column:
        rows[WHERE] = (table["(part)"] != "source").astype(int)
    train, test = rows[table["(part)"].isin(sides)], rows[table["(part)"] == "test"]
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        kind = None if classify else "regression"
        metric = "accuracy" if classify else "r2"
        model = TabularPredictor("(y)", path=folder, problem_type=kind, eval_metric=metric)
        model.fit(train, time_limit=seconds, num_cpus=2, verbosity=0)
        said = model.predict(test.drop(columns="(y)"))
    of = accuracy_score if classify else r2_score
    return float(of(test["(y)"], said)), time.perf_counter() - started


def main() -> None:
    """Run what is missing, and print a line an arm."""
    import pandas as pd

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    done = {(row["case"], row["labels"], row["draw"], row["arm"]) for row in rows}
    arms = (("target", ["known"], False), ("pooled, column", ["source", "known"], True))
    for path in sorted(args.folder.glob("*.parquet")):
        table = pd.read_parquet(path)
        told = table.attrs
        for arm, sides, column in arms:
            if (told["case"], told["labels"], told["draw"], arm) in done:
                continue
            try:
                found, seconds = score(table, sides, column, args.seconds)
            except Exception as error:
                print(told["case"], arm, f"{type(error).__name__}: {error}", flush=True)
                found, seconds = None, None
            rows.append({**told, "arm": arm, "score": found, "seconds": seconds})
            RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
            print(told["case"], told["labels"], arm, found, seconds, flush=True)


if __name__ == "__main__":
    main()
