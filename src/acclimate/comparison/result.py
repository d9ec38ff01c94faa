"""What a comparison found: one value that a report, the command line and a user can read."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from acclimate.comparison.trials.store import Store
from acclimate.exceptions import AcclimateError, InputError
from acclimate.report import answer_frames as frames
from acclimate.report.compared import Compared, Recommendation
from acclimate.report.comparison_view import comparison_view
from acclimate.report.plain import json_safe
from acclimate.report.presented import Presented, as_notebook
from acclimate.report.view import View

if TYPE_CHECKING:
    from acclimate.diagnosis.findings import Diagnosis


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Presented):
    """The result of `compare`. Not meant to be made by hand.

    `print` shows it on one screen, a notebook as tables; ``to_frame()`` has a row a candidate.

    Parameters
    ----------
    details : Compared
        Everything that was found, as records.
    refit : callable, default=None
        Fits the recommended candidate; None for a result that was read from a store.

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
    _fitted: list[Any] = field(default_factory=list, init=False)

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
        return self.details.to_dict()

    def view(self) -> View:
        """Return what is shown: what to do, why, and the candidates."""
        return comparison_view(self.details)

    def _repr_html_(self) -> str:
        return as_notebook(comparison_view(self.details, answers=True))

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
        return write_text_atomic(path, render_comparison(self.details, diagnosis=shift))

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
            Of two classes the curve of the rarer, ``details.answers.positive``. Of more the first
            is the mean of each class against the others, and there is no other.

        Returns
        -------
        pandas.DataFrame
            At most 101 points a side.

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
            raise AcclimateError(
                "this comparison was read from a store, which holds no data; run compare with the "
                "same data and store to get the model"
            )
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
