"""A view in a terminal, and as plain text of a given size."""

from __future__ import annotations

from typing import Any

from acclimate.report.view import Cell, Line, Several, Table, View, left_out
from acclimate.report.wording import look_of

_ROWS = (12, 8, 5, 3, 2, 1)  # of each table, until it fits


def drawn(view: View, most: int, where: str) -> list[Any]:
    """Return what rich prints for a view.

    Parameters
    ----------
    view : View
    most : int
        Rows of a table and lines of a kind.
    where : str
        Where the rest of them is.
    """
    shown: list[Any] = []
    for part in view.parts:
        some, left = View((part,), view.name).cut(most)
        (part,) = some.parts
        if isinstance(part, Table):
            shown += [*([_plain(part.title)] if part.title else []), rich_table(part)]
        else:
            lines, bullet = (part.lines, "· ") if isinstance(part, Several) else ((part,), "")
            shown += [_line(one, bullet) for one in lines]
        if left:
            shown.append(_plain(left_out(left, where)))
    return shown


def as_text(view: View, where: str, *, width: int = 80, lines: int = 40) -> str:
    """Return a view as plain text: the most important of it, and how much more there is.

    Parameters
    ----------
    view : View
    where : str
        Where the rest is.
    width, lines : int, default=80, 40
        The most that it takes.
    """
    text: list[str] = []
    for most in _ROWS:
        text = _printed(drawn(view, most, where), width)
        if len(text) <= lines:
            return "\n".join(text)
    return "\n".join([*text[: lines - 1], left_out({"lines": len(text) - lines + 1}, where)])


def as_rich(view: View, most: int, where: str) -> Any:
    """Return a view as one thing that rich prints."""
    from rich.console import Group

    return Group(*drawn(view, most, where))


def _printed(things: list[Any], width: int) -> list[str]:
    from io import StringIO

    from rich.console import Console

    file = StringIO()
    screen = Console(file=file, width=width, color_system=None, force_terminal=False,
                     force_jupyter=False, legacy_windows=False)  # fmt: skip
    for thing in things:
        screen.print(thing)
    kept: list[str] = []
    for line in file.getvalue().rstrip().split("\n"):
        if line.strip() or (kept and kept[-1]):  # no two empty lines
            kept.append(line.rstrip())
    return kept


def _plain(text: str) -> Any:
    from rich.text import Text

    return Text(text)


def _line(line: Line, bullet: str) -> Any:
    from rich.text import Text

    if not line.word:
        return Text(bullet + line.text, style="bold" if line.strong else "")
    look = look_of(line.word)
    style = f"bold {look.colour}" if line.strong else look.colour
    return Text.assemble((f"{look.sign} {line.lead}".lstrip(), style), line.text)


def rich_table(table: Table) -> Any:
    """Return a table as rich prints it."""
    from rich import box
    from rich.table import Table as Drawn
    from rich.text import Text

    made = Drawn(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for number, (title, right) in enumerate(table.columns):
        if number == 0:
            made.add_column(title, overflow="fold", min_width=10)
        else:
            made.add_column(title, justify="right" if right else "left", overflow="fold")

    def cell(one: Cell) -> Any:
        style = "bold" if one.strong else ""
        if not one.word:
            return Text(one.text, style=style)
        look = look_of(one.word)
        return Text.assemble((f"{one.text} ".lstrip(), style), (look.sign, look.colour))

    for row in table.rows:
        made.add_row(*(cell(one) for one in row))
    return made
