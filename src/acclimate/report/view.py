"""What a result shows, once: lines and tables that a terminal, a notebook and a page draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Line:
    """A sentence, behind a word with its sign.

    Parameters
    ----------
    text : str
    word : str, default=""
        Chooses sign and colour, see `wording.look_of`.
    label : str, default=None
        Shown in place of the word.
    strong : bool, default=False
        The sentence is what matters most.
    """

    text: str
    word: str = ""
    label: str | None = None
    strong: bool = False

    @property
    def lead(self) -> str:
        """What is shown before the text."""
        return self.word if self.label is None else self.label


@dataclass(frozen=True)
class Several:
    """Lines of one kind, the most important first; where there is no room the last are left out."""

    lines: tuple[Line, ...]
    kind: str = "more"


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Parameters
    ----------
    text : str
    word : str, default=""
        Its sign is shown behind the text.
    strong : bool, default=False
    key : float, default=None
        What a page sorts by.
    ends : triple of float, default=None
        Gain, low and high, which a page draws.
    pictures : tuple of str, default=()
        Sources of pictures that a page and a notebook show before the text, see
        `report.thumbnails`.
    """

    text: str
    word: str = ""
    strong: bool = False
    key: float | None = None
    ends: tuple[float, float, float] | None = None
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Rows of cells, the most important first.

    Parameters
    ----------
    heads : tuple of str
        Those that start with ``>`` are over figures, which stand on the right.
    rows : tuple of tuple of Cell
    title : str, default=""
    kind : str, default="rows"
        What the rows are.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    kind: str = "rows"

    @property
    def columns(self) -> list[tuple[str, bool]]:
        """Titles, and whether figures stand below."""
        return [(head.removeprefix(">"), head.startswith(">")) for head in self.heads]


@dataclass(frozen=True)
class View:
    """All that is shown of a result.

    Parameters
    ----------
    parts : tuple of Line, Several or Table
        The first line says what was found.
    name : str
        What it is the result of, such as "acclimate compare".
    """

    parts: tuple[Line | Several | Table, ...]
    name: str

    def cut(self, most: int) -> tuple[View, dict[str, int]]:
        """Return the view with at most so many rows and lines of a kind, and how many are left out.

        Examples
        --------
        >>> view, left = View((Several((Line("a"), Line("b")), "findings"),), "test").cut(1)
        >>> view.parts[0].lines, left
        ((Line(text='a', word='', label=None, strong=False),), {'findings': 1})
        """
        parts: list[Line | Several | Table] = []
        left: dict[str, int] = {}
        for part in self.parts:
            if isinstance(part, Line):
                parts.append(part)
                continue
            all_of_it: Sequence[object] = part.lines if isinstance(part, Several) else part.rows
            if len(all_of_it) > most:
                left[part.kind] = left.get(part.kind, 0) + len(all_of_it) - most
            parts.append(
                replace(part, lines=part.lines[:most])
                if isinstance(part, Several)
                else replace(part, rows=part.rows[:most])
            )
        return replace(self, parts=tuple(parts)), left


def figures(*texts: str) -> tuple[Cell, ...]:
    """Return plain cells.

    Examples
    --------
    >>> figures("a")
    (Cell(text='a', word='', strong=False, key=None, ends=None, pictures=()),)
    """
    return tuple(Cell(text) for text in texts)


def left_out(left: dict[str, int], where: str) -> str:
    """Say what is not shown, and where it is.

    Examples
    --------
    >>> left_out({"candidates": 3, "groups": 1}, "in the report")
    '... and 3 more candidates, 1 more groups, in the report'
    """
    told = ", ".join(f"{number} more {kind}" for kind, number in left.items())
    return f"... and {told}, {where}" if told else ""
