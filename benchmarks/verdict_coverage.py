"""How often the verdict is right: coverage and words on simulated pairs of models.

Run ``python benchmarks/verdict_coverage.py``; ``--replications`` sets how many tables
each cell has.

Correctness is simulated by a latent normal score for each model, draw and row. It is a sum of a
difficulty of the row that both models share, one of the row for this model, a noise of the cell and
an effect of the label draw. The model is right where the score is below a threshold, chosen so that
the accuracy over all draws and rows is exact. So the true gain is known.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from acclimate.judging.intervals import crossed_interval

# Shares of the latent variance. The draw effect moves an accuracy of 75 % by about 1.5 points.
ROW_SHARED, ROW_OWN, DRAW = 0.6, 0.15, 0.0022
CELL = 1 - ROW_SHARED - ROW_OWN - DRAW
REFERENCE = 0.75
GAINS = (-0.10, -0.03, 0.0, 0.03, 0.10)
MARGIN = 0.01
WORDS = ("helps", "hurts", "makes no difference", "not settled")
Latent = tuple[NDArray[np.float64], NDArray[np.float64]]


def latent_scores(rng: np.random.Generator, tables: int, draws: int, rows: int) -> Latent:
    """Draw scores (2, tables, draws, rows) and the draw effects in them (2, tables, draws, 1)."""
    effect = DRAW**0.5 * rng.normal(size=(2, tables, draws, 1))
    score = CELL**0.5 * rng.standard_normal((2, tables, draws, rows), dtype=np.float32)
    score = score + ROW_SHARED**0.5 * rng.normal(size=(tables, 1, rows))
    return score + ROW_OWN**0.5 * rng.normal(size=(2, tables, 1, rows)) + effect, effect


def judge(latent: Latent, gain: float) -> NDArray[np.float64]:
    """Return covers, width and the four words, shape (6, tables), for one true gain.

    With one draw the interval is for the gain of that draw, which the draw effects give exactly.
    """
    score, effect = latent
    thresholds = ndtri(np.array([REFERENCE + gain, REFERENCE]))
    difference = (score[0] < thresholds[0]).astype(np.float64) - (score[1] < thresholds[1])
    _, low, high = crossed_interval(difference, bounded=True)
    truth = np.full(low.shape, gain)
    if difference.shape[1] == 1:
        own = ndtr((thresholds[:, None] - effect[:, :, 0, 0]) / (1 - DRAW) ** 0.5)
        truth = own[0] - own[1]
    helps, hurts = low > 0, high < 0
    same = ~helps & ~hurts & (low > -MARGIN) & (high < MARGIN)
    covers = (low <= truth) & (truth <= high)
    return np.array([covers, high - low, helps, hurts, same, ~helps & ~hurts & ~same], dtype=float)


def main() -> None:
    """Print one line for each number of draws, number of rows and true gain."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    started = time.perf_counter()
    print(f"{options.replications} replications, 95 % intervals, margin {100 * MARGIN:g} point")
    print("With 1 draw, 'covers' is for the gain of that draw. The words are in % of replications.")
    heads = ("draws", "rows", "gain", "covers", "width", "helps", "hurts", "no diff.", "open")
    print("  ".join(f"{head:>8}" for head in heads))
    for draws in (1, 3, 5, 10):
        for rows in (100, 1000, 5000):
            size = max(1, 2_000_000 // (draws * rows))  # tables at once: bounds the memory
            found: dict[float, list[NDArray[np.float64]]] = {gain: [] for gain in GAINS}
            for start in range(0, options.replications, size):
                tables = min(size, options.replications - start)
                latent = latent_scores(rng, tables, draws, rows)
                for gain in GAINS:
                    found[gain].append(judge(latent, gain))
            for gain, parts in found.items():
                mean = 100 * np.concatenate(parts, axis=1).mean(axis=1)
                cells = [f"{draws:8d}", f"{rows:8d}", f"{100 * gain:+8.0f}"]
                print("  ".join(cells + [f"{value:8.1f}" for value in mean]))
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
