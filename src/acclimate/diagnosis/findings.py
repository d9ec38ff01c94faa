"""What `diagnose` found: words first, worst first, then figures, then what suits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.diagnosis.drift import ColumnDrift

# Findings that say the distributions differ; the others are about the data's fitness.
SHIFTS = frozenset(
    {"columns", "missing values", "new levels", "joint", "classes", "class shares", "values",
     "predicted shares", "support", "framing", "model", "missing column"}
)  # fmt: skip


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


@dataclass(frozen=True)
class Diagnosis:
    """What differs between a source and a target. Made by `diagnose`.

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
    """

    word: str
    source_rows: int
    target_rows: int
    alpha: float
    findings: tuple[Finding, ...]
    advice: tuple[Advice, ...]
    columns: tuple[ColumnDrift, ...]
    figures: dict[str, Any] = field(default_factory=dict)

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
        """Return all findings as sentences, worst first, then what suits and what does not."""
        lines = [self.sentence()] if not self.findings else [f.words for f in self.findings]
        return lines + [
            f"{'Suits' if item.suits else 'Does not suit'}: {item.family}. {item.reason}"
            for item in self.advice
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, ready for JSON."""
        return asdict(self) | {"sentence": self.sentence(), "words": self.words()}

    def table(self) -> Any:
        """Return the columns as a rich table, those that moved most first."""
        from rich.table import Table

        table = Table(title="Columns", title_justify="left")
        for name in ("column", "finding", "distance", "p", "missing", "scale"):
            table.add_column(name, justify="left" if name in ("column", "finding") else "right")
        scales = self.figures.get("scale_ratios", {})
        moved = sorted(self.columns, key=lambda c: (c.word == "same", -(c.shift or 0.0)))
        for c in moved:
            ratio = scales.get(c.name)
            table.add_row(
                c.name,
                c.word,
                "" if c.shift is None else f"{c.shift:.2f}",
                "" if c.p is None else f"{c.p:.2g}",
                f"{c.missing_before:.0%} / {c.missing_now:.0%}",
                "" if ratio is None else f"{ratio:.2g}",
            )
        return table


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
