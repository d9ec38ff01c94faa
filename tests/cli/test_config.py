"""Options from a file, printed options, help, and completion in the shell."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from acclimate import cli

runner = CliRunner()
COMMANDS = [command.name for command in cli.app.registered_commands]


def test_printed_options_read_back_are_the_same(shelf, acclimate):
    options = (
        "fit", "here.csv", "--label", "sick", "--id", "patient", "--drop", "ward", "--seed", "3",
        "--set", "estimator__C=0.5", "--out", "m.acclimate",
    )  # fmt: skip
    code, printed, _ = acclimate(*options, "--print-config")
    assert code == 0
    assert not Path("m.acclimate").exists()
    assert tomllib.loads(printed)["seed"] == 3
    Path("fit.toml").write_text(printed)
    assert acclimate("fit", "--config", "fit.toml", "--print-config")[1] == printed
    acclimate(*options)
    first = Path("m.acclimate").rename("first.acclimate")
    code, _, err = acclimate("fit", "--config", "fit.toml")
    assert (code, err) == (0, "")
    for name in (first, "m.acclimate"):
        assert acclimate("predict", name, "new.csv", "--out", f"{name}.csv", "--proba")[0] == 0
    assert Path("first.acclimate.csv").read_bytes() == Path("m.acclimate.csv").read_bytes()


def test_the_command_line_goes_before_the_file(shelf, acclimate):
    Path("fit.toml").write_text('label = "sick"\nout = "m.acclimate"\nseed = 3\n')
    _, printed, _ = acclimate(
        "fit", "here.csv", "--config", "fit.toml", "--seed", "5", "--print-config"
    )
    assert tomllib.loads(printed)["seed"] == 5
    assert tomllib.loads(printed)["label"] == "sick"


def test_a_table_of_settings(shelf, acclimate):
    Path("fit.toml").write_text('label = "sick"\nout = "m.acclimate"\n[set]\nestimator__C = 0.25\n')
    _, printed, _ = acclimate("fit", "here.csv", "--config", "fit.toml", "--print-config")
    assert tomllib.loads(printed)["set"] == ["estimator__C=0.25"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lable = 'sick'\n", ("'lable'", "did you mean 'label'")),
        ("label = \n", ("fit.toml", "not TOML")),
        ("seed = [1, 2]\n", ("seed", "[1, 2]")),
        ("new-classes = 'yes'\n", ("new-classes", "'yes'")),
    ],
)
def test_a_wrong_file_is_one_line(shelf, acclimate, text, words):
    Path("fit.toml").write_text(text)
    code, out, err = acclimate(
        "fit", "here.csv", "--label", "sick", "--out", "m.acclimate", "--config", "fit.toml"
    )
    assert (code, out) == (cli.EXIT_INPUT, "")
    assert err.count("\n") == 1
    assert all(word in err for word in words), err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command):
    result = runner.invoke(cli.app, [command, "--help"])
    assert result.exit_code == 0
    assert f"acclimate {command}" in result.output
    assert max(map(len, result.output.splitlines())) <= 80


def test_help_breaks_lines_where_the_terminal_ends_and_not_as_the_code_does():
    result = runner.invoke(cli.app, ["adapt", "--help"])
    assert "is tried by cross-validation on the labels" in result.output


@pytest.mark.parametrize(
    ("typed", "expected"), [("acclimate fit --method Fine", "FineTune"), ("acclimate ad", "adapt")]
)
def test_completion_in_the_shell(typed, expected):
    result = runner.invoke(
        cli.app, [], prog_name="acclimate",
        env={"_ACCLIMATE_COMPLETE": "complete_bash", "COMP_WORDS": typed,
             "COMP_CWORD": str(len(typed.split()) - 1)},
    )  # fmt: skip
    assert expected in result.output
