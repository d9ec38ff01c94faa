"""A missing extra says how to install it, and a present one is imported."""

from __future__ import annotations

import sys

import pytest

from acclimate.exceptions import AcclimateError
from acclimate.extras import need


def test_a_missing_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(ImportError, match=r'needs POT.*pip install "acclimate\[ot\]"') as caught:
        need("ot", "ot", package="POT")
    assert isinstance(caught.value, AcclimateError)


def test_what_is_broken_inside_an_extra_is_shown_as_it_is(tmp_path, monkeypatch) -> None:
    (tmp_path / "half_there.py").write_text("import something_that_is_nowhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="something_that_is_nowhere"):
        need("half_there", "ot")
