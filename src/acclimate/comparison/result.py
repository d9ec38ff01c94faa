"""What a comparison found: one value that a report, the command line and a user can read."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from numpy.typing import NDArray

from acclimate import validation as door
from acclimate.comparison.trials.store import Store
from acclimate.domain import Domain
from acclimate.exceptions import AcclimateError, InputError
from acclimate.judging.importance import falls, importances
from acclimate.report import answer_frames as frames
from acclimate.report.compared import Compared, Recommendation
from acclimate.report.compared_answers import Importances
from acclimate.report.comparison_view import comparison_view
from acclimate.report.plain import json_safe
from acclimate.report.presented import Presented, as_notebook
from acclimate.report.view import View

if TYPE_CHECKING:
    from acclimate.comparison.problem import Problem
    from acclimate.diagnosis.findings import Diagnosis

_NO_DATA = (
    "this comparison was read from a store, which holds no data; run compare with the same data "
    "and store to get the model"
)


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Presented):
    """The result of `compare`. Not meant to be made by hand.

    `print` shows it on one screen, a notebook as tables; ``to_frame()`` has a row a candidate. With
    target labels `confusion`, `curve` or `residuals`, `missed` and `calibration` are frames of what
    was answered, and `importance` tells which columns the final model needs.

    Parameters
    ----------
    details : Compared
        Everything that was found, as records.
    refit : callable, default=None
        Fits the recommended candidate; None for a result that was read from a store.
    data : callable, default=None
        Returns the checked data; None for a result that was read from a store.

    Attributes
    ----------
    recommendation : Recommendation
        ``action``, "transfer" or "do not transfer"; the ``candidate`` with its ``method`` and
        ``estimator``; the ``reason``.
    estimate : bool
        True where the target had no labels, so that everything is an estimate.
    """

    details: Compared
    refit: Callable[[], Any] | None = None
    data: Callable[[], Problem] | None = None
    _fitted: list[Any] = field(default_factory=list, init=False)
    _important: list[Importances] = field(default_factory=list, init=False)

    @property
    def recommendation(self) -> Recommendation:
        """What to do, and why."""
        return self.details.recommendation

    @property
    def estimate(self) -> bool:
        """Whether there were no target labels, so that everything is an estimate."""
        return self.details.estimate

    def sentence(self) -> str:
        """Return the recommendation with its evidence, in two or three short sentences."""
        return self.details.sentence

    def table(self) -> list[dict[str, Any]]:
        """Return one mapping for each candidate, the best first."""
        rows: list[dict[str, Any]] = json_safe(self.details.table)
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain Python values, ready for JSON.

        Returns
        -------
        dict
            ``schema`` is the version of its keys. All of them are always there.
        """
        return self._all().to_dict()

    def _all(self) -> Compared:
        """Return the details, with the importance that was asked for last."""
        if not self._important:
            return self.details
        return replace(self.details, importance=self._important[-1])

    def view(self) -> View:
        """Return what is shown: what to do, why, and the candidates."""
        return comparison_view(self.details)

    def _repr_html_(self) -> str:
        return as_notebook(comparison_view(self._all(), answers=True))

    def report(self, path: str | os.PathLike[str], *, diagnosis: Diagnosis | None = None) -> Path:
        """Write everything as one HTML file that needs no network.

        Parameters
        ----------
        path : path-like
            The file to write. Folders that are missing are made.
        diagnosis : Diagnosis, default=None
            What `diagnose` found on the same domains; it gets a section of its own.

        Returns
        -------
        pathlib.Path
            The file written.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        from acclimate.report.comparison_page import render_comparison
        from acclimate.report.html import write_text_atomic

        shift = None if diagnosis is None else diagnosis.to_dict()
        return write_text_atomic(path, render_comparison(self._all(), diagnosis=shift))

    def _brief(self) -> str:
        gains = self.details.gains()
        word = f" ({gains[0].words})" if gains else ""
        return f"{self.recommendation.headline()}{word}"

    def _records(self) -> list[dict[str, Any]]:
        none = {"word": None, "gain": None, "low": None, "high": None}
        keys = ("against_target_only", "against_source_only")
        return [row | {key: row[key] or none for key in keys} for row in self.table()]

    def confusion(self, who: str = "chosen") -> Any:
        """Return the confusion matrix of cross-fitted answers to the labelled target rows.

        Parameters
        ----------
        who : {"chosen", "reference"}, default="chosen"
            What the folds picked, or the best reference.

        Returns
        -------
        pandas.DataFrame
            True classes down, what is said across: rows, as means over the repeats.

        Raises
        ------
        InputError
            There were no labels, or they are values.
        """
        return frames.confusion(self.details, who)

    def curve(self, kind: str = "roc") -> Any:
        """Return the points of a curve of both sides, from cross-fitted probabilities.

        Parameters
        ----------
        kind : {"roc", "precision_recall"}, default="roc"
            Of the class ``details.answers.positive``: as asked, or the rarer of two. Of more
            classes the first is the mean of each against the others, and there is no other.

        Returns
        -------
        pandas.DataFrame
            At most 102 points a side. That of ``roc`` is the mean curve of the folds.

        Raises
        ------
        InputError
            There is no such curve.
        """
        return frames.curve(self.details, kind)

    def residuals(self) -> Any:
        """Return what both sides say, and the truth minus that: a frame of at most 300 rows each.

        Raises
        ------
        InputError
            There were no labels, or they are classes.
        """
        return frames.residuals(self.details)

    def missed(self) -> Any:
        """Return labelled target rows that both sides miss, at most 20.

        Returns
        -------
        pandas.DataFrame
            ``row`` counts from 0 in the target, ``called`` is what a person calls it; then what is
            true and said, with the mean probability of what is said. The surest mistakes come
            first, of values the largest errors. ``details.answers.missed.rows`` is how many there
            are.

        Raises
        ------
        InputError
            There were no labels.
        """
        return frames.missed(self.details)

    def calibration(self) -> Any:
        """Return the bins of the reliability curves: how sure, how often right, of how many rows.

        Raises
        ------
        InputError
            There were no labels.
        """
        return frames.calibration(self.details)

    def importance(self, rows: Domain | tuple[Any, Any] | None = None, *, repeats: int = 5) -> Any:
        """Return how much the recommended model's score falls where one column is shuffled.

        On target rows, beside source rows as a model of the source. Give labelled target rows that
        took no part in the comparison: those that did have trained the model, which makes columns
        that it learned by heart look important. It takes the model of `best_model`, which is
        fitted once, and a prediction for each column and shuffle. The next `report` shows it.

        Parameters
        ----------
        rows : Domain or pair (X, y), default=None
            Labelled target rows. None means those of the comparison.
        repeats : int, default=5
            Shuffles of each column.

        Returns
        -------
        pandas.DataFrame
            ``column``, and the fall of accuracy or R2 with its deviation over shuffles:
            ``target``, ``target_spread``, ``source``, ``source_spread``; the most important for
            the target first. The last two are None where the target has classes of its own.
            ``attrs["held_out"]`` tells whether rows were given.

        Raises
        ------
        AcclimateError
            The result was read from a store, which holds no data.
        InputError
            There are no labels, or the rows are no table.
        """
        model = self.best_model()
        problem = self._data()
        X, y = _labelled(problem.target if rows is None else rows, problem)
        source = problem.source
        on_target = falls(model, X, y, repeats=repeats)
        on_source: dict[str, tuple[float, float]] = {}
        if not problem.own_classes:
            on_source = falls(model, source.X, source.y, domain="source", repeats=repeats)
        found = importances(
            on_target, on_source, "R2" if problem.task == "regression" else "accuracy",
            held_out=rows is not None, target_rows=len(y), source_rows=len(source.y),
        )  # fmt: skip
        self._important.append(found)
        return frames.importance(found)

    def _data(self) -> Problem:
        if self.data is None:
            raise AcclimateError(_NO_DATA)
        return self.data()

    def best_model(self) -> Any:
        """Fit the recommended candidate on all rows and all labels, once, and return it.

        Returns
        -------
        Adapter
            Fitted, ready to predict and to save.

        Raises
        ------
        AcclimateError
            The result was read from a store, which holds no data.
        """
        if self.refit is None:
            raise AcclimateError(_NO_DATA)
        if not self._fitted:
            self._fitted.append(self.refit())
        return self._fitted[0]

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read the result that the last finished run left in a store.

        Parameters
        ----------
        path : path-like
            The store.

        Raises
        ------
        InputError
            There is no store, no run has finished in it, or a later version wrote it.
        """
        with Store(path, read_only=True) as store:
            details = store.meta("comparison")
            trials = len(store.table())
        if details is None:
            raise InputError(
                f"no comparison has finished in {os.fspath(path)!r} yet; it holds {trials} trials. "
                "Run compare with the same data and store to go on"
            )
        return cls(Compared.from_dict(details))


def _labelled(rows: Any, problem: Problem) -> tuple[Any, NDArray[Any]]:
    """Return the labelled rows of a domain or a pair, and their labels."""
    domain = Domain(*rows) if isinstance(rows, tuple) and len(rows) == 2 else rows
    if not isinstance(domain, Domain) or domain.y is None:
        raise InputError(
            f"importance needs labelled target rows, Domain(X, y) or the pair (X, y), got "
            f"{domain!r:.80}"
        )
    X = door.check_table(domain.X, "the target")
    labels, known = door.check_target_labels(
        domain, door.count(X), regression=problem.task == "regression", classes=problem.classes
    )
    return X if known is None else door.take(X, known), labels
