"""What the answers of a comparison look like: confusion, curves, residuals, rows that are missed.

Two sides are told: what the folds picked, and the best reference. Everything is of cross-fitted
answers, so no row is answered by a model that it trained. No record holds a value of a feature; of
pictures, those that are missed are held as small copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class NamedRows:
    """Target rows, counted from 0, and what a person calls them.

    Attributes
    ----------
    rows : int
        How many.
    positions : tuple of int
        Where they are.
    ids, id_name : tuple or None, str or None
        Identifiers, and what they are.
    file_rows, file_rows_counted : tuple or None, str or None
        Numbers in the file, and how those are counted.
    """

    rows: int = 0
    positions: tuple[int, ...] = ()
    ids: tuple[Any, ...] | None = None
    id_name: str | None = None
    file_rows: tuple[int, ...] | None = None
    file_rows_counted: str | None = None

    def called(self) -> tuple[str, list[str]]:
        """Return how the rows are told, and what they are called.

        Examples
        --------
        >>> NamedRows(1, (3,), ids=("t-7",), id_name="patient").called()
        ('by patient', ['t-7'])
        >>> NamedRows(1, (3,)).called()
        ('counted from 0', ['3'])
        """
        if self.ids:
            return f"by {self.id_name}", [str(one) for one in self.ids]
        if self.file_rows:
            return f"counted {self.file_rows_counted}", [str(one) for one in self.file_rows]
        return "counted from 0", [str(one) for one in self.positions]


@dataclass(frozen=True)
class MissedRows(NamedRows):
    """Rows that both sides miss, the surest mistakes or the largest errors first.

    Attributes
    ----------
    rows : int
        How many there are; at most 20 are told. Of values every row has an error, and they are
        those with the largest.
    truth, said, reference_said : tuple of str, or of float
        What is true, and what each side says in most repeats, or in the mean over them.
    confidence, reference_confidence : tuple of float or None
        Mean probability of what is said.
    thumbnails : tuple of str or None
        Small copies of them in base64, see `report.thumbnails`, where rows are pictures.
    """

    truth: tuple[Any, ...] = ()
    said: tuple[Any, ...] = ()
    reference_said: tuple[Any, ...] = ()
    confidence: tuple[float | None, ...] = ()
    reference_confidence: tuple[float | None, ...] = ()
    thumbnails: tuple[str, ...] = ()


@dataclass(frozen=True)
class AnswersOf:
    """The answers of one side to the labelled rows.

    Attributes
    ----------
    who, candidate : str
        "chosen" or "reference", and its name.
    confusion : tuple of tuple of float
        Rows of each true class (down) that it says are of each class (across): the mean over
        repeats, so not always whole.
    roc, precision_recall : tuple of pairs of float
        False and true positive rate, the mean curve of the folds; recall and precision, over all
        folds and repeats. Without a positive class the mean of each class against the others.
    auc, average_precision : float or None
        The areas below them: means over the repeats, as `judging.metrics` has them.
    residuals : tuple of pairs of float
        What it says in the first repeat, and the truth minus that, of at most 300 rows.
    error : float or None
        Root of the mean square over all rows and repeats.
    """

    who: str = ""
    candidate: str = ""
    confusion: tuple[tuple[float, ...], ...] = ()
    roc: tuple[tuple[float, float], ...] = ()
    precision_recall: tuple[tuple[float, float], ...] = ()
    auc: float | None = None
    average_precision: float | None = None
    residuals: tuple[tuple[float, float], ...] = ()
    error: float | None = None


@dataclass(frozen=True)
class AnswersShown:
    """The answers of both sides.

    Attributes
    ----------
    classes : tuple of str
        Rows and columns of the confusion matrices; empty for values.
    positive : str or None
        The class that the curves are of: as asked, or the rarer of two.
    share : float or None
        Its share of the labelled rows: the precision of answers by chance.
    sides : tuple of AnswersOf
        What the folds picked, and the best reference.
    missed : MissedRows or None
    """

    classes: tuple[str, ...] = ()
    positive: str | None = None
    share: float | None = None
    sides: tuple[AnswersOf, ...] = ()
    missed: MissedRows | None = None


@dataclass(frozen=True)
class Importance:
    """What permuting one column costs: the fall of the score, and its deviation over shuffles.

    ``source`` is the model of the source rows on these.
    """

    column: str = ""
    target: float | None = None
    target_spread: float | None = None
    source: float | None = None
    source_spread: float | None = None


@dataclass(frozen=True)
class Importances:
    """The importance of every column.

    Attributes
    ----------
    score : str
        What falls: "accuracy" or "R2".
    held_out : bool
        The target's rows trained nothing.
    target_rows, source_rows : int or None
    columns : tuple of Importance
        The most important for the target first.
    """

    score: str = "accuracy"
    held_out: bool = False
    target_rows: int | None = None
    source_rows: int | None = None
    columns: tuple[Importance, ...] = ()
