"""Templates to one HTML file that needs nothing else, and writing it so that nothing is lost."""

from __future__ import annotations

import base64
import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acclimate.files import output
from acclimate.report import wording

if TYPE_CHECKING:
    from jinja2 import Environment


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the template environment: everything escaped, a missing name is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    env = Environment(
        loader=PackageLoader("acclimate.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in (
        "percent", "points", "count", "seconds", "sentence", "sort_key", "look_of", "duration",
        "memory", "chance", "gain_range",
    ):  # fmt: skip
        env.filters[name] = getattr(wording, name)
    return env


def render(template: str, **context: Any) -> str:
    """Render a page template into one self-contained HTML document.

    For every report of acclimate. The page may run only the script that ships with it: its checksum
    stands in the page's content policy, and the policy forbids every network request.

    Parameters
    ----------
    template : str
        A file in `report/templates` that extends `base.html.j2`.
    **context : object
        Values for the template. Text is escaped; only `markupsafe.Markup` is taken as it is.

    Returns
    -------
    str
        The document.
    """
    env = environment()
    script = env.get_template("script.js.html.j2").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return env.get_template(template).render(script=script, script_digest=digest, **context)


def write_text_atomic(path: str | os.PathLike[str], text: str) -> Path:
    """Write a text file completely or not at all; what was there before survives a failure.

    The text goes to a temporary file in the same folder, which then takes the name in one step.
    Folders that are missing are made.

    Parameters
    ----------
    path : path-like
        The file to write.
    text : str
        Written as UTF-8.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written. The message has the path and the way out.
    """
    with output(path) as file:
        file.write(text.encode("utf-8", errors="replace"))
    return Path(path)
