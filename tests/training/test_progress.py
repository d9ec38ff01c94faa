"""The progress bar: silent for machines and for short work."""

from __future__ import annotations

import sys

import pytest

from acclimate.training import progress
from acclimate.training.progress import Progress


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    made = _Clock()
    monkeypatch.setattr(progress.time, "monotonic", made)
    return made


def test_silent_where_standard_error_is_no_terminal(
    clock: _Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress(10) as bar:
        clock.now += 60.0
        bar.update(5, {"task": 1.0})
        assert bar._bar is None
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_shown_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert Progress(10).shown
    assert not Progress(10, verbose=False).shown


def test_forced_bar_waits_for_the_delay_and_then_shows_title_and_figures(
    clock: _Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress(10, "fitting", verbose=True) as bar:
        clock.now += progress.DELAY - 0.01
        bar.update(1, {"task": 1.0})
        assert bar._bar is None
        clock.now += 0.02
        bar.update(5, {"step": 5, "task": 0.25})
        task = bar._bar.tasks[0]
        assert (task.description, task.completed, task.total) == ("fitting", 5, 10)
        assert task.fields["words"] == "task 0.25"
        assert not bar._bar.finished
    assert bar._bar is None
    assert capsys.readouterr().out == ""  # standard output belongs to results


def test_figures_of_an_epoch_that_came_too_early_are_shown_with_the_bar(clock: _Clock) -> None:
    with Progress(10, verbose=True) as bar:
        bar.update(1, {"step": 1, "task": 0.5})
        clock.now += progress.DELAY + 0.1
        bar.update(2)
        assert bar._bar.tasks[0].fields["words"] == "task 0.5"


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_the_line_of_an_epoch_is_no_wider_than_its_room(clock: _Clock, width: int) -> None:
    record = {"step": 3, "task": 0.3125, "domain": 0.6931, "validation": 1.25,
              "domain_accuracy": 0.7125, "a_distance": 0.425}  # fmt: skip
    words = progress.words(record, width)
    assert len(words) <= width
    assert words.startswith("task 0.312")
    assert ("discriminator 0.713" in words) == (width >= 40)
    assert ("A-distance 0.425" in words) == (width >= 60)
    assert ("score 1.25" in words) == (width >= 80)


def test_updates_within_a_tenth_of_a_second_are_skipped(clock: _Clock) -> None:
    with Progress(10, verbose=True) as bar:
        clock.now += 3.0
        bar.update(2)
        clock.now += 0.05
        bar.update(3)
        assert bar._bar.tasks[0].completed == 2
        clock.now += 0.06
        bar.update(4)
        assert bar._bar.tasks[0].completed == 4


def test_the_bar_closes_after_an_error(clock: _Clock) -> None:
    bar = Progress(10, verbose=True)
    with pytest.raises(ZeroDivisionError), bar:  # noqa: PT012
        clock.now += 3.0
        bar.update(1)
        raise ZeroDivisionError
    assert bar._bar is None
