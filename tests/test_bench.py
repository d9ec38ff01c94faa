"""`scripts/bench`: the commands of BENCHMARKS.md, and what a fallen ratio is."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def bench():
    loader = SourceFileLoader("bench_script", str(ROOT / "scripts" / "bench"))
    spec = importlib.util.spec_from_loader("bench_script", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_every_command_of_the_documents_has_a_file(bench):
    found = bench.documented()
    assert len(found) > 30
    assert [one for one in found if not (ROOT / one.split()[1]).is_file()] == []
    assert len({bench.stem(one) for one in found}) == len(found)


SECTIONS = re.split(r"^(?=##+ )", (ROOT / "BENCHMARKS.md").read_text(encoding="utf-8"), flags=re.M)
ASKED = [one for one in SECTIONS if one.startswith("### ")]
FIGURE = re.compile(r"\d[\d,]*\.?\d+|\.\d+|\d")
LONG = re.compile(r"\]\((benchmarks/tables/[\w-]+\.md)\)")


@pytest.mark.parametrize("section", ASKED, ids=lambda text: text.partition("\n")[0][4:])
def test_a_section_is_short_names_its_command_and_tells_what_its_long_table_does(bench, section):
    assert len(section.splitlines()) <= 25
    assert "`python " in section
    linked = [(ROOT / one).read_text(encoding="utf-8") for one in LONG.findall(section)]
    if linked:
        table = "\n".join(linked)
        told = FIGURE.findall(re.sub(r"`[^`]*`", "", LONG.sub("", section)))
        assert sorted(set(told) - set(FIGURE.findall(table))) == []
        assert [one for one in bench.commands(section) if one not in table] == []


def test_every_long_table_is_linked():
    linked = {name for section in ASKED for name in LONG.findall(section)}
    found = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("benchmarks/tables/*.md")}
    assert found == linked


def test_what_only_the_reader_has_is_left_to_him(bench):
    text = "`python benchmarks/a.py --b 1` `python benchmarks/c.py --data FOLDER` `python x.py`"
    found = bench.commands(text)
    assert found == ["python benchmarks/a.py --b 1", "python benchmarks/c.py --data FOLDER"]
    assert [bench.OWN.search(one) is not None for one in found] == [False, True]


def test_a_run_is_kept_and_not_done_again(bench, tmp_path, monkeypatch, capsys):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "one.py").write_text("print('hello')\n")
    (tmp_path / "benchmarks" / "bad.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "BENCHMARKS.md").write_text("`python benchmarks/one.py` `python benchmarks/bad.py`")
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "STATE", tmp_path / ".bench")
    assert bench.main([]) == 3
    assert "hello" in next((tmp_path / ".bench").glob("one-*.log")).read_text()
    capsys.readouterr()
    assert bench.main([]) == 3
    assert "one.py" not in capsys.readouterr().out
    assert bench.main(["--again", "one"]) == 0
    assert "one.py" in capsys.readouterr().out
    assert bench.main(["nothing"]) == 2


def test_a_ratio_that_falls_by_more_than_a_quarter_is_told(bench, tmp_path, monkeypatch, capsys):
    results = ROOT / bench.RESULTS
    for name, ratios in bench.RATIOS.items():
        assert dict(ratios(json.loads((results / name).read_text()))), name
    assert bench.fallen({"a": 2.0, "b": 2.0}, {"a": 1.6, "b": 1.4, "c": 0.1}) == [
        "b: 2.00 before, 1.40 now"
    ]
    folder = tmp_path / bench.RESULTS
    folder.mkdir(parents=True)
    for name in bench.RATIOS:
        (folder / name).write_bytes((results / name).read_bytes())
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for step in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "results"]):
        subprocess.run([*git, *step], check=True)
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    assert bench.main(["--check"]) == 0
    found = json.loads((folder / "main_job.json").read_text())
    found["whole"]["median"]["default"]["seconds"] *= 2
    (folder / "main_job.json").write_text(json.dumps(found))
    capsys.readouterr()
    assert bench.main(["--check"]) == 1
    assert "default" in capsys.readouterr().out
