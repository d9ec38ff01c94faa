"""Reports: data in, ONE offline HTML file out. Nothing is loaded until it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acclimate.importing import on_use

if TYPE_CHECKING:
    from acclimate.report.comparison_page import render_comparison
    from acclimate.report.demo_page import render_demo
    from acclimate.report.html import render, write_text_atomic

__all__ = ["render", "render_comparison", "render_demo", "write_text_atomic"]

_HOMES = {
    "render": "acclimate.report.html",
    "render_comparison": "acclimate.report.comparison_page",
    "render_demo": "acclimate.report.demo_page",
    "write_text_atomic": "acclimate.report.html",
}


def __getattr__(name: str) -> object:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return on_use(_HOMES[name], name)


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
