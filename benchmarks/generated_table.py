"""A large table of two domains, made by a rule: numbers, categories, gaps, an intercept a domain.

Five numbers and seven categories of 3 to 100 levels with effects of their own, two of the numbers
bent, one product; 2 % of all cells are gaps. The domains differ in the shares of levels, in where
two numbers lie, in the intercept and in two effects. The label is drawn by the logit.

Run:  python benchmarks/generated_table.py there.csv here.csv [--rows 200000]
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pandas as pd

LEVELS = (3, 5, 8, 12, 20, 50, 100)
GAPS = 0.02


def generated_table(rows: int, domain: int, seed: int = 0) -> tuple[pd.DataFrame, Any]:
    """Return a frame with five numbers and seven categories, and its labels "no" and "yes".

    Parameters
    ----------
    rows : int
    domain : {0, 1}
        The source or the target.
    seed : int, default=0
        Of the rule, which both domains share; rows are drawn anew for each domain.
    """
    rule = np.random.default_rng(seed)
    rng = np.random.default_rng([seed, domain, rows])
    numbers = rng.normal(size=(rows, 5))
    numbers[:, :2] += 0.7 * domain
    weights = rule.normal(size=5)
    weights[4] *= 1 - 1.5 * domain  # an effect of the other sign
    score = numbers @ weights + 1.2 * np.abs(numbers[:, 0]) + 0.8 * numbers[:, 1] * numbers[:, 2]
    made: dict[str, Any] = {f"number {j + 1}": numbers[:, j] for j in range(5)}
    for j, levels in enumerate(LEVELS):
        shares = rule.dirichlet(np.ones(levels), size=2)
        effects = rule.normal(size=levels)
        codes = rng.choice(levels, size=rows, p=0.5 * shares[0] + 0.5 * shares[domain])
        score = score + 0.6 * effects[codes] * (1 - 0.5 * domain * (j == 2))
        made[f"category {levels}"] = np.array([f"v{k}" for k in range(levels)])[codes]
    score = score - np.median(score) + 0.8 * domain
    labels = np.where(rng.random(rows) < 1 / (1 + np.exp(-score)), "yes", "no")
    frame = pd.DataFrame(made)
    return frame.mask(rng.random(frame.shape) < GAPS), labels


def main() -> None:
    """Write both domains as CSV files with a column ``label``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target")
    parser.add_argument("source")
    parser.add_argument("--rows", type=int, default=200_000)
    args = parser.parse_args()
    for domain, path in enumerate((args.source, args.target)):
        frame, labels = generated_table(args.rows, domain)
        frame.assign(label=labels).to_csv(path, index=False)


if __name__ == "__main__":
    main()
