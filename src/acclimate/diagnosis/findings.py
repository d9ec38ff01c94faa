"""What `diagnose` found: words first, worst first, then figures, then what suits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.catalogue import Row, row_of
from acclimate.diagnosis.drift import ColumnDrift
from acclimate.report.presented import Presented
from acclimate.report.screen import rich_table
from acclimate.report.view import Cell, Line, Several, Table, View
from acclimate.report.wording import chance

# Findings that say the distributions differ; the others are about the data's fitness.
SHIFTS = frozenset(
    {"columns", "missing values", "new levels", "joint", "classes", "class shares", "values",
     "predicted shares", "support", "framing", "model", "missing column"}
)  # fmt: skip

# what an advice calls the families of the catalogue
_ADVISED = {
    "adversarial": "invariant", "invariant": "invariant", "mapping": "mapping",
    "reweighting": "reweighting", "source-free": "invariant", "transfer": "fine-tuning",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing that differs or is wrong.

    Parameters
    ----------
    kind : str
        What it is about, such as "columns", "class shares" or "leak".
    words : str
        The finding as a sentence.
    weight : float
        How bad it is, from 0 to 1. Findings are sorted by it.
    """

    kind: str
    words: str
    weight: float


@dataclass(frozen=True)
class Advice:
    """Whether a family of methods suits, and why.

    Parameters
    ----------
    family : str
        "mapping", "reweighting", "invariant", "fine-tuning", "nothing" or "do not transfer".
    suits : bool
        Whether the figures speak for it.
    reason : str
        The reason, as a sentence.
    """

    family: str
    suits: bool
    reason: str


@dataclass(frozen=True, repr=False)
class Diagnosis(Presented):
    """What differs between a source and a target. Made by `diagnose`.

    `print` shows it on one screen, a notebook as tables; ``to_frame()`` has a row a column.

    Attributes
    ----------
    word : {"no shift found", "shifted", "cannot tell"}
    source_rows, target_rows : int
    alpha : float
        Chance of a false alarm over all tests together.
    findings : tuple of Finding
        Worst first.
    advice : tuple of Advice
        Families of methods, those that suit first.
    columns : tuple of ColumnDrift
        One for each column, or figure of an image, that both domains have.
    figures : dict
        Everything that was measured, by name.
    question : str or None
        What to ask first, where the target has no labels and the source has classes.
    """

    word: str
    source_rows: int
    target_rows: int
    alpha: float
    findings: tuple[Finding, ...]
    advice: tuple[Advice, ...]
    columns: tuple[ColumnDrift, ...]
    figures: dict[str, Any] = field(default_factory=dict)
    question: str | None = None

    def advice_on(self, method: Any) -> Advice | None:
        """Return the advice that speaks of a method's family, None where none does.

        Parameters
        ----------
        method : Adapter, its class or its row
            Built-in or of your own.

        Examples
        --------
        >>> import numpy as np
        >>> from acclimate import CORAL, diagnose
        >>> X = np.random.default_rng(0).normal(size=(200, 3))
        >>> diagnose((X, None), (X * 9 + 1, None)).advice_on(CORAL()).family
        'mapping'
        """
        cls = method if isinstance(method, type) else type(method)
        row = method if isinstance(method, Row) else row_of(cls)
        family = _ADVISED.get(row.family)
        return next((item for item in self.advice if item.family == family), None)

    def sentence(self) -> str:
        """Return the worst finding, and how many there are."""
        sizes = f"{self.source_rows} source and {self.target_rows} target rows"
        lead = {
            "no shift found": f"No shift found between {sizes}.",
            "cannot tell": f"Cannot tell: {sizes} are too few to see even a large shift.",
            "shifted": f"Shifted, by {sizes}.",
        }[self.word]
        if not self.findings:
            return lead
        rest = len(self.findings) - 1
        more = f" And {rest} more." if rest else ""
        return f"{lead} {self.findings[0].words}{more}"

    def words(self) -> list[str]:
        """Return the question, all findings as sentences, worst first, and what suits."""
        lines = [self.question] if self.question else []
        lines += [self.sentence()] if not self.findings else [f.words for f in self.findings]
        return lines + [
            f"{'Suits' if item.suits else 'Does not suit'}: {item.family}. {item.reason}"
            for item in self.advice
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, ready for JSON."""
        return asdict(self) | {"sentence": self.sentence(), "words": self.words()}

    def table(self) -> Any:
        """Return the columns as a rich table, those that moved most first."""
        return rich_table(self._columns())

    def view(self) -> View:
        """Return what is shown: findings, worst first, what suits, and the columns."""
        sizes = f" ({self.source_rows:,} source and {self.target_rows:,} target rows)"
        parts: list[Line | Several | Table] = [Line(sizes, self.word, strong=True)]
        parts += [Line(self.question)] if self.question else []
        if not self.findings and self.word == "cannot tell":
            parts.append(Line(self.sentence()))
        if self.findings:
            parts.append(Several(tuple(Line(one.words) for one in self.findings), "findings"))
        if self.advice:
            lines = (
                Line(f". {one.reason}", "suits" if one.suits else "does not suit", one.family)
                for one in self.advice
            )
            parts.append(Several(tuple(lines), "families of methods"))
        return View((*parts, *([self._columns()] if self.columns else [])), "acclimate diagnose")

    def _brief(self) -> str:
        return f"{self.word}, {len(self.findings)} findings, {len(self.columns)} columns"

    def _records(self) -> list[dict[str, Any]]:
        scales = self.figures.get("scale_ratios", {})
        return [asdict(one) | {"scale_ratio": scales.get(one.name)} for one in self._moved()]

    def _moved(self) -> list[ColumnDrift]:
        return sorted(self.columns, key=lambda c: (c.word == "same", -(c.shift or 0.0)))

    def _columns(self) -> Table:
        rows = tuple(
            (
                Cell(c.name), Cell(c.word),
                Cell("" if c.shift is None else f"{c.shift:.2f}", key=c.shift),
                Cell("" if c.p is None else chance(c.p), key=c.p),
                Cell(f"{c.missing_before:.0%}", key=c.missing_before),
                Cell(f"{c.missing_now:.0%}", key=c.missing_now),
            )
            for c in self._moved()
        )  # fmt: skip
        heads = ("column", "finding", ">distance", ">p", ">missing before", ">now")
        return Table(heads, rows, kind="columns")


@dataclass(frozen=True)
class Side:
    """One domain as it was given.

    Parameters
    ----------
    X : data frame or ndarray
    kind : {"frame", "array", "images"}
    columns : mapping from str to column
    y : ndarray or None
        Labels, of the rows ``known``.
    known : integer ndarray or None
    """

    X: Any
    kind: str
    columns: Mapping[str, Any]
    y: NDArray[Any] | None
    known: NDArray[np.intp] | None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values())))
