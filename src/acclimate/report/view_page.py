"""A view as HTML: a fragment for notebooks, and a page of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from acclimate.report.charts import interval_glyph
from acclimate.report.html import environment, render
from acclimate.report.plain import json_safe
from acclimate.report.view import Line, Several, Table, View, left_out
from acclimate.report.wording import sentence


def render_fragment(view: View, most: int, where: str) -> str:
    """Render a view for a notebook: it takes colour and letters of the theme around it.

    Parameters
    ----------
    view : View
    most : int
        Rows of a table and lines of a kind.
    where : str
        Where the rest of them is.

    Examples
    --------
    >>> html = render_fragment(View((Line("<b>", "helps"),), "test"), 3, "elsewhere")
    >>> "&lt;b&gt;" in html, "<html" in html
    (True, False)
    """
    parts = []
    first = next((part for part in view.parts if isinstance(part, Table)), None)
    for part in view.parts:
        some, left = View((part,), view.name).cut(most)
        more = {"left": left_out(left, where), "first": part is first}
        parts.append(_part(some.parts[0]) | more)
    template = environment().get_template("notebook.html.j2")
    return template.render(name=view.name, parts=parts)


def render_view(
    view: View, raw: Mapping[str, Any], charts: Sequence[Mapping[str, Any]] = ()
) -> str:
    """Render a view as one offline HTML page that carries its figures.

    Parameters
    ----------
    view : View
    raw : mapping
        The figures, which a reader can save as JSON.
    charts : sequence of mapping, default=()
        Drawings above the tables, see `acclimate.report.figures.figure`.

    Returns
    -------
    str
        An HTML document that makes no network request.
    """
    parts = [_part(part) for part in view.parts]
    page = {
        "name": view.name, "title": parts[0]["lines"][0], "parts": parts[1:],
        "raw": json_safe(raw), "charts": charts,
    }  # fmt: skip
    return render("result.html.j2", page=page)


def _part(part: Line | Several | Table) -> dict[str, Any]:
    """Return a part as a template takes it."""
    if isinstance(part, Line):
        return {"kind": "line", "lines": [part]}
    if isinstance(part, Several):
        return {"kind": "several", "lines": part.lines}
    ends = [cell.ends for row in part.rows for cell in row if cell.ends is not None]
    limit = max([0.02, *(abs(end) for three in ends for end in three)])
    rows = [
        [
            (cell, Markup("" if cell.ends is None else interval_glyph(*cell.ends, limit=limit)))
            for cell in row
        ]
        for row in part.rows
    ]
    heads = [
        {"text": sentence(title) if len(title) > 1 else title, "number": right}
        for title, right in part.columns
    ]
    return {"kind": "table", "title": part.title, "heads": heads, "rows": rows, "what": part.kind}
