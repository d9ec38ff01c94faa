"""Nasty inputs and files through six consumers: right, or one documented error with a way out."""

from __future__ import annotations

import re
import signal
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import consumers
import nasty_files as files
import nasty_inputs as inputs
import numpy as np
import pytest
from nasty_errors import ERRORS

from acclimate import tables
from acclimate.exceptions import AcclimateError

SECONDS = 120  # after which an input hangs
# scikit-learn's own, once for each model that is fitted
OFTEN = ("ConvergenceWarning", "number of unique classes is greater")
QUICK = 7  # one in so many of the first tier, with the fastest consumers


@pytest.fixture(autouse=True)
def _no_hang() -> Iterator[None]:
    def late(*_: object) -> None:
        raise TimeoutError(f"no answer in {SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def judge(give: Callable[[], consumers.Answer], error: str, truth: Any, floor: float) -> None:
    """Call a consumer and compare what comes of it with what is expected."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        try:
            answer = give()
        except AcclimateError as refused:
            words, answer = str(refused), None
        except consumers.Refused as refused:
            words, answer = f"{refused} exit {refused.code}", None
            if refused.code != 2 or str(refused).count("\n") > 1 + str(refused).count(": note: "):
                pytest.fail(words)
    if answer is None:
        assert error, f"refused, but it is right: {words}"
        assert re.search(error, words), (error, words)
        assert "unexpected" not in words
        assert "Traceback" not in words
        assert len(words) > 20
    else:
        assert not error, f"no error that says {error!r}, but {answer}"
        right(answer, truth, floor)
        once(list(answer.notes))
    once([
        f"{w.category.__name__}: {w.message}" for w in seen
        if not issubclass(w.category, DeprecationWarning | FutureWarning)
    ])  # fmt: skip


def right(answer: consumers.Answer, truth: Any, floor: float) -> None:
    if answer.predictions is None:
        assert answer.words or answer.notes is not None
        return
    predicted = np.asarray(answer.predictions)
    assert predicted.ndim == 1
    if truth is None:
        return
    known = [plainly(one) for one in np.asarray(truth, dtype=object).ravel()]
    assert len(predicted) == len(known)
    hits = np.array([plainly(one) == label for one, label in zip(predicted, known, strict=True)])
    assert hits.mean() >= floor, f"{hits.mean():.2f} of the target's rows are right"


def plainly(label: Any) -> Any:
    """Return a label that a file may have turned into text, as a number where it is one."""
    if isinstance(label, bool | np.bool_):
        return str(label).lower()
    try:
        return float(label)
    except (TypeError, ValueError):
        return str(label).lower()


def once(notes: list[str]) -> None:
    """Check that no warning comes twice; what it is about, in quotes, does not make it another."""
    notes = [note for note in notes if not any(word in note for word in OFTEN)]
    kinds = [re.sub(r"'[^']*'|\d+", "", note) for note in notes]
    assert len(set(kinds)) == len(kinds), notes
    assert not [note for note in notes if note.startswith("RuntimeWarning")], notes


def given(name: str, consumer: str, folder: Path) -> None:
    """Give an input to a consumer."""
    case = inputs.TABLE[name]()
    truth = case.truth if case.truth is not None else case.yt
    error = expected(ERRORS.get(name, ""), consumer)
    floor = min(case.floor, 0.6) if consumer == "deep" else case.floor  # 60 steps of training
    judge(lambda: consumers.CONSUMERS[consumer](case, folder), error, truth, floor)


def read(path: Path, label: str | None, settings: Mapping[str, Any]) -> Any:
    """Read a file, which may warn of a thing once."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        table = tables.read(path, label=label, **settings)
    once([str(one.message) for one in seen])
    return table


def given_file(name: str, consumer: str, folder: Path) -> None:
    """Give a file to a consumer; those in Python get what `tables.read` reads."""
    kind = files.FILES[name]()
    here, there = kind.make(folder)
    label = None if here.suffix == ".npz" else "label"

    def give() -> consumers.Answer:
        if consumer == "command":
            return consumers.command(here, there, folder, kind.settings)
        one, two = (read(path, label, kind.settings) for path in (here, there))
        X, y = one.labelled_rows()
        case = inputs.Nasty(X, y, two.X, two.y, target={"labelled": two.labelled})
        return consumers.CONSUMERS[consumer](case, folder)

    truth = [files.WORDS[k] for k in inputs.plain().yt]
    judge(give, expected(kind.error, consumer), truth, kind.floor)


def expected(said: str | Mapping[str, str], consumer: str) -> str:
    """Return what a consumer's error has to match; empty where it has none."""
    return said if isinstance(said, str) else said.get(consumer, said.get("else", ""))


def applies(name: str, consumer: str) -> bool:
    """Tell whether a consumer takes such an input at all."""
    return consumer in inputs.TABLE[name]().consumers(tuple(consumers.CONSUMERS))


ALL = [(n, c) for n in inputs.TABLE for c in consumers.CONSUMERS if applies(n, c)]
FILES = [(n, c) for n in files.FILES for c in consumers.CONSUMERS]
FAST = [(n, c) for n, c in ALL if c in ("shallow", "diagnose")][::QUICK]
FAST_FILES = [(n, c) for n, c in FILES if c in ("shallow", "command")][::QUICK]


def test_the_tables_are_long_enough() -> None:
    assert len(inputs.TABLE) + len(files.FILES) >= 250
    assert set(ERRORS) <= set(inputs.TABLE)


@pytest.mark.parametrize(("name", "consumer"), FAST)
def test_some_inputs(name: str, consumer: str, tmp_path: Path) -> None:
    given(name, consumer, tmp_path)


@pytest.mark.parametrize(("name", "consumer"), FAST_FILES)
def test_some_files(name: str, consumer: str, tmp_path: Path) -> None:
    given_file(name, consumer, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "consumer"), ALL)
def test_input(name: str, consumer: str, tmp_path: Path) -> None:
    given(name, consumer, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "consumer"), FILES)
def test_file(name: str, consumer: str, tmp_path: Path) -> None:
    given_file(name, consumer, tmp_path)
