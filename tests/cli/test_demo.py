"""What the demo concludes follows from its predictions, whatever they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acclimate.cli import demo
from acclimate.cli.demo import ARMS, CANDIDATES, Case, Predictions
from acclimate.report import render_demo

ROWS = 2000
NAMES = ("shirt", "shoe", "bag")


def case() -> Case:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, ROWS)
    images = np.zeros((4, 28, 28), dtype=np.uint8)
    return Case("a-to-b", "A to B", "A", "B", (images, truth[:4]), (images, truth), NAMES)


def draws(accuracy: dict[str, float], number: int = 4) -> list[tuple[Predictions, Any]]:
    """Predictions of the given accuracy, the same rows being hard for every arm."""
    rng = np.random.default_rng(1)
    truth, hard = case().test[1], rng.random(ROWS)
    made = []
    for _ in range(number):
        noise = np.clip(hard + rng.normal(0, 0.02, ROWS), 0, 1)
        made.append((
            {
                (50, name): np.where(noise < accuracy.get(name, 0.7), truth, (truth + 1) % 3)
                for name, _, _ in ARMS
            },
            {(50, name): 0.1 for name, _, _ in ARMS},
        ))  # fmt: skip
    return made


def words(result: dict[str, Any]) -> dict[str, str]:
    return {v["candidate"]: v["word"] for v in result["verdicts"]}


def test_a_worse_copy_hurts_and_an_equal_arm_makes_no_difference() -> None:
    result = demo.summarise(case(), draws({"copy": 0.6}))
    assert words(result)["copy"] == "hurts"
    assert {words(result)[arm] for arm in CANDIDATES if arm != "copy"} == {"makes no difference"}
    found = " ".join(result["findings"])
    gain = next(v["gain"] for v in result["verdicts"] if v["candidate"] == "copy")
    assert gain == pytest.approx(-0.1, abs=0.02)
    assert f"hurts at 50 labels ({100 * gain:.1f})" in found
    assert "Do not transfer" in found
    assert "never probes better" in found


def test_a_better_arm_helps_and_nothing_tells_people_not_to_transfer() -> None:
    result = demo.summarise(case(), draws({"lp-ft": 0.85, "head": 0.8}))
    assert words(result)["lp-ft"] == "helps"
    found = " ".join(result["findings"])
    assert "Do not transfer" not in found
    assert "knows something about B" in found


def test_a_help_below_one_point_is_called_small() -> None:
    result = demo.summarise(case(), draws({"full": 0.707}))
    assert words(result)["full"] == "helps"
    assert "less than one point" in " ".join(result["findings"])


def test_swapping_candidate_and_reference_swaps_the_word() -> None:
    up = demo.summarise(case(), draws({"full": 0.8}))
    down = demo.summarise(case(), draws(dict.fromkeys([a for a, _, _ in ARMS if a != "full"], 0.8)))
    assert (words(up)["full"], words(down)["full"]) == ("helps", "hurts")


def test_scores_are_those_of_the_predictions() -> None:
    result = demo.summarise(case(), draws({"copy": 0.6}))
    row = next(r for r in result["results"] if r["arm"] == "copy")
    expected = [float(np.mean(p[50, "copy"] == case().test[1])) for p, _ in draws({"copy": 0.6})]
    assert row["scores"] == pytest.approx(expected)
    assert row["low"] <= row["mean"] <= row["high"]


def test_arms_that_did_not_run_are_left_out() -> None:
    made = draws({})
    for predictions, seconds in made:
        del predictions[50, "l2-sp"], seconds[50, "l2-sp"]
    result = demo.summarise(case(), made)
    assert "l2-sp" not in {arm["name"] for arm in result["arms"]}
    assert "l2-sp" not in words(result)


def test_the_result_is_json_and_renders() -> None:
    result = {
        "schema": 1, "acclimate": "0", "command": "acclimate demo", "seconds": 1.0, "seed": 0,
        "created": "2026-01-01T00:00:00+00:00", "stopped": False, "machine": {},
        "cases": [demo.summarise(case(), draws({"copy": 0.6}))],
    }  # fmt: skip
    text = json.dumps(result, allow_nan=False)
    page = render_demo(json.loads(text))
    assert "hurts" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_ctrl_c_keeps_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def two_then_stop(*_: Any) -> Any:
        yield from ({"a-to-b": done} for done in draws({"copy": 0.6})[:2])
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "load_cases", lambda: (None, [case()]))
    monkeypatch.setattr(
        demo, "run_textbook", lambda *_: {"source_accuracy": 0.9, "target_accuracy": 0.8}
    )
    monkeypatch.setattr(demo, "_draws", two_then_stop)
    result = demo.run("quick")
    assert result["stopped"] is True
    assert len(result["cases"][0]["results"][0]["scores"]) == 2


@pytest.mark.slow
def test_the_quick_demo_on_real_data(tmp_path: Path) -> None:
    from acclimate.exceptions import DataNotFoundError

    try:
        demo.load_cases()
    except DataNotFoundError as error:
        pytest.skip(f"the data cannot be had: {error}")
    result = demo.run("quick", workers=2)
    fashion, usps = result["cases"]
    textbook = [v["word"] for v in fashion["verdicts"] if v["candidate"] == "copy"]
    assert textbook == ["hurts", "hurts"]
    default = [v for c in result["cases"] for v in c["verdicts"] if v["candidate"] == "auto"]
    assert all(not (v["word"] == "hurts" and v["gain"] < -0.01) for v in default)
    at_50 = [v["word"] for v in usps["verdicts"] if v["labels"] == 50]
    assert "helps" in at_50
