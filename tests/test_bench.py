"""`scripts/bench`: the commands of BENCHMARKS.md, and what a fallen ratio is."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

from acclimate import methods

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


# words that stand for something else, but for names of methods, which are in capitals, too
PLACEHOLDER = re.compile(r"[A-Z][A-Z/_]{2,}[a-z/]*|.*[\[\]<>].*|\.\.\.")


def test_a_command_can_be_run_or_is_left_to_the_reader_with_the_reason(bench, monkeypatch):
    monkeypatch.delenv("ACCLIMATE_DATA", raising=False)
    names = {row.name for row in methods()}
    for command in bench.documented():
        words = set(filter(PLACEHOLDER.fullmatch, shlex.split(command)[2:])) - names
        assert words <= set(bench.WANTED), command
        assert bool(words) <= bool(bench.reason(command)), command
    scripts = {path.stem for path in (ROOT / "benchmarks").rglob("*.py")}
    assert {name for readers in bench.DATA.values() for name in readers} <= scripts


def test_what_cannot_be_run_is_listed_with_the_reason_and_skipped(
    bench, monkeypatch, capsys, tmp_path
):
    monkeypatch.setattr(bench, "STATE", tmp_path)
    monkeypatch.delenv("ACCLIMATE_DATA", raising=False)
    assert bench.main(["--list", "logme", "digits.py"]) == 0
    told = capsys.readouterr().out
    assert "yours python benchmarks/logme.py" in told
    assert "Transfer-Learning-Library" in told
    assert "usps.h5" in told
    (tmp_path / "usps.h5").touch()
    monkeypatch.setenv("ACCLIMATE_DATA", str(tmp_path))
    assert bench.main(["--list", "benchmarks/digits.py"]) == 0
    assert "yours" not in capsys.readouterr().out
    assert bench.main(["logme"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["usps.h5"]


def test_options_of_commands_are_those_of_their_scripts(bench):
    for command in bench.documented():
        words = shlex.split(command)
        source = (ROOT / words[1]).read_text(encoding="utf-8")
        known = re.findall(r'add_argument\(\s*"(--[a-z-]+)"', source)
        used = {word.partition("=")[0] for word in words[2:] if word.startswith("--")}
        assert used <= set(known), command


def test_commits_that_commands_name_are_there(bench):
    git = ["git", "-C", str(ROOT)]
    shallow = subprocess.run([*git, "rev-parse", "--is-shallow-repository"], capture_output=True)
    if shallow.stdout.strip() != b"false":
        pytest.skip("no whole repository here")
    named = re.findall(r"--(?:before|against) (\w+)", "\n".join(bench.documented()))
    assert named
    for commit in named:
        subprocess.run([*git, "merge-base", "--is-ancestor", commit, "HEAD"], check=True)


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
        assert [one for one in bench.commands(section) if one not in " ".join(table.split())] == []


def test_every_long_table_is_linked():
    linked = {name for section in ASKED for name in LONG.findall(section)}
    found = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("benchmarks/tables/*.md")}
    assert found == linked


def test_what_only_the_reader_has_is_left_to_him(bench):
    text = "`python benchmarks/a.py\n--b 1` `python benchmarks/c.py --data FOLDER` `python x.py`"
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


@pytest.fixture
def folder(bench, tmp_path, monkeypatch):
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "STATE", tmp_path / ".bench")
    return tmp_path


def test_results_are_put_aside_for_a_run_anew(bench, folder):
    script = (
        "from pathlib import Path\n"
        'file = Path(__file__).parent / "results" / "rows.json"\n'
        'file.write_text(file.read_text() + "x" if file.exists() else "x")\n'
    )
    for name in ("one.py", "two.py"):
        (folder / "benchmarks" / name).write_text(script)
    (folder / "BENCHMARKS.md").write_text("`python benchmarks/one.py` `python benchmarks/two.py`")
    rows = folder / "benchmarks" / "results" / "rows.json"
    assert bench.main([]) == 0
    assert rows.read_text() == "xx"
    assert bench.main(["--anew", "one"]) == 0
    assert rows.read_text() == "x"
    assert (folder / ".bench" / "aside" / "rows.json").read_text() == "xx"
    assert bench.main([]) == 0  # two.py wrote to the same file: it is run again
    assert rows.read_text() == "xx"


def test_a_script_that_can_resume_does_after_a_stop_and_begins_with_its_own_rows(bench, folder):
    (folder / "benchmarks" / "one.py").write_text(
        "import sys\n"
        "from pathlib import Path\n"
        'file = Path(__file__).parent / "results" / "rows.json"\n'
        'known = ["--resume"]\n'
        'kept = file.read_text() if file.exists() else "none"\n'
        'file.write_text(" ".join([kept, *sys.argv[1:]]))\n'
        'sys.exit("--resume" not in sys.argv)\n'
    )
    (folder / "BENCHMARKS.md").write_text("`python benchmarks/one.py`")
    rows = folder / "benchmarks" / "results" / "rows.json"
    rows.write_text("of before")
    assert bench.main([]) == 1
    assert rows.read_text() == "none"
    assert bench.main([]) == 0
    assert rows.read_text() == "none --resume"


@pytest.mark.slow
def test_a_stop_reaches_the_command_and_what_it_started(tmp_path):
    for name in ("scripts", "benchmarks"):
        (tmp_path / name).mkdir()
    (tmp_path / "scripts" / "bench").write_bytes((ROOT / "scripts" / "bench").read_bytes())
    (tmp_path / "benchmarks" / "one.py").write_text(
        "import subprocess, sys\n"
        'child = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"\n'
        'subprocess.run([sys.executable, "-c", child])\n'
    )
    (tmp_path / "BENCHMARKS.md").write_text("`python benchmarks/one.py`")
    process = subprocess.Popen([sys.executable, str(tmp_path / "scripts" / "bench")])
    found = None
    while found is None:
        time.sleep(0.05)
        logs = [path.read_text() for path in (tmp_path / ".bench").glob("one-*.log")]
        found = next(iter(re.findall(r"^(\d+)\n", "".join(logs), re.M)), None)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int(found), 0)
    assert not list((tmp_path / ".bench").glob("*.done"))


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
