"""AutoGluon beside `by_hand.py`: its default preset on target rows alone, and on all rows.

The rows come from `by_hand.py --export FOLDER`, one Parquet file a case and draw: the columns of
the table, `(y)`, and `(part)`, which is "source", "known" for the target rows whose labels train,
or "test". Without a folder this exports those of 60 labels and one draw, goes over them in the
environment of AutoGluon (`peers.py`), and has `by_hand.py` print what its results are beside them.

Run:  python benchmarks/by_hand_autogluon.py [--peer PYTHON] [--seconds 60]
      python benchmarks/by_hand_autogluon.py FOLDER     (where AutoGluon is; needs no acclimate)
Rows that the result file has are not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from peers import BENCH, peer_python

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


def export_and_run(python: str, seconds: float) -> None:
    """Write the rows, go over them with another interpreter, and print what they come to."""
    by_hand = [sys.executable, str(Path(__file__).with_name("by_hand.py")), "--role", "report"]
    rows = BENCH / "by-hand-rows"
    drawn = ("--labels", "60", "--draws", "1", "--export", str(rows))
    subprocess.run([*by_hand, *drawn], check=True, stdout=subprocess.DEVNULL)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [python, __file__, str(rows), "--seconds", str(seconds)]
    subprocess.run(command, check=True, env=environment)
    subprocess.run([*by_hand, "--draws", "0"], check=True)


def main() -> None:
    """Run what is missing, and print a line an arm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="of rows, to go over them here")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--peer", help="interpreter that has AutoGluon, if not our own")
    parser.add_argument("--env", type=Path, default=BENCH, help="folder of the peers' environments")
    args = parser.parse_args()
    if args.folder is None:
        python = args.peer or str(peer_python(args.env, "autogluon"))
        export_and_run(python, args.seconds)
        return
    import pandas as pd

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
