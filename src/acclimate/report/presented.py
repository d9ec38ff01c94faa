"""How every result shows itself: in a line, in a terminal, in a notebook, as a page, as a frame."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from acclimate.report.view import View

_ELSEWHERE = "with to_frame() or report(path)"
_LONGEST = 79  # characters of a `repr`
_NOTEBOOK = 10  # rows of a table in a notebook


class Presented:
    """What results share. Each says what it shows, and what the rows of its frame are."""

    def view(self) -> View:
        """Return the lines and tables that are shown, the most important first."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, ready for JSON."""
        raise NotImplementedError

    def charts(self) -> Sequence[dict[str, Any]]:
        """Return what a page draws above the tables, as `report.figures.figure` makes it."""
        return ()

    def _brief(self) -> str:
        """Return what a `repr` says."""
        raise NotImplementedError

    def _records(self) -> Sequence[Mapping[str, Any]]:
        """Return the rows of the frame, which may be nested."""
        raise NotImplementedError

    def to_frame(self) -> Any:
        """Return the figures as a data frame, for plots and tables of your own.

        Returns
        -------
        pandas.DataFrame
            One row for each thing that was judged: a candidate, a column, or the verdict itself.
            Nested figures have joined names, such as ``against_target_only_gain``.
        """
        import pandas as pd

        return pd.DataFrame([_flat(row) for row in self._records()])

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write everything as one HTML file that needs no network.

        Parameters
        ----------
        path : path-like
            The file to write. Folders that are missing are made.

        Returns
        -------
        pathlib.Path
            The file written.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        from acclimate.report.html import write_text_atomic
        from acclimate.report.view_page import render_view

        return write_text_atomic(path, render_view(self.view(), self.to_dict(), self.charts()))

    def __repr__(self) -> str:
        text = f"<{type(self).__name__}: {' '.join(self._brief().split())}>"
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]}...>"

    def __str__(self) -> str:
        from acclimate.report.screen import as_text

        return as_text(self.view(), _ELSEWHERE)

    def _repr_html_(self) -> str:
        return as_notebook(self.view())


def as_notebook(view: View) -> str:
    """Return a view as HTML for a notebook."""
    from acclimate.report.view_page import render_fragment

    return render_fragment(view, _NOTEBOOK, _ELSEWHERE)


def _flat(row: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Lay nested mappings flat.

    Examples
    --------
    >>> _flat({"a": 1, "b": {"c": 2}})
    {'a': 1, 'b_c': 2}
    """
    found: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{before}{key}_")
        else:
            found[f"{before}{key}"] = value
    return found
