from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from acclimate.exceptions import OutputError
from acclimate.report import write_text_atomic
from acclimate.report.html import environment


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "new" / "folder" / "report.html"
    assert write_text_atomic(path, "first é") == path
    write_text_atomic(str(path), "second")
    assert path.read_text(encoding="utf-8") == "second"
    assert os.listdir(path.parent) == ["report.html"]


def test_text_that_no_file_can_hold_is_replaced(tmp_path):
    write_text_atomic(tmp_path / "a", "lone \ud800 surrogate")
    assert (tmp_path / "a").read_text(encoding="utf-8") == "lone ? surrogate"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_the_old_file_survives_a_failure(tmp_path, monkeypatch, step):
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OutputError, match=r"report\.html.*No space left.*Choose a folder"):
        write_text_atomic(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_folder_that_is_a_file_is_one_clear_error(tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(OutputError, match="taken"):
        write_text_atomic(tmp_path / "taken" / "report.html", "new")
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_folder_in_the_place_of_the_file_is_one_clear_error(tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputError, match=r"report\.html"):
        write_text_atomic(tmp_path / "report.html", "new")
    assert os.listdir(tmp_path) == ["report.html"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_without_permission_is_one_clear_error(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="Permission denied"):
            write_text_atomic(path, "new")
    finally:
        tmp_path.chmod(0o700)
    assert path.read_text() == "old"


def test_importing_the_report_loads_nothing_heavy():
    code = (
        "import sys, acclimate.report\n"
        "bad = {'torch', 'matplotlib', 'jinja2', 'pandas'} & set(sys.modules)\n"
        "sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def _luminance(colour: str) -> float:
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_have_enough_contrast(mode):
    # WCAG 2.2 AA: 4.5 for text, 3 for lines and edges
    style = environment().get_template("style.css.html.j2").render()
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    block = light if mode == "light" else dark.split("\n}\n")[0]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    text = [(a, b) for a in ("ink", "muted", "accent") for b in ("page", "card")]
    text += [(word, f"{word}-back") for word in ("helps", "hurts", "same", "open")]
    for a, b in text:
        assert _contrast(colours[a], colours[b]) >= 4.5, (a, b)
    strokes = [f"s{k}" for k in range(8)] + ["edge", "helps", "hurts", "same", "open"]
    for a in strokes:
        assert _contrast(colours[a], colours["card"]) >= 3, a


def test_the_contrast_formula_knows_its_ends():
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
