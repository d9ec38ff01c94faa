"""The command line: help with an example, errors of one line, nothing lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from acclimate import cli
from acclimate.cli import demo

runner = CliRunner()


def run(*arguments: str) -> Any:
    return runner.invoke(cli.app, list(arguments))


def main(monkeypatch: pytest.MonkeyPatch, capsys: Any, *arguments: str) -> tuple[Any, str, str]:
    """Run as the installed command does; return exit code and what was printed."""
    monkeypatch.setattr("sys.argv", ["acclimate", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    out, err = capsys.readouterr()
    return stop.value.code, out, err


@pytest.mark.parametrize("command", ["demo", "methods", "datasets"])
def test_help_has_an_example(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"acclimate {command}" in result.output


def test_version() -> None:
    from acclimate import __version__

    assert run("--version").output == f"acclimate {__version__}\n"


def test_methods_lists_the_catalogue() -> None:
    from acclimate import methods

    output = run("methods").output
    assert all(row.name in output for row in methods())
    assert "SourceOnly" not in run("methods", "--family", "transfer").output


def test_datasets_lists_all() -> None:
    from acclimate import datasets

    output = run("datasets").output.replace("\n", "")
    assert all(name in output for name in datasets.names())


def test_an_unwritable_folder_is_one_line_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(demo, "run", lambda *a, **k: pytest.fail("it started to compute"))
    (tmp_path / "file").write_text("precious")
    code, out, err = main(monkeypatch, capsys, "demo", "--out", str(tmp_path / "file" / "sub"))
    assert code == cli.EXIT_INPUT
    assert out == ""
    assert err.count("\n") == 1
    assert "file" in err
    assert "--out" in err
    assert (tmp_path / "file").read_text() == "precious"


def test_quick_and_full_exclude_each_other() -> None:
    assert run("demo", "--quick", "--full").exit_code == 2


RESULT: dict[str, Any] = {
    "schema": 1, "acclimate": "0", "command": "acclimate demo", "seconds": 1.0, "seed": 0,
    "created": "2026-01-01T00:00:00+00:00", "stopped": False, "machine": {}, "cases": [],
}  # fmt: skip


def test_demo_writes_report_and_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def fake(pace: str, **settings: Any) -> dict[str, Any]:
        asked.append((pace, settings["command"]))
        return RESULT

    monkeypatch.setattr(demo, "run", fake)
    result = run("demo", "--quick", "--seed", "3", "--out", str(tmp_path / "new"))
    assert result.exit_code == 0, result.output
    assert asked == [("quick", "acclimate demo --quick --seed 3")]
    assert json.loads((tmp_path / "new" / "demo.json").read_text()) == RESULT
    assert (tmp_path / "new" / "report.html").read_text().lower().startswith("<!doctype html>")


def test_a_stopped_demo_says_so_and_keeps_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "run", lambda *a, **k: RESULT | {"stopped": True})
    result = run("demo", "--out", str(tmp_path))
    assert result.exit_code == cli.EXIT_STOPPED
    assert "Stopped early" in result.output
    assert (tmp_path / "demo.json").exists()
