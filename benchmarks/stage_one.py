"""What trials save by sharing: each base model and preprocessing is fitted once for all candidates.

CPU seconds of one trial of each candidate of a comparison (both stages and answers), in one
process, with and without sharing what is learnt from the source rows and from both domains' rows.

Run:  python benchmarks/stage_one.py [--rows 2000]
"""

from __future__ import annotations

import argparse
import time
import warnings
from contextlib import nullcontext
from typing import Any

import numpy as np
from generated_table import generated_table
from sklearn.base import clone

from acclimate import Domain
from acclimate.adapter import Shared, sharing
from acclimate.comparison.bases import strong_estimators, table_preprocess
from acclimate.comparison.candidates import STANDARDS, Candidate, Need, choose


def seconds(candidates: list[Candidate], data: Any, target: Domain, shared: bool) -> float:
    """Return the CPU seconds of one trial of each."""
    X, y = data
    kept = Shared(saved=False)
    total = 0.0
    for one in candidates:
        before = time.process_time()
        with sharing(kept) if shared else nullcontext():
            model = clone(one.model).fit(X, y)
            model.adapt(target if one.uses_labels else Domain(target.X))
        model.predict(target.X.iloc[:20])
        total += time.process_time() - before
    return total


def main() -> None:
    """Print both sums and their ratio, three times in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    X, y = generated_table(args.rows, 0)
    Xt, yt = generated_table(args.rows, 1)
    target = Domain(Xt, yt, labelled=np.arange(len(yt)) < 60)
    need = Need("classification", True)
    bases = strong_estimators(need)
    steps = table_preprocess(X, bases, None)
    candidates, _ = choose(need, bases, steps, 0, STANDARDS, variants=True, lean=True)
    for _ in range(3):
        apart, together = (seconds(candidates, (X, y), target, one) for one in (False, True))
        print(f"{len(candidates)} candidates, {args.rows} rows a side: {apart:.1f} s apart, "
              f"{together:.1f} s shared, ratio {together / apart:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
