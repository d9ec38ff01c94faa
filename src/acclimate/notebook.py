"""How a method looks in a notebook: scikit-learn's diagram, and what was fitted in words."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from sklearn.utils import estimator_html_repr

if TYPE_CHECKING:
    from acclimate.adapter import Adapter


def diagram(method: Adapter) -> str:
    """Return HTML: the method with its parts, whether it was fitted, and to which target.

    Parameters
    ----------
    method : Adapter
        Fitted or not.

    Returns
    -------
    str
        HTML for a notebook; names from the data are escaped.
    """
    if hasattr(method, "source_model_"):
        words = method.summary()
    else:
        words = f"{type(method).__name__} on {type(method._base()).__name__}: not fitted."
    return f"{estimator_html_repr(method)}<p>{escape(words)}</p>"
