"""`-`: rows from standard input, results on standard output."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from acclimate import cli


def _pipe(monkeypatch: pytest.MonkeyPatch, content: bytes, *, terminal: bool = False) -> None:
    stdin = SimpleNamespace(buffer=io.BytesIO(content), isatty=lambda: terminal)
    monkeypatch.setattr("sys.stdin", stdin)


def test_rows_come_and_results_go_by_pipes(
    model: Path, acclimate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.read_csv("new.csv")
    acclimate("predict", model, "new.csv", "--out", "by_file.csv", "--proba")
    frame.to_parquet("new.parquet")
    frame.to_feather("new.arrow")
    frame.to_csv("new.csv.gz", index=False)
    for name in ("new.csv", "new.parquet", "new.arrow", "new.csv.gz"):
        _pipe(monkeypatch, Path(name).read_bytes())
        code, out, err = acclimate("predict", model, "-", "--out", "-", "--proba")
        assert (code, err) == (0, "")
        assert out == Path("by_file.csv").read_text()  # and nothing else
    _pipe(monkeypatch, Path("new.csv").read_bytes())
    code, out, _ = acclimate("predict", model, "-", "--out", "some.parquet")
    assert code == 0
    assert "Wrote 200 predictions to some.parquet" in out
    assert not Path("-").exists()
    for name in ("next_month.parquet", "here.csv"):
        code, by_file, _ = acclimate("check", model, name, "--json")
        _pipe(monkeypatch, Path(name).read_bytes())
        again, out, _ = acclimate("check", model, "-", "--json")
        assert again == code
        assert json.loads(out) == json.loads(by_file)


@pytest.mark.parametrize(
    ("content", "terminal", "words"),
    [(b"", False, "standard input is empty"), (b"", True, "none are piped into it"),
     (b"a,b\n1,2\n", False, "standard input.csv has no column")],
)  # fmt: skip
def test_what_cannot_be_read_is_one_line(
    model: Path, acclimate: Any, monkeypatch: pytest.MonkeyPatch, content: bytes, terminal: bool,
    words: str,
) -> None:  # fmt: skip
    _pipe(monkeypatch, content, terminal=terminal)
    code, out, err = acclimate("predict", model, "-", "--out", "-")
    assert (code, out) == (cli.EXIT_INPUT, "")
    assert err.count("\n") == 1
    assert words in err
