"""How far estimates are off: wider at more confidence, and as the benchmark found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from acclimate.validators.known_errors import accuracy_between, gain_error

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "validators.json"
LEVELS = np.linspace(0.01, 0.999, 60)


def test_more_confidence_is_a_wider_interval() -> None:
    assert (np.diff([gain_error(level) for level in LEVELS]) > 0).all()
    ends = np.array([accuracy_between(0.6, level) for level in LEVELS])
    assert (np.diff(ends[:, 0]) <= 0).all()
    assert (np.diff(ends[:, 1]) >= 0).all()
    assert ends.min() >= 0
    assert ends.max() <= 1


@pytest.mark.skipif(not RESULTS.is_file(), reason="the benchmarks' results are not here")
@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_so_many_accuracies_of_the_benchmark_are_between(level: float) -> None:
    inside = []
    for case in json.loads(RESULTS.read_text(encoding="utf-8"))["fit"]:
        if case["regression"]:
            continue
        for name, row in case["estimates"]["rows"].items():
            guess = np.mean([x for x in row if x is not None])
            low, high = accuracy_between(float(guess), level)
            inside.append(low <= case["truth"][name] <= high)
    assert np.mean(inside) == pytest.approx(level, abs=0.03)
